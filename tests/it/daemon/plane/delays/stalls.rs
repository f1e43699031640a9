//! How long this machine keeps threads waiting: a thread on each processor asks to sleep for a millisecond, again and again, and
//! remembers by how much it woke up too late at most.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, gettid};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NAP: Duration = Duration::from_millis(1);

/// Runs something; says how late a thread was meanwhile at most.
pub(super) fn during<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watches: Vec<_> = processors()
            .into_iter()
            .map(|cpu| {
                scope.spawn({
                    let stop = &stop;
                    move || watch(cpu, stop)
                })
            })
            .collect();
        let done = what();
        stop.store(true, Ordering::Relaxed);
        let stalls = watches.into_iter().map(|watch| watch.join().expect("it ends"));
        (done, stalls.max().unwrap_or_default())
    })
}

/// Has the thread that calls run before all ordinary ones, where that is allowed: what other programs do then says nothing
/// about the times that it takes.
pub(super) fn urgently() {
    let mut command = Command::new("chrt");
    command.args(["--fifo", "--pid", "10", &gettid().to_string()]);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The processors that this process may use.
fn processors() -> Vec<usize> {
    let may = sched_getaffinity(Pid::from_raw(0)).expect("a set of processors");
    (0..CpuSet::count()).filter(|cpu| may.is_set(*cpu).unwrap_or(false)).collect()
}

#[expect(clippy::disallowed_methods, reason = "it is real time that is watched")]
fn watch(cpu: usize, stop: &AtomicBool) -> Duration {
    let mut only = CpuSet::new();
    only.set(cpu).expect("a processor");
    sched_setaffinity(Pid::from_raw(0), &only).expect("this thread runs there");
    urgently();
    let mut worst = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let before = Instant::now();
        std::thread::park_timeout(NAP);
        worst = worst.max(before.elapsed().saturating_sub(NAP));
    }
    worst
}
