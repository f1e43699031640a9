//! Whether expectations held, and what was seen where they did not.

use crate::facts::{Facts, pairing};
use crate::scenario::model::{Expectation, Scenario, Test, What, When};
use crate::world::Record;
use rsvp_node::Instant;
use rsvp_node::units::show_time;
use serde::Serialize;
use std::borrow::Cow;

/// Things seen that a message still has room for.
const MOST_SHOWN: usize = 10;

/// Between what is missing, what is too much and what was seen.
pub(crate) const SEPARATOR: &str = " — ";

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Line in the scenario file.
    pub line: usize,
    /// Why it is expected, in the scenario's words.
    pub about: String,
    /// What was expected.
    pub expected: String,
    /// Whether it held.
    pub held: bool,
    /// What was seen; where it did not hold, with what is missing and what is too much.
    pub seen: String,
    /// Why nothing can be said about it, if so; it did not hold then, nor did it not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// One thing seen, and when, if it has a time of its own.
struct Seen<'r> {
    at: Option<f64>,
    facts: Cow<'r, Facts>,
}

impl Seen<'_> {
    fn show(&self) -> String {
        match self.at {
            Some(at) => format!("{at:.3}s: {}", self.facts),
            None => self.facts.to_string(),
        }
    }
}

/// Judges all expectations of a run.
#[must_use]
pub fn judge(scenario: &Scenario, record: &Record) -> Vec<Verdict> {
    let all = scenario.expectations.iter().enumerate();
    all.map(|(place, expectation)| judge_one(place, expectation, record)).collect()
}

/// Judges the expectation that stands at this place of its scenario.
#[must_use]
pub fn judge_one(place: usize, expectation: &Expectation, record: &Record) -> Verdict {
    let skipped = record.skipped.get(&place).cloned();
    let candidates = candidates(place, expectation, record);
    let (chosen, others): (Vec<Seen<'_>>, Vec<Seen<'_>>) =
        candidates.into_iter().partition(|seen| expectation.select.matches(&seen.facts));
    let (held, seen) = match &expectation.test {
        Test::Number(least, most) => number(*least, *most, &chosen, &others, &expectation.select),
        Test::Exactly(list) => exactly(expectation, list, chosen, &others),
    };
    Verdict {
        line: expectation.line,
        about: expectation.about.clone(),
        expected: expected(expectation),
        held: held && skipped.is_none(),
        seen,
        skipped,
    }
}

fn candidates<'r>(place: usize, expectation: &Expectation, record: &'r Record) -> Vec<Seen<'r>> {
    let When::Within(from, to) = expectation.when else {
        let state = record.looks.get(&place).map_or(&[][..], Vec::as_slice);
        return state.iter().map(|facts| Seen { at: None, facts: Cow::Borrowed(facts) }).collect();
    };
    let (from, to) = (Instant::ZERO + from, Instant::ZERO + to);
    let seen =
        |at: Instant, facts: &'r Facts| Seen { at: Some(at.as_secs_f64()), facts: Cow::Borrowed(facts) };
    if expectation.what == What::Data {
        let streams = record.data.iter().flat_map(|stream| stream.facts(from, to));
        streams.map(|facts| Seen { at: None, facts: Cow::Owned(facts) }).collect()
    } else if expectation.what == What::Traffic {
        let streams = record.streams.iter().filter_map(|stream| stream.facts(from, to));
        streams.map(|facts| Seen { at: None, facts: Cow::Owned(facts) }).collect()
    } else if expectation.what == What::Messages {
        let sent = record.sent.iter().filter(|m| (from..=to).contains(&m.at) && !m.forwarded);
        sent.map(|m| seen(m.at, &m.facts)).collect()
    } else {
        record.told.iter().filter(|e| (from..=to).contains(&e.at)).map(|e| seen(e.at, &e.facts)).collect()
    }
}

fn number(least: u64, most: u64, chosen: &[Seen<'_>], others: &[Seen<'_>], select: &Facts) -> (bool, String) {
    let count = chosen.len() as u64;
    let held = (least..=most).contains(&count);
    let mut seen = match count {
        0 => "saw none".to_owned(),
        1 => "saw one".to_owned(),
        n => format!("saw {n}"),
    };
    if !held {
        if chosen.is_empty() {
            seen.push_str(&nearest(others, select));
        } else {
            seen = format!("{seen}: {}", list(chosen.iter()));
        }
    }
    (held, seen)
}

/// What came closest to a selection that met nothing; refreshes of the same content count once.
fn nearest(others: &[Seen<'_>], select: &Facts) -> String {
    let same = |seen: &Seen| {
        select.0.iter().filter(|(name, fact)| seen.facts.0.get(*name).is_some_and(|s| fact.is(s))).count()
    };
    let Some(best) = others.iter().map(same).max() else {
        return "; there is nothing of the kind at all".to_owned();
    };
    let mut nearest: Vec<&Seen<'_>> = Vec::new();
    for seen in others.iter().filter(|seen| same(seen) == best) {
        if !nearest.iter().any(|n| n.facts == seen.facts) {
            nearest.push(seen);
        }
    }
    format!("; nearest of {} others: {}", others.len(), list(nearest.into_iter()))
}

fn exactly(
    expectation: &Expectation,
    wanted: &[Facts],
    chosen: Vec<Seen>,
    others: &[Seen],
) -> (bool, String) {
    let mut chosen = chosen;
    if expectation.what == What::Messages {
        chosen = distinct(chosen, wanted);
    }
    let facts: Vec<Facts> = chosen.iter().map(|seen| seen.facts.as_ref().clone()).collect();
    match pairing(wanted, &facts) {
        Ok(()) => (
            true,
            if chosen.is_empty() { "saw nothing".to_owned() } else { format!("saw these {}", chosen.len()) },
        ),
        Err(difference) => {
            let mut said = Vec::new();
            if !difference.missing.is_empty() {
                let missing: Vec<String> =
                    difference.missing.iter().map(|&n| wanted[n].to_string()).collect();
                said.push(format!("missing {}", missing.join("; ")));
            }
            if !difference.surplus.is_empty() && difference.surplus.len() < chosen.len() {
                said.push(format!("not expected {}", list(difference.surplus.iter().map(|&n| &chosen[n]))));
            }
            if chosen.is_empty() {
                said.push(format!("saw none{}", nearest(others, &expectation.select)));
            } else {
                said.push(format!("saw {}", list(chosen.iter())));
            }
            (false, said.join(SEPARATOR))
        }
    }
}

/// Messages that differ in what the list talks about; refreshes of the same content count once.
fn distinct<'r>(chosen: Vec<Seen<'r>>, wanted: &[Facts]) -> Vec<Seen<'r>> {
    let mut kept: Vec<Seen<'r>> = Vec::new();
    for seen in chosen {
        let named = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w.0.contains_key(name));
        let facts =
            seen.facts.0.iter().filter(|(name, _)| named(name)).map(|(name, fact)| (*name, fact.clone()));
        let facts = Cow::Owned(Facts(facts.collect()));
        if !kept.iter().any(|k| k.facts == facts) {
            kept.push(Seen { at: seen.at, facts });
        }
    }
    kept
}

fn list<'s, 'r: 's>(seen: impl ExactSizeIterator<Item = &'s Seen<'r>>) -> String {
    let more = seen.len().saturating_sub(MOST_SHOWN);
    let mut shown: Vec<String> = seen.take(MOST_SHOWN).map(|each| each.show()).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join("; ")
}

fn expected(expectation: &Expectation) -> String {
    let what = expectation.what.word();
    let when = match expectation.when {
        When::At(at) => format!("at {}", show_time(at)),
        When::Within(from, to) => format!("from {} to {}", show_time(from), show_time(to)),
    };
    let select = match expectation.select.0.is_empty() {
        true => String::new(),
        false => format!(" with {}", expectation.select),
    };
    match &expectation.test {
        _ if expectation.what == What::Empty => format!("{when}: no state left{select}"),
        Test::Exactly(list) if list.is_empty() => format!("{when}: no {what}{select}"),
        Test::Exactly(list) => {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("{when}: {what}{select}: just {}", list.join("; "))
        }
        Test::Number(1, u64::MAX) => format!("{when}: {what}{select}"),
        Test::Number(least, u64::MAX) => format!("{when}: at least {least} {what}{select}"),
        Test::Number(least, most) if least == most => format!("{when}: {least} {what}{select}"),
        Test::Number(0, most) => format!("{when}: at most {most} {what}{select}"),
        Test::Number(least, most) => format!("{when}: {least} to {most} {what}{select}"),
    }
}
