//! Reads senders and receivers, and the traffic parameters that both have.

use super::error::ScenarioError;
use super::model::{
    Destination, Flow, NodeId, Receiver, Request, ReservationStyle, Scenario, Sender, SenderId, Service,
    SessionId, Traffic,
};
use super::section::{Item, Section};
use core::time::Duration;

const SENDER: [&str; 15] = [
    "name",
    "node",
    "session",
    "port",
    "spi",
    "rate",
    "bucket",
    "peak",
    "min_packet",
    "max_packet",
    "start",
    "ttl",
    "adspec",
    "socket",
    "about",
];
const RECEIVER: [&str; 20] = [
    "name",
    "node",
    "session",
    "style",
    "service",
    "rate",
    "bucket",
    "peak",
    "min_packet",
    "max_packet",
    "reserve",
    "slack",
    "filters",
    "flows",
    "start",
    "confirm",
    "wait_for_path",
    "reserve_at",
    "socket",
    "about",
];
const FLOW: [&str; 9] =
    ["filters", "service", "rate", "bucket", "peak", "min_packet", "max_packet", "reserve", "slack"];

/// Keys of a request; an action that changes a receiver has them too.
pub(crate) const REQUEST: [&str; 12] = [
    "style",
    "service",
    "rate",
    "bucket",
    "peak",
    "min_packet",
    "max_packet",
    "reserve",
    "slack",
    "filters",
    "flows",
    "confirm",
];
/// Keys of a token bucket; an action that changes a sender has them too.
pub(crate) const TRAFFIC: [&str; 5] = ["rate", "bucket", "peak", "min_packet", "max_packet"];

/// Words for styles and services, in the order of the enums.
pub(crate) const STYLES: [&str; 3] = ["wf", "ff", "se"];
pub(crate) const SERVICES: [&str; 2] = ["controlled-load", "guaranteed"];

/// Token rates and bucket depths that a TSpec is for (RFC 2215 section 3.6): from 1 octet a second to 40 TB/s, and from 1 octet.
const LEAST_RATE_BPS: f64 = 8.0;
const MOST_RATE_BPS: f64 = 8.0 * 40e12;
const LEAST_BUCKET: f64 = 1.0;

pub(crate) fn read(scenario: &mut Scenario, top: &Section<'_>) -> Result<(), ScenarioError> {
    for section in top.sections("sender", &SENDER)? {
        let sender = scenario.read_sender(&section)?;
        let (id, index) = (SenderId(scenario.senders.len()), &mut scenario.index);
        index.senders.insert(sender.name.clone(), id.0);
        let gpi = scenario.sessions[sender.session.0].gpi;
        let origin = if gpi { sender.spi } else { u32::from(sender.port) };
        index.origins.insert((sender.node, sender.session, origin), id);
        index.senders_of.get_or_insert_default().entry(sender.session).or_default().push(id);
        scenario.senders.push(sender);
    }
    for section in top.sections("receiver", &RECEIVER)? {
        let receiver = scenario.read_receiver(&section)?;
        scenario.index.receivers.insert(receiver.name.clone(), scenario.receivers.len());
        scenario.receivers.push(receiver);
    }
    Ok(())
}

impl Scenario {
    fn read_sender(&self, section: &Section<'_>) -> Result<Sender, ScenarioError> {
        let name = self.new_application(section)?;
        let node = self.home(section.need("node", "\"…\"")?)?;
        let session = self.session_of(section)?;
        let traffic = self.traffic(section, None)?;
        let adspec = section.read_or("adspec", Some((true, true)), |item| {
            let both = [Some((true, true)), Some((true, false)), Some((false, true)), None];
            Ok(both[item.choice(&["both", "guaranteed", "controlled-load", "none"])?])
        })?;
        let port = section.read_or("port", 4000, |item| item.integer(1, 65_535))? as u16;
        let spi = section.read_or("spi", u64::from(port), |item| item.integer(1, u32::MAX.into()))? as u32;
        let has_virtual_port = self.sessions[session.0].gpi;
        if section.find("spi").is_some() && !has_virtual_port {
            return Err(section.error("`spi` is for senders to a session with protocol = \"esp\" or \"ah\""));
        }
        let origin = if has_virtual_port { spi } else { u32::from(port) };
        if let Some(twin) = self.index.origins.get(&(node, session, origin)) {
            let twin = &self.senders[twin.0].name;
            return Err(section.error(format!("the same node and port as sender \"{twin}\"")));
        }
        let ttl = section.read_or("ttl", 64, |item| item.integer(1, 255))? as u8;
        let start = section.read_or("start", Duration::ZERO, |item| self.moment(item))?;
        let socket = section.read_or("socket", false, |item| item.truth())?;
        let sender = Sender { name, node, session, port, spi, traffic, adspec, ttl, start, socket };
        self.check_sending_socket(section, &sender)?;
        Ok(sender)
    }

    fn read_receiver(&self, section: &Section<'_>) -> Result<Receiver, ScenarioError> {
        let name = self.new_application(section)?;
        let node = self.home(section.need("node", "\"…\"")?)?;
        let session = self.session_of(section)?;
        self.check_home(section, node, session)?;
        let request = if section.find("style").is_some() {
            Some(self.request(section, session, None)?)
        } else if section.any(&REQUEST) {
            section.need("style", "\"wf\"").map(|_| None)?
        } else {
            None
        };
        let receiver = Receiver {
            name,
            node,
            session,
            start: section.read_or("start", Duration::ZERO, |item| self.moment(item))?,
            reserve_at: section.find("reserve_at").map(|item| self.moment(item)).transpose()?,
            wait_for_path: section.read_or("wait_for_path", true, |item| item.truth())?,
            request,
            socket: section.read_or("socket", false, |item| item.truth())?,
        };
        self.check_receiving_socket(section, &receiver)?;
        Ok(receiver)
    }

    /// Data of a unicast session goes to one node, and nobody else can receive it.
    fn check_home(
        &self,
        section: &Section<'_>,
        node: NodeId,
        session: SessionId,
    ) -> Result<(), ScenarioError> {
        let plan = &self.sessions[session.0];
        match plan.destination {
            Destination::Node(to) if to != node => {
                let (here, to) = (&self.nodes[node.0].name, &self.nodes[to.0].name);
                let why = format!(
                    "data of session \"{}\" goes to \"{to}\" and never to \"{here}\": expected \"{to}\", or a session with \
                     `group` in place of `to`",
                    plan.name
                );
                Err(section.error_at("node", why))
            }
            _ => Ok(()),
        }
    }

    /// A point in time that the run reaches.
    pub(crate) fn moment(&self, item: Item<'_>) -> Result<Duration, ScenarioError> {
        let time = item.time()?;
        if time > self.duration {
            let end = rsvp_node::units::show_time(self.duration);
            return Err(item.error(format!("this is after the end of the run (duration = \"{end}\")")));
        }
        Ok(time)
    }

    fn new_application(&self, section: &Section<'_>) -> Result<String, ScenarioError> {
        let item = section.need("name", "\"…\"")?;
        let name = item.name()?;
        if self.index.senders.contains_key(name) || self.index.receivers.contains_key(name) {
            return Err(item.error(format!("there are two applications \"{name}\"")));
        }
        Ok(name.to_owned())
    }

    /// A token bucket; what is not stated comes from `base`.
    pub(crate) fn traffic(
        &self,
        section: &Section<'_>,
        base: Option<Traffic>,
    ) -> Result<Traffic, ScenarioError> {
        let rate_bps = match (section.find("rate"), base) {
            (Some(item), _) => token_rate(item, "rate")?,
            (None, Some(base)) => base.rate_bps,
            (None, None) => token_rate(section.need("rate", "\"2mbit\"")?, "rate")?,
        };
        let least_mtu = || self.links.iter().map(|l| l.mtu).min();
        let mtu = self.index.least_mtu.or_else(least_mtu).unwrap_or(1500);
        let base = base.unwrap_or(Traffic {
            rate_bps,
            bucket: 15e3,
            peak_bps: f64::INFINITY,
            min_packet: 64,
            max_packet: mtu,
        });
        let peak_bps = section.read_or("peak", base.peak_bps, |item| {
            if item.word()? == "unlimited" { Ok(f64::INFINITY) } else { token_rate(item, "peak") }
        })?;
        if peak_bps < rate_bps {
            return Err(section.find("peak").map_or_else(
                || section.error("the rate is above the peak"),
                |item| item.error("peak: expected at least the rate"),
            ));
        }
        let packet = |item: Item<'_>| match item.size()? {
            size if (1.0..=65_535.0).contains(&size) => Ok(size.round() as u32),
            _ => Err(item.error("expected a packet size from \"1B\" to \"65535B\"")),
        };
        let min_packet = section.read_or("min_packet", base.min_packet, packet)?;
        let max_packet = section.read_or("max_packet", base.max_packet, packet)?;
        if min_packet > max_packet {
            return Err(section.error("min_packet is above max_packet"));
        }
        let bucket = section.read_or("bucket", base.bucket, |item| match item.size()? {
            size if size >= LEAST_BUCKET => Ok(size),
            _ => Err(item.error("bucket: expected \"1B\" at least (RFC 2215): nothing fits an empty one")),
        })?;
        Ok(Traffic { rate_bps, bucket, peak_bps, min_packet, max_packet })
    }

    /// What a receiver asks for; what is not stated comes from `base`.
    pub(crate) fn request(
        &self,
        section: &Section<'_>,
        session: SessionId,
        base: Option<&Request>,
    ) -> Result<Request, ScenarioError> {
        let styles = [ReservationStyle::Wf, ReservationStyle::Ff, ReservationStyle::Se];
        let style = match (section.find("style"), base) {
            (None, Some(base)) => base.style,
            _ => styles[section.need("style", "\"wf\"")?.choice(&STYLES)?],
        };
        let confirm = section.read_or("confirm", base.is_some_and(|b| b.confirm), |item| item.truth())?;
        let flows = match section.find("flows") {
            Some(list) => {
                if section.any(&["rate", "filters"]) {
                    return Err(
                        list.error("flows: each has its own rate and filters, expected none beside it")
                    );
                }
                let mut flows = Vec::new();
                for item in list.list("flows")? {
                    let inner = item.section("a flow", &FLOW)?;
                    flows.extend(self.flows(&inner, session, style, None)?);
                }
                flows
            }
            None => self.flows(section, session, style, base)?,
        };
        let mut all = flows.iter().flat_map(|flow| &flow.filters).collect::<Vec<_>>();
        let named = all.len();
        all.sort_unstable();
        all.dedup();
        if all.len() < named {
            return Err(section.error_at("flows", "a sender is named twice, expected it in one flow"));
        }
        let fits = match style {
            ReservationStyle::Wf => flows.len() == 1 && flows[0].filters.is_empty(),
            ReservationStyle::Se => flows.len() == 1,
            ReservationStyle::Ff => true,
        };
        if !fits || flows.is_empty() {
            return Err(section.error(match style {
                ReservationStyle::Wf => "wf takes one flow without filters",
                ReservationStyle::Se => "se takes one flow",
                ReservationStyle::Ff => "ff takes one flow or more",
            }));
        }
        Ok(Request { style, flows, confirm })
    }

    /// The flows that one group of keys describes: one for all its filters, or for FF one for each.
    fn flows(
        &self,
        section: &Section<'_>,
        session: SessionId,
        style: ReservationStyle,
        base: Option<&Request>,
    ) -> Result<Vec<Flow>, ScenarioError> {
        let filters = self.filters(section, session, style, base)?;
        let flow = |filters: Vec<SenderId>| {
            // What a change does not mention stays as it is, for each sender.
            let old = base.and_then(|b| {
                let own = b.flows.iter().find(|f| filters.iter().any(|s| f.filters.contains(s)));
                own.or_else(|| b.flows.first())
            });
            let traffic = self.traffic(section, old.map(|f| f.traffic))?;
            let service = service(section, traffic, old.map(|f| f.service))?;
            Ok(Flow { filters, traffic, service })
        };
        match style {
            ReservationStyle::Ff => filters.into_iter().map(|filter| flow(vec![filter])).collect(),
            _ => Ok(vec![flow(filters)?]),
        }
    }

    fn filters(
        &self,
        section: &Section<'_>,
        session: SessionId,
        style: ReservationStyle,
        base: Option<&Request>,
    ) -> Result<Vec<SenderId>, ScenarioError> {
        let Some(item) = section.find("filters") else {
            if style == ReservationStyle::Wf {
                return Ok(Vec::new());
            }
            let before = base.into_iter().flat_map(|base| &base.flows);
            let mut senders: Vec<SenderId> = before.flat_map(|flow| flow.filters.iter().copied()).collect();
            if senders.is_empty() {
                senders = self.senders_of(session);
            }
            if senders.is_empty() {
                let name = &self.sessions[session.0].name;
                let why = format!(
                    "session \"{name}\" has no sender to reserve for: expected a [[sender]] of it, or style = \"wf\""
                );
                return Err(section.error_at("style", why));
            }
            return Ok(senders);
        };
        if style == ReservationStyle::Wf {
            return Err(item.error("filters: wf takes none"));
        }
        let mut filters = Vec::new();
        for each in item.list("senders")? {
            let sender = self.sender(each)?;
            if self.senders[sender.0].session != session || filters.contains(&sender) {
                return Err(each.error("filters: expected senders of this session, each once"));
            }
            filters.push(sender);
        }
        if filters.is_empty() {
            return Err(item.error("filters: expected one sender at least"));
        }
        Ok(filters)
    }

    /// All senders of a session.
    pub(crate) fn senders_of(&self, session: SessionId) -> Vec<SenderId> {
        if let Some(known) = &self.index.senders_of {
            return known.get(&session).cloned().unwrap_or_default();
        }
        (0..self.senders.len()).map(SenderId).filter(|s| self.senders[s.0].session == session).collect()
    }
}

/// A rate of a token bucket.
fn token_rate(item: Item<'_>, key: &str) -> Result<f64, ScenarioError> {
    match item.rate()? {
        rate if (LEAST_RATE_BPS..=MOST_RATE_BPS).contains(&rate) => Ok(rate),
        _ => Err(item.error(format!(
            "{key}: expected \"8bit\" to \"320000gbit\" (RFC 2215: 1 octet a second to 40 TB/s)"
        ))),
    }
}

fn service(section: &Section<'_>, traffic: Traffic, base: Option<Service>) -> Result<Service, ScenarioError> {
    let guaranteed =
        section.read_or("service", matches!(base, Some(Service::Guaranteed { .. })), |item| {
            Ok(item.choice(&SERVICES)? == 1)
        })?;
    if !guaranteed {
        if let Some(item) = section.find("reserve").or_else(|| section.find("slack")) {
            return Err(item.error("only service = \"guaranteed\" has `reserve` and `slack`"));
        }
        return Ok(Service::ControlledLoad);
    }
    let (reserve_bps, slack_us) = match base {
        Some(Service::Guaranteed { reserve_bps, slack_us }) if section.find("rate").is_none() => {
            (reserve_bps, slack_us)
        }
        _ => (traffic.rate_bps, 0),
    };
    let reserve_bps = section.read_or("reserve", reserve_bps, |item| match item.rate()? {
        reserve if reserve < traffic.rate_bps => Err(item.error("reserve: expected at least the rate")),
        reserve => Ok(reserve),
    })?;
    let slack_us = section.read_or("slack", slack_us, |item| {
        u32::try_from(item.time()?.as_micros())
            .map_err(|_| item.error("slack: expected less than 71 minutes"))
    })?;
    Ok(Service::Guaranteed { reserve_bps, slack_us })
}
