//! A daemon that ends and starts anew under the traffic of a socket: what its packets were promised is kept meanwhile, and its
//! application is told of it once.

use super::super::capture::Capture;
use super::super::eventually;
use super::super::net::Net;
use super::super::plane::seen::{by_dscp, seen};
use super::{Hosts, SENDER};
use nix::sys::signal::Signal;
use rsvp_client::QosSocket;
use rsvp_client::qos::{Flowspec, Qos, ServiceType, Status};
use socket2::SockRef;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;

const FAR: &str = "10.0.2.2:5000";
const PLAIN: &str =
    "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"1s\"\n";
const ROUTER: &str =
    "[data_plane]\nkind = \"kernel\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"1s\"\n";
/// Octets of a packet without headers.
const PACKET: usize = 100;

/// Room for all that is sent here.
fn sending(service: ServiceType) -> Qos {
    let sending = Flowspec {
        token_rate: Some(200_000),
        token_bucket_size: Some(50_000),
        max_sdu_size: Some(1000),
        minimum_policed_size: Some(PACKET as u32),
        ..Flowspec::of(service)
    };
    Qos { sending, ..Qos::default() }
}

fn receiving(service: ServiceType) -> Qos {
    let rate = (service == ServiceType::Guaranteed).then_some(256_000);
    Qos { receiving: Flowspec { token_rate: rate, ..Flowspec::of(service) }, ..Qos::default() }
}

/// `a` - `r` - `b`, all of whose packets the kernel has, but for those of `b`; a socket at `a` for whose packets one at `b` has reserved.
struct Flow {
    hosts: Hosts,
    config: String,
    capture: Capture,
    sender: QosSocket<UdpSocket>,
    receiver: QosSocket<UdpSocket>,
}

impl Flow {
    fn new(test: &str, service: ServiceType) -> Option<Self> {
        let mut net = Net::three_in_a_row(test)?;
        let pins = net.bpffs().join("rsvpd");
        let config =
            ROUTER.replacen("[interfaces]\n", &format!("pins = \"{}\"\n[interfaces]\n", pins.display()), 1);
        [("a", config.as_str()), ("r", ROUTER), ("b", PLAIN)]
            .iter()
            .for_each(|(node, config)| net.daemon(node, config));
        // Before the router, which marks as well.
        let capture = net.capture_many("r", "to-a", "udp and dst port 5000");
        let hosts = Hosts::of(net);
        let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", FAR));
        hosts.set(&receiver, &receiving(service));
        hosts.set(&sender, &sending(service));
        hosts.connect("a", &sender, FAR);
        hosts.told_of(&receiver, Status::SENDERS);
        hosts.told_of(&sender, Status::RECEIVERS);
        let flow = Self { hosts, config, capture, sender, receiver };
        for node in ["a", "r"] {
            flow.stands(node, "installed");
        }
        Some(flow)
    }

    /// Waits for the one flow of a node to be in this state; gives how many packets it has counted.
    fn stands(&self, node: &str, state: &str) -> u64 {
        let mut client = self.hosts.net.client(node);
        eventually(&format!("a flow that is {state}"), || match &client.list("flows")[..] {
            [flow] if flow["state"] == state => flow["packets"].as_u64(),
            _ => None,
        })
    }

    fn dscps(&self) -> BTreeMap<u8, usize> {
        by_dscp(&seen(&self.capture, 5000))
    }

    /// Waits for more packets on the far side.
    fn more(&self) {
        let before = seen(&self.capture, 5000).len();
        eventually("packets", || (seen(&self.capture, 5000).len() >= before + 20).then_some(()));
    }

    fn end(&mut self, signal: Signal) {
        self.hosts.net.signal("a", signal);
        let ended = self.hosts.net.ended("a");
        assert_eq!(ended.success(), signal != Signal::SIGKILL, "{}", self.hosts.net.log("a"));
    }

    fn start(&mut self) {
        let config = self.config.clone();
        self.hosts.net.daemon("a", &config);
    }
}

/// As `systemctl restart` has it (SIGUSR2), and as it may be.
#[test]
fn no_packet_goes_unmarked_while_a_daemon_ends_and_starts_anew_and_one_event_is_told() {
    for (service, dscp) in [(ServiceType::ControlledLoad, 24), (ServiceType::Guaranteed, 40)] {
        let Some(mut flow) = Flow::new("a restart under traffic", service) else { return };
        let socket = SockRef::from(&*flow.sender).try_clone().expect("another descriptor");
        let stop = AtomicBool::new(false);
        let sent = std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let mut sent = 0_usize;
                while !stop.load(Ordering::Relaxed) {
                    sent += usize::from(socket.send(&[0; PACKET]).is_ok());
                    std::thread::park_timeout(Duration::from_millis(4));
                }
                sent
            });
            for signal in [Signal::SIGUSR2, Signal::SIGKILL] {
                flow.more();
                flow.end(signal);
                flow.more();
                flow.start();
                let told = flow.hosts.told_of(&flow.sender, Status::RECEIVERS);
                assert_eq!(told.sending.token_rate, Some(256_000), "{service:?} {signal}");
                flow.stands("a", "installed");
                flow.more();
                assert_eq!(flow.sender.try_next(), None, "{service:?} {signal}: one event");
            }
            stop.store(true, Ordering::Relaxed);
            sending.join().expect("it sends")
        });
        eventually("all packets", || (seen(&flow.capture, 5000).len() >= sent).then_some(()));
        assert_eq!(flow.dscps(), BTreeMap::from([(dscp, sent)]), "{service:?}");
        // Each was one of the flow's, on both nodes.
        for node in ["a", "r"] {
            assert_eq!(flow.stands(node, "installed"), sent as u64, "{service:?} {node}");
        }
        // A refresh of the receiver's may have come before the Path was known again: error 3.
        while let Some(told) = flow.receiver.try_next() {
            assert_eq!((told.status, told.value.0), (Status::GENERIC_ERROR, 56301), "{service:?}: {told:?}");
        }
    }
}

/// Before anything is reserved a Guaranteed sender is held back and has the marks of best effort: that is so again when nobody has
/// asked for what an earlier run has left.
#[test]
fn a_socket_for_which_nobody_reserves_again_is_best_effort_when_the_time_of_what_was_left_is_over() {
    let Some(mut flow) = Flow::new("a restart without a receiver", ServiceType::Guaranteed) else { return };
    let mark = |flow: &Flow| {
        let before = seen(&flow.capture, 5000).len();
        flow.hosts.at("a", flow.sender.send(&[0; PACKET])).expect("sent");
        eventually("the packet", || seen(&flow.capture, 5000).get(before).map(|packet| packet.dscp()))
    };
    assert_eq!(mark(&flow), 40);
    flow.end(Signal::SIGKILL);
    flow.hosts.set(&flow.receiver, &receiving(ServiceType::BestEffort));
    flow.hosts.net.client("r").until("reservations", 0);
    flow.start();
    flow.stands("a", "stale");
    assert_eq!(mark(&flow), 40, "its time is not over");
    flow.stands("a", "installed");
    assert_eq!(mark(&flow), 0, "held back, and promised nothing");
    assert_eq!(flow.sender.try_next(), None, "nothing is reserved");
}
