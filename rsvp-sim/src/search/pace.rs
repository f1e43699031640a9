//! Time in a world: no state outlives its lifetime, and once nothing happens any more refreshes keep their pace (RFC 2205
//! section 3.7) and say nothing but what they refresh (section 2.6).
//!
//! What is known of time comes from messages that nodes send and get and from views of what they have; that a message was
//! refused does not matter here, since it only makes the bounds wider.

use super::{Failure, calm_at, lifetime, settled_at};
use crate::scenario::model::{LinkId, NodeId, Scenario};
use crate::world::World;
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::{Instant, Requester};
use rsvp_wire::{
    FilterSpec, Message, MsgType, ResvConfirm, RsvpHop, SenderSelection, SenderTemplate, Session, Style,
};
use std::collections::{BTreeMap, BTreeSet};

/// Clocks tick in steps, and messages wait for each other on a link.
const LEEWAY: Duration = Duration::from_millis(50);

/// State that a neighbour keeps alive: the session, the neighbour, and the sender; none for WF.
type Kept = (Session, IpAddr, Option<FilterSpec>);

/// Remembers when what was refreshed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// From when to when nothing is sent but refreshes.
    quiet: (Instant, Instant),
    /// Per node and message type, when each state was last heard of.
    heard: Vec<BTreeMap<(MsgType, Kept), Instant>>,
    /// Per node, before which time none of the state that it had can be older than its lifetime.
    due: Vec<Instant>,
    /// When a Path was last sent on a link.
    sent: BTreeMap<(NodeId, LinkId, Session, FilterSpec), Instant>,
    /// Sessions in which something was refused.
    failed: BTreeSet<Session>,
}

impl Pace {
    pub(super) fn new(scenario: &Scenario) -> Self {
        // What was left behind has timed out by then, by the slowest of clocks.
        let from = calm_at(scenario) + lifetime(scenario) * 3 / 2;
        Self {
            quiet: (Instant::ZERO + from, Instant::ZERO + settled_at(scenario)),
            heard: vec![BTreeMap::new(); scenario.nodes.len()],
            due: vec![Instant::ZERO; scenario.nodes.len()],
            sent: BTreeMap::new(),
            failed: BTreeSet::new(),
        }
    }

    /// A node got a message.
    pub(super) fn arrived(&mut self, now: Instant, node: NodeId, octets: &[u8]) {
        let Ok(message) = Message::parse(octets) else { return };
        let kind = message.msg_type();
        let (Some(Ok(session)), Some(Ok(hop))) = (message.get::<Session>(), message.get::<RsvpHop>()) else {
            return;
        };
        let mut note = |sender| {
            self.heard[node.0].insert((kind, (session.with_flags(0), hop.address, sender)), now);
        };
        match kind {
            MsgType::PATH => {
                if let Some(Ok(sender)) = message.get::<SenderTemplate>() {
                    note(Some(sender.0));
                }
            }
            MsgType::RESV => {
                let style = message.get::<Style>().and_then(Result::ok);
                if style.is_some_and(|s| s.sender_selection() == SenderSelection::Wildcard) {
                    note(None);
                }
                message.objects().filter_map(|o| o.read::<FilterSpec>().ok()).for_each(|f| note(Some(f)));
            }
            _ => {}
        }
    }

    /// No state that a node has is older than its lifetime. What is new, or was refreshed, since this was looked at cannot
    /// be before what was the oldest then.
    pub(super) fn nothing_is_stale(&mut self, world: &World, node: NodeId) -> Result<(), Failure> {
        if world.now() <= self.due[node.0] {
            return Ok(());
        }
        let scenario = world.scenario();
        let lives = by_the_clock(scenario, node, lifetime(scenario)) + LEEWAY;
        let mut oldest = world.now();
        let mut look = |kind: MsgType, kept: Kept| {
            let heard = self.heard[node.0].get(&(kind, kept)).copied().unwrap_or_default();
            oldest = oldest.min(heard);
            if world.now() - heard <= lives {
                return Ok(());
            }
            let (session, neighbour, sender) = kept;
            let name = &scenario.nodes[node.0].name;
            let seen = format!(
                "{name}: state for {sender:?} of {session} from {neighbour}, last refreshed at {heard}"
            );
            Err(Failure { promise: "no state outlives its lifetime", at: world.now(), seen })
        };
        let engine = world.engine(node);
        for path in engine.senders() {
            let Some(hop) = path.previous_hop else { continue };
            look(MsgType::PATH, (path.session.with_flags(0), hop, Some(path.sender.0)))?;
        }
        for request in engine.requests() {
            let Requester::NextHop { address, .. } = request.from else { continue };
            let session = request.session.with_flags(0);
            request.flows.iter().try_for_each(|(f, _)| look(MsgType::RESV, (session, address, *f)))?;
        }
        self.due[node.0] = oldest + lives;
        Ok(())
    }

    /// A node sent a message. The error says what is wrong with it.
    pub(super) fn sent(
        &mut self,
        world: &World,
        node: NodeId,
        link: LinkId,
        message: &Message<'_>,
    ) -> Result<(), String> {
        let (now, (from, to)) = (world.now(), self.quiet);
        let session = || message.get::<Session>().and_then(Result::ok).map(|session| session.with_flags(0));
        // What has failed is tried again by refreshes, with the wish for confirmation that had no other answer.
        if message.msg_type() == MsgType::RESV_ERR {
            self.failed.extend(session());
        }
        if now < from || now >= to {
            return Ok(());
        }
        match message.msg_type() {
            MsgType::RESV
                if message.get::<ResvConfirm>().is_some()
                    && !session().is_some_and(|session| self.failed.contains(&session)) =>
            {
                Err("a confirmation is asked for again".to_owned())
            }
            MsgType::PATH => {
                let (Some(Ok(session)), Some(Ok(sender))) =
                    (message.get::<Session>(), message.get::<SenderTemplate>())
                else {
                    return Ok(());
                };
                let key = (node, link, session.with_flags(0), sender.0);
                let Some(before) = self.sent.insert(key, now) else { return Ok(()) };
                let refresh = by_the_clock(world.scenario(), node, world.scenario().refresh);
                let (least, most) = (refresh / 2, refresh * 3 / 2);
                let gap = now - before;
                if gap + LEEWAY < least || gap > most + LEEWAY {
                    return Err(format!("Path for {} after {gap:?}, not {least:?} to {most:?}", sender.0));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// How long a node takes for what its clock shows as `shown`.
fn by_the_clock(scenario: &Scenario, node: NodeId, shown: Duration) -> Duration {
    let pace = 1_000_000 + i128::from(scenario.nodes[node.0].clock_ppm);
    let micros = shown.as_micros() as i128 * 1_000_000 / pace.max(1);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
