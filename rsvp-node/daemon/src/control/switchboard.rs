//! The connections of a service, for the driver's loop.
//!
//! What waits for clients is bounded in octets, for each and in sum. Who has not taken what it is told is not served meanwhile, and
//! who has far too much waiting is cut off, with all that it has asked for, and named in the log.

use super::connection::{FromClient, LineSender, ROOM, Room, Said};
use super::service::{ClientId, ControlService, EngineAccess, Piece, Who};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Octets that may wait for one client: what it is told at once has room, a client that has stopped reading has not.
const MOST: usize = 16 << 20;
/// The same of all together.
const MOST_IN_SUM: usize = 64 << 20;
/// Requests that were held back, done at once.
const REQUESTS: usize = 16;

/// A client's connection.
#[derive(Debug)]
struct Seat {
    who: Who,
    sender: LineSender,
    /// What it has said and is not done yet.
    held: VecDeque<(Said, Room)>,
    /// Lines that wait for the end of a line of which it has a part.
    after: Option<VecDeque<String>>,
    /// Octets of those.
    after_octets: usize,
}

impl Seat {
    fn put(&mut self, mut line: String) {
        line.push('\n');
        match &mut self.after {
            Some(after) => {
                self.after_octets += line.len();
                after.push_back(line);
            }
            None => self.sender.send(line),
        }
    }

    fn put_piece(&mut self, Piece { text, is_last }: Piece) {
        self.sender.send(text);
        if !is_last {
            self.after.get_or_insert_default();
            return;
        }
        self.sender.send("\n".to_owned());
        self.after_octets = 0;
        self.after.take().into_iter().flatten().for_each(|line| self.sender.send(line));
    }

    fn waiting(&self) -> usize {
        self.sender.waiting() + self.after_octets
    }

    fn has_room(&self) -> bool {
        self.sender.waiting() < ROOM
    }
}

/// The connections: `handle` what the server says, hand the engine's events to the service, then `deliver` what it has to say; `go_on`
/// with what was left over, once in a while, as long as there `is_more`.
#[derive(Debug, Default)]
pub struct Switchboard {
    clients: BTreeMap<ClientId, Seat>,
    /// Those that have said something that is not done yet.
    held: BTreeSet<ClientId>,
    /// Those that have hung up, and wait for the rest of what they have asked for.
    leaving: BTreeSet<ClientId>,
    /// Whose listing went on last.
    last: Option<ClientId>,
    /// Clients that were cut off because they did not read.
    pub cut_off: u64,
}

impl Switchboard {
    /// Passes on to the control service what a client did.
    pub fn handle(&mut self, from: FromClient, service: &mut ControlService, access: &mut dyn EngineAccess) {
        match from {
            FromClient::Opened(client, who, sender) => {
                let (held, after) = (VecDeque::new(), None);
                self.clients.insert(client, Seat { who, sender, held, after, after_octets: 0 });
                service.opened(client, who);
            }
            FromClient::Said(client, said, room) => {
                // A client that was cut off may still have had something to say.
                let Some(seat) = self.clients.get_mut(&client) else { return };
                if self.held.contains(&client) || service.is_listing(client) || !seat.has_room() {
                    seat.held.push_back((said, room));
                    self.held.insert(client);
                } else {
                    act(client, said, service, access);
                }
            }
            FromClient::HasRoom(_) => {}
            FromClient::HungUp(client) if self.clients.contains_key(&client) => {
                self.leaving.insert(client);
            }
            FromClient::HungUp(_) => {}
            FromClient::Deaf(client) => self.cut(client, "takes nothing", service, access),
            FromClient::Gone(client) => self.gone(client, service, access),
        }
    }

    fn gone(&mut self, client: ClientId, service: &mut ControlService, access: &mut dyn EngineAccess) {
        self.clients.remove(&client);
        self.held.remove(&client);
        self.leaving.remove(&client);
        service.gone(client, access);
    }

    /// Puts the control service's lines into the queues of the clients.
    pub fn deliver(&mut self, service: &mut ControlService, access: &mut dyn EngineAccess) {
        while let Some((client, line)) = service.outgoing() {
            let Some(seat) = self.clients.get_mut(&client) else { continue };
            seat.put(line);
            if seat.waiting() > MOST {
                self.cut(client, "has too much waiting", service, access);
            } else if seat.waiting() > ROOM {
                self.bound_sum(service, access);
            }
        }
        let has_all = |client: &ClientId| !self.held.contains(client) && !service.is_listing(*client);
        let leave: Vec<ClientId> = self.leaving.iter().copied().filter(has_all).collect();
        leave.into_iter().for_each(|client| self.gone(client, service, access));
    }

    /// Cuts off who has most waiting, when all together have too much.
    fn bound_sum(&mut self, service: &mut ControlService, access: &mut dyn EngineAccess) {
        let sum: usize = self.clients.values().map(Seat::waiting).sum();
        if sum <= MOST_IN_SUM {
            return;
        }
        let most = self.clients.iter().max_by_key(|(_, seat)| seat.waiting()).map(|(client, _)| *client);
        if let Some(client) = most {
            self.cut(client, "has most of too much waiting", service, access);
        }
    }

    fn cut(
        &mut self,
        client: ClientId,
        why: &str,
        service: &mut ControlService,
        access: &mut dyn EngineAccess,
    ) {
        let Some(seat) = self.clients.remove(&client) else { return };
        let (octets, uid) = (seat.waiting(), seat.who.uid);
        tracing::warn!(
            "control socket: client {} of user {uid} does not read and is cut off: it {why}, {octets} octets",
            client.0
        );
        self.cut_off += 1;
        seat.sender.cut();
        self.gone(client, service, access);
    }

    /// Whether [`go_on`](Self::go_on) has something to do.
    #[must_use]
    pub fn is_more(&self, service: &ControlService) -> bool {
        let has_room = |client: &ClientId| self.clients.get(client).is_some_and(Seat::has_room);
        service.listing().any(|client| has_room(&client))
            || self.held.iter().any(|client| has_room(client) && !service.is_listing(*client))
    }

    /// A piece of one listing, and some of what clients have said while they were listed something; [`deliver`](Self::deliver) is next.
    pub fn go_on(&mut self, service: &mut ControlService, access: &mut dyn EngineAccess) {
        let has_room = |client: &ClientId| self.clients.get(client).is_some_and(Seat::has_room);
        // In turn.
        let after =
            service.listing().filter(has_room).find(|client| self.last.is_none_or(|last| *client > last));
        let next = after.or_else(|| service.listing().find(has_room));
        self.last = next;
        if let Some(client) = next
            && let Some(seat) = self.clients.get_mut(&client)
            && let Some(piece) = service.next_piece(client, access)
        {
            seat.put_piece(piece);
        }
        let mut left = REQUESTS;
        for client in self.held.clone() {
            while left > 0
                && !service.is_listing(client)
                && let Some(seat) = self.clients.get_mut(&client)
                && seat.has_room()
                && let Some((said, _room)) = seat.held.pop_front()
            {
                left -= 1;
                act(client, said, service, access);
                // Its answer counts before the next is done.
                self.deliver(service, access);
            }
            if self.clients.get(&client).is_none_or(|seat| seat.held.is_empty()) {
                self.held.remove(&client);
            }
        }
    }

    /// Connections there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }
}

fn act(client: ClientId, said: Said, service: &mut ControlService, access: &mut dyn EngineAccess) {
    match said {
        Said::Line(line) => service.request(client, &line, access),
        Said::Overlong => service.overlong(client),
        Said::Handed(sockets) => service.handed(client, sockets),
        Said::HandedAll => service.handed_all(client),
        Said::Unusable(problem) => service.unusable(client, problem),
    }
}
