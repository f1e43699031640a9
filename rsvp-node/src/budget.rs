//! What can be reserved on an interface, and what is: a total, a share for each service, a bound for each reservation (RFC 2205
//! sections 1.2 and 2.5).

use crate::key::SessionKey;
use core::net::Ipv4Addr;
use rsvp_wire::error_value;
use std::collections::BTreeMap;

/// The Error Value of an Admission Control failure (code 01) where a reservation alone takes more than one may. An
/// organization-specific sub-code (RFC 2205 Appendix B, ss = 10); it will not be granted later either.
pub const FLOW_TOO_LARGE: u16 = 0x8002;

/// Bounds of what may be reserved beside the total, in bits per second; there are none unless they are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// What Guaranteed service may take. More is refused with 01/02, as beyond the total.
    pub guaranteed_bps: u64,
    /// What Controlled-Load service may take. The same.
    pub controlled_load_bps: u64,
    /// What one reservation may take. More is refused with 01 and [`FLOW_TOO_LARGE`].
    pub flow_bps: u64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { guaranteed_bps: u64::MAX, controlled_load_bps: u64::MAX, flow_bps: u64::MAX }
    }
}

/// What a reservation takes, and of which service's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) bps: u64,
    pub(crate) guaranteed: bool,
}

impl Charge {
    fn of_guaranteed(self) -> u64 {
        if self.guaranteed { self.bps } else { 0 }
    }
}

/// What may be reserved on an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) total_bps: u64,
    pub(crate) shares: Shares,
}

/// What is reserved on an interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget {
    reserved_bps: u64,
    /// How much of it Guaranteed service has; the rest has Controlled-Load.
    guaranteed_bps: u64,
    /// What sessions still have from an earlier run, and have not asked for again; of Guaranteed service where it says so. Sessions
    /// are told apart by what packets show: which virtual port one had (RFC 2207), nobody has kept.
    held: BTreeMap<(SessionKey, bool), u64>,
    /// All of that together, of Controlled-Load and of Guaranteed service.
    held_bps: [u64; 2],
    /// What flows have that are not signalled; it is counted above.
    claims: BTreeMap<u32, Charge>,
}

/// Flows that are not signalled are of no session: none has this key.
const NO_SESSION: SessionKey = SessionKey::Ipv4 { destination: Ipv4Addr::UNSPECIFIED, protocol: 0, port: 0 };

impl Budget {
    /// What reservations have together, in bits per second.
    pub(crate) fn reserved_bps(&self) -> u64 {
        self.reserved_bps
    }

    /// Has a session take `wanted` in the place of `now`, or says with which Error Value that is refused. What takes no more
    /// than now is always admitted, of the total and of its share. What other sessions still have is not there.
    pub(crate) fn admit(
        &mut self,
        limits: &Limits,
        session: &SessionKey,
        now: Charge,
        wanted: Charge,
    ) -> Result<(), u16> {
        (self.reserved_bps, self.guaranteed_bps) = self.with(limits, session, now, wanted)?;
        self.take_held(session, Charge { bps: wanted.bps.saturating_sub(now.bps), ..wanted });
        Ok(())
    }

    /// What would be reserved then, and of Guaranteed service.
    pub(crate) fn with(
        &self,
        limits: &Limits,
        session: &SessionKey,
        now: Charge,
        wanted: Charge,
    ) -> Result<(u64, u64), u16> {
        let Shares { guaranteed_bps, controlled_load_bps, flow_bps } = limits.shares;
        let grows = wanted.bps > now.bps;
        if grows && wanted.bps > flow_bps {
            return Err(FLOW_TOO_LARGE);
        }
        // The sums may not fit their type: rates go to 2^128, and an interface may have no limit.
        let unavailable = error_value::BANDWIDTH_UNAVAILABLE;
        let total = (self.reserved_bps - now.bps).checked_add(wanted.bps).ok_or(unavailable)?;
        let guaranteed = self.guaranteed_bps - now.of_guaranteed() + wanted.of_guaranteed();
        let (share, limit) = match wanted.guaranteed {
            true => (guaranteed, guaranteed_bps),
            false => (total - guaranteed, controlled_load_bps),
        };
        let held = [false, true].map(|guaranteed| self.held_for_others(session, guaranteed));
        let room = limits.total_bps.saturating_sub(held[0]).saturating_sub(held[1]);
        let room_in_share = limit.saturating_sub(held[usize::from(wanted.guaranteed)]);
        let grows_in_share = grows || (wanted.bps > 0 && wanted.guaranteed != now.guaranteed);
        if (grows && total > room) || (grows_in_share && share > room_in_share) {
            return Err(unavailable);
        }
        Ok((total, guaranteed))
    }

    /// What was admitted is given back.
    pub(crate) fn give_back(&mut self, charge: Charge) {
        self.reserved_bps -= charge.bps;
        self.guaranteed_bps -= charge.of_guaranteed();
    }

    /// The same for a flow that is not signalled, in the place of what it has.
    pub(crate) fn claim(&mut self, limits: &Limits, flow: u32, wanted: Charge) -> Result<(), u16> {
        let now = self.claims.get(&flow).copied().unwrap_or_default();
        self.admit(limits, &NO_SESSION, now, wanted)?;
        match wanted.bps {
            0 => drop(self.claims.remove(&flow)),
            _ => drop(self.claims.insert(flow, wanted)),
        }
        Ok(())
    }

    /// Notes what a session still has of a service; nothing where that is 0.
    pub(crate) fn hold(&mut self, session: SessionKey, Charge { bps, guaranteed }: Charge) {
        let session = session.in_packets();
        let before = self.held.remove(&(session, guaranteed)).unwrap_or(0);
        let sum = &mut self.held_bps[usize::from(guaranteed)];
        // Rates of flows that the kernel has fit; what a journal says may not.
        let bps = bps.min(u64::MAX - (*sum - before));
        *sum = *sum - before + bps;
        if bps > 0 {
            self.held.insert((session, guaranteed), bps);
        }
    }

    /// What sessions other than this one still have of a service, in bits per second.
    fn held_for_others(&self, session: &SessionKey, guaranteed: bool) -> u64 {
        let own = self.held.get(&(session.in_packets(), guaranteed)).copied().unwrap_or(0);
        self.held_bps[usize::from(guaranteed)] - own
    }

    /// A session was admitted for so much more: it takes first what it still has, of the same service before the other.
    fn take_held(&mut self, session: &SessionKey, more: Charge) {
        let session = session.in_packets();
        let mut rest = more.bps;
        for guaranteed in [more.guaranteed, !more.guaranteed] {
            let Some(held) = self.held.get_mut(&(session, guaranteed)) else { continue };
            let taken = rest.min(*held);
            *held -= taken;
            rest -= taken;
            self.held_bps[usize::from(guaranteed)] -= taken;
            if *held == 0 {
                self.held.remove(&(session, guaranteed));
            }
        }
    }
}
