//! What the JSON of a message says of the layers below it.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use rsvp_capture::write::Headers;
use rsvp_wire::{E2E_IGNORE_PROTOCOL, IP_PROTOCOL, UDP_PORTS};

/// What the JSON says of the packet around the message.
pub(super) struct Outer {
    pub(super) time: Option<Duration>,
    /// Whether the time is finer than microseconds.
    pub(super) fine: bool,
    addresses: Option<(IpAddr, IpAddr)>,
    ttl: Option<u8>,
    router_alert: bool,
    ports: Option<(u16, u16)>,
    e2e_ignore: bool,
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
            e2e_ignore: match number(json, "ip_protocol", u8::MAX.into())? {
                None => false,
                Some(protocol) if protocol == u64::from(IP_PROTOCOL) => false,
                Some(protocol) if protocol == u64::from(E2E_IGNORE_PROTOCOL) => true,
                Some(other) => {
                    return Err(format!("ip_protocol: {other} does not carry RSVP; 46 and 134 do"));
                }
            },
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
        let around = Headers {
            source,
            destination,
            ttl: self.ttl.unwrap_or(64),
            router_alert: self.router_alert,
            identification: 0,
            ports: self.ports,
            e2e_ignore: self.e2e_ignore,
        };
        around.packet(message).map_err(|error| error.to_string())
    }
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
