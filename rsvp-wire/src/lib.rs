//! RSVP (RFC 2205) messages and objects: parse, write, print.
//!
//! A [`Message`] exists only if its version, length, checksum and the length of every object are sound, so reading
//! one never fails; the body of an object is read on demand into its type ([`object`]). [`Scan`] walks what cannot be
//! trusted to be a message. [`MessageWriter`] builds one in a buffer of the caller, [`show`] prints one.
//!
//! What this crate deliberately does not do: it knows no state, no time and no sockets; it does not judge which
//! objects a message type must or may carry (RFC 2205 3.1.3 to 3.1.10), nor whether an address makes sense. It never
//! allocates, and it never panics on any input.
//!
//! ```
//! use rsvp_wire::{Message, MessageWriter, MsgType, Session, TimeValues};
//!
//! let mut buffer = [0; 64];
//! let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 63);
//! writer.put(&"udp 10.0.2.2:5000".parse::<Session>()?).put(&TimeValues { refresh_ms: 30_000 });
//! let octets = writer.finish()?;
//!
//! let message = Message::parse(octets)?;
//! assert_eq!(message.get::<TimeValues>(), Some(Ok(TimeValues { refresh_ms: 30_000 })));
//! assert_eq!(rsvp_wire::show::one_line(&message).to_string(), "Path udp 10.0.2.2:5000 R=30s");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "encode")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod checksum;
mod code;
#[cfg(feature = "encode")]
pub mod encode;
mod error;
mod error_name;
mod flow;
pub mod layout;
mod message;
pub mod object;
pub mod registry;
mod scan;
#[cfg(feature = "serde")]
mod serde_form;
pub mod show;
mod text;
mod write;

/// The IP protocol number of RSVP.
pub const IP_PROTOCOL: u8 = 46;

/// The IP protocol number of RSVP-E2E-IGNORE (RFC 3175 3.1): end-to-end messages on their way through an aggregation region.
pub const E2E_IGNORE_PROTOCOL: u8 = 134;

/// The UDP ports of RFC 2205 Appendix C: Pu and Pu'.
pub const UDP_PORTS: [u16; 2] = [1698, 1699];

pub use checksum::checksum;
pub use code::{CType, Class, ErrorCode, MsgType, UnknownClass, error_value};
pub use error::{ParseError, Why};
pub use error_name::{SubCode, error_value_meaning, error_value_name};
pub use flow::{FlowDescriptor, FlowDescriptors, flow_descriptors};
pub use message::{Header, Message, ObjectRef, Objects};
pub use object::{
    Adspec, AdspecFragment, AdspecSummary, ErrorSpec, FilterSpec, Flowspec, GeneralParams, GuaranteedParams,
    Integrity, NullTspec, Object, Overrides, PolicyData, ResvConfirm, Rspec, RsvpHop, Scope, SenderSelection,
    SenderTemplate, SenderTspec, ServiceParams, Session, Sharing, Style, TimeValues, Tspec,
};
pub use registry::{known, known_class};
pub use scan::{ChecksumVerdict, Scan, ScanMessages, ScanObjects};
pub use show::Rate;
pub use text::TextError;
pub use write::{MessageWriter, NeedSpace, rewrite};
