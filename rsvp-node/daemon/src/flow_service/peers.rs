//! A socket and its peer: whether it can have a flow for it, the way there, and how both are listed.

use super::flow::{Member, Way};
use super::{invalid, problem};
use crate::control::descriptors::Looked;
use crate::control::service::EngineAccess;
use crate::data_plane::bpf::MOST_RATE;
use rsvp_control::Problem;
use rsvp_control::flows::{OutgoingRate, SocketRow};
use rsvp_node::InterfaceId;
use std::net::SocketAddr;

pub(super) fn socket_row(
    (socket, destination): (u64, SocketAddr),
    member: &Member,
    access: &dyn EngineAccess,
) -> SocketRow {
    let name = |id: InterfaceId| access.interface_name(id).map(str::to_owned);
    SocketRow {
        socket,
        transport: member.transport.into(),
        local: member.local,
        destination,
        interface: member.way.and_then(|way| name(way.interface)),
        on_link: member.way.is_some_and(|way| way.on_link),
    }
}

pub(super) fn check(rate: &OutgoingRate) -> Result<(), Problem> {
    let most = MOST_RATE * 8;
    if (8..=most).contains(&rate.bandwidth_bps) {
        return Ok(());
    }
    Err(invalid(format!("a rate has 8 to {most} bits per second, not {}", rate.bandwidth_bps)))
}

/// Address and port, without what else belongs to an IPv6 name; a mapped IPv4 address is that address.
fn plain(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

/// The peer for which a socket is to have a flow.
pub(super) fn peer_of(looked: &Looked, destination: Option<SocketAddr>) -> Result<SocketAddr, Problem> {
    let names = &looked.names;
    if names.listens {
        return Err(invalid("a socket that waits for connections sends nothing: add those that it accepts"));
    }
    let Some(peer) = destination.or(names.peer) else {
        let message = "the socket is not connected: say its `destination`, to which it sends";
        return Err(invalid(message));
    };
    if names.peer.is_some_and(|connected| plain(connected) != plain(peer)) {
        let connected = names.peer.map(plain).map_or_else(String::new, |peer| peer.to_string());
        return Err(invalid(format!("the socket is connected to {connected}, not to {peer}")));
    }
    if peer.is_ipv6() != looked.is_v6 {
        let (socket, family) =
            if looked.is_v6 { ("IPv6", "an address of IPv6") } else { ("IPv4", "an address of IPv4") };
        return Err(invalid(format!("a socket of {socket} sends to {family}, not to {peer}")));
    }
    let peer = plain(peer);
    let local = names.local.map(plain).filter(|local| !local.ip().is_unspecified());
    if let Some(local) = local.filter(|local| local.is_ipv4() != peer.is_ipv4()) {
        return Err(invalid(format!("the socket is bound to {local}, of another family than {peer}")));
    }
    if peer.port() == 0 || peer.ip().is_unspecified() {
        return Err(invalid(format!("{peer} is no peer: it has an address and a port")));
    }
    Ok(peer)
}

/// The way of a socket's packets.
pub(super) fn way(looked: &Looked, peer: SocketAddr, access: &mut dyn EngineAccess) -> Result<Way, Problem> {
    if !looked.is_marked {
        let message = "nothing marks packets of sockets on this host: `rsvp doctor` says why";
        return Err(problem("resource-disabled", message));
    }
    let names = &looked.names;
    access.way_to(names.transport, names.local, peer).ok_or_else(|| {
        let message = format!("no interface of this host leads to {peer}");
        problem("host-unreachable", message)
    })
}

impl Looked {
    pub(super) fn cookie(&self) -> Result<u64, Problem> {
        self.names.cookie.ok_or_else(|| problem("no-qos-socket", "the socket has no cookie"))
    }
}
