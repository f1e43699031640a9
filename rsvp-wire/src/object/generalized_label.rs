//! The labels of GMPLS: RSVP_LABEL, RECOVERY_LABEL, UPSTREAM_LABEL and SUGGESTED_LABEL. RFC 3473 2.3, 2.4, 2.5, 3 and
//! 9.5.1, RFC 6002 3.2.
//!
//! ```text
//! C-Type 1, not RSVP_LABEL                C-Type 2, Generalized               C-Type 3, Waveband Switching
//! |              (top label)         |    |             Label           |     |           Waveband Id           |
//!                                         |              ...            |     |           Start Label           |
//!                                                                             |            End Label            |
//! C-Type 4, Generalized Channel Set: subobjects like
//! |    Action     |  Num Subchannels  |        Label Type         |
//! |                          Subchannel 1                         |
//! :         ...       Subchannel N         |        Padding       :
//! ```
//!
//! What a Generalized Label means depends on the link it is for, which the object does not say: its words are values
//! like [`SdhLabel`](super::SdhLabel) for who knows. Nor does a Channel Set say how long a subchannel is.

use super::label::{SPECIAL_LABELS, generalized_label_name};
use super::label_set::{ACTIONS, LABEL_TYPES};
use crate::layout::{Cursor, object};

/// Generalized, Waveband Switching and Generalized Channel Set labels are the same in all four classes.
macro_rules! labels {
    (
        $class:ident, $word:literal, $generalized:ident $generalized_section:literal,
        $waveband:ident $waveband_section:literal, $channel_set:ident $channel_set_section:literal
    ) => {
        object! {
            #[doc = concat!("Generalized ", $word, ", ", $generalized_section, ".")]
            pub $generalized<'a>: $class 2 {
                /// The label, word by word, or several labels if the LSP is made of several signals.
                label(list u32 code fn generalized_label_name);
            }

            #[doc = concat!("Waveband Switching ", $word, ", ", $waveband_section, ".")]
            pub $waveband: $class 3 {
                /// Identifies the waveband; the sender chooses it.
                waveband_id(u32);
                /// Channel of the lowest wavelength.
                start_label(u32);
                /// Channel of the highest wavelength.
                end_label(u32);
            }

            #[doc = concat!("Generalized Channel Set ", $word, ", ", $channel_set_section, ".")]
            pub $channel_set<'a>: $class 4 {
                /// Whether the subchannels are a list or a range, in the set or out of it.
                action(u8 code ACTIONS);
                /// How many subchannels there are; 0: those of the other direction.
                num_subchannels(u16: 10);
                /// The C-Type of RSVP_LABEL.
                label_type(u16: 14 code LABEL_TYPES);
                /// The subchannels with their padding, and further subobjects; [`split`](Self::split) takes them apart.
                subchannels(octets);
            }
        }

        impl<'a> $channel_set<'a> {
            /// The octets of the subchannels when each has `subchannel_len` octets, without padding; and the next
            /// Channel_Set subobject, if there is one. None if there are fewer octets than that.
            pub fn split(&self, subchannel_len: usize) -> Option<(&'a [u8], Option<Self>)> {
                let len = usize::from(self.num_subchannels).checked_mul(subchannel_len)?;
                let (subchannels, _) = self.subchannels.split_at_checked(len)?;
                let rest = self.subchannels.get(len.next_multiple_of(4)..)?;
                if rest.is_empty() {
                    return Some((subchannels, None));
                }
                let next = Self::take_from(&mut Cursor::new(rest, 0)).ok()?;
                Some((subchannels, Some(next)))
            }
        }
    };
}

labels!(
    RSVP_LABEL,
    "RSVP_LABEL",
    GeneralizedLabel "RFC 3473 2.3",
    WavebandLabel "RFC 3473 2.4",
    ChannelSetLabel "RFC 6002 3.2"
);
labels!(
    RECOVERY_LABEL,
    "RECOVERY_LABEL",
    GeneralizedRecoveryLabel "RFC 3473 9.5.1",
    WavebandRecoveryLabel "RFC 3473 9.5.1",
    ChannelSetRecoveryLabel "RFC 6002 3.3"
);
labels!(
    UPSTREAM_LABEL,
    "UPSTREAM_LABEL",
    GeneralizedUpstreamLabel "RFC 3473 3",
    WavebandUpstreamLabel "RFC 3473 3",
    ChannelSetUpstreamLabel "RFC 6002 3.3"
);
labels!(
    SUGGESTED_LABEL,
    "SUGGESTED_LABEL",
    GeneralizedSuggestedLabel "RFC 3473 2.5",
    WavebandSuggestedLabel "RFC 3473 2.5",
    ChannelSetSuggestedLabel "RFC 6002 3.3"
);

object! {
    /// RECOVERY_LABEL, RFC 3473 9.5.1.
    pub RecoveryLabel: RECOVERY_LABEL 1 {
        /// As in an RSVP_LABEL of C-Type 1: RFC 3209 4.1.
        label(u32 code SPECIAL_LABELS);
    }

    /// UPSTREAM_LABEL, RFC 3473 3.
    pub UpstreamLabel: UPSTREAM_LABEL 1 {
        /// As in an RSVP_LABEL of C-Type 1: RFC 3209 4.1.
        label(u32 code SPECIAL_LABELS);
    }

    /// SUGGESTED_LABEL, RFC 3473 2.5.
    pub SuggestedLabel: SUGGESTED_LABEL 1 {
        /// As in an RSVP_LABEL of C-Type 1: RFC 3209 4.1.
        label(u32 code SPECIAL_LABELS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    #[test]
    fn plain_labels_of_the_other_classes() {
        // By hand from RFC 3473 9.5.1, 3 and 2.5 with RFC 3209 4.1.
        both_ways(&octets("0008 2201 00000010"), &RecoveryLabel { label: 16 });
        both_ways(&octets("0008 2301 000fffff"), &UpstreamLabel { label: 0x000f_ffff });
        both_ways(&octets("0008 8101 00000011"), &SuggestedLabel { label: 17 });
    }

    /// By hand from RFC 3473 2.3 and 2.4 and RFC 6002 3.2, in each class.
    macro_rules! in_class {
        ($test:ident, $class:literal, $generalized:ident, $waveband:ident, $channel_set:ident) => {
            #[test]
            fn $test() {
                let hex = concat!("000c ", $class, "02 00010203 04050607");
                let label = List::Values(&[0x0001_0203, 0x0405_0607]);
                both_ways(&octets(hex), &$generalized { label });
                let hex = concat!("0010 ", $class, "03 00000001 00000020 00000030");
                both_ways(&octets(hex), &$waveband { waveband_id: 1, start_label: 0x20, end_label: 0x30 });
                let hex = concat!("0008 ", $class, "03 00000001");
                refused::<$waveband>(&octets(hex), 8, Why::BodyLength);
                // Two subchannels of 2 octets each in one subobject.
                let hex = concat!("000c ", $class, "04 02 0080 02 0064 00c8");
                let set = $channel_set {
                    action: 2,
                    num_subchannels: 2,
                    label_type: 2,
                    subchannels: &[0, 0x64, 0, 0xc8],
                };
                both_ways(&octets(hex), &set);
                assert_eq!(set.split(2), Some((&[0, 0x64, 0, 0xc8][..], None)));
                refused::<$channel_set<'_>>(&octets(concat!("0004 ", $class, "04")), 4, Why::BodyLength);
            }
        };
    }

    in_class!(labels, "10", GeneralizedLabel, WavebandLabel, ChannelSetLabel);
    in_class!(
        recovery_labels,
        "22",
        GeneralizedRecoveryLabel,
        WavebandRecoveryLabel,
        ChannelSetRecoveryLabel
    );
    in_class!(
        upstream_labels,
        "23",
        GeneralizedUpstreamLabel,
        WavebandUpstreamLabel,
        ChannelSetUpstreamLabel
    );
    in_class!(
        suggested_labels,
        "81",
        GeneralizedSuggestedLabel,
        WavebandSuggestedLabel,
        ChannelSetSuggestedLabel
    );

    #[test]
    fn channel_sets_are_split_by_who_knows_the_size() {
        // By hand from RFC 6002 3.2: three subchannels of 2 octets and padding, then a set of one range.
        let body = octets("0001 0002 0003 ffff 02 0080 02 0010 0020");
        let first = ChannelSetLabel { action: 0, num_subchannels: 3, label_type: 2, subchannels: &body };
        let (subchannels, next) = first.split(2).unwrap();
        assert_eq!(subchannels, [0, 1, 0, 2, 0, 3]);
        let next = next.unwrap();
        assert_eq!((next.action, next.num_subchannels, next.label_type), (2, 2, 2));
        assert_eq!(next.split(2), Some((&[0, 0x10, 0, 0x20][..], None)));
        assert_eq!(next.split(4), None, "too few octets");
        assert_eq!(first.split(usize::MAX), None);
        // Zero subchannels: those of the other direction.
        let same = ChannelSetLabel { action: 0, num_subchannels: 0, label_type: 2, subchannels: &[] };
        assert_eq!(same.split(2), Some((&[][..], None)));
    }
}
