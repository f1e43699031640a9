//! What the engine says, in the words of the control protocol.

use crate::{Carried, Fault, Octets};
use rsvp_node::{Event, EventKind, Gone};
use rsvp_wire::{ErrorSpec, error_value_meaning};

impl crate::Event {
    /// An event of the engine; nothing for one that the protocol has no word for.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        Some(Self { session: event.session.with_flags(0), kind: kind(&event.kind)? })
    }
}

fn kind(kind: &EventKind) -> Option<crate::EventKind> {
    use crate::EventKind as Said;
    Some(match kind {
        EventKind::Path { sender, tspec, adspec, carried } => Said::Path {
            sender: *sender,
            traffic: (*tspec).into(),
            adspec: adspec.map(Into::into),
            carried: carried.into(),
        },
        EventKind::PathGone { sender, why } => Said::PathGone {
            sender: *sender,
            why: match why {
                Gone::Torn => crate::Gone::Torn,
                Gone::TimedOut => crate::Gone::TimedOut,
            },
        },
        EventKind::Resv { style, flowspec, filters, carried } => Said::Resv {
            style: (*style).into(),
            flowspec: (*flowspec).into(),
            filters: filters.clone(),
            carried: carried.into(),
        },
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
        _ => return None,
    })
}

impl From<&rsvp_node::Carried> for Carried {
    fn from(carried: &rsvp_node::Carried) -> Self {
        Self {
            policy: carried.policy().map(|elements| Octets(elements.to_vec())).collect(),
            dclass: carried.dclass(),
            tclass: carried.tclass(),
        }
    }
}

impl TryFrom<&Carried> for rsvp_node::Carried {
    type Error = &'static str;

    fn try_from(said: &Carried) -> Result<Self, &'static str> {
        let mut carried = Self::default();
        for elements in &said.policy {
            carried = carried.with_policy(&elements.0).ok_or(
                "`policy` is whole policy elements, each with its length and type in front (RFC 2750), 4 kB with all else",
            )?;
        }
        if !said.dclass.is_empty() {
            carried = carried.with_dclass(&said.dclass).ok_or("`dclass` is a list of DSCPs, 0 to 63")?;
        }
        match said.tclass {
            Some(priority) => carried.with_tclass(priority).ok_or("`tclass` is a priority, 0 to 7"),
            None => Ok(carried),
        }
    }
}

impl From<&ErrorSpec> for Fault {
    fn from(error: &ErrorSpec) -> Self {
        fault(error)
    }
}

pub(crate) fn fault(error: &ErrorSpec) -> Fault {
    let code = error.code.name().map_or_else(|| format!("error code {}", error.code.0), str::to_owned);
    let meaning = match (error_value_meaning(error.code, error.value), error.value) {
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
