//! The tests of a session that is taken for a large one, here too: faults that are put into the engine on purpose are looked for by these tests.

#[path = "../../../rsvp-node/tests/histories.rs"]
mod as_small;
