//! What the packets of `rsvp send` carry for `rsvp recv` to measure: a number and a time.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |                      "rsvp" (4 octets)                |
//! +-------------+-------------+-------------+-------------+
//! |                       Flow (4 octets)                 |  drawn anew by each sender that starts
//! +-------------+-------------+-------------+-------------+
//! |                  Sequence number (8 octets)           |
//! +-------------+-------------+-------------+-------------+
//! |      Sent at: us since the UNIX epoch (8 octets)      |
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! What follows is filling. A packet with less room, as those of some codecs, has "rsvs" in front and a sequence number of four
//! octets. The format is no standard; nothing but these two commands knows it.

/// The first octets of every payload.
const MAGIC: [u8; 4] = *b"rsvp";

/// Octets that a payload has.
pub(super) const LENGTH: usize = 24;

/// The first octets of those of packets with less room,
const MAGIC_SHORT: [u8; 4] = *b"rsvs";

/// which has these at least.
pub(super) const SHORTEST: usize = 20;

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) flow: u32,
    pub(super) sequence: u64,
    pub(super) sent_us: u64,
}

impl Payload {
    /// Writes itself to the start of a packet's payload; one that is too short is left alone.
    pub(super) fn write(&self, out: &mut [u8]) {
        let Some(head) = out.first_chunk_mut::<LENGTH>() else {
            let Some(head) = out.first_chunk_mut::<SHORTEST>() else { return };
            head[..4].copy_from_slice(&MAGIC_SHORT);
            head[4..8].copy_from_slice(&self.flow.to_be_bytes());
            head[8..12].copy_from_slice(&(self.sequence as u32).to_be_bytes());
            head[12..].copy_from_slice(&self.sent_us.to_be_bytes());
            return;
        };
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&self.flow.to_be_bytes());
        head[8..16].copy_from_slice(&self.sequence.to_be_bytes());
        head[16..].copy_from_slice(&self.sent_us.to_be_bytes());
    }

    /// Reads a payload; data of other programs is none.
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let (magic, rest) = octets.split_first_chunk::<4>()?;
        let (flow, rest) = rest.split_first_chunk::<4>()?;
        if *magic == MAGIC_SHORT {
            let (sequence, rest) = rest.split_first_chunk::<4>()?;
            return Some(Self {
                flow: u32::from_be_bytes(*flow),
                sequence: u32::from_be_bytes(*sequence).into(),
                sent_us: u64::from_be_bytes(*rest.first_chunk::<8>()?),
            });
        }
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let sent_us = rest.first_chunk::<8>()?;
        (*magic == MAGIC).then_some(Self {
            flow: u32::from_be_bytes(*flow),
            sequence: u64::from_be_bytes(*sequence),
            sent_us: u64::from_be_bytes(*sent_us),
        })
    }
}

/// Now, in microseconds since the UNIX epoch: the clock that two hosts are most likely to share.
#[expect(clippy::disallowed_methods, reason = "delays between hosts are measured on the wall clock")]
pub(super) fn wall_clock_us() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_as_drawn() {
        let octets = b"rsvp\0\0\0\x07\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\x01\x02";
        let payload = Payload { flow: 7, sequence: 9, sent_us: 0x102 };
        assert_eq!(Payload::read(octets), Some(payload));
        let mut written = [0; LENGTH];
        payload.write(&mut written);
        assert_eq!(&written, octets);
        assert_eq!(Payload::read(&octets[..23]), None);
        let mut short = [0; SHORTEST];
        payload.write(&mut short);
        assert_eq!(&short, b"rsvs\0\0\0\x07\0\0\0\x09\0\0\0\0\0\0\x01\x02");
        assert_eq!((Payload::read(&short), Payload::read(&short[..19])), (Some(payload), None));
        assert_eq!(Payload::read(b"RSVP and something quite different"), None);
    }
}
