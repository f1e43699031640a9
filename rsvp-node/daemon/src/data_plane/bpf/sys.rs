//! The keys and values of the egress program's maps as they lie in memory: the structures of `bpf/flow.h`; and the detaching of
//! a link, which no crate wraps. With `unsafe`, because a type has to promise that it is nothing but its octets before it
//! goes into a map, and for that system call.
//!
//! The promise holds for structures of integers and arrays of them without padding, whose every pattern of bits is a
//! value; that there is none is what the assertions below hold. What the fields mean is deliberately the business of `flow_key`
//! and `flow`.
#![allow(
    unsafe_code,
    reason = "`aya::Pod` is an unsafe trait, bpf(2) a system call; see the module's documentation"
)]

use aya::Pod;
use std::ffi::CString;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Commands of bpf(2).
const BPF_OBJ_GET: libc::c_int = 7;
const BPF_LINK_DETACH: libc::c_int = 34;

/// Detaches a link that is pinned here, at once and whoever else has it open. A link whose interface is gone is detached
/// already, which is an error.
pub(super) fn detach_link(pin: &Path) -> io::Result<()> {
    let path = CString::new(pin.as_os_str().as_bytes())?;
    // What BPF_OBJ_GET reads of `union bpf_attr`: where the path is, and two words.
    let named: [u64; 2] = [path.as_ptr() as u64, 0];
    // SAFETY: the kernel reads these octets, and the text they point to, which outlive the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_OBJ_GET, named.as_ptr(), size_of_val(&named)) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given this descriptor, and nobody else knows of it.
    let link = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let which = [link.as_raw_fd()];
    // SAFETY: the kernel reads these octets, which outlive the call.
    let done = unsafe { libc::syscall(libc::SYS_bpf, BPF_LINK_DETACH, which.as_ptr(), size_of_val(&which)) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

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

/// `struct mask`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MaskRecord {
    pub(super) number: u8,
    pub(super) family: u8,
    pub(super) protocol: u8,
    pub(super) zero: u8,
    pub(super) transport: [u8; 4],
    pub(super) addresses: [u8; 32],
}

/// `struct masks`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MasksRecord {
    pub(super) count: u32,
    pub(super) of: [MaskRecord; 16],
}

/// `struct pattern`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PatternRecord {
    pub(super) interface: u32,
    pub(super) mask: u8,
    pub(super) family: u8,
    pub(super) protocol: u8,
    pub(super) zero: u8,
    pub(super) transport: [u8; 4],
    pub(super) addresses: [u8; 32],
}

/// `struct socket_peer`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SocketPeerRecord {
    pub(super) cookie: u64,
    pub(super) address: [u8; 16],
    pub(super) interface: u32,
    pub(super) port: [u8; 2],
    pub(super) zero: [u8; 2],
}

/// `struct rule`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleRecord {
    pub(super) flow: u32,
    pub(super) dscp: [u8; 2],
    pub(super) pcp: [u8; 2],
}

/// `struct rules`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RulesRecord {
    pub(super) of: [RuleRecord; 64],
}

/// `struct fragment` and `struct transport`, which only the program reads and writes.
pub(super) const FRAGMENT: usize = 8 * 4 + 4 + 1 + 3;
pub(super) const TRANSPORT: usize = 2 * 2 + 4 + 4;

/// `struct interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InterfaceRecord {
    /// Bits of kinds of key: IPv4's, IPv6's.
    pub(super) kinds: [u32; 2],
    pub(super) link_header: u32,
    /// Bits: [`BY_CLASS`], [`BY_PRIORITY`].
    pub(super) by_dscp: u32,
    /// Bits: filters, rules, sockets.
    pub(super) by_hand: u32,
    /// Bits: profiles, and that there are policies.
    pub(super) policies: u32,
    pub(super) classes: [u32; 64],
    /// By DSCP; [`NO_PRIORITY`]: none.
    pub(super) priorities: [u8; 64],
}

/// In `by_dscp` of an interface: whether its classes say anything, and its priorities.
pub(super) const BY_CLASS: u32 = 1;
pub(super) const BY_PRIORITY: u32 = 2;
/// `LEAVE`: a priority that is not written.
pub(super) const NO_PRIORITY: u8 = 0xff;

impl InterfaceRecord {
    /// An interface without keys and tables.
    pub(super) const fn of(link_header: u32) -> Self {
        Self {
            kinds: [0; 2],
            link_header,
            by_dscp: 0,
            by_hand: 0,
            policies: 0,
            classes: [0; 64],
            priorities: [NO_PRIORITY; 64],
        }
    }

    pub(super) const fn set_by_dscp(&mut self, bit: u32, is: bool) {
        self.by_dscp = if is { self.by_dscp | bit } else { self.by_dscp & !bit };
    }
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
    /// Up to the next record's line of the cache.
    pub(super) rest: [u64; 6],
}

/// `struct policy_rule`. Ports are in this machine's order, addresses in the network's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PolicyRuleRecord {
    pub(super) local: [u8; 16],
    pub(super) remote: [u8; 16],
    pub(super) program: u64,
    pub(super) cgroup: u64,
    pub(super) device: u32,
    pub(super) user: u32,
    pub(super) profiles: u32,
    pub(super) slot: u32,
    pub(super) serial: u32,
    pub(super) local_port: [u16; 2],
    pub(super) remote_port: [u16; 2],
    pub(super) either_port: [u16; 2],
    pub(super) local_bits: u8,
    pub(super) remote_bits: u8,
    pub(super) family: u8,
    pub(super) protocol: u8,
    pub(super) says: u8,
    pub(super) level: u8,
    pub(super) dscp: u8,
    pub(super) pcp: u8,
}

/// `struct policy_settings`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PolicySettingsRecord {
    /// Read as zero, and not written.
    pub(super) lock: u32,
    pub(super) flags: u32,
    pub(super) base: u32,
    pub(super) count: u32,
    pub(super) namespace: u64,
    pub(super) window_clamp: u32,
    pub(super) frames: u32,
}

/// `struct decision`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DecisionRecord {
    pub(super) local: [u8; 16],
    pub(super) remote: [u8; 16],
    pub(super) inode: u64,
    pub(super) name: u64,
    pub(super) cgroups: [u64; 8],
    pub(super) at: u64,
    pub(super) device: u32,
    pub(super) user: u32,
    pub(super) process: u32,
    pub(super) profiles: u32,
    pub(super) interface: u32,
    pub(super) serial: u32,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    pub(super) family: u8,
    pub(super) protocol: u8,
    pub(super) known: u8,
    pub(super) zero: u8,
}

/// `struct policy_count`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PolicyCountRecord {
    pub(super) identity: u64,
    pub(super) serial: u32,
    pub(super) zero: u32,
    pub(super) packets: u64,
    pub(super) octets: u64,
}

/// `struct policy_place`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PolicyPlaceRecord {
    pub(super) interface: u32,
    pub(super) serial: u32,
}

/// `struct socket_policy`, which only the programs read and write.
pub(super) const SOCKET_POLICY: usize = 8 + 2 * 8 + 8 * 8 + 2 * 4 + 12 + 16 + 4 + 4 + 4;

const _: () = {
    assert!(size_of::<PolicyRuleRecord>() == 88 && offset_of!(PolicyRuleRecord, local_port) == 68);
    assert!(size_of::<PolicySettingsRecord>() == 32 && offset_of!(PolicySettingsRecord, namespace) == 16);
    assert!(size_of::<DecisionRecord>() == 152 && offset_of!(DecisionRecord, device) == 120);
    assert!(size_of::<PolicyCountRecord>() == 32);
    assert!(size_of::<Head>() == 4 + 1 + 1 + 2 + 2 + 2 + 4);
    assert!(size_of::<KeyRecord<4>>() == size_of::<Head>() + 2 * 4 && size_of::<KeyRecord<4>>() == 24);
    assert!(size_of::<KeyRecord<16>>() == size_of::<Head>() + 2 * 16 && size_of::<KeyRecord<16>>() == 48);
    assert!(size_of::<InterfaceRecord>() == 6 * 4 + 64 * 4 + 64);
    assert!(size_of::<MaskRecord>() == 4 + 4 + 32 && size_of::<MasksRecord>() == 4 + 16 * 40);
    assert!(size_of::<PatternRecord>() == 4 + 4 + 4 + 32);
    assert!(size_of::<SocketPeerRecord>() == 8 + 16 + 4 + 2 + 2);
    assert!(size_of::<RuleRecord>() == 4 + 2 + 2 && size_of::<RulesRecord>() == 64 * 8);
    assert!(size_of::<FlowRecord>() == 2 * 8 + 3 * 4 + 2 * 4 + 2 + 2 + 1 + 1 + 6);
    assert!(offset_of!(FlowRecord, mode) == 40);
    assert!(size_of::<StateRecord>() == 128);
    assert!(offset_of!(StateRecord, packets) == 32);
};

// SAFETY: integers and arrays of integers, without padding (asserted above).
unsafe impl<const N: usize> Pod for KeyRecord<N> {}
// SAFETY: as above.
unsafe impl Pod for InterfaceRecord {}
// SAFETY: as above.
unsafe impl Pod for MasksRecord {}
// SAFETY: as above.
unsafe impl Pod for PatternRecord {}
// SAFETY: as above.
unsafe impl Pod for RulesRecord {}
// SAFETY: as above.
unsafe impl Pod for SocketPeerRecord {}
// SAFETY: as above.
unsafe impl Pod for FlowRecord {}
// SAFETY: as above.
unsafe impl Pod for StateRecord {}
// SAFETY: as above.
unsafe impl Pod for PolicyRuleRecord {}
// SAFETY: as above.
unsafe impl Pod for PolicySettingsRecord {}
// SAFETY: as above.
unsafe impl Pod for DecisionRecord {}
// SAFETY: as above.
unsafe impl Pod for PolicyCountRecord {}
// SAFETY: as above.
unsafe impl Pod for PolicyPlaceRecord {}
