//! Makes the captures that `benches/decode.sh` measures with: Path messages of 172 octets in Ethernet frames with the
//! Router Alert option, their sessions in turn. With `distinct`, no object is that of another packet within the round of
//! the sessions, and TSPEC, ADSPEC, RSVP_HOP and TIME_VALUES never are: every number in them varies, and most rates have
//! a fraction.
//!
//! `cargo run --release -p rsvp-cli --example path_capture -- PACKETS SESSIONS FILE [distinct]`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use rsvp_capture::LinkType;
use rsvp_capture::write::PcapWriter;
use rsvp_wire::{
    AdspecSummary, FilterSpec, GeneralParams, GuaranteedParams, MessageWriter, MsgType, Overrides, RsvpHop,
    SenderTemplate, SenderTspec, ServiceParams, Session, TimeValues, Tspec,
};

/// Ethernet, and an IPv4 header with Router Alert.
const LINK: usize = 14;
const NETWORK: usize = 24;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(packets), Some(sessions), Some(file)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("expected PACKETS SESSIONS FILE".into());
    };
    let (packets, sessions): (u32, u32) = (packets.parse()?, sessions.parse()?);
    let distinct = arguments.next().as_deref() == Some("distinct");
    let mut writer = PcapWriter::new(BufWriter::new(File::create(file)?), LinkType(1), false)?;
    let mut frame = [0; 512];
    for number in 0..packets {
        let length = path(number % sessions, if distinct { number } else { 0 }, &mut frame);
        let at = Duration::from_secs(1_700_000_000) + Duration::from_micros(u64::from(number) * 50);
        writer.write(at, &frame[..length])?;
    }
    writer.into_inner().flush()?;
    Ok(())
}

/// A frame with the Path of one session. Variants differ in all objects but the session.
fn path(session: u32, variant: u32, frame: &mut [u8; 512]) -> usize {
    // Few addresses with many ports each: tcpdump gets slower with every address it has seen, and the comparison is to
    // be with tcpdump at its best.
    let (pair, port) = ((session / 1000) as u16, 5000 + (session % 1000) as u16);
    let [high, low] = pair.to_be_bytes();
    let (source, destination) = (Ipv4Addr::new(10, 0, high, low), Ipv4Addr::new(172, 16, high, low));
    let neighbour = Ipv4Addr::new(192, 168, (session % 7) as u8, 1 + (variant % 250) as u8);
    let tspec = Tspec {
        rate: 250_000.0 + variant as f32 * 0.375,
        bucket: 3000.0 + (variant % 5000) as f32 * 0.7,
        peak: 500_000.0 + variant as f32 * 1.3,
        min_policed_unit: 64 + variant % 100,
        max_packet_size: 1500 + variant % 7500,
    };
    let none = Overrides { hops: None, bandwidth: None, latency_us: None, mtu: None };
    let adspec = AdspecSummary {
        global: GeneralParams {
            break_bit: false,
            hops: 3 + variant % 60,
            bandwidth: 1.25e8 + variant as f32 * 9.1,
            latency_us: 1200 + variant,
            mtu: 1500 + variant % 7500,
        },
        guaranteed: Some(GuaranteedParams {
            break_bit: false,
            ctot: 4500 + variant % 90_000,
            dtot: 600 + variant % 80_000,
            csum: 1500 + variant % 70_000,
            dsum: 200 + variant % 60_000,
            overrides: none,
        }),
        controlled_load: Some(ServiceParams { break_bit: false, overrides: none }),
        null: None,
    };
    let (head, message) = frame.split_at_mut(LINK + NETWORK);
    let mut writer = MessageWriter::new(message, MsgType::PATH, 63);
    writer
        .put(&Session::new(destination.into(), 17, port))
        .put(&RsvpHop { address: neighbour.into(), lih: 1 + session % 3 + variant })
        .put(&TimeValues { refresh_ms: 30_000 + variant })
        .put(&SenderTemplate(FilterSpec::new(source.into(), 4000 + (variant % 60_000) as u16)))
        .put(&SenderTspec::from(tspec))
        .put(&adspec);
    let length = LINK + NETWORK + writer.finish().map_or(0, |message| message.len());
    head[..LINK].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);
    let total = (length - LINK) as u16;
    let ip = &mut head[LINK..];
    ip[..12].copy_from_slice(&[0x46, 0xc0, (total >> 8) as u8, total as u8, 0, 0, 0, 0, 63, 46, 0, 0]);
    ip[12..16].copy_from_slice(&source.octets());
    ip[16..20].copy_from_slice(&destination.octets());
    ip[20..].copy_from_slice(&[0x94, 4, 0, 0]);
    let sum: u32 = ip.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    ip[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    length
}
