//! Marks of programs that do not ask for any (C2, C7, C18): every packet of a connection, whoever closes it.

use super::super::plane::seen::seen;
use super::*;

#[test]
fn every_packet_of_curl_is_marked_and_the_servers_are_not() {
    let Some(mut site) = Site::new("policies_curl") else { return };
    let report = site.say("a", "web", &policy("web", &format!("app = \"{CURL}\""), "dscp = \"ef\""));
    assert_eq!(
        (report["policies"][0]["fault"].clone(), report["complaints"].clone()),
        (json!(null), json!([]))
    );
    site.serves(8086);
    let capture = site.captures();
    // HTTP/1.1: the client closes first, and has the last word.
    site.fetches(CURL, 8086, &[]);
    let packets = site.sent(&capture, 8086, 0);
    assert_eq!(dscps(&packets, 8086), [46], "{packets:#?}");
    let back: Vec<&Seen> = packets.iter().filter(|packet| packet.ports.0 == 8086).collect();
    assert!(!back.is_empty() && back.iter().all(|packet| packet.dscp() == 0), "{packets:#?}");
    assert!(packets.iter().any(|packet| packet.flags & 0x12 == 2 && packet.dscp() == 46), "the SYN");
}

#[test]
fn a_server_is_marked_from_its_first_answer_on_whoever_closes() {
    let Some(mut site) = Site::new("policies_server") else { return };
    site.start("b", "");
    let conditions = format!("app = \"{}\"", python().display());
    site.say("b", "web", &policy("web", &conditions, "dscp = \"af41\""));
    site.serves(8087);
    let capture = site.captures();
    site.fetches(CURL, 8087, &[]);
    // HTTP/1.0: the server closes first.
    let url = format!("http://{SERVER}:8087/hostname");
    site.net.exec("a", &[CURL, "-0", "-s", "-o", "/dev/null", &url]);
    let packets = eventually("both connections", || {
        let all = seen(&capture, 8087);
        let ends = all.iter().filter(|packet| packet.flags & 1 != 0).count();
        (ends >= 4 && all.last().is_some_and(|packet| packet.flags & 1 == 0)).then_some(all)
    });
    let back: Vec<&Seen> = packets.iter().filter(|packet| packet.ports.0 == 8087).collect();
    assert!(back.iter().any(|packet| packet.flags & 0x12 == 0x12), "its SYN-ACK");
    assert!(back.iter().all(|packet| packet.dscp() == 34), "{packets:#?}");
    assert_eq!(dscps(&packets, 8087), [0]);
}

#[test]
fn ports_protocols_prefixes_and_templates_are_told_apart() {
    let Some(mut site) = Site::new("policies_conditions") else { return };
    let text = [
        policy("range", "remote_port = \"6000:6002\", protocol = \"udp\"", "dscp = 10"),
        policy("from", "local_port = 6100", "dscp = 12"),
        policy("near", "remote = \"10.0.1.0/30\", remote_port = 6200", "dscp = 14"),
        policy("far", "remote = \"10.9.0.0/16\"", "dscp = 16"),
        policy("either", "port = 6300", "dscp = 18"),
        policy("files", "template = \"nfs\"", "dscp = 20"),
        policy("tcp", "protocol = \"tcp\", remote_port = 6400", "dscp = 22"),
        policy("rest", "template = \"default\"", "dscp = 8"),
    ]
    .concat();
    let report = site.say("a", "all", &text);
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    let capture = site.net.capture_many("b", "to-a", "udp");
    let cases: [(u16, u16, u8); 10] = [
        (4000, 5999, 8),
        (4001, 6000, 10),
        (4002, 6002, 10),
        (4003, 6003, 8),
        (6100, 7000, 12),
        (4004, 6200, 14),
        (6300, 7001, 18),
        (4005, 6300, 18),
        (4006, 2049, 20),
        (4007, 6400, 8),
    ];
    for (from, to, expected) in cases {
        sends(&site.net, &format!("10.0.1.1:{from}"), &format!("{SERVER}:{to}"));
        assert_eq!(datagram(&capture, from, to, 1), expected, "{from} to {to}");
    }
}

#[test]
fn a_priority_is_in_the_tag_and_an_unconnected_socket_is_told_apart_by_its_peers() {
    let Some(mut site) = Site::new("policies_priority") else { return };
    let text = [
        policy("one", "remote_port = 6500", "dscp = 46, pcp = 5"),
        policy("other", "remote_port = 6501", "dscp = 10"),
    ];
    site.say("a", "all", &text.concat());
    let capture = site.net.capture_many("b", "to-a", "udp or vlan");
    let socket = sends(&site.net, "10.0.1.1:4100", &format!("{SERVER}:6500"));
    for to in [6501, 6500, 6502] {
        socket.send_to(b"again", (SERVER, to)).expect("sent");
    }
    let found = eventually("four datagrams", || {
        let all: Vec<Seen> = seen(&capture, 4100);
        (all.len() == 4).then_some(all)
    });
    let marks: Vec<_> = found.iter().map(|packet| (packet.ports.1, packet.dscp(), packet.tag)).collect();
    let tagged = Some((0, 5));
    assert_eq!(marks, [(6500, 46, tagged), (6501, 10, None), (6500, 46, tagged), (6502, 0, None)]);
}

/// Frames of Fibre Channel over Ethernet have no socket: a program sends them as they are.
#[test]
fn frames_of_fcoe_have_the_priority_of_their_own_policy() {
    let Some(mut site) = Site::new("policies_frames") else { return };
    let capture = site.net.capture_many(
        "b",
        "to-a",
        "ether proto 0x8906 or ether proto 0x8914 or ether proto 0x88b5 or vlan",
    );
    let send = "import socket\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\ns.bind(('to-b', 0))\n\
                for kind in (0x8906, 0x8914, 0x88b5):\n    s.send(b'\\xff' * 6 + b'\\x02' + b'\\0' * 5 + kind.to_bytes(2, 'big') + b'.' * 50)";
    let mut sent = 0;
    let mut tags = |site: &Site| {
        site.net.exec("a", &["python3", "-c", send]);
        sent += 3;
        let found = eventually("the frames", || {
            let all = super::super::capture::frames(&capture.file);
            (all.len() >= sent).then_some(all)
        });
        // The type behind the tag, and the priority in it.
        let read = |(_, _, frame): &(u32, u32, Vec<u8>)| match &frame[12..18] {
            [0x81, 0, tag, _, high, low] => (u16::from_be_bytes([*high, *low]), Some(tag >> 5)),
            other => (u16::from_be_bytes([other[0], other[1]]), None),
        };
        found[sent - 3..].iter().map(read).collect::<Vec<_>>()
    };
    let other = [(0x8906, None), (0x8914, None), (0x88b5, None)];
    site.say("a", "all", &policy("all", "", "dscp = 8, pcp = 1"));
    assert_eq!(tags(&site), other, "what is for packets of sockets is not for frames");
    let text = [
        policy("all", "", "dscp = 8, pcp = 1"),
        policy("storage", "template = \"fcoe\"", "pcp = 3"),
        policy("weaker", "template = \"fcoe\"", "pcp = 4"),
    ];
    let report = site.say("a", "all", &text.concat());
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    assert_eq!(tags(&site), [(0x8906, Some(3)), (0x8914, Some(3)), (0x88b5, None)]);
    let report = site.refreshed("a");
    let of = |name: &str| {
        let rows = report["policies"].as_array().expect("policies");
        let row = rows.iter().find(|row| row["name"] == name).expect("it is there");
        (row["packets"].as_u64(), row["octets"].as_u64())
    };
    assert_eq!((of("storage"), of("weaker")), ((Some(2), Some(100)), (Some(0), Some(0))));
}

#[test]
fn the_packet_around_another_has_its_mark_and_is_not_counted_again() {
    let Some(mut site) = Site::new("policies_around") else { return };
    for (node, own, other) in [("a", 1, 2), ("b", 2, 1)] {
        let peer = if node == "a" { "b" } else { "a" };
        let ends = format!("local 10.0.1.{own} remote 10.0.1.{other} dev to-{peer} dstport 4789");
        site.net.ip(node, &format!("link add name around type vxlan id 5 {ends}"));
        site.net.ip(node, &format!("addr add 10.77.0.{own}/24 dev around"));
        site.net.ip(node, "link set around up");
    }
    site.say("a", "inner", &policy("inner", "remote = \"10.77.0.2\"", "dscp = 46"));
    let capture = site.net.capture_many("b", "to-a", "udp port 4789");
    // Each by a socket of its own: what is decided before the daemon knows the interface stays.
    let mut sockets = Vec::new();
    eventually("a mark outside", || {
        sockets.push(sends(&site.net, "10.77.0.1:0", "10.77.0.2:9"));
        seen(&capture, 4789).iter().any(|packet| packet.dscp() == 46).then_some(())
    });
    let report = site.refreshed("a");
    let counted = report["policies"][0]["packets"].as_u64().expect("a number");
    assert!((1..=sockets.len() as u64).contains(&counted), "{counted} of {}", sockets.len());
}
