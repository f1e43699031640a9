//! What receivers want for senders whose data gets to them, whether they have it, and whether there would be room.

use super::settled::{Settled, selects};
use crate::reference::{Place, Standing, charge_bps, limit, merge, sum};
use crate::scenario::model::{LinkId, NodeId, ReceiverId, ReservationStyle, SenderId};
use crate::world::applications::{flowspec, tspec};
use rsvp_wire::{Flowspec, Tspec};
use std::collections::{BTreeMap, BTreeSet};

/// A node and a link that data leaves it by.
pub(super) type At = (NodeId, LinkId);

/// What a receiver wants for a sender.
#[derive(Clone)]
pub(super) struct Wish<'a> {
    state: &'a Settled<'a>,
    seen: &'a BTreeMap<Place, Standing>,
    pub(super) receiver: ReceiverId,
    pub(super) sender: SenderId,
    /// The senders that are reserved for together.
    pub(super) together: Vec<SenderId>,
    pub(super) style: ReservationStyle,
    pub(super) wanted: Flowspec,
}

/// Why there is no room for a wish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lack {
    /// Somewhere there is no bandwidth.
    pub(super) bandwidth: bool,
    /// Somewhere its packets are too large.
    pub(super) packet: bool,
    /// Somewhere its bucket is too large for other software.
    pub(super) bucket: bool,
    /// Somewhere something of another style or service stands.
    pub(super) kind: bool,
}

impl Lack {
    pub(super) fn nothing(self) -> bool {
        self == Self::default()
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            bandwidth: self.bandwidth | other.bandwidth,
            packet: self.packet | other.packet,
            bucket: self.bucket | other.bucket,
            kind: self.kind | other.kind,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            bandwidth: self.bandwidth & other.bandwidth,
            packet: self.packet & other.packet,
            bucket: self.bucket & other.bucket,
            kind: self.kind & other.kind,
        }
    }
}

/// The rates of a flowspec, which are what a want of bandwidth is about: r, R and p.
pub(super) fn rates(flowspec: &Flowspec) -> [f32; 3] {
    let tspec = flowspec.tspec();
    let reserved = match flowspec {
        Flowspec::Guaranteed(_, rspec) => rspec.rate,
        _ => 0.0,
    };
    [tspec.rate, reserved, tspec.peak]
}

/// Whether one flowspec asks for no more than another in any rate.
pub(super) fn no_more_in_rates(a: &Flowspec, b: &Flowspec) -> bool {
    rates(a).iter().zip(rates(b)).all(|(a, b)| *a <= b)
}

/// The same, and for less in one.
pub(super) fn less_in_rates(a: &Flowspec, b: &Flowspec) -> bool {
    no_more_in_rates(a, b) && rates(a) != rates(b)
}

/// All wishes for senders whose data gets there.
pub(super) fn wishes<'a>(state: &'a Settled<'a>, seen: &'a BTreeMap<Place, Standing>) -> Vec<Wish<'a>> {
    let scenario = state.world.scenario();
    let mut wishes = Vec::new();
    for (n, request) in state.demand.requests.iter().enumerate() {
        let Some(request) = request else { continue };
        let receiver = &scenario.receivers[n];
        for sender in scenario.senders_of(receiver.session) {
            if state.way(sender, receiver.node).is_empty() || !selects(request, sender) {
                continue;
            }
            let flow = request.flows.iter().find(|f| f.filters.is_empty() || f.filters.contains(&sender));
            let Some(wanted) = flow.map(|flow| flowspec(flow.traffic, flow.service)) else { continue };
            let mut together = scenario.senders_of(receiver.session);
            together.retain(|s| match request.style {
                ReservationStyle::Ff => *s == sender,
                _ => selects(request, *s),
            });
            let (receiver, style) = (ReceiverId(n), request.style);
            wishes.push(Wish { state, seen, receiver, sender, together, style, wanted });
        }
    }
    wishes
}

impl Wish<'_> {
    fn node(&self) -> NodeId {
        self.state.world.scenario().receivers[self.receiver.0].node
    }

    pub(super) fn is_granted(&self) -> bool {
        self.state.way(self.sender, self.node()).iter().all(|at| self.is_in_place(*at))
    }

    /// Whether something stands for this sender somewhere on its way.
    pub(super) fn has_something(&self) -> bool {
        let stands = |at| self.standing(at).is_some_and(|s| s.filters.contains(&self.sender));
        self.state.way(self.sender, self.node()).into_iter().any(stands)
    }

    /// Where something must stand for this sender; in WF, which has one flowspec for all and names none, for all.
    fn ways(&self) -> Vec<At> {
        let wildcard = self.style == ReservationStyle::Wf;
        let senders = self.together.iter().filter(|s| wildcard || **s == self.sender);
        senders.flat_map(|s| self.state.way(*s, self.node())).collect()
    }

    /// What is lacking on the way for this flowspec, beside what stands.
    pub(super) fn lack_for(&self, wanted: &Flowspec) -> Lack {
        let wish = Self { wanted: *wanted, ..self.clone() };
        wish.ways().into_iter().fold(Lack::default(), |lack, at| lack.or(wish.lack_at(at)))
    }

    fn standing(&self, (node, link): At) -> Option<&Standing> {
        let session = self.state.world.scenario().senders[self.sender.0].session;
        let here = |(n, l, s, _): &Place| (*n, *l, *s) == (node, link, session);
        let all = self.seen.iter().filter(|(place, _)| here(place)).map(|(_, standing)| standing);
        all.into_iter().find(|s| {
            s.filters.is_empty() || s.filters.contains(&self.sender) || s.style != ReservationStyle::Ff
        })
    }

    /// What the request comes to on a link, beside what stands there.
    fn effective(&self, at: At) -> Flowspec {
        let same = |s: &&Standing| s.style == self.style && s.flowspec.service() == self.wanted.service();
        let standing = self.standing(at).filter(same);
        let merged = standing.map_or(self.wanted, |s| merge(&s.flowspec, &self.wanted));
        self.limited(&merged, at, standing.map(|s| s.filters.clone()).unwrap_or_default())
    }

    /// What is asked for, limited to what these senders and its own send by a link.
    fn limited(&self, asked: &Flowspec, at: At, filters: BTreeSet<SenderId>) -> Flowspec {
        self.sent_by(at, filters).map_or(*asked, |path| limit(asked, &path))
    }

    /// What these senders and its own send by a link.
    fn sent_by(&self, at: At, mut filters: BTreeSet<SenderId>) -> Option<Tspec> {
        // Requests go to each previous hop for the senders behind it.
        filters.extend(self.together.iter().filter(|s| self.state.way(**s, self.node()).contains(&at)));
        self.sent_for(at, &filters)
    }

    /// What these senders send by a link.
    fn sent_for(&self, at: At, filters: &BTreeSet<SenderId>) -> Option<Tspec> {
        let scenario = self.state.world.scenario();
        let session = scenario.senders[self.sender.0].session;
        let sends = |s: &SenderId| {
            let selected = self.style == ReservationStyle::Wf || filters.contains(s);
            let hops = self.state.reference.paths.iter();
            selected && hops.into_iter().any(|((of, _), hop)| of == s && (hop.1, hop.0) == at)
        };
        let all = scenario.senders_of(session).into_iter().filter(sends);
        all.filter_map(|s| self.state.demand.senders[s.0]).map(tspec).reduce(|a, b| sum(&a, &b))
    }

    fn is_in_place(&self, at: At) -> bool {
        self.standing(at).is_some_and(|standing| {
            let selected = standing.filters.is_empty() || standing.filters.contains(&self.sender);
            // What is in place is limited to what its senders send, of whom some of those asked for may not be; what it
            // has at least are the lesser of the two.
            let (has, wants) = (standing.flowspec.tspec(), self.wanted.tspec());
            let own = self.sent_for(at, &standing.filters);
            let as_much =
                |has: f32, wants: f32, sent: Option<f32>| has >= sent.map_or(wants, |s| s.min(wants));
            let wanted = own.map_or(self.wanted, |sent| limit(&self.wanted, &sent));
            standing.style == self.style
                && standing.flowspec.service() == self.wanted.service()
                && selected
                && charge_bps(&standing.flowspec) >= charge_bps(&wanted)
                && as_much(has.bucket, wants.bucket, own.map(|s| s.bucket))
                && as_much(has.peak, wants.peak, own.map(|s| s.peak))
        })
    }

    fn lack_at(&self, at: At) -> Lack {
        let used: u64 = self
            .seen
            .iter()
            .filter(|((node, link, ..), _)| (*node, *link) == at)
            .map(|(_, standing)| charge_bps(&standing.flowspec))
            .sum();
        let standing = self.standing(at);
        let now = standing.map_or(0, |s| charge_bps(&s.flowspec));
        let effective = self.effective(at);
        let own = self.limited(&self.wanted, at, BTreeSet::new());
        let link = &self.state.world.scenario().links[at.1.0];
        let bucket = f64::from(self.wanted.tspec().bucket);
        let other = |s: &Standing| s.style != self.style || s.flowspec.service() != self.wanted.service();
        Lack {
            bandwidth: used - now + charge_bps(&effective).max(now) > link.reservable_bps,
            packet: own.tspec().max_packet_size > link.mtu,
            bucket: link.refusal.is_some_and(|refusal| bucket > refusal.bucket),
            kind: standing.is_some_and(other),
        }
    }
}
