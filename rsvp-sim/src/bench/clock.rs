//! What the bench measures with: the processor time of its thread, and the memory of its process.
//!
//! Processor time does not count while another program runs; what reading the clock costs is measured before, and taken off.

use nix::time::ClockId;

/// Reads the processor time of this thread.
pub(super) struct Clock {
    /// What a reading costs, in nanoseconds.
    costs: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        let mut costs: Vec<u64> = (0..1_000).map(|_| now().abs_diff(now())).collect();
        costs.sort_unstable();
        Self { costs: costs[costs.len() / 2] }
    }

    /// The time since an earlier reading, and this reading.
    pub(super) fn since(&self, earlier: u64) -> (u64, u64) {
        let now = now();
        (now.saturating_sub(earlier).saturating_sub(self.costs), now)
    }

    /// A reading.
    pub(super) fn read(&self) -> u64 {
        now()
    }
}

fn now() -> u64 {
    let Ok(time) = ClockId::CLOCK_THREAD_CPUTIME_ID.now() else { return 0 };
    time.tv_sec().unsigned_abs() * 1_000_000_000 + time.tv_nsec().unsigned_abs()
}

/// Octets of memory that the process has, where the system says so (Linux).
pub(super) fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
