//! The checksum of the common header, RFC 2205 3.1.1.

/// Offset of the checksum field in the common header.
const FIELD: core::ops::Range<usize> = 2..4;

/// The checksum of a message: the one's complement of the one's complement sum of its 16-bit words, the checksum
/// field (octets 2 and 3) taken as zero. An odd octet at the end counts as the high half of a word.
///
/// The result may be zero, which on the wire means "not transmitted": such a message is sent unprotected, since no
/// other value says the same to a receiver that compares instead of summing.
#[inline]
pub fn checksum(octets: &[u8]) -> u16 {
    let field = match octets.get(FIELD) {
        Some(&[high, low]) => u32::from_ne_bytes([0, 0, high, low]),
        // An octet 2 without an octet 3 is still part of the field.
        _ => octets.get(2).map_or(0, |&high| u32::from_ne_bytes([0, 0, high, 0])),
    };
    !fold(sum(octets).wrapping_sub(u64::from(field)))
}

/// Whether the sum over the whole message, checksum included, is the one's complement zero (both forms of it).
#[inline]
pub(crate) fn verifies(octets: &[u8]) -> bool {
    fold(sum(octets)) == u16::MAX
}

/// The octets as 32-bit words in the machine's order, summed exactly: a message of 65535 octets has 2^14 words, so 64
/// bits cannot overflow. One's complement sums commute with swapping octets, so the order is restored once, in `fold`.
#[inline]
fn sum(octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<4>();
    let mut total = 0u64;
    for word in words {
        total = total.wrapping_add(u64::from(u32::from_ne_bytes(*word)));
    }
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    total.wrapping_add(u64::from(u32::from_ne_bytes(last)))
}

/// Adds the carries back in until 16 bits are left, in network order.
#[inline]
fn fold(total: u64) -> u16 {
    let [a, b, c, d, e, f, g, h] = total.to_ne_bytes();
    let halves = [[a, b], [c, d], [e, f], [g, h]];
    let mut sum = 0u32;
    for half in halves {
        sum = sum.wrapping_add(u32::from(u16::from_ne_bytes(half)));
    }
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    u16::from_be_bytes((sum as u16).to_ne_bytes())
}
