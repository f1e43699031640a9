//! Reservations as the kernel has them: what is promised is delivered, policed and marked, and nothing is left behind. What the
//! daemon says of it is held against what `tc` and the kernel's maps say.

mod budget;
mod by_hand;
mod by_spi;
mod connection;
mod counted;
mod datagrams_sent;
mod delays;
mod ends;
mod enforced;
mod held;
mod held_back;
mod many;
mod on_the_wire;
mod outlived;
mod points;
mod policed;
mod refusals;
mod remarked;
pub(super) mod seen;
mod service;
mod shaped;
mod truth;

use super::client::Client;
use super::net::Net;
use aya::maps::{HashMap, Map, MapData, MapInfo};
use rsvpd::data_plane::tc::{Class, Tc};
use serde_json::{Value, json};

const SESSION: &str = "udp 10.0.2.2:5000";
const SENDER: &str = "10.0.1.1:4000";

/// The data plane in the kernel, by one of the ways to attach; refreshes so that nothing here happens by one.
fn kernel(attach: &str, more: &str) -> String {
    format!(
        "[data_plane]\nkind = \"kernel\"\nattach = \"{attach}\"\n[interfaces]\nbandwidth = \"100mbit\"\n{more}"
    )
}

/// The same, pinned below a folder.
fn pinned(pins: &std::path::Path, attach: &str, more: &str) -> String {
    let pins = format!("pins = \"{}\"\n[interfaces]\n", pins.display());
    kernel(attach, more).replacen("[interfaces]\n", &pins, 1)
}

/// What a request has beside its rate: bits per second, octets.
fn traffic(rate_bps: u64, bucket: u64) -> Value {
    json!({"rate_bps": rate_bps, "bucket": bucket, "min_packet": 64, "max_packet": 1500})
}

impl Client {
    /// Opens a session, and waits until there is a sender.
    fn hears(&mut self, session: &str) {
        self.ask(json!({"request": "open-session", "session": session})).expect("a session");
        self.event("path");
    }

    fn announce(&mut self, session: &str, sender: &str, traffic: &Value) {
        let request = json!({"request": "sender", "session": session, "sender": sender, "traffic": traffic});
        self.ask(request).expect("a sender");
    }

    fn ask_for(&mut self, session: &str, style: &str, filters: &[&str], flowspec: &Value) {
        let flows = json!([{"filters": filters, "flowspec": flowspec}]);
        let request = json!({"request": "reserve", "session": session, "style": style, "flows": flows,
                             "confirm": true});
        self.ask(request).expect("a reservation");
    }
}

fn controlled_load(rate_bps: u64, bucket: u64) -> Value {
    json!({"service": "controlled-load", "traffic": traffic(rate_bps, bucket)})
}

/// `a` - `r` - `b` with daemons, `a` announcing and `b` having reserved Controlled-Load.
fn reserved(test: &str, configs: [&str; 3], rate_bps: u64, bucket: u64) -> Option<(Net, [Client; 2])> {
    let mut net = Net::three_in_a_row(test)?;
    for (node, config) in ["a", "r", "b"].iter().zip(configs) {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(rate_bps, bucket));
    b.hears(SESSION);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(rate_bps, bucket));
    for node in ["a", "r"] {
        net.client(node).until("flows", 1);
    }
    Some((net, [a, b]))
}

/// What `tc` says of the classes of an interface: number, and the line about it.
fn classes(net: &Net, node: &str, interface: &str) -> Vec<(String, String)> {
    let said = net.exec(node, &["tc", "class", "show", "dev", interface]);
    let read =
        |line: &str| Some((line.strip_prefix("class htb ")?.split(' ').next()?.to_owned(), line.to_owned()));
    let mut classes: Vec<_> = said.lines().filter_map(read).collect();
    classes.sort();
    classes
}

/// What the kernel has of a class.
fn class_of(net: &Net, node: &str, interface: &str, minor: u16) -> Class {
    let index = net.index(node, interface);
    let all = net.within(node, || Tc::open().and_then(|mut tc| tc.classes(index)).expect("a listing"));
    all.into_iter().find(|class| class.handle.minor() == minor).expect("the class is there")
}

/// The keys of a daemon's egress program as the kernel has them, IPv4 alone: interface, destination, ports, flow.
pub(crate) fn keys(net: &Net, node: &str) -> Vec<(u32, [u8; 4], u16, u16, u32)> {
    let mut found: Vec<_> = maps(net, node).into_iter().flat_map(|map| read_keys(map, "keys_v4")).collect();
    found.sort_unstable();
    found
}

/// The maps that a daemon has open.
fn maps(net: &Net, node: &str) -> Vec<MapData> {
    let folder = format!("/proc/{}/fdinfo", net.pid(node));
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a process") {
        // A descriptor may be closed while this looks at it.
        let text = std::fs::read_to_string(entry.expect("readable").path()).unwrap_or_default();
        ids.extend(text.lines().filter_map(|line| line.strip_prefix("map_id:")?.trim().parse::<u32>().ok()));
    }
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| MapData::from_id(id).expect("a map of the kernel")).collect()
}

fn read_keys(map: MapData, name: &str) -> Vec<(u32, [u8; 4], u16, u16, u32)> {
    if map.info().ok().as_ref().and_then(MapInfo::name_as_str) != Some(name) {
        return Vec::new();
    }
    let map: HashMap<MapData, [u8; 24], u32> =
        HashMap::try_from(Map::HashMap(map)).expect("keys of 24 octets");
    let read = |(key, flow): ([u8; 24], u32)| {
        let interface = u32::from_ne_bytes([key[0], key[1], key[2], key[3]]);
        let port = |at: usize| u16::from_be_bytes([key[at], key[at + 1]]);
        (interface, [key[16], key[17], key[18], key[19]], port(6), port(8), flow)
    };
    map.iter().map(|entry| read(entry.expect("an entry"))).collect()
}

/// Holds what a daemon says of its flows against the kernel: classes of their own and no others, keys and no others, and the
/// rate of the class that Controlled-Load flows share. Gives the flows.
fn compared(net: &Net, node: &str) -> Vec<Value> {
    let flows = net.client(node).list("flows");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut interfaces: Vec<String> = flows.iter().map(|flow| text(&flow["interface"])).collect();
    interfaces.sort();
    interfaces.dedup();
    let mut expected = Vec::new();
    for interface in &interfaces {
        let here: Vec<&Value> = flows.iter().filter(|flow| flow["interface"] == interface.as_str()).collect();
        let standing = classes(net, node, interface);
        let is_own = |number: &str| number.split(':').nth(1).is_some_and(|minor| minor.len() > 2);
        let mut own: Vec<String> =
            here.iter().map(|flow| text(&flow["class"])).filter(|class| is_own(class)).collect();
        own.sort();
        let listed: Vec<String> =
            standing.iter().map(|(number, _)| number.clone()).filter(|number| is_own(number)).collect();
        assert_eq!(own, listed, "{node} {interface}: {standing:#?}");
        let shares = here.iter().filter(|flow| flow["class"] == "7276:3");
        let rate: u64 = shares.map(|flow| flow["rate_bps"].as_u64().expect("a rate") / 8).sum();
        let shared = class_of(net, node, interface, 3).htb.expect("a class of HTB");
        assert_eq!(shared.rate, rate.max(1), "{node} {interface}");
        let index = net.index(node, interface);
        expected.extend(here.iter().flat_map(|flow| {
            let filters = flow["filters"].as_array().expect("filters").len().max(1);
            std::iter::repeat_n(index, filters)
        }));
    }
    expected.sort_unstable();
    let known: Vec<u32> = keys(net, node).into_iter().map(|(interface, ..)| interface).collect();
    assert_eq!(known, expected, "{node}: keys and {flows:#?}");
    flows
}
