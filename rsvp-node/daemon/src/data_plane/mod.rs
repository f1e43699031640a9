//! The data plane: what keeps the promises of reservations in the kernel (RFC 2205 section 3.11.2).
//!
//! `tc` speaks with the kernel's traffic control, `tree` says which classes there are to be. The daemon does not use
//! them yet.

pub mod tc;
pub mod tree;
