//! One socket as the engine and its application have it: what was commanded, what has come of it.

use super::quota::{Use, Within};
use super::wanted::{Announced, Path, Paths, Reserved, Socket, Wanted, failed};
use crate::control::desk::{ClientId, Door};
use rsvp_node::qos::{ErrorClass, ErrorValue, FdQos, Notifications, Status};
use rsvp_node::{AppId, Command, Event, EventKind, FlowRequest, Outcome, Refusal};
use rsvp_wire::{SenderTemplate, Session};
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
    pub(super) paths: Paths,
    notifications: Notifications,
    sessions: BTreeSet<Session>,
    senders: BTreeMap<(Session, SenderTemplate), Announced>,
    reservations: BTreeMap<Session, Reserved>,
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
            paths: Paths::new(),
            notifications: Notifications::default(),
            sessions: BTreeSet::new(),
            senders: BTreeMap::new(),
            reservations: BTreeMap::new(),
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

    /// What it takes of its user's share.
    pub(super) fn used(&self) -> Use {
        let sent = self.senders.values().map(|sender| sender.tspec.rate);
        let received = self
            .reservations
            .values()
            .flat_map(|reserved| reserved.flows.iter().map(|(flow, _)| rate_of(flow)));
        Use { sockets: 1, octets_per_second: sent.chain(received).map(f64::from).sum() }
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
        let event = Event { session, ..event.clone() };
        self.notifications.happened(&event);
        is_path
    }

    fn hears(&self, session: &Session, sender: &SenderTemplate) -> bool {
        self.sessions.contains(session) && self.socket.hears(session, sender)
    }

    /// Has the engine do what is wanted now and was not, and undo what is wanted no longer: first what goes, so that a reservation
    /// that becomes one of another style is torn down before.
    pub(super) fn settle(&mut self, app: AppId, within: &Within, door: &mut dyn Door) {
        let mut wanted = self.socket.wanted(&self.paths, door);
        within.keep(self.uid, self.is_bounded, &mut wanted);
        self.give_up(app, &wanted, door);
        let mut failures = core::mem::take(&mut wanted.failures);
        for session in &wanted.sessions {
            if self.sessions.insert(*session) {
                let opened = command(Command::OpenSession { app, session: *session }, door);
                failures.extend(opened.err().map(|why| refused(*session, why)));
            }
        }
        for ((session, sender), announced) in wanted.senders {
            if self.senders.get(&(session, sender)) == Some(&announced) {
                continue;
            }
            let Announced { tspec, offer, ref carried, ttl, interface } = announced;
            let (adspec, carried) = (Some(offer), Some(carried));
            let asked = Command::Sender { app, session, sender, tspec, adspec, ttl, interface, carried };
            match command(asked, door) {
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
            match reserve(app, session, &reserved, self.was_confirmed(&session, &reserved), door) {
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

    /// A confirmation is asked for once for each time that QoS was.
    fn was_confirmed(&self, session: &Session, reserved: &Reserved) -> bool {
        let before = self.reservations.get(session);
        before.is_some_and(|before| before.confirm.is_some() && before.confirm == reserved.confirm)
    }

    /// Gives up what is wanted no longer.
    fn give_up(&mut self, app: AppId, wanted: &Wanted, door: &mut dyn Door) {
        // What is refused is not there, which is what is wanted.
        self.senders.retain(|(session, sender), _| {
            let stays = wanted.senders.contains_key(&(*session, *sender));
            if !stays {
                let _ = command(Command::RemoveSender { app, session: *session, sender: *sender }, door);
            }
            stays
        });
        self.reservations.retain(|session, reserved| {
            let style = wanted.reservations.get(session).map(|wanted| wanted.style);
            let stays = style == Some(reserved.style);
            if !stays {
                let _ = command(Command::ReleaseReservation { app, session: *session }, door);
            }
            stays
        });
        let sends = |session: &Session| wanted.senders.keys().any(|(of, _)| of == session);
        self.sessions.retain(|session| {
            let stays = wanted.sessions.contains(session);
            if !stays && !sends(session) {
                let _ = command(Command::Release { app, session: *session }, door);
            }
            stays
        });
        self.paths.retain(|session, _| wanted.sessions.contains(session) || sends(session));
    }

    /// Gives up everything.
    pub(super) fn end(&mut self, app: AppId, door: &mut dyn Door) {
        let sending: BTreeSet<Session> = self.senders.keys().map(|(session, _)| *session).collect();
        self.give_up(app, &Wanted::default(), door);
        for session in sending {
            let _ = command(Command::Release { app, session }, door);
        }
    }

    /// Whether something has been told by the network about a path without a break.
    pub(super) fn path_is_whole(&self) -> Option<bool> {
        let adspecs = self.paths.values().flat_map(|paths| paths.values().filter_map(|path| path.adspec));
        adspecs.map(|adspec| !adspec.global.break_bit).reduce(|one, other| one && other)
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
    was_confirmed: bool,
    door: &mut dyn Door,
) -> Result<(), Refusal> {
    let Reserved { style, flows, carried, confirm, interface } = reserved;
    let flows: Vec<FlowRequest<'_>> =
        flows.iter().map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters }).collect();
    let (confirm, carried) = (confirm.is_some() && !was_confirmed, Some(carried));
    let (style, interface) = (*style, *interface);
    command(Command::Reserve { app, session, style, flows: &flows, confirm, interface, carried }, door)
}

fn command(command: Command<'_>, door: &mut dyn Door) -> Result<(), Refusal> {
    match door.command(command) {
        Outcome::Refused(why) => Err(why),
        Outcome::Taken | Outcome::Discarded(_) => Ok(()),
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
        Refusal::NotFound => (Status::GENERIC_ERROR, ErrorClass::RSVP_SYS, 56601),
        Refusal::LimitReached => (Status::GENERIC_ERROR, ErrorClass::RSVP_SYS, 56602),
    };
    failed(session, status, class, ErrorValue(value))
}
