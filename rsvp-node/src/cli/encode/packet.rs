//! The layers below an encoded message: IP, with Router Alert if asked for, and UDP (RFC 2205 Appendix C).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use etherparse::{IpNumber, Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6Header, UdpHeader};
use serde_json::Value;

use crate::cli::packet::{RSVP, UDP_PORTS};

/// The Router Alert option of IPv4 (RFC 2113 2.1).
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// A hop-by-hop header with the Router Alert option of IPv6 for RSVP (RFC 2711 2.1), before RSVP.
const HOP_BY_HOP: [u8; 8] = [RSVP, 0, 5, 2, 0, 1, 1, 0];
/// The traffic class of network control, which RSVP is sent with.
const DSCP: u8 = 48;

/// What the JSON says of the packet around the message.
pub(super) struct Outer {
    pub(super) time: Option<Duration>,
    /// Whether the time is finer than microseconds.
    pub(super) fine: bool,
    addresses: Option<(IpAddr, IpAddr)>,
    ttl: Option<u8>,
    router_alert: bool,
    ports: Option<(u16, u16)>,
}

impl Outer {
    pub(super) fn read(json: &Value) -> Result<Self, String> {
        let text = |key: &str| match json.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| format!("{key}: {value} is no text")),
        };
        let address = |key: &str| {
            let parse =
                |text: &str| text.parse::<IpAddr>().map_err(|_| format!("{key}: `{text}` is no IP address"));
            text(key)?.map(parse).transpose()
        };
        let addresses = match (address("src")?, address("dst")?) {
            (Some(source), Some(destination)) if source.is_ipv4() == destination.is_ipv4() => {
                Some((source, destination))
            }
            (None, None) => None,
            (Some(_), Some(_)) => return Err("src and dst must both be IPv4 or both IPv6".into()),
            (None, _) => return Err("dst is there, but src is missing".into()),
            (_, None) => return Err("src is there, but dst is missing".into()),
        };
        let time = text("time")?.map(time).transpose()?;
        let ports =
            (number(json, "udp_src_port", u16::MAX.into())?, number(json, "udp_dst_port", u16::MAX.into())?);
        Ok(Self {
            time,
            fine: time.is_some_and(|time| time.subsec_nanos() % 1000 != 0)
                || text("time")?.is_some_and(|text| text.len() > "2026-11-21T09:51:03.364851Z".len()),
            addresses,
            ttl: number(json, "ttl", u8::MAX.into())?.map(|ttl| ttl as u8),
            router_alert: json.get("router_alert").and_then(Value::as_bool).unwrap_or(false),
            ports: match ports {
                (None, None) => None,
                (from, to) => Some((
                    from.map_or(UDP_PORTS[0], |port| port as u16),
                    to.map_or(UDP_PORTS[0], |port| port as u16),
                )),
            },
        })
    }

    /// The IP packet with the message.
    pub(super) fn packet(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let Some((source, destination)) = self.addresses else {
            return Err("src and dst are missing: a pcap file has IP packets; give both, or use --hex".into());
        };
        let datagram = match self.ports {
            Some(ports) => udp(ports, (source, destination), message)?,
            None => message.to_vec(),
        };
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.ipv4(source, destination, &datagram),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.ipv6(source, destination, &datagram),
            _ => Err("src and dst must both be IPv4 or both IPv6".into()),
        }
    }

    fn protocol(&self) -> IpNumber {
        if self.ports.is_some() { IpNumber::UDP } else { IpNumber(RSVP) }
    }

    fn ipv4(&self, source: Ipv4Addr, destination: Ipv4Addr, datagram: &[u8]) -> Result<Vec<u8>, String> {
        let mut header = Ipv4Header {
            dscp: etherparse::IpDscp::try_new(DSCP).unwrap_or_default(),
            time_to_live: self.ttl.unwrap_or(64),
            protocol: self.protocol(),
            source: source.octets(),
            destination: destination.octets(),
            dont_fragment: false,
            ..Ipv4Header::default()
        };
        if self.router_alert {
            header.options = Ipv4Options::from(ROUTER_ALERT);
        }
        header.set_payload_len(datagram.len()).map_err(|_| too_long(datagram))?;
        header.header_checksum = header.calc_header_checksum();
        Ok([&header.to_bytes(), datagram].concat())
    }

    fn ipv6(&self, source: Ipv6Addr, destination: Ipv6Addr, datagram: &[u8]) -> Result<Vec<u8>, String> {
        let mut options = HOP_BY_HOP;
        options[0] = self.protocol().0;
        let options: &[u8] = if self.router_alert { &options } else { &[] };
        let length = u16::try_from(options.len() + datagram.len()).map_err(|_| too_long(datagram))?;
        let header = Ipv6Header {
            traffic_class: DSCP << 2,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: length,
            next_header: if self.router_alert { IpNumber::IPV6_HEADER_HOP_BY_HOP } else { self.protocol() },
            hop_limit: self.ttl.unwrap_or(64),
            source: source.octets(),
            destination: destination.octets(),
        };
        Ok([&header.to_bytes(), options, datagram].concat())
    }
}

fn too_long(datagram: &[u8]) -> String {
    format!("{} octets do not fit an IP packet; messages are not fragmented here", datagram.len())
}

fn udp(ports: (u16, u16), addresses: (IpAddr, IpAddr), message: &[u8]) -> Result<Vec<u8>, String> {
    let (from, to) = ports;
    let header = match addresses {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            UdpHeader::without_ipv4_checksum(from, to, message.len()).map(|mut header| {
                let sum = header.calc_checksum_ipv4_raw(source.octets(), destination.octets(), message);
                header.checksum = sum.unwrap_or_default();
                header
            })
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            UdpHeader::without_ipv4_checksum(from, to, message.len()).map(|mut header| {
                let sum = header.calc_checksum_ipv6_raw(source.octets(), destination.octets(), message);
                header.checksum = sum.unwrap_or_default();
                header
            })
        }
        _ => return Err("src and dst must both be IPv4 or both IPv6".into()),
    };
    Ok([&header.map_err(|_| too_long(message))?.to_bytes(), message].concat())
}

fn number(json: &Value, key: &str, most: u64) -> Result<Option<u64>, String> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|number| *number <= most) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("{key}: {value} is no number from 0 to {most}")),
        },
    }
}

/// `2026-11-21T09:51:03.364851Z`, since 1970.
fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_rfc3339(text).ok();
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.ok_or_else(|| format!("time: `{text}` is not of the form 2026-11-21T09:51:03.364851Z"))
}
