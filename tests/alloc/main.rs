//! Allocation tests.
#[test]
fn placeholder() {}
