//! `rsvp encode`: messages from JSON, right and deliberately wrong.

use serde_json::{Value, json};

use crate::decode::{decode, hex, json, rsvp};
use crate::wire_vectors;

fn encode(arguments: &[&str], lines: &[Value]) -> Result<Vec<u8>, String> {
    let text: Vec<_> = lines.iter().map(Value::to_string).collect();
    let (status, output, errors) = rsvp(&[&["encode"], arguments].concat(), text.join("\n").as_bytes());
    if status == 0 { Ok(output) } else { Err(errors) }
}

/// The octets in `--hex` output.
fn octets(output: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8(output.to_vec()).expect("text");
    let message = |lines: &str| {
        let digits: String =
            lines.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
        (0..digits.len() / 2)
            .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("hex"))
            .collect()
    };
    text.split("\n\n").map(message).collect()
}

#[test]
fn what_was_decoded_is_encoded_to_the_same_octets() {
    for vector in wire_vectors::all() {
        let decoded = json(&["--hex"], &hex(&[&vector.octets]));
        let encoded = encode(&["--hex", "--raw"], &decoded).expect(&vector.name);
        assert_eq!(octets(&encoded), std::slice::from_ref(&vector.octets), "{}", vector.name);
        // A sound message comes out the same without --raw: its lengths and its checksum can be computed.
        if decoded[0].get("error").is_none() {
            let encoded = encode(&["--hex"], &decoded).expect(&vector.name);
            assert_eq!(octets(&encoded), [vector.octets], "{}", vector.name);
        }
    }
}

#[test]
fn a_message_from_nothing() {
    let message = json!({
        "time": "2026-11-21T09:51:03.364851Z", "src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 9, "router_alert": true,
        "message": "Path", "msg_type": 1, "send_ttl": 9,
        "objects": [{"class": 5, "c_type": 1, "refresh_ms": 30_000}],
    });
    let pcap = encode(&[], &[message]).expect("encodes");
    let found = &json(&[], &pcap)[0];
    for (key, value) in
        [("ttl", json!(9)), ("router_alert", json!(true)), ("checksum", json!("ok")), ("length", json!(16))]
    {
        assert_eq!(found[key], value, "{key}: {found}");
    }
    assert_eq!(found["time"], "2026-11-21T09:51:03.364851Z");
    assert_eq!(found["objects"][0]["refresh_ms"], 30_000);
}

#[test]
fn deliberately_wrong_ones() {
    let message = |length: u16, object: u16| {
        json!({"msg_type": 1, "length": length, "checksum_value": 0x1234,
               "objects": [{"class": 5, "c_type": 1, "length": object, "refresh_ms": 30_000}]})
    };
    let first =
        |arguments: &[&str], message| octets(&encode(arguments, &[message]).expect("encodes"))[0].clone();
    let wrong = first(&["--hex", "--raw"], message(20, 12));
    assert_eq!(wrong, [0x10, 1, 0x12, 0x34, 0, 0, 0, 20, 0, 12, 5, 1, 0, 0, 0x75, 0x30]);
    let right = first(&["--hex"], message(20, 12));
    assert_eq!((&right[6..8], &right[8..10]), (&[0, 16][..], &[0, 8][..]));
}

#[test]
fn around_the_message() {
    let message = |more: Value| {
        let mut message = json!({"msg_type": 20, "objects": []});
        message.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        message
    };
    let around = [
        json!({"src": "fd00::1", "dst": "fd00::2", "ttl": 3, "router_alert": true}),
        json!({"src": "fd00::1", "dst": "fd00::2", "ttl": 3, "router_alert": false}),
        json!({"src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 3, "router_alert": false, "udp_src_port": 1698, "udp_dst_port": 1699}),
        json!({"src": "fd00::1", "dst": "fd00::2", "ttl": 3, "router_alert": true, "udp_src_port": 1698, "udp_dst_port": 1698}),
        json!({"src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 3, "router_alert": true, "time": "2026-11-21T09:51:03.364851001Z"}),
    ];
    for more in around {
        let pcap = encode(&[], &[message(more.clone())]).expect("encodes");
        let found = &json(&[], &pcap)[0];
        for (key, value) in more.as_object().expect("an object") {
            assert_eq!(&found[key], value, "{key}: {found}");
        }
    }
}

#[test]
fn what_cannot_be_encoded_is_said() {
    for (message, arguments, why) in [
        (json!({"msg_type": 1, "objects": []}), &[][..], "message 1: src and dst are missing"),
        (json!({"msg_type": 1, "src": "10.0.0.1", "dst": "fd00::1"}), &[], "must both be IPv4 or both IPv6"),
        (
            json!({"msg_type": 1, "src": "10.0.0.x", "dst": "10.0.0.1"}),
            &[],
            "src: `10.0.0.x` is no IP address",
        ),
        (json!({"msg_type": 1, "src": "10.0.0.1"}), &[], "dst is missing"),
        (json!({"msg_type": 1, "src": "10.0.0.1", "dst": "10.0.0.2", "time": "noon"}), &[], "time: `noon`"),
        (json!({"msg_type": 1, "src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 256}), &[], "ttl: 256"),
        (json!({"msg_type": 256}), &["--hex"], "message 1: "),
        (
            json!({"msg_type": 1, "objects": [{"class": 5, "c_type": 1, "refresh": 1}]}),
            &["--hex"],
            "refresh_ms",
        ),
    ] {
        let error = encode(arguments, &[message]).expect_err(why);
        assert!(error.starts_with("rsvp encode: message 1: ") && error.contains(why), "{error}");
    }
    let (status, _, errors) = rsvp(&["encode", "--hex"], b"{\"msg_type\":1}\n{oops");
    assert_eq!(status, 2);
    assert!(errors.contains("message 2: this is no JSON"), "{errors}");
    assert_eq!(decode(&["--hex"], b"").status, 0);
}
