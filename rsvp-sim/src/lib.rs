//! A deterministic simulator: virtual hosts, routers, links and LANs that run the real RSVP engine in virtual time.
//!
//! A test builds a world in code, lets time pass until something is so, and looks at what nodes and applications have, in the
//! types of the engine:
//!
//! ```
//! use rsvp_sim::{ScenarioError, World};
//!
//! #[test]
//! fn a_viewer_reserves_through_three_routers() -> Result<(), ScenarioError> {
//!     let mut world = World::builder()
//!         .hosts(["studio", "home"])
//!         .routers(["r1", "r2", "r3"])
//!         .link("studio", "r1", |l| l)
//!         .link("r1", "r2", |l| l.rate("10mbit").delay("5ms"))
//!         .link("r2", "r3", |l| l.rate("5mbit").delay("10ms"))
//!         .link("r3", "home", |l| l)
//!         .session("video", |s| s.to("home"))
//!         .sender("camera", "studio", |s| s.rate("2mbit"))
//!         .receiver("viewer", "home", |r| r.style("ff").rate("2mbit").confirm(true))
//!         .build()?;
//!     let confirmed = |w: &World| Ok(w.application("viewer")?.is_confirmed());
//!     assert!(world.run_until_that(confirmed, std::time::Duration::from_secs(5))?);
//!     assert_eq!(world.node("r2")?.reservations()[0].reservation.charge_bps, 2_000_000);
//!     Ok(())
//! }
//! ```
//!
//! [`Builder`] says what there is and [`World`] what can be done between steps: applications change, tear and leave, nodes
//! crash, links go down or are cut or held without notice, packets are put in. A clone of a world goes its own way from there.
//! A name that there is none of is answered with the nearest one and the line that has it; nothing panics.
//!
//! With the feature `client` applications that link `rsvp-client` talk to the nodes of a world as to daemons: `Network`.
//!
//! The same worlds come from TOML files ([`Scenario::parse`]), and a [`Report`] says what happened and which expectations of the
//! file held. One seed and virtual time decide everything; nothing here reads a clock, opens a socket or starts a thread.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![allow(
    clippy::test_attr_in_doctest,
    reason = "the test of the front page is run where it stands as a test"
)]

pub mod capture;
pub mod facts;
pub mod kit;
#[cfg(feature = "client")]
pub mod network;
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
#[cfg(feature = "client")]
pub use network::{Network, NetworkError};
pub use report::{Look, Report};
pub use rsvp_node;
pub use rsvp_wire;
pub use scenario::{Builder, Scenario, ScenarioError};
pub use world::World;
