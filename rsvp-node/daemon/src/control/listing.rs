//! Makes the rows of a listing from the engine's views.
//!
//! What is listed is worked out when it is asked for; nothing is kept. What there may be much of is written in pieces.

use super::service::EngineAccess;
use core::net::IpAddr;
use rsvp_control::rows::RequestRow;
use rsvp_control::rows::{
    APPLICATION, BlockadeRow, Counters, EventRow, FlowRow, InterfaceRow, NeighbourRow, ReservationRow, Rows,
    SenderRow, SessionRow,
};
use rsvp_control::{Done, Flow, What};
use rsvp_node::{
    BlockadeView, Extent, Instant, InterfaceId, Life, NeighbourView, RequestView, Requester, Reservation,
    ReservationId, SenderView, SessionView,
};
use rsvp_wire::{FilterSpec, Flowspec, MsgType, Session, Sharing, Style};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one piece of a listing; what else the loop has to do waits for no more.
const ROWS: u32 = 256;
/// Octets of one piece, and what its last row has above them.
const OCTETS: usize = 65_536;

/// A listing on its way to a client: one line of the protocol, written in pieces, so that its length costs neither time at once nor
/// memory. What comes or goes meanwhile is in it or not; what is there all the time is in it once.
#[derive(Debug)]
pub(super) struct Listing {
    session: Option<Session>,
    at_most: usize,
    of: Of,
    /// The next place, of as many as there may be.
    next: u32,
    total: usize,
    text: String,
}

/// What is gone through.
#[derive(Debug)]
enum Of {
    Sessions,
    Senders,
    Requests,
    Reservations,
    Blockades,
    Flows(Arc<[FlowRow]>),
    Events(Vec<EventRow>),
}

impl Of {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Senders => "senders",
            Self::Requests => "requests",
            Self::Reservations => "reservations",
            Self::Blockades => "blockades",
            Self::Flows(_) => "flows",
            Self::Events(_) => "events",
        }
    }

    fn places(&self, access: &dyn EngineAccess) -> u32 {
        let places = access.engine().places();
        match self {
            Self::Sessions => places.sessions,
            Self::Senders => places.senders,
            Self::Requests => places.requests,
            Self::Reservations => places.reservations,
            Self::Blockades => places.blockades,
            Self::Flows(rows) => u32::try_from(rows.len()).unwrap_or(u32::MAX),
            Self::Events(rows) => u32::try_from(rows.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Listing {
    /// A listing of state of the engine; nothing where little is listed, which is made at once.
    pub(super) fn new(id: Option<u64>, what: What, session: Option<Session>, at_most: usize) -> Option<Self> {
        let of = match what {
            What::Sessions => Of::Sessions,
            What::Senders => Of::Senders,
            What::Requests => Of::Requests,
            What::Reservations => Of::Reservations,
            What::Blockades => Of::Blockades,
            // Of flows the data plane tells when it has time: see `ControlService::flows`. Events are the service's own.
            What::Flows | What::Events | What::Interfaces | What::Neighbours | What::Counters => return None,
        };
        Some(Self::begun(id, of, session, at_most))
    }

    /// A listing of flows of the data plane.
    pub(super) fn of_flows(
        id: Option<u64>,
        rows: Arc<[FlowRow]>,
        session: Option<Session>,
        at_most: usize,
    ) -> Self {
        Self::begun(id, Of::Flows(rows), session, at_most)
    }

    /// A listing of what happened of late.
    pub(super) fn of_events(
        id: Option<u64>,
        rows: Vec<EventRow>,
        session: Option<Session>,
        at_most: usize,
    ) -> Self {
        Self::begun(id, Of::Events(rows), session, at_most)
    }

    fn begun(id: Option<u64>, of: Of, session: Option<Session>, at_most: usize) -> Self {
        let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
        let text = format!("{{{id}\"ok\":{{\"{}\":[", of.name());
        Self { session, at_most, of, next: 0, total: 0, text }
    }

    /// Goes on by one piece. Whether that was the last.
    pub(super) fn go_on(&mut self, access: &dyn EngineAccess) -> bool {
        let (places, first) = (self.of.places(access), self.next);
        while self.next < places {
            if self.next - first >= ROWS || self.text.len() >= OCTETS {
                return false;
            }
            self.look_at(self.next, access);
            self.next += 1;
        }
        self.text.push_str(&format!("],\"total\":{}}}}}", self.total));
        true
    }

    /// What was written since.
    pub(super) fn take(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    fn look_at(&mut self, place: u32, access: &dyn EngineAccess) {
        let (engine, at) = (access.engine(), place..place + 1);
        let name = |id| name(id, access);
        match &self.of {
            Of::Sessions => {
                let view = engine.sessions_in(at).next();
                self.row(view, |view| Some(view.session), |view| session(&view, access));
            }
            Of::Senders => {
                let view = engine.senders_in(at).next();
                self.row(view, |view| Some(view.session), |view| sender(view, access));
            }
            Of::Requests => {
                let view = engine.requests_in(at).next();
                self.row(view, |view| Some(view.session), |view| request(view, access));
            }
            Of::Reservations => {
                let view = engine.reservations_in(at).next();
                self.row(
                    view,
                    |(.., view)| Some(view.session),
                    |(id, on, view)| reservation(id, &name(on), &view),
                );
            }
            Of::Blockades => {
                let view = engine.blockades_in(at).next();
                self.row(view, |view| Some(view.session), |view| blockade(&view, access));
            }
            Of::Flows(rows) => {
                let row = rows.get(place as usize).cloned();
                self.row(row, |row| Some(row.session), |row| row);
            }
            Of::Events(rows) => {
                let row = rows.get(place as usize).cloned();
                self.row(row, |row| row.watched.session(), |row| row);
            }
        }
    }

    /// Counts what is there and was asked for, and writes it if not enough was written.
    fn row<T, Row: Serialize>(
        &mut self,
        found: Option<T>,
        session: impl Fn(&T) -> Option<Session>,
        row: impl FnOnce(T) -> Row,
    ) {
        let is_wanted = |of: Option<Session>| {
            self.session.is_none_or(|only| of.is_some_and(|of| only.with_flags(0) == of.with_flags(0)))
        };
        let Some(found) = found.filter(|found| is_wanted(session(found))) else { return };
        self.total += 1;
        if self.total <= self.at_most
            && let Ok(row) = serde_json::to_string(&row(found))
        {
            if self.total > 1 {
                self.text.push(',');
            }
            self.text.push_str(&row);
        }
    }
}

/// Lists what there is little of.
pub(super) fn list(what: What, at_most: usize, access: &dyn EngineAccess) -> Done {
    let (total, rows) = match what {
        What::Interfaces => {
            let (total, rows) = cut(interfaces(access).into_iter(), at_most);
            (total, Rows::Interfaces(rows))
        }
        What::Neighbours => {
            let (total, rows) = cut(neighbours(access).into_iter(), at_most);
            (total, Rows::Neighbours(rows))
        }
        _ => (1, Rows::Counters(counters(access))),
    };
    Done { total: Some(total), rows: Some(rows), ..Done::default() }
}

/// How many there are, and the first of them.
fn cut<T>(rows: impl Iterator<Item = T>, at_most: usize) -> (usize, Vec<T>) {
    let mut total = 0;
    let counted = rows.inspect(|_| total += 1);
    let mut first = Vec::new();
    for row in counted {
        if first.len() < at_most {
            first.push(row);
        }
    }
    (total, first)
}

/// What an interface is called, or at least its number.
pub(super) fn name(id: InterfaceId, access: &dyn EngineAccess) -> String {
    access.interface_name(id).map_or_else(|| format!("interface {}", id.0), str::to_owned)
}

fn session(view: &SessionView, access: &dyn EngineAccess) -> SessionRow {
    let Extent { senders, requests, reservations, charge_bps } = access.engine().extent(&view.session);
    SessionRow {
        session: view.session,
        applications: view.applications.len(),
        senders,
        requests,
        reservations,
        charge_bps,
    }
}

fn blockade(view: &BlockadeView, access: &dyn EngineAccess) -> BlockadeRow {
    BlockadeRow {
        session: view.session,
        sender: view.sender,
        previous_hop: view.previous_hop,
        incoming: name(view.incoming, access),
        flowspec: view.flowspec.into(),
    }
}

pub(super) fn sender(view: SenderView, access: &dyn EngineAccess) -> SenderRow {
    let (refreshed_ms, expires_ms) = times(view.life, access.now());
    // What came with its last hop leads somewhere, and goes nowhere all the same.
    let goes_nowhere = view.outgoing.is_empty() || view.previous_hop.is_some() && view.ttl <= 1;
    // The engine takes an application's interface for given; whether a route leads on from there is another question.
    let may_be_lost = view.previous_hop.is_none() && !view.session.is_multicast();
    let not_forwarded = if goes_nowhere || may_be_lost { access.why_not_forwarded(&view) } else { None };
    let data_not_forwarded =
        if goes_nowhere || not_forwarded.is_some() { None } else { access.why_no_data(&view) };
    // Who has heard of it has answered.
    let is_answered = || access.engine().extent(&view.session).requests > 0;
    let undelivered = access.why_undelivered(&view).filter(|_| !is_answered());
    SenderRow {
        session: view.session,
        sender: view.sender,
        traffic: view.tspec.into(),
        previous_hop: view.previous_hop.map_or_else(|| APPLICATION.to_owned(), |hop| hop.to_string()),
        interface: view.incoming.map(|id| name(id, access)),
        outgoing: view.outgoing.into_iter().map(|id| name(id, access)).collect(),
        local_only: view.local_only,
        not_forwarded,
        undelivered,
        data_not_forwarded,
        ttl: view.ttl,
        adspec: view.adspec.map(Into::into),
        age_ms: between(view.since, access.now()),
        refreshed_ms,
        expires_ms,
    }
}

/// Milliseconds.
fn between(earlier: Instant, later: Instant) -> u64 {
    later.as_micros().saturating_sub(earlier.as_micros()) / 1_000
}

/// How long ago soft state was refreshed, and in how long it dies, in milliseconds.
fn times(life: Option<Life>, now: Instant) -> (Option<u64>, Option<u64>) {
    (life.map(|life| between(life.refreshed, now)), life.map(|life| between(now, life.expires)))
}

pub(super) fn request(view: RequestView, access: &dyn EngineAccess) -> RequestRow {
    let (refreshed_ms, expires_ms) = times(view.life, access.now());
    let (next_hop, application, interface) = match view.from {
        Requester::NextHop { interface, address } => {
            (address.to_string(), None, Some(name(interface, access)))
        }
        Requester::App(app) => (APPLICATION.to_owned(), Some(app.0), None),
    };
    RequestRow {
        session: view.session,
        style: view.style.into(),
        next_hop,
        application,
        interface,
        flows: flows(view.style, &view.flows),
        age_ms: between(view.since, access.now()),
        refreshed_ms,
        expires_ms,
    }
}

/// In SE all filters share one flowspec, in FF each has its own.
fn flows(style: Style, items: &[(Option<FilterSpec>, Flowspec)]) -> Vec<Flow> {
    let shared = style.sharing() == Sharing::Shared;
    let mut flows: Vec<Flow> = Vec::new();
    for (filter, flowspec) in items {
        let flowspec = (*flowspec).into();
        match flows.last_mut() {
            Some(last) if shared && last.flowspec == flowspec => last.filters.extend(*filter),
            _ => flows.push(Flow { filters: filter.iter().copied().collect(), flowspec }),
        }
    }
    flows
}

/// An installed reservation as it is shown.
pub(super) fn reservation(id: ReservationId, interface: &str, view: &Reservation) -> ReservationRow {
    let police = view.police;
    let flags = [("entry", police.entry), ("merge", police.merge), ("branch", police.branch)];
    ReservationRow {
        id: format!("{}.{}", id.index, id.generation),
        session: view.session,
        interface: interface.to_owned(),
        style: view.style.into(),
        filters: view.filters.clone(),
        flowspec: view.flowspec.into(),
        charge_bps: view.charge_bps,
        police: flags.into_iter().filter(|flag| flag.1).map(|flag| flag.0.to_owned()).collect(),
        dscp: view.remark.dscp,
        priority: view.remark.priority,
    }
}

fn interfaces(access: &dyn EngineAccess) -> Vec<InterfaceRow> {
    let row = |(interface, reserved_bps): (&rsvp_node::Interface, u64)| InterfaceRow {
        name: name(interface.id, access),
        index: interface.id.0,
        lih: interface.lih,
        ipv4: interface.ipv4,
        ipv6: interface.ipv6,
        up: interface.up,
        enabled: interface.enabled,
        mtu: interface.mtu,
        bandwidth_bps: interface.bandwidth_bps,
        guessed: access.is_bandwidth_guessed(interface.id),
        reservable_bps: interface.reservable_bps,
        reserved_bps,
        refresh_ms: u64::try_from(interface.refresh.as_millis()).unwrap_or(u64::MAX),
        udp: access.is_udp_on(interface.id),
        udp_refused: access.udp_refused_on(interface.id),
        data_plane: access.data_plane_on(interface.id),
    };
    access.engine().interfaces().map(row).collect()
}

fn neighbours(access: &dyn EngineAccess) -> Vec<NeighbourRow> {
    type Counted = (usize, usize, Option<Instant>);
    let mut found = BTreeMap::<(InterfaceId, Option<IpAddr>), Counted>::new();
    for view in access.engine().senders() {
        if let (Some(on), Some(hop)) = (view.incoming, view.previous_hop) {
            let (senders, _, heard) = found.entry((on, Some(hop))).or_default();
            *senders += 1;
            *heard = (*heard).max(view.life.map(|life| life.refreshed));
        }
    }
    for view in access.engine().requests() {
        if let Requester::NextHop { interface, address } = view.from {
            let (_, requests, heard) = found.entry((interface, Some(address))).or_default();
            *requests += 1;
            *heard = (*heard).max(view.life.map(|life| life.refreshed));
        }
    }
    // Those who are not told apart have a row once one of them was heard.
    let is_there = |view: &NeighbourView| view.address.is_some() || view.messages > 0 || view.octets > 0;
    let charged = |view: NeighbourView| ((view.interface, view.address), view);
    let mut charged: BTreeMap<_, NeighbourView> =
        access.engine().neighbours().filter(is_there).map(charged).collect();
    for neighbour in charged.keys() {
        found.entry(*neighbour).or_default();
    }
    let row = |((on, address), (senders, requests, heard)): (_, Counted)| {
        let view = charged.remove(&(on, address));
        let of = |what: fn(&NeighbourView) -> u64| view.as_ref().map(what);
        let states = |view: &NeighbourView| {
            [view.senders, view.requests, view.blockades].map(u64::from).iter().sum::<u64>()
        };
        NeighbourRow {
            interface: name(on, access),
            address,
            senders,
            requests,
            heard_ms: heard.map(|heard| between(heard, access.now())),
            octets: of(|view| view.octets),
            floor_octets: of(|view| view.floor),
            states: of(states),
            messages: of(|view| view.messages),
            refused: view.into_iter().flat_map(|v| v.refused).map(|(why, n)| (why.to_owned(), n)).collect(),
        }
    };
    found.into_iter().map(row).collect()
}

fn counters(access: &dyn EngineAccess) -> Counters {
    let counters = access.engine().counters();
    let types = (1..=7).map(MsgType);
    let unknown = ("unknown type".to_owned(), counters.received(MsgType(0)));
    let proxied = ("Path not from its sender".to_owned(), counters.proxied_paths());
    let zero = ("minimum policed unit of zero".to_owned(), counters.zero_policed_units());
    Counters {
        received: types
            .clone()
            .map(|t| (t.to_string(), counters.received(t)))
            .chain([unknown, zero, proxied])
            .collect(),
        sent: types.map(|t| (t.to_string(), counters.sent(t))).collect(),
        discards: counters.discards().map(|(why, times)| (why.to_owned(), times)).collect(),
        driver: access.counters().into_iter().map(|(what, times)| (what.to_owned(), times)).collect(),
    }
}
