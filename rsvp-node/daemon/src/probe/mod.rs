//! What the network has on the way to a host, measured with the help of its `rsvpd`.
//!
//! The prober asks the other side's [`responder`] by UDP: for a cookie, for echoes (the round trip), and for when the packets of trains have
//! come there (`trains`). The responder keeps nothing of who has no cookie, and answers nothing with more octets than were asked with. What
//! follows from the figures is the flow service's business.
#![expect(clippy::disallowed_methods, reason = "what is measured is real time")]

mod connection;
mod message;
mod prober;
pub mod responder;
mod trains;

pub(super) use prober::Prober;

/// The UDP port on which responders listen, unless told otherwise.
pub const DEFAULT_PORT: u16 = 16_980;
