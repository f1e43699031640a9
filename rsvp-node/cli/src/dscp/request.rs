//! `rsvp dscp get`: fetches a page over a connection whose every packet from here is marked.
//!
//! The socket is marked before it connects, so that the SYN is, too; what the server sends has the server's mark. One
//! request, one answer, no redirects. Memory is bounded, whatever the server sends; so is time.

use super::http::{self, Body, Head};
use super::url::Url;
use super::{Failure, print};
use crate::command::span;
use clap::Args;
use core::net::SocketAddr;
use core::time::Duration;
use rsvp_client::{Dscp, mark};
use rsvp_node::units::show_time;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

/// Octets that are read at once.
const PIECE: usize = 16 << 10;

/// Fetches a page by HTTP over a connection whose every packet from here has a mark, the SYN included
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp dscp get http://127.0.0.1:8086/ --dscp ef\n  \
    rsvp dscp get http://[::1]/file --dscp af41 --output file\n  \
    rsvp dscp get http://127.0.0.1/ --dscp 46 --json | jq .octets\n\n\
    The server may be `python3 -m http.server 8086`. In Wireshark, `tcp.port == 8086` shows the packets; those to the server\n\
    have the mark (under \"Differentiated Services Field\"), those of the server have the server's.\n\n\
    Exit status: 0; 1 when there was no whole answer, or its status is 400 or above; 2 for a wrong command line.")]
pub(super) struct Arguments {
    /// What to fetch: http://HOST[:PORT][/PATH], by default from port 8086; HOST is a name, an IPv4 address or an IPv6
    /// address in brackets
    url: Url,
    /// The mark: a name such as ef, or a number
    #[arg(long, value_name = "DSCP")]
    dscp: Dscp,
    /// Where the page goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How long all of it may take
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s")]
    timeout: Duration,
    /// The result as a JSON object on standard output; the page is left out, unless there is an --output
    #[arg(long)]
    json: bool,
}

/// Who answered, and what.
struct Answer {
    local: SocketAddr,
    peer: SocketAddr,
    head: Head,
    octets: u64,
}

/// `rsvp dscp get`.
pub(super) fn main(arguments: &Arguments) -> Result<u8, Failure> {
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Asked(format!("cannot start an event loop: {error}")))?;
    let answer = runtime.block_on(async { timeout(arguments.timeout, fetch(arguments)).await });
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    let authority = arguments.url.authority();
    let answer = answer.unwrap_or_else(|_| {
        let limit = show_time(arguments.timeout);
        Err(Failure::Asked(format!("{authority}: no whole answer within {limit}; --timeout waits longer")))
    })?;
    told(arguments, &answer, start.elapsed())?;
    Ok(u8::from(answer.head.status >= 400))
}

/// Says how it went.
fn told(arguments: &Arguments, answer: &Answer, took: Duration) -> Result<(), Failure> {
    let Answer { local, peer, head, octets } = answer;
    let dscp = arguments.dscp;
    if arguments.json {
        let object = json!({
            "local": local.to_string(),
            "peer": peer.to_string(),
            "dscp": dscp.value(),
            "name": dscp.name(),
            "ds_field": dscp.ds_field(),
            "status": head.status,
            "reason": head.reason,
            "octets": octets,
            "seconds": took.as_secs_f64(),
        });
        return print(&object.to_string());
    }
    // The page may be on standard output.
    eprintln!(
        "{} {}: {octets} octets from {peer} to {local}, which sent with {dscp} (DS field {:#04x})",
        head.status,
        head.reason,
        dscp.ds_field()
    );
    Ok(())
}

async fn fetch(arguments: &Arguments) -> Result<Answer, Failure> {
    let Arguments { url, dscp, .. } = arguments;
    let authority = url.authority();
    let at = |error: &dyn std::fmt::Display| Failure::Asked(format!("{authority}: {error}"));
    let mut stream = connect(url, *dscp).await?;
    let (local, peer) =
        stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?))).map_err(|e| at(&e))?;
    let request = http::request(&authority, &url.target);
    stream.write_all(request.as_bytes()).await.map_err(|error| at(&error))?;
    let malformed = |why: String| at(&format!("this is not an HTTP answer: {why}"));
    let mut kept = Vec::new();
    let (head, start) = loop {
        if read(&mut stream, &mut kept).await.map_err(|error| at(&error))? == 0 {
            return Err(at(&"the connection was closed before there was an answer"));
        }
        if let Some(found) = http::head(&kept).map_err(malformed)? {
            break found;
        }
    };
    let mut sink = Sink::open(arguments)?;
    let mut body = Body::of(&head);
    kept.drain(..start);
    loop {
        let mut failed = None;
        let taken = body.take(&kept, |octets| {
            sink.write(octets).map_err(|error| {
                failed = Some(error);
                String::new()
            })
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
        taken.map_err(malformed)?;
        kept.clear();
        if body.is_done() {
            break;
        }
        if read(&mut stream, &mut kept).await.map_err(|error| at(&error))? == 0 {
            body.end().map_err(|why| at(&format!("the answer is cut off: {why}")))?;
            break;
        }
    }
    sink.end()?;
    Ok(Answer { local, peer, head, octets: body.octets })
}

/// Reads what is there, at most a piece; 0 octets at the end of the connection.
async fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> io::Result<usize> {
    into.reserve(PIECE);
    stream.take(PIECE as u64).read_buf(into).await
}

/// Connects to the first address that takes it, marked before the first packet.
async fn connect(url: &Url, dscp: Dscp) -> Result<TcpStream, Failure> {
    let authority = url.authority();
    let found = lookup_host((url.host.as_str(), url.port)).await;
    let addresses = found
        .map_err(|error| Failure::Asked(format!("{authority}: the name cannot be looked up: {error}")))?;
    let mut failed = Vec::new();
    for address in addresses {
        match connect_to(address, dscp).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed.push(format!("{address}: {error}")),
        }
    }
    let remedy = if failed.iter().any(|said| said.contains("refused")) {
        format!("; does a server listen there? `python3 -m http.server {}` is one", url.port)
    } else {
        String::new()
    };
    Err(Failure::Asked(format!("cannot connect to {}{remedy}", failed.join(", "))))
}

async fn connect_to(address: SocketAddr, dscp: Dscp) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    mark(&socket, dscp)?;
    socket.connect(address).await
}

/// Where the page goes.
enum Sink {
    File(File, PathBuf),
    Output,
    Nowhere,
}

impl Sink {
    fn open(arguments: &Arguments) -> Result<Self, Failure> {
        match &arguments.output {
            Some(path) => match File::create(path) {
                Ok(file) => Ok(Self::File(file, path.clone())),
                Err(error) => Err(Failure::Asked(format!("cannot write {}: {error}", path.display()))),
            },
            None if arguments.json => Ok(Self::Nowhere),
            None => Ok(Self::Output),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(file, path) => file
                .write_all(octets)
                .map_err(|error| Failure::Asked(format!("cannot write {}: {error}", path.display()))),
            Self::Output => io::stdout().lock().write_all(octets).map_err(Failure::Output),
            Self::Nowhere => Ok(()),
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Self::Output => io::stdout().lock().flush().map_err(Failure::Output),
            Self::File(..) | Self::Nowhere => Ok(()),
        }
    }
}
