//! What happened of late, for those who come after it: errors, messages that were dropped or came back, what applications were
//! told, and what policies were left out.
//!
//! State that arrives and leaves is not kept: listings have it.

use rsvp_control::Watched;
use rsvp_control::rows::EventRow;
use rsvp_node::Instant;
use std::collections::VecDeque;

/// Events that are kept.
const KEPT: usize = 100;
/// Events of policies with smaller numbers say that something went as it should.
const FAILURES: u32 = 16_600;
/// Octets of one, as it is told; what is longer is not kept.
const OCTETS: usize = 4_096;

/// The last of them.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// When each was seen; those that were seen since the clock was looked at have no time yet.
    events: VecDeque<(Option<Instant>, Watched)>,
}

impl Earlier {
    /// Something has happened.
    pub(super) fn note(&mut self, watched: &Watched) {
        let is_kept = match watched {
            Watched::Application { .. } | Watched::Discarded(_) => true,
            Watched::Undelivered { .. } => true,
            Watched::Policy(event) => event.number >= FAILURES,
            Watched::Message { error, .. } => error.is_some(),
            _ => false,
        };
        if !is_kept || serde_json::to_string(watched).is_ok_and(|text| text.len() > OCTETS) {
            return;
        }
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back((None, watched.clone()));
    }

    /// All that was noted before has happened by now.
    pub(super) fn was_by(&mut self, now: Instant) {
        let fresh = self.events.iter_mut().rev().take_while(|(at, _)| at.is_none());
        fresh.for_each(|(at, _)| *at = Some(now));
    }

    /// What happened, the oldest first.
    pub(super) fn rows(&self, now: Instant) -> Vec<EventRow> {
        let ago = |at: Instant| now.as_micros().saturating_sub(at.as_micros()) / 1_000;
        let row = |(at, watched): &(Option<Instant>, Watched)| EventRow {
            ago_ms: at.map_or(0, ago),
            watched: watched.clone(),
        };
        self.events.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_control::{Direction, Discarded, MessageRow};

    fn dropped(cause: &str) -> Watched {
        let of = MessageRow {
            message: "Path".to_owned(),
            interface: None,
            peer: core::net::Ipv4Addr::LOCALHOST.into(),
            session: None,
            sender: None,
        };
        let meaning = String::new();
        Watched::Discarded(Discarded { of, cause: cause.to_owned(), meaning, answer: None, left_out: 0 })
    }

    #[test]
    fn the_last_hundred_are_kept_with_their_times() {
        let mut earlier = Earlier::default();
        for n in 0..103 {
            earlier.note(&dropped(&n.to_string()));
            earlier.was_by(Instant(n * 1_000));
        }
        earlier.note(&dropped(&"x".repeat(OCTETS)));
        let Watched::Discarded(Discarded { of, .. }) = dropped("") else { panic!("it was dropped") };
        earlier.note(&Watched::Message { direction: Direction::Received, of, error: None });
        let rows = earlier.rows(Instant(200_000));
        let seen = |row: &EventRow| match &row.watched {
            Watched::Discarded(discarded) => (discarded.cause.clone(), row.ago_ms),
            other => panic!("{other:?} is not kept"),
        };
        assert_eq!(rows.len(), KEPT);
        assert_eq!(seen(&rows[0]), ("3".to_owned(), 197));
        assert_eq!(seen(&rows[99]), ("102".to_owned(), 98));
    }
}
