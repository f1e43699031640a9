//! Reads what is sent: packets of a sender, or between two nodes, in a pattern.
//!
//! What becomes of them on the way is the business of the world.

use super::error::ScenarioError;
use super::model::{NodeId, Scenario, SenderId, Traffic};
use super::section::{Item, Section};
use core::time::Duration;

const LOAD: [&str; 11] =
    ["name", "sender", "from", "to", "pattern", "rate", "packet", "burst", "start", "end", "about"];
const PATTERNS: [&str; 3] = ["constant", "bursty", "tspec"];
/// Packets of all loads of a scenario.
const MOST_PACKETS: f64 = 20e6;

/// Packets that are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Its name.
    pub name: String,
    /// Whose packets they are.
    pub source: Source,
    /// When they are sent.
    pub pattern: Pattern,
    /// Size of each IP packet, in octets.
    pub packet: u32,
    /// When the first is sent.
    pub start: Duration,
    /// When no more are sent.
    pub end: Duration,
}

/// Whose packets are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A sender's, to its session. What is reserved for it is for them.
    Sender(SenderId),
    /// From a node to a node, in no session.
    Nodes(NodeId, NodeId),
}

/// When packets are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// At equal intervals, so many bits per second.
    Constant(f64),
    /// So many octets at once, as often as makes so many bits per second.
    Bursty(f64, f64),
    /// All that a token bucket lets through, as early as it does.
    Bucket(Traffic),
}

impl Pattern {
    /// Bits per second in the long run.
    #[must_use]
    pub fn rate_bps(&self) -> f64 {
        match self {
            Self::Constant(rate_bps) | Self::Bursty(rate_bps, _) => *rate_bps,
            Self::Bucket(traffic) => traffic.rate_bps,
        }
    }
}

pub(super) fn read(scenario: &mut Scenario, top: &Section<'_>) -> Result<(), ScenarioError> {
    for section in top.sections("traffic", &LOAD)? {
        let load = scenario.read_load(&section)?;
        scenario.index.loads.insert(load.name.clone(), scenario.loads.len());
        scenario.loads.push(load);
        let packets: f64 = scenario.loads.iter().map(Load::packets).sum();
        if packets > MOST_PACKETS {
            return Err(section.error(format!(
                "all traffic together is {packets:.0} packets, expected {MOST_PACKETS:.0} at most: a lower rate, larger \
                 packets or less time"
            )));
        }
    }
    Ok(())
}

impl Load {
    fn packets(&self) -> f64 {
        let seconds = self.end.saturating_sub(self.start).as_secs_f64();
        let burst = match self.pattern {
            Pattern::Bucket(traffic) => traffic.bucket,
            Pattern::Bursty(_, burst) => burst,
            Pattern::Constant(_) => 0.0,
        };
        (self.pattern.rate_bps() * seconds / 8.0 + burst) / f64::from(self.packet)
    }
}

impl Scenario {
    fn read_load(&self, section: &Section<'_>) -> Result<Load, ScenarioError> {
        let source = self.source(section)?;
        let traffic = match source {
            Source::Sender(sender) => Some(self.senders[sender.0].traffic),
            Source::Nodes(..) => None,
        };
        let usual = match source {
            Source::Sender(sender) => self.senders[sender.0].name.clone(),
            Source::Nodes(from, to) => format!("{}-{}", self.nodes[from.0].name, self.nodes[to.0].name),
        };
        let name = section.read_or("name", usual, |item| item.name().map(str::to_owned))?;
        if self.index.loads.contains_key(&name) {
            return Err(section.error(format!(
                "there are two [[traffic]] \"{name}\", expected `name = \"…\"` with another"
            )));
        }
        let least_mtu = self.index.least_mtu.unwrap_or(1500);
        let packet = section.read_or("packet", self.usual_packet(traffic, least_mtu), |item| {
            let octets = item.size()?;
            match octets >= 28.0 && octets <= f64::from(least_mtu) && octets.fract() == 0.0 {
                true => Ok(octets as u32),
                false => Err(item.error(format!(
                    "packet: expected 28B to {least_mtu}B, the least MTU of all links: packets are not fragmented"
                ))),
            }
        })?;
        let start = section.read_or("start", Duration::ZERO, |item| self.moment(item))?;
        let end = section.read_or("end", self.duration, |item| match self.moment(item)? {
            end if end > start => Ok(end),
            _ => Err(item.error("end: expected a time after `start`")),
        })?;
        if let Source::Sender(sender) = source
            && end <= self.senders[sender.0].start
        {
            let sender = &self.senders[sender.0];
            let begins = rsvp_node::units::show_time(sender.start);
            let why = format!(
                "\"{}\" starts at \"{begins}\" and sends nothing before: expected a later time",
                sender.name
            );
            return Err(section.error_at("end", why));
        }
        Ok(Load { name, source, pattern: pattern(section, traffic, packet)?, packet, start, end })
    }

    fn source(&self, section: &Section<'_>) -> Result<Source, ScenarioError> {
        match (section.find("sender"), section.find("from"), section.find("to")) {
            (Some(item), None, None) => self.sender(item).map(Source::Sender),
            (None, Some(from), Some(to)) => {
                let (a, b) = (self.attached(from)?, self.attached(to)?);
                match a == b {
                    true => Err(to.error("to: expected another node than `from`")),
                    false => Ok(Source::Nodes(a, b)),
                }
            }
            _ => Err(section
                .error("[[traffic]] needs either `sender = \"…\"`, or `from = \"…\"` and `to = \"…\"`")),
        }
    }

    /// The largest packets that a sender announces, or 1,000 octets, as far as links take them.
    fn usual_packet(&self, traffic: Option<Traffic>, least_mtu: u32) -> u32 {
        traffic.map_or(1000, |traffic| traffic.max_packet).clamp(28, least_mtu.max(28))
    }

    /// What is sent by this name.
    pub(super) fn load(&self, item: Item<'_>) -> Result<usize, ScenarioError> {
        super::index::find(
            item,
            "traffic",
            &self.index.loads,
            self.loads.iter().map(|load| load.name.as_str()),
        )
    }

    pub(super) fn write_loads(&self, out: &mut String) -> core::fmt::Result {
        use core::fmt::Write;
        for load in &self.loads {
            writeln!(out, "\n[[traffic]]\nname = {:?}", load.name)?;
            match load.source {
                Source::Sender(sender) => writeln!(out, "sender = {:?}", self.senders[sender.0].name)?,
                Source::Nodes(from, to) => {
                    let (from, to) = (&self.nodes[from.0].name, &self.nodes[to.0].name);
                    writeln!(out, "from = {from:?}\nto = {to:?}")?;
                }
            }
            match load.pattern {
                Pattern::Constant(bps) => writeln!(out, "pattern = \"constant\"\nrate = \"{bps}bit\"")?,
                Pattern::Bursty(bps, burst) => {
                    writeln!(out, "pattern = \"bursty\"\nrate = \"{bps}bit\"\nburst = \"{burst}B\"")?;
                }
                Pattern::Bucket(_) => writeln!(out, "pattern = \"tspec\"")?,
            }
            let (start, end) = (load.start.as_micros(), load.end.as_micros());
            writeln!(out, "packet = \"{}B\"\nstart = \"{start}us\"\nend = \"{end}us\"", load.packet)?;
        }
        Ok(())
    }
}

fn pattern(section: &Section<'_>, traffic: Option<Traffic>, packet: u32) -> Result<Pattern, ScenarioError> {
    let chosen = section.read_or("pattern", 0, |item| item.choice(&PATTERNS))?;
    let unused = |key: &str| match section.find(key) {
        Some(item) => Err(item.error(format!("\"{}\" has no use for `{key}`", PATTERNS[chosen]))),
        None => Ok(()),
    };
    if chosen == 2 {
        unused("rate")?;
        unused("burst")?;
        let Some(traffic) = traffic else {
            return Err(section.error_at("pattern", "\"tspec\" is for the packets of a `sender`"));
        };
        if traffic.bucket < f64::from(packet) {
            return Err(section.error(format!(
                "packets of {packet}B never fit the sender's bucket of {}B, expected a smaller `packet`",
                traffic.bucket
            )));
        }
        return Ok(Pattern::Bucket(traffic));
    }
    let rate = match (section.find("rate"), traffic) {
        (Some(item), _) => match item.rate()? {
            rate if rate >= 1.0 && rate.is_finite() => rate,
            _ => return Err(item.error("rate: expected at least \"1bit\", and not \"unlimited\"")),
        },
        (None, Some(traffic)) => traffic.rate_bps,
        (None, None) => return Err(section.error("[[traffic]] between nodes needs `rate = \"2mbit\"`")),
    };
    if chosen == 0 {
        unused("burst")?;
        return Ok(Pattern::Constant(rate));
    }
    let item = section.need("burst", "\"15kB\"")?;
    match item.size()? {
        burst if burst >= f64::from(packet) => Ok(Pattern::Bursty(rate, burst)),
        _ => Err(item.error(format!("burst: expected room for one packet of {packet}B at least"))),
    }
}
