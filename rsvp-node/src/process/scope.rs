//! SCOPE objects: how wildcard reservations and their errors avoid loops (RFC 2205 section 3.4, RFC 2209 RESV REFRESH
//! step 6 and RERR MESSAGE ARRIVES step 3).
//!
//! A request that carries a SCOPE applies to the senders it lists and to no others; that is judged in `resv_merge`. Here
//! it is found out what the SCOPE of a message to be sent names.

use super::behind::Behind;
use crate::interface::InterfaceId;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::numbers::Numbers;
use crate::state::path::PathState;
use crate::state::resv::Request;
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use core::net::IpAddr;
use rsvp_wire::{Message, Scope, Sharing};
use smallvec::SmallVec;

/// Sender addresses in ascending order, each once.
pub(crate) type Addresses = SmallVec<[IpAddr; 4]>;

impl Node {
    /// The SCOPE of a wildcard request to a previous hop: the senders behind it to which some request applies; none when
    /// the message needs no SCOPE, which is when it goes to one previous hop only and none was received.
    pub(crate) fn resv_scope(&self, upstream: Ix<Upstream>) -> Option<Addresses> {
        let session = self.state.upstreams[upstream].session;
        let (_, first) = self.state.requests_of(session).next()?;
        let wildcard = first.style.is_wildcard();
        let received = || self.state.requests_of(session).any(|(_, r)| r.scope().is_some());
        if !wildcard || !(self.state.has_several_previous_hops(session) || received()) {
            return None;
        }
        let behind = Behind::new(self, upstream, None);
        if behind.is_crowd() {
            let asked = behind.all_asked(self, Sharing::Shared, false, |_| true);
            let mut all = Numbers::default();
            asked.iter().for_each(|asked| all.add(&asked.flows));
            return Some(sorted(all.iter().map(|number| behind.key(self, number).address())));
        }
        let behind = self.state.paths_behind(upstream);
        Some(sorted(behind.filter(|p| self.items_for(p).next().is_some()).map(|p| p.sender.address())))
    }

    /// The SCOPE of a wildcard error that goes on to a next hop: of the senders it names those whose data goes there.
    /// `None` when the error came without; an empty list says that it must not be sent.
    pub(crate) fn resv_err_scope(
        &self,
        session: Ix<SessionState>,
        message: &Message<'_>,
        interface: InterfaceId,
    ) -> Option<Addresses> {
        let scope = message.get::<Scope<'_>>()?.ok()?;
        let here = self.state.paths_of(session).filter(|(_, p)| p.routes_to(interface));
        let routed = sorted(here.map(|(_, p)| p.sender.address()));
        Some(sorted(scope.addresses().filter(|a| routed.binary_search(a).is_ok())))
    }
}

/// Whether a request is for a sender: always, unless it came with a SCOPE that does not list it.
pub(crate) fn in_scope(request: &Request, path: &PathState) -> bool {
    match request.index() {
        Some(index) if request.style.is_wildcard() => {
            index.senders.as_ref().is_none_or(|senders| senders.has(path.number))
        }
        _ => request.scope().is_none_or(|scope| scope.addresses().any(|a| a == path.sender.address())),
    }
}

fn sorted(addresses: impl Iterator<Item = IpAddr>) -> Addresses {
    let mut list: Addresses = addresses.collect();
    list.sort_unstable();
    list.dedup();
    list
}
