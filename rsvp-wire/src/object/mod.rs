//! The typed objects, a file per class: layout, read and write side by side.
//!
//! Reading checks lengths and the values that RFC 2210 forbids; what an address or a port must be in a given message
//! is the engine's business. Unused fields are sent as zero and ignored on receipt (RFC 2205 Appendix A), so a typed
//! object written again has its reserved bits cleared; objects to be forwarded are copied as octets.

mod adspec;
mod adspec_summary;
mod body;
mod error_spec;
mod explicit_route;
mod filter_spec;
mod flowspec;
mod hello;
mod integrity;
mod label;
pub(crate) mod layouts;
mod lsp_tunnel;
mod policy_data;
mod record_route;
mod resv_confirm;
mod rsvp_hop;
mod scope;
mod sender_template;
mod sender_tspec;
mod session;
mod session_attribute;
mod style;
#[cfg(test)]
pub(crate) mod testing;
mod time_values;
mod tspec;

use bytes::BufMut;

pub use adspec::{Adspec, AdspecFragment, AdspecFragments, AdspecParam, AdspecParams};
pub use adspec_summary::{AdspecSummary, GeneralParams, GuaranteedParams, Overrides, ServiceParams};
pub use error_spec::ErrorSpec;
pub use filter_spec::FilterSpec;
pub use flowspec::{Flowspec, Rspec};
pub use integrity::Integrity;
pub use policy_data::PolicyData;
pub use resv_confirm::ResvConfirm;
pub use rsvp_hop::RsvpHop;
pub use scope::{Scope, ScopeAddresses};
pub use sender_template::SenderTemplate;
pub use sender_tspec::{NullTspec, SenderTspec};
pub use session::Session;
pub use style::{SenderSelection, Sharing, Style};
pub use time_values::TimeValues;
pub use tspec::Tspec;

pub use explicit_route::{AutonomousSystem, EXPLICIT_ROUTE, ExplicitRoute, Ipv4Prefix, Ipv6Prefix};
pub use hello::{HelloAck, HelloRequest};
pub use label::{AtmLabelRequest, FrameRelayLabelRequest, Label, LabelRequest};
pub use lsp_tunnel::{
    LspTunnelIpv4FilterSpec, LspTunnelIpv4SenderTemplate, LspTunnelIpv4Session, LspTunnelIpv6FilterSpec,
    LspTunnelIpv6SenderTemplate, LspTunnelIpv6Session,
};
pub use record_route::{RECORD_ROUTE, RecordRoute, RecordedIpv4, RecordedIpv6, RecordedLabel};
pub use session_attribute::{SessionAttribute, SessionAttributeWithAffinity};

use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A typed object: what its octets mean, and how to write them.
pub trait Object<'a>: Sized {
    /// The class of all objects of this type.
    const CLASS: Class;

    /// Reads the body. The caller has checked the class; use [`ObjectRef::read`], which does.
    ///
    /// # Errors
    /// `UnknownCType`, `BodyLength`, `BodyValue`.
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError>;

    /// The C-Type under which this value is written.
    fn ctype(&self) -> CType;

    /// Octets of the body: a multiple of 4, at most 65528.
    fn body_len(&self) -> usize;

    /// Writes exactly [`body_len`](Self::body_len) octets; `out` has room for them.
    fn write_body(&self, out: &mut impl BufMut);
}
