//! A receiver of about forty lines: reserves for every sender that is announced, and counts what comes.
//!
//! `cargo run -p rsvp-client --example receiver -- 10.0.2.2:5000`, with an address of this host.

use rsvp_client::{Client, Event, Flow, Reservation, Service, Style};
use rsvp_wire::Session;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

const UDP: u8 = 17;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let at: SocketAddr = std::env::args().nth(1).ok_or("usage: receiver ADDRESS:PORT")?.parse()?;
    let socket = UdpSocket::bind(at).await?;
    let client = Client::connect_default().await?;
    let mut session = client.session(Session::new(at.ip(), UDP, at.port())).await?;

    let mut senders = BTreeMap::new();
    let (mut packet, mut octets) = ([0; 65_536], 0);
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            event = session.next_event() => match event.ok_or("the daemon has ended")? {
                Event::Path { sender, traffic, .. } => {
                    // What the sender announces is what this program asks for, for each sender its own.
                    senders.insert(sender.0, Service::ControlledLoad { traffic });
                    let flow = |(sender, service): (&_, &_)| Flow { filters: vec![*sender], flowspec: *service };
                    let reservation = Reservation::new(Style::Ff, senders.iter().map(flow).collect());
                    session.reserve(reservation.confirmed()).await?;
                }
                Event::PathGone { sender, .. } => drop(senders.remove(&sender.0)),
                other => println!("{other:?}"),
            },
            arrived = socket.recv(&mut packet) => octets += arrived?,
            _ = seconds.tick() => println!("{} bit/s", std::mem::take(&mut octets) * 8),
        }
    }
}
