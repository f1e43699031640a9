//! `-v`: a message as a tree, with names, units and the offset of everything.

use rsvp_wire::show;

use super::text::Text;
use super::verdict::{Judged, checksum_word};
use crate::cli::packet::Packet;

pub(super) fn write(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    frame(packet, out);
    header(judged, out);
    for object in judged.objects() {
        out.right(u64::from(object.at()), 6).put("  ").show(&show::object(&object)).put("\n");
    }
    end(packet, judged, out);
    out.put("\n");
}

/// The line of what is below RSVP.
fn frame(packet: &Packet<'_>, out: &mut Text) {
    out.put("frame ").number(packet.frame);
    if let Some(time) = packet.time {
        out.put("  ").date(time).put(" ").time_of_day(time).put("Z");
    }
    if let Some((source, destination)) = packet.addresses {
        out.put("  ").address(source).put(" > ").address(destination);
        out.put("  ttl ").number(packet.ttl);
    }
    if packet.router_alert {
        out.put("  Router Alert");
    }
    if let Some((from, to)) = packet.ports {
        out.put("  UDP port ").number(from).put(" > ").number(to);
    }
    if packet.fragments > 1 {
        out.put("  from ").number(packet.fragments).put(" fragments");
    }
    out.put("\n");
}

fn header(judged: &Judged<'_>, out: &mut Text) {
    let Some(header) = judged.header else { return };
    out.put("     0  ");
    match header.msg_type.name() {
        Some(name) => out.put(name).put(" (").number(header.msg_type.0).put(")"),
        None => out.put("message type ").number(header.msg_type.0),
    };
    out.put(": version ").number(header.version).put(", flags ").hex_number(u64::from(header.flags), 1);
    out.put(", checksum ").hex_number(u64::from(header.checksum), 4);
    out.put(" ").put(checksum_word(judged.checksum)).put(", Send_TTL ").number(header.send_ttl);
    if header.reserved != 0 {
        out.put(", reserved ").hex_number(u64::from(header.reserved), 2);
    }
    out.put(", ").number(header.length).put(" octets\n");
}

/// What is wrong or missing.
fn end(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    if let Some(integrity) = judged.integrity {
        out.put("        digest ").put(integrity.word()).put("\n");
    }
    if packet.cut {
        out.right(judged.octets.len() as u64, 6).put("  the capture has no more octets of this message\n");
    }
    if let Some(fault) = judged.fault {
        out.right(u64::from(fault.offset), 6).put("  MALFORMED: ").show(&fault.why).put("\n");
    }
}
