//! Merging: how styles, flowspecs, ADSPECs and objects of unknown class combine (RFC 2205 sections 2.2 and 3.10,
//! RFC 2210, RFC 2211 section 8, RFC 2212 "Ordering and Merging", RFC 2215).

pub(crate) mod adspec;
pub(crate) mod failure;
pub(crate) mod flowspec;
pub(crate) mod unknown;
