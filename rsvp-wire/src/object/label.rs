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

use crate::layout::object;

/// Ethertypes that are carried over LSPs.
pub(crate) const L3PIDS: &[(u64, &str)] =
    &[(0x0800, "IPv4"), (0x86dd, "IPv6"), (0x8847, "MPLS"), (0x8848, "MPLS multicast")];

const DLIS: &[(u64, &str)] = &[(0, "10 bits"), (2, "23 bits")];

object! {
    /// RSVP_LABEL, RFC 3209 4.1.
    pub Label: RSVP_LABEL 1 {
        /// A label of the generic 20 bits, or of ATM or Frame Relay, right-justified.
        label(u32);
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
