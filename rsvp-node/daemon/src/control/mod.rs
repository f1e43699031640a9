//! The control socket: how applications and people talk to a running engine (`docs/control.md`).
//!
//! [`rsvp_control`] says what travels, [`desk`] does it against the engine, [`server`] carries the lines. The
//! desk knows no sockets and the server no requests.

pub mod descriptors;
pub mod desk;
mod listing;
mod saying;
pub mod server;
