//! Reservation confirmation (RFC 2205 sections 2.6 and 3.1.4): a request for one goes upstream, once, with a request
//! that is larger than all it is merged with; otherwise, and at the sender's own node, this node confirms. A blockaded
//! request's confirmation is dropped.

use super::errors::own_letter;
use crate::door::{Discard, Source};
use crate::event::EventKind;
use crate::host::{Host, RouteAnswer, RouteQuery};
use crate::merge::flowspec;
use crate::node::{Node, compose};
use crate::queue::Envelope;
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::resv::{From, Request};
use crate::state::upstream::Upstream;
use core::net::IpAddr;
use rsvp_wire::{ErrorCode, ErrorSpec, FilterSpec, Flowspec, MsgType, ResvConfirm, SenderSelection, Sharing};
use smallvec::SmallVec;

type Filters = SmallVec<[FilterSpec; 4]>;

/// A wish for confirmation of one flow descriptor of a request that is in place here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// Where the ResvConf goes; for a local application, own address on the incoming interface is put in instead.
    pub(crate) address: IpAddr,
    pub(crate) request: Ix<Request>,
    /// Empty for WF.
    pub(crate) filters: &'a [FilterSpec],
    pub(crate) flowspec: Flowspec,
}

/// What became of a wish.
pub(crate) struct Wished {
    /// Whether there is a sender that it concerns.
    concerned: bool,
    /// The filters that this node is to confirm, none for WF; `None` when it confirms nothing.
    pub(crate) answered: Option<Filters>,
}

/// What becomes of a wish at one previous hop.
enum Fate {
    Dropped,
    Forwarded(Ix<Upstream>),
    AnsweredHere,
}

impl Node {
    /// Deals with a wish at every previous hop it concerns; senders on this node are one of them.
    pub(crate) fn wish_confirm(&mut self, wish: &Wish<'_>) -> Wished {
        let request = &self.state.requests[wish.request];
        let session = request.session;
        let selected = |p: &PathState| wish.filters.is_empty() || wish.filters.contains(&p.sender);
        let in_place =
            |p: &PathState| request.item_for(&p.sender).is_some_and(|i| i.flowspec == wish.flowspec);
        let mut hops: SmallVec<[(Option<Ix<Upstream>>, Filters); 4]> = SmallVec::new();
        for (_, path) in self.state.paths_of(session) {
            if !(selected(path) && in_place(path) && self.applies(request, path)) {
                continue;
            }
            let named = (!wish.filters.is_empty()).then_some(path.sender);
            match hops.iter_mut().find(|(hop, _)| *hop == path.upstream()) {
                Some((_, filters)) => filters.extend(named),
                None => hops.push((path.upstream(), named.into_iter().collect())),
            }
        }
        let local = request.app().is_some();
        let concerned = !hops.is_empty();
        let (mut answered, mut here) = (Filters::new(), false);
        for (hop, filters) in hops {
            match self.fate(wish, hop) {
                Fate::Dropped => {}
                Fate::AnsweredHere => {
                    here = true;
                    answered.extend(filters);
                }
                Fate::Forwarded(upstream) => {
                    let to = &self.state.upstreams[upstream];
                    let own = self.own_address(to.interface, to.address);
                    self.state.upstreams[upstream].confirm = if local { own } else { Some(wish.address) };
                    self.intend_resv(upstream);
                }
            }
        }
        answered.sort_unstable();
        Wished { concerned, answered: here.then_some(answered) }
    }

    /// Judges a wish by all that goes to one previous hop in the same flow descriptor: a shared reservation is one for
    /// all senders behind it, a distinct one is for the sender alone.
    fn fate(&self, wish: &Wish<'_>, hop: Option<Ix<Upstream>>) -> Fate {
        let request = &self.state.requests[wish.request];
        let wildcard = request.style.sender_selection() == SenderSelection::Wildcard;
        let shared = request.style.sharing() == Sharing::Shared;
        let Some(upstream) = hop else { return Fate::AnsweredHere };
        let mut blockaded = false;
        for (_, path) in self.state.paths_of(request.session).filter(|(_, p)| p.upstream() == hop) {
            let own = wish.filters.is_empty() || wish.filters.contains(&path.sender);
            blockaded |= own && self.is_blockaded(path, wildcard, &wish.flowspec);
            let larger = |other: &Flowspec| {
                flowspec::strictly_greater(&wish.flowspec, other) || self.is_blockaded(path, wildcard, other)
            };
            let others = self.items_for(path).filter(|(ix, ..)| *ix != wish.request);
            if (own || shared) && others.into_iter().any(|(_, _, item)| !larger(&item.flowspec)) {
                return if blockaded { Fate::Dropped } else { Fate::AnsweredHere };
            }
        }
        if blockaded { Fate::Dropped } else { Fate::Forwarded(upstream) }
    }

    /// This node confirms what a next hop asks for: a ResvConf leaves on the way that routing has to the receiver, and
    /// names the interface that the reservation is on.
    pub(crate) fn send_resv_conf(&mut self, wish: &Wish<'_>, host: &mut dyn Host) {
        let request = &self.state.requests[wish.request];
        let (key, style) = (self.key_of(request.session), request.style);
        let Some(node) = request.interface().and_then(|i| self.own_address(i, wish.address)) else { return };
        let query = RouteQuery::to(wish.address);
        let way = match host.route(query) {
            RouteAnswer::Known(route) => route.outgoing.first().copied(),
            RouteAnswer::NoRoute | RouteAnswer::Pending => None,
        };
        let Some(interface) = way else { return self.counters.count_discard(Discard::NoRoute) };
        let ttl = self.config.ttl;
        let octets = compose(MsgType::RESV_CONF, ttl, |w| {
            let none = ErrorSpec { node, flags: 0, code: ErrorCode::CONFIRMATION, value: 0 };
            w.put(&key).put(&none).put(&ResvConfirm { address: wish.address });
            w.put(&style).put(&wish.flowspec);
            for filter in wish.filters {
                w.put(filter);
            }
        });
        let letter = own_letter(interface, wish.address, ttl);
        self.send(Envelope { source: Source::Own, router_alert: true, ..letter }, octets);
    }

    /// This node confirms what a local application asks for.
    fn tell_confirmed(&mut self, wish: &Wish<'_>) {
        let request = &self.state.requests[wish.request];
        let From::App { app, interface, .. } = request.from else { return };
        let (key, style) = (self.key_of(request.session), request.style);
        let node = interface.and_then(|i| self.own_address(i, key.destination())).unwrap_or(wish.address);
        let (flowspec, filters) = (Some(wish.flowspec), wish.filters.to_vec());
        self.tell(app, key, EventKind::ResvConfirm { node, style, flowspec, filters });
    }

    /// Local applications whose wish found no sender yet: now there is one.
    pub(crate) fn pass_waiting_confirms(&mut self, path: Ix<PathState>) {
        let session = self.state.paths[path].session;
        let waiting: SmallVec<[Ix<Request>; 2]> = self
            .state
            .requests_of(session)
            .filter(|(_, r)| matches!(r.from, From::App { confirm: true, .. }))
            .map(|(ix, _)| ix)
            .collect();
        for ix in waiting {
            self.wish_for_application(ix);
        }
    }

    /// Asks for confirmation of everything a local application requests; the wish is kept until a sender is there.
    pub(crate) fn wish_for_application(&mut self, ix: Ix<Request>) {
        let request = &self.state.requests[ix];
        let key = self.key_of(request.session);
        let own = self.interfaces.iter().find_map(|i| i.config.address_like(key.destination()));
        let Some(address) = own else { return };
        let mut groups: SmallVec<[(Flowspec, Filters); 2]> = SmallVec::new();
        for item in &request.items {
            match groups.iter_mut().find(|(f, _)| *f == item.flowspec) {
                Some((_, filters)) => filters.extend(item.filter),
                None => groups.push((item.flowspec, item.filter.into_iter().collect())),
            }
        }
        let mut concerned = false;
        for (flowspec, filters) in groups {
            let wish = Wish { address, request: ix, filters: &filters, flowspec };
            let wished = self.wish_confirm(&wish);
            concerned |= wished.concerned;
            if let Some(answered) = wished.answered {
                self.tell_confirmed(&Wish { filters: &answered, ..wish });
            }
        }
        if let From::App { confirm, .. } = &mut self.state.requests[ix].from
            && concerned
        {
            *confirm = false;
        }
    }
}
