//! An application at the control socket, by hand: lines of JSON over a UNIX socket, and nothing of the client library.

use super::{PATIENCE, eventually};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) struct Client {
    lines: BufReader<UnixStream>,
    id: u64,
    events: VecDeque<Value>,
    /// What happened to flows that are made by hand.
    flows: VecDeque<Value>,
}

impl Client {
    /// Connects, if there is somebody, and reads the greeting.
    pub(super) fn open(socket: &Path) -> Option<Self> {
        let stream = UnixStream::connect(socket).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let (events, flows) = (VecDeque::new(), VecDeque::new());
        let mut this = Self { lines: BufReader::new(stream), id: 0, events, flows };
        assert_eq!(this.line()["version"], 1);
        Some(this)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line in time");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    /// Asks for something; events that come before the answer are kept.
    pub(super) fn ask(&mut self, mut request: Value) -> Result<Value, Value> {
        self.id += 1;
        request["id"] = json!(self.id);
        writeln!(self.lines.get_mut(), "{request}").expect("the daemon reads");
        loop {
            let mut line = self.line();
            if line["tc"].is_object() {
                self.flows.push_back(line["tc"].take());
            } else if line["id"] != self.id {
                self.events.push_back(line["event"].take());
            } else if line["error"].is_object() {
                return Err(line["error"].take());
            } else {
                return Ok(line["ok"].take());
            }
        }
    }

    /// Announces a flow of so many Mbit/s.
    pub(super) fn send(&mut self, session: &str, sender: &str, mbit: u64) {
        let traffic = json!({"rate_bps": mbit * 1_000_000});
        let request = json!({"request": "sender", "session": session, "sender": sender, "traffic": traffic});
        self.ask(request).expect("a sender");
    }

    /// Reserves Controlled-Load for one sender.
    pub(super) fn reserve(&mut self, session: &str, sender: &str, mbit: u64) {
        let flowspec = json!({"service": "controlled-load", "traffic": {"rate_bps": mbit * 1_000_000}});
        let flows = json!([{"filters": [sender], "flowspec": flowspec}]);
        let request = json!({"request": "reserve", "session": session, "style": "ff", "flows": flows,
                             "confirm": true});
        self.ask(request).expect("a reservation");
    }

    /// Reserves, and waits for what comes of it.
    pub(super) fn event_after_reserving(
        &mut self,
        session: &str,
        sender: &str,
        mbit: u64,
        kind: &str,
    ) -> Value {
        self.reserve(session, sender, mbit);
        self.event(kind)
    }

    /// What happens next to flows that are made by hand, of a kind; what comes before it is dropped.
    pub(super) fn flow_event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.flows.pop_front().unwrap_or_else(|| self.line()["tc"].take());
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// What happens next on the node.
    pub(super) fn watched(&mut self) -> Value {
        loop {
            let mut line = self.line();
            if line["watched"].is_object() {
                return line["watched"].take();
            }
        }
    }

    /// The next event.
    pub(super) fn next_event(&mut self) -> Value {
        self.events.pop_front().unwrap_or_else(|| self.line()["event"].take())
    }

    /// The next event of a kind; others before it are dropped.
    pub(super) fn event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next_event();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Events that have come and were not asked for.
    pub(super) fn waiting(&mut self) -> Vec<Value> {
        self.list("sessions");
        self.events.drain(..).collect()
    }

    /// The rows of a listing.
    pub(super) fn list(&mut self, what: &str) -> Vec<Value> {
        let mut answer = self.ask(json!({"request": "list", "what": what})).expect("a listing");
        serde_json::from_value(answer[what].take()).expect("rows")
    }

    /// Waits until a listing has so many rows.
    pub(super) fn until(&mut self, what: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} {what}"), || Some(self.list(what)).filter(|rows| rows.len() == count))
    }
}
