//! A class, in about forty lines: the teacher sends to a group, the pupils reserve for whoever teaches.
//!
//! `cargo run -p rsvp-client --example class -- teach 239.1.2.3:5000`, and on other hosts `-- learn 239.1.2.3:5000`.

use rsvp_client::qos::{Flowspec, Qos, ServiceType};
use rsvp_client::{Leaf, QosHost};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: class teach|learn GROUP:PORT";
    let teaches = match std::env::args().nth(1).as_deref() {
        Some("teach") => true,
        Some("learn") => false,
        _ => return Err(usage.into()),
    };
    let group: SocketAddr = std::env::args().nth(2).ok_or(usage)?.parse()?;
    let port = if teaches { 0 } else { group.port() };
    let any = if group.is_ipv4() { "0.0.0.0" } else { "::" };
    let host = QosHost::connect_default().await?;
    let class = host.attach(UdpSocket::bind((any, port)).await?).await?;
    let load = Flowspec::of(ServiceType::ControlledLoad);
    if teaches {
        let sending = Flowspec { token_rate: Some(62_500), max_sdu_size: Some(1000), ..load };
        class.join(group, Leaf::Sender, Some(&Qos { sending, ..Qos::default() })).await?;
    } else {
        class.join(group, Leaf::Receiver, Some(&Qos { receiving: load, ..Qos::default() })).await?;
    }

    let (mut slides, mut heard) = (tokio::time::interval(Duration::from_millis(16)), [0; 1500]);
    loop {
        tokio::select! {
            told = class.next() => println!("{}", told.ok_or("the daemon has ended")?.status),
            // There may be no way to the group yet.
            _ = slides.tick(), if teaches => drop(class.send_to(&[0; 1000], group).await),
            slide = class.recv_from(&mut heard), if !teaches => println!("{} octets", slide?.0),
        }
    }
}
