//! The part of a world that a page shows: all of it, or of a very large one the nodes that say most.

use super::super::layout::layout;
use super::super::{LinkReport, MessageReport, NodeReport, Report};
use super::room::{Texts, best, octets};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Octets of nodes, and of links.
const NODES: usize = 150_000;
const LINKS: usize = 240_000;

/// Nodes and links that are shown, and their places by their names.
pub(super) struct Part<'r> {
    nodes: Vec<NodeReport>,
    links: Vec<LinkReport>,
    node_places: BTreeMap<&'r str, usize>,
    link_places: BTreeMap<&'r str, usize>,
}

/// What became of the messages on a link: how many came, how many were lost, and the longest that one was on its way.
#[derive(Clone, Copy, Default)]
struct Carried {
    came: usize,
    lost: usize,
    longest_s: f64,
}

impl<'r> Part<'r> {
    pub(super) fn of(report: &'r Report, left_out: &mut Vec<String>) -> Self {
        let mut said: BTreeMap<&str, usize> = BTreeMap::new();
        let mut carried: BTreeMap<&str, usize> = BTreeMap::new();
        for message in &report.messages {
            *carried.entry(&message.link).or_default() += 1;
            for name in message.to.iter().chain([&message.from]) {
                *said.entry(name).or_default() += 1;
            }
        }
        let most = |names: &BTreeMap<&str, usize>, name: &str| names.get(name).copied().unwrap_or(0);
        let mut ranked: Vec<usize> = (0..report.nodes.len()).collect();
        ranked.sort_by_key(|&n| (usize::MAX - most(&said, &report.nodes[n].name), n));
        let kept = best(ranked, NODES, |n| octets(&node_row(&report.nodes[n], (1e5, 1e5))));
        let node_places: BTreeMap<&str, usize> =
            kept.iter().enumerate().map(|(place, &n)| (report.nodes[n].name.as_str(), place)).collect();
        let nodes: Vec<NodeReport> = kept.iter().map(|&n| report.nodes[n].clone()).collect();

        let here = |link: &LinkReport| {
            let ends = link.ends.iter().filter(|end| node_places.contains_key(end.as_str()));
            ends.count() >= link.ends.len().min(2)
        };
        let mut ranked: Vec<usize> = (0..report.links.len()).filter(|&n| here(&report.links[n])).collect();
        ranked.sort_by_key(|&n| (usize::MAX - most(&carried, &report.links[n].name), n));
        let mut properties = Texts::default();
        let kept = best(ranked, LINKS, |n| {
            let link = &report.links[n];
            let text = properties.cost(&link.properties);
            properties.place(&link.properties);
            // And its ends, and its figures, when they are long.
            octets(&json!([link.name, link.rate_bps, link.reservable_bps])) + text + link.ends.len() * 6 + 55
        });
        let link_places = kept.iter().enumerate().map(|(place, &n)| (report.links[n].name.as_str(), place));
        let link_places = link_places.collect();
        let links: Vec<LinkReport> = kept.iter().map(|&n| report.links[n].clone()).collect();
        if nodes.len() < report.nodes.len() || links.len() < report.links.len() {
            left_out.push(format!(
                "{} of {} nodes and {} of {} links, with all that is said of them (those with most messages are here)",
                report.nodes.len() - nodes.len(),
                report.nodes.len(),
                report.links.len() - links.len(),
                report.links.len()
            ));
        }
        Self { nodes, links, node_places, link_places }
    }

    pub(super) fn node(&self, name: &str) -> Option<usize> {
        self.node_places.get(name).copied()
    }

    pub(super) fn link(&self, name: &str) -> Option<usize> {
        self.link_places.get(name).copied()
    }

    /// The place of a node, and that of a link that it sends to.
    pub(super) fn direction(&self, node: &str, link: &str) -> Option<(usize, usize)> {
        Some((self.node(node)?, self.link(link)?))
    }

    /// The size of the picture, rows of nodes, rows of links, and the texts that those name by their places.
    pub(super) fn topology(
        &self,
        messages: &[MessageReport],
    ) -> (Value, Vec<Value>, Vec<Value>, Vec<String>) {
        let place = layout(&self.nodes, &self.links);
        let mut carried = vec![Carried::default(); self.links.len()];
        for message in messages {
            let Some(carried) = self.link(&message.link).and_then(|n| carried.get_mut(n)) else { continue };
            match message.lost {
                true => carried.lost += 1,
                false => {
                    carried.came += 1;
                    carried.longest_s = carried.longest_s.max(message.delay_s);
                }
            }
        }
        let mut properties = Texts::default();
        let nodes = self.nodes.iter().zip(&place.nodes).map(|(node, at)| node_row(node, *at)).collect();
        let links = self.links.iter().zip(&place.middles).zip(&carried).map(|((link, at), carried)| {
            json!([
                link.name,
                u8::from(link.kind == "lan"),
                link.ends.iter().filter_map(|end| self.node(end)).collect::<Vec<_>>(),
                link.rate_bps,
                link.reservable_bps,
                properties.place(&link.properties),
                at.map(|(x, y)| [x.round() as i64, y.round() as i64]),
                carried.came,
                carried.lost,
                super::micro(carried.longest_s),
            ])
        });
        let links = links.collect();
        let size = json!([place.width.round() as i64, place.height.round() as i64]);
        (size, nodes, links, properties.all)
    }
}

fn node_row(node: &NodeReport, (x, y): (f64, f64)) -> Value {
    // Some thousand applications on one node are not told by its name.
    let mut applications: Vec<String> = node.applications.iter().take(50).cloned().collect();
    if node.applications.len() > applications.len() {
        applications.push(format!("and {} more", node.applications.len() - applications.len()));
    }
    json!([node.name, node.kind, x.round() as i64, y.round() as i64, applications])
}
