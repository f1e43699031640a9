//! Runs `rsvp_fuzz::world` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::world(octets));
