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

/// What a command ended with, and what it said; 124 if it did not end by itself. `|` is a space within an argument.
fn ended(net: &Net, node: &str, arguments: &str) -> (Option<i32>, String) {
    let mut command = net.command(node, "timeout");
    command.arg("60").arg(programs::folder().join("rsvp"));
    command.args(arguments.split(' ').map(|argument| argument.replace('|', " ")));
    let done = command.env("RSVP_SOCKET", net.socket(node)).output().expect("timeout runs");
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// All that talk to a daemon, each with what it would do if there were one that answers.
const TALKING: [&str; 31] = [
    "send --to 10.0.2.2:5000 --rate 1mbit",
    "send --to 10.0.2.2:5000 --template g711",
    "recv --port 5000",
    "recv --port 5001 --template g711",
    "announce --session udp|10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit",
    "reserve --session udp|10.0.1.1:5002",
    "show sessions",
    "show counters --prometheus",
    "watch",
    "top",
    "report --output FOLDER/report.json",
    "tc query",
    "tc set --reset",
    "tc watch",
    "tc flow --interface to-r --rate 1mbit",
    "tc filter --interface to-r --dscp ef --filter protocol|udp",
    "qos check --to 10.0.2.2:5000 --rate 1mbit",
    "flows list",
    "flows measure --to 10.0.2.2:5000",
    "policy list",
    "policy explain",
    "policy put FOLDER/policy.toml",
    "policy remove backup",
    "policy refresh",
    "policy settings",
    "run --dscp ef -- true",
    "template list",
    "template show g711",
    "template install FOLDER/template.toml",
    "template remove talk",
    "doctor",
];

#[test]
fn a_daemon_that_is_stopped_is_not_waited_for() {
    let Some(net) = three("a daemon that is stopped") else { return };
    let policy =
        "[[policy]]\nname = \"backup\"\nmatch = { remote = \"10.0.0.0/8\" }\naction = { dscp = \"le\" }\n";
    let template = "name = \"talk\"\n[sending]\nservice = \"controlled-load\"\ntoken_rate = 8500\n\
                    token_bucket_size = 680\nmax_sdu_size = 340\nminimum_policed_size = 340\n";
    for (name, text) in [("policy.toml", policy), ("template.toml", template)] {
        std::fs::write(net.file(name), text).expect("a file is written");
    }
    // These have something that they give back when they are told to end.
    let holding = [
        ("waiting", "recv --address 10.0.1.1 --port 6000 --json"),
        ("waiting", "recv --address 10.0.1.1 --port 6001 --template g711 --json"),
        ("waiting", "reserve --session udp|10.0.1.1:6002 --json"),
        ("announced", "announce --session udp|10.0.2.2:6003 --from 10.0.1.1:6003 --rate 1mbit --json"),
        ("announced", "send --to 10.0.2.2:6004 --rate 1mbit --json"),
        ("announced", "send --to 10.0.2.2:6005 --template g711 --json"),
        ("flow-made", "tc flow --interface to-r --rate 1mbit --json"),
    ];
    let holding = holding.map(|(begins, arguments)| {
        let running = Running::start(&net, "a", arguments);
        running.until(begins, |line| line["type"] == begins);
        (arguments, running)
    });
    // Who watches waits for as long as it takes, and ends when told to.
    let watching = Running::start(&net, "a", "watch --json");
    watching.until("beginning", |line| line["type"] == "watching");

    net.signal("a", Signal::SIGSTOP);
    holding.iter().for_each(|(_, running)| running.signal(Signal::SIGINT));
    let folder = net.file("").display().to_string();
    let found: Vec<_> = std::thread::scope(|scope| {
        let net = &net;
        let begin = |arguments: &str| {
            let arguments = arguments.replace("FOLDER/", &folder);
            let given = arguments.clone();
            (arguments, scope.spawn(move || ended(net, "a", &given)))
        };
        let all: Vec<_> = TALKING.iter().map(|arguments| begin(arguments)).collect();
        all.into_iter().map(|(arguments, end)| (arguments, end.join().expect("it ended"))).collect()
    });
    for (arguments, running) in holding {
        assert!(running.status().is_some(), "{arguments}");
    }
    for (arguments, (status, said)) in found {
        let expected = if arguments == "doctor" { 1 } else { 5 };
        assert!(
            status == Some(expected) && said.contains("does not answer"),
            "{arguments}: {status:?}: {said}"
        );
    }
    net.signal("a", Signal::SIGCONT);
    // It is as it was, and who watched sees what happens since.
    let mut client = net.client("a");
    client.send("udp 10.0.2.2:6006", "10.0.1.1:6006", 1);
    watching.until("what happens", |line| {
        line["watched"]["what"] == "sender-arrived" && line["watched"]["session"] == "udp 10.0.2.2:6006"
    });
    watching.signal(Signal::SIGINT);
    assert_eq!(watching.status(), Some(0));
}

/// Each status that `rsvp announce --help` has.
#[test]
fn an_announcement_ends_with_what_became_of_it() {
    let Some(mut net) = Net::three_in_a_row("announcements that end") else { return };
    ["a", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    net.daemon("r", &format!("{CONFIG}[limits]\nsenders_per_session = 1\n"));
    let ends = |net: &Net, from: &str, more: &str, status: i32, words: &str| {
        let program = programs::folder().join("rsvp").display().to_string();
        let mut command = net.command("a", &program);
        command.args(["announce", "--session", "udp 10.0.2.2:5000", "--from", from, "--rate", "1mbit"]);
        command.args(more.split(' ')).env("RSVP_SOCKET", net.socket("a"));
        let done = command.output().expect("rsvp runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(status) && said.contains(words), "{:?}: {said}", done.status);
    };
    ends(&net, "10.0.1.1:4000", "--for 300ms", 4, "no receiver has reserved");
    // Another host's address.
    ends(&net, "10.0.1.99:4000", "--for 300ms", 1, "none of this node's addresses");
    ends(&net, "10.0.1.1:4000", "--peak 1kbit", 2, "--peak 1kbit/s is less than the token rate");
    ends(&net, "10.0.1.1:4000", "--no-such-option", 2, "--no-such-option");

    let announced = "announce --session udp|10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json";
    let first = Running::start(&net, "a", announced);
    let mut b = net.client("b");
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    first.until("a reservation", is_event("resv"));
    // The router has no place for another.
    ends(&net, "10.0.1.1:4001", "--for 2s", 3, "refused: ");
    first.signal(Signal::SIGINT);
    assert_eq!(first.status(), Some(0), "a receiver has reserved");

    let last = Running::start(&net, "a", announced);
    last.until("an announcement", |line| line["type"] == "announced");
    net.signal("a", Signal::SIGKILL);
    assert_eq!(last.status(), Some(5), "the daemon went away");
    net.ended("a");
    let nobody = Running::start(&net, "a", announced);
    assert_eq!(nobody.status(), Some(5), "there is none");
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
