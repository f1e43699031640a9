//! The mark of a socket: the DSCP of every packet that it sends. No privilege is needed, and no daemon.
//!
//! What the kernel makes of it (Linux 6.18, each line seen in a capture by the tests):
//!
//! | packet | its DSCP |
//! |---|---|
//! | everything of a socket that was marked before `connect` | the mark, from the SYN to the last ACK, that of TIME_WAIT too |
//! | SYN-ACK and accepted sockets | the listener's mark |
//! | a socket that is marked later | the mark, from then on |
//! | the reset of a connection that is given up with data unread | the mark |
//! | the reset that a closed port answers with | the mark of the packet that is answered: there is no socket |
//!
//! The kernel derives SO_PRIORITY from a mark that is set: who wants a priority of its own sets it afterwards.

use super::dscp::Dscp;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
use socket2::{Domain, SockRef};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The bits of the DS field's octet that are not the DSCP (RFC 3168).
const ECN: u32 = 3;

/// Marks what a socket sends from now on; before `connect` the SYN is marked too, and a listener hands its mark to SYN-ACKs and
/// accepted sockets. The two ECN bits stay as they are. An IPv6 socket is marked for IPv4 too, which it may turn out to speak.
///
/// # Errors
/// When the socket is neither an IPv4 nor an IPv6 socket, or the kernel refuses.
pub fn mark(socket: &impl AsFd, dscp: Dscp) -> io::Result<()> {
    let socket = SockRef::from(socket);
    let with_ecn = |octet: u32| u32::from(dscp.ds_field()) | octet & ECN;
    if family(&socket)? == Domain::IPV6 {
        socket.set_tclass_v6(with_ecn(socket.tclass_v6()?))?;
    }
    socket.set_tos_v4(with_ecn(socket.tos_v4()?))
}

/// The mark of a socket. Of an IPv6 socket it is that for IPv6, unless its peer is an IPv4 one.
///
/// # Errors
/// When the socket is neither an IPv4 nor an IPv6 socket.
pub fn marked(socket: &impl AsFd) -> io::Result<Dscp> {
    let socket = SockRef::from(socket);
    let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
    Ok(Dscp::of_ds_field(ds_field(&socket, peer)?))
}

/// Sends one datagram with a mark of its own, to this address or else to the socket's peer; the socket keeps its mark, and the
/// datagram has the socket's ECN bits. Returns how many octets were sent.
///
/// # Errors
/// When there is neither an address nor a peer, or the system does not send it.
pub async fn send_marked(
    socket: &UdpSocket,
    octets: &[u8],
    to: Option<SocketAddr>,
    dscp: Dscp,
) -> io::Result<usize> {
    let peer = to.map_or_else(|| socket.peer_addr(), Ok)?;
    let ecn = ds_field(&SockRef::from(socket), Some(peer))? & ECN as u8;
    let (tos, to) = (dscp.ds_field() | ecn, to.map(SockaddrStorage::from));
    let tclass = i32::from(tos);
    // To an IPv4 address an IPv6 socket sends IPv4 packets, and looks at IPv4's option only.
    let own =
        if is_ipv4(&peer) { ControlMessage::Ipv4Tos(&tos) } else { ControlMessage::Ipv6TClass(&tclass) };
    let send = || {
        let octets = [IoSlice::new(octets)];
        Ok(sendmsg(socket.as_raw_fd(), &octets, &[own], MsgFlags::empty(), to.as_ref())?)
    };
    socket.async_io(Interest::WRITABLE, send).await
}

/// The octet, ECN bits included, with which a packet to this peer leaves.
pub(super) fn ds_field(socket: &SockRef<'_>, peer: Option<SocketAddr>) -> io::Result<u8> {
    let of_ipv4 = family(socket)? == Domain::IPV4 || peer.is_some_and(|peer| is_ipv4(&peer));
    let octet = if of_ipv4 { socket.tos_v4()? } else { socket.tclass_v6()? };
    Ok((octet & 0xff) as u8)
}

/// Whether packets to this address are IPv4's, as those to ::ffff:a.b.c.d are.
pub(super) fn is_ipv4(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_ipv4()
}

fn family(socket: &SockRef<'_>) -> io::Result<Domain> {
    match socket.domain()? {
        family @ (Domain::IPV4 | Domain::IPV6) => Ok(family),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only packets of IPv4 and IPv6 have a mark, and this socket sends neither",
        )),
    }
}
