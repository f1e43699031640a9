//! The engine: inputs, outputs, and views of what is inside.

use crate::api::{Input, Outcome, Output, Reservation, ReservationId};
use crate::config::Config;
use crate::counters::{Counters, Work};
use crate::ext;
use crate::host::Host;
use crate::interface::{Interface, InterfaceId};
use crate::key::SessionKey;
use crate::neighbour::accounts::Owner;
use crate::node::Node;
use crate::process::soft_state::lifetime;
use crate::state::kept::refresh_ms;
use crate::state::resv::RequestOrigin;
use crate::time::Instant;
use crate::view::{
    BlockadeView, Extent, Life, NeighbourView, Places, RequestView, Requester, SenderView, SessionView,
};
use core::ops::Range;
use rsvp_wire::{SenderTemplate, Session};

/// All places.
const ALL: Range<u32> = 0..u32::MAX;

/// One RSVP node: [`handle`](Self::handle) takes inputs, [`poll`](Self::poll) gives outputs.
///
/// After every `handle`, `poll` is called until it answers [`Output::Idle`].
#[derive(Clone, Debug)]
pub struct Engine {
    node: Node,
}

impl Engine {
    /// A node without interfaces and without state.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { node: Node::new(config, ext::all()) }
    }

    /// Takes one input at time `now`, which must not go back. Drain [`Self::poll`] afterwards.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, host: &mut dyn Host) -> Outcome {
        let node = &mut self.node;
        node.now = node.now.max(now);
        (node.drained, node.carriers) = (None, None);
        (node.cause, node.fanned, node.refusals) = (Owner::NODE, 0, 0);
        (node.cut, node.judged_again) = (0, None);
        match input {
            Input::Packet(rx) => return node.message_arrives(rx, host),
            Input::Command(command) => {
                return match node.command(command) {
                    Ok(()) => Outcome::Taken,
                    Err(refusal) => Outcome::Refused(refusal),
                };
            }
            Input::InterfaceChanged(interface) => node.interface_changes(interface, host),
            Input::RouteChanged { destination } => node.routes_changed(destination, host),
            Input::Held(held) => node.interfaces.hold(held),
            Input::TrafficControl(answer) => {
                return match node.traffic_control_answers(answer) {
                    Ok(()) => Outcome::Taken,
                    Err(why) => {
                        node.counters.count_discard(why);
                        Outcome::Discarded(why)
                    }
                };
            }
            Input::Timer => {
                node.sweep_routes(host);
                node.time_passes();
            }
        }
        Outcome::Taken
    }

    /// The next output. A message is written to the start of `buf`; [`Output::NeedSpace`] asks for a larger one.
    pub fn poll<'b>(&mut self, now: Instant, buf: &'b mut [u8]) -> Output<'b> {
        let node = &mut self.node;
        node.now = node.now.max(now);
        node.next_output(buf)
    }

    #[cfg(test)]
    pub(crate) fn state(&self) -> &crate::state::State {
        &self.node.state
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.node.counters
    }

    /// The work done so far.
    #[must_use]
    pub fn work(&self) -> Work {
        Work { states_visited: self.node.state.visits(), octets_handled: self.node.octets_handled }
    }

    /// Octets of memory that all state takes: tables with their spare room, and kept messages. Walks over all of it.
    #[must_use]
    pub fn octets(&self) -> u64 {
        (self.node.state.octets() + self.node.queue.octets()) as u64
    }

    /// How many blocks of state there are: sessions, path states, requests, reservations, previous hops, blockades and timers.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        self.node.state.blocks()
    }

    /// Every interface, with the bits per second reserved on it.
    pub fn interfaces(&self) -> impl Iterator<Item = (&Interface, u64)> {
        self.node.interfaces.iter().map(|i| (&i.config, i.budget.reserved_bps()))
    }

    /// Every session, also one that only local applications have open.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> + '_ {
        self.sessions_in(ALL)
    }

    /// The places in which there is or was state of each kind, from 0 on: who shows much of it goes through them in pieces. State stays
    /// where it is as long as it is there.
    #[must_use]
    pub fn places(&self) -> Places {
        let state = &self.node.state;
        Places {
            sessions: state.sessions.places(),
            senders: state.paths.places(),
            requests: state.requests.places(),
            reservations: state.reserved.places(),
            blockades: state.blockades.places(),
        }
    }

    /// The sessions at these places.
    pub fn sessions_in(&self, places: Range<u32>) -> impl Iterator<Item = SessionView> + '_ {
        self.node.state.sessions.iter_in(places).map(|(_, session)| SessionView {
            session: session.key.object(),
            applications: session.apps().to_vec(),
        })
    }

    /// How much a session has.
    #[must_use]
    pub fn extent(&self, session: &Session) -> Extent {
        let state = &self.node.state;
        let Some(ix) = state.find_session(&SessionKey::of(*session)) else { return Extent::default() };
        Extent {
            senders: state.paths_of(ix).filter(|(_, p)| !p.flags.dead()).count(),
            requests: state.requests_of(ix).count(),
            reservations: state.reserved_of(ix).count(),
            charge_bps: state.reserved_of(ix).map(|(_, reserved)| reserved.charge_bps).sum(),
        }
    }

    /// Every path state.
    pub fn senders(&self) -> impl Iterator<Item = SenderView> + '_ {
        self.senders_in(ALL)
    }

    /// The path states at these places.
    pub fn senders_in(&self, places: Range<u32>) -> impl Iterator<Item = SenderView> + '_ {
        let state = &self.node.state;
        state.paths.iter_in(places).filter(|(_, p)| !p.flags.dead()).filter_map(|(_, path)| {
            let upstream = path.upstream().map(|ix| &state.upstreams[ix]);
            Some(SenderView {
                session: self.node.state.key_of(path.session).object(),
                sender: SenderTemplate(path.sender.object()),
                tspec: path.tspec()?,
                previous_hop: upstream.map(|u| u.address),
                incoming: path.incoming(),
                outgoing: path.outgoing.iter().filter(|o| !o.leaving).map(|o| o.interface).collect(),
                local_only: path.flags.local_only(),
                ttl: path.ttl,
                adspec: path.adspec(),
                since: path.since.instant(),
                life: path.incoming().map(|on| self.life(refresh_ms(&path.octets), on, path.expires)),
            })
        })
    }

    /// Every reservation request.
    pub fn requests(&self) -> impl Iterator<Item = RequestView> + '_ {
        self.requests_in(ALL)
    }

    /// The reservation requests at these places.
    pub fn requests_in(&self, places: Range<u32>) -> impl Iterator<Item = RequestView> + '_ {
        self.node.state.requests.iter_in(places).map(|(_, request)| RequestView {
            session: self.node.state.key_of(request.session).object(),
            style: request.style.object(),
            from: match request.from {
                RequestOrigin::Hop { interface, address } => Requester::NextHop { interface, address },
                RequestOrigin::App { app, .. } => Requester::App(app),
            },
            flows: request.items.iter().map(|i| (i.filter.map(|f| f.object()), i.flowspec)).collect(),
            since: request.since.instant(),
            life: request
                .interface()
                .zip(request.items.iter().map(|i| i.expires).min())
                .map(|(on, expires)| self.life(request.kept.refresh_ms(), on, expires)),
        })
    }

    /// When state that came in a message was refreshed: L before it dies (RFC 2205 section 3.7).
    fn life(&self, refresh_ms: u32, on: InterfaceId, expires: Instant) -> Life {
        let k = self.node.interfaces.find(on).map_or(3, |i| i.config.lifetime_multiplier);
        let lifetime = u64::try_from(lifetime(k, refresh_ms).as_micros()).unwrap_or(u64::MAX);
        Life { refreshed: Instant(expires.as_micros().saturating_sub(lifetime)), expires }
    }

    /// Every installed reservation.
    pub fn reservations(&self) -> impl Iterator<Item = (ReservationId, InterfaceId, Reservation)> + '_ {
        self.reservations_in(ALL)
    }

    /// The installed reservations at these places.
    pub fn reservations_in(
        &self,
        places: Range<u32>,
    ) -> impl Iterator<Item = (ReservationId, InterfaceId, Reservation)> + '_ {
        self.node.state.reserved.iter_in(places).map(|(ix, reserved)| {
            let id = self.node.state.reserved.id(ix);
            (id.into(), reserved.interface, self.node.reservation(reserved))
        })
    }

    /// Every element of blockade state.
    pub fn blockades(&self) -> impl Iterator<Item = BlockadeView> + '_ {
        self.blockades_in(ALL)
    }

    /// The elements of blockade state at these places.
    pub fn blockades_in(&self, places: Range<u32>) -> impl Iterator<Item = BlockadeView> + '_ {
        self.node.state.blockades.iter_in(places).map(|(_, blockade)| {
            let upstream = &self.node.state.upstreams[blockade.upstream];
            BlockadeView {
                session: self.node.state.key_of(blockade.session).object(),
                sender: blockade.sender.map(|s| s.object()),
                previous_hop: upstream.address,
                incoming: upstream.interface,
                flowspec: blockade.failed.qe,
            }
        })
    }

    /// Every neighbour that was heard of, and what it has; of those that have nothing some are forgotten.
    pub fn neighbours(&self) -> impl Iterator<Item = NeighbourView> + '_ {
        let accounts = &self.node.state.accounts;
        accounts.iter().map(|account| NeighbourView {
            interface: account.party.interface,
            address: account.party.address,
            octets: account.octets,
            floor: accounts.floor(),
            senders: account.blocks[0],
            requests: account.blocks[1],
            blockades: account.blocks[2],
            messages: account.messages,
            refused: account.refused().collect(),
        })
    }

    /// Whether nothing is left: no session, path, request, reservation, blockade, timer, tombstone or pending output, and nothing
    /// that is charged to a neighbour.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let charged = self.node.state.accounts.iter().any(|account| account.octets > 0);
        self.node.state.blocks() == 0 && self.node.queue.is_empty() && !charged
    }
}
