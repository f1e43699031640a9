//! The JSON contract: what `rsvp decode` writes and `rsvp encode` reads.

use rsvp_wire::Scan;
use rsvp_wire::encode::{self, Lengths};
use serde_json::{Value, json};

use crate::wire_vectors;

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
