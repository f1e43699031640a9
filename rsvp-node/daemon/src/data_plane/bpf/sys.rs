//! The keys and values of the egress program's maps as they lie in memory: the structures of `bpf/flow.h`. With `unsafe`,
//! because a type has to promise that it is nothing but its octets before it goes into a map.
//!
//! The promise holds for structures of integers and arrays of them without padding, whose every pattern of bits is a
//! value; that there is none is what the assertions below hold. What the fields mean is deliberately the business of `flow_key`
//! and `flow`.
#![allow(unsafe_code, reason = "`aya::Pod` is an unsafe trait; see the module's documentation")]

use aya::Pod;
use std::mem::{offset_of, size_of};

/// What keys of both families begin with.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) interface: u32,
    pub(super) kind: u8,
    pub(super) protocol: u8,
    pub(super) port: [u8; 2],
    pub(super) source_port: [u8; 2],
    pub(super) zero: [u8; 2],
    /// A flow label or an SPI.
    pub(super) label: [u8; 4],
}

/// `struct key`, with addresses of 4 or 16 octets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyRecord<const N: usize> {
    pub(super) head: Head,
    pub(super) destination: [u8; N],
    pub(super) source: [u8; N],
}

/// `struct interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InterfaceRecord {
    /// Bits of kinds of key: IPv4's, IPv6's.
    pub(super) kinds: [u32; 2],
    pub(super) link_header: u32,
    pub(super) by_dscp: u32,
    pub(super) classes: [u32; 64],
}

/// `struct flow`. Of two, the first is for what conforms.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FlowRecord {
    pub(super) rate: u64,
    pub(super) peak: u64,
    pub(super) bucket: u32,
    pub(super) max_packet: u32,
    pub(super) min_policed: u32,
    pub(super) class: [u32; 2],
    pub(super) dscp: [u8; 2],
    pub(super) pcp: [u8; 2],
    pub(super) mode: u8,
    pub(super) live: u8,
    pub(super) zero: [u8; 6],
}

/// `struct state`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StateRecord {
    /// Read as zero, and not written.
    pub(super) lock: u32,
    pub(super) zero: u32,
    pub(super) level: i64,
    pub(super) peak_level: i64,
    pub(super) last: u64,
    pub(super) packets: u64,
    pub(super) octets: u64,
    pub(super) excess_packets: u64,
    pub(super) excess_octets: u64,
    pub(super) dropped_packets: u64,
    pub(super) dropped_octets: u64,
}

const _: () = {
    assert!(size_of::<Head>() == 4 + 1 + 1 + 2 + 2 + 2 + 4);
    assert!(size_of::<KeyRecord<4>>() == size_of::<Head>() + 2 * 4 && size_of::<KeyRecord<4>>() == 24);
    assert!(size_of::<KeyRecord<16>>() == size_of::<Head>() + 2 * 16 && size_of::<KeyRecord<16>>() == 48);
    assert!(size_of::<InterfaceRecord>() == 4 * 4 + 64 * 4);
    assert!(size_of::<FlowRecord>() == 2 * 8 + 3 * 4 + 2 * 4 + 2 + 2 + 1 + 1 + 6);
    assert!(offset_of!(FlowRecord, mode) == 40);
    assert!(size_of::<StateRecord>() == 2 * 4 + 9 * 8);
    assert!(offset_of!(StateRecord, packets) == 32);
};

// SAFETY: integers and arrays of integers, without padding (asserted above).
unsafe impl<const N: usize> Pod for KeyRecord<N> {}
// SAFETY: as above.
unsafe impl Pod for InterfaceRecord {}
// SAFETY: as above.
unsafe impl Pod for FlowRecord {}
// SAFETY: as above.
unsafe impl Pod for StateRecord {}
