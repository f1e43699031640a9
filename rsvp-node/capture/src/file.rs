//! Frames out of capture files: classic pcap in either byte order with microseconds or nanoseconds, and pcapng; as they
//! are, or compressed.
//!
//! Streaming: one window of octets slides over the file and grows only for a frame that does not fit, up to
//! [`FRAME_LIMIT`]. A frame borrows from it until the next is asked for. What is in a frame is not looked at here.

use crate::Frame;
use crate::pcap::PcapReader;
use crate::pcapng::PcapngReader;
use crate::unpack::Unpacked;
use crate::window::Window;
use std::io::Read;
use thiserror::Error;

/// The longest frame, or other block of a capture file, that is read; in octets.
pub const FRAME_LIMIT: usize = 16 << 20;

/// Why a capture could not be read, or not any further.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The file could not be read.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    /// Neither pcap nor pcapng.
    #[error(
        "this is no capture file: it starts with {0}, but pcap or pcapng was expected, as it is or in gzip or zstd (for hex digits use --hex)"
    )]
    Unknown(String),
    /// The file ends inside a header or a frame.
    #[error("the capture ends in the middle of a frame, at octet {at}: it was cut off")]
    CutOff {
        /// Octets in the file.
        at: u64,
    },
    /// A frame or block that claims to be longer than any is.
    #[error("the capture is damaged at octet {at}: a frame of {length} octets (the limit is {FRAME_LIMIT})")]
    TooLong {
        /// Where the frame starts in the file.
        at: u64,
        /// Octets that it claims to have.
        length: usize,
    },
    /// A block that is not what its type says.
    #[error("the capture is damaged at octet {at}: {what}")]
    Damaged {
        /// Where the block starts in the file.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A text that is not hex digits.
    #[error("line {line}: {what}")]
    Hex {
        /// Line, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads the frames of a capture file, whatever its format.
pub struct Capture<R> {
    window: Window<Unpacked<R>>,
    format: Format,
    frames: u64,
}

enum Format {
    Pcap(PcapReader),
    Pcapng(PcapngReader),
}

impl<R: Read> Capture<R> {
    /// Looks at the start of a file. Any [`Read`] will do: what is read is buffered here.
    ///
    /// # Errors
    /// When the file cannot be read or is of another format.
    pub fn open(input: R) -> Result<Self, CaptureError> {
        let mut window = Window::new(Unpacked::new(input)?);
        let start = window.peek(4)?;
        let format = match start {
            [0x0a, 0x0d, 0x0d, 0x0a] => Format::Pcapng(PcapngReader::new()),
            [0xd4, 0xc3, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0xc3, 0xd4]
            | [0x4d, 0x3c, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0x3c, 0x4d]
            | [0x34, 0xcd, 0xb2, 0xa1] => Format::Pcap(PcapReader::open(&mut window)?),
            [] => return Err(CaptureError::Unknown("nothing: it is empty".into())),
            other => return Err(CaptureError::Unknown(octets_shown(other))),
        };
        Ok(Self { window, format, frames: 0 })
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further. Frames before that have been given out; there are none after.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        self.frames += 1;
        match &mut self.format {
            Format::Pcap(reader) => reader.next_frame(&mut self.window, self.frames),
            Format::Pcapng(reader) => reader.next_frame(&mut self.window, self.frames),
        }
    }
}

fn octets_shown(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}
