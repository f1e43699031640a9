//! SONET/SDH traffic parameters, RFC 4606 2.1: SENDER_TSPEC and FLOWSPEC, and of the other direction of an LSP
//! UPSTREAM_TSPEC and UPSTREAM_FLOWSPEC (RFC 6387 2).
//!
//! ```text
//! C-Type 4 in all four classes
//! |  Signal Type  |      RCC      |              NCC              |
//! |              NVC              |        Multiplier (MT)        |
//! |                       Transparency (T)                        |
//! |                           Profile (P)                         |
//! ```
//!
//! Which of the transforms go together is not checked.

use crate::layout::object;

/// Elementary signals, RFC 4606 2.1 and Appendix 1.
const SIGNAL_TYPES: &[(u64, &str)] = &[
    (1, "VT1.5 SPE / VC-11"),
    (2, "VT2 SPE / VC-12"),
    (3, "VT3 SPE"),
    (4, "VT6 SPE / VC-2"),
    (5, "STS-1 SPE / VC-3"),
    (6, "STS-3c SPE / VC-4"),
    (7, "STS-1 / STM-0"),
    (8, "STS-3 / STM-1"),
    (9, "STS-12 / STM-4"),
    (10, "STS-48 / STM-16"),
    (11, "STS-192 / STM-64"),
    (12, "STS-768 / STM-256"),
    (20, "VC-3 via AU-3 at the end"),
];

const CONCATENATIONS: &[(u64, &str)] = &[(0x01, "Standard contiguous concatenation")];

const TRANSPARENCIES: &[(u64, &str)] =
    &[(0x01, "Section/Regenerator Section layer"), (0x02, "Line/Multiplex Section layer")];

macro_rules! sonet_sdh {
    ($($name:ident: $class:ident, $section:literal;)+) => {
        object! {
            $(
                #[doc = concat!("SONET/SDH ", stringify!($class), ", ", $section, ".")]
                pub $name: $class 4 {
                    /// The elementary signal.
                    signal_type(u8 code SIGNAL_TYPES);
                    /// Requested Contiguous Concatenation: which types the sender has a choice of.
                    rcc(u8 flags CONCATENATIONS);
                    /// Number of Contiguous Components.
                    ncc(u16);
                    /// Number of Virtual Components.
                    nvc(u16);
                    /// How many identical signals; not zero.
                    multiplier(u16);
                    /// What the overhead is left unmodified of.
                    transparency(u32 flags TRANSPARENCIES);
                    /// Of capabilities; none is defined.
                    profile(u32);
                }
            )+
        }
    };
}

sonet_sdh! {
    SonetSdhFlowspec: FLOWSPEC, "RFC 4606 2.2";
    SonetSdhSenderTspec: SENDER_TSPEC, "RFC 4606 2.2";
    SonetSdhUpstreamFlowspec: UPSTREAM_FLOWSPEC, "RFC 6387 2.1";
    SonetSdhUpstreamTspec: UPSTREAM_TSPEC, "RFC 6387 2.2";
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    /// By hand from RFC 4606 2.1: 2 times an STS-12c SPE with 3 virtual components.
    macro_rules! in_class {
        ($test:ident, $class:literal, $name:ident) => {
            #[test]
            fn $test() {
                let value = $name {
                    signal_type: 6,
                    rcc: 1,
                    ncc: 4,
                    nvc: 3,
                    multiplier: 2,
                    transparency: 0x8000_0003,
                    profile: 5,
                };
                let hex = concat!("0014 ", $class, "04 06 01 0004 0003 0002 80000003 00000005");
                both_ways(&octets(hex), &value);
                let short = concat!("0010 ", $class, "04 06 01 0004 0003 0002 00000000");
                refused::<$name>(&octets(short), 16, Why::BodyLength);
                let long = concat!("0018 ", $class, "04 06 01 0004 0003 0002 00000000 00000000 00000000");
                refused::<$name>(&octets(long), 20, Why::BodyLength);
            }
        };
    }

    in_class!(flowspec, "09", SonetSdhFlowspec);
    in_class!(sender_tspec, "0c", SonetSdhSenderTspec);
    in_class!(upstream_flowspec, "78", SonetSdhUpstreamFlowspec);
    in_class!(upstream_tspec, "79", SonetSdhUpstreamTspec);
}
