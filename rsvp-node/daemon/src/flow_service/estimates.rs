//! What the network has on the ways of adaptive flows: questions, admission by it, and wishes to be told.
//!
//! A way is measured when somebody asks and what is known is too old, and again and again while somebody waits for a change or tracks its
//! host. How it is measured is deliberately not known here: [`EngineAccess::measure`] is asked, and [`FlowService::measured`] is told.

use super::{FlowService, aborted, invalid, problem};
use crate::control::service::{ClientId, EngineAccess};
use rsvp_control::flows::{Fundamentals, Notify, OutgoingRate, Query, What, When};
use rsvp_control::rows::FlowRow;
use rsvp_control::{Done, Problem};
use rsvp_node::qos::Transport;
use rsvp_node::{Instant, ReservationId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What was measured counts for this long unless it has to be fresh.
const KEPT_US: u64 = 5_000_000;
/// How often a way is measured while somebody waits for a change of it, and while its host is tracked.
const SOON_US: u64 = 300_000;
const NOW_AND_THEN_US: u64 = 4_000_000;
/// What a client may have measured, and wait for.
const MOST_TRACKED: usize = 16;
const MOST_ASKED: usize = 1_024;

/// A way that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The host at its end.
    pub host: IpAddr,
    /// A connection to it whose own figures help, where nobody answers there: cookie and port of the peer.
    pub connection: Option<(u64, u16)>,
}

/// What was measured; nothing where it cannot be.
pub type Measured = Option<Fundamentals>;

/// What is known, and who waits for what.
#[derive(Debug, Default)]
pub(super) struct Estimates {
    known: BTreeMap<Target, (Measured, Instant)>,
    /// What is being measured.
    under_way: BTreeSet<Target>,
    tracked: BTreeSet<(ClientId, IpAddr)>,
    asks: Vec<Ask>,
    /// What was measured, and waits for how much flows themselves have sent meanwhile.
    uncounted: Vec<(Target, Measured)>,
    /// Counts are wanted; they are on their way.
    wants_counts: bool,
    is_counting: bool,
}

/// A question that waits.
#[derive(Debug)]
struct Ask {
    asked: (ClientId, u64),
    flow: u64,
    target: Target,
    kind: Kind,
    /// What was measured before this does not count.
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Query,
    Admit(OutgoingRate),
    Notify(When, u64),
}

impl Estimates {
    pub(super) fn gone(&mut self, client: ClientId) {
        self.tracked.retain(|(of, _)| *of != client);
        self.asks.retain(|ask| ask.asked.0 != client);
    }

    /// How old what is known of a way may be, as far as somebody wants it; nothing if nobody does.
    fn wanted_every(&self, target: &Target) -> Option<u64> {
        let asked = self.asks.iter().filter(|ask| ask.target == *target).map(|ask| match ask.kind {
            Kind::Notify(..) => SOON_US,
            Kind::Query | Kind::Admit(_) => 0,
        });
        let is_tracked =
            target.connection.is_none() && self.tracked.iter().any(|(_, host)| *host == target.host);
        asked.chain(is_tracked.then_some(NOW_AND_THEN_US)).min()
    }

    fn targets(&self) -> BTreeSet<Target> {
        let tracked = self.tracked.iter().map(|(_, host)| Target { host: *host, connection: None });
        self.asks.iter().map(|ask| ask.target).chain(tracked).collect()
    }

    /// When a way is to be measured next.
    fn due(&self, target: &Target) -> Option<Instant> {
        if self.under_way.contains(target) {
            return None;
        }
        let every = self.wanted_every(target)?;
        let (_, at) = self.known.get(target)?;
        Some(Instant(at.as_micros().saturating_add(every)))
    }
}

impl FlowService {
    pub(super) fn query(
        &mut self,
        asked: (ClientId, u64),
        query: &Query,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let shape_only_marks = self.limits.shape_only_marks;
        let flow = self.own(asked.0, query.flow)?;
        if query.fresh && query.what != What::Fundamentals {
            return Err(invalid("only fundamentals are measured: nothing else is asked for `fresh`"));
        }
        match query.what {
            What::PacketPriority => {
                let marks = Some(flow.marks(flow.is_on_link(), shape_only_marks));
                Ok(Some(Done { marks, ..Done::default() }))
            }
            What::OutgoingRate => {
                let missing = || problem("no-data", format!("flow {} has no rate", query.flow));
                let rate = Some(flow.settings.rate.ok_or_else(missing)?);
                Ok(Some(Done { rate, ..Done::default() }))
            }
            What::Fundamentals => self.ask(asked, query.flow, Kind::Query, query.fresh, access),
        }
    }

    pub(super) fn notify(
        &mut self,
        asked: (ClientId, u64),
        notify: &Notify,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let flow = self.own(asked.0, notify.flow)?;
        let rate = flow.settings.rate.map(|rate| rate.bandwidth_bps);
        let wanted = match (notify.when, notify.bandwidth_bps, rate) {
            (When::Available, Some(bps), _) if bps > 0 => bps,
            (When::Available, ..) => return Err(invalid("say for how much: `bandwidth_bps`")),
            (_, Some(_), _) => return Err(invalid("`bandwidth_bps` is for `available` alone")),
            (_, None, Some(rate)) => rate,
            (_, None, None) => {
                let message = format!("flow {} has no rate that could be too much: set one", notify.flow);
                return Err(problem("no-data", message));
            }
        };
        let same = |ask: &super::estimates::Ask| {
            ask.flow == notify.flow && matches!(ask.kind, Kind::Notify(when, _) if when == notify.when)
        };
        if self.estimates.asks.iter().any(same) {
            let message = format!("flow {} waits for that already: a wish of a kind at a time", notify.flow);
            return Err(problem("already-exists", message));
        }
        self.ask(asked, notify.flow, Kind::Notify(notify.when, wanted), false, access)
    }

    pub(super) fn admit(
        &mut self,
        asked: (ClientId, u64),
        flow: u64,
        rate: OutgoingRate,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        self.ask(asked, flow, Kind::Admit(rate), false, access)
    }

    fn ask(
        &mut self,
        asked: (ClientId, u64),
        number: u64,
        kind: Kind,
        fresh: bool,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let flow = self.own(asked.0, number)?;
        if !flow.adaptive {
            let message = format!("flow {number} is not adaptive: nothing is measured for it");
            return Err(problem("not-supported", message));
        }
        let Some(((cookie, peer), member)) = flow.members.first_key_value() else {
            return Err(problem("no-data", format!("flow {number} has no socket")));
        };
        let connection = (member.transport == Transport::Tcp).then_some((*cookie, peer.port()));
        let target = Target { host: peer.ip(), connection };
        if self.estimates.asks.len() >= MOST_ASKED {
            return Err(problem("no-system-resources", "too much is waited for: try again later"));
        }
        let now = access.now();
        let since = if fresh { now.as_micros() } else { now.as_micros().saturating_sub(KEPT_US) };
        let ask = Ask { asked, flow: number, target, kind, since: Instant(since) };
        let known = self.known(&target, ask.since);
        self.estimates.asks.push(ask);
        match known {
            Some(known) => self.look_at_asks(&target, &known, access),
            None => self.measure(target, access),
        }
        Ok(None)
    }

    /// What is known of a way that is no older: what was measured for its host's sake counts, too, unless nothing answered.
    fn known(&self, target: &Target, since: Instant) -> Option<Measured> {
        let of_host = Target { connection: None, ..*target };
        let found = |target: &Target| self.estimates.known.get(target).filter(|(_, at)| *at >= since);
        let host = found(&of_host).filter(|(known, _)| known.is_some());
        found(target).or(host).map(|(known, _)| known.clone())
    }

    fn measure(&mut self, target: Target, access: &mut dyn EngineAccess) {
        if self.estimates.under_way.insert(target) {
            self.estimates.wants_counts = true;
            access.measure(target);
        }
    }

    /// A way was measured, or cannot be. What flows have sent there meanwhile was in the way of that, and is theirs.
    pub fn measured(&mut self, target: Target, measured: Measured) {
        self.estimates.uncounted.push((target, measured));
        self.estimates.wants_counts = true;
    }

    /// Whether it is to be counted what flows have sent.
    #[must_use]
    pub const fn wants_counts(&self) -> bool {
        self.estimates.wants_counts
    }

    /// They are being counted.
    pub fn counts(&mut self) {
        self.estimates.is_counting |= core::mem::take(&mut self.estimates.wants_counts);
    }

    /// What was counted of flows by hand, or why nothing was.
    pub fn counted(
        &mut self,
        flows: &Result<BTreeMap<ReservationId, FlowRow>, String>,
        access: &mut dyn EngineAccess,
    ) {
        if !core::mem::take(&mut self.estimates.is_counting) {
            return;
        }
        if let Ok(rows) = flows {
            self.count(rows, access.now());
        }
        for (target, measured) in core::mem::take(&mut self.estimates.uncounted) {
            self.known_now(target, measured, access);
        }
    }

    fn known_now(&mut self, target: Target, measured: Measured, access: &mut dyn EngineAccess) {
        self.estimates.under_way.remove(&target);
        let now = access.now();
        self.estimates.known.insert(target, (measured.clone(), now));
        self.look_at_asks(&target, &measured, access);
        // What nobody wants to know any more is forgotten.
        let old = Instant(now.as_micros().saturating_sub(2 * KEPT_US));
        let wanted = self.estimates.targets();
        self.estimates.known.retain(|target, (_, at)| *at >= old || wanted.contains(target));
    }

    /// Answers what can be answered now.
    fn look_at_asks(&mut self, target: &Target, measured: &Measured, access: &mut dyn EngineAccess) {
        let asks = core::mem::take(&mut self.estimates.asks);
        let (of_target, others): (Vec<_>, Vec<_>) = asks.into_iter().partition(|ask| ask.target == *target);
        self.estimates.asks = others;
        for ask in of_target {
            let at = self.estimates.known.get(target).map(|(_, at)| *at);
            let is_old = at.is_some_and(|at| at < ask.since);
            match self.look_at(&ask, measured, access) {
                _ if is_old => self.estimates.asks.push(ask),
                Some(Ok(None)) => {}
                Some(Ok(Some(done))) => self.answers.push_back((ask.asked.0, ask.asked.1, Ok(done))),
                Some(Err(problem)) => self.answers.push_back((ask.asked.0, ask.asked.1, Err(problem))),
                None => self.estimates.asks.push(ask),
            }
        }
        if self.estimates.wanted_every(target) == Some(0) {
            self.measure(*target, access);
        }
    }

    /// What a question comes to; nothing while it waits on.
    fn look_at(
        &mut self,
        ask: &Ask,
        measured: &Measured,
        access: &mut dyn EngineAccess,
    ) -> Option<Result<Option<Done>, Problem>> {
        let nothing = || {
            let host = ask.target.host;
            let message = format!(
                "what the network has on the way to {host} is not known: nobody answers there (`[responder]` in rsvpd.toml), and no \
                 connection says it"
            );
            problem("not-supported", message)
        };
        let own = self.sent_bps(ask.flow);
        let measured = measured.clone().map(|known| with_own(known, own));
        let known = measured.as_ref();
        match ask.kind {
            Kind::Query => {
                let known = known.cloned().ok_or_else(nothing);
                Some(known.map(|known| Some(Done { fundamentals: Some(known), ..Done::default() })))
            }
            Kind::Admit(rate) => {
                // Where nothing is known, a rate is held to and nobody is asked.
                let available = known.and_then(|known| known.available_bps);
                if let Some(available) = available.filter(|available| *available < rate.bandwidth_bps) {
                    let message = format!(
                        "the network has {available} bit/s left on the way to {}, not {}: ask for less, or wait until it is available",
                        ask.target.host, rate.bandwidth_bps
                    );
                    return Some(Err(problem("network-busy", message)));
                }
                Some(self.set_rate(ask.asked, ask.flow, rate, access))
            }
            Kind::Notify(when, bps) => {
                let Some(available) = known.and_then(|known| known.available_bps) else {
                    return Some(Err(nothing()));
                };
                let is_so = match when {
                    When::Congested => available < bps,
                    When::Uncongested | When::Available => available >= bps,
                };
                is_so.then(|| Ok(Some(Done::default())))
            }
        }
    }

    /// Nobody waits for what the network has for a flow any more.
    pub(super) fn end_asking(&mut self, flow: u64) {
        for ask in self.estimates.asks.extract_if(.., |ask| ask.flow == flow) {
            self.answers.push_back((ask.asked.0, ask.asked.1, Err(aborted())));
        }
    }

    /// A request is given up; whether it was one of these.
    pub(super) fn cancel_asking(&mut self, asked: (ClientId, u64)) -> bool {
        let before = self.estimates.asks.len();
        self.estimates.asks.retain(|ask| ask.asked != asked);
        self.estimates.asks.len() < before
    }

    pub(super) fn track(
        &mut self,
        client: ClientId,
        host: IpAddr,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let host = host.to_canonical();
        if host.is_unspecified() || host.is_multicast() {
            return Err(invalid(format!("{host} is no host")));
        }
        if self.estimates.tracked.iter().filter(|(of, _)| *of == client).count() >= MOST_TRACKED {
            let message = format!("one connection tracks {MOST_TRACKED} hosts at most");
            return Err(problem("quota", message));
        }
        self.estimates.tracked.insert((client, host));
        let target = Target { host, connection: None };
        if self.estimates.known.get(&target).is_none_or(|(known, _)| known.is_none()) {
            self.measure(target, access);
        }
        Ok(Done::default())
    }

    pub(super) fn untrack(&mut self, client: ClientId, host: IpAddr) -> Result<Done, Problem> {
        let host = host.to_canonical();
        if self.estimates.tracked.remove(&(client, host)) {
            return Ok(Done::default());
        }
        Err(problem("not-found", format!("{host} is not tracked by this connection")))
    }

    /// When something is to be measured.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.estimates.targets().iter().filter_map(|target| self.estimates.due(target)).min()
    }

    /// Has measured what time has come for.
    pub fn tick(&mut self, access: &mut dyn EngineAccess) {
        let now = access.now();
        for target in self.estimates.targets() {
            if self.estimates.due(&target).is_some_and(|due| due <= now) {
                self.measure(target, access);
            }
        }
    }
}

/// What a flow sends itself is left for it.
fn with_own(known: Fundamentals, own_bps: u64) -> Fundamentals {
    let most = known.bottleneck_bps.unwrap_or(u64::MAX);
    let available_bps = known.available_bps.map(|left| left.max(left.saturating_add(own_bps).min(most)));
    Fundamentals { available_bps, ..known }
}
