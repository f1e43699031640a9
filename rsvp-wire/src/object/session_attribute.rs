//! SESSION_ATTRIBUTE, RFC 3209 4.7: priorities, wishes and a name of an LSP tunnel.
//!
//! ```text
//! C-Type 1 only: |  Exclude-any  |  Include-any  |  Include-all  |  (a word each)
//! |   Setup Prio  | Holding Prio  |     Flags     |  Name Length  |
//! //          Session Name      (NULL padded display string)      //
//! ```

use crate::layout::object;

/// The registry "Session Attribute Object Flags".
pub(crate) const FLAGS: &[(u64, &str)] = &[
    (0x01, "Local protection desired"),
    (0x02, "Label recording desired"),
    (0x04, "SE Style desired"),
    (0x08, "Bandwidth protection desired"),
    (0x10, "Node protection desired"),
    (0x20, "Path re-evaluation request"),
    (0x40, "Soft Preemption Desired"),
];

object! {
    /// SESSION_ATTRIBUTE without resource affinities, RFC 3209 4.7.1.
    pub SessionAttribute<'a>: SESSION_ATTRIBUTE 7 {
        /// Priority for taking resources: 0, the highest, to 7.
        setup_priority(u8);
        /// Priority for keeping them: 0, the highest, to 7.
        holding_priority(u8);
        /// What is desired.
        flags(u8 flags FLAGS);
        @session_name_length(u8 of session_name);
        /// A display string.
        session_name(text by session_name_length);
        /// Fills the last word.
        padding(padding);
    }

    /// SESSION_ATTRIBUTE with resource affinities, RFC 3209 4.7.2.
    pub SessionAttributeWithAffinity<'a>: SESSION_ATTRIBUTE 1 {
        /// Links with any of these attributes are unacceptable.
        exclude_any(u32);
        /// Links need any of these attributes, if there are any.
        include_any(u32);
        /// Links need all of these attributes.
        include_all(u32);
        /// Priority for taking resources: 0, the highest, to 7.
        setup_priority(u8);
        /// Priority for keeping them: 0, the highest, to 7.
        holding_priority(u8);
        /// What is desired.
        flags(u8 flags FLAGS);
        @session_name_length(u8 of session_name);
        /// A display string.
        session_name(text by session_name_length);
        /// Fills the last word.
        padding(padding);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::Padding;

    #[test]
    fn without_affinity() {
        // wireshark-mpls-te, packet 1.
        let attribute = SessionAttribute {
            setup_priority: 0,
            holding_priority: 0,
            flags: 4,
            session_name: b"sys17-3_t1",
            padding: Padding::default(),
        };
        both_ways(&octets("0014 cf07 00 00 04 0a 73797331372d335f7431 0000"), &attribute);
        // By hand: the name is longer than the object; a word more than the name.
        refused::<SessionAttribute<'_>>(&octets("000c cf07 00 00 04 05 61626364"), 8, Why::BodyLength);
        refused::<SessionAttribute<'_>>(&octets("000c cf07 00 00 04 00 00000000"), 8, Why::BodyLength);
    }

    #[test]
    fn with_affinity() {
        // By hand from RFC 3209 4.7.2.
        let attribute = SessionAttributeWithAffinity {
            exclude_any: 1,
            include_any: 2,
            include_all: 4,
            setup_priority: 7,
            holding_priority: 6,
            flags: 0x41,
            session_name: b"",
            padding: Padding::default(),
        };
        both_ways(&octets("0014 cf01 00000001 00000002 00000004 07 06 41 00"), &attribute);
    }
}
