//! A run as one page that fetches nothing: its data, a style and a script that draws it (`page.html`, `page.js`, `page.css`).
//!
//! A page has bounds, so that a browser can show it: what there is no room for is left out, and the page says how much that is.

use super::layout::layout;
use super::{MessageReport, Report};
use crate::world::Record;
use rsvp_wire::{Message, registry, show};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Octets of messages, of their details, of the series, and of what links carried.
const MOST: [usize; 4] = [700_000, 900_000, 120_000, 180_000];

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Texts that are kept once, and named by their places.
#[derive(Default)]
struct Texts {
    places: BTreeMap<String, usize>,
    all: Vec<String>,
    octets: usize,
}

impl Texts {
    fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.octets += text.len() + 3;
        self.places.insert(text.to_owned(), self.all.len());
        self.all.push(text.to_owned());
        self.all.len() - 1
    }
}

impl Report {
    /// The page of a run. The record is the one that the report was made of.
    #[must_use]
    pub fn html(&self, record: &Record) -> String {
        let mut left_out = Vec::new();
        let data = self.data_of_page(record, &mut left_out);
        // A script's text ends at the first `</script`, whatever is around it.
        let data = data.to_string().replace("</", "<\\/");
        let title: String = self.scenario.chars().filter(|c| !"<>&\"".contains(*c)).collect();
        PAGE.replacen("{title}", &title, 1)
            .replacen("{style}", STYLE, 1)
            .replacen("{script}", SCRIPT, 1)
            .replacen("{data}", &data, 1)
    }

    fn data_of_page(&self, record: &Record, left_out: &mut Vec<String>) -> Value {
        let place = layout(self);
        let names: BTreeMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(n, node)| (node.name.as_str(), n)).collect();
        let links: BTreeMap<&str, usize> =
            self.links.iter().enumerate().map(|(n, link)| (link.name.as_str(), n)).collect();
        let (messages, texts, details) = self.messages_of_page(record, (&names, &links), left_out);
        let node = |name: &str| names.get(name).copied();
        let link = |name: &str| links.get(name).copied();
        let series = self
            .series
            .iter()
            .map(|point| json!([point.at, node(&point.from), link(&point.link), point.reserved_bps]));
        let series = fitting(series, MOST[2], "changes of what is reserved", left_out);
        let micro = |seconds: f64| (seconds * 1e6).round() / 1e6;
        let loads = self.loads.iter().map(|l| {
            json!([micro(l.at), node(&l.from), link(&l.link), l.class, l.octets, l.lost, micro(l.delay_s)])
        });
        let loads = fitting(loads, MOST[3], "figures of what links carried", left_out);
        json!({
            "scenario": self.scenario,
            "description": self.description.trim(),
            "seed": self.seed,
            "family": self.family,
            "duration": self.duration_s,
            "lab_speed": self.lab_speed,
            "size": [place.width.round(), place.height.round()],
            "nodes": self.nodes.iter().zip(&place.nodes).map(|(n, (x, y))| json!({
                "name": n.name, "kind": n.kind, "applications": n.applications, "x": x.round(), "y": y.round(),
            })).collect::<Vec<_>>(),
            "links": self.links.iter().zip(&place.lans).map(|(l, at)| json!({
                "name": l.name, "kind": l.kind, "ends": l.ends.iter().map(|end| node(end)).collect::<Vec<_>>(),
                "rate": l.rate_bps, "reservable": l.reservable_bps, "properties": l.properties,
                "at": at.map(|(x, y)| [x.round(), y.round()]),
            })).collect::<Vec<_>>(),
            "totals": {
                "messages": self.messages.len(),
                "refreshes": self.messages.iter().filter(|m| m.refresh).count(),
                "lost": self.messages.iter().filter(|m| m.lost).count(),
                "events": self.events.len(),
            },
            "texts": texts,
            "messages": messages,
            "details": details,
            "notes": self.notes.iter().map(|n| json!([n.order, n.at, n.text])).collect::<Vec<_>>(),
            "events": self.events.iter()
                .map(|e| json!([e.order, e.at, e.application, node(&e.node), e.text])).collect::<Vec<_>>(),
            "reservations": self.reservations.iter().map(|u| json!({
                "from": node(&u.from), "link": link(&u.link), "reservable": u.reservable_bps,
                "reserved": u.reserved_bps, "by": u.reservations, "peak": u.peak_bps, "peak_by": u.peak_reservations,
                "peak_at": u.peak_at,
            })).collect::<Vec<_>>(),
            "series": series,
            "traffic": self.traffic,
            "loads": loads,
            "discards": self.discards,
            "expectations": self.expectations,
            "fault": self.fault,
            "left_out": left_out,
        })
    }

    /// Rows of messages, the texts that they name by their places, and details likewise.
    fn messages_of_page(
        &self,
        record: &Record,
        (names, links): (&BTreeMap<&str, usize>, &BTreeMap<&str, usize>),
        left_out: &mut Vec<String>,
    ) -> (Vec<Value>, Vec<String>, Vec<String>) {
        let (mut texts, mut details) = (Texts::default(), Texts::default());
        let (mut rows, mut octets, mut without) = (Vec::new(), 0, 0);
        let micro = |seconds: f64| (seconds * 1e6).round() / 1e6;
        for (message, sent) in self.messages.iter().zip(&record.sent) {
            let detail = match details.octets < MOST[1] {
                true => Some(details.place(&detail(&sent.octets))),
                false => details.places.get(&detail(&sent.octets)).copied(),
            };
            without += usize::from(detail.is_none());
            let to: Vec<usize> = message.to.iter().filter_map(|to| names.get(to.as_str()).copied()).collect();
            let row = json!([
                message.order,
                micro(message.at),
                micro(message.delay_s),
                names.get(message.from.as_str()),
                to,
                links.get(message.link.as_str()),
                texts.place(&message.kind),
                texts.place(&message.text),
                flags(message),
                message.octets,
                detail,
            ]);
            octets += row.to_string().len() + 1;
            if octets + texts.octets > MOST[0] {
                let more = self.messages.len() - rows.len();
                left_out.push(format!("the last {more} of {} messages", self.messages.len()));
                break;
            }
            rows.push(row);
        }
        if without > 0 {
            left_out.push(format!("the fields of {without} messages"));
        }
        (rows, texts.all, details.all)
    }
}

/// The first rows that have room in so many octets; what is left out is said.
fn fitting(
    rows: impl ExactSizeIterator<Item = Value>,
    room: usize,
    what: &str,
    left_out: &mut Vec<String>,
) -> Vec<Value> {
    let (all, mut octets) = (rows.len(), 0);
    let fits = |row: &Value| {
        octets += row.to_string().len() + 1;
        octets <= room
    };
    let rows: Vec<Value> = rows.take_while(fits).collect();
    if rows.len() < all {
        left_out.push(format!("the last {} of {all} {what}", all - rows.len()));
    }
    rows
}

fn flags(message: &MessageReport) -> u8 {
    u8::from(message.lost) | u8::from(message.refresh) << 1 | u8::from(message.forwarded) << 2
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
