//! Random topologies: whatever tree of routers there is, each host that asks has its reservation on every link of its way,
//! and nothing is left when all have left.

use proptest::prelude::*;
use rsvp_sim::kit;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tree_reserves_and_forgets(tree in kit::trees(1..12)) {
        let built = tree
            .session("video", |s| s.group("video"))
            .sender("camera", "studio", |s| s.rate("1mbit"))
            .receiver("first", "h0", |r| r.style("wf").rate("1mbit").confirm(true));
        let mut world = built.build().expect("a tree");
        let confirmed = |w: &rsvp_sim::World| Ok(w.application("first")?.is_confirmed());
        kit::assert_by(&mut world, Duration::from_secs(5), "the first receiver is confirmed", confirmed);
        kit::expect(&mut world, "what = \"reservations\"\nnode = \"r0\"\nlist = [{ link = \"r0-h0\", rate = \"1mbit\" }]");
        world.leave("first").expect("a receiver");
        world.tear("camera").expect("a sender");
        world.run_until(Duration::from_secs(200));
        kit::expect(&mut world, "what = \"empty\"");
    }
}
