//! Interfaces that could not be used: what for, why, and when they are looked at again.

use super::super::Failure;
use super::{EgressError, Kernel, attached};
use std::io;
use std::time::Duration;
use thiserror::Error;

/// Why there is no data plane in the kernel.
#[derive(Debug, Error)]
pub enum Unusable {
    /// The egress program.
    #[error(transparent)]
    Program(#[from] EgressError),
    /// Traffic control.
    #[error("the kernel's traffic control: {0}")]
    TrafficControl(#[from] io::Error),
}

/// What an interface could not be used for, and why.
pub(super) struct Refused {
    pub(super) what: Refusal,
    pub(super) why: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One reservation; another may be carried out.
    Reservation,
    /// The egress program.
    Program,
    /// Classes, which nearly everything takes.
    Classes,
}

/// How often an interface that cannot have classes is looked at again: nobody says when somebody else's go.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Kernel {
    /// Remembers why an interface cannot be used.
    pub(super) fn refuse(&mut self, on: u32, what: Refusal, failure: Failure) -> Failure {
        let why = failure.to_string();
        // Why nothing works there is known already, and says more than that one reservation does not.
        if what != Refusal::Reservation || self.refused.get(&on).is_none_or(|known| known.why != why) {
            self.refused.insert(on, Refused { what, why });
        }
        failure
    }

    /// A reservation stands: nothing is the matter with its interface, unless it needs no classes and others do.
    pub(super) fn works(&mut self, on: u32) {
        let has_classes = self.interfaces.get(&on).is_some_and(|here| here.tree.is_some());
        if has_classes || self.refused.get(&on).is_some_and(|known| known.what != Refusal::Classes) {
            self.refused.remove(&on);
        }
    }

    /// Finds out whether an interface could have classes before anybody needs them, so that Paths say so. Nothing is changed.
    pub(super) fn probe(&mut self, on: u32) {
        let Some(facts) = self.around.interfaces.get(&on) else { return };
        let has_classes = self.interfaces.get(&on).is_some_and(|here| here.tree.is_some());
        if has_classes || self.refused.get(&on).is_some_and(|known| known.what == Refusal::Program) {
            return;
        }
        match attached::room(&mut self.tc, on, facts) {
            Ok(_) => drop(self.refused.remove(&on)),
            Err(failure) => drop(self.refuse(on, Refusal::Classes, failure)),
        }
    }

    /// Interfaces that cannot have classes.
    pub(super) fn without_classes(&self) -> impl Iterator<Item = u32> + '_ {
        self.refused.iter().filter(|(_, known)| known.what == Refusal::Classes).map(|(on, _)| *on)
    }
}
