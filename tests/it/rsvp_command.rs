//! The `rsvp` program where it needs no daemon: completions, man pages, help, and what it says when nobody is there.

use crate::programs;
use std::process::{Command, Output};

fn rsvp(arguments: &[&str]) -> Output {
    let mut command = Command::new(programs::folder().join("rsvp"));
    command.args(arguments).env("RSVP_SOCKET", "/nonexistent/control.sock").output().expect("rsvp runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = rsvp(&["completions", shell]);
        let script = text(&done.stdout);
        assert!(done.status.success(), "{shell}");
        // Each has its own way of writing options, and not all of them complete the values of an argument.
        for word in ["recv", "decode", "dscp", "standalone"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn every_command_has_a_man_page() {
    let folder = std::env::temp_dir().join(format!("rsvp-man-{}", std::process::id()));
    let done = rsvp(&["man", &folder.display().to_string()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let commands = [
        "rsvp",
        "rsvp-send",
        "rsvp-recv",
        "rsvp-announce",
        "rsvp-reserve",
        "rsvp-show",
        "rsvp-watch",
        "rsvp-top",
        "rsvp-decode",
        "rsvp-qos",
        "rsvp-qos-check",
        "rsvp-template",
        "rsvp-template-install",
    ];
    let commands =
        commands.into_iter().chain(["rsvp-dscp", "rsvp-dscp-list", "rsvp-dscp-get", "rsvp-dscp-check"]);
    for page in commands.map(|name| format!("man1/{name}.1")).chain(["man8/rsvpd.8".to_owned()]) {
        let page = std::fs::read_to_string(folder.join(&page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(page.contains(".SH NAME") && page.contains("rsvp"), "{page}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    let done = rsvp(&["man", "/proc/nowhere"]);
    assert!(!done.status.success() && text(&done.stderr).contains("/proc/nowhere"));
}

#[test]
fn help_has_examples() {
    for command in [
        "send",
        "recv",
        "announce",
        "reserve",
        "show",
        "watch",
        "top",
        "decode",
        "encode",
        "completions",
        "man",
    ] {
        let help = text(&rsvp(&[command, "--help"]).stdout);
        assert!(help.contains(&format!("rsvp {command} ")) && help.contains("Example"), "{help}");
    }
    for command in ["list", "get", "check"] {
        let help = text(&rsvp(&["dscp", command, "--help"]).stdout);
        assert!(help.contains(&format!("rsvp dscp {command} ")) && help.contains("Example"), "{help}");
    }
    for (group, command) in [
        ("qos", "check"),
        ("template", "list"),
        ("template", "show"),
        ("template", "install"),
        ("template", "remove"),
    ] {
        let help = text(&rsvp(&[group, command, "--help"]).stdout);
        assert!(help.contains(&format!("rsvp {group} {command} ")) && help.contains("Example"), "{help}");
    }
    for group in ["dscp", "qos", "template"] {
        assert!(text(&rsvp(&[group, "--help"]).stdout).contains("Example"), "{group}");
    }
    let daemon = Command::new(programs::rsvpd()).arg("--help").output().expect("rsvpd runs");
    let help = text(&daemon.stdout);
    for word in ["rsvpd --check-config", "CAP_NET_RAW", "SIGHUP", "Exit status"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_was_expected() {
    let cases = [
        (vec!["show", "senders"], "systemctl start rsvpd"),
        (vec!["recv", "--port", "5000"], "--standalone"),
        (vec!["send", "--to", "10.0.0.1:5000", "--rate", "2"], "expected a rate such as"),
        (vec!["send", "--to", "10.0.0.1", "--rate", "2mbit"], "--to"),
        (vec!["send", "--to", "127.0.0.1:5000", "--rate", "2mbit", "--max-packet", "40B"], "at least 52B"),
        (vec!["recv", "--port", "5000", "--delay", "20ms"], "--service guaranteed"),
        (vec!["recv", "--port", "5000", "--style", "wf", "--filter", "10.0.0.1:4000"], "--style se"),
        (vec!["show", "senders", "--session", "video"], "udp 10.0.2.2:5000"),
        (vec!["show", "cows"], "reservations"),
        (vec!["template", "list"], "RSVP_QOS_SOCKET"),
        (vec!["template", "remove", "talk"], "/nonexistent/control.sock"),
        (vec!["qos", "check", "--to", "10.0.0.1:5000"], "/nonexistent/qos.sock"),
        (vec!["qos", "check"], "--to"),
    ];
    for (arguments, words) in cases {
        let done = rsvp(&arguments);
        let complaint = text(&done.stderr);
        assert!(!done.status.success() && complaint.contains(words), "{arguments:?}: {complaint}");
    }
}
