//! Lists of values with a fixed size, in octets or in a slice of the caller.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::field::Kind;
use super::wire::{BitWriter, Cursor, Sink};
use crate::error::ParseError;

/// An element of a [`List`].
pub trait Item: Copy + PartialEq + fmt::Debug + 'static {
    /// What the layout calls it.
    const KIND: Kind;

    #[doc(hidden)]
    fn take(cursor: &mut Cursor<'_>) -> Option<Self>;

    #[doc(hidden)]
    fn put<S: Sink>(self, out: &mut BitWriter<S>);
}

macro_rules! item {
    ($type:ty, $kind:expr, $taken:ident => $take:expr, ($value:ident, $out:ident) => $put:expr) => {
        impl Item for $type {
            const KIND: Kind = $kind;

            fn take($taken: &mut Cursor<'_>) -> Option<Self> {
                $take
            }

            fn put<S: Sink>(self, $out: &mut BitWriter<S>) {
                let $value = self;
                $put
            }
        }
    };
}

item!(u8, Kind::Uint(8), cursor => cursor.uint(8).ok().map(|v| v as Self), (v, out) => out.uint(u64::from(v), 8));
item!(u16, Kind::Uint(16), cursor => cursor.uint(16).ok().map(|v| v as Self), (v, out) => out.uint(u64::from(v), 16));
item!(u32, Kind::Uint(32), cursor => cursor.uint(32).ok().map(|v| v as Self), (v, out) => out.uint(u64::from(v), 32));
item!(f32, Kind::Float, cursor => cursor.float().ok(), (v, out) => out.octets(&v.to_be_bytes()));
item!(Ipv4Addr, Kind::Ipv4, cursor => cursor.ipv4().ok(), (v, out) => out.octets(&v.octets()));
item!(Ipv6Addr, Kind::Ipv6, cursor => cursor.ipv6().ok(), (v, out) => out.octets(&v.octets()));

/// Values one after the other: as they were received, or as somebody wants to send them.
#[derive(Copy, Clone)]
pub enum List<'a, T> {
    /// As on the wire; octets that are no whole element do not count.
    Octets(&'a [u8]),
    /// As values.
    Values(&'a [T]),
}

impl<'a, T: Item> List<'a, T> {
    /// The values in order.
    pub const fn iter(&self) -> ListItems<'a, T> {
        match *self {
            List::Octets(octets) => ListItems { cursor: Cursor::new(octets, 0), values: &[] },
            List::Values(values) => ListItems { cursor: Cursor::new(&[], 0), values },
        }
    }

    /// The octets of a whole number of elements.
    pub(crate) fn wire(cursor: Cursor<'a>) -> Result<Self, ParseError> {
        let octets = cursor.rest();
        match octets.len().checked_rem(octets_of::<T>()) {
            Some(0) => Ok(List::Octets(octets)),
            over => {
                let mut at = cursor;
                let _ = at.take(octets.len().saturating_sub(over.unwrap_or(0)));
                Err(at.fault())
            }
        }
    }

    pub(crate) fn put(&self, out: &mut BitWriter<impl Sink>) {
        self.iter().for_each(|value| value.put(out));
    }
}

impl<T: Item> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Item> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Item> IntoIterator for &List<'a, T> {
    type Item = T;
    type IntoIter = ListItems<'a, T>;

    fn into_iter(self) -> ListItems<'a, T> {
        self.iter()
    }
}

/// Octets of one element.
pub(crate) fn octets_of<T: Item>() -> usize {
    T::KIND.bits().unwrap_or(8) / 8
}

/// What a length field counts the octets of.
pub(crate) trait Span {
    fn octets_len(&self) -> usize;
}

impl Span for &[u8] {
    fn octets_len(&self) -> usize {
        self.len()
    }
}

impl<T: Item> Span for List<'_, T> {
    fn octets_len(&self) -> usize {
        match self {
            List::Octets(octets) => octets.len(),
            List::Values(values) => values.len().saturating_mul(octets_of::<T>()),
        }
    }
}

impl Span for super::Records<'_> {
    fn octets_len(&self) -> usize {
        self.octets().len()
    }
}

/// Iterator of [`List::iter`].
#[derive(Clone, Debug)]
pub struct ListItems<'a, T> {
    cursor: Cursor<'a>,
    values: &'a [T],
}

impl<T: Item> Iterator for ListItems<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if let Some((first, rest)) = self.values.split_first() {
            self.values = rest;
            return Some(*first);
        }
        T::take(&mut self.cursor)
    }
}
