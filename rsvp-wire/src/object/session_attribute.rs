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
