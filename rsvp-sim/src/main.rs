//! rsvp-sim
fn main() {}
