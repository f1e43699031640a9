//! The typed objects, a file per class: layout, read and write side by side.
//!
//! Reading checks lengths and the values that RFC 2210 forbids; what an address or a port must be in a given message
//! is the engine's business. Unused fields are sent as zero and ignored on receipt (RFC 2205 Appendix A), so a typed
//! object written again has its reserved bits cleared; objects to be forwarded are copied as octets.

mod admin_status;
mod adspec;
mod adspec_summary;
mod aggregate;
mod association;
mod atm_service_class;
mod authentication;
mod body;
mod call;
mod call_attributes;
mod dclass;
mod diagnostic;
mod diffserv;
mod diversity;
mod error_spec;
mod ethernet_traffic;
mod exclude_route;
mod explicit_route;
mod fast_reroute;
mod filter_spec;
mod flowspec;
mod g709_traffic;
mod generalized_label;
mod generalized_label_request;
mod generalized_uni;
mod gpi;
mod hello;
mod hop_attributes;
mod if_id;
mod integrity;
mod label;
mod label_set;
mod label_value;
pub(crate) mod layouts;
mod link_capability;
mod lsp_attributes;
mod lsp_tunnel;
mod lsp_tunnel_interface_id;
mod message_id;
mod notify_request;
mod p2mp_lsp_tunnel;
mod path_key;
mod pcn;
mod policy_data;
mod protection;
mod record_route;
mod recorded_hop;
mod restart;
mod resv_confirm;
mod reverse_lsp;
mod route_domain;
mod route_label;
mod route_protection;
mod rsvp_hop;
mod s2l_sub_lsp;
mod sbm;
mod scope;
mod secondary_route;
mod segment_routing;
mod sender_template;
mod sender_tspec;
mod session;
mod session_attribute;
mod sonet_sdh_traffic;
mod sson_traffic;
mod style;
mod summary_frr;
#[cfg(test)]
pub(crate) mod testing;
mod time_values;
mod tspec;
mod tunnel;
mod unnumbered;
mod upstream;
mod user_error_spec;
mod vpn;

use bytes::BufMut;

pub use admin_status::AdminStatus;
pub use adspec::{Adspec, AdspecFragment, AdspecFragments, AdspecParam, AdspecParams};
pub use adspec_summary::{AdspecSummary, GeneralParams, GuaranteedParams, Overrides, ServiceParams};
pub use aggregate::{
    AggregateIpv4FilterSpec, AggregateIpv4SenderTemplate, AggregateIpv4Session, AggregateIpv6FilterSpec,
    AggregateIpv6SenderTemplate, AggregateIpv6Session, GenericAggregateIpv4Session,
    GenericAggregateIpv6Session, Ipv4SessionOfInterest, Ipv6SessionOfInterest,
};
pub use association::{
    ExtendedAssociationId, Ipv4Association, Ipv4ExtendedAssociation, Ipv6Association, Ipv6ExtendedAssociation,
};
pub use atm_service_class::AtmServiceClass;
pub use authentication::{
    AUTHENTICATION_ATTRIBUTES, AuthApp, AuthUser, Credential, DigitalSignature, PolicyErrorObject,
    PolicyLocator,
};
pub use call::{
    CallOps, EnniIpv4Session, EnniIpv6Session, GlobalCallId, InitialCallId, OperatorCallId, UniIpv4Session,
    UniIpv6Session, call_source,
};
pub(crate) use call::{GlobalCallIdFields, OperatorCallIdFields};
pub use call_attributes::{CALL_ATTRIBUTES, CallAttributes, CallAttributesFlags};
pub use dclass::{Dclass, DscpWord};
pub use diagnostic::{
    DiagSelect, Ipv4DiagResponse, Ipv4Diagnostic, Ipv4Route, Ipv6DiagResponse, Ipv6Diagnostic, Ipv6Route,
    SelectedKind,
};
pub use diffserv::{ClassType, DiffservELsp, DiffservLLsp, DiffservMap};
pub use diversity::{
    ClientInitiatedIpv4, ClientInitiatedIpv6, DiversityIdentifier, ExcludeIpv4Diversity,
    ExcludeIpv6Diversity, PceAllocated,
};
pub use error_spec::ErrorSpec;
pub use ethernet_traffic::{
    ETHERNET_TRAFFIC, EthernetBandwidthProfile, EthernetFlowspec, EthernetSenderTspec,
    EthernetUpstreamFlowspec, EthernetUpstreamTspec,
};
pub use exclude_route::{
    EXCLUDE_ROUTE, ExcludeAutonomousSystem, ExcludeAutonomousSystem32, ExcludeIpv4Prefix, ExcludeIpv6Prefix,
    ExcludeIsisArea, ExcludeLabel, ExcludeOspfArea, ExcludeRoute, ExcludeSrlg, ExcludeSwitchingCapability,
    ExcludeUnnumberedInterface, ExplicitExclusion,
};
pub use explicit_route::{AutonomousSystem, EXPLICIT_ROUTE, ExplicitRoute, Ipv4Prefix, Ipv6Prefix};
pub use fast_reroute::{DetourIpv4, DetourIpv6, FastReroute, Ipv4Detour, Ipv6Detour, LegacyFastReroute};
pub use filter_spec::FilterSpec;
pub use flowspec::{Flowspec, Rspec};
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
pub use generalized_uni::{DestinationTna, GENERALIZED_UNI, GeneralizedUni, SourceTna};
pub use gpi::{
    GpiIpv4FilterSpec, GpiIpv4SenderTemplate, GpiIpv4Session, GpiIpv6FilterSpec, GpiIpv6SenderTemplate,
    GpiIpv6Session,
};
pub use hello::{HelloAck, HelloRequest};
pub use hop_attributes::{HopAttributes, RecordedAttributes, RecordedHopAttributes};
pub use if_id::{
    AlarmErrorText, AlarmGlobalTimestamp, AlarmLocalTimestamp, AlarmReferenceCount, AlarmSeverity,
    ComponentIfDownstream, ComponentIfUpstream, INTERFACE_ID, IfIdIpv4AlarmSpec, IfIdIpv4ErrorSpec,
    IfIdIpv4RsvpHop, IfIdIpv6AlarmSpec, IfIdIpv6ErrorSpec, IfIdIpv6RsvpHop, InterfaceIndex, InterfaceIpv4,
    InterfaceIpv6,
};
pub use integrity::{Challenge, Integrity};
pub use label::{AtmLabelRequest, FrameRelayLabelRequest, Label, LabelRequest};
pub use label_set::{AcceptableLabelSet, LabelSet};
pub use label_value::{OdukLabel, OtnTdmLabel, SdhLabel, WavelengthLabel};
pub use link_capability::{LINK_CAPABILITY, LinkCapability, LinkIpv4, LinkIpv6, LinkUnnumbered};
pub use lsp_attributes::{
    ATTRIBUTES, AttributeFlags, Etld, LspAttributes, LspRequiredAttributes, OAM_CONFIGURATION,
    OamConfiguration, OamFunctionFlags,
};
pub use lsp_tunnel::{
    LspTunnelIpv4FilterSpec, LspTunnelIpv4SenderTemplate, LspTunnelIpv4Session, LspTunnelIpv6FilterSpec,
    LspTunnelIpv6SenderTemplate, LspTunnelIpv6Session,
};
pub use lsp_tunnel_interface_id::{
    IgpInstance, Ipv4ComponentLink, Ipv6ComponentLink, LSP_TUNNEL_INTERFACE_ID, LspTunnelInterfaceId,
    LspTunnelIpv4Interface, LspTunnelIpv6Interface, LspTunnelUnnumberedInterface, UnnumberedComponentLink,
};
pub use message_id::{
    Ipv4MulticastList, Ipv4SourceList, Ipv6MulticastList, Ipv6SourceList, MessageId, MessageIdAck,
    MessageIdList, MessageIdNack, MulticastIpv4, MulticastIpv6, SourceIpv4, SourceIpv6,
};
pub use notify_request::{Ipv4NotifyRequest, Ipv6NotifyRequest};
pub use p2mp_lsp_tunnel::{
    P2mpLspIpv4FilterSpec, P2mpLspIpv6FilterSpec, P2mpLspTunnelIpv4SenderTemplate, P2mpLspTunnelIpv4Session,
    P2mpLspTunnelIpv6SenderTemplate, P2mpLspTunnelIpv6Session,
};
pub use path_key::{PathKey32, PathKey128, RecordedPathKey32, RecordedPathKey128};
pub use pcn::{Ipv4PcnRequest, Ipv4PcnResponse, Ipv6PcnRequest, Ipv6PcnResponse};
pub use policy_data::{
    AdmissionPriority, Alrp, AppResourcePriority, POLICY_ELEMENTS, PolicyData, PreemptionPriority,
};
pub use protection::{
    EGRESS_PROTECTION, EgressProtection, LspProtection, P2pLspIdIpv4, P2pLspIdIpv6, PrimaryEgressIpv4,
    PrimaryEgressIpv6, Protection,
};
pub use record_route::{RECORD_ROUTE, RecordRoute, RecordedIpv4, RecordedIpv6, RecordedLabel};
pub use recorded_hop::{BypassAssignmentIpv4, BypassAssignmentIpv6, RecordedSrlg};
pub use restart::{Capability, RestartCap};
pub use resv_confirm::ResvConfirm;
pub use reverse_lsp::ReverseLsp;
pub use route_domain::{AutonomousSystem32, IsisArea, OspfArea};
pub use route_label::ExplicitLabel;
pub use route_protection::{ExplicitProtection, RecordedProtection, RouteProtection};
pub use rsvp_hop::RsvpHop;
pub use s2l_sub_lsp::{S2lSubLspFragment, S2lSubLspIpv4, S2lSubLspIpv6};
pub use sbm::{
    DsbmTimerIntervals, HopL2, Ipv4DsbmAddress, Ipv4LanLoopback, Ipv4LanNextHop, Ipv6DsbmAddress,
    Ipv6LanLoopback, Ipv6LanNextHop, LanNextHopL2, NonResvSendLimit, SbmPriority, Tclass,
};
pub use scope::{Scope, ScopeAddresses};
pub use secondary_route::{
    P2mpSecondaryExplicitRoute, P2mpSecondaryRecordRoute, PrimaryPathRoute, SecondaryExplicitRoute,
    SecondaryRecordRoute,
};
pub use segment_routing::{
    ExplicitSegment, Ipv4Adjacency, Ipv6Adjacency, LinkLocalAdjacency, Nai, RecordedSegment,
    UnnumberedAdjacency,
};
pub use sender_template::SenderTemplate;
pub use sender_tspec::{NullTspec, SenderTspec};
pub use session::Session;
pub use session_attribute::{SessionAttribute, SessionAttributeWithAffinity};
pub use sonet_sdh_traffic::{
    SonetSdhFlowspec, SonetSdhSenderTspec, SonetSdhUpstreamFlowspec, SonetSdhUpstreamTspec,
};
pub use sson_traffic::{SsonFlowspec, SsonSenderTspec, SsonUpstreamFlowspec, SsonUpstreamTspec};
pub use style::{SenderSelection, Sharing, Style};
pub use summary_frr::{
    MessageIdObject, RsvpHopIpv4, RsvpHopIpv6, SfrrActiveIpv4, SfrrActiveIpv6, SfrrReadyIpv4, SfrrReadyIpv6,
    TimeValuesObject,
};
pub use time_values::TimeValues;
pub use tspec::Tspec;
pub use tunnel::{NodeChar, SessionAssoc};
pub use unnumbered::{RecordedUnnumberedInterface, UnnumberedInterface};
pub use upstream::{UpstreamAdspec, UpstreamFlowspec, UpstreamTspec};
pub use user_error_spec::{USER_ERROR, UserErrorSpec};
pub use vpn::{
    AggregateVpnIpv4FilterSpec, AggregateVpnIpv4SenderTemplate, AggregateVpnIpv4Session,
    AggregateVpnIpv6FilterSpec, AggregateVpnIpv6SenderTemplate, AggregateVpnIpv6Session,
    GenericAggregateVpnIpv4Session, GenericAggregateVpnIpv6Session, VpnIpv4Addr, VpnIpv4FilterSpec,
    VpnIpv4Hop, VpnIpv4SenderTemplate, VpnIpv4Session, VpnIpv6Addr, VpnIpv6FilterSpec, VpnIpv6Hop,
    VpnIpv6SenderTemplate, VpnIpv6Session,
};

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
