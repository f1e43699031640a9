//! Packets of TCP and UDP as tcpdump wrote them, read by hand; and the bucket that they have to fit.

use crate::daemon::capture::frames;
use crate::daemon::net::Net;
use std::path::PathBuf;

const TCP: u8 = 6;
pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// A running capture.
pub(super) struct Capture {
    file: PathBuf,
}

/// A packet on the wire.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    /// When, in nanoseconds.
    pub(super) at: u64,
    /// The IP header's version.
    pub(super) version: u8,
    /// The DS field's octet.
    pub(super) ds: u8,
    /// The IP length.
    pub(super) length: u64,
    pub(super) source: u16,
    pub(super) destination: u16,
    /// Of TCP.
    pub(super) flags: u8,
    /// Of TCP.
    pub(super) sequence: u32,
    /// What the application sent, as far as it was captured.
    pub(super) data: Vec<u8>,
    /// How much it sent.
    pub(super) data_length: u64,
}

impl Packet {
    /// The mark.
    pub(super) fn dscp(&self) -> u8 {
        self.ds >> 2
    }

    /// The ECN bits.
    pub(super) fn ecn(&self) -> u8 {
        self.ds & 3
    }

    /// The number that a datagram of these tests begins with.
    pub(super) fn number(&self) -> u32 {
        u32::from_be_bytes(self.data[..4].try_into().expect("four octets"))
    }

    pub(super) fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

impl Capture {
    pub(super) fn start(net: &mut Net, node: &str, interface: &str) -> Self {
        // Of each packet the beginning, so that there is room for many.
        let arguments = ["-s", "160", "-B", "16384", "--time-stamp-precision", "nano", "tcp or udp"];
        Self { file: net.tcpdump(node, interface, &arguments) }
    }

    /// All packets so far.
    pub(super) fn packets(&self) -> Vec<Packet> {
        let at = |seconds: u32, nanos: u32| u64::from(seconds) * 1_000_000_000 + u64::from(nanos);
        let read = |(seconds, nanos, frame): &(u32, u32, Vec<u8>)| read(at(*seconds, *nanos), &frame[14..]);
        frames(&self.file).iter().map(read).collect()
    }
}

fn read(at: u64, packet: &[u8]) -> Packet {
    let two = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let version = packet[0] >> 4;
    let (header, ds, length, protocol) = if version == 4 {
        (20, packet[1], two(2).into(), packet[9])
    } else {
        (40, packet[0] << 4 | packet[1] >> 4, u64::from(two(4)) + 40, packet[6])
    };
    let (begins, flags, sequence) = if protocol == TCP {
        let sequence = u32::from_be_bytes(packet[header + 4..header + 8].try_into().expect("four octets"));
        (header + usize::from(packet[header + 12] >> 4) * 4, packet[header + 13], sequence)
    } else {
        (header + 8, 0, 0)
    };
    let data_length = length - begins as u64;
    // A frame may be longer than its packet, and captured in part.
    let ends = packet.len().min(length as usize);
    let (source, destination) = (two(header), two(header + 2));
    let data = packet[begins..ends].to_vec();
    Packet { at, version, ds, length, source, destination, flags, sequence, data, data_length }
}

/// Whether a bucket of this rate (octets per second) and depth (octets), full at first, has room for all of these packets.
pub(super) fn fits<'a>(packets: impl IntoIterator<Item = &'a Packet>, rate: u64, depth: u64, m: u64) -> bool {
    let (rate, depth) = (i128::from(rate), i128::from(depth) * 1_000_000_000);
    let (mut level, mut last) = (depth, None);
    packets.into_iter().all(|packet| {
        let since = packet.at.saturating_sub(last.unwrap_or(packet.at));
        last = Some(packet.at);
        level = (level + i128::from(since) * rate).min(depth);
        level -= i128::from(packet.length.max(m)) * 1_000_000_000;
        level >= 0
    })
}

/// The judge itself: what the depth and the rate allow fits, one octet or nanosecond less does not.
#[test]
fn a_bucket_has_room_for_what_its_rate_and_depth_allow() {
    let packet = |at, length| Packet {
        at,
        version: 4,
        ds: 0,
        length,
        source: 1,
        destination: 2,
        flags: 0,
        sequence: 0,
        data: Vec::new(),
        data_length: 0,
    };
    let burst = [packet(0, 1000), packet(0, 1000), packet(1_000_000, 500)];
    assert!(fits(&burst, 500_000, 2000, 64));
    assert!(!fits(&burst, 500_000, 1999, 64) && !fits(&burst, 499_999, 2000, 64));
    assert!(!fits(&burst, 500_000, 2000, 1001), "m counts");
    let pause = [packet(0, 100), packet(1_000_000_000_000, 2000), packet(1_000_000_000_001, 1)];
    assert!(!fits(&pause, 500_000, 2000, 1), "a pause fills it and no more");
}
