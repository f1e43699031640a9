//! What a daemon needs to start, what it keeps, and what it says when something is missing.

use super::net::Net;
use crate::programs;
use nix::sys::signal::Signal;
use std::process::{Command, Output};

fn rsvpd(command: &mut Command, arguments: &[&str]) -> (bool, String) {
    let Output { status, stderr, .. } = command.args(arguments).output().expect("it runs");
    (status.success(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn a_configuration_is_checked_without_starting() {
    let folder = std::env::temp_dir().join(format!("rt{}-check", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("rsvpd.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).expect("it is written");
        let file = file.display().to_string();
        rsvpd(&mut Command::new(programs::rsvpd()), &["--check-config", "--config", &file])
    };
    assert_eq!(check("[interfaces]\nrefresh = \"5s\"\n"), (true, String::new()));
    let (usable, said) = check("\n[control]\nsokcet = \"control.sock\"\n");
    assert!(!usable && said.contains("rsvpd.toml:3:1: unknown field `sokcet`"), "{said}");
    assert!(said.contains("did you mean `socket`?") && said.lines().count() == 1, "{said}");
    let (usable, said) = rsvpd(
        &mut Command::new(programs::rsvpd()),
        &["--check-config", "--config", &folder.join("none").display().to_string()],
    );
    assert!(!usable && said.contains("No such file"), "{said}");
    std::fs::remove_dir_all(&folder).expect("it is taken away");
}

#[test]
fn the_example_and_the_unit_are_usable() {
    let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging");
    let example = format!("{packaging}/rsvpd.toml");
    let checked = rsvpd(&mut Command::new(programs::rsvpd()), &["--check-config", "--config", &example]);
    assert_eq!(checked, (true, String::new()));
    // Every key of the example is there to be tried: with the comment signs gone it is still usable.
    let text = std::fs::read_to_string(&example).expect("an example");
    let bare =
        text.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).filter(|l| !l.starts_with(' '));
    let path = std::path::Path::new("packaging/rsvpd.toml");
    let bare = bare.collect::<Vec<_>>().join("\n");
    rsvpd::DaemonConfig::parse(path, &bare).expect("every key of the example is known");
}

#[test]
fn a_namespace_has_one_daemon() {
    let Some(mut net) = Net::three_in_a_row("one daemon") else { return };
    net.daemon("r", "");
    let program = programs::rsvpd().display().to_string();
    let socket = net.file("other.sock").display().to_string();
    let (started, said) = rsvpd(&mut net.command("r", &program), &["--socket", &socket]);
    assert!(!started && said.contains("runs in this network namespace already"), "{said}");
    // Another namespace has room for another, and a killed one leaves room.
    net.daemon("b", "");
    net.signal("r", Signal::SIGKILL);
    net.ended("r");
    net.daemon("r", "");
}

#[test]
fn a_control_socket_is_taken_from_nobody() {
    let Some(mut net) = Net::three_in_a_row("a control socket in use") else { return };
    net.daemon("r", "");
    // Network namespaces share files: the daemon of another one listens there.
    let program = programs::rsvpd().display().to_string();
    let start = |socket: &str| rsvpd(&mut net.command("b", &program), &["--socket", socket]);
    let (started, said) = start(&net.socket("r").display().to_string());
    assert!(!started && said.contains("another network namespace") && said.contains("--socket"), "{said}");
    net.client("r").list("interfaces");
    // A file that is no socket is somebody's.
    let file = net.file("letter");
    std::fs::write(&file, "dear").expect("it is written");
    let (started, said) = start(&file.display().to_string());
    assert!(!started && said.contains("no socket"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is still there"), "dear");
    // What is at the path when the daemon ends and is another's stays.
    std::fs::remove_file(net.socket("r")).expect("a socket");
    std::fs::write(net.socket("r"), "dear").expect("it is written");
    net.signal("r", Signal::SIGTERM);
    assert!(net.ended("r").success());
    assert!(net.socket("r").exists());
}

#[test]
fn all_privileges_but_two_are_given_up() {
    let Some(mut net) = Net::three_in_a_row("privileges") else { return };
    net.daemon("a", "[interfaces]\nbandwidth = \"10mbit\"\n");
    net.daemon("r", "user = \"nobody\"\n[interfaces]\nbandwidth = \"10mbit\"\n");
    net.daemon("b", "[interfaces]\nbandwidth = \"10mbit\"\n");
    let status = std::fs::read_to_string(format!("/proc/{}/status", net.pid("r"))).expect("a process");
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // CAP_NET_ADMIN is 12, CAP_NET_RAW 13.
    for set in ["CapEff:", "CapPrm:", "CapBnd:"] {
        assert_eq!(line(set), ["0000000000003000"], "{set}");
    }
    for set in ["CapInh:", "CapAmb:"] {
        assert_eq!(line(set), ["0000000000000000"], "{set}");
    }
    assert!(line("Uid:").iter().all(|uid| uid != "0"), "{:?}", line("Uid:"));
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    // And it works like that.
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.event("resv-confirm");
}

#[test]
fn a_missing_capability_is_one_clear_line() {
    let Some(net) = Net::three_in_a_row("a missing capability") else { return };
    let program = programs::rsvpd().display().to_string();
    let socket = net.file("r.sock").display().to_string();
    let mut command = net.command("r", "setpriv");
    command.args(["--bounding-set", "-net_raw", &program, "--log", "error"]);
    let (started, said) = rsvpd(&mut command, &["--socket", &socket]);
    assert!(!started && said.lines().count() == 1, "{said}");
    assert!(said.contains("CAP_NET_RAW"), "{said}");
    // And how a host does without.
    assert!(said.contains("transport = \"udp\"") && said.contains("--udp"), "{said}");
}

#[test]
fn an_interface_of_unknown_speed_is_named() {
    let Some(mut net) = Net::new("unknown speed") else { return };
    net.host("a");
    // A device that is no link has no speed.
    net.ip("a", "link add tun-0 type ifb");
    net.ip("a", "addr add 10.7.7.1/24 dev tun-0");
    net.ip("a", "link set tun-0 up");
    net.daemon("a", "");
    assert_eq!(net.client("a").list("interfaces")[0]["bandwidth_bps"], 0);
    assert!(net.log("a").contains("set `bandwidth` in [interface.tun-0]"), "{}", net.log("a"));
}

#[test]
fn what_was_said_at_the_start_holds_when_the_configuration_is_read_again() {
    let Some(mut net) = Net::three_in_a_row("SIGHUP after --socket") else { return };
    net.daemon("r", "");
    net.signal("r", Signal::SIGHUP);
    super::eventually("another look", || {
        net.log("r").contains("the configuration was read again").then_some(())
    });
    assert!(!net.log("r").contains("needs a restart"), "nothing has changed: {}", net.log("r"));
    // What has changed is still told.
    std::fs::write(net.file("r.toml"), "[control]\ngroup = \"root\"\n").expect("it is written");
    net.signal("r", Signal::SIGHUP);
    super::eventually("a warning", || {
        net.log("r")
            .contains("[control] has changed in the configuration: that needs a restart")
            .then_some(())
    });
}

#[test]
fn the_journal_of_the_system_has_priorities_and_values_are_plain() {
    let Some(mut net) = Net::three_in_a_row("a log with priorities") else { return };
    let mut command = net.command("r", &programs::rsvpd().display().to_string());
    command.env("JOURNAL_STREAM", "8:1");
    // A virtual Ethernet without a bandwidth is warned of.
    net.daemon_by("r", "", command);
    let log = net.log("r");
    assert!(log.lines().all(|line| ["<3>", "<4>", "<6>"].iter().any(|sign| line.starts_with(sign))), "{log}");
    let warning = log.lines().find(|line| line.contains("set `bandwidth`")).expect("a warning");
    assert!(warning.starts_with("<4>") && !warning.contains("WARN"), "{warning}");
    let interface = log.lines().find(|line| line.contains("name=\"to-a\"")).expect("an interface");
    assert!(interface.starts_with("<6>") && interface.contains("10.0.1.2"), "{interface}");
    assert!(!log.contains("Some("), "{log}");
}
