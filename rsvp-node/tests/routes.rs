//! Routes that change on a node with much state: what is looked up again, and how much of it at once.

use core::net::{IpAddr, Ipv4Addr};
use rsvp_node::{Host, Input, Output, Route, RouteAnswer, RouteQuery};
use std::collections::BTreeSet;
use transit::{DOWNSTREAM, Transit, write_path};

#[path = "../../tests/transit.rs"]
mod transit;

const SESSIONS: u32 = 5_000;
/// Looks of one step of mass work, at the most.
const STEP: u64 = 16_384;

/// Routes everything downstream, and knows what it was asked.
#[derive(Default)]
struct Asked(BTreeSet<IpAddr>);

impl Host for Asked {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        self.0.insert(query.destination);
        RouteAnswer::Known(Route { incoming: None, outgoing: [DOWNSTREAM].into_iter().collect() })
    }
}

fn many() -> Transit {
    let mut transit = Transit::new(SESSIONS);
    let mut buffer = [0; 256];
    for n in 0..SESSIONS {
        transit.path(write_path(&mut buffer, n), n);
    }
    transit
}

/// Tells of a change, and counts the looks of this step.
fn change(transit: &mut Transit, host: &mut Asked, destination: Option<IpAddr>) -> u64 {
    let before = transit.engine.work().states_visited;
    transit.engine.handle(transit.now, Input::RouteChanged { destination }, host);
    let mut buffer = [0; 2048];
    while !matches!(transit.engine.poll(transit.now, &mut buffer), Output::Idle { .. }) {}
    transit.engine.work().states_visited - before
}

#[test]
fn a_change_of_one_destination_is_looked_up_by_the_index() {
    let mut transit = many();
    let destination = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + 4_711));
    let mut host = Asked::default();
    let looks = change(&mut transit, &mut host, Some(destination));
    assert!(host.0.iter().eq([&destination]), "{:?}", host.0);
    assert!(looks < 1_000, "{looks} looks");
}

#[test]
fn changes_that_come_often_starve_nobody_and_each_step_is_bounded() {
    let mut transit = many();
    let mut host = Asked::default();
    // A walk takes 20 steps; each change comes while one is going on.
    for _ in 0..20 {
        let looks = change(&mut transit, &mut host, None);
        assert!(looks < STEP, "{looks} looks");
    }
    assert_eq!(host.0.len() as u32, SESSIONS);
}
