//! What hurts a daemon: neighbours that flood, forge and amplify, and clients of its control socket that ask without end.
//!
//! Each attack is bounded in time and in what is sent, and each is judged by what others have of it: reservations between two hosts
//! on other links of the router, its memory, how long its loop is held up, and that the one at fault is named.

mod control;
mod packets;

use super::client::Client;
use super::eventually;
use super::net::Net;
use packets::{Path, alert};
use socket2::Socket;

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

    /// The memory of the router's daemon, in octets.
    fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.net.pid("r"))).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kib: u64 = line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number");
        kib << 10
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
fn send(socket: &Socket, (to, octets): &(std::net::Ipv4Addr, Vec<u8>)) {
    let to = std::net::SocketAddr::from((*to, 0));
    // There may be no room for a moment.
    eventually("a packet that leaves", || match socket.send_to(octets, &to.into()) {
        Ok(_) => Some(()),
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOBUFS) => None,
        Err(error) => panic!("{error}"),
    });
}
