//! One side of a voice call, in about forty lines: G.711 in both directions, and less when the network has not that much.
//!
//! `cargo run -p rsvp-client --example voice_call -- 10.0.1.1:4000 10.0.2.2:4000`, and on the other host the other way round.

use rsvp_client::QosHost;
use rsvp_client::qos::{Status, Templates};
use std::error::Error;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Codecs, the best first, and the octets that each has in 20 ms.
const CODECS: [(&str, usize); 2] = [("G711", 172), ("G729", 32)];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: voice_call OWN-ADDRESS:PORT PEER-ADDRESS:PORT";
    let (own, peer) = (std::env::args().nth(1).ok_or(usage)?, std::env::args().nth(2).ok_or(usage)?);
    let host = QosHost::connect_default().await?;
    let call = host.attach(UdpSocket::bind(own).await?).await?;
    let (mut codec, mut frame_size) = CODECS[0];
    call.set(&Templates::default().read(codec)?).await?;
    call.connect(peer).await?;

    let (mut frames, mut heard) = (tokio::time::interval(Duration::from_millis(20)), [0; 1500]);
    loop {
        tokio::select! {
            told = call.next() => {
                let told = told.ok_or("the daemon has ended")?;
                println!("{}", told.status);
                // The network refuses what is asked for: with the smaller codec there may be room.
                if told.status == Status::ADMISSION_FAILURE && codec != CODECS[1].0 {
                    (codec, frame_size) = CODECS[1];
                    println!("trying {codec}");
                    call.set(&Templates::default().read(codec)?).await?;
                }
            }
            // The call goes on without a reservation, too; nobody may have answered yet.
            _ = frames.tick() => drop(call.send(&vec![0; frame_size]).await),
            _ = call.recv(&mut heard) => {}
        }
    }
}
