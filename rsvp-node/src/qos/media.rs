//! The DSCP of a flow by what it carries and how much it matters (RFC 8837 section 5, table 1, which is for WebRTC).
//!
//! | carries | very low | low | medium | high |
//! |---|---|---|---|---|
//! | audio | LE | DF | EF | EF |
//! | interactive video, with or without audio | LE | DF | AF42, AF43 | AF41, AF42 |
//! | other video, with or without audio | LE | DF | AF32, AF33 | AF31, AF32 |
//! | data | LE | DF | AF11 | AF21 |
//!
//! Where the table has two, [`class_of`] is the first, and [`spare_class_of`] the second: of the same class but dropped
//! earlier, for packets that can be done without.

use super::dscp::Dscp;

/// What a flow carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Media {
    /// Audio alone.
    Audio,
    /// Video that people react to, as in a conference, with or without audio.
    InteractiveVideo,
    /// Video that is watched, with or without audio.
    Video,
    /// Everything else.
    Data,
}

/// How much a flow matters, within its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Gives way to everything.
    VeryLow,
    /// Best effort.
    Low,
    /// Above best effort.
    Medium,
    /// Above the others.
    High,
}

/// The DSCP of a flow, by what it carries and how much it matters: the first that the table above has, by which its packets are dropped last.
#[must_use]
pub const fn class_of(media: Media, priority: Priority) -> Dscp {
    match (media, priority) {
        (_, Priority::VeryLow) => Dscp::LE,
        (_, Priority::Low) => Dscp::DF,
        (Media::Audio, Priority::Medium | Priority::High) => Dscp::EF,
        (Media::InteractiveVideo, Priority::Medium) => Dscp::AF42,
        (Media::InteractiveVideo, Priority::High) => Dscp::AF41,
        (Media::Video, Priority::Medium) => Dscp::AF32,
        (Media::Video, Priority::High) => Dscp::AF31,
        (Media::Data, Priority::Medium) => Dscp::AF11,
        (Media::Data, Priority::High) => Dscp::AF21,
    }
}

/// The DSCP of those packets of a flow that are to be dropped before its others; the same where there is one only.
#[must_use]
pub const fn spare_class_of(media: Media, priority: Priority) -> Dscp {
    match (media, priority) {
        (Media::InteractiveVideo, Priority::Medium) => Dscp::AF43,
        (Media::InteractiveVideo, Priority::High) => Dscp::AF42,
        (Media::Video, Priority::Medium) => Dscp::AF33,
        (Media::Video, Priority::High) => Dscp::AF32,
        _ => class_of(media, priority),
    }
}
