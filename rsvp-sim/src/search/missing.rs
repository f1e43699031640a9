//! Errors about senders that are missing (RFC 2205 Appendix B, codes 03 and 04): where routes have changed, what a node off the way says is
//! nobody's business as long as all is reserved on the way that data takes.
//!
//! Deliberately not judged: unicast sessions, which have one previous hop, by turns the old one and the new one while Path messages of an old
//! way still come; errors of WF, which name no sender; and worlds whose links lose or hold up packets, where the node before a receiver
//! may know of no other way.

use super::Failure;
use crate::scenario::model::{NodeId, ReceiverId};
use crate::world::World;
use core::net::IpAddr;
use rsvp_node::{Event, EventKind};
use rsvp_wire::{ErrorCode, ErrorSpec, FilterSpec, Message, Session, Style};
use std::collections::BTreeSet;

/// What nodes have said of missing senders last.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// By which node, of which sender, and the receivers that had all they needed then: the error and what mends it may be under way at
    /// one time.
    needless: BTreeSet<(Session, IpAddr, FilterSpec, ReceiverId)>,
}

fn is_missing(error: &ErrorSpec) -> bool {
    [ErrorCode::NO_PATH, ErrorCode::NO_SENDER].contains(&error.code)
}

fn is_own(world: &World, node: NodeId, error: &ErrorSpec) -> bool {
    world.topology().attachments(node).iter().any(|on| on.address == error.node)
}

impl Missing {
    /// A node sends a ResvErr.
    pub(super) fn sent(&mut self, world: &World, node: NodeId, session: Session, message: &Message<'_>) {
        let (Some(Ok(error)), Some(Ok(style))) = (message.get::<ErrorSpec>(), message.get::<Style>()) else {
            return;
        };
        let scenario = world.scenario();
        let faulty = scenario.links.iter().any(|link| link.loss + link.corrupt + link.reorder > 0.0);
        if faulty
            || !session.destination().is_multicast()
            || !is_missing(&error)
            || !is_own(world, node, &error)
        {
            return;
        }
        let here =
            |n: &usize| world.topology().session(scenario.receivers[*n].session).with_flags(0) == session;
        let receivers: Vec<usize> = (0..scenario.receivers.len()).filter(here).collect();
        for filter in message.objects().filter_map(|object| object.read::<FilterSpec>().ok()) {
            for receiver in receivers.iter().copied().map(ReceiverId) {
                let key = (session, error.node, filter, receiver);
                match world.is_reserved_all_along(receiver, &style, &filter, error.node) {
                    true => self.needless.insert(key),
                    false => self.needless.remove(&key),
                };
            }
        }
    }

    /// An application is told something.
    pub(super) fn told(&self, world: &World, event: &Event) -> Result<(), Failure> {
        let EventKind::ResvError { error, style, filters, .. } = &event.kind else { return Ok(()) };
        let Err(receiver) = world.application_of(event.app) else { return Ok(()) };
        let here = &world.scenario().receivers[receiver.0];
        let session = event.session.with_flags(0);
        let stands = |filter: &FilterSpec| {
            self.needless.contains(&(session, error.node, *filter, receiver))
                && world.is_reserved_all_along(receiver, style, filter, error.node)
        };
        // Its own node says so of what it has no path for.
        let own = is_own(world, here.node, error);
        if own || !is_missing(error) || filters.is_empty() || !filters.iter().all(stands) {
            return Ok(());
        }
        Err(Failure {
            promise: "nobody whose reservation stands is told that its sender is missing",
            at: world.now(),
            seen: format!("{}: was told so by {}", here.name, error.node),
        })
    }
}
