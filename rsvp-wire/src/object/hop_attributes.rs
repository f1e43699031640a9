//! Attributes of a hop in explicit and record routes: RFC 7570 2 and 3, RFC 5420 7.2.
//!
//! ```text
//! ERO Hop Attributes  |L|    Type     |     Length    |    Reserved                 |R|
//!                     //                  Hop Attributes TLVs                        //
//! RRO Hop Attributes  |      Type     |     Length    |    Reserved                   |
//!                     //                  Hop Attributes TLVs                        //
//! RRO Attributes      |      Type     |     Length    |           Reserved            |
//!                     //                       Attribute Flags                       //
//! ```

use super::explicit_route::EXPLICIT_ROUTE;
use super::lsp_attributes::{ATTRIBUTE_FLAGS, ATTRIBUTES};
use super::record_route::RECORD_ROUTE;
use crate::layout::record;

record! {
    /// Hop Attributes of an explicit route, RFC 7570 2.1.
    pub HopAttributes<'a>: EXPLICIT_ROUTE 35 {
        /// Zero.
        reserved(reserved u16: 15);
        /// The hop has to support them.
        required(bool);
        /// What the hop before is to do.
        tlvs(records ATTRIBUTES);
    }

    /// Hop Attributes of a record route, RFC 7570 3.1.
    pub RecordedHopAttributes<'a>: RECORD_ROUTE 35 {
        /// Zero.
        reserved(reserved u16);
        /// What the hop before has done.
        tlvs(records ATTRIBUTES);
    }

    /// RRO Attributes, RFC 5420 7.2.
    pub RecordedAttributes<'a>: RECORD_ROUTE 5 {
        /// Zero.
        reserved(reserved u16);
        /// Bits 0 to 31.
        flags(u32 flags ATTRIBUTE_FLAGS);
        /// Bits 32 and on, in words; none has a meaning yet.
        further_flags(list u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lsp_attributes::Etld;
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;
    use crate::layout::{List, RecordsWriter};

    #[test]
    fn tlvs_of_a_hop() {
        let mut room = [0; 8];
        let etld = Etld { reserved: 0, etld: 3 };
        let tlvs = RecordsWriter::new(&ATTRIBUTES, &mut room).put(&etld).finish().unwrap();
        // By hand from RFC 7570 2.1 and 3.1.
        let attributes = HopAttributes { reserved: 2, required: true, tlvs };
        record_both_ways(&octets("23 0c 0005 0006 0008 00000003"), 0, &attributes);
        let attributes = RecordedHopAttributes { reserved: 1, tlvs };
        record_both_ways(&octets("23 0c 0001 0006 0008 00000003"), 0, &attributes);
        record_refused::<HopAttributes<'_>>(&octets("23 08 0001 0006 000c"), 4);
        record_refused::<RecordedHopAttributes<'_>>(&octets("23 03 00"), 2);
    }

    #[test]
    fn flags_of_a_hop() {
        // By hand from RFC 5420 7.2: bit 4, Contiguous LSP.
        let attributes = RecordedAttributes { reserved: 1, flags: 1 << 27, further_flags: List::Values(&[]) };
        record_both_ways(&octets("05 08 0001 08000000"), 0, &attributes);
        record_refused::<RecordedAttributes<'_>>(&octets("05 04 0000"), 4);
    }
}
