//! Flows and filters by hand, in real kernels: what a program asks for at the control socket, and what a capture behind the host says.

mod attached;
mod command;
mod forwarded;
mod many;
mod marked;
mod owned;
mod refused;
mod restarted;
mod selected;
mod shaped;

use super::super::capture::{Capture, frames};
use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::seen::{Seen, seen};
use super::{classes, kernel, maps};
use aya::maps::{Array, HashMap, Map, MapData};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::UdpSocket;

/// Bits per second that flows of a test have, unless it says otherwise: more than what it sends.
const AMPLE: u64 = 8_000_000;
/// The octet of a flow's record in the kernel that says whether there is a flow.
const LIVE: usize = 41;

impl Client {
    /// Makes a flow on an interface; gives its number.
    fn flow(&mut self, interface: &str, members: &Value) -> u64 {
        self.try_flow(interface, members).expect("a flow")
    }

    fn try_flow(&mut self, interface: &str, members: &Value) -> Result<u64, Value> {
        let mut request = json!({"request": "tc-flow-add", "interface": interface});
        merge(&mut request, members);
        self.ask(request).map(|done| done["flow"].as_u64().expect("a number"))
    }

    fn modify(&mut self, flow: u64, members: &Value) -> Result<Value, Value> {
        let mut request = json!({"request": "tc-flow-modify", "flow": flow});
        merge(&mut request, members);
        self.ask(request)
    }

    /// Has packets belong to a flow; gives the number of the filter.
    fn filter(&mut self, flow: u64, members: &Value) -> u64 {
        self.try_filter(flow, members).expect("a filter")
    }

    fn try_filter(&mut self, flow: u64, members: &Value) -> Result<u64, Value> {
        let mut request = json!({"request": "tc-filter-add", "flow": flow});
        merge(&mut request, members);
        self.ask(request).map(|done| done["filter"].as_u64().expect("a number"))
    }

    fn remove_flow(&mut self, flow: u64) {
        self.ask(json!({"request": "tc-flow-delete", "flow": flow})).expect("it is there");
    }

    fn remove_filter(&mut self, filter: u64) {
        self.ask(json!({"request": "tc-filter-delete", "filter": filter})).expect("it is there");
    }

    /// What there is; all that was asked for before is done then.
    fn report(&mut self) -> Value {
        self.ask(json!({"request": "tc-query"})).expect("a report")["tc"].take()
    }

    /// What there is of a flow.
    fn report_of(&mut self, flow: u64) -> Value {
        let mut done = self.ask(json!({"request": "tc-query", "flow": flow})).expect("a report");
        done["tc"]["flows"][0].take()
    }

    /// What is left to be reserved on an interface.
    fn remaining(&mut self, interface: &str) -> u64 {
        let mut done = self.ask(json!({"request": "tc-query", "interface": interface})).expect("a report");
        done["tc"]["interfaces"][0]["remaining_bps"].take().as_u64().expect("a number")
    }

    fn subscribe_to_flows(&mut self) {
        self.ask(json!({"request": "tc-subscribe"})).expect("it is told");
    }
}

fn merge(request: &mut Value, members: &Value) {
    for (key, value) in members.as_object().expect("members") {
        request[key] = value.clone();
    }
}

/// A flow of Controlled-Load.
fn paced(rate_bps: u64, bucket: u64) -> Value {
    let traffic = json!({"rate_bps": rate_bps, "bucket": bucket, "min_packet": 64, "max_packet": 1500});
    json!({"flowspec": {"service": "controlled-load", "traffic": traffic}})
}

/// The same with more.
fn paced_with(rate_bps: u64, bucket: u64, members: &Value) -> Value {
    let mut flow = paced(rate_bps, bucket);
    merge(&mut flow, members);
    flow
}

/// A flow that only has marks.
fn marked(members: &Value) -> Value {
    let mut flow = json!({"flowspec": {"service": "null", "traffic": {"rate_bps": 0}}});
    merge(&mut flow, members);
    flow
}

/// UDP to a port.
fn to_port(port: u16) -> Value {
    json!({"protocol": "udp", "destination": "10.0.2.2", "destination_port": port})
}

/// `a` - `r` - `b`, a daemon on `a`, its client, a capture behind `a`.
struct Bed {
    net: Net,
    capture: Capture,
    a: Client,
    /// What hears on `b`, by port: a port where nobody does has its packets answered, and the sender's next one fails.
    receivers: RefCell<BTreeMap<u16, UdpSocket>>,
}

impl Bed {
    fn new(test: &str, more: &str) -> Option<Self> {
        Some(Self::of(Net::three_in_a_row(test)?, &kernel("auto", more)))
    }

    /// The same of a network that is there, with a configuration.
    fn of(mut net: Net, config: &str) -> Self {
        net.daemon("a", config);
        let capture = net.capture_many("r", "to-a", "ip or ip6 or vlan");
        let (a, receivers) = (net.client("a"), RefCell::default());
        Self { net, capture, a, receivers }
    }

    /// Sends packets of 1,000 octets from a port to another.
    fn send(&self, source: u16, port: u16, count: usize) {
        let hears = || at(&self.net, "b", &format!("10.0.2.2:{port}"));
        self.receivers.borrow_mut().entry(port).or_insert_with(hears);
        let sender = from(&self.net, "a", &format!("10.0.1.1:{source}"), &format!("10.0.2.2:{port}"), 0);
        burst(&sender, 1_000, count);
    }

    /// All packets to a port, once there are so many.
    fn left(&self, port: u16, count: usize) -> Vec<Seen> {
        let all = || Some(seen(&self.capture, port)).filter(|packets| packets.len() >= count);
        let packets = eventually("the packets", all);
        assert_eq!(packets.len(), count, "{packets:?}");
        packets
    }

    /// A map of the daemon's egress program.
    fn map(&self, name: &str) -> MapData {
        let mut all = maps(&self.net, "a").into_iter();
        let is_it = |map: &MapData| map.info().is_ok_and(|info| info.name_as_str() == Some(name));
        all.find(is_it).expect("a map")
    }

    /// How many entries a map has that is looked up in.
    fn entries<const KEY: usize, const VALUE: usize>(&self, name: &str) -> usize {
        let map = Map::HashMap(self.map(name));
        let map: HashMap<MapData, [u8; KEY], [u8; VALUE]> = HashMap::try_from(map).expect("its sizes");
        map.keys().filter(Result::is_ok).count()
    }

    /// What the kernel has of filters, their masks, and rules: entries of each map.
    fn told_by(&self) -> [usize; 3] {
        [self.entries::<44, 4>("filters"), self.entries::<4, 644>("masks"), self.entries::<4, 512>("rules")]
    }

    /// How many flows the kernel has, whoever has made them.
    fn live(&self) -> usize {
        let map: Array<MapData, [u8; 48]> = Array::try_from(Map::Array(self.map("flows"))).expect("its size");
        map.iter().filter(|flow| flow.as_ref().is_ok_and(|flow| flow[LIVE] != 0)).count()
    }

    /// How many flows on the host's interface have classes of their own.
    fn own_classes(&self) -> usize {
        let all = classes(&self.net, "a", "to-r");
        all.iter().filter(|(number, _)| number.split(':').nth(1).is_some_and(|minor| minor.len() > 2)).count()
    }

    /// The DSCPs of the last packets to a port, of so many in all.
    fn dscps(&self, port: u16, before: usize, count: usize) -> Vec<u8> {
        self.left(port, before + count)[before..].iter().map(Seen::dscp).collect()
    }
}

/// IPv4 and IPv6 packets of a protocol in a capture: their DSCPs, and the first eight octets behind the IP header.
fn of_protocol(capture: &Capture, protocol: u8) -> Vec<(u8, Vec<u8>)> {
    let read = |frame: &[u8]| {
        let packet = frame.get(14..)?;
        let (dscp, found, header) = match packet.first()? >> 4 {
            4 => (packet[1] >> 2, packet[9], usize::from(packet[0] & 15) * 4),
            6 => ((packet[0] << 4 | packet[1] >> 4) >> 2, packet[6], 40),
            _ => return None,
        };
        (found == protocol).then(|| Some((dscp, packet.get(header..header + 8)?.to_vec())))?
    };
    frames(&capture.file).iter().filter_map(|(.., frame)| read(frame)).collect()
}
