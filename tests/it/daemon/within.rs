//! Sockets of the test's own within a node: a thread enters the namespace, opens one, and the socket stays there.

use super::net::Net;
use nix::sched::{CloneFlags, setns};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::net::IpAddr;

impl Net {
    /// Runs something in a thread within the node.
    pub(crate) fn within<T: Send>(&self, node: &str, what: impl FnOnce() -> T + Send) -> T {
        let space = std::fs::File::open(format!("/run/netns/{}", self.namespace(node))).expect("a namespace");
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(space, CloneFlags::CLONE_NEWNET).expect("the namespace is entered");
                what()
            });
            inside.join().expect("it ends")
        })
    }

    pub(super) fn index(&self, node: &str, interface: &str) -> u32 {
        let index = self.exec(node, &["cat", &format!("/sys/class/net/{interface}/ifindex")]);
        index.trim().parse().expect("an index")
    }

    /// Joins a group on an interface of a node, for as long as the socket lives.
    pub(super) fn join(&self, node: &str, interface: &str, group: IpAddr) -> Socket {
        let index = self.index(node, interface);
        self.within(node, || match group {
            IpAddr::V4(group) => {
                let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index)).expect("a member");
                socket
            }
            IpAddr::V6(group) => {
                let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).expect("a socket");
                socket.join_multicast_v6(&group, index).expect("a member");
                socket
            }
        })
    }

    /// A raw IPv4 socket on which the test writes IP headers itself.
    pub(super) fn raw(&self, node: &str) -> Socket {
        self.within(node, || {
            let socket =
                Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(46))).expect("a raw socket");
            socket.set_header_included_v4(true).expect("IP_HDRINCL");
            socket
        })
    }
}
