//! Watches what is sent to a session, reserves for each sender, and asks for half when the network refuses.

use rsvp_client::{Client, ClientError, Event, Reservation, Service};

/// What came of it.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// So many bits a second are reserved.
    Reserved(f64),
    /// There is nobody to receive from any more.
    Over,
}

/// Reserves for the first sender of a session; returns when that is confirmed, or the sender has gone.
pub async fn watch(client: &Client, session: &str) -> Result<Seen, ClientError> {
    let mut session = client.session(session.parse().expect("a session")).await?;
    let mut asked = None;
    while let Some(event) = session.next_event().await {
        match event {
            Event::Path { sender, traffic, .. } if asked.is_none() => asked = Some((sender.0, traffic)),
            Event::ResvError { .. } => {
                let (_, traffic) = asked.as_mut().expect("it has asked");
                traffic.rate_bps /= 2.0;
            }
            Event::ResvConfirm { .. } => return Ok(Seen::Reserved(asked.expect("it has asked").1.rate_bps)),
            Event::PathGone { .. } => return Ok(Seen::Over),
            _ => continue,
        }
        let (sender, traffic) = asked.expect("a sender");
        let reservation = Reservation::fixed(sender, Service::ControlledLoad { traffic });
        session.reserve(reservation.confirmed()).await?;
    }
    Err(ClientError::Disconnected)
}
