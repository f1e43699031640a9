//! RTEAR MESSAGE ARRIVES (RFC 2209), RFC 2205 section 3.1.6: SESSION, STYLE, FILTER_SPEC and the handle in RSVP_HOP
//! must match; FLOWSPEC and SCOPE are ignored. What goes on upstream is decided by merging, in `resv_refresh`.

use super::Arrived;
use super::kept::filters;
use crate::api::Discard;
use crate::key::{SenderKey, StyleKind};
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::resv::{Item, Request, RequestOrigin};
use crate::unknown;
use rsvp_wire::RsvpHop;
use smallvec::SmallVec;

impl Node {
    pub(crate) fn resv_tear_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let hop = arrived.read::<RsvpHop>()?;
        let interface = self.outgoing_interface(&arrived.rx, &hop)?;
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let from = RequestOrigin::Hop { interface, address: hop.address };
        let ix = self.state.find_request(session, from).ok_or(Discard::NoState)?;
        if !self.comes_from_next_hop(arrived, (interface, hop.address), Some(ix)) {
            return Err(self.foreign(arrived));
        }
        let style = self.state.requests[ix].style;
        if StyleKind::of(arrived.read()?) != Some(style) {
            return Err(Discard::NoState);
        }
        let mut filters: SmallVec<[SenderKey; 4]> = filters(&arrived.message).collect();
        filters.sort_unstable();
        let named = |f: SenderKey| filters.binary_search(&f).is_ok();
        let matches = |item: &Item| style.is_wildcard() || item.filter.is_some_and(named);
        if !self.state.requests[ix].items.iter().any(matches) {
            return Err(Discard::NoState);
        }
        self.session_changes(session);
        self.keep_tear_objects(ix, arrived);
        self.remove_items(ix, matches);
        Ok(())
    }

    /// Objects of unknown class in a ResvTear go on in the ResvTears that result (RFC 2205 section 3.10).
    fn keep_tear_objects(&mut self, request: Ix<Request>, arrived: &Arrived<'_>) {
        let (objects, _) = unknown::union(unknown::forwarded(&arrived.message).map(|o| o.octets()).collect());
        if objects.is_empty() {
            return;
        }
        let session = self.state.requests[request].session;
        let upstreams: SmallVec<[_; 4]> = self.state.upstreams_of(session).map(|(ix, _)| ix).collect();
        for ix in upstreams {
            self.state.upstreams[ix].set_tear_objects(objects.clone());
        }
    }
}
