//! What watchers are told beside events and reservations: messages that were dropped or report something, and state that arrives
//! and leaves.
//!
//! State is compared with what was told last, so that it does not matter why it is there or gone. Nothing of it is kept while nobody watches.

use super::{ControlService, EngineAccess, listing};
use rsvp_control::rows::{RequestRow, SenderRow};
use rsvp_control::{Event, EventKind, Line, MessageRow, Undelivered, Watched};
use rsvp_node::Instant;
use rsvp_wire::SenderTemplate;
use std::collections::BTreeMap;

/// Rows that are compared whenever something has happened.
const FEW: usize = 200;
/// More of them are compared this often.
const SELDOM_US: u64 = 1_000_000;

/// Path state and requests as they were last told, by what names them.
#[derive(Debug, Default)]
pub(super) struct State {
    senders: BTreeMap<String, SenderRow>,
    requests: BTreeMap<String, RequestRow>,
    looked_at: Option<Instant>,
}

impl State {
    pub(super) fn of(access: &dyn EngineAccess) -> Self {
        let engine = access.engine();
        let senders = engine.senders().map(|view| {
            // What changes with time alone is not told.
            let row = listing::sender(view, access);
            SenderRow { age_ms: 0, refreshed_ms: None, expires_ms: None, ..row }
        });
        let requests = engine.requests().map(|view| {
            let row = listing::request(view, access);
            RequestRow { age_ms: 0, refreshed_ms: None, expires_ms: None, ..row }
        });
        let sender = |row: &SenderRow| {
            format!("{} {} {} {:?}", row.session, row.sender, row.previous_hop, row.interface)
        };
        let request = |row: &RequestRow| {
            format!("{} {} {:?} {:?}", row.session, row.next_hop, row.application, row.interface)
        };
        Self {
            senders: senders.map(|row| (sender(&row), row)).collect(),
            requests: requests.map(|row| (request(&row), row)).collect(),
            looked_at: Some(access.now()),
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let since = |at: Instant| now.as_micros().saturating_sub(at.as_micros());
        self.senders.len() + self.requests.len() <= FEW
            || self.looked_at.is_none_or(|at| since(at) >= SELDOM_US)
    }
}

/// What is there now and was not before, or was otherwise; and what is gone.
fn differences<Row: Clone>(
    before: &BTreeMap<String, Row>,
    now: &BTreeMap<String, Row>,
    is_same: impl Fn(&Row, &Row) -> bool,
    arrived: impl Fn(Row) -> Watched,
    gone: impl Fn(Row) -> Watched,
) -> Vec<Watched> {
    let left = before.iter().filter(|(name, _)| !now.contains_key(*name)).map(|(_, row)| gone(row.clone()));
    let is_news = |name: &String, row: &Row| before.get(name).is_none_or(|before| !is_same(before, row));
    let came = now.iter().filter(|(name, row)| is_news(name, row)).map(|(_, row)| arrived(row.clone()));
    left.chain(came).collect()
}

impl ControlService {
    /// Something happened that no listing of state has: watchers are told, and those who ask afterwards.
    pub fn saw(&mut self, watched: Watched) {
        self.earlier.note(&watched);
        self.tell_watchers(|| watched);
    }

    /// Something has happened to the engine: watchers are told of state that is there since, or no longer.
    pub fn look_at_state(&mut self, access: &dyn EngineAccess) {
        self.earlier.was_by(access.now());
        if !self.is_watched() || !self.state.is_due(access.now()) {
            return;
        }
        let now = State::of(access);
        // The reason is asked of the kernel, which may be asked too often to say it each time.
        let same_path = |a: &SenderRow, b: &SenderRow| {
            let without = |row: &SenderRow| SenderRow {
                not_forwarded: None,
                undelivered: None,
                data_not_forwarded: None,
                ..row.clone()
            };
            without(a) == without(b)
        };
        let (before, state) = (&self.state, &now);
        let mut told = differences(
            &before.senders,
            &state.senders,
            same_path,
            Watched::SenderArrived,
            Watched::SenderGone,
        );
        told.extend(differences(
            &before.requests,
            &state.requests,
            |a, b| a == b,
            Watched::RequestArrived,
            Watched::RequestGone,
        ));
        self.state = now;
        told.into_iter().for_each(|watched| self.tell_watchers(|| watched));
    }

    /// A message of this node did not get where it was to go: whoever announces that sender hears of it, be it a socket.
    pub fn undelivered(&mut self, of: &MessageRow, why: &Undelivered) {
        let (Some(session), Some(sender)) = (of.session, of.sender.map(SenderTemplate)) else { return };
        let announces = |client: &super::Client| {
            client.sessions.contains(&session) && client.senders.contains(&(session, sender))
        };
        self.qos.undelivered(&session, &sender, &why.meaning);
        self.say_what_sockets_are_told();
        let concerned: Vec<_> =
            self.clients.iter().filter(|(_, client)| announces(client)).map(|(id, _)| *id).collect();
        for client in concerned {
            let kind = EventKind::Undelivered { sender, node: of.peer, why: why.clone() };
            self.say(client, &Line { event: Some(Event { session, kind }), ..Line::default() });
        }
    }
}
