//! What a reservation is good for: the delay of a call over a link that is flooded, before and after it is reserved for.
//!
//!     cargo run -p rsvp-sim --example flooded_call

use rsvp_sim::rsvp_node::Instant;
use rsvp_sim::{ScenarioError, World};
use std::time::Duration;

fn main() -> Result<(), ScenarioError> {
    let mut world = World::builder()
        .hosts(["caller", "listener", "office"])
        .routers(["r1", "r2"])
        .link("caller", "r1", |l| l.rate("100mbit"))
        .link("office", "r1", |l| l.rate("100mbit"))
        .link("r1", "r2", |l| l.rate("10mbit").queue("60kB"))
        .link("r2", "listener", |l| l.rate("100mbit"))
        .session("call", |s| s.to("listener"))
        .sender("voice", "caller", |s| s.rate("100kbit").bucket("1kB").max_packet("200B"))
        .receiver("ear", "listener", |r| {
            r.style("ff").rate("100kbit").bucket("1kB").max_packet("200B").reserve_at("10s")
        })
        .traffic("call", |t| t.sender("voice").rate("80kbit").packet("200B"))
        .traffic("flood", |t| {
            t.from("office").to("listener").pattern("bursty").rate("15mbit").burst("20kB").packet("200B")
        })
        .build()?;
    world.run_until(Duration::from_secs(20));
    world.report();
    for stream in &world.record().streams {
        for (when, from, to) in [("before", 1, 9), ("after", 11, 19)] {
            let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
            let figures = stream.figures(at(from), at(to));
            println!(
                "{:<6} {when:<7} {:>5} of {:>5} packets came, 99 % within {:>6.2} ms",
                stream.name,
                figures.delivered,
                figures.sent,
                figures.delay_99_s * 1e3
            );
        }
    }
    Ok(())
}
