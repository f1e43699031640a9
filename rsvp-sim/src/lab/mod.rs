//! Scenarios on real kernels: a network namespace and an `rsvpd` for every node, veth pairs and bridges between them.
//!
//! Addresses, routes and multicast trees are those that the simulator computes; what is expected is judged by the same
//! judge, on what the daemons list, what applications are told, and what the lab itself captures on the links. Time is
//! real, and runs faster than the scenario's by the lab's speed. Nothing of RSVP is decided here.

mod capture;
mod clock;
mod error;
mod multicast;
mod namespace;
mod routes;
mod sys;
mod wiring;

#[cfg(test)]
mod testing;

pub use error::LabError;
