//! The data plane: what keeps the promises of reservations in the kernel (RFC 2205 section 3.11.2).
//!
//! `bpf` finds flows, polices and marks them. What stands where, and why, is deliberately not decided there.

pub mod bpf;
