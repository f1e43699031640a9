//! The control socket: how applications and people talk to a running engine (`docs/control.md`).
//!
//! [`rsvp_control`] says what travels, [`service`] does it against the engine, [`server`] carries the lines. The
//! service knows no sockets and the server no requests.

pub mod descriptors;
mod listing;
mod refusals;
pub mod server;
pub mod service;
