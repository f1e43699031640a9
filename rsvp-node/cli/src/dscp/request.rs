//! `rsvp dscp get`: fetches a page over a connection whose every packet from here is marked.
//!
//! The socket is marked before it connects, so that the SYN is, too; what the server sends has the server's mark. One
//! request, one answer, no redirects. Memory is bounded, whatever the server sends; so is time.

use super::url::Url;
use super::{Failure, print};
use crate::command::span;
use clap::Args;
use core::net::SocketAddr;
use core::time::Duration;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use rsvp_client::{Dscp, mark};
use rsvp_node::units::show_time;
use serde_json::json;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

/// Octets that are kept of an answer at most, its head among them.
const KEPT: usize = 64 << 10;

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
    status: u16,
    /// Nothing but printable ASCII.
    reason: String,
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
    Ok(u8::from(answer.status >= 400))
}

/// Says how it went.
fn told(arguments: &Arguments, answer: &Answer, took: Duration) -> Result<(), Failure> {
    let Answer { local, peer, status, reason, octets } = answer;
    let dscp = arguments.dscp;
    if arguments.json {
        let object = json!({
            "local": local.to_string(),
            "peer": peer.to_string(),
            "dscp": dscp.value(),
            "name": dscp.name(),
            "ds_field": dscp.ds_field(),
            "status": status,
            "reason": reason,
            "octets": octets,
            "seconds": took.as_secs_f64(),
        });
        return print(&object.to_string());
    }
    // The page may be on standard output.
    eprintln!(
        "{status} {reason}: {octets} octets from {peer} to {local}, which sent with {dscp} (DS field {:#04x})",
        dscp.ds_field()
    );
    Ok(())
}

async fn fetch(arguments: &Arguments) -> Result<Answer, Failure> {
    let Arguments { url, dscp, .. } = arguments;
    let authority = url.authority();
    let at = |error: &dyn std::fmt::Display| Failure::Asked(format!("{authority}: {error}"));
    let stream = connect(url, *dscp).await?;
    let (local, peer) =
        stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?))).map_err(|e| at(&e))?;
    let request = Request::get(&url.target)
        .header(header::HOST, &authority)
        .header(header::USER_AGENT, concat!("rsvp/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| at(&error))?;
    let handshake = http1::Builder::new()
        .title_case_headers(true)
        .max_buf_size(KEPT)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = handshake.map_err(|error| at(&because(&error)))?;
    // What goes wrong with the connection is told by the answer, too.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| match error.is_incomplete_message() {
        true => at(&"the connection was closed before there was an answer"),
        false => at(&format!("this is not an HTTP answer: {}", because(&error))),
    })?;
    if answer.status().is_informational() {
        return Err(at(&format!("this is not an answer to a GET: {}", answer.status())));
    }
    let (status, reason) = (answer.status().as_u16(), reason(&answer));
    let (mut sink, mut body, mut octets) = (Sink::open(arguments)?, answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            at(&format!("the answer breaks off after {octets} octets: {}", because(&error)))
        })?;
        if let Some(data) = frame.data_ref() {
            sink.write(data)?;
            octets += data.len() as u64;
        }
    }
    sink.end()?;
    Ok(Answer { local, peer, status, reason, octets })
}

/// An error with those that have led to it.
fn because(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What the server calls its status, so that a terminal can bear it.
fn reason<T>(answer: &Response<T>) -> String {
    let own = answer.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
    let usual = answer.status().canonical_reason().unwrap_or_default();
    let octets = own.unwrap_or(usual.as_bytes());
    octets.iter().map(|octet| if matches!(octet, b' '..=b'~') { char::from(*octet) } else { '?' }).collect()
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
