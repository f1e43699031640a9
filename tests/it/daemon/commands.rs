//! The commands of `rsvp` in a real network: what people see, and what is left when they end.

use super::net::Net;
use super::{PATIENCE, eventually};
use crate::programs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;

pub(super) const CONFIG: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\n";

/// A command that runs, and the lines it says.
pub(super) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// `arguments` are those of `rsvp`, with a space between them; `|` is a space within one.
    pub(super) fn start(net: &Net, node: &str, arguments: &str) -> Self {
        let program = programs::folder().join("rsvp").display().to_string();
        let mut command = net.command(node, &program);
        let arguments = arguments.split(' ').map(|argument| argument.replace('|', " "));
        command.args(arguments).env("RSVP_SOCKET", net.socket(node));
        Self::of(command)
    }

    pub(super) fn of(mut command: std::process::Command) -> Self {
        command.stdout(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().expect("rsvp starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// The next line that is as wanted; those before it are passed over.
    #[expect(
        clippy::disallowed_methods,
        reason = "commands run in real time, and some say a line each second for ever"
    )]
    pub(super) fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = std::time::Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no {what} after {before:#?}") };
            let value: Value = serde_json::from_str(&line).expect("JSON");
            if wanted(&value) {
                return value;
            }
            before.push(line);
        }
    }

    /// Waits for a line with these words.
    #[expect(clippy::disallowed_methods, reason = "programs run in real time")]
    pub(super) fn says(&self, words: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no \"{words}\" in {before:#?}") };
            if line.contains(words) {
                return;
            }
            before.push(line);
        }
    }

    /// Whether a line with these words is among those that it has said and nobody has read.
    pub(super) fn said(&self, words: &str) -> bool {
        self.lines.try_iter().any(|line| line.contains(words))
    }

    /// Waits for its end.
    pub(super) fn status(mut self) -> Option<i32> {
        eventually("the end of a command", || self.child.try_wait().expect("a child")).code()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it runs");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end: whether it succeeded, what it said, and what it complained of.
pub(super) fn run(net: &Net, node: &str, arguments: &[&str]) -> (bool, String, String) {
    let program = programs::folder().join("rsvp").display().to_string();
    let mut command = net.command(node, &program);
    let done = command.args(arguments).env("RSVP_SOCKET", net.socket(node)).output().expect("rsvp runs");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (done.status.success(), text(&done.stdout), text(&done.stderr))
}

pub(super) fn rows(net: &Net, node: &str, what: &str) -> Vec<Value> {
    let (done, said, complaint) = run(net, node, &["show", what, "--json"]);
    assert!(done, "{complaint}");
    serde_json::from_str(&said).expect("an array of rows")
}

pub(super) fn is_event(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["event"]["event"] == kind
}

#[test]
fn send_and_recv_make_a_reservation_and_measure_it() {
    let Some(mut net) = Net::three_in_a_row("rsvp send and recv") else { return };
    for node in ["a", "r", "b"] {
        net.daemon(node, CONFIG);
    }
    let watch = Running::start(&net, "r", "watch --json");
    watch.until("beginning", |line| line["note"].is_string());
    // The only address of b with RSVP is found without being told.
    let receiver = Running::start(&net, "b", "recv --port 5000 --confirm --json");
    let sender =
        Running::start(&net, "a", "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit --json");
    sender.until("reservation", is_event("resv"));
    receiver.until("confirmation", is_event("resv-confirm"));
    let report = receiver.until("full second", |line| line["report"]["packets"].as_u64() > Some(20));
    let measured = &report["report"];
    assert!(report["from"] == "10.0.1.1:4000" && measured["throughput_bps"].as_f64() > Some(0.0), "{report}");
    assert!(measured["delay_us"].is_number() && measured["jitter_us"].is_number(), "{report}");
    let installed = watch.until("reservation", |line| line["watched"]["what"] == "reserved");
    assert_eq!(installed["watched"]["interface"], "to-b");
    let reserved = rows(&net, "r", "reservations");
    assert_eq!((reserved.len(), &reserved[0]["charge_bps"]), (1, &Value::from(2_000_000)));
    let (_, table, _) = run(&net, "r", &["show", "reservations"]);
    assert!(table.contains("udp 10.0.2.2:5000") && table.contains("2Mbit/s"), "{table}");

    // Killed, it leaves nothing behind: the sender hears of it, and no refresh had to be missed.
    receiver.signal(Signal::SIGKILL);
    sender.until("end of the reservation", is_event("resv-gone"));
    watch.until("end of the reservation", |line| line["watched"]["what"] == "unreserved");
    assert!(rows(&net, "r", "reservations").is_empty());
    sender.signal(Signal::SIGINT);
    sender.until("end", |line| line["note"].as_str().is_some_and(|note| note.starts_with("ends after")));
    net.client("r").until("senders", 0);
}

#[test]
fn a_delay_becomes_a_rate_on_every_hop() {
    let Some(mut net) = Net::three_in_a_row("rsvp recv --delay") else { return };
    for node in ["a", "r", "b"] {
        net.daemon(node, &format!("{CONFIG}error_c = 1500\nerror_d = \"500us\"\n"));
    }
    let receiver =
        Running::start(&net, "b", "recv --port 5000 --service guaranteed --delay 20ms --confirm --json");
    let sending = "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit --bucket 6kB --json";
    let _sender = Running::start(&net, "a", sending);
    receiver.until("confirmation", is_event("resv-confirm"));
    // RFC 2212 with an unlimited peak: R = (b + Ctot) / (20 ms - Dtot), two hops of 1500 octets and 500 us.
    let expected = 8.0 * (6_000.0 + 3_000.0) / 0.019;
    let found = rows(&net, "r", "reservations")[0]["flowspec"]["reserve_bps"].as_f64().expect("R");
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} instead of {expected}");
}

#[test]
fn standalone_does_without_daemons_and_not_beside_one() {
    let Some(mut net) = Net::three_in_a_row("rsvp --standalone") else { return };
    net.daemon("r", CONFIG);
    let file = net.file("standalone.toml");
    std::fs::write(&file, CONFIG).expect("a configuration is written");
    let standalone = format!("--standalone --config {} --json", file.display());
    let receiver = Running::start(&net, "b", &format!("recv --port 5000 --confirm {standalone}"));
    let sending = format!("send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit {standalone}");
    let sender = Running::start(&net, "a", &sending);
    receiver.until("confirmation", is_event("resv-confirm"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(0));
    receiver.signal(Signal::SIGTERM);
    sender.until("end of the reservation", is_event("resv-gone"));
    sender.signal(Signal::SIGTERM);
    net.client("r").until("senders", 0);

    let (done, _, complaint) = run(&net, "r", &["recv", "--port", "5000", "--standalone"]);
    assert!(!done && complaint.contains("already"), "{complaint}");
    let (done, _, complaint) = run(&net, "a", &["recv", "--port", "5000"]);
    assert!(
        !done && complaint.contains("systemctl start rsvpd") && complaint.contains("--standalone"),
        "{complaint}"
    );
    let (done, _, complaint) = run(&net, "r", &["recv", "--port", "5000"]);
    assert!(!done && complaint.contains("--address") && complaint.contains("10.0.2.1 (to-b)"), "{complaint}");
}

#[test]
fn who_may_not_is_told_which_group_may() {
    let Some(mut net) = Net::new("a user without permission") else { return };
    net.host("a");
    net.daemon("a", "");
    let program = net.program("rsvp").display().to_string();
    let mut command = net.command("a", "setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", &program, "show", "senders"]);
    let done = command.env("RSVP_SOCKET", net.socket("a")).output().expect("setpriv runs");
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && complaint.contains("run as root"), "{complaint}");
}
