//! The desk: clients of the control socket on one side, the engine's applications on the other (RFC 2205 section 3.11.1).
//!
//! Pure: lines come in, lines go out, commands go through a [`Door`]. One client is one application of the engine; when
//! it is gone, so is everything that it asked for. No I/O, no clock; who may talk is decided by the server.

use crate::daemon::control::protocol::Line;
use crate::{Command, Engine, Event, InterfaceId, Outcome, TrafficControl};
use std::collections::VecDeque;

/// Names a connection of the control socket; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// The driver's side: an engine and what is around it.
pub trait Door {
    /// Gives a command to the engine and drains it. Events that come of it are handed to [`Desk::event`] afterwards, when
    /// the call of the desk that led here has returned.
    fn command(&mut self, command: Command<'_>) -> Outcome;
    /// The engine, to look at.
    fn engine(&self) -> &Engine;
    /// What an interface is called.
    fn interface_name(&self, id: InterfaceId) -> Option<&str>;
    /// The driver's own counters: packets sent, send errors by kind, kernel drops, …
    fn counters(&self) -> Vec<(&'static str, u64)>;
}

/// Clients and what they have asked for.
#[derive(Debug, Default)]
pub struct Desk {
    outgoing: VecDeque<(ClientId, String)>,
}

impl Desk {
    /// A client is there: it is greeted. `daemon` is name and version for the greeting.
    pub fn opened(&mut self, client: ClientId, daemon: &str) {
        let line = Line { daemon: Some(daemon.to_owned()), ..Line::default() };
        let _ = (client, line, &mut self.outgoing);
    }

    /// A client asks: does it, and puts the reply into [`outgoing`](Self::outgoing).
    pub fn request(&mut self, client: ClientId, line: &str, door: &mut dyn Door) {
        let _ = (client, line, door);
    }

    /// A client sent a line that was too long to be read: it is told so.
    pub fn overlong(&mut self, client: ClientId) {
        let _ = client;
    }

    /// A client is gone: all of its senders and reservations are withdrawn.
    pub fn gone(&mut self, client: ClientId, door: &mut dyn Door) {
        let _ = (client, door);
    }

    /// The daemon ends: everything that clients asked for is withdrawn.
    pub fn everyone_gone(&mut self, door: &mut dyn Door) {
        let _ = door;
    }

    /// The engine has told an application something (every `Output::Event`).
    pub fn event(&mut self, event: &Event) {
        let _ = event;
    }

    /// The engine has changed a reservation (every `Output::TrafficControl`); those that subscribed are told. Costs nothing
    /// when nobody did.
    pub fn traffic_control(&mut self, change: &TrafficControl, interface: Option<&str>) {
        let _ = (change, interface);
    }

    /// The next line for a client, in order.
    pub fn outgoing(&mut self) -> Option<(ClientId, String)> {
        self.outgoing.pop_front()
    }
}
