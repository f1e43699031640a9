//! Reserves for whoever sends to a group, and says what the network answers.

use rsvp_client::{Client, ClientError, Event, Reservation, Service};

async fn receive() -> Result<(), ClientError> {
    let client = Client::connect_default().await?;
    let mut session = client.session("udp 224.1.2.3:5000".parse().expect("a session")).await?;
    while let Some(event) = session.next_event().await {
        match event {
            Event::Path { sender, traffic, .. } => {
                session.reserve(Reservation::fixed(sender.0, Service::ControlledLoad { traffic })).await?;
            }
            other => println!("{other:?}"),
        }
    }
    Ok(())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if let Err(error) = runtime.block_on(receive()) {
        println!("{error}");
    }
}
