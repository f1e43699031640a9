//! Runs `rsvp_fuzz::object` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::object(octets));
