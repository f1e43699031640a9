//! Messages, events and reservations as facts and in a few words, with the scenario's names in place of addresses.
//!
//! The full decoding of a message is the business of `rsvp_wire::show`; this is what a ladder has room for.

use crate::facts::{Fact, Facts};
use crate::scenario::names::{ADMISSION_VALUES, CODES, name_number};
use crate::world::Topology;
use rsvp_node::qos::{FdQos, ServiceType};
use rsvp_node::units::show_rate;
use rsvp_node::{Event, EventKind, Gone, Reservation};
use rsvp_wire::{
    ErrorCode, ErrorSpec, FilterSpec, Flowspec, Message, MsgType, Object, ResvConfirm, Scope, SenderTemplate,
    SenderTspec, Session, Sharing, Style, flow_descriptors,
};
use std::collections::BTreeSet;

/// Something seen, as facts and in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) facts: Facts,
    pub(crate) label: String,
}

/// Bits per second from what travels.
fn rate(octets_per_second: f32) -> Fact {
    Fact::Rate(f64::from(octets_per_second) * 8.0)
}

/// How scenario files call a style.
pub(crate) fn style(style: Style) -> String {
    style.to_string().to_lowercase()
}

/// Service, rate and reserved rate.
pub(crate) fn flowspec(flowspec: &Flowspec) -> Facts {
    let facts = Facts::default().with("rate", rate(flowspec.tspec().rate));
    match flowspec {
        Flowspec::ControlledLoad(_) => facts.word("service", "controlled-load"),
        Flowspec::Null(_) => facts.word("service", "null"),
        Flowspec::Guaranteed(_, rspec) => {
            facts.word("service", "guaranteed").with("reserve", rate(rspec.rate))
        }
    }
}

fn flowspec_label(flowspec: &Flowspec) -> String {
    let show = |octets: f32| show_rate(f64::from(octets) * 8.0);
    match flowspec {
        Flowspec::ControlledLoad(tspec) => format!("{{{} CL}}", show(tspec.rate)),
        Flowspec::Null(_) => "{NS}".to_owned(),
        Flowspec::Guaranteed(tspec, rspec) if tspec.rate == rspec.rate => {
            format!("{{{} GS}}", show(rspec.rate))
        }
        Flowspec::Guaranteed(tspec, rspec) => format!("{{{} GS R={}}}", show(tspec.rate), show(rspec.rate)),
    }
}

/// Filters that share a flowspec, in the order they came.
type Grouped = Vec<(Vec<FilterSpec>, Option<Flowspec>)>;

/// For SE all filters share one flow; for FF each has its own.
fn group(style: Style, flows: impl Iterator<Item = (Option<FilterSpec>, Option<Flowspec>)>) -> Grouped {
    let shared = style.sharing() == Sharing::Shared;
    let mut grouped: Grouped = Vec::new();
    for (filter, flowspec) in flows {
        match grouped.last_mut() {
            Some(last) if shared && last.1 == flowspec => last.0.extend(filter),
            _ => grouped.push((filter.into_iter().collect(), flowspec)),
        }
    }
    grouped
}

fn names(topology: &Topology, session: &Session, filters: &[FilterSpec]) -> BTreeSet<String> {
    filters.iter().map(|filter| topology.sender_name(session, filter)).collect()
}

fn flow_facts(topology: &Topology, session: &Session, grouped: &Grouped) -> Fact {
    let each = |(filters, spec): &(Vec<FilterSpec>, Option<Flowspec>)| {
        let facts = spec.as_ref().map_or_else(Facts::default, flowspec);
        facts.with("filters", Fact::Words(names(topology, session, filters)))
    };
    Fact::Records(grouped.iter().map(each).collect())
}

fn flow_label(topology: &Topology, session: &Session, style: Style, grouped: &Grouped) -> String {
    let mut parts = Vec::new();
    for (filters, spec) in grouped {
        let names: Vec<String> = names(topology, session, filters).into_iter().collect();
        let who = match names.as_slice() {
            [] => "*".to_owned(),
            [one] if style.sharing() != Sharing::Shared => one.clone(),
            several => format!("({})", several.join(",")),
        };
        parts.push(who + &spec.as_ref().map_or_else(String::new, flowspec_label));
    }
    format!("{style} {}", parts.join(", "))
}

/// The flows of a request.
pub(crate) fn flows(
    topology: &Topology,
    session: &Session,
    style: Style,
    flows: &[(Option<FilterSpec>, Flowspec)],
) -> Fact {
    let grouped = group(style, flows.iter().map(|(filter, spec)| (*filter, Some(*spec))));
    flow_facts(topology, session, &grouped)
}

/// An installed reservation.
pub(crate) fn reservation(topology: &Topology, reservation: &Reservation) -> Said {
    let session = &reservation.session;
    let grouped = vec![(reservation.filters.clone(), Some(reservation.flowspec))];
    let facts = flowspec(&reservation.flowspec)
        .word("session", topology.session_name(session))
        .word("style", style(reservation.style))
        .with("filters", Fact::Words(names(topology, session, &reservation.filters)))
        .with("charge", Fact::Rate(reservation.charge_bps as f64));
    Said { facts, label: flow_label(topology, session, reservation.style, &grouped) }
}

/// A message on a link.
pub(crate) fn message(topology: &Topology, octets: &[u8]) -> Said {
    let Ok(message) = Message::parse(octets) else {
        return Said { facts: Facts::default().word("type", "broken"), label: "broken message".to_owned() };
    };
    let kind = message.msg_type();
    let upstream = matches!(kind, MsgType::RESV | MsgType::RESV_TEAR | MsgType::PATH_ERR);
    let mut said = Said {
        facts: Facts::default()
            .word("type", kind.to_string())
            .word("direction", if upstream { "upstream" } else { "downstream" }),
        label: kind.to_string(),
    };
    if let Some(session) = read::<Session>(&message) {
        said.facts = said.facts.word("session", topology.session_name(&session));
        add_sender(topology, &message, &session, &mut said);
        add_flows(topology, &message, &session, &mut said);
    }
    if let Some(error) = read::<ErrorSpec>(&message) {
        let shown = add_error(topology, &error, &mut said.facts);
        said.label = format!("{} {shown}", said.label);
    }
    if let (Some(scope), Some(session)) = (read::<Scope<'_>>(&message), read::<Session>(&message)) {
        let names = topology.senders_at(&session, scope.addresses());
        said.label.push_str(&format!(" [{}]", names.iter().cloned().collect::<Vec<_>>().join(",")));
        said.facts = said.facts.with("scope", Fact::Words(names));
    }
    if kind == MsgType::RESV {
        let confirm = read::<ResvConfirm>(&message).is_some();
        said.facts = said.facts.with("confirm", Fact::Truth(confirm));
        if confirm {
            said.label.push_str(" confirm?");
        }
    }
    said
}

fn read<'a, T: Object<'a>>(message: &Message<'a>) -> Option<T> {
    message.get::<T>().and_then(Result::ok)
}

fn add_sender(topology: &Topology, message: &Message<'_>, session: &Session, said: &mut Said) {
    let Some(sender) = read::<SenderTemplate>(message) else { return };
    let name = topology.sender_name(session, &sender.0);
    said.label = format!("{} {name}", said.label);
    let mut facts = core::mem::take(&mut said.facts).word("sender", name);
    if let Some(SenderTspec(tspec, _)) = read::<SenderTspec>(message) {
        said.label = format!("{}{{{}}}", said.label, show_rate(f64::from(tspec.rate) * 8.0));
        facts = facts.with("rate", rate(tspec.rate));
    }
    said.facts = facts;
}

fn add_flows(topology: &Topology, message: &Message<'_>, session: &Session, said: &mut Said) {
    let Some(found) = read::<Style>(message) else { return };
    let flows = flow_descriptors(message).map(|each| {
        let filter = each.filter.and_then(|object| object.read::<FilterSpec>().ok());
        (filter, each.flowspec.and_then(|object| object.read::<Flowspec>().ok()))
    });
    let grouped = group(found, flows);
    let facts = core::mem::take(&mut said.facts)
        .word("style", style(found))
        .with("flows", flow_facts(topology, session, &grouped));
    said.facts = facts;
    said.label = format!("{} {}", said.label, flow_label(topology, session, found, &grouped));
}

/// Adds what an ERROR_SPEC says, and gives it in words.
fn add_error(topology: &Topology, error: &ErrorSpec, facts: &mut Facts) -> String {
    let node = topology.node_name(error.node);
    let mut flags = BTreeSet::new();
    for (bit, name) in [(ErrorSpec::IN_PLACE, "in-place"), (ErrorSpec::NOT_GUILTY, "not-guilty")] {
        if error.flags & bit != 0 {
            flags.insert(name.to_owned());
        }
    }
    let code = name_number(u64::from(error.code.0), &CODES);
    let admission = error.code == ErrorCode::ADMISSION_CONTROL;
    let value = if admission {
        name_number(u64::from(error.value), &ADMISSION_VALUES)
    } else {
        Fact::Number(u64::from(error.value))
    };
    let word = |fact: &Fact| match fact {
        Fact::Named(_, name) => (*name).to_owned(),
        other => other.to_string(),
    };
    let shown = match error.code {
        ErrorCode::CONFIRMATION => format!("by {node}"),
        _ => format!("{}/{} at {node}", word(&code), word(&value)),
    };
    let marks = flags.iter().cloned().collect::<Vec<_>>().join(", ");
    *facts = core::mem::take(facts)
        .with("code", code)
        .with("value", value)
        .word("error_node", node)
        .with("flags", Fact::Words(flags));
    if marks.is_empty() { shown } else { format!("{shown} ({marks})") }
}

/// An event at an application.
pub(crate) fn event(topology: &Topology, event: &Event) -> Said {
    let session = &event.session;
    let base = Facts::default().word("session", topology.session_name(session));
    let filters = |list: &[FilterSpec]| Fact::Words(names(topology, session, list));
    let label = |style: Style, list: &[FilterSpec], spec: Option<Flowspec>| {
        flow_label(topology, session, style, &vec![(list.to_vec(), spec)])
    };
    match &event.kind {
        EventKind::Path { sender, tspec, adspec, .. } => {
            let name = topology.sender_name(session, &sender.0);
            // Without an ADSPEC nobody knows.
            let is_broken = adspec.as_ref().map(|adspec| adspec.global.break_bit);
            let hops = if is_broken == Some(true) { ", across routers without RSVP" } else { "" };
            let label = format!("path: {name} sends {}{hops}", show_rate(f64::from(tspec.rate) * 8.0));
            let facts = base.word("event", "path").word("sender", name).with("rate", rate(tspec.rate));
            let facts = match is_broken {
                Some(is_broken) => facts.with("break", Fact::Truth(is_broken)),
                None => facts,
            };
            Said { facts, label }
        }
        EventKind::PathGone { sender, why } => {
            let name = topology.sender_name(session, &sender.0);
            let why = match why {
                Gone::Torn => "torn",
                Gone::TimedOut => "timed-out",
            };
            let label = format!("path gone: {name} ({why})");
            Said { facts: base.word("event", "path-gone").word("sender", name).word("why", why), label }
        }
        EventKind::Resv { style: s, flowspec: spec, filters: list, .. } => Said {
            facts: join(base.word("event", "resv"), flowspec(spec))
                .word("style", style(*s))
                .with("filters", filters(list)),
            label: format!("resv: {}", label(*s, list, Some(*spec))),
        },
        EventKind::ResvGone { style: s, filters: list } => Said {
            facts: base.word("event", "resv-gone").word("style", style(*s)).with("filters", filters(list)),
            label: format!("resv gone: {}", label(*s, list, None)),
        },
        EventKind::PathError { error, sender } => {
            let name = topology.sender_name(session, &sender.0);
            let mut facts = base.word("event", "path-error").word("sender", name.as_str());
            let shown = add_error(topology, error, &mut facts);
            Said { facts: as_event(facts), label: format!("path error: {name} {shown}") }
        }
        EventKind::ResvError { error, style: s, flowspec: spec, filters: list } => {
            let facts =
                base.word("event", "resv-error").word("style", style(*s)).with("filters", filters(list));
            let mut facts = join(facts, spec.as_ref().map_or_else(Facts::default, flowspec));
            let shown = add_error(topology, error, &mut facts);
            Said { facts: as_event(facts), label: format!("resv error: {} {shown}", label(*s, list, *spec)) }
        }
        EventKind::ResvConfirm { node, style: s, flowspec: spec, filters: list } => {
            let name = topology.node_name(*node);
            let facts =
                base.word("event", "resv-confirm").word("style", style(*s)).with("filters", filters(list));
            let facts = join(facts, spec.as_ref().map_or_else(Facts::default, flowspec));
            let label = format!("resv confirmed: {} by {name}", label(*s, list, *spec));
            Said { facts: facts.word("node", name), label }
        }
        other => Said { facts: base.word("event", "unknown"), label: format!("unknown event: {other:?}") },
    }
}

/// What a QoS socket is told: a status by its published name, as `request-confirmed`, and what it is about.
pub(crate) fn fd_qos(topology: &Topology, told: &FdQos) -> Said {
    let name =
        told.status.name().map_or_else(|| told.status.0.to_string(), str::to_lowercase).replace('_', "-");
    let mut said = Said { facts: Facts::default().word("event", name.as_str()), label: name };
    let Some(session) = &told.session else { return said };
    let filters: Vec<FilterSpec> = told.senders.iter().map(|sender| sender.0).collect();
    let filters = names(topology, session, &filters);
    if !filters.is_empty() {
        said.label = format!("{}: {}", said.label, filters.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    let facts = said.facts.word("session", topology.session_name(session));
    said.facts = facts.with("filters", Fact::Words(filters));
    let changed = [told.sending, told.receiving];
    let changed = changed.iter().find(|flowspec| flowspec.service.service_type != ServiceType::NoChange);
    if let Some((rate, of)) = changed.and_then(|of| of.token_rate.map(|rate| (f64::from(rate) * 8.0, of))) {
        let service = match of.service.service_type {
            ServiceType::ControlledLoad => Some("controlled-load"),
            ServiceType::Guaranteed => Some("guaranteed"),
            _ => None,
        };
        let facts = said.facts.with("rate", Fact::Rate(rate));
        said.facts = service.into_iter().fold(facts, |facts, service| facts.word("service", service));
        said.label = format!("{} {{{}}}", said.label, show_rate(rate));
    }
    if let Some(error) = &told.fault {
        let mut facts = said.facts;
        said.label = format!("{} {}", said.label, add_error(topology, error, &mut facts));
        said.facts = as_event(facts);
    }
    said
}

/// Events call the node that found the error just `node`.
fn as_event(mut facts: Facts) -> Facts {
    if let Some(node) = facts.0.remove("error_node") {
        facts.0.insert("node", node);
    }
    facts
}

fn join(mut one: Facts, other: Facts) -> Facts {
    one.0.extend(other.0);
    one
}
