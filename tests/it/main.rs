//! Integration tests.
mod conformance;
mod control;
mod daemon;
mod decode;
mod decode_captures;
mod decode_hops;
mod decode_layers;
mod decode_links;
mod decode_malformed;
mod decode_options;
mod decode_packed;
mod decode_quoted;
mod dscp_command;
mod dscp_get;
mod encode;
mod engine;
mod engine_packets;
mod in_words;
mod lab;
mod lab_compared;
mod lab_kept;
mod marks;
mod pcaps;
mod programs;
mod qos;
mod readme;
mod rsvp_command;
mod scenarios;
mod search;
mod sim_plain;
mod sim_reading;
mod sim_world;
mod tidy;
mod windows_qos;
mod wire_bundle;
mod wire_corpora;
mod wire_coverage;
mod wire_json;
mod wire_message;
mod wire_properties;
mod wire_rows;
mod wire_tshark;
mod wire_vectors;

/// Says that something was not tested. Past the test runner's capture, which would hide it in a test that passes.
fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{what}");
}
