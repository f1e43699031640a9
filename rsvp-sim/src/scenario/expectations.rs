//! Reads the expectations: which things, when, and what has to hold for them.
//!
//! Every kind of thing has its table of fields; the same fields select things and describe those of a list.

use super::applications::{SERVICES, STYLES};
use super::error::{ScenarioError, Text, one_of};
use super::model::{Expectation, Scenario, Test, What, When};
use super::names::{ADMISSION_VALUES, CODES, name_number};
use super::read::look_up;
use super::section::{Item, Section};
use crate::facts::{Fact, Facts};
use core::time::Duration;
use rsvp_node::qos::Dscp;
use toml::de::DeTable;

/// How a field is written.
#[derive(Clone, Copy)]
enum Kind {
    Node,
    Link,
    NodeOrLink,
    /// A node, or `application` for a local one.
    Hop,
    Session,
    Sender,
    Senders,
    Application,
    Choice(&'static [&'static str]),
    Choices(&'static [&'static str]),
    Rate,
    Code,
    Value,
    Truth,
    Flows,
    Dscp,
    Number,
    Load,
    /// A share with bounds, by `…_at_least` and `…_at_most`.
    Share,
    /// A time with bounds.
    Time,
}

type Field = (&'static str, Kind);

const STYLE: Field = ("style", Kind::Choice(&STYLES));
const SERVICE: Field = ("service", Kind::Choice(&SERVICES));
const RATE: Field = ("rate", Kind::Rate);
const RESERVE: Field = ("reserve", Kind::Rate);
const SESSION: Field = ("session", Kind::Session);
const SENDER: Field = ("sender", Kind::Sender);
const FILTERS: Field = ("filters", Kind::Senders);
const NODE: Field = ("node", Kind::Node);
const LINK: Field = ("link", Kind::Link);
const FLOWS: Field = ("flows", Kind::Flows);
const CODE: Field = ("code", Kind::Code);
const VALUE: Field = ("value", Kind::Value);
const ERROR_NODE: Field = ("error_node", Kind::Node);
const FLAGS: Field = ("flags", Kind::Choices(&["in-place", "not-guilty"]));
const FLOW: [Field; 4] = [FILTERS, SERVICE, RATE, RESERVE];

/// Message types by the names that `rsvp-wire` shows.
const TYPES: [&str; 7] = ["Path", "Resv", "PathErr", "ResvErr", "PathTear", "ResvTear", "ResvConf"];
/// What applications hear, and what QoS sockets are told: the published names of the statuses 11005 to 11015.
const EVENTS: [&str; 19] = [
    "path",
    "path-gone",
    "resv",
    "resv-gone",
    "path-error",
    "resv-error",
    "resv-confirm",
    "refused",
    "receivers",
    "senders",
    "no-senders",
    "no-receivers",
    "request-confirmed",
    "admission-failure",
    "policy-failure",
    "bad-style",
    "bad-object",
    "traffic-ctrl-error",
    "generic-error",
];
const REASONS: [&str; 21] = [
    "malformed",
    "unknown-message-type",
    "interface-disabled",
    "not-for-this-node",
    "bad-grammar",
    "unknown-object",
    "bad-address",
    "bad-source-port",
    "bad-time-values",
    "bad-lih",
    "foreign-source",
    "no-state",
    "rejected",
    "own-message",
    "limit-reached",
    "queue-full",
    "ttl-exhausted",
    "no-route",
    "too-large",
    "not-sendable",
    "error-suppressed",
];
const WORDS: [&str; 10] = [
    "reservations",
    "paths",
    "requests",
    "blockades",
    "messages",
    "events",
    "data",
    "discards",
    "empty",
    "traffic",
];
const WHATS: [What; 10] = [
    What::Reservations,
    What::Paths,
    What::Requests,
    What::Blockades,
    What::Messages,
    What::Events,
    What::Data,
    What::Discards,
    What::Empty,
    What::Traffic,
];

/// The ends of the keys that bound a measure.
const BOUNDS: [&str; 2] = ["_at_least", "_at_most"];

impl What {
    /// Whether it is state at a point in time, not something that happens.
    #[must_use]
    pub fn is_state(self) -> bool {
        !matches!(self, Self::Messages | Self::Events | Self::Data | Self::Traffic)
    }

    /// How scenario files call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS[self as usize]
    }

    fn fields(self) -> Vec<Field> {
        let charge = ("charge", Kind::Rate);
        let hop = ("previous_hop", Kind::Hop);
        let to = ("to", Kind::NodeOrLink);
        match self {
            Self::Reservations => vec![NODE, LINK, SESSION, STYLE, FILTERS, SERVICE, RATE, RESERVE, charge],
            Self::Paths => vec![NODE, LINK, SESSION, SENDER, RATE, hop],
            Self::Requests => vec![NODE, LINK, ("next_hop", Kind::Hop), SESSION, STYLE, FLOWS],
            Self::Blockades => vec![NODE, SESSION, SENDER, hop, SERVICE, RATE, RESERVE],
            Self::Messages => vec![
                ("from", Kind::Node),
                to,
                LINK,
                ("type", Kind::Choice(&TYPES)),
                ("direction", Kind::Choice(&["upstream", "downstream"])),
                SESSION,
                SENDER,
                RATE,
                STYLE,
                FLOWS,
                ("confirm", Kind::Truth),
                ("scope", Kind::Senders),
                CODE,
                VALUE,
                ERROR_NODE,
                FLAGS,
            ],
            Self::Events => vec![
                ("application", Kind::Application),
                ("event", Kind::Choice(&EVENTS)),
                SESSION,
                SENDER,
                RATE,
                RESERVE,
                SERVICE,
                STYLE,
                FILTERS,
                CODE,
                VALUE,
                NODE,
                FLAGS,
                ("why", Kind::Choice(&["torn", "timed-out"])),
                ("break", Kind::Truth),
            ],
            Self::Data => {
                vec![SENDER, ("receiver", Kind::Application), ("dscp", Kind::Dscp), ("lost", Kind::Number)]
            }
            Self::Discards => vec![NODE, ("reason", Kind::Choice(&REASONS))],
            Self::Empty => vec![NODE],
            Self::Traffic => vec![
                ("traffic", Kind::Load),
                ("to", Kind::Node),
                ("delivered", Kind::Share),
                ("lost", Kind::Share),
                ("excess", Kind::Share),
                ("delay", Kind::Time),
                ("delay_99", Kind::Time),
            ],
        }
    }
}

/// One expectation, by the keys that it has in a file.
pub(crate) fn read_one(scenario: &Scenario, keys: &str) -> Result<Expectation, ScenarioError> {
    let whole = format!("[[expect]]\n{keys}\n");
    let text = Text::new("", &whole);
    let table = DeTable::parse(&whole)
        .map_err(|fault| text.error(fault.span().map_or(0, |span| span.start), fault.message()))?;
    let top = Section::new(&text, table.get_ref(), 0, "an expectation", &["expect"])?;
    let mut scenario = Scenario { expectations: Vec::new(), ..scenario.clone() };
    read(&mut scenario, &top)?;
    scenario.expectations.pop().ok_or_else(|| text.error(0, "there is no expectation"))
}

pub(crate) fn read(scenario: &mut Scenario, top: &Section<'_>) -> Result<(), ScenarioError> {
    let Some(list) = top.find("expect") else { return Ok(()) };
    for item in list.list("tables")? {
        // Two steps, as the keys that are allowed depend on one of them.
        let every: Vec<&str> = WHATS.iter().flat_map(|w| w.fields()).map(|f| f.0).chain(FRAME).collect();
        let every: Vec<String> =
            every.into_iter().map(str::to_owned).chain(bounded(&What::Traffic.fields())).collect();
        let rough = item.section("[[expect]]", &unique(every))?;
        let what = WHATS[rough.need("what", "\"reservations\"")?.choice(&WORDS)?];
        let fields = what.fields();
        let mut allowed: Vec<&str> = FRAME.to_vec();
        let bounds = bounded(&fields);
        allowed.retain(|key| what != What::Empty || !["list", "count", "at_least", "at_most"].contains(key));
        allowed.retain(|key| *key != if what.is_state() { "within" } else { "at" });
        allowed.extend(fields.iter().filter(|f| !f.1.is_measure()).map(|f| f.0));
        allowed.extend(bounds.iter().map(String::as_str));
        let section = item.section(&format!("an [[expect]] of {}", what.word()), &allowed)?;
        let expectation = Expectation {
            line: section.text.line(section.at),
            about: section.read_or("about", String::new(), |item| item.word().map(str::to_owned))?,
            what,
            when: scenario.when(&section, what)?,
            select: scenario.selected(&section, &fields)?,
            test: scenario.test(&section, what, &fields)?,
        };
        scenario.expectations.push(expectation);
    }
    Ok(())
}

/// Keys that every kind has beside its fields.
const FRAME: [&str; 8] = ["what", "about", "at", "within", "list", "count", "at_least", "at_most"];

/// The keys of the fields that are measures.
fn bounded(fields: &[Field]) -> Vec<String> {
    let measures = fields.iter().filter(|field| field.1.is_measure());
    measures.flat_map(|field| BOUNDS.map(|bound| format!("{}{bound}", field.0))).collect()
}

impl Kind {
    fn is_measure(self) -> bool {
        matches!(self, Self::Share | Self::Time)
    }
}

fn unique(mut names: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    names
}

impl Scenario {
    fn when(&self, section: &Section<'_>, what: What) -> Result<When, ScenarioError> {
        if what.is_state() {
            return Ok(When::At(section.read_or("at", self.duration, |item| self.moment(item))?));
        }
        let Some(item) = section.find("within") else {
            return Ok(When::Within(Duration::ZERO, self.duration));
        };
        match item.list("two times")?.as_slice() {
            [from, to] => match (self.moment(*from)?, self.moment(*to)?) {
                (from, to) if from <= to => Ok(When::Within(from, to)),
                _ => Err(item.error("within: the second time is before the first")),
            },
            _ => Err(item.error("within: expected two times such as [\"10s\", \"20s\"]")),
        }
    }

    fn test(&self, section: &Section<'_>, what: What, fields: &[Field]) -> Result<Test, ScenarioError> {
        let most = 1_000_000_000;
        let number = |key: &str| section.find(key).map(|item| item.integer(0, most)).transpose();
        let tests = (section.find("list"), number("count")?, number("at_least")?, number("at_most")?);
        match tests {
            (None, None, None, None) if what == What::Empty => Ok(Test::Exactly(Vec::new())),
            (None, None, None, None) => Ok(Test::Number(1, u64::MAX)),
            (Some(list), None, None, None) => {
                let bounds = bounded(fields);
                let names = fields.iter().filter(|f| !f.1.is_measure()).map(|f| f.0);
                let names: Vec<&str> = names.chain(bounds.iter().map(String::as_str)).collect();
                let of = format!("a {}", what.word().trim_end_matches('s'));
                let each = |item: Item<'_>| {
                    let inner = item.section(&of, &names)?;
                    self.check_pairs(section, &inner)?;
                    self.facts(&inner, fields)
                };
                list.list("tables")?.into_iter().map(each).collect::<Result<_, _>>().map(Test::Exactly)
            }
            (None, Some(count), None, None) => Ok(Test::Number(count, count)),
            (None, None, Some(least), Some(most)) if least > most => {
                Err(section.error("`at_least` is more than `at_most`"))
            }
            (None, None, least, most) => Ok(Test::Number(least.unwrap_or(0), most.unwrap_or(u64::MAX))),
            _ => Err(section.error("expected only one of `list`, `count` and `at_least` with `at_most`")),
        }
    }

    /// What an expectation selects.
    fn selected(&self, section: &Section<'_>, fields: &[Field]) -> Result<Facts, ScenarioError> {
        self.check_pairs(section, section)?;
        self.facts(section, fields)
    }

    /// Refuses what is never so, and what "none" of would be expected of in vain: a node and a link that it is not on, a session
    /// and the sender of another one. What a list does not say is said beside it.
    fn check_pairs(&self, whole: &Section<'_>, one: &Section<'_>) -> Result<(), ScenarioError> {
        let find = |key: &str| one.find(key).or_else(|| whole.find(key));
        if let (Some(at), Some(item)) = (find("node").or_else(|| find("from")), find("link")) {
            let (node, link) = (self.node(at)?, self.link(item)?);
            let own = self.links.iter().filter(|link| link.ends.contains(&node));
            if !self.links[link.0].ends.contains(&node) {
                let own: Vec<&str> = own.map(|link| link.name.as_str()).collect();
                let (name, link) = (&self.nodes[node.0].name, &self.links[link.0].name);
                let why = format!("link: \"{name}\" is not on \"{link}\", {}", one_of(link, &own));
                return Err(item.error(why));
            }
        }
        if let (Some(of), Some(item)) = (find("session"), find("sender")) {
            let (session, sender) = (self.session(of)?, self.sender(item)?);
            if self.senders[sender.0].session != session {
                let (name, session) = (&self.senders[sender.0].name, &self.sessions[session.0].name);
                let why = format!("sender: \"{name}\" does not send to \"{session}\"");
                return Err(item.error(format!("{why}, expected a sender of that session")));
            }
        }
        Ok(())
    }

    fn facts(&self, section: &Section<'_>, fields: &[Field]) -> Result<Facts, ScenarioError> {
        let mut facts = Facts::default();
        for &(name, kind) in fields {
            if kind.is_measure() {
                if let Some(bounds) = bounds(section, name, kind)? {
                    facts = facts.with(name, bounds);
                }
            } else if let Some(item) = section.find(name) {
                facts = facts.with(name, self.fact(item, kind)?);
            }
        }
        Ok(facts)
    }

    fn fact(&self, item: Item<'_>, kind: Kind) -> Result<Fact, ScenarioError> {
        let word = |item: Item<'_>| item.word().map(|w| Fact::Word(w.to_owned()));
        let words = |items: Vec<Item<'_>>| {
            items.iter().map(|i| i.word().map(str::to_owned)).collect::<Result<_, _>>()
        };
        let nodes = || self.nodes.iter().map(|n| n.name.as_str());
        let links = || self.links.iter().map(|l| l.name.as_str());
        match kind {
            Kind::Node => self.node(item).map(drop)?,
            Kind::Link => self.link(item).map(drop)?,
            Kind::NodeOrLink => look_up(item, "node or link", nodes().chain(links())).map(drop)?,
            Kind::Hop => look_up(item, "node", nodes().chain(["application"])).map(drop)?,
            Kind::Session => self.session(item).map(drop)?,
            Kind::Sender => self.sender(item).map(drop)?,
            Kind::Application => {
                let senders = self.senders.iter().map(|s| s.name.as_str());
                let receivers = self.receivers.iter().map(|r| r.name.as_str());
                look_up(item, "application", senders.chain(receivers)).map(drop)?;
            }
            Kind::Choice(allowed) => item.choice(allowed).map(drop)?,
            Kind::Senders => {
                let list = item.list("senders")?;
                list.iter().try_for_each(|each| self.sender(*each).map(drop))?;
                return words(list).map(Fact::Words);
            }
            Kind::Choices(allowed) => {
                let list = item.list("words")?;
                list.iter().try_for_each(|each| each.choice(allowed).map(drop))?;
                return words(list).map(Fact::Words);
            }
            Kind::Rate => return item.rate().map(Fact::Rate),
            Kind::Truth => return item.truth().map(Fact::Truth),
            Kind::Code => return numbered(item, &CODES, 255),
            Kind::Value => return numbered(item, &ADMISSION_VALUES, 65_535),
            Kind::Load => self.load(item).map(drop)?,
            Kind::Share => return item.share().map(Fact::Share),
            Kind::Time => return item.time().map(|time| Fact::Seconds(time.as_secs_f64())),
            Kind::Number => return item.integer(0, 1_000_000_000).map(Fact::Number),
            Kind::Dscp => return dscp(item),
            Kind::Flows => {
                let names: Vec<&str> = FLOW.iter().map(|f| f.0).collect();
                let each = |item: Item<'_>| self.facts(&item.section("a flow", &names)?, &FLOW);
                return item
                    .list("flows")?
                    .into_iter()
                    .map(each)
                    .collect::<Result<_, _>>()
                    .map(Fact::Records);
            }
        }
        word(item)
    }
}

/// What is said of a measure by its two keys; nothing by none.
fn bounds(section: &Section<'_>, name: &str, kind: Kind) -> Result<Option<Fact>, ScenarioError> {
    let read = |bound: &str| {
        let item = section.find(&format!("{name}{bound}"));
        item.map(|item| match kind {
            Kind::Share => item.share(),
            _ => item.time().map(|time| time.as_secs_f64()),
        })
    };
    let (least, most) = (read(BOUNDS[0]).transpose()?, read(BOUNDS[1]).transpose()?);
    let (from, to) = (least.unwrap_or(0.0), most.unwrap_or(f64::INFINITY));
    if from > to {
        return Err(section.error(format!("`{name}_at_least` is more than `{name}_at_most`")));
    }
    Ok((least.is_some() || most.is_some()).then_some(Fact::Between(from, to, matches!(kind, Kind::Share))))
}

/// A DSCP by its name or number.
fn dscp(item: Item<'_>) -> Result<Fact, ScenarioError> {
    let read = match item.is_integer() {
        true => Dscp::try_from(item.integer(0, 255)?),
        false => item.word()?.parse(),
    };
    read.map(|dscp| Fact::Word(dscp.to_string())).map_err(|why| item.error(format!("dscp: {why}")))
}

/// A number, or the name of one.
fn numbered(item: Item<'_>, names: &[(u64, &'static str)], most: u64) -> Result<Fact, ScenarioError> {
    if item.is_integer() {
        return item.integer(0, most).map(|n| name_number(n, names));
    }
    let words: Vec<&str> = names.iter().map(|n| n.1).collect();
    item.choice(&words).map(|place| Fact::Named(names[place].0, names[place].1))
}
