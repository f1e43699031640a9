//! Octets of the provider-specific buffer, one field after the other.
//!
//! Numbers have their lower octet first, as the hosts had for which the layout was made; addresses and ports are as they
//! travel. A cursor never reads past its octets: what is missing is `None`, and the caller knows which error that is.

use core::net::{Ipv4Addr, Ipv6Addr};

/// A place in octets.
#[derive(Clone, Copy)]
pub(in crate::qos) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(in crate::qos) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// At another place of the same octets.
    pub(in crate::qos) const fn at(self, at: usize) -> Self {
        Self { octets: self.octets, at }
    }

    /// How far it has come.
    pub(in crate::qos) const fn place(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(in crate::qos) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(in crate::qos) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.octets.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(in crate::qos) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(in crate::qos) fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A word that counts octets or elements.
    pub(in crate::qos) fn count(&mut self) -> Option<usize> {
        self.word().and_then(|word| usize::try_from(word).ok())
    }

    pub(in crate::qos) fn half(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// A port, as it travels.
    pub(in crate::qos) fn port(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(in crate::qos) fn ipv4(&mut self) -> Option<Ipv4Addr> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    pub(in crate::qos) fn ipv6(&mut self) -> Option<Ipv6Addr> {
        self.array::<16>().map(Ipv6Addr::from)
    }
}

pub(in crate::qos) fn put_word(out: &mut Vec<u8>, word: u32) {
    out.extend(word.to_le_bytes());
}

/// A number of octets or elements; more than a word counts are not written by anybody.
pub(in crate::qos) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_word(out, u32::try_from(count).unwrap_or(u32::MAX));
}
