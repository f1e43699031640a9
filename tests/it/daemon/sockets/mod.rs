//! QoS sockets on real kernels: applications with the client library, their sockets in the namespaces of their nodes, and daemons
//! that are handed them. What is signalled is read from the wire.

mod accepted;
mod ended;
mod examples;
mod flows;
mod groups;
mod handing;
pub(super) mod hooks;
mod many;
mod marked;
mod policy;
mod qos2;
mod received;
mod restarted;
mod sent;
mod templates;
mod told;

use super::PATIENCE;
use super::capture::{Capture, Seen};
use super::net::Net;
use rsvp_client::qos::objects::reserve_info::ReserveInfo;
use rsvp_client::qos::{FdQos, Flowspec, Object, Qos, ServiceType, Status};
use rsvp_client::{QosHost, QosSocket};
use rsvp_wire::{FilterSpec, Message, MsgType, SenderTemplate, SenderTspec, Session, Tspec};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Signalling alone, by daemons that refresh so seldom that nothing here happens by a refresh.
const CONFIG: &str = "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"10mbit\"\n";
/// And with refreshes that a test can wait for.
const REFRESHED: &str =
    "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"200ms\"\n";
/// Where the receiver is.
const RECEIVER: &str = "10.0.1.2:5000";
/// Where the sender is.
const SENDER: &str = "10.0.1.1:4000";

/// Hosts `a` and `b` on one link, with daemons, and a runtime for the applications.
struct Hosts {
    net: Net,
    tokio: Handle,
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Hosts {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

impl Hosts {
    fn new(test: &str, config: &str) -> Option<Self> {
        let mut net = Self::linked(test)?;
        net.daemon("a", config);
        net.daemon("b", config);
        Some(Self::of(net))
    }

    /// The hosts and their link, without daemons.
    fn linked(test: &str) -> Option<Net> {
        let mut net = Net::new(test)?;
        net.host("a");
        net.host("b");
        net.link("a", "b");
        for (node, peer) in [("a", "b"), ("b", "a")] {
            net.ip(node, &format!("route add 224.0.0.0/4 dev to-{peer}"));
        }
        Some(net)
    }

    /// Applications in nodes that are there.
    fn of(net: Net) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (tokio, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel::<()>());
        // Connections to daemons are kept by it while a test waits for the network.
        std::thread::spawn(move || {
            // The other end is dropped in the end.
            let _ = runtime.block_on(stopped);
        });
        Self { net, tokio, stop: Some(stop) }
    }

    /// Runs something of an application's in a node.
    fn at<T: Send>(&self, node: &str, what: impl Future<Output = T> + Send) -> T {
        self.net.within(node, || self.tokio.block_on(what))
    }

    /// Where the daemon of a node is handed sockets.
    fn qos_socket(&self, node: &str) -> PathBuf {
        self.net.file(&format!("{node}.qos.sock"))
    }

    fn host(&self, node: &str) -> QosHost {
        self.at(node, QosHost::connect(self.qos_socket(node))).expect("a daemon that takes sockets")
    }

    /// A UDP socket in a node.
    fn udp(&self, node: &str, at: &str) -> UdpSocket {
        self.at(node, UdpSocket::bind(at.to_owned())).expect("a socket")
    }

    /// One that is handed over.
    fn bound(&self, node: &str, at: &str) -> QosSocket<UdpSocket> {
        self.attached(node, self.udp(node, at))
    }

    fn attached<S: AsFd + Send + Sync>(&self, node: &str, socket: S) -> QosSocket<S> {
        let host = self.host(node);
        self.at(node, host.attach(socket)).map_err(|not| not.error).expect("it is handed over")
    }

    fn set<S: AsFd + Sync>(&self, socket: &QosSocket<S>, qos: &Qos) {
        self.at("a", socket.set(qos)).expect("it makes sense");
    }

    fn connect(&self, node: &str, socket: &QosSocket<UdpSocket>, to: &str) {
        self.at(node, socket.connect(to.to_owned())).expect("connected");
    }

    /// What a socket is told next.
    fn told<S: AsFd + Sync>(&self, socket: &QosSocket<S>) -> FdQos {
        let next = async { tokio::time::timeout(PATIENCE, socket.next()).await };
        self.at("a", next).expect("a notification in time").expect("the daemon is there")
    }

    /// And with which status it is to be.
    fn told_of<S: AsFd + Sync>(&self, socket: &QosSocket<S>, status: Status) -> FdQos {
        let told = self.told(socket);
        assert_eq!(told.status, status, "{told:?}");
        told
    }

    /// A sender at `a` with a peer, which announces; and a bound receiver at `b` that has heard of it.
    fn sender_and_receiver(&self) -> (QosSocket<UdpSocket>, QosSocket<UdpSocket>) {
        let (sender, receiver) = (self.bound("a", SENDER), self.bound("b", RECEIVER));
        self.set(&receiver, &receiving(ServiceType::ControlledLoad));
        self.set(&sender, &sending());
        self.connect("a", &sender, RECEIVER);
        self.told_of(&receiver, Status::SENDERS);
        (sender, receiver)
    }
}

/// A Controlled-Load sender: 8,500 octets a second in packets of 340, which are 9,200 and 368 with headers.
fn voice() -> Flowspec {
    Flowspec {
        token_rate: Some(8_500),
        token_bucket_size: Some(680),
        max_sdu_size: Some(340),
        minimum_policed_size: Some(340),
        ..Flowspec::of(ServiceType::ControlledLoad)
    }
}

fn sending() -> Qos {
    Qos { sending: voice(), ..Qos::default() }
}

/// The same with another rate, in octets per second.
fn sending_at(rate: u32) -> Qos {
    Qos { sending: Flowspec { token_rate: Some(rate), ..voice() }, ..Qos::default() }
}

fn receiving(service: ServiceType) -> Qos {
    Qos { receiving: Flowspec::of(service), ..Qos::default() }
}

/// A receiver that asks for confirmation.
fn confirmed() -> Qos {
    let info = ReserveInfo { confirm_request: true, ..ReserveInfo::default() };
    Qos { objects: vec![Object::Reserve(info)], ..receiving(ServiceType::ControlledLoad) }
}

fn session(at: &str) -> Session {
    format!("udp {at}").parse().expect("a session")
}

fn template(at: &str) -> SenderTemplate {
    let at: SocketAddr = at.parse().expect("an address");
    SenderTemplate(FilterSpec::new(at.ip(), at.port()))
}

fn session_of(seen: &Seen) -> Session {
    let message = Message::parse(&seen.octets).expect("sound");
    message.get::<Session>().expect("a session").expect("readable").with_flags(0)
}

fn sender_of(seen: &Seen) -> SenderTemplate {
    let message = Message::parse(&seen.octets).expect("sound");
    message.get::<SenderTemplate>().expect("a sender").expect("readable")
}

fn tspec_of(seen: &Seen) -> Tspec {
    let message = Message::parse(&seen.octets).expect("sound");
    message.get::<SenderTspec>().expect("a Tspec").expect("readable").0
}

/// The styles of the messages of a type so far, each run of equal ones once.
fn kinds(capture: &Capture, wanted: &[MsgType]) -> Vec<(MsgType, rsvp_wire::Style)> {
    let mut found = Vec::new();
    for seen in capture.packets().into_iter().filter(|seen| wanted.contains(&seen.kind)) {
        let message = Message::parse(&seen.octets).expect("sound");
        let style = message.get::<rsvp_wire::Style>().expect("a style").expect("readable");
        if found.last() != Some(&(seen.kind, style)) {
            found.push((seen.kind, style));
        }
    }
    found
}
