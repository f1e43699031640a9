//! What the control service needs of whoever drives an engine.

use super::{ClientId, Who};
use crate::data_plane::by_hand::FlowByHand;
use crate::data_plane::wishes::Wishes;
use crate::flow_service::{Target, Way};
use rsvp_control::{Done, Problem, Request, tc};
use rsvp_node::qos::{Qos, Transport};
use rsvp_node::{Command, Engine, Instant, InterfaceId, Outcome, ReservationId, SenderView, TrafficControl};
use rsvp_wire::{SenderTemplate, Session};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The driver's side: an engine and what is around it.
pub trait EngineAccess {
    /// Gives a command to the engine and drains it. What comes of it is handed to [`ControlService::event`](super::ControlService::event) and
    /// [`traffic_control`](super::ControlService::traffic_control) afterwards, when the call of the control service that led here has returned.
    fn command(&mut self, command: Command<'_>) -> Outcome;
    /// The engine, to look at.
    fn engine(&self) -> &Engine;
    /// Where data that a sender on this node makes leaves it, as far as routing knows: "the system default interface" of
    /// RFC 2205 section 3.9, which need not be the one that has the sender's address.
    fn leaves_by(&mut self, _session: &Session, _sender: &SenderTemplate) -> Option<InterfaceId> {
        None
    }
    /// The source address that this node's data to there has, by that interface if one is named.
    fn source_for(&mut self, _destination: IpAddr, _interface: Option<InterfaceId>) -> Option<IpAddr> {
        None
    }
    /// How packets of a socket of this protocol leave to their peer, where they leave this node.
    fn way_to(
        &mut self,
        _transport: Transport,
        _local: Option<SocketAddr>,
        _peer: SocketAddr,
    ) -> Option<Way> {
        None
    }
    /// What the network has on a way is to be measured; what comes of it is told to
    /// [`ControlService::measured`](super::ControlService::measured) later.
    fn measure(&mut self, _target: Target) {}
    /// Whether RSVP is spoken at all: where it is not, this host alone does something for the packets of sockets.
    fn signals(&self) -> bool {
        true
    }
    /// A template is to outlive the daemon, or not to be kept any more.
    ///
    /// # Errors
    /// Why it cannot be, in words.
    fn keep_template(&mut self, _name: &str, _qos: Option<&Qos>) -> Result<(), String> {
        Ok(())
    }
    /// A client asks about policies.
    ///
    /// # Errors
    /// Why it is not done.
    fn about_policies(&mut self, _client: ClientId, _who: Who, _request: Request) -> Result<Done, Problem> {
        Err(Problem::new("not-permitted", "there are no policies here"))
    }
    /// A client is gone, and with it the policies that it had for as long as it was there.
    fn forget_policies_of(&mut self, _client: ClientId) {}
    /// An application asks this for the packets of its socket, or nothing any more.
    fn wish(&mut self, _session: &Session, _sender: &SenderTemplate, _wishes: Option<Wishes>) {}
    /// A flow of this host that is not signalled is to be carried out on an interface, or no longer.
    fn local_flow(&mut self, _change: &TrafficControl) {}
    /// A flow that was made by hand is to be this in the data plane, or is to go.
    fn flow_by_hand(&mut self, _id: ReservationId, _flow: Option<Arc<FlowByHand>>) {}
    /// A program says marks and classes of an interface, or of all; why not.
    fn set_marks(&mut self, _set: &tc::Set) -> Result<(), String> {
        Ok(())
    }
    /// Whether an interface is there still, be it down.
    fn is_there(&self, _id: InterfaceId) -> bool {
        true
    }
    /// The addresses of this node that data from elsewhere may come to.
    fn addresses(&self) -> Vec<IpAddr> {
        let both = |i: &rsvp_node::Interface| [i.ipv4.map(IpAddr::V4), i.ipv6.map(IpAddr::V6)];
        self.engine().interfaces().flat_map(|(interface, _)| both(interface)).flatten().collect()
    }
    /// What an interface is called.
    fn interface_name(&self, id: InterfaceId) -> Option<&str>;
    /// Whether the bandwidth of an interface is what the driver of a virtual one says, and nothing else is known.
    fn is_bandwidth_guessed(&self, _id: InterfaceId) -> bool {
        false
    }
    /// Whether what is sent on an interface is sent by UDP, too (RFC 2205 Appendix C).
    fn is_udp_on(&self, _id: InterfaceId) -> bool {
        false
    }
    /// Messages by UDP on an interface that were none, or not believed.
    fn udp_refused_on(&self, _id: InterfaceId) -> u64 {
        0
    }
    /// What keeps the promises of reservations on an interface, in a few words.
    fn data_plane_on(&self, _id: InterfaceId) -> String {
        "none".to_owned()
    }
    /// The engine's time.
    fn now(&self) -> Instant {
        Instant::ZERO
    }
    /// Why path state that leads to no interface is forwarded nowhere, in words.
    fn why_not_forwarded(&self, _view: &SenderView) -> Option<String> {
        None
    }
    /// Why data of a sender goes nowhere from here although its Path does, in words.
    fn why_no_data(&self, _view: &SenderView) -> Option<String> {
        None
    }
    /// What was last said of a Path that did not get where it was to go.
    fn why_undelivered(&self, _view: &SenderView) -> Option<String> {
        None
    }
    /// The driver's own counters: packets sent, send errors by kind, kernel drops, …
    fn counters(&self) -> Vec<(&'static str, u64)>;
}
