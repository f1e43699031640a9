//! World search: draws worlds, lets everything go wrong in them, and holds them to what must be so all the same.
//!
//! A world is upset until [`calm_at`]. Three lifetimes later it has to have settled: where everything fits and everybody
//! agrees it equals the [`Reference`]; elsewhere it is watched for three lifetimes more and
//! held to the weaker promises of `settled`. Then everybody leaves and nothing may be left. Invariants are checked after
//! every step. Deliberately no threads and no clock in here: those are the command's.

mod check;
mod confirmed;
mod draw;
mod errors;
mod features;
mod generate;
mod missing;
mod pace;
mod parting;
mod refused;
mod room;
mod services;
mod settled;
mod shrink;
mod summary;
mod upheaval;
mod variety;
mod wishes;

pub use draw::Draw;
pub use generate::{large_scenario, scenario};
pub use shrink::shrink;
pub use summary::Summary;

use crate::reference::{Demand, Reference};
use crate::scenario::model::{Deed, Scenario};
use crate::world::World;
use check::Checker;
use core::time::Duration;
use rsvp_node::{AppId, Instant};
use settled::Settled;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which promise; a smaller world fails in the same way if it breaks the same.
    pub promise: &'static str,
    /// When, in virtual time.
    pub at: Instant,
    /// What was seen.
    pub seen: String,
}

/// What became of a world.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was in it: kinds of faults, styles, what happened.
    pub features: BTreeSet<&'static str>,
    /// Nodes.
    pub nodes: usize,
    /// Reservations that stood when it had settled.
    pub reservations: usize,
    /// Messages that were sent.
    pub messages: u64,
    /// How much virtual time that took.
    pub lasted: Duration,
    /// SHA-256 of all that engines said, where it was asked for.
    pub digest: Option<[u8; 32]>,
    /// What did not hold, if something did not.
    pub failure: Option<Failure>,
}

/// The lifetime of state whose refreshes stop (RFC 2205 section 3.7).
#[must_use]
pub fn lifetime(scenario: &Scenario) -> Duration {
    scenario.refresh * 3 * (2 * scenario.lifetime_multiplier + 1) / 4
}

/// When nothing happens to a world any more.
#[must_use]
pub fn calm_at(scenario: &Scenario) -> Duration {
    let actions = scenario.actions.iter().map(|action| match action.deed {
        Deed::Crash(_, away) => action.at + away,
        _ => action.at,
    });
    let starts = scenario.senders.iter().map(|s| s.start);
    let opens = scenario.receivers.iter().map(|r| r.start.max(r.reserve_at.unwrap_or_default()));
    let last = actions.chain(starts).chain(opens).chain(scenario.faults_until).max();
    let held_up = scenario.links.iter().filter(|l| l.reorder > 0.0).map(|l| l.reorder_by).max();
    let repaired = scenario.convergence + scenario.local_repair_wait * 2;
    last.unwrap_or_default() + held_up.unwrap_or_default() + repaired
}

/// When a world must have settled.
#[must_use]
pub fn settled_at(scenario: &Scenario) -> Duration {
    calm_at(scenario) + lifetime(scenario) * 3
}

/// The world of a seed.
#[must_use]
pub fn world_of(seed: u64) -> Scenario {
    scenario(&mut Draw::seed(seed), seed)
}

/// Runs a world and checks it. A panic is a failure like any other.
#[must_use]
pub fn try_world(scenario: &Scenario) -> Outcome {
    try_trial(scenario, |_| {})
}

/// As [`try_world`]; and the outcome has the digest of everything that engines said, in the words of a
/// [`journal`](crate::journal).
#[must_use]
pub fn digest_world(scenario: &Scenario) -> Outcome {
    try_trial(scenario, World::keep_digest)
}

fn try_trial(scenario: &Scenario, prepare: fn(&mut World)) -> Outcome {
    let mut outcome =
        Outcome { nodes: scenario.nodes.len(), lasted: scenario.duration, ..Outcome::default() };
    summary::note_plan(scenario, &mut outcome.features);
    let run = catch_unwind(AssertUnwindSafe(|| Trial::new(scenario, prepare).run()));
    let (seen, failure) = run.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let seen = said.unwrap_or_default();
        (Outcome::default(), Some(Failure { promise: "nothing panics", at: Instant::ZERO, seen }))
    });
    outcome.features.extend(seen.features);
    (outcome.reservations, outcome.messages, outcome.failure) = (seen.reservations, seen.messages, failure);
    outcome.digest = seen.digest;
    outcome
}

/// One run of a world.
struct Trial {
    world: World,
    checker: Checker,
    outcome: Outcome,
}

impl Trial {
    fn new(scenario: &Scenario, prepare: fn(&mut World)) -> Self {
        let mut world = World::watched(scenario.clone());
        prepare(&mut world);
        Self { checker: Checker::new(&world), world, outcome: Outcome::default() }
    }

    fn run(mut self) -> (Outcome, Option<Failure>) {
        let failure = self.phases().err();
        self.outcome.features.append(&mut self.checker.features);
        self.outcome.messages = self.checker.messages;
        self.outcome.digest = self.world.digest();
        (self.outcome, failure)
    }

    fn phases(&mut self) -> Result<(), Failure> {
        let scenario = self.world.scenario().clone();
        let (lifetime, settled) = (lifetime(&scenario), settled_at(&scenario));
        self.until(settled)?;
        if self.checker.features.contains("limits bite") {
            // What has no room is missing, and others are told so: what must stand all the same was looked at in each step.
            return self.everybody_leaves(lifetime);
        }
        let demand = Demand::at_the_end(&scenario);
        let reference = Reference::new(&scenario, &demand);
        let state = Settled {
            world: &self.world,
            demand: &demand,
            reference: &reference,
            refused: &self.checker.refused,
        };
        self.outcome.reservations = state.seen().len();
        state.note_features(&mut self.outcome.features);
        let agrees = settled::agrees(&scenario, &demand) && self.nobody_was_refused_at_once(&demand);
        let strict = state.fits() && agrees && !reference.loops;
        self.outcome.features.insert(if strict {
            "must equal the reference"
        } else {
            "need not equal the reference"
        });
        if reference.loops {
            self.outcome.features.insert("loop of shared reservations");
        }
        if strict {
            state.equals_reference()?;
            self.everybody_is_confirmed(&demand, &reference)?;
        } else {
            self.watch_refused(&demand, &reference, settled, lifetime)?;
        }
        let state = Settled {
            world: &self.world,
            demand: &demand,
            reference: &reference,
            refused: &self.checker.refused,
        };
        state.is_explained()?;
        self.checker.last_events_are_true(&self.world, &demand, &reference)?;
        if strict {
            self.services_change(&demand)?;
            self.tears_arrive()?;
        }
        self.everybody_leaves(lifetime)
    }

    /// An application that is refused at once by its own node does not try again.
    fn nobody_was_refused_at_once(&self, demand: &Demand) -> bool {
        let first = self.world.scenario().senders.len();
        self.checker.refused.iter().all(|app| {
            let receiver = (app.0 as usize).checked_sub(first);
            receiver.is_none_or(|n| demand.requests[n].is_none())
        })
    }

    /// Three lifetimes more in which nothing happens: what is refused has to be refused for a reason, and told.
    fn watch_refused(
        &mut self,
        demand: &Demand,
        reference: &Reference,
        settled: Duration,
        lifetime: Duration,
    ) -> Result<(), Failure> {
        let mut watch = refused::Watch::new(settled);
        let step = self.world.scenario().refresh / 2;
        let mut at = settled;
        while at < settled + lifetime * 3 {
            at += step;
            self.until(at)?;
            watch.look(&Settled { world: &self.world, demand, reference, refused: &self.checker.refused });
        }
        watch.judge(&self.world, demand, &self.checker, at)
    }

    fn everybody_leaves(&mut self, lifetime: Duration) -> Result<(), Failure> {
        let scenario = self.world.scenario();
        // Receivers first, so that their requests do not go with the senders.
        for app in (0..scenario.senders.len() + scenario.receivers.len()).rev() {
            self.world.leave_or_stop(AppId(app as u32));
            self.checker.look(&mut self.world)?;
        }
        let now = self.world.now();
        self.until(now + lifetime * 2 - Instant::ZERO)?;
        for (n, node) in self.world.scenario().nodes.iter().enumerate() {
            let engine = self.world.engine(crate::scenario::model::NodeId(n));
            let reserved: u64 = engine.interfaces().map(|(_, reserved)| reserved).sum();
            if !engine.is_empty() || reserved > 0 {
                let seen = format!(
                    "{}: {} paths, {} requests, {} reservations, {} blockades, {reserved} bit/s",
                    node.name,
                    engine.senders().count(),
                    engine.requests().count(),
                    engine.reservations().count(),
                    engine.blockades().count()
                );
                return Err(Failure {
                    promise: "nothing is left when everybody has left",
                    at: self.world.now(),
                    seen,
                });
            }
        }
        Ok(())
    }

    fn until(&mut self, end: Duration) -> Result<(), Failure> {
        let end = Instant::ZERO + end;
        loop {
            let more = self.world.advance(end);
            self.checker.look(&mut self.world)?;
            if let Some(fault) = self.world.standstill() {
                let seen = fault.to_owned();
                return Err(Failure { promise: "engines come to rest", at: self.world.now(), seen });
            }
            if !more {
                return Ok(());
            }
        }
    }
}
