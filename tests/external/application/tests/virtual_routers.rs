//! The application against virtual routers: a link with room for half of what the camera sends.

use external_application::{Seen, watch};
use rsvp_client::{Announcement, Traffic};
use rsvp_sim::{Network, World};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn it_takes_half_where_the_whole_has_no_room() -> Result<(), Box<dyn std::error::Error>> {
    let world = World::builder()
        .hosts(["studio", "home"])
        .routers(["r1", "r2"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l.delay("5ms").reservable("1500kbit"))
        .link("r2", "home", |l| l)
        .build()?;
    let network = Network::new(world);
    let session = format!("udp {}:5000", network.address("home")?);
    let camera = network.client("studio").await?.session(session.parse()?).await?;
    let source = format!("{}:4000", network.address("studio")?).parse()?;
    camera.announce(Announcement::new(source, Traffic::of(2e6))).await?;

    let viewer = network.client("home").await?;
    let seen = network.until(watch(&viewer, &session), 10 * SECOND).await.expect("an end in ten seconds")?;
    assert_eq!(seen, Seen::Reserved(1e6));
    assert!(network.now() < SECOND, "{:?}", network.now());
    Ok(())
}
