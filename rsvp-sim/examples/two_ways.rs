//! One world, two ways from one moment on: with and without a router that crashes. Clones share nothing.
//!
//!     cargo run -p rsvp-sim --example two_ways

use rsvp_sim::{ScenarioError, World};
use std::time::Duration;

fn main() -> Result<(), ScenarioError> {
    let mut world = World::builder()
        .hosts(["studio", "home"])
        .routers(["r1", "r2"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l.delay("5ms"))
        .link("r2", "home", |l| l)
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.rate("2mbit"))
        .receiver("viewer", "home", |r| r.style("ff").rate("2mbit"))
        .build()?;
    world.run_until(Duration::from_secs(5));

    let mut crashed = world.clone();
    crashed.crash("r2", Duration::from_secs(1))?;
    for (name, world) in [("left alone", &mut world), ("r2 crashes", &mut crashed)] {
        for seconds in [5, 10, 30, 60] {
            world.run_until(Duration::from_secs(seconds));
            let reserved: u64 =
                world.node("r2")?.reservations().iter().map(|r| r.reservation.charge_bps).sum();
            println!("{name}, {seconds} s: {reserved} bit/s reserved on r2");
        }
    }
    Ok(())
}
