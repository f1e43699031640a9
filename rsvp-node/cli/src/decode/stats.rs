//! `--stats`: counts by message type, session, neighbour and error; what errors of ICMP quote is counted by itself.
//!
//! What is remembered grows with the distinct sessions, neighbours and errors, and with nothing else. A message is
//! looked at once and nothing is put into words before the end.

use std::cmp::Reverse;
use std::iter;
use std::net::IpAddr;

use hashbrown::HashMap;
use rsvp_wire::{Class, ErrorCode, ErrorSpec, MsgType, ObjectRef, Session, Why, error_value_meaning, show};
use smallvec::SmallVec;

use super::look::{Colour, Look};
use super::text::Text;
use super::verdict::Judged;
use super::{body, lanes};
use rsvp_capture::packet::{Layers, Packet};
use rsvp_capture::{Quoted, Timestamp};

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
    /// Messages that were quoted, by protocol, type and code of the error.
    quoted: HashMap<(bool, u8, u8), (Quoted, u64)>,
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
            quoted: HashMap::new(),
            first: None,
            last: None,
        }
    }

    #[inline]
    pub(super) fn count(&mut self, packet: &Packet<'_>, judged: &Judged<'_>) {
        if let Some(quoted) = packet.quoted {
            let key = (quoted.source.is_ipv6(), quoted.kind, quoted.code);
            self.quoted.entry(key).or_insert((quoted, 0)).1 += 1;
            return;
        }
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
                    // A confirmation has the object, and no error.
                    if let Ok(error) = object.read::<ErrorSpec>()
                        && error.code != ErrorCode::CONFIRMATION
                    {
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
    pub(super) fn write(&self, layers: Layers, look: &Look, out: &mut Text) {
        let start = out.len();
        self.summary(layers, look, out);
        let types = self.by_type.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut types: Vec<_> = types.map(|(number, count)| (MsgType(number as u8), *count)).collect();
        types.sort_by_key(|(_, count)| Reverse(*count));
        let mut table = Table::new("message type", &["messages"]);
        for (msg_type, count) in types {
            let name = msg_type.name().map_or_else(|| format!("type {}", msg_type.0), str::to_owned);
            table.row(name, &[count]);
        }
        if self.no_header > 0 {
            table.row("shorter than a header", &[self.no_header]);
        }
        table.write(self.quoted.is_empty(), look, out);
        self.table("session", &self.sessions, session, look, out);
        self.table("neighbour", &self.neighbours, |address, out| _ = out.address(*address), look, out);
        self.errors(look, out);
        look.fold(start, INDENT, out);
    }

    fn summary(&self, layers: Layers, look: &Look, out: &mut Text) {
        out.number(self.messages).put(" messages in ").number(layers.frames).put(" frames");
        out.put(", ").number(self.malformed).put(" malformed");
        out.put(", ").number(self.sessions.len()).put(" sessions");
        out.put(", ").number(self.neighbours.len()).put(" neighbours\n");
        if !self.quoted.is_empty() {
            let quoted: u64 = self.quoted.values().map(|(_, count)| count).sum();
            out.number(quoted).put(" messages quoted by ICMP, which are not among them\n");
        }
        if let (Some(first), Some(last)) = (self.first, self.last) {
            look.date_and_time(first, out.put("from "));
            look.date_and_time(last, out.put(" to "));
            out.put("\n");
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
        look: &Look,
        out: &mut Text,
    ) {
        if counted.is_empty() {
            return;
        }
        let mut names: Vec<&str> = vec!["messages"];
        names.extend(COLUMNS.iter().filter_map(|column| column.name()));
        names.extend(["other", "malformed"]);
        let mut table = Table::new(what, &names);
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
            table.row(String::from_utf8_lossy(label.as_bytes()), &numbers);
        }
        table.write(true, look, out);
        if shown < counted.len() {
            out.put("… and ").number(counted.len() - shown).put(" more (--top 0 shows all)\n");
        }
    }

    fn errors(&self, look: &Look, out: &mut Text) {
        let mut table = Table::new("error", &["messages"]);
        let mut errors: Vec<_> = self.errors.iter().map(|(error, count)| (Reverse(*count), *error)).collect();
        errors.sort_unstable();
        for (Reverse(count), (code, value)) in errors {
            let code = ErrorCode(code);
            let value = match error_value_meaning(code, value) {
                Some(name) => format!("{value} {name}"),
                None => value.to_string(),
            };
            let name = code.name().unwrap_or("unknown code");
            table.row(format!("{:02} {name}, value {value}", code.0), &[count]);
        }
        table.write(false, look, out);
        let mut table = Table::new("quoted by", &["messages"]);
        let mut quoted: Vec<_> =
            self.quoted.iter().map(|(key, (quoted, count))| (Reverse(*count), *key, quoted)).collect();
        quoted.sort_unstable_by_key(|(count, key, _)| (*count, *key));
        for (Reverse(count), _, quoted) in quoted {
            let mut name = Text::new();
            lanes::quoted(quoted, &mut name);
            let name = String::from_utf8_lossy(name.as_bytes());
            // Some codes have no name of their own.
            match table.rows.iter_mut().find(|(label, _)| *label == name) {
                Some((_, numbers)) => numbers.iter_mut().for_each(|number| *number += count),
                None => table.row(name, &[count]),
            }
        }
        table.write(false, look, out);
        let mut table = Table::new("malformed because", &["messages"]);
        let mut faults = self.faults.clone();
        faults.sort_by_key(|(why, count)| (Reverse(*count), why.to_string()));
        for (why, count) in faults {
            table.row(why.to_string(), &[count]);
        }
        table.write(false, look, out);
        let mut table = Table::new("INTEGRITY digest", &["messages"]);
        let counted = self.integrity.iter().filter(|(_, count)| *count > 0);
        counted.for_each(|(word, count)| table.row(*word, &[*count]));
        table.write(false, look, out);
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

/// Columns of a label and of a number, where there is room for that.
const LABEL: usize = 40;
const COLUMN: usize = 10;
/// Columns from which a line that was folded goes on.
const INDENT: usize = 8;

/// A table of numbers that is put together before it is known how wide it will be.
struct Table<'n> {
    what: &'n str,
    columns: &'n [&'n str],
    rows: Vec<(String, Vec<u64>)>,
}

impl<'n> Table<'n> {
    const fn new(what: &'n str, columns: &'n [&'n str]) -> Self {
        Self { what, columns, rows: Vec::new() }
    }

    fn row(&mut self, label: impl Into<String>, numbers: &[u64]) {
        self.rows.push((label.into(), numbers.to_vec()));
    }

    /// Writes the table, an empty one only `in_any_case`. Where it does not fit as it is usually drawn, columns without
    /// numbers are left out, and the others are as wide as they have to be.
    fn write(&self, in_any_case: bool, look: &Look, out: &mut Text) {
        if self.rows.is_empty() && !in_any_case {
            return;
        }
        let all = self.columns.len();
        // Counted in characters: a label may be longer in octets than it is wide.
        let labels = self.rows.iter().map(|(label, _)| label.chars().count());
        let longest = labels.chain(iter::once(self.what.len())).max().unwrap_or(0);
        // A single column follows the longest label, wherever that ends; many would get too far apart.
        let usual = if all == 1 { LABEL.max(longest + 1) } else { LABEL };
        let narrow = look.width.is_some_and(|width| usual + all * COLUMN > width);
        let has_numbers = |place: usize| self.rows.iter().any(|(_, numbers)| numbers.get(place) > Some(&0));
        let shown: Vec<usize> =
            (0..all).filter(|place| !narrow || *place == 0 || has_numbers(*place)).collect();
        let digits = |place: usize| self.rows.iter().map(move |(_, numbers)| width_of(numbers.get(place)));
        let column = |place: &usize| {
            let name = self.columns.get(*place).map_or(0, |name| name.len());
            // Two columns apart; as wide as the widest.
            if narrow { digits(*place).chain(iter::once(name)).max().unwrap_or(0) + 2 } else { COLUMN }
        };
        let widths: Vec<usize> = shown.iter().map(column).collect();
        let label = match look.width.filter(|_| narrow) {
            Some(width) => longest.min(width.saturating_sub(widths.iter().sum())).min(usual),
            None => usual,
        };
        look.paint(Colour::Heading, out.put("\n"), |out| {
            out.put(self.what).spaces(label.saturating_sub(self.what.len()));
            for (place, width) in shown.iter().zip(&widths) {
                let name = self.columns.get(*place).copied().unwrap_or_default();
                out.spaces(width.saturating_sub(name.len())).put(name);
            }
        });
        out.put("\n");
        for (name, numbers) in &self.rows {
            out.put(name).spaces(label.saturating_sub(name.chars().count()).max(usize::from(!narrow)));
            for (place, width) in shown.iter().zip(&widths) {
                out.right(numbers.get(*place).copied().unwrap_or_default(), *width);
            }
            out.put("\n");
        }
    }
}

/// Digits of a number.
fn width_of(number: Option<&u64>) -> usize {
    number.map_or(1, |number| number.checked_ilog10().unwrap_or(0) as usize + 1)
}
