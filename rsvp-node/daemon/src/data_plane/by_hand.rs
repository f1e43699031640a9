//! Flows that a program makes by hand, without signalling: what they are held to, how their packets are told.
//!
//! Who may make them, and what becomes of them with their client, is decided by the traffic control service.

use super::bpf::{Pattern, Rule, SocketPeer};
use super::wishes::Wishes;
use rsvp_node::{Police, Remark, Reservation};
use rsvp_wire::{Flowspec, Session, Style};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// A flow that is made by hand. Its interface never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowByHand {
    /// The interface by which it leaves.
    pub interface: u32,
    /// What it is held to, and its service.
    pub flowspec: Flowspec,
    /// Its mode, marks and shaping rate, where they are not those of the interface.
    pub wishes: Wishes,
    /// The marks of packets that do not conform, where they are not those of the interface: DSCP and priority.
    pub excess: (Option<u8>, Option<u8>),
    /// What packets are told by; none belong to it while there is nothing.
    pub filters: BTreeSet<Pattern>,
    /// Sockets whose packets are of it.
    pub sockets: BTreeSet<SocketPeer>,
    /// Of a flow of sockets that is shaped: octets that may wait, so that their senders are held back before any is lost. Its rate is
    /// what its class has, and nothing is added for the link.
    pub waiting: Option<u32>,
    /// What forwarded packets are told by, and the marks with which they leave.
    pub rules: Vec<Rule>,
}

impl FlowByHand {
    /// As a reservation that leads nowhere else. It is policed here, because nobody before this node knows of it.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        Reservation {
            session: Session::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, 0),
            style: Style::WF,
            filters: Vec::new(),
            flowspec: self.flowspec,
            charge_bps: 0,
            police: Police { entry: true, merge: true, branch: false },
            remark: Remark::default(),
        }
    }
}
