//! DIFFSERV, RFC 3270 5.2, and CLASSTYPE, RFC 4124 6.2: which packets an LSP is for.
//!
//! ```text
//! DIFFSERV, C-Type 1  |        Reserved                                       | MAPnb |
//! a MAP, MAPnb times  |            Reserved     | EXP |             PHBID             |
//!
//! DIFFSERV, C-Type 2  |        Reserved               |             PSC               |
//! CLASSTYPE           |        Reserved                                         |  CT |
//! ```
//!
//! How PHBID and PSC encode behaviours (RFC 3140) is not taken apart here.

use crate::layout::{object, part};

object! {
    /// DIFFSERV for an E-LSP, RFC 3270 5.2.1.
    pub DiffservELsp<'a>: DIFFSERV 1 {
        /// Zero.
        reserved(reserved u32: 28);
        /// How many maps, 0 to 8.
        map_count(u8: 4);
        /// What the values of the EXP field mean.
        maps(groups DiffservMap count map_count);
    }

    /// DIFFSERV for an L-LSP, RFC 3270 5.2.2.
    pub DiffservLLsp: DIFFSERV 2 {
        /// Zero.
        reserved(reserved u16);
        /// The PHB scheduling class.
        psc(u16);
    }

    /// CLASSTYPE, RFC 4124 6.2.1.
    pub ClassType: CLASSTYPE 1 {
        /// Zero.
        reserved(reserved u32: 29);
        /// The class type, 1 to 7.
        class_type(u8: 3);
    }
}

part! {
    /// MAP, RFC 3270 5.2.1.
    pub DiffservMap {
        /// Zero.
        reserved(reserved u16: 13);
        /// A value of the EXP field.
        exp(u8: 3);
        /// The per-hop behaviour it stands for.
        phbid(u16);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    #[test]
    fn e_lsp() {
        // By hand from RFC 3270 5.2.1: EXP 5 is EF (DSCP 46 in the first six bits), EXP 1 is AF11 (DSCP 10).
        let maps = [
            DiffservMap { reserved: 1, exp: 5, phbid: 0xb800 },
            DiffservMap { reserved: 0, exp: 1, phbid: 0x2800 },
        ];
        let diffserv = DiffservELsp { reserved: 1, map_count: 2, maps: List::Values(&maps) };
        both_ways(&octets("0010 4101 00000012 000d b800 0001 2800"), &diffserv);
        refused::<DiffservELsp<'_>>(&octets("000c 4101 00000002 0005 b800"), 8, Why::BodyLength);
        refused::<DiffservELsp<'_>>(&octets("000c 4101 00000000 0005 b800"), 8, Why::BodyLength);
    }

    #[test]
    fn l_lsp_and_class_type() {
        // By hand from RFC 3270 5.2.2 and RFC 4124 6.2.1.
        both_ways(&octets("0008 4102 0001 2802"), &DiffservLLsp { reserved: 1, psc: 0x2802 });
        refused::<DiffservLLsp>(&octets("0004 4102"), 4, Why::BodyLength);
        both_ways(&octets("0008 4201 0000000d"), &ClassType { reserved: 1, class_type: 5 });
        refused::<ClassType>(&octets("000c 4201 00000005 00000000"), 8, Why::BodyLength);
    }
}
