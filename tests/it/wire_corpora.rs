//! The fuzz corpora, replayed through the bodies of the fuzz targets.

use std::fs;

#[track_caller]
fn replay(target: &str, body: fn(&[u8])) {
    let folder = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect(&folder) {
        let path = entry.expect(&folder).path();
        println!("{}", path.display());
        body(&fs::read(path).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{folder} is empty");
}

#[test]
fn messages() {
    replay("message", rsvp_fuzz::message);
}

#[test]
fn objects() {
    replay("object", rsvp_fuzz::object);
    crate::wire_rows::all().iter().for_each(|vector| rsvp_fuzz::object(&vector.octets[2..]));
}

#[test]
fn worlds() {
    replay("world", rsvp_fuzz::world);
}

#[test]
fn round_trips() {
    replay("roundtrip", rsvp_fuzz::roundtrip);
}

#[test]
fn captures() {
    replay("capture", rsvp_fuzz::command::capture);
}

#[test]
fn json() {
    replay("encode_json", rsvp_fuzz::command::encode_json);
}

#[test]
fn provider_objects() {
    replay("provider_objects", rsvp_fuzz::qos::provider_objects);
}
