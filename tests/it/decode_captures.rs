//! `rsvp decode --json` of captured packets against what tshark says of them, field by field.
//!
//! The captures are not part of the repository. Without them this test passes after saying so.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::decode::{decode, json, rsvp};
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

/// What is malformed in them: capture, first and last frame, offset, and how the reason starts.
const MALFORMED: [(&str, u64, u64, u64, &str); 8] = [
    // The GENERALIZED_UNI at 80 has a subobject of length 0; what the SENDER_TSPEC at 124 claims comes after.
    ("tcpdump-rsvp-inf-loop-2", 1, 1, 84, "an object's body does not have the length"),
    // The EXPLICIT_ROUTE at 8 has a subobject of length 0.
    ("tcpdump-rsvp-infinite-loop", 1, 5, 12, "an object's body does not have the length"),
    // 13 octets were captured of the 65527 that the header announces.
    ("tcpdump-rsvp-rsvp_obj_print-oobr", 1, 1, 13, "the message ends early"),
    ("tcpdump-rsvp_cap", 1, 1, 2, "the checksum is wrong"),
    // Lengths that are no multiple of 4.
    ("tcpdump-rsvp_fast_reroute-oobr", 1, 1, 6, "the header's Length"),
    ("tcpdump-rsvp_uni-oobr-1", 1, 1, 6, "the header's Length"),
    ("tcpdump-rsvp_uni-oobr-2", 1, 1, 6, "the header's Length"),
    ("tcpdump-rsvp_uni-oobr-3", 1, 2, 6, "the header's Length"),
];

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pcaps"));
    if !folder.is_dir() {
        crate::skipped("pcaps absent: 1 tests skipped");
        return None;
    }
    Some(folder)
}

#[test]
fn every_field_is_what_tshark_says() {
    let Some(folder) = folder() else { return };
    for (name, count) in CAPTURES {
        let capture = fs::read(folder.join(format!("{name}.pcap"))).expect(name);
        let tshark = fs::read_to_string(folder.join(format!("{name}.tshark.json"))).expect(name);
        let tshark = Json::parse(&tshark);
        let (ours, theirs) = (json(&[], &capture), tshark.layers());
        assert_eq!((ours.len(), theirs.len()), (count, count), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let packet = format!("{name} packet {}", ours["frame"]);
            below(&packet, ours, theirs);
            message(&packet, ours, theirs.child("rsvp").expect(&packet));
            malformed(name, ours);
        }
        // What was decoded, right or wrong, is encoded to the same octets: they decode to the same JSON again.
        let lines = decode(&["--json"], &capture).output;
        let (status, pcap, errors) = rsvp(&["encode", "--raw"], lines.as_bytes());
        assert_eq!(status, 0, "{name}: {errors}");
        assert_eq!(decode(&["--json"], &pcap).output, lines, "{name}");
    }
}

/// The layers below RSVP.
fn below(packet: &str, ours: &Value, theirs: &Json) {
    let (frame, ip) = (theirs.child("frame").expect(packet), theirs.child("ip").expect(packet));
    assert_eq!(ours["frame"].to_string(), frame.text("frame.number"), "{packet}");
    assert_eq!(ours["src"], ip.text("ip.src"), "{packet}");
    assert_eq!(ours["dst"], ip.text("ip.dst"), "{packet}");
    assert_eq!(ours["ttl"], ip.number("ip.ttl"), "{packet}");
    let alert = !ip.leaves(&["ip.options.routeralert", "ip.opt.ra"]).is_empty();
    assert_eq!(ours["router_alert"], alert, "{packet}");
    // `Feb 10, 2000 13:49:03.806994000 UTC` has the digits of our time of day, and the epoch those of the second.
    let time = ours["time"].as_str().expect(packet);
    let digits = time[11..].trim_end_matches('Z');
    assert!(frame.text("frame.time").contains(digits), "{packet}: {time}");
}

/// Header, framing, and the fields of each object.
fn message(packet: &str, ours: &Value, theirs: &Json) {
    let (head, entries) = theirs.objects();
    for (our_key, key) in [
        ("msg_type", "rsvp.msg"),
        ("length", "rsvp.message_length"),
        ("version", "rsvp.version"),
        ("send_ttl", "rsvp.sending_ttl"),
        ("checksum_value", "rsvp.message_checksum"),
    ] {
        assert_eq!(ours[our_key], head.number(key), "{packet}: {our_key}");
    }
    assert_eq!(ours["flags"].as_u64().unwrap_or(0), head.number("rsvp.flags"), "{packet}");
    // An object that tshark finds too short has no class there; it is none here either.
    let entries: Vec<_> =
        entries.into_iter().filter(|e| e.has("rsvp.object") && e.has("rsvp.ctype")).collect();
    let objects = ours["objects"].as_array().expect(packet);
    assert_eq!(objects.len(), entries.len(), "{packet}");
    let mut offset = 8;
    for (object, entry) in objects.iter().zip(entries) {
        let at = format!("{packet}, object at {offset}");
        assert_eq!(object["offset"], offset, "{at}");
        let length = object["length"].as_u64().expect(&at);
        offset += length;
        // The first of each key is the object's own; those of subobjects follow.
        let first = |key: &str| entry.leaves(&[key])[0].parse::<u64>().expect(key);
        assert_eq!(object["class"], first("rsvp.object"), "{at}");
        assert_eq!(object["c_type"], first("rsvp.ctype"), "{at}");
        assert_eq!(length, first("rsvp.length"), "{at}");
        fields(&at, object, entry);
    }
}

/// tshark's names of values, and ours. A name without one of ours says nothing that another does not.
const FIELDS: &[(&str, &[&str])] = &[
    ("rsvp.session.ip", &["destination", "tunnel_end_point"]),
    ("rsvp.session.proto", &["protocol"]),
    ("rsvp.session.flags", &["flags"]),
    ("rsvp.session.port", &["port"]),
    ("rsvp.session.tunnel_id", &["tunnel_id"]),
    ("rsvp.session.ext_tunnel_id", &["extended_tunnel_id"]),
    ("rsvp.hop.neighbor_address_ipv4", &["address"]),
    ("rsvp.hop.logical_interface", &["lih"]),
    ("rsvp.refresh_interval", &["refresh_ms"]),
    ("rsvp.sender.ip", &["address", "tunnel_sender"]),
    ("rsvp.sender.port", &["port"]),
    ("rsvp.sender.lsp_id", &["lsp_id"]),
    ("rsvp.tspec.message_format_version", &["message_version"]),
    ("rsvp.flowspec.message_format_version", &["message_version"]),
    ("rsvp.adspec.message_format_version", &["message_version"]),
    ("rsvp.tspec.service_header", &["service"]),
    ("rsvp.flowspec.service_header", &["service"]),
    ("rsvp.adspec.service_header", &["service"]),
    ("rsvp.adspec.break_bit", &["break_bit"]),
    ("rsvp.parameter", &["parameter"]),
    ("rsvp.adspec.type", &["parameter"]),
    ("rsvp.tspec.token_bucket_rate", &["rate_bytes_per_s"]),
    ("rsvp.tspec.token_bucket_size", &["bucket_bytes"]),
    ("rsvp.tspec.peak_data_rate", &["peak_bytes_per_s"]),
    ("rsvp.flowspec.token_bucket_rate", &["rate_bytes_per_s"]),
    ("rsvp.flowspec.token_bucket_size", &["bucket_bytes"]),
    ("rsvp.flowspec.peak_data_rate", &["peak_bytes_per_s"]),
    ("rsvp.minimum_policed_unit", &["min_policed_unit_bytes"]),
    ("rsvp.maximum_packet_size", &["max_packet_bytes"]),
    (
        "rsvp.adspec.uint",
        &["hops", "latency_us", "mtu_bytes", "ctot_bytes", "dtot_us", "csum_bytes", "dsum_us"],
    ),
    ("rsvp.adspec.float", &["bandwidth_bytes_per_s"]),
    ("rsvp.message_id.flags", &["flags"]),
    ("rsvp.message_id.epoch", &["epoch"]),
    ("rsvp.message_id.message_id", &["message_identifier", "message_id"]),
    ("rsvp.confirm.receiver_address_ipv4", &["address"]),
    ("rsvp.style.flags", &["flags"]),
    ("rsvp.style.style", &["style"]),
    ("rsvp.error.error_node_ipv4", &["node"]),
    ("rsvp.error_flags", &["flags"]),
    ("rsvp.error.error_code", &["code"]),
    ("rsvp.error_value", &["value"]),
    ("rsvp.loose_hop", &["loose"]),
    ("rsvp.ero_rro_subobjects.ipv4_hop", &["address"]),
    ("rsvp.ero_rro_subobjects.prefix_length", &["prefix_length"]),
    ("rsvp.session_attribute.setup_priority", &["setup_priority"]),
    ("rsvp.session_attribute.hold_priority", &["holding_priority"]),
    ("rsvp.session_attribute.flags", &["flags"]),
    ("rsvp.session_attribute.name_length", &["session_name_length", "name_length"]),
    ("rsvp.session_attribute.name", &["session_name"]),
    ("rsvp.hello.source_instance", &["src_instance"]),
    ("rsvp.hello.destination_instance", &["dst_instance"]),
    ("rsvp.restart_cap.restart_time", &["restart_time_ms"]),
    ("rsvp.restart_cap.recovery_time", &["recovery_time_ms"]),
    ("rsvp.label_request.l3pid", &["l3pid"]),
    ("rsvp.label.label", &["label"]),
    // The object's own, compared above; and lengths of parts, which the values after them would not survive being wrong.
    ("rsvp.object", &[]),
    ("rsvp.ctype", &[]),
    ("rsvp.length", &[]),
    ("rsvp.data_length", &[]),
    ("rsvp.parameter_length", &[]),
    ("rsvp.adspec.len", &[]),
    ("rsvp.ero_rro_subobjects.length", &[]),
    // Of a subobject; the name of the kind of its object says the same.
    ("rsvp.type", &[]),
    ("rsvp.parameter_flags", &[]),
    // The same number under another name, a part of a word that is compared whole, and a reserved field.
    ("rsvp.extended_tunnel_id", &[]),
    ("rsvp.session.short_call_id", &[]),
    ("rsvp.sender.short_call_id", &[]),
    // No values.
    ("rsvp.obj_private", &[]),
    ("rsvp.invalid_length", &[]),
];

/// Objects that one of both sides does not look into.
fn opaque(object: &Value) -> bool {
    object.get("bytes").is_some()
        && matches!(object["class"].as_u64(), Some(23 | 125 | 131 | 134 | 205 | 229))
}

fn fields(at: &str, object: &Value, entry: &Json) {
    // A body that is malformed is not told apart here; tshark shows its beginning.
    if opaque(object) || object.get("error").is_some() {
        return;
    }
    for key in entry.keys() {
        let part = key.starts_with("rsvp.ctype.")
            || key.starts_with("rsvp.sa.flags.")
            || key.starts_with("rsvp.error_flags.");
        if part || !key.starts_with("rsvp.") {
            continue;
        }
        let Some((_, names)) = FIELDS.iter().find(|(theirs, _)| *theirs == key) else {
            assert!(
                object.get("bytes").is_some() || object["class"] == 205 || object["class"] == 134,
                "{at}: {key} is not compared"
            );
            continue;
        };
        if names.is_empty() {
            continue;
        }
        let mut ours = Vec::new();
        gather(object, names, &mut ours);
        let theirs = entry.leaves(&[key]);
        assert_eq!(ours.len(), theirs.len(), "{at}: {key}: {ours:?} {theirs:?}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            same(&format!("{at}: {key}"), ours, theirs);
        }
    }
}

/// All values under some names, at any depth, in order.
fn gather<'v>(value: &'v Value, names: &[&str], found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, names, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                if names.contains(&key.as_str()) {
                    found.push(value);
                } else {
                    gather(value, names, found);
                }
            }
        }
        _ => {}
    }
}

/// tshark has texts: decimal or hexadecimal numbers, six digits of floats, addresses sometimes as numbers.
fn same(at: &str, ours: &Value, theirs: &str) {
    let number = match theirs.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => theirs.parse().ok(),
    };
    let equal = match ours {
        Value::Bool(set) => number == Some(u64::from(*set)),
        Value::Number(value) if value.is_f64() => {
            let (ours, theirs) = (value.as_f64().expect(at), theirs.parse::<f64>().expect(at));
            (ours - theirs).abs() <= theirs.abs() * 1e-5
        }
        Value::Number(value) => value.as_u64() == number,
        Value::String(text) if text == theirs => true,
        Value::String(text) => {
            let address: Option<std::net::Ipv4Addr> = text.parse().ok();
            address.is_some_and(|address| Some(u64::from(u32::from(address))) == number)
        }
        _ => false,
    };
    assert!(equal, "{at}: {ours} is not {theirs}");
}

/// What is malformed is in the table, with its offset, and nothing else is.
fn malformed(name: &str, ours: &Value) {
    let frame = ours["frame"].as_u64().expect(name);
    let expected = MALFORMED
        .iter()
        .find(|(capture, first, last, ..)| *capture == name && (*first..=*last).contains(&frame));
    match (expected, ours.get("error")) {
        (None, None) => {}
        (Some((_, _, _, offset, reason)), Some(error)) => {
            assert_eq!(error["offset"], *offset, "{name} packet {frame}: {error}");
            assert!(
                error["reason"].as_str().expect(name).starts_with(reason),
                "{name} packet {frame}: {error}"
            );
        }
        (expected, error) => panic!("{name} packet {frame}: expected {expected:?}, found {error:?}"),
    }
}

/// The checksum that RFC 1071 describes, word by word, over octets of our own finding: the pcap file is taken apart by
/// hand.
#[test]
fn checksum_verdicts_are_computed_again() {
    let Some(folder) = folder() else { return };
    for (name, _) in CAPTURES {
        let file = fs::read(folder.join(format!("{name}.pcap"))).expect(name);
        let ours = json(&[], &file);
        let word =
            |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize;
        let link = match word(20) {
            101 => 0,
            276 => 20,
            other => panic!("link type {other}"),
        };
        let (mut at, mut messages) = (24, ours.iter());
        while at < file.len() {
            let frame = &file[at + 16 + link..at + 16 + word(at + 8)];
            at += 16 + word(at + 8);
            let total = usize::from(u16::from_be_bytes([frame[2], frame[3]])).min(frame.len());
            let octets = &frame[usize::from(frame[0] & 15) * 4..total];
            let message = messages.next().expect(name);
            assert_eq!(message["checksum"], verdict(octets), "{name}");
            let length = usize::from(u16::from_be_bytes([octets[6], octets[7]]));
            assert_eq!(message["truncated"], length > octets.len(), "{name}");
        }
        assert!(messages.next().is_none(), "{name}");
    }
}

fn verdict(octets: &[u8]) -> &'static str {
    let length = usize::from(u16::from_be_bytes([octets[6], octets[7]]));
    if octets[2..4] == [0, 0] {
        return "zero";
    }
    let Some(octets) = octets.get(..length) else { return "unverifiable" };
    let mut sum = 0u32;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    if sum == 0xffff { "ok" } else { "bad" }
}
