//! A router that is killed and started again: how long reservations across it are gone from it.

use super::{CONFIG, Ground};
use nix::sys::signal::Signal;
use serde_json::Value;

/// The refresh period, in seconds.
const REFRESH: f64 = 2.0;

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn a_router_that_was_killed_has_its_reservations_again_before_anybody_misses_them() {
    let Some(mut ground) = Ground::new("a restart") else { return };
    let config = CONFIG.replace("[interfaces]", &format!("[interfaces]\nrefresh = \"{REFRESH}s\""));
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, &config));
    let mut hosts = ["a", "b"].map(|node| ground.net.client(node));
    assert_eq!(ground.set_ups(&mut hosts, 20, 5000).0, 20);
    hosts.iter_mut().for_each(|host| drop(host.waiting()));
    ground.net.signal("r", Signal::SIGKILL);
    ground.net.ended("r");
    ground.net.daemon("r", &config);
    let begun = std::time::Instant::now();
    let mut r = ground.net.client("r");
    let mut back = Vec::new();
    while back.len() < 20 {
        let count = r.list("reservations").len();
        back.resize(count.max(back.len()), begun.elapsed().as_secs_f64() / REFRESH);
        assert!(begun.elapsed().as_secs_f64() < 30.0, "{count} are back");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    println!(
        "back after {:.2} R (the first), {:.2} R (half of them), {:.2} R (all)",
        back[0], back[9], back[19]
    );
    // Path waits for the refresh of the hop before, Resv for that of the hop behind, each at most 1.5 R; state lives 5.25 R.
    assert!(back[19] < 3.3, "{back:?}");
    for host in &mut hosts {
        // A refresh that comes before its Path is answered with an error, and a Path that came while the router was dead has passed
        // through a hop without RSVP. Nothing else happens.
        let told = host.waiting();
        let is_expected = |event: &Value| event["event"] == "resv-error" || event["event"] == "path";
        assert!(told.iter().all(is_expected), "{told:?}");
    }
}
