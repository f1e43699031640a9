//! What commands that run for a while say: lines for people, or one JSON object per line for programs.

use super::Failure;
use super::course::Course;
use super::measure::{Report, Summary};
use super::packets::Sent;
use super::texts;
use core::time::Duration;
use rsvp_client::qos::FdQos;
use rsvp_client::{Event, Told};
use rsvp_node::units::{show_rate, show_size, show_time};
use rsvp_wire::Session;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use tokio::time::Instant;

/// Standard output, with the time since the command started in front.
pub(super) struct Output {
    json: bool,
    start: Instant,
    /// The time of day is said, too.
    by_the_clock: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json, start: Instant::now(), by_the_clock: false }
    }

    /// With the time of day before it, so that it can be found in logs.
    pub(super) fn by_the_clock(json: bool) -> Self {
        Self { by_the_clock: true, ..Self::new(json) }
    }

    fn line(&self, text: &str, mut object: serde_json::Value) -> Result<(), Failure> {
        let at = self.start.elapsed().as_secs_f64();
        let mut out = std::io::stdout().lock();
        let written = if self.json {
            object["at_s"] = json!((at * 1e6).round() / 1e6);
            if self.by_the_clock {
                object["time"] = json!(jiff::Timestamp::now().to_string());
            }
            writeln!(out, "{object}")
        } else if self.by_the_clock {
            writeln!(out, "{} {at:9.3}s  {text}", jiff::ZonedDateTime::now().strftime("%H:%M:%S%.3f"))
        } else {
            writeln!(out, "{at:9.3}s  {text}")
        };
        written.and_then(|()| out.flush()).map_err(Failure::at("standard output"))
    }

    /// Something that this command did or waits for: of which type it is for programs, what it says for people, and the facts in it.
    pub(super) fn note(&self, kind: &str, text: &str, mut facts: serde_json::Value) -> Result<(), Failure> {
        facts["type"] = json!(kind);
        facts["note"] = json!(text);
        self.line(text, facts)
    }

    /// Something that the network did; with the session, where there are several.
    pub(super) fn event(&self, session: Option<Session>, event: &Event) -> Result<(), Failure> {
        let words = texts::event(event);
        match session {
            None => self.line(&words, json!({ "type": "event", "event": event })),
            Some(session) => {
                let object = json!({ "type": "event", "session": session.to_string(), "event": event });
                self.line(&format!("{session}: {words}"), object)
            }
        }
    }

    /// Something that the network did for a socket.
    pub(super) fn told(&self, told: &FdQos) -> Result<(), Failure> {
        self.told_of(None, told)
    }

    /// The same, of the connection with a peer, where there are several.
    pub(super) fn told_of(&self, peer: Option<SocketAddr>, told: &FdQos) -> Result<(), Failure> {
        // The words of the control protocol, without the number that the socket has there.
        let mut said = json!(Told::of(0, told));
        if let Some(said) = said.as_object_mut() {
            said.remove("socket");
        }
        let words = texts::told(told);
        match peer {
            None => self.line(&words, json!({ "type": "qos", "qos": said })),
            Some(peer) => {
                self.line(&format!("{peer}: {words}"), json!({ "type": "qos", "peer": peer, "qos": said }))
            }
        }
    }

    /// Something that the node did, whoever it concerns.
    pub(super) fn watched(&self, watched: &rsvp_client::Watched) -> Result<(), Failure> {
        self.line(&texts::watched(watched), json!({ "type": "watched", "watched": watched }))
    }

    /// Something that happened to flows that are made by hand.
    pub(super) fn flow_event(&self, words: &str, event: &rsvp_client::tc::Event) -> Result<(), Failure> {
        self.line(words, json!({ "type": "tc", "tc": event }))
    }

    /// What a receiver measured.
    pub(super) fn received(&self, from: &str, report: &Report) -> Result<(), Failure> {
        let delay = match (report.delay_us, report.delay_max_us) {
            (Some(mean), Some(max)) => {
                format!("delay {} at most {}", microseconds(mean), microseconds(max as f64))
            }
            _ => "no delay to tell".to_owned(),
        };
        let text = format!(
            "{from}: {} in {} packets, {} lost, jitter {}, {delay}",
            show_rate(report.throughput_bps),
            report.packets,
            report.lost,
            microseconds(report.jitter_us)
        );
        self.line(&text, json!({ "type": "report", "from": from, "report": report }))
    }

    /// What a receiver measured of a flow in all.
    pub(super) fn summed_up(&self, from: &str, summary: &Summary) -> Result<(), Failure> {
        let told = |us: Option<i64>| us.map_or_else(|| "-".to_owned(), |us| microseconds(us as f64));
        let delay = match summary.delay_us {
            None => "no delay to tell".to_owned(),
            Some(mean) => format!(
                "delay {}, median {}, 99 % within {}, at most {}",
                microseconds(mean),
                told(summary.delay_median_us),
                told(summary.delay_p99_us),
                told(summary.delay_max_us)
            ),
        };
        let text = format!(
            "{from}: in all {} packets, {}, {} lost ({:.2} %), jitter {}, {delay}",
            summary.packets,
            show_size(summary.octets),
            summary.lost,
            summary.lost_share * 100.0,
            microseconds(summary.jitter_us)
        );
        self.line(&text, json!({ "type": "summary", "from": from, "summary": summary }))
    }

    /// What a sender sent in all, and for how long it had a reservation.
    pub(super) fn sent_in_all(&self, sent: Sent, course: &Course) -> Result<(), Failure> {
        let Sent { packets, octets, failed } = sent;
        let (reserved, elapsed) = (course.reserved_for(), course.elapsed());
        let text = format!(
            "sent in all {packets} packets, {}, {failed} failed; reserved for {} of {}",
            show_size(octets),
            milliseconds(reserved),
            milliseconds(elapsed)
        );
        let mut summary = json!(sent);
        summary["reserved_s"] = json!(seconds(reserved));
        summary["elapsed_s"] = json!(seconds(elapsed));
        self.line(&text, json!({ "type": "summary", "summary": summary }))
    }

    /// What a sender sent.
    pub(super) fn sent(&self, bps: f64, packets: u64, failed: u64) -> Result<(), Failure> {
        let failures = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        let text = format!("sent {} in {packets} packets{failures}", show_rate(bps));
        self.line(&text, json!({ "type": "sent", "sent_bps": bps, "packets": packets, "failed": failed }))
    }
}

/// A time as people write it, no finer than a millisecond.
pub(super) fn milliseconds(time: Duration) -> String {
    show_time(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

/// Seconds, to the microsecond.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// A time in microseconds, negative where clocks differ.
fn microseconds(us: f64) -> String {
    let time = show_time(Duration::from_micros(us.abs() as u64));
    if us < 0.0 { format!("-{time}") } else { time }
}

/// Waits until the command is to end: Ctrl-C, or a polite kill.
pub(super) async fn interrupted() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        // Without signals there is only the impolite way to end.
        return core::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
