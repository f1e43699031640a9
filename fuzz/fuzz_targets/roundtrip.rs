//! Runs `rsvp_fuzz::roundtrip` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::roundtrip(octets));
