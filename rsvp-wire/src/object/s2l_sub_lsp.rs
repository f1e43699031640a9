//! S2L_SUB_LSP, RFC 4875 19.3, and S2L_SUB_LSP_FRAG, RFC 8149 5.3: a leaf of a tree, and the part of its description.
//!
//! ```text
//! S2L_SUB_LSP       |   IPv4 or IPv6 S2L Sub-LSP destination address        |
//! S2L_SUB_LSP_FRAG  |      Fragment ID        | Fragments Tot.|Fragment Num.|
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

object! {
    /// S2L_SUB_LSP_IPv4, RFC 4875 19.3.1.
    pub S2lSubLspIpv4: S2L_SUB_LSP 1 {
        /// Destination of the sub-LSP.
        destination(Ipv4Addr);
    }

    /// S2L_SUB_LSP_IPv6, RFC 4875 19.3.2.
    pub S2lSubLspIpv6: S2L_SUB_LSP 2 {
        /// Destination of the sub-LSP.
        destination(Ipv6Addr);
    }

    /// S2L_SUB_LSP_FRAG, RFC 8149 5.3.
    pub S2lSubLspFragment: S2L_SUB_LSP_FRAG 1 {
        /// The message that is in fragments, from 1 on.
        fragment_id(u16);
        /// How many fragments it has.
        fragments_total(u8);
        /// Which of them this is.
        fragment_number(u8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn leaves() {
        // By hand from RFC 4875 19.3.
        both_ways(&octets("0008 3201 0a000001"), &S2lSubLspIpv4 { destination: Ipv4Addr::new(10, 0, 0, 1) });
        let destination = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        both_ways(&octets("0014 3202 fd000000 00000000 00000000 00000001"), &S2lSubLspIpv6 { destination });
        refused::<S2lSubLspIpv4>(&octets("000c 3201 0a000001 00000000"), 8, Why::BodyLength);
        refused::<S2lSubLspIpv6>(&octets("0008 3202 fd000000"), 4, Why::BodyLength);
    }

    #[test]
    fn fragments() {
        // By hand from RFC 8149 5.3.
        let fragment = S2lSubLspFragment { fragment_id: 258, fragments_total: 3, fragment_number: 2 };
        both_ways(&octets("0008 cc01 0102 03 02"), &fragment);
        refused::<S2lSubLspFragment>(&octets("000c cc01 0102 03 02 00000000"), 8, Why::BodyLength);
    }
}
