//! The Label subobject of an explicit route, RFC 3473 5.1. That of a record route is in `record_route`.
//!
//! ```text
//! |L|    Type     |     Length    |U|   Reserved  |   C-Type      |
//! |                             Label  ...                        |
//! ```
//!
//! The label stays in words: what they are, the C-Type and the link say.

use super::explicit_route::EXPLICIT_ROUTE;
use super::label::label_name;
use crate::layout::record;

record! {
    /// Label, RFC 3473 5.1.
    pub ExplicitLabel<'a>: EXPLICIT_ROUTE 3 {
        /// For the upstream direction of a bidirectional LSP.
        upstream(bool);
        /// Zero.
        reserved(reserved u8: 7);
        /// C-Type of the RSVP_LABEL.
        c_type(u8);
        /// The words of its body.
        label(list u32 code with c_type fn label_name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;
    use crate::layout::List;

    #[test]
    fn label() {
        // By hand from RFC 3473 5.1.
        let label = ExplicitLabel { upstream: true, reserved: 1, c_type: 2, label: List::Values(&[17, 18]) };
        record_both_ways(&octets("03 0c 81 02 00000011 00000012"), 0, &label);
        record_refused::<ExplicitLabel<'_>>(&octets("03 06 00 02 0011"), 4);
        record_refused::<ExplicitLabel<'_>>(&octets("03 03 00"), 3);
    }
}
