//! Captures of RSVP: frames out of files (feature `read`) and off interfaces (`live`), IP packets out of frames, messages out of packets and into them.
//!
//! The one place that reads and writes what is below a message; what a message says is deliberately not looked at. [`headers`]
//! reads as much of every packet, whatever it carries, for those who want to know how it is marked.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

#[cfg(feature = "read")]
mod file;
pub mod fragments;
pub mod headers;
#[cfg(feature = "read")]
mod hex;
pub mod icmp;
pub mod ip;
mod link;
#[cfg(feature = "live")]
pub mod live;
mod multilink;
pub mod packet;
#[cfg(feature = "read")]
mod pcap;
#[cfg(feature = "read")]
mod pcapng;
mod tunnel;
#[cfg(feature = "read")]
mod unpack;
#[cfg(feature = "read")]
mod window;
pub mod write;

#[cfg(feature = "read")]
pub use file::{Capture, CaptureError, FRAME_LIMIT};
#[cfg(feature = "read")]
pub use hex::HexReader;
pub use icmp::{Detail, Quoted};
pub use link::NoLinkType;
#[cfg(feature = "read")]
pub use unpack::Unpacked;

/// When a frame was captured, since 1970 in UTC.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Timestamp {
    /// Whole seconds.
    pub seconds: u64,
    /// Nanoseconds on top.
    pub nanos: u32,
    /// Whether the capture has a finer resolution than microseconds.
    pub fine: bool,
}

/// The link-layer header type of a frame, by its number in the registry of pcap link types (`LINKTYPE_`).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct LinkType(pub u32);

impl LinkType {
    /// Raw IP, either version.
    pub const RAW: Self = Self(101);
}

/// One captured frame.
#[derive(Copy, Clone, Debug)]
pub struct Frame<'a> {
    /// Its number in the capture; the first is 1.
    pub number: u64,
    /// When it was captured; `None` if the capture does not say.
    pub time: Option<Timestamp>,
    /// What it begins with.
    pub link: LinkType,
    /// Its octets, as far as they were captured.
    pub octets: &'a [u8],
}
