//! What a message costs in one session of very many senders and requests: a table of wall times until all is said, each with the longest
//! call, the messages that it made and the looks at blocks of state. `cargo bench -p rsvp-node --bench session`, with the number of requests
//! behind `--` if it is not to be 8, 128 and 1,024.

use crowd::{Crowd, Shape};
use rsvp_wire::Style;
use std::sync::OnceLock;
use std::time::Instant;

#[path = "../../tests/crowd.rs"]
mod crowd;

const SENDERS: u16 = 1_024;
const FILTERS: u16 = 1_010;
const ROUNDS: usize = 3;
const ACTS: usize = 6;
/// More than there is to reserve.
const TOO_MUCH: f32 = 1e12;

fn main() {
    let asked: Vec<u16> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let all = if asked.is_empty() { vec![8, 128, 1_024] } else { asked };
    println!(
        "| style, previous hops, requests | Path | Resv | Resv in vain | ResvErr | PathTear | ResvTear |"
    );
    println!("|---|---|---|---|---|---|---|");
    for requests in all {
        for (name, style) in [("WF", Style::WF), ("SE", Style::SE), ("FF", Style::FF)] {
            for previous_hops in [1, SENDERS] {
                let shape = Shape { style, senders: SENDERS, previous_hops, requests, filters: FILTERS };
                println!("| {name}, {previous_hops}, {requests} | {} |", row(shape).join(" | "));
            }
        }
    }
}

/// The least of what each act takes in several rounds: other work on the machine makes them longer.
fn row(shape: Shape) -> Vec<String> {
    let rounds: Vec<[Cost; ACTS]> = (0..ROUNDS).map(|_| round(shape)).collect();
    let least = |act: usize| {
        let of = |what: fn(&Cost) -> u64| rounds.iter().map(|round| what(&round[act])).min().unwrap_or(0);
        let [all, longest] = [of(|cost| cost.all), of(|cost| cost.longest)].map(|ns| ns as f64 / 1e6);
        let Cost { sent, looks, .. } = rounds[0][act];
        format!("{all:.2} ms, {longest:.2} in one call, {sent} sent, {looks} looks")
    };
    (0..ACTS).map(least).collect()
}

/// Nanoseconds of an act, and of the longest call in it; messages sent, and looks at blocks of state.
struct Cost {
    all: u64,
    longest: u64,
    sent: u64,
    looks: u64,
}

fn round(shape: Shape) -> [Cost; ACTS] {
    let mut crowd = Crowd::new(shape, |_| nanoseconds());
    crowd.reserve_at_most(1 << 40);
    (0..shape.senders).for_each(|n| crowd.path(n, TOO_MUCH));
    (0..shape.requests).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
    let acts: [&dyn Fn(&mut Crowd); ACTS] = [
        &|c| c.path(1, 2e6),
        &|c| c.resv(1, 1e5),
        &|c| c.resv_in_vain(2, TOO_MUCH),
        &|c| c.resv_err(14.0),
        &|c| c.path_tear(1),
        &|c| c.resv_tear(1),
    ];
    acts.map(|act| measured(&mut crowd, act))
}

fn measured(crowd: &mut Crowd, act: &dyn Fn(&mut Crowd)) -> Cost {
    let (sent, looks) = (crowd.sent, crowd.engine.work().states_visited);
    crowd.longest = 0;
    let before = nanoseconds();
    act(crowd);
    let all = nanoseconds() - before;
    let (sent, looks) = (crowd.sent - sent, crowd.engine.work().states_visited - looks);
    Cost { all, longest: crowd.longest, sent, looks }
}

/// Since the first time.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn nanoseconds() -> u64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
