//! No data plane: reservations are admitted, signalled and not enforced.

use super::{Answer, DataPlane, State, Surroundings};
use rsvp_control::rows::FlowRow;
use rsvp_node::{TcChange, TrafficControl};
use std::collections::BTreeMap;
use std::time::Duration;

/// Promises nothing, and so never fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl DataPlane for Nothing {
    fn look(&mut self, _: Surroundings, _: Duration) -> Vec<Answer> {
        Vec::new()
    }

    fn apply(&mut self, changes: Vec<TrafficControl>, _: Duration) -> Vec<Answer> {
        let installs = changes.into_iter().filter(|change| matches!(change.change, TcChange::Install(_)));
        let answer = |change: TrafficControl| Answer {
            reservation: change.reservation,
            interface: change.interface.0,
            failure: None,
        };
        installs.map(answer).collect()
    }

    fn flows(&mut self) -> Result<Vec<FlowRow>, String> {
        Ok(Vec::new())
    }

    fn states(&self) -> BTreeMap<u32, State> {
        BTreeMap::new()
    }

    fn due(&self) -> Option<Duration> {
        None
    }

    fn tick(&mut self, _: Duration) {}

    fn end(&mut self) {}
}
