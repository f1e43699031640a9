//! What every procedure works on: the state, the interfaces, the queue, the counters and the time.

use crate::api::Discard;
use crate::composer::Composer;
use crate::config::Config;
use crate::counters::Counters;
use crate::digest::DigestKey;
use crate::event::{AppId, Event, EventKind};
use crate::extension::Extensions;
use crate::interface::{Change, InterfaceId, Interfaces};
use crate::key::SessionKey;
use crate::neighbour::accounts::Owner;
use crate::notice::Notices;
use crate::queue::{Letter, Pending, Queue};
use crate::rng::Rng;
use crate::state::State;
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::resv::Request;
use crate::state::session::SessionState;
use crate::state::traffic::Branch;
use crate::state::upstream::Upstream;
use crate::time::Instant;
use core::net::IpAddr;
use rsvp_wire::{ErrorCode, RsvpHop};
use smallvec::SmallVec;

/// Requests that carry something to be forwarded.
pub(crate) type Carriers = SmallVec<[Ix<Request>; 4]>;

/// A node without its interface to others.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) config: Config,
    /// The time of the input being handled.
    pub(crate) now: Instant,
    /// Whose message it is, as soon as that is known; this node's own where it is none.
    pub(crate) cause: Owner,
    /// Messages that have left because of it.
    pub(crate) fanned: u32,
    /// Flow descriptors of it that were refused.
    pub(crate) refusals: usize,
    /// Items of requests that were cut down because of it.
    pub(crate) cut: usize,
    /// Where the refreshes of all requests are judged anew because of it, until one is kept.
    pub(crate) judged_again: Option<Branch>,
    /// The previous hop that was let through, while the driver finds room for what it is to be told.
    pub(crate) let_through: Option<Ix<Upstream>>,
    /// The requests of a session that carry something, since the last input.
    pub(crate) carriers: Option<(Ix<SessionState>, Carriers)>,
    /// Octets that answers to it about limits may still have.
    pub(crate) answer_room: usize,
    pub(crate) interfaces: Interfaces,
    pub(crate) state: State,
    pub(crate) queue: Queue,
    pub(crate) rng: Rng,
    /// For digests of what need not be kept.
    pub(crate) digest_key: DigestKey,
    pub(crate) counters: Counters,
    pub(crate) notices: Notices,
    pub(crate) octets_handled: u64,
    pub(crate) extensions: Extensions,
    /// Routes to look up again, now and when that is done.
    pub(crate) sweep: Option<Sweep>,
    pub(crate) next_sweep: Option<Sweep>,
    /// How much may be written before the next input, since something was.
    pub(crate) drained: Option<Enough>,
    /// Reused so that building a message allocates nothing.
    pub(crate) scratch: Vec<u8>,
}

/// A walk over all path state after routes or interfaces changed, a bounded piece at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    pub(crate) destination: Option<IpAddr>,
    /// What else is looked at than routes.
    pub(crate) change: Change,
    /// It is at work, and has not only been asked for.
    pub(crate) begun: bool,
    pub(crate) next: u32,
    /// The same for requests, which are looked at where an interface has gone down.
    pub(crate) next_request: u32,
}

impl Sweep {
    pub(crate) fn new(destination: Option<IpAddr>, change: Change) -> Self {
        Self { destination, change, begun: false, next: 0, next_request: 0 }
    }
}

/// Looks at blocks of state after which mass work makes a pause: it goes on in the next call. What a call begins and what is drained
/// after it have as many each.
const VISITS: u64 = 8_192;

/// How much of the work of a call is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enough {
    until: u64,
}

impl Enough {
    pub(crate) fn for_now(state: &State) -> Self {
        Self { until: state.visits() + VISITS }
    }

    /// Looks that do not count.
    pub(crate) fn but_for(self, looks: u64) -> Self {
        Self { until: self.until + looks }
    }

    pub(crate) fn is_reached(&self, state: &State) -> bool {
        state.visits() >= self.until
    }
}

impl Node {
    pub(crate) fn new(config: Config, extensions: Extensions) -> Self {
        Self {
            now: Instant::ZERO,
            cause: Owner::NODE,
            fanned: 0,
            refusals: 0,
            cut: 0,
            judged_again: None,
            let_through: None,
            carriers: None,
            answer_room: 0,
            interfaces: Interfaces::default(),
            state: State::new(config.hash_seed, &config.limits, config.lays_out, config.few),
            queue: Queue::new(config.limits.queue),
            rng: Rng::new(config.seed).late(config.timer_latency),
            digest_key: DigestKey::new(config.hash_seed),
            counters: Counters::default(),
            notices: Notices::default(),
            octets_handled: 0,
            extensions,
            sweep: None,
            next_sweep: None,
            drained: None,
            scratch: Vec::new(),
            config,
        }
    }

    /// Counts octets stored, compared or written.
    pub(crate) fn handled(&mut self, octets: usize) {
        self.octets_handled += octets as u64;
    }

    /// Something has come that may change the state of a session: what goes to previous hops is composed anew.
    pub(crate) fn session_changes(&mut self, session: Ix<SessionState>) {
        let changes = &mut self.state.sessions[session].changes;
        *changes = changes.wrapping_add(1);
    }

    /// Queues the Path messages (or PathTears) that a path state has marked as due.
    pub(crate) fn intend_path(&mut self, ix: Ix<PathState>) {
        if !self.state.paths[ix].flags.queued() {
            self.state.paths[ix].flags.set_queued(true);
            self.queue.intend(Pending::Path(self.state.paths.id(ix)));
        }
    }

    /// Queues a look at what a previous hop should know. A request that is half sent begins anew.
    pub(crate) fn intend_resv(&mut self, ix: Ix<Upstream>) {
        self.state.upstreams[ix].set_parts_sent(0);
        if !self.state.upstreams[ix].queued {
            let upstream = &mut self.state.upstreams[ix];
            (upstream.queued, upstream.cause) = (true, self.cause);
            self.queue.intend(Pending::Resv(self.state.upstreams.id(ix)));
        }
    }

    /// Queues an event for one application.
    pub(crate) fn tell(&mut self, app: AppId, session: &SessionKey, kind: EventKind) {
        let event = Event { app, session: session.object(), kind };
        if !self.queue.offer(Pending::Event(Box::new(event))) {
            self.counters.count_discard(Discard::QueueFull);
        }
    }

    /// Queues a message that carries its own content.
    pub(crate) fn send(&mut self, message: &Composer<'_>) {
        let mut octets = message.boxed(&self.extensions, &mut self.scratch);
        if message.error.is_some_and(|e| e.code == ErrorCode::RSVP_SYSTEM && self.is_own(e.node)) {
            // The address that is answered may be forged: never with more than came.
            if octets.len() > self.answer_room {
                octets =
                    message.without_flowspec(|shorter| shorter.boxed(&self.extensions, &mut self.scratch));
            }
            let Some(rest) = self.answer_room.checked_sub(octets.len()) else {
                return self.counters.count_discard(Discard::ErrorSuppressed);
            };
            self.answer_room = rest;
        }
        self.handled(octets.len());
        if !self.queue.offer(Pending::Letter(Box::new(Letter { envelope: message.to, octets }))) {
            self.counters.count_discard(Discard::QueueFull);
        }
    }

    /// Own address on an interface, of the family of `like`.
    pub(crate) fn own_address(&self, interface: InterfaceId, like: IpAddr) -> Option<IpAddr> {
        self.interfaces.find(interface)?.config.address_like(like)
    }

    /// This node as the hop of what leaves on an interface for an address of the family of `like`.
    pub(crate) fn own_hop(&self, interface: InterfaceId, like: IpAddr) -> Option<RsvpHop> {
        let config = &self.interfaces.find(interface)?.config;
        Some(RsvpHop { address: config.address_like(like)?, lih: config.lih })
    }
}
