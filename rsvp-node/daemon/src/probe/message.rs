//! What prober and responder say to each other: 24 octets, and what is behind them.
//!
//! ```text
//! 0  "rsvp"     4  kind   5  0   6  index     8  cookie
//! 16 number    20  count        22  0
//! ```
//!
//! Numbers are in network order. A question is never shorter than its answer can be.

const MAGIC: [u8; 4] = *b"rsvp";
/// Octets of all that a message has in any case.
pub(super) const HEADER: usize = 24;
/// Octets of a question whose answer is a header.
pub(super) const SHORT: usize = 64;
/// Octets of a packet of a train, and of a question for when they came: 1,400 of IP with IPv4's and UDP's headers.
pub(super) const LONG: usize = 1_372;
/// Most packets of a train.
pub(super) const MOST: usize = 64;
/// Octets of what is said of a packet that came: its index, and microseconds after the first.
pub(super) const ENTRY: usize = 6;

const _: () = assert!(HEADER <= SHORT && HEADER + MOST * ENTRY <= LONG);

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A wish for a cookie.
    Hello,
    /// It.
    Cookie,
    /// A wish for an echo.
    Ping,
    /// It.
    Pong,
    /// A packet of a train.
    Train,
    /// A question when the packets of a train have come.
    Ask,
    /// The answer.
    Came,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Hello, Self::Cookie, Self::Ping, Self::Pong, Self::Train, Self::Ask, Self::Came];

    /// Octets that a question of this kind has at least; nothing of answers.
    pub(super) const fn least(self) -> Option<usize> {
        match self {
            Self::Hello | Self::Ping => Some(SHORT),
            Self::Train | Self::Ask => Some(LONG),
            Self::Cookie | Self::Pong | Self::Came => None,
        }
    }
}

/// The front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) index: u16,
    pub(super) cookie: u64,
    /// Of an exchange or a train: the prober's own.
    pub(super) number: u32,
    pub(super) count: u16,
}

impl Header {
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; HEADER] = octets.first_chunk()?;
        let [m0, m1, m2, m3, kind, zero, i0, i1, cookie @ .., n0, n1, n2, n3, c0, c1, _, _] = *octets;
        if [m0, m1, m2, m3] != MAGIC || zero != 0 {
            return None;
        }
        Some(Self {
            kind: *Kind::ALL.get(usize::from(kind).checked_sub(1)?)?,
            index: u16::from_be_bytes([i0, i1]),
            cookie: u64::from_be_bytes(cookie),
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            count: u16::from_be_bytes([c0, c1]),
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let kind = Kind::ALL.iter().position(|kind| *kind == self.kind).map_or(0, |at| at as u8 + 1);
        let mut octets = MAGIC.to_vec();
        octets.extend([kind, 0]);
        octets.extend(self.index.to_be_bytes());
        octets.extend(self.cookie.to_be_bytes());
        octets.extend(self.number.to_be_bytes());
        octets.extend(self.count.to_be_bytes());
        octets.extend([0, 0]);
        octets
    }

    /// A question, as long as its answer may be.
    pub(super) fn question(&self) -> Vec<u8> {
        let mut octets = self.write();
        octets.resize(self.kind.least().unwrap_or(HEADER), 0);
        octets
    }
}

/// What is said of packets that came: index, and microseconds after the first.
pub(super) fn write_arrivals(octets: &mut Vec<u8>, arrivals: &[(u16, u32)]) {
    for (index, after) in arrivals.iter().take(MOST) {
        octets.extend(index.to_be_bytes());
        octets.extend(after.to_be_bytes());
    }
}

pub(super) fn read_arrivals(octets: &[u8]) -> Vec<(u16, u32)> {
    let entries = octets.get(HEADER..).unwrap_or_default().chunks_exact(ENTRY);
    let read = |entry: &[u8]| match *entry {
        [a, b, c, d, e, f] => Some((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]))),
        _ => None,
    };
    entries.take(MOST).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for kind in Kind::ALL {
            let header = Header { kind, index: 258, cookie: 0x0102_0304_0506_0708, number: 7, count: 60 };
            assert_eq!(Header::read(&header.write()), Some(header));
        }
        let laid_out = [
            b'r', b's', b'v', b'p', 7, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5, 0, 1, 0, 0, 0, 3, 0, 0,
            1, 0,
        ];
        let came = Header { kind: Kind::Came, index: 2, cookie: 9, number: 5, count: 1 };
        assert_eq!(Header::read(&laid_out), Some(came));
        assert_eq!(read_arrivals(&laid_out), [(3, 256)]);
        let mut written = came.write();
        write_arrivals(&mut written, &[(3, 256)]);
        assert_eq!(written, laid_out);
    }

    #[test]
    fn other_octets_are_nothing() {
        let sound = Header { kind: Kind::Ping, index: 0, cookie: 1, number: 1, count: 0 }.write();
        for cut in 0..HEADER {
            assert_eq!(Header::read(&sound[..cut]), None);
        }
        for (at, octet) in [(0, b'x'), (4, 0), (4, 8), (5, 1)] {
            let mut wrong = sound.clone();
            wrong[at] = octet;
            assert_eq!(Header::read(&wrong), None, "octet {at}");
        }
    }
}
