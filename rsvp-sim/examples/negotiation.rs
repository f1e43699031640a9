//! An application against virtual routers: a viewer that asks for half as often as the network refuses. It is written for `rsvpd` and
//! does not know that time and routers are virtual.
//!
//!     cargo run -p rsvp-sim --features client --example negotiation

use rsvp_client::{Announcement, Client, ClientError, Event, Reservation, Service, Traffic};
use rsvp_sim::rsvp_wire::Session;
use rsvp_sim::{Network, World};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

/// The application: it says what it does by `say`.
async fn view(client: Client, session: Session, say: impl Fn(String)) -> Result<(), ClientError> {
    let mut session = client.session(session).await?;
    let mut wanted: Option<(_, Traffic)> = None;
    while let Some(event) = session.next_event().await {
        match (event, &mut wanted) {
            (Event::Path { sender, traffic, .. }, None) => wanted = Some((sender.0, traffic)),
            (Event::ResvError { error, .. }, Some((_, traffic))) => {
                say(format!("{} refuses {} Mbit/s", error.node, traffic.rate_bps / 1e6));
                traffic.rate_bps /= 2.0;
            }
            (Event::ResvConfirm { .. }, Some((_, traffic))) => {
                say(format!("{} Mbit/s are reserved", traffic.rate_bps / 1e6));
                return Ok(());
            }
            _ => continue,
        }
        if let Some((sender, traffic)) = wanted {
            let reservation = Reservation::fixed(sender, Service::ControlledLoad { traffic });
            session.reserve(reservation.confirmed()).await?;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let world = World::builder()
        .hosts(["studio", "home"])
        .routers(["r1", "r2", "r3"])
        .link("studio", "r1", |l| l.delay("1ms"))
        .link("r1", "r2", |l| l.delay("20ms").reservable("5mbit"))
        .link("r2", "r3", |l| l.delay("10ms").reservable("2500kbit"))
        .link("r3", "home", |l| l.delay("5ms"))
        .build()?;
    let network = Network::new(world);
    let to: Session = format!("udp {}", SocketAddr::new(network.address("home")?, 5000)).parse()?;
    let camera = network.client("studio").await?.session(to).await?;
    let from = SocketAddr::new(network.address("studio")?, 4000).to_string().parse()?;
    camera.announce(Announcement::new(from, Traffic::of(8e6))).await?;

    let clock = network.clone();
    let say = |what| println!("{:>4} ms  {what}", clock.now().as_millis());
    let viewer = view(network.client("home").await?, to, say);
    network.until(viewer, Duration::from_secs(5)).await.ok_or("nobody was heard of in five seconds")??;
    Ok(())
}
