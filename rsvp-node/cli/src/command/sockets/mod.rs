//! What `rsvp` does by sockets that rsvpd is handed (Generic QoS): flows of TCP, traffic by template, qualitative service.
//!
//! A socket says what its traffic needs in octets of its own, and follows what becomes of it; sessions, styles and headers are
//! the daemon's business. The commands without these options name sessions, and are beside this.

mod carrier;
mod connections;
pub(super) mod host;
pub(super) mod needs;
pub(super) mod recv;
pub(super) mod send;
