//! One line per message: where it was, who sent it to whom, and what the objects say.

use rsvp_wire::{Message, show};

use super::text::Text;
use super::verdict::Judged;
use crate::cli::packet::Packet;

pub(super) fn write(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    out.right(packet.frame, 6).put("  ");
    if let Some(time) = packet.time {
        out.time_of_day(time).put("  ");
    }
    if let Some((source, destination)) = packet.addresses {
        out.address(source).put(" > ").address(destination).put("  ");
    }
    if packet.ports.is_some() {
        out.put("UDP ");
    }
    match Message::parse(judged.scan.octets()) {
        Ok(message) => {
            out.show(&show::one_line(&message));
        }
        Err(_) => unsound(judged, out),
    }
    if let Some(integrity) = judged.integrity {
        out.put(" digest ").put(integrity.word());
    }
    if packet.cut {
        out.put(" [not all of it was captured]");
    }
    if let Some(fault) = judged.fault {
        out.put(" [").show(&fault).put("]");
    }
    out.put("\n");
}

/// What can be said of a message that is none.
fn unsound(judged: &Judged<'_>, out: &mut Text) {
    match judged.header {
        Some(header) => out.show(&header.msg_type),
        None => out.number(judged.scan.octets().len()).put(" octets"),
    };
    for object in judged.objects() {
        out.put(" ").show(&show::object(&object));
    }
}
