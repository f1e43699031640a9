//! Counters and interfaces in the text format of Prometheus, version 0.0.4: what `[metrics]` of `rsvpd` serves and `rsvp show counters
//! --prometheus` prints.
//!
//! Names do not change once they are here: dashboards and alerts hang on them (`packaging/dashboard.json`). Nothing has a label with
//! what peers or applications choose, so the number of series is that of interfaces and causes.

use crate::What;
use crate::rows::{Counters, InterfaceRow};
use core::fmt::Write;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Listings of which only the number of rows is told.
pub const COUNTED: [What; 5] =
    [What::Sessions, What::Senders, What::Requests, What::Reservations, What::Neighbours];

/// Of the daemon's own counters those that also fall.
const LEVELS: [&str; 1] = ["fragments-waiting"];

/// The text. `totals` has how many rows there are of each of [`COUNTED`], in that order.
#[must_use]
pub fn text(counters: &Counters, interfaces: &[InterfaceRow], totals: [usize; COUNTED.len()]) -> String {
    let mut out = String::new();
    let labelled = |name: &'static str, counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(value, count)| (vec![(name, value.clone())], *count)).collect::<Vec<_>>()
    };
    let families = [
        ("rsvp_messages_received_total", "Messages received with sound framing.", "type", &counters.received),
        ("rsvp_messages_sent_total", "Messages sent.", "type", &counters.sent),
        ("rsvp_messages_discarded_total", "Messages dropped by the engine.", "cause", &counters.discards),
    ];
    for (name, help, label, counts) in families {
        family(&mut out, name, "counter", help, &labelled(label, counts));
    }
    let (levels, events): (Vec<_>, Vec<_>) =
        counters.driver.iter().partition(|(what, _)| LEVELS.contains(&what.as_str()));
    let events: Vec<_> =
        events.into_iter().map(|(what, count)| (vec![("event", what.clone())], *count)).collect();
    family(
        &mut out,
        "rsvp_daemon_events_total",
        "counter",
        "What the daemon counts around the engine.",
        &events,
    );
    for (what, level) in levels {
        let name = format!("rsvp_{}", what.replace('-', "_"));
        family(&mut out, &name, "gauge", "Held by the daemon at the moment.", &[(vec![], *level)]);
    }
    let per_interface: [(&str, &str, OfInterface); 4] = [
        ("rsvp_interface_up", "Whether the link is up and RSVP is spoken on it.", |on| {
            u64::from(on.up && on.enabled)
        }),
        ("rsvp_interface_bandwidth_bits_per_second", "Rate of the link.", |on| on.bandwidth_bps),
        ("rsvp_interface_reservable_bits_per_second", "What may be reserved of it.", |on| on.reservable_bps),
        ("rsvp_interface_reserved_bits_per_second", "What is reserved.", |on| on.reserved_bps),
    ];
    for (name, help, value) in per_interface {
        let samples: Vec<_> =
            interfaces.iter().map(|on| (vec![("interface", on.name.clone())], value(on))).collect();
        family(&mut out, name, "gauge", help, &samples);
    }
    for (what, total) in COUNTED.into_iter().zip(totals) {
        let (name, help) = match what {
            What::Sessions => ("rsvp_sessions", "Sessions known."),
            What::Senders => ("rsvp_senders", "Path states."),
            What::Requests => ("rsvp_requests", "Reservation requests of next hops and applications."),
            What::Reservations => ("rsvp_reservations", "Installed reservations."),
            _ => ("rsvp_neighbours", "Previous and next hops."),
        };
        family(&mut out, name, "gauge", help, &[(vec![], total as u64)]);
    }
    out
}

type Sample = (Vec<(&'static str, String)>, u64);

/// What is told of an interface.
type OfInterface = fn(&InterfaceRow) -> u64;

/// One metric with all its samples; nothing where there are none.
fn family(out: &mut String, name: &str, kind: &str, help: &str, samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_interfaces_are_families() {
        let count = |name: &str, times: u64| [(name.to_owned(), times)].into();
        let counters = Counters {
            received: count("Path", 3),
            sent: count("Resv", 2),
            discards: count("rejected", 1),
            driver: [("packets-sent".to_owned(), 7), ("fragments-waiting".to_owned(), 4)].into(),
        };
        let on = InterfaceRow {
            name: "odd\"name\\".to_owned(),
            index: 1,
            lih: 1,
            ipv4: None,
            ipv6: None,
            up: true,
            enabled: true,
            mtu: 1500,
            bandwidth_bps: 10,
            guessed: false,
            reservable_bps: 7,
            reserved_bps: 5,
            refresh_ms: 30_000,
            udp: false,
            udp_refused: 0,
            data_plane: String::new(),
        };
        let said = text(&counters, &[on], [1, 2, 3, 4, 5]);
        for line in [
            "# TYPE rsvp_messages_received_total counter",
            "rsvp_messages_received_total{type=\"Path\"} 3",
            "rsvp_messages_discarded_total{cause=\"rejected\"} 1",
            "rsvp_daemon_events_total{event=\"packets-sent\"} 7",
            "# TYPE rsvp_fragments_waiting gauge",
            "rsvp_fragments_waiting 4",
            "rsvp_interface_reserved_bits_per_second{interface=\"odd\\\"name\\\\\"} 5",
            "rsvp_senders 2",
            "rsvp_neighbours 5",
        ] {
            assert!(said.lines().any(|found| found == line), "{line} in {said}");
        }
        assert!(!said.contains("event=\"fragments-waiting\""), "a level is no counter");
    }
}
