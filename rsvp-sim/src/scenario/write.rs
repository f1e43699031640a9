//! Writes a scenario as a file that reads as the same scenario; units are the smallest, so that nothing is rounded.
//!
//! Expectations are deliberately left out: what is written are worlds that are looked into anew.

use super::applications::STYLES;
use super::links::SCHEDULERS;
use super::model::{
    Action, Deed, Destination, ExplicitRoute, Family, Flow, Link, LinkId, Request, ReservationStyle, Room,
    RouteTarget, Scenario, SenderId, Service, Traffic,
};
use core::fmt::{Result, Write};
use core::time::Duration;

impl Scenario {
    /// The scenario as a file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write_times(&self, out: &mut String) -> Result {
        writeln!(out, "duration = {}\nrefresh = {}", time(self.duration), time(self.refresh))?;
        writeln!(
            out,
            "lifetime_k = {}\nblockade_k = {}",
            self.lifetime_multiplier, self.blockade_multiplier
        )?;
        if self.room != Room::default() {
            let Room { state_octets, neighbours } = self.room;
            writeln!(out, "state_octets = {state_octets}\nneighbours_per_interface = {neighbours}")?;
        }
        writeln!(out, "repair_wait = {}", time(self.local_repair_wait))?;
        if !self.convergence.is_zero() {
            writeln!(out, "convergence = {}", time(self.convergence))?;
        }
        if let Some(until) = self.faults_until {
            writeln!(out, "faults_until = {}", time(until))?;
        }
        Ok(())
    }

    fn write(&self, out: &mut String) -> Result {
        writeln!(out, "name = {:?}", self.name)?;
        if !self.description.is_empty() {
            writeln!(out, "description = {:?}", self.description)?;
        }
        let family = if self.family == Family::Ipv4 { "ipv4" } else { "ipv6" };
        writeln!(out, "seed = {}\nfamily = \"{family}\"", seed(self.seed))?;
        self.write_times(out)?;
        if let Some(speed) = self.lab_speed {
            writeln!(out, "\n[lab]\nspeed = {speed}")?;
        }
        let names = |router: bool, plain: bool| -> Vec<&str> {
            let kind = self.nodes.iter().filter(|n| (n.router, n.plain) == (router, plain));
            kind.map(|n| n.name.as_str()).collect()
        };
        writeln!(out, "\n[nodes]\nhosts = {:?}\nrouters = {:?}", names(false, false), names(true, false))?;
        if self.nodes.iter().any(|n| n.plain) {
            writeln!(out, "plain = {:?}", names(true, true))?;
        }
        for node in self.nodes.iter().filter(|n| n.clock_ppm != 0) {
            let way = if node.clock_ppm > 0 { "fast" } else { "slow" };
            let percent = f64::from(node.clock_ppm.abs()) / 1e4;
            writeln!(out, "\n[[clock]]\nnode = {:?}\n{way} = \"{percent}%\"", node.name)?;
        }
        for node in &self.nodes {
            if let Some((class, octets)) = node.carries {
                writeln!(out, "\n[[object]]\nnode = {:?}\nclass = {class}\nsize = \"{octets}B\"", node.name)?;
            }
        }
        self.links.iter().try_for_each(|link| self.write_link(out, link))?;
        for session in &self.sessions {
            writeln!(out, "\n[[session]]\nname = {:?}", session.name)?;
            match session.destination {
                Destination::Node(node) => writeln!(out, "to = {:?}", self.nodes[node.0].name)?,
                Destination::Address(address) if address.is_ipv4() == (self.family == Family::Ipv4) => {
                    writeln!(out, "group = \"{address}\"")?;
                }
                // An address of the other family stands for what a name stands for.
                _ => writeln!(out, "group = {:?}", session.name)?,
            }
            let protocol = match (session.gpi, session.protocol) {
                (true, 50) => "\"esp\"".to_owned(),
                (true, _) => "\"ah\"".to_owned(),
                (false, number) => number.to_string(),
            };
            writeln!(out, "protocol = {protocol}\nport = {}", session.port)?;
        }
        self.write_applications(out)?;
        self.write_loads(out)?;
        self.routes.iter().try_for_each(|route| self.write_route(out, route))?;
        self.actions.iter().try_for_each(|action| self.write_action(out, action))
    }

    fn write_route(&self, out: &mut String, route: &ExplicitRoute) -> Result {
        writeln!(out, "\n[[route]]\nnode = {:?}", self.nodes[route.node.0].name)?;
        match route.target {
            RouteTarget::Session(session) => writeln!(out, "session = {:?}", self.sessions[session.0].name)?,
            RouteTarget::Node(node) => writeln!(out, "to = {:?}", self.nodes[node.0].name)?,
        }
        if let Some(sender) = route.sender {
            writeln!(out, "sender = {:?}", self.senders[sender.0].name)?;
        }
        let link = |link: &LinkId| self.links[link.0].name.as_str();
        if let Some(incoming) = &route.incoming {
            writeln!(out, "in = {:?}", link(incoming))?;
        }
        let outgoing: Vec<&str> = route.outgoing.iter().map(link).collect();
        writeln!(out, "out = {outgoing:?}")
    }

    fn write_link(&self, out: &mut String, link: &Link) -> Result {
        let ends: Vec<&str> = link.ends.iter().map(|end| self.nodes[end.0].name.as_str()).collect();
        match link.lan {
            true => writeln!(out, "\n[[lan]]\nnodes = {ends:?}")?,
            false => writeln!(out, "\n[[link]]\nbetween = {ends:?}")?,
        }
        writeln!(
            out,
            "name = {:?}\nrate = \"{}bit\"\ndelay = {}",
            link.name,
            link.rate_bps,
            time(link.delay)
        )?;
        writeln!(
            out,
            "mtu = {}\nreservable = \"{}bit\"\ncost = {}",
            link.mtu, link.reservable_bps, link.cost
        )?;
        writeln!(out, "scheduler = {:?}\nqueue = \"{}B\"", SCHEDULERS[link.scheduler as usize], link.queue)?;
        writeln!(out, "error_c = \"{}B\"\nerror_d = \"{}us\"", link.error_c, link.error_d_us)?;
        if let Some(refusal) = link.refusal {
            writeln!(out, "refuse_bucket = \"{}B\"\nrefuse_value = {}", refusal.bucket, refusal.value)?;
        }
        let shares = [
            ("loss", link.loss),
            ("duplicate", link.duplicate),
            ("reorder", link.reorder),
            ("corrupt", link.corrupt),
        ];
        for (key, share) in shares.into_iter().filter(|(_, share)| *share > 0.0) {
            writeln!(out, "{key} = \"{}%\"", share * 100.0)?;
        }
        writeln!(out, "reorder_by = {}", time(link.reorder_by))
    }

    fn write_applications(&self, out: &mut String) -> Result {
        for sender in &self.senders {
            let (node, session) = (&self.nodes[sender.node.0].name, &self.sessions[sender.session.0].name);
            writeln!(out, "\n[[sender]]\nname = {:?}\nnode = {node:?}\nsession = {session:?}", sender.name)?;
            let adspec = match sender.adspec {
                Some((true, true)) => "both",
                Some((true, false)) => "guaranteed",
                Some((false, _)) => "controlled-load",
                None => "none",
            };
            writeln!(out, "port = {}\nadspec = {adspec:?}\nttl = {}", sender.port, sender.ttl)?;
            if sender.socket {
                writeln!(out, "socket = true")?;
            }
            if self.sessions[sender.session.0].gpi {
                writeln!(out, "spi = {}", sender.spi)?;
            }
            writeln!(out, "start = {}\n{}", time(sender.start), traffic(&sender.traffic, "\n"))?;
        }
        for receiver in &self.receivers {
            let (node, session) =
                (&self.nodes[receiver.node.0].name, &self.sessions[receiver.session.0].name);
            writeln!(
                out,
                "\n[[receiver]]\nname = {:?}\nnode = {node:?}\nsession = {session:?}",
                receiver.name
            )?;
            writeln!(out, "start = {}\nwait_for_path = {}", time(receiver.start), receiver.wait_for_path)?;
            if receiver.socket {
                writeln!(out, "socket = true")?;
            }
            if let Some(at) = receiver.reserve_at {
                writeln!(out, "reserve_at = {}", time(at))?;
            }
            if let Some(request) = &receiver.request {
                self.write_request(out, request)?;
            }
        }
        Ok(())
    }

    fn write_request(&self, out: &mut String, request: &Request) -> Result {
        writeln!(out, "style = {:?}\nconfirm = {}", STYLES[request.style as usize], request.confirm)?;
        let flow = |flow: &Flow| {
            let filters = match request.style {
                ReservationStyle::Wf => String::new(),
                _ => format!("filters = {:?}, ", self.names(&flow.filters)),
            };
            let service = match flow.service {
                Service::ControlledLoad => "service = \"controlled-load\", ".to_owned(),
                Service::Guaranteed { reserve_bps, slack_us } => {
                    format!(
                        "service = \"guaranteed\", reserve = \"{reserve_bps}bit\", slack = \"{slack_us}us\", "
                    )
                }
            };
            format!("{{ {filters}{service}{} }}", traffic(&flow.traffic, ", "))
        };
        let flows: Vec<String> = request.flows.iter().map(flow).collect();
        writeln!(out, "flows = [{}]", flows.join(", "))
    }

    fn names(&self, senders: &[SenderId]) -> Vec<&str> {
        senders.iter().map(|s| self.senders[s.0].name.as_str()).collect()
    }

    fn write_action(&self, out: &mut String, action: &Action) -> Result {
        writeln!(out, "\n[[action]]\nat = {}", time(action.at))?;
        match &action.deed {
            Deed::ChangeSender(sender, to) => {
                let sender = &self.senders[sender.0].name;
                writeln!(out, "do = \"change\"\nsender = {sender:?}\n{}", traffic(to, "\n"))
            }
            Deed::ChangeReceiver(receiver, request) => {
                writeln!(out, "do = \"change\"\nreceiver = {:?}", self.receivers[receiver.0].name)?;
                self.write_request(out, request)
            }
            Deed::TearSender(sender) => {
                writeln!(out, "do = \"tear\"\nsender = {:?}", self.senders[sender.0].name)
            }
            Deed::TearReceiver(receiver, filters) => {
                writeln!(out, "do = \"tear\"\nreceiver = {:?}", self.receivers[receiver.0].name)?;
                match filters.is_empty() {
                    true => Ok(()),
                    false => writeln!(out, "filters = {:?}", self.names(filters)),
                }
            }
            Deed::Leave(receiver) => {
                writeln!(out, "do = \"leave\"\nreceiver = {:?}", self.receivers[receiver.0].name)
            }
            Deed::LinkDown(link) => writeln!(out, "do = \"link-down\"\nlink = {:?}", self.links[link.0].name),
            Deed::LinkUp(link) => writeln!(out, "do = \"link-up\"\nlink = {:?}", self.links[link.0].name),
            Deed::Crash(node, away) => {
                writeln!(out, "do = \"crash\"\nnode = {:?}\nfor = {}", self.nodes[node.0].name, time(*away))
            }
        }
    }
}

/// A seed as a file has it: in quotes where it is larger than TOML's whole numbers.
pub(super) fn seed(seed: u64) -> String {
    match i64::try_from(seed) {
        Ok(seed) => seed.to_string(),
        Err(_) => format!("\"{seed}\""),
    }
}

fn time(time: Duration) -> String {
    format!("\"{}us\"", time.as_micros())
}

fn traffic(traffic: &Traffic, between: &str) -> String {
    let peak = match traffic.peak_bps.is_infinite() {
        true => "unlimited".to_owned(),
        false => format!("{}bit", traffic.peak_bps),
    };
    let words = [
        format!("rate = \"{}bit\"", traffic.rate_bps),
        format!("bucket = \"{}B\"", traffic.bucket),
        format!("peak = \"{peak}\""),
        format!("min_packet = \"{}B\"", traffic.min_packet),
        format!("max_packet = \"{}B\"", traffic.max_packet),
    ];
    words.join(between)
}
