//! QOS2: flows that applications give their sockets, with a capture on the far side as judge of marks and rates.

mod added;
mod cancelled;
mod listed;
mod marked;
mod measured;
mod responding;
mod shaped;

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::super::net::Net;
use super::super::plane::seen::{Seen, seen};
use super::Hosts;
use rsvp_client::flows::{Flow, FlowError, FlowOptions, Flows, Refusal, TrafficType, Version};
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;

const KERNEL: &str = "[data_plane]\nkind = \"kernel\"\n[interfaces]\nbandwidth = \"100mbit\"\noverhead = 0\n";
/// Where `b` hears.
const PEER: &str = "10.0.1.2:5000";
/// The six types and their DSCPs.
const TYPES: [(TrafficType, u8); 6] = [
    (TrafficType::BestEffort, 0),
    (TrafficType::Background, 8),
    (TrafficType::ExcellentEffort, 40),
    (TrafficType::AudioVideo, 40),
    (TrafficType::Voice, 56),
    (TrafficType::Control, 56),
];

/// Begins a program of python3 that speaks with the daemon itself: the path of its socket is the first argument.
const CLIENT: &str = "
import array, json, socket, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(sys.argv[1])
lines = daemon.makefile()
lines.readline()
def tell(request, fds=[]):
    daemon.sendmsg([(json.dumps(request) + '\\n').encode()],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
def ask(request, fds=[]):
    tell(request, fds)
    return json.loads(lines.readline())
";

/// `a` with a daemon, `b`, and a capture there.
struct Bed {
    hosts: Hosts,
    capture: Capture,
    _receiver: UdpSocket,
}

impl Bed {
    fn new(test: &str, config: &str) -> Option<Self> {
        let mut net = Hosts::linked(test)?;
        net.daemon("a", config);
        let capture = net.capture_many("b", "to-a", "ip or ip6 or vlan");
        let receiver = bound(&net, "b", PEER);
        Some(Self { hosts: Hosts::of(net), capture, _receiver: receiver })
    }

    fn net(&self) -> &Net {
        &self.hosts.net
    }

    /// A connection to the daemon where any user may.
    fn flows(&self) -> Flows {
        let path = self.hosts.qos_socket("a");
        self.at(Flows::open_at(Version::V1_0, path)).expect("a daemon that has flows")
    }

    /// And one where everything may be asked for.
    fn privileged(&self) -> Flows {
        let path = self.net().socket("a");
        self.at(Flows::open_at(Version::V1_0, path)).expect("a daemon that has flows")
    }

    fn at<T: Send>(&self, what: impl Future<Output = T> + Send) -> T {
        self.hosts.at("a", what)
    }

    fn add(&self, flows: &Flows, socket: &(impl AsFd + Sync), traffic: TrafficType) -> Flow {
        self.at(flows.add(socket, traffic, FlowOptions::default())).expect("a flow")
    }

    fn refused<T: Send>(&self, what: impl Future<Output = Result<T, FlowError>> + Send) -> Refusal {
        match self.at(what) {
            Ok(_) => panic!("it is not refused"),
            Err(error) => error.refusal().unwrap_or_else(|| panic!("{error}")),
        }
    }

    /// A socket at `a`, connected to the peer.
    fn connected(&self) -> UdpSocket {
        let socket = bound(self.net(), "a", "0.0.0.0:0");
        socket.connect(PEER).expect("a route");
        socket
    }

    /// What a program of python3 at `a` says that begins with [`CLIENT`].
    fn client(&self, program: &str, more: &[&str]) -> String {
        self.client_of(None, program, more)
    }

    /// The same of a user, for whom the modules of Python may be out of reach.
    fn client_of(&self, uid: Option<u32>, program: &str, more: &[&str]) -> String {
        let socket = self.hosts.qos_socket("a");
        let path = socket.display().to_string();
        let user = uid.map_or_else(String::new, |uid| {
            // The folder of the test is root's own; any user may walk there.
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(socket.parent().expect("a folder"), all).expect("it is the test's");
            format!("import array, json, os, socket\nos.setgroups([])\nos.setresgid({uid}, {uid}, {uid})\nos.setresuid({uid}, {uid}, {uid})\n")
        });
        let program = format!("{user}{CLIENT}{program}");
        let line = ["python3", "-c", &program, &path];
        self.net().exec("a", &line.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// All packets from a port so far, once there are so many.
    fn from(&self, port: u16, count: usize) -> Vec<Seen> {
        let of_port = || seen(&self.capture, port).into_iter().filter(|packet| packet.ports.0 == port);
        let all = || Some(of_port().collect::<Vec<_>>()).filter(|packets| packets.len() >= count);
        eventually("the packets", all)
    }

    /// Sends one, and sees how it is marked.
    fn mark(&self, socket: &UdpSocket) -> u8 {
        let port = socket.local_addr().expect("a name").port();
        let before = self.from(port, 0).len();
        socket.send(&[0; 100]).expect("sent");
        self.from(port, before + 1)[before].dscp()
    }

    /// The same to a destination.
    fn mark_to(&self, socket: &UdpSocket, to: &str) -> u8 {
        let port = socket.local_addr().expect("a name").port();
        let before = self.from(port, 0).len();
        socket.send_to(&[0; 100], to).expect("sent");
        self.from(port, before + 1)[before].dscp()
    }

    /// The DSCPs of IPv6 packets to a port so far.
    fn dscps_v6(&self, port: u16) -> Vec<u8> {
        let read = |frame: &[u8]| {
            let packet = frame.get(14..).filter(|packet| packet[0] >> 4 == 6)?;
            let to = u16::from_be_bytes([*packet.get(42)?, *packet.get(43)?]);
            (to == port).then(|| (packet[0] << 4 | packet[1] >> 4) >> 2)
        };
        frames(&self.capture.file).iter().filter_map(|(.., frame)| read(frame)).collect()
    }

    /// What the kernel has of flows of sockets: how many peers.
    fn peers(&self) -> usize {
        self.hosts
            .net
            .client("a")
            .list_socket_flows()
            .iter()
            .map(|row| row["sockets"].as_array().map_or(0, Vec::len))
            .sum()
    }
}

impl super::super::client::Client {
    fn list_socket_flows(&mut self) -> Vec<serde_json::Value> {
        let mut done = self.ask(serde_json::json!({"request": "flow-list"})).expect("a listing");
        serde_json::from_value(done["socket_flows"].take()).expect("rows")
    }
}

fn bound(net: &Net, node: &str, at: &str) -> UdpSocket {
    net.within(node, || UdpSocket::bind(at).expect("a socket"))
}

/// A TCP socket at `a` that is not connected yet.
fn unconnected(net: &Net) -> Socket {
    net.within("a", || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket"))
}

/// Connects it; both ends.
fn connect(net: &Net, socket: Socket, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let to: SocketAddr = listener.local_addr().expect("a name");
    net.within("a", || socket.connect(&to.into()).expect("somebody listens"));
    let (other, _) = listener.accept().expect("a connection");
    (socket.into(), other)
}

fn listener(net: &Net) -> TcpListener {
    net.within("b", || TcpListener::bind(PEER).expect("a listener"))
}
