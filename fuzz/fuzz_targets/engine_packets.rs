//! Runs `rsvp_fuzz::engine::engine_packets` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::engine::engine_packets(octets));
