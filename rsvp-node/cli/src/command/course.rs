//! How a flow of `rsvp send`, `recv`, `announce` or `reserve` went, and what that makes of the command's end: a summary and an exit status.
//!
//! What counts is how things stood last: a refusal after which a reservation stands is none.

use super::output::{Output, milliseconds, seconds};
use super::{Failure, texts};
use core::time::Duration;
use rsvp_client::qos::{FdQos, Status};
use rsvp_client::{Event, Style};
use rsvp_wire::FilterSpec;
use serde_json::json;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// What `--help` says of exit statuses.
macro_rules! exit_status {
    () => {
        exit_status!("0 reserved and delivered", "no receiver reserved, no sender was there, or no data came")
    };
    ($done:literal, $nobody:literal) => {
        concat!(
            "\n\nExit status: ",
            $done,
            "; 1 something else failed; 2 bad arguments; 3 refused; 4 nobody came: ",
            $nobody,
            "; 5 there is no daemon, or it went away."
        )
    };
}
pub(super) use exit_status;

/// What is said of a sender whose receivers have gone before it was done.
pub(super) const LEFT: &str = "no receiver has a reservation any more, and what --for says is not over";

/// One flow, or all those of a receiver.
#[derive(Debug)]
pub(super) struct Course {
    start: Instant,
    /// A reservation stands since then, as far as is known here.
    since: Option<Instant>,
    before: Duration,
    has_reserved: bool,
    /// Of a receiver that reserves for each sender: those for whom it stands.
    standing: BTreeSet<FilterSpec>,
    refused: Option<String>,
    /// Why it ended before its time.
    cut_short: Option<&'static str>,
    /// Why the Path did not get there, while that is the last that was heard.
    undelivered: Option<String>,
}

impl Course {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            since: None,
            before: Duration::ZERO,
            has_reserved: false,
            standing: BTreeSet::new(),
            refused: None,
            cut_short: None,
            undelivered: None,
        }
    }

    /// A reservation stands; or is asked for, and nobody has refused it.
    pub(super) fn reserved(&mut self) {
        self.stands(true, Instant::now());
        self.refused = None;
        self.undelivered = None;
    }

    /// The same for each of these senders by itself, and for no others.
    pub(super) fn reserved_for_each(&mut self, senders: impl IntoIterator<Item = FilterSpec>) {
        self.standing = senders.into_iter().collect();
        self.reserved();
    }

    /// None stands any more for these senders; others keep theirs.
    fn gone_for(&mut self, senders: &[FilterSpec]) {
        let before = self.standing.len();
        self.standing.retain(|sender| !senders.contains(sender));
        if before > 0 && self.standing.is_empty() {
            self.gone();
        }
    }

    /// It ends before its time, and why.
    pub(super) fn cut_short(&mut self, why: &'static str) {
        self.cut_short = Some(why);
    }

    /// None stands any more.
    pub(super) fn gone(&mut self) {
        self.standing.clear();
        self.stands(false, Instant::now());
    }

    fn stands(&mut self, it_does: bool, now: Instant) {
        if it_does {
            self.since.get_or_insert(now);
            self.has_reserved = true;
        } else if let Some(since) = self.since.take() {
            self.before += now - since;
        }
    }

    /// It was refused.
    fn refused(&mut self, why: String) {
        self.gone();
        self.refused = Some(why);
    }

    /// A request was refused before it was made: what stood before stands.
    pub(super) fn refused_at_once(&mut self, why: String) {
        self.refused = Some(why);
    }

    /// Something happened in a session.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::ResvConfirm { style: Style::Ff, filters, .. } if !self.standing.is_empty() => {
                self.standing.extend(filters);
                self.reserved();
            }
            Event::Resv { .. } | Event::ResvConfirm { .. } => self.reserved(),
            Event::ResvGone { .. } | Event::SessionClosed {} => self.gone(),
            Event::Undelivered { why, .. } => self.undelivered = Some(why.meaning.clone()),
            Event::PathError { .. } => self.refused(texts::event(event)),
            Event::PathGone { sender, .. } => self.gone_for(&[sender.0]),
            // What is asked for here stands, or was not what failed.
            Event::ResvError { error, style, filters, .. } if !error.in_place && !error.not_guilty => {
                if *style == Style::Ff && !self.standing.is_empty() {
                    self.gone_for(filters);
                    self.refused = Some(texts::event(event));
                } else {
                    self.refused(texts::event(event));
                }
            }
            _ => {}
        }
    }

    /// The same of a socket.
    pub(super) fn told(&mut self, told: &FdQos) {
        if let Some(why) = &told.undelivered {
            self.undelivered = Some(why.clone());
            return;
        }
        match told.status {
            Status::RECEIVERS | Status::SENDERS | Status::REQUEST_CONFIRMED => self.reserved(),
            Status::NO_RECEIVERS | Status::NO_SENDERS => self.gone(),
            error if (Status::ADMISSION_FAILURE..=Status::GENERIC_ERROR).contains(&error) => {
                self.refused(texts::told(told));
            }
            _ => {}
        }
    }

    /// For how long a reservation stood.
    pub(super) fn reserved_for(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// For how long there was anything to stand.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Says for how long there was a reservation, and what becomes of it; or that there was none.
    pub(super) fn say_end(&self, given_up: &str, none: &str, output: &Output) -> Result<(), Failure> {
        let (reserved, elapsed) = (self.reserved_for(), self.elapsed());
        let note = if self.has_reserved {
            let times = [reserved, elapsed].map(milliseconds);
            format!("ends; {given_up}; reserved for {} of {}", times[0], times[1])
        } else {
            format!("ends; {none}")
        };
        let facts = json!({ "reserved_s": seconds(reserved), "elapsed_s": seconds(elapsed) });
        output.note("ends", &note, facts)
    }

    /// What the command ends with: `delivered` says whether data went the way that it was to go, `nobody` who was missing otherwise.
    pub(super) fn verdict(&self, delivered: bool, nobody: impl Into<String>) -> Result<(), Failure> {
        match &self.refused {
            Some(why) => Err(Failure::Refused(why.clone())),
            None if delivered => self.cut_short.map_or(Ok(()), |why| Err(Failure::Nobody(why.to_owned()))),
            None => {
                let why = self.undelivered.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                Err(Failure::Nobody(nobody.into() + &why))
            }
        }
    }

    /// Whether a reservation has stood at all.
    pub(super) fn has_reserved(&self) -> bool {
        self.has_reserved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::{Fault, Style};

    fn refusal(in_place: bool, not_guilty: bool) -> Event {
        let meaning = "Admission Control failure".to_owned();
        let node = [10, 0, 1, 2].into();
        let error = Fault { code: 1, value: 2, meaning, node, in_place, not_guilty };
        Event::ResvError { style: Style::Wf, flowspec: None, filters: Vec::new(), error }
    }

    #[test]
    fn the_last_word_counts() {
        let mut course = Course::new();
        assert!(matches!(course.verdict(false, "nobody"), Err(Failure::Nobody(_))));
        course.reserved();
        course.event(&refusal(true, false));
        course.event(&refusal(false, true));
        assert!(course.verdict(true, "nobody").is_ok(), "neither was about what stands here");
        course.event(&refusal(false, false));
        let Err(Failure::Refused(why)) = course.verdict(true, "nobody") else { panic!("it was refused") };
        assert!(why.contains("Admission Control failure"), "{why}");
        course.reserved();
        assert!(course.verdict(true, "nobody").is_ok() && course.has_reserved());
    }

    #[test]
    fn a_sender_that_is_refused_takes_the_time_of_others_not_away() {
        let [one, two]: [FilterSpec; 2] =
            ["10.0.1.1:4000", "10.0.1.1:4001"].map(|sender| sender.parse().expect("a sender"));
        let of = |sender: FilterSpec| match refusal(false, false) {
            Event::ResvError { error, flowspec, .. } => {
                Event::ResvError { style: Style::Ff, flowspec, filters: vec![sender], error }
            }
            other => other,
        };
        let mut course = Course::new();
        course.reserved_for_each([one]);
        course.reserved_for_each([one, two]);
        course.event(&of(two));
        assert!(course.since.is_some(), "that of the first stands");
        assert!(matches!(course.verdict(true, "nobody"), Err(Failure::Refused(_))));
        course.event(&of(two));
        assert!(course.since.is_some(), "it was refused before");
        course.event(&of(one));
        assert!(course.since.is_none() && course.has_reserved());
        course.reserved_for_each([one]);
        course.refused_at_once("no such interface".to_owned());
        assert!(course.since.is_some(), "nothing has changed");
    }

    #[test]
    fn what_ends_before_its_time_is_no_success() {
        let mut course = Course::new();
        course.reserved();
        assert!(course.verdict(true, "nobody").is_ok());
        course.cut_short("the receiver went");
        let Err(Failure::Nobody(why)) = course.verdict(true, "nobody") else { panic!("it was cut short") };
        assert_eq!(why, "the receiver went");
    }

    #[test]
    fn the_times_in_which_a_reservation_stood_are_added_up() {
        let mut course = Course::new();
        let at = |seconds| course.start + Duration::from_secs(seconds);
        let times =
            [(true, at(1)), (true, at(2)), (false, at(4)), (false, at(5)), (true, at(7)), (false, at(8))];
        times.into_iter().for_each(|(stands, now)| course.stands(stands, now));
        assert_eq!(course.reserved_for(), Duration::from_secs(3 + 1));
    }
}
