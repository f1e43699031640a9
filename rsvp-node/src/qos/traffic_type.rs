//! Traffic types of QOS2: intent in a word, and the marks that it is.
//!
//! | type | number | DSCP | 802.1p |
//! |---|---|---|---|
//! | best effort | 0 | 0 | 0 |
//! | background | 1 | 8 | 2 |
//! | excellent effort, audio and video | 2, 3 | 40 | 5 |
//! | voice, control | 4, 5 | 56 | 7 |
//!
//! The priority is for flows on the link whose path is known not to drop tagged frames; whether it is so is not known here.
//! Source: the published page of the traffic types.

use super::marking::Marks;

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TrafficType {
    /// Nothing in particular.
    #[default]
    BestEffort,
    /// May wait for everything else.
    Background,
    /// Matters more than best effort.
    ExcellentEffort,
    /// A stream of sound and pictures.
    AudioVideo,
    /// Speech of people who wait for an answer.
    Voice,
    /// What controls the network.
    Control,
}

impl TrafficType {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::BestEffort,
        Self::Background,
        Self::ExcellentEffort,
        Self::AudioVideo,
        Self::Voice,
        Self::Control,
    ];

    /// The number of the type.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Its marks.
    #[must_use]
    pub const fn marks(self) -> Marks {
        match self {
            Self::BestEffort => Marks { dscp: 0, priority: 0 },
            Self::Background => Marks { dscp: 8, priority: 2 },
            Self::ExcellentEffort | Self::AudioVideo => Marks { dscp: 40, priority: 5 },
            Self::Voice | Self::Control => Marks { dscp: 56, priority: 7 },
        }
    }
}

/// How a flow keeps to the rate that is set for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shaping {
    /// 0: what is too much waits, and the flow loses its mark meanwhile.
    ShapeOnly,
    /// 1: what is too much waits, all packets have the mark.
    ShapeAndMark,
    /// 2: nothing waits, what is too much has no mark.
    UseNonConformantMarkings,
}

impl Shaping {
    /// The marks of packets that conform, and of those that do not where they are sent at all.
    #[must_use]
    pub const fn marks(self, traffic: TrafficType) -> (Marks, Option<Marks>) {
        match self {
            Self::ShapeOnly => (Marks { dscp: 0, priority: 0 }, None),
            Self::ShapeAndMark => (traffic.marks(), None),
            Self::UseNonConformantMarkings => (traffic.marks(), Some(Marks { dscp: 0, priority: 0 })),
        }
    }
}
