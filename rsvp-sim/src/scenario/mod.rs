//! Scenario files: what they say, and how they are read and refused.
//!
//! Reading deliberately resolves every name and unit at once, so that a scenario that was read can be run.

pub mod model;

mod actions;
mod applications;
mod build;
pub(crate) mod error;
pub(crate) mod expectations;
pub(crate) mod index;
pub mod keys;
mod links;
mod loads;
pub(crate) mod names;
mod read;
mod section;
mod sockets;
mod write;

pub use build::Builder;
pub use error::ScenarioError;
pub use model::Scenario;
