//! A hundred thousand unicast FF reservations on one transit router, by real messages: what they cost in memory, and
//! that the cost of one input does not grow with their number.

use crate::counting::{Allocated, allocated, allocations};
use crate::transit::{Transit, write_path, write_resv};
use rsvp_node::{Outcome, Work};

const RESERVATIONS: u32 = 100_000;
/// Heap a reservation may take: state of both directions, index with spare capacity, timers.
const OCTETS_EACH: f64 = 820.0;

/// Octets of one chunk of every table together, generously.
const CHUNKS: u64 = 160_000;

/// What one input cost at most.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    visited: u64,
    handled: u64,
    allocated: u64,
}

impl Cost {
    fn between(work: (Work, Work), memory: (Allocated, Allocated)) -> Self {
        Self {
            visited: work.1.states_visited - work.0.states_visited,
            handled: work.1.octets_handled - work.0.octets_handled,
            allocated: memory.1.octets - memory.0.octets,
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            visited: self.visited.max(other.visited),
            handled: self.handled.max(other.handled),
            allocated: self.allocated.max(other.allocated),
        }
    }
}

/// Sets up the reservations `from..to` and returns the largest cost of a Path and of a Resv.
fn set_up(transit: &mut Transit, from: u32, to: u32) -> (Cost, Cost) {
    let (mut paths, mut resvs) = (Cost::default(), Cost::default());
    let mut buffer = [0; 256];
    for n in from..to {
        let octets = write_path(&mut buffer, n);
        let before = (transit.engine.work(), allocated());
        assert_eq!(transit.path(octets, n), Outcome::Taken);
        let after = (transit.engine.work(), allocated());
        paths = paths.max(Cost::between((before.0, after.0), (before.1, after.1)));
        let octets = write_resv(&mut buffer, n);
        let before = (transit.engine.work(), allocated());
        assert_eq!(transit.resv(octets), Outcome::Taken);
        let after = (transit.engine.work(), allocated());
        resvs = resvs.max(Cost::between((before.0, after.0), (before.1, after.1)));
    }
    (paths, resvs)
}

#[test]
fn a_hundred_thousand_reservations_are_small_and_no_input_costs_more_for_the_others() {
    let empty = allocated();
    let mut transit = Transit::new(RESERVATIONS);
    let first = set_up(&mut transit, 0, RESERVATIONS / 10);
    let rest = set_up(&mut transit, RESERVATIONS / 10, RESERVATIONS);
    let each = (allocated().live - empty.live) as f64 / f64::from(RESERVATIONS);
    println!("{each:.0} octets of heap per reservation; largest cost of an input (Path, Resv)");
    println!("  first tenth: {first:?}");
    println!("  the rest:    {rest:?}");
    assert_eq!(transit.engine.reservations().count() as u32, RESERVATIONS);
    assert_eq!(transit.sent, 2 * u64::from(RESERVATIONS), "each Path and each Resv is forwarded once");
    assert!(each < OCTETS_EACH, "{each} octets per reservation");

    // Chains of the index are a matter of chance, so their longest grows a little. Tables grow by whole chunks of a fixed
    // size; how many happen to grow in one input is a matter of chance too, but each at most once.
    for (first, rest) in [(first.0, rest.0), (first.1, rest.1)] {
        assert!(rest.visited <= first.visited + 16, "{first:?} then {rest:?}");
        assert!(rest.handled <= first.handled, "{first:?} then {rest:?}");
        assert!(rest.allocated.max(first.allocated) <= CHUNKS, "{first:?} then {rest:?}");
    }

    unchanged_refreshes_allocate_nothing(&mut transit);
}

fn unchanged_refreshes_allocate_nothing(transit: &mut Transit) {
    let mut buffer = [0; 256];
    let mut visited = 0;
    for n in (0..RESERVATIONS).step_by(97) {
        let before = transit.engine.work().states_visited;
        let octets = write_path(&mut buffer, n);
        let (count, outcome) = allocations(|| transit.path(octets, n));
        assert_eq!((count, outcome), (0, Outcome::Taken));
        let octets = write_resv(&mut buffer, n);
        let (count, outcome) = allocations(|| transit.resv(octets));
        assert_eq!((count, outcome), (0, Outcome::Taken));
        visited = visited.max(transit.engine.work().states_visited - before);
    }
    assert_eq!(transit.sent, 2 * u64::from(RESERVATIONS), "an unchanged refresh is not forwarded");
    println!("  a Path and a Resv refresh: {visited} looks at blocks of state at the most");
    assert!(visited < 32, "refreshes looked {visited} times at blocks of state");

    // Neither does sending our own refreshes, of which R later most have left.
    // (The queue and the buffers find their size in the first seconds.)
    transit.advance(20_000_000);
    let sent = transit.sent;
    let (count, ()) = allocations(|| transit.advance(20_000_000));
    assert!(transit.sent - sent > u64::from(RESERVATIONS), "only {} refreshes", transit.sent - sent);
    assert_eq!(count, 0, "allocations while sending refreshes");
}
