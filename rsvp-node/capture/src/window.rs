//! A window of octets that slides over a stream.
//!
//! It knows nothing of what the octets are. It grows for a block that does not fit, never beyond the block's size.

use std::io::{ErrorKind, Read};

use super::{CaptureError, FRAME_LIMIT};

/// Octets that are asked of the stream at once.
const CHUNK: usize = 256 << 10;

pub(super) struct Window<R> {
    input: R,
    octets: Vec<u8>,
    /// The octets that were read and not consumed.
    start: usize,
    end: usize,
    /// Octets of the stream that were consumed.
    consumed: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, octets: vec![0; CHUNK], start: 0, end: 0, consumed: 0, ended: false }
    }

    /// Where the window starts in the stream.
    pub(super) const fn at(&self) -> u64 {
        self.consumed
    }

    /// The next octets without consuming them: `length` of them, or all there are until the stream ends.
    pub(super) fn peek(&mut self, length: usize) -> Result<&[u8], CaptureError> {
        if self.end - self.start < length {
            self.fill(length)?;
        }
        let there = (self.end - self.start).min(length);
        Ok(&self.octets[self.start..self.start + there])
    }

    /// The next `length` octets; `None` when the stream ends before the first of them.
    #[inline]
    pub(super) fn whole(&mut self, length: usize) -> Result<Option<&[u8]>, CaptureError> {
        if self.end - self.start < length {
            self.fill(length)?;
            match self.end - self.start {
                0 => return Ok(None),
                there if there < length => {
                    return Err(CaptureError::CutOff { at: self.consumed + there as u64 });
                }
                _ => {}
            }
        }
        Ok(Some(&self.octets[self.start..self.start + length]))
    }

    /// Goes past octets that were peeked at, and gives them out.
    #[inline]
    pub(super) fn consume(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start = (start + length).min(self.end);
        self.consumed += (self.start - start) as u64;
        &self.octets[start..self.start]
    }

    /// Reads until there are `length` octets or the stream ends.
    #[cold]
    fn fill(&mut self, length: usize) -> Result<(), CaptureError> {
        if length > FRAME_LIMIT {
            return Err(CaptureError::TooLong { at: self.consumed, length });
        }
        self.octets.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < length && !self.ended {
            if self.octets.len() < length {
                // Not to `length` at once: a damaged length must not cost more memory than the file has octets.
                let larger = (self.octets.len() * 2).min(length.next_multiple_of(CHUNK));
                if self.end == self.octets.len() {
                    self.octets.resize(larger, 0);
                }
            }
            match self.input.read(&mut self.octets[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(octets) => self.end += octets,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
