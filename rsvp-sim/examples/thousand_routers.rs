//! How large a world can be: 1,001 routers, 10,010 hosts and 100,100 reservations of 8 hops, set up, refreshed for five
//! minutes of virtual time and torn down. A number behind it makes the world that many times smaller.
//!
//!     cargo run --release -p rsvp-sim --example thousand_routers

use rsvp_sim::{ScenarioError, World};
use std::fmt::Write;
use std::time::Duration;

/// Routers of a row; a host is before the first, another behind the last.
const ROW: usize = 7;
const ROWS: usize = 143;
const HOSTS: usize = 35;
/// Sessions of each pair of hosts.
const SESSIONS: usize = 20;

fn main() -> Result<(), ScenarioError> {
    let smaller = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let rows = (ROWS / smaller).max(1);
    let mut clock = Clock::start();
    println!(
        "{:<22} {:>9} {:>12} {:>8} {:>12} {:>8}",
        "", "virtual s", "messages", "s", "messages/s", "RSS MB"
    );
    let text = file(rows);
    let scenario = rsvp_sim::Scenario::parse("thousand routers", text.as_bytes())?;
    let receivers: Vec<String> = scenario.receivers.iter().map(|receiver| receiver.name.clone()).collect();
    let mut world = World::unrecorded(scenario);
    drop(text);
    clock.row("read", &world);
    world.run_until(Duration::from_secs(10));
    clock.row("set up", &world);
    let installed = world.node("r0-3")?.reservations().len();
    assert_eq!(installed, HOSTS * SESSIONS, "reservations on a router in the middle");
    for minute in 1..=5 {
        world.run_until(Duration::from_secs(10 + minute * 60));
        clock.row(&format!("refreshed, minute {minute}"), &world);
    }
    for receiver in &receivers {
        world.leave(receiver)?;
        world.tear(&receiver.replacen("viewer", "camera", 1))?;
    }
    world.run_until(Duration::from_secs(320));
    clock.row("torn down", &world);
    for n in 0..rows * ROW {
        assert!(world.node(&format!("r{}-{}", n / ROW, n % ROW))?.engine().is_empty(), "nothing is left");
    }
    Ok(())
}

fn file(rows: usize) -> String {
    let mut text = String::from("name = \"thousand-routers\"\nduration = \"400s\"\n[nodes]\nrouters = [");
    for n in 0..rows * ROW {
        let _ = write!(text, "\"r{}-{}\",", n / ROW, n % ROW);
    }
    text.push_str("]\nhosts = [");
    for n in 0..rows * HOSTS {
        let _ = write!(text, "\"s{n}\",\"d{n}\",");
    }
    text.push_str("]\n");
    for row in 0..rows {
        for n in 1..ROW {
            let _ = writeln!(
                text,
                "[[link]]\nbetween = [\"r{row}-{}\", \"r{row}-{n}\"]\nrate = \"1gbit\"",
                n - 1
            );
        }
        if row > 0 {
            let before = row - 1;
            let _ = writeln!(text, "[[link]]\nbetween = [\"r{before}-0\", \"r{row}-0\"]");
        }
    }
    for n in 0..rows * HOSTS {
        let (row, last) = (n / HOSTS, ROW - 1);
        let _ = writeln!(text, "[[link]]\nbetween = [\"s{n}\", \"r{row}-0\"]\nrate = \"1gbit\"");
        let _ = writeln!(text, "[[link]]\nbetween = [\"r{row}-{last}\", \"d{n}\"]\nrate = \"1gbit\"");
    }
    for n in 0..rows * HOSTS * SESSIONS {
        let (host, port) = (n / SESSIONS, 5000 + n % SESSIONS);
        let _ = writeln!(text, "[[session]]\nname = \"f{n}\"\nto = \"d{host}\"\nport = {port}");
        // Not all in one moment: within five seconds.
        let start = n % 5000;
        let _ = writeln!(
            text,
            "[[sender]]\nname = \"camera{n}\"\nnode = \"s{host}\"\nsession = \"f{n}\"\nport = {port}\nrate = \"100kbit\"\n\
             start = \"{start}ms\"\n[[receiver]]\nname = \"viewer{n}\"\nnode = \"d{host}\"\nsession = \"f{n}\"\nstyle = \"ff\"\n\
             rate = \"100kbit\""
        );
    }
    text
}

/// Real time and what it was spent on.
struct Clock {
    last: std::time::Instant,
    messages: u64,
}

#[allow(
    clippy::disallowed_methods,
    reason = "this measures how long a world takes, and no world knows of it"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

impl Clock {
    fn start() -> Self {
        Self { last: now(), messages: 0 }
    }

    fn row(&mut self, what: &str, world: &World) {
        let (seconds, messages) = (self.last.elapsed().as_secs_f64(), world.messages() - self.messages);
        println!(
            "{what:<22} {:>9.0} {messages:>12} {seconds:>8.1} {:>12.0} {:>8}",
            world.now().as_secs_f64(),
            messages as f64 / seconds,
            resident_mb()
        );
        (self.last, self.messages) = (now(), world.messages());
    }
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kb.unwrap_or_default() / 1024
}
