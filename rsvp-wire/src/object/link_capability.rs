//! LINK_CAPABILITY, RFC 4974 5.3: what a link at the edge can carry, told when a call is set up.
//!
//! ```text
//! |      Type     |     Length    | (Subobject contents)          |
//! ```
//!
//! RFC 4974 refers to RFC 3209 and RFC 3477 for the figures, which have two for each subobject: of an explicit and of a
//! record route. The registry uses the names of the latter ("IPv4 address"), and so do we; without flags and loose hops
//! both look the same.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::record_route::ADDRESS_FLAGS;
use crate::layout::{Head, Space, object, record, record_rows};

/// Subobjects of LINK_CAPABILITY; the registry "Subobject type - 133 LINK_CAPABILITY".
pub static LINK_CAPABILITY: Space = Space {
    name: "LINK_CAPABILITY subobject",
    header: &[Head::Type(8, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4 address" "RFC 4974 5.3" typed LinkIpv4;
        2 "IPv6 address" "RFC 4974 5.3" typed LinkIpv6;
        4 "Unnumbered Interface ID" "RFC 4974 5.3" typed LinkUnnumbered;
        64 "Maximum Reservable Bandwidth" "RFC 4974 5.3" opaque "RFC 4201 is not at hand";
        65 "Interface Switching Capability Descriptor" "RFC 4974 5.3" opaque "RFC 4202 is not at hand";
    },
};

object! {
    /// LINK_CAPABILITY, RFC 4974 5.3.
    pub LinkCapability<'a>: LINK_CAPABILITY 1 {
        /// Links, each followed by what it can carry.
        subobjects(records LINK_CAPABILITY);
    }
}

record! {
    /// The local IPv4 address of a link or bundle; the figure is that of RFC 3209 4.4.1.1.
    pub LinkIpv4: LINK_CAPABILITY 1 {
        /// Address.
        address(Ipv4Addr);
        /// 32.
        prefix_length(u8);
        /// Without a meaning here.
        flags(u8 flags ADDRESS_FLAGS);
    }

    /// The local IPv6 address of a link or bundle; the figure is that of RFC 3209 4.4.1.2.
    pub LinkIpv6: LINK_CAPABILITY 2 {
        /// Address.
        address(Ipv6Addr);
        /// 128.
        prefix_length(u8);
        /// Without a meaning here.
        flags(u8 flags ADDRESS_FLAGS);
    }

    /// The local identifier of an unnumbered link or bundle; the figure is that of RFC 3477 5.
    pub LinkUnnumbered: LINK_CAPABILITY 4 {
        /// Without a meaning here.
        flags(u8 flags ADDRESS_FLAGS);
        /// Zero.
        reserved(reserved u8);
        /// The node.
        router_id(Ipv4Addr);
        /// Its interface.
        interface_id(u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_both_ways, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::RecordsWriter;

    #[test]
    fn links() {
        // By hand from RFC 4974 5.3 with the figures of RFC 3209 4.4.1 and RFC 3477 5.
        let ipv4 = LinkIpv4 { address: Ipv4Addr::new(10, 0, 0, 1), prefix_length: 32, flags: 0 };
        let unnumbered =
            LinkUnnumbered { flags: 0, reserved: 1, router_id: Ipv4Addr::new(10, 0, 0, 9), interface_id: 7 };
        let mut room = [0; 32];
        let writer = RecordsWriter::new(&LINK_CAPABILITY, &mut room).put(&ipv4).put(&unnumbered);
        let capability = LinkCapability { subobjects: writer.finish().unwrap() };
        both_ways(&octets("0018 8501 01 08 0a000001 20 00 04 0c 00 01 0a000009 00000007"), &capability);
        refused::<LinkCapability<'_>>(&octets("0008 8501 01 08 0a00"), 4, Why::BodyLength);
        let ipv6 =
            LinkIpv6 { address: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1), prefix_length: 128, flags: 0 };
        record_both_ways(&octets("02 14 fd000000 00000000 00000000 00000001 80 00"), 0, &ipv6);
        record_refused::<LinkUnnumbered>(&octets("04 08 00 00 0a000009"), 8);
    }
}
