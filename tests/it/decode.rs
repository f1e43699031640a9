//! `rsvp decode` as a user sees it: the forms of output, filters, keys and exit statuses.
//!
//! Messages are those of `vectors/`, captured from real routers.

use std::ffi::OsString;
use std::io::Cursor;

use rsvp_cli::{Streams, run};
use serde_json::Value;

/// What a run of the command left behind.
pub(crate) struct Ran {
    pub(crate) status: u8,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs `rsvp` with some arguments and standard input.
pub(crate) fn rsvp(arguments: &[&str], input: &[u8]) -> (u8, Vec<u8>, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("rsvp").chain(arguments.iter().copied()).map(OsString::from);
    let streams = Streams {
        input: Box::new(Cursor::new(input)),
        output: Box::new(&mut output),
        errors: Box::new(&mut errors),
        prompt: false,
    };
    let status = run(arguments, streams);
    (status, output, String::from_utf8(errors).expect("text"))
}

/// Runs `rsvp decode`.
pub(crate) fn decode(arguments: &[&str], input: &[u8]) -> Ran {
    let (status, output, errors) = rsvp(&[&["decode"], arguments].concat(), input);
    Ran { status, output: String::from_utf8(output).expect("text"), errors }
}

/// The JSON of every message.
pub(crate) fn json(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let ran = decode(&[&["--json"], arguments].concat(), input);
    assert_eq!(ran.status, 0, "{}", ran.errors);
    ran.output.lines().map(|line| serde_json::from_str(line).expect("a line is one JSON")).collect()
}

/// Packets as hex digits, as `--hex` reads them.
pub(crate) fn hex(packets: &[&[u8]]) -> Vec<u8> {
    let digits = |packet: &&[u8]| packet.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    packets.iter().map(digits).collect::<Vec<_>>().join("\n\n").into_bytes()
}

/// The octets of a vector.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let found = crate::wire_vectors::all().into_iter().find(|vector| vector.name == name);
    found.unwrap_or_else(|| panic!("no vector {name}")).octets
}

/// A raw-IP capture of some messages from 10.0.0.1 to 10.0.0.2, one second apart, with Router Alert.
pub(crate) fn capture(messages: &[Vec<u8>]) -> Vec<u8> {
    let lines: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(second, octets)| {
            let bytes: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            format!(
                r#"{{"time":"2026-11-21T09:51:{second:02}.000000Z","src":"10.0.0.1","dst":"10.0.0.2","ttl":63,
                    "router_alert":true,"bytes":"{bytes}"}}"#
            )
        })
        .collect();
    let (status, pcap, errors) = rsvp(&["encode"], lines.join("\n").as_bytes());
    assert_eq!(status, 0, "{errors}");
    pcap
}

fn reservation() -> Vec<u8> {
    capture(&[
        vector("kom-real-3hop-01-path"),
        vector("kom-real-3hop-03-resv"),
        vector("kom-real-3hop-05-resv-conf"),
        vector("tcpdump-rsvp_cap-01-hello"),
    ])
}

#[test]
fn one_line_per_message() {
    let ran = decode(&[], &reservation());
    let lines: Vec<_> = ran.output.lines().collect();
    assert_eq!((ran.status, lines.len()), (0, 4), "{}", ran.output);
    assert_eq!(
        lines[0],
        "     1  09:51:00.000000  10.0.0.1 > 10.0.0.2  Path udp 10.77.2.2:7001 from 10.77.1.1:5001 hop 10.77.1.1/1 R=30s \
         tspec 80kbit/s b=2000B p=96kbit/s m=64B M=1500B adspec hops=1 bw=inf latency=0us mtu=2147483647B"
    );
    assert!(
        lines[3]
            .ends_with("[malformed at octet 2: the checksum is wrong: the message was damaged on its way]")
    );
}

#[test]
fn the_tree_has_names_units_and_offsets() {
    let ran = decode(&["-v"], &reservation());
    let tree: Vec<_> = ran.output.lines().take_while(|line| !line.is_empty()).collect();
    let expected = [
        "frame 1  2026-11-21 09:51:00.000000Z  10.0.0.1 > 10.0.0.2  ttl 63  Router Alert",
        "     0  Path (type 1): version 1, flags 0x1, checksum 0x35e0 (ok), Send_TTL 127, 132 octets",
        "     8  IPv4/UDP SESSION (class 1, C-Type 1), 12 octets",
        "    12    destination             10.77.2.2",
        "    16    protocol                17 (udp)",
    ];
    assert_eq!(tree[..5], expected, "{}", ran.output);
    for line in [
        "    36    refresh                 30000 ms",
        "    68        rate                    10000 bytes/s (80 kbit/s)",
        "    76        peak                    12000 bytes/s (96 kbit/s)",
    ] {
        assert!(tree.contains(&line), "{line}\n{}", ran.output);
    }
    // Offsets never go back within a message.
    let offsets: Vec<u16> = tree[1..].iter().map(|line| line[..6].trim().parse().expect(line)).collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
    assert!(ran.output.contains("     2  MALFORMED: the checksum is wrong"), "{}", ran.output);
}

#[test]
fn filters_choose() {
    let pcap = reservation();
    let shown = |filter: &str| {
        json(&["--filter", filter], &pcap).iter().map(|m| m["frame"].as_u64()).collect::<Vec<_>>()
    };
    let frames = |frames: &[u64]| frames.iter().copied().map(Some).collect::<Vec<_>>();
    for (filter, expected) in [
        ("type Path", &[1][..]),
        ("type resvconf or type 20", &[3, 4]),
        ("session udp 10.77.2.2:7001", &[1, 2, 3]),
        ("session 10.77.2.2", &[1, 2, 3]),
        ("session 10.77.2.2:7002", &[]),
        ("address 10.77.2.2/32 and not class STYLE", &[1]),
        ("src 10.0.0.0/24 and dst 10.0.0.2", &[1, 2, 3, 4]),
        ("address 10.77.1.1", &[1, 2, 3]),
        ("class flowspec", &[2, 3]),
        ("error", &[]),
        ("error 0/0", &[3]),
        ("error 1", &[]),
        ("malformed", &[4]),
    ] {
        assert_eq!(shown(filter), frames(expected), "{filter}");
    }
    let wrong = decode(&["--filter", "type Pfad"], &pcap);
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.errors.contains("`Pfad` (at character 5) does not fit; expected: type Path"),
        "{}",
        wrong.errors
    );
}

#[test]
fn counts() {
    let ran = decode(&["--stats"], &reservation());
    let words = |start: &str| {
        let line = ran.output.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{start}\n{}", ran.output))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(
        ran.output.starts_with("4 messages in 4 frames, 1 malformed, 1 sessions, 3 neighbours\n"),
        "{}",
        ran.output
    );
    assert_eq!(words("Path "), "Path 1");
    assert_eq!(words("udp 10.77.2.2:7001"), "udp 10.77.2.2:7001 3 1 1 0 0 0 0 1 0 0");
    assert_eq!(words("10.77.2.2 "), "10.77.2.2 1 0 1 0 0 0 0 0 0 0");
    assert!(!ran.output.contains("Confirmation"), "a confirmation is no error: {}", ran.output);
    assert_eq!(words("the checksum is wrong"), "the checksum is wrong: the message was damaged on its way 1");
}

#[test]
fn sequence_diagrams() {
    let pcap = capture(&[vector("kom-real-3hop-01-path"), vector("kom-real-3hop-03-resv")]);
    let ladder = decode(&["--ladder"], &pcap).output;
    let lines: Vec<_> =
        ladder.lines().filter(|line| line.contains("*")).map(|line| line[34..].trim_end()).collect();
    // The Path starts at its RSVP_HOP, the Resv at its source.
    assert_eq!(lines[0], "*-Path-------------->                   |  udp 10.77.2.2:7001", "{ladder}");
    assert_eq!(
        lines[1], "|                   <-Resv--------------*  udp 10.77.2.2:7001, style FF",
        "{ladder}"
    );
    // Three lanes are enough for three nodes; of two lanes one is that of the others.
    let narrow = decode(&["--ladder", "--lanes", "3"], &pcap).output;
    assert!(!narrow.contains("others"), "{narrow}");
    let narrow = decode(&["--ladder", "--lanes", "2"], &pcap).output;
    assert!(narrow.contains("others") && narrow.contains("10.77.1.1 > 10.0.0.2"), "{narrow}");

    let path = std::env::temp_dir().join(format!("rsvp-decode-{}.svg", std::process::id()));
    let ran = decode(&["--svg", path.to_str().expect("UTF-8")], &pcap);
    let svg = std::fs::read_to_string(&path).expect("written");
    std::fs::remove_file(&path).expect("ours");
    assert_eq!((ran.status, ran.output.as_str()), (0, ""));
    assert_eq!((svg.matches("marker-end").count(), svg.matches("font-weight=\"bold\"").count()), (2, 3));
    assert!(svg.contains(">Resv</text>") && svg.ends_with("</svg>\n"));
}

#[test]
fn exit_statuses() {
    let damaged = capture(&[vector("tcpdump-rsvp_cap-01-hello")]);
    assert_eq!(decode(&[], &damaged).status, 0);
    assert_eq!(decode(&["--strict"], &damaged).status, 1);
    assert_eq!(decode(&["--strict", "--filter", "type Path"], &damaged).status, 0);
    assert_eq!(decode(&["--strict"], &capture(&[vector("kom-real-3hop-01-path")])).status, 0);
    let nothing = decode(&[], b"");
    assert_eq!(nothing.status, 2);
    assert!(nothing.errors.contains("standard input: this is no capture file"), "{}", nothing.errors);
    let absent = decode(&["/nonexistent.pcap"], b"");
    assert_eq!(absent.status, 2);
    assert!(absent.errors.starts_with("rsvp decode: /nonexistent.pcap: No such file"), "{}", absent.errors);
    let absent = decode(&["--interface", "nonexistent0"], b"");
    assert_eq!(absent.status, 2);
    assert!(absent.errors.contains("there is no interface `nonexistent0`; there are: "), "{}", absent.errors);
}

/// A Hello with an INTEGRITY object of key 7, laid out by hand from RFC 2747 2.1; the digest is `HMAC-MD5`, made with
/// `openssl dgst -md5 -mac hmac -macopt hexkey:0102030405060708090a0b0c0d0e0f10` over the octets with zeros for checksum
/// and digest.
const SIGNED: &str = "10140000 40000038
                      00240401 80000000 00000007 00000000 0000002a 8f9165315d87a028e7d9e38fd5ae570b
                      000c1601 11111111 22222222";

#[test]
fn integrity_digests() {
    const KEY: &str = "7:md5:0102030405060708090a0b0c0d0e0f10";
    let digits: String = SIGNED.split_whitespace().collect();
    let text = digits.as_bytes();
    let verdict = |keys: &[&str], text: &[u8]| {
        let keys: Vec<_> = keys.iter().flat_map(|key| ["--key", key]).collect();
        json(&[&["--hex"], &keys[..]].concat(), text)[0]["integrity"].clone()
    };
    assert_eq!(verdict(&[KEY], text), "ok");
    assert_eq!(verdict(&["7:hmac-md5:00", KEY], text), "ok");
    assert_eq!(verdict(&["7:md5:00"], text), "bad");
    assert_eq!(verdict(&["7:sha256:0102030405060708090a0b0c0d0e0f10"], text), "bad");
    assert_eq!(verdict(&["8:md5:00"], text), "unknown-key");
    assert_eq!(verdict(&[], text), Value::Null);
    // The checksum is not part of what is signed, everything else is.
    let mut other = text.to_vec();
    other[4..8].copy_from_slice(b"abcd");
    assert_eq!(verdict(&[KEY], &other), "ok");
    other[8..10].copy_from_slice(b"41");
    assert_eq!(verdict(&[KEY], &other), "bad");
    for (key, why) in
        [("7:md5", "ID:ALGORITHM:HEX"), ("7:crc:00", "`crc`"), ("x:md5:00", "2^48"), ("7:md5:0", "even")]
    {
        let ran = decode(&["--hex", "--key", key], text);
        assert!(ran.status == 2 && ran.errors.contains(why), "{}", ran.errors);
    }
}
