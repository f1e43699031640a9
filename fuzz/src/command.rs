//! `rsvp decode` and `rsvp encode` as a user starts them, on any octets.

use std::ffi::OsString;
use std::io::Cursor;

use rsvp_cli::{Streams, run};

/// Exit status, output and what was said of errors.
fn rsvp(arguments: &[&str], input: &[u8]) -> (u8, Vec<u8>, Vec<u8>) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("rsvp").chain(arguments.iter().copied()).map(OsString::from);
    let streams = Streams {
        input: Box::new(Cursor::new(input)),
        output: Box::new(&mut output),
        errors: Box::new(&mut errors),
        prompt: false,
    };
    let status = run(arguments, streams);
    (status, output, errors)
}

/// Octets as a capture file: every form shows the same messages, and what is shown as JSON is encoded to packets that are
/// shown alike.
///
/// # Panics
/// When one of these promises is broken.
pub fn capture(octets: &[u8]) {
    let (status, json, errors) = rsvp(&["decode", "--json"], octets);
    assert!(status == 0 || status == 2 && !errors.is_empty());
    let messages = json.iter().filter(|octet| **octet == b'\n').count();
    let (_, lines, _) = rsvp(&["decode"], octets);
    assert_eq!(lines.iter().filter(|octet| **octet == b'\n').count(), messages, "a line per message");
    let (_, tree, _) = rsvp(&["decode", "-v", "--key", "1:md5:00"], octets);
    let trees = String::from_utf8(tree).expect("the output is text");
    assert_eq!(trees.lines().filter(|line| line.starts_with("frame ")).count(), messages);
    let (_, stats, _) = rsvp(&["decode", "--stats"], octets);
    let json_text = String::from_utf8_lossy(&json);
    let quoted = json_text.lines().filter(|line| line.contains(",\"quoted\":{\"protocol\":\"ICMP")).count();
    let sent = messages - quoted;
    assert!(
        stats.is_empty() && messages == 0 || stats.starts_with(format!("{sent} messages in ").as_bytes())
    );
    rsvp(&["decode", "--ladder"], octets);
    rsvp(&["decode", "--hex"], octets);
    // Lines that are folded, in colours, lose nothing but the spaces they are folded at; names of link types are only read.
    let (_, folded, _) = rsvp(&["decode", "--width", "40", "--color", "always"], octets);
    let plain = |text: &[u8]| text.iter().filter(|octet| !octet.is_ascii_whitespace()).count();
    assert!(plain(&folded) >= plain(&lines), "nothing is left out");
    for link in ["ppp-hdlc", "frelay", "linux-sll", "pppoe", "c-hdlc", "ethernet"] {
        rsvp(&["decode", "--link-type", link], octets);
    }
    rsvp(&["decode", "-v", "--hex", "--link-type", "ethernet", "--width", "20"], octets);
    let (status, digits, errors) = rsvp(&["encode", "--raw", "--hex"], &json);
    assert_eq!(status, 0, "{}", String::from_utf8_lossy(&errors));
    // A message without octets leaves nothing to read in hex digits.
    let (_, again, _) = rsvp(&["decode", "--json", "--hex"], &digits);
    assert!(again.iter().filter(|octet| **octet == b'\n').count() <= messages);
}

/// Octets as the JSON of messages: what is encoded decodes, and that is encoded to the same octets.
///
/// # Panics
/// When one of these promises is broken.
pub fn encode_json(octets: &[u8]) {
    for lengths in [&["encode", "--hex"][..], &["encode", "--hex", "--raw"]] {
        let (status, digits, errors) = rsvp(lengths, octets);
        assert!(status == 0 || status == 2 && !errors.is_empty());
        let (decoded, json, _) = rsvp(&["decode", "--hex", "--json"], &digits);
        let (encoded, again, errors) = rsvp(&["encode", "--hex", "--raw"], &json);
        assert_eq!((decoded, encoded), (0, 0), "{}", String::from_utf8_lossy(&errors));
        let only_digits = |text: &[u8]| -> Vec<u8> {
            let text = String::from_utf8_lossy(text).into_owned();
            text.lines().filter(|line| !line.starts_with('#')).flat_map(str::bytes).collect()
        };
        // Messages that start like IP packets are read as such.
        if json.iter().filter(|o| **o == b'\n').count() == digits.iter().filter(|o| **o == b'#').count()
            && !String::from_utf8_lossy(&json).contains("\"src\":")
        {
            assert_eq!(only_digits(&digits), only_digits(&again));
        }
    }
    rsvp(&["encode"], octets);
}
