//! Reads a scenario file: the top level, nodes, sessions and routes.
//!
//! Links, applications, actions and expectations are read by the modules beside this one.

use super::error::{ScenarioError, Text, one_of};
use super::index::{Index, find};
use super::model::{
    Destination, ExplicitRoute, Family, LinkId, Node, NodeId, Room, RouteTarget, Scenario, SenderId,
    SessionId, SessionPlan,
};
use super::section::{Item, Section};
use super::{actions, applications, expectations, loads};
use core::net::IpAddr;
use core::time::Duration;
use toml::de::DeTable;

const TOP: [&str; 26] = [
    "name",
    "description",
    "seed",
    "family",
    "duration",
    "refresh",
    "lifetime_k",
    "blockade_k",
    "state_octets",
    "neighbours_per_interface",
    "repair_wait",
    "convergence",
    "faults_until",
    "lab",
    "nodes",
    "clock",
    "object",
    "link",
    "lan",
    "route",
    "session",
    "sender",
    "receiver",
    "traffic",
    "action",
    "expect",
];
const OBJECT: [&str; 3] = ["node", "class", "size"];
const CLOCK: [&str; 3] = ["node", "fast", "slow"];
const SESSION: [&str; 5] = ["name", "to", "group", "protocol", "port"];
const ROUTE: [&str; 6] = ["node", "session", "to", "sender", "in", "out"];

/// Addresses have room for so many multicast sessions.
const MOST_SESSIONS: usize = 65_000;

/// Names of one kind, to be looked up one by one.
pub(crate) fn look_up<'n>(
    item: Item<'_>,
    kind: &str,
    names: impl Iterator<Item = &'n str>,
) -> Result<usize, ScenarioError> {
    let names: Vec<&str> = names.collect();
    let word = item.word()?;
    names.iter().position(|name| *name == word).ok_or_else(|| {
        item.error(format!("unknown {kind} \"{}\", {}", word.escape_debug(), one_of(word, &names)))
    })
}

impl Scenario {
    /// Reads a scenario from the octets of a file.
    ///
    /// # Errors
    ///
    /// The first fault, with its place.
    pub fn parse(file: &str, octets: &[u8]) -> Result<Self, ScenarioError> {
        let text = match core::str::from_utf8(octets) {
            Ok(text) => Text::new(file, text),
            Err(fault) => return Err(ScenarioError::not_text(file, octets, fault.valid_up_to())),
        };
        if let Some(at) = octets.iter().position(|&octet| octet == 0) {
            return Err(ScenarioError::not_text(file, octets, at));
        }
        let table = DeTable::parse(text.text).map_err(|fault| {
            let at = fault.span().map_or(0, |span| span.start);
            text.error(at, fault.message().replace('\n', ", "))
        })?;
        if table.get_ref().is_empty() {
            return Err(text
                .error(0, "the scenario is empty, expected `name = …`, [nodes] and at least one [[link]]"));
        }
        let top = Section::new(&text, table.get_ref(), 0, "the scenario", &TOP)?;
        let mut scenario = head(&top)?;
        scenario.read_nodes(&top)?;
        scenario.read_clocks(&top)?;
        scenario.read_objects(&top)?;
        scenario.faults_until = top.find("faults_until").map(|item| scenario.moment(item)).transpose()?;
        scenario.read_links(&top)?;
        scenario.read_sessions(&top)?;
        applications::read(&mut scenario, &top)?;
        loads::read(&mut scenario, &top)?;
        scenario.read_routes(&top)?;
        actions::read(&mut scenario, &top)?;
        expectations::read(&mut scenario, &top)?;
        scenario.index = Index::default();
        Ok(scenario)
    }

    pub(crate) fn node(&self, item: Item<'_>) -> Result<NodeId, ScenarioError> {
        find(item, "node", &self.index.nodes, self.nodes.iter().map(|n| n.name.as_str())).map(NodeId)
    }

    pub(crate) fn link(&self, item: Item<'_>) -> Result<LinkId, ScenarioError> {
        find(item, "link", &self.index.links, self.links.iter().map(|l| l.name.as_str())).map(LinkId)
    }

    pub(crate) fn session(&self, item: Item<'_>) -> Result<SessionId, ScenarioError> {
        find(item, "session", &self.index.sessions, self.sessions.iter().map(|s| s.name.as_str()))
            .map(SessionId)
    }

    pub(crate) fn sender(&self, item: Item<'_>) -> Result<SenderId, ScenarioError> {
        find(item, "sender", &self.index.senders, self.senders.iter().map(|s| s.name.as_str())).map(SenderId)
    }

    /// The one session there is, or the one named.
    pub(crate) fn session_of(&self, section: &Section<'_>) -> Result<SessionId, ScenarioError> {
        match section.find("session") {
            Some(item) => self.session(item),
            None if self.sessions.len() == 1 => Ok(SessionId(0)),
            None => Err(section.error("there is not just one session, expected `session = \"…\"`")),
        }
    }

    fn read_nodes(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        let nodes = top.need("nodes", "…")?.section("[nodes]", &["hosts", "routers", "plain"])?;
        for (key, router, plain) in [("hosts", false, false), ("routers", true, false), ("plain", true, true)]
        {
            for item in nodes.find(key).map_or(Ok(Vec::new()), |list| list.list("names"))? {
                let name = item.name()?;
                if self.index.nodes.insert(name.to_owned(), self.nodes.len()).is_some() {
                    return Err(item.error(format!("there are two nodes \"{name}\"")));
                }
                self.nodes.push(Node { name: name.to_owned(), router, plain, clock_ppm: 0, carries: None });
            }
        }
        if self.nodes.is_empty() {
            return Err(nodes.error("expected one node at least"));
        }
        Ok(())
    }

    fn read_clocks(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        for section in top.sections("clock", &CLOCK)? {
            let node = self.with_rsvp(section.need("node", "\"…\"")?)?;
            let (item, sign) = match (section.find("fast"), section.find("slow")) {
                (Some(item), None) => (item, 1.0),
                (None, Some(item)) => (item, -1.0),
                _ => {
                    return Err(
                        section.error("a [[clock]] needs either `fast = \"10%\"` or `slow = \"10%\"`")
                    );
                }
            };
            if self.nodes[node.0].clock_ppm != 0 {
                return Err(section.error(format!(
                    "there are two [[clock]] of \"{}\", expected one",
                    self.nodes[node.0].name
                )));
            }
            let share = item.share()?;
            if share > 0.5 {
                return Err(item.error("expected a clock that is wrong by 50% at most"));
            }
            self.nodes[node.0].clock_ppm = (share * sign * 1e6).round() as i32;
        }
        Ok(())
    }

    fn read_objects(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        for section in top.sections("object", &OBJECT)? {
            let node = self.with_rsvp(section.need("node", "\"…\"")?)?;
            if self.nodes[node.0].carries.is_some() {
                let name = &self.nodes[node.0].name;
                return Err(section.error(format!("there are two [[object]] of \"{name}\", expected one")));
            }
            let item = section.need("class", "200")?;
            let class = item.integer(14, 255)? as u8;
            if class != 14 && class < 192 {
                return Err(item.error("class: expected 14 (POLICY_DATA) or 192 to 255, which are forwarded"));
            }
            let item = section.need("size", "\"2kB\"")?;
            let size = item.size()?;
            if !(4.0..=4096.0).contains(&size) || size % 4.0 != 0.0 {
                return Err(item.error("size: expected 4 to 4096 octets, a multiple of 4"));
            }
            self.nodes[node.0].carries = Some((class, size as u16));
        }
        Ok(())
    }

    fn read_sessions(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        for section in top.sections("session", &SESSION)? {
            let name = section.need("name", "\"…\"")?;
            let word = name.name()?.to_owned();
            if self.index.sessions.insert(word.clone(), self.sessions.len()).is_some() {
                return Err(name.error(format!("there are two sessions \"{word}\"")));
            }
            let destination = match (section.find("to"), section.find("group")) {
                (Some(to), None) => Destination::Node(self.attached(to)?),
                (None, Some(group)) => self.group(group)?,
                _ => {
                    return Err(
                        section.error("a [[session]] needs either `to = \"node\"` or `group = \"name\"`")
                    );
                }
            };
            // ESP and AH by name have a virtual port, by number they have none.
            let (protocol, gpi) = section.read_or("protocol", (17, false), |item| {
                if item.is_integer() {
                    Ok((item.integer(1, 255)?, false))
                } else {
                    let known = [(17, false), (6, false), (50, true), (51, true)];
                    Ok(known[item.choice(&["udp", "tcp", "esp", "ah"])?])
                }
            })?;
            let port = section.read_or("port", 5000, |item| item.integer(1, 65_535))?;
            let (protocol, port) = (protocol as u8, port as u16);
            let whole = format!("{destination:?} {protocol} {port} {gpi}");
            if let Some(twin) = self.index.destinations.insert(whole, SessionId(self.sessions.len())) {
                let why = format!(
                    "\"{}\" has the same destination, protocol and port, and so is the same session: expected another `port`, \
                     or one [[session]]",
                    self.sessions[twin.0].name
                );
                return Err(section.error_at("port", why));
            }
            self.sessions.push(SessionPlan { name: word, destination, protocol, port, gpi });
        }
        Ok(())
    }

    /// A node that has a link, and so an address.
    pub(crate) fn attached(&self, item: Item<'_>) -> Result<NodeId, ScenarioError> {
        let node = self.node(item)?;
        if self.index.attached.contains(&node) || self.links.iter().any(|l| l.ends.contains(&node)) {
            return Ok(node);
        }
        Err(item.error(format!("\"{}\" has no link and so no address", self.nodes[node.0].name)))
    }

    /// A node that has an engine.
    fn with_rsvp(&self, item: Item<'_>) -> Result<NodeId, ScenarioError> {
        let node = self.node(item)?;
        if self.nodes[node.0].plain {
            let name = &self.nodes[node.0].name;
            return Err(item.error(format!("\"{name}\" is a plain router, expected a node with RSVP")));
        }
        Ok(node)
    }

    /// A node that applications can run on.
    pub(crate) fn home(&self, item: Item<'_>) -> Result<NodeId, ScenarioError> {
        self.attached(item).and_then(|_| self.with_rsvp(item))
    }

    fn group(&self, item: Item<'_>) -> Result<Destination, ScenarioError> {
        let word = item.word()?;
        match word.parse::<IpAddr>() {
            Ok(address) if address.is_multicast() && address.is_ipv4() != (self.family == Family::Ipv4) => {
                Err(item.error(format!(
                    "group: {word} is not of the file's `family`, expected a name or another one"
                )))
            }
            Ok(address) if address.is_multicast() => Ok(Destination::Address(address)),
            Ok(_) => Err(item.error(format!("group: {word} is no multicast address"))),
            Err(_) if self.sessions.len() >= MOST_SESSIONS => {
                Err(item
                    .error(format!("a group beyond the first {MOST_SESSIONS} sessions has no address left")))
            }
            Err(_) => {
                item.name()?;
                Ok(Destination::Group(self.sessions.len() as u16 + 1))
            }
        }
    }

    fn read_routes(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        for section in top.sections("route", &ROUTE)? {
            let node = self.node(section.need("node", "\"…\"")?)?;
            let target = match (section.find("session"), section.find("to")) {
                (Some(session), None) => RouteTarget::Session(self.session(session)?),
                (None, Some(to)) => RouteTarget::Node(self.attached(to)?),
                _ => {
                    return Err(
                        section.error("a [[route]] needs either `session = \"…\"` or `to = \"node\"`")
                    );
                }
            };
            let sender = section.find("sender").map(|item| self.sender(item)).transpose()?;
            if let (RouteTarget::Session(session), Some(SenderId(n))) = (target, sender)
                && self.senders[n].session != session
            {
                return Err(section.error_at("sender", "expected a sender to the route's session"));
            }
            let same = |r: &ExplicitRoute| (r.node, r.target, r.sender) == (node, target, sender);
            if self.routes.iter().any(same) {
                let name = &self.nodes[node.0].name;
                let why = format!(
                    "\"{name}\" has a [[route]] for the same, expected one with all neighbours in `out`"
                );
                return Err(section.error(why));
            }
            let incoming = section.find("in").map(|item| self.towards(node, item)).transpose()?;
            let out = section.need("out", "[\"neighbour or lan\", …]")?.list("neighbours or LANs")?;
            let outgoing = out.into_iter().map(|item| self.towards(node, item)).collect::<Result<_, _>>()?;
            self.routes.push(ExplicitRoute { node, target, sender, incoming, outgoing });
        }
        Ok(())
    }

    /// The link of `node` that has this name or leads to the neighbour of this name.
    fn towards(&self, node: NodeId, item: Item<'_>) -> Result<LinkId, ScenarioError> {
        let mut names = Vec::new();
        for (n, link) in self.links.iter().enumerate().filter(|(_, l)| l.ends.contains(&node)) {
            names.push((link.name.as_str(), n));
            let others = link.ends.iter().filter(|&&end| end != node && !link.lan);
            names.extend(others.map(|end| (self.nodes[end.0].name.as_str(), n)));
        }
        let place = look_up(item, "link or neighbour", names.iter().map(|(name, _)| *name))?;
        Ok(LinkId(names[place].1))
    }
}

fn head(top: &Section<'_>) -> Result<Scenario, ScenarioError> {
    let name = top.need("name", "\"…\"")?.name()?.to_owned();
    let some_time = |item: Item<'_>| match item.time()? {
        Duration::ZERO => Err(item.error("expected more than no time")),
        time => Ok(time),
    };
    let times = |item: Item<'_>| item.integer(1, 100).map(|n| n as u32);
    Ok(Scenario {
        file: top.text.file.to_owned(),
        name,
        description: top.read_or("description", String::new(), |item| item.word().map(str::to_owned))?,
        seed: top.read_or("seed", 1, |item| item.seed())?,
        family: top.read_or("family", Family::Ipv4, |item| {
            Ok([Family::Ipv4, Family::Ipv6][item.choice(&["ipv4", "ipv6"])?])
        })?,
        duration: top.read_or("duration", Duration::from_secs(120), some_time)?,
        refresh: top.read_or("refresh", Duration::from_secs(30), |item| match item.time()? {
            // TIME_VALUES has 32 bits of milliseconds (RFC 2205 A.4).
            time if time.as_millis() > u32::MAX.into() => {
                Err(item.error("refresh: expected at most \"1193h\""))
            }
            time if time >= Duration::from_millis(100) => Ok(time),
            _ => Err(item.error("refresh: expected at least \"100ms\"")),
        })?,
        lifetime_multiplier: top.read_or("lifetime_k", 3, times)?,
        blockade_multiplier: top.read_or("blockade_k", 3, times)?,
        room: room(top)?,
        local_repair_wait: top.read_or("repair_wait", Duration::from_secs(2), |item| item.time())?,
        convergence: top.read_or("convergence", Duration::ZERO, |item| item.time())?,
        faults_until: None,
        lab_speed: lab_speed(top)?,
        nodes: Vec::new(),
        links: Vec::new(),
        routes: Vec::new(),
        sessions: Vec::new(),
        senders: Vec::new(),
        receivers: Vec::new(),
        loads: Vec::new(),
        actions: Vec::new(),
        expectations: Vec::new(),
        index: Index::reading(),
    })
}

fn room(top: &Section<'_>) -> Result<Room, ScenarioError> {
    let usual = Room::default();
    let neighbours =
        top.read_or("neighbours_per_interface", usual.neighbours.into(), |item| item.integer(2, 65_536))?;
    Ok(Room {
        state_octets: top.read_or("state_octets", usual.state_octets, |item| item.integer(0, 1 << 40))?,
        neighbours: neighbours as u32,
    })
}

fn lab_speed(top: &Section<'_>) -> Result<Option<f64>, ScenarioError> {
    let Some(lab) = top.find("lab") else { return Ok(None) };
    let speed = lab.section("[lab]", &["speed"])?.need("speed", "30")?.integer(1, 1000)?;
    Ok(Some(speed as f64))
}
