//! Link types and tunnels: each with a Hello in it that tshark, where it is there, finds too; cut off at every octet; read as
//! another type than the capture says.
//!
//! Frames are laid out by hand from their specifications.

use std::process::Command;

use crate::decode::{decode, json};
use crate::decode_layers::{MESSAGE, block, ipv4, ipv6, one, pcap, rsvp};

/// tshark's type of message and source address in a capture, a line per packet; `None` where there is no tshark.
pub(crate) fn dissected(capture: &[u8], more: &[&str]) -> Option<String> {
    let name = format!("rsvp-decode-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, capture).expect("a file");
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=l", "-e", "rsvp.msg", "-e", "ip.src"]);
    let done = tshark.args(more).arg("-r").arg(&path).output();
    std::fs::remove_file(&path).expect("ours");
    let Ok(done) = done else {
        assert!(std::env::var_os("RSVP_REQUIRE_NAMESPACES").is_none(), "tshark is needed here");
        crate::skipped("decode: a comparison is skipped, there is no tshark");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).expect("text"))
}

/// What it is, its link type, and the frame.
type Laid = (&'static str, u32, Vec<u8>);

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

fn ethernet(rest: &[u8]) -> Vec<u8> {
    [&MACS[..], rest].concat()
}

/// The length of the packet and so many octets more.
fn length(more: usize) -> [u8; 2] {
    ((rsvp().len() + more) as u16).to_be_bytes()
}

fn links() -> Vec<Laid> {
    let pppoe = |length: [u8; 2]| [0x11, 0, 0, 9, length[0], length[1], 0, 0x21];
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let frames: [(&str, u32, Vec<u8>); 28] = [
        ("PPP", 9, vec![0xff, 3, 0, 0x21]),
        ("PPP without address and control", 9, vec![0, 0x21]),
        ("PPP with everything compressed", 9, vec![0x21]),
        ("PPP and MPLS", 9, vec![0xff, 3, 2, 0x81, 0, 1, 0x11, 64]),
        ("PPP multilink", 9, vec![0xff, 3, 0, 0x3d, 0xc0, 0, 0, 1, 0x21]),
        ("PPP in HDLC-like framing", 50, vec![0xff, 3, 0, 0x21]),
        ("Cisco's HDLC on such a line", 50, vec![0x0f, 0, 8, 0]),
        ("PPP, received", 204, vec![0, 0xff, 3, 0, 0x21]),
        ("PPP, sent", 204, vec![1, 0xff, 3, 0, 0x21]),
        ("PPPoE without Ethernet", 51, pppoe(length(2)).to_vec()),
        ("PPPoE", 1, [&ethernet(&[0x88, 0x64])[..], &pppoe(length(2))].concat()),
        ("PPPoE in a VLAN", 1, [&ethernet(&[0x81, 0, 0, 5, 0x88, 0x64])[..], &pppoe(length(2))].concat()),
        ("SNAP", 1, [&ethernet(&length(8))[..], &snap].concat()),
        ("SNAP of IEEE 802.1H", 1, [&ethernet(&length(8))[..], &[0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0]].concat()),
        ("SNAP in a VLAN", 1, [&ethernet(&[0x81, 0, 0, 5])[..], &length(8), &snap].concat()),
        ("SNAP and bridged Ethernet", 1, {
            let bridged = [0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0];
            [&ethernet(&length(24))[..], &bridged, &ethernet(&[8, 0])].concat()
        }),
        ("LLC", 1, [&ethernet(&length(3))[..], &[6, 6, 3]].concat()),
        (
            "Linux cooked and SNAP",
            113,
            [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 4][..], &snap].concat(),
        ),
        ("Cisco's HDLC", 104, vec![0x0f, 0, 8, 0]),
        ("Cisco's HDLC, broadcast, MPLS", 104, vec![0x8f, 0, 0x88, 0x47, 0, 1, 0x11, 64]),
        ("Cisco's HDLC with direction", 205, vec![0, 0x0f, 0, 8, 0]),
        ("Frame Relay", 107, vec![0x18, 0x41, 3, 0xcc]),
        ("Frame Relay, 4 octets of address", 107, vec![0x18, 0x40, 0x40, 0x41, 3, 0xcc]),
        ("Frame Relay and SNAP", 107, vec![0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0]),
        ("Frame Relay of Cisco", 107, vec![0x18, 0x41, 8, 0]),
        ("Frame Relay and PPP", 107, vec![0x18, 0x41, 3, 0xcf, 0, 0x21]),
        ("Frame Relay, bridged Ethernet", 107, {
            [&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7][..], &ethernet(&[8, 0])].concat()
        }),
        ("Frame Relay with direction", 206, vec![1, 0x18, 0x41, 3, 0xcc]),
    ];
    // The packet says how long it is; octets behind it only fill the frame.
    let filled = |what: &str| if what.contains("LLC") || what == "SNAP" { &[0; 6][..] } else { &[] };
    let frame = |(what, link, before): (&'static str, u32, Vec<u8>)| {
        (what, link, [&before[..], &rsvp(), filled(what)].concat())
    };
    frames.into_iter().map(frame).collect()
}

/// One pcapng file of frames, each of an interface of its own.
fn pcapng(frames: &[Laid]) -> Vec<u8> {
    let le = u32::to_le_bytes;
    let mut file = block(le, 0x0a0d_0d0a, &[&le(0x1a2b_3c4d)[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    for (_, link, _) in frames {
        file.extend(block(le, 1, &[link.to_le_bytes(), le(0)].concat()));
    }
    for (number, (_, _, frame)) in (0..).zip(frames) {
        let length = frame.len() as u32;
        file.extend(block(le, 6, &[&[number, 0, 0, length, length].map(le).concat()[..], frame].concat()));
    }
    file
}

/// All frames, each with a Hello from 10.0.0.1, as tshark reads them.
fn as_tshark_reads_them(frames: &[Laid]) {
    let Some(theirs) = dissected(&pcapng(frames), &[]) else { return };
    assert_eq!(theirs.lines().count(), frames.len(), "{theirs}");
    for ((what, ..), theirs) in frames.iter().zip(theirs.lines()) {
        assert_eq!(theirs, "20\t10.0.0.1", "{what}");
    }
}

/// UDP from a port of no meaning.
fn udp(to: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    [&[40_000, to, length, 0].map(u16::to_be_bytes).concat()[..], payload].concat()
}

fn tunnels() -> Vec<Laid> {
    let inner = ethernet(&[8, 0]);
    let vxlan = |flags| [&[flags, 0, 0, 0, 0, 0, 42, 0][..], &inner, &rsvp()].concat();
    let geneve = |first, kind: [u8; 2], rest: &[u8]| {
        [&[first, 0, kind[0], kind[1], 0, 0, 42, 0][..], rest, &rsvp()].concat()
    };
    let options = [0x01, 0x02, 3, 1, 0, 0, 0, 7];
    let bridged = [0x65, 0x58];
    let packets = [
        ("VXLAN", udp(4789, &vxlan(8))),
        ("GENEVE and Ethernet", udp(6081, &geneve(0, bridged, &inner))),
        ("GENEVE with options", udp(6081, &geneve(2, bridged, &[&options[..], &inner].concat()))),
        ("GENEVE and IP", udp(6081, &geneve(0, [8, 0], &[]))),
    ];
    let gre = [&[0, 0, 0x65, 0x58][..], &inner, &rsvp()].concat();
    let mut laid: Vec<Laid> =
        packets.into_iter().map(|(what, udp)| (what, 101, ipv4(17, 0, &[], &udp))).collect();
    laid.push(("GRE and Ethernet", 101, ipv4(47, 0, &[], &gre)));
    laid.push(("VXLAN over IPv6", 101, ipv6(17, &udp(4789, &vxlan(8)))));
    laid
}

#[test]
fn each_link_type_is_read_as_tshark_reads_it() {
    for (what, link, frame) in links() {
        println!("{what}");
        let found = one(link, &[frame]);
        assert_eq!((&found["src"], &found["router_alert"]), (&"10.0.0.1".into(), &true.into()), "{what}");
    }
    // What tshark does not know: a protocol of one octet at the start of a frame, IP's access point, types with direction
    // but for PPP's.
    let mut known = links();
    known.retain(|(what, link, _)| {
        !what.contains("everything compressed") && *what != "LLC" && !matches!(link, 205 | 206)
    });
    as_tshark_reads_them(&known);
}

/// The fragments of a packet in PPP multilink (RFC 1990 3), with numbers of 24 bits from this one on.
fn multilink(packet: &[u8], size: usize, from: u32) -> Vec<Vec<u8>> {
    let whole = [&[0x21][..], packet].concat();
    let last = whole.len().div_ceil(size) - 1;
    let part = |(number, octets): (usize, &[u8])| {
        let (begins, ends) = (u32::from(number == 0), u32::from(number == last));
        let header = begins << 31 | ends << 30 | (from + number as u32) & 0x00ff_ffff;
        [&[0xff, 3, 0, 0x3d][..], &header.to_be_bytes(), octets].concat()
    };
    whole.chunks(size).enumerate().map(part).collect()
}

#[test]
fn fragments_of_ppp_multilink_are_put_together_where_they_come_in_order() {
    let parts = multilink(&rsvp(), 16, 7);
    assert_eq!(parts.len(), 3);
    let found = one(9, &parts);
    assert_eq!((&found["src"], found["frame"].as_u64()), (&"10.0.0.1".into(), Some(parts.len() as u64)));
    assert_eq!((&found["truncated"], found.get("error")), (&false.into(), None), "{found}");
    let tree = decode(&["-v"], &pcap(9, &parts)).output;
    assert!(tree.contains(&format!("from {} fragments", parts.len())), "{tree}");
    let stats = decode(&["--stats"], &pcap(9, &parts)).output;
    let counted = format!("\n{} fragments: 1 datagrams reassembled, 0 incomplete\n", parts.len());
    assert!(stats.contains(&counted), "{stats}");
    // Two packets at once, as in a bundle of links, and one that is whole between their fragments.
    let other = multilink(&rsvp(), 20, 0x00ff_ffff);
    let whole = [&[0xff, 3, 0, 0x21][..], &rsvp()].concat();
    let mut mixed = vec![parts[0].clone(), other[0].clone(), whole];
    mixed.extend(parts[1..].iter().chain(&other[1..]).cloned());
    assert_eq!(json(&[], &pcap(9, &mixed)).len(), 3);
    // In PPPoE, too.
    let session = |part: &Vec<u8>| {
        let part = &part[2..];
        let length = (part.len() as u16).to_be_bytes();
        [&ethernet(&[0x88, 0x64, 0x11, 0, 0, 9])[..], &length, part].concat()
    };
    assert_eq!(one(1, &parts.iter().map(session).collect::<Vec<_>>())["src"], "10.0.0.1");
}

#[test]
fn of_fragments_of_ppp_multilink_that_are_missing_only_what_is_before_them_is_shown() {
    let parts = multilink(&rsvp(), 20, 7);
    // Without the last, and with it before the others.
    let mut other_order = parts.clone();
    other_order.rotate_right(1);
    for frames in [&parts[..parts.len() - 1], &other_order[..]] {
        let ran = decode(&["--json"], &pcap(9, frames));
        let found: serde_json::Value = serde_json::from_str(ran.output.trim()).expect("one message");
        assert_eq!((&found["src"], &found["truncated"]), (&"10.0.0.1".into(), &true.into()), "{found}");
        assert!(ran.errors.contains("1 fragmented datagrams are incomplete"), "{}", ran.errors);
    }
    // Without the first nobody knows what it is; a fragment that the capture has cut off has nothing behind it in its place.
    let ran = decode(&[], &pcap(9, &parts[1..]));
    assert_eq!((ran.status, ran.output.as_str()), (0, ""), "{}", ran.errors);
    let mut short = parts;
    short[0].pop();
    let ran = decode(&[], &pcap(9, &short));
    assert_eq!(ran.output, "");
    assert!(ran.errors.contains("1 fragmented datagrams are incomplete"), "{}", ran.errors);
}

#[test]
fn rarer_tunnels_are_looked_into() {
    let inner = ethernet(&[8, 0]);
    let gre = |header: &[u8], rest: &[u8]| ipv4(47, 0, &[], &[header, rest, &rsvp()].concat());
    let ether_ip = |version| ipv4(97, 0, &[], &[&[version, 0][..], &inner, &rsvp()].concat());
    let gpe = |next| ipv4(17, 0, &[], &udp(4790, &[&[0x0c, 0, 0, next, 0, 0, 42, 0][..], &rsvp()].concat()));
    let erspan_2 = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0];
    let erspan_3 = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let erspan_3_more = [&erspan_3[..19], &[1], &[0; 8]].concat();
    for (what, packet) in [
        ("VXLAN-GPE", gpe(1)),
        ("EtherIP", ether_ip(0x30)),
        ("ERSPAN", gre(&[0, 0, 0x88, 0xbe], &inner)),
        ("ERSPAN of type II", gre(&erspan_2, &inner)),
        ("ERSPAN of type III", gre(&erspan_3, &inner)),
        ("ERSPAN of type III with its further header", gre(&erspan_3_more, &inner)),
        ("PPTP", gre(&[0x30, 1, 0x88, 0x0b, 0, 60, 0, 1, 0, 0, 0, 1], &[0xff, 3, 0, 0x21])),
        ("PPTP, acknowledging", gre(&[0x20, 0x81, 0x88, 0x0b, 0, 60, 0, 1, 0, 0, 0, 1], &[0, 0x21])),
    ] {
        println!("{what}");
        assert_eq!(one(101, &[packet])["src"], "10.0.0.1", "{what}");
    }
    for other in [gpe(4), ether_ip(0x40), gre(&[0x30, 1, 0x88, 0xbe, 0, 60, 0, 1, 0, 0, 0, 1], &inner)] {
        assert!(crate::decode::json(&[], &pcap(101, &[other])).is_empty());
    }
}

#[test]
fn tunnels_are_looked_into() {
    for (what, link, frame) in tunnels() {
        println!("{what}");
        let found = one(link, &[frame]);
        assert_eq!((&found["src"], &found["router_alert"]), (&"10.0.0.1".into(), &true.into()), "{what}");
    }
    as_tshark_reads_them(&tunnels());
    // The port of Linux, which tshark does not know.
    let linux = udp(8472, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], &ethernet(&[8, 0]), &rsvp()].concat());
    assert_eq!(one(101, &[ipv4(17, 0, &[], &linux)])["src"], "10.0.0.1");
    // In fragments: the second half of the tunnel's packet first.
    let whole = &tunnels()[0].2[20..];
    let halves = [(0x2000, &whole[..48]), (6, &whole[48..])].map(|(place, part)| ipv4(17, place, &[], part));
    let found = one(101, &[halves[1].clone(), halves[0].clone()]);
    assert_eq!((&found["src"], &found["frame"]), (&"10.0.0.1".into(), &2.into()));
    assert!(decode(&["-v"], &pcap(101, &halves)).output.contains("from 2 fragments"));
    let lost = decode(&["-v"], &pcap(101, &[ipv4(17, 0x2000, &[], &whole[..72])])).output;
    assert!(lost.contains("the capture has no more of this message"), "{lost}");
}

#[test]
fn what_is_on_the_port_of_a_tunnel_and_none_is_left_alone() {
    let none = |packet: Vec<u8>| {
        let ran = decode(&[], &pcap(101, &[packet]));
        assert_eq!((ran.status, ran.output.as_str()), (0, ""), "{}", ran.errors);
        assert!(!ran.errors.contains("could not be read"), "{}", ran.errors);
    };
    let inner = [&ethernet(&[8, 0])[..], &rsvp()].concat();
    // VXLAN without the flag that there is an identifier; GENEVE of another version, with options past its end; ARP.
    none(ipv4(17, 0, &[], &udp(4789, &[&[0, 0, 0, 0, 0, 0, 42, 0][..], &inner].concat())));
    none(ipv4(17, 0, &[], &udp(6081, &[&[0x40, 0, 0x65, 0x58, 0, 0, 42, 0][..], &inner].concat())));
    none(ipv4(17, 0, &[], &udp(6081, &[&[0x3f, 0, 0x65, 0x58, 0, 0, 42, 0][..], &inner].concat())));
    none(ipv4(
        17,
        0,
        &[],
        &udp(4789, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], &ethernet(&[8, 6]), &[0; 28]].concat()),
    ));
    none(ipv4(17, 0, &[], &[0x9c, 0x40, 0x12, 0xb5]));
}

#[test]
fn a_frame_that_says_which_way_it_went_is_shown_so() {
    for (link, before) in
        [(204, &[0xff, 3, 0, 0x21][..]), (205, &[0x0f, 0, 8, 0]), (206, &[0x18, 0x41, 3, 0xcc])]
    {
        let frame = |direction: u8| [&[direction][..], before, &rsvp()].concat();
        let capture = pcap(link, &[frame(0), frame(1)]);
        let said: Vec<_> = json(&[], &capture).iter().map(|message| message["direction"].clone()).collect();
        assert_eq!(said, ["received", "sent"], "{link}");
        let text = decode(&["-v"], &capture).output;
        assert!(
            text.contains("  received  10.0.0.1 > ") && text.contains("  sent  10.0.0.1 > "),
            "{link}: {text}"
        );
    }
    let none = json(&[], &pcap(9, &[[&[0xff, 3, 0, 0x21][..], &rsvp()].concat()]));
    assert!(none[0].get("direction").is_none(), "{}", none[0]);
}

#[test]
fn wrong_headers_of_links_lead_to_nothing() {
    for (what, link, before) in [
        ("PPP of another protocol", 9, vec![0xff, 3, 0xc0, 0x21]),
        ("PPPoE, discovery", 1, [&ethernet(&[0x88, 0x63])[..], &[0x11, 9, 0, 0, 0, 0]].concat()),
        ("PPPoE of version 2", 1, [&ethernet(&[0x88, 0x64])[..], &[0x22, 0, 0, 9, 0, 60, 0, 0x21]].concat()),
        ("PPPoE with a code", 1, [&ethernet(&[0x88, 0x64])[..], &[0x11, 7, 0, 9, 0, 60, 0, 0x21]].concat()),
        ("LLC of another access point", 1, ethernet(&[0, 60, 0x42, 0x42, 3])),
        ("LLC, not unnumbered", 1, ethernet(&[0, 60, 0xaa, 0xaa, 0, 0, 0, 0, 8, 0])),
        ("SNAP of another organization", 1, ethernet(&[0, 60, 0xaa, 0xaa, 3, 0, 0, 0x0c, 8, 0])),
        ("Frame Relay without an end of its address", 107, vec![0x18, 0x40, 0x40, 0x40, 0x40, 0x41, 3, 0xcc]),
        ("Frame Relay with an address of an octet", 107, vec![0x19, 3, 0xcc]),
        ("Frame Relay of another protocol", 107, vec![0x18, 0x41, 3, 0x83]),
        ("HDLC, keepalive", 104, vec![0x8f, 0, 0x80, 0x35]),
    ] {
        let ran = decode(&["--json"], &pcap(link, &[[&before[..], &rsvp()].concat()]));
        assert_eq!((ran.status, ran.output.as_str()), (0, ""), "{what}");
    }
}

/// Whatever of a frame is missing, there is nothing to see, or as much of the message as there is.
#[test]
fn frames_may_end_anywhere() {
    for (_, link, frame) in links().into_iter().chain(tunnels()) {
        let cut: Vec<_> = (0..frame.len()).map(|end| frame[..end].to_vec()).collect();
        let found = json(&[], &pcap(link, &cut));
        // From the first octet after the IP header on, where there is a message without octets.
        assert!(found.len() >= MESSAGE.len() && found.len() <= MESSAGE.len() + 7, "{link}: {}", found.len());
        for message in found {
            assert_eq!(message["src"], "10.0.0.1", "{link}: {message}");
            let whole = message.get("error").is_none();
            assert_eq!(
                message["truncated"],
                !whole || message["checksum"] == "unverifiable",
                "{link}: {message}"
            );
        }
    }
}

#[test]
fn another_link_type_than_the_capture_says() {
    let wrong = pcap(147, &[[&[0xff, 3, 0, 0x21][..], &rsvp()].concat()]);
    let ran = decode(&[], &wrong);
    assert!(
        ran.errors.contains("frames of link type 147 are not looked into; --link-type says"),
        "{}",
        ran.errors
    );
    for name in ["ppp", "PPP", "9", "ppp-hdlc", "LINKTYPE_PPP_HDLC", "dlt_ppp_serial"] {
        assert_eq!(json(&["--link-type", name], &wrong).len(), 1, "{name}");
    }
    assert!(json(&["--link-type", "ethernet"], &wrong).is_empty());
    let digits: String =
        [&ethernet(&[8, 0])[..], &rsvp()].concat().iter().map(|o| format!("{o:02x}")).collect();
    assert_eq!(json(&["--hex", "--link-type", "ethernet"], digits.as_bytes()).len(), 1);
    for (name, why) in [("token", "`token` is no link type"), ("147", "ppp-hdlc"), ("", "or their numbers")] {
        let ran = decode(&["--link-type", name], &wrong);
        assert!(ran.status == 2 && ran.errors.contains(why), "{}", ran.errors);
    }
}
