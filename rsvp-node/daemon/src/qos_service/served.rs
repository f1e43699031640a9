//! One socket as the engine and its application have it: what was commanded, what has come of it.

use super::quota::{Use, Within};
use super::wanted::{Announced, LocalFlow, Path, Paths, Reserved, Socket, Wanted, failed};
use crate::control::service::{ClientId, EngineAccess};
use crate::data_plane::wishes::Wishes;
use crate::hooks::Watch;
use rsvp_node::qos::{ErrorClass, ErrorValue, FdQos, Notifications, Object, Status};
use rsvp_node::{
    AppId, Command, Event, EventKind, FlowRequest, Outcome, Refusal, ReservationId, TcChange, TrafficControl,
};
use rsvp_wire::{SenderTemplate, Session, Style};
use std::collections::{BTreeMap, BTreeSet};

/// A socket that was handed over.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) client: ClientId,
    pub(super) uid: u32,
    /// Whether what it may have is bounded.
    pub(super) is_bounded: bool,
    /// What its client calls it.
    pub(super) number: u64,
    pub(super) socket: Socket,
    /// As long as it has QoS, the kernel tells what becomes of it.
    pub(super) watch: Watch,
    pub(super) paths: Paths,
    notifications: Notifications,
    sessions: BTreeSet<Session>,
    /// Of its senders, those for which something is reserved.
    reserved: BTreeSet<(Session, SenderTemplate)>,
    senders: BTreeMap<(Session, SenderTemplate), Announced>,
    reservations: BTreeMap<Session, Reserved>,
    /// What was asked of the data plane for packets of senders.
    wishes: BTreeMap<(Session, SenderTemplate), Wishes>,
    /// Flows that are not signalled.
    local: BTreeMap<(Session, SenderTemplate), (ReservationId, LocalFlow)>,
    /// What was told to be impossible: it is not told again while it stays so.
    failures: Vec<FdQos>,
}

impl Served {
    pub(super) fn new(client: ClientId, uid: u32, is_bounded: bool, number: u64, socket: Socket) -> Self {
        Self {
            client,
            uid,
            is_bounded,
            number,
            socket,
            watch: Watch::default(),
            paths: Paths::new(),
            notifications: Notifications::default(),
            sessions: BTreeSet::new(),
            reserved: BTreeSet::new(),
            senders: BTreeMap::new(),
            reservations: BTreeMap::new(),
            wishes: BTreeMap::new(),
            local: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// QoS was asked for: confirmations are for this request now.
    pub(super) fn requested(&mut self) {
        self.socket.asked += 1;
        self.notifications.requested();
    }

    /// The next thing that the application is to be told.
    pub(super) fn told(&mut self) -> Option<FdQos> {
        self.notifications.take()
    }

    /// Whether it announces a sender.
    pub(super) fn announces(&self, session: &Session, sender: &SenderTemplate) -> bool {
        self.senders.contains_key(&(*session, *sender))
    }

    /// A Path of its own did not get where it was to go.
    pub(super) fn undelivered(&mut self, session: Session, sender: SenderTemplate, why: &str) {
        let told = FdQos::of(Some(session), Status::GENERIC_ERROR);
        self.notifications.put(FdQos { senders: vec![sender], undelivered: Some(why.to_owned()), ..told });
    }

    /// What it takes of its user's share.
    pub(super) fn used(&self) -> Use {
        let sent = self.senders.values().map(|sender| sender.tspec.rate);
        let received = self
            .reservations
            .values()
            .flat_map(|reserved| reserved.flows.iter().map(|(flow, _)| rate_of(flow)));
        let counted = self.local.values().filter(|(_, flow)| flow.counts);
        let local = counted.map(|(_, flow)| rate_of(&flow.reservation.flowspec));
        Use { sockets: 1, octets_per_second: sent.chain(received).chain(local).map(f64::from).sum() }
    }

    /// The engine says something. Whether other things may be wanted because of it.
    pub(super) fn event(&mut self, event: &Event) -> bool {
        let session = event.session.with_flags(0);
        let is_path = matches!(event.kind, EventKind::Path { .. } | EventKind::PathGone { .. });
        match &event.kind {
            EventKind::Path { sender, tspec, adspec, .. } => {
                let path = Path { tspec: *tspec, adspec: *adspec };
                self.paths.entry(session).or_default().insert(*sender, path);
                if !self.hears(&session, sender) {
                    return false;
                }
            }
            EventKind::PathGone { sender, .. } => {
                if let Some(paths) = self.paths.get_mut(&session) {
                    paths.remove(sender);
                }
                if !self.hears(&session, sender) {
                    return false;
                }
            }
            _ => {}
        }
        let is_of_packets = self.is_reserved_otherwise(session, &event.kind);
        let event = Event { session, ..event.clone() };
        self.notifications.happened(&event);
        is_path || is_of_packets
    }

    /// Keeps for which senders something is reserved; whether that is news.
    fn is_reserved_otherwise(&mut self, session: Session, kind: &EventKind) -> bool {
        let (filters, is_there, style) = match kind {
            EventKind::Resv { filters, style, .. } => (filters, true, style),
            EventKind::ResvGone { filters, style, .. } => (filters, false, style),
            _ => return false,
        };
        let before = self.reserved.clone();
        let is_named = |sender: &SenderTemplate| filters.is_empty() || filters.contains(&sender.0);
        for (of, sender) in self.senders.keys().filter(|(of, _)| *of == session) {
            match (is_there, is_named(sender)) {
                (true, true) => drop(self.reserved.insert((*of, *sender))),
                // One reservation for all of its senders leaves out those that it does not name.
                (true, false) if *style != Style::FF => drop(self.reserved.remove(&(*of, *sender))),
                (false, true) => drop(self.reserved.remove(&(*of, *sender))),
                _ => {}
            }
        }
        self.reserved != before
    }

    fn hears(&self, session: &Session, sender: &SenderTemplate) -> bool {
        self.sessions.contains(session) && self.socket.hears(session, sender)
    }

    /// Has the engine do what is wanted now and was not, and undo what is wanted no longer: first what goes, so that a reservation
    /// that becomes one of another style is torn down before.
    pub(super) fn settle(
        &mut self,
        app: AppId,
        within: &Within<'_>,
        next_flow: &mut u32,
        access: &mut dyn EngineAccess,
    ) {
        let mut wanted = self.socket.wanted(&self.paths, &self.reserved, access);
        within.keep(self.is_bounded, &mut wanted);
        self.give_up(app, &wanted, access);
        let changed = self.wish(&wanted, access);
        self.carry_out(&wanted, &changed, next_flow, access);
        let mut failures = core::mem::take(&mut wanted.failures);
        for session in wanted.sessions {
            if self.sessions.contains(&session) {
                continue;
            }
            match command(Command::OpenSession { app, session }, access) {
                Ok(()) => drop(self.sessions.insert(session)),
                Err(why) => failures.push(refused(session, why)),
            }
        }
        for ((session, sender), announced) in wanted.senders {
            if self.senders.get(&(session, sender)) == Some(&announced) {
                continue;
            }
            let Announced { tspec, offer, ref carried, ttl, interface } = announced;
            let (adspec, carried) = (Some(offer), Some(carried));
            let asked = Command::Sender { app, session, sender, tspec, adspec, ttl, interface, carried };
            match command(asked, access) {
                Ok(()) => {
                    self.senders.insert((session, sender), announced);
                }
                Err(why) => failures.push(FdQos { senders: vec![sender], ..refused(session, why) }),
            }
        }
        for (session, reserved) in wanted.reservations {
            if self.reservations.get(&session) == Some(&reserved) {
                continue;
            }
            match reserve(app, session, &reserved, self.notifications.is_confirmed(&session), access) {
                Ok(()) => {
                    self.reservations.insert(session, reserved);
                }
                Err(why) => failures.push(refused(session, why)),
            }
        }
        for failure in &failures {
            if !self.failures.contains(failure) {
                self.notifications.put(failure.clone());
            }
        }
        self.failures = failures;
    }

    /// What applications ask for their packets is known before anything is reserved for them. Gives the senders of which it is
    /// something else now.
    fn wish(
        &mut self,
        wanted: &Wanted,
        access: &mut dyn EngineAccess,
    ) -> BTreeSet<(Session, SenderTemplate)> {
        let all: BTreeSet<_> = self.wishes.keys().chain(wanted.wishes.keys()).copied().collect();
        let differs =
            |sender: &(Session, SenderTemplate)| self.wishes.get(sender) != wanted.wishes.get(sender);
        let changed: BTreeSet<_> = all.into_iter().filter(differs).collect();
        for sender in &changed {
            access.wish(&sender.0, &sender.1, wanted.wishes.get(sender).copied());
        }
        self.wishes.clone_from(&wanted.wishes);
        changed
    }

    /// Flows that are not signalled are the data plane's alone.
    fn carry_out(
        &mut self,
        wanted: &Wanted,
        changed: &BTreeSet<(Session, SenderTemplate)>,
        next_flow: &mut u32,
        access: &mut dyn EngineAccess,
    ) {
        let before = core::mem::take(&mut self.local);
        for (sender, (reservation, flow)) in before {
            if wanted.local.get(&sender).is_some_and(|wanted| wanted.interface == flow.interface) {
                self.local.insert(sender, (reservation, flow));
                continue;
            }
            let interface = flow.interface;
            access.local_flow(&TrafficControl { reservation, interface, change: TcChange::Remove });
        }
        for (sender, flow) in &wanted.local {
            let known = self.local.get(sender);
            if known.is_some_and(|(_, known)| known == flow) && !changed.contains(sender) {
                continue;
            }
            let reservation = known.map_or_else(
                || {
                    let index = super::FIRST_FLOW | *next_flow;
                    *next_flow = next_flow.wrapping_add(1);
                    ReservationId { index, generation: 0 }
                },
                |(reservation, _)| *reservation,
            );
            let (interface, change) = (flow.interface, TcChange::Install(flow.reservation.clone()));
            access.local_flow(&TrafficControl { reservation, interface, change });
            self.local.insert(*sender, (reservation, flow.clone()));
        }
    }

    /// The data plane cannot carry out a flow of this socket.
    pub(super) fn local_flow_failed(&mut self, flow: ReservationId) -> bool {
        let found = self.local.iter().find(|(_, (id, _))| *id == flow);
        let Some((session, sender)) = found.map(|(sender, _)| *sender) else { return false };
        let class = ErrorClass::KERNEL_TC_SYS;
        let failure = failed(session, Status::TRAFFIC_CTRL_ERROR, class, ErrorValue(56501));
        self.notifications.put(FdQos { senders: vec![sender], ..failure });
        true
    }

    /// Gives up what is wanted no longer.
    fn give_up(&mut self, app: AppId, wanted: &Wanted, access: &mut dyn EngineAccess) {
        let before: BTreeSet<Session> = self.all_sessions().map(|(session, _)| session).collect();
        // What is refused is not there, which is what is wanted.
        self.senders.retain(|(session, sender), _| {
            let stays = wanted.senders.contains_key(&(*session, *sender));
            if !stays {
                self.reserved.remove(&(*session, *sender));
                let _ = command(Command::RemoveSender { app, session: *session, sender: *sender }, access);
            }
            stays
        });
        self.reservations.retain(|session, reserved| {
            let style = wanted.reservations.get(session).map(|wanted| wanted.style);
            let stays = style == Some(reserved.style);
            if !stays {
                let _ = command(Command::ReleaseReservation { app, session: *session }, access);
            }
            stays
        });
        self.sessions.retain(|session| wanted.sessions.contains(session));
        let sends = |session: &Session| wanted.senders.keys().any(|(of, _)| of == session);
        let stays = |session: &Session| wanted.sessions.contains(session) || sends(session);
        for session in before.into_iter().filter(|session| !stays(session)) {
            let _ = command(Command::Release { app, session }, access);
        }
        self.paths.retain(|session, _| stays(session));
    }

    /// Gives up everything.
    pub(super) fn end(&mut self, app: AppId, access: &mut dyn EngineAccess) {
        let nothing = Wanted::default();
        self.give_up(app, &nothing, access);
        self.carry_out(&nothing, &BTreeSet::new(), &mut 0, access);
        self.wish(&nothing, access);
    }

    /// Whether every node on the paths that have been heard of does what is offered there: no ADSPEC has a break bit.
    pub(super) fn path_is_whole(&self) -> Option<bool> {
        let adspecs = self.paths.values().flat_map(|paths| paths.values().filter_map(|path| path.adspec));
        let is_whole = |adspec: rsvp_wire::AdspecSummary| {
            let guaranteed = adspec.guaranteed.is_some_and(|service| service.break_bit);
            let controlled_load = adspec.controlled_load.is_some_and(|service| service.break_bit);
            !(adspec.global.break_bit || guaranteed || controlled_load)
        };
        adspecs.map(is_whole).reduce(|one, other| one && other)
    }

    /// What the application calls its flows: those that it sends, in each session.
    pub(super) fn names(&self) -> impl Iterator<Item = ((Session, SenderTemplate), String)> + '_ {
        let name = self.socket.qos.objects.iter().find_map(|object| match object {
            Object::FriendlyName(name) => Some(name),
            _ => None,
        });
        let sent = self.senders.keys().chain(self.local.keys());
        name.into_iter().flat_map(move |name| sent.clone().map(move |sender| (*sender, name.clone())))
    }

    /// The sessions that it is in.
    pub(super) fn all_sessions(&self) -> impl Iterator<Item = (Session, Option<SenderTemplate>)> + '_ {
        let sending = self.senders.keys().map(|(session, sender)| (*session, Some(*sender)));
        sending.chain(self.sessions.iter().map(|session| (*session, None)))
    }
}

/// What a reservation is charged, in octets per second.
pub(super) fn rate_of(flowspec: &rsvp_wire::Flowspec) -> f32 {
    match flowspec {
        rsvp_wire::Flowspec::Guaranteed(_, rspec) => rspec.rate,
        rsvp_wire::Flowspec::ControlledLoad(tspec) => tspec.rate,
        rsvp_wire::Flowspec::Null(_) => 0.0,
    }
}

fn reserve(
    app: AppId,
    session: Session,
    reserved: &Reserved,
    is_confirmed: bool,
    access: &mut dyn EngineAccess,
) -> Result<(), Refusal> {
    let Reserved { style, flows, carried, confirm, interface } = reserved;
    let flows: Vec<FlowRequest<'_>> =
        flows.iter().map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters }).collect();
    let (confirm, carried) = (confirm.is_some() && !is_confirmed, Some(carried));
    let (style, interface) = (*style, *interface);
    command(Command::Reserve { app, session, style, flows: &flows, confirm, interface, carried }, access)
}

fn command(command: Command<'_>, access: &mut dyn EngineAccess) -> Result<(), Refusal> {
    match access.command(command) {
        Outcome::Refused(why) => Err(why),
        _ => Ok(()),
    }
}

/// What a refusal of this host's RSVP is, in the numbers of the published lists.
fn refused(session: Session, why: Refusal) -> FdQos {
    let (status, class, value) = match why {
        Refusal::BadSender => (Status::GENERIC_ERROR, ErrorClass::API, 56401),
        Refusal::BadSession | Refusal::NoInterface => (Status::GENERIC_ERROR, ErrorClass::API, 56402),
        Refusal::ConflictingStyle | Refusal::BadStyle => (Status::BAD_STYLE, ErrorClass::RSVP, 56303),
        Refusal::ConflictingPorts => (Status::GENERIC_ERROR, ErrorClass::RSVP, 56305),
        Refusal::SenderTaken => (Status::GENERIC_ERROR, ErrorClass::RSVP, 56307),
        Refusal::ConflictingService => (Status::TRAFFIC_CTRL_ERROR, ErrorClass::KERNEL_TC, 56701),
        Refusal::BadTrafficParameter => (Status::TRAFFIC_CTRL_ERROR, ErrorClass::KERNEL_TC, 56703),
        Refusal::LimitReached => (Status::GENERIC_ERROR, ErrorClass::RSVP_SYS, 56602),
        // OTHER_SYS: a refusal that the published lists have no number for.
        _ => (Status::GENERIC_ERROR, ErrorClass::RSVP_SYS, 56601),
    };
    failed(session, status, class, ErrorValue(value))
}
