//! The JSON contract: what `rsvp decode` writes and `rsvp encode` reads.

use rsvp_wire::Scan;
use rsvp_wire::encode::{self, Lengths};
use serde_json::{Value, json};

use crate::{decode, wire_rows, wire_vectors};

/// The JSON of octets.
pub(crate) fn decoded(octets: &[u8]) -> Value {
    serde_json::to_value(Scan::new(octets)).expect("everything has a JSON form")
}

#[test]
fn every_captured_message_is_encoded_to_its_octets() {
    for vector in wire_vectors::all() {
        let json = decoded(&vector.octets);
        let encoded = encode::message(&json, Lengths::AsGiven, &[]);
        assert_eq!(encoded.as_ref(), Ok(&vector.octets), "{}: {json}", vector.name);
        if json.get("error").is_none() {
            let encoded = encode::message(&json, Lengths::Computed, &[]);
            assert_eq!(encoded.as_ref(), Ok(&vector.octets), "{}: {json}", vector.name);
        }
    }
}

/// The lines of `rsvp decode --json` for messages without IP are the serde form, octet for octet, with the number of the
/// message before it.
#[test]
fn the_command_writes_what_the_serde_form_says() {
    let in_a_message = |object: &[u8]| {
        let length = (8 + object.len()) as u16;
        // Version 1, a Path, no checksum, Send_TTL 63.
        [&[0x10, 1, 0, 0, 63, 0], &length.to_be_bytes()[..], object].concat()
    };
    let rows = wire_rows::all().into_iter().map(|row| in_a_message(&row.octets));
    let messages: Vec<_> = wire_vectors::all().into_iter().map(|vector| vector.octets).chain(rows).collect();
    let octets: Vec<_> = messages.iter().map(Vec::as_slice).collect();
    let ran = decode::decode(&["--json", "--hex"], &decode::hex(&octets));
    let lines: Vec<_> = ran.output.lines().collect();
    assert_eq!((ran.status, lines.len()), (0, messages.len()), "{}", ran.errors);
    // Twice, as what was shown before is not made again.
    let again = decode::decode(&["--json", "--hex"], &decode::hex(&[octets.clone(), octets].concat()));
    for (number, (line, message)) in lines.iter().zip(&messages).enumerate() {
        let form = serde_json::to_string(&Scan::new(message)).expect("everything has a JSON form");
        let expected = format!("{{\"frame\":{},{}", number + 1, &form[1..]);
        // What is wrong with a whole message is said by two judges, who need not begin with the same fault.
        let without_error = |text: &str| {
            let mut json: Value = serde_json::from_str(text).expect("a line is one JSON");
            let error = json.as_object_mut().and_then(|keys| keys.remove("error"));
            (json, error.is_some())
        };
        let (said, form) = (without_error(line), without_error(&expected));
        assert_eq!(said, form);
        if !said.1 {
            assert_eq!(*line, expected);
        }
        let repeated = again.output.lines().nth(messages.len() + number).expect("as many again");
        let body = |line: &str| line.split_once(',').map(|(_, body)| body.to_owned());
        assert_eq!(body(repeated), body(line));
    }
}

#[test]
fn what_cannot_be_encoded_says_where_and_why() {
    let refused =
        |json: Value| encode::message(&json, Lengths::Computed, &[]).map_err(|error| error.to_string());
    let object = |object: Value| json!({"msg_type": 1, "objects": [object]});
    assert_eq!(
        refused(object(
            json!({"class": 1, "c_type": 1, "destinatoin": "10.0.0.1", "protocol": 17, "port": 1})
        )),
        Err("objects[0].destination: is missing".to_owned())
    );
    assert_eq!(
        refused(object(json!({"class": 5, "c_type": 1, "refresh_ms": 30_000, "refesh": 1}))),
        Err("objects[0].refesh: is no key here; did you mean `refresh_ms`?".to_owned())
    );
    assert_eq!(
        refused(object(json!({"class": 5, "c_type": 1, "refresh_ms": -1}))),
        Err("objects[0].refresh_ms: is not a whole number from 0 to 4294967295".to_owned())
    );
    assert_eq!(refused(json!({"msg_typ": 1})), Err("msg_type: is missing".to_owned()));
}
