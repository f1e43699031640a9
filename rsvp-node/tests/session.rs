//! What a message costs in one session of 1,024 senders and 1,024 requests, in looks at blocks of state: no more than some for each
//! sender and some for each request, and not their product; and what one call of the engine costs, so that others are served in between.

use crowd::{Crowd, Shape};
use rsvp_wire::Style;

#[path = "../../tests/crowd.rs"]
mod crowd;

const MANY: u16 = 1_024;
/// Looks for each sender and each request.
const EACH: u64 = 24;

/// What a message costs until all is said, and one call, at the most.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    message: u64,
    call: u64,
}

/// The costliest message of each kind, and the costliest call.
fn costliest(shape: Shape) -> Costs {
    println!("{shape:?}");
    let mut crowd = Crowd::new(shape, |engine| engine.work().states_visited);
    (0..shape.requests).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
    assert_eq!(crowd.engine.requests().count(), usize::from(shape.requests));
    let mut worst = Costs::default();
    let mut measured = |name, act: &dyn Fn(&mut Crowd)| {
        let before = crowd.engine.work().states_visited;
        crowd.longest = 0;
        act(&mut crowd);
        let (looks, call) = (crowd.engine.work().states_visited - before, crowd.longest);
        if looks > worst.message || call > worst.call {
            println!("  {name}: {looks}, {call} in one call");
        }
        worst = Costs { message: worst.message.max(looks), call: worst.call.max(call) };
    };
    measured("Path refresh", &|c| c.path(1, 1e6));
    measured("Path that says something else", &|c| c.path(1, 2e6));
    measured("Resv refresh", &|c| c.resv(1, 11.0));
    measured("Resv that asks for more", &|c| c.resv(1, 1e5));
    measured("Resv that asks for less", &|c| c.resv(1, 11.0));
    measured("ResvErr", &|c| c.resv_err(500.0));
    measured("ResvErr, once more", &|c| c.resv_err(500.0));
    measured("Resv, with blockade state", &|c| c.resv(2, 20.0));
    measured("ResvErr that leaves out all", &|c| c.resv_err(1.0));
    measured("Resv, with all left out", &|c| c.resv(2, 25.0));
    measured("PathTear", &|c| c.path_tear(1));
    measured("ResvTear", &|c| c.resv_tear(2));
    (0..2_000).for_each(|_| measured("a step of refreshes", &|c| c.step()));
    worst
}

#[test]
fn a_message_costs_what_senders_and_requests_are_together() {
    for (style, each) in [(Style::WF, EACH), (Style::SE, EACH), (Style::FF, 3 * EACH)] {
        let shape = Shape { style, senders: MANY, previous_hops: 1, requests: MANY, filters: MANY };
        let Costs { message, call } = costliest(shape);
        assert!(message < each * 2 * u64::from(MANY), "{message} looks");
        assert!(call < each * 2 * u64::from(MANY), "{call} looks in one call");
    }
}

#[test]
fn with_a_previous_hop_for_each_sender_it_costs_no_more() {
    for (style, each) in [(Style::WF, 2 * EACH), (Style::SE, 2 * EACH), (Style::FF, 4 * EACH)] {
        let shape = Shape { style, senders: MANY, previous_hops: MANY, requests: MANY, filters: MANY };
        let Costs { message, call } = costliest(shape);
        assert!(message < each * 2 * u64::from(MANY), "{message} looks");
        assert!(call < each * 2 * u64::from(MANY), "{call} looks in one call");
    }
}
