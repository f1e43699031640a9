//! Reservation confirmation (RFC 2205 sections 2.6, 3.1.4 and 3.1.9): a node confirms what it does not forward further.
//!
//! A request for confirmation goes upstream, once, for the senders for which the reservation request changes what is asked
//! of the previous hop; for the others, and for senders on this node, this node confirms. Section 3.1.4 has a request that is
//! incomparable with others confirmed here although the merge goes up; section 2.6 has not, and wins. A blockaded request's
//! confirmation is dropped.
//!
//! An application is answered once, by a confirmation or an error. After an error, or without its sender, what it has asked for stands
//! and is tried again by refreshes (section 3.1.8); so is its wish: each of those refreshes is a request that has one, until it is confirmed.

use super::demands::Demand;
use super::in_crowd::InCrowd;
use super::left_out::Choice;
use super::resv_merge::Merged;
use crate::api::Discard;
use crate::composer::{Composer, Descriptor, Named};
use crate::event::{AppId, EventKind};
use crate::host::{Host, RouteAnswer, RouteQuery};
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey};
use crate::neighbour::accounts::Cause;
use crate::node::Node;
use crate::queue::Envelope;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::path::PathState;
use crate::state::resv::{Confirm, Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use core::net::IpAddr;
use rsvp_wire::{ErrorCode, ErrorSpec, Flowspec, MsgType, Sharing};
use smallvec::SmallVec;
use std::collections::BTreeMap;

type Filters = SmallVec<[SenderKey; 4]>;

/// How often a next hop may repeat its wish with nothing new at once: each application of a host may have one of its own.
const WISHES_AT_ONCE: u32 = 16;

/// A wish for confirmation of one flow descriptor of a request that is in place here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// Where the ResvConf goes; for a local application, own address on the incoming interface is put in instead.
    pub(crate) address: IpAddr,
    pub(crate) request: Ix<Request>,
    /// Empty for WF.
    pub(crate) filters: &'a [SenderKey],
    pub(crate) flowspec: Flowspec,
    /// Only for senders behind this previous hop.
    pub(crate) behind: Option<Ix<Upstream>>,
}

/// What became of a wish.
pub(crate) struct Wished {
    /// Whether there is a sender that it concerns.
    concerned: bool,
    /// The filters that this node is to confirm, none for WF; `None` when it confirms nothing.
    pub(crate) answered: Option<Filters>,
}

/// What was asked of a previous hop last, and its blockade state by sender: found once for all wishes of a message.
pub(crate) struct Before {
    last: Option<Merged>,
    barred: BTreeMap<Flow, SmallVec<[Ix<Blockade>; 2]>>,
}

/// The same of several, by their places.
pub(crate) type Standing = BTreeMap<u32, Before>;

/// What becomes of a wish for one sender.
enum Fate {
    Dropped,
    Forwarded,
    AnsweredHere,
}

impl Fate {
    /// Of a request that goes up for a sender or does not: what is asked for with it, what without, and what was asked for last.
    fn of(goes: bool, with: Option<Flowspec>, without: Option<Flowspec>, last: Option<Flowspec>) -> Self {
        match goes {
            false => Self::Dropped,
            true if with == without && with == last => Self::AnsweredHere,
            true => Self::Forwarded,
        }
    }
}

impl Node {
    /// Whether all that a message asks for is what its hop has already.
    pub(crate) fn stands(
        &self,
        session: Ix<SessionState>,
        from: RequestOrigin,
        demands: &[Demand<'_>],
    ) -> bool {
        let Some(ix) = self.state.find_request(session, from) else { return false };
        let items = &self.state.requests[ix].items;
        let has = |filter: Flow, flowspec| {
            self.state.place_of(ix, &filter).is_some_and(|place| items[place].flowspec == flowspec)
        };
        demands.iter().all(|Demand { filters, flowspec, .. }| match filters.as_slice() {
            [] => has(None, *flowspec),
            named => named.iter().all(|filter| has(Some(*filter), *flowspec)),
        })
    }

    /// Whether a next hop that repeats its wish with nothing new does so more often than it is dealt with, which is [`WISHES_AT_ONCE`] times
    /// and then once in each refresh period of this node: it would have a message leave for each of its own, to wherever it says.
    pub(crate) fn wishes_too_often(&mut self, ix: Ix<Request>, on: InterfaceId) -> bool {
        let refresh = self.interfaces.refresh_on(on);
        let may = self.state.requests[ix].wishes.take(self.now, WISHES_AT_ONCE, refresh);
        if !may {
            self.blame(self.cause, Cause::RepeatedWish);
        }
        !may
    }

    /// Deals with a wish for every sender it concerns, some of which may be on this node.
    pub(crate) fn wish_confirm(&mut self, wish: &Wish<'_>, standing: &mut Standing) -> Wished {
        let request = &self.state.requests[wish.request];
        let (session, local) = (request.session, request.app().is_some());
        let mut sorted: Filters = wish.filters.into();
        sorted.sort_unstable();
        let selected = |p: &PathState| sorted.is_empty() || sorted.binary_search(&p.sender).is_ok();
        let in_place = |p: &PathState| request.item_of(p).is_some_and(|i| i.flowspec == wish.flowspec);
        let mut hops = SmallVec::<[(Option<Ix<Upstream>>, SmallVec<[Flow; 4]>); 4]>::new();
        let mut places = BTreeMap::new();
        let one = if let [one] = wish.filters { Some(one) } else { None };
        let of_one = one.into_iter().flat_map(|one| self.state.paths_from(session, one));
        let all = one.is_none().then(|| self.state.paths_of(session)).into_iter().flatten();
        for (_, path) in of_one.chain(all) {
            let elsewhere = wish.behind.is_some() && wish.behind != path.upstream();
            if elsewhere || !(selected(path) && in_place(path) && self.applies(request, path)) {
                continue;
            }
            let flow = (!wish.filters.is_empty()).then_some(path.sender);
            let place = *places.entry(path.upstream().map(Ix::place)).or_insert(hops.len());
            match hops.get_mut(place) {
                Some((_, flows)) if flow.is_some() => flows.push(flow),
                Some(_) => {}
                None => hops.push((path.upstream(), [flow].into_iter().collect())),
            }
        }
        let concerned = !hops.is_empty();
        let (mut answered, mut here) = (Filters::new(), false);
        for (hop, flows) in hops {
            let fates = self.fates(wish, hop, &flows, standing);
            for (flow, fate) in flows.iter().zip(&fates) {
                if matches!(fate, Fate::AnsweredHere) {
                    here = true;
                    answered.extend(*flow);
                }
            }
            if let Some(upstream) = hop.filter(|_| fates.iter().any(|f| matches!(f, Fate::Forwarded))) {
                let to = &self.state.upstreams[upstream];
                let own = self.own_address(to.interface, to.address);
                let to = if local { own } else { Some(wish.address) };
                self.state.upstreams[upstream].set_confirm(to);
                self.intend_resv(upstream);
            }
        }
        answered.sort_unstable();
        Wished { concerned, answered: here.then_some(answered) }
    }

    /// A wish goes on where the request makes a difference to what is asked of the previous hop, and where that is about to
    /// change anyhow; elsewhere it ends here.
    fn fates(
        &self,
        wish: &Wish<'_>,
        hop: Option<Ix<Upstream>>,
        flows: &[Flow],
        standing: &mut Standing,
    ) -> SmallVec<[Fate; 4]> {
        let Some(upstream) = hop else { return flows.iter().map(|_| Fate::AnsweredHere).collect() };
        let sharing = self.state.requests[wish.request].style.sharing();
        let Before { last, barred } = standing.entry(upstream.place()).or_insert_with(|| {
            let mut barred = BTreeMap::<Flow, SmallVec<[Ix<Blockade>; 2]>>::new();
            for (ix, blockade) in self.state.blockades_of(upstream) {
                barred.entry(blockade.sender).or_default().push(ix);
            }
            Before { last: self.last_asked(upstream), barred }
        });
        let last_asked =
            |flow: &Flow| last.as_ref().and_then(|last| Some(last.flows[last.place_of(flow)?].1));
        let mut shared: Option<[Option<Choice>; 2]> = None;
        let mut fates = SmallVec::new();
        let (session, style) =
            (self.state.upstreams[upstream].session, self.state.requests[wish.request].style);
        let crowd = InCrowd::new(self, session, style).filter(|_| sharing == Sharing::Distinct);
        for flow in flows {
            if let Some((crowd, sender)) = crowd.as_ref().zip(flow.as_ref())
                && let Some(path) = self.path_behind(upstream, sender)
                && let barred = self.state.blockades_in(barred.get(flow).map_or(&[], |barred| barred))
                && let Some(with) = crowd.sift(path, &barred, None)
                && let Some(without) = crowd.sift(path, &barred, Some(wish.request))
            {
                let [asked, others] = [&with, &without].map(|sifted| sifted.as_ref().map(|s| s.flowspec));
                let goes = with.is_some_and(|with| crowd.goes(&with, wish.request));
                fates.push(Fate::of(goes, asked, others, last_asked(flow)));
                continue;
            }
            let choices = match shared.take() {
                Some(choices) => choices,
                None => [
                    self.choice(upstream, sharing, flow, |_| true, |_| true),
                    self.choice(upstream, sharing, flow, |ix| ix != wish.request, |_| true),
                ],
            };
            let [with, without] = &choices;
            let asked = |c: &Option<Choice>| c.as_ref().filter(|c| c.goes(flow)).map(|c| c.flowspec);
            let goes = with.as_ref().is_some_and(|c| c.has(wish.request, flow));
            fates.push(Fate::of(goes, asked(with), asked(without), last_asked(flow)));
            shared = Some(choices).filter(|_| sharing == Sharing::Shared);
        }
        fates
    }

    /// This node confirms what a next hop asks for in one message: one ResvConf leaves on the way that routing has to the receiver,
    /// and names the interface that the reservation is on. It is no longer than the message.
    pub(crate) fn send_resv_conf(
        &mut self,
        address: IpAddr,
        request: Ix<Request>,
        flows: &[(Flow, Flowspec)],
        host: &mut dyn Host,
    ) {
        let request = &self.state.requests[request];
        let (key, style) = (self.state.key_of(request.session), request.style);
        let Some(node) = request.interface().and_then(|i| self.own_address(i, address)) else { return };
        let way = match host.route(RouteQuery::to(address)) {
            RouteAnswer::Known(route) => route.outgoing.first().copied(),
            RouteAnswer::NoRoute | RouteAnswer::Pending => None,
        };
        let Some(interface) = way else { return self.counters.count_discard(Discard::NoRoute) };
        let to = Envelope::to_neighbour(interface, address, self.config.ttl);
        self.send(&Composer {
            session: Named::Key(key),
            error: Some(ErrorSpec { node, flags: 0, code: ErrorCode::CONFIRMATION, value: 0 }),
            confirm: Some(address),
            descriptor: Descriptor::Flows { style, flows },
            ..Composer::new(MsgType::RESV_CONF, Envelope { router_alert: true, ..to })
        });
    }

    /// This node confirms what a local application asks for.
    fn tell_confirmed(&mut self, wish: &Wish<'_>) {
        let request = &self.state.requests[wish.request];
        let RequestOrigin::App { app, interface, .. } = request.from else { return };
        let (key, style) = (self.state.key_of(request.session), request.style.object());
        let node = interface.and_then(|i| self.own_address(i, key.destination())).unwrap_or(wish.address);
        let (flowspec, filters) = (Some(wish.flowspec), SenderKey::objects(wish.filters));
        self.tell(app, &key, EventKind::ResvConfirm { node, style, flowspec, filters });
    }

    /// Local applications whose wish found no sender yet, or has lost it: now there is one.
    pub(crate) fn pass_waiting_confirms(&mut self, path: Ix<PathState>) {
        let session = self.state.paths[path].session;
        for ix in self.wishing(session, &[Confirm::Waits, Confirm::Again]) {
            self.wish_for_application(ix, None);
        }
    }

    /// A refresh asks the previous hop once more for what has failed, and for its confirmation.
    pub(crate) fn wish_again(&mut self, upstream: Ix<Upstream>) {
        for ix in self.wishing(self.state.upstreams[upstream].session, &[Confirm::Again]) {
            self.wish_for_application(ix, Some(upstream));
        }
    }

    /// What local applications have asked for will not be confirmed as it is: it has failed, or its sender is gone.
    pub(crate) fn unconfirmed(
        &mut self,
        session: Ix<SessionState>,
        app: Option<AppId>,
        sender: Option<SenderKey>,
    ) {
        for ix in self.wishing(session, &[Confirm::Asked]) {
            let request = &mut self.state.requests[ix];
            if app.is_none_or(|app| request.app() == Some(app))
                && (sender.is_none()
                    || request.items.iter().any(|i| i.filter.is_none() || i.filter == sender))
            {
                request.set_confirm(Confirm::Again);
            }
        }
    }

    /// Requests of local applications whose wish is in one of these states.
    fn wishing(&self, session: Ix<SessionState>, states: &[Confirm]) -> SmallVec<[Ix<Request>; 2]> {
        let wishes = |request: &Request| matches!(request.from, RequestOrigin::App { confirm, .. } if states.contains(&confirm));
        self.state.requests_of(session).filter(|(_, request)| wishes(request)).map(|(ix, _)| ix).collect()
    }

    /// Asks for confirmation of everything a local application requests, or of what is behind one previous hop; the wish is kept until
    /// a sender is there.
    pub(crate) fn wish_for_application(&mut self, ix: Ix<Request>, behind: Option<Ix<Upstream>>) {
        let request = &self.state.requests[ix];
        let key = self.state.key_of(request.session);
        let own = self.interfaces.iter().find_map(|i| i.config.address_like(key.destination()));
        let Some(address) = own else { return };
        let mut groups: SmallVec<[(Flowspec, Filters); 2]> = SmallVec::new();
        for item in &request.items {
            match groups.iter_mut().find(|(f, _)| *f == item.flowspec) {
                Some((_, filters)) => filters.extend(item.filter),
                None => groups.push((item.flowspec, item.filter.into_iter().collect())),
            }
        }
        let (mut concerned, mut told, mut standing) = (false, false, Standing::new());
        for (flowspec, filters) in groups {
            let wish = Wish { address, request: ix, filters: &filters, flowspec, behind };
            let wished = self.wish_confirm(&wish, &mut standing);
            concerned |= wished.concerned;
            if let Some(answered) = wished.answered {
                told = true;
                self.tell_confirmed(&Wish { filters: &answered, ..wish });
            }
        }
        let request = &mut self.state.requests[ix];
        match request.from {
            _ if told => request.set_confirm(Confirm::Done),
            RequestOrigin::App { confirm: Confirm::Waits, .. } if concerned => {
                request.set_confirm(Confirm::Asked)
            }
            _ => {}
        }
    }
}
