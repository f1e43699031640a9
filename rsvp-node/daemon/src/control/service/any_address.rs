//! Sessions of sockets that are bound to any address: one for each address of this node, as addresses come and go.
//!
//! The engine has whole sessions only. Here they are opened when a client asks for all of them or an address comes, and given up,
//! with what the client has reserved there, when their address goes or the client has had enough. What a client has opened by
//! name stands beside that, and is given up by name.

use super::{Client, ClientId, ControlService, EngineAccess, command};
use rsvp_control::{Done, Event, EventKind, Line, Problem, Watched, is_any_address, session_at};
use rsvp_node::Command;
use rsvp_wire::Session;
use std::collections::BTreeSet;

/// A session that an address has opened or closed for a client.
#[derive(Debug)]
pub(super) struct Change {
    client: ClientId,
    session: Session,
    kind: EventKind,
}

impl ControlService {
    /// Addresses of this node may have come or gone.
    pub fn addresses_changed(&mut self, access: &mut dyn EngineAccess) {
        let is_bound = |client: &Client| !client.any.is_empty();
        let bound: Vec<_> = self.clients.iter().filter(|(_, c)| is_bound(c)).map(|(id, _)| *id).collect();
        for client in bound {
            // What cannot be opened now is tried again when something changes.
            let _ = self.follow(client, access);
        }
        self.say_what_addresses_did();
        self.sockets_look_again(access);
        self.flows_look_again(access);
    }

    /// Opens a session at every address; all of them or none.
    pub(super) fn open_any_address(
        &mut self,
        client: ClientId,
        session: Session,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let is_new = self.clients.get_mut(&client).is_some_and(|client| client.any.insert(session));
        let opened = self.follow(client, access);
        if opened.is_err() && is_new {
            self.clients.entry(client).and_modify(|client| {
                client.any.remove(&session);
            });
            // What had been opened is closed again, and nobody has to hear of either.
            let _ = self.follow(client, access);
            self.by_address.retain(|change| change.client != client);
        }
        opened.map(|()| Done::default())
    }

    /// Ends a session, or those of a socket at any address.
    pub(super) fn close(
        &mut self,
        id: ClientId,
        session: Session,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(Done::default()) };
        if is_any_address(&session) {
            if !client.any.remove(&session) {
                let message =
                    format!("{session}: no session is open at any address with that protocol and port");
                return Err(Problem::new("not-found", message));
            }
            self.follow(id, access)?;
            // The client knows what it has closed.
            self.by_address.retain(|change| change.client != id);
            return Ok(Done::default());
        }
        let app = client.app;
        command(Command::Release { app, session }, access)?;
        client.sessions.remove(&session);
        client.routed.retain(|(of, _), _| *of != session);
        if client.followed.contains(&session) {
            command(Command::OpenSession { app, session }, access)?;
        }
        Ok(Done::default())
    }

    /// Opens what a client's sockets at any address should have and do not, and closes what they have and should not.
    fn follow(&mut self, id: ClientId, access: &mut dyn EngineAccess) -> Result<(), Problem> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let addresses = access.addresses();
        let at = |any: &Session| {
            addresses.iter().filter_map(|address| session_at(any, *address)).collect::<Vec<_>>()
        };
        let wanted: BTreeSet<Session> = client.any.iter().flat_map(at).collect();
        let app = client.app;
        let mut changed = |session, kind| self.by_address.push(Change { client: id, session, kind });
        let gone: Vec<Session> = client.followed.difference(&wanted).copied().collect();
        for session in gone {
            client.followed.remove(&session);
            if !client.sessions.contains(&session) {
                // Refused when nothing of it is left, which is what is wanted.
                let _ = access.command(Command::Release { app, session });
            }
            changed(session, EventKind::SessionClosed {});
        }
        let mut done = Ok(());
        for session in wanted {
            if client.followed.contains(&session) {
                continue;
            }
            match command(Command::OpenSession { app, session }, access) {
                Ok(()) => {
                    client.followed.insert(session);
                    changed(session, EventKind::SessionOpened {});
                }
                Err(problem) => {
                    tracing::warn!(%session, "a session at any address cannot be opened: {problem}");
                    done = Err(problem);
                }
            }
        }
        done
    }

    /// Tells clients, and whoever watches, of sessions that addresses have opened and closed.
    pub(super) fn say_what_addresses_did(&mut self) {
        for Change { client, session, kind } in core::mem::take(&mut self.by_address) {
            let Some(app) = self.clients.get(&client).map(|client| client.app) else { continue };
            let event = Event { session, kind };
            self.say(client, &Line { event: Some(event.clone()), ..Line::default() });
            self.tell_watchers(|| Watched::Application { application: app.0, event });
        }
    }
}
