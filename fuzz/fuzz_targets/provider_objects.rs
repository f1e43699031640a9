//! Runs `rsvp_fuzz::qos::provider_objects` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rsvp_fuzz::qos::provider_objects(octets));
