//! What the engine says, in the words of the control protocol: events, errors, refusals.

use super::desk::Door;
use super::protocol::{self, Fault, Problem};
use crate::{Command, Event, EventKind, Gone, Refusal};
use rsvp_wire::{ErrorSpec, FilterSpec, error_value_name};

/// An event of the engine.
pub(super) fn event(event: &Event) -> protocol::Event {
    protocol::Event { session: event.session.with_flags(0), kind: kind(&event.kind) }
}

fn kind(kind: &EventKind) -> protocol::EventKind {
    use protocol::EventKind as Said;
    match kind {
        EventKind::Path { sender, tspec, adspec } => {
            Said::Path { sender: *sender, traffic: (*tspec).into(), adspec: adspec.map(Into::into) }
        }
        EventKind::PathGone { sender, why } => Said::PathGone {
            sender: *sender,
            why: match why {
                Gone::Torn => protocol::Gone::Torn,
                Gone::TimedOut => protocol::Gone::TimedOut,
            },
        },
        EventKind::Resv { style, flowspec, filters } => {
            Said::Resv { style: (*style).into(), flowspec: (*flowspec).into(), filters: filters.clone() }
        }
        EventKind::ResvGone { style, filters } => {
            Said::ResvGone { style: (*style).into(), filters: filters.clone() }
        }
        EventKind::PathError { error, sender } => Said::PathError { sender: *sender, error: fault(error) },
        EventKind::ResvError { error, style, flowspec, filters } => Said::ResvError {
            style: (*style).into(),
            flowspec: flowspec.map(Into::into),
            filters: filters.clone(),
            error: fault(error),
        },
        EventKind::ResvConfirm { node, style, flowspec, filters } => Said::ResvConfirm {
            node: *node,
            style: (*style).into(),
            flowspec: flowspec.map(Into::into),
            filters: filters.clone(),
        },
    }
}

fn fault(error: &ErrorSpec) -> Fault {
    let code = error.code.name().map_or_else(|| format!("error code {}", error.code.0), str::to_owned);
    let meaning = match (error_value_name(error.code, error.value), error.value) {
        (Some(value), _) => format!("{code}: {value}"),
        (None, 0) => code,
        (None, value) => format!("{code}, value {value}"),
    };
    Fault {
        code: error.code.0,
        value: error.value,
        meaning,
        node: error.node,
        in_place: error.flags & ErrorSpec::IN_PLACE != 0,
        not_guilty: error.flags & ErrorSpec::NOT_GUILTY != 0,
    }
}

/// A refusal of the engine, with what there is to say beyond it.
pub(super) fn refusal(why: Refusal, command: &Command<'_>, door: &dyn Door) -> Problem {
    let code = match why {
        Refusal::BadSession => "bad-session",
        Refusal::BadSender => "bad-sender",
        Refusal::BadTrafficParameter => "bad-traffic-parameter",
        Refusal::BadStyle => "bad-style",
        Refusal::ConflictingPorts => "conflicting-ports",
        Refusal::SenderTaken => "sender-taken",
        Refusal::ConflictingStyle => "conflicting-style",
        Refusal::ConflictingService => "conflicting-service",
        Refusal::NoInterface => "no-interface",
        Refusal::NotFound => "not-found",
        Refusal::LimitReached => "limit-reached",
    };
    let hint = match (why, command) {
        (Refusal::BadSender, Command::Sender { sender, .. }) => own_addresses(&sender.0, door),
        (Refusal::BadTrafficParameter, Command::Sender { .. }) => TRAFFIC.to_owned(),
        (Refusal::BadTrafficParameter, _) => {
            format!(
                "{TRAFFIC}, for Guaranteed service the reserved rate is at least the rate and the peak is not below it, and all flows ask for one service"
            )
        }
        (Refusal::BadStyle, _) => {
            "WF takes one flow without filters, SE one with filters, FF one for each filter".to_owned()
        }
        _ => String::new(),
    };
    let message = if hint.is_empty() { why.to_string() } else { format!("{why}: {hint}") };
    Problem { code: code.to_owned(), message }
}

const TRAFFIC: &str =
    "rates are from 8 bit/s, the bucket is at least one octet, min_packet is from 1 to max_packet";

fn own_addresses(sender: &FilterSpec, door: &dyn Door) -> String {
    let address = sender.address();
    let interfaces = door.engine().interfaces();
    let own: Vec<_> = interfaces.filter_map(|(interface, _)| interface.address_like(address)).collect();
    if own.contains(&address) {
        return "the sender has a port although the session has none, or is of another address family"
            .to_owned();
    }
    let own: Vec<_> = own.iter().map(ToString::to_string).collect();
    match own.as_slice() {
        [] => format!("no interface of this node has an address of the family of {address}"),
        own => format!("{address} is none of this node's addresses, {}", own.join(", ")),
    }
}
