//! What is wrong with received octets, and where.
//!
//! The error says nothing about the consequence: RFC 2205 (Appendix B) has most malformed messages logged locally
//! and only unknown classes and C-Types reported to the originator; that choice is the engine's.

/// Octets that are no sound message, or an object body that is no sound value of its type.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why} (octet {at} of the message)")]
pub struct ParseError {
    /// Offset of the offending field from the start of the message, in octets.
    pub at: u16,
    /// What is wrong there.
    pub why: Why,
}

impl ParseError {
    #[inline]
    pub(crate) const fn new(at: u16, why: Why) -> Self {
        Self { at, why }
    }
}

/// The kinds of [`ParseError`].
#[non_exhaustive]
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    /// Fewer octets than the common header needs, or than its Length says. `at` is the first missing octet.
    #[error("the message ends early: fewer octets than its header or its Length calls for")]
    Truncated,
    /// The protocol version is not 1 (RFC 2205 3.1.1).
    #[error("the protocol version is not 1")]
    Version,
    /// The header's Length is below 8, no multiple of 4, or leaves octets over.
    #[error("the header's Length is below 8, no multiple of 4, or smaller than the octets received")]
    Length,
    /// The checksum is transmitted (not zero) and wrong (RFC 2205 3.1.1).
    #[error("the checksum is wrong: the message was damaged on its way")]
    Checksum,
    /// An object's Length is below 4 or no multiple of 4 (RFC 2205 3.1.2). `at` is the object's header.
    #[error("an object's Length is below 4 or no multiple of 4")]
    ObjectLength,
    /// An object's Length goes past the end of the message. `at` is the object's header.
    #[error("an object goes past the end of the message")]
    ObjectOverrun,
    /// A message in a Bundle goes past its end (RFC 2961 3.1). `at` is the message's header.
    #[error("a message in the Bundle goes past its end")]
    BundleOverrun,
    /// A Bundle lies in a Bundle (RFC 2961 3.1).
    #[error("a Bundle lies in a Bundle")]
    NestedBundle,
    /// An object's body is longer or shorter than its C-Type, or a length inside it, says.
    #[error("an object's body does not have the length its type, or a length inside it, calls for")]
    BodyLength,
    /// A field holds what its type forbids: a rate that is negative or not a number, a minimum policed unit of zero
    /// or above the maximum packet size, an unknown service number (RFC 2210 3).
    #[error("a field of the object has a value its type forbids")]
    BodyValue,
    /// An object was read as one of another class. `at` is the Class-Num.
    #[error("the object is not of the class it was read as")]
    UnknownClass,
    /// The C-Type has no typed form here. `at` is the C-Type.
    #[error("the object's C-Type is not known for its class")]
    UnknownCType,
}
