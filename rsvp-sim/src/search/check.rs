//! What is checked after every step, and what is remembered for the checks at the end.
//!
//! Budgets are never exceeded and equal the sum of what is reserved; nothing is sent without state or a request behind
//! it; nobody sends without bound. Whether the state is the right one is not judged here.

use super::confirmed::Confirmations;
use super::missing::Missing;
use super::pace::Pace;
use super::room::Room;
use super::{Failure, errors};
use crate::reference::{Demand, Reference, charge_bps};
use crate::scenario::model::{LinkId, NodeId, ReceiverId, SenderId};
use crate::world::World;
use crate::world::watch::Notice;
use core::net::IpAddr;
use rsvp_node::{AppId, Event, EventKind, Instant, InterfaceId};
use rsvp_wire::{
    ErrorCode, FilterSpec, Flowspec, Message, MsgType, Scope, SenderTemplate, Session, Style, Tspec,
};
use std::collections::{BTreeMap, BTreeSet};

/// Messages that a node may send in one R for each kind of state it has; refreshes alone are two at most, and what
/// changes is sent at once.
const MOST_PER_STATE: u64 = 60;

/// What an application was told last about reservations: style, senders, flowspec.
type ToldReservation = (u32, Vec<FilterSpec>, Flowspec);

/// An error that an application was told, or a refusal at once: when, and about whom; about all senders if none is named.
#[derive(Clone, Debug)]
pub(super) struct ToldError {
    pub(super) at: Instant,
    pub(super) app: AppId,
    pub(super) filters: Vec<FilterSpec>,
    /// What failed, where the error says so.
    pub(super) flowspec: Option<Flowspec>,
}

/// A ResvErr on a link that goes no further than the data of some senders (RFC 2205 section 3.4).
#[derive(Clone, Debug)]
pub(super) struct ScopedError {
    pub(super) at: Instant,
    pub(super) session: Session,
    pub(super) scope: Vec<IpAddr>,
}

/// What an application was told of a sender: its TSpec, and whether its ADSPEC, where it has one, tells of a break.
type ToldPath = (Tspec, Option<bool>);

/// What a step did to a node.
#[derive(Clone, Copy, Debug, Default)]
struct Touch {
    /// Its path state may be another.
    paths: bool,
    /// What is installed is another.
    installed: bool,
}

/// Checks and remembers.
#[derive(Debug, Default)]
pub(super) struct Checker {
    pub(super) features: BTreeSet<&'static str>,
    pub(super) messages: u64,
    pub(super) errors: Vec<ToldError>,
    pub(super) scoped: Vec<ScopedError>,
    /// Applications whose last request was refused at once.
    pub(super) refused: BTreeSet<AppId>,
    /// Applications that were told of a confirmation.
    pub(super) confirmed: BTreeSet<AppId>,
    paths_told: BTreeMap<(AppId, FilterSpec), Option<ToldPath>>,
    reservations_told: BTreeMap<(AppId, Vec<FilterSpec>), ToldReservation>,
    /// Per node, the path state it had when it was last looked at.
    known: Vec<BTreeSet<(Session, FilterSpec)>>,
    /// Per node, what was booked on its interfaces when that was last held against its reservations.
    booked: Vec<Vec<u64>>,
    confirmations: Confirmations,
    /// Per node, when the present R began, and the messages since.
    rate: Vec<(Instant, u64)>,
    pace: Pace,
    room: Room,
    missing: Missing,
}

impl Checker {
    pub(super) fn new(world: &World) -> Self {
        let nodes = world.scenario().nodes.len();
        Self {
            rate: vec![(Instant::ZERO, 0); nodes],
            known: vec![BTreeSet::new(); nodes],
            booked: vec![Vec::new(); nodes],
            pace: Pace::new(world.scenario()),
            room: Room::new(nodes),
            ..Self::default()
        }
    }

    /// Checks what a step did.
    pub(super) fn look(&mut self, world: &mut World) -> Result<(), Failure> {
        let mut touched: BTreeMap<NodeId, Touch> = BTreeMap::new();
        for notice in world.take_notices() {
            match notice {
                Notice::Arrived { node, octets } => {
                    self.confirmations.input_is_over(world, None)?;
                    if self.room.arrived(world, node, &octets)? {
                        self.features.insert("limits bite");
                    }
                    self.pace.arrived(world.now(), node, &octets);
                    touched.entry(node).or_default().paths |= self.may_change_paths(node, &octets);
                }
                Notice::Stirred { node } => {
                    self.confirmations.input_is_over(world, None)?;
                    touched.entry(node).or_default().paths = true;
                }
                Notice::Crashed { node } => self.crashed(world, node),
                Notice::Rerouted => {
                    self.features.insert("route change");
                }
                Notice::Installed { node } => touched.entry(node).or_default().installed = true,
                Notice::Released { app } => self.reservations_told.retain(|(of, _), _| *of != app),
                Notice::Sent { node, link, destination, octets } => {
                    self.sent(world, node, link, destination, &octets)?;
                }
                Notice::Told { event } => {
                    self.confirmations.told(world, &event);
                    errors::is_about_what_was_asked(world, &event, &self.errors)?;
                    self.missing.told(world, &event)?;
                    self.told(world.now(), event);
                }
                Notice::Asked { app, refused } => {
                    self.confirmations.input_is_over(world, Some(app))?;
                    let _ = if refused { self.refused.insert(app) } else { self.refused.remove(&app) };
                    if refused {
                        let (at, filters) = (world.now(), Vec::new());
                        self.errors.push(ToldError { at, app, filters, flowspec: None });
                    }
                }
            }
        }
        self.confirmations.input_is_over(world, None)?;
        touched.into_iter().try_for_each(|(node, touch)| {
            if touch.paths {
                self.known[node.0] = world.engine(node).senders().map(|s| (s.session, s.sender.0)).collect();
            }
            self.pace.nothing_is_stale(world, node)?;
            self.budget(world, node, touch.installed)
        })
    }

    /// Whether a message can have changed which path state there is: a Path of a sender that is known cannot, nor can what
    /// is about reservations.
    fn may_change_paths(&self, node: NodeId, octets: &[u8]) -> bool {
        let Ok(message) = Message::parse(octets) else { return true };
        match message.msg_type() {
            MsgType::RESV | MsgType::RESV_TEAR | MsgType::RESV_ERR | MsgType::RESV_CONF => false,
            MsgType::PATH => {
                let (Some(Ok(session)), Some(Ok(sender))) =
                    (message.get::<Session>(), message.get::<SenderTemplate>())
                else {
                    return true;
                };
                !self.known[node.0].contains(&(session, sender.0))
            }
            _ => true,
        }
    }

    fn crashed(&mut self, world: &World, node: NodeId) {
        self.known[node.0].clear();
        self.confirmations.crashed(node);
        let here = |app: AppId| match world.application_of(app) {
            Ok(sender) => world.scenario().senders[sender.0].node == node,
            Err(receiver) => world.scenario().receivers[receiver.0].node == node,
        };
        self.paths_told.retain(|(app, _), _| !here(*app));
        self.reservations_told.retain(|(app, _), _| !here(*app));
    }

    /// Where nothing was installed and nothing booked since, there is nothing to add up.
    fn budget(&mut self, world: &World, node: NodeId, installed: bool) -> Result<(), Failure> {
        let engine = world.engine(node);
        if !self.features.contains("blockade") && engine.blockades().next().is_some() {
            self.features.insert("blockade");
        }
        let booked: Vec<u64> = engine.interfaces().map(|(_, reserved_bps)| reserved_bps).collect();
        if !installed && self.booked[node.0] == booked {
            return Ok(());
        }
        self.booked[node.0] = booked;
        let mut sums: BTreeMap<InterfaceId, u64> = BTreeMap::new();
        for (_, interface, reservation) in engine.reservations() {
            *sums.entry(interface).or_default() += charge_bps(&reservation.flowspec);
        }
        for (interface, reserved_bps) in engine.interfaces() {
            let sum = sums.get(&interface.id).copied().unwrap_or_default();
            let promise = if sum != reserved_bps {
                "budgets are the sum of reservations"
            } else if sum > interface.reservable_bps {
                "no budget is exceeded"
            } else {
                continue;
            };
            let name = &world.scenario().nodes[node.0].name;
            let of = interface.reservable_bps;
            let seen = format!(
                "{name}: interface {}: {reserved_bps} bit/s booked, {sum} reserved, of {of}",
                interface.id.0
            );
            return Err(Failure { promise, at: world.now(), seen });
        }
        Ok(())
    }

    fn sent(
        &mut self,
        world: &World,
        node: NodeId,
        link: LinkId,
        destination: IpAddr,
        octets: &[u8],
    ) -> Result<(), Failure> {
        self.messages += 1;
        let name = &world.scenario().nodes[node.0].name;
        let fail =
            |promise, what: &str| Failure { promise, at: world.now(), seen: format!("{name}: {what}") };
        let Ok(message) = Message::parse(octets) else {
            return Err(fail("what is sent can be read", "sent a message that does not parse"));
        };
        let Some(Ok(session)) = message.get::<Session>() else {
            return Err(fail("what is sent can be read", "sent a message without a session"));
        };
        let session = session.with_flags(0);
        let behind = match message.msg_type() {
            MsgType::PATH => self.path_sent(world, node, link, &session, &message),
            MsgType::RESV => self.resv_sent(world, node, destination, &session, &message),
            MsgType::PATH_TEAR => {
                let sender = message.get::<SenderTemplate>().and_then(Result::ok);
                sender.is_some_and(|sender| self.known[node.0].contains(&(session, sender.0)))
            }
            MsgType::RESV_TEAR => self.confirmations.has_asked(&(node, destination, session)),
            MsgType::RESV_ERR => {
                if let Some(Ok(error)) = message.get::<rsvp_wire::ErrorSpec>()
                    && error.code == ErrorCode::ADMISSION_CONTROL
                {
                    self.features.insert("admission refusal");
                    if let Some(Ok(scope)) = message.get::<Scope<'_>>() {
                        let scope = scope.addresses().collect();
                        self.scoped.push(ScopedError { at: world.now(), session, scope });
                    }
                }
                self.missing.sent(world, node, session, &message);
                errors::in_place_is_true(world, node, link, &message)
                    .map_err(|what| fail("errors say what is in place", &what))?;
                true
            }
            MsgType::RESV_CONF => {
                self.confirmations.resv_conf_sent(world, node, session, &message);
                true
            }
            _ => true,
        };
        if !behind {
            let what = format!("{} for {session} to {destination}", rsvp_wire::show::one_line(&message));
            return Err(fail("nothing is sent without state or a request behind it", &what));
        }
        self.pace
            .sent(world, node, link, &message)
            .map_err(|what| fail("refreshes keep their pace", &what))?;
        self.count(world, node).map_err(|what| fail("nobody sends without bound", &what))
    }

    fn path_sent(
        &self,
        world: &World,
        node: NodeId,
        link: LinkId,
        session: &Session,
        message: &Message<'_>,
    ) -> bool {
        let Some(Ok(sender)) = message.get::<SenderTemplate>() else { return false };
        let leaves = |interface| world.link_behind(node, interface) == Some(link);
        let mut senders = world.engine(node).senders();
        senders.any(|s| s.session == *session && s.sender == sender && s.outgoing.iter().any(|i| leaves(*i)))
    }

    fn resv_sent(
        &mut self,
        world: &World,
        node: NodeId,
        destination: IpAddr,
        session: &Session,
        message: &Message<'_>,
    ) -> bool {
        self.confirmations.resv_sent((node, destination, *session), message.octets());
        let engine = world.engine(node);
        let requested: BTreeSet<Option<FilterSpec>> = engine
            .requests()
            .filter(|r| r.session == *session)
            .flat_map(|r| r.flows.into_iter().map(|(filter, _)| filter))
            .collect();
        let behind: BTreeSet<FilterSpec> = engine
            .senders()
            .filter(|s| s.session == *session && s.previous_hop == Some(destination))
            .map(|s| s.sender.0)
            .collect();
        let filters = message.objects().filter_map(|o| o.read::<FilterSpec>().ok());
        let wanted = |f: FilterSpec| behind.contains(&f) && requested.contains(&Some(f));
        !requested.is_empty() && !behind.is_empty() && filters.into_iter().all(wanted)
    }

    /// Messages per R, against what a node has to tell.
    fn count(&mut self, world: &World, node: NodeId) -> Result<(), String> {
        let refresh = world.scenario().refresh;
        let (since, count) = &mut self.rate[node.0];
        if world.now() - *since > refresh {
            (*since, *count) = (world.now(), 0);
        }
        *count += 1;
        // States come and go; the size of the world bounds them whatever has happened.
        let scenario = world.scenario();
        let states = (scenario.senders.len() + scenario.receivers.len()) as u64;
        let most = MOST_PER_STATE * states * scenario.nodes.len().min(8) as u64;
        if *count > most { Err(format!("{count} messages since {since}")) } else { Ok(()) }
    }

    fn told(&mut self, at: Instant, event: Event) {
        let app = event.app;
        let key = |style: Style, filters: &[FilterSpec]| match style == Style::FF {
            true => (app, filters.to_vec()),
            false => (app, Vec::new()),
        };
        match event.kind {
            EventKind::Path { sender, tspec, adspec, .. } => {
                let breaks = adspec.map(|adspec| adspec.global.break_bit);
                self.paths_told.insert((app, sender.0), Some((tspec, breaks)));
            }
            EventKind::PathGone { sender, .. } => {
                self.paths_told.insert((app, sender.0), None);
            }
            EventKind::Resv { style, flowspec, filters, .. } => {
                self.reservations_told.insert(key(style, &filters), (style.options, filters, flowspec));
            }
            EventKind::ResvGone { style, filters } => {
                self.reservations_told.remove(&key(style, &filters));
            }
            EventKind::ResvError { filters, flowspec, .. } => {
                self.errors.push(ToldError { at, app, filters, flowspec });
            }
            EventKind::ResvConfirm { .. } => {
                self.features.insert("confirmation");
                self.confirmed.insert(app);
            }
            // A PathError, and what is not known here.
            _ => {}
        }
    }

    /// What every application was told last is so.
    pub(super) fn last_events_are_true(
        &self,
        world: &World,
        demand: &Demand,
        reference: &Reference,
    ) -> Result<(), Failure> {
        let scenario = world.scenario();
        for n in (0..scenario.receivers.len()).filter(|n| demand.listens[*n]) {
            self.paths_are_true(world, ReceiverId(n))?;
            self.breaks_are_known(world, ReceiverId(n), reference)?;
        }
        for n in (0..scenario.senders.len()).filter(|n| demand.senders[*n].is_some()) {
            self.reservations_are_true(world, SenderId(n))?;
        }
        Ok(())
    }

    fn paths_are_true(&self, world: &World, receiver: ReceiverId) -> Result<(), Failure> {
        let plan = &world.scenario().receivers[receiver.0];
        let app = AppId((world.scenario().senders.len() + receiver.0) as u32);
        let session = world.topology().session(plan.session);
        let mut there: BTreeMap<FilterSpec, Tspec> = BTreeMap::new();
        for path in world.engine(plan.node).senders().filter(|s| s.session == session) {
            // The same sender may be heard from two sides; what counts is the side that routing expects it on.
            if !path.local_only || !there.contains_key(&path.sender.0) {
                there.insert(path.sender.0, path.tspec);
            }
        }
        let told = self.paths_told.range((app, LEAST)..).take_while(|((of, _), _)| *of == app);
        let told: BTreeMap<FilterSpec, Tspec> =
            told.filter_map(|((_, s), said)| Some((*s, (*said)?.0))).collect();
        if there == told {
            return Ok(());
        }
        let seen = format!("{}: was told of senders {told:?}, there are {there:?}", plan.name);
        Err(Failure { promise: "last events are true", at: world.now(), seen })
    }

    /// A receiver knows of routers without RSVP on a sender's way (RFC 2205 section 3.8, RFC 2210 section 3.3.2), and of
    /// none where there are none.
    fn breaks_are_known(
        &self,
        world: &World,
        receiver: ReceiverId,
        reference: &Reference,
    ) -> Result<(), Failure> {
        let scenario = world.scenario();
        let plan = &scenario.receivers[receiver.0];
        let app = AppId((scenario.senders.len() + receiver.0) as u32);
        for sender in scenario.senders_of(plan.session) {
            let told = self.paths_told.get(&(app, world.topology().sender(sender))).copied().flatten();
            let Some(said) = told.and_then(|(_, breaks)| breaks) else { continue };
            let is = reference.has_break(scenario, sender, plan.node);
            if reference.paths.contains_key(&(sender, plan.node)) && said != is {
                let seen = format!(
                    "{}: was told that there is a break before {}: {said}, there is: {is}",
                    plan.name, scenario.senders[sender.0].name
                );
                let promise = "every application knows of a break on its path";
                return Err(Failure { promise, at: world.now(), seen });
            }
        }
        Ok(())
    }

    fn reservations_are_true(&self, world: &World, sender: SenderId) -> Result<(), Failure> {
        let plan = &world.scenario().senders[sender.0];
        let app = AppId(sender.0 as u32);
        let (session, filter) = (world.topology().session(plan.session), world.topology().sender(sender));
        let mut there: Vec<ToldReservation> = world
            .engine(plan.node)
            .reservations()
            .filter(|(_, _, r)| r.session == session && (r.filters.is_empty() || r.filters.contains(&filter)))
            .map(|(_, _, r)| (r.style.options, r.filters, r.flowspec))
            .collect();
        let told = self.reservations_told.iter().filter(|((of, _), _)| *of == app);
        let mut told: Vec<ToldReservation> = told.map(|(_, told)| told.clone()).collect();
        there.sort_by_key(|each| (each.0, each.1.clone()));
        told.sort_by_key(|each| (each.0, each.1.clone()));
        if there == told {
            return Ok(());
        }
        let seen = format!("{}: was told of reservations {told:?}, there are {there:?}", plan.name);
        Err(Failure { promise: "last events are true", at: world.now(), seen })
    }
}

/// No filter is less.
const LEAST: FilterSpec = FilterSpec::new(IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0);
