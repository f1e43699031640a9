//! One line per message: where it was, who sent it to whom, and what the objects say.

use rsvp_wire::show;

use super::keys::Integrity;
use super::lanes;
use super::look::{Colour, Look};
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// Columns from which a line that was folded goes on.
const INDENT: usize = 8;

pub(super) fn write(packet: &Packet<'_>, judged: &Judged<'_>, look: &Look, out: &mut Text) {
    let line = out.len();
    out.right(packet.frame, 6).put("  ");
    if let Some(time) = packet.time {
        out.time_of_day(look.clock(time).0).put("  ");
    }
    if let Some((source, destination)) = packet.addresses {
        out.address(source).put(" > ").address(destination).put("  ");
    }
    if let Some(quoted) = &packet.quoted {
        look.paint(Colour::Quoted, out, |out| {
            lanes::quoted_in_full(quoted, out.put("quoted by ").address(quoted.source).put(", "))
        });
        out.put(": ");
    }
    if packet.ports.is_some() {
        out.put("UDP ");
    }
    if packet.e2e_ignore {
        out.put("E2E-IGNORE ");
    }
    let start = out.len();
    out.show(&show::one_line(&judged.scan));
    if judged.scan.error().is_some() {
        // Its words for what is wrong give way to those of the other forms, which judge the objects before the checksum.
        out.cut(start, " malformed: ");
    }
    look.paint_word(lanes::colour(judged), start, out);
    if let Some(integrity) = judged.integrity {
        out.put(" digest ");
        match integrity {
            Integrity::Bad => look.paint(Colour::Wrong, out, |out| _ = out.put(integrity.word())),
            _ => _ = out.put(integrity.word()),
        }
    }
    if packet.cut {
        out.put(if packet.quoted.is_some() {
            " [not all of it was quoted]"
        } else {
            " [not all of it was captured]"
        });
    }
    if let Some(fault) = judged.fault {
        look.paint(Colour::Wrong, out.put(" "), |out| _ = out.put("[").show(&fault).put("]"));
    }
    out.put("\n");
    look.fold(line, INDENT, out);
}
