//! What the scenario does to the world: links go down and up, nodes crash and come back, routing follows.

use super::happenings::Happening;
use super::random::Random;
use super::record::Note;
use super::routing::{Network, NodeRoutes, Routing};
use super::run::World;
use super::watch::Notice;
use crate::scenario::model::{Action, Deed, LinkId, NodeId, SessionId};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::units::show_time;
use rsvp_node::{Config, Engine, Input, RouteAnswer};
use std::collections::BTreeSet;

impl World {
    pub(super) fn boot(&mut self, node: NodeId) {
        let seed =
            Random::new(self.scenario.seed ^ ((node.0 as u64 + 1) << 32) ^ self.nodes[node.0].lives).next();
        let blockade_multiplier = self.scenario.blockade_multiplier;
        let mut config = Config { seed, blockade_multiplier, lays_out: false, ..Config::default() };
        config.limits.state_octets = self.scenario.room.state_octets;
        config.limits.neighbours_per_interface = self.scenario.room.neighbours;
        let again = self.nodes[node.0].lives > 0;
        let state = &mut self.nodes[node.0];
        if !self.scenario.nodes[node.0].plain {
            self.recording.boot(node.0 as u64, &config);
        }
        state.engine = Engine::new(config);
        state.lives += 1;
        state.wake = None;
        if again {
            self.note(format!("{} is back, without any state", self.scenario.nodes[node.0].name));
        }
        for attachment in self.topology.attachments(node).to_vec() {
            let up = self.network.link_up[attachment.link.0];
            let interface = self.topology.interface(&self.scenario, attachment, up);
            self.input(node, Input::InterfaceChanged(interface));
        }
        if again {
            self.change_network(|network| network.node_up[node.0] = true);
            self.restart_applications(node);
        }
    }

    pub(super) fn note(&mut self, what: String) {
        if !self.keeps_record() {
            return;
        }
        let order = self.record.order();
        self.record.notes.push(Note { order, at: self.now, text: what });
    }

    /// Changes which links and nodes are up, and tells every node whose routes that changes.
    pub(super) fn change_network(&mut self, change: impl FnOnce(&mut Network)) {
        let before = self.answers(None);
        change(&mut self.network);
        self.routing = Routing::new(&self.scenario, &self.network);
        self.tell_routes(before, None);
    }

    /// Changes who listens to a session, and tells every node whose routes that changes: only those to its destination can.
    pub(super) fn change_members(
        &mut self,
        session: SessionId,
        change: impl FnOnce(&mut BTreeSet<NodeId>) -> bool,
    ) {
        let destination = Some(self.topology.session(session).destination());
        let before = self.answers(destination);
        if change(&mut self.network.members[session.0]) {
            self.routing.set_members(session, &self.network.members[session.0]);
            self.tell_routes(before, destination);
        }
    }

    fn answers(&self, of: Option<IpAddr>) -> Vec<Vec<(IpAddr, RouteAnswer)>> {
        let (scenario, topology, routing) = (&self.scenario, &self.topology, &self.routing);
        let all = |n| NodeRoutes { scenario, topology, routing, node: NodeId(n) }.all(of);
        (0..self.nodes.len()).map(all).collect()
    }

    fn tell_routes(&mut self, before: Vec<Vec<(IpAddr, RouteAnswer)>>, destination: Option<IpAddr>) {
        let after = self.answers(destination);
        for (n, (before, after)) in before.into_iter().zip(after).enumerate() {
            // Where data of applications goes that are no part of the scenario is not compared.
            if (before != after || self.guests.is_some()) && self.network.node_up[n] {
                self.notice(Notice::Rerouted);
                self.tell_of_routes(NodeId(n), destination);
            }
        }
    }

    /// At once, or within the time that routing takes to converge. What a node asks routing meanwhile is answered as it is now: a
    /// kernel has its routes before its daemon hears that they are others.
    fn tell_of_routes(&mut self, node: NodeId, destination: Option<IpAddr>) {
        let longest_us = self.scenario.convergence.as_micros() as u64;
        if longest_us == 0 {
            return self.hear_of_routes(node, destination);
        }
        let after = Duration::from_micros(self.random.below(longest_us));
        self.happenings.plan(self.now + after, Happening::Reroute { node, destination });
    }

    /// One that has crashed meanwhile begins with what routing says then.
    pub(super) fn hear_of_routes(&mut self, node: NodeId, destination: Option<IpAddr>) {
        if self.network.node_up[node.0] {
            self.input(node, Input::RouteChanged { destination });
        }
    }

    pub(super) fn act_of_plan(&mut self, n: usize) {
        let Action { deed, .. } = self.scenario.actions[n].clone();
        self.carry_out(deed);
    }

    pub(super) fn carry_out(&mut self, deed: Deed) {
        match deed {
            Deed::LinkDown(link) => self.switch_link(link, false),
            Deed::LinkUp(link) => self.switch_link(link, true),
            Deed::Crash(node, time) => self.crash_node(node, time),
            deed => self.act_application(deed),
        }
    }

    fn switch_link(&mut self, link: LinkId, up: bool) {
        let (name, state) = (self.scenario.links[link.0].name.clone(), if up { "up" } else { "down" });
        if self.network.link_up[link.0] == up {
            self.note(format!("link {name} is {state} already"));
            return;
        }
        self.note(format!("link {name} goes {state}"));
        self.link_generation[link.0] += 1;
        // A link carries what is said as soon as an interface of it is up; it is gone for all only when all know that it is down.
        if up {
            self.network.link_up[link.0] = true;
        }
        // The interfaces before the routes: an engine that is asked to route anew has to know what it can use.
        for end in self.scenario.links[link.0].ends.clone() {
            if let Some(attachment) = self.topology.attachment(end, link) {
                let interface = self.topology.interface(&self.scenario, attachment, up);
                self.input(end, Input::InterfaceChanged(interface));
            }
        }
        self.change_network(|network| network.link_up[link.0] = up);
    }

    fn crash_node(&mut self, node: NodeId, time: Duration) {
        if !self.network.node_up[node.0] {
            self.note(format!("{} has crashed already", self.scenario.nodes[node.0].name));
            return;
        }
        self.note(format!("{} crashes for {}", self.scenario.nodes[node.0].name, show_time(time)));
        self.nodes[node.0].wake = None;
        self.nodes[node.0].engine = Engine::new(Config { lays_out: false, ..Config::default() });
        if let Some(traffic) = &mut self.traffic {
            traffic.crashed(self.now, node);
        }
        self.notice(Notice::Crashed { node });
        self.measure(node);
        self.forget_applications(node);
        self.change_network(|network| network.node_up[node.0] = false);
        self.happenings.plan(self.now + time, Happening::Boot(node));
    }
}
