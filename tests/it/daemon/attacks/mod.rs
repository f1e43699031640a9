//! What hurts a daemon: neighbours that flood, forge and amplify, and clients of its control socket that ask without end.
//!
//! Each attack is bounded in time and in what is sent, and each is judged by what others have of it: reservations between two hosts
//! on other links of the router, its memory, how long its loop is held up, and that the one at fault is named.

mod amplification;
mod beside;
mod control;
mod fragments;
mod messages;
mod neighbours;
mod packets;
mod padding;
mod restart;

use super::client::Client;
use super::eventually;
use super::net::Net;
use packets::{Path, alert};
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::time::Duration;

/// Two hosts, `a` and `b`, and an attacker, `x`, each on a link of its own of the router `r`: links 1, 2 and 3.
struct Ground {
    net: Net,
}

/// The router's and the hosts' configuration.
const CONFIG: &str = "[interfaces]\nbandwidth = \"100mbit\"\n[data_plane]\nkind = \"none\"\n";

impl Ground {
    fn new(test: &str) -> Option<Self> {
        let mut net = Net::new(test)?;
        net.host("a");
        net.router("r");
        net.host("b");
        net.host("x");
        net.link("a", "r");
        net.link("r", "b");
        net.link("x", "r");
        for (node, link, end) in [("a", 1, 2), ("b", 2, 1), ("x", 3, 2)] {
            net.default_route(node, link, end);
        }
        Some(Self { net })
    }

    /// The same with an accomplice of the attacker, `y` on link 4, to whom its traffic goes: so both ends of what is reserved are
    /// neighbours that forge nothing. It has so many addresses more on its link.
    fn with_accomplice(test: &str, more: u8) -> Option<Self> {
        let mut ground = Self::new(test)?;
        ground.net.host("y");
        ground.net.link("y", "r");
        ground.net.default_route("y", 4, 2);
        for n in 0..more {
            ground.net.ip("y", &format!("addr add 10.0.4.{}/24 dev to-r", 100 + n));
        }
        Some(ground)
    }

    /// The memory of the router's daemon, in octets.
    fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.net.pid("r"))).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kib: u64 = line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number");
        kib << 10
    }

    /// Makes so many reservations from `a` to `b`, for ports from this one on; how many were confirmed, and what went wrong otherwise.
    fn set_ups(&self, hosts: &mut [Client; 2], count: u16, first: u16) -> (usize, Vec<Value>) {
        let [a, b] = hosts;
        let traffic = json!({"rate_bps": 80_000});
        for n in first..first + count {
            let session = format!("udp 10.0.2.2:{n}");
            b.ask(json!({"request": "open-session", "session": session})).expect("a session");
            let sender = format!("10.0.1.1:{n}");
            let request =
                json!({"request": "sender", "session": session, "sender": sender, "traffic": traffic});
            a.ask(request).expect("a sender");
        }
        let (mut confirmed, mut failures) = (0, Vec::new());
        eventually("reservations that are confirmed", || {
            for event in b.waiting() {
                match event["event"].as_str() {
                    Some("path") => {
                        let flowspec = json!({"service": "controlled-load", "traffic": traffic});
                        let flows = json!([{"filters": [event["sender"]], "flowspec": flowspec}]);
                        let request = json!({"request": "reserve", "session": event["session"], "style": "ff",
                                             "flows": flows, "confirm": true});
                        b.ask(request).expect("a reservation");
                    }
                    Some("resv-confirm") => confirmed += 1,
                    _ => failures.push(event),
                }
            }
            (confirmed + failures.len() >= usize::from(count)).then_some(())
        });
        (confirmed, failures)
    }

    /// What the router's daemon has used of a processor so far.
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.net.pid("r"))).expect("a process");
        let used = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(used.sum())
    }

    /// The LIH of the router's interface to a node.
    fn lih(&self, node: &str) -> u32 {
        let rows = self.net.client("r").list("interfaces");
        let row = rows.iter().find(|row| row["name"] == format!("to-{node}")).expect("an interface");
        row["lih"].as_u64().and_then(|lih| u32::try_from(lih).ok()).expect("an LIH")
    }

    /// A raw socket of a node whose packets get their header, and are fragmented, by its kernel; with Router Alert or without.
    fn plain(&self, node: &str, alert: bool) -> Socket {
        self.net.within(node, || {
            let socket =
                Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(46))).expect("a raw socket");
            socket.set_send_buffer_size(1 << 22).expect("room");
            if alert {
                let (level, options) = (nix::libc::IPPROTO_IP, nix::libc::IP_OPTIONS);
                rsvpd::set_option(socket.as_fd(), level, options, &[148, 4, 0, 0]).expect("Router Alert");
            }
            socket
        })
    }

    /// The same without it, from one of the node's addresses.
    fn plain_from(&self, node: &str, address: Ipv4Addr) -> Socket {
        let socket = self.plain(node, false);
        socket.bind(&std::net::SocketAddr::from((address, 0)).into()).expect("an address of its own");
        socket
    }

    /// Has the router know so many senders, by Paths of the attacker in its own name.
    fn senders(&self, r: &mut Client, count: u16) {
        let socket = self.net.raw("x");
        for first in (0..count).step_by(256) {
            let last = count.min(first.saturating_add(256));
            (first..last).for_each(|n| send(&socket, &alert(&Path { port: 1 + n, ..Path::of_attacker() })));
            r.until("senders", usize::from(last));
        }
    }
}

/// Sends an IPv4 packet with its header.
fn send(socket: &Socket, (to, octets): &(Ipv4Addr, Vec<u8>)) {
    let to = std::net::SocketAddr::from((*to, 0));
    // There may be no room for a moment.
    eventually("a packet that leaves", || match socket.send_to(octets, &to.into()) {
        Ok(_) => Some(()),
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOBUFS) => None,
        Err(error) => panic!("{error}"),
    });
}
