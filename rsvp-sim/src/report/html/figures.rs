//! Figures over time, thinned out where there are more than a page has room for: counts stay right, and so does what is longest.

use super::super::{LoadReport, Report, TrafficReport};
use super::micro;
use super::part::Part;
use super::room::{Texts, best, octets};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Octets of reservations, of changes of what is reserved, and of what links carried.
const USES: usize = 250_000;
const CHANGES: usize = 120_000;
const LOADS: usize = 150_000;
/// Directions of links of which there is a chart. The script draws them all.
const CHARTS: usize = 24;
/// Reservations that are named on one direction of a link.
const NAMED: usize = 40;

type Direction = (usize, usize);
/// Times and rates, in the order of time.
type Changes = BTreeMap<Direction, Vec<(f64, u64)>>;

impl Report {
    /// Directions of links: the two places, what can be reserved, what is at the end and by which reservations, the same of when
    /// it was most and that time, and times and rates of changes; then the texts that those name by their places.
    pub(super) fn reservations_of_page(
        &self,
        part: &Part<'_>,
        left_out: &mut Vec<String>,
    ) -> (Vec<Value>, Vec<String>) {
        let mut ranked: Vec<usize> = (0..self.reservations.len()).collect();
        ranked.retain(|&n| part.direction(&self.reservations[n].from, &self.reservations[n].link).is_some());
        let share = |n: usize| {
            let used = &self.reservations[n];
            used.peak_bps as f64 / used.reservable_bps.max(1) as f64
        };
        ranked.sort_by(|a, b| share(*b).total_cmp(&share(*a)).then(a.cmp(b)));
        let mut texts = Texts::default();
        let kept = best(ranked, USES, |n| {
            let used = &self.reservations[n];
            let (by, peak_by) = (named(&used.reservations), named(&used.peak_reservations));
            let mut more = 70 + 6 * (by.len() + peak_by.len());
            for text in by.iter().chain(&peak_by) {
                more += texts.cost(text);
                texts.place(text);
            }
            more
        });
        if kept.len() < self.reservations.len() {
            left_out.push(format!(
                "{} of {} directions of links with reservations (those of which most was reserved are here)",
                self.reservations.len() - kept.len(),
                self.reservations.len()
            ));
        }
        let directions = kept.iter().filter_map(|&n| {
            let used = &self.reservations[n];
            Some((n, part.direction(&used.from, &used.link)?))
        });
        let directions: Vec<(usize, Direction)> = directions.collect();
        let mut changes = self.changes_of_page(part, &directions, left_out);
        let mut texts = Texts::default();
        let rows = directions.into_iter().map(|(n, direction)| {
            let used = &self.reservations[n];
            let by: Vec<usize> = named(&used.reservations).iter().map(|text| texts.place(text)).collect();
            let peak: Vec<usize> =
                named(&used.peak_reservations).iter().map(|text| texts.place(text)).collect();
            let (all, most, at) = (used.reservable_bps, used.peak_bps, micro(used.peak_at));
            let changes = changes.remove(&direction).unwrap_or_default();
            json!([direction.0, direction.1, all, used.reserved_bps, by, most, peak, at, changes])
        });
        let rows = rows.collect();
        (rows, texts.all)
    }

    /// What was reserved from when on: of each direction every n-th change, the highest, and always the last.
    fn changes_of_page(
        &self,
        part: &Part<'_>,
        directions: &[(usize, Direction)],
        left_out: &mut Vec<String>,
    ) -> Changes {
        let mut all: Changes = directions.iter().map(|(_, direction)| (*direction, Vec::new())).collect();
        let mut longest = 1;
        for point in &self.series {
            let Some(direction) = part.direction(&point.from, &point.link) else { continue };
            let Some(changes) = all.get_mut(&direction) else { continue };
            let change = (micro(point.at), point.reserved_bps);
            longest = longest.max(octets(&json!(change)));
            changes.push(change);
        }
        let thinned = |step: usize| -> Changes {
            all.iter().map(|(direction, changes)| (*direction, every(step, changes))).collect()
        };
        let count = |some: &Changes| some.values().map(Vec::len).sum::<usize>();
        let mut steps = (0..20_u32).map(|power| 1_usize << power).chain([usize::MAX]).map(thinned);
        let kept: Changes = steps.find(|some| count(some) * longest <= CHANGES).unwrap_or_else(|| {
            all.iter().map(|(at, changes)| (*at, changes.last().copied().into_iter().collect())).collect()
        });
        if count(&kept) < self.series.len() {
            left_out.push(format!(
                "{} of {} changes of what is reserved (the last of each direction of a link that is shown is here)",
                self.series.len() - count(&kept),
                self.series.len()
            ));
        }
        kept
    }

    /// What directions of links carried, where most is lost and most waits first: the two places, packets lost in all, the
    /// longest delay, and by class times, packets lost from then on and the longest delay. Then how many more directions there
    /// are, and what is lost there.
    pub(super) fn loads_of_page(&self, part: &Part<'_>, left_out: &mut Vec<String>) -> Value {
        let mut outlets: BTreeMap<(&str, &str), Vec<&LoadReport>> = BTreeMap::new();
        for load in &self.loads {
            outlets.entry((load.from.as_str(), load.link.as_str())).or_default().push(load);
        }
        let all = outlets.len();
        let lost = |rows: &[&LoadReport]| rows.iter().map(|row| row.lost).sum::<u64>();
        let worst = |rows: &[&LoadReport]| rows.iter().map(|row| row.delay_s).fold(0.0, f64::max);
        let mut order: Vec<(u64, f64, Direction, Vec<&LoadReport>)> = outlets
            .into_iter()
            .filter_map(|((from, link), rows)| {
                Some((lost(&rows), worst(&rows), part.direction(from, link)?, rows))
            })
            .collect();
        order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        order.truncate(CHARTS);
        let mut charts = Vec::new();
        for (lost, worst, direction, rows) in &order {
            let mut classes: BTreeMap<&str, Vec<(f64, u64, f64)>> = BTreeMap::new();
            for row in rows {
                let point = (micro(row.at), row.lost, micro(row.delay_s));
                classes.entry(row.class).or_default().push(point);
            }
            charts.push((*direction, *lost, *worst, classes));
        }
        let lines = || charts.iter().flat_map(|chart| chart.3.values());
        let longest = lines().flatten().map(|point| octets(&json!(point))).max().unwrap_or(1);
        let most = lines().map(Vec::len).max().unwrap_or(1).max(1);
        let count = |step: usize| lines().map(|line| line.len().div_ceil(step)).sum::<usize>();
        let step = (1..most).find(|step| count(*step) * longest <= LOADS).unwrap_or(most);
        if step > 1 {
            left_out.push(format!(
                "single figures of what links carried: each is of {step} intervals, with all that was lost and the longest delay"
            ));
        }
        let shown: u64 = charts.iter().map(|chart| chart.1).sum();
        let rows = charts.iter().map(|((from, link), lost, worst, classes)| {
            let classes: BTreeMap<&str, Vec<(f64, u64, f64)>> =
                classes.iter().map(|(class, line)| (*class, joined(step, line))).collect();
            json!([from, link, lost, micro(*worst), classes])
        });
        let rows: Vec<Value> = rows.collect();
        let lost = self.loads.iter().map(|row| row.lost).sum::<u64>() - shown;
        json!({ "more": all - rows.len(), "more_lost": lost, "charts": rows })
    }
}

/// Each reservation of a few; of many how many more there are.
fn named(reservations: &[String]) -> Vec<String> {
    let mut some: Vec<String> = reservations.iter().take(NAMED).cloned().collect();
    if reservations.len() > NAMED {
        some.push(format!("and {} more", reservations.len() - NAMED));
    }
    some
}

/// Every so many changes, and those that one looks for: the highest and the last.
fn every(step: usize, changes: &[(f64, u64)]) -> Vec<(f64, u64)> {
    let most = changes.iter().map(|change| change.1).max();
    let highest = changes.iter().position(|change| Some(change.1) == most);
    let kept = changes
        .iter()
        .enumerate()
        .filter(|(n, _)| n.is_multiple_of(step) || Some(*n) == highest || n + 1 == changes.len());
    kept.map(|(_, change)| *change).collect()
}

/// So many neighbouring intervals as one: what was lost in all of them, and the longest delay.
fn joined(step: usize, line: &[(f64, u64, f64)]) -> Vec<(f64, u64, f64)> {
    let together = |some: &[(f64, u64, f64)]| {
        let lost = some.iter().map(|point| point.1).sum();
        (some[0].0, lost, some.iter().map(|point| point.2).fold(0.0, f64::max))
    };
    line.chunks(step).map(together).collect()
}

/// What became of all packets of the traffic: sent, delivered, lost.
pub(super) fn packets(traffic: &[TrafficReport]) -> [u64; 3] {
    let sum = |of: fn(&TrafficReport) -> u64| traffic.iter().map(of).sum::<u64>();
    [sum(|t| t.sent), sum(|t| t.delivered), sum(|t| t.lost)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_figures_have_the_same_sums_and_the_same_longest() {
        let line: Vec<(f64, u64, f64)> = (0..100).map(|n| (n as f64, n, (n * 37 % 100) as f64)).collect();
        let some = joined(7, &line);
        assert_eq!(some.len(), 15);
        assert_eq!(some.iter().map(|point| point.1).sum::<u64>(), 4950);
        assert_eq!(some.iter().map(|point| point.2).fold(0.0, f64::max), 99.0);
        assert_eq!(joined(1, &line), line);
    }

    #[test]
    fn the_highest_and_the_last_change_are_always_there() {
        let changes: Vec<(f64, u64)> = (0..100).map(|n| (n as f64, if n == 61 { 900 } else { n })).collect();
        for step in [1, 2, 8, 64, usize::MAX] {
            let some = every(step, &changes);
            assert!(some.contains(&(0.0, 0)) && some.contains(&(61.0, 900)) && some.contains(&(99.0, 99)));
            assert_eq!(some.len() == 100, step == 1);
        }
        assert!(every(4, &[]).is_empty());
    }
}
