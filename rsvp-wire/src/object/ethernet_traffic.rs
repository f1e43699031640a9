//! Ethernet traffic parameters, RFC 6003 4 and 5: SENDER_TSPEC and FLOWSPEC, and of the other direction of an LSP
//! UPSTREAM_TSPEC and UPSTREAM_FLOWSPEC (RFC 6387 2).
//!
//! ```text
//! C-Type 6 in all four classes                    TLV: |  Type (16)  |  Length (16), with the header  |, and in type 2:
//! |     Switching Granularity     |  MTU  |       |    Profile    |     Index     |            Reserved           |
//! ~                 TLVs                  ~       |                CIR, CBS, EIR, EBS, a word each                |
//! ```
//!
//! That there is at least one TLV is not checked.

use crate::layout::{Head, Space, object, record, record_rows};

/// TLVs of Ethernet traffic parameters, RFC 6003 4.
pub static ETHERNET_TRAFFIC: Space = Space {
    name: "Ethernet SENDER_TSPEC TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        2 "Ethernet Bandwidth Profile" "RFC 6003 4.1" typed EthernetBandwidthProfile;
        3 "Layer 2 Control Protocol (L2CP)" "RFC 6003 4" opaque "RFC 6004 is not at hand";
    },
};

const GRANULARITIES: &[(u64, &str)] =
    &[(0, "Provided in signaling"), (1, "Ethernet Port"), (2, "Ethernet Frame")];

const PROFILES: &[(u64, &str)] = &[(0x01, "Coupling Flag"), (0x02, "Color Mode")];

macro_rules! ethernet {
    ($($name:ident: $class:ident, $section:literal;)+) => {
        object! {
            $(
                #[doc = concat!("Ethernet ", stringify!($class), ", ", $section, ".")]
                pub $name<'a>: $class 6 {
                    /// What kind of link the LSP is made of.
                    switching_granularity(u16 code GRANULARITIES);
                    /// The largest frame.
                    mtu_bytes(u16);
                    /// Profiles.
                    tlvs(records ETHERNET_TRAFFIC);
                }
            )+
        }
    };
}

ethernet! {
    EthernetFlowspec: FLOWSPEC, "RFC 6003 5";
    EthernetSenderTspec: SENDER_TSPEC, "RFC 6003 4";
    EthernetUpstreamFlowspec: UPSTREAM_FLOWSPEC, "RFC 6387 2.1";
    EthernetUpstreamTspec: UPSTREAM_TSPEC, "RFC 6387 2.2";
}

record! {
    /// Ethernet Bandwidth Profile, RFC 6003 4.1.
    pub EthernetBandwidthProfile: ETHERNET_TRAFFIC 2 {
        /// Coupling and color.
        profile(u8 flags PROFILES);
        /// Which traffic class it is for; 0 by default.
        index(u8);
        /// Zero.
        reserved(reserved u16);
        /// Committed Information Rate.
        cir_bytes_per_s(f32);
        /// Committed Burst Size.
        cbs_bytes(f32);
        /// Excess Information Rate.
        eir_bytes_per_s(f32);
        /// Excess Burst Size.
        ebs_bytes(f32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::RecordsWriter;
    use crate::message::ObjectRef;

    const PROFILE: EthernetBandwidthProfile = EthernetBandwidthProfile {
        profile: 3,
        index: 4,
        reserved: 5,
        cir_bytes_per_s: 1_250_000.0,
        cbs_bytes: 3000.0,
        eir_bytes_per_s: 250_000.0,
        ebs_bytes: 2000.0,
    };

    /// By hand from RFC 6003 4 and 4.1, in each class.
    macro_rules! in_class {
        ($test:ident, $class:literal, $name:ident) => {
            #[test]
            fn $test() {
                let mut room = [0; 24];
                let tlvs = RecordsWriter::new(&ETHERNET_TRAFFIC, &mut room).put(&PROFILE).finish().unwrap();
                let hex = concat!(
                    "0020 ",
                    $class,
                    "06 0002 05dc 0002 0018 03 04 0005 49989680 453b8000 48742400 44fa0000"
                );
                let octets_of_class = octets(hex);
                both_ways(&octets_of_class, &$name { switching_granularity: 2, mtu_bytes: 1500, tlvs });
                let (object, _) = ObjectRef::split_first(&octets_of_class, 0).unwrap();
                let read: $name<'_> = object.read().unwrap();
                assert_eq!(read.tlvs.iter().next().unwrap().unwrap().read(), Ok(PROFILE));
                let cut_off = concat!("000c ", $class, "06 0002 05dc 0002 0018");
                refused::<$name<'_>>(&octets(cut_off), 8, Why::BodyLength);
            }
        };
    }

    in_class!(flowspec, "09", EthernetFlowspec);
    in_class!(sender_tspec, "0c", EthernetSenderTspec);
    in_class!(upstream_flowspec, "78", EthernetUpstreamFlowspec);
    in_class!(upstream_tspec, "79", EthernetUpstreamTspec);
}
