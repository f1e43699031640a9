//! `--stats`: counts by message type, session, neighbour and error.
//!
//! What is remembered grows with the distinct sessions, neighbours and errors, and with nothing else. A message is
//! looked at once and nothing is put into words before the end.

use std::cmp::Reverse;
use std::net::IpAddr;

use hashbrown::HashMap;
use rsvp_wire::{Class, ErrorCode, ErrorSpec, MsgType, ObjectRef, Session, Why, error_value_name, show};
use smallvec::SmallVec;

use super::body;
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::Timestamp;
use rsvp_capture::packet::{Layers, Packet};

/// The columns of sessions and neighbours: some types by themselves, the rest together.
const COLUMNS: [MsgType; 7] = [
    MsgType::PATH,
    MsgType::RESV,
    MsgType::PATH_ERR,
    MsgType::RESV_ERR,
    MsgType::PATH_TEAR,
    MsgType::RESV_TEAR,
    MsgType::RESV_CONF,
];
const OTHERS: usize = COLUMNS.len();

/// A SESSION object without its flags, which differ between the hops of one session. Room for an IPv6 session.
type SessionKey = SmallVec<[u8; 24]>;

#[derive(Copy, Clone, Debug, Default)]
struct Counts {
    by_column: [u64; OTHERS + 1],
    malformed: u64,
}

#[derive(Debug)]
pub(super) struct Stats {
    top: usize,
    messages: u64,
    malformed: u64,
    by_type: [u64; 256],
    no_header: u64,
    sessions: HashMap<SessionKey, Counts>,
    neighbours: HashMap<IpAddr, Counts>,
    errors: HashMap<(u8, u16), u64>,
    faults: Vec<(Why, u64)>,
    integrity: [(&'static str, u64); 3],
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Stats {
    pub(super) fn new(top: usize) -> Self {
        Self {
            top: if top == 0 { usize::MAX } else { top },
            messages: 0,
            malformed: 0,
            by_type: [0; 256],
            no_header: 0,
            sessions: HashMap::new(),
            neighbours: HashMap::new(),
            errors: HashMap::new(),
            faults: Vec::new(),
            integrity: [("ok", 0), ("bad", 0), ("unknown-key", 0)],
            first: None,
            last: None,
        }
    }

    #[inline]
    pub(super) fn count(&mut self, packet: &Packet<'_>, judged: &Judged<'_>) {
        self.messages += 1;
        self.first = self.first.or(packet.time);
        self.last = packet.time.or(self.last);
        let Some(header) = judged.header else {
            self.no_header += 1;
            self.fault(judged);
            return;
        };
        self.by_type[usize::from(header.msg_type.0)] += 1;
        let column = COLUMNS.iter().position(|column| *column == header.msg_type).unwrap_or(OTHERS);
        let mut neighbour = packet.source();
        for object in judged.objects() {
            match object.class {
                Class::SESSION => {
                    let counts = self.sessions.entry(key(&object)).or_default();
                    counts.count(column, judged);
                }
                Class::RSVP_HOP => neighbour = body::address(&object).or(neighbour),
                Class::ERROR_SPEC => {
                    if let Ok(error) = object.read::<ErrorSpec>() {
                        *self.errors.entry((error.code.0, error.value)).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        if let Some(neighbour) = neighbour {
            self.neighbours.entry(neighbour).or_default().count(column, judged);
        }
        if let Some(integrity) = judged.integrity {
            let word = integrity.word();
            self.integrity.iter_mut().filter(|(name, _)| *name == word).for_each(|(_, count)| *count += 1);
        }
        self.fault(judged);
    }

    fn fault(&mut self, judged: &Judged<'_>) {
        let Some(fault) = judged.fault else { return };
        self.malformed += 1;
        match self.faults.iter_mut().find(|(why, _)| *why == fault.why) {
            Some((_, count)) => *count += 1,
            None => self.faults.push((fault.why, 1)),
        }
    }

    /// Everything that was counted.
    pub(super) fn write(&self, layers: Layers, out: &mut Text) {
        self.summary(layers, out);
        let types = self.by_type.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut types: Vec<_> = types.map(|(number, count)| (MsgType(number as u8), *count)).collect();
        types.sort_by_key(|(_, count)| Reverse(*count));
        heading("message type", &["messages"], out);
        for (msg_type, count) in types {
            let name = msg_type.name().map_or_else(|| format!("type {}", msg_type.0), str::to_owned);
            row(&name, &[count], out);
        }
        if self.no_header > 0 {
            row("shorter than a header", &[self.no_header], out);
        }
        self.table("session", &self.sessions, session, out);
        self.table("neighbour", &self.neighbours, |address, out| _ = out.address(*address), out);
        self.errors(out);
    }

    fn summary(&self, layers: Layers, out: &mut Text) {
        out.number(self.messages).put(" messages in ").number(layers.frames).put(" frames");
        out.put(", ").number(self.malformed).put(" malformed");
        out.put(", ").number(self.sessions.len()).put(" sessions");
        out.put(", ").number(self.neighbours.len()).put(" neighbours\n");
        if let (Some(first), Some(last)) = (self.first, self.last) {
            out.put("from ").date(first).put(" ").time_of_day(first).put("Z to ");
            out.date(last).put(" ").time_of_day(last).put("Z\n");
        }
        if layers.fragments > 0 {
            out.number(layers.fragments).put(" fragments: ").number(layers.reassembled);
            out.put(" datagrams reassembled, ").number(layers.incomplete).put(" incomplete\n");
        }
    }

    /// The busiest rows of a table whose columns are message types.
    fn table<K: Ord>(
        &self,
        what: &str,
        counted: &HashMap<K, Counts>,
        name: impl Fn(&K, &mut Text),
        out: &mut Text,
    ) {
        if counted.is_empty() {
            return;
        }
        let mut names: Vec<&str> = vec!["messages"];
        names.extend(COLUMNS.iter().filter_map(|column| column.name()));
        names.extend(["other", "malformed"]);
        heading(what, &names, out);
        // By number of messages, then by key, so that the order is always the same. Only the rows that are shown are
        // sorted.
        let mut rows: Vec<_> =
            counted.iter().map(|(key, counts)| (Reverse(counts.all()), key, counts)).collect();
        let shown = self.top.min(rows.len());
        if shown < rows.len() {
            rows.select_nth_unstable_by(shown, |a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        }
        rows.truncate(shown);
        rows.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let mut label = Text::new();
        for (Reverse(all), key, counts) in rows {
            label.clear();
            name(key, &mut label);
            let mut numbers = vec![all];
            numbers.extend(counts.by_column);
            numbers.push(counts.malformed);
            row(&String::from_utf8_lossy(label.as_bytes()), &numbers, out);
        }
        if shown < counted.len() {
            out.put("… and ").number(counted.len() - shown).put(" more (--top 0 shows all)\n");
        }
    }

    fn errors(&self, out: &mut Text) {
        if !self.errors.is_empty() {
            heading("error", &["messages"], out);
        }
        let mut errors: Vec<_> = self.errors.iter().map(|(error, count)| (Reverse(*count), *error)).collect();
        errors.sort_unstable();
        for (Reverse(count), (code, value)) in errors {
            let code = ErrorCode(code);
            let value = match error_value_name(code, value) {
                Some(name) => format!("{value} {name}"),
                None => value.to_string(),
            };
            row(
                &format!("{:02} {}, value {value}", code.0, code.name().unwrap_or("unknown code")),
                &[count],
                out,
            );
        }
        if !self.faults.is_empty() {
            heading("malformed because", &["messages"], out);
        }
        let mut faults = self.faults.clone();
        faults.sort_by_key(|(why, count)| (Reverse(*count), why.to_string()));
        for (why, count) in faults {
            row(&why.to_string(), &[count], out);
        }
        if self.integrity.iter().any(|(_, count)| *count > 0) {
            heading("INTEGRITY digest", &["messages"], out);
            self.integrity
                .iter()
                .filter(|(_, count)| *count > 0)
                .for_each(|(word, count)| row(word, &[*count], out));
        }
    }
}

impl Counts {
    #[inline]
    fn count(&mut self, column: usize, judged: &Judged<'_>) {
        self.by_column[column] += 1;
        self.malformed += u64::from(judged.fault.is_some());
    }

    fn all(&self) -> u64 {
        self.by_column.iter().sum()
    }
}

#[inline]
fn key(object: &ObjectRef<'_>) -> SessionKey {
    let mut key = SessionKey::from_slice(object.octets());
    let flags = match object.ctype.0 {
        1 => 9,
        2 => 21,
        _ => return key,
    };
    if let Some(flags) = key.get_mut(flags) {
        *flags = 0;
    }
    key
}

fn session(key: &SessionKey, out: &mut Text) {
    match ObjectRef::split_first(key, 0) {
        Ok((object, _)) => match object.read::<Session>() {
            Ok(session) => out.show(&session),
            Err(_) => out.show(&show::object(&object)),
        },
        Err(_) => out.hex(key),
    };
}

const LABEL: usize = 40;
const COLUMN: usize = 10;

fn heading(what: &str, columns: &[&str], out: &mut Text) {
    let start = out.put("\n").len();
    out.put(what).column(start, LABEL);
    columns.iter().for_each(|column| _ = out.spaces(COLUMN.saturating_sub(column.len())).put(column));
    out.put("\n");
}

fn row(label: &str, numbers: &[u64], out: &mut Text) {
    // Counted in characters: a label may be longer in octets than it is wide.
    out.put(label).spaces(LABEL.saturating_sub(label.chars().count()).max(1));
    numbers.iter().for_each(|number| _ = out.right(*number, COLUMN));
    out.put("\n");
}
