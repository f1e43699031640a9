//! The data of a lab: which packets its QoS sockets have sent to whom, and how they came.
//!
//! Sender and receiver are in one process, so that one log has both, with one clock.

use super::clock::{self, Clock};
use crate::scenario::model::{ReceiverId, Scenario, SenderId};
use crate::world::DataStream;
use core::time::Duration;
use rsvp_node::qos::Dscp;
use rsvp_wire::Session;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Packets of one sender, after which it is silent: what is kept of them is bounded.
const MOST_PACKETS: u64 = 100_000;

/// One packet on its way to one receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Packet {
    /// When it was sent, in real time; of some packet else that came here nobody knows.
    sent: Option<Duration>,
    came: Option<Dscp>,
}

#[derive(Debug, Default)]
struct Log {
    /// Receivers whose sockets are there.
    listening: BTreeMap<ReceiverId, Session>,
    next: BTreeMap<SenderId, u64>,
    packets: BTreeMap<(SenderId, ReceiverId, u64), Packet>,
    /// Nobody sends any more.
    stopped: bool,
}

/// The log; clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct DataLog(Arc<Mutex<Log>>);

impl DataLog {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listens(&self, receiver: ReceiverId, session: Session) {
        self.log().listening.insert(receiver, session);
    }

    pub(super) fn listens_no_more(&self, receiver: ReceiverId) {
        self.log().listening.remove(&receiver);
    }

    /// The number of the packet that a sender is to send next, if it is to send one more.
    pub(super) fn next(&self, sender: SenderId) -> Option<u64> {
        let mut log = self.log();
        let stopped = log.stopped;
        let next = log.next.entry(sender).or_default();
        (*next < MOST_PACKETS && !stopped).then_some(*next)
    }

    /// The lab has come to its end.
    pub(super) fn stop(&self) {
        self.log().stopped = true;
    }

    /// That packet has been sent.
    pub(super) fn sent(&self, sender: SenderId, session: Session) {
        let mut log = self.log();
        let next = log.next.entry(sender).or_default();
        let number = core::mem::replace(next, *next + 1);
        let listening = log.listening.iter().filter(|(_, to)| **to == session);
        for receiver in listening.map(|(receiver, _)| *receiver).collect::<Vec<_>>() {
            log.packets.entry((sender, receiver, number)).or_default().sent = Some(clock::now());
        }
    }

    /// A packet has come.
    pub(super) fn came(&self, sender: SenderId, receiver: ReceiverId, number: u64, dscp: Dscp) {
        // Packets of others, too, may come to a socket.
        if number < MOST_PACKETS {
            self.log().packets.entry((sender, receiver, number)).or_default().came = Some(dscp);
        }
    }

    /// All of it, in the scenario's time.
    pub(super) fn streams(&self, scenario: &Scenario, clock: &Clock) -> Vec<DataStream> {
        let log = self.log();
        let mut streams: BTreeMap<(SenderId, ReceiverId), DataStream> = BTreeMap::new();
        for ((sender, receiver, _), packet) in &log.packets {
            let (Some(at), Some(plan)) = (packet.sent, scenario.senders.get(sender.0)) else { continue };
            let stream = streams.entry((*sender, *receiver)).or_insert_with(|| DataStream {
                sender: plan.name.clone(),
                receiver: scenario.receivers[receiver.0].name.clone(),
                packets: Vec::new(),
            });
            stream.packets.push((clock.at(at), packet.came));
        }
        streams.into_values().collect()
    }
}
