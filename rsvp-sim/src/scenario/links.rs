//! Reads links and LANs.

use super::error::ScenarioError;
use super::model::{Family, Link, NodeId, Refusal, Scenario, Scheduler};
use super::section::{Item, Section};
use crate::world::topology::numbers_taken;
use core::time::Duration;
use std::collections::BTreeSet;

const LINK: [&str; 19] = [
    "between",
    "name",
    "rate",
    "delay",
    "mtu",
    "reservable",
    "refuse_bucket",
    "refuse_value",
    "loss",
    "duplicate",
    "reorder",
    "reorder_by",
    "corrupt",
    "scheduler",
    "queue",
    "cost",
    "error_c",
    "error_d",
    "nodes",
];
/// In the order of [`Scheduler`].
pub(super) const SCHEDULERS: [&str; 2] = ["fifo", "priority"];

/// Addresses have room for so many.
const MOST_LINKS: usize = 65_000;

impl Scenario {
    pub(super) fn read_links(&mut self, top: &Section<'_>) -> Result<(), ScenarioError> {
        for section in top.sections("link", &LINK)? {
            if let Some(item) = section.find("nodes") {
                return Err(item.error("a [[link]] has `between = [\"a\", \"b\"]`; a [[lan]] has `nodes`"));
            }
            let between = section.need("between", "[\"a\", \"b\"]")?;
            let ends = self.ends(between)?;
            if ends.len() != 2 {
                return Err(between.error("between: a link joins two nodes; use [[lan]] for more"));
            }
            let name = format!("{}-{}", self.nodes[ends[0].0].name, self.nodes[ends[1].0].name);
            self.add_link(&section, name, ends, false)?;
        }
        for section in top.sections("lan", &LINK)? {
            if let Some(item) = section.find("between") {
                return Err(item.error("a [[lan]] has `nodes = [\"a\", \"b\", …]`; a [[link]] has `between`"));
            }
            let ends = self.ends(section.need("nodes", "[\"a\", \"b\", …]")?)?;
            section.need("name", "\"…\"")?;
            self.add_link(&section, String::new(), ends, true)?;
        }
        let numbers: usize = self.links.iter().map(|link| numbers_taken(link.ends.len())).sum();
        if self.links.is_empty() || numbers > MOST_LINKS {
            return Err(top.error(format!("expected between 1 and {MOST_LINKS} [[link]] and [[lan]]")));
        }
        Ok(())
    }

    /// A link whose MTU is too small for an address family.
    #[must_use]
    pub fn too_small_for(&self, family: Family) -> Option<&Link> {
        self.links.iter().find(|link| link.mtu < family.least_mtu())
    }

    fn ends(&self, item: Item<'_>) -> Result<Vec<NodeId>, ScenarioError> {
        let (mut ends, mut seen) = (Vec::new(), BTreeSet::new());
        for each in item.list("nodes")? {
            let node = self.node(each)?;
            if !seen.insert(node) {
                return Err(each.error(format!("\"{}\" is named twice", self.nodes[node.0].name)));
            }
            ends.push(node);
        }
        if ends.len() < 2 {
            return Err(item.error("expected two nodes at least"));
        }
        Ok(ends)
    }

    fn add_link(
        &mut self,
        section: &Section<'_>,
        name: String,
        ends: Vec<NodeId>,
        lan: bool,
    ) -> Result<(), ScenarioError> {
        let name = section.read_or("name", name, |item| item.name().map(str::to_owned))?;
        let taken = self.index.nodes.contains_key(&name) || self.index.links.contains_key(&name);
        if taken {
            return Err(
                section.error(format!("the name \"{name}\" is taken, expected `name = \"…\"` with another"))
            );
        }
        let rate_bps = section.read_or("rate", 10e6, |item| item.rate())?;
        let reservable = section.read_or("reservable", rate_bps, |item| {
            // A share or a rate.
            if item.word()?.trim_end().ends_with('%') { Ok(item.share()? * rate_bps) } else { item.rate() }
        })?;
        let mtu = section.read_or("mtu", 1500, |item| match item.integer(576, 65_535)? as u32 {
            mtu if mtu < self.family.least_mtu() => Err(item.error(format!(
                "mtu: expected {} at least with family = \"ipv6\" (RFC 8200 section 5)",
                self.family.least_mtu()
            ))),
            mtu => Ok(mtu),
        })?;
        self.index.links.insert(name.clone(), self.links.len());
        self.index.attached.extend(&ends);
        self.index.least_mtu = Some(self.index.least_mtu.map_or(mtu, |least| least.min(mtu)));
        self.links.push(Link {
            name,
            lan,
            ends,
            rate_bps: rate_bps.round() as u64,
            delay: section.read_or("delay", Duration::from_millis(1), |item| item.time())?,
            mtu,
            reservable_bps: reservable.round() as u64,
            refusal: refusal(section)?,
            loss: section.read_or("loss", 0.0, |item| item.share())?,
            duplicate: section.read_or("duplicate", 0.0, |item| item.share())?,
            reorder: section.read_or("reorder", 0.0, |item| item.share())?,
            reorder_by: section.read_or("reorder_by", Duration::from_millis(50), |item| item.time())?,
            corrupt: section.read_or("corrupt", 0.0, |item| item.share())?,
            scheduler: section.read_or("scheduler", Scheduler::Priority, |item| {
                Ok([Scheduler::Fifo, Scheduler::Priority][item.choice(&SCHEDULERS)?])
            })?,
            queue: section.read_or("queue", 150_000, |item| item.size().map(|n| n.round() as u64))?,
            cost: section.read_or("cost", 1, |item| item.integer(1, 65_535))?,
            error_c: section.read_or("error_c", 0, |item| item.size().map(|n| n.round() as u32))?,
            error_d_us: section.read_or("error_d", 0, |item| microseconds(item))?,
        });
        Ok(())
    }
}

/// What a router that is not ours refuses.
fn refusal(section: &Section<'_>) -> Result<Option<Refusal>, ScenarioError> {
    let Some(item) = section.find("refuse_bucket") else {
        return match section.find("refuse_value") {
            Some(item) => Err(item.error("refuse_value: expected beside `refuse_bucket`")),
            None => Ok(None),
        };
    };
    let value = section.read_or("refuse_value", 2, |item| item.integer(0, 65_535))? as u16;
    Ok(Some(Refusal { bucket: item.size()?, value }))
}

fn microseconds(item: Item<'_>) -> Result<u32, ScenarioError> {
    let time = item.time()?;
    u32::try_from(time.as_micros()).map_err(|_| item.error("expected a time of less than 71 minutes"))
}
