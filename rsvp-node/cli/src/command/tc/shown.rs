//! Interfaces, flows and what happens to them, for people.

use super::super::texts;
use comfy_table::{Table, presets};
use rsvp_client::tc::{Event, Filter, FlowReport, Report};
use rsvp_node::units::show_rate;

/// Two tables: interfaces, and flows where there are any.
pub(super) fn table(report: &Report) -> String {
    let mut interfaces = Table::new();
    interfaces.load_style(presets::NOTHING);
    interfaces.set_header([
        "interface",
        "state",
        "bandwidth",
        "left",
        "flows",
        "filters",
        "masks",
        "data plane",
    ]);
    for row in &report.interfaces {
        interfaces.add_row([
            row.interface.clone(),
            if row.up { "up" } else { "down" }.to_owned(),
            show_rate(row.bandwidth_bps as f64),
            show_rate(row.remaining_bps as f64),
            row.flows.to_string(),
            row.filters.to_string(),
            row.masks.to_string(),
            row.data_plane.clone(),
        ]);
    }
    if report.flows.is_empty() {
        return interfaces.to_string();
    }
    let mut flows = Table::new();
    flows.load_style(presets::NOTHING);
    flows.set_header([
        "flow",
        "name",
        "interface",
        "traffic",
        "class",
        "packets",
        "excess",
        "dropped",
        "filters",
    ]);
    for row in &report.flows {
        flows.add_row(of_flow(row));
    }
    format!("{interfaces}\n\n{flows}")
}

fn of_flow(row: &FlowReport) -> [String; 9] {
    let counted = |number: fn(&rsvp_client::tc::Counted) -> u64| {
        row.counted.as_ref().map_or_else(|| "-".to_owned(), |counted| number(counted).to_string())
    };
    let class = row.counted.as_ref().and_then(|counted| counted.class.clone());
    [
        row.flow.to_string(),
        row.said.name.clone().unwrap_or_else(|| "-".to_owned()),
        row.interface.clone(),
        texts::service(&row.said.flowspec),
        class.unwrap_or_else(|| "-".to_owned()),
        counted(|counted| counted.packets),
        counted(|counted| counted.excess_packets),
        counted(|counted| counted.dropped_packets),
        filters(row),
    ]
}

/// Filters in words; of many only the first.
fn filters(row: &FlowReport) -> String {
    const SHOWN: usize = 3;
    let mut lines: Vec<String> = row.filters.values().take(SHOWN).map(words).collect();
    lines.extend(row.said.rules.iter().map(|rule| format!("inbound DSCP {}", rule.inbound)));
    if row.filters.len() > SHOWN {
        lines.push(format!("and {} more", row.filters.len() - SHOWN));
    }
    lines.join("\n")
}

/// A filter as it is written.
fn words(filter: &Filter) -> String {
    let mut words = Vec::new();
    let mut say =
        |word: &str, value: Option<String>| words.extend(value.map(|value| format!("{word} {value}")));
    say("protocol", filter.protocol.map(|value| value.to_string()));
    say("destination", filter.destination.map(|value| value.to_string()));
    say("source", filter.source.map(|value| value.to_string()));
    say("destination-port", filter.destination_port.map(|value| value.to_string()));
    say("source-port", filter.source_port.map(|value| value.to_string()));
    say("icmp-type", filter.icmp_type.map(|value| value.to_string()));
    say("icmp-code", filter.icmp_code.map(|value| value.to_string()));
    say("spi", filter.spi.map(|value| value.to_string()));
    if words.is_empty() { "all packets".to_owned() } else { words.join(" ") }
}

/// What has happened.
pub(super) fn event(event: &Event) -> String {
    match event {
        Event::FlowClosed { flow, name, interface, why } => {
            let called = name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("flow {flow}{called} on {interface} has ended: {why}")
        }
        Event::InterfaceDown { interface } => format!("interface {interface} is down"),
        Event::InterfaceUp { interface } => format!("interface {interface} is up"),
        Event::ParameterChanged { interface, parameter, value } => match (parameter.as_str(), value) {
            ("remaining-bps", Some(bps)) => {
                format!("interface {interface}: {} are left", show_rate(*bps as f64))
            }
            (parameter, Some(value)) => format!("interface {interface}: {parameter} {value}"),
            (parameter, None) => format!("interface {interface}: {parameter} have changed"),
        },
    }
}
