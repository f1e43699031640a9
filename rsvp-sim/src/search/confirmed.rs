//! Whoever forwards a request does not confirm it (RFC 2205 section 2.6): when a node's answer to an input is a Resv
//! with more for some sender than the one before, it does not say that this sender's reservation is there. What another request
//! has on its way upstream at that time is another matter, and deliberately not judged.

use super::Failure;
use crate::scenario::model::NodeId;
use crate::world::World;
use core::net::IpAddr;
use rsvp_node::{AppId, Event, EventKind};
use rsvp_wire::{ErrorSpec, FilterSpec, Flowspec, Message, Session, flow_descriptors};
use std::collections::{BTreeMap, BTreeSet};

/// A node, a previous hop of it, a session.
type ToHop = (NodeId, IpAddr, Session);

/// A Resv that was sent since the last input, and the one before it.
struct Sent {
    to: ToHop,
    before: Option<Vec<u8>>,
}

impl core::fmt::Debug for Sent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.to)
    }
}

/// A confirmation that a node gave since then.
#[derive(Debug)]
struct Confirmed {
    by: NodeId,
    /// The application that was told, if it was one of the node itself.
    told: Option<AppId>,
    session: Session,
    filters: Vec<FilterSpec>,
}

/// Remembers what was asked of previous hops, and what is confirmed.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    last: BTreeMap<ToHop, Vec<u8>>,
    sent: Vec<Sent>,
    confirmed: Vec<Confirmed>,
}

impl Confirmations {
    pub(super) fn resv_sent(&mut self, to: ToHop, octets: &[u8]) {
        let before = self.last.insert(to, octets.to_vec());
        self.sent.push(Sent { to, before });
    }

    /// Whether a node has asked a previous hop for something.
    pub(super) fn has_asked(&self, to: &ToHop) -> bool {
        self.last.contains_key(to)
    }

    pub(super) fn crashed(&mut self, node: NodeId) {
        self.last.retain(|(at, ..), _| *at != node);
    }

    /// A node sent a ResvConf; one that it passes on is not its own.
    pub(super) fn resv_conf_sent(
        &mut self,
        world: &World,
        by: NodeId,
        session: Session,
        message: &Message<'_>,
    ) {
        let own = message.get::<ErrorSpec>().and_then(Result::ok).map(|e| e.node);
        if own.and_then(|address| world.topology().owner(address)) == Some(by) {
            let filters = message.objects().filter_map(|o| o.read().ok()).collect();
            self.confirmed.push(Confirmed { by, told: None, session, filters });
        }
    }

    /// A receiver was told of a confirmation, perhaps by its own node.
    pub(super) fn told(&mut self, world: &World, event: &Event) {
        let EventKind::ResvConfirm { node, filters, .. } = &event.kind else { return };
        let Err(receiver) = world.application_of(event.app) else { return };
        let by = world.scenario().receivers[receiver.0].node;
        if world.topology().owner(*node) == Some(by) {
            let (session, filters) = (event.session.with_flags(0), filters.clone());
            self.confirmed.push(Confirmed { by, told: Some(event.app), session, filters });
        }
    }

    /// Judges what an engine has done about one input, which was what an application asked for, or something else.
    pub(super) fn input_is_over(&mut self, world: &World, asked: Option<AppId>) -> Result<(), Failure> {
        let (sent, confirmed) = (core::mem::take(&mut self.sent), core::mem::take(&mut self.confirmed));
        // A wish that waited for a sender is not what made its node ask for more.
        let caused =
            confirmed.into_iter().filter(|confirmed| confirmed.told.is_none_or(|app| asked == Some(app)));
        for Confirmed { by, session, filters, .. } in caused {
            let sent = sent.iter().filter(|s| s.to.0 == by && s.to.2 == session);
            let grown: Vec<(IpAddr, Vec<Option<FilterSpec>>)> = sent
                .map(|sent| (sent.to.1, self.grown(sent)))
                .filter(|(_, grown)| !grown.is_empty())
                .collect();
            let about = |filter: &Option<FilterSpec>| filter.is_some_and(|f| filters.contains(&f));
            let explicit = grown.iter().find(|(_, grown)| grown.iter().any(about)).map(|(to, _)| *to);
            let wildcard =
                grown.first().filter(|_| filters.is_empty() && is_all(world, by, &session, &grown));
            if let Some(to) = explicit.or_else(|| wildcard.map(|(to, _)| *to)) {
                let name = &world.scenario().nodes[by.0].name;
                let seen = format!("{name}: confirmed {filters:?} of {session}, and asks {to} for more");
                let promise = "nobody is confirmed by a node that forwards the request";
                return Err(Failure { promise, at: world.now(), seen });
            }
        }
        Ok(())
    }

    /// The senders for which a Resv asks for more than the one before.
    fn grown(&self, sent: &Sent) -> Vec<Option<FilterSpec>> {
        let before = sent.before.as_deref().map(flows).unwrap_or_default();
        let now = self.last.get(&sent.to).map(|octets| flows(octets)).unwrap_or_default();
        let more = |filter: &Option<FilterSpec>, flowspec: &Flowspec| {
            before.get(filter).is_none_or(|before| asks_for_more(flowspec, before))
        };
        now.iter().filter(|(filter, flowspec)| more(filter, flowspec)).map(|(filter, _)| *filter).collect()
    }
}

/// Whether a wildcard request went further to all there are: a node that is the end for some of it confirms that much.
fn is_all(
    world: &World,
    node: NodeId,
    session: &Session,
    grown: &[(IpAddr, Vec<Option<FilterSpec>>)],
) -> bool {
    let senders = world.engine(node).senders().filter(|s| s.session == *session && !s.local_only);
    let hops: BTreeSet<Option<IpAddr>> = senders.map(|s| s.previous_hop).collect();
    hops.iter().all(|hop| hop.is_some_and(|hop| grown.iter().any(|(to, _)| *to == hop)))
}

fn flows(octets: &[u8]) -> BTreeMap<Option<FilterSpec>, Flowspec> {
    let Ok(message) = Message::parse(octets) else { return BTreeMap::new() };
    let read = flow_descriptors(&message).filter_map(|descriptor| {
        let flowspec = descriptor.flowspec?.read().ok()?;
        Some((descriptor.filter.and_then(|f| f.read().ok()), flowspec))
    });
    read.collect()
}

/// Whether one flowspec asks for more than another in anything that can be refused.
fn asks_for_more(a: &Flowspec, b: &Flowspec) -> bool {
    let (s, t) = (a.tspec(), b.tspec());
    let more = match (a, b) {
        (Flowspec::Guaranteed(_, a), Flowspec::Guaranteed(_, b)) => a.rate > b.rate || a.slack < b.slack,
        _ => a.service() != b.service(),
    };
    more || s.rate > t.rate
        || s.bucket > t.bucket
        || s.peak > t.peak
        || s.min_policed_unit < t.min_policed_unit
        || s.max_packet_size > t.max_packet_size
}
