//! A walk over octets that may or may not be a message.
//!
//! A [`Scan`] trusts nothing: it yields the objects up to the first unsound one and says separately what it thinks of
//! the checksum, so that a damaged message can still be shown. What may be acted upon is a [`Message`](crate::Message).

use crate::checksum;
use crate::error::{ParseError, Why};
use crate::message::{HEADER_LEN, Header, OBJECT_HEADER_LEN, ObjectRef};

/// What the checksum says about the octets.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ChecksumVerdict {
    /// Transmitted, and right.
    Ok,
    /// Zero: none was transmitted (RFC 2205 3.1.1).
    Zero,
    /// Transmitted, and wrong.
    Bad,
    /// Not all octets that Length announces are at hand, or not even a header is.
    Unverifiable,
}

/// Octets under inspection.
#[derive(Copy, Clone, Debug)]
pub struct Scan<'a> {
    octets: &'a [u8],
    header: Option<Header>,
}

impl<'a> Scan<'a> {
    /// Looks at any octets; never fails.
    #[inline]
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets, header: octets.first_chunk().map(|header| Header::read(*header)) }
    }

    /// The common header, if its 8 octets are there. None of its fields has been checked.
    #[inline]
    pub const fn header(&self) -> Option<Header> {
        self.header
    }

    /// Whether there are fewer octets than a header has, or than its Length says.
    pub fn truncated(&self) -> bool {
        self.header.is_none_or(|header| usize::from(header.length) > self.octets.len())
    }

    /// The objects, up to the end or the first error, which is the last item.
    ///
    /// An object that ends inside Length, but after the octets at hand, is `Truncated`; one that ends after Length is
    /// an `ObjectOverrun`.
    pub fn objects(&self) -> ScanObjects<'a> {
        let length = self.header.map_or(0, |header| usize::from(header.length));
        let end = length.min(self.octets.len());
        ScanObjects { rest: self.octets.get(HEADER_LEN..end).unwrap_or_default(), at: HEADER_LEN, length }
    }

    /// Compares the checksum with the octets that Length announces.
    pub fn checksum(&self) -> ChecksumVerdict {
        let Some(header) = self.header else { return ChecksumVerdict::Unverifiable };
        if header.checksum == 0 {
            return ChecksumVerdict::Zero;
        }
        match self.octets.get(..usize::from(header.length)) {
            None => ChecksumVerdict::Unverifiable,
            Some(octets) if octets.len() >= HEADER_LEN && checksum::verifies(octets) => ChecksumVerdict::Ok,
            Some(_) => ChecksumVerdict::Bad,
        }
    }

    /// The first thing that keeps the octets from being a message; what [`Message::parse`](crate::Message::parse)
    /// reports.
    pub fn error(&self) -> Option<ParseError> {
        if let Err(error) = self.sound_header() {
            return Some(error);
        }
        if self.checksum() == ChecksumVerdict::Bad {
            return Some(ParseError::new(2, Why::Checksum));
        }
        self.objects().find_map(Result::err)
    }

    /// The header, if its version is known and its Length is sound and exactly that of the octets.
    #[inline]
    pub(crate) fn sound_header(&self) -> Result<Header, ParseError> {
        let truncated = ParseError::new(self.octets.len().min(usize::from(u16::MAX)) as u16, Why::Truncated);
        let Some(header) = self.header else { return Err(truncated) };
        let length = usize::from(header.length);
        if header.version != 1 {
            Err(ParseError::new(0, Why::Version))
        } else if length < HEADER_LEN || !length.is_multiple_of(4) || length < self.octets.len() {
            Err(ParseError::new(6, Why::Length))
        } else if length > self.octets.len() {
            Err(truncated)
        } else {
            Ok(header)
        }
    }
}

/// Checks the length of every object in the octets of a message whose header is sound.
#[inline]
pub(crate) fn sound_objects(octets: &[u8]) -> Result<(), ParseError> {
    let mut rest = octets.get(HEADER_LEN..).unwrap_or_default();
    let mut at = HEADER_LEN as u16;
    while !rest.is_empty() {
        let (object, after) = ObjectRef::split_first(rest, at)?;
        rest = after;
        at = at.wrapping_add(object.octets().len() as u16);
    }
    Ok(())
}

/// The objects of a [`Scan`]: ends after the first error.
#[derive(Clone, Debug)]
pub struct ScanObjects<'a> {
    rest: &'a [u8],
    at: usize,
    length: usize,
}

impl<'a> Iterator for ScanObjects<'a> {
    type Item = Result<ObjectRef<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.at.saturating_add(self.rest.len());
        // Where Length says there is more, an end of the octets inside an object is the capture's doing.
        if self.rest.is_empty() {
            let missing = core::mem::take(&mut self.length) > end;
            return missing
                .then_some(Err(ParseError::new(end.min(usize::from(u16::MAX)) as u16, Why::Truncated)));
        }
        match ObjectRef::split_first(self.rest, self.at as u16) {
            Ok((object, rest)) => {
                self.rest = rest;
                self.at = self.at.saturating_add(object.octets().len());
                Some(Ok(object))
            }
            Err(mut error) => {
                let object_length = match self.rest {
                    &[high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
                    _ => OBJECT_HEADER_LEN,
                };
                let object_end = self.at.saturating_add(object_length.max(OBJECT_HEADER_LEN));
                if error.why == Why::ObjectOverrun && object_end <= self.length {
                    error = ParseError::new(end as u16, Why::Truncated);
                }
                self.rest = &[];
                self.length = 0;
                Some(Err(error))
            }
        }
    }
}

impl core::iter::FusedIterator for ScanObjects<'_> {}
