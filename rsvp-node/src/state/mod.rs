//! State of a node by RFC 2209 section 1, a file for each kind of block, and how the blocks hang together.
//!
//! A session heads a list of each kind. This folder keeps tables, lists, index and timers consistent: blocks are added and
//! removed by the methods of [`State`] only, found in `lookup`, and woken in `timers`. What the protocol makes of them is in
//! `process`, which this folder deliberately does not know.

pub(crate) mod arena;
pub(crate) mod blockade;
pub(crate) mod column;
pub(crate) mod crowd;
mod flags;
#[cfg(test)]
mod fresh;
pub(crate) mod index;
pub(crate) mod kept;
mod lookup;
pub(crate) mod numbers;
mod octets;
pub(crate) mod path;
pub(crate) mod resv;
pub(crate) mod session;
mod timers;
pub(crate) mod together;
pub(crate) mod traffic;
pub(crate) mod upstream;
pub(crate) mod wheel;

use crate::config::Limits;
use crate::interface::InterfaceId;
use crate::key::{SessionKey, StyleKind};
use crate::neighbour::accounts::{Accounts, Block, Owner};
use arena::{Arena, Ix};
use blockade::Blockade;
use core::net::IpAddr;
use index::{ByDestination, ByKey, SessionIndex};
use path::PathState;
use resv::Request;
use session::SessionState;
pub(crate) use timers::{TimerLink, TimerOwner};
use traffic::{Filters, Reserved};
use upstream::Upstream;
use wheel::{Timer, Wheel};

/// All state of a node.
#[derive(Clone, Debug)]
pub(crate) struct State {
    index: SessionIndex<ByKey>,
    groups: SessionIndex<ByDestination>,
    pub(crate) sessions: Arena<SessionState>,
    pub(crate) paths: Arena<PathState>,
    pub(crate) requests: Arena<Request>,
    pub(crate) reserved: Arena<Reserved>,
    pub(crate) upstreams: Arena<Upstream>,
    pub(crate) blockades: Arena<Blockade>,
    wheel: Wheel<TimerLink>,
    /// Senders of a session, or filters of a request, that are looked at one by one.
    pub(crate) few: usize,
    /// What neighbours have of all this.
    pub(crate) accounts: Accounts,
}

// A million reservations on one node is a design input: these blocks must not grow unnoticed.
const _: () = assert!(size_of::<SessionState>() <= 72);
const _: () = assert!(size_of::<PathState>() <= 128);
const _: () = assert!(size_of::<Request>() <= 168);
const _: () = assert!(size_of::<Reserved>() <= 88);
const _: () = assert!(size_of::<Upstream>() <= 88);

impl State {
    pub(crate) fn new(seed: u64, limits: &Limits, lays_out: bool, few: u32) -> Self {
        let expected = if lays_out { limits.sessions } else { 0 };
        Self {
            index: SessionIndex::new(seed, expected),
            groups: SessionIndex::new(!seed, expected),
            sessions: Arena::without_ids(expected),
            paths: Arena::new(expected),
            requests: Arena::without_ids(expected),
            reserved: Arena::new(expected),
            upstreams: Arena::new(expected),
            blockades: Arena::without_ids(0),
            wheel: Wheel::new(),
            few: few as usize,
            accounts: Accounts::new(limits.neighbours_per_interface),
        }
    }

    pub(crate) fn add_session(&mut self, key: &SessionKey) -> Ix<SessionState> {
        let ix = self.sessions.insert(SessionState::new(*key));
        self.index.insert(ix, &mut self.sessions);
        self.join_group(ix);
        ix
    }

    fn join_group(&mut self, ix: Ix<SessionState>) {
        let key = self.sessions[ix].key;
        let Some(member) = self.groups.find(&key, &self.sessions) else {
            self.groups.insert(ix, &mut self.sessions);
            return;
        };
        let next = self.sessions[member].group_next.unwrap_or(member);
        self.sessions[ix].group_prev = Some(member);
        self.sessions[ix].group_next = Some(next);
        self.sessions[member].group_next = Some(ix);
        self.sessions[next].group_prev = Some(ix);
    }

    fn leave_group(&mut self, ix: Ix<SessionState>) {
        let was_indexed = self.groups.remove(ix, &mut self.sessions);
        let (next, prev) = (self.sessions[ix].group_next.take(), self.sessions[ix].group_prev.take());
        let (Some(next), Some(prev)) = (next, prev) else { return };
        let alone = next == prev;
        self.sessions[prev].group_next = (!alone).then_some(next);
        self.sessions[next].group_prev = (!alone).then_some(prev);
        if was_indexed {
            self.groups.insert(next, &mut self.sessions);
        }
    }

    /// Drops a session that nothing belongs to any more.
    pub(crate) fn release_session(&mut self, ix: Ix<SessionState>) {
        if self.sessions[ix].is_unused() {
            self.index.remove(ix, &mut self.sessions);
            self.leave_group(ix);
            self.sessions.remove(ix);
        }
    }

    pub(crate) fn add_path(&mut self, path: PathState) -> Ix<PathState> {
        self.accounts.add(path.owner, Block::Path, path.charge());
        let session = &mut self.sessions[path.session];
        session.path_count += 1;
        let ix = link(&mut self.paths, &mut session.paths, path, |p| &mut p.next);
        self.number_path(ix);
        ix
    }

    /// Has a path state speak for its sender from now on.
    pub(crate) fn has_news(&mut self, ix: Ix<PathState>) {
        let session = self.paths[ix].session;
        if self.may_have_several_paths(session) {
            let head = &mut self.sessions[session].paths;
            unlink(&mut self.paths, head, ix, |p| &mut p.next);
            self.paths[ix].next = head.replace(ix);
            self.number_first(ix);
        }
    }

    /// Takes a path state out of its session; the block itself stays, for its PathTear.
    pub(crate) fn unlink_path(&mut self, ix: Ix<PathState>) {
        self.unnumber_path(ix);
        let path = &self.paths[ix];
        self.accounts.remove(path.owner, Block::Path, path.charge());
        let session = &mut self.sessions[path.session];
        session.path_count -= 1;
        unlink(&mut self.paths, &mut session.paths, ix, |p| &mut p.next);
        self.cancel(TimerOwner::Path(ix));
    }

    /// Drops the block of a path state that is out of its session.
    pub(crate) fn drop_path(&mut self, ix: Ix<PathState>) {
        self.paths.remove(ix);
    }

    /// A path state is another neighbour's now, or says something of another length.
    pub(crate) fn path_says(&mut self, ix: Ix<PathState>, owner: Owner, octets: &[u8]) {
        let path = &mut self.paths[ix];
        self.accounts.remove(path.owner, Block::Path, path.charge());
        path.owner = owner;
        store(&mut path.octets, octets);
        self.accounts.add(path.owner, Block::Path, path.charge());
    }

    pub(crate) fn add_request(&mut self, mut request: Request) -> Ix<Request> {
        request.charged = request.charge();
        self.accounts.add(request.owner, Block::Request, request.charged.into());
        let session = &mut self.sessions[request.session];
        session.request_count += 1;
        let ix = link(&mut self.requests, &mut session.requests, request, |r| &mut r.next);
        self.index_request(ix);
        ix
    }

    /// Charges a request for what it has become.
    pub(crate) fn charge_request(&mut self, ix: Ix<Request>) {
        let request = &mut self.requests[ix];
        let now = request.charge();
        let before = core::mem::replace(&mut request.charged, now);
        self.accounts.resize(request.owner, before.into(), request.charged.into());
    }

    pub(crate) fn remove_request(&mut self, ix: Ix<Request>) -> Request {
        self.unindex_request(ix);
        let request = &self.requests[ix];
        self.accounts.remove(request.owner, Block::Request, request.charged.into());
        let session = &mut self.sessions[self.requests[ix].session];
        session.request_count -= 1;
        unlink(&mut self.requests, &mut session.requests, ix, |r| &mut r.next);
        self.cancel(TimerOwner::Request(ix));
        self.requests.remove(ix)
    }

    pub(crate) fn add_reserved(&mut self, reserved: Reserved) -> Ix<Reserved> {
        let session = &mut self.sessions[reserved.session];
        let before = session.reserved;
        let ix = link(&mut self.reserved, &mut session.reserved, reserved, |r| &mut r.next);
        if let Some(before) = before {
            self.reserved[before].prev = Some(ix);
        }
        self.number_reserved(ix);
        ix
    }

    /// Changes whom a reservation is for.
    pub(crate) fn set_filters(&mut self, ix: Ix<Reserved>, style: StyleKind, filters: Filters) {
        if (self.reserved[ix].style, &self.reserved[ix].filters) != (style, &filters) {
            self.unnumber_reserved(ix);
            (self.reserved[ix].style, self.reserved[ix].filters) = (style, filters);
            self.number_reserved(ix);
        }
    }

    pub(crate) fn remove_reserved(&mut self, ix: Ix<Reserved>) -> Reserved {
        self.unnumber_reserved(ix);
        let Reserved { session, prev, next, .. } = self.reserved[ix];
        match prev {
            Some(prev) => self.reserved[prev].next = next,
            None => self.sessions[session].reserved = next,
        }
        if let Some(next) = next {
            self.reserved[next].prev = prev;
        }
        self.reserved.remove(ix)
    }

    /// The upstream for a previous hop, made when it is new. Counts one path state more.
    pub(crate) fn join_upstream(
        &mut self,
        session: Ix<SessionState>,
        address: IpAddr,
        lih: u32,
        interface: InterfaceId,
    ) -> Ix<Upstream> {
        let known = self
            .upstreams_of(session)
            .find(|(_, u)| u.address == address && u.lih == lih && u.interface == interface)
            .map(|(ix, _)| ix);
        let ix = known.unwrap_or_else(|| {
            let upstream = Upstream {
                session,
                next: None,
                address,
                lih,
                interface,
                paths: 0,
                last_sent: Box::default(),
                composed_at: 0,
                blockades: None,
                beside: None,
                timer: Timer::new(),
                queued: false,
                cause: Owner::NODE,
                refresh_due: false,
                is_known: false,
            };
            link(&mut self.upstreams, &mut self.sessions[session].upstreams, upstream, |u| &mut u.next)
        });
        self.upstreams[ix].paths += 1;
        ix
    }

    /// Counts one path state less; the upstream and its blockades go with the last.
    pub(crate) fn leave_upstream(&mut self, ix: Ix<Upstream>) {
        self.upstreams[ix].paths -= 1;
        if self.upstreams[ix].paths > 0 {
            return;
        }
        let session = self.upstreams[ix].session;
        while let Some(blockade) = self.upstreams[ix].blockades {
            self.remove_blockade(blockade);
        }
        unlink(&mut self.upstreams, &mut self.sessions[session].upstreams, ix, |u| &mut u.next);
        self.cancel(TimerOwner::Upstream(ix));
        self.upstreams.remove(ix);
    }

    pub(crate) fn add_blockade(&mut self, blockade: Blockade) -> Ix<Blockade> {
        self.accounts.add(blockade.owner, Block::Blockade, Blockade::CHARGE);
        let head = &mut self.upstreams[blockade.upstream].blockades;
        let before = *head;
        let ix = link(&mut self.blockades, head, blockade, |b| &mut b.next);
        if let Some(before) = before {
            self.blockades[before].prev = Some(ix);
        }
        ix
    }

    pub(crate) fn remove_blockade(&mut self, ix: Ix<Blockade>) {
        let Blockade { upstream, prev, next, owner, .. } = self.blockades[ix];
        self.accounts.remove(owner, Block::Blockade, Blockade::CHARGE);
        match prev {
            Some(prev) => self.blockades[prev].next = next,
            None => self.upstreams[upstream].blockades = next,
        }
        if let Some(next) = next {
            self.blockades[next].prev = prev;
        }
        self.cancel(TimerOwner::Blockade(ix));
        self.blockades.remove(ix);
    }

    /// How often blocks of any kind were looked at.
    pub(crate) fn visits(&self) -> u64 {
        self.sessions.visits()
            + self.paths.visits()
            + self.requests.visits()
            + self.reserved.visits()
            + self.upstreams.visits()
            + self.blockades.visits()
    }

    /// Blocks of every kind together, tombstones too.
    pub(crate) fn blocks(&self) -> u32 {
        self.sessions.len()
            + self.paths.len()
            + self.requests.len()
            + self.reserved.len()
            + self.upstreams.len()
            + self.blockades.len()
            + self.wheel.armed()
    }
}

/// The link of a block to the next of its session.
type Next<T> = fn(&mut T) -> &mut Option<Ix<T>>;

/// Puts a block into a table, and at the head of its session's list.
fn link<T>(arena: &mut Arena<T>, head: &mut Option<Ix<T>>, mut block: T, next: Next<T>) -> Ix<T> {
    *next(&mut block) = *head;
    *head.insert(arena.insert(block))
}

/// Takes a block out of its session's list.
fn unlink<T>(arena: &mut Arena<T>, head: &mut Option<Ix<T>>, ix: Ix<T>, next: Next<T>) {
    let after = next(&mut arena[ix]).take();
    if *head == Some(ix) {
        *head = after;
        return;
    }
    let mut link = *head;
    while let Some(at) = link {
        link = *next(&mut arena[at]);
        if link == Some(ix) {
            *next(&mut arena[at]) = after;
            return;
        }
    }
}

/// Replaces stored octets, in place where they fit.
pub(crate) fn store(stored: &mut Box<[u8]>, octets: &[u8]) {
    if stored.len() == octets.len() {
        stored.copy_from_slice(octets);
    } else {
        *stored = octets.into();
    }
}
