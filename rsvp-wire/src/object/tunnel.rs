//! SESSION_ASSOC and NODE_CHAR, RFC 2746 2.3: sessions through tunnels.
//!
//! ```text
//! SESSION_ASSOC                                          NODE_CHAR
//! |  SESSION object  (for the end-to-end session)  |     |                  Reserved                   |T|
//! |  Sender FILTER-SPEC (for the tunnel session)   |
//! ```
//!
//! The C-Type "should be sent as zero and ignored on receipt"; here it is 0. The embedded objects are whole objects
//! with their headers; that they are a SESSION and a FILTER_SPEC is not checked.

use crate::layout::object;

object! {
    /// SESSION_ASSOC, RFC 2746 2.3.1.
    pub SessionAssoc<'a>: SESSION_ASSOC 0 {
        /// SESSION of the end-to-end session, and FILTER_SPEC of the sender of the tunnel's.
        objects(objects);
    }

    /// NODE_CHAR, RFC 2746 2.3.2.
    pub NodeChar: NODE_CHAR 0 {
        /// Zero.
        reserved(reserved u32: 31);
        /// T: the node knows RSVP over tunnels.
        tunnel_capable(bool);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn both() {
        // By hand from RFC 2746 2.3.1 and 2.3.2.
        let objects = octets("000c 0101 0a000009 11 00 1b59 000c 0a01 c0000201 0000 1389");
        let hex = "001c c000 000c 0101 0a000009 11 00 1b59 000c 0a01 c0000201 0000 1389";
        both_ways(&octets(hex), &SessionAssoc { objects: &objects });
        both_ways(&octets("0008 8000 00000001"), &NodeChar { reserved: 0, tunnel_capable: true });
        both_ways(&octets("0008 8000 80000002"), &NodeChar { reserved: 0x4000_0001, tunnel_capable: false });
        let sent = octets("0008 8007 00000001");
        let (object, _) = crate::ObjectRef::split_first(&sent, 0).expect("an object");
        assert_eq!(
            object.read(),
            Ok(NodeChar { reserved: 0, tunnel_capable: true }),
            "the C-Type is ignored"
        );
        refused::<NodeChar>(&octets("0004 8000"), 4, Why::BodyLength);
        refused::<NodeChar>(&octets("000c 8000 00000001 00000000"), 8, Why::BodyLength);
    }
}
