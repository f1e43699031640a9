//! A sender of about forty lines: announces a flow of 1 Mbit/s and sends while somebody has a reservation for it.
//!
//! `cargo run -p rsvp-client --example sender -- 10.0.2.2:5000`

use rsvp_client::{Announcement, Client, Event, Traffic};
use rsvp_wire::{FilterSpec, Session};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

const UDP: u8 = 17;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let to: SocketAddr = std::env::args().nth(1).ok_or("usage: sender ADDRESS:PORT")?.parse()?;
    let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(to).await?;
    let from = socket.local_addr()?;

    // To the network this program is an application, from here until the client is dropped.
    let client = Client::connect_default().await?;
    let mut session = client.session(Session::new(to.ip(), UDP, to.port())).await?;
    session
        .announce(Announcement::new(FilterSpec::new(from.ip(), from.port()), Traffic::of(1_000_000.0)))
        .await?;

    // 125 packets of 1000 octets with their headers are 1 Mbit in a second.
    let mut packets = tokio::time::interval(Duration::from_millis(8));
    let mut reserved = false;
    loop {
        tokio::select! {
            event = session.next_event() => match event.ok_or("the daemon has ended")? {
                Event::Resv { flowspec, .. } => {
                    println!("receivers have reserved: {flowspec:?}");
                    reserved = true;
                }
                Event::ResvGone { .. } => reserved = false,
                other => println!("{other:?}"),
            },
            // Nobody may be listening yet; that is no reason to end.
            _ = packets.tick(), if reserved => drop(socket.send(&[0; 972]).await),
        }
    }
}
