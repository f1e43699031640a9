//! PATH MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.3, 3.8 and 3.9.
//!
//! In a unicast session the previous hop may flip: path state is per sender, and the latest Path wins. In a multicast
//! session it is also per previous hop and incoming interface, and what arrives on an interface that routing does not expect is kept
//! Local_Only. "Ambiguous Path" of RFC 2209 is "Conflicting Sender Port" in RFC 2205.

use super::Arrived;
use super::soft_state::same_content;
use crate::api::Discard;
use crate::carried::Carried;
use crate::config::Limit;
use crate::event::EventKind;
use crate::host::{Host, Route, RouteAnswer, RouteQuery};
use crate::interface::{InterfaceId, NonRsvpHops};
use crate::key::{SenderKey, SessionKey};
use crate::neighbour::accounts::Cause;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::path::{Origin, Outgoing, PathFlags, PathState};
use crate::state::session::SessionState;
use crate::state::traffic::Branch;
use crate::state::wheel::Timer;
use crate::time::{Instant, Since};
use crate::unknown;
use core::net::IpAddr;
use rsvp_wire::{
    AdspecSummary, Class, ErrorCode, Message, ObjectRef, RsvpHop, SenderTemplate, SenderTspec,
    Why as ParseWhy, error_value,
};
use smallvec::SmallVec;

impl Node {
    pub(crate) fn path_arrives(&mut self, arrived: &Arrived<'_>, host: &mut dyn Host) -> Result<(), Discard> {
        let hop = arrived.read::<RsvpHop>()?;
        let sender = SenderKey::of(arrived.read::<SenderTemplate>()?.0);
        if !self.comes_from_sender(&arrived.rx, sender.address()) {
            return Err(self.foreign(arrived));
        }
        let expires = self.expiry_of(arrived)?;
        let session = self.state.find_session(&arrived.session);
        let refreshed = session
            .and_then(|s| self.paths_here(s, &sender, arrived).find(|path| self.is_refresh(*path, arrived)));
        if let Some(path) = refreshed {
            let path = &mut self.state.paths[path];
            path.expires = expires;
            self.state.accounts.heard(path.owner, self.now);
            return Ok(());
        }
        session.into_iter().for_each(|session| self.session_changes(session));
        self.owner_of(&arrived.rx, &arrived.message);
        if self.is_own(sender.address()) {
            // Data of a sender on this node comes from nowhere else: its Path went around a loop.
            return Err(Discard::OwnMessage);
        }
        let known = session.and_then(|session| self.find_path(session, &sender, arrived, hop.address));
        self.check_sender_descriptor(arrived, &hop)?;
        if known.is_none()
            && let Some(code) = self.conflicting_ports(&arrived.session, session, &sender)
        {
            self.answer_path_err(&arrived.rx, &arrived.message, hop.address, (code, 0));
            return Err(Discard::Rejected);
        }
        match known {
            Some(path) => self.path_changes(path, arrived, &hop, expires, host),
            None => self.path_appears(session, sender, arrived, &hop, expires, host),
        }
    }

    /// The path state a Path or PathTear message is about. In multicast each previous hop has its own, because several may
    /// send Paths of one sender for as long as they like (RFC 2205 section 3.1.3); else the latest replaces the one before.
    pub(crate) fn find_path(
        &self,
        session: Ix<SessionState>,
        sender: &SenderKey,
        arrived: &Arrived<'_>,
        hop: IpAddr,
    ) -> Option<Ix<PathState>> {
        let any_hop = !arrived.session.is_multicast();
        let from_there = |ix: &Ix<PathState>| {
            let upstream = self.state.paths[*ix].upstream();
            any_hop || upstream.is_none_or(|u| self.state.upstreams[u].address == hop)
        };
        self.paths_here(session, sender, arrived).find(from_there)
    }

    /// The path states of a sender that a message from where this one arrived can be about.
    fn paths_here(
        &self,
        session: Ix<SessionState>,
        sender: &SenderKey,
        arrived: &Arrived<'_>,
    ) -> impl Iterator<Item = Ix<PathState>> {
        let on = arrived.rx.interface;
        let anywhere = !arrived.session.is_multicast();
        let here = move |path: &PathState| anywhere || path.incoming().is_none_or(|i| i == on);
        self.state.paths_from(session, sender).filter(move |(_, path)| here(path)).map(|(ix, _)| ix)
    }

    /// Whether a Path message says nothing new: then only the cleanup timer is restarted.
    fn is_refresh(&self, path: Ix<PathState>, arrived: &Arrived<'_>) -> bool {
        let path = &self.state.paths[path];
        path.flags.routed()
            && path.ttl == arrived.rx.ttl
            && path.flags.non_rsvp() == self.has_non_rsvp_hops(arrived)
            && path.incoming() == Some(arrived.rx.interface)
            && same_content(&path.octets, &arrived.message)
    }

    /// Whether there are hops without RSVP just before this node, by the TTL where the interface does not know better
    /// (RFC 2205 section 3.8).
    fn has_non_rsvp_hops(&self, arrived: &Arrived<'_>) -> bool {
        match self.interfaces.find(arrived.rx.interface).map(|i| i.config.non_rsvp_hops) {
            Some(NonRsvpHops::Always) => true,
            Some(NonRsvpHops::Never) => false,
            Some(NonRsvpHops::ByTtl) | None => arrived.rx.ttl != arrived.message.send_ttl(),
        }
    }

    /// The error in the ports of a sender that is new here, if there is one (RFC 2205 section 3.2, rules 1 and 3).
    pub(crate) fn conflicting_ports(
        &self,
        key: &SessionKey,
        session: Option<Ix<SessionState>>,
        sender: &SenderKey,
    ) -> Option<ErrorCode> {
        let Some(session) = session else {
            return self.state.conflicts_in_ports(key).then_some(ErrorCode::CONFLICTING_DEST_PORTS);
        };
        let conflicts = |p: &PathState| {
            p.sender.address() == sender.address() && (p.sender.port() == 0) != (sender.port() == 0)
        };
        let mut paths = self.state.paths_of(session);
        paths.any(|(_, p)| conflicts(p)).then_some(ErrorCode::CONFLICTING_SENDER_PORTS)
    }

    /// SENDER_TSPEC and ADSPEC that make no sense are answered with 21/04 and 21/05 (RFC 2205 Appendix B).
    fn check_sender_descriptor(&mut self, arrived: &Arrived<'_>, hop: &RsvpHop) -> Result<(), Discard> {
        let tspec = arrived.message.get::<SenderTspec>();
        let takes = |t: SenderTspec| self.takes_traffic(arrived, t.is_legal(), t.is_legal_but_for_m());
        let tspec = tspec.map(|t| t.map(takes));
        let adspec = arrived.message.get::<AdspecSummary>().map(|a| a.map(|_| ()));
        let value = match (tspec, adspec) {
            (Some(Ok(false)), _) => error_value::BAD_TSPEC,
            (Some(Err(error)), _) if error.why == ParseWhy::BodyValue => error_value::BAD_TSPEC,
            (_, Some(Err(error))) if error.why == ParseWhy::BodyValue => error_value::BAD_ADSPEC,
            (Some(Err(error)), _) | (_, Some(Err(error))) => return Err(Discard::Malformed(error)),
            _ => return Ok(()),
        };
        let why = (ErrorCode::TRAFFIC_CONTROL, value);
        self.blame(self.cause, Cause::Unsound);
        self.answer_path_err(&arrived.rx, &arrived.message, hop.address, why);
        Err(Discard::Rejected)
    }

    fn path_appears(
        &mut self,
        session: Option<Ix<SessionState>>,
        sender: SenderKey,
        arrived: &Arrived<'_>,
        hop: &RsvpHop,
        expires: Instant,
        host: &mut dyn Host,
    ) -> Result<(), Discard> {
        let owner = self.cause;
        let octets = unknown::kept(&arrived.message);
        let beyond = match session {
            _ if !self.has_room_for_path(None, octets.len()) => Some(Limit::NeighbourState),
            None => self.has_all_sessions(owner).then_some(Limit::Sessions),
            Some(session) => self.has_all_senders(session, owner).then_some(Limit::SendersPerSession),
        };
        if let Some(limit) = beyond {
            return Err(self.reject_beyond(&arrived.rx, &arrived.message, limit));
        }
        let session = session.unwrap_or_else(|| self.state.add_session(&arrived.session));
        let before = self.said_of(session, &sender);
        let upstream = self.state.join_upstream(session, hop.address, hop.lih, arrived.rx.interface);
        self.handled(arrived.rx.octets.len());
        let mut flags = PathFlags::default();
        flags.set_local_only(true);
        flags.set_multicast(arrived.session.is_multicast());
        flags.set_non_rsvp(self.has_non_rsvp_hops(arrived));
        let path = self.state.add_path(PathState {
            session,
            next: None,
            sender,
            number: 0,
            origin: Origin::Hop(upstream, arrived.rx.interface),
            owner,
            octets: octets.into(),
            outgoing: SmallVec::new(),
            expires,
            repair_at: Instant::NEVER,
            timer: Timer::new(),
            since: Since::of(self.now),
            ttl: arrived.rx.ttl,
            flags,
        });
        tracing::debug!(session = %arrived.session, %sender, "path state created");
        self.route_path(path, host);
        self.tell_other(session, &sender, before.as_ref());
        self.forward_path(path);
        self.path_moved(path);
        Ok(())
    }

    fn path_changes(
        &mut self,
        ix: Ix<PathState>,
        arrived: &Arrived<'_>,
        hop: &RsvpHop,
        expires: Instant,
        host: &mut dyn Host,
    ) -> Result<(), Discard> {
        let Origin::Hop(old_upstream, _) = self.state.paths[ix].origin else {
            // Somebody else announces our own sender: ours stands.
            return Err(Discard::OwnMessage);
        };
        let octets = unknown::kept(&arrived.message);
        if !self.has_room_for_path(Some(ix), octets.len()) {
            return Err(self.reject_beyond(&arrived.rx, &arrived.message, Limit::NeighbourState));
        }
        let (session, sender) = (self.state.paths[ix].session, self.state.paths[ix].sender);
        let before = self.said_of(session, &sender);
        let upstream = self.state.join_upstream(session, hop.address, hop.lih, arrived.rx.interface);
        self.handled(arrived.rx.octets.len());
        let non_rsvp = self.has_non_rsvp_hops(arrived);
        self.state.set_origin(ix, Origin::Hop(upstream, arrived.rx.interface));
        let descriptor_changed = !same_objects(&self.state.paths[ix].message(), &arrived.message);
        self.state.path_says(ix, self.cause, &octets);
        let path = &mut self.state.paths[ix];
        path.expires = expires;
        let hops_changed = (path.ttl, path.flags.non_rsvp()) != (arrived.rx.ttl, non_rsvp);
        path.ttl = arrived.rx.ttl;
        path.flags.set_non_rsvp(non_rsvp);
        let moved = old_upstream != upstream;
        // The path state counts at one upstream only; this also undoes the count above where it is the same.
        self.state.leave_upstream(old_upstream);
        let rerouted = (moved || !self.state.paths[ix].flags.routed()) && self.route_path(ix, host);
        self.state.arm_path(ix);
        let news = descriptor_changed || moved || hops_changed || rerouted;
        if news {
            self.state.has_news(ix);
        }
        self.tell_other(session, &sender, before.as_ref());
        if news {
            self.forward_path(ix);
        }
        if descriptor_changed || moved || rerouted {
            self.path_moved(ix);
        }
        Ok(())
    }

    /// Asks routing where a path state leads, and decides whether it is the one that is forwarded. Returns whether the
    /// outgoing interfaces are others than before.
    pub(crate) fn route_path(&mut self, ix: Ix<PathState>, host: &mut dyn Host) -> bool {
        let path = &self.state.paths[ix];
        let key = self.state.sessions[path.session].key;
        let query = RouteQuery::of_data(&key.object(), &path.sender.object(), path.incoming());
        let (route, routed) = match host.route(query) {
            RouteAnswer::Known(route) => (route, true),
            // State is kept; the next refresh asks again (RFC 2205 section 3.11.4).
            RouteAnswer::NoRoute | RouteAnswer::Pending => (Route::default(), false),
        };
        let incoming = path.incoming();
        let expected = !key.is_multicast() || route.incoming.is_none() || route.incoming == incoming;
        let misplaced = key.is_multicast() && routed && !expected;
        let outgoing = if misplaced { SmallVec::new() } else { route.outgoing };
        let flags = &mut self.state.paths[ix].flags;
        let was_routed = flags.routed();
        flags.set_routed(routed);
        let (was_misplaced, was_local_only) = (flags.misplaced(), flags.local_only());
        // What was never forwarded has nothing to be given up later.
        let at_once = was_local_only || !was_routed;
        flags.set_misplaced(misplaced && !at_once);
        flags.set_local_only(misplaced && at_once);
        let changed = (was_misplaced, was_local_only) != (flags.misplaced(), flags.local_only());
        let settles = flags.misplaced();
        let changed = self.set_outgoing(ix, incoming, &outgoing) || changed;
        let wait = self.repair_wait(ix);
        let path = &mut self.state.paths[ix];
        if (settles || path.outgoing.iter().any(|o| o.leaving)) && path.repair_at == Instant::NEVER {
            path.repair_at = self.now + wait;
            path.flags.set_settling(true);
        }
        changed
    }

    /// Takes over a list of outgoing interfaces; refresh timers of those that stay keep running, and those that go are
    /// left for a while. A Path never leaves through the interface it arrived on (RFC 2205 section 3.3).
    pub(crate) fn set_outgoing(
        &mut self,
        ix: Ix<PathState>,
        incoming: Option<InterfaceId>,
        interfaces: &[InterfaceId],
    ) -> bool {
        let old = core::mem::take(&mut self.state.paths[ix].outgoing);
        let mut new: SmallVec<[Outgoing; 1]> = SmallVec::new();
        for &interface in interfaces {
            let Some(state) = self.interfaces.find(interface) else { continue };
            let config = &state.config;
            if Some(interface) == incoming || !config.enabled || new.iter().any(|o| o.interface == interface)
            {
                continue;
            }
            let kept = old.iter().find(|o| o.interface == interface).copied();
            let refresh_at = self.now + state.refresh;
            let fresh = || Outgoing {
                refresh_at,
                interface,
                due: false,
                is_known: false,
                leaving: false,
                unsent: false,
            };
            new.push(Outgoing { leaving: false, ..kept.unwrap_or_else(fresh) });
        }
        let stays = |o: &Outgoing| new.iter().any(|n| n.interface == o.interface);
        let changed = new.len() != old.iter().filter(|o| !o.leaving && stays(o)).count()
            || old.iter().any(|o| !o.leaving && !stays(o));
        let left: SmallVec<[Outgoing; 4]> = old.iter().filter(|o| !stays(o)).copied().collect();
        new.extend(left.into_iter().map(|o| Outgoing { due: false, leaving: true, ..o }));
        self.state.paths[ix].outgoing = new;
        changed
    }

    /// Sends Path out of every outgoing interface at once.
    pub(crate) fn forward_path(&mut self, ix: Ix<PathState>) {
        for outgoing in &mut self.state.paths[ix].outgoing {
            outgoing.due = !outgoing.leaving;
        }
        if !self.state.paths[ix].outgoing.is_empty() {
            self.intend_path(ix);
        }
        self.state.arm_path(ix);
    }

    /// Brings reservations into line with path state that is new or leads elsewhere: steps 3 to 5 of the sequence.
    pub(crate) fn path_moved(&mut self, ix: Ix<PathState>) {
        let path = &self.state.paths[ix];
        let (session, sender) = (path.session, path.sender);
        for interface in path.interfaces() {
            let branch = Branch { session, interface };
            self.judge_packet_sizes(branch, &sender);
            self.update_for_senders(branch, &sender);
        }
        if let Some(upstream) = self.state.paths[ix].upstream() {
            self.pass_waiting_confirms(ix);
            self.intend_resv(upstream);
        }
    }

    /// PATH_EVENT to every application that opened the session.
    pub(crate) fn tell_path(&mut self, ix: Ix<PathState>) {
        let Some(kind) = self.path_event(ix) else { return };
        self.tell_listeners(self.state.paths[ix].session, self.state.paths[ix].origin, &kind);
    }

    /// What applications hear of a sender: in multicast, where several previous hops may announce it, what the path state says
    /// that routing expects it from. Nothing where nobody listens, so that routers do not read what they only forward.
    pub(crate) fn said_of(&self, session: Ix<SessionState>, sender: &SenderKey) -> Option<EventKind> {
        if self.state.sessions[session].apps().is_empty() {
            return None;
        }
        self.state.path_of_sender(session, sender).and_then(|(ix, _)| self.path_event(ix))
    }

    /// PATH_EVENT where something else is said of a sender than before.
    pub(crate) fn tell_other(
        &mut self,
        session: Ix<SessionState>,
        sender: &SenderKey,
        before: Option<&EventKind>,
    ) {
        let said = self.said_of(session, sender).filter(|kind| Some(kind) != before);
        if let (Some(kind), Some((_, path))) = (said, self.state.path_of_sender(session, sender)) {
            self.tell_listeners(session, path.origin, &kind);
        }
    }

    /// Tells every application that opened the session, but not the one whose own sender it is about.
    pub(crate) fn tell_listeners(&mut self, session: Ix<SessionState>, origin: Origin, kind: &EventKind) {
        let key = self.state.key_of(session);
        for app in self.state.sessions[session].apps().to_vec() {
            if origin != Origin::App(app) {
                self.tell(app, &key, kind.clone());
            }
        }
    }

    pub(crate) fn path_event(&self, ix: Ix<PathState>) -> Option<EventKind> {
        let path = &self.state.paths[ix];
        Some(EventKind::Path {
            sender: SenderTemplate(path.sender.object()),
            tspec: path.tspec()?,
            adspec: path.adspec(),
            carried: Carried::of(&path.message()),
        })
    }
}

/// Whether two Path messages forward the same: everything but hop, refresh period and what is not kept.
fn same_objects(a: &Message<'_>, b: &Message<'_>) -> bool {
    let matters =
        |o: &ObjectRef<'_>| unknown::is_kept(o) && !matches!(o.class, Class::RSVP_HOP | Class::TIME_VALUES);
    let (a, b) = (a.objects().filter(matters), b.objects().filter(matters));
    a.map(|o| o.octets()).eq(b.map(|o| o.octets()))
}
