//! What a message costs in one session of 1,024 senders and 1,024 requests, in looks at blocks of state: no more than some for each
//! sender and some for each request, and not their product. In FF each sender has a reservation of its own, merged from all that ask
//! for it, so there it is the product.

use crowd::{Crowd, Shape};
use rsvp_wire::Style;

#[path = "../../tests/crowd.rs"]
mod crowd;

const MANY: u16 = 1_024;
/// Looks for each sender and each request.
const EACH: u64 = 24;

/// Has a message arrive, and counts the looks until all is said.
fn cost(crowd: &mut Crowd, act: impl FnOnce(&mut Crowd)) -> u64 {
    let before = crowd.engine.work().states_visited;
    act(crowd);
    crowd.engine.work().states_visited - before
}

/// The costliest message of each kind.
fn costliest(shape: Shape) -> u64 {
    println!("{shape:?}");
    let mut crowd = Crowd::new(shape);
    (0..shape.requests).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
    assert_eq!(crowd.engine.requests().count(), usize::from(shape.requests));
    let mut worst = 0;
    let mut measured = |name, act: &dyn Fn(&mut Crowd)| {
        let looks = cost(&mut crowd, act);
        if looks > worst {
            println!("  {name}: {looks}");
        }
        worst = worst.max(looks);
    };
    measured("Path refresh", &|c| c.path(1, 1e6));
    measured("Path that says something else", &|c| c.path(1, 2e6));
    measured("Resv refresh", &|c| c.resv(1, 11.0));
    measured("Resv that asks for more", &|c| c.resv(1, 1e5));
    measured("Resv that asks for less", &|c| c.resv(1, 11.0));
    measured("ResvErr", &|c| c.resv_err(500.0));
    measured("ResvErr, once more", &|c| c.resv_err(500.0));
    measured("Resv, with blockade state", &|c| c.resv(2, 20.0));
    measured("PathTear", &|c| c.path_tear(1));
    measured("ResvTear", &|c| c.resv_tear(2));
    (0..2_000).for_each(|_| measured("a step of refreshes", &|c| c.step()));
    worst
}

#[test]
fn a_message_costs_what_senders_and_requests_are_together() {
    for style in [Style::WF, Style::SE] {
        let shape = Shape { style, senders: MANY, previous_hops: 1, requests: MANY, filters: MANY };
        let looks = costliest(shape);
        assert!(looks < EACH * 2 * u64::from(MANY), "{looks} looks");
    }
}

#[test]
fn with_a_previous_hop_for_each_sender_it_costs_some_for_each_of_them_and_each_request() {
    for (style, filters) in [(Style::WF, MANY), (Style::SE, MANY)] {
        let shape = Shape { style, senders: MANY, previous_hops: MANY, requests: 8, filters };
        let looks = costliest(shape);
        assert!(looks < 2 * EACH * 8 * u64::from(MANY), "{looks} looks");
    }
}

#[test]
fn in_ff_a_message_costs_a_few_looks_for_each_sender_and_each_request() {
    for previous_hops in [1, MANY] {
        let shape = Shape { style: Style::FF, senders: MANY, previous_hops, requests: MANY, filters: 4 };
        let looks = costliest(shape);
        assert!(looks < 3 * u64::from(MANY) * u64::from(MANY), "{looks} looks");
    }
    let shape = Shape { style: Style::FF, senders: MANY, previous_hops: 1, requests: 8, filters: 1_010 };
    let looks = costliest(shape);
    assert!(looks < 2 * EACH * 8 * 1_010, "{looks} looks");
}
