//! A datagram as a socket delivers it, with what the kernel says of it beside. What is in it is deliberately not looked into.

use std::net::IpAddr;
use std::time::Duration;

/// A received datagram and what its control messages say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    /// As the socket delivers it: with IP header or without.
    pub(super) octets: &'a [u8],
    pub(super) source: IpAddr,
    /// Where it arrived (`IP_PKTINFO`, `IPV6_PKTINFO`).
    pub(super) interface: Option<u32>,
    /// The IP header's destination address.
    pub(super) destination: Option<IpAddr>,
    /// `IPV6_HOPLIMIT`; an IPv4 raw socket delivers the header instead.
    pub(super) hop_limit: Option<u8>,
    /// The UDP port that it came from.
    pub(super) port: u16,
    /// When it came (`SO_TIMESTAMPNS`), by the kernel's clock of the day.
    pub(super) came: Option<Duration>,
}

/// What came over a UNIX socket at once.
pub(super) struct WithDescriptors {
    /// How many octets.
    pub(super) octets: usize,
    /// The descriptors beside them (SCM_RIGHTS); they are closed when a child program is started.
    pub(super) descriptors: Vec<std::os::fd::OwnedFd>,
    /// There were more of them than fit, and those are gone.
    pub(super) were_cut: bool,
}
