//! LABEL_SET, RFC 3473 2.6, and ACCEPTABLE_LABEL_SET, RFC 3473 4.1: which labels may be used; RFC 3471 3.5.1.
//!
//! ```text
//! |    Action     |      Reserved     |        Label Type         |
//! |                          Subchannel 1                         |
//! :                               :                               :
//! |                          Subchannel N                         |
//! ```
//!
//! A subchannel is a label of the type, of one word or more. What the words of a Generalized Label mean depends on the
//! link, which the object does not say: [`SdhLabel`](super::SdhLabel) and its like are for who knows.

use crate::layout::object;

/// What is done with the subchannels, RFC 3471 3.5.1.
pub(crate) const ACTIONS: &[(u64, &str)] =
    &[(0, "Inclusive List"), (1, "Exclusive List"), (2, "Inclusive Range"), (3, "Exclusive Range")];

/// Types of labels are the C-Types of RSVP_LABEL, RFC 3473 2.6.
pub(crate) const LABEL_TYPES: &[(u64, &str)] =
    &[(1, "Type 1 Label"), (2, "Generalized Label"), (3, "Waveband Switching Label")];

object! {
    /// LABEL_SET, RFC 3473 2.6.
    pub LabelSet<'a>: LABEL_SET 1 {
        /// Whether the labels are a list or a range, in the set or out of it.
        action(u8 code ACTIONS);
        /// Zero.
        reserved(reserved u16: 10);
        /// The C-Type of RSVP_LABEL.
        label_type(u16: 14 code LABEL_TYPES);
        /// Labels of that type, word by word; of a range the first and the last, 0 for no bound.
        subchannels(list u32);
    }

    /// ACCEPTABLE_LABEL_SET, RFC 3473 4.1.
    pub AcceptableLabelSet<'a>: ACCEPTABLE_LABEL_SET 1 {
        /// Whether the labels are a list or a range, in the set or out of it.
        action(u8 code ACTIONS);
        /// Zero.
        reserved(reserved u16: 10);
        /// The C-Type of RSVP_LABEL.
        label_type(u16: 14 code LABEL_TYPES);
        /// Labels of that type, word by word; of a range the first and the last, 0 for no bound.
        subchannels(list u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    #[test]
    fn sets() {
        // By hand from RFC 3473 2.6 and 4.1; reserved bits set to 10 0000 0001.
        let set = LabelSet {
            action: 2,
            reserved: 0x201,
            label_type: 1,
            subchannels: List::Values(&[16, 0x000f_ffff]),
        };
        both_ways(&octets("0010 2401 02 8040 01 00000010 000fffff"), &set);
        let none = LabelSet { action: 0, reserved: 0, label_type: 2, subchannels: List::Values(&[]) };
        both_ways(&octets("0008 2401 00 0000 02"), &none);
        let set = AcceptableLabelSet {
            action: 1,
            reserved: 0,
            label_type: 0x3fff,
            subchannels: List::Values(&[7]),
        };
        both_ways(&octets("000c 8201 01 003f ff 00000007"), &set);
        refused::<LabelSet<'_>>(&octets("0004 2401"), 4, Why::BodyLength);
        refused::<AcceptableLabelSet<'_>>(&octets("0008 8202 01000001"), 3, Why::UnknownCType);
    }
}
