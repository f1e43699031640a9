//! Follows what senders announce with the reservation that was asked for.

use super::Failure;
use super::output::Output;
use super::sessions::Sessions;
use super::texts;
use super::wanted::{Announced, Asked, ReservationOptions, bound};
use rsvp_client::{ClientError, Event, Style};
use rsvp_node::units::show_time;
use rsvp_wire::Session;
use std::collections::BTreeMap;

/// A wish, and what it is for.
pub(super) struct Reserver {
    wishes: ReservationOptions,
    /// Whether anything was asked for and not refused.
    pub(super) has_reserved: bool,
    /// Of each session.
    announced: BTreeMap<Session, Announced>,
}

impl Reserver {
    pub(super) fn new(wishes: ReservationOptions) -> Self {
        Self { wishes, has_reserved: false, announced: BTreeMap::new() }
    }

    /// Says what happened in a session, and asks for what there is to ask for since.
    pub(super) async fn heed(
        &mut self,
        sessions: &Sessions,
        key: Session,
        event: Event,
        output: &Output,
    ) -> Result<(), Failure> {
        output.event(sessions.named(key), &event)?;
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

    async fn reserve(&mut self, sessions: &Sessions, key: Session, output: &Output) -> Result<(), Failure> {
        let announced = self.announced.entry(key).or_default();
        match self.wishes.reservation(announced) {
            Ok(None) => {}
            Ok(Some(Asked { reservation, remark })) => {
                if let Some(remark) = remark {
                    output.note(&remark)?;
                }
                for flow in &reservation.flows {
                    let (what, whom) = (texts::service(&flow.flowspec), texts::filters(&flow.filters));
                    let bound = bound(flow, announced).map_or_else(String::new, |bound| {
                        format!("; no packet is queued for more than {}", show_time(bound))
                    });
                    let at = sessions.named(key).map_or_else(String::new, |session| format!(" in {session}"));
                    output.note(&format!("asks for {} {what} for {whom}{at}{bound}", reservation.style))?;
                }
                match sessions.reserve(key, reservation).await {
                    Ok(()) => self.has_reserved = true,
                    Err(ClientError::Refused(why)) => output.note(&format!("refused: {why}"))?,
                    Err(other) => return Err(other.into()),
                }
            }
            // Whoever needs a bound is not served by data that comes without.
            Err(why) => return Err(Failure::Asked(format!("cannot reserve: {why}"))),
        }
        Ok(())
    }
}
