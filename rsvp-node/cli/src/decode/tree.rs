//! `-v`: a message as a tree, with names, units and the offset of everything.

use rsvp_wire::{ObjectRef, Scan, registry};

use super::fields;
use super::keys::Integrity;
use super::lanes;
use super::look::{Colour, Look};
use super::repeats::Repeats;
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// Columns of the offset.
pub(super) const OFFSET: usize = 6;

/// Columns from which a line that was folded goes on.
const INDENT: usize = 16;

pub(super) fn write(
    packet: &Packet<'_>,
    judged: &Judged<'_>,
    repeats: &mut Repeats,
    look: &Look,
    out: &mut Text,
) {
    let start = out.len();
    look.paint(Colour::Heading, out, |out| frame(packet, look, out));
    out.put("\n");
    message(&judged.scan, judged.fault.is_none().then_some(repeats), (0, 0), out);
    if let Some(integrity) = judged.integrity {
        out.spaces(OFFSET + 2).put("INTEGRITY digest: ");
        match integrity {
            Integrity::Bad => look.paint(Colour::Wrong, out, |out| _ = out.put(integrity.word())),
            _ => _ = out.put(integrity.word()),
        }
        out.put("\n");
    }
    if packet.cut {
        out.right(judged.scan.octets().len() as u64, OFFSET).put(if packet.quoted.is_some() {
            "  no more of this message is quoted\n"
        } else {
            "  the capture has no more of this message\n"
        });
    }
    if let Some(fault) = judged.fault {
        out.right(u64::from(fault.offset), OFFSET).put("  ");
        look.paint(Colour::Wrong, out, |out| _ = out.put("MALFORMED: ").show(&fault.why));
        out.put("\n");
    }
    out.put("\n");
    look.fold(start, INDENT, out);
}

/// The line of what is below RSVP.
fn frame(packet: &Packet<'_>, look: &Look, out: &mut Text) {
    out.put("frame ").number(packet.frame);
    if let Some(time) = packet.time {
        look.date_and_time(time, out.put("  "));
    }
    if let Some(direction) = packet.direction {
        out.put("  ").put(direction.word());
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
    if packet.e2e_ignore {
        out.put("  RSVP-E2E-IGNORE");
    }
    if let Some(quoted) = &packet.quoted {
        lanes::quoted_in_full(quoted, out.put("  quoted in "));
        out.put(" (type ").number(quoted.kind).put(", code ").number(quoted.code).put(") from ");
        out.address(quoted.source).put(" to ").address(quoted.destination);
    }
}

/// A message; those of a Bundle one step further in, at their offset in the Bundle.
/// Only the objects of sound messages are worth remembering, and they need not be checked again.
fn message(scan: &Scan<'_>, mut repeats: Option<&mut Repeats>, (at, depth): (u16, usize), out: &mut Text) {
    header(scan, at, depth, out);
    for object in scan.objects().map_while(Result::ok) {
        match &mut repeats {
            Some(repeats) => {
                let place = (object.at().saturating_add(at), depth);
                repeats.put(object.octets(), place, out, |out| self::object(&object, true, at, depth, out));
            }
            None => self::object(&object, false, at, depth, out),
        }
    }
    for (inner, scan) in scan.messages().map_while(Result::ok) {
        message(&scan, repeats.as_deref_mut(), (at.saturating_add(inner), depth + 1), out);
    }
}

/// The start of a line: the offset, and room for what it is within.
#[inline]
pub(super) fn line(at: u16, depth: usize, out: &mut Text) -> &mut Text {
    out.number_column::<OFFSET>(at, OFFSET + 2 + depth * 2)
}

fn header(scan: &Scan<'_>, at: u16, depth: usize, out: &mut Text) {
    let Some(header) = scan.header() else { return };
    line(at, depth, out);
    match header.msg_type.name() {
        Some(name) => out.put(name).put(" (type ").number(header.msg_type.0).put(")"),
        None => out.put("message of unknown type ").number(header.msg_type.0),
    };
    out.put(": version ").number(header.version).put(", flags ").hex_number(u64::from(header.flags), 1);
    out.put(", checksum ").hex_number(u64::from(header.checksum), 4).put(" (").put(scan.checksum().word());
    out.put("), Send_TTL ").number(header.send_ttl);
    if header.reserved != 0 {
        out.put(", reserved ").hex_number(u64::from(header.reserved), 2);
    }
    out.put(", ").number(header.length).put(" octets\n");
}

/// An object within a message at `at`.
pub(super) fn object(object: &ObjectRef<'_>, sound: bool, at: u16, depth: usize, out: &mut Text) {
    line(object.at().saturating_add(at), depth, out);
    let row = registry::row(object.class, object.ctype);
    match row.map(|row| row.name).or_else(|| object.class.name()) {
        Some(name) => out.put(name),
        None => out.put("unknown object"),
    };
    out.put(" (class ").number(object.class.0).put(", C-Type ").number(object.ctype.0);
    out.put("), ").number(object.octets().len()).put(" octets\n");
    match &object.view() {
        // What does not fit its layout is not told apart; the reason is said where the message ends.
        Some(view) if sound || view.check().is_ok() => fields::all(view, at, depth + 1, out),
        _ => fields::octets(object.body(), object.at().saturating_add(at).saturating_add(4), depth + 1, out),
    }
}
