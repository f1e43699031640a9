//! What comes out of an engine as JSON: one name for each outcome, event and change of a reservation, which stay when
//! types and fields are called otherwise. Nobody reads it back: a journal that is done again writes it anew and compares.

use super::input::{Objects, hex};
use crate::{
    Discard, Event, EventKind, Gone, Outcome, Output, Remark, Source, TcChange, TrafficControl, Why,
};
use rsvp_wire::{FilterSpec, SenderTspec};
use serde_json::{Value, json};

/// What became of an input.
pub(super) fn write_outcome(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Taken => json!("taken"),
        Outcome::Discarded(Discard::Malformed(error)) => {
            json!({ "discarded": "malformed", "octet": error.at })
        }
        Outcome::Discarded(why) => json!({ "discarded": why.name() }),
        Outcome::Refused(why) => json!({ "refused": why.name() }),
    }
}

/// An output; nothing for a request for space, which depends on the driver's buffer.
pub(super) fn write(output: &Output<'_>) -> Option<Value> {
    Some(match output {
        Output::NeedSpace(_) => return None,
        Output::Transmit(transmit) => json!({
            "transmit": hex(transmit.octets), "interface": transmit.interface.0, "destination": transmit.destination,
            "source": match transmit.source {
                Source::Own => json!("own"),
                Source::Foreign(address) => json!(address),
            },
            "ttl": transmit.ttl, "router_alert": transmit.router_alert,
        }),
        Output::TrafficControl(change) => write_change(change),
        Output::Event(event) => write_event(event),
        Output::Idle { until, why } => json!({ "idle": until.map(|at| at.0), "why": waiting_for(*why) }),
    })
}

fn waiting_for(why: Why) -> &'static str {
    match why {
        Why::Nothing => "nothing",
        Why::Path => "path",
        Why::Resv => "resv",
        Why::ResvRefresh => "resv-refresh",
        Why::Blockade => "blockade",
        Why::Housekeeping => "housekeeping",
    }
}

fn write_change(change: &TrafficControl) -> Value {
    let TrafficControl { reservation: id, interface, change } = change;
    let (word, installed) = match change {
        TcChange::Install(reservation) => {
            let objects = Objects::default().put(&reservation.session).put(&reservation.style);
            let objects = filters(objects.put(&reservation.flowspec), &reservation.filters);
            let police = reservation.police;
            let mut installed = json!({
                "objects": objects.hex(), "charge_bps": reservation.charge_bps,
                "police": { "entry": police.entry, "merge": police.merge, "branch": police.branch },
            });
            let remark = reservation.remark;
            if remark != Remark::default() {
                installed["remark"] = json!({ "dscp": remark.dscp, "priority": remark.priority });
            }
            ("install", installed)
        }
        TcChange::Remove => ("remove", Value::Null),
    };
    json!({
        "traffic_control": word, "index": id.index, "generation": id.generation, "interface": interface.0,
        "reservation": installed,
    })
}

fn filters(objects: Objects, filters: &[FilterSpec]) -> Objects {
    filters.iter().fold(objects, Objects::put)
}

fn gone(why: Gone) -> &'static str {
    match why {
        Gone::Torn => "torn",
        Gone::TimedOut => "timed-out",
    }
}

fn write_event(event: &Event) -> Value {
    let session = Objects::default().put(&event.session);
    let (word, objects, more) = match &event.kind {
        EventKind::Path { sender, tspec, adspec, carried } => {
            let objects = session.put(sender).put(&SenderTspec::from(*tspec));
            ("path", adspec.iter().fold(objects, Objects::put).copy(carried.objects()), Value::Null)
        }
        EventKind::PathGone { sender, why } => ("path-gone", session.put(sender), json!(gone(*why))),
        EventKind::Resv { style, flowspec, filters: senders, carried } => {
            let objects = filters(session.put(style).put(flowspec), senders);
            ("resv", objects.copy(carried.objects()), Value::Null)
        }
        EventKind::ResvGone { style, filters: senders } => {
            ("resv-gone", filters(session.put(style), senders), Value::Null)
        }
        EventKind::PathError { error, sender } => ("path-error", session.put(error).put(sender), Value::Null),
        EventKind::ResvError { error, style, flowspec, filters: senders } => {
            let objects = flowspec.iter().fold(session.put(error).put(style), Objects::put);
            ("resv-error", filters(objects, senders), Value::Null)
        }
        EventKind::ResvConfirm { node, style, flowspec, filters: senders } => {
            let objects = flowspec.iter().fold(session.put(style), Objects::put);
            ("resv-confirm", filters(objects, senders), json!(node))
        }
    };
    json!({ "event": word, "app": event.app.0, "objects": objects.hex(), "with": more })
}
