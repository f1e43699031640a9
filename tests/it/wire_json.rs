//! The JSON contract: what `rsvp decode` writes and `rsvp encode` reads.

use rsvp_wire::Scan;
use serde_json::Value;

use crate::wire_vectors;

/// The JSON of octets.
pub(crate) fn decoded(octets: &[u8]) -> Value {
    serde_json::to_value(Scan::new(octets)).expect("everything has a JSON form")
}

#[test]
fn every_vector_has_a_json_form() {
    for vector in wire_vectors::all() {
        let json = serde_json::to_string(&Scan::new(&vector.octets)).expect(&vector.name);
        println!("{} {json}", vector.name);
    }
}
