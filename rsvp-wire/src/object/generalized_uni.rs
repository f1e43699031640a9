//! GENERALIZED_UNI, RFC 3476 3.1: what a user asks of an optical transport network.
//!
//! ```text
//! |       Length                  |    Type       |  Sub-Type     |
//! //                             Value                           //
//! ```
//!
//! RFC 3476 leaves the contents of the subobjects to the OIF's UNI 1.0, which is not at hand; that an address of the
//! sub-type IPv4 has 4 octets and one of IPv6 16 is all that is taken for granted.

use crate::layout::{Head, Space, layout, object, record, record_rows};

/// Subobjects of GENERALIZED_UNI, RFC 3476 3.1.
pub static GENERALIZED_UNI: Space = Space {
    name: "GENERALIZED_UNI subobject",
    header: &[Head::Length(16), Head::Type(8, "type"), Head::Extra(8, "sub_type")],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "Source TNA" "RFC 3476 3.1" laid TNA;
        2 "Destination TNA" "RFC 3476 3.1" laid TNA;
        3 "Diversity" "RFC 3476 3.1" opaque "its contents are described in OIF UNI 1.0, which is not at hand";
        4 "Egress label" "RFC 3476 3.1, RFC 3474 3" opaque "its contents are described in OIF UNI 1.0, which is not at hand";
        5 "Service level" "RFC 3476 3.1" opaque "its contents are described in OIF UNI 1.0, which is not at hand";
    },
};

object! {
    /// GENERALIZED_UNI, RFC 3476 3.1.
    pub GeneralizedUni<'a>: GENERALIZED_UNI 1 {
        /// What is asked.
        subobjects(records GENERALIZED_UNI);
    }
}

record! {
    /// Source TNA (Transport Network Assigned address), RFC 3476 3.1. The sub-type,
    /// [`RecordRef::extra`](crate::layout::RecordRef::extra), is 1 for IPv4, 2 for IPv6, 3 for NSAP.
    pub SourceTna<'a>: GENERALIZED_UNI 1 {
        /// The address.
        address(octets);
    }

    /// Destination TNA, RFC 3476 3.1, with the sub-types of [`SourceTna`].
    pub DestinationTna<'a>: GENERALIZED_UNI 2 {
        /// The address.
        address(octets);
    }
}

layout! {
    TNA {
        value(choice sub_type { 1 => IPV4, 2 => IPV6, _ => ANY });
    }
    IPV4 {
        address(Ipv4Addr);
    }
    IPV6 {
        address(Ipv6Addr);
    }
    ANY {
        address(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::RecordsWriter;
    use crate::message::ObjectRef;

    #[test]
    fn subobjects() {
        // By hand from RFC 3476 3.1.
        let hex = "001c e501 0008 01 01 c0000201 0009 02 03 4700918100 000000 0004 05 01";
        let octets = octets(hex);
        let source = SourceTna { address: &[192, 0, 2, 1] };
        let destination = DestinationTna { address: &[0x47, 0, 0x91, 0x81, 0] };
        let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
        let uni: GeneralizedUni<'_> = object.read().unwrap();
        let mut subobjects = uni.subobjects.iter().map(Result::unwrap);
        let first = subobjects.next().unwrap();
        assert_eq!((first.extra, first.read()), (1, Ok(source)));
        let second = subobjects.next().unwrap();
        assert_eq!((second.extra, second.read()), (3, Ok(destination)));
        assert_eq!(subobjects.next().map(|last| (last.key, last.body().len())), Some((5, 0)));
        let mut room = [0; 32];
        let writer = RecordsWriter::new(&GENERALIZED_UNI, &mut room);
        let written = writer.put_with(&source, 1).put_with(&destination, 3).finish().unwrap();
        assert_eq!(written.octets(), &octets[4..24]);
        both_ways(&octets, &uni);
    }

    #[test]
    fn lengths_that_do_not_fit() {
        refused::<GeneralizedUni<'_>>(&octets("000c e501 0010 01 01 c0000201"), 4, Why::BodyLength);
        refused::<GeneralizedUni<'_>>(&octets("0008 e501 0003 01 01"), 4, Why::BodyLength);
    }
}
