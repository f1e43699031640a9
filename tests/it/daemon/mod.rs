//! `rsvpd` on real kernels: nodes are network namespaces that each test makes for itself and takes away.

mod any_address;
mod attacks;
pub(crate) mod capture;
mod carried;
mod changes;
mod client;
mod commands;
mod commands_by_socket;
mod dissected;
mod doctor;
mod egress;
mod endings;
mod equal_cost;
mod flood;
mod journal;
mod killed;
mod listings;
mod live;
mod metrics;
mod multicast;
pub(crate) mod net;
mod plain;
mod plane;
mod policies;
mod screens;
mod services;
mod sockets;
mod starting;
mod tc;
mod troubles;
mod udp;
mod unicast;
mod watching;
mod within;

use std::time::Duration;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
#[expect(clippy::disallowed_methods, reason = "daemons and kernels run in real time")]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
