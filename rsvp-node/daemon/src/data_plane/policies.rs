//! What interfaces are to have for policies: the step that finds them, and classes for those with a rate or a weight.
//!
//! Which policies there are, and what packets are marked with, is written into the kernel elsewhere.

use std::collections::BTreeMap;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedPolicies {
    /// Whether there is anything: policies, or settings.
    pub active: bool,
    /// The profiles of interfaces, as bits.
    pub profiles: BTreeMap<u32, u32>,
    /// Policies with a class, by their serial number.
    pub shaped: BTreeMap<u32, Shaped>,
}

/// The class of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shaped {
    /// What the policy is called.
    pub name: String,
    /// The most that its sockets send together by an interface: octets of IP packets per second.
    pub rate: Option<u64>,
    /// Its share of what best effort has, from 1 to 100.
    pub weight: Option<u8>,
}
