//! Rows of RFC 2205 and RFC 2210: the objects of the base protocol.
//!
//! Sorted by class and C-Type; which objects there are, not what a node does with them.

use super::{Row, rows};
use crate::object::layouts::{
    ADDRESS_IPV4, ADDRESS_IPV6, ERROR_SPEC_IPV4, ERROR_SPEC_IPV6, FILTER_FLOW_LABEL, FILTER_IPV4,
    FILTER_IPV6, HOP_IPV4, HOP_IPV6, INT_SERV, SCOPE_IPV4, SCOPE_IPV6, SESSION_IPV4, SESSION_IPV6, STYLE,
    TIME_VALUES,
};
use crate::object::{
    Adspec, ErrorSpec, FilterSpec, Flowspec, ResvConfirm, RsvpHop, Scope, SenderTemplate, SenderTspec,
    Session, Style, TimeValues,
};

pub(super) const ROWS: &[Row] = rows! {
    NULL 0 "NULL" "RFC 2205 3.1.2" opaque "its contents are ignored";
    SESSION 1 "IPv4/UDP SESSION" "RFC 2205 A.1" Session as SESSION_IPV4;
    SESSION 2 "IPv6/UDP SESSION" "RFC 2205 A.1" Session as SESSION_IPV6;
    SESSION 6 "tagged_tunnel_IPv4 SESSION" "IANA" opaque "registered without a text";
    RSVP_HOP 1 "IPv4 RSVP_HOP" "RFC 2205 A.2" RsvpHop as HOP_IPV4;
    RSVP_HOP 2 "IPv6 RSVP_HOP" "RFC 2205 A.2" RsvpHop as HOP_IPV6;
    TIME_VALUES 1 "TIME_VALUES" "RFC 2205 A.4" TimeValues as TIME_VALUES;
    ERROR_SPEC 1 "IPv4 ERROR_SPEC" "RFC 2205 A.5" ErrorSpec as ERROR_SPEC_IPV4;
    ERROR_SPEC 2 "IPv6 ERROR_SPEC" "RFC 2205 A.5" ErrorSpec as ERROR_SPEC_IPV6;
    SCOPE 1 "IPv4 SCOPE" "RFC 2205 A.6" Scope as SCOPE_IPV4;
    SCOPE 2 "IPv6 SCOPE" "RFC 2205 A.6" Scope as SCOPE_IPV6;
    STYLE 1 "STYLE" "RFC 2205 A.7" Style as STYLE;
    FLOWSPEC 1 "Reserved FLOWSPEC" "RFC 2205" opaque "reserved";
    FLOWSPEC 2 "Int-serv FLOWSPEC" "RFC 2210 3.2" Flowspec as INT_SERV;
    FLOWSPEC 3 "Deprecated FLOWSPEC" "RFC 2205" opaque "deprecated; its text is no RFC";
    FILTER_SPEC 1 "IPv4 FILTER_SPEC" "RFC 2205 A.9" FilterSpec as FILTER_IPV4;
    FILTER_SPEC 2 "IPv6 FILTER_SPEC" "RFC 2205 A.9" FilterSpec as FILTER_IPV6;
    FILTER_SPEC 3 "IPv6 Flow-label FILTER_SPEC" "RFC 2205 A.9" FilterSpec as FILTER_FLOW_LABEL;
    FILTER_SPEC 6 "tagged_tunnel_IPv4 FILTER_SPEC" "IANA" opaque "registered without a text";
    SENDER_TEMPLATE 1 "IPv4 SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate as FILTER_IPV4;
    SENDER_TEMPLATE 2 "IPv6 SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate as FILTER_IPV6;
    SENDER_TEMPLATE 3 "IPv6 Flow-label SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate as FILTER_FLOW_LABEL;
    SENDER_TEMPLATE 6 "tagged_tunnel_IPv4 SENDER_TEMPLATE" "IANA" opaque "registered without a text";
    SENDER_TSPEC 2 "Int-serv SENDER_TSPEC" "RFC 2210 3.1" SenderTspec as INT_SERV;
    SENDER_TSPEC 3 "Deprecated SENDER_TSPEC" "RFC 2205" opaque "deprecated; its text is no RFC";
    ADSPEC 2 "Int-serv ADSPEC" "RFC 2210 3.3" Adspec as INT_SERV;
    RESV_CONFIRM 1 "IPv4 RESV_CONFIRM" "RFC 2205 A.14" ResvConfirm as ADDRESS_IPV4;
    RESV_CONFIRM 2 "IPv6 RESV_CONFIRM" "RFC 2205 A.14" ResvConfirm as ADDRESS_IPV6;
};
