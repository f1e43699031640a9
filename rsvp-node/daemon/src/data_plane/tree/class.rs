//! The class of a flow, as the scheduler is to have it.

use super::super::tc::HtbClass;
use super::{Service, TIMER_LATENCY_US, TIMER_US};

/// A flow with a class of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowClass {
    /// Guaranteed service is served before what is only shaped.
    pub guaranteed: bool,
    /// Its rate is promised. One that is not is no more than a bound: what leaves of it is best effort's, and borrowed from the link.
    pub promised: bool,
    /// R, or r of a flow that is shaped: octets per second.
    pub rate: u64,
    /// The peak rate p at which packets follow each other at most, in octets per second, if there is one.
    pub peak: Option<u64>,
    /// The token bucket b, in octets.
    pub bucket: u32,
    /// M, in octets.
    pub max_packet: u32,
    /// m, in octets.
    pub min_policed: u16,
    /// What each of its packets counts as beside its IP octets.
    pub overhead: u16,
    /// What may wait, in octets, where the sender is held back by it; else as much as a conforming flow can have waiting.
    pub queue: Option<u32>,
    /// How much of what best effort has it borrows in its turn, in hundredths; without, a packet as others do.
    pub weight: Option<u8>,
}

/// What is borrowed in one turn with a weight: ten hundredths are a packet.
pub(super) fn turn(packet: u32, weight: u8) -> u32 {
    (packet.saturating_mul(weight.into()) / 10).max(1)
}

impl FlowClass {
    pub(super) fn htb(&self) -> HtbClass {
        let owed = |us: u64| u32::try_from(self.rate.saturating_mul(us) / 1_000_000).unwrap_or(u32::MAX);
        let cburst = self.bucket.saturating_sub(self.max_packet).max(owed(TIMER_US));
        HtbClass {
            rate: if self.promised { self.rate } else { 1 },
            ceil: self.rate,
            burst: owed(TIMER_LATENCY_US).min(cburst),
            cburst,
            priority: match (self.promised, self.guaranteed) {
                (false, _) => Service::BestEffort.priority(),
                (true, true) => 1,
                (true, false) => 2,
            },
            quantum: self.weight.map_or(self.max_packet, |weight| turn(self.max_packet, weight)),
            min_policed: self.min_policed,
            overhead: self.overhead,
        }
    }

    pub(super) fn limit(&self) -> u32 {
        self.queue.unwrap_or_else(|| self.bucket.saturating_add(self.max_packet.saturating_mul(2)))
    }
}
