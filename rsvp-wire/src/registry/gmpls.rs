//! Rows of RFC 3270, 3473, 4090 and all that followed: what was added to traffic engineering.
//!
//! Sorted by class and C-Type; which objects there are, not what a node does with them.

use super::{Row, rows};
use crate::object::{
    AdminStatus, CallAttributes, Capability, ClassType, DiffservELsp, DiffservLLsp, EgressProtection,
    ExcludeRoute, FastReroute, Ipv4Association, Ipv4Detour, Ipv4ExtendedAssociation, Ipv4NotifyRequest,
    Ipv6Association, Ipv6Detour, Ipv6ExtendedAssociation, Ipv6NotifyRequest, LegacyFastReroute,
    LinkCapability, LspAttributes, LspProtection, LspRequiredAttributes, LspTunnelInterfaceId,
    LspTunnelIpv4Interface, LspTunnelIpv6Interface, LspTunnelUnnumberedInterface, P2mpSecondaryExplicitRoute,
    P2mpSecondaryRecordRoute, PrimaryPathRoute, Protection, RestartCap, ReverseLsp, S2lSubLspFragment,
    S2lSubLspIpv4, S2lSubLspIpv6, SecondaryExplicitRoute, SecondaryRecordRoute, UserErrorSpec,
};

pub(super) const ROWS: &[Row] = rows! {
    SESSION 13 "P2MP_LSP_TUNNEL_IPv4 SESSION" "RFC 4875" opaque "not typed yet";
    SESSION 14 "P2MP_LSP_TUNNEL_IPv6 SESSION" "RFC 4875" opaque "not typed yet";
    RSVP_HOP 3 "IPv4 IF_ID RSVP_HOP" "RFC 3473" opaque "not typed yet";
    RSVP_HOP 4 "IPv6 IF_ID RSVP_HOP" "RFC 3473" opaque "not typed yet";
    ERROR_SPEC 3 "IPv4 IF_ID ERROR_SPEC" "RFC 3473" opaque "not typed yet";
    ERROR_SPEC 4 "IPv6 IF_ID ERROR_SPEC" "RFC 3473" opaque "not typed yet";
    FLOWSPEC 4 "SONET/SDH FLOWSPEC" "RFC 4606" opaque "not typed yet";
    FLOWSPEC 5 "G.709 FLOWSPEC" "RFC 4328" opaque "not typed yet";
    FLOWSPEC 6 "Ethernet FLOWSPEC" "RFC 6003" opaque "not typed yet";
    FLOWSPEC 7 "OTN-TDM FLOWSPEC" "RFC 7139" opaque "not typed yet";
    FLOWSPEC 8 "SSON FLOWSPEC" "RFC 7792" opaque "not typed yet";
    FILTER_SPEC 12 "P2MP LSP_IPv4 FILTER_SPEC" "RFC 4875" opaque "not typed yet";
    FILTER_SPEC 13 "P2MP LSP_IPv6 FILTER_SPEC" "RFC 4875" opaque "not typed yet";
    SENDER_TEMPLATE 12 "P2MP_LSP_TUNNEL_IPv4 SENDER_TEMPLATE" "RFC 4875" opaque "not typed yet";
    SENDER_TEMPLATE 13 "P2MP_LSP_TUNNEL_IPv6 SENDER_TEMPLATE" "RFC 4875" opaque "not typed yet";
    SENDER_TSPEC 4 "SONET/SDH SENDER_TSPEC" "RFC 4606" opaque "not typed yet";
    SENDER_TSPEC 5 "G.709 SENDER_TSPEC" "RFC 4328" opaque "not typed yet";
    SENDER_TSPEC 6 "Ethernet SENDER_TSPEC" "RFC 6003" opaque "not typed yet";
    SENDER_TSPEC 7 "OTN-TDM SENDER_TSPEC" "RFC 7139" opaque "not typed yet";
    SENDER_TSPEC 8 "SSON SENDER_TSPEC" "RFC 7792" opaque "not typed yet";
    RSVP_LABEL 2 "Generalized RSVP_LABEL" "RFC 3473" opaque "not typed yet";
    RSVP_LABEL 3 "Waveband Switching RSVP_LABEL" "RFC 3473" opaque "not typed yet";
    RSVP_LABEL 4 "Generalized Channel Set RSVP_LABEL" "RFC 6002" opaque "not typed yet";
    LABEL_REQUEST 4 "Generalized_Label_Request" "RFC 3473" opaque "not typed yet";
    LABEL_REQUEST 5 "Generalized Channel_Set LABEL_REQUEST" "RFC 6002" opaque "not typed yet";
    RECOVERY_LABEL 1 "RECOVERY_LABEL" "RFC 3473" opaque "not typed yet";
    RECOVERY_LABEL 2 "Generalized RECOVERY_LABEL" "RFC 3473" opaque "not typed yet";
    RECOVERY_LABEL 3 "Waveband Switching RECOVERY_LABEL" "RFC 3473" opaque "not typed yet";
    RECOVERY_LABEL 4 "Generalized Channel Set RECOVERY_LABEL" "RFC 6002" opaque "not typed yet";
    UPSTREAM_LABEL 1 "UPSTREAM_LABEL" "RFC 3473" opaque "not typed yet";
    UPSTREAM_LABEL 2 "Generalized UPSTREAM_LABEL" "RFC 3473" opaque "not typed yet";
    UPSTREAM_LABEL 3 "Waveband Switching UPSTREAM_LABEL" "RFC 3473" opaque "not typed yet";
    UPSTREAM_LABEL 4 "Generalized Channel Set UPSTREAM_LABEL" "RFC 6002" opaque "not typed yet";
    LABEL_SET 1 "LABEL_SET" "RFC 3473" opaque "not typed yet";
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
    UPSTREAM_FLOWSPEC 2 "Int-serv UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_FLOWSPEC 3 "Deprecated UPSTREAM_FLOWSPEC" "RFC 6387" opaque "deprecated; its text is no RFC";
    UPSTREAM_FLOWSPEC 4 "SONET/SDH UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_FLOWSPEC 5 "G.709 UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_FLOWSPEC 6 "Ethernet UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_FLOWSPEC 7 "OTN-TDM UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_FLOWSPEC 8 "SSON UPSTREAM_FLOWSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 2 "Int-serv UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 3 "Deprecated UPSTREAM_TSPEC" "RFC 6387" opaque "deprecated; its text is no RFC";
    UPSTREAM_TSPEC 4 "SONET/SDH UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 5 "G.709 UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 6 "Ethernet UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 7 "OTN-TDM UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_TSPEC 8 "SSON UPSTREAM_TSPEC" "RFC 6387" opaque "not typed yet";
    UPSTREAM_ADSPEC 2 "Int-serv UPSTREAM_ADSPEC" "RFC 6387" opaque "not typed yet";
    SUGGESTED_LABEL 1 "SUGGESTED_LABEL" "RFC 3473" opaque "not typed yet";
    SUGGESTED_LABEL 2 "Generalized SUGGESTED_LABEL" "RFC 3473" opaque "not typed yet";
    SUGGESTED_LABEL 3 "Waveband Switching SUGGESTED_LABEL" "RFC 3473" opaque "not typed yet";
    SUGGESTED_LABEL 4 "Generalized Channel Set SUGGESTED_LABEL" "RFC 6002" opaque "not typed yet";
    ACCEPTABLE_LABEL_SET 1 "ACCEPTABLE_LABEL_SET" "RFC 3473" opaque "not typed yet";
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
    ALARM_SPEC 3 "IPv4 IF_ID ALARM_SPEC" "RFC 4783" opaque "not typed yet";
    ALARM_SPEC 4 "IPv6 IF_ID ALARM_SPEC" "RFC 4783" opaque "not typed yet";
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
