//! The control socket and the client library: clients of two real engines that are joined by a link.

mod any_address;
mod carried;
mod lines;
mod network;
mod pair;
mod reservation;
mod socket;

use rsvp_client::{Event, Session};
use std::time::Duration;

/// The next event, in time that only passes when nothing else happens.
async fn next(session: &mut Session) -> Event {
    let event = tokio::time::timeout(Duration::from_secs(60), session.next_event()).await;
    event.expect("an event within a minute").expect("the connection stands")
}
