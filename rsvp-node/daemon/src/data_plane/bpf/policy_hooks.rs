//! The parts of the egress program that are for policies: its step at interfaces, and the hooks at a cgroup.
//!
//! They are loaded with the rest, and not needed for it: an older kernel, or one without BTF, has reservations without policies.

use super::policy::{Classes, PolicyTables};
use super::sys::PolicyPlaceRecord;
use super::{Egress, EgressError, chain, of_system};
use aya::maps::{MapData, MapError, ProgramArray};
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::{CgroupAttachMode, CgroupSock, SchedClassifier, SockOps};
use std::error::Error;
use std::fs::File;
use std::path::PathBuf;

/// The egress program with the step for policies.
const STEP: &str = "rsvp_policies";
const MADE: &str = "rsvp_made";
const FOLLOWS: &str = "rsvp_follows";
/// What the pins of the hooks are called.
pub(super) const HOOKS: [&str; 2] = ["hook-made", "hook-follows"];
/// In `policies` of the record of an interface: there are policies.
const POLICIES: u32 = 1 << 31;
/// And there too: no hook says who makes sockets.
const UNHOOKED: u32 = 1 << 30;

/// What there is for policies.
pub(super) struct ByPolicy {
    pub(super) classes: Classes,
    pub(super) step: ProgramArray<MapData>,
    /// Why there can be none.
    pub(super) fault: Option<String>,
    /// Those that belong to the host and not to an interface, until somebody takes them.
    pub(super) tables: Option<PolicyTables>,
    /// What the hooks hang by.
    pub(super) hooks: Vec<Held>,
}

/// A hook at the cgroup: held by this process, or by a pin.
pub(super) enum Held {
    /// It goes with the process.
    Process(#[expect(dead_code, reason = "it is held, and dropped")] FdLink),
    /// It stays.
    Pinned(PathBuf, PinnedLink),
}

/// Why the hooks are not at their cgroup.
#[derive(Debug)]
pub enum NotHooked {
    /// As many as there may be are there.
    Full,
    /// What the kernel says.
    Refused(String),
}

impl Egress {
    /// Loads what policies need beside the rest; what is missing is said when it is needed.
    pub(super) fn load_for_policies(&mut self, has_btf: bool) {
        let loaded = self.load_step().and_then(|()| {
            if !has_btf {
                return Err(
                    "the kernel has no BTF (/sys/kernel/btf/vmlinux), by which programs are told apart"
                        .to_owned(),
                );
            }
            self.load_hooks()
        });
        self.policy.fault = loaded.err();
    }

    fn load_step(&mut self) -> Result<(), String> {
        let said = |error: &dyn Error| error.to_string().lines().next().unwrap_or_default().to_owned();
        let program: &mut SchedClassifier = self.program_mut(STEP).map_err(|error| said(&error))?;
        program.load().map_err(|error| chain(&error))?;
        let program: &SchedClassifier = self
            .program
            .program(STEP)
            .and_then(|program| program.try_into().ok())
            .ok_or_else(|| "the object has no step for policies".to_owned())?;
        let fd = program.fd().map_err(|error| chain(&error))?;
        self.policy.step.set(0, fd, 0).map_err(|error| chain(&error))
    }

    fn load_hooks(&mut self) -> Result<(), String> {
        self.made()?.load().map_err(|error| chain(&error))?;
        self.follows()?.load().map_err(|error| chain(&error))
    }

    fn made(&mut self) -> Result<&mut CgroupSock, String> {
        let program = self.program.program_mut(MADE).and_then(|program| program.try_into().ok());
        program.ok_or_else(|| "the object has no hook for sockets".to_owned())
    }

    fn follows(&mut self) -> Result<&mut SockOps, String> {
        let program = self.program.program_mut(FOLLOWS).and_then(|program| program.try_into().ok());
        program.ok_or_else(|| "the object has no hook for connections".to_owned())
    }

    /// What is written and read beside interfaces, once.
    pub fn take_policy_tables(&mut self) -> Option<PolicyTables> {
        self.policy.tables.take()
    }

    /// Why there can be no policies here.
    #[must_use]
    pub fn policy_fault(&self) -> Option<&str> {
        self.policy.fault.as_deref()
    }

    /// Has the hooks at a cgroup, those of an earlier run in their place.
    ///
    /// # Errors
    /// [`NotHooked`]; then neither is there.
    pub fn hook_policies(&mut self, cgroup: &File) -> Result<(), NotHooked> {
        if !self.policy.hooks.is_empty() {
            return Ok(());
        }
        for (name, attach) in HOOKS.into_iter().zip([Self::hook_made as Attaching, Self::hook_follows]) {
            match self.hook(cgroup, name, attach) {
                Ok(held) => self.policy.hooks.push(held),
                Err(why) => {
                    self.unhook_policies();
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    /// Attaches a hook, and pins it where there are pins. An earlier run's is there until then, so that no socket is made without.
    fn hook(&mut self, cgroup: &File, name: &str, attach: Attaching) -> Result<Held, NotHooked> {
        let link = attach(self, cgroup)?;
        let Some(path) = self.pins.as_ref().map(|pins| pins.at(name)) else { return Ok(Held::Process(link)) };
        let _ = std::fs::remove_file(&path);
        match link.pin(&path) {
            Ok(pinned) => Ok(Held::Pinned(path, pinned)),
            Err(error) => {
                tracing::warn!("a hook for policies goes with this process: {}", chain(&error));
                Ok(Held::Process(attach(self, cgroup)?))
            }
        }
    }

    fn hook_made(&mut self, cgroup: &File) -> Result<FdLink, NotHooked> {
        let made = self.made().map_err(NotHooked::Refused)?;
        let link = made.attach(cgroup, CgroupAttachMode::Single).map_err(|error| not_hooked(&error))?;
        let link = made.take_link(link).map_err(|error| not_hooked(&error))?;
        FdLink::try_from(link).map_err(|error| not_hooked(&error))
    }

    fn hook_follows(&mut self, cgroup: &File) -> Result<FdLink, NotHooked> {
        let follows = self.follows().map_err(NotHooked::Refused)?;
        let link = follows.attach(cgroup, CgroupAttachMode::Single).map_err(|error| not_hooked(&error))?;
        let link = follows.take_link(link).map_err(|error| not_hooked(&error))?;
        FdLink::try_from(link).map_err(|error| not_hooked(&error))
    }

    /// Takes the hooks away from their cgroup.
    pub fn unhook_policies(&mut self) {
        for held in self.policy.hooks.drain(..) {
            if let Held::Pinned(path, pinned) = held {
                drop(pinned);
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// Takes away the hooks of an earlier run, where nobody wants them any more.
    pub fn forget_hooks(&mut self) {
        let pins: Vec<PathBuf> =
            self.pins.iter().flat_map(|pins| HOOKS.iter().map(|name| pins.at(name))).collect();
        if self.policy.hooks.is_empty() {
            pins.iter().for_each(|path| drop(std::fs::remove_file(path)));
        }
    }

    /// Whether the step for policies is taken at an interface, and the profiles that it has.
    ///
    /// # Errors
    /// [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_policies(&mut self, interface: u32, profiles: Option<u32>) -> Result<(), EgressError> {
        let unhooked = if self.policy.hooks.is_empty() { UNHOOKED } else { 0 };
        let here = self.attached.get_mut(&interface).ok_or(EgressError::NotAttached(interface))?;
        let bits = profiles.map_or(0, |profiles| profiles | POLICIES | unhooked);
        if core::mem::replace(&mut here.record.policies, bits) == bits {
            Ok(())
        } else {
            self.tell(interface)
        }
    }

    /// Whether the step for policies is taken at an interface.
    #[must_use]
    pub fn has_policies(&self, interface: u32) -> bool {
        self.attached.get(&interface).is_some_and(|here| here.record.policies != 0)
    }

    /// The class of a policy's packets at an interface, where they have one.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn set_policy_class(
        &mut self,
        interface: u32,
        serial: u32,
        class: Option<u32>,
    ) -> Result<(), EgressError> {
        let place = PolicyPlaceRecord::of(interface, serial);
        let done = match class {
            Some(class) => self.policy.classes.insert(place, class, 0),
            None => self.policy.classes.remove(&place),
        };
        match done {
            Err(MapError::KeyNotFound) => Ok(()),
            done => done.map_err(|error| EgressError::of_map("the class of a policy", &error)),
        }
    }

    /// The classes that an earlier run has left are none any more.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn forget_policy_classes(&mut self, but: impl Fn(u32, u32) -> bool) -> Result<(), EgressError> {
        let refused = |error| EgressError::of_map("the classes of policies", &error);
        let all: Result<Vec<_>, _> = self.policy.classes.keys().collect();
        for place in all.map_err(refused)?.into_iter().filter(|place| !but(place.interface, place.serial)) {
            let _ = self.policy.classes.remove(&place);
        }
        Ok(())
    }
}

type Attaching = fn(&mut Egress, &File) -> Result<FdLink, NotHooked>;

fn not_hooked(error: &(dyn Error + 'static)) -> NotHooked {
    match of_system(error).and_then(|error| error.raw_os_error()) {
        Some(libc::E2BIG) => NotHooked::Full,
        _ => NotHooked::Refused(chain(error)),
    }
}
