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
fn completions_are_there_for_the_daemon_too() {
    let done = rsvp(&["completions", "bash", "--program", "rsvpd"]);
    let script = text(&done.stdout);
    assert!(
        done.status.success() && script.contains("check-config") && script.contains("_rsvpd"),
        "{script}"
    );
}

#[test]
fn versions_are_those_of_the_package_with_the_commit_where_it_is_known() {
    for program in ["rsvp", "rsvpd"] {
        let done = Command::new(programs::folder().join(program)).arg("--version").output().expect("it runs");
        let said = text(&done.stdout);
        let version = said.trim_end().strip_prefix(&format!("{program} {}", env!("CARGO_PKG_VERSION")));
        let version = version.unwrap_or_else(|| panic!("{said}"));
        // A build for development has none: it would be made anew after each commit.
        let commit = version.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        let is_one = |commit: &str| commit.len() >= 10 && commit.chars().all(|c| c.is_ascii_hexdigit());
        assert!(version.is_empty() || commit.is_some_and(is_one), "{said}");
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
        "rsvp-doctor",
        "rsvp-report",
        "rsvp-top",
        "rsvp-decode",
        "rsvp-qos",
        "rsvp-qos-check",
        "rsvp-template",
        "rsvp-template-install",
    ];
    let commands =
        commands.into_iter().chain(["rsvp-dscp", "rsvp-dscp-list", "rsvp-dscp-get", "rsvp-dscp-check"]);
    let read = |page: &str| {
        std::fs::read_to_string(folder.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
    };
    for page in commands.map(|name| format!("man1/{name}.1")).chain(["man8/rsvpd.8".to_owned()]) {
        let page = read(&page);
        assert!(page.contains(".SH NAME") && page.contains("rsvp"), "{page}");
        for heading in ["EXIT STATUS", "SEE ALSO"] {
            assert!(page.contains(&format!(".SH \"{heading}\"")), "{heading}: {page}");
        }
    }
    let send = read("man1/rsvp-send.1");
    let order = [
        ".SH OPTIONS",
        ".SH EXAMPLES",
        "rsvp send \\-\\-to",
        "reserved and delivered",
        ".SH FILES",
        "/run/rsvpd/control.sock",
    ];
    let places = order.map(|words| send.find(words).unwrap_or_else(|| panic!("{words}: {send}")));
    assert!(places[0] < places[1] && places[1] < places[3] && places[3] < places[4], "{send}");
    // Every key of the configuration has a word about it.
    let page = read("man5/rsvpd.toml.5");
    for words in ["[control]", "journal", "bandwidth", "multicast_route", "rsvpd(8)"] {
        assert!(page.contains(words), "{words}: {page}");
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
        "doctor",
        "report",
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
        (
            vec!["send", "--to", "10.0.0.1", "--rate", "2mbit"],
            "has no port: expected a host with a port, such as 10.0.2.2:5000",
        ),
        (
            vec!["send", "--to", "no-such-host.invalid:5000", "--rate", "2mbit"],
            "say its address, such as 10.0.2.2",
        ),
        (
            vec!["recv", "--port", "5000", "--address", "10.0.0.1:5000"],
            "such as 10.0.2.2, fd00:2::2 or video.example",
        ),
        (vec!["recv", "--port", "5000", "--filter", ":4000"], "camera.example:4000"),
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
