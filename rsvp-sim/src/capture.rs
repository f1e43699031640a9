//! A run as a capture file: every message once, as it was sent, in raw IP packets.

use crate::world::Record;
use core::time::Duration;
use rsvp_capture::LinkType;
use rsvp_capture::write::{Headers, PcapWriter};
use rsvp_node::Instant;
use std::io::{self, Write};

/// Writes the capture.
///
/// # Errors
///
/// What the writer says.
pub fn write<W: Write>(record: &Record, to: W) -> io::Result<()> {
    let packets = record.sent.iter().enumerate().map(|(number, sent)| {
        let around = Headers {
            source: sent.source,
            destination: sent.destination,
            ttl: sent.ttl,
            router_alert: sent.router_alert,
            identification: number as u16,
            ports: None,
            e2e_ignore: false,
        };
        // An engine never mixes families; such a message is left without a header.
        (sent.at, around.packet(&sent.octets).unwrap_or_else(|_| sent.octets.to_vec()))
    });
    write_packets(packets, to)
}

/// Writes a capture of whole IP packets.
///
/// # Errors
///
/// What the writer says.
pub fn write_packets<W: Write>(
    packets: impl IntoIterator<Item = (Instant, Vec<u8>)>,
    to: W,
) -> io::Result<()> {
    let mut writer = PcapWriter::new(to, LinkType::RAW, false)?;
    for (at, packet) in packets {
        writer.write(Duration::from_micros(at.as_micros()), &packet)?;
    }
    writer.into_inner().flush()
}
