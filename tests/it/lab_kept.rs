//! Labs that stay: what is in them can be looked at, and nothing is left of them after `--down`, whenever something was killed.

use crate::daemon::eventually;
use crate::lab::{alone, root};
use crate::programs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn file() -> String {
    format!("{}/../rsvp-sim/scenarios/three-routers.toml", env!("CARGO_MANIFEST_DIR"))
}

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(programs::rsvp_sim());
    command.arg("lab").args(arguments).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn done(arguments: &[&str]) -> String {
    let output = lab(arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// What there is of a lab of this name: namespaces, files, processes.
fn left(name: &str) -> Vec<String> {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string()).collect::<Vec<_>>()
    };
    let own = |path: &String| path.rsplit('/').next().is_some_and(|last| last.starts_with(name));
    let mut left: Vec<String> =
        names("/run/netns").into_iter().chain(names("/run/rsvp-lab")).filter(own).collect();
    let mark = format!("RSVP_SIM_LAB_KEEPER={name}\0");
    for process in names("/proc") {
        let environment = std::fs::read(format!("{process}/environ")).unwrap_or_default();
        if environment.windows(mark.len()).any(|part| part == mark.as_bytes()) {
            left.push(process);
        }
    }
    left
}

fn rsvpd() -> String {
    programs::rsvpd().display().to_string()
}

#[test]
fn a_lab_that_stays_can_be_looked_into_and_leaves_nothing() {
    if !root() {
        return;
    }
    let _turn = alone();
    let name = format!("kept-{}", std::process::id());
    let made = done(&["--keep", "--quiet", "--name", &name, "--rsvpd", &rsvpd(), &file()]);
    assert!(made.contains(&format!("ip netns exec {name}-r2 COMMAND")), "{made}");
    assert!(made.contains("\nThe lab ") && !made.contains("rsvp-sim: \n"), "{made}");
    // Nobody who made it is there any more, and the reservation is refreshed all the same.
    let socket = format!("/run/rsvp-lab/{name}/r2.sock");
    let shown = Command::new(programs::folder().join("rsvp"))
        .args(["show", "--socket", &socket, "reservations"])
        .output();
    let shown = said(&shown.expect("rsvp runs"));
    assert!(shown.contains("2Mbit/s"), "{shown}");
    // In the node's namespace: its own interfaces, and `rsvp` finds its daemon.
    let script = std::env::temp_dir().join(format!("{name}.sh"));
    let written = Command::new("sh")
        .args(["-c", "printf '#!/bin/sh\\nls /sys/class/net /proc/self/net >/dev/null; ip -o -4 address; echo $RSVP_SOCKET\\n' > $1; chmod +x $1", "sh"])
        .arg(&script)
        .status();
    assert!(written.expect("sh runs").success());
    let inside = lab(&["--shell", "r2", "--name", &name]).env("SHELL", &script).output().expect("it runs");
    std::fs::remove_file(&script).expect("ours");
    let inside = said(&inside);
    assert!(inside.contains("10.0.2.2/") && inside.contains(&socket), "{inside}");
    let wrong = lab(&["--shell", "r9", "--name", &name]).output().expect("it runs");
    assert!(
        said(&wrong).contains("expected one of home, r1, r2, r3, studio; did you mean \"r1\"?"),
        "{}",
        said(&wrong)
    );
    let twice = lab(&["--keep", "--name", &name, "--rsvpd", &rsvpd(), &file()]).output().expect("it runs");
    assert!(
        said(&twice).contains(&format!("`rsvp-sim lab --down --name {name}` ends it")),
        "{}",
        said(&twice)
    );
    // Daemon and namespace, and no more than those five.
    assert_eq!(left(&name).iter().filter(|path| path.starts_with("/run/netns")).count(), 5);
    done(&["--down", "--name", &name]);
    assert_eq!(left(&name), [""; 0]);
    let again = lab(&["--down", "--name", &name]).output().expect("it runs");
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));
}

/// A namespace that is there already is another's: it is left alone, and nothing is made.
#[test]
fn a_lab_takes_no_namespace_of_others() {
    if !root() {
        return;
    }
    let _turn = alone();
    let name = format!("taken-{}", std::process::id());
    let theirs = format!("{name}-r2");
    let ip = |what| Command::new("ip").args(["netns", what, &theirs]).status().expect("ip runs").success();
    assert!(ip("add"));
    let refused = lab(&["--keep", "--name", &name, "--rsvpd", &rsvpd(), &file()]).output().expect("it runs");
    let still = left(&name);
    assert!(ip("del"));
    assert_eq!(refused.status.code(), Some(4));
    assert!(said(&refused).contains(&format!("namespace {theirs} is there already")), "{}", said(&refused));
    assert_eq!(still, [format!("/run/netns/{theirs}")]);
    let nameless = lab(&["--name", &name, &file()]).output().expect("it runs");
    assert_eq!(nameless.status.code(), Some(2), "a name is for labs that stay: {}", said(&nameless));
}

/// `kill -9` whenever a little more of the lab is there: who makes it at first, its keeper later. At the last moments it is not
/// killed but ended by two at once.
#[test]
fn whenever_it_is_killed_down_leaves_nothing() {
    if !root() {
        return;
    }
    let _turn = alone();
    let name = format!("killed-{}", std::process::id());
    let down = || {
        let mut down = lab(&["--down", "--name", &name]);
        down.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
    };
    for moment in 0..20 {
        let mut maker = lab(&["--keep", "--quiet", "--name", &name, "--rsvpd", &rsvpd(), &file()]);
        let mut maker = maker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        // The file, the keeper, namespaces and daemons come one by one.
        eventually("a little more is there", || (left(&name).len() >= moment.min(12)).then_some(()));
        if moment <= 12 {
            let keeper = left(&name).iter().find_map(|path| path.strip_prefix("/proc/")?.parse().ok());
            let killed = match keeper {
                Some(keeper) if moment % 2 == 1 => keeper,
                _ => i32::try_from(maker.id()).expect("a process"),
            };
            let _ = kill(Pid::from_raw(killed), Signal::SIGKILL);
            if killed.cast_unsigned() == maker.id() {
                maker.wait().expect("it ends");
            }
        }
        if left(&name).iter().any(|path| path.starts_with("/run/rsvp-lab")) {
            // Who made it takes it away, too, once it has seen that its keeper is gone.
            for down in [down(), down()] {
                let ended = down.wait_with_output().expect("it ends");
                assert!(matches!(ended.status.code(), Some(0 | 4)), "{}", said(&ended));
            }
        }
        maker.wait().expect("it ends");
        assert_eq!(left(&name), [""; 0], "killed at moment {moment}");
        assert!(!Path::new("/run/netns").join(format!("{name}-r1")).exists());
    }
}
