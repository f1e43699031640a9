//! Runs `rsvp_fuzz::command::encode_json` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::command::encode_json(octets));
