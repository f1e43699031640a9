//! Messages that a kernel had to send in pieces, put together again (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Pieces are captured where they are made, so they come in order and none is missing; what is otherwise is left out.

use super::capture::Captured;
use crate::scenario::model::{LinkId, NodeId};
use std::collections::BTreeMap;

const HOP_BY_HOP: u8 = 0;
const FRAGMENT: u8 = 44;

/// Who sends where, with the octets of addresses and identification.
type Key = (NodeId, LinkId, Vec<u8>);

/// Packets of which only the beginning has been seen.
#[derive(Debug, Default)]
pub(super) struct Fragments(BTreeMap<Key, Captured>);

/// A packet that is only a piece.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    /// Octets of addresses and identification.
    name: Vec<u8>,
    /// Where it belongs in the payload.
    offset: usize,
    /// Whether another one follows.
    more: bool,
    /// What comes before the payload, without a fragment header.
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Fragments {
    /// The packet, if it is whole or the last piece of one.
    pub(super) fn join(&mut self, captured: Captured) -> Option<Captured> {
        let Some(piece) = Piece::read(&captured.packet) else { return Some(captured) };
        let key = (captured.from, captured.link, piece.name);
        let length = piece.header.len();
        if piece.offset == 0 {
            let packet = [piece.header, piece.payload].concat();
            self.0.insert(key, Captured { packet, ..captured });
            return None;
        }
        let mut whole = self.0.remove(&key)?;
        if whole.packet.len() != length + piece.offset {
            return None;
        }
        whole.packet.extend(piece.payload);
        if piece.more {
            self.0.insert(key, whole);
            return None;
        }
        Some(whole)
    }
}

impl Piece {
    fn read(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::read_ipv4(packet),
            6 => Self::read_ipv6(packet),
            _ => None,
        }
    }

    fn read_ipv4(packet: &[u8]) -> Option<Self> {
        let length = usize::from(packet[0] & 0xf) * 4;
        let field = u16::from_be_bytes(packet.get(6..8)?.try_into().ok()?);
        let (more, offset) = (field & 0x2000 != 0, usize::from(field & 0x1fff) * 8);
        let name = [packet.get(12..20)?, &packet[4..6]].concat();
        let (header, payload) = (packet.get(..length)?.to_vec(), packet[length..].to_vec());
        (more || offset > 0).then_some(Self { name, offset, more, header, payload })
    }

    fn read_ipv6(packet: &[u8]) -> Option<Self> {
        // The octet that says what comes next, and where that is.
        let (mut next, mut at) = (6, 40);
        if *packet.get(next)? == HOP_BY_HOP {
            (next, at) = (at, at + 8 + 8 * usize::from(*packet.get(at + 1)?));
        }
        if *packet.get(next)? != FRAGMENT {
            return None;
        }
        let fragment = packet.get(at..at + 8)?;
        let field = u16::from_be_bytes([fragment[2], fragment[3]]);
        let name = [&packet[8..40], &fragment[4..8]].concat();
        let mut header = packet[..at].to_vec();
        header[next] = fragment[0];
        let payload = packet[at + 8..].to_vec();
        Some(Self { name, offset: usize::from(field & 0xfff8), more: field & 1 != 0, header, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn captured(packet: Vec<u8>) -> Captured {
        Captured { at: Duration::ZERO, from: NodeId(0), link: LinkId(0), packet }
    }

    fn ipv4(field: [u8; 2], payload: &[u8]) -> Captured {
        let mut packet = vec![0x45, 0xc0, 0, 0, 7, 7];
        packet.extend(field);
        packet.extend([64, 46, 0, 0, 10, 0, 1, 1, 10, 0, 1, 2]);
        packet.extend(payload);
        captured(packet)
    }

    #[test]
    fn three_pieces_are_one_packet() {
        let mut fragments = Fragments::default();
        assert!(fragments.join(ipv4([0x20, 0], &[1; 8])).is_none());
        assert!(fragments.join(ipv4([0x20, 1], &[2; 8])).is_none());
        let whole = fragments.join(ipv4([0, 2], &[3; 4])).unwrap();
        assert_eq!(whole.packet[20..], [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3]);
        assert_eq!(fragments.join(ipv4([0, 0], &[9])).unwrap().packet[20..], [9]);
        assert!(fragments.join(ipv4([0, 2], &[3; 4])).is_none(), "the end of nothing");
    }

    #[test]
    fn an_ipv6_packet_loses_its_fragment_header() {
        let piece = |field: u8, payload: &[u8]| {
            let mut packet = vec![0x60; 6];
            packet.extend([FRAGMENT, 64]);
            packet.extend([0xfd; 32]);
            packet.extend([46, 0, 0, field, 0, 0, 0, 1]);
            packet.extend(payload);
            captured(packet)
        };
        let mut fragments = Fragments::default();
        assert!(fragments.join(piece(1, &[1; 8])).is_none());
        let whole = fragments.join(piece(8, &[2])).unwrap();
        assert_eq!((whole.packet[6], &whole.packet[40..]), (46, &[1, 1, 1, 1, 1, 1, 1, 1, 2][..]));
    }
}
