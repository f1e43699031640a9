//! `rsvp decode --interface`: what is captured is shown at once, and an interrupted capture ends as a finished one.

use super::eventually;
use super::net::Net;
use crate::{programs, wire_vectors};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::process::Child;

const MESSAGES: usize = 50;

/// A capture at `b` of what `a` sends.
struct Live {
    net: Net,
    child: Child,
}

impl Live {
    fn start(test: &str, form: &str) -> Option<Self> {
        let mut net = Net::new(test)?;
        net.host("a");
        net.host("b");
        net.link("a", "b");
        let mut command = net.command("b", &programs::folder().join("rsvp").display().to_string());
        command.args(["decode", "--interface", "to-a", form]);
        command.stdout(File::create(net.file("out")).expect("a file"));
        command.stderr(File::create(net.file("errors")).expect("a file"));
        let child = command.spawn().expect("rsvp starts");
        let live = Self { net, child };
        eventually("a capture", || (!live.sockets().is_empty()).then_some(()));
        Some(live)
    }

    /// The packet sockets of `b`, by what waits in each.
    fn sockets(&self) -> Vec<u64> {
        let table = self.net.exec("b", &["cat", "/proc/net/packet"]);
        // sk RefCnt Type Proto Iface R Rmem User Inode
        let waiting = |line: &str| line.split_whitespace().nth(6).and_then(|rmem| rmem.parse().ok());
        table.lines().skip(1).filter_map(waiting).collect()
    }

    fn send(&self) {
        let path = wire_vectors::all().into_iter().find(|vector| vector.name == "kom-real-3hop-01-path");
        let message = path.expect("a vector").octets;
        let header =
            [0x45, 0xc0, 0, (20 + message.len()) as u8, 0, 0, 0, 0, 63, 46, 0, 0, 10, 0, 1, 1, 10, 0, 1, 2];
        let socket = self.net.raw("a");
        let to = std::net::SocketAddr::from(([10, 0, 1, 2], 0));
        for _ in 0..MESSAGES {
            socket.send_to(&[&header[..], &message].concat(), &to.into()).expect("sent");
        }
    }

    fn output(&self) -> String {
        fs::read_to_string(self.net.file("out")).expect("text")
    }

    /// Sends a signal and waits for the end: exit status, output, and what was said beside it.
    fn interrupted(mut self, signal: Signal) -> (Option<i32>, String, String) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it runs");
        let status = eventually("an end", || self.child.try_wait().expect("a child"));
        let errors = fs::read_to_string(self.net.file("errors")).expect("text");
        (status.code(), self.output(), errors)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn messages_are_shown_as_they_come_and_an_interrupt_cuts_no_line() {
    let Some(live) = Live::start("live capture", "--json") else { return };
    live.send();
    // The node has no RSVP: some are quoted in its errors of ICMP, which are shown as what they are.
    let is_quoted = |line: &&str| line.contains("\"quoted\":");
    let own = |output: &str| output.lines().filter(|line| !is_quoted(line)).count();
    eventually("all messages", || (own(&live.output()) >= MESSAGES).then_some(()));
    let (status, output, errors) = live.interrupted(Signal::SIGINT);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(output.ends_with("}\n"), "{output}");
    assert_eq!(own(&output), MESSAGES);
    for line in output.lines() {
        let json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        assert_eq!((&json["src"], &json["message"]), (&"10.0.1.1".into(), &"Path".into()), "{line}");
    }
}

#[test]
fn an_interrupted_count_is_shown() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let Some(live) = Live::start("live count", "--stats") else { return };
        live.send();
        // What was sent has arrived, as a virtual link hands it over at once; and it has been read.
        eventually("an empty queue", || (live.sockets().iter().all(|&waiting| waiting == 0)).then_some(()));
        let (status, output, errors) = live.interrupted(signal);
        assert_eq!((status, errors.as_str()), (Some(0), ""), "{output}");
        let paths = output.lines().find_map(|line| line.strip_prefix("Path ")).map(str::trim_start);
        assert!(paths.is_some_and(|count| count.starts_with("50")), "{output}");
    }
}
