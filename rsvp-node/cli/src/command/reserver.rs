//! Follows what senders announce with the reservation that was asked for.

use super::Failure;
use super::course::Course;
use super::output::Output;
use super::sessions::Sessions;
use super::texts;
use super::wanted::{Announced, Asked, ReservationOptions, bound};
use rsvp_client::{ClientError, Event, Style};
use rsvp_node::units::show_time;
use rsvp_wire::{FilterSpec, Session};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A wish, and what it is for.
pub(super) struct Reserver {
    wishes: ReservationOptions,
    /// How it goes.
    pub(super) course: Course,
    /// Of each session.
    announced: BTreeMap<Session, Announced>,
    /// Senders of which was said that --filter leaves them out.
    left_out: BTreeSet<FilterSpec>,
}

/// Senders that are told to be left out at most; nobody reads more.
const MOST_LEFT_OUT: usize = 64;

impl Reserver {
    pub(super) fn new(wishes: ReservationOptions) -> Self {
        let (announced, left_out) = (BTreeMap::new(), BTreeSet::new());
        Self { wishes, course: Course::new(), announced, left_out }
    }

    /// Whether anything was asked for and not refused at once.
    pub(super) fn has_reserved(&self) -> bool {
        self.course.has_reserved()
    }

    /// Who is missing where no data has come.
    pub(super) fn missing(&self) -> &'static str {
        if self.course.has_reserved() {
            "no data has come"
        } else if !self.left_out.is_empty() {
            "no sender is there that --filter names"
        } else {
            "no sender is there"
        }
    }

    /// Says what happened in a session, and asks for what there is to ask for since.
    pub(super) async fn heed(
        &mut self,
        sessions: &Sessions<'_>,
        key: Session,
        event: Event,
        output: &Output,
    ) -> Result<(), Failure> {
        output.event(sessions.named(key), &event)?;
        self.course.event(&event);
        if self.is_news(key, event) { self.reserve(sessions, key, output).await } else { Ok(()) }
    }

    /// Keeps what is announced; true when there is something new to ask for.
    fn is_news(&mut self, key: Session, event: Event) -> bool {
        let announced = self.announced.entry(key).or_default();
        match event {
            Event::Path { sender, traffic, adspec, .. } => {
                let before = announced.insert(sender.0, (traffic, adspec));
                before != Some((traffic, adspec))
            }
            Event::PathGone { sender, .. } => {
                let gone = announced.remove(&sender.0).is_some();
                if self.announced.values().all(|senders| !self.wishes.wants_any_of(senders)) {
                    self.course.gone();
                }
                let announced = self.announced.entry(key).or_default();
                // What is announced no more times out by itself, or was torn down; the wish for others stays.
                gone && !announced.is_empty() && self.wishes.style != Style::Wf
            }
            Event::SessionClosed {} => {
                self.announced.remove(&key);
                false
            }
            _ => false,
        }
    }

    async fn reserve(
        &mut self,
        sessions: &Sessions<'_>,
        key: Session,
        output: &Output,
    ) -> Result<(), Failure> {
        let announced = self.announced.entry(key).or_default();
        match self.wishes.reservation(announced) {
            Ok(None) => self.say_who_is_left_out(key, output)?,
            Ok(Some(Asked { reservation, remark })) => {
                if let Some(remark) = remark {
                    output.note("remark", &remark, json!({}))?;
                }
                for flow in &reservation.flows {
                    let (what, whom) = (texts::service(&flow.flowspec), texts::filters(&flow.filters));
                    let bound = bound(flow, announced).map_or_else(String::new, |bound| {
                        format!("; no packet is queued for more than {}", show_time(bound))
                    });
                    let at = sessions.named(key).map_or_else(String::new, |session| format!(" in {session}"));
                    let asks = format!("asks for {} {what} for {whom}{at}{bound}", reservation.style);
                    let facts =
                        json!({ "session": key.to_string(), "style": reservation.style, "flow": flow });
                    output.note("asks", &asks, facts)?;
                }
                // Of several sessions each has its own senders, who are not told apart here.
                let is_of_each = reservation.style == Style::Ff && sessions.named(key).is_none();
                let senders: Vec<_> =
                    reservation.flows.iter().flat_map(|flow| flow.filters.iter().copied()).collect();
                match sessions.reserve(key, reservation).await {
                    Ok(()) if is_of_each => self.course.reserved_for_each(senders),
                    Ok(()) => self.course.reserved(),
                    Err(Failure::Client(ClientError::Refused(why))) => {
                        output.note("refused", &format!("refused: {why}"), json!({ "problem": why }))?;
                        self.course.refused_at_once(why.to_string());
                    }
                    Err(other) => return Err(other),
                }
            }
            // Whoever needs a bound is not served by data that comes without.
            Err(why) => return Err(Failure::Refused(format!("cannot reserve: {why}"))),
        }
        Ok(())
    }

    /// Of each sender that --filter leaves out, when nothing else is there: otherwise it would look as if nobody sent.
    fn say_who_is_left_out(&mut self, key: Session, output: &Output) -> Result<(), Failure> {
        for sender in self.announced.get(&key).into_iter().flat_map(Announced::keys) {
            if self.left_out.len() < MOST_LEFT_OUT && self.left_out.insert(*sender) {
                let note = format!("sender {sender} is none that --filter names: nothing is reserved for it");
                output.note(
                    "left-out",
                    &note,
                    json!({ "session": key.to_string(), "sender": sender.to_string() }),
                )?;
            }
        }
        Ok(())
    }
}
