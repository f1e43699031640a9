//! Traffic parameters of optical transport networks: G.709, RFC 4328 3.2, and OTN-TDM, RFC 7139 5. SENDER_TSPEC and
//! FLOWSPEC, and of the other direction of an LSP UPSTREAM_TSPEC and UPSTREAM_FLOWSPEC (RFC 6387 2).
//!
//! ```text
//! C-Type 5, G.709
//! |  Signal Type  |   Reserved    |              NMC              |
//! |              NVC              |        Multiplier (MT)        |
//! |                           Reserved                            |
//!
//! C-Type 7, OTN-TDM
//! |  Signal Type  |                       Reserved                |
//! |              NVC              |        Multiplier (MT)        |
//! |                            Bit_Rate                           |
//! ```
//!
//! Which signals and numbers go together is not checked.

use crate::layout::object;

/// Elementary signals, RFC 4328 3.2.1 and RFC 7139 5.
const SIGNAL_TYPES: &[(u64, &str)] = &[
    (0, "Not significant"),
    (1, "ODU1"),
    (2, "ODU2"),
    (3, "ODU3"),
    (4, "ODU4"),
    (6, "OCh at 2.5 Gbps"),
    (7, "OCh at 10 Gbps"),
    (8, "OCh at 40 Gbps"),
    (9, "OCh at 100 Gbps"),
    (10, "ODU0"),
    (11, "ODU2e"),
    (20, "ODUflex(CBR)"),
    (21, "ODUflex(GFP-F), resizable"),
    (22, "ODUflex(GFP-F), non-resizable"),
];

macro_rules! g709 {
    ($($g709:ident $g709_section:literal, $otn_tdm:ident $otn_tdm_section:literal: $class:ident;)+) => {
        object! {
            $(
                #[doc = concat!("G.709 ", stringify!($class), ", ", $g709_section, ".")]
                pub $g709: $class 5 {
                    /// The elementary signal.
                    signal_type(u8 code SIGNAL_TYPES);
                    /// Zero.
                    reserved(reserved u8);
                    /// Number of Multiplexed Components: tributary slots of an ODUj in an ODUk.
                    nmc(u16);
                    /// Number of Virtual Components.
                    nvc(u16);
                    /// How many identical signals; not zero.
                    multiplier(u16);
                    /// Zero.
                    reserved_2(reserved u32);
                }

                #[doc = concat!("OTN-TDM ", stringify!($class), ", ", $otn_tdm_section, ".")]
                pub $otn_tdm: $class 7 {
                    /// The elementary signal.
                    signal_type(u8 code SIGNAL_TYPES);
                    /// Zero.
                    reserved(reserved u32: 24);
                    /// Number of Virtual Components.
                    nvc(u16);
                    /// How many identical signals; not zero.
                    multiplier(u16);
                    /// Nominal rate of an ODUflex; zero for others.
                    bit_rate_bytes_per_s(f32);
                }
            )+
        }
    };
}

g709! {
    G709Flowspec "RFC 4328 6", OtnTdmFlowspec "RFC 7139 5": FLOWSPEC;
    G709SenderTspec "RFC 4328 6", OtnTdmSenderTspec "RFC 7139 5": SENDER_TSPEC;
    G709UpstreamFlowspec "RFC 6387 2.1", OtnTdmUpstreamFlowspec "RFC 6387 2.1": UPSTREAM_FLOWSPEC;
    G709UpstreamTspec "RFC 6387 2.2", OtnTdmUpstreamTspec "RFC 6387 2.2": UPSTREAM_TSPEC;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    /// By hand from RFC 4328 3.2 and RFC 7139 5: an ODUflex(CBR) of 2.5 Gbit/s, 312,500,000 octets per second.
    macro_rules! in_class {
        ($test:ident, $class:literal, $g709:ident, $otn_tdm:ident) => {
            #[test]
            fn $test() {
                let value =
                    $g709 { signal_type: 2, reserved: 1, nmc: 4, nvc: 3, multiplier: 5, reserved_2: 6 };
                let hex = concat!("0010 ", $class, "05 02 01 0004 0003 0005 00000006");
                both_ways(&octets(hex), &value);
                let value = $otn_tdm {
                    signal_type: 20,
                    reserved: 0x01_0203,
                    nvc: 0,
                    multiplier: 1,
                    bit_rate_bytes_per_s: 312_500_000.0,
                };
                let hex = concat!("0010 ", $class, "07 14 010203 0000 0001 4d9502f9");
                both_ways(&octets(hex), &value);
                let short = concat!("000c ", $class, "05 02 01 0004 0003 0005");
                refused::<$g709>(&octets(short), 12, Why::BodyLength);
                let long = concat!("0014 ", $class, "07 14 000000 0000 0001 00000000 00000000");
                refused::<$otn_tdm>(&octets(long), 16, Why::BodyLength);
            }
        };
    }

    in_class!(flowspec, "09", G709Flowspec, OtnTdmFlowspec);
    in_class!(sender_tspec, "0c", G709SenderTspec, OtnTdmSenderTspec);
    in_class!(upstream_flowspec, "78", G709UpstreamFlowspec, OtnTdmUpstreamFlowspec);
    in_class!(upstream_tspec, "79", G709UpstreamTspec, OtnTdmUpstreamTspec);
}
