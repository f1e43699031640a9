//! Sub-objects, TLVs, attributes, parameters: what has a type, a length and a registry of its own.

use super::field::{Head, RecordRow, Space};
use super::view::{View, within_reach};
use super::wire::{BitWriter, Cursor, Sink, count};
use crate::error::{ParseError, Why};

/// Under which name the JSON form has [`Head::Flags`].
pub(crate) const FLAGS: &str = "flags";

/// A list of records, where it lies in an object or in a buffer of the caller.
#[derive(Copy, Clone, Debug)]
pub struct Records<'a> {
    space: &'static Space,
    octets: &'a [u8],
    at: u16,
    depth: u8,
}

impl PartialEq for Records<'_> {
    /// The same octets; where they lie does not matter.
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.space, other.space) && self.octets == other.octets
    }
}

impl<'a> Records<'a> {
    /// Records as they are on the wire, header included, one after the other. [`RecordsWriter`] makes them.
    pub const fn over(space: &'static Space, octets: &'a [u8]) -> Self {
        Self { space, octets, at: 0, depth: 0 }
    }

    pub(crate) const fn walked(space: &'static Space, octets: &'a [u8], at: u16, depth: u8) -> Self {
        Self { space, octets, at, depth }
    }

    /// Records whose lengths are sound.
    pub(crate) fn read(space: &'static Space, octets: &'a [u8], at: u16) -> Result<Self, ParseError> {
        let records = Self { space, octets, at, depth: 0 };
        records.iter().try_for_each(|record| record.map(|_| ())).map(|()| records)
    }

    /// The records in order. One that does not fit is the last item, and an error.
    pub const fn iter(&self) -> RecordsIter<'a> {
        RecordsIter { rest: *self }
    }

    /// The octets of all of them.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The registry they are of.
    pub const fn space(&self) -> &'static Space {
        self.space
    }

    pub(super) fn check(&self) -> Result<(), ParseError> {
        self.iter().try_for_each(|record| record?.view().map_or(Ok(()), |view| view.check()))
    }
}

impl<'a> IntoIterator for &Records<'a> {
    type Item = Result<RecordRef<'a>, ParseError>;
    type IntoIter = RecordsIter<'a>;

    fn into_iter(self) -> RecordsIter<'a> {
        self.iter()
    }
}

/// Iterator of [`Records::iter`].
#[derive(Clone, Debug)]
pub struct RecordsIter<'a> {
    rest: Records<'a>,
}

impl<'a> RecordsIter<'a> {
    /// What has not been iterated over: the octets from a record that does not fit on.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest.octets
    }
}

impl<'a> Iterator for RecordsIter<'a> {
    type Item = Result<RecordRef<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.octets.is_empty() { None } else { Some(RecordRef::split_first(&mut self.rest)) }
    }
}

/// One record: its type, what else its header says, and its octets, whether the type is known or not.
#[derive(Copy, Clone, Debug)]
pub struct RecordRef<'a> {
    space: &'static Space,
    /// The type.
    pub key: u32,
    /// The one thing more that the header says: the L bit of an explicit route, a sub-type. 0 where there is none.
    pub extra: u64,
    /// Reserved bits of the header.
    pub reserved: u64,
    /// The length as the header says it.
    pub length: u64,
    octets: &'a [u8],
    /// With what fills it up to its alignment.
    filled: &'a [u8],
    at: u16,
    depth: u8,
}

impl<'a> RecordRef<'a> {
    /// Takes the first record off; all of them, if it does not fit.
    fn split_first(records: &mut Records<'a>) -> Result<Self, ParseError> {
        let Records { space, octets, at, depth } = *records;
        records.octets = &[];
        let mut cursor = Cursor::new(octets, at);
        let (mut key, mut extra, mut reserved, mut length) = (0, 0, 0, 0);
        for head in space.header {
            match *head {
                Head::Type(bits, _) => key = cursor.uint(bits)? as u32,
                Head::Length(bits) => length = cursor.uint(bits)?,
                Head::Extra(bits, _) | Head::Flags(bits, _) => extra = cursor.uint(bits)?,
                Head::Reserved(bits) => reserved = cursor.uint(bits)?,
            }
        }
        let header = cursor.passed();
        let counted = usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(usize::from(space.unit));
        let len = if space.counts_header { counted } else { counted.saturating_add(header) };
        let fault = ParseError::new(at, Why::BodyLength);
        let (own, after) = octets.split_at_checked(len).filter(|_| len >= header).ok_or(fault)?;
        let fill = match space.align {
            0 | 1 => 0,
            align => len.wrapping_neg().checked_rem(usize::from(align)).unwrap_or(0).min(after.len()),
        };
        let (filled, rest) = octets.split_at_checked(len.saturating_add(fill)).ok_or(fault)?;
        records.octets = rest;
        records.at = at.saturating_add(filled.len() as u16);
        Ok(Self { space, key, extra, reserved, length, octets: own, filled, at, depth })
    }

    /// The registry it is of.
    pub const fn space(&self) -> &'static Space {
        self.space
    }

    /// What is known of its type.
    pub fn row(&self) -> Option<&'static RecordRow> {
        self.space.row(self.key)
    }

    /// All its octets, the header included, without what fills it up.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The octets after the header.
    pub fn body(&self) -> &'a [u8] {
        self.octets.get(self.space.header_len()..).unwrap_or_default()
    }

    /// What fills it up to its alignment.
    pub fn fill(&self) -> &'a [u8] {
        self.filled.get(self.octets.len()..).unwrap_or_default()
    }

    /// Whether the list ends before its last record is filled up.
    pub fn is_short_of_fill(&self) -> bool {
        !self.filled.len().is_multiple_of(usize::from(self.space.align.max(1)))
    }

    /// Offset of the header in the message.
    pub const fn at(&self) -> u16 {
        self.at
    }

    /// The fields after the header, if the type has a layout.
    #[inline]
    pub fn view(&self) -> Option<View<'a>> {
        let layout = self.row()?.layout.filter(|_| within_reach(self.depth))?;
        let given = self.space.header.iter().find_map(|head| match head {
            Head::Extra(_, name) => Some((*name, self.extra)),
            Head::Flags(..) => Some((FLAGS, self.extra)),
            _ => None,
        });
        let view = View::part(layout, self.octets, self.at, self.depth);
        Some(view.given(given, self.cursor()))
    }

    fn cursor(&self) -> Cursor<'a> {
        let mut cursor = Cursor::new(self.octets, self.at);
        let _ = cursor.take(self.space.header_len());
        cursor
    }

    /// Reads the body as a `T`.
    ///
    /// # Errors
    /// `UnknownCType` when it is of another type, `BodyLength` when the body is no sound `T`.
    pub fn read<T: Record<'a>>(&self) -> Result<T, ParseError> {
        if !core::ptr::eq(self.space, T::SPACE) || self.key != T::KEY {
            return Err(ParseError::new(self.at, Why::UnknownCType));
        }
        let mut cursor = self.cursor();
        let value = T::take(&mut cursor)?;
        cursor.end().map(|()| value)
    }
}

/// A typed record: what its octets mean, and how to write them.
pub trait Record<'a>: Sized {
    /// The registry.
    const SPACE: &'static Space;
    /// The type in the registry.
    const KEY: u32;

    #[doc(hidden)]
    fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError>;

    #[doc(hidden)]
    fn put<S: Sink>(&self, out: &mut BitWriter<S>);
}

/// Writes records into a buffer of the caller.
#[derive(Debug)]
pub struct RecordsWriter<'b> {
    space: &'static Space,
    buffer: &'b mut [u8],
    len: usize,
}

/// A slice that is filled from its start.
struct Fill<'b>(&'b mut [u8]);

impl Sink for Fill<'_> {
    fn octets(&mut self, octets: &[u8]) {
        if let Some((room, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(octets.len()) {
            room.copy_from_slice(octets);
            self.0 = rest;
        }
    }
}

impl<'b> RecordsWriter<'b> {
    /// An empty list.
    pub const fn new(space: &'static Space, buffer: &'b mut [u8]) -> Self {
        Self { space, buffer, len: 0 }
    }

    /// Appends a record.
    #[must_use]
    pub fn put<'a, T: Record<'a>>(self, record: &T) -> Self {
        self.put_with(record, 0)
    }

    /// Appends a record whose header says one thing more: [`RecordRef::extra`].
    #[must_use]
    pub fn put_with<'a, T: Record<'a>>(mut self, record: &T, extra: u64) -> Self {
        let room = self.buffer.get_mut(self.len..).unwrap_or_default();
        let mut out = BitWriter::new(Fill(room));
        let len = count(|out| body(self.space, record, out));
        head(self.space, &HeadValues { key: T::KEY, extra, reserved: 0, length: None }, len, &mut out);
        record.put(&mut out);
        out.align(self.space.align);
        self.len = self.len.saturating_add(out.written());
        self
    }

    /// The list.
    ///
    /// # Errors
    /// The buffer is too small.
    pub fn finish(self) -> Result<Records<'b>, crate::write::NeedSpace> {
        let Self { space, buffer, len } = self;
        let octets = buffer.get(..len).ok_or(crate::write::NeedSpace(len))?;
        Ok(Records::over(space, octets))
    }
}

/// A record with its header left blank, to be counted.
fn body<'a>(space: &Space, record: &impl Record<'a>, out: &mut BitWriter<impl Sink>) {
    (0..space.header_len()).for_each(|_| out.octets(&[0]));
    record.put(out);
}

/// What a header says.
pub(crate) struct HeadValues {
    pub(crate) key: u32,
    pub(crate) extra: u64,
    pub(crate) reserved: u64,
    /// Instead of the right one.
    pub(crate) length: Option<u64>,
}

/// Writes the header of a record of `len` octets, header included.
pub(crate) fn head(space: &Space, values: &HeadValues, len: usize, out: &mut BitWriter<impl Sink>) {
    let counted = if space.counts_header { len } else { len.saturating_sub(space.header_len()) };
    let length = counted.checked_div(usize::from(space.unit)).unwrap_or(counted) as u64;
    for head in space.header {
        match *head {
            Head::Type(bits, _) => out.uint(u64::from(values.key), bits),
            Head::Length(bits) => out.uint(values.length.unwrap_or(length), bits),
            Head::Extra(bits, _) | Head::Flags(bits, _) => out.uint(values.extra, bits),
            Head::Reserved(bits) => out.uint(values.reserved, bits),
        }
    }
}
