//! Worlds in which not everything fits, or not everybody agrees: what is refused must be refused for a reason, and those
//! who asked must hear of it again and again (RFC 2205 section 3.5).

use super::Failure;
use super::check::Checker;
use super::settled::{Settled, selects, session_agrees};
use crate::reference::{Place, Standing, charge_bps, limit, merge, sum};
use crate::scenario::model::{ReceiverId, ReservationStyle, Scenario, SenderId};
use crate::world::World;
use crate::world::applications::{flowspec, tspec};
use core::time::Duration;
use rsvp_node::{AppId, Instant};
use rsvp_wire::{FilterSpec, Flowspec, Style};
use std::collections::{BTreeMap, BTreeSet};

/// A request without its reservation.
struct Refused {
    /// It would have fitted at every look.
    fits: bool,
    wanted: Flowspec,
    /// The senders for which it was asked together.
    together: Vec<SenderId>,
}

/// Requests that have been without their reservation all the time that was watched.
pub(super) struct Watch {
    since: Duration,
    /// Per receiver and sender; gone when it was once in place.
    refused: Option<BTreeMap<(ReceiverId, SenderId), Refused>>,
}

impl Watch {
    pub(super) fn new(_scenario: &Scenario, since: Duration) -> Self {
        Self { since, refused: None }
    }

    /// Looks at who is without what they asked for.
    pub(super) fn look(&mut self, state: &Settled<'_>) {
        let seen = state.seen();
        let (granted, without): (Vec<Wish<'_>>, Vec<Wish<'_>>) =
            wishes(state, &seen).into_iter().partition(Wish::is_granted);
        let mut refused = BTreeMap::new();
        for wish in without {
            let wanted = wish.wanted;
            // An SE message has one flowspec for all its senders: what was granted to another on the same way, be it for
            // another sender, is asked for this one too, and what this one asks for is asked for the other's senders.
            let (mut merged, mut senders) = (wanted, wish.together.clone());
            for other in granted.iter().filter(|other| other.is_merged_with(&wish)) {
                merged = merge(&merged, &other.wanted);
                senders.extend(&other.together);
            }
            merged = wish.requests_for_others().iter().fold(merged, |merged, other| merge(&merged, other));
            let key = (wish.receiver, wish.sender);
            let together = wish.together.clone();
            let fits = Wish { wanted: merged, together: senders, ..wish }.would_fit_everywhere();
            refused.insert(key, Refused { fits, wanted, together });
        }
        self.refused = Some(match self.refused.take() {
            None => refused,
            Some(before) => {
                refused.retain(|key, now| {
                    before.get(key).is_some_and(|then| {
                        now.fits &= then.fits;
                        true
                    })
                });
                refused
            }
        });
    }

    /// Those who were without all the time have been told, and for none of them would there have been room.
    pub(super) fn judge(&self, world: &World, checker: &Checker, until: Duration) -> Result<(), Failure> {
        let scenario = world.scenario();
        // The blockade's time and a refresh; clocks may be a tenth slow, and messages take their time.
        let gap = scenario.refresh * (2 * scenario.blockade_multiplier + 3) / 2 * 115 / 100
            + Duration::from_secs(2);
        for ((receiver, sender), Refused { fits, wanted, together }) in self.refused.iter().flatten() {
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
            // An SE request can fail because of another sender of the session.
            let shared = scenario.receivers[receiver.0].request.as_ref().map(|r| r.style)
                == Some(ReservationStyle::Se);
            let about_it = |filter: &FilterSpec| {
                shared || together.iter().any(|s| world.topology().sender(*s) == *filter)
            };
            let heard = checker
                .errors
                .iter()
                .filter(|e| e.app == app && (e.filters.is_empty() || e.filters.iter().any(about_it)))
                .map(|e| e.at)
                .filter(|at| *at >= Instant::ZERO + self.since);
            // A request that comes just after a competing one has renewed the blockade upstream waits for that to end,
            // and nobody is told meanwhile (RFC 2205 section 3.5): a turn for each competitor, of which few matter.
            let session = scenario.receivers[receiver.0].session;
            let rivals = self.refused.iter().flatten();
            let rivals: Vec<&Refused> = rivals
                .filter(|((r, _), _)| r != receiver && scenario.receivers[r.0].session == session)
                .map(|(_, rival)| rival)
                .collect();
            let gap = gap * (1 + rivals.len().min(2) as u32);
            let mut last = Instant::ZERO + self.since;
            for at in heard.chain([Instant::ZERO + until]) {
                if at - last > gap {
                    let what = format!("without its reservation, and nothing heard from {last} to {at}");
                    return Err(fail("whoever is refused is told", what));
                }
                last = at;
            }
            // What fails together with another request can be told from it by blockade state only if the other asks for
            // more, and for the same senders: an SE message has one flowspec for all its senders, and blockade state is for
            // each of them (RFC 2205 section 3.5).
            let told_apart = rivals
                .iter()
                .all(|rival| asks_for_more(&rival.wanted, wanted) && rival.together == *together);
            if *fits && told_apart && session_agrees(scenario, session) {
                return Err(fail("what would fit is not refused", "every link has had room".to_owned()));
            }
        }
        Ok(())
    }
}

/// Whether blockade state can leave out `rival` and let `wanted` through (RFC 2205 section 3.5, strictly greater).
fn asks_for_more(rival: &Flowspec, wanted: &Flowspec) -> bool {
    let (a, b) = (rival.tspec(), wanted.tspec());
    let no_less = a.rate >= b.rate && a.bucket >= b.bucket && a.peak >= b.peak;
    no_less && charge_bps(rival) > charge_bps(wanted)
}

/// What a receiver wants for a sender.
struct Wish<'a> {
    state: &'a Settled<'a>,
    seen: &'a BTreeMap<Place, Standing>,
    receiver: ReceiverId,
    sender: SenderId,
    /// The senders that are reserved for together.
    together: Vec<SenderId>,
    style: ReservationStyle,
    wanted: Flowspec,
}

type At = (crate::scenario::model::NodeId, crate::scenario::model::LinkId);

/// All wishes for senders whose data gets there.
fn wishes<'a>(state: &'a Settled<'a>, seen: &'a BTreeMap<Place, Standing>) -> Vec<Wish<'a>> {
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
            // SE and WF are granted or refused as a whole, FF for each sender.
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
    fn node(&self) -> crate::scenario::model::NodeId {
        self.state.world.scenario().receivers[self.receiver.0].node
    }

    /// Where something must stand for all senders that are reserved for together.
    fn ways(&self) -> Vec<At> {
        self.together.iter().flat_map(|s| self.state.way(*s, self.node())).collect()
    }

    fn is_granted(&self) -> bool {
        self.state.way(self.sender, self.node()).iter().all(|at| self.is_in_place(*at))
    }

    fn would_fit_everywhere(&self) -> bool {
        self.ways().iter().all(|at| self.would_fit(*at))
    }

    fn is_merged_with(&self, other: &Self) -> bool {
        let session = |wish: &Self| self.state.world.scenario().senders[wish.sender.0].session;
        let ways = other.ways();
        self.style == ReservationStyle::Se
            && session(self) == session(other)
            && (self.node() == other.node() || self.ways().iter().any(|at| ways.contains(at)))
    }

    /// What else is asked for in the same SE messages on the way, and only for other senders, be it what a refused increase
    /// has left in place: blockade state is for single senders and cannot leave it out for this one.
    fn requests_for_others(&self) -> Vec<Flowspec> {
        let world = self.state.world;
        let session = world.topology().session(world.scenario().senders[self.sender.0].session);
        let sender = world.topology().sender(self.sender);
        let hops = self.ways().into_iter().map(|(node, _)| node);
        let nodes: BTreeSet<_> = hops.chain([self.node()]).collect();
        let requests = nodes.into_iter().flat_map(|node| world.engine(node).requests());
        let shared = self.style == ReservationStyle::Se;
        let for_others = requests.filter(|request| {
            let same = shared
                && request.session.with_flags(0) == session
                && request.style.options == Style::SE.options;
            same && request.flows.iter().all(|(filter, _)| *filter != Some(sender))
        });
        for_others.filter_map(|request| request.flows.first().map(|(_, flowspec)| *flowspec)).collect()
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
    fn limited(&self, asked: &Flowspec, at: At, mut filters: BTreeSet<SenderId>) -> Flowspec {
        // Requests go to each previous hop for the senders behind it.
        filters.extend(self.together.iter().filter(|s| self.state.way(**s, self.node()).contains(&at)));
        let scenario = self.state.world.scenario();
        let session = scenario.senders[self.sender.0].session;
        let sends = |s: &SenderId| {
            let selected = self.style == ReservationStyle::Wf || filters.contains(s);
            let hops = self.state.reference.paths.iter();
            selected && hops.into_iter().any(|((of, _), hop)| of == s && (hop.1, hop.0) == at)
        };
        let traffic = scenario
            .senders_of(session)
            .into_iter()
            .filter(sends)
            .filter_map(|s| self.state.demand.senders[s.0]);
        traffic.map(tspec).reduce(|a, b| sum(&a, &b)).map_or(*asked, |path| limit(asked, &path))
    }

    fn is_in_place(&self, at: At) -> bool {
        self.standing(at).is_some_and(|standing| {
            let selected = standing.filters.is_empty() || standing.filters.contains(&self.sender);
            standing.style == self.style
                && selected
                && charge_bps(&standing.flowspec)
                    >= charge_bps(&self.limited(&self.wanted, at, BTreeSet::new()))
        })
    }

    fn would_fit(&self, at: At) -> bool {
        let used: u64 = self
            .seen
            .iter()
            .filter(|((node, link, ..), _)| (*node, *link) == at)
            .map(|(_, standing)| charge_bps(&standing.flowspec))
            .sum();
        let standing = self.standing(at);
        if standing.is_some_and(|s| s.style != self.style) {
            return false;
        }
        let now = standing.map_or(0, |s| charge_bps(&s.flowspec));
        let effective = self.effective(at);
        let link = &self.state.world.scenario().links[at.1.0];
        used - now + charge_bps(&effective).max(now) <= link.reservable_bps
            && effective.tspec().max_packet_size <= link.mtu
    }
}
