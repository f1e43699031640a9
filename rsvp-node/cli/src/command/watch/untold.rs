//! Messages that are dropped and not shown: the daemon shows a few of a kind, and counts all.

use rsvp_client::Discarded;
use rsvp_client::rows::Counters;
use std::collections::BTreeMap;

/// How many of which cause. Only causes of which something was shown are looked at: of others nobody knows that they are dropped
/// messages of neighbours.
pub(super) struct Untold {
    before: Counters,
    causes: BTreeMap<String, Cause>,
}

#[derive(Default)]
struct Cause {
    /// Shown, or told as a number with one that was.
    told: u64,
    /// Dropped before anybody watched, and told with the first that was shown since.
    earlier: u64,
    /// What the last look found, and what was said of it.
    found: u64,
    said: u64,
}

impl Untold {
    /// Of what is dropped after this.
    pub(super) const fn since(before: Counters) -> Self {
        Self { before, causes: BTreeMap::new() }
    }

    /// One was shown.
    pub(super) fn shown(&mut self, discarded: &Discarded) {
        let cause = self.causes.entry(discarded.cause.clone()).or_default();
        cause.told = cause.told.saturating_add(discarded.left_out).saturating_add(1);
    }

    /// Causes of which there are more than was said, and not more than at the last look; with how many.
    pub(super) fn quiet(&mut self, now: &Counters) -> Vec<(String, u64)> {
        self.look(now, false)
    }

    /// Causes of which there are more than was said, with how many.
    pub(super) fn all(&mut self, now: &Counters) -> Vec<(String, u64)> {
        self.look(now, true)
    }

    fn look(&mut self, now: &Counters, at_once: bool) -> Vec<(String, u64)> {
        let mut untold = Vec::new();
        for (name, cause) in &mut self.causes {
            let counted = times(now, name).saturating_sub(times(&self.before, name));
            cause.earlier = cause.earlier.max(cause.told.saturating_sub(counted));
            let found = (counted + cause.earlier).saturating_sub(cause.told);
            let is_quiet = core::mem::replace(&mut cause.found, found) == found;
            cause.said = cause.said.min(found);
            if found > cause.said && (is_quiet || at_once) {
                cause.said = found;
                untold.push((name.clone(), found));
            }
        }
        untold
    }
}

/// The engine counts most causes, the daemon the ways of being malformed.
fn times(counters: &Counters, cause: &str) -> u64 {
    let Counters { discards, driver, .. } = counters;
    discards.get(cause).or_else(|| driver.get(cause)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::MessageRow;

    fn counters(rejected: u64, checksum: u64) -> Counters {
        let of = |name: &str, times| BTreeMap::from([(name.to_owned(), times)]);
        let (discards, driver) = (of("rejected", rejected), of("malformed-checksum", checksum));
        Counters { discards, driver, ..Counters::default() }
    }

    fn discarded(cause: &str, left_out: u64) -> Discarded {
        let peer = [10, 0, 1, 1].into();
        let message = "Path".to_owned();
        let of = MessageRow { message, interface: None, peer, session: None, sender: None };
        Discarded { of, cause: cause.to_owned(), meaning: String::new(), answer: None, left_out }
    }

    fn more(cause: &str, times: u64) -> Vec<(String, u64)> {
        vec![(cause.to_owned(), times)]
    }

    #[test]
    fn what_is_not_shown_is_said_once_when_it_is_quiet() {
        let mut untold = Untold::since(counters(3, 7));
        (0..5).for_each(|_| untold.shown(&discarded("rejected", 0)));
        assert!(untold.quiet(&counters(8, 7)).is_empty());
        // A flood, as long as it lasts, is no reason to say anything.
        assert!(untold.quiet(&counters(100, 7)).is_empty());
        assert!(untold.quiet(&counters(200, 7)).is_empty());
        assert_eq!(untold.quiet(&counters(200, 7)), more("rejected", 192));
        assert!(untold.quiet(&counters(200, 7)).is_empty());
        // The next that is shown says how many there were before it.
        untold.shown(&discarded("rejected", 192));
        assert!(untold.quiet(&counters(201, 7)).is_empty());
        assert!(untold.quiet(&counters(201, 7)).is_empty());
        // Others of another kind are told apart, and nobody says anything of what none was shown of.
        assert!(untold.quiet(&counters(201, 9)).is_empty());
        untold.shown(&discarded("malformed-checksum", 0));
        assert!(untold.quiet(&counters(201, 9)).is_empty());
        assert_eq!(untold.quiet(&counters(201, 9)), more("malformed-checksum", 1));
    }

    #[test]
    fn at_the_end_all_of_it_is_said() {
        let mut untold = Untold::since(counters(0, 0));
        untold.shown(&discarded("rejected", 0));
        assert_eq!(untold.all(&counters(4, 0)), more("rejected", 3));
        assert!(untold.all(&counters(4, 0)).is_empty());
        assert_eq!(untold.all(&counters(6, 0)), more("rejected", 5));
    }

    #[test]
    fn what_was_left_out_before_anybody_watched_does_not_hide_what_is_left_out_now() {
        let mut untold = Untold::since(counters(50, 0));
        untold.shown(&discarded("rejected", 45));
        assert!(untold.quiet(&counters(51, 0)).is_empty());
        assert!(untold.quiet(&counters(61, 0)).is_empty());
        assert_eq!(untold.quiet(&counters(61, 0)), more("rejected", 10));
    }
}
