//! The UDP sockets, and their memberships in G* (RFC 2205 Appendix C). Opening them needs no privileges.

use super::{GROUP_V4, GROUP_V6, PU_PRIME};
use crate::queues::Sockets;
use crate::socket::{BUFFER, IP_MTU_DISCOVER_DONT, SocketError, TOS, Which, enlarge, option};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

fn udp(port: u16) -> &'static str {
    if port == PU_PRIME { "UDP port 1699" } else { "UDP port 1698" }
}

fn bound(domain: Domain, address: IpAddr, port: u16) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // What goes to a group that an application has joined is for Pu' only.
    let all = port == PU_PRIME;
    match address {
        IpAddr::V4(_) => socket.set_multicast_all_v4(all)?,
        IpAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_multicast_all_v6(all)?;
        }
    }
    enlarge(&socket, BUFFER);
    socket.bind(&SocketAddr::new(address, port).into())?;
    Ok(socket)
}

pub(crate) fn open_v4(port: u16) -> Result<Socket, SocketError> {
    let socket = bound(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into(), port)
        .map_err(|error| SocketError { what: udp(port), error })?;
    let ip = libc::IPPROTO_IP;
    option(&socket, "IP_PKTINFO", ip, libc::IP_PKTINFO, 1)?;
    option(&socket, "IP_MTU_DISCOVER", ip, libc::IP_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IP_TOS", ip, libc::IP_TOS, TOS)?;
    option(&socket, "IP_MULTICAST_LOOP", ip, libc::IP_MULTICAST_LOOP, 0)?;
    Ok(socket)
}

pub(crate) fn open_v6(port: u16) -> Result<Socket, SocketError> {
    let socket = bound(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into(), port)
        .map_err(|error| SocketError { what: udp(port), error })?;
    let ip = libc::IPPROTO_IPV6;
    option(&socket, "IPV6_RECVPKTINFO", ip, libc::IPV6_RECVPKTINFO, 1)?;
    option(&socket, "IPV6_MTU_DISCOVER", ip, libc::IPV6_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IPV6_TCLASS", ip, libc::IPV6_TCLASS, TOS)?;
    option(&socket, "IPV6_MULTICAST_LOOP", ip, libc::IPV6_MULTICAST_LOOP, 0)?;
    Ok(socket)
}

/// A membership in G*: the socket and the interface.
pub(super) type Member = (Which, u32);

/// Makes the sockets for Pu members of G* on these interfaces, and on no others.
pub(super) fn join(members: &mut Vec<Member>, listening: &[u32], sockets: &Sockets) {
    let wanted: Vec<Member> =
        listening.iter().flat_map(|on| [(Which::PuV4, *on), (Which::PuV6, *on)]).collect();
    for member in members.iter().filter(|member| !wanted.contains(member)) {
        // An interface that is gone has taken its memberships along.
        let _ = change(*member, sockets, false);
    }
    members.retain(|member| wanted.contains(member));
    for member in wanted {
        if members.contains(&member) {
            continue;
        }
        match change(member, sockets, true) {
            Ok(()) => members.push(member),
            Err(error) => {
                let group: IpAddr = if member.0 == Which::PuV6 { GROUP_V6.into() } else { GROUP_V4.into() };
                tracing::warn!(%error, %group, interface = member.1, "multicast sessions of UDP-only hosts are not heard");
            }
        }
    }
}

fn change((which, interface): Member, sockets: &Sockets, join: bool) -> io::Result<()> {
    let Some(socket) = sockets.socket(which) else { return Ok(()) };
    let index = InterfaceIndexOrAddress::Index(interface);
    match (which, join) {
        (Which::PuV6, true) => socket.join_multicast_v6(&GROUP_V6, interface),
        (Which::PuV6, false) => socket.leave_multicast_v6(&GROUP_V6, interface),
        (_, true) => socket.join_multicast_v4_n(&GROUP_V4, &index),
        (_, false) => socket.leave_multicast_v4_n(&GROUP_V4, &index),
    }
}
