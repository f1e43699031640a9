//! Hands a transit router so many messages of one kind, or lets it send so many, for callgrind to count:
//! `benches/instructions.sh`. A reservation is unicast, of one sender (Path 172 octets, Resv 96 octets).
//!
//! What is not counted is the same however often it is done: the messages are written and the tables have grown before.
//! Seeds are fixed and the clock is an argument, so the count is that of the work, and the same every time.

use core::time::Duration;
use rsvp_node::Outcome;
use rsvp_wire::Style;
use std::hint::black_box;
use transit::{
    DOWNSTREAM, Request, Transit, UPSTREAM, write_path, write_path_tear, write_resv, write_resv_of,
    write_resv_tear,
};

#[path = "../../tests/transit.rs"]
mod transit;

/// Reservations of the router, and the most that can be done.
const STANDING: u32 = 2_000;
/// Reservations that are refreshed, so that each is refreshed more than once.
const REFRESHED: u32 = 500;
/// Requests that are merged.
const MERGED: u8 = 100;
/// A period that never ends here.
const NEVER: Duration = Duration::from_hours(24);
/// The time between two messages that arrive, in microseconds.
const BETWEEN: u64 = 500;

type Octets = Box<[u8]>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    assert!(times <= STANDING, "{STANDING} at most");
    let node = Node::new();
    match what.as_str() {
        "new-path" => node.emptied().paths(times),
        "new-resv" => {
            let mut node = node.emptied();
            node.paths(STANDING);
            node.resvs(times);
        }
        "path-in" => node.with(REFRESHED).paths(times),
        "resv-in" => node.with(REFRESHED).resvs(times),
        "path-out" => node.sends("path", times),
        "resv-out" => node.sends("resv", times),
        "merge-ff" => node.merges(Style::FF, times),
        "merge-se" => node.merges(Style::SE, times),
        "path-tear" => node.with(STANDING).path_tears(times),
        "resv-tear" => node.with(STANDING).resv_tears(times),
        _ => println!("one of benches/instructions.sh, and how often"),
    }
}

/// A router and the messages of its neighbours.
struct Node {
    transit: Transit,
    paths: Vec<Octets>,
    resvs: Vec<Octets>,
    path_tears: Vec<Octets>,
    resv_tears: Vec<Octets>,
    /// How many sessions take turns.
    sessions: u32,
}

impl Node {
    fn new() -> Self {
        let all = |write: fn(&mut [u8], u32) -> &[u8]| {
            (0..STANDING).map(|n| write(&mut [0; 256], n).into()).collect::<Vec<Octets>>()
        };
        let [paths, resvs] = [all(write_path), all(write_resv)];
        assert_eq!((paths[0].len(), resvs[0].len()), (172, 96));
        Self {
            transit: Transit::new(STANDING),
            paths,
            resvs,
            path_tears: all(write_path_tear),
            resv_tears: all(write_resv_tear),
            sessions: STANDING,
        }
    }

    /// With reservations for the first sessions.
    fn with(mut self, sessions: u32) -> Self {
        self.sessions = sessions;
        self.paths(sessions);
        self.resvs(sessions);
        self
    }

    /// With room for all reservations and with none of them.
    fn emptied(self) -> Self {
        let mut node = self.with(STANDING);
        node.path_tears(STANDING);
        node
    }

    fn paths(&mut self, times: u32) {
        for n in (0..times).map(|n| n % self.sessions) {
            self.transit.now.0 += BETWEEN;
            let taken = self.transit.path(black_box(&self.paths[n as usize]), n);
            assert_eq!(taken, Outcome::Taken);
        }
    }

    fn resvs(&mut self, times: u32) {
        for n in (0..times).map(|n| n % self.sessions) {
            self.transit.now.0 += BETWEEN;
            let taken = self.transit.resv(black_box(&self.resvs[n as usize]));
            assert_eq!(taken, Outcome::Taken);
        }
    }

    fn path_tears(&mut self, times: u32) {
        for n in 0..times {
            self.transit.now.0 += BETWEEN;
            let taken = self.transit.path(black_box(&self.path_tears[n as usize]), n);
            assert_eq!(taken, Outcome::Taken);
        }
    }

    fn resv_tears(&mut self, times: u32) {
        for n in 0..times {
            self.transit.now.0 += BETWEEN;
            let taken = self.transit.resv(black_box(&self.resv_tears[n as usize]));
            assert_eq!(taken, Outcome::Taken);
        }
    }

    /// Lets time pass until as many refreshes have left, of one type: the other interface has another period.
    fn sends(mut self, what: &str, times: u32) {
        let quiet = if what == "path" { UPSTREAM } else { DOWNSTREAM };
        self.transit.refresh_every(quiet, NEVER);
        let mut node = self.with(REFRESHED);
        node.transit.send(u64::from(times));
    }

    /// As many changes of the largest of many requests for one sender: each is merged with the others, told to traffic
    /// control and sent upstream.
    fn merges(mut self, style: Style, times: u32) {
        self.paths(1);
        let resv = |hop: u8, rate: f32| {
            let request = Request { style, next_hop: 2 + hop, rate };
            Octets::from(write_resv_of(&mut [0; 256], 0, &request))
        };
        for hop in 0..MERGED {
            assert_eq!(self.transit.resv(&resv(hop, 1000.0 + f32::from(hop))), Outcome::Taken);
        }
        let changes = [20_000.0, 40_000.0].map(|rate| resv(MERGED / 2, rate));
        let before = self.transit.sent;
        for n in 0..times {
            self.transit.now.0 += BETWEEN;
            let taken = self.transit.resv(black_box(&changes[n as usize % 2]));
            assert_eq!(taken, Outcome::Taken);
        }
        assert_eq!(self.transit.sent - before, u64::from(times), "each changes what is sent upstream");
    }
}
