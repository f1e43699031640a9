//! pcapng: blocks, of which some describe interfaces and some are frames.
//!
//! A section starts the interfaces anew and may change the byte order. Blocks of other kinds (statistics, names,
//! secrets) are passed over, and so are the options of frames.

use std::io::Read;

use pcap_parser::pcapng::{
    Block, EnhancedPacketBlock, InterfaceDescriptionBlock, SimplePacketBlock, parse_block_be, parse_block_le,
};
use pcap_parser::traits::PcapNGPacketBlock;

use super::window::Window;
use super::{CaptureError, Frame, LinkType, Timestamp};

const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const BYTE_ORDER_BIG: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
const BYTE_ORDER_LITTLE: [u8; 4] = [0x4d, 0x3c, 0x2b, 0x1a];
/// More interfaces than a section has. What they cost is the only memory that grows with a file.
const INTERFACES: usize = 1 << 16;

/// Seconds from 1970 to the year 10000. Times from there on are damaged: RFC 3339 has no form for them.
const YEAR_10000: u64 = 253_402_300_800;

struct Interface {
    link: LinkType,
    snaplen: u32,
    /// Counts per second of its time stamps.
    resolution: u64,
    /// Seconds to add to them.
    offset: i64,
}

pub(super) struct PcapngReader {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

impl PcapngReader {
    pub(super) const fn new() -> Self {
        Self { big_endian: false, interfaces: Vec::new() }
    }

    pub(super) fn next_frame<'w, R: Read>(
        &mut self,
        window: &'w mut Window<R>,
        number: u64,
    ) -> Result<Option<Frame<'w>>, CaptureError> {
        loop {
            let at = window.at();
            let damaged = |what| Err(CaptureError::Damaged { at, what });
            let Some(&[t0, t1, t2, t3, l0, l1, l2, l3]) = window.whole(8)?.and_then(|o| o.first_chunk())
            else {
                return Ok(None);
            };
            if [t0, t1, t2, t3] == SECTION_HEADER {
                match window.whole(12)?.and_then(|octets| octets.get(8..)) {
                    Some(order) if order == BYTE_ORDER_BIG => self.big_endian = true,
                    Some(order) if order == BYTE_ORDER_LITTLE => self.big_endian = false,
                    _ => return damaged("a section header without a byte order"),
                }
            }
            let length = [l0, l1, l2, l3];
            let length =
                if self.big_endian { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
            if length < 12 || !length.is_multiple_of(4) {
                return damaged("the length of a block is below 12 or no multiple of 4");
            }
            window.whole(length as usize)?;
            let kind = if self.big_endian { [t3, t2, t1, t0] } else { [t0, t1, t2, t3] };
            if is_frame(kind) {
                // Asking twice is the price of a window that can be asked again if this is no frame.
                let block = window.consume(length as usize);
                let frame = if kind == PACKET {
                    self.packet(block, number)
                } else {
                    self.parse(block).and_then(|block| self.frame(&block, number))
                };
                return match frame {
                    Some(frame) => Ok(Some(frame)),
                    None => damaged("a frame of an interface that was not described, or with wrong lengths"),
                };
            }
            let block = window.consume(length as usize);
            if !self.describe(block) {
                return damaged("a section or an interface that cannot be read");
            }
        }
    }

    fn parse<'w>(&self, block: &'w [u8]) -> Option<Block<'w>> {
        let parse = if self.big_endian { parse_block_be } else { parse_block_le };
        parse(block).ok().map(|(_, block)| block)
    }

    /// Takes note of a section or an interface. Other blocks are not even parsed.
    fn describe(&mut self, octets: &[u8]) -> bool {
        let kind = octets.first_chunk::<4>();
        let interface = if self.big_endian { [0, 0, 0, 1] } else { [1, 0, 0, 0] };
        if kind != Some(&SECTION_HEADER) && kind != Some(&interface) {
            return true;
        }
        match self.parse(octets) {
            Some(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                true
            }
            Some(Block::InterfaceDescription(block)) if self.interfaces.len() < INTERFACES => {
                let interface = described(&block);
                let known = interface.is_some();
                self.interfaces.extend(interface);
                known
            }
            _ => false,
        }
    }

    fn frame<'w>(&self, block: &Block<'w>, number: u64) -> Option<Frame<'w>> {
        match block {
            Block::EnhancedPacket(block) => self.enhanced(block, number),
            Block::SimplePacket(block) => self.simple(block, number),
            _ => None,
        }
    }

    fn enhanced<'w>(&self, block: &EnhancedPacketBlock<'w>, number: u64) -> Option<Frame<'w>> {
        let interface = self.interfaces.get(block.if_id as usize)?;
        let octets = block.data.get(..block.caplen as usize)?;
        let time = interface.time(u64::from(block.ts_high) << 32 | u64::from(block.ts_low));
        Some(Frame { number, time, link: interface.link, octets })
    }

    /// What came before enhanced packet blocks, as old files have it: interface and drops (16 bits each), time, length as
    /// captured and as sent, octets, options.
    fn packet<'w>(&self, block: &'w [u8], number: u64) -> Option<Frame<'w>> {
        const HEADER: usize = 28;
        let word = |at: usize| {
            let word = *block.get(at..)?.first_chunk::<4>()?;
            Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
        };
        let id = *block.get(8..)?.first_chunk::<2>()?;
        let id = if self.big_endian { u16::from_be_bytes(id) } else { u16::from_le_bytes(id) };
        let interface = self.interfaces.get(usize::from(id))?;
        let time = interface.time(u64::from(word(12)?) << 32 | u64::from(word(16)?));
        let captured = word(20)? as usize;
        // The length stands at the end once more.
        let octets = block.get(HEADER..block.len().checked_sub(4)?)?.get(..captured)?;
        Some(Frame { number, time, link: interface.link, octets })
    }

    fn simple<'w>(&self, block: &SimplePacketBlock<'w>, number: u64) -> Option<Frame<'w>> {
        let interface = self.interfaces.first()?;
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let captured = block.orig_len().min(snaplen) as usize;
        let octets = block.data.get(..captured.min(block.data.len()))?;
        Some(Frame { number, time: None, link: interface.link, octets })
    }
}

/// The obsolete packet block, by its type in little-endian order.
const PACKET: [u8; 4] = [2, 0, 0, 0];

/// Enhanced, simple and obsolete packet blocks.
const fn is_frame(kind: [u8; 4]) -> bool {
    matches!(kind, [6 | 3, 0, 0, 0] | PACKET)
}

fn described(block: &InterfaceDescriptionBlock<'_>) -> Option<Interface> {
    let power = u32::from(block.if_tsresol & 0x7f);
    let resolution =
        if block.if_tsresol & 0x80 == 0 { 10_u64.checked_pow(power)? } else { 1_u64.checked_shl(power)? };
    Some(Interface {
        link: LinkType(block.linktype.0 as u32),
        snaplen: block.snaplen,
        resolution,
        offset: block.if_tsoffset,
    })
}

impl Interface {
    fn time(&self, count: u64) -> Option<Timestamp> {
        let seconds =
            (count / self.resolution).checked_add_signed(self.offset).filter(|s| *s < YEAR_10000)?;
        let part = u128::from(count % self.resolution) * 1_000_000_000 / u128::from(self.resolution);
        Some(Timestamp { seconds, nanos: part as u32, fine: self.resolution > 1_000_000 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Capture;

    /// A block with its type and its length before and after it, in either byte order.
    fn block(kind: u32, body: &[u8], big_endian: bool) -> Vec<u8> {
        let word = |word: u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let length = word(12 + body.len() as u32);
        [&word(kind)[..], &length, body, &length].concat()
    }

    #[test]
    fn packet_blocks_of_old_files_are_frames() {
        for big_endian in [false, true] {
            let word = |word: u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            let half = |half: u16| if big_endian { half.to_be_bytes() } else { half.to_le_bytes() };
            let section = [&word(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat();
            let interface = [&half(101)[..], &half(0), &word(65_535)].concat();
            let time = 1_700_000_000_000_250_u64;
            let packet = |length: u32| {
                let head = [&half(0)[..], &half(7), &word((time >> 32) as u32), &word(time as u32)].concat();
                [&head[..], &word(length), &word(900), b"abcde\0\0\0"].concat()
            };
            let file = |length| {
                let blocks = [(0x0a0d_0d0a, section.clone()), (1, interface.clone()), (2, packet(length))];
                blocks.map(|(kind, body)| block(kind, &body, big_endian)).concat()
            };
            let whole = file(5);
            let mut capture = Capture::open(&whole[..]).expect("a capture");
            let frame = capture.next_frame().expect("sound").expect("a frame");
            assert_eq!((frame.number, frame.link.0, frame.octets), (1, 101, &b"abcde"[..]));
            let time = frame.time.expect("a time");
            assert_eq!((time.seconds, time.nanos), (1_700_000_000, 250_000));
            assert!(capture.next_frame().expect("sound").is_none());
            // More octets than the block has.
            let damaged = file(9);
            let mut capture = Capture::open(&damaged[..]).expect("a capture");
            assert!(capture.next_frame().is_err());
        }
    }
}
