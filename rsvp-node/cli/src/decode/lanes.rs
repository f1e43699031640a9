//! What a sequence diagram needs to know of a message: who sent it, whom it is for, and what to write on the arrow.
//!
//! Path, PathTear and ResvConf are addressed to hosts beyond the next hop, and Path and PathTear come from the flow's
//! sender: their RSVP_HOP says which node put them on this link, so that is where the arrow starts.

use std::net::IpAddr;

use rsvp_wire::{Class, ErrorSpec, MsgType, Session, show};

use super::body;
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::Quoted;
use rsvp_capture::packet::Packet;

use super::look::Colour;

/// From where to where a message went, as far as it says.
pub(super) fn ends(packet: &Packet<'_>, judged: &Judged<'_>) -> Option<(IpAddr, IpAddr)> {
    if let Some(quoted) = &packet.quoted {
        return Some((quoted.source, quoted.destination));
    }
    let (source, destination) = packet.addresses?;
    let downstream =
        judged.header.is_some_and(|header| matches!(header.msg_type, MsgType::PATH | MsgType::PATH_TEAR));
    let hop = judged.objects().find(|object| downstream && object.class == Class::RSVP_HOP);
    let from = hop.and_then(|hop| body::address(&hop)).filter(|hop| !hop.is_unspecified());
    Some((from.unwrap_or(source), destination))
}

/// What an error of ICMP is called.
pub(super) fn quoted(quoted: &Quoted, out: &mut Text) {
    out.put(quoted.protocol()).put(" ");
    match quoted.meaning() {
        Some(meaning) => out.put(meaning),
        None => out.put("type ").number(quoted.kind).put(" code ").number(quoted.code),
    };
}

/// What an error of ICMP is called, and what it says besides.
pub(super) fn quoted_in_full(quoted: &Quoted, out: &mut Text) {
    self::quoted(quoted, out);
    if let Some(detail) = &quoted.detail {
        out.put(", ").show(detail);
    }
}

/// The colour of a message, by where it goes.
pub(super) fn colour(judged: &Judged<'_>) -> Colour {
    if is_upstream(judged) { Colour::Upstream } else { Colour::Downstream }
}

/// Whether a message goes to the sender of its flow.
pub(super) fn is_upstream(judged: &Judged<'_>) -> bool {
    let upstream = [MsgType::RESV, MsgType::PATH_ERR, MsgType::RESV_TEAR];
    judged.header.is_some_and(|header| upstream.contains(&header.msg_type))
}

/// The message type; in parentheses if it is only quoted.
pub(super) fn name(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    let (before, after) = if packet.quoted.is_some() { ("(", ")") } else { ("", "") };
    out.put(before);
    match judged.header {
        Some(header) => match header.msg_type.name() {
            Some(name) => out.put(name),
            None => out.put("type ").number(header.msg_type.0),
        },
        None => out.put("?"),
    };
    out.put(after);
}

/// The error that quotes it, the session, and the error of RSVP, as far as there are any.
pub(super) fn about(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    let mut before = "";
    if let Some(quoted) = &packet.quoted {
        quoted_in_full(quoted, out);
        before = ", ";
    }
    for object in judged.objects() {
        match object.class {
            Class::SESSION => match (object.read::<Session>(), body::address(&object)) {
                (Ok(session), _) => out.put(before).show(&session),
                (Err(_), Some(destination)) => out.put(before).put("to ").address(destination),
                (Err(_), None) => out.put(before).show(&show::object(&object)),
            },
            Class::STYLE | Class::ERROR_SPEC => {
                if object.class == Class::ERROR_SPEC && object.read::<ErrorSpec>().is_err() {
                    continue;
                }
                // Without the name of the kind of object, which its own words make clear.
                let start = out.put(before).len();
                out.show(&show::object(&object));
                out.shorten(start, ": ")
            }
            _ => continue,
        };
        before = ", ";
    }
    if judged.fault.is_some() {
        out.put(before).put("malformed");
    }
}
