//! What the Controlled-Load flows of an interface have together, kept up to date with each that comes and goes: adding all of them up
//! again would make each of many cost as much as there are.

use super::super::Failure;
use super::super::desired::Desired;
use super::Kernel;
use std::collections::BTreeMap;

/// The sums of r, and of b, of those that share a class, by interface.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<u32, (u64, u64)>);

impl Totals {
    /// A flow is there from now on.
    pub(super) fn come(&mut self, on: u32, flow: &Desired) {
        let Some((rate, bucket)) = flow.shares() else { return };
        let sum = self.0.entry(on).or_default();
        *sum = (sum.0.saturating_add(rate), sum.1.saturating_add(bucket.into()));
    }

    /// A flow is there no longer, or not as it was.
    pub(super) fn go(&mut self, on: u32, flow: &Desired) {
        let (Some((rate, bucket)), Some(sum)) = (flow.shares(), self.0.get_mut(&on)) else { return };
        *sum = (sum.0.saturating_sub(rate), sum.1.saturating_sub(bucket.into()));
    }

    /// What those of an interface have: octets per second, and octets.
    pub(super) fn of(&self, on: u32) -> (u64, u32) {
        let (rate, bucket) = self.0.get(&on).copied().unwrap_or_default();
        (rate, u32::try_from(bucket).unwrap_or(u32::MAX))
    }
}

impl Kernel {
    /// Tells the class of all Controlled-Load flows of an interface what they have together.
    pub(super) fn share(&mut self, on: u32) -> Result<(), Failure> {
        let Some(here) = self.interfaces.get_mut(&on) else { return Ok(()) };
        here.share(&mut self.tc, self.totals.of(on))
    }
}
