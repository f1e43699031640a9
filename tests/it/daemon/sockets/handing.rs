//! Handing sockets over: which can be, what becomes of descriptors, how much one user may have, and a daemon that starts anew.

use super::super::eventually;
use super::{CONFIG, Hosts, RECEIVER, REFRESHED, SENDER, sending, sending_at};
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rsvp_client::qos::{Object, Qos, Status, Transport};
use rsvp_client::{QosError, QosHost, capable};
use rsvp_wire::MsgType;
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{BufRead, BufReader, IoSlice};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

#[test]
fn datagrams_and_streams_can_and_nothing_else() {
    let Some(hosts) = Hosts::new("which can", CONFIG) else { return };
    let udp = hosts.net.within("a", || UdpSocket::bind("10.0.1.1:4000")).expect("a socket");
    let tcp = hosts.net.within("a", || TcpListener::bind("[fd00:1::1]:80")).expect("a listener");
    assert_eq!(capable(&udp).expect("datagrams"), Transport::Udp);
    assert_eq!(capable(&tcp).expect("streams"), Transport::Tcp);
    let host = hosts.host("a");
    drop(hosts.at("a", host.attach(udp)).map_err(|not| not.error).expect("taken"));
    drop(hosts.at("a", host.attach(tcp)).map_err(|not| not.error).expect("taken"));
    let raw = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(46))).expect("a raw socket");
    let local = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
    assert!(matches!(capable(&local), Err(QosError::NotCapable(_))));
    let refused = hosts.at("a", host.attach(hosts.net.within("a", raw))).map(drop).expect_err("a raw socket");
    assert!(refused.to_string().contains("a UDP or a TCP socket"), "{refused}");
    // It is given back as it was.
    assert_eq!(refused.socket.r#type().expect("a socket"), Type::RAW);
    // A socket of another node is nothing that this daemon could do anything for.
    let elsewhere = hosts.net.within("b", || UdpSocket::bind("10.0.1.2:5000")).expect("a socket");
    let refused = hosts.at("a", host.attach(elsewhere)).map(drop).expect_err("a socket of another node");
    assert!(refused.to_string().contains("another network namespace"), "{refused}");
    assert_eq!(refused.socket.local_addr().expect("a name").port(), 5000);
    // A socket is handed over once, by whichever descriptor.
    let once = hosts.net.within("a", || UdpSocket::bind("10.0.1.1:4001")).expect("a socket");
    let again = once.try_clone().expect("another descriptor");
    let once = hosts.attached("a", once);
    for host in [host, hosts.host("a")] {
        let again = again.try_clone().expect("another descriptor");
        let refused = hosts.at("a", host.attach(again)).map(drop);
        let of_this_host = hosts.at("a", once.set(&sending()));
        assert!(of_this_host.is_ok(), "the first is as it was");
        assert!(refused.expect_err("twice").to_string().contains("handed over"), "it says why");
    }
}

/// A client by hand, which sends descriptors as it likes.
pub(super) struct Raw {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Raw {
    pub(super) fn open(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("a daemon");
        stream.set_read_timeout(Some(super::PATIENCE)).expect("a timeout");
        let lines = BufReader::new(stream.try_clone().expect("another descriptor"));
        let mut this = Self { stream, lines };
        assert_eq!(this.line().expect("a greeting")["can"], json!(["qos", "templates", "flows", "policy"]));
        this
    }

    pub(super) fn send(&self, octets: &str, descriptors: &[RawFd]) {
        let rights = [ControlMessage::ScmRights(descriptors)];
        let along = if descriptors.is_empty() { &[][..] } else { &rights };
        let octets = [IoSlice::new(octets.as_bytes())];
        sendmsg::<()>(self.stream.as_raw_fd(), &octets, along, MsgFlags::empty(), None).expect("it is read");
    }

    /// From now on it does not wait for the daemon to read.
    pub(super) fn never_blocks(&self) {
        self.stream.set_nonblocking(true).expect("it need not wait");
    }

    /// Sends as much as there is room for.
    pub(super) fn try_send(&mut self, octets: &str) -> std::io::Result<()> {
        std::io::Write::write(&mut self.stream, octets.as_bytes()).map(drop)
    }

    /// The next line; nothing when the connection has ended.
    pub(super) fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.lines.read_line(&mut line).expect("in time") {
            0 => None,
            _ => Some(serde_json::from_str(&line).expect("JSON")),
        }
    }

    pub(super) fn error(&mut self, code: &str) -> Value {
        let line = self.line().expect("a line");
        assert_eq!(line["error"]["code"], code, "{line}");
        line
    }
}

/// How many descriptors a daemon has open.
pub(super) fn open(hosts: &Hosts, node: &str) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", hosts.net.pid(node))).expect("a process").count()
}

#[test]
fn descriptors_belong_to_lines_and_none_stays_open() {
    let Some(hosts) = Hosts::new("descriptors", CONFIG) else { return };
    let sockets: Vec<UdpSocket> =
        hosts.net.within("a", || (0..40).map(|_| UdpSocket::bind("10.0.1.1:0").expect("a socket")).collect());
    let raw = |nth: usize| sockets[nth].as_fd().as_raw_fd();
    let mut client = Raw::open(&hosts.qos_socket("a"));
    let before = open(&hosts, "a");
    // Each line takes the oldest, also when all come at once and in pieces.
    client.send("{\"id\":1,\"request\":\"qos-open\",\"fd\":true}\n{\"id\":2,\"requ", &[raw(0), raw(1)]);
    client.send("est\":\"qos-open\",\"fd\":true}\n", &[]);
    let opened = [client.line().expect("an answer"), client.line().expect("an answer")];
    for (nth, line) in opened.iter().enumerate() {
        let name = sockets[nth].local_addr().expect("a name").to_string();
        assert_eq!(line["ok"]["opened"]["local"], json!(name), "{line}");
    }
    // A line without one, and one that no line names.
    client.send("{\"id\":3,\"request\":\"qos-open\",\"fd\":true}\n", &[]);
    assert_eq!(client.error("descriptors")["id"], 3);
    client.send("{\"id\":4,\"request\":\"qos-close\",\"socket\":1}\n", &[raw(2)]);
    assert_eq!(client.error("not-found")["id"], 4);
    assert!(client.error("descriptors")["id"].is_null());
    // Something else than a socket, which says so itself; the next is taken.
    let file = std::fs::File::open("/dev/null").expect("a file");
    client.send("{\"id\":5,\"request\":\"qos-open\",\"fd\":true}\n", &[file.as_raw_fd()]);
    assert_eq!(client.error("no-qos-socket")["id"], 5);
    client.send("{\"id\":6,\"request\":\"qos-open\",\"fd\":true}\n", &[raw(3)]);
    assert_eq!(client.line().expect("an answer")["id"], 6);
    assert_eq!(open(&hosts, "a"), before, "the daemon keeps none");
    // More than there is room for end the connection, at once or in a row.
    let all: Vec<RawFd> = (0..40).map(raw).collect();
    client.send("{\"id\":7,", &all);
    client.error("descriptors");
    assert!(client.line().is_none());
    let mut client = Raw::open(&hosts.qos_socket("a"));
    for nth in 0..17 {
        client.send("{", &[raw(nth)]);
    }
    client.error("descriptors");
    assert!(client.line().is_none());
    let fewer = eventually("closed", || Some(open(&hosts, "a")).filter(|open| *open < before));
    assert_eq!(fewer, before - 1, "the connection's own alone is gone");
}

#[test]
fn any_user_may_ask_about_sockets_within_quotas_and_for_nothing_else() {
    let quotas = format!("{CONFIG}[qos]\nsockets_per_user = 2\nrate_per_user = \"200kbit\"\n");
    let Some(hosts) = Hosts::new("quotas", &quotas) else { return };
    let mut client = Raw::open(&hosts.qos_socket("a"));
    client.send("{\"id\":1,\"request\":\"list\",\"what\":\"sessions\"}\n", &[]);
    client.error("not-permitted");
    client.send("{\"id\":2,\"request\":\"qos-open\",\"transport\":\"udp\",\"local\":\"10.0.1.1:9\"}\n", &[]);
    client.error("not-permitted");
    drop(client);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(hosts.qos_socket("a")).expect("a file").permissions(),
    );
    assert_eq!(mode & 0o777, 0o666);
    let sockets = [hosts.bound("a", SENDER), hosts.bound("a", "10.0.1.1:4001")];
    let host = hosts.host("a");
    let refused = hosts.at("a", host.attach(hosts.udp("a", "10.0.1.1:4002"))).map(drop).expect_err("a third");
    assert!(refused.to_string().contains("at most 2 (`sockets_per_user` in [qos]"), "{refused}");
    // 17,000 octets a second are 136 kbit/s, and 147.2 with headers: one fits, two do not.
    hosts.set(&sockets[0], &sending_at(17_000));
    hosts.connect("a", &sockets[0], RECEIVER);
    let refused = hosts.at("a", sockets[1].set(&sending_at(17_000))).expect_err("too much");
    assert!(refused.to_string().contains("200000 bit/s in all (`rate_per_user`"), "{refused}");
    let marked = Qos { objects: vec![Object::DsClass(48)], ..sending() };
    let refused = hosts.at("a", sockets[0].set(&marked)).expect_err("the network's own mark");
    assert!(refused.to_string().contains("`highest_dscp`"), "{refused}");
    // What was used is free again, and the administrator's socket has no quotas.
    drop(sockets);
    hosts.net.client("a").until("senders", 0);
    hosts.set(&hosts.bound("a", SENDER), &sending_at(17_000));
    let control = hosts.at("a", QosHost::connect(hosts.net.socket("a"))).expect("the control socket");
    let free: Vec<_> = (0..3)
        .map(|_| {
            hosts
                .at("a", control.attach(hosts.udp("a", "10.0.1.1:0")))
                .map_err(|not| not.error)
                .expect("taken")
        })
        .collect();
    hosts.set(&free[2], &sending_at(1_000_000));
}

#[test]
fn a_daemon_that_starts_anew_is_handed_all_sockets_again() {
    let Some(mut hosts) = Hosts::new("a daemon anew", REFRESHED) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let (sender, receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    let tears = capture.of(MsgType::PATH_TEAR).len();
    hosts.net.signal("a", Signal::SIGUSR2);
    hosts.net.ended("a");
    hosts.net.daemon("a", REFRESHED);
    let told = hosts.told_of(&sender, Status::RECEIVERS);
    assert_eq!(told.sending.token_rate, Some(9_200));
    let before = capture.of(MsgType::PATH).len();
    eventually("five refreshes", || (capture.of(MsgType::PATH).len() >= before + 5).then_some(()));
    assert_eq!(sender.try_next(), None, "one event");
    // A refresh of the receiver's may have come before the Path was known again: error 3. Nothing else is told.
    while let Some(told) = receiver.try_next() {
        assert_eq!((told.status, told.value.0), (Status::GENERIC_ERROR, 56301), "{told:?}");
    }
    assert_eq!(capture.of(MsgType::PATH_TEAR).len(), tears);
    // It can be asked as before.
    hosts.set(&sender, &sending_at(17_000));
    eventually("another rate", || receiver.try_next().filter(|told| told.status == Status::SENDERS));
    let socket = hosts.at("a", sender.end());
    hosts.told_of(&receiver, Status::NO_SENDERS);
    assert_eq!(socket.peer_addr().expect("connected as it was").to_string(), RECEIVER);
}
