//! Messages of a page: those that say something new before refreshes, and where there is no room for all some from all of the run.

use super::super::{MessageReport, Report};
use super::micro;
use super::part::Part;
use super::room::{Texts, octets, spread};
use crate::world::Record;
use rsvp_wire::{Message, registry, show};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rows, the texts that they name by their places, and what messages say likewise.
pub(super) struct Messages {
    pub(super) rows: Vec<Value>,
    pub(super) texts: Vec<String>,
    pub(super) details: Vec<String>,
}

impl Report {
    /// The record is the one that the report was made of. Rows with their texts take so much room, their details what is left of
    /// all of it.
    pub(super) fn messages_of_page(
        &self,
        record: &Record,
        part: &Part<'_>,
        (room, whole): (usize, usize),
        left_out: &mut Vec<String>,
    ) -> Messages {
        let kept = self.kept(part, room);
        let mut texts = Texts::default();
        let mut rows: Vec<(usize, Value)> = Vec::new();
        let mut taken = 0;
        for n in kept {
            let message = &self.messages[n];
            let (kind, text) = (texts.place(&message.kind), texts.place(&message.text));
            let Some(row) = row(message, part, kind, text) else { continue };
            taken += octets(&row) + 5;
            if taken + texts.octets > room {
                break;
            }
            rows.push((n, row));
        }
        let said = |refresh: bool| self.messages.iter().filter(|m| is_new(m) != refresh).count();
        let here = |refresh: bool| rows.iter().filter(|row| is_new(&self.messages[row.0]) != refresh).count();
        if rows.len() < self.messages.len() {
            left_out.push(format!(
                "{} of {} messages ({} of the {} that say something new, {} of the {} refreshes)",
                self.messages.len() - rows.len(),
                self.messages.len(),
                said(false) - here(false),
                said(false),
                said(true) - here(true),
                said(true)
            ));
        }
        // What says something new first.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&place| !is_new(&self.messages[rows[place].0]));
        let room = whole.saturating_sub(taken + texts.octets);
        let (mut details, mut without) = (Texts::default(), 0);
        for place in order {
            let (n, row) = &mut rows[place];
            let Some(sent) = record.sent.get(*n) else { continue };
            let detail = detail(&sent.octets);
            if details.octets + details.cost(&detail) > room {
                without += 1;
                continue;
            }
            row[10] = json!(details.place(&detail));
        }
        if without > 0 {
            left_out.push(format!("the fields of {without} messages that are here"));
        }
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Messages { rows, texts: texts.all, details: details.all }
    }

    /// Which messages are shown: all that say something new, or the first of them and some from all of the rest; then refreshes.
    fn kept(&self, part: &Part<'_>, room: usize) -> Vec<usize> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let size = |message: &MessageReport| row(message, part, 9999, 9999).map_or(0, |row| octets(&row) + 5);
        let sizes: Vec<usize> = self
            .messages
            .iter()
            .map(|message| match seen.insert(&message.text) {
                true => size(message) + octets(&json!(message.text)),
                false => size(message),
            })
            .collect();
        let here = (0..sizes.len())
            .filter(|&n| part.direction(&self.messages[n].from, &self.messages[n].link).is_some());
        let (mut kept, refreshes): (Vec<usize>, Vec<usize>) = here.partition(|&n| is_new(&self.messages[n]));
        // Texts of kinds are few, but they take some.
        let room = room.saturating_sub(1000);
        let mut taken = kept.iter().map(|&n| sizes[n]).sum::<usize>();
        if taken > room {
            let mut head = 0;
            let fits = |n: &&usize| {
                head += sizes[**n];
                head <= room / 2
            };
            let first = kept.iter().take_while(fits).count();
            let taken_first = kept[..first].iter().map(|&n| sizes[n]).sum::<usize>();
            let rest = spread(&kept[first..], room - taken_first, |n| sizes[n]);
            kept.truncate(first);
            kept.extend(rest);
            taken = kept.iter().map(|&n| sizes[n]).sum();
        }
        kept.extend(spread(&refreshes, room.saturating_sub(taken), |n| sizes[n]));
        kept.sort_unstable();
        kept
    }
}

/// Whether it is more than a refresh that came.
fn is_new(message: &MessageReport) -> bool {
    !message.refresh || message.lost
}

/// At ten is the place of what it says, which is not known yet; then those that it did not reach, if it reached others.
fn row(message: &MessageReport, part: &Part<'_>, kind: usize, text: usize) -> Option<Value> {
    let (from, link) = part.direction(&message.from, &message.link)?;
    let places = |names: &[String]| names.iter().filter_map(|name| part.node(name)).collect::<Vec<_>>();
    let (to, missed) = (places(&message.to), places(&message.lost_to));
    let (at, delay) = (micro(message.at), micro(message.delay_s));
    let flags = u8::from(message.lost) | u8::from(message.refresh) << 1 | u8::from(message.forwarded) << 2;
    let (order, octets, nothing) = (message.order, message.octets, Value::Null);
    Some(match message.lost || missed.is_empty() {
        true => json!([order, at, delay, from, to, link, kind, text, flags, octets, nothing]),
        false => json!([order, at, delay, from, to, link, kind, text, flags, octets, nothing, missed]),
    })
}

/// What a message says: its objects, each with the section that defines it, then every field with its offset.
fn detail(octets: &[u8]) -> String {
    let Ok(message) = Message::parse(octets) else { return "no message that can be read".to_owned() };
    let mut text = String::new();
    for object in message.objects() {
        let row = registry::row(object.class, object.ctype);
        let section = row.map_or("unknown", |row| row.section);
        text.push_str(&format!("{}  [{section}]\n", show::object(&object)));
    }
    format!("{text}\n{}", show::tree(&message))
}
