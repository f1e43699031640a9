//! `--json`: one object per message and line. The form of RSVP objects is that of `rsvp-wire`; the keys around them are
//! written here, in the order of the contract.

use rsvp_wire::{E2E_IGNORE_PROTOCOL, Scan};
use serde::Serialize;

use super::compact::Compact;
use super::repeats::Repeats;
use super::text::Text;
use super::verdict::{Fault, Judged, judge};
use rsvp_capture::Detail;
use rsvp_capture::packet::Packet;

pub(super) fn write(packet: &Packet<'_>, judged: &Judged<'_>, repeats: &mut Repeats, out: &mut Text) {
    out.put("{\"frame\":").number(packet.frame);
    if let Some(time) = packet.time {
        out.put(",\"time\":\"").date(time).put("T").time_of_day(time).put("Z\"");
    }
    if let Some(direction) = packet.direction {
        out.put(",\"direction\":\"").put(direction.word()).put("\"");
    }
    if let Some((source, destination)) = packet.addresses {
        out.put(",\"src\":\"").address(source).put("\",\"dst\":\"").address(destination);
        out.put("\",\"ttl\":").number(packet.ttl);
        out.put(",\"router_alert\":").put(word(packet.router_alert));
    }
    if let Some((from, to)) = packet.ports {
        out.put(",\"udp_src_port\":").number(from).put(",\"udp_dst_port\":").number(to);
    }
    if packet.e2e_ignore {
        out.put(",\"ip_protocol\":").number(E2E_IGNORE_PROTOCOL);
    }
    if let Some(quoted) = &packet.quoted {
        out.put(",\"quoted\":{\"protocol\":\"")
            .put(quoted.protocol())
            .put("\",\"type\":")
            .number(quoted.kind);
        out.put(",\"code\":").number(quoted.code);
        if let Some(meaning) = quoted.meaning() {
            out.put(",\"meaning\":\"").put(meaning).put("\"");
        }
        match quoted.detail {
            Some(Detail::Mtu(mtu)) => out.put(",\"mtu\":").number(mtu),
            Some(Detail::Pointer(octet)) => out.put(",\"pointer\":").number(octet),
            Some(Detail::Gateway(address)) => out.put(",\"gateway\":\"").ipv4(address).put("\""),
            None => &mut *out,
        }
        .put(",\"src\":\"")
        .address(quoted.source)
        .put("\",\"dst\":\"")
        .address(quoted.destination)
        .put("\"}");
    }
    if let Some(integrity) = judged.integrity {
        out.put(",\"integrity\":\"").put(integrity.word()).put("\"");
    }
    message(&judged.scan, judged.fault, repeats, out.put(","));
    out.put("}\n");
}

const fn word(set: bool) -> &'static str {
    if set { "true" } else { "false" }
}

/// The keys of a message, which may be one of a Bundle.
fn message(scan: &Scan<'_>, fault: Option<Fault>, repeats: &mut Repeats, out: &mut Text) {
    header(scan, out);
    out.put(",\"truncated\":").put(word(scan.truncated())).put(",\"objects\":[");
    let mut before = "";
    for object in scan.objects().map_while(Result::ok) {
        out.put(before);
        before = ",";
        // Writing to a buffer does not fail, and the form has nothing that `Compact` cannot say.
        repeats.put(object.octets(), (object.at(), 0), out, |out| {
            let _ = object.serialize(Compact::new(out));
        });
    }
    out.put("]");
    if scan.is_bundle() {
        out.put(",\"messages\":[");
        let mut before = "";
        for (at, inner) in scan.messages().map_while(Result::ok) {
            out.put(before).put("{\"offset\":").number(at).put(",");
            before = ",";
            message(&inner, judge(&inner), repeats, out);
            out.put("}");
        }
        out.put("]");
    }
    let rest = scan.unread();
    // Of a message that ends before its type, what is left is all there is, be it nothing.
    if !rest.is_empty() || scan.header().is_none() {
        out.put(",\"bytes\":\"").hex(rest).put("\"");
    }
    if let Some(fault) = fault {
        out.put(",\"error\":{\"offset\":")
            .number(fault.offset)
            .put(",\"reason\":\"")
            .show(&fault.why)
            .put("\"}");
    }
}

fn header(scan: &Scan<'_>, out: &mut Text) {
    let checksum = scan.checksum().word();
    let Some(header) = scan.header() else {
        out.put("\"checksum\":\"").put(checksum).put("\"");
        return;
    };
    out.put("\"version\":").number(header.version);
    if header.flags != 0 {
        out.put(",\"flags\":").number(header.flags);
    }
    out.put(",\"msg_type\":").number(header.msg_type.0).put(",\"message\":\"");
    match header.msg_type.name() {
        Some(name) => out.put(name),
        None => out.number(header.msg_type.0),
    };
    out.put("\",\"length\":").number(header.length).put(",\"checksum\":\"").put(checksum);
    out.put("\",\"checksum_value\":").number(header.checksum).put(",\"send_ttl\":").number(header.send_ttl);
    if header.reserved != 0 {
        out.put(",\"reserved\":").number(header.reserved);
    }
}
