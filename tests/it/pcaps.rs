//! Captured packets against what tshark says of them: message type and length, class, C-Type and length of every
//! object in order, and the fields of every object that has a type here.
//!
//! The captures are not part of the repository. Without them these tests pass after saying so; `wire_vectors` has the
//! octets of each different message of theirs.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rsvp_wire::{
    AdspecSummary, ChecksumVerdict, Class, ErrorSpec, FilterSpec, Flowspec, Message, ObjectRef, Overrides,
    ParseError, ResvConfirm, RsvpHop, Scan, SenderTemplate, SenderTspec, Session, Style, TimeValues, Tspec,
    Why, rewrite,
};

use crate::wire_tshark::Json;

/// The captures, and how many RSVP packets each has.
const CAPTURES: [(&str, usize); 11] = [
    ("kom-real-3hop", 11),
    ("tcpdump-rsvp-inf-loop-2", 1),
    ("tcpdump-rsvp-infinite-loop", 5),
    ("tcpdump-rsvp-rsvp_obj_print-oobr", 1),
    ("tcpdump-rsvp_cap", 1),
    ("tcpdump-rsvp_fast_reroute-oobr", 1),
    ("tcpdump-rsvp_uni-oobr-1", 1),
    ("tcpdump-rsvp_uni-oobr-2", 1),
    ("tcpdump-rsvp_uni-oobr-3", 2),
    ("wireshark-mpls-te", 51),
    ("wireshark-rsvp-PATH-RESV", 9),
];

/// Where the captures are, if they are there.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pcaps"));
    if !folder.is_dir() {
        crate::skipped("pcaps absent: 1 tests skipped");
        return None;
    }
    Some(folder)
}

/// The RSVP octets of every packet of a capture. Link types: raw IP (101), Linux cooked (113) and cooked v2 (276).
fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize;
    assert_eq!(word(0), 0xa1b2_c3d4, "a little-endian pcap file");
    let link_header = match word(20) {
        101 => 0,
        113 => 16,
        276 => 20,
        other => panic!("link type {other}"),
    };
    let mut at = 24;
    let mut packets = Vec::new();
    while at < file.len() {
        let captured = word(at + 8);
        let packet = &file[at + 16 + link_header..at + 16 + captured];
        assert_eq!((packet[0] >> 4, packet[9]), (4, 46), "RSVP in IPv4");
        let total = usize::from(u16::from_be_bytes([packet[2], packet[3]])).min(packet.len());
        packets.push(packet[usize::from(packet[0] & 15) * 4..total].to_vec());
        at += 16 + captured;
    }
    packets
}

/// What the checksum field of a whole message must say, word by word as RFC 1071 describes it.
fn checksum_by_hand(octets: &[u8]) -> u16 {
    let mut sum = 0u32;
    for (index, pair) in octets.chunks(2).enumerate() {
        let word = u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
        sum += if index == 1 { 0 } else { word };
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn verdict_by_hand(octets: &[u8]) -> ChecksumVerdict {
    let (field, length) =
        (u16::from_be_bytes([octets[2], octets[3]]), u16::from_be_bytes([octets[6], octets[7]]));
    match octets.get(..usize::from(length)) {
        _ if field == 0 => ChecksumVerdict::Zero,
        None => ChecksumVerdict::Unverifiable,
        Some(octets) if checksum_by_hand(octets) == field => ChecksumVerdict::Ok,
        Some(_) => ChecksumVerdict::Bad,
    }
}

#[test]
fn captures() {
    let Some(folder) = folder() else { return };
    every_packet_reads_as_tshark_reads_it(&folder);
    vectors_are_what_was_captured(&folder);
}

fn every_packet_reads_as_tshark_reads_it(folder: &Path) {
    for (name, count) in CAPTURES {
        let packets = packets(&fs::read(folder.join(format!("{name}.pcap"))).expect(name));
        let json = fs::read_to_string(folder.join(format!("{name}.tshark.json"))).expect(name);
        let json = Json::parse(&json);
        let dissected = json.packets();
        assert_eq!((packets.len(), dissected.len()), (count, count), "{name}");
        for (number, (octets, dissected)) in packets.iter().zip(&dissected).enumerate() {
            compare(&format!("{name} packet {}", number + 1), octets, dissected);
        }
    }
}

/// One packet: header, checksum, framing, then the typed objects.
fn compare(packet: &str, octets: &[u8], dissected: &Json) {
    let scan = Scan::new(octets);
    let header = scan.header().expect(packet);
    let (head, entries) = dissected.objects();
    assert_eq!(u64::from(header.msg_type.0), head.number("rsvp.msg"), "{packet}");
    assert_eq!(u64::from(header.length), head.number("rsvp.message_length"), "{packet}");
    assert_eq!(u64::from(header.version), head.number("rsvp.version"), "{packet}");
    assert_eq!(u64::from(header.flags), head.number("rsvp.flags"), "{packet}");
    assert_eq!(u64::from(header.send_ttl), head.number("rsvp.sending_ttl"), "{packet}");
    assert_eq!(u64::from(header.checksum), head.number("rsvp.message_checksum"), "{packet}");
    assert_eq!(scan.checksum(), verdict_by_hand(octets), "{packet}");
    let objects: Vec<_> = scan.objects().filter_map(Result::ok).collect();
    // An object that tshark finds too short has no class there; it is an error here.
    let whole: Vec<_> =
        entries.iter().filter(|entry| entry.has("rsvp.object") && entry.has("rsvp.ctype")).collect();
    let ours: Vec<_> =
        objects.iter().map(|object| (object.class.0, object.ctype.0, object.octets().len())).collect();
    let theirs: Vec<_> = whole
        .iter()
        .map(|entry| {
            let number = |key| entry.number(key);
            (number("rsvp.object") as u8, number("rsvp.ctype") as u8, number("rsvp.length") as usize)
        })
        .collect();
    assert_eq!(ours, theirs, "{packet}");
    for (object, entry) in objects.iter().zip(whole) {
        let at = format!("{packet}, object at {}", object.at());
        fields(&at, object, entry);
    }
    if let Ok(message) = Message::parse(octets) {
        let mut buffer = vec![0; octets.len()];
        assert_eq!(rewrite(&message, &mut buffer), Ok(octets.len()), "{packet}");
        assert_eq!(buffer, octets, "{packet}");
    }
}

/// The fields of one object; those whose C-Type or values have no type here are in `untyped`.
fn fields(at: &str, object: &ObjectRef<'_>, entry: &Json) {
    let unknown = object.read::<Session>().err().map(|error| error.why);
    match object.class {
        Class::SESSION if unknown == Some(Why::UnknownCType) => assert_eq!(object.ctype.0, 7, "{at}"),
        Class::SESSION => {
            let session = object.read::<Session>().expect(at);
            assert_eq!(session.destination(), entry.address("rsvp.session.ip"), "{at}");
            assert_eq!(u64::from(session.protocol()), entry.number("rsvp.session.proto"), "{at}");
            assert_eq!(u64::from(session.flags()), entry.number("rsvp.session.flags"), "{at}");
            assert_eq!(u64::from(session.port()), entry.number("rsvp.session.port"), "{at}");
        }
        Class::RSVP_HOP => {
            let hop = object.read::<RsvpHop>().expect(at);
            assert_eq!(hop.address, entry.address("rsvp.hop.neighbor_address_ipv4"), "{at}");
            assert_eq!(u64::from(hop.lih), entry.number("rsvp.hop.logical_interface"), "{at}");
        }
        Class::TIME_VALUES => {
            let time = object.read::<TimeValues>().expect(at);
            assert_eq!(u64::from(time.refresh_ms), entry.number("rsvp.refresh_interval"), "{at}");
        }
        Class::ERROR_SPEC => {
            let error = object.read::<ErrorSpec>().expect(at);
            assert_eq!(error.node, entry.address("rsvp.error.error_node_ipv4"), "{at}");
            assert_eq!(u64::from(error.flags), entry.number("rsvp.error_flags"), "{at}");
            assert_eq!(u64::from(error.code.0), entry.number("rsvp.error.error_code"), "{at}");
            assert_eq!(u64::from(error.value), entry.number("rsvp.error_value"), "{at}");
        }
        Class::STYLE => {
            let style = object.read::<Style>().expect(at);
            assert_eq!(u64::from(style.flags), entry.number("rsvp.style.flags"), "{at}");
            assert_eq!(u64::from(style.options), entry.number("rsvp.style.style"), "{at}");
        }
        Class::FILTER_SPEC | Class::SENDER_TEMPLATE => sender(at, object, entry),
        Class::SENDER_TSPEC => match object.read::<SenderTspec>() {
            Ok(tspec) => same_tspec(at, &tspec.0, entry, "rsvp.tspec"),
            Err(error) => untyped(at, error),
        },
        Class::FLOWSPEC => match object.read::<Flowspec>() {
            Ok(flowspec) => {
                assert_eq!(
                    u64::from(flowspec.service()),
                    entry.number("rsvp.flowspec.service_header"),
                    "{at}"
                );
                same_tspec(at, flowspec.tspec(), entry, "rsvp.flowspec");
            }
            Err(error) => untyped(at, error),
        },
        Class::RESV_CONFIRM => {
            let confirm = object.read::<ResvConfirm>().expect(at);
            assert_eq!(confirm.address, entry.address("rsvp.confirm.receiver_address_ipv4"), "{at}");
        }
        Class::ADSPEC => match object.read::<AdspecSummary>() {
            Ok(adspec) => same_adspec(at, &adspec, entry),
            Err(error) => untyped(at, error),
        },
        // What is not of RFC 2205 is compared by its octets only.
        class => assert!(class > Class::RESV_CONFIRM, "{at}: class {class} is not compared"),
    }
}

fn sender(at: &str, object: &ObjectRef<'_>, entry: &Json) {
    let filter = if object.class == Class::FILTER_SPEC {
        object.read::<FilterSpec>()
    } else {
        object.read::<SenderTemplate>().map(|template| template.0)
    };
    match filter {
        Ok(filter) => {
            assert_eq!(filter.address(), entry.address("rsvp.sender.ip"), "{at}");
            assert_eq!(u64::from(filter.port()), entry.number("rsvp.sender.port"), "{at}");
        }
        Err(error) => assert_eq!((error.why, object.ctype.0), (Why::UnknownCType, 7), "{at}"),
    }
}

fn same_float(at: &str, ours: f32, theirs: f32) {
    // tshark prints six digits.
    assert!(ours == theirs || (ours - theirs).abs() <= theirs * 1e-5, "{at}: {ours} is not {theirs}");
}

fn same_tspec(at: &str, tspec: &Tspec, entry: &Json, prefix: &str) {
    same_float(at, tspec.rate, entry.float(&format!("{prefix}.token_bucket_rate")));
    same_float(at, tspec.bucket, entry.float(&format!("{prefix}.token_bucket_size")));
    same_float(at, tspec.peak, entry.float(&format!("{prefix}.peak_data_rate")));
    assert_eq!(u64::from(tspec.min_policed_unit), entry.number("rsvp.minimum_policed_unit"), "{at}");
    assert_eq!(u64::from(tspec.max_packet_size), entry.number("rsvp.maximum_packet_size"), "{at}");
}

/// The parameters of one ADSPEC fragment: numbers and values, in the order of the capture.
fn parameters(fragment: &Json) -> Vec<(String, String)> {
    let values = fragment.leaves(&["rsvp.adspec.uint", "rsvp.adspec.float"]);
    fragment.leaves(&["rsvp.adspec.type"]).into_iter().zip(values).collect()
}

fn same_adspec(at: &str, adspec: &AdspecSummary, entry: &Json) {
    let general = entry.child("Default General Parameters").expect(at);
    let global = adspec.global;
    assert_eq!(u64::from(global.break_bit), general.number("rsvp.adspec.break_bit"), "{at}");
    for (number, value) in parameters(general) {
        match number.as_str() {
            "4" => assert_eq!(global.hops.to_string(), value, "{at}"),
            "6" => same_float(at, global.bandwidth, value.parse().expect(at)),
            "8" => assert_eq!(global.latency_us.to_string(), value, "{at}"),
            "10" => assert_eq!(global.mtu.to_string(), value, "{at}"),
            other => panic!("{at}: parameter {other}"),
        }
    }
    let fragment = entry.child("Guaranteed Rate");
    assert_eq!(adspec.guaranteed.is_some(), fragment.is_some(), "{at}");
    if let (Some(guaranteed), Some(fragment)) = (adspec.guaranteed, fragment) {
        assert_eq!(u64::from(guaranteed.break_bit), fragment.number("rsvp.adspec.break_bit"), "{at}");
        for (number, value) in parameters(fragment) {
            let ours = match number.as_str() {
                "133" => guaranteed.ctot,
                "134" => guaranteed.dtot,
                "135" => guaranteed.csum,
                "136" => guaranteed.dsum,
                other => panic!("{at}: parameter {other}"),
            };
            assert_eq!(ours.to_string(), value, "{at}");
        }
    }
    let fragment = entry.child("Controlled Load");
    assert_eq!(adspec.controlled_load.is_some(), fragment.is_some(), "{at}");
    if let (Some(controlled_load), Some(fragment)) = (adspec.controlled_load, fragment) {
        assert_eq!(u64::from(controlled_load.break_bit), fragment.number("rsvp.adspec.break_bit"), "{at}");
        assert!(parameters(fragment).is_empty() && controlled_load.overrides == Overrides::default(), "{at}");
    }
}

/// Bodies in the captures that are no sound values; each is explained in `wire_vectors`.
fn untyped(at: &str, error: ParseError) {
    let expected = match at {
        "tcpdump-rsvp-inf-loop-2 packet 1, object at 124" => ParseError { at: 134, why: Why::BodyLength },
        "tcpdump-rsvp-inf-loop-2 packet 1, object at 160" => ParseError { at: 192, why: Why::BodyLength },
        _ => panic!("{at}: {error}"),
    };
    assert_eq!(error, expected, "{at}");
}

fn vectors_are_what_was_captured(folder: &Path) {
    for vector in crate::wire_vectors::all() {
        let (name, number) = vector.packet.as_ref().expect("every vector names its packet");
        let packets = packets(&fs::read(folder.join(name)).expect(name));
        assert_eq!(vector.octets, packets[number - 1], "{}", vector.name);
    }
}

#[test]
fn duplicate_keys_and_merged_arrays_read_alike() {
    let twice = Json::parse(r#"{"a": {"k": "1"}, "a": {"k": "2"}}"#);
    let merged = Json::parse(r#"{"a": [{"k": "1"}, {"k": "2"}]}"#);
    assert_eq!(twice.leaves(&["k"]), ["1", "2"]);
    assert_eq!(merged.leaves(&["k"]), ["1", "2"]);
    assert_eq!(Json::parse(r#"{"ip": "10.0.0.1"}"#).address("ip"), IpAddr::from([10, 0, 0, 1]));
}
