//! Runs `rsvp_fuzz::message` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::message(octets));
