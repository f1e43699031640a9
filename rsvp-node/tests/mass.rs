//! Mass work on a router with many reservations: what comes at once and at an end is done in steps, each of which is bounded in looks
//! at blocks of state, and messages are answered in between. Memory goes with state.

use core::net::Ipv4Addr;
use rsvp_node::{Input, Interface, InterfaceId};
use transit::{DOWNSTREAM, Downstream, Transit, UPSTREAM, write_path, write_resv};

#[path = "../../tests/transit.rs"]
mod transit;

const RESERVATIONS: u32 = 5_000;
/// Looks of one step, at the most: those of what a call begins, and of what is drained after it.
const STEP: u64 = 16_384;
/// A message, and a reservation of its own, in between: looks, and steps that go by meanwhile.
const MESSAGE: u64 = 512;

fn many() -> Transit {
    let mut transit = Transit::new(RESERVATIONS + 1);
    (0..RESERVATIONS).for_each(|n| reserve(&mut transit, n));
    transit
}

fn reserve(transit: &mut Transit, n: u32) {
    let mut buffer = [0; 256];
    transit.path(write_path(&mut buffer, n), n);
    transit.resv(write_resv(&mut buffer, n));
}

fn looks(transit: &mut Transit, act: impl FnOnce(&mut Transit)) -> u64 {
    let before = transit.engine.work().states_visited;
    act(transit);
    transit.engine.work().states_visited - before
}

/// Does all that is due now, a step at a time; in each gap a message is heard. Returns how many steps that took.
fn steps_of(transit: &mut Transit, hear: &mut dyn FnMut(&mut Transit)) -> u32 {
    let mut steps = 0;
    while transit.wake().is_some_and(|at| at <= transit.now) {
        let step = looks(transit, Transit::tick);
        assert!(step <= STEP, "{step} looks in a step");
        let message = looks(transit, &mut *hear);
        // What is left of mass work is drained with it.
        assert!(message <= STEP / 2 + MESSAGE, "{message} looks for a message");
        steps += 1;
    }
    steps
}

fn down(transit: &mut Transit, id: InterfaceId) {
    let mut interface = Interface::new(id);
    interface.ipv4 = Some(Ipv4Addr::new(192, 0, id.0 as u8, 1));
    interface.up = false;
    let step = looks(transit, |t| {
        t.engine.handle(t.now, Input::InterfaceChanged(interface), &mut Downstream);
        t.drain();
    });
    assert!(step <= STEP, "{step} looks when it goes down");
}

#[test]
fn an_interface_that_goes_down_is_left_in_steps() {
    let mut transit = many();
    down(&mut transit, DOWNSTREAM);
    let sent = transit.sent;
    let mut buffer = [0; 256];
    // Those at the front are torn in the first steps; the last are there to be refreshed all the while.
    let steps = steps_of(&mut transit, &mut |t| {
        t.path(write_path(&mut buffer, RESERVATIONS - 1), RESERVATIONS - 1);
    });
    assert!(steps > 10, "{steps} steps");
    let engine = &transit.engine;
    assert_eq!((engine.requests().count(), engine.reservations().count()), (0, 0));
    assert_eq!(engine.senders().count() as u32, RESERVATIONS);
    assert_eq!(transit.sent - sent, u64::from(RESERVATIONS), "a ResvTear each");
}

#[test]
fn an_interface_that_brought_all_paths_takes_all_state_with_it() {
    let mut transit = many();
    let full = transit.engine.octets();
    down(&mut transit, UPSTREAM);
    let sent = transit.sent;
    let steps = steps_of(&mut transit, &mut |_| {});
    assert!(steps > 10, "{steps} steps");
    assert!(transit.engine.is_empty());
    assert_eq!(transit.sent - sent, u64::from(RESERVATIONS), "a PathTear each");
    let left = transit.engine.octets();
    assert!(left <= full / 10, "{left} of {full} octets are left");
}

#[test]
fn what_dies_at_once_goes_in_steps_and_gives_its_memory_back() {
    let mut transit = many();
    let full = transit.engine.octets();
    // L for R = 30 s and K = 3, and a tick of the timers.
    transit.advance(157_500_000);
    let last = RESERVATIONS;
    reserve(&mut transit, last);
    transit.now.0 += 2_048;
    let steps = steps_of(&mut transit, &mut |t| reserve(t, last));
    assert!(steps > 10, "{steps} steps");
    assert_eq!(
        (transit.engine.senders().count(), transit.engine.requests().count()),
        (1, 1),
        "the honest one"
    );
    let left = transit.engine.octets();
    assert!(left <= full / 10, "{left} of {full} octets are left");
}
