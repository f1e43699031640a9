//! What is asked of a previous hop: the requests that apply to the senders behind it, or to one of them.
//!
//! Senders are numbers here: those of the session's crowd where many are behind it, and else places in the list of path states.

use super::left_out::Asked;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey};
use crate::merge::flowspec::service_bit;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::numbers::Numbers;
use crate::state::path::PathState;
use crate::state::resv::{Index, Item, Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use core::cell::OnceCell;
use rsvp_wire::Sharing;
use smallvec::SmallVec;
use std::sync::Arc;

/// Senders with their numbers, in ascending order; `None` for all together, as in WF.
pub(crate) type Names = SmallVec<[(Flow, u32); 1]>;

/// Senders behind a previous hop.
pub(crate) struct Behind<'a> {
    session: Ix<SessionState>,
    paths: SmallVec<[(&'a PathState, u32); 1]>,
    /// The numbers are those of the session's crowd; here are those of senders whose data leaves by an interface.
    routed: Option<SmallVec<[(InterfaceId, Numbers); 2]>>,
}

impl<'a> Behind<'a> {
    /// All senders, or the one that is named.
    pub(crate) fn new(node: &'a Node, upstream: Ix<Upstream>, one: Option<&SenderKey>) -> Self {
        let session = node.state.upstreams[upstream].session;
        let mut paths: SmallVec<[(&PathState, u32); 1]> = match one {
            None => node.state.paths_behind(upstream).map(|p| (p, p.number)).collect(),
            Some(sender) => {
                let all = node.state.paths_from(session, sender).map(|(_, p)| p);
                all.filter(|p| p.upstream() == Some(upstream)).map(|p| (p, p.number)).collect()
            }
        };
        let routed = (paths.len() > node.state.few).then(|| {
            let mut routed: SmallVec<[(InterfaceId, Numbers); 2]> = SmallVec::new();
            for (path, number) in paths.iter().filter(|(p, _)| !p.flags.local_only()) {
                for outgoing in &path.outgoing {
                    match routed.iter_mut().find(|(interface, _)| *interface == outgoing.interface) {
                        Some((_, numbers)) => numbers.insert(*number),
                        None => routed.push((outgoing.interface, [*number].into_iter().collect())),
                    }
                }
            }
            routed
        });
        if routed.is_none() {
            for at in 0..paths.len() {
                let same = |(p, _): &(&PathState, u32)| p.sender == paths[at].0.sender;
                paths[at].1 = paths.iter().position(same).unwrap_or(at) as u32;
            }
        }
        Self { session, paths, routed }
    }

    /// The senders that a request is for, whether or not it names them.
    pub(crate) fn applied(&self, node: &Node, request: &Request) -> Numbers {
        match (&self.routed, request.from, request.index()) {
            (Some(routed), RequestOrigin::Hop { interface, .. }, Some(index)) => {
                let here = routed.iter().find(|(on, _)| *on == interface).map(|(_, numbers)| numbers);
                let scope = index.senders.as_ref().filter(|_| request.style.is_wildcard());
                match (here, scope) {
                    (None, _) => Numbers::default(),
                    (Some(here), None) => here.clone(),
                    (Some(here), Some(scope)) => here.and(scope),
                }
            }
            _ => self.paths.iter().filter(|(p, _)| node.applies(request, p)).map(|(_, n)| *n).collect(),
        }
    }

    /// The senders that a request asks for.
    pub(crate) fn asked(&self, node: &Node, request: &Request) -> Numbers {
        match (&self.routed, request.from, request.index()) {
            (Some(_), RequestOrigin::Hop { .. }, Some(index)) => {
                let named = index.senders.as_ref().filter(|_| !request.style.is_wildcard());
                let applied = self.applied(node, request);
                named.map_or_else(|| applied.clone(), |named| applied.and(named))
            }
            _ => {
                let asks = |p: &PathState| node.applies(request, p) && request.item_of(p).is_some();
                self.paths.iter().filter(|(p, _)| asks(p)).map(|(_, n)| *n).collect()
            }
        }
    }

    /// Names of some of the senders.
    pub(crate) fn names(&self, node: &Node, numbers: &Numbers, wildcard: bool) -> Names {
        if wildcard {
            return (!numbers.is_empty()).then_some((None, 0)).into_iter().collect();
        }
        let crowd = self.routed.as_ref().and_then(|_| node.state.crowd(self.session));
        let name = |number: u32| match crowd {
            Some(crowd) => crowd.known(number).key,
            None => self.paths[number as usize].0.sender,
        };
        let mut names: Names = numbers.iter().map(|number| (Some(name(number)), number)).collect();
        names.sort_unstable();
        names
    }

    /// What each request asks for, with the first of those that it applies to the first; where senders share a reservation
    /// it is a flowspec for all of them together. `counts` says which are looked at.
    pub(crate) fn all_asked(
        &self,
        node: &Node,
        sharing: Sharing,
        wildcard: bool,
        counts: impl Fn(Ix<Request>) -> bool,
    ) -> SmallVec<[Asked; 1]> {
        let mut all: SmallVec<[Asked; 1]> = SmallVec::new();
        let services = OnceCell::new();
        for (ix, request) in node.state.requests_of(self.session).filter(|(ix, _)| counts(*ix)) {
            let asked = self.asked(node, request);
            if asked.is_empty() {
                continue;
            }
            // A ResvErr may be of another style than the requests.
            let item: Option<&Item> = match request.style.sharing() {
                Sharing::Shared => request.items.first(),
                _ => self.paths.iter().filter(|(_, n)| asked.has(*n)).find_map(|(p, _)| request.item_of(p)),
            };
            let Some(item) = item else { continue };
            let gives_way = !request.asks_for(item)
                && match sharing {
                    Sharing::Shared => {
                        let asked = services.get_or_init(|| node.asked_services(self.session, |_, _| true));
                        asked & !service_bit(&item.flowspec) != 0
                    }
                    _ => node.gives_way(request, item, &services, |_| true),
                };
            if !gives_way {
                let flows = if wildcard { [0].into_iter().collect() } else { asked };
                all.push(Asked { request: ix, flowspec: item.flowspec, flows });
            }
        }
        if all.len() > 1 && self.paths.len() > 1 && !wildcard {
            let first = |a: &Asked| self.paths.iter().position(|(_, number)| a.flows.has(*number));
            all.sort_by_cached_key(first);
        }
        all
    }

    /// The numbers of all senders that a request of an explicit style names, in its order, where they are those of the crowd.
    pub(crate) fn order<'b>(&self, request: &'b Request) -> Option<&'b Arc<Vec<u32>>> {
        self.routed.as_ref().and_then(|_| request.index()).map(Index::numbers)
    }

    /// Some of the senders that a request of an explicit style asks for, in its order.
    pub(crate) fn in_order(&self, request: &Request, numbers: &Numbers) -> Vec<u32> {
        match request.index() {
            Some(index) if self.routed.is_some() => {
                index.numbers().iter().copied().filter(|number| numbers.has(*number)).collect()
            }
            // A crowd, few of whom are behind this previous hop.
            Some(index) => {
                let here = self.paths.iter().filter(|(_, number)| numbers.has(*number));
                let place = |(p, number): &(&PathState, u32)| Some((index.place(p.number)?, *number));
                let mut places: Vec<_> = here.filter_map(place).collect();
                places.sort_unstable();
                places.dedup();
                places.into_iter().map(|(_, number)| number).collect()
            }
            None => {
                let number = |filter| self.senders().find(|(s, number)| *s == filter && numbers.has(*number));
                let asked = request.items.iter().filter_map(|item| number(item.filter?));
                asked.map(|(_, number)| number).collect()
            }
        }
    }

    /// Whether the numbers are those of the session's crowd.
    pub(crate) fn is_crowd(&self) -> bool {
        self.routed.is_some()
    }

    /// The sender with a number.
    pub(crate) fn key(&self, node: &Node, number: u32) -> SenderKey {
        match self.routed.as_ref().and_then(|_| node.state.crowd(self.session)) {
            Some(crowd) => crowd.known(number).key,
            None => self.paths[number as usize].0.sender,
        }
    }

    /// The senders, in the order of their path states.
    pub(crate) fn senders(&self) -> impl Iterator<Item = (SenderKey, u32)> {
        self.paths.iter().map(|(p, number)| (p.sender, *number))
    }
}
