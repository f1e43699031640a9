//! Rows of RFC 3270, 3473, 4090 and all that followed: what was added to traffic engineering.
//!
//! Sorted by class and C-Type; which objects there are, not what a node does with them.

use super::{Row, rows};
use crate::object::layouts::INT_SERV;
use crate::object::{
    AcceptableLabelSet, AdminStatus, CallAttributes, Capability, ChannelSetLabel, ChannelSetLabelRequest,
    ChannelSetRecoveryLabel, ChannelSetSuggestedLabel, ChannelSetUpstreamLabel, ClassType, DiffservELsp,
    DiffservLLsp, EgressProtection, EthernetFlowspec, EthernetSenderTspec, EthernetUpstreamFlowspec,
    EthernetUpstreamTspec, ExcludeRoute, FastReroute, G709Flowspec, G709SenderTspec, G709UpstreamFlowspec,
    G709UpstreamTspec, GeneralizedLabel, GeneralizedLabelRequest, GeneralizedRecoveryLabel,
    GeneralizedSuggestedLabel, GeneralizedUpstreamLabel, IfIdIpv4AlarmSpec, IfIdIpv4ErrorSpec,
    IfIdIpv4RsvpHop, IfIdIpv6AlarmSpec, IfIdIpv6ErrorSpec, IfIdIpv6RsvpHop, Ipv4Association, Ipv4Detour,
    Ipv4ExtendedAssociation, Ipv4NotifyRequest, Ipv6Association, Ipv6Detour, Ipv6ExtendedAssociation,
    Ipv6NotifyRequest, LabelSet, LegacyFastReroute, LinkCapability, LspAttributes, LspProtection,
    LspRequiredAttributes, LspTunnelInterfaceId, LspTunnelIpv4Interface, LspTunnelIpv6Interface,
    LspTunnelUnnumberedInterface, OtnTdmFlowspec, OtnTdmSenderTspec, OtnTdmUpstreamFlowspec,
    OtnTdmUpstreamTspec, P2mpLspIpv4FilterSpec, P2mpLspIpv6FilterSpec, P2mpLspTunnelIpv4SenderTemplate,
    P2mpLspTunnelIpv4Session, P2mpLspTunnelIpv6SenderTemplate, P2mpLspTunnelIpv6Session,
    P2mpSecondaryExplicitRoute, P2mpSecondaryRecordRoute, PrimaryPathRoute, Protection, RecoveryLabel,
    RestartCap, ReverseLsp, S2lSubLspFragment, S2lSubLspIpv4, S2lSubLspIpv6, SecondaryExplicitRoute,
    SecondaryRecordRoute, SonetSdhFlowspec, SonetSdhSenderTspec, SonetSdhUpstreamFlowspec,
    SonetSdhUpstreamTspec, SsonFlowspec, SsonSenderTspec, SsonUpstreamFlowspec, SsonUpstreamTspec,
    SuggestedLabel, UpstreamAdspec, UpstreamFlowspec, UpstreamLabel, UpstreamTspec, UserErrorSpec,
    WavebandLabel, WavebandRecoveryLabel, WavebandSuggestedLabel, WavebandUpstreamLabel,
};

pub(super) const ROWS: &[Row] = rows! {
    SESSION 13 "P2MP_LSP_TUNNEL_IPv4 SESSION" "RFC 4875 19.1.1" typed P2mpLspTunnelIpv4Session;
    SESSION 14 "P2MP_LSP_TUNNEL_IPv6 SESSION" "RFC 4875 19.1.2" typed P2mpLspTunnelIpv6Session;
    RSVP_HOP 3 "IPv4 IF_ID RSVP_HOP" "RFC 3473 8.1.1" typed IfIdIpv4RsvpHop;
    RSVP_HOP 4 "IPv6 IF_ID RSVP_HOP" "RFC 3473 8.1.1" typed IfIdIpv6RsvpHop;
    ERROR_SPEC 3 "IPv4 IF_ID ERROR_SPEC" "RFC 3473 8.2.1" typed IfIdIpv4ErrorSpec;
    ERROR_SPEC 4 "IPv6 IF_ID ERROR_SPEC" "RFC 3473 8.2.1" typed IfIdIpv6ErrorSpec;
    FLOWSPEC 4 "SONET/SDH FLOWSPEC" "RFC 4606 2.2" typed SonetSdhFlowspec;
    FLOWSPEC 5 "G.709 FLOWSPEC" "RFC 4328 6" typed G709Flowspec;
    FLOWSPEC 6 "Ethernet FLOWSPEC" "RFC 6003 5" typed EthernetFlowspec;
    FLOWSPEC 7 "OTN-TDM FLOWSPEC" "RFC 7139 5" typed OtnTdmFlowspec;
    FLOWSPEC 8 "SSON FLOWSPEC" "RFC 7792 4.1" typed SsonFlowspec;
    FILTER_SPEC 12 "P2MP LSP_IPv4 FILTER_SPEC" "RFC 4875 19.4.1" typed P2mpLspIpv4FilterSpec;
    FILTER_SPEC 13 "P2MP LSP_IPv6 FILTER_SPEC" "RFC 4875 19.4.2" typed P2mpLspIpv6FilterSpec;
    SENDER_TEMPLATE 12 "P2MP_LSP_TUNNEL_IPv4 SENDER_TEMPLATE" "RFC 4875 19.2.1" typed P2mpLspTunnelIpv4SenderTemplate;
    SENDER_TEMPLATE 13 "P2MP_LSP_TUNNEL_IPv6 SENDER_TEMPLATE" "RFC 4875 19.2.2" typed P2mpLspTunnelIpv6SenderTemplate;
    SENDER_TSPEC 4 "SONET/SDH SENDER_TSPEC" "RFC 4606 2.2" typed SonetSdhSenderTspec;
    SENDER_TSPEC 5 "G.709 SENDER_TSPEC" "RFC 4328 6" typed G709SenderTspec;
    SENDER_TSPEC 6 "Ethernet SENDER_TSPEC" "RFC 6003 4" typed EthernetSenderTspec;
    SENDER_TSPEC 7 "OTN-TDM SENDER_TSPEC" "RFC 7139 5" typed OtnTdmSenderTspec;
    SENDER_TSPEC 8 "SSON SENDER_TSPEC" "RFC 7792 4.1" typed SsonSenderTspec;
    RSVP_LABEL 2 "Generalized RSVP_LABEL" "RFC 3473 2.3" typed GeneralizedLabel;
    RSVP_LABEL 3 "Waveband Switching RSVP_LABEL" "RFC 3473 2.4" typed WavebandLabel;
    RSVP_LABEL 4 "Generalized Channel Set RSVP_LABEL" "RFC 6002 3.2" typed ChannelSetLabel;
    LABEL_REQUEST 4 "Generalized_Label_Request" "RFC 3473 2.1" typed GeneralizedLabelRequest;
    LABEL_REQUEST 5 "Generalized Channel_Set LABEL_REQUEST" "RFC 6002 3.1" typed ChannelSetLabelRequest;
    RECOVERY_LABEL 1 "RECOVERY_LABEL" "RFC 3473 9.5.1" typed RecoveryLabel;
    RECOVERY_LABEL 2 "Generalized RECOVERY_LABEL" "RFC 3473 9.5.1" typed GeneralizedRecoveryLabel;
    RECOVERY_LABEL 3 "Waveband Switching RECOVERY_LABEL" "RFC 3473 9.5.1" typed WavebandRecoveryLabel;
    RECOVERY_LABEL 4 "Generalized Channel Set RECOVERY_LABEL" "RFC 6002 3.3" typed ChannelSetRecoveryLabel;
    UPSTREAM_LABEL 1 "UPSTREAM_LABEL" "RFC 3473 3" typed UpstreamLabel;
    UPSTREAM_LABEL 2 "Generalized UPSTREAM_LABEL" "RFC 3473 3" typed GeneralizedUpstreamLabel;
    UPSTREAM_LABEL 3 "Waveband Switching UPSTREAM_LABEL" "RFC 3473 3" typed WavebandUpstreamLabel;
    UPSTREAM_LABEL 4 "Generalized Channel Set UPSTREAM_LABEL" "RFC 6002 3.3" typed ChannelSetUpstreamLabel;
    LABEL_SET 1 "LABEL_SET" "RFC 3473 2.6" typed LabelSet;
    PROTECTION 1 "PROTECTION" "RFC 3473 6" typed Protection;
    PROTECTION 2 "LSP PROTECTION" "RFC 4872 14.1" typed LspProtection;
    PROTECTION 3 "Egress Protection" "RFC 8400 4.1" typed EgressProtection;
    PRIMARY_PATH_ROUTE 1 "PRIMARY_PATH_ROUTE" "RFC 4872 15.1" typed PrimaryPathRoute;
    S2L_SUB_LSP 1 "S2L_SUB_LSP_IPv4" "RFC 4875 19.3.1" typed S2lSubLspIpv4;
    S2L_SUB_LSP 2 "S2L_SUB_LSP_IPv6" "RFC 4875 19.3.2" typed S2lSubLspIpv6;
    DETOUR 7 "IPv4 DETOUR" "RFC 4090 4.2.1" typed Ipv4Detour;
    DETOUR 8 "IPv6 DETOUR" "RFC 4090 4.2.2" typed Ipv6Detour;
    DIFFSERV 1 "Diff-Serv for an E-LSP DIFFSERV" "RFC 3270 5.2.1" typed DiffservELsp;
    DIFFSERV 2 "Diff-Serv for an L-LSP DIFFSERV" "RFC 3270 5.2.2" typed DiffservLLsp;
    CLASSTYPE 1 "CLASSTYPE" "RFC 4124 6.2.1" typed ClassType;
    LSP_REQUIRED_ATTRIBUTES 1 "LSP_REQUIRED_ATTRIBUTES" "RFC 5420 5.1" typed LspRequiredAttributes;
    UPSTREAM_FLOWSPEC 1 "Reserved UPSTREAM_FLOWSPEC" "RFC 6387" opaque "reserved";
    UPSTREAM_FLOWSPEC 2 "Int-serv UPSTREAM_FLOWSPEC" "RFC 6387 2.1" UpstreamFlowspec as INT_SERV;
    UPSTREAM_FLOWSPEC 3 "Deprecated UPSTREAM_FLOWSPEC" "RFC 6387" opaque "deprecated; its text is no RFC";
    UPSTREAM_FLOWSPEC 4 "SONET/SDH UPSTREAM_FLOWSPEC" "RFC 6387 2.1" typed SonetSdhUpstreamFlowspec;
    UPSTREAM_FLOWSPEC 5 "G.709 UPSTREAM_FLOWSPEC" "RFC 6387 2.1" typed G709UpstreamFlowspec;
    UPSTREAM_FLOWSPEC 6 "Ethernet UPSTREAM_FLOWSPEC" "RFC 6387 2.1" typed EthernetUpstreamFlowspec;
    UPSTREAM_FLOWSPEC 7 "OTN-TDM UPSTREAM_FLOWSPEC" "RFC 6387 2.1" typed OtnTdmUpstreamFlowspec;
    UPSTREAM_FLOWSPEC 8 "SSON UPSTREAM_FLOWSPEC" "RFC 6387 2.1" typed SsonUpstreamFlowspec;
    UPSTREAM_TSPEC 2 "Int-serv UPSTREAM_TSPEC" "RFC 6387 2.2" UpstreamTspec as INT_SERV;
    UPSTREAM_TSPEC 3 "Deprecated UPSTREAM_TSPEC" "RFC 6387" opaque "deprecated; its text is no RFC";
    UPSTREAM_TSPEC 4 "SONET/SDH UPSTREAM_TSPEC" "RFC 6387 2.2" typed SonetSdhUpstreamTspec;
    UPSTREAM_TSPEC 5 "G.709 UPSTREAM_TSPEC" "RFC 6387 2.2" typed G709UpstreamTspec;
    UPSTREAM_TSPEC 6 "Ethernet UPSTREAM_TSPEC" "RFC 6387 2.2" typed EthernetUpstreamTspec;
    UPSTREAM_TSPEC 7 "OTN-TDM UPSTREAM_TSPEC" "RFC 6387 2.2" typed OtnTdmUpstreamTspec;
    UPSTREAM_TSPEC 8 "SSON UPSTREAM_TSPEC" "RFC 6387 2.2" typed SsonUpstreamTspec;
    UPSTREAM_ADSPEC 2 "Int-serv UPSTREAM_ADSPEC" "RFC 6387 2.3" UpstreamAdspec as INT_SERV;
    SUGGESTED_LABEL 1 "SUGGESTED_LABEL" "RFC 3473 2.5" typed SuggestedLabel;
    SUGGESTED_LABEL 2 "Generalized SUGGESTED_LABEL" "RFC 3473 2.5" typed GeneralizedSuggestedLabel;
    SUGGESTED_LABEL 3 "Waveband Switching SUGGESTED_LABEL" "RFC 3473 2.5" typed WavebandSuggestedLabel;
    SUGGESTED_LABEL 4 "Generalized Channel Set SUGGESTED_LABEL" "RFC 6002 3.3" typed ChannelSetSuggestedLabel;
    ACCEPTABLE_LABEL_SET 1 "ACCEPTABLE_LABEL_SET" "RFC 3473 4.1" typed AcceptableLabelSet;
    RESTART_CAP 1 "RESTART_CAP" "RFC 3473 9.1" typed RestartCap;
    LINK_CAPABILITY 1 "TE LINK_CAPABILITY" "RFC 4974 5.3" typed LinkCapability;
    CAPABILITY 1 "CAPABILITY" "RFC 5063 4.2" typed Capability;
    CONDITIONS 1 "CONDITIONS" "RFC 9705" opaque "RFC 9705 is not at hand";
    LSP_TUNNEL_INTERFACE_ID 1 "Forward/Reverse Interface ID LSP_TUNNEL_INTERFACE_ID" "RFC 3477 3.1" typed LspTunnelInterfaceId;
    LSP_TUNNEL_INTERFACE_ID 2 "IPv4 interface identifier with target LSP_TUNNEL_INTERFACE_ID" "RFC 6107 3.1.3" typed LspTunnelIpv4Interface;
    LSP_TUNNEL_INTERFACE_ID 3 "IPv6 interface identifier with target LSP_TUNNEL_INTERFACE_ID" "RFC 6107 3.1.4" typed LspTunnelIpv6Interface;
    LSP_TUNNEL_INTERFACE_ID 4 "Unnumbered interface with target LSP_TUNNEL_INTERFACE_ID" "RFC 6107 3.1.2" typed LspTunnelUnnumberedInterface;
    USER_ERROR_SPEC 1 "User-Defined Error USER_ERROR_SPEC" "RFC 5284 3" typed UserErrorSpec;
    NOTIFY_REQUEST 1 "IPv4 NOTIFY_REQUEST" "RFC 3473 4.2.1" typed Ipv4NotifyRequest;
    NOTIFY_REQUEST 2 "IPv6 NOTIFY_REQUEST" "RFC 3473 4.2.1" typed Ipv6NotifyRequest;
    ADMIN_STATUS 1 "ADMIN_STATUS" "RFC 3473 7.1" typed AdminStatus;
    LSP_ATTRIBUTES 1 "LSP_ATTRIBUTES" "RFC 5420 4.1" typed LspAttributes;
    ALARM_SPEC 1 "Type 1 RESERVED ALARM_SPEC" "RFC 4783" opaque "reserved";
    ALARM_SPEC 2 "Type 2 RESERVED ALARM_SPEC" "RFC 4783" opaque "reserved";
    ALARM_SPEC 3 "IPv4 IF_ID ALARM_SPEC" "RFC 4783 3.1" typed IfIdIpv4AlarmSpec;
    ALARM_SPEC 4 "IPv6 IF_ID ALARM_SPEC" "RFC 4783 3.1" typed IfIdIpv6AlarmSpec;
    ASSOCIATION 1 "IPv4 ASSOCIATION" "RFC 4872 16.1" typed Ipv4Association;
    ASSOCIATION 2 "IPv6 ASSOCIATION" "RFC 4872 16.1" typed Ipv6Association;
    ASSOCIATION 3 "IPv4 Extended ASSOCIATION" "RFC 6780 4.1" typed Ipv4ExtendedAssociation;
    ASSOCIATION 4 "IPv6 Extended ASSOCIATION" "RFC 6780 4.1" typed Ipv6ExtendedAssociation;
    SECONDARY_EXPLICIT_ROUTE 1 "SECONDARY_EXPLICIT_ROUTE" "RFC 4873 4.1" typed SecondaryExplicitRoute;
    SECONDARY_EXPLICIT_ROUTE 2 "P2MP SECONDARY_EXPLICIT_ROUTE" "RFC 4875 19.5" typed P2mpSecondaryExplicitRoute;
    SECONDARY_RECORD_ROUTE 1 "SECONDARY_RECORD_ROUTE" "RFC 4873 5.1" typed SecondaryRecordRoute;
    SECONDARY_RECORD_ROUTE 2 "P2MP SECONDARY_RECORD_ROUTE" "RFC 4875 19.6" typed P2mpSecondaryRecordRoute;
    CALL_ATTRIBUTES 1 "CALL_ATTRIBUTES" "RFC 6001 5.1.1" typed CallAttributes;
    REVERSE_LSP 1 "REVERSE_LSP" "RFC 7551 4.4.1" typed ReverseLsp;
    S2L_SUB_LSP_FRAG 1 "S2L_SUB_LSP_FRAG" "RFC 8149 5.3" typed S2lSubLspFragment;
    FAST_REROUTE 1 "FAST_REROUTE" "RFC 4090 4.1" typed FastReroute;
    FAST_REROUTE 7 "Type 7 RESERVED FAST_REROUTE" "RFC 4090 4.1" typed LegacyFastReroute;
    EXCLUDE_ROUTE 1 "EXCLUDE_ROUTE" "RFC 4874 3.1" typed ExcludeRoute;
};
