//! Runs `rsvp_fuzz::command::capture` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::command::capture(octets));
