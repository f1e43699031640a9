//! A deterministic simulator: virtual hosts, routers, links and LANs that run the real RSVP engine in virtual time.
//!
//! A [`Scenario`] is read from a TOML file, a [`World`] runs it, a [`Report`] says what happened and which expectations
//! held. One seed and virtual time decide everything; nothing here reads a clock, opens a socket or starts a thread.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod capture;
pub mod facts;
pub use rsvp_node::journal;
#[cfg(feature = "lab")]
pub mod lab;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod search;
pub mod world;

mod describe;
mod judge;

pub use judge::{Verdict, judge, judge_one};
pub use report::{Look, Report};
pub use scenario::{Scenario, ScenarioError};
pub use world::World;
