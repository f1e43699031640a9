//! The words in which the tests say what a node hears, sends and holds.
//!
//! `a1 Resv FF S1{4B} S2{5B}` is a Resv of fixed-filter style from the first neighbour on interface a, asking 4B for
//! sender S1 and 5B for S2. B is 1000 octets a second; `{4B}` is Controlled-Load and `{4G}` Guaranteed service with R
//! of 4B. A name of a lower-case letter and a number is a node: `a0` this node's own address on a, `a1` a neighbour.
//! `S1` is a sender somewhere upstream, `A0` one on this node with the address `a0`. G is a group, U a unicast host.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_node::InterfaceId;
use rsvp_wire::{ErrorSpec, FilterSpec, Flowspec, Message, Rspec, Sharing, Style, Tspec, flow_descriptors};

/// An address family; most tests run in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Port of every sender.
pub(crate) const SENDER_PORT: u16 = 5000;

impl Family {
    fn address(self, net: u8, host: u8) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::new(10, 0, net, host)),
            Self::V6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, u16::from(net), 0, 0, 0, 0, u16::from(host))),
        }
    }

    /// The address with a name such as `a1`, `S1`, `G` or `U`.
    pub(crate) fn named(self, name: &str) -> IpAddr {
        let number = name[1..].parse().unwrap_or(0);
        match (name.as_bytes()[0], self) {
            (b'G', Self::V4) => IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1)),
            (b'G', Self::V6) => IpAddr::V6(Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 1)),
            (b'U', _) => self.address(200, 1),
            (b'S', _) => self.address(100, number),
            (letter @ b'a'..=b'z', _) => self.address(letter - b'a' + 1, number + 1),
            (letter, _) => self.address(letter - b'A' + 1, number + 1),
        }
    }

    /// The sender with a name such as `S1` or `A0`.
    pub(crate) fn sender(self, name: &str) -> FilterSpec {
        FilterSpec::new(self.named(name), SENDER_PORT)
    }
}

/// The interface with a name such as `a`.
pub(crate) fn interface(name: &str) -> InterfaceId {
    InterfaceId(u32::from(name.as_bytes()[0] - b'a' + 1))
}

/// The name of an interface.
pub(crate) fn interface_name(id: InterfaceId) -> char {
    char::from(b'a' + id.0 as u8 - 1)
}

/// The name of an address.
pub(crate) fn name(address: IpAddr) -> String {
    let (net, host) = match address {
        IpAddr::V4(a) if a.octets()[0] == 239 => return "G".into(),
        IpAddr::V4(a) => (a.octets()[2], a.octets()[3]),
        IpAddr::V6(a) if a.segments()[0] == 0xff0e => return "G".into(),
        IpAddr::V6(a) => (a.segments()[2] as u8, a.segments()[7] as u8),
    };
    match net {
        100 => format!("S{host}"),
        200 => "U".into(),
        net => format!("{}{}", char::from(b'a' + net - 1), host - 1),
    }
}

/// The name of a sender; the port is shown where it is not the usual one.
pub(crate) fn sender_name(filter: &FilterSpec) -> String {
    let port = if filter.port() == SENDER_PORT { String::new() } else { format!(":{}", filter.port()) };
    format!("{}{port}", name(filter.address()).to_uppercase())
}

/// Traffic of rate n B.
pub(crate) fn tspec(n: f32) -> Tspec {
    Tspec {
        rate: n * 1000.0,
        bucket: 1000.0,
        peak: f32::INFINITY,
        min_policed_unit: 64,
        max_packet_size: 1500,
    }
}

/// What is charged for a flowspec, in octets per second: r, or R of Guaranteed service.
pub(crate) fn rate(flowspec: &Flowspec) -> f32 {
    match flowspec {
        Flowspec::Guaranteed(_, rspec) => rspec.rate,
        other => other.tspec().rate,
    }
}

/// Controlled-Load of rate n B.
pub(crate) fn controlled(n: f32) -> Flowspec {
    Flowspec::ControlledLoad(tspec(n))
}

/// Guaranteed service with r and R of n B and no slack.
pub(crate) fn guaranteed(n: f32) -> Flowspec {
    Flowspec::Guaranteed(tspec(n), Rspec { rate: n * 1000.0, slack: 0 })
}

/// `4B` or `4G`; behind a comma come a bucket of so many thousand octets, `b50`, and a largest packet, `M1492`.
fn flowspec(text: &str) -> Flowspec {
    let (rate, rest) = text.split_once(',').unwrap_or((text, ""));
    let (number, unit) = rate.split_at(rate.len() - 1);
    let n = number.parse().expect("a number of B");
    let mut flowspec = if unit == "G" { guaranteed(n) } else { controlled(n) };
    let (Flowspec::ControlledLoad(tspec) | Flowspec::Guaranteed(tspec, _) | Flowspec::Null(tspec)) =
        &mut flowspec;
    for part in rest.split(',').filter(|part| !part.is_empty()) {
        let (letter, number) = part.split_at(1);
        match letter {
            "b" => tspec.bucket = number.parse::<f32>().expect("a bucket") * 1000.0,
            "M" => tspec.max_packet_size = number.parse().expect("a size"),
            _ => panic!("{text}"),
        }
    }
    flowspec
}

/// A flowspec in braces: its rate, and R behind a slash where that is another; and a smaller M than usual.
pub(crate) fn flowspec_name(flowspec: &Flowspec) -> String {
    let tspec = flowspec.tspec();
    let rate = tspec.rate / 1000.0;
    let mut rest = String::new();
    if tspec.bucket > 1000.0 {
        rest += &format!(",b{}", tspec.bucket / 1000.0);
    }
    if tspec.max_packet_size < 1500 {
        rest += &format!(",M{}", tspec.max_packet_size);
    }
    match flowspec {
        Flowspec::ControlledLoad(_) => format!("{{{rate}B{rest}}}"),
        Flowspec::Null(_) => format!("{{{rate}N}}"),
        Flowspec::Guaranteed(_, r) if r.rate == tspec.rate => format!("{{{rate}G{rest}}}"),
        Flowspec::Guaranteed(_, r) => format!("{{{rate}/{}G{rest}}}", r.rate / 1000.0),
    }
}

/// A style and what is asked for in it.
#[derive(Clone, Debug)]
pub(crate) struct Flows {
    pub(crate) style: Style,
    /// One flow descriptor each: all filters of SE are in one, each of FF has its own.
    pub(crate) flows: Vec<(Option<Flowspec>, Vec<FilterSpec>)>,
}

impl Flows {
    /// Reads `WF{4B}`, `FF S1{4B} S2{5B}` or `SE S1 S2{3B}`; flowspecs may be left out in teardowns.
    pub(crate) fn read(family: Family, words: &[&str]) -> Self {
        let split = |word: &str| match word.split_once('{') {
            Some((name, rest)) => (name.to_owned(), Some(flowspec(rest.trim_end_matches('}')))),
            None => (word.to_owned(), None),
        };
        let (first, whole) = split(words[0]);
        let style = match first.as_str() {
            "WF" => Style::WF,
            "FF" => Style::FF,
            _ => Style::SE,
        };
        let mut flows = Vec::new();
        let mut filters = Vec::new();
        for word in &words[1..] {
            let (name, flowspec) = split(word);
            filters.push(family.sender(&name));
            if flowspec.is_some() || style == Style::FF {
                flows.push((flowspec, std::mem::take(&mut filters)));
            }
        }
        if style == Style::WF || !filters.is_empty() {
            flows.push((whole, filters));
        }
        Self { style, flows }
    }

    /// What a message says from its STYLE on.
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let style: Style = message.get().expect("a STYLE").expect("a sound STYLE");
        let mut flows: Vec<(Option<Flowspec>, Vec<FilterSpec>)> = Vec::new();
        for descriptor in flow_descriptors(message) {
            let flowspec = descriptor.flowspec.map(|o| o.read().expect("a sound FLOWSPEC"));
            let filter: Option<FilterSpec> =
                descriptor.filter.map(|o| o.read().expect("a sound FILTER_SPEC"));
            match flows.last_mut().filter(|_| style.sharing() == Sharing::Shared) {
                Some((_, filters)) => filters.extend(filter),
                None => flows.push((flowspec, filter.into_iter().collect())),
            }
        }
        Self { style, flows }
    }

    /// The same words that [`read`](Self::read) takes.
    pub(crate) fn name(&self) -> String {
        let mut text = style_name(self.style).to_owned();
        for (flowspec, filters) in &self.flows {
            for filter in filters {
                text += &format!(" {}", sender_name(filter));
            }
            text += &flowspec.as_ref().map(flowspec_name).unwrap_or_default();
        }
        text
    }
}

/// `WF`, `FF` or `SE`.
pub(crate) fn style_name(style: Style) -> &'static str {
    match style.options {
        o if o == Style::WF.options => "WF",
        o if o == Style::FF.options => "FF",
        o if o == Style::SE.options => "SE",
        _ => "??",
    }
}

/// `01/0002 InPlace` and the like.
pub(crate) fn error_name(error: &ErrorSpec) -> String {
    let mut text = format!("{:02}/{:04x}", error.code.0, error.value);
    for (bit, word) in [(ErrorSpec::IN_PLACE, " InPlace"), (ErrorSpec::NOT_GUILTY, " NotGuilty")] {
        if error.flags & bit != 0 {
            text += word;
        }
    }
    text
}
