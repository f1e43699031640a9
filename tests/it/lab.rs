//! Scenarios in network namespaces, with a real `rsvpd` for every node: the shipped ones hold there as they do in virtual
//! time, and a lab that cannot be or does not work out says so and leaves nothing behind.

use crate::daemon::eventually;
use crate::{programs, skipped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rsvp_sim::lab::{self, LabError, Outcome, Settings};
use rsvp_sim::scenario::model::Family;
use rsvp_sim::world::Sent;
use rsvp_sim::{Look, Report, Scenario};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) fn root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        skipped("skipped: a lab's namespaces need root");
    }
    root
}

/// One lab at a time: each has up to nine daemons, with timers that a crowded machine would make late.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn file(name: &str) -> String {
    format!("{}/../rsvp-sim/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn shipped(name: &str, family: Family) -> Scenario {
    let octets = std::fs::read(file(name)).expect("a shipped scenario");
    let mut scenario = Scenario::parse(name, &octets).expect("sound");
    scenario.family = family;
    scenario
}

pub(crate) fn settings() -> Settings {
    Settings { rsvpd: Some(programs::rsvpd()), ..Settings::default() }
}

/// Every expectation holds, and the lab's own capture shows RSVP packets that nobody but the daemons sent.
fn check(outcome: &Outcome) {
    let report = Report::new(&outcome.scenario, &outcome.record);
    assert!(report.held(), "{}", report.text(Look::default()));
    assert!(report.expectations.iter().all(|verdict| verdict.skipped.is_none()), "nothing was skipped");
    assert_eq!(outcome.record.unenforced, [], "the kernel of each node enforces what is reserved");
    assert!(!outcome.packets.is_empty(), "the links were watched");
    assert_eq!(outcome.packets.len(), outcome.record.sent.len(), "every packet is a message");
    let plain = |m: &&Sent| outcome.scenario.nodes[m.from.0].plain;
    let by_kernel = outcome.record.sent.iter().filter(|m| m.forwarded && !plain(m));
    let passed_on: Vec<&str> = by_kernel.map(|m| m.label.as_str()).collect();
    assert_eq!(passed_on, [""; 0], "no kernel passed on what its daemon had processed");
}

fn check_shipped(name: &str, family: Family) {
    if !root() {
        return;
    }
    let _turn = alone();
    check(&lab::run(shipped(name, family), &settings()).expect("the lab comes to its end"));
}

macro_rules! shipped {
    ($($test:ident: $name:literal, $family:ident;)*) => {$(
        #[test]
        fn $test() {
            check_shipped($name, Family::$family);
        }
    )*};
}

shipped! {
    three_routers_hold_in_ipv4: "three-routers", Ipv4;
    three_routers_hold_in_ipv6: "three-routers", Ipv6;
    an_admission_failure_holds_in_ipv4: "admission-failure", Ipv4;
    an_admission_failure_holds_in_ipv6: "admission-failure", Ipv6;
    teardown_holds_in_ipv4: "teardown", Ipv4;
    teardown_holds_in_ipv6: "teardown", Ipv6;
    a_link_failure_holds_in_ipv4: "link-failure", Ipv4;
    a_link_failure_holds_in_ipv6: "link-failure", Ipv6;
    killer_reservation_se_holds: "killer-reservation-se", Ipv4;
    mtu_per_receiver_holds_in_ipv4: "mtu-per-receiver", Ipv4;
    mtu_per_receiver_holds_in_ipv6: "mtu-per-receiver", Ipv6;
    se_added_sender_holds_in_ipv4: "se-added-sender", Ipv4;
    se_added_sender_holds_in_ipv6: "se-added-sender", Ipv6;
    figure_5_holds: "figure-5-wf", Ipv4;
    figure_6_holds_in_ipv4: "figure-6-ff", Ipv4;
    figure_6_holds_in_ipv6: "figure-6-ff", Ipv6;
    figure_7_holds: "figure-7-se", Ipv4;
    figure_8_holds: "figure-8-wf-partial", Ipv4;
    figure_10_holds: "figure-10-independent", Ipv4;
    figure_11_holds_in_ipv4: "figure-11-scope", Ipv4;
    figure_11_holds_in_ipv6: "figure-11-scope", Ipv6;
    ipsec_holds_in_ipv4: "ipsec", Ipv4;
    ipsec_holds_in_ipv6: "ipsec", Ipv6;
    plain_routers_hold_in_ipv4: "plain-routers", Ipv4;
    plain_routers_hold_in_ipv6: "plain-routers", Ipv6;
}

/// Applications that are QoS sockets: their data comes, marked as reserved, and every value that is expected of it matters.
fn check_sockets(name: &str, family: Family) {
    if !root() {
        return;
    }
    let _turn = alone();
    let outcome = lab::run(shipped(name, family), &settings()).expect("the lab comes to its end");
    check(&outcome);
    crate::scenarios::check_every_value(name, &outcome.record);
    let report = Report::new(&outcome.scenario, &outcome.record);
    assert!(
        !report.data.is_empty() && report.data.iter().all(|stream| stream.received > 20),
        "{:?}",
        report.data
    );
    let text = report.text(Look::default());
    let shown = format!("{} -> {}", report.data[0].sender, report.data[0].receiver);
    assert!(text.contains("\nData\n") && text.contains(&shown), "{text}");
}

#[test]
fn qos_sockets_on_one_segment_hold_in_ipv4() {
    check_sockets("same-segment", Family::Ipv4);
}

#[test]
fn qos_sockets_on_one_segment_hold_in_ipv6() {
    check_sockets("same-segment", Family::Ipv6);
}

#[test]
fn qos_sockets_with_a_router_between_hold_in_ipv4() {
    check_sockets("a-router-between", Family::Ipv4);
}

#[test]
fn qos_sockets_with_a_router_between_hold_in_ipv6() {
    check_sockets("a-router-between", Family::Ipv6);
}

#[test]
fn qos_sockets_in_a_group_hold_in_ipv4() {
    check_sockets("a-class", Family::Ipv4);
}

#[test]
fn qos_sockets_in_a_group_hold_in_ipv6() {
    check_sockets("a-class", Family::Ipv6);
}

/// A chain of which `r1` is the middle, with R = 1 s.
fn chain(rest: &str) -> Scenario {
    let text = format!(
        r#"
name = "chain"
refresh = "1s"
duration = "12s"
[nodes]
hosts = ["studio", "home"]
routers = ["r1"]
[[link]]
between = ["studio", "r1"]
[[link]]
between = ["r1", "home"]
[[session]]
name = "video"
to = "home"
[[sender]]
name = "camera"
node = "studio"
rate = "2mbit"
[[receiver]]
name = "viewer"
node = "home"
style = "ff"
rate = "2mbit"
{rest}
"#
    );
    Scenario::parse("chain.toml", text.as_bytes()).expect("sound")
}

/// RFC 2205 section 2.3: soft state is there again after a crash; a daemon that was killed left a socket file behind.
#[test]
fn a_router_that_crashes_recovers_its_reservation_within_three_refreshes() {
    if !root() {
        return;
    }
    let _turn = alone();
    let scenario = chain(
        r#"
[[action]]
at = "3s"
do = "crash"
node = "r1"
for = "500ms"
[[expect]]
what = "reservations"
node = "r1"
at = "2900ms"
list = [{ link = "r1-home", rate = "2mbit" }]
[[expect]]
what = "reservations"
node = "r1"
at = "3200ms"
list = []
[[expect]]
what = "reservations"
at = "6500ms"
list = [{ node = "studio", rate = "2mbit" }, { node = "r1", rate = "2mbit" }]
# Its own refresh may reach the router before the Path does, which the router then says.
[[expect]]
about = "nothing has ended for the viewer"
what = "events"
application = "viewer"
event = "path-gone"
count = 0
[[expect]]
what = "events"
application = "viewer"
event = "path"
count = 1
"#,
    );
    let simulated = Report::of(scenario.clone());
    assert!(simulated.held(), "{}", simulated.text(Look::default()));
    check(&lab::run(scenario, &settings()).expect("the lab comes to its end"));
}

#[test]
fn what_no_kernel_can_do_is_skipped_and_not_passed() {
    if !root() {
        return;
    }
    let _turn = alone();
    let mut scenario = chain("[[expect]]\nwhat = \"paths\"\nnode = \"r1\"\ncount = 1\n");
    scenario.links[0].loss = 0.5;
    scenario.duration = Duration::from_millis(100);
    let outcome = lab::run(scenario, &settings()).expect("the lab comes to its end");
    let report = Report::new(&outcome.scenario, &outcome.record);
    assert!(!report.expectations[0].held);
    let text = report.text(Look::default());
    assert!(text.contains("skipped: link studio-r1 loses packets"), "{text}");
    assert!(text.contains("0 of 1 held, 1 skipped"), "{text}");
}

#[test]
fn a_lab_whose_daemon_is_another_program_fails() {
    if !root() {
        return;
    }
    let settings = Settings { rsvpd: Some(PathBuf::from("/bin/true")), ..Settings::default() };
    let fault = lab::run(shipped("three-routers", Family::Ipv4), &settings).expect_err("no lab");
    let text = fault.to_string();
    assert!(matches!(fault, LabError::Step { .. }), "{text}");
    assert!(text.contains("cannot start rsvpd for studio: it ended at once"), "{text}");
}

fn lab_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(programs::rsvp_sim());
    command.arg("lab").args(arguments).stdin(Stdio::null());
    command
}

fn check_exit(output: &Output, code: i32, words: &str) {
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn without_root_it_says_so_and_exits_3() {
    if !root() {
        return;
    }
    // A copy where anybody may read it.
    let folder = std::env::temp_dir().join(format!("rsvp-lab-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (program, scenario) = (folder.join("rsvp-sim"), folder.join("scenario.toml"));
    std::fs::copy(programs::rsvp_sim(), &program).expect("a copy");
    std::fs::copy(file("three-routers"), &scenario).expect("a copy");
    let output = Command::new(&program).arg("lab").arg(&scenario).uid(65_534).gid(65_534).output();
    std::fs::remove_dir_all(&folder).expect("removed");
    check_exit(&output.expect("it runs"), 3, "only root may");
}

#[test]
fn a_missing_daemon_is_named_with_the_way_to_build_it() {
    if root() {
        let output = lab_command(&["--rsvpd", "/nowhere/rsvpd", &file("three-routers")]).output();
        check_exit(&output.expect("it runs"), 4, "no rsvpd at /nowhere/rsvpd: build it with `cargo build");
    }
}

#[test]
fn a_failed_expectation_fails_the_command() {
    if !root() {
        return;
    }
    let _turn = alone();
    let scenario = std::env::temp_dir().join(format!("rsvp-lab-failed-{}.toml", std::process::id()));
    let text = std::fs::read_to_string(file("three-routers")).expect("a shipped scenario");
    let text =
        text.replace("duration = \"100s\"", "duration = \"10s\"") + "\n[[expect]]\nwhat = \"blockades\"\n";
    std::fs::write(&scenario, text).expect("written");
    let output = lab_command(&[scenario.to_str().expect("UTF-8")]).output();
    std::fs::remove_file(&scenario).expect("removed");
    check_exit(&output.expect("it runs"), 1, "1 of 7 did not hold");
}

#[test]
fn a_lab_says_aloud_where_reservations_are_not_enforced() {
    if !root() {
        return;
    }
    let _turn = alone();
    let folder = std::env::temp_dir().join(format!("rsvp-lab-unenforced-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    // A daemon that may do everything but load programs into the kernel. A process of its own writes it: what this one has open for
    // writing is so for a moment in the children of other tests, too, and cannot be run.
    let daemon = folder.join("rsvpd");
    let script = format!(
        "#!/bin/sh\nexec setpriv --bounding-set -all,+net_admin,+net_raw {} \"$@\"",
        programs::rsvpd().display()
    );
    let written = Command::new("sh")
        .args(["-c", "printf '%s\n' \"$1\" > \"$2\" && chmod +x \"$2\"", "sh", &script])
        .arg(&daemon)
        .status();
    assert!(written.expect("sh runs").success());
    let daemon = daemon.to_str().expect("UTF-8");
    let output = lab_command(&["--quiet", "--rsvpd", daemon, &file("three-routers")]).output();
    std::fs::remove_dir_all(&folder).expect("removed");
    let output = output.expect("it runs");
    check_exit(&output, 0, "rsvp-sim: r1: reservations are signalled and admitted, but not enforced: ");
    assert!(output.stdout.is_empty(), "and every expectation held");
}

/// Daemons whose configuration is in this folder.
fn daemons_of(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let ours = processes.filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(folder.to_str().expect("UTF-8")) && line.contains(".toml") && line.contains("rsvpd")
    });
    ours.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A lab of the command in the middle of its run.
fn running(folder: &Path) -> Child {
    let rsvpd = programs::rsvpd();
    let arguments = ["--logs", folder.to_str().expect("UTF-8"), "--rsvpd", rsvpd.to_str().expect("UTF-8")];
    let mut command = lab_command(&arguments);
    let child = command.arg(file("link-failure")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.expect("it runs");
    let log = folder.join("home.log");
    eventually("the last daemon is ready", || {
        let lines = BufReader::new(std::fs::File::open(&log).ok()?).lines().count();
        (lines > 0 && daemons_of(folder).len() == 6).then_some(())
    });
    child
}

fn check_signal(signal: Signal, code: Option<i32>) {
    if !root() {
        return;
    }
    let _turn = alone();
    let folder = std::env::temp_dir().join(format!("rsvp-lab-{signal}-{}", std::process::id()));
    let child = running(&folder);
    kill(Pid::from_raw(child.id() as i32), signal).expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), code, "{}", String::from_utf8_lossy(&output.stderr));
    eventually("all daemons are gone", || daemons_of(&folder).is_empty().then_some(()));
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn ctrl_c_ends_every_daemon() {
    check_signal(Signal::SIGINT, Some(4));
}

#[test]
fn even_a_lab_that_is_killed_takes_its_daemons_with_it() {
    check_signal(Signal::SIGKILL, None);
}
