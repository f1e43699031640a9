//! Every way in which a message can be malformed, each with the exact octet that is named.
//!
//! Laid out by hand from RFC 2205 3.1.1 and 3.1.2; checksums are zero (not transmitted) unless they are what is wrong.

use crate::decode::{capture, decode, hex, json};

/// What it is, the message, the offset that is named, how the reason starts, and how many objects are shown.
const TABLE: &[(&str, &str, u64, &str, usize)] = &[
    ("nothing", "", 0, "the message ends early", 0),
    ("less than a header", "10010000 4000", 6, "the message ends early", 0),
    ("version 2", "20010000 40000008", 0, "the protocol version is not 1", 0),
    ("Length 4", "10010000 40000004", 6, "the header's Length", 0),
    ("Length 10", "10010000 4000000a 0000", 6, "the header's Length", 0),
    ("Length below the octets", "10010000 40000008 00000000", 6, "the header's Length", 0),
    ("Length above the octets", "10010000 40000010 00080501 00", 13, "the message ends early", 0),
    ("an object that is missing", "10010000 40000014 00080501 00007530", 16, "the message ends early", 1),
    ("an object of length 0", "10010000 40000010 00080501 00007530", 0, "", 1),
    ("an object of length 0", "10010000 4000000c 00000501", 8, "an object's Length is below 4", 0),
    ("an object of length 3", "10010000 4000000c 00030501", 8, "an object's Length is below 4", 0),
    ("an object of length 6", "10010000 40000010 00060501 00000000", 8, "an object's Length is below 4", 0),
    ("an object past the end", "10010000 40000010 000c0501 00007530", 8, "an object goes past the end", 0),
    (
        "the second object past the end",
        "10010000 40000018 00080501 00007530 000c0301 0a000001",
        16,
        "an object goes past the end",
        1,
    ),
    ("a wrong checksum", "10011234 40000010 00080501 00007530", 2, "the checksum is wrong", 1),
    (
        "a wrong checksum and a worse thing",
        "10011234 4000000c 00000501",
        8,
        "an object's Length is below 4",
        0,
    ),
    (
        "a TIME_VALUES too long",
        "10010000 40000014 000c0501 00007530 00000000",
        16,
        "an object's body does not",
        1,
    ),
    ("an RSVP_HOP too short", "10010000 40000010 00080301 0a000001", 16, "an object's body does not", 1),
    (
        "a TSPEC with a rate that is no number",
        "10010000 4000002c 00240c02 00000007 01000006 7f000005 7fc00000 44fa0000 463b8000 00000040 000005dc",
        24,
        "a field of the object has a value",
        1,
    ),
    (
        "a message of a Bundle with an object of length 0",
        "100c0000 40000014 10010000 4000000c 00000501",
        16,
        "an object's Length is below 4",
        0,
    ),
    ("a Bundle with half a message", "100c0000 4000000c 10010000", 8, "", 0),
];

fn octets(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2).map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect(text)).collect()
}

#[test]
fn each_is_reported_with_its_offset_and_reason() {
    for (what, message, offset, reason, objects) in TABLE {
        // As hex digits an empty message would be no message, so all of them go through IP.
        let found = json(&[], &capture(&[octets(message)]));
        let [found] = found.as_slice() else { panic!("{what}: {found:?}") };
        assert_eq!(found["objects"].as_array().map(Vec::len), Some(*objects), "{what}: {found}");
        match found.get("error") {
            None => assert_eq!((*offset, *reason), (0, ""), "{what}: {found}"),
            Some(error) => {
                assert_eq!(error["offset"], *offset, "{what}: {error}");
                assert!(error["reason"].as_str().expect(what).starts_with(reason), "{what}: {error}");
            }
        }
    }
}

#[test]
fn all_forms_name_the_same_octet_and_go_on() {
    for (what, message, offset, reason, _) in
        TABLE.iter().filter(|(_, message, _, reason, _)| !reason.is_empty() && !message.is_empty())
    {
        let sound = octets("10010000 40000010 00080501 00007530");
        let packets = capture(&[octets(message), sound]);
        let line = decode(&["--strict"], &packets);
        assert_eq!((line.status, line.output.lines().count()), (1, 2), "{what}");
        assert!(
            line.output.contains(&format!("[malformed at octet {offset}: {reason}")),
            "{what}: {}",
            line.output
        );
        let tree = decode(&["-v"], &packets).output;
        assert!(tree.contains(&format!("\n{offset:>6}  MALFORMED: {reason}")), "{what}: {tree}");
        assert!(tree.contains("\nframe 2 "), "{what}: {tree}");
        let stats = decode(&["--stats"], &packets).output;
        assert!(stats.starts_with("2 messages in 2 frames, 1 malformed"), "{what}: {stats}");
    }
}

#[test]
fn octets_after_what_can_be_read_are_shown() {
    let message = octets("10010000 40000010 000c0501 00007530");
    let found = &json(&["--hex"], &hex(&[&message]))[0];
    assert_eq!(
        (&found["bytes"], &found["truncated"]),
        (&"000c050100007530".into(), &false.into()),
        "{found}"
    );
}
