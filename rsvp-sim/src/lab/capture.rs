//! The lab's own eyes: a packet socket in every namespace sees what the node puts on its links (packet(7)).
//!
//! Only what leaves a node is kept, so that every packet is seen once and its sender is certain. Nothing is decoded here
//! beyond what is needed to find protocol 46.

use super::error::{LabError, Trying};
use super::sys::await_readable;
use super::wiring::Place;
use crate::scenario::model::{LinkId, NodeId};
use core::time::Duration;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use rsvp_capture::ip;
use rsvp_wire::IP_PROTOCOL;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// A packet on its way out (linux/if_packet.h).
const PACKET_OUTGOING: u8 = 4;
const LARGEST_PACKET: usize = 1 << 16;
/// Octets that wait to be read.
const QUEUE: usize = 8 << 20;

/// A packet as a node sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    /// Since the epoch, by the kernel's clock.
    pub(super) at: Duration,
    pub(super) from: NodeId,
    pub(super) link: LinkId,
    /// From the IP header on.
    pub(super) packet: Vec<u8>,
}

/// Where captured packets gather.
#[derive(Clone, Debug, Default)]
pub(super) struct Captures(Arc<Mutex<Vec<Captured>>>);

impl Captures {
    /// Everything captured since this was asked last.
    pub(super) fn take(&self) -> Vec<Captured> {
        core::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts to watch what a node sends.
    pub(super) async fn watch(&self, node: NodeId, place: &Place) -> Result<(), LabError> {
        let name = &place.namespace.name;
        let opened = place.namespace.run(open).await?;
        let socket = opened.and_then(await_readable).trying(|| format!("watch the links of {name}"))?;
        let ports: Vec<(usize, LinkId)> = place.ports.iter().map(|p| (p.index as usize, p.link)).collect();
        let kept = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut room = vec![0; LARGEST_PACKET];
            while let Ok(mut ready) = socket.readable().await {
                let Ok(read) = ready.try_io(|socket| receive(socket.get_ref(), &mut room)) else { continue };
                let Ok(Some((at, index, length))) = read else { continue };
                let Some((_, link)) = ports.iter().find(|(i, _)| *i == index) else { continue };
                let packet = room[..length].to_vec();
                if ip::datagram(&packet).is_some_and(|datagram| datagram.protocol == IP_PROTOCOL) {
                    let captured = Captured { at, from: node, link: *link, packet };
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(captured);
                }
            }
        });
        Ok(())
    }
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(&socket, sockopt::RcvBufForce, &QUEUE)?;
    Ok(socket)
}

/// The next packet, if it was on its way out: when, over which interface, and how long it is.
fn receive(socket: &OwnedFd, room: &mut [u8]) -> io::Result<Option<(Duration, usize, usize)>> {
    let mut control = cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(room)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags);
    let message = match message {
        // An interface that went down is no reason to stop.
        Err(Errno::ENETDOWN) => return Ok(None),
        other => other?,
    };
    let Some(address) = message.address.filter(|a| a.pkttype() == PACKET_OUTGOING) else { return Ok(None) };
    let stamp = message.cmsgs()?.find_map(|each| match each {
        ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
        _ => None,
    });
    Ok(stamp.map(|at| (at, address.ifindex(), message.bytes)))
}
