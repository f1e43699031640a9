//! A deterministic simulator: virtual hosts, routers, links and LANs that run the real RSVP engine in virtual time.
//!
//! A [`Scenario`] is read from a TOML file. One seed and virtual time decide everything; nothing here reads a clock,
//! opens a socket or starts a thread.

pub mod facts;
pub mod scenario;

pub use scenario::{Scenario, ScenarioError};
