//! The endpoint for Prometheus: `GET /metrics` of HTTP answers what is counted, to anybody who reaches it.
//!
//! It is one more client of the control service, which it asks anew for each scrape; a scrape that waits for the driver holds up no
//! other client. Connections are bounded in number and time.

use super::config::{DaemonConfig, Listen};
use super::control::server::{FromClient, attend, next_client};
use super::start::{DaemonError, failed};
use core::time::Duration;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rsvp_control::rows::Rows;
use rsvp_control::{Done, Line, What, metrics};
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 8;
/// How long a connection may take for what it wants, and the driver for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Room for what is on its way from the control service.
const PIPE: usize = 1 << 16;

/// Binds the port, where one is configured; before privileges are given up.
pub(super) fn open(config: &DaemonConfig) -> Result<Option<TcpListener>, DaemonError> {
    let Some(Listen(at)) = config.metrics.listen else { return Ok(None) };
    let listener = TcpListener::bind(at).map_err(failed(format!("`listen` of [metrics], {at}")))?;
    listener.set_nonblocking(true).map_err(failed("the socket for metrics"))?;
    Ok(Some(listener))
}

/// Answers until the driver is gone.
pub(super) async fn serve(listener: TcpListener, driver: mpsc::Sender<FromClient>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::warn!("no metrics are served: {error}"),
    };
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = driver.closed() => return,
        };
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let driver = driver.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, driver.clone()));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            // Whoever goes away early, or speaks no HTTP, needs no more.
            let _ = timeout(PATIENCE, connection).await;
            drop(permit);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    driver: mpsc::Sender<FromClient>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let plain = |status: StatusCode, text: &'static str| {
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        response
    };
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => match scrape(driver).await {
            Ok(text) => {
                let mut response = Response::new(Full::from(text));
                let kind = hyper::header::HeaderValue::from_static(metrics::CONTENT_TYPE);
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(error) => {
                tracing::warn!("a scrape of metrics was not answered: {error}");
                plain(StatusCode::SERVICE_UNAVAILABLE, "rsvpd does not answer\n")
            }
        },
        (&Method::GET | &Method::HEAD, _) => {
            plain(StatusCode::NOT_FOUND, "there is nothing here: ask for /metrics\n")
        }
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
            response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
            response
        }
    })
}

/// Asks the control service for all there is to tell.
async fn scrape(driver: mpsc::Sender<FromClient>) -> io::Result<String> {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let service = tokio::spawn(attend(theirs, next_client(), driver));
    let told = timeout(PATIENCE, ask_all(BufReader::new(ours))).await;
    service.abort();
    told.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn ask_all(mut service: BufReader<DuplexStream>) -> io::Result<String> {
    let unexpected = || io::Error::other("the control service has said something else");
    let counters = ask(&mut service, What::Counters, 1).await?;
    let interfaces = ask(&mut service, What::Interfaces, rsvp_control::MOST_ROWS).await?;
    let mut totals = [0; metrics::COUNTED.len()];
    for (what, total) in metrics::COUNTED.into_iter().zip(&mut totals) {
        *total = ask(&mut service, what, 0).await?.total.ok_or_else(unexpected)?;
    }
    match (counters.rows, interfaces.rows) {
        (Some(Rows::Counters(counters)), Some(Rows::Interfaces(interfaces))) => {
            Ok(metrics::text(&counters, &interfaces, totals))
        }
        _ => Err(unexpected()),
    }
}

/// One listing.
async fn ask(service: &mut BufReader<DuplexStream>, what: What, at_most: usize) -> io::Result<Done> {
    let request = json!({ "id": 1, "request": "list", "what": what, "at_most": at_most });
    service.get_mut().write_all(format!("{request}\n").as_bytes()).await?;
    loop {
        let mut line = String::new();
        if service.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line: Line = serde_json::from_str(&line).map_err(io::Error::other)?;
        if let Some(problem) = line.error {
            return Err(io::Error::other(problem.message));
        }
        if let Some(done) = line.ok {
            return Ok(done);
        }
    }
}
