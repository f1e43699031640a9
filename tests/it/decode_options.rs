//! Options of `rsvp decode` for the eyes and for scripts: names of values, keys, `--strict`, clocks, colours, widths.

use serde_json::Value;

use crate::decode::{capture, decode, hex, json, vector};

fn octets(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2).map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect(text)).collect()
}

/// A message of objects, with a checksum of zero.
fn message(kind: u8, objects: &str) -> Vec<u8> {
    let objects = octets(objects);
    let length = ((8 + objects.len()) as u16).to_be_bytes();
    [&[0x10, kind, 0, 0, 64, 0, length[0], length[1]][..], &objects].concat()
}

/// A message with an ERROR_SPEC of 10.0.1.2.
fn error(code: u8, value: u16) -> Vec<u8> {
    message(3, &format!("000c0101 0a000202 11001964 000c0601 0a000102 00{code:02x}{value:04x}"))
}

#[test]
fn error_values_say_what_they_are_made_of() {
    for (code, value, meaning) in [
        (14, 0x0b07, "class 11 (SENDER_TEMPLATE), C-Type 7"),
        (14, 0x0107, "class 1 (SESSION), C-Type 7"),
        (13, 0x7f01, "class 127, C-Type 1"),
        (5, 0x0011, "existing style WF"),
        (5, 0x000a, "existing style FF"),
        (5, 0x0012, "existing style SE"),
        (1, 2, "Requested bandwidth unavailable"),
    ] {
        let text = hex(&[&error(code, value)]);
        let found = &json(&["--hex"], &text)[0]["objects"][1];
        assert_eq!((&found["value"], &found["value_name"]), (&value.into(), &meaning.into()));
        let line = decode(&["--hex"], &text).output;
        assert!(line.contains(&format!(": {meaning} at 10.0.1.2")), "{line}");
        let tree = decode(&["--hex", "-v"], &text).output;
        assert!(tree.contains(&format!("    30    value                   {value} ({meaning})\n")), "{tree}");
        let stats = decode(&["--hex", "--stats"], &text).output;
        assert!(stats.contains(&format!(", value {value} {meaning}")), "{stats}");
    }
    // What has no meaning stays a number, and names lead back to values.
    let found = &json(&["--hex"], &hex(&[&error(5, 0x0013)]))[0]["objects"][1];
    assert_eq!((&found["value"], found.get("value_name")), (&0x13.into(), None));
    let mut said = json(&["--hex"], &hex(&[&error(14, 0x0b07)]))[0].clone();
    said["objects"][1].as_object_mut().expect("an object").remove("value");
    let (status, again, errors) = crate::decode::rsvp(&["encode", "--hex"], said.to_string().as_bytes());
    assert_eq!(status, 0, "{errors}");
    assert_eq!(json(&["--hex"], &again)[0]["objects"][1]["value"], 0x0b07);
}

#[test]
fn special_values_have_names() {
    let adspec =
        "002c0d02 00000009 01000008 04000001 00000001 06000001 7f800000 08000001 ffffffff 0a000001 000005dc";
    for (objects, key, value, name, tree, line) in [
        (
            "00081001 00000003",
            "label",
            3_u64,
            "Implicit NULL",
            "3 (Implicit NULL)",
            "RSVP_LABEL[Implicit NULL]",
        ),
        (
            "00081001 00000000",
            "label",
            0,
            "IPv4 Explicit NULL",
            "0 (IPv4 Explicit NULL)",
            "RSVP_LABEL[IPv4 Explicit NULL]",
        ),
        (
            "00082301 00000002",
            "label",
            2,
            "IPv6 Explicit NULL",
            "2 (IPv6 Explicit NULL)",
            "UPSTREAM_LABEL[IPv6 Explicit NULL]",
        ),
        (
            "000c8301 ffffffff 00000000",
            "restart_time_ms",
            u32::MAX.into(),
            "indeterminate",
            "restart time            4294967295 ms (indeterminate)",
            "restart_time_ms=indeterminate recovery_time_ms=0",
        ),
        (
            adspec,
            "latency_us",
            u32::MAX.into(),
            "indeterminate",
            "4294967295 us (indeterminate)",
            "latency=indeterminate",
        ),
    ] {
        let text = hex(&[&message(1, objects)]);
        let found = json(&["--hex"], &text)[0].to_string();
        assert!(found.contains(&format!("\"{key}\":{value}")), "{found}");
        assert!(found.contains(&format!("\"{key}_name\":\"{name}\"")), "{found}");
        let shown = decode(&["--hex", "-v"], &text).output;
        assert!(shown.contains(tree), "{shown}");
        let shown = decode(&["--hex"], &text).output;
        assert!(shown.contains(line), "{shown}");
    }
    let text = hex(&[&message(2, "00081001 00000010")]);
    assert_eq!(json(&["--hex"], &text)[0]["objects"][0].get("label_name"), None);
    assert!(decode(&["--hex"], &text).output.contains("RSVP_LABEL[16]"));
}

/// Lists of labels have a name for each that is a special one: in record routes by the C-Type, and where the label does not say
/// of what links it is, for the case that these are of MPLS.
#[test]
fn special_labels_in_lists_have_names() {
    for (objects, place, names, tree, line) in [
        (
            "000c1501 0308 0001 00000003",
            "/objects/0/subobjects/0/label_names",
            Some(vec!["Implicit NULL"]),
            "3 (Implicit NULL)",
            "Label 1/3 (Implicit NULL)",
        ),
        (
            "00088102 00000003",
            "/objects/0/label_names",
            Some(vec!["Implicit NULL if MPLS"]),
            "3 (Implicit NULL if MPLS)",
            "SUGGESTED_LABEL[3 (Implicit NULL if MPLS)]",
        ),
        (
            "000c2302 00000000 00000064",
            "/objects/0/label_names",
            Some(vec!["IPv4 Explicit NULL if MPLS", ""]),
            "0 (IPv4 Explicit NULL if MPLS), 100",
            "UPSTREAM_LABEL[0 (IPv4 Explicit NULL if MPLS), 100]",
        ),
        ("00082302 00000064", "/objects/0/label_names", None, "100", "UPSTREAM_LABEL[100]"),
    ] {
        let text = hex(&[&message(1, objects)]);
        let found = json(&["--hex"], &text).remove(0);
        assert_eq!(found.pointer(place).cloned(), names.map(Value::from), "{found}");
        assert!(decode(&["--hex", "-v"], &text).output.contains(tree), "{tree}");
        let shown = decode(&["--hex"], &text).output;
        assert!(shown.contains(line), "{shown}");
        // The numbers lead back.
        let (status, again, errors) = crate::decode::rsvp(&["encode", "--hex"], found.to_string().as_bytes());
        assert_eq!((status, &json(&["--hex"], &again)[0]["objects"]), (0, &found["objects"]), "{errors}");
    }
}

#[test]
fn parameters_that_were_not_processed_are_marked() {
    let adspec =
        "002c0d02 00000009 01000008 04800001 00000003 06000001 49989680 08000001 00000000 0a000001 000005dc";
    let text = hex(&[&message(1, adspec)]);
    let shown = decode(&["--hex"], &text).output;
    assert!(shown.contains("adspec hops=3(INVALID) bw=10Mbit/s latency=0us mtu=1500B"), "{shown}");
    let tree = decode(&["--hex", "-v"], &text).output;
    assert!(tree.contains("IS hop count (parameter 4, flags 0x80 (INVALID)), 8 octets: 3"), "{tree}");
    assert!(tree.contains("composed path MTU (parameter 10, flags 0), 8 octets: 1500 bytes"), "{tree}");
    let found = json(&["--hex"], &text).remove(0);
    let parameter = found.pointer("/objects/0/services/0/parameters/0").expect("a parameter");
    assert_eq!(
        (&parameter["flags"], &parameter["flags_names"]),
        (&128.into(), &serde_json::json!(["INVALID"]))
    );
    let (status, again, errors) = crate::decode::rsvp(&["encode", "--hex"], found.to_string().as_bytes());
    assert_eq!((status, &json(&["--hex"], &again)[0]["objects"]), (0, &found["objects"]), "{errors}");
}

/// What the first bits of a value say, in every form; codes that are not known are called so.
#[test]
fn error_values_that_are_not_globally_defined() {
    for (code, value, said) in [
        (1, 0x2002, "Requested bandwidth unavailable, informational"),
        (2, 0x8001, "organization-specific 1"),
        (21, 0xc001, "service-specific 1"),
    ] {
        let text = hex(&[&error(code, value)]);
        let found = &json(&["--hex"], &text)[0]["objects"][1];
        assert_eq!((&found["value"], &found["value_name"]), (&value.into(), &said.into()));
        let line = decode(&["--hex"], &text).output;
        assert!(line.contains(&format!(": {said} at ")), "{line}");
        let tree = decode(&["--hex", "-v"], &text).output;
        assert!(tree.contains(&format!("{value} ({said})")), "{tree}");
        let stats = decode(&["--hex", "--stats"], &text).output;
        assert!(stats.contains(&format!(", value {value} {said}")), "{stats}");
    }
    let text = hex(&[&error(99, 77)]);
    let line = decode(&["--hex"], &text).output;
    assert!(line.contains("error 99 unknown code: value 77 at "), "{line}");
}

#[test]
fn a_confirmation_is_no_error() {
    let pcap = capture(&[vector("kom-real-3hop-05-resv-conf")]);
    let line = decode(&[], &pcap).output;
    assert!(line.contains(" confirmation at 10.77.1.1 ") && !line.contains("error"), "{line}");
    let stats = decode(&["--stats"], &pcap).output;
    assert!(!stats.contains("\nerror"), "{stats}");
    assert!(json(&["--filter", "error"], &pcap).is_empty());
    assert_eq!(json(&["--filter", "error 0"], &pcap).len(), 1);
}

/// As in `decode.rs`: a Hello of key 7, made with openssl.
const SIGNED: &str = "10140000 40000038
                      00240401 80000000 00000007 00000000 0000002a 8f9165315d87a028e7d9e38fd5ae570b
                      000c1601 11111111 22222222";
/// The same, made with the text `rsvp-secret` for a key:
/// `openssl dgst -md5 -mac hmac -macopt key:rsvp-secret` over the octets with zeros for checksum and digest.
const BY_TEXT: &str = "10140000 40000038
                       00240401 80000000 00000007 00000000 0000002a 339045fb9d6003a871319d61e3da8f2c
                       000c1601 11111111 22222222";

#[test]
fn keys_are_digits_or_text_or_in_a_file() {
    let verdict = |text: &str, keys: &[&str]| -> Value {
        let keys: Vec<_> = keys.iter().flat_map(|key| ["--key", key]).collect();
        let ran = decode(&[&["--hex", "--json"], &keys[..]].concat(), text.as_bytes());
        assert_eq!(ran.status, 0, "{}", ran.errors);
        serde_json::from_str::<Value>(ran.output.trim()).expect("JSON")["integrity"].clone()
    };
    let signed: String = SIGNED.split_whitespace().collect();
    let by_text: String = BY_TEXT.split_whitespace().collect();
    assert_eq!(verdict(&by_text, &["7:md5:text:rsvp-secret"]), "ok");
    assert_eq!(verdict(&by_text, &["7:md5:text:rsvp-secret "]), "bad");
    assert_eq!(verdict(&by_text, &["7:md5:727376702d736563726574"]), "ok");
    let path = std::env::temp_dir().join(format!("rsvp-keys-{}", std::process::id()));
    let named = format!("@{}", path.display());
    let file = |content: &[u8]| std::fs::write(&path, content).expect("a file");
    file(b"# keys of the lab\r\n\n7:md5:0102030405060708090a0b0c0d0e0f10\r\n7:md5:text:rsvp-secret\n");
    assert_eq!(verdict(&signed, &[&named]), "ok");
    assert_eq!(verdict(&by_text, &[&named]), "ok");
    assert_eq!(verdict(&by_text, &["8:sha1:00", &named]), "ok");
    // Blanks around a key, and the mark that some editors begin a text with.
    file("\u{feff}  # keys\n\t7:md5:text:rsvp-secret \t\r\n".as_bytes());
    assert_eq!(verdict(&by_text, &[&named]), "ok");
    let refused = |content: &[u8], why: &str| {
        file(content);
        let ran = decode(&["--hex", "--key", &named], signed.as_bytes());
        assert!(ran.status == 2 && ran.errors.contains(why), "{}", ran.errors);
        assert!(!ran.errors.contains("secret-of-ours"), "{}", ran.errors);
    };
    refused(b"7:md5:00\n7:crc:00\n", ", line 2: `crc` is no algorithm");
    refused(b"7:md5:secret-of-ours\n", ", line 1: the key must be an even number of hex digits");
    refused(b"7:md5:text:secret-of-ours # ours\n", ", line 1: a comment has a line of its own");
    refused(b"7:md5:0011\t# ours\n", ", line 1: a comment has a line of its own");
    refused(b"# nothing\n", "there is no key in it");
    refused(&[0xff; 40], "a key is a line of text");
    refused(&[b'#'; 70_000], "this is not a file of keys");
    std::fs::remove_file(&path).expect("ours");
    let absent = decode(&["--hex", "--key", &named], signed.as_bytes());
    assert!(absent.status == 2 && absent.errors.contains("No such file"), "{}", absent.errors);
    let empty = decode(&["--hex", "--key", "7:md5:text:"], signed.as_bytes());
    assert!(empty.status == 2 && empty.errors.contains("no key after `text:`"), "{}", empty.errors);
}

#[test]
fn strict_counts_digests_that_are_wrong() {
    let status =
        |arguments: &[&str]| decode(&[&["--hex", "--strict"], arguments].concat(), SIGNED.as_bytes()).status;
    assert_eq!(status(&["--key", "7:md5:0102030405060708090a0b0c0d0e0f10"]), 0);
    assert_eq!(status(&["--key", "7:md5:00"]), 1);
    // Of a key that was not given nothing is known; what is not shown does not count.
    assert_eq!(status(&["--key", "8:md5:00"]), 0);
    assert_eq!(status(&["--key", "7:md5:00", "--filter", "type Path"]), 0);
    assert_eq!(decode(&["--hex", "--key", "7:md5:00"], SIGNED.as_bytes()).status, 0);
}

#[test]
fn flags_of_integrity_are_named() {
    let text = SIGNED.as_bytes();
    assert!(decode(&["--hex"], text).output.contains("flags=0x80(Handshake)"));
    assert!(decode(&["--hex", "-v"], text).output.contains("flags                   0x80 (Handshake)\n"));
    assert_eq!(json(&["--hex"], text)[0]["objects"][0]["flags_names"], serde_json::json!(["Handshake"]));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let pcap = capture(&[
        vector("kom-real-3hop-01-path"),
        vector("kom-real-3hop-03-resv"),
        vector("tcpdump-rsvp_cap-01-hello"),
    ]);
    for form in [&[][..], &["-v"], &["--stats"], &["--ladder"]] {
        let plain = decode(form, &pcap).output;
        assert!(!plain.contains('\x1b'), "{form:?}: output that goes to no terminal has none");
        let never = decode(&[form, &["--color", "never"]].concat(), &pcap).output;
        let always = decode(&[form, &["--color", "always"]].concat(), &pcap).output;
        assert!(always.contains('\x1b'), "{form:?}");
        let without = always.split('\x1b').enumerate();
        let without: String = without
            .map(|(n, part)| if n == 0 { part } else { part.split_once('m').expect("ends").1 })
            .collect();
        assert_eq!((&without, &never), (&plain, &plain), "{form:?}");
    }
    let lines = decode(&["--color", "always"], &pcap).output;
    assert!(
        lines.contains("  \x1b[34mPath\x1b[0m udp ") && lines.contains("  \x1b[32mResv\x1b[0m udp "),
        "{lines}"
    );
    assert!(lines.contains(" \x1b[31m[malformed at octet 2"), "{lines}");
    let json = decode(&["--json", "--color", "always"], &pcap).output;
    assert!(!json.contains('\x1b'));
}

#[test]
fn lines_are_folded_at_a_width() {
    let pcap = capture(&[
        vector("kom-real-3hop-01-path"),
        vector("kom-real-3hop-03-resv"),
        vector("wireshark-mpls-te-01-path"),
    ]);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for width in ["40", "60", "80", "132"] {
        for form in [&[][..], &["-v"], &["--ladder"], &["--stats"]] {
            if width == "40" && form == ["--ladder"] {
                continue;
            }
            let plain = decode(form, &pcap).output;
            let folded = decode(&[form, &["--width", width]].concat(), &pcap).output;
            let widest = folded.lines().map(|line| line.chars().count()).max().expect("lines");
            assert!(widest <= width.parse().expect("a number"), "{form:?} at {width}: {widest}\n{folded}");
            // Nothing is lost but columns without a number, and lanes.
            if form.first().is_none_or(|form| *form == "-v") && width == "80" {
                assert_eq!(words(&folded), words(&plain), "{form:?}");
            }
        }
    }
    let line = decode(&["--width", "60"], &pcap).output;
    assert!(line.lines().nth(1).expect("a second line").starts_with("        "), "{line}");
    let stats = decode(&["--stats", "--width", "80"], &pcap).output;
    let heading = stats.lines().find(|line| line.starts_with("neighbour")).expect(&stats);
    assert_eq!(words(heading), "neighbour messages Path Resv", "{stats}");
    assert_eq!(decode(&["--width", "0"], &pcap).output, decode(&[], &pcap).output);
}

/// A session of RFC 3209 (C-Type 7), which is not RFC 2205's, is read and found like any other.
#[test]
fn sessions_of_other_c_types_are_read() {
    let path = message(
        1,
        "00100107 0a000202 00000004 0a000101 000c0301 0a000101 00000000 00080501 00007530 000c0b07 0a000101 00000001
         00240c02 00000007 01000006 7f000005 47f42400 44bb8000 4e6e6b28 00000040 000005dc",
    );
    let text = hex(&[&path]);
    let line = decode(&["--hex", "--strict"], &text);
    let expected = "Path SESSION[tunnel_end_point=10.0.2.2 tunnel_id=4 extended_tunnel_id=10.0.1.1] \
                    SENDER_TEMPLATE[tunnel_sender=10.0.1.1 lsp_id=1] hop 10.0.1.1/0 R=30s";
    assert!(line.status == 0 && line.output.contains(expected), "{}", line.output);
    assert_eq!(json(&["--hex", "--filter", "session 10.0.2.2 and class SESSION"], &text).len(), 1);
}

/// What a person sees: in a pseudo terminal, made by script(1).
#[test]
fn a_terminal_has_colours_and_its_width() {
    let pcap = capture(&[vector("kom-real-3hop-01-path"), vector("kom-real-3hop-03-resv")]);
    let path = std::env::temp_dir().join(format!("rsvp-terminal-{}.pcap", std::process::id()));
    std::fs::write(&path, &pcap).expect("a file");
    let rsvp = crate::programs::folder().join("rsvp");
    let shown = |environment: &str, arguments: &str| {
        let command =
            format!("stty cols 62 && {environment} {} decode {arguments} {}", rsvp.display(), path.display());
        let done = std::process::Command::new("script").args(["-qec", &command, "/dev/null"]).output();
        let done = done.expect("script(1) runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stdout).expect("text")
    };
    let coloured = shown("env -u NO_COLOR", "");
    assert!(coloured.contains("\x1b[34mPath\x1b[0m"), "{coloured}");
    for form in ["", "-v", "--stats", "--ladder"] {
        let plain = shown("NO_COLOR=1", form);
        assert!(!plain.contains('\x1b'), "{plain}");
        let widest = plain.lines().map(|line| line.chars().count()).max().expect("lines");
        assert!(widest <= 62, "{form}: {widest}\n{plain}");
        let wide = shown("NO_COLOR=1", &format!("--width 0 {form}"));
        assert!(wide.lines().any(|line| line.len() > 62), "{form}: {wide}");
    }
    std::fs::remove_file(&path).expect("ours");
}

#[test]
fn times_by_the_clock_of_the_machine() {
    // In a process of its own, which may have a time zone of its own.
    let pcap = capture(&[vector("kom-real-3hop-01-path")]);
    let path = std::env::temp_dir().join(format!("rsvp-clock-{}.pcap", std::process::id()));
    std::fs::write(&path, &pcap).expect("a file");
    let shown = |zone: &str, arguments: &[&str]| {
        let mut rsvp = std::process::Command::new(crate::programs::folder().join("rsvp"));
        let done = rsvp.arg("decode").args(arguments).arg(&path).env("TZ", zone).output().expect("runs");
        (
            done.status.code(),
            String::from_utf8(done.stdout).expect("text"),
            String::from_utf8(done.stderr).expect("text"),
        )
    };
    // POSIX's form, which needs no data: three hours and a half before UTC, two hours after it in summer.
    let (_, line, _) = shown("XXX3:30", &["--local-time"]);
    assert!(line.contains("  06:21:00.000000  "), "{line}");
    let (_, tree, _) = shown("XXX3:30", &["--local-time", "-v"]);
    assert!(tree.starts_with("frame 1  2026-11-21 06:21:00.000000-03:30  "), "{tree}");
    let (_, stats, _) = shown("CET-1CEST,M3.5.0,M10.5.0/3", &["--local-time", "--stats"]);
    assert!(stats.contains("from 2026-11-21 10:51:00.000000+01:00 to 2026"), "{stats}");
    let (_, tree, _) = shown("XXX3:30", &["-v"]);
    assert!(tree.starts_with("frame 1  2026-11-21 09:51:00.000000Z  "), "{tree}");
    let (status, _, errors) = shown("No/Such_Zone", &["--local-time"]);
    assert!(status == Some(2) && errors.contains("the time zone of this machine cannot be read"), "{errors}");
    // JSON says the time as it is, in UTC.
    let (status, _, errors) = shown("XXX3:30", &["--local-time", "--json"]);
    assert!(status == Some(2) && errors.contains("cannot be used with"), "{errors}");
    // West of Greenwich a capture whose clock began at zero begins in 1969.
    std::fs::write(&path, crate::decode_layers::pcap(101, &[crate::decode_layers::rsvp()])).expect("a file");
    let (_, line, _) = shown("EST5", &["--local-time"]);
    assert!(line.contains("  19:00:00.000250  "), "{line}");
    let (_, tree, _) = shown("EST5", &["--local-time", "-v"]);
    assert!(tree.starts_with("frame 1  1969-12-31 19:00:00.000250-05:00  "), "{tree}");
    std::fs::remove_file(&path).expect("ours");
}
