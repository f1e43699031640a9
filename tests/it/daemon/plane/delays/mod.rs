//! One-way delays and losses of reserved flows on saturated links, with real daemons and the kernel's data plane. The normal run
//! measures a slice; `RSVP_DELAY=full`, which `.ci/long` sets, all of it, and prints the tables of docs/performance.md.

mod bounded;
mod in_order;
mod isolated;
mod shown;
mod stalls;
pub(super) mod stamped;

use super::super::eventually;
use super::super::net::Net;
use rsvpd::data_plane::tc::Tc;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Octets per second of the links that are saturated: 10 Mbit/s.
const LINK: u64 = 1_250_000;
/// The largest packet, in octets.
const MTU: u64 = 1_500;
/// The D that a node exports for such a link (RFC 2212): the MTU at the link's rate, and 1 ms for a timer that is late. A machine
/// that stalls for longer is not what is measured.
const ERROR_D: Duration = Duration::from_micros(MTU * 1_000_000 / LINK + 1_000);
/// How often a cell is measured when the machine stalls.
const TRIES: u32 = 3;

/// Whether all is to be measured, for as long as it takes.
fn is_full() -> bool {
    std::env::var("RSVP_DELAY").is_ok_and(|much| much == "full")
}

/// One measurement at a time, from before its network is made: they share the processors.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    stamped::kernel_times();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was measured, and how still the machine held.
pub(super) struct Cell<T> {
    pub(super) value: T,
    /// The longest that a processor kept a thread waiting meanwhile, and may have.
    stall: Duration,
    allowed: Duration,
    tries: u32,
}

impl<T> Cell<T> {
    /// Measures, and again if the machine stalled for more than D meanwhile.
    fn measured(measure: impl FnMut() -> T) -> Self {
        Self::measured_without(ERROR_D, measure)
    }

    /// Measures, and again if the machine stalled for longer than is allowed: three times at most, of which the stillest counts.
    pub(super) fn measured_without(allowed: Duration, mut measure: impl FnMut() -> T) -> Self {
        let mut measured = || {
            let (value, stall) = stalls::during(&mut measure);
            Self { value, stall, allowed, tries: 1 }
        };
        let mut stillest = measured();
        for tries in 2..=TRIES {
            if !stillest.is_stalled() {
                break;
            }
            let again = measured();
            if again.stall < stillest.stall {
                stillest = again;
            }
            stillest.tries = tries;
        }
        stillest
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stall > self.allowed
    }

    /// What the last columns of a table say of it.
    pub(super) fn still(&self) -> String {
        let again = match (self.tries, self.is_stalled()) {
            (1, _) => String::new(),
            (tries, false) => format!(", try {tries}: STALLED before"),
            (tries, true) => format!(", STALLED in all of {tries} tries"),
        };
        format!("{}{again}", ms(self.stall))
    }
}

fn ms(time: Duration) -> String {
    if time == Duration::MAX {
        return "none came".to_owned();
    }
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

/// A table that is printed when it is whole, and what of it is not as it should be.
struct Table {
    text: String,
    missed: Vec<String>,
    excused: Vec<String>,
}

impl Table {
    fn new(title: &str, columns: &[&str]) -> Self {
        let mut text = format!("\n{title}\n\n");
        let line = "|---".repeat(columns.len());
        let _ = writeln!(text, "| {} |\n{line}|", columns.join(" | "));
        Self { text, missed: Vec::new(), excused: Vec::new() }
    }

    fn row(&mut self, cells: &[String]) {
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// A number that has to be met. Where the machine stalled in each try it is not the daemon that is measured: the slice of the
    /// normal run says so aloud, all of it fails.
    fn expect(&mut self, holds: bool, is_stalled: bool, what: String) {
        match (holds, is_stalled && !is_full()) {
            (true, _) => {}
            (false, true) => self.excused.push(what),
            (false, false) => self.missed.push(what),
        }
    }

    /// Shows it, and fails if a number was missed.
    fn judge(self) {
        if is_full() {
            crate::skipped(&self.text);
        } else {
            println!("{}", self.text);
        }
        for what in &self.excused {
            crate::skipped(&format!(
                "delays: not judged, the machine stalled in each of {TRIES} tries: {what}"
            ));
        }
        assert!(self.missed.is_empty(), "{:#?}{}", self.missed, self.text);
    }
}

/// Waits until nothing waits in any class of an interface.
pub(super) fn drained(net: &Net, node: &str, interface: &str) {
    let index = net.index(node, interface);
    eventually("empty queues", || {
        let classes =
            net.within(node, || Tc::open().and_then(|mut tc| tc.classes(index)).expect("a listing"));
        classes.iter().all(|class| class.counters.backlog_packets == 0).then_some(())
    });
}
