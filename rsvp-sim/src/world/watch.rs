//! A world for those who check every step: it is taken step by step, says what happened in each, and shows its engines.
//!
//! A watched world deliberately keeps no record, so that many of them can run in little memory.

use super::recording::Recording;
use super::run::World;
use super::topology::Topology;
use crate::scenario::model::{Deed, LinkId, NodeId, Receiver, ReceiverId, Request, Scenario, SenderId};
use core::net::IpAddr;
use rsvp_node::{AppId, Engine, Event, Instant, InterfaceId, Reservation};
use rsvp_wire::{FilterSpec, Style};
use sha2::{Digest as _, Sha256};

/// Something that happened in a step.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// A node's engine got a message.
    Arrived { node: NodeId, octets: Vec<u8> },
    /// Any other input.
    Stirred { node: NodeId },
    /// A node lost its state.
    Crashed { node: NodeId },
    /// A node's routes are others than before.
    Rerouted,
    /// A node's engine sent a message.
    Sent { node: NodeId, link: LinkId, destination: IpAddr, octets: Vec<u8> },
    /// A node changed what is installed.
    Installed { node: NodeId },
    /// An application was told something.
    Told { event: Event },
    /// A sender has given up its session, and hears of it no more.
    Released { app: AppId },
    /// An application asked for a reservation, and was refused at once or not.
    Asked { app: AppId, refused: bool },
}

impl World {
    /// A world that keeps notices in place of a record.
    #[must_use]
    pub(crate) fn watched(scenario: Scenario) -> Self {
        let mut world = Self::new(scenario);
        world.notices = Some(Vec::new());
        world
    }

    /// From now on all that engines say goes into a digest.
    pub fn keep_digest(&mut self) {
        self.recording = Recording::Digest(Sha256::new());
    }

    /// The digest (SHA-256) of all that engines have said since [`Self::keep_digest`], in the words of a journal: worlds in
    /// which the same happened have the same.
    #[must_use]
    pub fn digest(&self) -> Option<[u8; 32]> {
        match &self.recording {
            Recording::Digest(digest) => Some(digest.clone().finalize().into()),
            _ => None,
        }
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        if let Some(notices) = &mut self.notices {
            notices.push(notice);
        }
    }

    /// What happened since this was asked last.
    pub(crate) fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What is run.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Addresses and names.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// A node's engine.
    pub(crate) fn engine(&self, node: NodeId) -> &Engine {
        &self.nodes[node.0].engine
    }

    /// Why nothing happens any more, if so.
    pub(crate) fn standstill(&self) -> Option<&str> {
        self.record.fault.as_deref()
    }

    /// The link behind an interface.
    pub(crate) fn link_behind(&self, node: NodeId, interface: rsvp_node::InterfaceId) -> Option<LinkId> {
        self.topology.link_of(node, interface)
    }

    /// The receiver behind an application's id, or the sender.
    pub(crate) fn application_of(&self, app: AppId) -> Result<SenderId, ReceiverId> {
        let place = app.0 as usize;
        place.checked_sub(self.scenario.senders.len()).map_or(Ok(SenderId(place)), |n| Err(ReceiverId(n)))
    }

    /// Whether every node on the way of a sender's data to a receiver on another node has a reservation for it, and the node with
    /// an address is none of them. Where one of them is without RSVP there is no telling: the next one sees no change of routes.
    pub(crate) fn is_reserved_all_along(
        &self,
        receiver: ReceiverId,
        style: &Style,
        sender: &FilterSpec,
        without: IpAddr,
    ) -> bool {
        let scenario = &self.scenario;
        let Receiver { node: mut here, session, .. } = scenario.receivers[receiver.0];
        let from = (0..scenario.senders.len()).map(SenderId);
        let mut from = from.filter(|id| scenario.senders[id.0].session == session);
        let Some(from) = from.find(|id| self.topology.sender(*id) == *sender) else { return false };
        let root = scenario.senders[from.0].node;
        if here == root {
            return false;
        }
        let session = self.topology.session(session);
        while here != root {
            let Some((link, parent)) = self.routing.next_hop(scenario, here, root, None, None) else {
                return false;
            };
            let reserved = |(_, interface, r): (_, InterfaceId, Reservation)| {
                self.link_behind(parent, interface) == Some(link)
                    && r.session.with_flags(0) == session.with_flags(0)
                    && r.style.options == style.options
                    && r.filters.contains(sender)
            };
            let is_other = self.topology.attachments(parent).iter().all(|on| on.address != without);
            let stands = !scenario.nodes[parent.0].plain && self.engine(parent).reservations().any(reserved);
            if !is_other || !stands {
                return false;
            }
            here = parent;
        }
        true
    }

    /// A receiver asks again for what it has asked for, and wants to have it confirmed.
    pub(crate) fn ask_for_confirmation(&mut self, receiver: ReceiverId) {
        self.reserve_for_confirmation(receiver);
    }

    /// A receiver asks for something else.
    pub(crate) fn change_request(&mut self, receiver: ReceiverId, request: Request) {
        self.act_application(Deed::ChangeReceiver(receiver, request));
    }

    /// A receiver gives up what it has asked for, and goes on listening.
    pub(crate) fn release_reservation(&mut self, receiver: ReceiverId) {
        self.act_application(Deed::TearReceiver(receiver, Vec::new()));
    }

    /// An application gives up what it has.
    pub(crate) fn leave_or_stop(&mut self, app: AppId) {
        let deed = match self.application_of(app) {
            Ok(sender) => Deed::TearSender(sender),
            Err(receiver) => Deed::Leave(receiver),
        };
        self.act_application(deed);
    }
}
