//! The topology as text: chains of nodes, then a table of the links with their properties.

use super::{LinkReport, Report, shown};
use std::fmt::Write;

pub(super) fn draw(report: &Report, out: &mut String) {
    for chain in chains(report) {
        let _ = writeln!(out, "  {chain}");
    }
    out.push('\n');
    let width = report.links.iter().map(|l| l.name.chars().count()).max().unwrap_or(0);
    for link in &report.links {
        let reservable = match link.reservable_bps == link.rate_bps {
            true => String::new(),
            false => format!(" ({} reservable)", shown(link.reservable_bps)),
        };
        let ends = link.ends.iter().zip(&link.addresses).map(|(end, address)| format!("{end} {address}"));
        let ends = ends.collect::<Vec<_>>().join(", ");
        let (name, rate, properties) = (&link.name, shown(link.rate_bps), &link.properties);
        let _ = writeln!(out, "  {name:<width$}  {rate}{reservable}, {properties}; {ends}");
    }
    out.push('\n');
    for node in report.nodes.iter().filter(|n| !n.applications.is_empty()) {
        let _ = writeln!(out, "  {} runs {}", drawn(report, &node.name), node.applications.join(", "));
    }
}

fn drawn(report: &Report, name: &str) -> String {
    match report.nodes.iter().find(|n| n.name == name) {
        Some(node) if node.kind == "router" => format!("[{name}]"),
        Some(node) if node.kind == "plain" => format!("<{name}>"),
        _ => format!("({name})"),
    }
}

/// Every link once, in as few lines as a walk from host to host gives.
fn chains(report: &Report) -> Vec<String> {
    let mut unused: Vec<&LinkReport> = report.links.iter().collect();
    let mut visited: Vec<&str> = Vec::new();
    let mut chains = Vec::new();
    while !unused.is_empty() {
        let has =
            |name: &str, unused: &[&LinkReport]| unused.iter().any(|l| l.ends.iter().any(|e| e == name));
        let Some(start) = report.nodes.iter().find(|n| has(&n.name, &unused)) else { break };
        let mut at = start.name.as_str();
        let mut chain = drawn(report, at);
        loop {
            visited.push(at);
            let Some(place) = next(report, at, &unused, &visited) else { break };
            let link = unused.remove(place);
            let others: Vec<&str> = link.ends.iter().map(String::as_str).filter(|e| *e != at).collect();
            if link.kind == "lan" {
                let names: Vec<String> = others.iter().map(|o| drawn(report, o)).collect();
                let _ = write!(chain, "=={}=={}", link.name, names.join(" "));
                break;
            }
            at = others.first().copied().unwrap_or(at);
            let _ = write!(chain, "----{}", drawn(report, at));
        }
        chains.push(chain);
    }
    chains
}

/// The link to go on with: data flows from left to right, by routers to those who receive it.
fn next(report: &Report, at: &str, unused: &[&LinkReport], visited: &[&str]) -> Option<usize> {
    let place = |name: &str| report.nodes.iter().position(|n| n.name == name).unwrap_or(0);
    let first_router = report.nodes.iter().position(|n| n.kind != "host").unwrap_or(0);
    let rank = |link: &LinkReport| {
        let other = link.ends.iter().find(|e| *e != at).map_or("", String::as_str);
        let router = report.nodes[place(other)].kind != "host";
        match (link.kind, router) {
            ("lan", _) => 2,
            (_, true) if visited.contains(&other) => 3,
            (_, true) => 0,
            // Hosts that send stand before the routers.
            _ if place(other) < first_router => 4,
            _ => 1,
        }
    };
    let here = unused.iter().enumerate().filter(|(_, l)| l.ends.iter().any(|e| e == at));
    here.min_by_key(|(_, link)| rank(link)).map(|(place, _)| place)
}
