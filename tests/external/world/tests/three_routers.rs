use rsvp_sim::{ScenarioError, World};

#[test]
fn a_viewer_reserves_through_three_routers() -> Result<(), ScenarioError> {
    let mut world = World::builder()
        .hosts(["studio", "home"])
        .routers(["r1", "r2", "r3"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l.rate("10mbit").delay("5ms"))
        .link("r2", "r3", |l| l.rate("5mbit").delay("10ms"))
        .link("r3", "home", |l| l)
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.rate("2mbit"))
        .receiver("viewer", "home", |r| r.style("ff").rate("2mbit").confirm(true))
        .build()?;
    let confirmed = |w: &World| Ok(w.application("viewer")?.is_confirmed());
    assert!(world.run_until_that(confirmed, std::time::Duration::from_secs(5))?);
    assert_eq!(world.node("r2")?.reservations()[0].reservation.charge_bps, 2_000_000);
    Ok(())
}
