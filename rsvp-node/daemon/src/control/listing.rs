//! Makes the rows of a listing from the engine's views.
//!
//! What is listed is worked out when it is asked for; nothing is kept.

use super::service::EngineAccess;
use core::net::IpAddr;
use rsvp_control::rows::RequestRow;
use rsvp_control::rows::{
    APPLICATION, BlockadeRow, Counters, FlowRow, InterfaceRow, NeighbourRow, ReservationRow, Rows, SenderRow,
    SessionRow,
};
use rsvp_control::{Done, Flow, What};
use rsvp_node::{
    Instant, InterfaceId, Life, NeighbourView, RequestView, Requester, Reservation, ReservationId, SenderView,
};
use rsvp_wire::{FilterSpec, Flowspec, MsgType, Session, Sharing, Style};
use std::collections::BTreeMap;

/// Lists what was asked for.
pub(super) fn list(what: What, session: Option<Session>, at_most: usize, access: &dyn EngineAccess) -> Done {
    let engine = access.engine();
    let wanted = |s: &Session| session.is_none_or(|only| only.with_flags(0) == s.with_flags(0));
    let (total, rows) = match what {
        What::Sessions => {
            let (total, rows) = cut(sessions(access).into_iter().filter(|row| wanted(&row.session)), at_most);
            (total, Rows::Sessions(rows))
        }
        What::Senders => {
            let views = engine.senders().filter(|view| wanted(&view.session));
            let (total, rows) = cut(views.map(|view| sender(view, access)), at_most);
            (total, Rows::Senders(rows))
        }
        What::Requests => {
            let views = engine.requests().filter(|view| wanted(&view.session));
            let (total, rows) = cut(views.map(|view| request(view, access)), at_most);
            (total, Rows::Requests(rows))
        }
        What::Reservations => {
            let views = engine.reservations().filter(|(.., view)| wanted(&view.session));
            let rows = views.map(|(id, on, view)| reservation(id, &name(on, access), &view));
            let (total, rows) = cut(rows, at_most);
            (total, Rows::Reservations(rows))
        }
        What::Blockades => {
            let views = engine.blockades().filter(|view| wanted(&view.session));
            let rows = views.map(|view| BlockadeRow {
                session: view.session,
                sender: view.sender,
                previous_hop: view.previous_hop,
                flowspec: view.flowspec.into(),
            });
            let (total, rows) = cut(rows, at_most);
            (total, Rows::Blockades(rows))
        }
        What::Interfaces => {
            let (total, rows) = cut(interfaces(access).into_iter(), at_most);
            (total, Rows::Interfaces(rows))
        }
        What::Neighbours => {
            let (total, rows) = cut(neighbours(access).into_iter(), at_most);
            (total, Rows::Neighbours(rows))
        }
        // The data plane answers when it has time: see `ControlService::flows`.
        What::Flows => (0, Rows::Flows(Vec::new())),
        What::Counters => (1, Rows::Counters(counters(access))),
    };
    Done { total: Some(total), rows: Some(rows), ..Done::default() }
}

/// Lists flows of the data plane.
pub(super) fn counted(rows: &[FlowRow], session: Option<Session>, at_most: usize) -> Done {
    let wanted = |row: &&FlowRow| session.is_none_or(|only| only.with_flags(0) == row.session.with_flags(0));
    let (total, rows) = cut(rows.iter().filter(wanted).cloned(), at_most);
    Done { total: Some(total), rows: Some(Rows::Flows(rows)), ..Done::default() }
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

fn sessions(access: &dyn EngineAccess) -> Vec<SessionRow> {
    let engine = access.engine();
    let mut rows = BTreeMap::new();
    for view in engine.sessions() {
        let row = SessionRow {
            session: view.session,
            applications: view.applications.len(),
            senders: 0,
            requests: 0,
            reservations: 0,
            charge_bps: 0,
        };
        rows.insert(view.session, row);
    }
    for view in engine.senders() {
        rows.entry(view.session).and_modify(|row| row.senders += 1);
    }
    for view in engine.requests() {
        rows.entry(view.session).and_modify(|row| row.requests += 1);
    }
    for (.., view) in engine.reservations() {
        rows.entry(view.session).and_modify(|row| {
            row.reservations += 1;
            row.charge_bps += view.charge_bps;
        });
    }
    rows.into_values().collect()
}

pub(super) fn sender(view: SenderView, access: &dyn EngineAccess) -> SenderRow {
    let (refreshed_ms, expires_ms) = times(view.life, access.now());
    // What came with its last hop leads somewhere, and goes nowhere all the same.
    let goes_nowhere = view.outgoing.is_empty() || view.previous_hop.is_some() && view.ttl <= 1;
    let not_forwarded = if goes_nowhere { access.why_not_forwarded(&view) } else { None };
    SenderRow {
        session: view.session,
        sender: view.sender,
        traffic: view.tspec.into(),
        previous_hop: view.previous_hop.map_or_else(|| APPLICATION.to_owned(), |hop| hop.to_string()),
        interface: view.incoming.map(|id| name(id, access)),
        outgoing: view.outgoing.into_iter().map(|id| name(id, access)).collect(),
        local_only: view.local_only,
        not_forwarded,
        ttl: view.ttl,
        adspec: view.adspec.map(Into::into),
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
    let between =
        |earlier: Instant, later: Instant| later.as_micros().saturating_sub(earlier.as_micros()) / 1_000;
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
        data_plane: access.data_plane_on(interface.id),
    };
    access.engine().interfaces().map(row).collect()
}

fn neighbours(access: &dyn EngineAccess) -> Vec<NeighbourRow> {
    let mut found: BTreeMap<(InterfaceId, Option<IpAddr>), (usize, usize, Option<Instant>)> = BTreeMap::new();
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
    let charged = |view: NeighbourView| ((view.interface, view.address), view);
    let mut charged: BTreeMap<_, NeighbourView> = access.engine().neighbours().map(charged).collect();
    for neighbour in charged.keys() {
        found.entry(*neighbour).or_default();
    }
    let row = |((on, address), (senders, requests, heard)): (_, (_, _, Option<Instant>))| {
        let view = charged.remove(&(on, address));
        let of = |what: fn(&NeighbourView) -> u64| view.as_ref().map(what);
        let states =
            |view: &NeighbourView| [view.senders, view.requests, view.blockades].map(u64::from).iter().sum();
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
