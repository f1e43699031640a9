//! RSVP_LABEL, RFC 3209 4.1, and LABEL_REQUEST, RFC 3209 4.2.
//!
//! ```text
//! RSVP_LABEL, C-Type 1                LABEL_REQUEST, C-Type 1, and what C-Type 2 (ATM) and 3 (Frame Relay) add
//! |           (top label)        |    |       Reserved        |         L3PID         |
//!                                     |M| Res |    Minimum VPI        |      Minimum VCI              |
//!                                     |  Res  |    Maximum VPI        |      Maximum VCI              |
//!                                     | Reserved    |DLI|                     Minimum DLCI            |
//!                                     | Reserved        |                     Maximum DLCI            |
//! ```
//!
//! The label of an ATM or Frame Relay network is right-justified in the word; that is not taken apart here.

use crate::layout::{Name, object};

/// Ethertypes that are carried over LSPs.
pub(crate) const L3PIDS: &[(u64, &str)] =
    &[(0x0800, "IPv4"), (0x86dd, "IPv6"), (0x8847, "MPLS"), (0x8848, "MPLS multicast")];

const DLIS: &[(u64, &str)] = &[(0, "10 bits"), (2, "23 bits")];

/// Labels that are none of a path: RFC 3032 2.1, and those that were added to its registry.
pub(super) const SPECIAL_LABELS: &[(u64, &str)] = &[
    (0, "IPv4 Explicit NULL"),
    (1, "Router Alert"),
    (2, "IPv6 Explicit NULL"),
    (3, "Implicit NULL"),
    (7, "Entropy Label Indicator"),
    (13, "Generic Associated Channel"),
    (14, "OAM Alert"),
    (15, "Extension"),
];

/// The special label that a word of a label is, by the C-Type of the RSVP_LABEL that has it: 1, or 2 for a Generalized Label.
pub(super) fn label_name(ctype: u64, word: u64) -> Option<Name> {
    match ctype {
        1 => SPECIAL_LABELS.iter().find(|(label, _)| *label == word).map(|(_, name)| *name),
        2 => generalized_label_name(word),
        _ => None,
    }
    .map(Name::Words)
}

/// The special labels that are signalled. A Generalized Label does not say whether it is one of packets: of other links these are
/// the numbers of ports, slots and the like (RFC 3471 3.2).
pub(super) fn generalized_label_name(word: u64) -> Option<&'static str> {
    match word {
        0 => Some("IPv4 Explicit NULL if MPLS"),
        2 => Some("IPv6 Explicit NULL if MPLS"),
        3 => Some("Implicit NULL if MPLS"),
        _ => None,
    }
}

object! {
    /// RSVP_LABEL, RFC 3209 4.1.
    pub Label: RSVP_LABEL 1 {
        /// A label of the generic 20 bits, or of ATM or Frame Relay, right-justified.
        label(u32 code SPECIAL_LABELS);
    }

    /// LABEL_REQUEST without a label range, RFC 3209 4.2.1.
    pub LabelRequest: LABEL_REQUEST 1 {
        /// Zero.
        reserved(reserved u16);
        /// The layer 3 protocol of the path, an Ethertype.
        l3pid(u16 code L3PIDS);
    }

    /// LABEL_REQUEST with an ATM label range, RFC 3209 4.2.2.
    pub AtmLabelRequest: LABEL_REQUEST 2 {
        /// Zero.
        reserved(reserved u16);
        /// The layer 3 protocol of the path, an Ethertype.
        l3pid(u16 code L3PIDS);
        /// Whether the node can merge in the data plane.
        merge(bool);
        /// Zero.
        reserved_2(reserved u8: 3);
        /// Lower bound of the VPIs.
        minimum_vpi(u16: 12);
        /// Lower bound of the VCIs.
        minimum_vci(u16);
        /// Zero.
        reserved_3(reserved u8: 4);
        /// Upper bound of the VPIs.
        maximum_vpi(u16: 12);
        /// Upper bound of the VCIs.
        maximum_vci(u16);
    }

    /// LABEL_REQUEST with a Frame Relay label range, RFC 3209 4.2.3.
    pub FrameRelayLabelRequest: LABEL_REQUEST 3 {
        /// Zero.
        reserved(reserved u16);
        /// The layer 3 protocol of the path, an Ethertype.
        l3pid(u16 code L3PIDS);
        /// Zero.
        reserved_2(reserved u8: 7);
        /// Number of bits of a DLCI.
        dli(u8: 2 code DLIS);
        /// Lower bound of the DLCIs.
        minimum_dlci(u32: 23);
        /// Zero.
        reserved_3(reserved u16: 9);
        /// Upper bound of the DLCIs.
        maximum_dlci(u32: 23);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn labels_and_requests() {
        // wireshark-mpls-te, packets 2 and 1.
        both_ways(&octets("0008 1001 00000010"), &Label { label: 16 });
        both_ways(&octets("0008 1301 0000 0800"), &LabelRequest { reserved: 0, l3pid: 0x0800 });
        refused::<Label>(&octets("0004 1001"), 4, Why::BodyLength);
        refused::<Label>(&octets("000c 1001 00000010 00000010"), 8, Why::BodyLength);
        refused::<Label>(&octets("0008 1002 00000010"), 3, Why::UnknownCType);
    }

    #[test]
    fn ranges() {
        // By hand from RFC 3209 4.2.2 and 4.2.3.
        let atm = AtmLabelRequest {
            reserved: 0,
            l3pid: 0x86dd,
            merge: true,
            reserved_2: 2,
            minimum_vpi: 1,
            minimum_vci: 5,
            reserved_3: 1,
            maximum_vpi: 255,
            maximum_vci: 65534,
        };
        both_ways(&octets("0010 1302 0000 86dd a001 0005 10ff fffe"), &atm);
        let frame_relay = FrameRelayLabelRequest {
            reserved: 0,
            l3pid: 0x0800,
            reserved_2: 0,
            dli: 2,
            minimum_dlci: 16,
            reserved_3: 0,
            maximum_dlci: 0x7f_ffff,
        };
        both_ways(&octets("0010 1303 0000 0800 01000010 007fffff"), &frame_relay);
    }
}
