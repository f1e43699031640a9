//! The egress program in real kernels: by trials of packets that go nowhere, and by traffic that is captured on the far side.

mod attaching;
mod filters;
mod frame;
mod keys;
mod marks;
mod policing;
mod untouched;
mod wire;

use super::net::Net;
use frame::Frame;
use rsvpd::data_plane::bpf::{
    Attach, Capacity, Egress, Filter, Flow, FlowId, Key, Limits, Mode, Outcome, Session, Statistics,
    Treatment, Trial,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The two ways to attach.
const WAYS: [Attach; 2] = [Attach::Tcx, Attach::Clsact];

/// Room for what a test has.
const SMALL: Capacity = Capacity { flows: 64, keys: 256, interfaces: 16 };

/// The program, attached to an interface.
struct Bench {
    egress: Egress,
    interface: u32,
}

/// Two hosts, `a` and `b`.
fn linked(test: &str) -> Option<Net> {
    let mut net = Net::new(test)?;
    net.host("a");
    net.host("b");
    net.link("a", "b");
    Some(net)
}

/// Runs something with the program attached to the interface of `a`, by tcx and again by clsact.
fn attached(test: &str, what: impl Fn(&mut Bench) + Sync) {
    let Some(net) = linked(test) else { return };
    for how in WAYS {
        net.within("a", || what(&mut Bench::new(how)));
    }
}

impl Bench {
    /// Within `a`.
    fn new(how: Attach) -> Self {
        let mut egress = Egress::load(SMALL).expect("the program is loaded");
        let (interface, _) = egress.attach("to-b", how).expect("the program is attached");
        Self { egress, interface }
    }

    fn key(&self, destination: IpAddr, protocol: u8, port: u16, filter: Filter) -> Key {
        Key { interface: self.interface, session: Session { destination, protocol, port }, filter }
    }

    /// A flow with one key.
    fn flow(&mut self, flow: &Flow, key: &Key) -> FlowId {
        let id = self.egress.add_flow(flow).expect("a flow");
        self.egress.set_key(key, id).expect("a key");
        id
    }

    fn try_frame(&self, frame: &[u8]) -> Outcome {
        let trial = Trial { interface: self.interface, frame, class: 0, repeat: 1, segments: None };
        self.egress.try_packet(&trial).expect("the program runs")
    }

    /// Tries the same frame many times.
    fn again(&self, frame: &Frame, repeat: u32) -> Outcome {
        let trial =
            Trial { interface: self.interface, frame: &frame.octets(), class: 0, repeat, segments: None };
        self.egress.try_packet(&trial).expect("the program runs")
    }

    fn class_of(&self, frame: &Frame) -> u32 {
        self.try_frame(&frame.octets()).class
    }

    fn counted(&self, id: FlowId) -> Statistics {
        self.egress.statistics(id).expect("statistics")
    }
}

/// A flow that only says its class.
fn in_class(class: u32) -> Flow {
    let conforming = Treatment { class: Some(class), ..Treatment::default() };
    Flow { mode: Mode::Shape, limits: Limits::default(), conforming, excess: Treatment::default() }
}

/// Addresses of a family: the first is the sender's, the second the receiver's, the third somebody else's.
fn addresses(v6: bool) -> [IpAddr; 3] {
    [1, 2, 3].map(|end| match v6 {
        false => Ipv4Addr::new(10, 0, 1, end).into(),
        true => Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, end.into()).into(),
    })
}
