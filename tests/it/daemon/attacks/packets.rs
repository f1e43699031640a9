//! Messages as an attacker makes them, laid out by hand from the figures of RFC 2205 Appendix A and RFC 2210 section 3.

use std::net::Ipv4Addr;

/// The attacker's address, and where its traffic is to go: nobody is there. Or its accomplice, who has a link of its own.
pub(super) const ATTACKER: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 1);
pub(super) const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 77);
pub(super) const ACCOMPLICE: Ipv4Addr = Ipv4Addr::new(10, 0, 4, 1);

fn checksum(octets: &[u8]) -> [u8; 2] {
    let sum: u32 = octets.chunks(2).map(|c| u32::from(c[0]) << 8 | c.get(1).map_or(0, |&o| o.into())).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!(folded as u16)).to_be_bytes()
}

/// An object.
pub(super) fn object(class: u8, ctype: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).expect("an object");
    [&length.to_be_bytes()[..], &[class, ctype], body].concat()
}

fn session(to: Ipv4Addr, port: u16) -> Vec<u8> {
    object(1, 1, &[&to.octets()[..], &[17, 0], &port.to_be_bytes()].concat())
}

fn hop(address: Ipv4Addr, lih: u32) -> Vec<u8> {
    object(3, 1, &[address.octets(), lih.to_be_bytes()].concat())
}

/// SENDER_TEMPLATE (11) or FILTER_SPEC (10).
fn filter(class: u8, (address, port): (Ipv4Addr, u16)) -> Vec<u8> {
    object(class, 1, &[&address.octets()[..], &[0, 0], &port.to_be_bytes()].concat())
}

/// SENDER_TSPEC (12, service 1) or a FLOWSPEC of Controlled-Load (9, service 5), by their rate in octets a second.
pub(super) fn token_bucket(class: u8, service: u8, rate: f32) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 7, service, 0, 0, 6, 127, 0, 0, 5];
    for value in [rate, 1500.0, f32::INFINITY] {
        body.extend(value.to_be_bytes());
    }
    body.extend(64u32.to_be_bytes());
    body.extend(1500u32.to_be_bytes());
    object(class, 2, &body)
}

/// A message of these objects.
pub(super) fn message(kind: u8, objects: &[Vec<u8>]) -> Vec<u8> {
    let body = objects.concat();
    let length = u16::try_from(body.len() + 8).expect("a message").to_be_bytes();
    let mut octets = [&[0x10, kind, 0, 0, 64, 0], &length[..], &body].concat();
    let sum = checksum(&octets);
    octets[2..4].copy_from_slice(&sum);
    octets
}

/// A Path.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) to: Ipv4Addr,
    pub(super) port: u16,
    pub(super) sender: (Ipv4Addr, u16),
    pub(super) hop: Ipv4Addr,
    pub(super) lih: u32,
    pub(super) refresh_ms: u32,
    pub(super) more: Vec<Vec<u8>>,
}

impl Path {
    /// Of an attacker that forges nothing.
    pub(super) fn of_attacker() -> Self {
        let (sender, hop) = ((ATTACKER, 1000), ATTACKER);
        Self { to: NOBODY, port: 7000, sender, hop, lih: 5, refresh_ms: 30_000, more: Vec::new() }
    }

    /// To the accomplice, by a port.
    pub(super) fn to_accomplice(port: u16) -> Self {
        Self { to: ACCOMPLICE, port, ..Self::of_attacker() }
    }

    /// The message.
    pub(super) fn octets(&self) -> Vec<u8> {
        let refresh = object(5, 1, &self.refresh_ms.to_be_bytes());
        let mut objects = vec![session(self.to, self.port), hop(self.hop, self.lih), refresh];
        objects.extend(self.more.iter().cloned());
        objects.extend([filter(11, self.sender), token_bucket(12, 1, 10_000.0)]);
        message(1, &objects)
    }
}

/// A Path with Router Alert, from its sender's address, with its IPv4 header.
pub(super) fn alert(path: &Path) -> (Ipv4Addr, Vec<u8>) {
    packet(path.sender.0, path.to, true, &path.octets())
}

/// An IPv4 packet of protocol 46.
pub(super) fn packet(from: Ipv4Addr, to: Ipv4Addr, alert: bool, message: &[u8]) -> (Ipv4Addr, Vec<u8>) {
    let mut octets = vec![if alert { 0x46 } else { 0x45 }, 0xc0, 0, 0, 0, 0, 0, 0, 64, 46, 0, 0];
    octets.extend(from.octets());
    octets.extend(to.octets());
    if alert {
        octets.extend([148, 4, 0, 0]);
    }
    octets.extend(message);
    (to, octets)
}

/// A PathTear (5) or an FF ResvTear (6).
pub(super) fn tear(
    kind: u8,
    (to, port): (Ipv4Addr, u16),
    (address, lih): (Ipv4Addr, u32),
    sender: (Ipv4Addr, u16),
) -> Vec<u8> {
    let objects = [session(to, port), hop(address, lih)];
    let rest = match kind {
        5 => vec![filter(11, sender), token_bucket(12, 1, 10_000.0)],
        _ => vec![object(8, 1, &[0, 0, 0, 0x0a]), filter(10, sender)],
    };
    message(kind, &[&objects[..], &rest].concat())
}

/// A Resv of a next hop: objects of its own, its style (0x12 SE, 0x11 WF, 0x0a FF), and one flowspec of Controlled-Load for senders.
pub(super) fn resv(
    (to, port): (Ipv4Addr, u16),
    (address, lih): (Ipv4Addr, u32),
    more: &[Vec<u8>],
    style: u8,
    rate: f32,
    senders: &[(Ipv4Addr, u16)],
) -> Vec<u8> {
    let mut objects = vec![session(to, port), hop(address, lih), object(5, 1, &30_000u32.to_be_bytes())];
    objects.extend(more.iter().cloned());
    objects.extend([object(8, 1, &[0, 0, 0, style]), token_bucket(9, 5, rate)]);
    objects.extend(senders.iter().map(|sender| filter(10, *sender)));
    message(2, &objects)
}
