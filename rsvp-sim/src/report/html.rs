//! A run as one page that fetches nothing: its data, a style and a script that draws it (`page.html`, `page.js`, `page.css`).
//!
//! A page has bounds, so that a browser can show it: what there is no room for is thinned out or left out, and the page says how
//! much that is. Totals are those of the report, whatever is left out.

mod figures;
mod messages;
mod part;
mod room;

use super::Report;
use crate::world::Record;
use part::Part;
use room::{cut, first, octets, worst};
use serde_json::{Value, json};

/// Octets that a page may have, less some for what is left out, said in words.
const MOST: usize = 1_950_000;
/// Octets of messages and their texts; the fields of messages have what is left of all.
const MESSAGES: usize = 700_000;
/// Octets of events, notes, traffic, reasons of drops, and expectations.
const EVENTS: usize = 150_000;
const NOTES: usize = 40_000;
const TRAFFIC: usize = 80_000;
const DISCARDS: usize = 20_000;
const EXPECTATIONS: usize = 100_000;
/// Characters of a long text.
const LONG: usize = 3000;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Report {
    /// The page of a run. The record is the one that the report was made of.
    #[must_use]
    pub fn html(&self, record: &Record) -> String {
        // Where a script's text ends depends on `</script` and on `<!--`: without a `<` it ends where it should.
        let data = self.data_of_page(record).to_string().replace('<', "\\u003c");
        let title: String = cut(&self.scenario, 300).chars().filter(|c| !"<>&\"".contains(*c)).collect();
        let (mut page, mut rest) = (String::new(), PAGE);
        for (place, text) in
            [("{title}", title.as_str()), ("{style}", STYLE), ("{data}", data.as_str()), ("{script}", SCRIPT)]
        {
            let (before, after) = rest.split_once(place).unwrap_or((rest, ""));
            page.push_str(before);
            page.push_str(text);
            rest = after;
        }
        page + rest
    }

    fn data_of_page(&self, record: &Record) -> Value {
        let mut left_out = Vec::new();
        let part = Part::of(self, &mut left_out);
        let mut data = self.all_but_messages(&part, &mut left_out);
        let whole = MOST.saturating_sub(PAGE.len() + STYLE.len() + SCRIPT.len() + octets(&data));
        let room = MESSAGES.min(whole / 5 * 3);
        let messages = self.messages_of_page(record, &part, (room, whole), &mut left_out);
        data["texts"] = json!(messages.texts);
        data["messages"] = json!(messages.rows);
        data["details"] = json!(messages.details);
        data["left_out"] = json!(left_out);
        data
    }

    fn all_but_messages(&self, part: &Part<'_>, left_out: &mut Vec<String>) -> Value {
        let (size, nodes, links, properties) = part.topology(&self.messages);
        let (reservations, reserving) = self.reservations_of_page(part, left_out);
        let loads = self.loads_of_page(part, left_out);
        let notes = self.notes.iter().map(|n| json!([n.order, n.at, n.text]));
        let events = self
            .events
            .iter()
            .filter_map(|e| Some(json!([e.order, e.at, e.application, part.node(&e.node)?, e.text])));
        let events: Vec<Value> = events.collect();
        let traffic = self.traffic.iter().map(|t| (u64::MAX - t.lost, json!(t))).collect();
        let discards = self.discards.iter().map(|d| (u64::MAX - d.count, json!(d))).collect();
        let text = |text: &str| cut(text, LONG);
        let expectations = self.expectations.iter().map(|e| {
            let row = json!({
                "about": text(&e.about), "expected": text(&e.expected), "held": e.held, "seen": text(&e.seen),
                "skipped": e.skipped.as_deref().map(text),
            });
            (e.held || e.skipped.is_some(), row)
        });
        let expectations = expectations.collect();
        json!({
            "scenario": cut(&self.scenario, 300),
            "description": cut(self.description.trim(), LONG),
            "seed": self.seed,
            "family": self.family,
            "duration": self.duration_s,
            "lab_speed": self.lab_speed,
            "size": size,
            "nodes": nodes,
            "links": links,
            "properties": properties,
            "totals": {
                "nodes": self.nodes.len(),
                "links": self.links.len(),
                "messages": self.messages.len(),
                "refreshes": self.messages.iter().filter(|m| m.refresh).count(),
                "lost": self.messages.iter().filter(|m| m.lost).count(),
                "events": self.events.len(),
                "packets": figures::packets(&self.traffic),
            },
            "notes": first(notes, NOTES, "actions", left_out),
            "events": first(events.into_iter(), EVENTS, "events", left_out),
            "reservations": reservations,
            "reserving": reserving,
            "traffic": worst(traffic, TRAFFIC, "rows of traffic (those that lost most are here)", left_out),
            "loads": loads,
            "discards": worst(discards, DISCARDS, "reasons of dropped messages", left_out),
            "expectations": worst(expectations, EXPECTATIONS, "expectations (those that failed go before others)", left_out),
            "fault": self.fault.as_deref().map(text),
        })
    }
}

/// Seconds to the microsecond.
fn micro(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}
