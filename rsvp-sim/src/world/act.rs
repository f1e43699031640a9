//! What is done to a world between its steps: the actions of scenario files, links that fail without notice, and packets
//! that nobody in the world has sent.

use super::delivery::Packet;
use super::run::World;
use super::wire::Wire;
use crate::scenario::ScenarioError;
use crate::scenario::error::unknown;
use crate::scenario::keys::{ActionKeys, word};
use crate::scenario::model::{Action, Scenario};
use core::net::IpAddr;
use core::panic::Location;
use core::time::Duration;
use rsvp_node::Instant;

/// A packet with an RSVP message that is put into a world from outside.
#[derive(Clone, Copy, Debug)]
pub struct Injected<'a> {
    /// IP source.
    pub source: IpAddr,
    /// IP destination.
    pub destination: IpAddr,
    /// IP TTL.
    pub ttl: u8,
    /// Whether it has the Router Alert option.
    pub router_alert: bool,
    /// The message, sound or not.
    pub octets: &'a [u8],
}

impl World {
    /// A sender stops, or a receiver gives up its reservation and goes on listening.
    ///
    /// # Errors
    ///
    /// There is no such application; the nearest one is named.
    #[track_caller]
    pub fn tear(&mut self, application: &str) -> Result<(), ScenarioError> {
        let from = Location::caller();
        let keys = self.about(application, from)?;
        self.act("tear", &keys, from)
    }

    /// A sender announces something else, or a receiver asks for something else: `|c| c.rate("3mbit")`. What is not said
    /// stays as the scenario has it.
    ///
    /// # Errors
    ///
    /// What a scenario file would be refused for.
    #[track_caller]
    pub fn change(
        &mut self,
        application: &str,
        keys: impl FnOnce(ActionKeys) -> ActionKeys,
    ) -> Result<(), ScenarioError> {
        let from = Location::caller();
        let keys = self.about(application, from)? + &keys(ActionKeys::default()).text();
        self.act("change", &keys, from)
    }

    /// A receiver leaves its session.
    ///
    /// # Errors
    ///
    /// There is no such receiver; the nearest one is named.
    #[track_caller]
    pub fn leave(&mut self, receiver: &str) -> Result<(), ScenarioError> {
        self.act("leave", &format!("receiver = {}\n", word(receiver)), Location::caller())
    }

    /// A node loses its state, and is back after a while.
    ///
    /// # Errors
    ///
    /// There is no such node; the nearest one is named.
    #[track_caller]
    pub fn crash(&mut self, node: &str, away: Duration) -> Result<(), ScenarioError> {
        let keys = format!("node = {}\nfor = \"{}us\"\n", word(node), away.as_micros());
        self.act("crash", &keys, Location::caller())
    }

    /// A link goes down, and the nodes at its ends notice.
    ///
    /// # Errors
    ///
    /// There is no such link; the nearest one is named.
    #[track_caller]
    pub fn link_down(&mut self, link: &str) -> Result<(), ScenarioError> {
        self.act("link-down", &format!("link = {}\n", word(link)), Location::caller())
    }

    /// A link comes up again.
    ///
    /// # Errors
    ///
    /// There is no such link; the nearest one is named.
    #[track_caller]
    pub fn link_up(&mut self, link: &str) -> Result<(), ScenarioError> {
        self.act("link-up", &format!("link = {}\n", word(link)), Location::caller())
    }

    /// A link loses everything, what is underway included, and nobody notices: interfaces stay up and routes as they are.
    ///
    /// # Errors
    ///
    /// There is no such link; the nearest one is named.
    #[track_caller]
    pub fn partition(&mut self, link: &str) -> Result<(), ScenarioError> {
        self.rewire(link, Wire::Cut, "loses everything", Location::caller())
    }

    /// A link keeps everything that comes to its end, what is underway included, until [`Self::release`].
    ///
    /// # Errors
    ///
    /// There is no such link; the nearest one is named.
    #[track_caller]
    pub fn hold(&mut self, link: &str) -> Result<(), ScenarioError> {
        let from = Location::caller();
        match self.wires[self.link_id(link, from)?.0] {
            Wire::Held(_) => Ok(()),
            _ => self.rewire(link, Wire::Held(Vec::new()), "is held", from),
        }
    }

    /// Ends [`Self::hold`], and what was held arrives now, in its order; or [`Self::partition`].
    ///
    /// # Errors
    ///
    /// There is no such link; the nearest one is named.
    #[track_caller]
    pub fn release(&mut self, link: &str) -> Result<(), ScenarioError> {
        self.rewire(link, Wire::Whole, "is as it was", Location::caller())
    }

    /// A packet comes out of a link at a node, now.
    ///
    /// # Errors
    ///
    /// There is no such node or link, or that node is not on that link.
    #[track_caller]
    pub fn inject(&mut self, node: &str, link: &str, packet: Injected<'_>) -> Result<(), ScenarioError> {
        let from = Location::caller();
        let (id, on) = (self.node_id(node, from)?, self.link_id(link, from)?);
        if self.topology.attachment(id, on).is_none() {
            let own = self.topology.attachments(id).iter();
            let own = own.map(|attachment| self.scenario.links[attachment.link.0].name.as_str());
            return Err(unknown(&format!("link of {node}"), link, own, from));
        }
        self.begin();
        self.note_wordless(format!("a packet is put into {node} by {link}"));
        let Injected { source, destination, ttl, router_alert, octets } = packet;
        self.arrive(
            id,
            on,
            &Packet { source, destination, ttl, router_alert, octets: octets.to_vec(), recorded: None },
        );
        Ok(())
    }

    /// The key by which a sender or receiver is named.
    fn about(&self, application: &str, from: &Location<'_>) -> Result<String, ScenarioError> {
        let kind = match self.scenario.index.senders.contains_key(application) {
            true => "sender",
            false if self.scenario.index.receivers.contains_key(application) => "receiver",
            false => return Err(unknown("application", application, self.application_names(), from)),
        };
        Ok(format!("{kind} = {}\n", word(application)))
    }

    fn act(&mut self, deed: &str, keys: &str, from: &Location<'_>) -> Result<(), ScenarioError> {
        let deed = self.scenario.read_deed(deed, keys).map_err(|fault| fault.at(from))?;
        self.begin();
        let at = self.now - Instant::ZERO;
        self.done.push(Action { at, deed: deed.clone() });
        self.carry_out(deed);
        Ok(())
    }

    fn note_wordless(&mut self, what: String) {
        self.wordless.push((self.now, what.clone()));
        self.note(what);
    }

    /// What was done, and when, of which [`scenario_so_far`](Self::scenario_so_far) does not tell.
    pub(crate) fn wordless(&self) -> &[(Instant, String)] {
        &self.wordless
    }

    fn rewire(
        &mut self,
        link: &str,
        wire: Wire,
        what: &str,
        from: &Location<'_>,
    ) -> Result<(), ScenarioError> {
        let id = self.link_id(link, from)?;
        self.begin();
        self.note_wordless(format!("link {link} {what}"));
        self.set_wire(id, wire);
        Ok(())
    }

    /// The scenario with what was done between steps as its actions, but for links that were cut or held and packets that were
    /// put in, for which files have no words.
    #[must_use]
    pub fn scenario_so_far(&self) -> Scenario {
        let mut scenario = self.scenario.clone();
        scenario.duration = scenario.duration.max(self.now - Instant::ZERO);
        scenario.actions.extend(self.done.iter().cloned());
        scenario
    }

    /// What is done before anything has happened is done to nodes that are alive.
    fn begin(&mut self) {
        if self.now == Instant::ZERO {
            self.run_until(Duration::ZERO);
        }
    }
}
