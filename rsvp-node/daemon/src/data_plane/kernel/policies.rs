//! Policies in the kernel: the step that finds them at each interface, the hooks at the cgroup, and a class at each interface for
//! a policy with a rate or a weight.
//!
//! A policy's sockets send by whichever interface, so its class is made at every one: the rate is that of the policy by an
//! interface. A rate is nothing that is promised, so no admission is asked; it borrows what best effort has.

use super::super::bpf::{NotHooked, PolicyTables};
use super::super::policies::{Shaped, WantedPolicies};
use super::super::tree::FlowClass;
use super::super::{Facts, Failure};
use super::{Kernel, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What may wait of a policy's packets: more than a socket's buffer, so that the sender waits and nothing is lost.
const QUEUE: u32 = 1024 * 1024;

/// Where the hooks hang, or why there is nowhere.
pub type Cgroup = Result<(PathBuf, File), String>;

/// What there is.
pub(super) struct Policies {
    pub(super) cgroup: Cgroup,
    wanted: Arc<WantedPolicies>,
    /// The classes by interface and serial number: their numbers in trees, and what they are for.
    classes: BTreeMap<(u32, u32), (u32, Shaped)>,
    /// What was complained of.
    troubles: BTreeSet<String>,
    /// Why there are no hooks, where there should be.
    pub(super) unhooked: Option<String>,
    is_clean: bool,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            cgroup: Err("no cgroup is known".to_owned()),
            wanted: Arc::default(),
            classes: BTreeMap::new(),
            troubles: BTreeSet::new(),
            unhooked: None,
            is_clean: false,
        }
    }
}

impl Kernel {
    /// Where the hooks for policies hang; and what is written and read of policies beside interfaces, once.
    pub fn for_policies(&mut self, cgroup: Cgroup) -> Option<PolicyTables> {
        self.policies.cgroup = cgroup;
        self.egress.take_policy_tables()
    }

    /// Has interfaces and the cgroup follow what is wanted; says what cannot be, each thing once.
    pub(super) fn follow_policies(&mut self, wanted: Arc<WantedPolicies>, now: Duration) -> Vec<String> {
        self.policies.wanted = wanted;
        let mut troubles = BTreeSet::new();
        self.policies.unhooked = self.follow_hooks();
        troubles.extend(self.policies.unhooked.clone());
        let shaped = self.policies.wanted.clone();
        let gone: Vec<(u32, u32)> = self
            .policies
            .classes
            .keys()
            .filter(|(_, serial)| !shaped.shaped.contains_key(serial))
            .copied()
            .collect();
        gone.into_iter().for_each(|place| self.remove_policy_class(place, Some(now)));
        if !core::mem::replace(&mut self.policies.is_clean, true)
            && let Err(error) =
                self.egress.forget_policy_classes(|_, serial| shaped.shaped.contains_key(&serial))
        {
            troubles.insert(error.to_string());
        }
        for (on, facts) in self.around.interfaces.clone() {
            self.follow_policies_on(on, &facts, &mut troubles);
        }
        let news = troubles.difference(&self.policies.troubles).cloned().collect();
        self.policies.troubles = troubles;
        news
    }

    /// The same for interfaces that have come or changed.
    pub(super) fn look_at_policies(&mut self, now: Duration) {
        if self.policies.wanted.active {
            for trouble in self.follow_policies(self.policies.wanted.clone(), now) {
                tracing::warn!("{trouble}");
            }
        }
    }

    /// Has hooks at the cgroup, if policies are to be; or why there are none.
    fn follow_hooks(&mut self) -> Option<String> {
        if !self.policies.wanted.active {
            self.egress.unhook_policies();
            self.egress.forget_hooks();
            return None;
        }
        if let Some(fault) = self.egress.policy_fault() {
            return Some(format!("no policy is in force: this kernel cannot run what they need: {fault}"));
        }
        let trouble = match &self.policies.cgroup {
            Ok((path, folder)) => match self.egress.hook_policies(folder) {
                Ok(()) => return None,
                Err(NotHooked::Full) => format!(
                    "64 programs hang at the cgroup {} already, and no more fit (E2BIG); `cgroup` in [qos] names another",
                    path.display()
                ),
                Err(NotHooked::Refused(why)) => {
                    format!(
                        "the hooks for policies cannot be attached to the cgroup {}: {why}",
                        path.display()
                    )
                }
            },
            Err(why) => why.clone(),
        };
        Some(format!(
            "policies for programs, cgroups and units match nothing, and there is no inbound level: {trouble}"
        ))
    }

    fn follow_policies_on(&mut self, on: u32, facts: &Facts, troubles: &mut BTreeSet<String>) {
        let wanted = self.policies.wanted.clone();
        if !wanted.active && !self.interfaces.contains_key(&on) {
            return;
        }
        let profiles = wanted.active.then(|| wanted.profiles.get(&on).copied().unwrap_or_default());
        let stepped = self
            .attach(on, facts)
            .and_then(|()| self.egress.set_policies(on, profiles).map_err(Failure::from));
        if let Err(failure) = stepped {
            troubles.insert(format!("interface {}: no policy is in force: {failure}", facts.name));
            return;
        }
        if !wanted.shaped.is_empty()
            && let Err(failure) = self.plant(on, facts)
        {
            let failure = self.refuse(on, Refusal::Classes, failure);
            troubles.insert(format!(
                "interface {}: policies have their marks and no rate: {failure}",
                facts.name
            ));
            return;
        }
        let weights: u32 = wanted.shaped.values().filter_map(|shaped| shaped.weight).map(u32::from).sum();
        // Who says more than there is leaves a hundredth.
        let rest = (weights > 0).then(|| u8::try_from(100u32.saturating_sub(weights).max(1)).unwrap_or(1));
        if let Some(here) = self.interfaces.get_mut(&on)
            && let Err(failure) = here.leave_to_the_rest(&mut self.tc, rest)
        {
            troubles
                .insert(format!("interface {}: weights are not as they should be: {failure}", facts.name));
        }
        for (serial, shaped) in &wanted.shaped {
            if let Err(failure) = self.shape(on, facts, *serial, shaped) {
                let failure = self.refuse(on, Refusal::Reservation, failure);
                troubles.insert(format!(
                    "interface {}: policy \"{}\" has its marks and no rate: {failure}",
                    facts.name, shaped.name
                ));
            }
        }
    }

    /// Gives a policy its class at an interface.
    fn shape(&mut self, on: u32, facts: &Facts, serial: u32, shaped: &Shaped) -> Result<(), Failure> {
        let class = class_of(shaped, facts);
        let Self { egress, tc, interfaces, policies, next_class, .. } = self;
        let Some(here) = interfaces.get_mut(&on) else { return Ok(()) };
        let number = policies.classes.get(&(on, serial)).map_or_else(
            || {
                *next_class = next_class.wrapping_add(1);
                *next_class
            },
            |(number, _)| *number,
        );
        let handle = here.set_class((tc, egress), number, class)?;
        policies.classes.insert((on, serial), (number, shaped.clone()));
        Ok(egress.set_policy_class(on, serial, Some(handle.0))?)
    }

    fn remove_policy_class(&mut self, (on, serial): (u32, u32), now: Option<Duration>) {
        let Some((number, _)) = self.policies.classes.remove(&(on, serial)) else { return };
        if let Err(error) = self.egress.set_policy_class(on, serial, None) {
            tracing::warn!(%error, "the class of a policy is left in the egress program");
        }
        match (self.interfaces.get_mut(&on), now) {
            (Some(here), Some(now)) => here.drain(number, now),
            (Some(here), None) => here.remove_class(&mut self.tc, number),
            (None, _) => {}
        }
    }

    /// An interface is gone, and with it the classes that it had.
    pub(super) fn forget_policies_on(&mut self, gone: u32) {
        let there: Vec<u32> = self
            .policies
            .classes
            .range((gone, 0)..=(gone, u32::MAX))
            .map(|((_, serial), _)| *serial)
            .collect();
        there.into_iter().for_each(|serial| self.remove_policy_class((gone, serial), None));
    }
}

/// The class of what a policy gives a rate, or a share of the link: the rate, or without one that of the link, is the most that it may have
/// of IP octets, and none of it is promised; the weight is how much it borrows in its turn beside others.
fn class_of(shaped: &Shaped, facts: &Facts) -> FlowClass {
    let largest = facts.mtu.max(1);
    FlowClass {
        guaranteed: false,
        promised: false,
        rate: shaped.rate.unwrap_or(facts.rate).min(facts.rate).max(1),
        peak: None,
        bucket: largest.saturating_mul(4),
        max_packet: largest,
        min_policed: 0,
        overhead: 0,
        queue: Some(QUEUE),
        weight: shaped.weight,
    }
}
