//! What a sequence diagram needs to know of a message: who sent it, whom it is for, and what to write on the arrow.
//!
//! Path, PathTear and ResvConf are addressed to hosts beyond the next hop, and Path and PathTear come from the flow's
//! sender: their RSVP_HOP says which node put them on this link, so that is where the arrow starts.

use std::net::IpAddr;

use rsvp_wire::{Class, ErrorSpec, MsgType, Session, show};

use super::body;
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// From where to where a message went, as far as it says.
pub(super) fn ends(packet: &Packet<'_>, judged: &Judged<'_>) -> Option<(IpAddr, IpAddr)> {
    let (source, destination) = packet.addresses?;
    let downstream =
        judged.header.is_some_and(|header| matches!(header.msg_type, MsgType::PATH | MsgType::PATH_TEAR));
    let hop = judged.objects().find(|object| downstream && object.class == Class::RSVP_HOP);
    let from = hop.and_then(|hop| body::address(&hop)).filter(|hop| !hop.is_unspecified());
    Some((from.unwrap_or(source), destination))
}

/// The message type.
pub(super) fn name(judged: &Judged<'_>, out: &mut Text) {
    match judged.header {
        Some(header) => match header.msg_type.name() {
            Some(name) => out.put(name),
            None => out.put("type ").number(header.msg_type.0),
        },
        None => out.put("?"),
    };
}

/// The session, and the error if there is one.
pub(super) fn about(judged: &Judged<'_>, out: &mut Text) {
    let mut before = "";
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
