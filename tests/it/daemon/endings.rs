//! How `rsvp send` and `rsvp recv` end: a summary, and an exit status that says what became of the flow.

use super::commands::{CONFIG, Running, is_event};
use super::net::Net;
use crate::programs;
use nix::sys::signal::Signal;
use serde_json::Value;

/// A command that has ended.
struct Ended {
    status: Option<i32>,
    lines: Vec<Value>,
    complaint: String,
}

impl Ended {
    fn of(net: &Net, node: &str, arguments: &str) -> Self {
        let program = programs::folder().join("rsvp").display().to_string();
        let mut command = net.command(node, &program);
        command.args(arguments.split(' ')).arg("--json").env("RSVP_SOCKET", net.socket(node));
        let done = command.output().expect("rsvp runs");
        let said = String::from_utf8_lossy(&done.stdout);
        let lines = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        Self { status: done.status.code(), lines, complaint }
    }

    /// The only line of a type.
    fn line(&self, kind: &str) -> &Value {
        let of_type: Vec<_> = self.lines.iter().filter(|line| line["type"] == kind).collect();
        assert_eq!(of_type.len(), 1, "{kind} in {:#?}", self.lines);
        of_type[0]
    }
}

/// Three nodes in a row with daemons.
fn three(test: &str) -> Option<Net> {
    let mut net = Net::three_in_a_row(test)?;
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    Some(net)
}

#[test]
fn what_was_reserved_and_delivered_ends_with_success_and_a_summary() {
    let Some(net) = three("a flow that ends well") else { return };
    let receiver = Running::start(&net, "b", "recv --port 5000 --confirm --json");
    let sending = "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit --wait 30s --for 1s";
    let sent = Ended::of(&net, "a", sending);
    assert_eq!(sent.status, Some(0), "{}", sent.complaint);
    let announced = sent.line("announced");
    assert_eq!(
        (&announced["session"], &announced["sender"]),
        (&"udp 10.0.2.2:5000".into(), &"10.0.1.1:4000".into())
    );
    sent.line("sending");
    let said = &sent.line("summary")["summary"];
    let (packets, octets) =
        (said["packets"].as_u64().expect("packets"), said["octets"].as_u64().expect("octets"));
    assert!(packets > 50 && octets == packets * 1500 && said["failed"] == 0, "{said}");
    let reserved = said["reserved_s"].as_f64().expect("a time");
    assert!(reserved >= 1.0 && reserved <= said["elapsed_s"].as_f64().expect("a time"), "{said}");
    let is = |kind: &'static str| move |line: &Value| line["type"] == kind;
    let asked = receiver.until("a request", is("asks"));
    assert_eq!(asked["flow"]["filters"][0], "10.0.1.1:4000");
    let report = receiver.until("a report", |line| line["report"]["packets"].as_u64() > Some(0));
    assert_eq!(report["type"], "report");
    receiver.until("the end of the sender", is_event("path-gone"));
    receiver.signal(Signal::SIGINT);
    let got = receiver.until("a summary", is("summary"))["summary"].clone();
    let came = got["packets"].as_u64().expect("packets");
    assert!(came > 0 && came <= packets && got["octets"] == came * 1500, "{got}");
    assert!(got["delay_p99_us"].as_i64() >= got["delay_median_us"].as_i64(), "{got}");
    let end = receiver.until("the end", is("ends"));
    let (stood, elapsed) = (end["reserved_s"].as_f64(), end["elapsed_s"].as_f64());
    assert!(stood >= Some(1.0) && stood < elapsed, "the sender was there for a part of the time: {end}");
    assert_eq!(receiver.status(), Some(0));
}

#[test]
fn who_is_alone_waits_no_longer_than_told() {
    let Some(net) = three("a flow that nobody takes part in") else { return };
    let sender = Ended::of(&net, "a", "send --to 10.0.2.2:5000 --rate 2mbit --wait 300ms");
    assert_eq!(sender.status, Some(4), "{}", sender.complaint);
    assert!(sender.complaint.contains("no receiver has reserved"), "{}", sender.complaint);
    assert_eq!(sender.line("summary")["summary"]["reserved_s"], 0.0);
    let receiver = Ended::of(&net, "b", "recv --port 5000 --wait 300ms");
    assert_eq!(receiver.status, Some(4), "{}", receiver.complaint);
    assert!(receiver.complaint.contains("no sender is there"), "{}", receiver.complaint);

    // One is there, but not the one that is named.
    let _sender =
        Running::start(&net, "a", "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json");
    net.client("b").until("senders", 1);
    let receiver = Ended::of(&net, "b", "recv --port 5000 --filter 10.0.1.1:4001 --wait 3s");
    assert_eq!(receiver.status, Some(4), "{}", receiver.complaint);
    assert!(receiver.complaint.contains("no sender is there that --filter names"), "{}", receiver.complaint);
    let left_out = receiver.line("left-out");
    assert_eq!(left_out["sender"], "10.0.1.1:4000");
    assert!(
        left_out["note"].as_str().is_some_and(|note| note.contains("none that --filter names")),
        "{left_out}"
    );
}

#[test]
fn who_is_refused_says_so_and_the_sender_does_not_wait_for_ever() {
    let Some(net) = three("a flow that is refused") else { return };
    let (sent, received) = std::thread::scope(|scope| {
        let sending = "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 20mbit --wait 12s";
        let sender = scope.spawn(|| Ended::of(&net, "a", sending));
        net.client("b").until("senders", 1);
        let receiver = Ended::of(&net, "b", "recv --port 5000 --wait 4s");
        (sender.join().expect("it ended"), receiver)
    });
    assert_eq!(
        (sent.status, received.status),
        (Some(4), Some(3)),
        "{} {}",
        sent.complaint,
        received.complaint
    );
    let why = &received.complaint;
    assert!(why.starts_with("rsvp: refused: ") && why.contains("Admission Control failure"), "{why}");
    // What no path can keep is not even asked for.
    let bound = "recv --port 5000 --service guaranteed --delay 1us --wait 30s";
    let _sender =
        Running::start(&net, "a", "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json");
    let receiver = Ended::of(&net, "b", bound);
    assert_eq!(receiver.status, Some(3), "{}", receiver.complaint);
}

#[test]
fn a_daemon_that_goes_away_has_a_status_of_its_own() {
    let Some(mut net) = three("a daemon that goes away") else { return };
    let status = std::thread::scope(|scope| {
        let waiting = Running::start(&net, "b", "recv --port 5000 --json");
        waiting.until("beginning", |line| line["type"] == "waiting");
        let other = scope.spawn(|| Ended::of(&net, "b", "recv --port 5001"));
        net.client("b").until("sessions", 2);
        net.signal("b", Signal::SIGKILL);
        other.join().expect("it ended").status
    });
    assert_eq!(status, Some(5));
    net.ended("b");
    let nobody = Ended::of(&net, "b", "recv --port 5000");
    assert_eq!(nobody.status, Some(5), "{}", nobody.complaint);
    // What the command line has wrong is none of these.
    assert_eq!(Ended::of(&net, "b", "recv --port").status, Some(2));
}

#[test]
fn data_of_other_programs_is_data() {
    let Some(net) = three("data of other programs") else { return };
    let receiver = Running::start(&net, "b", "recv --port 5000 --wait 50s --for 55s --json");
    receiver.until("beginning", |line| line["type"] == "waiting");
    let announced = "announce --session udp|10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json";
    let announcement = Running::start(&net, "a", announced);
    announcement.until("a reservation", is_event("resv"));
    net.exec("a", &["bash", "-c", "printf hello > /dev/udp/10.0.2.2/5000"]);
    for kind in ["other-report", "other-summary"] {
        let other = receiver.until("packets of others", |line| line["type"] == kind);
        assert_eq!((&other["packets"], &other["octets"]), (&1.into(), &33.into()), "{other}");
        receiver.signal(Signal::SIGINT);
    }
    assert_eq!(receiver.status(), Some(0));
}
