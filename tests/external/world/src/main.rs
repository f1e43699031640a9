//! Runs a scenario, and minds whether what it expects has held.

use rsvp_sim::{Report, Scenario, World};

fn main() {
    let text = include_bytes!("../../../../rsvp-sim/scenarios/three-routers.toml");
    let scenario = Scenario::parse("three-routers.toml", text).expect("a scenario");
    let (scenario, record) = World::new(scenario).run();
    assert!(Report::new(&scenario, &record).held());
}
