//! `--json`: one object per message and line, as the JSON form of `rsvp-wire` with what is known of the packet around it.



use super::text::Text;
use super::verdict::Judged;
use crate::cli::packet::Packet;

pub(super) fn write(packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
    out.put("{\"frame\":").number(packet.frame);
    if let Some(time) = packet.time {
        out.put(",\"time\":\"").date(time).put("T").time_of_day(time).put("Z\"");
    }
    if let Some((source, destination)) = packet.addresses {
        out.put(",\"src\":\"").address(source).put("\",\"dst\":\"").address(destination);
        out.put("\",\"ttl\":").number(packet.ttl);
        out.put(",\"router_alert\":").put(if packet.router_alert { "true" } else { "false" });
    }
    if let Some((from, to)) = packet.ports {
        out.put(",\"udp_src_port\":").number(from).put(",\"udp_dst_port\":").number(to);
    }
    if let Some(integrity) = judged.integrity {
        out.put(",\"integrity\":\"").put(integrity.word()).put("\"");
    }
    // The message follows in the same object: its opening brace becomes the comma.
    let brace = out.len();
    // Writing to a buffer does not fail, and the keys of the form are texts.
    let _ = serde_json::to_writer(&mut *out, &judged.scan);
    out.replace(brace, b',').put("\n");
}
