//! CALL_ATTRIBUTES, RFC 6001 5.1: what a call is to have; the registry of its TLVs.
//!
//! ```text
//! TLV                    |             Type              |           Length              |  and zeros to a multiple of 4
//! Call Attributes Flags  |  bits 0 (most significant) to 31, and words of further ones   |
//! ```

use crate::layout::{Head, Space, object, record, record_rows};

/// The registry "Call Attributes Flags".
const FLAGS: &[(u64, &str)] = &[(1 << 31, "Call Inheritance Flag")];

/// Call Attributes TLVs, RFC 6001 5.1.3; the registry "Call Attributes TLV".
pub static CALL_ATTRIBUTES: Space = Space {
    name: "Call Attributes TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "Call Attributes Flags TLV" "RFC 6001 5.1.4" typed CallAttributesFlags;
        2 "Endpoint ID" "RFC 6004" opaque "RFC 6004 is not at hand";
        3 "Service ID TLV" "RFC 6060" opaque "RFC 6060 is not at hand";
        4 "VCAT TLV" "RFC 6344" opaque "RFC 6344 is not at hand";
    },
};

object! {
    /// CALL_ATTRIBUTES, RFC 6001 5.1.1.
    pub CallAttributes<'a>: CALL_ATTRIBUTES 1 {
        /// The attributes.
        tlvs(records CALL_ATTRIBUTES);
    }
}

record! {
    /// Call Attributes Flags, RFC 6001 5.1.4.
    pub CallAttributesFlags<'a>: CALL_ATTRIBUTES 1 {
        /// Bits 0 to 31.
        flags(u32 flags FLAGS);
        /// Bits 32 and on, in words; none has a meaning yet.
        further_flags(list u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{List, RecordsWriter};

    #[test]
    fn flags() {
        let flags = CallAttributesFlags { flags: 1 << 31, further_flags: List::Values(&[]) };
        let mut room = [0; 8];
        let tlvs = RecordsWriter::new(&CALL_ATTRIBUTES, &mut room).put(&flags).finish().unwrap();
        // By hand from RFC 6001 5.1.
        both_ways(&octets("000c ca01 0001 0008 80000000"), &CallAttributes { tlvs });
        refused::<CallAttributes<'_>>(&octets("0008 ca01 0001 0008"), 4, Why::BodyLength);
        record_refused::<CallAttributesFlags<'_>>(&octets("0001 0004"), 4);
    }
}
