//! What goes wrong by rule: links that lose, duplicate, hold up and damage packets, and clocks that run fast or slow.
//!
//! Failures and crashes are no rules but actions, and are in `change`.

use super::delivery::Packet;
use super::run::World;
use crate::scenario::model::{LinkId, NodeId};
use core::time::Duration;
use rsvp_node::Instant;
use std::sync::Arc;

const MILLION: i128 = 1_000_000;

impl World {
    /// Whether links still misbehave.
    pub(super) fn is_faulty(&self) -> bool {
        self.scenario.faults_until.is_none_or(|until| self.now < Instant::ZERO + until)
    }

    /// What comes out of a link for a packet that is not lost: copies, with how much later than they should.
    pub(super) fn copies(&mut self, link: LinkId, packet: &Arc<Packet>) -> Vec<(Duration, Arc<Packet>)> {
        let plan = &self.scenario.links[link.0];
        if !self.is_faulty() || plan.duplicate + plan.reorder + plan.corrupt == 0.0 {
            return vec![(Duration::ZERO, Arc::clone(packet))];
        }
        let (duplicate, reorder, corrupt) = (plan.duplicate, plan.reorder, plan.corrupt);
        let hold_up = plan.reorder_by.as_micros() as u64;
        let random = &mut self.fault_random;
        let number = if random.chance(duplicate) { 2 } else { 1 };
        (0..number)
            .map(|n| {
                let late = if random.chance(reorder) { 1 + random.below(hold_up) } else { 0 };
                let (damaged, place, bits) = (random.chance(corrupt), random.next(), random.next());
                let mut copy =
                    if damaged { Arc::new(damage(packet, place, bits)) } else { Arc::clone(packet) };
                if n > 0 {
                    // Whether the message came is a matter of the first.
                    Arc::make_mut(&mut copy).recorded = None;
                }
                (Duration::from_micros(late), copy)
            })
            .collect()
    }

    /// What a node's clock shows now.
    pub(crate) fn clock(&self, node: NodeId) -> Instant {
        let pace = MILLION + i128::from(self.scenario.nodes[node.0].clock_ppm);
        Instant((i128::from(self.now.0) * pace / MILLION) as u64)
    }

    /// The first moment at which a node's clock shows `local` or more.
    pub(super) fn when_clock_shows(&self, node: NodeId, local: Instant) -> Instant {
        let pace = MILLION + i128::from(self.scenario.nodes[node.0].clock_ppm);
        let at = (i128::from(local.0) * MILLION + pace - 1) / pace;
        Instant(u64::try_from(at).unwrap_or(u64::MAX))
    }
}

/// One octet changed, which no checksum misses, or the end cut off.
fn damage(packet: &Packet, place: u64, bits: u64) -> Packet {
    let mut packet = packet.clone();
    let place = (place % packet.octets.len().max(1) as u64) as usize;
    if bits.is_multiple_of(4) {
        packet.octets.truncate(place);
    } else if let Some(octet) = packet.octets.get_mut(place) {
        *octet ^= 1 + (bits >> 8) as u8 % 255;
    }
    packet
}
