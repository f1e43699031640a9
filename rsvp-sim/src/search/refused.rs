//! Worlds in which not everything fits, or not everybody agrees: what is refused must be refused for a reason, and those
//! who asked must hear of it again and again (RFC 2205 section 3.5).
//!
//! A request that would fit may be without its reservation only if blockade state cannot tell it from another that does
//! not fit. What tells them apart is what failed: rates for want of bandwidth, the bucket where other software refuses it,
//! and the packet size alone where packets are too large. An SE message has one flowspec for all its senders: where they
//! cannot all have it, the smaller goes up, and a sender for whom nothing fits is left out (section 2.5).

use super::Failure;
use super::check::Checker;
use super::settled::{Settled, session_agrees};
use super::wishes::{Lack, Wish, less_in_rates, no_more_in_rates, wishes};
use crate::reference::{Demand, merge};
use crate::scenario::model::{ReceiverId, ReservationStyle, SenderId, SessionId};
use crate::world::World;
use core::time::Duration;
use rsvp_node::{AppId, Instant};
use rsvp_wire::{FilterSpec, Flowspec};
use std::collections::BTreeMap;

/// A request without its reservation.
#[derive(Clone)]
struct Refused {
    /// What was lacking at some look, and what at every look.
    once: Lack,
    always: Lack,
    /// At some look a request for another sender, which fits and asks for no more, would not have fitted beside it.
    conflict: bool,
    /// At some look something stood for this sender on its way, be it less: then the sender is not given up for others.
    held: bool,
    wanted: Flowspec,
    style: ReservationStyle,
    /// The senders for which it was asked together.
    together: Vec<SenderId>,
}

impl Refused {
    fn join(&mut self, later: &Self) {
        self.once = self.once.or(later.once);
        self.always = self.always.and(later.always);
        self.conflict |= later.conflict;
        self.held |= later.held;
    }
}

/// Requests that have been without their reservation all the time that was watched.
pub(super) struct Watch {
    since: Duration,
    /// Per receiver and sender; gone when it was once in place.
    refused: Option<BTreeMap<(ReceiverId, SenderId), Refused>>,
    /// The same for all that was once refused, or is asked for in vain though senders send so little that nobody misses it:
    /// what others may have failed together with.
    rivals: BTreeMap<(ReceiverId, SenderId), Refused>,
}

impl Watch {
    pub(super) fn new(since: Duration) -> Self {
        Self { since, refused: None, rivals: BTreeMap::new() }
    }

    /// Looks at who is without what they asked for.
    pub(super) fn look(&mut self, state: &Settled<'_>) {
        let seen = state.seen();
        let all = wishes(state, &seen);
        let mut refused = BTreeMap::new();
        for wish in &all {
            let key = (wish.receiver, wish.sender);
            let (granted, lack) = (wish.is_granted(), wish.lack_for(&wish.wanted));
            if granted && lack.nothing() {
                continue;
            }
            let conflict = !granted && conflicts(state, wish, &all);
            let (wanted, style, together) = (wish.wanted, wish.style, wish.together.clone());
            let held = wish.has_something();
            let now = Refused { once: lack, always: lack, conflict, held, wanted, style, together };
            self.rivals.entry(key).and_modify(|then| then.join(&now)).or_insert_with(|| now.clone());
            match &self.refused {
                _ if granted => {}
                None => drop(refused.insert(key, now)),
                Some(before) => {
                    if let Some(mut then) = before.get(&key).cloned() {
                        then.join(&now);
                        refused.insert(key, then);
                    }
                }
            }
        }
        self.refused = Some(refused);
    }

    /// Those who were without all the time have been told, and for none of them would there have been room.
    pub(super) fn judge(
        &self,
        world: &World,
        demand: &Demand,
        checker: &Checker,
        until: Duration,
    ) -> Result<(), Failure> {
        let scenario = world.scenario();
        for (key, refused) in self.refused.iter().flatten() {
            let (receiver, sender) = key;
            let app = AppId((scenario.senders.len() + receiver.0) as u32);
            if checker.refused.contains(&app) {
                continue;
            }
            let name = &scenario.receivers[receiver.0].name;
            let about = &scenario.senders[sender.0].name;
            let fail = |promise, what: String| Failure {
                promise,
                at: world.now(),
                seen: format!("{name} for {about}: {what}"),
            };
            let session = scenario.receivers[receiver.0].session;
            self.is_told(world, checker, until, key, refused)
                .map_err(|what| fail("whoever is refused is told", what))?;
            let mut rivals =
                self.rivals.iter().filter(|((r, _), _)| scenario.receivers[r.0].session == session);
            let fits = refused.once.nothing() && !refused.conflict;
            if fits
                && session_agrees(scenario, demand, session)
                && !self.somebody_gave_up(world, checker, session)
                && rivals.all(|rival| rival.0 == key || is_told_apart(*sender, refused, rival.0.1, rival.1))
            {
                return Err(fail("what would fit is not refused", "every link has had room".to_owned()));
            }
        }
        Ok(())
    }

    /// Whether an application of a session was refused at once by its own node: it does not try again, and what it had
    /// stands.
    fn somebody_gave_up(&self, world: &World, checker: &Checker, session: SessionId) -> bool {
        let mut refused = checker.refused.iter().filter_map(|app| world.application_of(*app).err());
        refused.any(|receiver| world.scenario().receivers[receiver.0].session == session)
    }

    /// Whether a receiver without its reservation has heard of it, again and again. The error says what is wrong.
    fn is_told(
        &self,
        world: &World,
        checker: &Checker,
        until: Duration,
        &(receiver, sender): &(ReceiverId, SenderId),
        refused: &Refused,
    ) -> Result<(), String> {
        let scenario = world.scenario();
        let session = scenario.receivers[receiver.0].session;
        let app = AppId((scenario.senders.len() + receiver.0) as u32);
        // An SE request can fail because of another sender of the session.
        let shared = refused.style == ReservationStyle::Se;
        let about_it = |filter: &FilterSpec| {
            shared || refused.together.iter().any(|s| world.topology().sender(*s) == *filter)
        };
        let heard = checker
            .errors
            .iter()
            .filter(|e| e.app == app && (e.filters.is_empty() || e.filters.iter().any(about_it)))
            .map(|e| e.at);
        // In WF a request goes up for all senders behind a previous hop, and fails for all of them; but the error goes no
        // further than the data of those for whom it failed (section 3.4).
        let (key, of) = (world.topology().session(session), world.topology().sender(sender).address());
        let elsewhere = checker
            .scoped
            .iter()
            .filter(|e| refused.style == ReservationStyle::Wf && e.session == key && !e.scope.contains(&of))
            .map(|e| e.at);
        let mut heard: Vec<Instant> =
            heard.chain(elsewhere).filter(|at| *at >= Instant::ZERO + self.since).collect();
        heard.sort_unstable();
        // The blockade's time and a refresh; clocks may be a tenth slow, and messages take their time. A request that
        // comes just after a competing one has renewed the blockade upstream waits for that to end, and nobody is told
        // meanwhile (RFC 2205 section 3.5): a turn for each competitor, of which few matter.
        let gap = scenario.refresh * (2 * scenario.blockade_multiplier + 3) / 2 * 115 / 100
            + Duration::from_secs(2);
        let rivals = self.refused.iter().flatten();
        let rivals =
            rivals.filter(|((r, _), _)| *r != receiver && scenario.receivers[r.0].session == session);
        let gap = gap * (1 + rivals.count().min(2) as u32);
        let mut last = Instant::ZERO + self.since;
        for at in heard.into_iter().chain([Instant::ZERO + until]) {
            if at - last > gap {
                return Err(format!("without its reservation, and nothing heard from {last} to {at}"));
            }
            last = at;
        }
        Ok(())
    }
}

/// Whether an SE request that fits for its own sender cannot go up all the same, because the same message asks for another
/// sender for whom it does not fit, or for whom something fits that makes the merge too much here, and that asks for no more.
fn conflicts(state: &Settled<'_>, wish: &Wish<'_>, all: &[Wish<'_>]) -> bool {
    let scenario = state.world.scenario();
    let session = |sender: SenderId| scenario.senders[sender.0].session;
    wish.style == ReservationStyle::Se
        && all.iter().any(|other| {
            session(other.sender) == session(wish.sender)
                && other.sender != wish.sender
                && !less_in_rates(&wish.wanted, &other.wanted)
                && other.lack_for(&other.wanted).nothing()
                && (!other.lack_for(&wish.wanted).nothing()
                    || !wish.lack_for(&merge(&wish.wanted, &other.wanted)).nothing())
        })
}

/// Whether blockade state can let a request through that fits, and leave out another that does not.
fn is_told_apart(sender: SenderId, fits: &Refused, rival_for: SenderId, rival: &Refused) -> bool {
    let (wanted, other) = (&fits.wanted, &rival.wanted);
    match fits.style {
        ReservationStyle::Ff if sender != rival_for => return true,
        // A sender for whom nothing fits leaves the message, unless something is in place for it; while it is in there, the
        // smaller goes up, limited to what more senders send than it would be alone.
        ReservationStyle::Se if sender != rival_for && rival.held => return false,
        ReservationStyle::Se if sender != rival_for && !rival.always.nothing() => {
            let packets =
                !rival.once.packet || wanted.tspec().max_packet_size < other.tspec().max_packet_size;
            return no_more_in_rates(wanted, other) && packets;
        }
        _ => {}
    }
    let (a, b) = (wanted.tspec(), other.tspec());
    let enough = !rival.once.bandwidth;
    let too_large_packets = rival.always.packet && enough && !rival.once.bucket;
    let too_large_bucket = rival.always.bucket
        && enough
        && !rival.once.packet
        && no_more_in_rates(wanted, other)
        && a.bucket < b.bucket
        && a.min_policed_unit >= b.min_policed_unit
        && slack(wanted) >= slack(other);
    less_in_rates(wanted, other) || too_large_packets || too_large_bucket
}

fn slack(flowspec: &Flowspec) -> u32 {
    match flowspec {
        Flowspec::Guaranteed(_, rspec) => rspec.slack,
        _ => 0,
    }
}
