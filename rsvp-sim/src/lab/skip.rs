//! What a kernel without netem cannot do, and what a lab does not do yet: expectations of a scenario that needs it are
//! neither held nor failed, but skipped.

use crate::scenario::model::{RouteTarget, Scenario, What};

/// Delays of less than this part of R change no outcome, only times.
const SHORT_PART: u32 = 100;

/// Why nothing can be said of what the scenario expects, if so.
pub(super) fn reason(scenario: &Scenario) -> Option<String> {
    for link in &scenario.links {
        let name = &link.name;
        let faults = [
            (link.loss, "loses packets"),
            (link.duplicate, "duplicates packets"),
            (link.reorder, "reorders packets"),
            (link.corrupt, "damages packets"),
        ];
        if let Some((_, what)) = faults.into_iter().find(|(share, _)| *share > 0.0) {
            return Some(format!("link {name} {what}, which the kernel of a lab cannot be told"));
        }
        if link.refusal.is_some() {
            return Some(format!("on link {name} other software refuses requests, and a lab has ours only"));
        }
        if link.delay > scenario.refresh / SHORT_PART {
            return Some(format!("link {name} has a delay, which the kernel of a lab cannot be told"));
        }
    }
    if let Some(node) = scenario.nodes.iter().find(|node| node.clock_ppm != 0) {
        return Some(format!("{} has a wrong clock, and a lab has one clock for all", node.name));
    }
    if let Some(node) = scenario.nodes.iter().find(|node| node.carries.is_some()) {
        return Some(format!("requests of {} carry an object that a lab's daemons do not make", node.name));
    }
    let of_data = |target: RouteTarget| match target {
        RouteTarget::Session(session) => {
            let destination = scenario.sessions[session.0].destination;
            matches!(destination, crate::scenario::model::Destination::Node(_))
        }
        RouteTarget::Node(_) => false,
    };
    if scenario
        .routes
        .iter()
        .any(|r| of_data(r.target) || matches!(r.target, RouteTarget::Node(_)) && r.sender.is_some())
    {
        return Some("routes for the data of one unicast session or sender are not made in a lab".to_owned());
    }
    None
}

impl super::run::Lab {
    /// What is expected of traffic, which a lab does not send.
    pub(super) fn skip_traffic(&mut self) {
        let all = self.scenario.expectations.iter().enumerate();
        for (place, _) in all.filter(|(_, expectation)| expectation.what == What::Traffic) {
            self.record.skipped.entry(place).or_insert_with(|| {
                "a lab sends the data of QoS sockets, and not what [[traffic]] says".to_owned()
            });
        }
    }
}
