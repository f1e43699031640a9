//! What one previous hop is asked for: the merge of all requests that apply to senders behind it (RFC 2205 sections
//! 2.2 and 3.5, RFC 2209 RESV REFRESH steps 1 to 5).
//!
//! RFC 2209 merges installed reservations and so cannot tell a blockaded request from a smaller one on the same
//! interface; RFC 2205 section 3.5 merges the requests themselves, and so does this.

use super::behind::Behind;
use super::in_crowd::InCrowd;
use super::kept::filters;
use super::scope::in_scope;
use crate::carried::{is_sent, one_tclass};
use crate::composer;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::{Carriers, Node};
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::column::Together;
use crate::state::path::{Origin, PathState};
use crate::state::resv::{Item, Request, RequestOrigin};
use crate::state::upstream::Upstream;
use crate::unknown;
use core::cell::OnceCell;
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The merged request for one previous hop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Merged {
    pub(crate) style: StyleKind,
    /// One entry per sender in ascending order; for WF a single one without.
    pub(crate) flows: Flows,
}

/// Octets of objects that are looked at to find which a Resv forwards: of a thousand requests that bring along as much as they may it would
/// be four million.
const LOOKED_AT: usize = 16 * unknown::FORWARDED_MAX;

/// Senders, or all together, each with a flowspec.
pub(crate) type Flows = SmallVec<[(Flow, Flowspec); 2]>;

impl Merged {
    /// Where a sender stands.
    pub(crate) fn place_of(&self, flow: &Option<SenderKey>) -> Option<usize> {
        self.flows.binary_search_by_key(flow, |(filter, _)| *filter).ok()
    }
}

impl Node {
    /// Whether a request applies to a sender's data: it is for an interface the data leaves through (never the one it
    /// came in through), or for an application that receives it here.
    pub(crate) fn applies(&self, request: &Request, path: &PathState) -> bool {
        match request.from {
            RequestOrigin::Hop { interface, .. } => path.routes_to(interface) && in_scope(request, path),
            RequestOrigin::App { app, interface, .. } => match (path.origin, interface) {
                (Origin::App(sender), _) => sender != app,
                (Origin::Hop(_, incoming), Some(interface)) => {
                    incoming == interface || self.is_forwarded_within(path, interface)
                }
                (Origin::Hop(..), None) => !path.flags.local_only(),
            },
        }
    }

    /// Whether multicast routing forwards a sender's data within this node to the interface on which an application
    /// listens, and not by a branch of the tree that ends there (RFC 2205 section 3.9, cases 2 and 1).
    fn is_forwarded_within(&self, path: &PathState, interface: InterfaceId) -> bool {
        let branch = |p: &PathState| p.incoming() == Some(interface);
        let mut own = self.state.paths_from(path.session, &path.sender);
        path.routes_to(interface) && !own.any(|(_, p)| branch(p))
    }

    /// The elementary requests that apply to a sender, with who made them.
    pub(crate) fn items_for<'a>(
        &'a self,
        path: &'a PathState,
    ) -> impl Iterator<Item = (Ix<Request>, &'a Request, &'a Item)> + 'a {
        let services = OnceCell::new();
        self.state
            .requests_of(path.session)
            .filter(|(_, request)| self.applies(request, path))
            .filter_map(|(ix, request)| Some((ix, request, request.item_of(path)?)))
            .filter(move |(_, request, item)| !self.gives_way(request, item, &services, |_| true))
    }

    /// What should be asked of a previous hop; `None` when nothing is.
    pub(crate) fn merged(&self, upstream: Ix<Upstream>) -> Option<Merged> {
        let session = self.state.upstreams[upstream].session;
        let style = self.state.requests_of(session).next()?.1.style;
        let crowd = InCrowd::new(self, session, style);
        let mut flows = if style.sharing() == Sharing::Distinct {
            self.distinct_flows(upstream, crowd.as_ref())
        } else if let Some(flows) = crowd.and_then(|crowd| crowd.shared(upstream)) {
            flows
        } else {
            let first = self.state.paths_behind(upstream).next()?.sender;
            let one = (!style.is_wildcard()).then_some(first);
            let choice = self.choice(upstream, style.sharing(), &one, |_| true, |_| true)?;
            choice.flows().map(|flow| (flow, choice.flowspec)).collect()
        };
        let to = self.state.key_of(session).destination();
        flows.iter_mut().for_each(|(_, f)| *f = flowspec::in_session(*f, to));
        flows.sort_unstable_by_key(|(filter, _)| *filter);
        (!flows.is_empty()).then_some(Merged { style, flows })
    }

    /// What is asked for each of the senders behind a previous hop.
    fn distinct_flows(&self, upstream: Ix<Upstream>, crowd: Option<&InCrowd<'_>>) -> Flows {
        let barred = self.barred_by_sender(upstream);
        let mut flows = Flows::new();
        for path in self.state.paths_behind(upstream) {
            let barred = barred.get(&path.sender).map_or(&[][..], |barred| barred);
            let known = match crowd {
                Some(crowd) if barred.is_empty() => match crowd.asked(path) {
                    Together::Nothing => Some(None),
                    Together::Flowspec(flowspec) => Some(Some(flowspec)),
                    Together::Services => None,
                },
                Some(crowd) => crowd.sift(path, barred, None).map(|sifted| sifted.map(|s| s.flowspec)),
                None => None,
            };
            let flowspec = known.unwrap_or_else(|| {
                let behind = Behind::new(self, upstream, Some(&path.sender));
                let asked = behind.all_asked(self, Sharing::Distinct, false, |_| true);
                self.choose(&behind, false, &asked, barred).map(|choice| choice.flowspec)
            });
            flows.extend(flowspec.map(|flowspec| (Some(path.sender), flowspec)));
        }
        flows
    }

    /// Blockade state of a previous hop by sender.
    pub(crate) fn barred_by_sender(
        &self,
        upstream: Ix<Upstream>,
    ) -> BTreeMap<SenderKey, SmallVec<[&Blockade; 2]>> {
        let mut by_sender = BTreeMap::<_, SmallVec<[&Blockade; 2]>>::new();
        for (_, blockade) in self.state.blockades_of(upstream) {
            if let Some(sender) = blockade.sender {
                by_sender.entry(sender).or_default().push(blockade);
            }
        }
        by_sender
    }

    /// Writes a merged request into the scratch buffer as it stands at the end of a Resv: forwarded objects, STYLE and
    /// flow descriptors, with the SCOPE before them; however long that is. Returns its place there, and how many objects
    /// are not forwarded.
    pub(crate) fn write_flows(
        &mut self,
        upstream: Ix<Upstream>,
        merged: &Merged,
    ) -> (core::ops::Range<usize>, usize) {
        let mut scratch = core::mem::take(&mut self.scratch);
        let carriers = self.carriers(upstream);
        let (kept, left_out) = self.forwarded_objects(upstream, &carriers);
        let scope = self.resv_scope(upstream).unwrap_or_default();
        let place = composer::asked(&mut scratch, &scope, &kept, merged.style, &merged.flows);
        self.scratch = scratch;
        (place, left_out)
    }

    /// The requests of a session that carry something; they are looked for once for all of its previous hops that hear of an input.
    fn carriers(&mut self, upstream: Ix<Upstream>) -> Carriers {
        let session = self.state.upstreams[upstream].session;
        match &self.carriers {
            Some((known, carriers)) if *known == session => carriers.clone(),
            _ => {
                let all = self.state.requests_of(session).filter(|(_, request)| request.kept.carries());
                let carriers: Carriers = all.map(|(ix, _)| ix).collect();
                self.carriers = Some((session, carriers.clone()));
                carriers
            }
        }
    }

    /// The union of forwarded objects over all requests that apply to senders behind a previous hop.
    fn forwarded_objects(&self, upstream: Ix<Upstream>, requests: &[Ix<Request>]) -> (Vec<u8>, usize) {
        // Whoever asked first has a say whatever comes later.
        let requests = requests.iter().rev().map(|ix| &self.state.requests[*ix]);
        let messages = requests.flat_map(|request| request.messages().map(move |m| (request, m)));
        let (mut all, mut length, mut left_out) = (Vec::new(), 0, 0);
        for (request, message) in messages {
            let own = request.app().is_some();
            let mut objects = message.objects().filter(move |object| is_sent(object, own)).peekable();
            if objects.peek().is_none() {
                continue;
            }
            let asks = |p: &PathState| self.applies(request, p) && request.item_of(p).is_some();
            let concerned = match request.style.is_wildcard() {
                true => self.state.paths_behind(upstream).any(asks),
                false => filters(&message).any(|f| self.path_behind(upstream, &f).is_some_and(asks)),
            };
            if concerned && length > LOOKED_AT {
                left_out += 1;
            } else if concerned {
                all.extend(objects.map(|o| o.octets()).inspect(|object| length += object.len()));
            }
        }
        one_tclass(&mut all);
        let (union, more) = unknown::union(all);
        (union, left_out + more)
    }
}
