//! The typed objects, a file per class: layout, read and write side by side.
//!
//! Reading checks lengths and the values that RFC 2210 forbids; what an address or a port must be in a given message
//! is the engine's business. Unused fields are sent as zero and ignored on receipt (RFC 2205 Appendix A), so a typed
//! object written again has its reserved bits cleared; objects to be forwarded are copied as octets.

mod adspec;
mod adspec_summary;
mod body;
mod error_spec;
mod ethernet_traffic;
mod explicit_route;
mod filter_spec;
mod flowspec;
mod g709_traffic;
mod generalized_label;
mod generalized_label_request;
mod hello;
mod if_id;
mod integrity;
mod label;
mod label_set;
mod label_value;
pub(crate) mod layouts;
mod lsp_tunnel;
mod p2mp_lsp_tunnel;
mod policy_data;
mod record_route;
mod resv_confirm;
mod rsvp_hop;
mod scope;
mod sender_template;
mod sender_tspec;
mod session;
mod session_attribute;
mod sonet_sdh_traffic;
mod sson_traffic;
mod style;
#[cfg(test)]
pub(crate) mod testing;
mod time_values;
mod tspec;
mod upstream;

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

pub use ethernet_traffic::{
    ETHERNET_TRAFFIC, EthernetBandwidthProfile, EthernetFlowspec, EthernetSenderTspec,
    EthernetUpstreamFlowspec, EthernetUpstreamTspec,
};
pub use explicit_route::{AutonomousSystem, EXPLICIT_ROUTE, ExplicitRoute, Ipv4Prefix, Ipv6Prefix};
pub use g709_traffic::{
    G709Flowspec, G709SenderTspec, G709UpstreamFlowspec, G709UpstreamTspec, OtnTdmFlowspec,
    OtnTdmSenderTspec, OtnTdmUpstreamFlowspec, OtnTdmUpstreamTspec,
};
pub use generalized_label::{
    ChannelSetLabel, ChannelSetRecoveryLabel, ChannelSetSuggestedLabel, ChannelSetUpstreamLabel,
    GeneralizedLabel, GeneralizedRecoveryLabel, GeneralizedSuggestedLabel, GeneralizedUpstreamLabel,
    RecoveryLabel, SuggestedLabel, UpstreamLabel, WavebandLabel, WavebandRecoveryLabel,
    WavebandSuggestedLabel, WavebandUpstreamLabel,
};
pub use generalized_label_request::{ChannelSetLabelRequest, GeneralizedLabelRequest};
pub use hello::{HelloAck, HelloRequest};
pub use if_id::{
    AlarmErrorText, AlarmGlobalTimestamp, AlarmLocalTimestamp, AlarmReferenceCount, AlarmSeverity,
    ComponentIfDownstream, ComponentIfUpstream, INTERFACE_ID, IfIdIpv4AlarmSpec, IfIdIpv4ErrorSpec,
    IfIdIpv4RsvpHop, IfIdIpv6AlarmSpec, IfIdIpv6ErrorSpec, IfIdIpv6RsvpHop, InterfaceIndex, InterfaceIpv4,
    InterfaceIpv6,
};
pub use label::{AtmLabelRequest, FrameRelayLabelRequest, Label, LabelRequest};
pub use label_set::{AcceptableLabelSet, LabelSet};
pub use label_value::{OdukLabel, OtnTdmLabel, SdhLabel, WavelengthLabel};
pub use lsp_tunnel::{
    LspTunnelIpv4FilterSpec, LspTunnelIpv4SenderTemplate, LspTunnelIpv4Session, LspTunnelIpv6FilterSpec,
    LspTunnelIpv6SenderTemplate, LspTunnelIpv6Session,
};
pub use p2mp_lsp_tunnel::{
    P2mpLspIpv4FilterSpec, P2mpLspIpv6FilterSpec, P2mpLspTunnelIpv4SenderTemplate, P2mpLspTunnelIpv4Session,
    P2mpLspTunnelIpv6SenderTemplate, P2mpLspTunnelIpv6Session,
};
pub use record_route::{RECORD_ROUTE, RecordRoute, RecordedIpv4, RecordedIpv6, RecordedLabel};
pub use session_attribute::{SessionAttribute, SessionAttributeWithAffinity};
pub use sonet_sdh_traffic::{
    SonetSdhFlowspec, SonetSdhSenderTspec, SonetSdhUpstreamFlowspec, SonetSdhUpstreamTspec,
};
pub use sson_traffic::{SsonFlowspec, SsonSenderTspec, SsonUpstreamFlowspec, SsonUpstreamTspec};
pub use upstream::{UpstreamAdspec, UpstreamFlowspec, UpstreamTspec};

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
