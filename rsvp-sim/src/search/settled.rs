//! A world that has settled, against the reference: equal to it where everything fits and everybody agrees, and explained
//! by it everywhere.

use super::Failure;
use crate::reference::{Demand, Place, Reference, Standing, charge_bps};
use crate::scenario::model::{
    Deed, Destination, LinkId, NodeId, Request, ReservationStyle, Scenario, SenderId, Service, SessionId,
};
use crate::world::World;
use core::fmt::Write;
use rsvp_node::AppId;
use rsvp_wire::{FilterSpec, Session, Style};
use std::collections::{BTreeMap, BTreeSet};

/// A world and what is to be there.
pub(super) struct Settled<'w> {
    pub(super) world: &'w World,
    pub(super) demand: &'w Demand,
    pub(super) reference: &'w Reference,
    /// Applications whose last request was refused at once.
    pub(super) refused: &'w BTreeSet<AppId>,
}

/// Whether all that is asked for in each session in the end is of one service, and all that ever was of one style or from
/// one receiver: whoever changes to what the others have has it.
pub(super) fn agrees(scenario: &Scenario, demand: &Demand) -> bool {
    (0..scenario.sessions.len()).map(SessionId).all(|session| session_agrees(scenario, demand, session))
}

pub(super) fn session_agrees(scenario: &Scenario, demand: &Demand, session: SessionId) -> bool {
    let here = |n: &usize| scenario.receivers[*n].session == session;
    let receivers: Vec<usize> = (0..scenario.receivers.len()).filter(here).collect();
    let of = |n: &usize| demand.requests[*n].as_ref();
    let mut services =
        receivers.iter().filter_map(of).flat_map(|r| &r.flows).map(|f| is_guaranteed(f.service));
    let service = services.next();
    if !services.all(|each| Some(each) == service) {
        return false;
    }
    let mut styles = receivers.iter().flat_map(|n| requests_ever(scenario, *n)).map(|r| r.style);
    let style = styles.next();
    receivers.len() < 2 || styles.all(|each| Some(each) == style)
}

/// All that a receiver ever asks for.
pub(super) fn requests_ever(scenario: &Scenario, receiver: usize) -> impl Iterator<Item = &Request> {
    let changed = scenario.actions.iter().filter_map(move |action| match &action.deed {
        Deed::ChangeReceiver(who, request) if who.0 == receiver => Some(request),
        _ => None,
    });
    scenario.receivers[receiver].request.iter().chain(changed)
}

pub(super) fn is_guaranteed(service: Service) -> bool {
    matches!(service, Service::Guaranteed { .. })
}

pub(super) fn style_of(style: Style) -> Option<ReservationStyle> {
    let all = [
        (Style::WF, ReservationStyle::Wf),
        (Style::FF, ReservationStyle::Ff),
        (Style::SE, ReservationStyle::Se),
    ];
    all.into_iter().find(|(wire, _)| wire.options == style.options).map(|(_, style)| style)
}

impl Settled<'_> {
    fn scenario(&self) -> &Scenario {
        self.world.scenario()
    }

    fn failure(&self, promise: &'static str, seen: String) -> Failure {
        Failure { promise, at: self.world.now(), seen }
    }

    fn session_id(&self, session: &Session) -> Option<SessionId> {
        let bare = session.with_flags(0);
        (0..self.scenario().sessions.len()).map(SessionId).find(|s| self.world.topology().session(*s) == bare)
    }

    fn sender_id(&self, session: SessionId, filter: &FilterSpec) -> Option<SenderId> {
        let all = (0..self.scenario().senders.len()).map(SenderId);
        let here = |s: &SenderId| self.scenario().senders[s.0].session == session;
        all.filter(here).find(|s| self.world.topology().sender(*s) == *filter)
    }

    /// Every reservation on every node. What the scenario does not know of is left out, and found by its absence.
    pub(super) fn seen(&self) -> BTreeMap<Place, Standing> {
        let mut seen = BTreeMap::new();
        for node in (0..self.scenario().nodes.len()).map(NodeId) {
            for (_, interface, reservation) in self.world.engine(node).reservations() {
                let Some(link) = self.world.link_behind(node, interface) else { continue };
                let Some(session) = self.session_id(&reservation.session) else { continue };
                let Some(style) = style_of(reservation.style) else { continue };
                let filters: BTreeSet<SenderId> =
                    reservation.filters.iter().filter_map(|f| self.sender_id(session, f)).collect();
                let key = filters.first().copied().filter(|_| style == ReservationStyle::Ff);
                seen.insert(
                    (node, link, session, key),
                    Standing { style, filters, flowspec: reservation.flowspec },
                );
            }
        }
        seen
    }

    /// Whether every link has room for what must stand on it, and nothing is asked for that it refuses.
    pub(super) fn fits(&self) -> bool {
        let mut sums: BTreeMap<_, u64> = BTreeMap::new();
        for ((node, link, ..), standing) in &self.reference.reservations {
            *sums.entry((*node, *link)).or_default() += charge_bps(&standing.flowspec);
        }
        !self.reference.refuses
            && sums.iter().all(|((_, link), sum)| *sum <= self.scenario().links[link.0].reservable_bps)
    }

    pub(super) fn note_features(&self, features: &mut BTreeSet<&'static str>) {
        for node in (0..self.scenario().nodes.len()).map(NodeId) {
            let mut sessions = BTreeSet::new();
            if self.world.engine(node).requests().any(|request| !sessions.insert(request.session)) {
                features.insert("merge");
            }
        }
        for standing in self.seen().values() {
            features.insert(match standing.style {
                ReservationStyle::Wf => "wf",
                ReservationStyle::Ff => "ff",
                ReservationStyle::Se => "se",
            });
        }
    }

    fn place(&self, (node, link, session, sender): &Place) -> String {
        let scenario = self.scenario();
        let sender = sender.map_or("", |s| scenario.senders[s.0].name.as_str());
        let (node, link) = (&scenario.nodes[node.0].name, &scenario.links[link.0].name);
        format!("{node} on {link}, {} {sender}", scenario.sessions[session.0].name)
    }

    /// The same reservations in the same places, and the path state that leads there.
    pub(super) fn equals_reference(&self) -> Result<(), Failure> {
        self.paths_are_there()?;
        let (seen, expected) = (self.seen(), &self.reference.reservations);
        if seen == *expected {
            return Ok(());
        }
        let mut text = String::new();
        let places: BTreeSet<&Place> = seen.keys().chain(expected.keys()).collect();
        for place in places.into_iter().filter(|place| seen.get(place) != expected.get(place)) {
            let show = |standing: Option<&Standing>| {
                standing.map_or_else(
                    || "nothing".to_owned(),
                    |s| {
                        let filters = s.filters.iter().map(|s| self.scenario().senders[s.0].name.as_str());
                        format!("{:?} {} {:?}", s.style, filters.collect::<Vec<_>>().join("+"), s.flowspec)
                    },
                )
            };
            let (is, must) = (show(seen.get(place)), show(expected.get(place)));
            let _ = writeln!(text, "{}: there is {is}, there must be {must}", self.place(place));
        }
        Err(self.failure("reservations equal the reference", text))
    }

    fn paths_are_there(&self) -> Result<(), Failure> {
        let scenario = self.scenario();
        for ((sender, node), (link, hop)) in &self.reference.paths {
            let session = self.world.topology().session(scenario.senders[sender.0].session);
            let filter = self.world.topology().sender(*sender);
            let addresses = self.world.topology().addresses(*link, &[*hop]);
            let there = self.world.engine(*node).senders().any(|s| {
                let place = s.previous_hop.is_some_and(|a| addresses.contains(&a));
                s.session == session && s.sender.0 == filter && place && !s.local_only
            });
            if !there {
                let (sender, node) = (&scenario.senders[sender.0].name, &scenario.nodes[node.0].name);
                let hop = &scenario.nodes[hop.0].name;
                let text = format!("{node}: no path state for {sender} by way of {hop}");
                return Err(self.failure("path state equals the reference", text));
            }
        }
        Ok(())
    }

    /// Every path state leads from a sender that sends, on its way; every reservation is asked for by somebody beyond it.
    pub(super) fn is_explained(&self) -> Result<(), Failure> {
        let scenario = self.scenario();
        for node in (0..scenario.nodes.len()).map(NodeId) {
            for path in self.world.engine(node).senders() {
                let Some(hop) = path.previous_hop.filter(|_| !path.local_only) else { continue };
                let sender = self.session_id(&path.session).and_then(|s| self.sender_id(s, &path.sender.0));
                let hop = self.world.topology().owner(hop);
                let known =
                    sender.zip(hop).is_some_and(|(sender, hop)| self.is_on_the_way(sender, hop, node));
                if !known {
                    let name = &scenario.nodes[node.0].name;
                    let text =
                        format!("{name}: path state for {} of {} from {hop:?}", path.sender.0, path.session);
                    return Err(self.failure("path state is explained by a sender", text));
                }
            }
        }
        if self.reference.loops {
            return Ok(());
        }
        for (place, standing) in self.seen() {
            if !self.is_asked_for(&place, &standing) {
                let text = format!("{}: {standing:?}", self.place(&place));
                return Err(self.failure("reservations are explained by a request and a path", text));
            }
        }
        Ok(())
    }

    /// Whether a sender's data goes through a node onto a link that another node is on, be it meant or overhears.
    fn is_on_the_way(&self, sender: SenderId, hop: NodeId, node: NodeId) -> bool {
        let scenario = self.scenario();
        let last = |node: NodeId| self.reference.last_with_rsvp(scenario, sender, node);
        let links = self.reference.ways.iter().filter(|((s, _), from)| *s == sender && last(from.1) == hop);
        // A sender's host sends onto its first link whether anybody listens or not.
        let plan = &self.scenario().senders[sender.0];
        let sending = self.demand.senders[sender.0].is_some() && plan.node == hop;
        let first = (0..self.scenario().links.len())
            .map(LinkId)
            .find(|l| self.scenario().links[l.0].ends.contains(&hop));
        let mut links = links.map(|(_, from)| from.0).chain(first.filter(|_| sending));
        links.any(|link| self.scenario().links[link.0].ends.contains(&node))
    }

    fn is_asked_for(&self, (node, link, session, _): &Place, standing: &Standing) -> bool {
        let scenario = self.scenario();
        let senders: Vec<SenderId> = match standing.style {
            ReservationStyle::Wf => scenario.senders_of(*session),
            _ => standing.filters.iter().copied().collect(),
        };
        let explained = |sender: &SenderId| {
            self.demand.senders[sender.0].is_some()
                && match standing.style {
                    // A wildcard request applies to every sender that leads where it came from (RFC 2205 section
                    // 3.1.4), also where none of its own is behind that.
                    ReservationStyle::Wf => {
                        self.goes_by(*sender, *node, *link)
                            && self.anybody_asks(*session, |r| r.style == standing.style)
                    }
                    style => self
                        .receivers_beyond(*sender, *node, *link)
                        .into_iter()
                        .any(|n| self.asks(n, |request| request.style == style && selects(request, *sender))),
                }
        };
        match standing.style {
            ReservationStyle::Wf => senders.iter().any(explained),
            _ => !senders.is_empty() && senders.iter().all(explained),
        }
    }

    /// Whether a receiver asks for something of that kind. If it was refused at once, it may have it from before.
    fn asks(&self, receiver: usize, kind: impl Fn(&Request) -> bool) -> bool {
        let scenario = self.scenario();
        let app = AppId((scenario.senders.len() + receiver) as u32);
        let mut before = requests_ever(scenario, receiver);
        let open = self.demand.listens[receiver];
        self.demand.requests[receiver].as_ref().is_some_and(&kind)
            || (open && self.refused.contains(&app) && before.any(kind))
    }

    fn anybody_asks(&self, session: SessionId, kind: impl Fn(&Request) -> bool) -> bool {
        let mut all =
            (0..self.scenario().receivers.len()).filter(|n| self.scenario().receivers[*n].session == session);
        all.any(|n| self.asks(n, &kind))
    }

    /// Whether a sender's data leaves a node by a link.
    fn goes_by(&self, sender: SenderId, node: NodeId, link: LinkId) -> bool {
        let mut hops = self.reference.paths.iter();
        hops.any(|((s, _), from)| *s == sender && *from == (link, node))
    }

    /// Receivers of a sender's session that its data reaches by way of a node and a link.
    fn receivers_beyond(&self, sender: SenderId, node: NodeId, link: LinkId) -> Vec<usize> {
        let scenario = self.scenario();
        let all = (0..scenario.receivers.len())
            .filter(|n| scenario.receivers[*n].session == scenario.senders[sender.0].session);
        all.filter(|n| self.way(sender, scenario.receivers[*n].node).contains(&(node, link))).collect()
    }

    /// The nodes that a sender's data goes through to reach a node, and the links it leaves them by.
    pub(super) fn way(&self, sender: SenderId, to: NodeId) -> Vec<(NodeId, LinkId)> {
        self.reference.way(sender, to)
    }
}

/// Whether a request is for a sender's packets.
pub(super) fn selects(request: &Request, sender: SenderId) -> bool {
    request.style == ReservationStyle::Wf || request.flows.iter().any(|flow| flow.filters.contains(&sender))
}

/// Whether a session goes to one node.
pub(super) fn is_unicast(scenario: &Scenario, session: SessionId) -> bool {
    matches!(scenario.sessions[session.0].destination, Destination::Node(_))
}
