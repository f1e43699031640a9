//! What a raw socket delivers and what it is given, as plain values.
//!
//! IPv4 raw sockets deliver the IP header along (RFC 791); the IPv6 Router Alert socket does too, with extension
//! headers (RFC 8200), an IPv6 raw socket does not. RSVP itself is deliberately not looked into.

use rsvp_capture::ip::{self, Datagram};
use rsvp_wire::IP_PROTOCOL;
use std::net::IpAddr;

/// A message to send: what the kernel makes an IP header of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel<'a> {
    pub(super) interface: u32,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) router_alert: bool,
    /// The UDP port it goes to; a raw IP packet, when there is none.
    pub(super) port: Option<u16>,
    pub(super) octets: &'a [u8],
}

/// The packet that an IPv4 raw socket or the IPv6 Router Alert socket has delivered; `None` when it is not RSVP or is not
/// all there.
pub(super) fn strip(packet: &[u8]) -> Option<Datagram<'_>> {
    ip::datagram(packet).filter(|datagram| datagram.protocol == IP_PROTOCOL && !datagram.cut)
}
