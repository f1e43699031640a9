//! Merging: how styles, flowspecs and ADSPECs combine (RFC 2205 section 2.2, RFC 2210, RFC 2211 section 8, RFC 2212 "Ordering and Merging", RFC 2215).

pub(crate) mod adspec;
pub(crate) mod failure;
pub(crate) mod flowspec;
pub(crate) mod span;
