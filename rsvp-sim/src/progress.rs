//! How far a run is, for whoever waits for it at a terminal: virtual time, messages, and how many of them a second.

use rsvp_sim::World;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Parts of a run after which it is looked at.
const PARTS: u32 = 500;
/// Between one line and the next.
const OFTEN: Duration = Duration::from_secs(1);

/// Runs a world to this time; however that is cut up, the same happens.
pub(crate) fn run(world: &mut World, duration: Duration) {
    let mut errors = std::io::stderr();
    if !errors.is_terminal() {
        return world.run_until(duration);
    }
    let start = now();
    let mut shown = start;
    for part in 1..=PARTS {
        world.run_until(duration * part / PARTS);
        if now() - shown >= OFTEN {
            shown = now();
            let _ = write!(errors, "{}\r", line(world, duration, (shown - start).as_secs_f64()));
        }
    }
    if shown != start {
        let _ = writeln!(errors);
    }
}

fn line(world: &World, duration: Duration, seconds: f64) -> String {
    let (messages, rate) = (world.messages(), world.messages() as f64 / seconds.max(1e-9));
    format!(
        "{:.1} of {:.1} s of virtual time, {messages} messages, {rate:.0} a second",
        world.now().as_secs_f64(),
        duration.as_secs_f64()
    )
}

#[allow(clippy::disallowed_methods, reason = "progress is about the time of whoever waits, not of a world")]
fn now() -> Instant {
    Instant::now()
}
