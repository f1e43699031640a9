//! What is asked for the senders of a crowd, where state has it merged already ([`Together`]). Where requests are to be looked at one by one,
//! because of blockade state, several services or a SCOPE, they are in `behind`.

use super::resv_merge::Flows;
use crate::interface::InterfaceId;
use crate::key::StyleKind;
use crate::merge::failure::{blockades, blockades_between};
use crate::merge::span::Span;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::column::{Group, Joint, Part, Together};
use crate::state::crowd::Crowd;
use crate::state::path::PathState;
use crate::state::resv::Request;
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use rsvp_wire::Flowspec;
use smallvec::SmallVec;

/// What is asked for in a session of many.
pub(crate) struct InCrowd<'a> {
    node: &'a Node,
    crowd: &'a Crowd,
    style: StyleKind,
    /// Requests of applications on this node.
    own: SmallVec<[(Ix<Request>, &'a Request); 4]>,
}

impl<'a> InCrowd<'a> {
    pub(crate) fn new(node: &'a Node, session: Ix<SessionState>, style: StyleKind) -> Option<Self> {
        let crowd = node.state.crowd(session)?;
        // An application that asks for something has opened the session.
        let any = !node.state.sessions[session].apps().is_empty();
        let own = any.then(|| node.state.requests_of(session)).into_iter().flatten();
        let own = own.filter(|(_, request)| request.app().is_some()).collect();
        Some(Self { node, crowd, style, own })
    }

    /// What is asked for the sender of a path state; in WF what is asked for all, if it is for this one, too.
    pub(crate) fn asked(&self, path: &PathState) -> Together {
        let own = self.own_for(path).map(|(_, asked)| Together::Flowspec(asked));
        let outgoing = path.outgoing.iter().filter(|_| !path.flags.local_only()).map(|o| o.interface);
        match self.style.is_wildcard() {
            true => own.chain(outgoing.map(|on| self.crowd.any_on(on))).collect(),
            // What is left over gives way to another service wherever that is asked for the sender.
            false if self.anywhere(path) == Together::Services => Together::Services,
            false => own.chain(outgoing.map(|on| self.crowd.asked_on(on, path.number))).collect(),
        }
    }

    /// What is asked for the sender of a path state on all interfaces, whether or not its data leaves there.
    fn anywhere(&self, path: &PathState) -> Together {
        let own = self.own.iter().filter_map(|(_, request)| request.item_of(path));
        let own = own.map(|item| Together::Flowspec(item.flowspec));
        own.chain(self.crowd.asked_anywhere(path.number)).collect()
    }

    /// What applications ask for the sender of a path state.
    fn own_for<'b>(&'b self, path: &'b PathState) -> impl Iterator<Item = (Ix<Request>, Flowspec)> + 'b {
        let applied = self.own.iter().filter(|(_, request)| self.node.applies(request, path));
        applied.filter_map(|(ix, request)| Some((*ix, request.item_of(path)?.flowspec)))
    }

    /// What goes to a previous hop where senders share a flowspec; `None` where that takes a closer look.
    pub(crate) fn shared(&self, upstream: Ix<Upstream>) -> Option<Flows> {
        let first = |(_, request): &(_, &Request)| Some(Together::Flowspec(request.items.first()?.flowspec));
        let services: Together = self.own.iter().filter_map(first).chain([self.crowd.any()]).collect();
        let wildcard = self.style.is_wildcard();
        let state = &self.node.state;
        if services == Together::Services
            || (wildcard && self.crowd.has_scopes())
            || state.upstreams[upstream].blockades.is_some()
        {
            return None;
        }
        let mut merged = Together::Nothing;
        let mut senders = SmallVec::<[_; 2]>::new();
        for path in state.paths_behind(upstream) {
            let asked = self.asked(path);
            if asked != Together::Nothing {
                merged.add(asked);
                senders.push((!wildcard).then_some(path.sender));
            }
        }
        senders.truncate(if wildcard { 1 } else { usize::MAX });
        match merged {
            Together::Nothing => Some(Flows::new()),
            Together::Flowspec(flowspec) => Some(senders.into_iter().map(|flow| (flow, flowspec)).collect()),
            Together::Services => None,
        }
    }
}

/// What goes to a previous hop for one sender, in FF.
#[derive(Debug)]
pub(crate) struct Sifted {
    pub(crate) flowspec: Flowspec,
    /// Between what and what that lies which is let through.
    pub(crate) members: Option<Span>,
    /// Nothing was let through: the flowspec is the GLB of everything.
    pub(crate) lowered: bool,
    pub(crate) out: Out,
}

/// Requests that are left out.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// Of next hops, by interface and part, a bit for each.
    masks: SmallVec<[(InterfaceId, Vec<u16>); 1]>,
    /// Of applications.
    own: SmallVec<[Ix<Request>; 2]>,
}

impl Out {
    /// Adds what is left out here and not there.
    pub(crate) fn add_newly(&mut self, here: &Self, before: &Self) {
        for ix in here.own.iter().filter(|ix| !before.own.contains(ix)) {
            if !self.own.contains(ix) {
                self.own.push(*ix);
            }
        }
        for (on, masks) in &here.masks {
            let all = match self.masks.iter().position(|(other, _)| other == on) {
                Some(at) => &mut self.masks[at].1,
                None => {
                    self.masks.push((*on, Vec::new()));
                    let last = self.masks.len() - 1;
                    &mut self.masks[last].1
                }
            };
            all.resize(all.len().max(masks.len()), 0);
            let before =
                before.masks.iter().find(|(other, _)| other == on).map_or(&[][..], |(_, masks)| masks);
            let before = before.iter().copied().chain(core::iter::repeat(0));
            all.iter_mut().zip(masks).zip(before).for_each(|((all, mask), before)| *all |= mask & !before);
        }
    }

    /// The requests.
    pub(crate) fn requests(&self, crowd: &Crowd) -> impl Iterator<Item = Ix<Request>> {
        let parts = self
            .masks
            .iter()
            .flat_map(|(on, masks)| masks.iter().enumerate().map(|(at, mask)| (*on, at, *mask)));
        let of_hops = parts.flat_map(|(on, at, mask)| crowd.requests_in(on, at, mask));
        of_hops.chain(self.own.iter().copied())
    }
}

/// What passes a test, and what does not.
#[derive(Default)]
struct Passed {
    joint: Joint,
    out: Out,
}

impl InCrowd<'_> {
    /// What goes to a previous hop for a sender of whom something has failed: what [`Contest`](super::left_out) comes to, without a look at
    /// each request where many are on the same side; `but` says which request does not count. The inner `None` where nothing is asked for; the outer where it takes a closer look.
    pub(crate) fn sift(
        &self,
        path: &PathState,
        barred: &[&Blockade],
        but: Option<Ix<Request>>,
    ) -> Option<Option<Sifted>> {
        if self.style != StyleKind::FixedFilter {
            return None;
        }
        match self.asked(path) {
            Together::Nothing => return Some(None),
            Together::Services => return None,
            Together::Flowspec(_) => {}
        }
        let failures = || barred.iter().map(|b| &b.failed);
        let alone = || failures().filter(|failed| failed.is_shared_by(1));
        let free = self.passed(
            (path, but),
            |span| blockades_between(failures(), span).map(|blocked| !blocked),
            |asked| !blockades(failures(), asked),
        );
        let passed = match free.joint.together {
            Together::Nothing => self.passed(
                (path, but),
                |span| {
                    let mut reached = alone().map(|failed| failed.is_reached_between(span));
                    reached.try_fold(true, |untried, reached| reached.map(|reached| untried && !reached))
                },
                |asked| !alone().any(|failed| failed.is_reached_by(asked)),
            ),
            _ => free,
        };
        match passed.joint.together {
            Together::Services => None,
            // Together they may be what failed.
            Together::Flowspec(merged) if alone().any(|failed| failed.is_reached_by(&merged)) => None,
            Together::Flowspec(flowspec) => {
                let Passed { joint, out } = passed;
                Some(Some(Sifted { flowspec, members: joint.span, lowered: false, out }))
            }
            Together::Nothing => {
                let all = self.passed((path, but), |_| Some(true), |_| true);
                let bound = |members: Span| Sifted {
                    flowspec: members.lower_bound(),
                    members: None,
                    lowered: true,
                    out: passed.out,
                };
                Some(all.joint.span.map(bound))
            }
        }
    }

    /// Where a request of a next hop stands: interface, part, and its bit there.
    fn row_of(&self, request: Ix<Request>) -> Option<(InterfaceId, usize, u16)> {
        let request = &self.node.state.requests[request];
        let (part, bit) = request.index()?.part()?;
        Some((request.interface()?, part, bit))
    }

    /// Whether a request goes up for a sender for which this was found.
    pub(crate) fn goes(&self, sifted: &Sifted, request: Ix<Request>) -> bool {
        let Some((on, part, bit)) = self.row_of(request) else { return !sifted.out.own.contains(&request) };
        let masks = sifted.out.masks.iter().find(|(other, _)| *other == on).map(|(_, masks)| masks);
        masks.and_then(|masks| masks.get(part)).is_some_and(|out| out & bit == 0)
    }

    /// What passes among all that is asked for a sender. `sure` says it of all that lies between two ends, if it is so of all or of none.
    fn passed(
        &self,
        (path, but): (&PathState, Option<Ix<Request>>),
        sure: impl Fn(&Span) -> Option<bool>,
        passes: impl Fn(&Flowspec) -> bool,
    ) -> Passed {
        let mut passed = Passed::default();
        for (ix, asked) in self.own_for(path).filter(|(ix, _)| Some(*ix) != but) {
            if passes(&asked) {
                passed.joint.add(&Joint::of(asked));
            } else {
                passed.out.own.push(ix);
            }
        }
        let but = but.and_then(|but| self.row_of(but));
        for on in path.outgoing.iter().map(|outgoing| outgoing.interface) {
            let parts = self.crowd.parts_on(on, path.number);
            let mut masks = vec![0; parts.last().map_or(0, |last| last.at() + 1)];
            let but = but.filter(|but| but.0 == on).map(|(_, part, bit)| (part, bit));
            for Group { block, parts } in self.crowd.groups_on(on, path.number) {
                let whole = block.filter(|block| !but.is_some_and(|but| block.has(but.0)));
                match whole.and_then(|block| Some((block, sure(block.joint.span.as_ref()?)?))) {
                    Some((block, true)) => passed.joint.add(&block.joint),
                    Some((block, false)) => {
                        let all = masks[block.at()..].iter_mut().zip(block.rows);
                        all.for_each(|(mask, rows)| *mask = rows);
                    }
                    None => {
                        for part in parts {
                            let but = but.filter(|but| but.0 == part.at()).map_or(0, |but| but.1);
                            masks[part.at()] = pass(part, but, &mut passed.joint, &sure, &passes);
                        }
                    }
                }
            }
            passed.out.masks.push((on, masks));
        }
        passed
    }
}

/// Adds what passes of a part to what does elsewhere, and returns the bits of what does not; `but` is that of the one that does not count.
fn pass(
    part: &Part,
    but: u16,
    joint: &mut Joint,
    sure: impl Fn(&Span) -> Option<bool>,
    passes: impl Fn(&Flowspec) -> bool,
) -> u16 {
    let Some(span) = part.joint.span.as_ref() else { return 0 };
    match if but == 0 { sure(span) } else { None } {
        Some(true) => {
            joint.add(&part.joint);
            0
        }
        Some(false) => part.rows,
        None => {
            let (mut out, each) = (0, part.each().filter(|(bit, _)| but & bit == 0));
            for (bit, asked) in each {
                if passes(&asked) {
                    joint.add(&Joint::of(asked));
                } else {
                    out |= bit;
                }
            }
            out
        }
    }
}
