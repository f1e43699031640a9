//! Rows of RFC 2207, 2745 to 2747, 2750, 2814, 2961, 2996, 3175, 3474, 3476, 3496, 4860, 6016 and 7417: what was added to reservations of flows and aggregates.
//!
//! Sorted by class and C-Type; which objects there are, not what a node does with them.

use super::{Row, rows};
use crate::object::{
    AggregateIpv4FilterSpec, AggregateIpv4SenderTemplate, AggregateIpv4Session, AggregateIpv6FilterSpec,
    AggregateIpv6SenderTemplate, AggregateIpv6Session, AggregateVpnIpv4FilterSpec,
    AggregateVpnIpv4SenderTemplate, AggregateVpnIpv4Session, AggregateVpnIpv6FilterSpec,
    AggregateVpnIpv6SenderTemplate, AggregateVpnIpv6Session, AtmServiceClass, CallOps, Challenge, Dclass,
    DiagSelect, DsbmTimerIntervals, EnniIpv4Session, EnniIpv6Session, GeneralizedUni,
    GenericAggregateIpv4Session, GenericAggregateIpv6Session, GenericAggregateVpnIpv4Session,
    GenericAggregateVpnIpv6Session, GlobalCallIdFields, GpiIpv4FilterSpec, GpiIpv4SenderTemplate,
    GpiIpv4Session, GpiIpv6FilterSpec, GpiIpv6SenderTemplate, GpiIpv6Session, HopL2, InitialCallId,
    Integrity, Ipv4DiagResponse, Ipv4Diagnostic, Ipv4DsbmAddress, Ipv4LanLoopback, Ipv4LanNextHop,
    Ipv4MulticastList, Ipv4PcnRequest, Ipv4PcnResponse, Ipv4Route, Ipv4SessionOfInterest, Ipv4SourceList,
    Ipv6DiagResponse, Ipv6Diagnostic, Ipv6DsbmAddress, Ipv6LanLoopback, Ipv6LanNextHop, Ipv6MulticastList,
    Ipv6PcnRequest, Ipv6PcnResponse, Ipv6Route, Ipv6SessionOfInterest, Ipv6SourceList, LanNextHopL2,
    MessageId, MessageIdAck, MessageIdList, MessageIdNack, NodeChar, NonResvSendLimit, OperatorCallIdFields,
    PolicyData, SbmPriority, SessionAssoc, Tclass, UniIpv4Session, UniIpv6Session, VpnIpv4FilterSpec,
    VpnIpv4Hop, VpnIpv4SenderTemplate, VpnIpv4Session, VpnIpv6FilterSpec, VpnIpv6Hop, VpnIpv6SenderTemplate,
    VpnIpv6Session,
};

pub(super) const ROWS: &[Row] = rows! {
    SESSION 3 "IPv4/GPI SESSION" "RFC 2207 3.1" typed GpiIpv4Session;
    SESSION 4 "IPv6/GPI SESSION" "RFC 2207 3.1" typed GpiIpv6Session;
    SESSION 9 "RSVP-Aggregate-IP4 SESSION" "RFC 3175 3.3" typed AggregateIpv4Session;
    SESSION 10 "RSVP-Aggregate-IP6 SESSION" "RFC 3175 3.3" typed AggregateIpv6Session;
    SESSION 11 "UNI_IPv4_SESSION" "RFC 3476 3.2" typed UniIpv4Session;
    SESSION 12 "UNI_IPv6 SESSION" "RFC 3474 7" typed UniIpv6Session;
    SESSION 15 "ENNI_IPv4 SESSION" "RFC 3474 7" typed EnniIpv4Session;
    SESSION 16 "ENNI_IPv6 SESSION" "RFC 3474 7" typed EnniIpv6Session;
    SESSION 17 "GENERIC-AGGREGATE-IP4 SESSION" "RFC 4860 2.1" typed GenericAggregateIpv4Session;
    SESSION 18 "GENERIC-AGGREGATE-IP6 SESSION" "RFC 4860 2.1" typed GenericAggregateIpv6Session;
    SESSION 19 "VPN-IPv4 SESSION" "RFC 6016 8.1" typed VpnIpv4Session;
    SESSION 20 "VPN-IPv6 SESSION" "RFC 6016 8.1" typed VpnIpv6Session;
    SESSION 21 "AGGREGATE-VPN-IPv4 SESSION" "RFC 6016 8.5" typed AggregateVpnIpv4Session;
    SESSION 22 "AGGREGATE-VPN-IPv6 SESSION" "RFC 6016 8.5" typed AggregateVpnIpv6Session;
    SESSION 23 "GENERIC-AGGREGATE-VPN-IPv4 SESSION" "RFC 6016 8.5" typed GenericAggregateVpnIpv4Session;
    SESSION 24 "GENERIC-AGGREGATE-VPN-IPv6 SESSION" "RFC 6016 8.5" typed GenericAggregateVpnIpv6Session;
    RSVP_HOP 5 "VPN-IPv4 RSVP_HOP" "RFC 6016 8.4" typed VpnIpv4Hop;
    RSVP_HOP 6 "VPN-IPv6 RSVP_HOP" "RFC 6016 8.4" typed VpnIpv6Hop;
    INTEGRITY 1 "INTEGRITY" "RFC 2747 2.1" typed Integrity;
    FILTER_SPEC 4 "IPv4/GPI FILTER_SPEC" "RFC 2207 3.2" typed GpiIpv4FilterSpec;
    FILTER_SPEC 5 "IPv6/GPI FILTER_SPEC" "RFC 2207 3.2" typed GpiIpv6FilterSpec;
    FILTER_SPEC 9 "RSVP-Aggregate-IP4 FILTER_SPEC" "RFC 3175 3.5" typed AggregateIpv4FilterSpec;
    FILTER_SPEC 10 "RSVP-Aggregate-IP6 FILTER_SPEC" "RFC 3175 3.5" typed AggregateIpv6FilterSpec;
    FILTER_SPEC 14 "VPN-IPv4 FILTER_SPEC" "RFC 6016 8.3" typed VpnIpv4FilterSpec;
    FILTER_SPEC 15 "VPN-IPv6 FILTER_SPEC" "RFC 6016 8.3" typed VpnIpv6FilterSpec;
    FILTER_SPEC 16 "AGGREGATE-VPN-IPv4 FILTER_SPEC" "RFC 6016 8.7" typed AggregateVpnIpv4FilterSpec;
    FILTER_SPEC 17 "AGGREGATE-VPN-IPv6 FILTER_SPEC" "RFC 6016 8.7" typed AggregateVpnIpv6FilterSpec;
    SENDER_TEMPLATE 4 "IPv4/GPI SENDER_TEMPLATE" "RFC 2207 3.3" typed GpiIpv4SenderTemplate;
    SENDER_TEMPLATE 5 "IPv6/GPI SENDER_TEMPLATE" "RFC 2207 3.3" typed GpiIpv6SenderTemplate;
    SENDER_TEMPLATE 9 "RSVP-Aggregate-IP4 SENDER_TEMPLATE" "RFC 3175 3.4" typed AggregateIpv4SenderTemplate;
    SENDER_TEMPLATE 10 "RSVP-Aggregate-IP6 SENDER_TEMPLATE" "RFC 3175 3.4" typed AggregateIpv6SenderTemplate;
    SENDER_TEMPLATE 14 "VPN-IPv4 SENDER_TEMPLATE" "RFC 6016 8.2" typed VpnIpv4SenderTemplate;
    SENDER_TEMPLATE 15 "VPN-IPv6 SENDER_TEMPLATE" "RFC 6016 8.2" typed VpnIpv6SenderTemplate;
    SENDER_TEMPLATE 16 "AGGREGATE-VPN-IPv4 SENDER_TEMPLATE" "RFC 6016 8.6" typed AggregateVpnIpv4SenderTemplate;
    SENDER_TEMPLATE 17 "AGGREGATE-VPN-IPv6 SENDER_TEMPLATE" "RFC 6016 8.6" typed AggregateVpnIpv6SenderTemplate;
    POLICY_DATA 1 "POLICY_DATA" "RFC 2750 3.1" typed PolicyData;
    HOP_COUNT 1 "IPv4 HOP_COUNT" "IANA" opaque "registered without a text";
    STRICT_SOURCE_ROUTE 1 "STRICT_SOURCE_ROUTE" "IANA" opaque "registered without a text";
    MESSAGE_ID 1 "MESSAGE_ID" "RFC 2961 4.2" typed MessageId;
    MESSAGE_ID_ACK 1 "MESSAGE_ID_ACK" "RFC 2961 4.3" typed MessageIdAck;
    MESSAGE_ID_ACK 2 "MESSAGE_ID_NACK MESSAGE_ID_ACK" "RFC 2961 4.3" typed MessageIdNack;
    MESSAGE_ID_LIST 1 "MESSAGE_ID_LIST" "RFC 2961 5.1" typed MessageIdList;
    MESSAGE_ID_LIST 2 "IPv4/MESSAGE_ID SRC_LIST MESSAGE_ID_LIST" "RFC 2961 5.1" typed Ipv4SourceList;
    MESSAGE_ID_LIST 3 "IPv6/MESSAGE_ID SRC_LIST MESSAGE_ID_LIST" "RFC 2961 5.1" typed Ipv6SourceList;
    MESSAGE_ID_LIST 4 "IPv4/MESSAGE_ID MCAST_LIST MESSAGE_ID_LIST" "RFC 2961 5.1" typed Ipv4MulticastList;
    MESSAGE_ID_LIST 5 "IPv6/MESSAGE_ID MCAST_LIST MESSAGE_ID_LIST" "RFC 2961 5.1" typed Ipv6MulticastList;
    DIAGNOSTIC 1 "IPv4 DIAGNOSTIC" "RFC 2745 3.3" typed Ipv4Diagnostic;
    DIAGNOSTIC 2 "IPv6 DIAGNOSTIC" "RFC 2745 3.3" typed Ipv6Diagnostic;
    ROUTE 1 "IPv4 ROUTE" "RFC 2745 3.5" typed Ipv4Route;
    ROUTE 2 "IPv6 ROUTE" "RFC 2745 3.5" typed Ipv6Route;
    DIAG_RESPONSE 1 "IPv4 DIAG_RESPONSE" "RFC 2745 3.6" typed Ipv4DiagResponse;
    DIAG_RESPONSE 2 "IPv6 DIAG_RESPONSE" "RFC 2745 3.6" typed Ipv6DiagResponse;
    DIAG_SELECT 1 "DIAG_SELECT" "RFC 2745 3.4" typed DiagSelect;
    DSBM_IP_ADDRESS 1 "IPv4 DSBM IP ADDRESS" "RFC 2814 B.6" typed Ipv4DsbmAddress;
    DSBM_IP_ADDRESS 2 "IPv6 DSBM IP ADDRESS" "RFC 2814 B.6" typed Ipv6DsbmAddress;
    SBM_PRIORITY 1 "SBM_PRIORITY" "RFC 2814 B.6" typed SbmPriority;
    DSBM_TIMER_INTERVALS 1 "DSBM TIMER INTERVALS" "RFC 2814 B.6" typed DsbmTimerIntervals;
    SBM_INFO 1 "NON_RESV_SEND_LIMIT SBM_INFO" "RFC 2814 B.6" typed NonResvSendLimit;
    CHALLENGE 1 "CHALLENGE" "RFC 2747 4.3" typed Challenge;
    NODE_CHAR 0 "NODE_CHAR" "RFC 2746 2.3.2" typed NodeChar;
    SESSION_OF_INTEREST 1 "GENERIC-AGG-IP4-SOI SESSION-OF-INTEREST" "RFC 4860 2.2" typed Ipv4SessionOfInterest;
    SESSION_OF_INTEREST 2 "GENERIC-AGG-IP6-SOI SESSION-OF-INTEREST" "RFC 4860 2.2" typed Ipv6SessionOfInterest;
    RSVP_HOP_L2 1 "IEEE Canonical Address RSVP_HOP_L2" "RFC 2814 B.3.4" typed HopL2;
    LAN_NHOP_L2 1 "IEEE Canonical Address LAN_NHOP_L2" "RFC 2814 B.3.5" typed LanNextHopL2;
    LAN_NHOP_L3 1 "IPv4 LAN_NHOP_L3" "RFC 2814 B.3.5" typed Ipv4LanNextHop;
    LAN_NHOP_L3 2 "IPv6 LAN_NHOP_L3" "RFC 2814 B.3.5" typed Ipv6LanNextHop;
    LAN_LOOPBACK 1 "IPv4 LAN_LOOPBACK" "RFC 2814 B.3.6" typed Ipv4LanLoopback;
    LAN_LOOPBACK 2 "IPv6 LAN_LOOPBACK" "RFC 2814 B.3.6" typed Ipv6LanLoopback;
    TCLASS 1 "TCLASS" "RFC 2814 B.3.7" typed Tclass;
    SESSION_ASSOC 0 "SESSION_ASSOC" "RFC 2746 2.3.1" typed SessionAssoc;
    DCLASS 1 "DCLASS" "RFC 2996 2" typed Dclass;
    PACKETCABLE_EXTENSIONS 1 "Reverse-Rspec PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 2 "Reverse-SESSION PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 3 "Reverse-Sender-Template PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 4 "Reverse-Sender-Tspec PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 5 "Forward-Rspec PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 6 "Component-Tspec PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 7 "Resource-ID PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 8 "Gate-ID PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    PACKETCABLE_EXTENSIONS 9 "Commit-Entity PACKETCABLE EXTENSIONS" "IANA" opaque "vendor-private: no text at hand";
    ATM_SERVICECLASS 1 "ATM Service class ATM_SERVICECLASS" "RFC 3496 3" typed AtmServiceClass;
    CALL_OPS 1 "CALL_OPS" "RFC 3474 9.1" typed CallOps;
    GENERALIZED_UNI 1 "GENERALIZED_UNI" "RFC 3476 3.1" typed GeneralizedUni;
    CALL_ID 0 "Initial CALL_ID" "RFC 3474 4.3.1" typed InitialCallId;
    CALL_ID 1 "Operator specific CALL_ID" "RFC 3474 4.1.1" typed OperatorCallIdFields;
    CALL_ID 2 "Globally unique CALL_ID" "RFC 3474 4.1.1" typed GlobalCallIdFields;
    OBJECT_3GPP2 1 "Component 3GPP2_OBJECT" "IANA" opaque "vendor-private: no text at hand";
    PCN 1 "RSVP-AGGREGATE-IPv4-PCN-request" "RFC 7417 4.1" typed Ipv4PcnRequest;
    PCN 2 "RSVP-AGGREGATE-IPv6-PCN-request" "RFC 7417 4.1" typed Ipv6PcnRequest;
    PCN 3 "RSVP-AGGREGATE-IPv4-PCN-response" "RFC 7417 4.1" typed Ipv4PcnResponse;
    PCN 4 "RSVP-AGGREGATE-IPv6-PCN-response" "RFC 7417 4.1" typed Ipv6PcnResponse;
};
