//! What an application asks for the packets of its socket, beside what is reserved for them: the objects that go with a request.

use super::bpf::Mode;
use super::manner::{Handling, Marks, Reserved};
use rsvp_wire::{FilterSpec, Session};
use std::collections::BTreeMap;

/// What is asked. The default asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// SERVICE_NO_TRAFFIC_CONTROL: the packets are left alone.
    pub left_alone: bool,
    /// QOS_SD_MODE: what becomes of packets beyond the Tspec.
    pub mode: Option<Mode>,
    /// QOS_SHAPING_RATE, with headers: octets per second, instead of the Tspec's rate where packets are shaped.
    pub shaping_rate: Option<u64>,
    /// QOS_DS_CLASS: the DSCP of packets that conform.
    pub dscp: Option<u8>,
    /// QOS_TRAFFIC_CLASS: their IEEE 802.1p priority.
    pub priority: Option<u8>,
    /// QOS_TCP_TRAFFIC: the marks of all TCP traffic, whatever else is said.
    pub tcp_traffic: bool,
    /// They are sent by this host: where they wait, their sender is held back and none is lost.
    pub begins_here: bool,
    /// Nothing is reserved for the packets: they are treated as this, and a rate that they have is a bound alone.
    pub unreserved: Option<Reserved>,
}

/// Of senders, by session.
pub type OfSenders = BTreeMap<(Session, FilterSpec), Wishes>;

/// Takes over what is different.
pub(super) fn follow(all: &mut OfSenders, different: Vec<((Session, FilterSpec), Option<Wishes>)>) {
    for (sender, wishes) in different {
        match wishes {
            Some(wishes) => drop(all.insert(sender, wishes)),
            None => drop(all.remove(&sender)),
        }
    }
}

impl Wishes {
    /// The wishes for the packets of a reservation: those of its first sender that has any, of a wildcard those of any sender.
    #[must_use]
    pub fn of(all: &OfSenders, session: &Session, filters: &[FilterSpec]) -> Self {
        let session = session.with_flags(0);
        let found = if filters.is_empty() {
            let of_session = all.iter().filter(|((of, _), _)| *of == session);
            of_session.map(|(_, wishes)| wishes).next()
        } else {
            filters.iter().find_map(|filter| all.get(&(session, *filter)))
        };
        found.copied().unwrap_or_default()
    }

    /// What is done to packets, with these wishes.
    pub(super) fn over(&self, handling: Handling, service: Reserved) -> Handling {
        let mut handled = handling;
        if service != Reserved::Qualitative {
            handled.mode = self.mode.unwrap_or(handling.mode);
        }
        handled.conforming.dscp = self.dscp.or(handling.conforming.dscp);
        // A priority is written where packets have one.
        handled.conforming.pcp = handling.conforming.pcp.map(|pcp| self.priority.unwrap_or(pcp));
        if self.tcp_traffic {
            let of_tcp = |marks: Marks| Marks { dscp: Some(0), pcp: marks.pcp.map(|_| 0) };
            (handled.conforming, handled.excess) = (of_tcp(handling.conforming), of_tcp(handling.excess));
        }
        handled
    }
}
