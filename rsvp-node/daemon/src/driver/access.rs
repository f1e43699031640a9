//! The engine, and what is around it, for the control service.

use super::EngineIo;
use crate::control::service::{ClientId, EngineAccess, Who};
use crate::data_plane::by_hand::FlowByHand;
use crate::data_plane::wishes::Wishes;
use crate::flow_service::{Target, Way};
use crate::routes::Routes;
use rsvp_control::tc::Set;
use rsvp_control::{Done, Problem, Request};
use rsvp_node::qos::{Qos, Transport};
use rsvp_node::{
    Command, Engine, Input, Instant, InterfaceId, Outcome, ReservationId, SenderView, TcChange,
    TrafficControl,
};
use rsvp_wire::{SenderTemplate, Session};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

impl EngineAccess for EngineIo {
    fn command(&mut self, command: Command<'_>) -> Outcome {
        self.handle(Input::Command(command))
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn leaves_by(&mut self, session: &Session, sender: &SenderTemplate) -> Option<InterfaceId> {
        self.routes.leaves_by(session, &sender.0)
    }

    fn source_for(&mut self, destination: IpAddr, interface: Option<InterfaceId>) -> Option<IpAddr> {
        self.routes.source_for(destination, interface)
    }

    fn way_to(&mut self, transport: Transport, local: Option<SocketAddr>, peer: SocketAddr) -> Option<Way> {
        self.routes.way_to(transport.protocol(), local, peer)
    }

    fn measure(&mut self, target: Target) {
        if let Some(prober) = &self.prober {
            prober.measure(target);
        }
    }

    fn signals(&self) -> bool {
        self.signals
    }

    fn keep_template(&mut self, name: &str, qos: Option<&Qos>) -> Result<(), String> {
        self.shelf.keep(name, qos)
    }

    fn about_policies(&mut self, client: ClientId, who: Who, request: Request) -> Result<Done, Problem> {
        self.policies.hear_of_hooks(self.plane.unhooked().map(str::to_owned));
        self.policies.request(client, who, request, tokio::time::Instant::now())
    }

    fn forget_policies_of(&mut self, client: ClientId) {
        self.policies.gone(client, tokio::time::Instant::now());
    }

    fn wish(&mut self, session: &Session, sender: &SenderTemplate, wishes: Option<Wishes>) {
        self.plane.wish(*session, sender.0, wishes);
        // What stands for the session is told again, so that it follows.
        for (reservation, interface, told) in self.engine.reservations() {
            if told.session.with_flags(0) == *session {
                let change = TcChange::Install(told);
                self.plane.change(&TrafficControl { reservation, interface, change });
            }
        }
    }

    fn local_flow(&mut self, change: &TrafficControl) {
        self.plane.change(change);
    }

    fn flow_by_hand(&mut self, id: ReservationId, flow: Option<Arc<FlowByHand>>) {
        self.plane.by_hand(id, flow);
    }

    fn set_marks(&mut self, set: &Set) -> Result<(), String> {
        self.overrides.set(set).map(|()| self.is_overridden = true)
    }

    fn is_there(&self, id: InterfaceId) -> bool {
        self.routes.links.is_present(id)
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.routes.links.own_addresses().filter(|address| !address.is_loopback()).collect()
    }

    fn interface_name(&self, id: InterfaceId) -> Option<&str> {
        self.routes.links.name(id)
    }

    fn data_plane_on(&self, id: InterfaceId) -> String {
        self.plane.state(id.0).to_owned()
    }

    fn is_bandwidth_guessed(&self, id: InterfaceId) -> bool {
        self.routes.links.is_guessed(id)
    }

    fn is_udp_on(&self, id: InterfaceId) -> bool {
        self.encapsulation.is_on(id, self.now().as_micros())
    }

    fn udp_refused_on(&self, id: InterfaceId) -> u64 {
        self.encapsulation.refused_on(id)
    }

    fn now(&self) -> Instant {
        Self::now(self)
    }

    fn why_not_forwarded(&self, view: &SenderView) -> Option<String> {
        let Routes { links, fixed, .. } = &self.routes;
        self.reasons.why_not_forwarded(view, links, fixed, Self::now(self))
    }

    fn why_no_data(&self, view: &SenderView) -> Option<String> {
        self.reasons.why_no_data(view, &self.routes.fixed, Self::now(self))
    }

    fn why_undelivered(&self, view: &SenderView) -> Option<String> {
        self.witness.why_undelivered(&view.session, &view.sender, Self::now(self).as_micros())
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let received = self.received;
        let mut counters = vec![
            ("packets-received", received.datagrams),
            ("messages-taken", self.messages_taken),
            ("messages-discarded", self.messages_discarded),
            ("packets-not-rsvp", received.not_rsvp),
            ("fragments-waiting", received.fragments),
            ("receive-errors", received.errors),
            ("kernel-drops", self.sockets.kernel_drops()),
            ("packets-sent", self.send_queue.sent),
            ("send-retries", self.send_queue.retries),
            ("route-lookups-failed", self.routes.failed),
            ("udp-sent", self.send_queue.sent_by_udp),
            ("socket-releases-untold", self.untold_of_sockets[0]),
            ("socket-connects-untold", self.untold_of_sockets[1]),
        ];
        counters.extend(self.witness.counters());
        counters.extend(self.encapsulation.named());
        counters.extend(self.send_queue.failures.named());
        counters
    }
}
