//! What a daemon lists, as facts for expectations about a point in time: the same facts that a simulated node gives.

use super::error::{LabError, Trying};
use super::wiring::Place;
use crate::describe;
use crate::facts::{Fact, Facts};
use crate::scenario::model::{Scenario, What};
use crate::world::Topology;
use core::net::IpAddr;
use rsvp_client::{Client, Flow, What as Listing, rows::Rows};
use rsvp_node::{Police, Remark, Reservation};
use rsvp_wire::{FilterSpec, Flowspec};

/// Looks at one node.
pub(super) struct Look<'l> {
    pub(super) scenario: &'l Scenario,
    pub(super) topology: &'l Topology,
    pub(super) place: &'l Place,
    pub(super) observer: &'l Client,
}

impl Look<'_> {
    /// State of one kind.
    pub(super) async fn state(&self, what: What) -> Result<Vec<Facts>, LabError> {
        match what {
            What::Reservations => Ok(self.reservations(&self.list(Listing::Reservations).await?)),
            What::Paths => Ok(self.paths(&self.list(Listing::Senders).await?)),
            What::Requests => Ok(self.requests(&self.list(Listing::Requests).await?)),
            What::Blockades => Ok(self.blockades(&self.list(Listing::Blockades).await?)),
            What::Discards => Ok(self.discards(&self.list(Listing::Counters).await?)),
            What::Empty => self.remains().await,
            What::Messages | What::Events | What::Data | What::Traffic => Ok(Vec::new()),
        }
    }

    async fn list(&self, what: Listing) -> Result<Rows, LabError> {
        let listed = self.observer.list(what, None).await;
        listed.map(|(rows, _)| rows).trying(|| format!("list state of {}", self.place.namespace.name))
    }

    fn here(&self) -> Facts {
        Facts::default().word("node", self.place.namespace.name.as_str())
    }

    /// The link behind an interface.
    fn link(&self, interface: Option<&str>) -> &str {
        let port = self.place.ports.iter().find(|port| Some(port.name.as_str()) == interface);
        port.map_or("none", |port| self.scenario.links[port.link.0].name.as_str())
    }

    /// A hop by name; that of an application is a word of its own in both places.
    fn hop(&self, hop: &str) -> String {
        hop.parse::<IpAddr>().map_or_else(|_| hop.to_owned(), |address| self.topology.node_name(address))
    }

    /// What is installed, as the engine has it, and the interface it is on.
    pub(super) async fn installed(&self) -> Result<Vec<(String, Reservation)>, LabError> {
        Ok(installed(&self.list(Listing::Reservations).await?))
    }

    fn reservations(&self, rows: &Rows) -> Vec<Facts> {
        let facts = |(interface, reservation): (String, Reservation)| {
            let facts = describe::reservation(self.topology, &reservation).facts;
            join(self.here().word("link", self.link(Some(&interface))), facts)
        };
        installed(rows).into_iter().map(facts).collect()
    }

    fn paths(&self, rows: &Rows) -> Vec<Facts> {
        let Rows::Senders(rows) = rows else { return Vec::new() };
        let facts = rows.iter().map(|row| {
            self.here()
                .word("link", self.link(row.interface.as_deref()))
                .word("session", self.topology.session_name(&row.session))
                .word("sender", self.topology.sender_name(&row.session, &row.sender.0))
                .with("rate", Fact::Rate(row.traffic.rate_bps))
                .word("previous_hop", self.hop(&row.previous_hop))
        });
        facts.collect()
    }

    fn requests(&self, rows: &Rows) -> Vec<Facts> {
        let Rows::Requests(rows) = rows else { return Vec::new() };
        let facts = rows.iter().map(|row| {
            let style = row.style.into();
            let flows: Vec<(Option<FilterSpec>, Flowspec)> = row.flows.iter().flat_map(flows).collect();
            self.here()
                .word("link", self.link(row.interface.as_deref()))
                .word("next_hop", self.hop(&row.next_hop))
                .word("session", self.topology.session_name(&row.session))
                .word("style", describe::style(style))
                .with("flows", describe::flows(self.topology, &row.session, style, &flows))
        });
        facts.collect()
    }

    fn blockades(&self, rows: &Rows) -> Vec<Facts> {
        let Rows::Blockades(rows) = rows else { return Vec::new() };
        let facts = rows.iter().map(|row| {
            let facts = self
                .here()
                .word("session", self.topology.session_name(&row.session))
                .word("previous_hop", self.topology.node_name(row.previous_hop));
            let facts = match &row.sender {
                Some(sender) => facts.word("sender", self.topology.sender_name(&row.session, sender)),
                None => facts,
            };
            join(facts, describe::flowspec(&row.flowspec.into()))
        });
        facts.collect()
    }

    /// One record for each message dropped.
    fn discards(&self, rows: &Rows) -> Vec<Facts> {
        let Rows::Counters(counters) = rows else { return Vec::new() };
        let record = |name: &str| self.here().word("reason", name);
        // Nobody lists a thousand discards, but a count has to come out right.
        let most = |times: u64| usize::try_from(times).unwrap_or(usize::MAX).min(100_000);
        counters.discards.iter().flat_map(|(name, times)| vec![record(name); most(*times)]).collect()
    }

    /// How many messages were dropped, by reason.
    pub(super) async fn dropped(&self) -> Result<Vec<(String, u64)>, LabError> {
        let Rows::Counters(counters) = self.list(Listing::Counters).await? else { return Ok(Vec::new()) };
        Ok(counters.discards.into_iter().filter(|(_, times)| *times > 0).collect())
    }

    /// State that is left, in words.
    async fn remains(&self) -> Result<Vec<Facts>, LabError> {
        let kinds = [
            ("path state", self.paths(&self.list(Listing::Senders).await?)),
            ("request", self.requests(&self.list(Listing::Requests).await?)),
            ("reservation", self.reservations(&self.list(Listing::Reservations).await?)),
            ("blockade", self.blockades(&self.list(Listing::Blockades).await?)),
        ];
        let left = kinds
            .into_iter()
            .flat_map(|(kind, states)| states.into_iter().map(move |facts: Facts| facts.word("kind", kind)));
        Ok(left.collect())
    }
}

/// FF and SE filters one by one, as the engine's views have them.
fn flows(flow: &Flow) -> Vec<(Option<FilterSpec>, Flowspec)> {
    let flowspec: Flowspec = flow.flowspec.into();
    match flow.filters.as_slice() {
        [] => vec![(None, flowspec)],
        filters => filters.iter().map(|filter| (Some(*filter), flowspec)).collect(),
    }
}

fn installed(rows: &Rows) -> Vec<(String, Reservation)> {
    let Rows::Reservations(rows) = rows else { return Vec::new() };
    let reservation = |row: &rsvp_client::rows::ReservationRow| Reservation {
        session: row.session,
        style: row.style.into(),
        filters: row.filters.clone(),
        flowspec: row.flowspec.into(),
        charge_bps: row.charge_bps,
        police: Police::default(),
        remark: Remark { dscp: row.dscp, priority: row.priority },
    };
    rows.iter().map(|row| (row.interface.clone(), reservation(row))).collect()
}

fn join(mut one: Facts, other: Facts) -> Facts {
    one.0.extend(other.0);
    one
}
