//! LSP_ATTRIBUTES and LSP_REQUIRED_ATTRIBUTES, RFC 5420: what an LSP is to have; the registry of their TLVs.
//!
//! ```text
//! TLV              |             Type              |           Length              |  and zeros to a multiple of 4
//! Attribute Flags  |  bits 0 (most significant) to 31, and words of further ones   |
//! OAM              |    OAM Type   |                 Reserved                      |
//!                  ~                           sub-TLVs                            ~
//! ETLD             |         Reserved                              |     ETLD      |
//! ```
//!
//! Where in a route attributes are recorded or wanted (RFC 5420 7, RFC 7570) is in `hop_attributes`. Which flag may be
//! set in which object is not checked.

use crate::layout::{Head, Space, object, record, record_rows};

/// The registry "Attribute Flags", RFC 5420 3.1: bit 0 is the most significant one of the first word.
pub(crate) const ATTRIBUTE_FLAGS: &[(u64, &str)] = &[
    (1 << 31, "End-to-end re-routing"),
    (1 << 30, "Boundary re-routing"),
    (1 << 29, "Segment-based re-routing"),
    (1 << 28, "LSP Integrity Required"),
    (1 << 27, "Contiguous LSP"),
    (1 << 26, "LSP stitching desired"),
    (1 << 25, "Pre-Planned LSP Flag"),
    (1 << 24, "Non-PHP behavior flag"),
    (1 << 23, "OOB mapping flag"),
    (1 << 22, "Entropy Label Capability"),
    (1 << 21, "OAM MEP entities desired"),
    (1 << 20, "OAM MIP entities desired"),
    (1 << 19, "SRLG Collection Flag"),
    (1 << 18, "Loopback"),
    (1 << 17, "P2MP-TE Tree Re-evaluation Request"),
    (1 << 16, "RTM_SET"),
    (1 << 15, "TE Link Label"),
    (1 << 14, "LSI-D"),
    (1 << 13, "LSI-D-S2E"),
];

/// OAM Function Flags, RFC 7260 4.2.1, numbered as the attribute flags are.
const OAM_FUNCTION_FLAGS: &[(u64, &str)] = &[
    (1 << 31, "Continuity Check (CC)"),
    (1 << 30, "Connectivity Verification (CV)"),
    (1 << 29, "Fault Management Signal (FMS)"),
    (1 << 28, "Performance Monitoring/Loss (PM/Loss)"),
    (1 << 27, "Performance Monitoring/Delay (PM/Delay)"),
    (1 << 26, "Performance Monitoring/Throughput Measurement (PM/Throughput)"),
];

/// Attributes TLVs, RFC 5420 3; the registry "Attributes TLV Space".
pub static ATTRIBUTES: Space = Space {
    name: "Attributes TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "Attribute Flags" "RFC 5420 3.1" typed AttributeFlags;
        2 "Service ID TLV" "RFC 6060" opaque "RFC 6060 is not at hand";
        3 "OAM Configuration TLV" "RFC 7260 4.2" typed OamConfiguration;
        4 "WSON Processing Hop Attribute TLV" "RFC 7689" opaque "RFC 7689 is not at hand";
        5 "RTM_SET sub-object" "RFC 8169" opaque "RFC 8169 is not at hand";
        6 "ETLD" "RFC 8577 9.7" typed Etld;
    },
};

/// Sub-TLVs of the OAM Configuration TLV, RFC 7260 5.5.2.
pub static OAM_CONFIGURATION: Space = Space {
    name: "OAM Sub-TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "OAM Function Flags Sub-TLV" "RFC 7260 4.2.1" typed OamFunctionFlags;
    },
};

object! {
    /// LSP_REQUIRED_ATTRIBUTES, RFC 5420 5.1: every node on the way has to support them.
    pub LspRequiredAttributes<'a>: LSP_REQUIRED_ATTRIBUTES 1 {
        /// The attributes.
        tlvs(records ATTRIBUTES);
    }

    /// LSP_ATTRIBUTES, RFC 5420 4.1: the ends of the LSP have to support them.
    pub LspAttributes<'a>: LSP_ATTRIBUTES 1 {
        /// The attributes.
        tlvs(records ATTRIBUTES);
    }
}

record! {
    /// Attribute Flags, RFC 5420 3.1.
    pub AttributeFlags<'a>: ATTRIBUTES 1 {
        /// Bits 0 to 31.
        flags(u32 flags ATTRIBUTE_FLAGS);
        /// Bits 32 and on, in words; none has a meaning yet.
        further_flags(list u32);
    }

    /// OAM Configuration, RFC 7260 4.2.
    pub OamConfiguration<'a>: ATTRIBUTES 3 {
        /// The technology.
        oam_type(u8);
        /// Zero.
        reserved(reserved u32: 24);
        /// What it is to do.
        sub_tlvs(records OAM_CONFIGURATION);
    }

    /// ETLD, RFC 8577 9.7: the effective transport label-stack depth of a hop.
    pub Etld: ATTRIBUTES 6 {
        /// Zero.
        reserved(reserved u32: 24);
        /// Labels that the hop can send; not 0.
        etld(u8);
    }

    /// OAM Function Flags, RFC 7260 4.2.1.
    pub OamFunctionFlags<'a>: OAM_CONFIGURATION 1 {
        /// Bits 0 to 31.
        flags(u32 flags OAM_FUNCTION_FLAGS);
        /// Bits 32 and on, in words; none has a meaning yet.
        further_flags(list u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_both_ways, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{List, RecordsWriter};

    #[test]
    fn flags() {
        let flags = AttributeFlags { flags: 0x0800_2000, further_flags: List::Values(&[1]) };
        let mut room = [0; 16];
        let tlvs = RecordsWriter::new(&ATTRIBUTES, &mut room).put(&flags).finish().unwrap();
        // By hand from RFC 5420 3.1, 4.1 and 5.1: bits 4, 18 and 63.
        both_ways(&octets("0010 c501 0001 000c 08002000 00000001"), &LspAttributes { tlvs });
        both_ways(&octets("0010 4301 0001 000c 08002000 00000001"), &LspRequiredAttributes { tlvs });
        refused::<LspAttributes<'_>>(&octets("0008 c501 0001 000c"), 4, Why::BodyLength);
        refused::<LspRequiredAttributes<'_>>(&octets("0008 4301 0001 0003"), 4, Why::BodyLength);
        record_refused::<AttributeFlags<'_>>(&octets("0001 0004"), 4);
        record_refused::<AttributeFlags<'_>>(&octets("0001 000a 00000000 0000 0000"), 8);
    }

    #[test]
    fn oam_and_label_stack_depth() {
        let functions = OamFunctionFlags { flags: 0x9000_0000, further_flags: List::Values(&[]) };
        let mut room = [0; 16];
        let sub_tlvs = RecordsWriter::new(&OAM_CONFIGURATION, &mut room).put(&functions).finish().unwrap();
        let oam = OamConfiguration { oam_type: 2, reserved: 1, sub_tlvs };
        // By hand from RFC 7260 4.2: CC and PM/Loss.
        record_both_ways(&octets("0003 0010 02 000001 0001 0008 90000000"), 0, &oam);
        record_both_ways(&octets("0001 0008 90000000"), 0, &functions);
        record_refused::<OamConfiguration<'_>>(&octets("0003 0006 0200 0000"), 5);
        // By hand from RFC 8577 9.7.
        record_both_ways(&octets("0006 0008 000001 0c"), 0, &Etld { reserved: 1, etld: 12 });
        record_refused::<Etld>(&octets("0006 000c 000000 0c 00000000"), 8);
    }
}
