//! Bits out of octets and into octets: what reading and writing by layout is made of.
//!
//! Fields of whole octets, the usual case, take a short way.

use core::net::{Ipv4Addr, Ipv6Addr};

use bytes::BufMut;

use crate::error::{ParseError, Why};

/// A place in a body.
#[derive(Copy, Clone, Debug)]
pub struct Cursor<'a> {
    octets: &'a [u8],
    /// Offset of the first of the octets in the message.
    at: u16,
    bit: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) const fn new(octets: &'a [u8], at: u16) -> Self {
        Self { octets, at, bit: 0 }
    }

    /// Offset in the message of the octet that the next bit is in.
    #[inline]
    pub(crate) fn at(&self) -> u16 {
        self.at.saturating_add((self.bit / 8) as u16)
    }

    /// Octets before the cursor.
    #[inline]
    pub(crate) const fn passed(&self) -> usize {
        self.bit / 8
    }

    /// Octets that are left; a started one counts.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.octets.len().saturating_sub(self.bit / 8)
    }

    /// The error of a length that does not fit, here.
    #[cold]
    pub(crate) fn fault(&self) -> ParseError {
        ParseError::new(self.at(), Why::BodyLength)
    }

    /// The next bits as a number, most significant first; at most 64.
    #[inline]
    pub(crate) fn uint(&mut self, bits: u8) -> Result<u64, ParseError> {
        if !self.bit.is_multiple_of(8) {
            return self.unaligned(bits);
        }
        // The usual sizes without a loop.
        match bits {
            8 => self.array().map(|octets| u64::from(u8::from_be_bytes(octets))),
            16 => self.array().map(|octets| u64::from(u16::from_be_bytes(octets))),
            32 => self.array().map(|octets| u64::from(u32::from_be_bytes(octets))),
            _ => self.unaligned(bits),
        }
    }

    /// Any number of bits anywhere.
    #[inline(never)]
    fn unaligned(&mut self, bits: u8) -> Result<u64, ParseError> {
        let bits = usize::from(bits);
        let end = (self.bit % 8).saturating_add(bits);
        let octets = self.rest().get(..end.div_ceil(8)).ok_or_else(|| self.fault())?;
        let all = octets.iter().fold(0u128, |all, &octet| all << 8 | u128::from(octet));
        let (after, above) =
            (octets.len().saturating_mul(8).saturating_sub(end), 64usize.saturating_sub(bits));
        self.bit = self.bit.wrapping_add(bits);
        let value = all.checked_shr(after as u32).unwrap_or_default() as u64;
        Ok(value & u64::MAX.checked_shr(above as u32).unwrap_or_default())
    }

    /// The next octets. A layout has them on an octet boundary.
    #[inline]
    pub(crate) fn take(&mut self, octets: usize) -> Result<&'a [u8], ParseError> {
        match self.rest().get(..octets) {
            Some(taken) => {
                self.bit = self.bit.wrapping_add(octets.wrapping_mul(8));
                Ok(taken)
            }
            None => Err(self.fault()),
        }
    }

    /// A fixed number of octets.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        match self.rest().first_chunk() {
            Some(taken) => {
                self.bit = self.bit.wrapping_add(N.wrapping_mul(8));
                Ok(*taken)
            }
            None => Err(self.fault()),
        }
    }

    #[inline]
    pub(crate) fn ipv4(&mut self) -> Result<Ipv4Addr, ParseError> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    #[inline]
    pub(crate) fn ipv6(&mut self) -> Result<Ipv6Addr, ParseError> {
        self.array::<16>().map(Ipv6Addr::from)
    }

    #[inline]
    pub(crate) fn float(&mut self) -> Result<f32, ParseError> {
        self.array::<4>().map(f32::from_be_bytes)
    }

    /// The octets up to the next multiple of 4, as many as there are.
    pub(crate) fn padding(&mut self) -> Result<&'a [u8], ParseError> {
        let missing = self.passed().wrapping_neg() % 4;
        self.take(missing.min(self.left()))
    }

    /// A length field: the octets it stands for.
    pub(crate) fn length(&mut self, bits: u8, unit: usize, plus: usize) -> Result<usize, ParseError> {
        let here = *self;
        let octets = usize::try_from(self.uint(bits)?).unwrap_or(usize::MAX).saturating_mul(unit);
        octets.checked_sub(plus).ok_or_else(|| here.fault())
    }

    /// A cursor at the start of octets that were taken just now.
    pub(crate) fn sub(&self, taken: &'a [u8]) -> Self {
        Self::new(taken, self.at().saturating_sub(taken.len() as u16))
    }

    /// All octets that are left.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.bit / 8..).unwrap_or_default()
    }

    /// Nothing may be left.
    #[inline]
    pub(crate) fn end(&self) -> Result<(), ParseError> {
        if self.left() == 0 { Ok(()) } else { Err(self.fault()) }
    }
}

/// The octets that fill a body up to a multiple of 4: usually zero, kept if they are not.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Padding([u8; 3]);

impl Padding {
    pub(crate) fn read(octets: &[u8]) -> Self {
        let mut padding = [0; 3];
        padding.iter_mut().zip(octets).for_each(|(kept, octet)| *kept = *octet);
        Self(padding)
    }
}

/// Where octets go.
pub trait Sink {
    #[doc(hidden)]
    fn octets(&mut self, octets: &[u8]);
}

/// What is written goes into a buffer.
pub(crate) struct ToBuffer<'b, B>(pub(crate) &'b mut B);

impl<B: BufMut> Sink for ToBuffer<'_, B> {
    #[inline]
    fn octets(&mut self, octets: &[u8]) {
        self.0.put_slice(octets);
    }
}

/// Nowhere, but counted.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    #[inline]
    fn octets(&mut self, _: &[u8]) {}
}

/// Writes fields of any number of bits.
#[derive(Debug)]
pub struct BitWriter<S> {
    sink: S,
    /// Bits that do not fill an octet yet, at the low end.
    pending: u8,
    pending_bits: u8,
    /// Octets handed to the sink.
    written: usize,
}

impl<S: Sink> BitWriter<S> {
    #[inline]
    pub(crate) const fn new(sink: S) -> Self {
        Self { sink, pending: 0, pending_bits: 0, written: 0 }
    }

    /// A writer for what follows so many octets, from which padding is counted.
    #[cfg(feature = "encode")]
    pub(crate) const fn starting_at(sink: S, written: usize) -> Self {
        Self { sink, pending: 0, pending_bits: 0, written }
    }

    #[inline]
    pub(crate) const fn written(&self) -> usize {
        self.written
    }

    /// The low `bits` of a number, most significant first.
    #[inline]
    pub(crate) fn uint(&mut self, value: u64, bits: u8) {
        if self.pending_bits == 0 && bits.is_multiple_of(8) {
            let octets = value.to_be_bytes();
            let from = octets.len().saturating_sub(usize::from(bits / 8));
            self.octets(octets.get(from..).unwrap_or_default());
            return;
        }
        for place in (0..bits).rev() {
            let bit = value.checked_shr(u32::from(place)).unwrap_or_default() as u8 & 1;
            self.pending = self.pending << 1 | bit;
            self.pending_bits = self.pending_bits.wrapping_add(1);
            if self.pending_bits == 8 {
                let octet = [self.pending];
                (self.pending, self.pending_bits) = (0, 0);
                self.octets(&octet);
            }
        }
    }

    #[inline]
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.written = self.written.saturating_add(octets.len());
        self.sink.octets(octets);
    }

    /// Octets up to the next multiple of 4.
    pub(crate) fn padding(&mut self, padding: Padding) {
        let missing = self.written.wrapping_neg() % 4;
        self.octets(padding.0.get(..missing).unwrap_or_default());
    }

    /// Zeros up to a multiple of `align` octets.
    pub(crate) fn align(&mut self, align: u8) {
        while !self.written.is_multiple_of(usize::from(align.max(1))) {
            self.octets(&[0]);
        }
    }
}

/// How many octets something writes.
pub(crate) fn count(write: impl FnOnce(&mut BitWriter<Nowhere>)) -> usize {
    let mut writer = BitWriter::new(Nowhere);
    write(&mut writer);
    writer.written
}
