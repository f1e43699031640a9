//! A walk over octets that may or may not be a message.
//!
//! A [`Scan`] trusts nothing: it yields the objects up to the first unsound one and says separately what it thinks of
//! the checksum, so that a damaged message can still be shown. What may be acted upon is a [`Message`](crate::Message).

use crate::checksum;
use crate::code::MsgType;
use crate::error::{ParseError, Why};
use crate::message::{HEADER_LEN, Header, Message, OBJECT_HEADER_LEN, ObjectRef};

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

impl ChecksumVerdict {
    /// The verdict's word in the JSON contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Zero => "zero",
            Self::Bad => "bad",
            Self::Unverifiable => "unverifiable",
        }
    }
}

/// Octets under inspection.
#[derive(Copy, Clone, Debug)]
pub struct Scan<'a> {
    octets: &'a [u8],
    header: Option<Header>,
    /// Whether it lies in a Bundle.
    inner: bool,
}

impl<'a> Scan<'a> {
    /// Looks at any octets; never fails.
    #[inline]
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets, header: octets.first_chunk().map(|header| Header::read(*header)), inner: false }
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

    /// All octets under inspection.
    #[inline]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether it is a Bundle, which holds messages instead of objects (RFC 2961 3.1).
    #[inline]
    pub fn is_bundle(&self) -> bool {
        self.header.is_some_and(|header| header.msg_type == MsgType::BUNDLE)
    }

    /// The messages of a Bundle with their offsets, up to the end or the first error, which is the last item. None for
    /// other types, and for a Bundle in a Bundle, which RFC 2961 3.1 rules out.
    pub fn messages(&self) -> ScanMessages<'a> {
        let bundle = self.is_bundle() && !self.inner;
        ScanMessages { rest: if bundle { self.contents() } else { &[] }, at: HEADER_LEN }
    }

    /// The octets that belong to none of the objects or messages: those from the first unsound one on, those after
    /// Length, or all if there is no header.
    pub fn unread(&self) -> &'a [u8] {
        if self.header.is_none() {
            return self.octets;
        }
        let objects = self.objects().filter_map(Result::ok).map(|object| object.octets().len());
        let messages = self.messages().filter_map(Result::ok).map(|(_, scan)| scan.octets.len());
        let read = objects.chain(messages).fold(HEADER_LEN, usize::saturating_add);
        self.octets.get(read..).unwrap_or_default()
    }

    /// The octets after the header, as far as they are there and Length covers them.
    pub(crate) fn contents(&self) -> &'a [u8] {
        let length = self.header.map_or(0, |header| usize::from(header.length));
        self.octets.get(HEADER_LEN..length.min(self.octets.len())).unwrap_or_default()
    }

    /// The objects, up to the end or the first error, which is the last item. A Bundle has none.
    ///
    /// An object that ends inside Length, but after the octets at hand, is `Truncated`; one that ends after Length is
    /// an `ObjectOverrun`.
    pub fn objects(&self) -> ScanObjects<'a> {
        if self.is_bundle() {
            return ScanObjects { rest: &[], at: HEADER_LEN, length: 0 };
        }
        let length = self.header.map_or(0, |header| usize::from(header.length));
        ScanObjects { rest: self.contents(), at: HEADER_LEN, length }
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
        if self.is_bundle() && self.inner {
            return Some(ParseError::new(1, Why::NestedBundle));
        }
        self.objects().find_map(Result::err).or_else(|| self.messages().find_map(Result::err))
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

impl<'a> From<&Self> for Scan<'a> {
    fn from(scan: &Self) -> Self {
        *scan
    }
}

impl<'a> From<&Message<'a>> for Scan<'a> {
    fn from(message: &Message<'a>) -> Self {
        Self::new(message.octets())
    }
}

/// Checks the length of every object, or of every message of a Bundle, in the octets of a message whose header is
/// sound.
#[inline]
pub(crate) fn sound_objects(octets: &[u8]) -> Result<(), ParseError> {
    if let [_, msg_type, ..] = octets
        && *msg_type == MsgType::BUNDLE.0
    {
        return Scan::new(octets).messages().try_for_each(|message| message.map(|_| ()));
    }
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

/// The messages of a Bundle with their offsets: ends after the first error.
#[derive(Clone, Debug)]
pub struct ScanMessages<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Iterator for ScanMessages<'a> {
    type Item = Result<(u16, Scan<'a>), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = core::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let at = self.at.min(usize::from(u16::MAX)) as u16;
        let length = match rest.first_chunk::<HEADER_LEN>() {
            Some(header) => usize::from(Header::read(*header).length),
            None => return Some(Err(ParseError::new(at, Why::BundleOverrun))),
        };
        if length < HEADER_LEN || !length.is_multiple_of(4) {
            return Some(Err(ParseError::new(at.saturating_add(6), Why::Length)));
        }
        let Some((octets, rest)) = rest.split_at_checked(length) else {
            return Some(Err(ParseError::new(at, Why::BundleOverrun)));
        };
        self.rest = rest;
        self.at = self.at.saturating_add(length);
        Some(Ok((at, Scan { inner: true, ..Scan::new(octets) })))
    }
}

impl core::iter::FusedIterator for ScanMessages<'_> {}
