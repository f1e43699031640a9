//! Rows of RFC 3209: the objects of RSVP-TE.
//!
//! Sorted by class and C-Type; which objects there are, not what a node does with them.

use super::{Row, rows};
use crate::object::{
    AtmLabelRequest, ExplicitRoute, FrameRelayLabelRequest, HelloAck, HelloRequest, Label, LabelRequest,
    LspTunnelIpv4FilterSpec, LspTunnelIpv4SenderTemplate, LspTunnelIpv4Session, LspTunnelIpv6FilterSpec,
    LspTunnelIpv6SenderTemplate, LspTunnelIpv6Session, RecordRoute, SessionAttribute,
    SessionAttributeWithAffinity,
};

pub(super) const ROWS: &[Row] = rows! {
    SESSION 7 "LSP_TUNNEL_IPv4 SESSION" "RFC 3209 4.6.1.1" typed LspTunnelIpv4Session;
    SESSION 8 "LSP_TUNNEL_IPv6 SESSION" "RFC 3209 4.6.1.2" typed LspTunnelIpv6Session;
    FILTER_SPEC 7 "LSP_TUNNEL_IPv4 FILTER_SPEC" "RFC 3209 4.6.3.1" typed LspTunnelIpv4FilterSpec;
    FILTER_SPEC 8 "LSP_TUNNEL_IPv6 FILTER_SPEC" "RFC 3209 4.6.3.2" typed LspTunnelIpv6FilterSpec;
    SENDER_TEMPLATE 7 "LSP_TUNNEL_IPv4 SENDER_TEMPLATE" "RFC 3209 4.6.2.1" typed LspTunnelIpv4SenderTemplate;
    SENDER_TEMPLATE 8 "LSP_TUNNEL_IPv6 SENDER_TEMPLATE" "RFC 3209 4.6.2.2" typed LspTunnelIpv6SenderTemplate;
    RSVP_LABEL 1 "RSVP_LABEL" "RFC 3209 4.1" typed Label;
    LABEL_REQUEST 1 "LABEL_REQUEST without label range" "RFC 3209 4.2.1" typed LabelRequest;
    LABEL_REQUEST 2 "LABEL_REQUEST with ATM label range" "RFC 3209 4.2.2" typed AtmLabelRequest;
    LABEL_REQUEST 3 "LABEL_REQUEST with Frame Relay label range" "RFC 3209 4.2.3" typed FrameRelayLabelRequest;
    EXPLICIT_ROUTE 1 "EXPLICIT_ROUTE" "RFC 3209 4.3" typed ExplicitRoute;
    RECORD_ROUTE 1 "RECORD_ROUTE" "RFC 3209 4.4" typed RecordRoute;
    HELLO 1 "HELLO REQUEST" "RFC 3209 5.2" typed HelloRequest;
    HELLO 2 "HELLO ACK" "RFC 3209 5.2" typed HelloAck;
    SESSION_ATTRIBUTE 1 "LSP_TUNNEL_RA SESSION_ATTRIBUTE" "RFC 3209 4.7.2" typed SessionAttributeWithAffinity;
    SESSION_ATTRIBUTE 7 "LSP_TUNNEL SESSION_ATTRIBUTE" "RFC 3209 4.7.1" typed SessionAttribute;
};
