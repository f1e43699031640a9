//! Classic pcap: a file header, then frames each with a time and a length.

use std::io::Read;

use pcap_parser::{PcapHeader, parse_pcap_header};

use super::window::Window;
use super::{CaptureError, Frame, LinkType, Timestamp};

/// Octets of the file header.
const FILE_HEADER: usize = 24;

pub(super) struct PcapReader {
    link: LinkType,
    big_endian: bool,
    fine: bool,
    /// Octets of a frame's header.
    header: usize,
}

impl PcapReader {
    pub(super) fn open<R: Read>(window: &mut Window<R>) -> Result<Self, CaptureError> {
        let damaged = CaptureError::Damaged { at: 0, what: "the file header cannot be read" };
        let octets = window.whole(FILE_HEADER)?.unwrap_or_default();
        let Ok((_, header)) = parse_pcap_header(octets) else { return Err(damaged) };
        window.consume(FILE_HEADER);
        Ok(Self::with(&header))
    }

    fn with(header: &PcapHeader) -> Self {
        Self {
            // The high bits say whether frames end with a check sequence, which IP lengths make us ignore.
            link: LinkType(header.network.0 as u32 & 0xffff),
            big_endian: header.is_bigendian(),
            fine: header.is_nanosecond_precision(),
            header: if header.is_modified_format() { 24 } else { 16 },
        }
    }

    #[inline]
    pub(super) fn next_frame<'w, R: Read>(
        &mut self,
        window: &'w mut Window<R>,
        number: u64,
    ) -> Result<Option<Frame<'w>>, CaptureError> {
        let header_len = self.header;
        let Some(header) = window.whole(header_len)? else { return Ok(None) };
        let Some((&[s, f, c], _)) = header.as_chunks::<4>().0.split_first_chunk::<3>() else {
            return Ok(None);
        };
        let word =
            |octets| if self.big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) };
        let (seconds, fraction, captured) = (word(s), word(f), word(c) as usize);
        let nanos = if self.fine { fraction } else { fraction.saturating_mul(1000) };
        let length = header_len.saturating_add(captured);
        window.whole(length)?;
        let octets = &window.consume(length)[header_len..];
        let time = Timestamp {
            seconds: u64::from(seconds) + u64::from(nanos / 1_000_000_000),
            nanos: nanos % 1_000_000_000,
            fine: self.fine,
        };
        Ok(Some(Frame { number, time: Some(time), link: self.link, octets }))
    }
}
