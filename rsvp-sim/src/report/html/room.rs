//! Room in a page: what things take of it, and which of them are shown when it is too small for all.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a value takes in a page, and the comma behind it. There each `<` is six octets long.
pub(super) fn octets(value: &Value) -> usize {
    let text = value.to_string();
    text.len() + 5 * text.matches('<').count() + 1
}

/// A text that is not longer than so many characters; what is cut off is marked.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Texts that are kept once, and named by their places.
#[derive(Default)]
pub(super) struct Texts {
    places: BTreeMap<String, usize>,
    pub(super) all: Vec<String>,
    pub(super) octets: usize,
}

impl Texts {
    pub(super) fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.octets += octets(&json!(text));
        self.places.insert(text.to_owned(), self.all.len());
        self.all.push(text.to_owned());
        self.all.len() - 1
    }

    /// What one more text takes: nothing, if it is there.
    pub(super) fn cost(&self, text: &str) -> usize {
        match self.places.contains_key(text) {
            true => 0,
            false => octets(&json!(text)),
        }
    }
}

/// Those that have room, in their own order, when they are given by how much they matter.
pub(super) fn best(
    mut ranked: Vec<usize>,
    room: usize,
    mut octets: impl FnMut(usize) -> usize,
) -> Vec<usize> {
    let mut taken = 0;
    ranked.retain(|&n| {
        let more = octets(n);
        let fits = taken + more <= room;
        taken += if fits { more } else { 0 };
        fits
    });
    ranked.sort_unstable();
    ranked
}

/// As many as have room, spread evenly over all.
pub(super) fn spread(all: &[usize], room: usize, octets: impl Fn(usize) -> usize) -> Vec<usize> {
    let taken = |kept: &[usize]| kept.iter().map(|&n| octets(n)).sum::<usize>();
    let total = taken(all);
    let mut most = match total > room {
        true => (all.len() as f64 * room as f64 / total as f64) as usize,
        false => all.len(),
    };
    loop {
        let kept: Vec<usize> = (0..most).map(|k| all[k * all.len() / most]).collect();
        if taken(&kept) <= room {
            return kept;
        }
        most -= most.div_ceil(20);
    }
}

/// The first rows that have room; how many are left out is said.
pub(super) fn first(
    rows: impl ExactSizeIterator<Item = Value>,
    room: usize,
    what: &str,
    left_out: &mut Vec<String>,
) -> Vec<Value> {
    let (all, mut taken) = (rows.len(), 0);
    let fits = |row: &Value| {
        taken += octets(row);
        taken <= room
    };
    let rows: Vec<Value> = rows.take_while(fits).collect();
    if rows.len() < all {
        left_out.push(format!("the last {} of {all} {what}", all - rows.len()));
    }
    rows
}

/// The rows that have room, those before others that matter more (`rank` is less); how many are left out is said.
pub(super) fn worst<R: Ord>(
    rows: Vec<(R, Value)>,
    room: usize,
    what: &str,
    left_out: &mut Vec<String>,
) -> Vec<Value> {
    let mut ranked: Vec<usize> = (0..rows.len()).collect();
    ranked.sort_by(|a, b| rows[*a].0.cmp(&rows[*b].0));
    let kept = best(ranked, room, |n| octets(&rows[n].1));
    if kept.len() < rows.len() {
        left_out.push(format!("{} of {} {what}", rows.len() - kept.len(), rows.len()));
    }
    kept.into_iter().map(|n| rows[n].1.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_is_from_all_of_it_and_has_room() {
        let all: Vec<usize> = (0..1000).collect();
        assert_eq!(spread(&all, 5000, |_| 5), all);
        let kept = spread(&all, 2000, |n| if n < 500 { 2 } else { 8 });
        assert!(kept.iter().map(|&n| if n < 500 { 2 } else { 8 }).sum::<usize>() <= 2000);
        assert!(kept.len() > 300 && kept[0] == 0 && kept.last() > Some(&990), "{kept:?}");
        assert!(kept.windows(2).all(|pair| (1..=4).contains(&(pair[1] - pair[0]))), "{kept:?}");
        assert!(spread(&all, 0, |_| 5).is_empty() && spread(&[], 10, |_| 5).is_empty());
    }

    #[test]
    fn the_best_are_kept_in_their_order() {
        assert_eq!(best(vec![3, 1, 2, 0], 10, |n| if n == 1 { 9 } else { 4 }), [2, 3]);
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(octets(&json!("a<b")), 2 + 2 + 6 + 1);
    }
}
