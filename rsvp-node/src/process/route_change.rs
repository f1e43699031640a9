//! ROUTE CHANGE NOTIFICATION and PATH LOCAL REPAIR (RFC 2209), RFC 2205 section 3.6.
//!
//! Path state is walked a bounded piece at a time, so that a routing change on a node with much state does not hold up
//! everything else. A walk that is going on is not begun anew by the next change, or changes that come often enough would
//! starve what is at its end; another follows. Where one destination has few path states these are found by the index, at once.
//!
//! What an interface that goes down has brought, or served, is walked in the same way: `interface_down`.
//!
//! Reservations are made on the new way before they are given up on the old: W after the change Path messages leave,
//! and until W after that the requests on interfaces that routing has left still count upstream. Then they no longer
//! do; the requests themselves are left to time out.

use crate::host::Host;
use crate::interface::{Change, Interface, InterfaceId};
use crate::node::{Enough, Node, Sweep};
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::traffic::Branch;
use crate::time::Instant;
use core::net::IpAddr;
use core::time::Duration;
use smallvec::SmallVec;

/// W where no outgoing interface says otherwise (RFC 2205 section 3.6).
const DEFAULT_WAIT: Duration = Duration::from_secs(2);
/// Path states looked at in one call.
const PIECE: u32 = 256;

impl Node {
    pub(crate) fn routes_changed(&mut self, destination: Option<IpAddr>, host: &mut dyn Host) {
        let few = destination.and_then(|destination| self.state.paths_to(destination, PIECE as usize));
        let Some(few) = few else { return self.begin_sweep(destination, Change::default(), host) };
        let enough = Enough::for_now(&self.state);
        for ix in few {
            if enough.is_reached(&self.state) {
                return self.begin_sweep(destination, Change::default(), host);
            }
            if self.state.paths[ix].upstream().is_some() {
                self.reroute(ix, false, host);
            }
        }
    }

    /// An interface appears or changes: routes may lead there that were of no use before, packets may have become too
    /// large for it, or it enforces what it did not.
    pub(crate) fn interface_changes(&mut self, interface: Interface, host: &mut dyn Host) {
        let change = self.interfaces.change(interface);
        let limits = self.config.limits;
        let speaking = self.interfaces.iter().filter(|on| on.config.enabled).count();
        self.state.accounts.divide(limits.state_octets, limits.sessions, speaking);
        if change.down && self.sweep.is_none() {
            // Routes that change with it are told of next: they are heard before anything is given up.
            self.sweep = Some(Sweep::new(None, change));
        } else if change.is_any() {
            self.begin_sweep(None, change, host);
        }
    }

    fn begin_sweep(&mut self, destination: Option<IpAddr>, change: Change, host: &mut dyn Host) {
        let sweep = Sweep::new(destination, change);
        match (&mut self.sweep, &mut self.next_sweep) {
            (None, _) => self.sweep = Some(sweep),
            // One that waits for its first step looks up all routes.
            (Some(waits), None) if waits.change.down && !waits.begun => {
                waits.change = waits.change.and(change)
            }
            (Some(_), None) => self.next_sweep = Some(sweep),
            (Some(_), Some(next)) => {
                // Of several that wait one is made; if their destinations are others, everything is walked.
                next.destination = next.destination.filter(|_| next.destination == destination);
                next.change = next.change.and(change);
            }
        }
        self.sweep_routes(host);
    }

    /// Looks up routes again for the next piece of the path state; after that come requests whose interface is down.
    pub(crate) fn sweep_routes(&mut self, host: &mut dyn Host) {
        let Some(mut sweep) = self.sweep else { return };
        sweep.begun = true;
        let last = sweep.next.saturating_add(PIECE).min(self.state.paths.places());
        let enough = Enough::for_now(&self.state);
        while sweep.next < last && !enough.is_reached(&self.state) {
            let place = sweep.next;
            sweep.next += 1;
            let Some(path) = self.state.paths.at(place) else { continue };
            if let Some(ix) = Ix::from_place(place).filter(|_| !path.flags.dead()) {
                self.sweep_path(ix, &sweep, host);
            }
        }
        let mut more = sweep.next < self.state.paths.places();
        if !more && sweep.change.down {
            more = self.leave_requests(&mut sweep.next_request, &enough);
        }
        self.sweep = if more { Some(sweep) } else { self.next_sweep.take() };
    }

    fn sweep_path(&mut self, ix: Ix<PathState>, sweep: &Sweep, host: &mut dyn Host) {
        let Sweep { destination, change, .. } = *sweep;
        let path = &self.state.paths[ix];
        let concerns = |d| d == self.state.key_of(path.session).destination();
        let ended = if path.upstream().is_some() && destination.is_none_or(concerns) {
            self.reroute(ix, change.down, host)
        } else {
            change.down && self.leave_path(ix)
        };
        if ended {
            return;
        }
        if change.up {
            self.send_unsent(ix);
        }
        if change.packet_sizes {
            self.judge_path_sizes(ix);
        }
        if change.enforcement {
            self.enforcement_changes(ix);
        }
    }

    fn judge_path_sizes(&mut self, ix: Ix<PathState>) {
        let path = &self.state.paths[ix];
        let (session, sender) = (path.session, path.sender);
        let interfaces = path.interfaces();
        self.session_changes(session);
        for interface in interfaces {
            self.judge_packet_sizes(Branch { session, interface }, &sender);
        }
    }

    /// What a Path says of enforcing is different where it leaves, and who polices its sender's data (RFC 2205 section 3.8).
    fn enforcement_changes(&mut self, ix: Ix<PathState>) {
        let path = &self.state.paths[ix];
        let (session, sender) = (path.session, path.sender);
        let interfaces = path.interfaces();
        self.session_changes(session);
        for interface in interfaces {
            self.update_for_senders(Branch { session, interface }, &sender);
        }
        self.forward_path(ix);
    }

    /// Looks a route up again; true if the path state ended with its interface. What ends is not judged anew before: an error would
    /// say that something is in place which is gone a moment later.
    fn reroute(&mut self, ix: Ix<PathState>, leaves: bool, host: &mut dyn Host) -> bool {
        let (session, sender) = (self.state.paths[ix].session, self.state.paths[ix].sender);
        let before = self.said_of(session, &sender);
        self.session_changes(session);
        let moves = self.route_path(ix, host);
        if leaves && self.leave_path(ix) {
            return true;
        }
        if !moves {
            return false;
        }
        self.tell_other(session, &sender, before.as_ref());
        let wait = self.repair_wait(ix);
        let path = &mut self.state.paths[ix];
        // A repair that is waiting already is not put off, or routes that flap would put it off for ever.
        if path.repair_at == Instant::NEVER || path.flags.settling() {
            path.repair_at = self.now + wait;
        }
        path.flags.set_settling(false);
        self.state.arm_path(ix);
        self.path_moved(ix);
        false
    }

    /// W: the longest wait of the interfaces the path leads to.
    pub(crate) fn repair_wait(&self, ix: Ix<PathState>) -> Duration {
        let waits = self.state.paths[ix].outgoing.iter().filter_map(|o| self.interfaces.find(o.interface));
        waits.map(|i| i.config.local_repair_wait).max().unwrap_or(DEFAULT_WAIT)
    }

    /// PATH LOCAL REPAIR: the first step sends Path, the second ends what routing has left.
    pub(crate) fn repair_path(&mut self, ix: Ix<PathState>) {
        let wait = self.repair_wait(ix);
        let (session, sender) = (self.state.paths[ix].session, self.state.paths[ix].sender);
        self.session_changes(session);
        if self.state.paths[ix].flags.settling() {
            let before = self.said_of(session, &sender);
            let path = &mut self.state.paths[ix];
            path.flags.set_settling(false);
            path.repair_at = Instant::NEVER;
            let left: SmallVec<[InterfaceId; 4]> =
                path.outgoing.iter().filter(|o| o.leaving).map(|o| o.interface).collect();
            path.outgoing.retain(|o| !o.leaving);
            path.flags.set_local_only(path.flags.local_only() || path.flags.misplaced());
            path.flags.set_misplaced(false);
            self.tell_other(session, &sender, before.as_ref());
            self.path_moved(ix);
            for interface in left {
                let branch = Branch { session, interface };
                self.update_for_senders(branch, &sender);
                self.judge_again(branch);
                self.leave_branch(branch);
            }
            return;
        }
        let path = &mut self.state.paths[ix];
        let leaving = path.flags.misplaced() || path.outgoing.iter().any(|o| o.leaving);
        path.flags.set_settling(leaving);
        path.repair_at = if leaving { self.now + wait } else { Instant::NEVER };
        self.forward_path(ix);
    }
}
