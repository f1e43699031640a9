//! Which conditions of nftables a packet of RSVP fulfils.

use core::fmt;
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer, in their order of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tri {
    No,
    /// It depends on what is not the same for all messages.
    Maybe,
    Yes,
}

impl Tri {
    const fn of(is_it: bool) -> Self {
        if is_it { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// A kind of packet: Path, PathTear and ResvConf have the Router Alert option, in IPv6 within a header of hop-by-hop options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) is_ipv6: bool,
    has_router_alert: bool,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has_router_alert { "Path by IPv" } else { "Resv by IPv" })?;
        f.write_str(if self.is_ipv6 { "6" } else { "4" })
    }
}

impl Packet {
    pub(super) const ALL: [Self; 4] = [
        Self { is_ipv6: false, has_router_alert: true },
        Self { is_ipv6: false, has_router_alert: false },
        Self { is_ipv6: true, has_router_alert: true },
        Self { is_ipv6: true, has_router_alert: false },
    ];

    /// Whether tables of a family see it.
    pub(super) fn passes(&self, family: &str) -> bool {
        match family {
            "ip" => !self.is_ipv6,
            "ip6" => self.is_ipv6,
            "inet" | "netdev" | "bridge" => true,
            _ => false,
        }
    }
}

/// What the left side of a condition is for a packet.
#[derive(Clone, Debug)]
enum Left {
    /// By the numbers and the names that stand for it.
    Known(&'static [u64], &'static [&'static str]),
    /// Whether there is such a thing; where there is, its value is not known.
    Exists(bool),
    /// It has none, and no condition about it is fulfilled.
    Absent,
    Unknown,
    /// Any but these, by name and number.
    Not(&'static [(&'static str, Option<u64>)]),
    Several(Vec<Self>),
}

const RSVP: Left = Left::Known(&[46], &["rsvp"]);

impl Left {
    fn of(packet: &Packet, said: &Value) -> Self {
        let Some((kind, of)) = said.as_object().and_then(|object| object.iter().next()) else {
            return Self::Unknown;
        };
        match kind.as_str() {
            "payload" => Self::payload(packet, of),
            "meta" => match of["key"].as_str().unwrap_or_default() {
                "l4proto" => RSVP,
                "nfproto" if packet.is_ipv6 => Self::Known(&[10], &["ipv6"]),
                "nfproto" => Self::Known(&[2], &["ipv4"]),
                // nft writes the number in the order of the network's octets, too.
                "protocol" if packet.is_ipv6 => Self::Known(&[0x86dd, 0xdd86], &["ip6"]),
                "protocol" => Self::Known(&[0x0800, 0x0008], &["ip"]),
                // No neighbour is there.
                "iif" | "iifname" | "oif" | "oifname" => Self::Not(&[("lo", None)]),
                _ => Self::Unknown,
            },
            // The first message belongs to no connection that the tracker knows, nor does it take one of this protocol for invalid.
            "ct" => match of["key"].as_str().unwrap_or_default() {
                "state" => Self::Not(&[("invalid", Some(1)), ("established", Some(2)), ("related", Some(4))]),
                "protocol" => RSVP,
                _ => Self::Unknown,
            },
            "ip option" if packet.is_ipv6 => Self::Absent,
            "ip option" => match (of["name"] == "ra" && packet.has_router_alert, of.get("field")) {
                (has, None) => Self::Exists(has),
                (true, Some(_)) => Self::Unknown,
                (false, Some(_)) => Self::Absent,
            },
            "exthdr" if !packet.is_ipv6 => Self::Absent,
            "exthdr" => match (of["name"] == "hbh" && packet.has_router_alert, of["field"].as_str()) {
                (has, None) => Self::Exists(has),
                (false, Some(_)) => Self::Absent,
                (true, Some("nexthdr")) => RSVP,
                (true, Some(_)) => Self::Unknown,
            },
            "tcp option" | "sctp chunk" | "dccp option" => Self::Absent,
            "&" => match of.get(0).map(|left| Self::of(packet, left)) {
                Some(Self::Absent) => Self::Absent,
                _ => Self::Unknown,
            },
            "concat" => {
                let several = of.as_array().into_iter().flatten().map(|left| Self::of(packet, left));
                Self::Several(several.collect())
            }
            _ => Self::Unknown,
        }
    }

    fn payload(packet: &Packet, of: &Value) -> Self {
        let [protocol, field] = ["protocol", "field"].map(|key| of[key].as_str().unwrap_or_default());
        match (protocol, field) {
            ("ip", _) if packet.is_ipv6 => Self::Absent,
            ("ip6", _) if !packet.is_ipv6 => Self::Absent,
            ("ip", "version") => Self::Known(&[4], &[]),
            ("ip6", "version") => Self::Known(&[6], &[]),
            ("ip", "protocol") => RSVP,
            ("ip6", "nexthdr") if packet.has_router_alert => {
                Self::Known(&[0], &["ip", "hopopt", "hop", "ipv6-hopopt"])
            }
            ("ip6", "nexthdr") => RSVP,
            (
                "tcp" | "udp" | "udplite" | "sctp" | "dccp" | "icmp" | "icmpv6" | "igmp" | "esp" | "ah"
                | "comp" | "gre" | "arp" | "vxlan" | "geneve" | "gretap",
                _,
            ) => Self::Absent,
            _ => Self::Unknown,
        }
    }

    /// Whether it is this.
    fn is(&self, right: &Value) -> Tri {
        let right = right.get("elem").map_or(right, |element| &element["val"]);
        if right == "*" {
            return Tri::Yes;
        }
        if let Some(range) = right["range"].as_array() {
            let bounds = (range.first().and_then(Value::as_u64), range.get(1).and_then(Value::as_u64));
            return match (self, bounds) {
                (Self::Known(values, _), (Some(least), Some(most))) => {
                    Tri::of(values.iter().any(|value| (least..=most).contains(value)))
                }
                (Self::Absent, _) => Tri::No,
                _ => Tri::Maybe,
            };
        }
        match self {
            Self::Absent => Tri::No,
            Self::Unknown => Tri::Maybe,
            Self::Exists(exists) => right.as_bool().map_or(Tri::Maybe, |meant| Tri::of(*exists == meant)),
            Self::Known(values, names) => match (right.as_u64(), right.as_str()) {
                (Some(number), _) => Tri::of(values.contains(&number)),
                (_, Some(name)) => Tri::of(names.contains(&name)),
                _ => Tri::Maybe,
            },
            Self::Not(others) => {
                let is_that = |(name, number): &(&str, Option<u64>)| {
                    right == name || number.is_some() && right.as_u64() == *number
                };
                if others.iter().any(is_that) { Tri::No } else { Tri::Maybe }
            }
            Self::Several(several) => {
                let parts = right["concat"].as_array().filter(|parts| parts.len() == several.len());
                parts.map_or(Tri::Maybe, |parts| {
                    several.iter().zip(parts).map(|(left, part)| left.is(part)).min().unwrap_or(Tri::Maybe)
                })
            }
        }
    }

    /// Whether it is not there, or a part of it is not.
    fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Several(several) => several.iter().any(Self::is_absent),
            _ => false,
        }
    }
}

/// The named sets and maps of a table, with their elements.
#[derive(Debug, Default)]
pub(super) struct Sets(BTreeMap<String, Vec<Value>>);

impl Sets {
    pub(super) fn insert(&mut self, name: String, elements: Vec<Value>) {
        self.0.insert(name, elements);
    }

    /// Whether a packet fulfils a `match`.
    pub(super) fn fulfils(&self, packet: &Packet, of: &Value) -> Tri {
        let left = Left::of(packet, &of["left"]);
        if left.is_absent() {
            return Tri::No;
        }
        let right = &of["right"];
        match of["op"].as_str().unwrap_or("==") {
            "==" | "in" => self.is_among(&left, right),
            "!=" => self.is_among(&left, right).not(),
            op => match (left, right.as_u64()) {
                (Left::Known([value, ..], _), Some(bound)) => match op {
                    "<" => Tri::of(*value < bound),
                    "<=" => Tri::of(*value <= bound),
                    ">" => Tri::of(*value > bound),
                    ">=" => Tri::of(*value >= bound),
                    _ => Tri::Maybe,
                },
                _ => Tri::Maybe,
            },
        }
    }

    /// The elements of a set; none of one that is not known.
    fn elements<'s>(&'s self, set: &'s Value) -> Option<Vec<&'s Value>> {
        if let Some(name) = set.as_str().and_then(|set| set.strip_prefix('@')) {
            return self.0.get(name).map(|elements| elements.iter().collect());
        }
        let several = set.get("set").or_else(|| Some(set).filter(|set| set.is_array()))?;
        Some(several.as_array().map_or_else(|| vec![several], |several| several.iter().collect()))
    }

    fn is_among(&self, left: &Left, right: &Value) -> Tri {
        match self.elements(right) {
            Some(elements) => elements.into_iter().map(|element| left.is(element)).max().unwrap_or(Tri::No),
            None if right.as_str().is_some_and(|name| name.starts_with('@')) => Tri::Maybe,
            None => left.is(right),
        }
    }

    /// What a map has for a packet, with whether it is that.
    pub(super) fn mapped(&self, packet: &Packet, key: &Value, data: &Value) -> Vec<(Tri, Value)> {
        let left = Left::of(packet, key);
        if left.is_absent() {
            return Vec::new();
        }
        let mut otherwise = None;
        let mut found = Vec::new();
        for element in self.elements(data).unwrap_or_default() {
            let [key, value] = [&element[0], &element[1]];
            if *key == "*" {
                otherwise = Some(value.clone());
                continue;
            }
            match left.is(key) {
                Tri::No => {}
                // No other one is it.
                Tri::Yes => return vec![(Tri::Yes, value.clone())],
                Tri::Maybe => found.push((Tri::Maybe, value.clone())),
            }
        }
        let is_it = if found.is_empty() { Tri::Yes } else { Tri::Maybe };
        found.extend(otherwise.map(|value| (is_it, value)));
        found
    }
}
