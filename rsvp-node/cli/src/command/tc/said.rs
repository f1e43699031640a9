//! What command lines say of flows: traffic, marks, filters, rules.

use super::super::options::{Bucket, peak_above};
use clap::{Args, ValueEnum};
use rsvp_client::tc::{Filter, Flow, Marks, Mode, Rule, Set};
use rsvp_client::{Dscp, Service, Traffic};
use rsvp_node::units;
use std::str::FromStr;

/// The services that a flow can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Given {
    #[default]
    ControlledLoad,
    Guaranteed,
}

/// What becomes of packets beyond the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Excess {
    Borrow,
    Shape,
    Discard,
}

/// A rate, and what becomes of what is beyond it.
#[derive(Clone, Debug, Args)]
pub(super) struct Paced {
    /// The service that the flow has
    #[arg(long, value_enum, default_value_t)]
    service: Given,
    /// How fast the flow may be: the token rate r; of Guaranteed service also the rate that is reserved
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    rate: f64,
    #[command(flatten)]
    bucket: Bucket,
    /// What becomes of packets beyond the rate: sent as far as there is room (borrow), delayed (shape), or dropped (discard)
    /// [default: as the interface has it for the service]
    #[arg(long, value_enum)]
    mode: Option<Excess>,
    /// The rate that packets are delayed to, in the place of --rate
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    shaping_rate: Option<f64>,
    /// Packets that are forwarded belong to the flow if they come with the first DSCP; they leave with the second, those beyond the
    /// rate with the third; may be given more than once
    #[arg(long, value_name = "DSCP=DSCP/DSCP")]
    rule: Vec<RuleWords>,
}

impl Paced {
    /// The flow with that.
    pub(super) fn over(&self, flow: Flow) -> Result<Flow, String> {
        let traffic = self.bucket.over(Traffic::of(self.rate));
        if let Some(peak) = traffic.peak_bps {
            peak_above(peak, self.rate)?;
        }
        let flowspec = match self.service {
            Given::ControlledLoad => Service::ControlledLoad { traffic },
            Given::Guaranteed => Service::Guaranteed { traffic, reserve_bps: self.rate, slack_us: 0 },
        };
        let mode = self.mode.map(|mode| match mode {
            Excess::Borrow => Mode::Borrow,
            Excess::Shape => Mode::Shape,
            Excess::Discard => Mode::Discard,
        });
        let shaping_rate_bps = self.shaping_rate.map(|rate| rate as u64);
        Ok(Flow {
            flowspec,
            mode,
            shaping_rate_bps,
            rules: self.rule.iter().map(|rule| rule.0).collect(),
            ..flow
        })
    }
}

/// Marks of packets.
#[derive(Clone, Debug, Args)]
pub(super) struct Marked {
    /// The DSCP of packets within the rate, by name or number [default: as the interface has it for the service]
    #[arg(long, value_name = "DSCP")]
    dscp: Option<Dscp>,
    /// The DSCP of packets beyond the rate
    #[arg(long, value_name = "DSCP")]
    excess_dscp: Option<Dscp>,
    /// The IEEE 802.1p priority of packets within the rate, where rsvpd writes priority tags
    #[arg(long, value_name = "PRIORITY", value_parser = clap::value_parser!(u8).range(0..8))]
    priority: Option<u8>,
    /// The priority of packets beyond the rate
    #[arg(long, value_name = "PRIORITY", value_parser = clap::value_parser!(u8).range(0..8))]
    excess_priority: Option<u8>,
    /// Packets have the marks of best effort, whatever else is said here (QOS_TCP_TRAFFIC)
    #[arg(long)]
    tcp_traffic: bool,
}

impl Marked {
    /// A flow with these marks, and without a rate.
    pub(super) fn flow(&self) -> Flow {
        Flow {
            flow: None,
            interface: None,
            flowspec: Service::Null { traffic: Traffic::of(0.0) },
            mode: None,
            dscp: self.dscp.map(|dscp| dscp.value()),
            priority: self.priority,
            excess_dscp: self.excess_dscp.map(|dscp| dscp.value()),
            excess_priority: self.excess_priority,
            shaping_rate_bps: None,
            tcp_traffic: self.tcp_traffic,
            name: None,
            rules: Vec::new(),
        }
    }
}

/// What `rsvp tc set` sets.
#[derive(Clone, Debug, Args)]
pub(super) struct Settings {
    /// Marks of a service (guaranteed, controlled-load, null): of packets that conform, and of those that do not; `keep` leaves packets theirs
    #[arg(long, value_name = "SERVICE=DSCP[/DSCP]")]
    marks: Vec<MarkWords>,
    /// The class of packets of no flow by their DSCP: network-control, best-effort, qualitative, non-conforming
    #[arg(long, value_name = "DSCP=CLASS")]
    class: Vec<Pair>,
}

impl Settings {
    pub(super) fn set(&self) -> Set {
        let classes = self.class.iter().map(|pair| (pair.0.clone(), pair.1.clone()));
        Set {
            marks: self.marks.iter().map(|words| (words.0.clone(), words.1.clone())).collect(),
            classes: Some(classes.collect()).filter(|_| !self.class.is_empty()),
            ..Set::default()
        }
    }
}

/// Two texts with a `=` between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair(String, String);

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = text.split_once('=').filter(|(one, other)| !one.is_empty() && !other.is_empty());
        let wrong = || format!("\"{text}\" has no \"=\" between two words");
        pair.map(|(one, other)| Self(one.to_owned(), other.to_owned())).ok_or_else(wrong)
    }
}

/// A service and its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MarkWords(String, Marks);

impl FromStr for MarkWords {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Pair(service, marks) = text.parse()?;
        let (dscp, excess_dscp) = match marks.split_once('/') {
            Some((dscp, excess)) => (dscp.to_owned(), Some(excess.to_owned())),
            None => (marks, None),
        };
        Ok(Self(service, Marks { dscp: Some(dscp), excess_dscp, ..Marks::default() }))
    }
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RuleWords(Rule);

impl FromStr for RuleWords {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no rule, such as ef=af41/cs1");
        let Pair(inbound, marks) = text.parse().map_err(|_: String| wrong())?;
        let (dscp, excess) = marks.split_once('/').ok_or_else(wrong)?;
        let read = |word: &str| {
            word.parse::<Dscp>().map(|dscp| dscp.value()).map_err(|why| format!("\"{word}\" is {why}"))
        };
        let (inbound, dscp, excess_dscp) = (read(&inbound)?, read(dscp)?, read(excess)?);
        Ok(Self(Rule { inbound, dscp, excess_dscp, priority: None, excess_priority: None }))
    }
}

/// A filter, as words and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilterWords(pub(super) Filter);

impl FromStr for FilterWords {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Filter {
            flow: 0,
            destination: None,
            source: None,
            protocol: None,
            source_port: None,
            destination_port: None,
            icmp_type: None,
            icmp_code: None,
            spi: None,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.chunks(2) {
            let [word, value] = pair else {
                return Err(format!("\"{}\" has no value behind it", pair.join(" ")));
            };
            let octet =
                || value.parse::<u8>().map_err(|_| format!("{word}: \"{value}\" is no number from 0 to 255"));
            match *word {
                "destination" => filter.destination = Some(value.parse()?),
                "source" => filter.source = Some(value.parse()?),
                "protocol" => filter.protocol = Some(value.parse()?),
                "destination-port" => filter.destination_port = Some(value.parse()?),
                "source-port" => filter.source_port = Some(value.parse()?),
                "icmp-type" => filter.icmp_type = Some(octet()?),
                "icmp-code" => filter.icmp_code = Some(octet()?),
                "spi" => filter.spi = Some(value.parse()?),
                _ => {
                    return Err(format!(
                        "\"{word}\" is nothing that a filter looks at: destination, source, protocol, destination-port, \
                         source-port, icmp-type, icmp-code, spi"
                    ));
                }
            }
        }
        Ok(Self(filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_words_and_values() {
        let words = "protocol udp destination 10.0.2.0/24 destination-port 0x1000/0xf000";
        let FilterWords(filter) = words.parse().expect("a filter");
        let text = |value: Option<String>| value.unwrap_or_default();
        assert_eq!(text(filter.destination.map(|d| d.to_string())), "10.0.2.0/24");
        assert_eq!(text(filter.destination_port.map(|p| p.to_string())), "0x1000/0xf000");
        assert_eq!((text(filter.protocol.map(|p| p.to_string())), filter.source), ("udp".to_owned(), None));
        for (wrong, said) in [
            ("protocol", "no value"),
            ("port 5000", "destination-port"),
            ("destination 10.0.2", "10.0.2.0/24"),
            ("icmp-type 256", "0 to 255"),
        ] {
            let why = wrong.parse::<FilterWords>().expect_err(wrong);
            assert!(why.contains(said), "{why}");
        }
    }

    #[test]
    fn rules_and_marks_are_pairs() {
        let RuleWords(rule) = "ef=af41/cs1".parse().expect("a rule");
        assert_eq!((rule.inbound, rule.dscp, rule.excess_dscp), (46, 34, 8));
        for wrong in ["ef", "ef=af41", "ef=af41/64", "=a/b"] {
            assert!(wrong.parse::<RuleWords>().is_err(), "{wrong}");
        }
        let MarkWords(service, marks) = "null=keep/cs1".parse().expect("marks");
        assert_eq!(
            (service.as_str(), marks.dscp.as_deref(), marks.excess_dscp.as_deref()),
            ("null", Some("keep"), Some("cs1"))
        );
    }
}
