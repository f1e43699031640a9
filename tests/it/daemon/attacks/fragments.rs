//! Fragments of IPv6 messages that Router Alert diverts, which the daemon itself puts together.

use super::{CONFIG, Ground};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::net::{Ipv6Addr, SocketAddrV6};

/// Honest messages in fragments, and those of strangers that never become whole.
const HONEST: u16 = 40;
const STRANGERS: u32 = 200;

/// A fragment of an IPv6 packet with Router Alert: the hop-by-hop header (RFC 2711) before the fragment header (RFC 8200 section 4.5).
fn fragment(source: Ipv6Addr, to: Ipv6Addr, id: u32, at: usize, is_last: bool, piece: &[u8]) -> Vec<u8> {
    let offset = u16::try_from(at).expect("it fits") | u16::from(!is_last);
    let length = u16::try_from(16 + piece.len()).expect("a packet");
    let mut octets = vec![0x60, 0, 0, 0];
    octets.extend(length.to_be_bytes());
    octets.extend([0, 64]);
    octets.extend(source.octets());
    octets.extend(to.octets());
    octets.extend([44, 0, 5, 2, 0, 1, 1, 0]);
    octets.extend([46, 0]);
    octets.extend(offset.to_be_bytes());
    octets.extend(id.to_be_bytes());
    octets.extend(piece);
    octets
}

/// A Path of IPv6 (RFC 2205 Appendix A), from a node to a port of the other host.
fn path(source: Ipv6Addr, to: Ipv6Addr, port: u16) -> Vec<u8> {
    use super::packets::{message, object, token_bucket};
    let session = [&to.octets()[..], &[17, 0], &port.to_be_bytes()].concat();
    let hop = [&source.octets()[..], &5u32.to_be_bytes()].concat();
    let template = [&source.octets()[..], &[0, 0], &4000u16.to_be_bytes()].concat();
    message(
        1,
        &[
            object(1, 2, &session),
            object(3, 2, &hop),
            object(5, 1, &30_000u32.to_be_bytes()),
            object(11, 2, &template),
            token_bucket(12, 1, 10_000.0),
        ],
    )
}

#[test]
fn fragments_of_strangers_do_not_starve_those_of_another_interface() {
    let Some(mut ground) = Ground::new("fragments of strangers") else { return };
    ground.net.daemon("r", CONFIG);
    let mut r = ground.net.client("r");
    let raw = |node| {
        ground.net.within(node, || {
            // The header is in what is sent (raw(7), IPPROTO_RAW).
            Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::from(255))).expect("a raw socket")
        })
    };
    let to: Ipv6Addr = "fd00:2::2".parse().expect("an address");
    let send = |socket: &Socket, octets: &[u8]| {
        let to = SockAddr::from(SocketAddrV6::new(to, 0, 0, 0));
        socket.send_to(octets, &to).expect("it is sent");
    };
    let (honest, strangers) = (raw("a"), raw("x"));
    let own: Ipv6Addr = "fd00:1::1".parse().expect("an address");
    let other: Ipv6Addr = "fd00:3::1".parse().expect("an address");
    let whole: Vec<Vec<u8>> = (0..HONEST).map(|n| path(own, to, 5000 + n)).collect();
    for (n, message) in (0..).zip(&whole) {
        send(&honest, &fragment(own, to, n, 0, false, &message[..64]));
    }
    let first = path(other, to, 9);
    for n in 0..STRANGERS {
        send(&strangers, &fragment(other, to, n, 0, false, &first[..64]));
    }
    // The router has them all before the rest comes.
    super::eventually("all first fragments", || {
        let counters = r.ask(serde_json::json!({"request": "list", "what": "counters"})).expect("counters");
        let waiting = counters["counters"]["driver"]["fragments-waiting"].as_u64().expect("a counter");
        (waiting >= u64::from(HONEST) + u64::from(STRANGERS)).then_some(())
    });
    for (n, message) in (0..).zip(&whole) {
        send(&honest, &fragment(own, to, n, 64, true, &message[64..]));
    }
    r.until("senders", HONEST.into());
}
