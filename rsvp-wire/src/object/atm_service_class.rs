//! ATM_SERVICECLASS, RFC 3496 3.
//!
//! ```text
//! |                       Reserved                          | SC  |
//! ```

use crate::layout::object;

const SERVICE_CLASSES: &[(u64, &str)] = &[(0, "UBR"), (1, "VBR-NRT"), (2, "VBR-RT"), (3, "CBR")];

object! {
    /// ATM_SERVICECLASS, RFC 3496 3.
    pub AtmServiceClass: ATM_SERVICECLASS 1 {
        /// Zero.
        reserved(reserved u32: 29);
        /// SC: the ATM service class of the LSP.
        service_class(u8: 3 code SERVICE_CLASSES);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn service_class() {
        // By hand from RFC 3496 3.
        both_ways(&octets("0008 e301 00000003"), &AtmServiceClass { reserved: 0, service_class: 3 });
        both_ways(
            &octets("0008 e301 8000000a"),
            &AtmServiceClass { reserved: 0x1000_0001, service_class: 2 },
        );
        refused::<AtmServiceClass>(&octets("0004 e301"), 4, Why::BodyLength);
        refused::<AtmServiceClass>(&octets("0008 e302 00000003"), 3, Why::UnknownCType);
    }
}
