//! What the kernel tells of sockets that were handed over: their last close, whoever does it, and a `connect` of their program's own.

use super::super::capture::Capture;
use super::super::eventually;
use super::super::net::Net;
use super::handing::Raw;
use super::{
    CONFIG, Hosts, RECEIVER, SENDER, kinds, receiving, sender_of, sending, session, session_of, template,
};
use aya::programs::{CgroupAttachMode, CgroupSockAddr, loaded_links};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rsvp_client::QosSocket;
use rsvp_client::qos::{ServiceType, Status};
use rsvp_wire::{MsgType, Style};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a daemon says that is not told of closes and connects.
const NOT_TOLD: &str = "when a socket with QoS is closed or connected";

/// Two hosts, where this machine has the unified hierarchy of cgroups.
fn with_cgroups(test: &str) -> Option<Net> {
    if cgroups().is_none() {
        crate::skipped(&format!("{test}: skipped, no cgroup2 is mounted here"));
        return None;
    }
    Hosts::linked(test)
}

/// Hosts whose daemons see the cgroups of this machine.
fn told_by_the_kernel(test: &str, config: &str) -> Option<Hosts> {
    let mut net = with_cgroups(test)?;
    for node in ["a", "b"] {
        net.daemon_with_cgroups(node, config);
        assert!(!net.log(node).contains(NOT_TOLD), "{}", net.log(node));
    }
    Some(Hosts::of(net))
}

/// A program by hand that has handed a socket over.
struct Program {
    client: Raw,
    number: u64,
    asked: u64,
}

impl Program {
    /// Hands over a socket by the node's socket for programs of any user.
    fn of(hosts: &Hosts, node: &str, socket: &impl AsFd) -> Self {
        let mut this = Self { client: Raw::open(&hosts.qos_socket(node)), number: 0, asked: 0 };
        let opened = this.ask(json!({"request": "qos-open", "fd": true}), Some(socket)).expect("taken");
        this.number = opened["opened"]["socket"].as_u64().expect("a number");
        this
    }

    /// A sender of what `sending()` is.
    fn sends(&mut self) {
        let sending = json!({"service": "controlled-load", "token_rate": 8500, "token_bucket_size": 680,
                             "max_sdu_size": 340, "minimum_policed_size": 340});
        self.about("qos-set", json!({"qos": {"sending": sending}})).expect("it makes sense");
    }

    /// Asks for something about its socket.
    fn about(&mut self, request: &str, more: Value) -> Result<Value, Value> {
        let mut whole = more;
        (whole["request"], whole["socket"]) = (json!(request), json!(self.number));
        self.ask(whole, None::<&UdpSocket>)
    }

    /// Asks for something; what was told before the answer is passed over.
    fn ask(&mut self, mut request: Value, along: Option<&impl AsFd>) -> Result<Value, Value> {
        self.asked += 1;
        request["id"] = json!(self.asked);
        let along: Vec<_> = along.into_iter().map(|socket| socket.as_fd().as_raw_fd()).collect();
        self.client.send(&format!("{request}\n"), &along);
        loop {
            let mut line = self.client.line().expect("an answer");
            assert!(line["closed"].is_null(), "{line}");
            if line["id"] == self.asked {
                return if line["error"].is_null() {
                    Ok(line["ok"].take())
                } else {
                    Err(line["error"].take())
                };
            }
        }
    }

    /// Waits until it is told that its socket is closed; then there is nothing that could be asked of it.
    fn is_told_of_the_close(&mut self) {
        loop {
            let line = self.client.line().expect("it stays connected");
            if !line["closed"].is_null() {
                assert_eq!(line, json!({"closed": self.number}));
                break;
            }
        }
        let refused = self.about("qos-close", json!({})).expect_err("it is gone");
        assert_eq!(refused["code"], "not-found");
    }
}

/// A socket of a node, bound and connected where it says.
fn socket(hosts: &Hosts, node: &str, at: &str, to: Option<&str>) -> UdpSocket {
    hosts.net.within(node, || {
        let socket = UdpSocket::bind(at).expect("a socket");
        to.map_or(Ok(()), |to| socket.connect(to)).expect("connected");
        socket
    })
}

/// What `a` has sent, as it is captured at `b`.
fn from_a(capture: &Capture) -> Vec<super::Seen> {
    capture.packets().into_iter().filter(|seen| seen.hop == "10.0.1.1".parse().ok()).collect()
}

/// How much `a` has sent once so many Paths of it are captured.
fn after_paths(capture: &Capture, count: usize) -> usize {
    eventually("its Paths", || {
        let all = from_a(capture);
        (all.iter().filter(|seen| seen.kind == MsgType::PATH).count() >= count).then_some(all.len())
    })
}

/// The links by which programs of a process hang at cgroups, as the kernel describes its descriptors.
pub(in crate::daemon) fn links(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/fdinfo")).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let of_cgroup = text.lines().any(|line| line == "link_type:\tcgroup");
        let id = text.lines().find_map(|line| line.strip_prefix("link_id:\t")?.parse::<u32>().ok());
        found.extend(id.filter(|_| of_cgroup));
    }
    found
}

/// Whether the kernel has any of these links.
fn is_there(links: &[u32]) -> bool {
    loaded_links().flatten().any(|link| links.contains(&link.id()))
}

/// A receiver at `b` that hears of whoever sends to it, by the client library.
fn receiver(hosts: &Hosts) -> QosSocket<tokio::net::UdpSocket> {
    let receiver = hosts.bound("b", RECEIVER);
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    receiver
}

#[test]
fn the_last_close_of_a_socket_is_a_tear_and_none_before_it() {
    let Some(mut hosts) = told_by_the_kernel("the last close", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let receiver = receiver(&hosts);
    let one = socket(&hosts, "a", SENDER, Some(RECEIVER));
    let again = one.try_clone().expect("another descriptor");
    let mut program = Program::of(&hosts, "a", &one);
    program.sends();
    hosts.told_of(&receiver, Status::SENDERS);
    // Another socket, whose close comes after the first descriptor's: what is told of it is told later.
    let other = socket(&hosts, "a", "10.0.1.1:4001", Some(RECEIVER));
    let mut other_program = Program::of(&hosts, "a", &other);
    other_program.sends();
    hosts.told_of(&receiver, Status::SENDERS);
    drop((one, other));
    other_program.is_told_of_the_close();
    let tears = || capture.of(MsgType::PATH_TEAR).iter().map(sender_of).collect::<Vec<_>>();
    eventually("the other's tear", || (!tears().is_empty()).then_some(()));
    assert_eq!(tears(), [template("10.0.1.1:4001")], "one descriptor is still open");
    program.about("qos-check", json!({})).expect("its QoS stands");
    let before = after_paths(&capture, 2);
    drop(again);
    program.is_told_of_the_close();
    let next = eventually("what comes next", || from_a(&capture).get(before).cloned());
    assert_eq!((next.kind, sender_of(&next)), (MsgType::PATH_TEAR, template(SENDER)));
    // The connection is the program's as before: it hands over the next one.
    let third = socket(&hosts, "a", SENDER, Some(RECEIVER));
    program.ask(json!({"request": "qos-open", "fd": true}), Some(&third)).expect("taken");
}

#[test]
fn the_last_close_of_a_receiver_is_a_tear_of_its_reservation() {
    let Some(mut hosts) = told_by_the_kernel("a receiver's close", CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    let receiver = socket(&hosts, "b", RECEIVER, None);
    let mut program = Program::of(&hosts, "b", &receiver);
    program
        .about("qos-set", json!({"qos": {"receiving": {"service": "controlled-load"}}}))
        .expect("it makes sense");
    hosts.told_of(&sender, Status::RECEIVERS);
    let from_b = || capture.packets().into_iter().filter(|seen| seen.hop == "10.0.1.2".parse().ok());
    capture.first(MsgType::RESV);
    let before = from_b().count();
    drop(receiver);
    program.is_told_of_the_close();
    let next = eventually("what comes next", || from_b().nth(before));
    assert_eq!(next.kind, MsgType::RESV_TEAR);
    hosts.told_of(&sender, Status::NO_RECEIVERS);
}

#[test]
fn what_the_client_library_does_after_a_close_is_harmless() {
    let Some(hosts) = told_by_the_kernel("the library after a close", CONFIG) else { return };
    let receiver = receiver(&hosts);
    // Of one socket two descriptors are handed over by nobody else; the library's own copy is its last.
    let (ended, dropped) = (hosts.bound("a", SENDER), hosts.bound("a", "10.0.1.1:4001"));
    for socket in [&ended, &dropped] {
        hosts.set(socket, &sending());
        hosts.connect("a", socket, RECEIVER);
        hosts.told_of(&receiver, Status::SENDERS);
    }
    drop(dropped);
    hosts.net.client("b").until("senders", 1);
    let socket = hosts.at("a", ended.end());
    hosts.told_of(&receiver, Status::NO_SENDERS);
    // The socket lives on without QoS, and can be handed over again.
    let again = hosts.attached("a", socket);
    hosts.set(&again, &sending());
    hosts.told_of(&receiver, Status::SENDERS);
}

/// A program of its own process, in Python: hands over sockets as a user without privileges, and does what it is told by lines.
const PROGRAM: &str = r#"
import ctypes, json, os, signal, socket, sys
os.setgroups([])
os.setgid(1000)
os.setuid(1000)
control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
lines = control.makefile()
lines.readline()
asked = 0
def ask(descriptor=None, **request):
    global asked
    asked += 1
    line = json.dumps({"id": asked, **request}) + "\n"
    socket.send_fds(control, [line.encode()], [] if descriptor is None else [descriptor])
    while True:
        said = json.loads(lines.readline())
        if said.get("id") == asked:
            return said["ok"]
for line in sys.stdin:
    word, *rest = line.split()
    if word == "hand":
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held.bind((rest[0], int(rest[1])))
        held.connect((rest[2], int(rest[3])))
        number = ask(held.fileno(), request="qos-open", fd=True)["opened"]["socket"]
        flow = {"service": "controlled-load", "token_rate": 8500, "token_bucket_size": 680,
                "max_sdu_size": 340, "minimum_policed_size": 340}
        ask(request="qos-set", socket=number, qos={"sending": flow})
    elif word == "close":
        held.close()
    elif word == "dissolve":
        assert ctypes.CDLL(None).connect(held.fileno(), bytes(16), 16) == 0
    elif word == "moved":
        ask(held.fileno(), request="qos-moved", socket=number, fd=True)
    elif word == "fork":
        child = os.fork()
        if child == 0:
            lines.close()
            control.close()
            while True:
                signal.pause()
        word = str(child)
    print(word, flush=True)
"#;

/// One that runs.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(hosts: &Hosts, node: &str) -> Self {
        let mut command = hosts.net.command(node, "python3");
        command.args(["-c", PROGRAM]).arg(hosts.qos_socket(node));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a program of python3");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdin, stdout }
    }

    /// Has it do something; gives what it says when that is done.
    fn does(&mut self, line: &str) -> String {
        writeln!(self.stdin, "{line}").expect("it reads");
        let mut said = String::new();
        self.stdout.read_line(&mut said).expect("it says so");
        said.trim_end().to_owned()
    }

    fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that is ended with the test.
struct Killed(i32);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0), Signal::SIGKILL);
    }
}

#[test]
fn a_socket_of_any_user_is_watched_and_a_process_that_is_killed_leaves_a_tear() {
    let Some(mut hosts) = told_by_the_kernel("a killed process", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let receiver = receiver(&hosts);
    let mut program = Running::start(&hosts, "a");
    program.does("hand 10.0.1.1 4000 10.0.1.2 5000");
    hosts.told_of(&receiver, Status::SENDERS);
    assert_eq!(links(hosts.net.pid("a")).len(), 3, "{}", hosts.net.log("a"));
    let before = after_paths(&capture, 1);
    program.does("close");
    let next = eventually("what comes next", || from_a(&capture).get(before).cloned());
    assert_eq!(next.kind, MsgType::PATH_TEAR, "its connection stands");
    hosts.told_of(&receiver, Status::NO_SENDERS);
    program.does("hand 10.0.1.1 4000 10.0.1.2 5000");
    hosts.told_of(&receiver, Status::SENDERS);
    let before = after_paths(&capture, 2);
    program.kill();
    let next = eventually("what comes next", || from_a(&capture).get(before).cloned());
    assert_eq!(next.kind, MsgType::PATH_TEAR);
    hosts.told_of(&receiver, Status::NO_SENDERS);
    hosts.net.client("a").until("sessions", 0);
}

#[test]
fn a_process_that_is_killed_has_no_qos_though_its_child_has_the_socket() {
    let enforced = CONFIG.replace("\"none\"", "\"kernel\"\npins = \"\"");
    let Some(mut hosts) = told_by_the_kernel("a child with the socket", &enforced) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let receiver = receiver(&hosts);
    let mut program = Running::start(&hosts, "a");
    program.does("hand 10.0.1.1 4000 10.0.1.2 5000");
    hosts.told_of(&receiver, Status::SENDERS);
    let flows = |count| hosts.net.client("a").until("flows", count);
    flows(1);
    let child = Killed(program.does("fork").parse().expect("a process"));
    let before = after_paths(&capture, 1);
    program.kill();
    let next = eventually("what comes next", || from_a(&capture).get(before).cloned());
    assert_eq!(next.kind, MsgType::PATH_TEAR);
    hosts.net.client("a").until("sessions", 0);
    flows(0);
    // The child has it still: nobody else could have its name.
    let taken = hosts.net.within("a", || UdpSocket::bind(SENDER)).expect_err("it is taken");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    eventually("all are detached", || links(hosts.net.pid("a")).is_empty().then_some(()));
    drop(child);
    // Whatever is told of it now is of nobody's.
    let mut other = Running::start(&hosts, "a");
    eventually("its name is free", || hosts.net.within("a", || UdpSocket::bind(SENDER)).ok());
    other.does("hand 10.0.1.1 4000 10.0.1.2 5000");
    hosts.told_of(&receiver, Status::NO_SENDERS);
    hosts.told_of(&receiver, Status::SENDERS);
}

#[test]
fn a_receiver_that_connects_by_itself_reserves_for_its_peer() {
    let Some(mut hosts) = told_by_the_kernel("a connect of its own", CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    let receiver = socket(&hosts, "b", RECEIVER, None);
    let mut program = Program::of(&hosts, "b", &receiver);
    program
        .about("qos-set", json!({"qos": {"receiving": {"service": "controlled-load"}}}))
        .expect("it makes sense");
    hosts.told_of(&sender, Status::RECEIVERS);
    receiver.connect(SENDER).expect("connected");
    let wanted = [MsgType::RESV, MsgType::RESV_TEAR];
    let seen = eventually("three messages", || Some(kinds(&capture, &wanted)).filter(|seen| seen.len() >= 3));
    assert_eq!(
        seen,
        [(MsgType::RESV, Style::WF), (MsgType::RESV_TEAR, Style::WF), (MsgType::RESV, Style::FF)]
    );
}

#[test]
fn a_sender_that_connects_by_itself_announces_to_each_peer_in_turn() {
    let Some(mut hosts) = told_by_the_kernel("peers in turn", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    // Neither bound nor connected when it is handed over: both follow.
    let sender = hosts.net.within("a", || {
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket")
    });
    let mut program = Program::of(&hosts, "a", &sender);
    program.sends();
    let sender = UdpSocket::from(sender);
    sender.connect(RECEIVER).expect("connected");
    let own = template(&sender.local_addr().expect("a name").to_string());
    let path = capture.first(MsgType::PATH);
    assert_eq!((session_of(&path), sender_of(&path)), (session(RECEIVER), own));
    let before = after_paths(&capture, 1);
    sender.connect("10.0.1.2:5001").expect("connected");
    let next =
        eventually("two messages", || Some(from_a(&capture).split_off(before)).filter(|n| n.len() >= 2));
    let next: Vec<_> = next.iter().map(|seen| (seen.kind, session_of(seen), sender_of(seen))).collect();
    let (old, new) = (session(RECEIVER), session("10.0.1.2:5001"));
    assert_eq!(next, [(MsgType::PATH_TEAR, old, own), (MsgType::PATH, new, own)]);
    // A stream, whose peer answers later than the hook sees it.
    let listener =
        hosts.net.within("b", || std::net::TcpListener::bind("[fd00:1::2]:5000")).expect("a listener");
    let stream = hosts.net.within("a", || {
        socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).expect("a socket")
    });
    let mut program = Program::of(&hosts, "a", &stream);
    program.sends();
    stream.connect(&listener.local_addr().expect("a name").into()).expect("connected");
    let local = stream.local_addr().expect("a name").as_socket().expect("of IPv6");
    let path = eventually("its Path", || capture.packets().into_iter().find(|seen| seen.source.is_ipv6()));
    assert_eq!((path.kind, sender_of(&path)), (MsgType::PATH, template(&local.to_string())));
    assert_eq!(session_of(&path), "tcp [fd00:1::2]:5000".parse().expect("a session"));
}

#[test]
fn a_connect_to_no_address_is_seen_by_no_hook_and_ends_what_is_sent_once_it_is_said() {
    let Some(mut hosts) = told_by_the_kernel("dissolved", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let receiver = receiver(&hosts);
    let mut program = Running::start(&hosts, "a");
    program.does("hand 10.0.1.1 4000 10.0.1.2 5000");
    hosts.told_of(&receiver, Status::SENDERS);
    let before = after_paths(&capture, 1);
    program.does("dissolve");
    // Whatever the kernel tells of another socket comes later.
    let other = socket(&hosts, "a", "10.0.1.1:4001", None);
    let mut later = Program::of(&hosts, "a", &other);
    later.sends();
    other.connect("10.0.1.2:5009").expect("connected");
    let next = eventually("the other's Path", || from_a(&capture).get(before).cloned());
    assert_eq!((next.kind, sender_of(&next)), (MsgType::PATH, template("10.0.1.1:4001")));
    program.does("moved");
    let next = eventually("a tear", || from_a(&capture).get(before + 1).cloned());
    assert_eq!((next.kind, sender_of(&next)), (MsgType::PATH_TEAR, template(SENDER)));
    hosts.told_of(&receiver, Status::NO_SENDERS);
}

#[test]
fn two_daemons_hear_only_of_sockets_of_their_own() {
    let Some(hosts) = told_by_the_kernel("two daemons", CONFIG) else { return };
    let ends = [("a", SENDER, RECEIVER), ("b", RECEIVER, SENDER)].map(|(node, at, to)| {
        let socket = socket(&hosts, node, at, Some(to));
        let mut program = Program::of(&hosts, node, &socket);
        program.sends();
        (socket, program)
    });
    let [(at_a, mut a), (at_b, mut b)] = ends;
    for node in ["a", "b"] {
        assert_eq!(links(hosts.net.pid(node)).len(), 3);
        hosts.net.client(node).until("senders", 2);
    }
    // One that was never handed over, of either.
    drop(socket(&hosts, "a", "10.0.1.1:4009", None));
    drop(socket(&hosts, "b", "10.0.1.2:4009", None));
    drop(at_a);
    a.is_told_of_the_close();
    b.about("qos-check", json!({})).expect("its QoS stands");
    hosts.net.client("b").until("senders", 1);
    drop(at_b);
    b.is_told_of_the_close();
    hosts.net.client("a").until("senders", 0);
}

#[test]
fn what_becomes_of_a_socket_before_its_line_is_read_is_not_missed() {
    let Some(hosts) = told_by_the_kernel("before the line is read", CONFIG) else { return };
    let mut client = Raw::open(&hosts.qos_socket("a"));
    let open = |id: u32| format!("{}\n", json!({"id": id, "request": "qos-open", "fd": true}));
    // The descriptor on its way is the last: whether the line or the close is read first is up to the machine.
    for id in 0..50 {
        let closed = socket(&hosts, "a", "10.0.1.1:0", Some(RECEIVER));
        client.send(&open(id), &[closed.as_raw_fd()]);
        drop(closed);
        let answer = client.line().expect("an answer");
        assert_eq!(answer["id"], id);
        if answer["error"].is_null() {
            let number = answer["ok"]["opened"]["socket"].clone();
            assert_eq!(client.line().expect("it is told so"), json!({"closed": number}));
        } else {
            assert_eq!(answer["error"]["code"], "no-qos-socket", "{answer}");
        }
    }
    eventually("all are detached", || links(hosts.net.pid("a")).is_empty().then_some(()));
    // One that is connected while it is handed over, before or after its names are read.
    for id in 50..100 {
        let connected = socket(&hosts, "a", "10.0.1.1:0", None);
        client.send(&open(id), &[connected.as_raw_fd()]);
        connected.connect(RECEIVER).expect("connected");
        let answer = client.line().expect("an answer");
        let number = answer["ok"]["opened"]["socket"].as_u64().expect("a socket");
        let flow = json!({"service": "controlled-load", "token_rate": 8500, "minimum_policed_size": 340});
        let set = json!({"id": 1000, "request": "qos-set", "socket": number, "qos": {"sending": flow}});
        client.send(&format!("{set}\n"), &[]);
        assert_eq!(client.line().expect("an answer")["id"], 1000);
        let senders = hosts.net.client("a").until("senders", 1);
        let own = connected.local_addr().expect("a name").to_string();
        assert_eq!(
            (&senders[0]["sender"], &senders[0]["session"]),
            (&json!(own), &json!("udp 10.0.1.2:5000"))
        );
        drop(connected);
        assert_eq!(client.line().expect("it is told so"), json!({"closed": number}));
        hosts.net.client("a").until("senders", 0);
    }
}

#[test]
fn a_flood_of_connects_loses_no_close_and_leaves_what_is_so() {
    let Some(mut hosts) = told_by_the_kernel("a flood of connects", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let one = socket(&hosts, "a", SENDER, Some(RECEIVER));
    let other = socket(&hosts, "a", "10.0.1.1:4001", Some(RECEIVER));
    let mut program = Program::of(&hosts, "a", &one);
    program.sends();
    let mut other_program = Program::of(&hosts, "a", &other);
    other_program.sends();
    hosts.net.client("b").until("senders", 2);
    let untold = |what: &str| {
        let all =
            hosts.net.client("a").ask(json!({"request": "list", "what": "counters"})).expect("counters");
        all["counters"]["driver"][what].as_u64().unwrap_or_else(|| panic!("{what}: {all}"))
    };
    assert_eq!((untold("socket-connects-untold"), untold("socket-releases-untold")), (0, 0));
    // While the daemon cannot read it, half of the ring fills up, and then some.
    hosts.net.signal("a", Signal::SIGSTOP);
    for _ in 0..20_000 {
        one.connect("10.0.1.2:5001").expect("connected");
    }
    one.connect("10.0.1.2:5002").expect("connected");
    drop(other);
    hosts.net.signal("a", Signal::SIGCONT);
    other_program.is_told_of_the_close();
    let last = session("10.0.1.2:5002");
    eventually("the Path of the last one", || {
        capture.of(MsgType::PATH).iter().any(|seen| session_of(seen) == last).then_some(())
    });
    let sessions = hosts.net.client("b").until("sessions", 1);
    assert_eq!(sessions[0]["session"], "udp 10.0.1.2:5002");
    let found = (untold("socket-connects-untold"), untold("socket-releases-untold"));
    assert!(found.0 > 0 && found.1 == 0, "{found:?}");
    program.about("qos-check", json!({})).expect("its QoS stands");
}

/// Where the unified hierarchy is.
fn cgroups() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").expect("mounts");
    let of_cgroups = |line: &&str| line.split(' ').nth(2) == Some("cgroup2");
    let line = mounts.lines().find(of_cgroups)?;
    Some(line.split(' ').nth(1).expect("a folder").into())
}

/// A cgroup of the test's own.
pub(in crate::daemon) struct Cgroup(pub(in crate::daemon) PathBuf);

impl Cgroup {
    pub(in crate::daemon) fn new(name: &str) -> Self {
        let path = cgroups().expect("cgroup2").join(format!("rsvp-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a cgroup");
        Self(path)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Programs that fill a cgroup up.
fn filled(path: &Path, count: usize) -> aya::Ebpf {
    let object = concat!(env!("CARGO_MANIFEST_DIR"), "/../rsvp-node/daemon/bpf/hooks.bpf.o");
    let mut loaded = aya::EbpfLoader::new().btf(None).load_file(object).expect("it loads");
    let program: &mut CgroupSockAddr =
        loaded.program_mut("rsvp_connect6").expect("a program").try_into().expect("of connects");
    program.load().expect("the kernel takes it");
    let folder = fs::File::open(path).expect("a cgroup");
    for nth in 0..count {
        program.attach(&folder, CgroupAttachMode::Single).unwrap_or_else(|error| panic!("{nth}: {error}"));
    }
    loaded
}

#[test]
fn a_cgroup_that_is_full_is_said_once_and_used_when_there_is_room() {
    let Some(mut net) = with_cgroups("64 programs") else { return };
    let cgroup = Cgroup::new("full");
    let others = filled(&cgroup.0, 64);
    let config = format!("{CONFIG}[qos]\ncgroup = \"{}\"\n", cgroup.0.display());
    net.daemon_with_cgroups("a", &config);
    net.daemon_with_cgroups("b", CONFIG);
    let hosts = Hosts::of(net);
    let receiver = receiver(&hosts);
    let mut all = Vec::new();
    for port in 4000..4003 {
        let socket = socket(&hosts, "a", &format!("10.0.1.1:{port}"), Some(RECEIVER));
        let mut program = Program::of(&hosts, "a", &socket);
        program.sends();
        hosts.told_of(&receiver, Status::SENDERS);
        all.push((socket, program));
    }
    let said = || hosts.net.log("a").lines().filter(|line| line.contains("(E2BIG)")).count();
    assert_eq!((said(), links(hosts.net.pid("a"))), (1, vec![]), "{}", hosts.net.log("a"));
    // All or none: the programs for IPv4 and for closes had room. Requests end it as ever, and a close does not.
    let (closed, mut its_program) = all.remove(0);
    drop(closed);
    its_program.about("qos-check", json!({})).expect("its QoS stands");
    all[0].1.about("qos-close", json!({})).expect("closed");
    hosts.net.client("b").until("senders", 2);
    drop(others);
    // Closing links is not waited for by whoever does it.
    let socket = socket(&hosts, "a", "10.0.1.1:4009", Some(RECEIVER));
    eventually("there is room", || {
        let _program = Program::of(&hosts, "a", &socket);
        Some(links(hosts.net.pid("a"))).filter(|links| links.len() == 3)
    });
    assert_eq!(said(), 1, "{}", hosts.net.log("a"));
}

#[test]
fn nothing_hangs_at_the_cgroup_but_while_a_socket_is_watched() {
    let Some(mut hosts) = told_by_the_kernel("nothing left", CONFIG) else { return };
    let attached = |hosts: &Hosts, count: usize| {
        eventually(&format!("{count} programs"), || {
            Some(links(hosts.net.pid("a"))).filter(|links| links.len() == count)
        })
    };
    assert_eq!(links(hosts.net.pid("a")).len(), 0);
    let (one, other) = (socket(&hosts, "a", SENDER, None), socket(&hosts, "a", "10.0.1.1:4001", None));
    let mut program = Program::of(&hosts, "a", &one);
    let second = Program::of(&hosts, "a", &other);
    let there = attached(&hosts, 3);
    assert!(is_there(&there));
    // By a request; by the last close; by the end of a connection.
    program.about("qos-close", json!({})).expect("closed");
    assert_eq!(links(hosts.net.pid("a")), there);
    drop(second);
    attached(&hosts, 0);
    eventually("the kernel has them no more", || (!is_there(&there)).then_some(()));
    let mut second = Program::of(&hosts, "a", &other);
    let there = attached(&hosts, 3);
    drop(other);
    second.is_told_of_the_close();
    attached(&hosts, 0);
    eventually("the kernel has them no more", || (!is_there(&there)).then_some(()));
    // What is refused is not watched either.
    let mut stranger = Raw::open(&hosts.qos_socket("a"));
    stranger.send("{\"id\":1,\"request\":\"qos-close\",\"socket\":1}\n", &[one.as_raw_fd()]);
    stranger.error("not-found");
    stranger.error("descriptors");
    attached(&hosts, 0);
    // However the daemon ends.
    for signal in [Signal::SIGTERM, Signal::SIGUSR2, Signal::SIGKILL] {
        let _program = Program::of(&hosts, "a", &one);
        let there = attached(&hosts, 3);
        hosts.net.signal("a", signal);
        hosts.net.ended("a");
        eventually("the kernel has them no more", || (!is_there(&there)).then_some(()));
        let _ = fs::remove_file(hosts.net.socket("a"));
        hosts.net.daemon_with_cgroups("a", CONFIG);
    }
}

/// A daemon that has what RSVP takes, and sees the cgroups.
fn without_cap_bpf(net: &mut Net, config: &str) {
    let capabilities = "-all,+net_raw,+net_admin";
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{}", net.namespace("a")));
    command.args(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]);
    for set in ["--bounding-set", "--inh-caps", "--ambient-caps"] {
        command.args([set, capabilities]);
    }
    command.arg(net.program("rsvpd"));
    net.daemon_by("a", config, command);
}

#[test]
fn without_hooks_one_line_says_so_and_the_rest_works() {
    let off = format!("{CONFIG}[qos]\nhooks = \"off\"\n");
    let elsewhere = format!("{CONFIG}[qos]\ncgroup = \"/proc\"\n");
    type Start = fn(&mut Net, &str);
    // `ip netns exec` hides the cgroups.
    let ways: [(&str, &str, Start); 4] = [
        ("as configured", &off, |net, config| net.daemon_with_cgroups("a", config)),
        ("/proc, which `cgroup` in [qos] names", &elsewhere, |net, config| {
            net.daemon_with_cgroups("a", config)
        }),
        ("no cgroup of the unified hierarchy", CONFIG, |net, config| net.daemon("a", config)),
        ("capabilities CAP_BPF and CAP_NET_ADMIN", CONFIG, without_cap_bpf),
    ];
    for (why, config, start) in ways {
        let Some(mut net) = with_cgroups("without hooks") else { return };
        start(&mut net, config);
        net.daemon("b", CONFIG);
        let hosts = Hosts::of(net);
        let receiver = receiver(&hosts);
        let one = socket(&hosts, "a", SENDER, None);
        let mut program = Program::of(&hosts, "a", &one);
        program.sends();
        // What it does by itself is known when it says so.
        one.connect(RECEIVER).expect("connected");
        let moved = json!({"request": "qos-moved", "socket": program.number, "fd": true});
        program.ask(moved, Some(&one)).expect("its names are read");
        hosts.told_of(&receiver, Status::SENDERS);
        drop(one);
        program.about("qos-check", json!({})).expect("its QoS stands");
        program.about("qos-close", json!({})).expect("until it says so");
        hosts.told_of(&receiver, Status::NO_SENDERS);
        // Or until it is gone.
        let other = socket(&hosts, "a", SENDER, Some(RECEIVER));
        let mut program = Program::of(&hosts, "a", &other);
        program.sends();
        hosts.told_of(&receiver, Status::SENDERS);
        drop(program);
        hosts.told_of(&receiver, Status::NO_SENDERS);
        let log = hosts.net.log("a");
        let said: Vec<&str> = log.lines().filter(|line| line.contains(NOT_TOLD)).collect();
        assert!(said.len() == 1 && said[0].contains(why), "{why}: {log}");
    }
}

#[test]
fn what_the_unit_leaves_a_daemon_is_enough_to_be_told() {
    let Some(mut net) = with_cgroups("hooks by the unit") else { return };
    let unit = include_str!("../../../../packaging/rsvpd.service");
    let of = |key: &str| {
        let found = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let each = found.expect("a line of the unit").split(' ');
        each.map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase()))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert!(unit.contains("\nProtectControlGroups=yes\n"), "the cgroups are read-only");
    let space = format!("/run/netns/{}", net.namespace("a"));
    let folder = net.file("").display().to_string();
    let script = format!(
        "set -e; mount --make-rprivate /; mount --bind {folder} {folder}; mount -o remount,bind,ro {cgroups}; \
         exec nsenter --net={space} setpriv --reuid 61184 --regid 61184 --clear-groups --no-new-privs \
         --bounding-set -all,{bound} --inh-caps -all,{given} --ambient-caps -all,{given} \"$@\"",
        cgroups = cgroups().expect("cgroup2").display(),
        bound = of("CapabilityBoundingSet"),
        given = of("AmbientCapabilities"),
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).arg(net.program("rsvpd"));
    net.daemon_by("a", CONFIG, command);
    let hosts = Hosts::of(net);
    let one = socket(&hosts, "a", SENDER, Some(RECEIVER));
    let mut program = Program::of(&hosts, "a", &one);
    assert_eq!(links(hosts.net.pid("a")).len(), 3, "{}", hosts.net.log("a"));
    let status = fs::read_to_string(format!("/proc/{}/status", hosts.net.pid("a"))).expect("a process");
    // CAP_NET_ADMIN and CAP_NET_RAW: attaching takes none.
    assert!(status.contains("CapPrm:\t0000000000003000"), "{status}");
    program.sends();
    drop(one);
    program.is_told_of_the_close();
    eventually("all are detached", || links(hosts.net.pid("a")).is_empty().then_some(()));
}
