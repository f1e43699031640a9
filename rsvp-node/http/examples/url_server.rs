//! A web server whose answers are marked by policies for URLs: each answer is so many octets as its path ends with (`/films/100000`).
//!
//! `cargo run -p rsvp-http --example url_server -- 10.0.1.2:8080`; then `curl http://10.0.1.2:8080/films/100000`.

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rsvp_http::{Connection, Policies, tower_layer::Layer, tower_service::Service};
use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let at = std::env::args().nth(1).ok_or("usage: url_server ADDRESS:PORT")?;
    let listener = TcpListener::bind(at).await?;
    let policies = Policies::by_default();
    loop {
        let (stream, _) = listener.accept().await?;
        // One that is gone already has no addresses any more.
        let Ok(connection) = Connection::of(&stream) else { continue };
        let service = policies.layer(connection).layer(Octets);
        // A client that goes away early has what it wanted.
        tokio::spawn(
            http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)),
        );
    }
}

/// Answers with as many octets as it is asked for.
#[derive(Clone)]
struct Octets;

impl Service<Request<Incoming>> for Octets {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let count = request.uri().path().rsplit('/').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        ready(Ok(Response::new(Full::from(vec![b'.'; usize::min(count, 1 << 24)]))))
    }
}
