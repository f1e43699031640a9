//! Listings that clients have asked for: each has one at a time, which is made in pieces, as it takes them.

use super::super::listing::{self, Listing};
use super::{ClientId, ControlService, EngineAccess};
use rsvp_control::rows::FlowRow;
use rsvp_control::{Line, MOST_ROWS, Problem, What};
use rsvp_wire::Session;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who is listed what.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// What is being written, and whether the client has some of it already.
    writing: BTreeMap<ClientId, Listing>,
    /// Clients that want to know of flows.
    asking: Vec<Asking>,
    /// Those that are answered with the listing that is being made.
    listed: Vec<Asking>,
}

/// A listing of flows that was asked for.
#[derive(Debug)]
struct Asking {
    client: ClientId,
    id: Option<u64>,
    session: Option<Session>,
    at_most: usize,
}

impl Lists {
    /// A client is gone.
    pub(super) fn forget(&mut self, client: ClientId) {
        self.writing.remove(&client);
        self.asking.retain(|asking| asking.client != client);
        self.listed.retain(|asking| asking.client != client);
    }
}

/// A part of a line for a client.
pub struct Piece {
    /// What comes next.
    pub text: String,
    /// Whether the line ends with it.
    pub is_last: bool,
}

impl ControlService {
    pub(super) fn list(
        &mut self,
        client: ClientId,
        id: Option<u64>,
        (what, session, at_most): (What, Option<Session>, Option<usize>),
        access: &dyn EngineAccess,
    ) {
        let at_most = at_most.unwrap_or(MOST_ROWS).min(MOST_ROWS);
        if what == What::Flows {
            self.lists.asking.push(Asking { client, id, session, at_most });
        } else if what == What::Events {
            let rows = self.earlier.rows(access.now());
            self.write(client, Listing::of_events(id, rows, session, at_most), access);
        } else if let Some(listing) = Listing::new(id, what, session, at_most) {
            self.write(client, listing, access);
        } else {
            let ok = Some(listing::list(what, at_most, access));
            self.say(client, &Line { id, ok, ..Line::default() });
        }
    }

    /// Writes what is short at once.
    fn write(&mut self, client: ClientId, mut listing: Listing, access: &dyn EngineAccess) {
        if listing.go_on(access) {
            self.outgoing.push_back((client, listing.take()));
        } else {
            self.lists.writing.insert(client, listing);
        }
    }

    /// Whether a client waits for a listing: what else it asks for has its turn when that has come.
    #[must_use]
    pub fn is_listing(&self, client: ClientId) -> bool {
        let waits = |asking: &[Asking]| asking.iter().any(|asking| asking.client == client);
        self.lists.writing.contains_key(&client) || waits(&self.lists.asking) || waits(&self.lists.listed)
    }

    /// The clients whose listings are being written.
    pub fn listing(&self) -> impl Iterator<Item = ClientId> + '_ {
        self.lists.writing.keys().copied()
    }

    /// The next piece of a client's listing.
    pub fn next_piece(&mut self, client: ClientId, access: &dyn EngineAccess) -> Option<Piece> {
        let listing = self.lists.writing.get_mut(&client)?;
        let mut text = listing.take();
        // The first piece was written when it was asked for.
        let is_last = text.is_empty() && listing.go_on(access);
        text.push_str(&listing.take());
        if is_last {
            self.lists.writing.remove(&client);
        }
        Some(Piece { text, is_last })
    }

    /// Whether somebody waits for [`flows`](Self::flows) who is not to be answered with the listing that is being made.
    #[must_use]
    pub fn asks_for_flows(&self) -> bool {
        !self.lists.asking.is_empty() || self.tc.is_asked() || self.socket_flows.wants_counts()
    }

    /// The data plane lists its flows for those who have asked. Whoever asks from now on waits for the next listing: this one may not
    /// have what that client has asked for before.
    pub fn flows_are_listed(&mut self) {
        self.lists.listed.append(&mut self.lists.asking);
        self.tc.is_listed();
        self.socket_flows.counts();
    }

    /// What the data plane has, or why it cannot say: those who had asked when it began are told.
    pub fn flows(&mut self, flows: &Result<Vec<FlowRow>, String>, access: &dyn EngineAccess) {
        let asked = core::mem::take(&mut self.lists.listed);
        let rows = match flows {
            Ok(rows) if !asked.is_empty() => Ok(self.with_names(rows).into()),
            Ok(_) => return,
            Err(why) => Err(Problem::new("data-plane", format!("the data plane does not tell: {why}"))),
        };
        for Asking { client, id, session, at_most } in asked {
            match &rows {
                Ok(rows) => {
                    self.write(client, Listing::of_flows(id, Arc::clone(rows), session, at_most), access);
                }
                Err(problem) => {
                    self.say(client, &Line { id, error: Some(problem.clone()), ..Line::default() });
                }
            }
        }
    }
}
