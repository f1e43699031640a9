//! The rule that keeps the kernel from forwarding multicast RSVP packets a second time.
//!
//! Where a local receiver has joined a group, and for IPv6 always, the kernel delivers a multicast Path here *and*
//! forwards it; the next hop would then see one with our RSVP_HOP and one with the previous hop's. So protocol 46 to
//! multicast groups is dropped in nftables' forward hook; what the daemon sends itself does not pass there. Unicast is
//! deliberately left alone: Router Alert takes those packets away before the hook, and the rest is to be forwarded.
//!
//! The table is *owned* (`NFT_TABLE_F_OWNER`): the kernel removes it when the socket is closed, however the daemon ends.

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use std::io;

const TABLE: &[u8] = b"rsvpd\0";
const CHAIN: &[u8] = b"forward\0";

// linux/netfilter/nfnetlink.h and nf_tables.h.
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const FAMILY_INET: u8 = 1;
const TABLE_OWNED: u32 = 2;
const HOOK_FORWARD: u32 = 2;
const ACCEPT: u32 = 1;
const DROP: u32 = 0;
const NESTED: u16 = 0x8000;
/// Before other filters have their say.
const PRIORITY: i32 = -300;

const META_FAMILY: u32 = 15;
const META_PROTOCOL: u32 = 16;
const IPV4: u8 = 2;
const IPV6: u8 = 10;
const EQUAL: u32 = 0;
const LESS: u32 = 2;
const AT_LEAST: u32 = 5;

/// Stands as long as this value lives.
pub(super) struct Firewall {
    _socket: Socket,
}

impl Firewall {
    /// Installs the rules.
    pub(super) fn install() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        let batch = batch();
        socket.send(&batch.octets, 0)?;
        // The kernel has answered within the call: an error for what failed, or an acknowledgement of the last rule.
        let mut answers = Vec::with_capacity(16 * 1024);
        loop {
            answers.clear();
            socket.recv(&mut answers, libc::MSG_DONTWAIT)?;
            let word =
                |at: usize| answers.get(at..at + 4).and_then(|w| w.try_into().ok()).map(i32::from_ne_bytes);
            let error = word(16).ok_or_else(|| io::Error::other("a short answer of nf_tables"))?;
            if error != 0 {
                return Err(io::Error::from_raw_os_error(-error));
            }
            if word(8) == Some(batch.last) {
                return Ok(Self { _socket: socket });
            }
        }
    }
}

/// Netlink messages one after the other.
struct Batch {
    octets: Vec<u8>,
    last: i32,
}

impl Batch {
    fn message(&mut self, kind: u16, flags: u16, family: u8, attributes: &[u8]) {
        let length = (20 + attributes.len()) as u32;
        self.last += 1;
        self.octets.extend(length.to_ne_bytes());
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        self.octets.extend(self.last.to_ne_bytes());
        self.octets.extend(0u32.to_ne_bytes());
        // struct nfgenmsg: family, version, resource.
        self.octets.extend([family, 0]);
        self.octets.extend(if family == 0 { SUBSYSTEM.to_be_bytes() } else { [0, 0] });
        self.octets.extend(attributes);
    }
}

fn batch() -> Batch {
    let mut batch = Batch { octets: Vec::new(), last: 0 };
    batch.message(BATCH_BEGIN, 0, 0, &[]);
    let table = [attribute(1, TABLE), number(2, TABLE_OWNED)].concat();
    batch.message(NEW_TABLE, NLM_F_CREATE, FAMILY_INET, &table);
    let hook = [number(1, HOOK_FORWARD), attribute(2, &PRIORITY.to_be_bytes())].concat();
    let chain = [
        attribute(1, TABLE),
        attribute(3, CHAIN),
        attribute(4 | NESTED, &hook),
        number(5, ACCEPT),
        attribute(7, b"filter\0"),
    ];
    batch.message(NEW_CHAIN, NLM_F_CREATE, FAMILY_INET, &chain.concat());
    // 224.0.0.0/4 by the first octet of the destination, which the IPv4 header has at 16, and ff00::/8, at 24.
    let v4 = [compare_octet(16, AT_LEAST, 0xe0), compare_octet(16, LESS, 0xf0)].concat();
    batch.message(NEW_RULE, NLM_F_CREATE, FAMILY_INET, &rule(IPV4, &v4));
    let v6 = compare_octet(24, EQUAL, 0xff);
    batch.message(NEW_RULE, NLM_F_CREATE | NLM_F_ACK, FAMILY_INET, &rule(IPV6, &v6));
    let last = batch.last;
    batch.message(BATCH_END, 0, 0, &[]);
    Batch { last, ..batch }
}

/// Drops RSVP of a family to destinations that `is_multicast` matches.
fn rule(family: u8, is_multicast: &[u8]) -> Vec<u8> {
    let verdict = attribute(2 | NESTED, &number(1, DROP));
    let drop = expression(b"immediate\0", &[number(1, 0), attribute(2 | NESTED, &verdict)].concat());
    let is_rsvp = compare_meta(META_PROTOCOL, rsvp_wire::IP_PROTOCOL);
    let expressions = [&compare_meta(META_FAMILY, family), &is_rsvp, is_multicast, &drop].concat();
    [attribute(1, TABLE), attribute(2, CHAIN), attribute(4 | NESTED, &expressions)].concat()
}

fn compare_meta(key: u32, value: u8) -> Vec<u8> {
    let load = expression(b"meta\0", &[number(1, 1), number(2, key)].concat());
    [load, compare(EQUAL, value)].concat()
}

/// Compares an octet of the IP header.
fn compare_octet(at: u32, how: u32, value: u8) -> Vec<u8> {
    let load = [number(1, 1), number(2, 1), number(3, at), number(4, 1)].concat();
    [expression(b"payload\0", &load), compare(how, value)].concat()
}

/// Compares the first octet of register 1.
fn compare(how: u32, value: u8) -> Vec<u8> {
    let data = attribute(1, &[value]);
    expression(b"cmp\0", &[number(1, 1), number(2, how), attribute(3 | NESTED, &data)].concat())
}

fn expression(name: &[u8], data: &[u8]) -> Vec<u8> {
    attribute(1 | NESTED, &[attribute(1, name), attribute(2 | NESTED, data)].concat())
}

/// nf_tables' numbers are in network byte order.
fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(value.len() + 7);
    octets.extend(((value.len() + 4) as u16).to_ne_bytes());
    octets.extend(kind.to_ne_bytes());
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets
}
