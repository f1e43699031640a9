//! ADMIN_STATUS, RFC 3473 7.1: the administrative state of an LSP.
//!
//! ```text
//! |R|                        Reserved     |M|O| |L|I|C|T|A|D|
//! ```
//!
//! R, T, A and D are of RFC 3471 8.1, C of RFC 4974 5.5, I of RFC 4783 3.2.1, L of RFC 4872 13, M and O of RFC 7260 4.3.

use crate::layout::object;

/// The registry "Administrative Status Information Flags", as far as the RFCs above say.
const FLAGS: &[(u64, &str)] = &[
    (0x0000_0001, "Deletion in progress (D)"),
    (0x0000_0002, "Administratively down (A)"),
    (0x0000_0004, "Testing (T)"),
    (0x0000_0008, "Call Management (C)"),
    (0x0000_0010, "Inhibit Alarm Communication (I)"),
    (0x0000_0020, "Lockout (L)"),
    (0x0000_0080, "OAM Alarms Enabled (O)"),
    (0x0000_0100, "OAM Flows Enabled (M)"),
    (0x8000_0000, "Reflect (R)"),
];

object! {
    /// ADMIN_STATUS, RFC 3473 7.1.
    pub AdminStatus: ADMIN_STATUS 1 {
        /// The states.
        flags(u32 flags FLAGS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn states() {
        // By hand from RFC 3473 7.1: R and D.
        both_ways(&octets("0008 c401 80000001"), &AdminStatus { flags: 0x8000_0001 });
        refused::<AdminStatus>(&octets("0004 c401"), 4, Why::BodyLength);
        refused::<AdminStatus>(&octets("000c c401 80000001 00000000"), 8, Why::BodyLength);
    }
}
