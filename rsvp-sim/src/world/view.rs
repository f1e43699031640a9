//! What one sees of a world between its steps, by the names of its scenario and in the types of the engine.

use super::record::Told;
use super::run::World;
use crate::scenario::ScenarioError;
use crate::scenario::error::{unknown, unrecorded};
use crate::scenario::model::{LinkId, NodeId};
use core::panic::Location;
use rsvp_node::{BlockadeView, Engine, Event, Instant, Refusal, RequestView, Reservation, SenderView};

/// A node as it is.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'w> {
    world: &'w World,
    node: NodeId,
}

/// A reservation that is installed on an outgoing interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The link that its data leaves by.
    pub link: String,
    /// The reservation.
    pub reservation: Reservation,
}

/// An application as it is.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationView<'w> {
    world: &'w World,
    name: &'w str,
}

impl World {
    /// A node by its name.
    ///
    /// # Errors
    ///
    /// There is none of that name; the nearest one is named.
    #[track_caller]
    pub fn node(&self, name: &str) -> Result<NodeView<'_>, ScenarioError> {
        let node = self.node_id(name, Location::caller())?;
        Ok(NodeView { world: self, node })
    }

    /// A sender or receiver by its name.
    ///
    /// # Errors
    ///
    /// There is none of that name; the nearest one is named.
    #[track_caller]
    pub fn application(&self, name: &str) -> Result<ApplicationView<'_>, ScenarioError> {
        let index = &self.scenario.index;
        let known = index.senders.get_key_value(name).or_else(|| index.receivers.get_key_value(name));
        match known {
            Some((name, _)) => Ok(ApplicationView { world: self, name }),
            None => Err(unknown("application", name, self.application_names(), Location::caller())),
        }
    }

    pub(super) fn application_names(&self) -> impl Iterator<Item = &str> {
        let senders = self.scenario.senders.iter().map(|sender| sender.name.as_str());
        senders.chain(self.scenario.receivers.iter().map(|receiver| receiver.name.as_str()))
    }

    pub(crate) fn node_id(&self, name: &str, from: &Location<'_>) -> Result<NodeId, ScenarioError> {
        let place = self.scenario.index.nodes.get(name).copied();
        let names = self.scenario.nodes.iter().map(|node| node.name.as_str());
        place.map(NodeId).ok_or_else(|| unknown("node", name, names, from))
    }

    pub(super) fn link_id(&self, name: &str, from: &Location<'_>) -> Result<LinkId, ScenarioError> {
        let place = self.scenario.index.links.get(name).copied();
        let names = self.scenario.links.iter().map(|link| link.name.as_str());
        place.map(LinkId).ok_or_else(|| unknown("link", name, names, from))
    }
}

impl<'w> NodeView<'w> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'w str {
        &self.world.scenario.nodes[self.node.0].name
    }

    /// Whether it has not crashed, or is back.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.world.network.node_up[self.node.0]
    }

    /// Its engine: counters, interfaces, sessions and all else that is not asked for here.
    #[must_use]
    pub fn engine(&self) -> &'w Engine {
        &self.world.nodes[self.node.0].engine
    }

    /// What is reserved on its outgoing interfaces.
    #[must_use]
    pub fn reservations(&self) -> Vec<Installed> {
        let name = |interface| {
            let link = self.world.topology.link_of(self.node, interface);
            link.map_or_else(String::new, |link| self.world.scenario.links[link.0].name.clone())
        };
        let all = self.engine().reservations();
        all.map(|(_, interface, reservation)| Installed { link: name(interface), reservation }).collect()
    }

    /// Its path state.
    #[must_use]
    pub fn paths(&self) -> Vec<SenderView> {
        self.engine().senders().collect()
    }

    /// The requests that stand.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestView> {
        self.engine().requests().collect()
    }

    /// Its blockade state.
    #[must_use]
    pub fn blockades(&self) -> Vec<BlockadeView> {
        self.engine().blockades().collect()
    }
}

impl<'w> ApplicationView<'w> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'w str {
        self.name
    }

    /// All that it was told, and when.
    ///
    /// # Errors
    ///
    /// The world keeps no record, so nobody knows.
    #[track_caller]
    pub fn told(&self) -> Result<impl Iterator<Item = (Instant, &'w Told)> + use<'w>, ScenarioError> {
        if !self.world.keeps_record() {
            return Err(unrecorded("what applications were told", Location::caller()));
        }
        let name = self.name;
        let own = self.world.record.told.iter().filter(move |told| told.application == name);
        Ok(own.filter_map(|record| Some((record.at, record.told.as_ref()?))))
    }

    /// The events that it was told, in order.
    ///
    /// # Errors
    ///
    /// As [`told`](Self::told).
    #[track_caller]
    pub fn events(&self) -> Result<impl Iterator<Item = &'w Event> + use<'w>, ScenarioError> {
        Ok(self.told()?.filter_map(|(_, told)| match told {
            Told::Event(event) => Some(event),
            _ => None,
        }))
    }

    /// What was refused at once of what it has asked for.
    ///
    /// # Errors
    ///
    /// As [`told`](Self::told).
    #[track_caller]
    pub fn refusals(&self) -> Result<impl Iterator<Item = Refusal> + use<'w>, ScenarioError> {
        Ok(self.told()?.filter_map(|(_, told)| match told {
            Told::Refused(why) => Some(*why),
            _ => None,
        }))
    }

    /// Whether a reservation was ever confirmed to it. A world without a record knows that, too.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        let place = self.world.scenario.index.receivers.get(self.name);
        place.is_some_and(|place| self.world.receivers[*place].confirmed)
    }
}
