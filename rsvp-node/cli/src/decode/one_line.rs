//! One line per message: where it was, who sent it to whom, and what the objects say.

use rsvp_wire::show;

use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

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
    let start = out.len();
    out.show(&show::one_line(&judged.scan));
    if judged.scan.error().is_some() {
        // Its words for what is wrong give way to those of the other forms, which judge the objects before the checksum.
        out.cut(start, " malformed: ");
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
