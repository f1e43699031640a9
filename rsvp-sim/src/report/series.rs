//! A run over time, as CSV: what is reserved on each direction of a link, and the size, delay and fate of each message.

use super::{Report, SeriesReport};
use crate::scenario::model::Scenario;
use crate::world::Record;
use std::fmt::Write;

/// When what is reserved changed.
pub(super) fn points(scenario: &Scenario, record: &Record) -> Vec<SeriesReport> {
    let points = record.series.iter().map(|&(at, node, link, reserved_bps)| SeriesReport {
        at: at.as_secs_f64(),
        from: scenario.nodes[node.0].name.clone(),
        link: scenario.links[link.0].name.clone(),
        reserved_bps,
    });
    points.collect()
}

impl Report {
    /// Rows of time, sending node, link, quantity and value, in the order of time. Quantities are `reserved_bps` (from then on),
    /// of each message `message_octets`, `message_delay_s` and `message_lost` (1 or 0), and of data in each interval
    /// `best-effort_octets`, `best-effort_lost` and `best-effort_delay_s`, likewise `controlled-load_…` and `guaranteed_…`.
    /// With the same names the same figures are in the report's `series`, `messages` and `loads`.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut rows: Vec<(f64, String)> = Vec::new();
        for point in &self.series {
            let (at, from, link, bps) = (point.at, &point.from, &point.link, point.reserved_bps);
            rows.push((at, format!("{at},{from},{link},reserved_bps,{bps}\n")));
        }
        for message in &self.messages {
            let (at, from, link) = (message.at, &message.from, &message.link);
            let mut row = String::new();
            let _ = writeln!(row, "{at},{from},{link},message_octets,{}", message.octets);
            let _ = writeln!(row, "{at},{from},{link},message_delay_s,{}", message.delay_s);
            let _ = writeln!(row, "{at},{from},{link},message_lost,{}", u8::from(message.lost));
            rows.push((at, row));
        }
        for load in &self.loads {
            let (at, from, link, class) = (load.at, &load.from, &load.link, load.class);
            let mut row = String::new();
            let _ = writeln!(row, "{at},{from},{link},{class}_octets,{}", load.octets);
            let _ = writeln!(row, "{at},{from},{link},{class}_lost,{}", load.lost);
            let _ = writeln!(row, "{at},{from},{link},{class}_delay_s,{}", load.delay_s);
            rows.push((at, row));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let rows: String = rows.into_iter().map(|(_, row)| row).collect();
        format!("at_s,from,link,quantity,value\n{rows}")
    }
}
