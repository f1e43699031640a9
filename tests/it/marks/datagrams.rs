//! Marks of UDP: of the socket, and of one datagram.

use super::{Pair, WAYS, address, port, socket, tokio_udp};
use rsvp_client::{Dscp, mark, marked, send_marked};
use std::io::ErrorKind;

/// Datagrams of a socket and datagrams of their own, with and without a peer; the socket's ECN bits are in all.
#[test]
fn each_datagram_may_have_its_own_mark() {
    let Some(pair) = Pair::new("marks of UDP") else { return };
    for way in WAYS {
        let receiver = pair.on("b", || socket(socket2::Type::DGRAM, way.bind));
        let to = address(way.to, port(&receiver));
        pair.run("a", || async move {
            let own = socket(socket2::Type::DGRAM, way.client);
            // ECT(1), and CS7, which goes.
            own.set_tos_v4(0xe1).expect("IP_TOS");
            if way.client.contains("::") {
                own.set_tclass_v6(0xe1).expect("IPV6_TCLASS");
            }
            mark(&own, Dscp::AF21).expect("no privilege is needed");
            let own = tokio_udp(own);
            own.send_to(b"0001", to).await.expect("sent");
            send_marked(&own, b"0002", Some(to), Dscp::EF).await.expect("sent");
            own.send_to(b"0003", to).await.expect("sent");
            own.connect(to).await.expect("a peer");
            assert_eq!(send_marked(&own, b"0004", None, Dscp::LE).await.expect("sent"), 4);
            own.send(b"0005").await.expect("sent");
            assert_eq!(marked(&own).expect("it has one"), Dscp::AF21);
        });
        let of = |packets: &[super::Packet]| -> Vec<(u8, u8, u8)> {
            let to = packets.iter().filter(|packet| packet.destination == to.port());
            to.map(|packet| (packet.data[3] - b'0', packet.dscp(), packet.ecn())).collect()
        };
        let seen = pair.seen("five datagrams", |packets| of(packets).len() == 5);
        let expected = [(1, 18, 1), (2, 46, 1), (3, 18, 1), (4, 1, 1), (5, 18, 1)];
        assert_eq!(of(&seen), expected, "{way:?}");
    }
}

/// One socket of IPv6 speaks both families, and each datagram has its mark.
#[test]
fn one_socket_mixes_marks_and_families() {
    let Some(pair) = Pair::new("marks of both families") else { return };
    let receiver = pair.on("b", || socket(socket2::Type::DGRAM, "[::]:0"));
    let port = port(&receiver);
    let [v6, mapped, v4] = ["fd00:1::2", "::ffff:10.0.1.2", "10.0.1.2"].map(|to| address(to, port));
    pair.run("a", || async move {
        let own = socket(socket2::Type::DGRAM, "[::]:0");
        mark(&own, Dscp::CS3).expect("no privilege is needed");
        let own = tokio_udp(own);
        for (to, dscp) in [(v6, 46), (mapped, 34), (v4, 10), (v6, 8), (mapped, 1), (v4, 56)] {
            let dscp = Dscp::new(dscp).expect("below 64");
            send_marked(&own, b"data", Some(to), dscp).await.expect("sent");
        }
        for to in [v6, mapped] {
            own.send_to(b"data", to).await.expect("sent");
        }
    });
    let seen = pair.seen("eight datagrams", |packets| packets.len() == 8);
    // Datagrams of one family may wait for the neighbour's address while those of the other are on their way.
    let mut found: Vec<_> = seen.iter().map(|packet| (packet.version, packet.dscp())).collect();
    found.sort_unstable();
    assert_eq!(found, [(4, 1), (4, 10), (4, 24), (4, 34), (4, 56), (6, 8), (6, 24), (6, 46)]);
}

#[test]
fn what_has_no_mark_says_so() {
    let (one, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    for error in [mark(&one, Dscp::EF).expect_err("no mark"), marked(&one).expect_err("no mark")] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("IPv4 and IPv6"), "{error}");
    }
}
