//! The phases of a run. Between those that are measured state is made whole again.

use super::clock::resident;
use super::measured::{Measured, Octets, Phase};
use super::messages::{DOWNSTREAM, Family, Neighbours, Said, Shape, UPSTREAM};
use super::router::Router;
use rsvp_node::{Instant, InterfaceId};
use std::time::Duration;

/// R of all neighbours.
const PERIOD: Duration = Duration::from_secs(30);
/// Sessions whose routes change.
const MOVED: u32 = 100_000;
/// The time in which what an event has begun comes to rest: more than W of local repair, twice.
const REST: Duration = Duration::from_secs(5);
/// The time in which nothing dies that nobody refreshes, and that after which all is gone: L = (K + 0.5) * 1.5 * R = 157.5 s
/// for K = 3, from when it was made whole last.
const ALIVE: Duration = Duration::from_secs(150);
const DEAD: Duration = Duration::from_secs(10);

/// A run: the router, its neighbours, the orders in which they speak.
struct Run<'p> {
    router: Router,
    neighbours: Neighbours,
    /// All path states, and all reservations, in an order that no cache likes.
    orders: [Box<[u32]>; 2],
    say: &'p mut dyn FnMut(&str),
    phases: Vec<Phase>,
}

/// Measures one shape in one family.
pub(super) fn measure(
    shape: Shape,
    family: Family,
    reservations: u32,
    say: &mut dyn FnMut(&str),
) -> Measured {
    let neighbours = Neighbours::new(shape, family, reservations);
    let orders = [shuffled(neighbours.paths), shuffled(neighbours.resvs)];
    let mut run = Run { router: Router::new(neighbours), neighbours, orders, say, phases: Vec::new() };
    let before = (run.router.engine.octets(), resident());
    let held = |run: &Run<'_>| {
        let resident = resident().zip(before.1).map(|(now, before)| now.saturating_sub(before));
        (run.router.engine.octets().saturating_sub(before.0), resident)
    };
    run.sets_up();
    let full = held(&run);
    run.refreshes();
    run.rests_in_a_period();
    run.changes_routes();
    run.loses(DOWNSTREAM, "interface to receivers lost");
    run.tears();
    run.loses(UPSTREAM, "interface to senders lost");
    run.expires();
    let end = held(&run);
    let of = |name: &str| run.phases.iter().find(|phase| phase.name == name).map_or(0, |phase| phase.ns);
    Measured {
        shape,
        family,
        reservations: neighbours.resvs,
        set_ups_per_second: u64::from(neighbours.resvs) * 1_000_000_000 / of("set-up").max(1),
        octets: Octets { counted: full.0, resident: full.1, counted_at_end: end.0, resident_at_end: end.1 },
        steady_percent: of("a period of refreshes") as f64 / PERIOD.as_nanos() as f64 * 100.0,
        phases: run.phases,
    }
}

impl Run<'_> {
    fn begin(&mut self, name: &str) -> Phase {
        (self.say)(name);
        Phase::new(name)
    }

    /// Lets time pass.
    fn rest(&mut self, phase: &mut Phase, time: Duration) {
        self.rest_until(phase, self.router.now + time);
    }

    fn rest_until(&mut self, phase: &mut Phase, until: Instant) {
        while let Some(step) = self.router.tick(until) {
            phase.add_tick(&step);
        }
        self.router.now = until;
    }

    /// What is said at a place of the order.
    fn nth(&self, said: Said, at: u32) -> u32 {
        let [paths, resvs] = &self.orders;
        (if said.comes_from_above() { paths } else { resvs })[at as usize]
    }

    /// Every neighbour says something of a kind, in a while.
    fn all_say(&mut self, phase: &mut Phase, said: Said, what: &str, within: Duration) {
        let count = self.neighbours.count(said);
        let start = self.router.now;
        for at in 0..count {
            self.rest_until(phase, start + within.mul_f64(f64::from(at) / f64::from(count)));
            let step = self.router.hear(said, self.nth(said, at));
            phase.add(what, &step);
        }
    }

    fn sets_up(&mut self) {
        let mut phase = self.begin("set-up");
        // Before the first of our own refreshes is due.
        self.all_say(&mut phase, Said::Path, "new Path", PERIOD / 5);
        self.all_say(&mut phase, Said::Resv, "new Resv", PERIOD / 5);
        self.phases.push(phase);
    }

    /// All there was is there again.
    fn is_made_whole(&mut self) {
        (self.say)("what was lost is set up again");
        let mut unseen = Phase::default();
        for id in [UPSTREAM, DOWNSTREAM] {
            self.router.set_up(id, true);
            self.rest(&mut unseen, REST);
        }
        self.all_say(&mut unseen, Said::Path, "", REST);
        self.all_say(&mut unseen, Said::Resv, "", REST);
        let there = self.router.engine.requests().count();
        assert_eq!(there, self.neighbours.resvs as usize, "all is set up");
    }

    fn refreshes(&mut self) {
        let mut phase = self.begin("refreshes in");
        self.all_say(&mut phase, Said::Path, "Path refresh", Duration::ZERO);
        self.all_say(&mut phase, Said::Resv, "Resv refresh", Duration::ZERO);
        self.phases.push(phase);
    }

    /// One refresh period: each neighbour refreshes once, and so does the router.
    fn rests_in_a_period(&mut self) {
        let mut phase = self.begin("a period of refreshes");
        let (start, paths) = (self.router.now, self.neighbours.paths);
        let all = paths + self.neighbours.resvs;
        for at in 0..all {
            self.rest_until(&mut phase, start + PERIOD.mul_f64(f64::from(at) / f64::from(all)));
            let (said, what, at) = match at.checked_sub(paths) {
                None => (Said::Path, "Path refresh", at),
                Some(at) => (Said::Resv, "Resv refresh", at),
            };
            let step = self.router.hear(said, self.nth(said, at));
            phase.add(what, &step);
        }
        self.rest_until(&mut phase, start + PERIOD);
        self.phases.push(phase);
    }

    fn changes_routes(&mut self) {
        let mut phase = self.begin("routes change");
        let step = self.router.move_routes(MOVED);
        phase.add("change", &step);
        self.rest(&mut phase, REST);
        self.phases.push(phase);
        self.router.move_routes(0);
        self.rest(&mut Phase::default(), REST);
        self.is_made_whole();
    }

    fn loses(&mut self, id: InterfaceId, name: &str) {
        let mut phase = self.begin(name);
        let step = self.router.set_up(id, false);
        phase.add("interface down", &step);
        self.rest(&mut phase, REST);
        self.phases.push(phase);
        self.is_made_whole();
    }

    fn tears(&mut self) {
        let mut phase = self.begin("mass tear");
        self.all_say(&mut phase, Said::ResvTear, "ResvTear", Duration::ZERO);
        self.all_say(&mut phase, Said::PathTear, "PathTear", Duration::ZERO);
        self.phases.push(phase);
        self.is_made_whole();
    }

    fn expires(&mut self) {
        (self.say)("nobody speaks");
        self.rest(&mut Phase::default(), ALIVE);
        let mut phase = self.begin("mass expiry");
        self.rest(&mut phase, DEAD);
        assert!(self.router.engine.is_empty(), "what nobody refreshes is gone");
        self.phases.push(phase);
    }
}

/// All numbers below `count`, in an order that is the same each time.
fn shuffled(count: u32) -> Box<[u32]> {
    let mut all: Box<[u32]> = (0..count).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for place in (1..all.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(place, (state >> 33) as usize % (place + 1));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured is what is said to be: each message arrives once, and is answered by what it should be.
    #[test]
    fn all_is_set_up_refreshed_moved_lost_and_torn() {
        for (shape, family, paths, resvs) in [
            (Shape::Ff, Family::Ipv4, 40, 40),
            (Shape::Ff, Family::Ipv6, 40, 40),
            (Shape::Se, Family::Ipv4, 100, 20),
            (Shape::Wf, Family::Ipv6, 100, 20),
        ] {
            let measured = measure(shape, family, resvs, &mut |_| {});
            let phase = |name: &str| measured.phases.iter().find(|p| p.name == name).expect("a phase");
            let count = |name: &str, kind: &str| phase(name).messages.get(kind).map_or(0, |mean| mean.count);
            let resvs = u64::from(resvs);
            assert_eq!((count("set-up", "new Path"), count("set-up", "new Resv")), (paths, resvs));
            for name in ["refreshes in", "a period of refreshes"] {
                assert_eq!((count(name, "Path refresh"), count(name, "Resv refresh")), (paths, resvs));
            }
            // By jitter each is sent once or twice.
            let out = count("a period of refreshes", "Path out");
            assert!((paths / 2..=2 * paths).contains(&out), "{out} Paths in a period");
            assert_eq!((count("mass tear", "PathTear"), count("mass tear", "ResvTear")), (paths, resvs));
            assert!(count("routes change", "Path out") >= paths, "{measured:?}");
            assert_eq!(phase("mass expiry").histogram.iter().sum::<u64>(), phase("mass expiry").steps);
            assert!(phase("mass expiry").steps > 0 && measured.octets.counted > 0);
        }
    }
}
