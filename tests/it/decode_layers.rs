//! What carries RSVP: capture formats, link layers, IP options and extension headers, fragments, encapsulations.
//!
//! Frames are laid out by hand from their specifications; around the same Hello message each time.

use crate::decode::{decode, json};

/// A Hello of 20 octets (RFC 3209 5), without a checksum.
pub(crate) const MESSAGE: [u8; 20] = [0x10, 20, 0, 0, 1, 0, 0, 20, 0, 12, 22, 1, 1, 2, 3, 4, 5, 6, 7, 8];
/// RFC 2113: copied, option 20, 4 octets, examine the packet.
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2 (RFC 791 3.1).
pub(crate) fn ipv4(protocol: u8, fragment: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let total = ((header + payload.len()) as u16).to_be_bytes();
    let fragment = fragment.to_be_bytes();
    let fixed = [
        0x40 | (header / 4) as u8,
        0xc0,
        total[0],
        total[1],
        0,
        7,
        fragment[0],
        fragment[1],
        9,
        protocol,
        0,
        0,
    ];
    [&fixed[..], &[10, 0, 0, 1, 10, 0, 0, 2], options, payload].concat()
}

/// An IPv6 packet from fd00::1 to fd00::2 (RFC 8200 3).
pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    [&[0x60, 0, 0, 0, length[0], length[1], next, 9][..], &address(1), &address(2), payload].concat()
}

pub(crate) fn rsvp() -> Vec<u8> {
    ipv4(46, 0, &ROUTER_ALERT, &MESSAGE)
}

/// A little-endian pcap file with microseconds; frames a second apart.
pub(crate) fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, link].map(u32::to_le_bytes).concat();
    for (second, frame) in frames.iter().enumerate() {
        let length = frame.len() as u32;
        file.extend([second as u32, 250, length, length].map(u32::to_le_bytes).concat());
        file.extend(frame);
    }
    file
}

/// The one message in frames of a link type.
#[track_caller]
pub(crate) fn one(link: u32, frames: &[Vec<u8>]) -> serde_json::Value {
    let mut found = json(&[], &pcap(link, frames));
    assert_eq!(found.len(), 1, "{found:?}");
    let found = found.remove(0);
    assert_eq!(
        (&found["message"], &found["length"], found.get("error")),
        (&"Hello".into(), &20.into(), None),
        "{found}"
    );
    assert_eq!(found["objects"][0]["src_instance"], 0x0102_0304, "{found}");
    found
}

#[test]
fn link_layers() {
    let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let ethernet = |rest: &[u8]| [&addresses[..], rest, &rsvp()].concat();
    let label = |label: u32, bottom: u32| (label << 12 | bottom << 8 | 64).to_be_bytes();
    let cooked = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0][..], &rsvp()].concat();
    let cooked_2 = [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &rsvp()].concat();
    for (what, link, frame) in [
        ("Ethernet", 1, ethernet(&[8, 0])),
        ("Ethernet with padding", 1, [ethernet(&[8, 0]), vec![0; 6]].concat()),
        ("VLAN", 1, ethernet(&[0x81, 0, 0, 5, 8, 0])),
        ("stacked VLAN", 1, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0])),
        ("MPLS", 1, ethernet(&[&[0x88, 0x47][..], &label(17, 0), &label(18, 1)].concat())),
        ("VLAN and MPLS", 1, ethernet(&[&[0x81, 0, 0, 5, 0x88, 0x47][..], &label(1, 1)].concat())),
        ("raw IP", 101, rsvp()),
        ("raw IP, another number", 12, rsvp()),
        ("IPv4", 228, rsvp()),
        ("Linux cooked", 113, cooked),
        ("Linux cooked v2", 276, cooked_2),
        ("BSD loopback, little-endian", 0, [&[2, 0, 0, 0][..], &rsvp()].concat()),
        ("BSD loopback, big-endian", 0, [&[0, 0, 0, 2][..], &rsvp()].concat()),
        ("OpenBSD loopback", 108, [&[0, 0, 0, 2][..], &rsvp()].concat()),
        ("PPP", 9, [&[0xff, 3, 0, 0x21][..], &rsvp()].concat()),
        ("Cisco HDLC", 104, [&[0x0f, 0, 8, 0][..], &rsvp()].concat()),
    ] {
        println!("{what}");
        let found = one(link, &[frame]);
        assert_eq!((&found["src"], &found["router_alert"]), (&"10.0.0.1".into(), &true.into()), "{what}");
    }
    let other = decode(&[], &pcap(147, &[rsvp()]));
    assert!(other.errors.contains("frames of link type 147 are not looked into"), "{}", other.errors);
}

#[test]
fn ip_options_and_extension_headers() {
    let alert = |options: &[u8]| one(101, &[ipv4(46, 0, options, &MESSAGE)])["router_alert"] == true;
    assert!(!alert(&[]));
    assert!(alert(&ROUTER_ALERT));
    // After no-operation and a record route of 7 octets; and not after an end of options, nor after a broken length.
    assert!(alert(&[1, 7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0]));
    assert!(!alert(&[0, 0, 0, 0, 0x94, 4, 0, 0]));
    assert!(!alert(&[7, 99, 0, 0]));

    let six = |next: u8, headers: &[u8]| one(101, &[ipv6(next, &[headers, &MESSAGE].concat())]);
    assert_eq!(six(46, &[])["src"], "fd00::1");
    // RFC 2711: hop-by-hop option 5, then padding; after a destination option header, after a routing header.
    let hop_by_hop = |next| [next, 0, 5, 2, 0, 1, 1, 0];
    assert_eq!(six(0, &hop_by_hop(46))["router_alert"], true);
    assert_eq!(six(0, &[46, 0, 1, 4, 0, 0, 0, 0])["router_alert"], false);
    let destination = [43, 0, 1, 4, 0, 0, 0, 0];
    let routing = [46, 2, 0, 1, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
    let found = six(0, &[&hop_by_hop(60)[..], &destination, &routing].concat());
    assert_eq!((&found["router_alert"], &found["ttl"]), (&true.into(), &9.into()));
    // RFC 6946: a fragment header before a datagram that is whole; RFC 4302: an authentication header.
    six(44, &[46, 0, 0, 0, 0, 0, 0, 1]);
    six(51, &[46, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn encapsulations() {
    let udp = |from: u16, to: u16| {
        let length = (8 + MESSAGE.len()) as u16;
        [&[from, to, length, 0].map(u16::to_be_bytes).concat()[..], &MESSAGE].concat()
    };
    let found = one(101, &[ipv4(17, 0, &[], &udp(40_000, 1699))]);
    assert_eq!((&found["udp_src_port"], &found["udp_dst_port"]), (&40_000.into(), &1699.into()));
    one(101, &[ipv6(17, &udp(1698, 1698))]);
    assert!(json(&[], &pcap(101, &[ipv4(17, 0, &[], &udp(1698, 1700))])).is_empty());

    // RFC 2784 and RFC 2890: plain, with checksum, key and sequence number, and MPLS in it.
    for header in [
        &[0, 0, 8, 0][..],
        &[0x80, 0, 8, 0, 1, 2, 0, 0],
        &[0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1],
        &[0, 0, 0x88, 0x47, 0, 1, 0x11, 64],
    ] {
        let found = one(101, &[ipv6(47, &[header, &rsvp()].concat())]);
        assert_eq!(found["src"], "10.0.0.1");
    }
    one(101, &[ipv4(4, 0, &[], &rsvp())]);
    one(101, &[ipv4(41, 0, &[], &ipv6(46, &MESSAGE))]);
    // Deeper than anybody nests.
    let deep = (0..40).fold(rsvp(), |inner, _| ipv4(4, 0, &[], &inner));
    assert!(json(&[], &pcap(101, &[deep])).is_empty());
}

/// A message of 8 + 4 * words octets with objects of class 0.
fn long(objects: usize) -> Vec<u8> {
    let length = ((8 + 8 * objects) as u16).to_be_bytes();
    let header = [0x10, 1, 0, 0, 1, 0, length[0], length[1]];
    let object = |number: usize| [0, 8, 0, 0, 0, 0, (number >> 8) as u8, number as u8];
    header.into_iter().chain((0..objects).flat_map(object)).collect()
}

const MORE: u16 = 0x2000;

fn pieces(message: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = message.len().div_ceil(size) - 1;
    let piece = |(number, octets): (usize, &[u8])| {
        let more = if number < last { MORE } else { 0 };
        ipv4(46, more | (number * size / 8) as u16, &ROUTER_ALERT, octets)
    };
    message.chunks(size).enumerate().map(piece).collect()
}

#[test]
fn fragments_are_reassembled() {
    let message = long(300);
    let ordered = pieces(&message, 800);
    let mut reversed = ordered.clone();
    reversed.reverse();
    let mut twice = ordered.clone();
    twice.insert(1, ordered[0].clone());
    for frames in [&ordered, &reversed, &twice] {
        let found = json(&[], &pcap(101, frames));
        assert_eq!(found.len(), 1);
        let found = &found[0];
        assert_eq!((&found["frame"], found.get("error")), (&frames.len().into(), None));
        assert_eq!(found["objects"].as_array().map(Vec::len), Some(300));
        assert_eq!(found["router_alert"], true);
    }
    let tree = decode(&["-v"], &pcap(101, &ordered)).output;
    assert!(tree.contains("from 4 fragments"), "{}", tree.lines().next().unwrap_or_default());

    // IPv6, with other packets between.
    let header = |offset: u16, more: u16| [46, 0, (offset >> 8) as u8, (offset | more) as u8, 0, 0, 0, 7];
    let first = ipv6(44, &[&header(0, 1), &message[..1200]].concat());
    let second = ipv6(44, &[&header(1200, 0), &message[1200..]].concat());
    let found = json(&[], &pcap(101, &[second, rsvp(), first]));
    assert_eq!((found[0]["frame"].as_u64(), found[1]["frame"].as_u64()), (Some(2), Some(3)));
    assert_eq!(found[1]["objects"].as_array().map(Vec::len), Some(300));
}

#[test]
fn incomplete_datagrams_are_shown_as_far_as_they_go() {
    let message = long(300);
    let mut frames = pieces(&message, 800);
    frames.remove(2);
    let ran = decode(&["--json"], &pcap(101, &frames));
    let found: serde_json::Value = serde_json::from_str(ran.output.trim()).expect("one message");
    assert_eq!(
        (&found["truncated"], &found["error"]["offset"]),
        (&true.into(), &1600.into()),
        "{}",
        found["error"]
    );
    assert_eq!(found["objects"].as_array().map(Vec::len), Some(199));
    assert!(ran.errors.contains("1 fragmented datagrams are incomplete"), "{}", ran.errors);

    // Fragments that overlap contradict each other: nothing of them is believed but what came before.
    let overlap = ipv4(46, MORE | 50, &[], &message[400..1200]);
    let found = json(&[], &pcap(101, &[pieces(&message, 800)[0].clone(), overlap]));
    assert_eq!((found.len(), &found[0]["truncated"]), (1, &true.into()));
    // One that would go past the largest datagram.
    assert!(json(&[], &pcap(101, &[ipv4(46, 0x1fff, &[], &message[..800])])).is_empty());
}

#[test]
fn the_store_of_fragments_is_bounded() {
    // Two thousand datagrams of which only the first fragment comes, each with a place of its own, then a whole one.
    let message = long(300);
    let mut frames: Vec<_> = (0..2000u16)
        .map(|number| {
            let mut first = pieces(&message, 800)[0].clone();
            first[4..6].copy_from_slice(&(1000 + number).to_be_bytes());
            first
        })
        .collect();
    frames.extend(pieces(&message, 800));
    let stats = decode(&["--stats"], &pcap(101, &frames)).output;
    assert!(stats.starts_with("2001 messages in 2004 frames, 2000 malformed"), "{stats}");
    assert!(stats.contains("2004 fragments: 1 datagrams reassembled, 2000 incomplete"), "{stats}");
}

#[test]
fn pcap_in_either_order_and_resolution() {
    let frame = rsvp();
    let length = frame.len() as u32;
    let file = |magic: u32, fraction: u32, bytes: fn(u32) -> [u8; 4]| {
        let version = if bytes(1) == 1u32.to_be_bytes() { 0x0002_0004 } else { 0x0004_0002 };
        let words = [magic, version, 0, 0, 65_535, 101, 1_795_254_663, fraction, length, length];
        [&words.map(bytes).concat()[..], &frame].concat()
    };
    for (file, time) in [
        (file(0xa1b2_c3d4, 364_851, u32::to_le_bytes), "2026-11-21T09:51:03.364851Z"),
        (file(0xa1b2_c3d4, 364_851, u32::to_be_bytes), "2026-11-21T09:51:03.364851Z"),
        (file(0xa1b2_3c4d, 364_851_009, u32::to_le_bytes), "2026-11-21T09:51:03.364851009Z"),
        (file(0xa1b2_3c4d, 364_851_009, u32::to_be_bytes), "2026-11-21T09:51:03.364851009Z"),
    ] {
        let found = json(&[], &file);
        assert_eq!((found.len(), &found[0]["time"]), (1, &time.into()));
    }
}

/// A pcapng block (its specification's section 3.1) in some byte order.
pub(crate) fn block(bytes: fn(u32) -> [u8; 4], kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().wrapping_neg() % 4];
    let length = bytes((12 + body.len() + padding.len()) as u32);
    [&bytes(kind)[..], &length, body, &padding, &length].concat()
}

#[test]
fn pcapng() {
    for bytes in [u32::to_le_bytes as fn(u32) -> [u8; 4], u32::to_be_bytes] {
        let big = bytes(1) == 1u32.to_be_bytes();
        let half = move |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let section =
            block(bytes, 0x0a0d_0d0a, &[&bytes(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat());
        // An interface: link type, reserved, snapshot length, and the option if_tsresol (9).
        let interface = |link, resolution: &[u8]| {
            let options = match resolution {
                [] => Vec::new(),
                resolution => [&half(9)[..], &half(1), resolution, &[0; 3], &half(0), &half(0)].concat(),
            };
            block(bytes, 1, &[&half(link)[..], &half(0), &bytes(0), &options].concat())
        };
        let packet = |interface, time: u64, frame: &[u8]| {
            let head = [interface, (time >> 32) as u32, time as u32, frame.len() as u32, frame.len() as u32];
            block(bytes, 6, &[&head.map(bytes).concat()[..], frame].concat())
        };
        let ethernet = [&[0; 12][..], &[8, 0], &rsvp()].concat();
        let simple = block(bytes, 3, &[&bytes(rsvp().len() as u32)[..], &rsvp()].concat());
        let second = 1_795_254_663_u64;
        let file = [
            section.clone(),
            interface(101, &[]),
            interface(1, &[9]),
            interface(101, &[0x80 | 10]),
            block(bytes, 5, &[0; 12]),
            packet(0, second * 1_000_000 + 364_851, &rsvp()),
            packet(1, second * 1_000_000_000 + 364_851_009, &ethernet),
            packet(2, (second << 10) + 512, &rsvp()),
            // After the year 9999, which no form of ours has.
            packet(0, u64::MAX, &rsvp()),
            simple,
            // A new section starts the interfaces anew.
            section,
            interface(1, &[]),
            packet(0, second * 1_000_000, &ethernet),
        ]
        .concat();
        let found = json(&[], &file);
        let times: Vec<_> = found.iter().map(|message| message["time"].as_str().unwrap_or("none")).collect();
        let expected = [
            "2026-11-21T09:51:03.364851Z",
            "2026-11-21T09:51:03.364851009Z",
            "2026-11-21T09:51:03.500000Z",
            "none",
            "none",
            "2026-11-21T09:51:03.000000Z",
        ];
        assert_eq!(times, expected);
    }
}

#[test]
fn damaged_captures_are_shown_as_far_as_they_go() {
    let file = pcap(101, &[rsvp(), rsvp()]);
    let cut = decode(&[], &file[..file.len() - 3]);
    assert_eq!((cut.status, cut.output.lines().count()), (2, 1));
    assert!(cut.errors.contains("in the middle of a frame, at octet 141"), "{}", cut.errors);

    let mut long = file.clone();
    long[24 + 8..24 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let long = decode(&[], &long);
    assert_eq!(long.status, 2);
    assert!(long.errors.contains("damaged at octet 24: a frame of 4294967311 octets"), "{}", long.errors);

    let le = u32::to_le_bytes;
    let mut file = block(le, 0x0a0d_0d0a, &[&le(0x1a2b_3c4d)[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    file.extend(block(le, 6, &[0; 24]));
    let unknown = decode(&[], &file);
    assert!(unknown.errors.contains("damaged at octet 28: a frame of an interface"), "{}", unknown.errors);
}

#[test]
fn frames_that_were_cut_off() {
    // 12 octets of the message were captured.
    let frame = rsvp()[..36].to_vec();
    let ran = decode(&[], &pcap(101, &[frame]));
    assert!(
        ran.output
            .contains("Hello [not all of it was captured] [malformed at octet 12: the message ends early"),
        "{}",
        ran.output
    );
}

#[test]
fn hex_in_the_forms_that_tools_print() {
    let digits = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let spaced =
        |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ");
    let words = |octets: &[u8]| octets.chunks(2).map(&digits).collect::<Vec<_>>().join(" ");
    let lines = |row: &dyn Fn(usize, &[u8]) -> String| {
        MESSAGE
            .chunks(16)
            .enumerate()
            .map(|(number, octets)| row(number * 16, octets))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let forms = [
        digits(&MESSAGE),
        format!("# a comment\n{}\n\n\n", spaced(&MESSAGE)),
        digits(&rsvp()),
        digits(&ipv6(46, &MESSAGE)),
        // tcpdump -x, xxd, and what protocol analysers export.
        lines(&|at, octets| format!("\t0x{at:04x}:  {}", words(octets))),
        lines(&|at, octets| format!("{at:08x}: {:39}  .abcdefgh fedcba.", words(octets))),
        lines(&|at, octets| format!("{at:04x}  {:47}  .abcdefghfedcba.", spaced(octets))),
    ];
    for form in forms {
        let found = json(&["--hex"], form.as_bytes());
        assert_eq!(
            (found.len(), &found[0]["objects"][0]["dst_instance"]),
            (1, &0x0506_0708.into()),
            "{form}\n{found:?}"
        );
    }
    let wrong = decode(&["--hex"], b"1001\n10g1\n");
    assert_eq!(wrong.status, 2);
    assert!(wrong.errors.contains("line 2: `10g1` is not an even number of hex digits"), "{}", wrong.errors);
}
