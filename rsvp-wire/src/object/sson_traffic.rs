//! Traffic parameters of spectrum-switched optical networks (flexible grid), RFC 7792 4.1: SENDER_TSPEC and FLOWSPEC,
//! and of the other direction of an LSP UPSTREAM_TSPEC and UPSTREAM_FLOWSPEC (RFC 6387 2).
//!
//! ```text
//! C-Type 8 in all four classes
//! |              m                |            Reserved           |
//! ```
//!
//! That m is positive is not checked.

use crate::layout::object;

macro_rules! sson {
    ($($name:ident: $class:ident, $section:literal;)+) => {
        object! {
            $(
                #[doc = concat!("SSON ", stringify!($class), ", ", $section, ".")]
                pub $name: $class 8 {
                    /// The slot width is m times 12.5 GHz.
                    m(u16);
                    /// Zero.
                    reserved(reserved u16);
                }
            )+
        }
    };
}

sson! {
    SsonFlowspec: FLOWSPEC, "RFC 7792 4.1";
    SsonSenderTspec: SENDER_TSPEC, "RFC 7792 4.1";
    SsonUpstreamFlowspec: UPSTREAM_FLOWSPEC, "RFC 6387 2.1";
    SsonUpstreamTspec: UPSTREAM_TSPEC, "RFC 6387 2.2";
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn slot_widths() {
        // By hand from RFC 7792 4.1, in each class.
        both_ways(&octets("0008 0908 0004 0001"), &SsonFlowspec { m: 4, reserved: 1 });
        both_ways(&octets("0008 0c08 0003 0000"), &SsonSenderTspec { m: 3, reserved: 0 });
        both_ways(&octets("0008 7808 0102 0000"), &SsonUpstreamFlowspec { m: 258, reserved: 0 });
        both_ways(&octets("0008 7908 ffff ffff"), &SsonUpstreamTspec { m: 0xffff, reserved: 0xffff });
        refused::<SsonFlowspec>(&octets("0004 0908"), 4, Why::BodyLength);
        refused::<SsonSenderTspec>(&octets("000c 0c08 0003 0000 00000000"), 8, Why::BodyLength);
        refused::<SsonUpstreamTspec>(&octets("0008 7907 0003 0000"), 3, Why::UnknownCType);
    }
}
