//! A server of one file, in about forty lines: each caller's connection has 2 Mbit/s, while the network keeps them.
//!
//! `cargo run -p rsvp-client --example file_server -- 10.0.1.1:8080 FILE`; a client that reserves: `rsvp reserve`, or any QoS socket.

use rsvp_client::qos::{Flowspec, Qos, ServiceType};
use rsvp_client::{Decision, QosHost, QosSocket};
use std::error::Error;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MOST_CALLERS: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: file_server ADDRESS:PORT FILE";
    let (at, file) = (std::env::args().nth(1).ok_or(usage)?, std::env::args().nth(2).ok_or(usage)?);
    let content: Arc<[u8]> = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?.into();
    let host = QosHost::connect_default().await?;
    let listener = host.attach(TcpListener::bind(at).await?).await?;
    let sending = Flowspec { token_rate: Some(250_000), ..Flowspec::of(ServiceType::ControlledLoad) };
    listener.set(&Qos { sending, ..Qos::default() }).await?;
    loop {
        // What the listener has, its connections have. One caller too many is turned away.
        let free = Arc::strong_count(&content) <= MOST_CALLERS;
        let decide = |_: &_| if free { Decision::Accept(None) } else { Decision::Reject };
        if let Some((caller, peer)) = listener.accept_if(decide).await? {
            println!("{peer} calls");
            tokio::spawn(serve(caller, Arc::clone(&content)));
        }
    }
}

async fn serve(mut caller: QosSocket<TcpStream>, content: Arc<[u8]>) {
    let mut told = caller.events();
    tokio::spawn(async move {
        while let Some(told) = told.next().await {
            println!("{}", told.status);
        }
    });
    // Whoever hangs up early has what it wanted. The reservation stands until the caller has everything and hangs up.
    let _ = caller.write_all(&content).await;
    let _ = AsyncWriteExt::shutdown(&mut caller).await;
    let _ = caller.read(&mut [0]).await;
}
