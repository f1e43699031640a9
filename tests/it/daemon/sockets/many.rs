//! Many sockets, and clients that do not behave: what each costs, that nothing of them is left, and that others go on.
//!
//! The whole is in docs/performance.md: `RSVP_SOCKETS=900` has as many sockets of one program and ten times that of a host. Each is in
//! a session of its own: those that send to one session would all hear of each other.

use super::super::eventually;
use super::handing::{Raw, open};
use super::{CONFIG, Hosts, RECEIVER, SENDER, receiving, sending, sending_at};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rsvp_client::QosSocket;
use rsvp_client::qos::{ServiceType, Status};
use serde_json::json;
use std::net::UdpSocket as Plain;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Sockets of one program in the run; ten programs have as many.
const SLICE: usize = 100;

/// Memory that a daemon has, in octets.
fn memory(hosts: &Hosts, node: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", hosts.net.pid(node))).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Processor time that a daemon has had.
fn processor(hosts: &Hosts, node: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", hosts.net.pid(node))).expect("a process");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
    // Of a hundredth of a second each: the kernel's unit for programs.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// What a number of sockets costs.
#[derive(Debug)]
struct Cost {
    sockets: usize,
    programs: usize,
    opened: Duration,
    processor: Duration,
    memory: u64,
    closed: Duration,
}

/// Opens sockets by several connections, each asking for a flow of its own, and closes them.
#[expect(clippy::disallowed_methods, reason = "what is measured takes real time")]
fn cost(hosts: &Hosts, programs: usize, each: usize) -> Cost {
    let all = programs * each;
    let plain: Vec<Plain> =
        hosts.net.within("a", || (0..all).map(|_| Plain::bind("10.0.1.1:0").expect("a port")).collect());
    let before = (memory(hosts, "a"), processor(hosts, "a"), open(hosts, "a"));
    let started = std::time::Instant::now();
    // Each in a session of its own.
    let mut plain = plain.into_iter().zip(10_000_u16..);
    let mut held: Vec<Vec<QosSocket<UdpSocket>>> = Vec::new();
    for _ in 0..programs {
        let host = hosts.host("a");
        let sockets: Vec<(Plain, u16)> = plain.by_ref().take(each).collect();
        held.push(hosts.at("a", async {
            let mut attached = Vec::new();
            for (socket, port) in sockets {
                socket.set_nonblocking(true).expect("it need not wait");
                let socket = UdpSocket::from_std(socket).expect("a socket");
                let socket = host.attach(socket).await.map_err(|not| not.error).expect("handed over");
                socket.set(&sending_at(1_000)).await.expect("it makes sense");
                socket.connect(("10.0.1.2", port)).await.expect("connected");
                attached.push(socket);
            }
            attached
        }));
    }
    let opened = started.elapsed();
    assert_eq!(hosts.net.client("a").list("sessions").len(), all, "each announces its flow");
    let after = (memory(hosts, "a"), processor(hosts, "a"));
    eventually("a descriptor for each connection, and none for a socket", || {
        (open(hosts, "a") == before.2 + programs).then_some(())
    });
    let started = std::time::Instant::now();
    drop(held);
    hosts.net.client("a").until("sessions", 0);
    let closed = started.elapsed();
    eventually("no connection is left", || (open(hosts, "a") == before.2).then_some(()));
    Cost {
        sockets: all,
        programs,
        opened,
        processor: after.1 - before.1,
        memory: after.0.saturating_sub(before.0),
        closed,
    }
}

#[test]
fn many_sockets_cost_as_much_each_as_few_and_leave_nothing() {
    let each = std::env::var("RSVP_SOCKETS").ok().and_then(|text| text.parse().ok()).unwrap_or(SLICE);
    // A descriptor here for each socket, and another for handing it over again.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let wanted = most.max(65_536);
    let raised = setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted);
    raised.or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, most, most)).expect("as many as there may be");
    let limits = "[qos]\nsockets_per_user = 20000\nrate_per_user = \"10gbit\"\n[limits]\nsenders_per_session = 20000\n\
                  sessions = 30000\n";
    let Some(hosts) = Hosts::new("many sockets", &format!("{CONFIG}{limits}")) else { return };
    println!(
        "| sockets | programs | opened, asked for and connected | processor time of rsvpd each | memory of rsvpd each | all closed |"
    );
    println!("|---|---|---|---|---|---|");
    let costs = [(1, each), (10, each)].map(|(programs, each)| cost(&hosts, programs, each));
    for cost in &costs {
        let number = cost.sockets as f64;
        println!(
            "| {} | {} | {:.0} a second | {:.0} µs | {:.1} kB | {:.2} s |",
            cost.sockets,
            cost.programs,
            number / cost.opened.as_secs_f64(),
            cost.processor.as_secs_f64() * 1e6 / number,
            cost.memory as f64 / number / 1e3,
            cost.closed.as_secs_f64()
        );
    }
    // Of memory the first thousand pays for what the rest finds there.
    let most = costs[1].memory / costs[1].sockets as u64;
    assert!(most < 64 * 1024, "{most} octets for each socket");
    // Nothing of it is left.
    assert!(hosts.net.client("a").list("sessions").is_empty());
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    hosts.net.client("b").until("senders", 1);
}

/// What a daemon keeps for a client that does not read is bounded, in lines and in octets; its neighbours do not notice.
#[test]
fn a_client_that_never_reads_is_cut_off_and_others_go_on() {
    let Some(hosts) = Hosts::new("a client that does not read", CONFIG) else { return };
    let (sender, receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    let socket = hosts.net.within("a", || Plain::bind("10.0.1.1:0").expect("a socket"));
    let mut deaf = Raw::open(&hosts.qos_socket("a"));
    deaf.send("{\"id\":1,\"request\":\"qos-open\",\"fd\":true}\n", &[socket.as_fd().as_raw_fd()]);
    let number = deaf.line().expect("an answer")["ok"]["opened"]["socket"].clone();
    let before = memory(&hosts, "a");
    // It asks, and asks, and takes no answer: the daemon stops reading it when it has enough to say, or cuts it off.
    deaf.never_blocks();
    let asks = json!({"id": 2, "request": "qos-check", "socket": number}).to_string() + "\n";
    let asks = asks.repeat(100);
    let is_cut = eventually("it is cut off", || match deaf.try_send(&asks) {
        Ok(()) => None,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
        Err(_) => Some(true),
    });
    assert!(is_cut);
    let grown = memory(&hosts, "a").saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} octets more");
    // The stream ends before the line is written.
    eventually("it is named", || hosts.net.log("a").contains("does not read and is cut off").then_some(()));
    // Others are answered as before, and told.
    let checks = hosts.at("a", sender.check()).expect("answers");
    assert_eq!(checks.local_qosability, Some(true));
    hosts.set(&receiver, &receiving(ServiceType::NoTraffic));
    hosts.told_of(&sender, Status::NO_RECEIVERS);
}

/// Descriptors in floods, lines that are torn, connections that end in the middle: each gets its error, and no descriptor stays.
#[test]
fn floods_of_descriptors_leave_none_open() {
    let Some(hosts) = Hosts::new("floods of descriptors", CONFIG) else { return };
    let sockets: Vec<Plain> =
        hosts.net.within("a", || (0..64).map(|_| Plain::bind("10.0.1.1:0").expect("a socket")).collect());
    let all: Vec<RawFd> = sockets.iter().map(|socket| socket.as_fd().as_raw_fd()).collect();
    let before = open(&hosts, "a");
    for round in 0..20 {
        // More descriptors than lines, for lines that are none, and for one that never ends.
        let mut client = Raw::open(&hosts.qos_socket("a"));
        client.send("{\"id\":1,\"request\":\"qos-open\",\"fd\":true}\n", &all[..8]);
        assert_eq!(client.line().expect("an answer")["id"], 1);
        let error = client.error("descriptors");
        assert!(error["error"]["message"].as_str().expect("words").starts_with("7 descriptors"), "{error}");
        client.send("not even JSON\n", &all[8..12]);
        client.error("bad-request");
        client.error("descriptors");
        client.send("{\"id\":2,\"request\":\"qos-open\",\"fd\":tr", &all[12..16]);
        drop(client);
        // More than one message may carry: the kernel cuts them, and the daemon ends the connection.
        let mut client = Raw::open(&hosts.qos_socket("a"));
        client.send("{", &all[..40 + round]);
        client.error("descriptors");
        assert!(client.line().is_none(), "it is over");
    }
    eventually("all is closed", || (open(&hosts, "a") == before).then_some(()));
    // A socket that was in the middle of it can still be handed over.
    let mut client = Raw::open(&hosts.qos_socket("a"));
    client.send("{\"id\":3,\"request\":\"qos-open\",\"fd\":true}\n", &[all[0]]);
    assert_eq!(client.line().expect("an answer")["id"], 3);
}
