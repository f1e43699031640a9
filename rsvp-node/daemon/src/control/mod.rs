//! The control socket: how applications and people talk to a running engine (`docs/control.md`).
//!
//! [`rsvp_control`] says what travels, [`service`] does it against the engine, [`server`] lets clients in, `connection` carries
//! the lines of one, and `switchboard` joins them all to the driver's loop. The service knows no sockets and the others no requests.

mod access;
mod connection;
pub mod descriptors;
mod listing;
mod refusals;
pub mod server;
pub mod service;
mod switchboard;
