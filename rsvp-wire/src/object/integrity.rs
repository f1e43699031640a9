//! INTEGRITY, RFC 2747 2.1, and CHALLENGE, RFC 2747 4.3: who sent a message, unchanged and not again.
//!
//! ```text
//! INTEGRITY                                             CHALLENGE
//! |    Flags    | 0 (Reserved)|                   |     |        0 (Reserved)       |                   |
//! |                 Key Identifier                |     |                 Key Identifier                |
//! |                 Sequence Number               |     |                Challenge Cookie               |
//! |                                               |     |                                               |
//! //             Keyed Message Digest            //
//! ```
//!
//! The digest is as long as the algorithm of the key makes it; it is not verified here.

use crate::layout::object;

/// HF is bit 0 in the figure of RFC 2747 2.1, which counts from the left.
const FLAGS: &[(u64, &str)] = &[(0x80, "Handshake")];

object! {
    /// INTEGRITY, RFC 2747 2.1.
    pub Integrity<'a>: INTEGRITY 1 {
        /// Whether the sender answers challenges.
        flags(u8 flags FLAGS);
        /// Zero.
        reserved(reserved u8);
        /// Unique for the sender.
        key_identifier(u64: 48);
        /// Grows from message to message.
        sequence_number(u64);
        /// A multiple of 4 octets: 16 for HMAC-MD5.
        digest(octets);
    }

    /// CHALLENGE, RFC 2747 4.3.
    pub Challenge: CHALLENGE 1 {
        /// Zero.
        reserved(reserved u16);
        /// The sender's key.
        key_identifier(u64: 48);
        /// Unique, and not to be guessed.
        cookie(octets [8]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn integrity() {
        // By hand from RFC 2747 2.1.
        let integrity = Integrity {
            flags: 0x80,
            reserved: 1,
            key_identifier: 0x0102_0304_0506,
            sequence_number: 0x0708_090a_0b0c_0d0e,
            digest: &[0xd1; 16],
        };
        let hex = "0024 0401 80 01 010203040506 0708090a0b0c0d0e d1d1d1d1 d1d1d1d1 d1d1d1d1 d1d1d1d1";
        both_ways(&octets(hex), &integrity);
        both_ways(
            &octets("0014 0401 00 00 000000000001 0000000000000002"),
            &Integrity { flags: 0, reserved: 0, key_identifier: 1, sequence_number: 2, digest: &[] },
        );
        refused::<Integrity<'_>>(&octets("000c 0401 80 00 010203040506"), 12, Why::BodyLength);
        refused::<Integrity<'_>>(&octets("0004 0402"), 3, Why::UnknownCType);
    }

    #[test]
    fn challenge() {
        // By hand from RFC 2747 4.3.
        let challenge = Challenge {
            reserved: 0,
            key_identifier: 0x0102_0304_0506,
            cookie: [0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7],
        };
        both_ways(&octets("0014 4001 0000 010203040506 c0c1c2c3c4c5c6c7"), &challenge);
        refused::<Challenge>(&octets("0010 4001 0000 010203040506 c0c1c2c3"), 12, Why::BodyLength);
    }
}
