//! Generalized LABEL_REQUEST, RFC 3473 2.1 and RFC 3471 3.1.1; Generalized Channel_Set LABEL_REQUEST, RFC 6002 3.1.
//!
//! ```text
//! C-Type 4, and C-Type 5 alike
//! | LSP Enc. Type |Switching Type |             G-PID             |
//! ```
//!
//! Whether the three fit each other is not checked.

use super::label::L3PIDS;
use crate::layout::object;

/// LSP Encoding Types: RFC 3471 3.1.1, RFC 4328 3.1.1.
pub(crate) const LSP_ENCODING_TYPES: &[(u64, &str)] = &[
    (1, "Packet"),
    (2, "Ethernet"),
    (3, "ANSI/ETSI PDH"),
    (5, "SDH ITU-T G.707 / SONET ANSI T1.105"),
    (7, "Digital Wrapper"),
    (8, "Lambda (photonic)"),
    (9, "Fiber"),
    (11, "FiberChannel"),
    (12, "G.709 ODUk (Digital Path)"),
    (13, "G.709 Optical Channel"),
];

/// Switching Types: RFC 3471 3.1.1, RFC 6002 4.1.
pub(crate) const SWITCHING_TYPES: &[(u64, &str)] = &[
    (1, "PSC-1"),
    (2, "PSC-2"),
    (3, "PSC-3"),
    (4, "PSC-4"),
    (51, "L2SC"),
    (100, "TDM"),
    (125, "DCSC"),
    (150, "LSC"),
    (200, "FSC"),
];

/// Generalized PIDs: RFC 3471 3.1.1, RFC 4328 3.1.3, and RFC 7139 4, which renames 47 and 56.
const G_PIDS: &[(u64, &str)] = &[
    (0, "Unknown"),
    (5, "Asynchronous mapping of E4"),
    (6, "Asynchronous mapping of DS3/T3"),
    (7, "Asynchronous mapping of E3"),
    (8, "Bit synchronous mapping of E3"),
    (9, "Byte synchronous mapping of E3"),
    (10, "Asynchronous mapping of DS2/T2"),
    (11, "Bit synchronous mapping of DS2/T2"),
    (13, "Asynchronous mapping of E1"),
    (14, "Byte synchronous mapping of E1"),
    (15, "Byte synchronous mapping of 31 * DS0"),
    (16, "Asynchronous mapping of DS1/T1"),
    (17, "Bit synchronous mapping of DS1/T1"),
    (18, "Byte synchronous mapping of DS1/T1"),
    (19, "VC-11 in VC-12"),
    (22, "DS1 SF Asynchronous"),
    (23, "DS1 ESF Asynchronous"),
    (24, "DS3 M23 Asynchronous"),
    (25, "DS3 C-Bit Parity Asynchronous"),
    (26, "VT/LOVC"),
    (27, "STS SPE/HOVC"),
    (28, "POS - No Scrambling, 16 bit CRC"),
    (29, "POS - No Scrambling, 32 bit CRC"),
    (30, "POS - Scrambling, 16 bit CRC"),
    (31, "POS - Scrambling, 32 bit CRC"),
    (32, "ATM mapping"),
    (33, "Ethernet PHY"),
    (34, "SONET/SDH"),
    (36, "Digital Wrapper"),
    (37, "Lambda"),
    (38, "ANSI/ETSI PDH"),
    (40, "Link Access Protocol SDH"),
    (41, "FDDI"),
    (42, "DQDB"),
    (43, "FiberChannel-3 (Services)"),
    (44, "HDLC"),
    (45, "Ethernet V2/DIX (only)"),
    (46, "Ethernet 802.3 (only)"),
    (47, "G.709 ODU-2.5G"),
    (48, "G.709 OTUk(v)"),
    (49, "CBR/CBRa"),
    (50, "CBRb"),
    (51, "BSOT"),
    (52, "BSNT"),
    (53, "IP/PPP (GFP)"),
    (54, "Ethernet MAC (framed GFP)"),
    (55, "Ethernet PHY (transparent GFP)"),
    (56, "SBCON/ESCON"),
    (57, "FICON"),
    (58, "Fiber Channel"),
    (59, "Framed GFP"),
    (60, "STM-1"),
    (61, "STM-4"),
    (62, "InfiniBand"),
    (63, "Serial Digital Interface"),
    (64, "SDI/1.001"),
    (65, "DVB_ASI"),
    (66, "G.709 ODU-1.25G"),
    (67, "G.709 ODU-any"),
    (68, "Null Test"),
    (69, "Random Test"),
    (70, "64B/66B GFP-F Ethernet"),
];

/// The name of a G-PID; those of packet LSPs are Ethertypes.
pub(crate) fn g_pid_name(g_pid: u64) -> Option<&'static str> {
    let known = G_PIDS.iter().chain(L3PIDS).find(|(number, _)| *number == g_pid);
    known.map(|(_, name)| *name)
}

object! {
    /// Generalized LABEL_REQUEST, RFC 3473 2.1.
    pub GeneralizedLabelRequest: LABEL_REQUEST 4 {
        /// How the LSP is encoded.
        lsp_encoding_type(u8 code LSP_ENCODING_TYPES);
        /// What is switched.
        switching_type(u8 code SWITCHING_TYPES);
        /// What the LSP carries; an Ethertype for packets.
        g_pid(u16 code fn g_pid_name);
    }

    /// Generalized Channel_Set LABEL_REQUEST, RFC 6002 3.1.
    pub ChannelSetLabelRequest: LABEL_REQUEST 5 {
        /// How the LSP is encoded.
        lsp_encoding_type(u8 code LSP_ENCODING_TYPES);
        /// What is switched.
        switching_type(u8 code SWITCHING_TYPES);
        /// What the LSP carries; an Ethertype for packets.
        g_pid(u16 code fn g_pid_name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn requests() {
        // By hand from RFC 3473 2.1 and RFC 6002 3.1.
        let request = GeneralizedLabelRequest { lsp_encoding_type: 5, switching_type: 100, g_pid: 34 };
        both_ways(&octets("0008 1304 05 64 0022"), &request);
        let request = ChannelSetLabelRequest { lsp_encoding_type: 2, switching_type: 125, g_pid: 33 };
        both_ways(&octets("0008 1305 02 7d 0021"), &request);
        refused::<GeneralizedLabelRequest>(&octets("000c 1304 05 64 0022 00000000"), 8, Why::BodyLength);
        refused::<GeneralizedLabelRequest>(&octets("0008 1305 05 64 0022"), 3, Why::UnknownCType);
    }

    #[test]
    fn names_of_payloads() {
        assert_eq!(g_pid_name(56), Some("SBCON/ESCON"));
        assert_eq!(g_pid_name(0x0800), Some("IPv4"));
        assert_eq!(g_pid_name(4), None);
    }
}
