//! DCLASS, RFC 2996 2: the DSCPs with which the packets of a flow are to be marked.
//!
//! ```text
//! |          Unused                               | 1st DSCP  |   |
//! |          Unused                               | 2nd DSCP  |   |
//! |          Unused                               | . . . .   |   |
//! ```

use crate::layout::{object, part};

/// DSCPs of the standard per-hop behaviours: RFC 2474, RFC 2597, RFC 3246 and RFC 8622.
pub(super) const DSCPS: &[(u64, &str)] = &[
    (0, "CS0"),
    (1, "LE"),
    (8, "CS1"),
    (10, "AF11"),
    (12, "AF12"),
    (14, "AF13"),
    (16, "CS2"),
    (18, "AF21"),
    (20, "AF22"),
    (22, "AF23"),
    (24, "CS3"),
    (26, "AF31"),
    (28, "AF32"),
    (30, "AF33"),
    (32, "CS4"),
    (34, "AF41"),
    (36, "AF42"),
    (38, "AF43"),
    (40, "CS5"),
    (46, "EF"),
    (48, "CS6"),
    (56, "CS7"),
];

part! {
    /// A word with a DSCP.
    pub DscpWord {
        /// Zero.
        reserved(reserved u32: 24);
        /// The codepoint.
        dscp(u8: 6 code DSCPS);
        /// Zero.
        reserved_2(reserved u8: 2);
    }
}

object! {
    /// DCLASS, RFC 2996 2.
    pub Dclass<'a>: DCLASS 1 {
        /// One or more; what their order means is up to the service.
        dscps(groups DscpWord);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    #[test]
    fn dscps() {
        // By hand from RFC 2996 2: AF11, and EF with unused bits set.
        let dscps = [
            DscpWord { reserved: 0, dscp: 10, reserved_2: 0 },
            DscpWord { reserved: 1, dscp: 46, reserved_2: 3 },
        ];
        both_ways(&octets("000c e101 00000028 000001bb"), &Dclass { dscps: List::Values(&dscps) });
        refused::<Dclass<'_>>(&octets("0008 e102 00000028"), 3, Why::UnknownCType);
    }
}
