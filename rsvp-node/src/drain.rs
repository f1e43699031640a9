//! What leaves: takes things off the queue, and has written what they name.

use crate::door::{Discard, Output, ReservationId, TcChange, TrafficControl, Transmit, Why};
use crate::node::Node;
use crate::queue::{Envelope, Pending, Written};
use crate::state::TimerOwner;
use rsvp_wire::MsgType;

/// What the front of the queue was, when it was no intent to write.
enum Content<'b> {
    Nothing,
    Output(Box<Output<'b>>),
    Written(Written),
}

impl Node {
    /// The next output. A message is written to the start of `buf`.
    pub(crate) fn next_output<'b>(&mut self, buf: &'b mut [u8]) -> Output<'b> {
        loop {
            let written = match self.queue.front() {
                None => return self.idle(),
                Some(&Pending::Path(id)) => self.write_path(id, buf),
                Some(&Pending::Resv(id)) => self.write_resv(id, buf),
                Some(_) => match self.next_content(buf) {
                    Content::Nothing => continue,
                    Content::Output(output) => return *output,
                    Content::Written(written) => written,
                },
            };
            match written {
                Written::Done => {
                    self.queue.pop();
                }
                Written::NeedSpace(need) if need > usize::from(u16::MAX) => self.oversized(),
                Written::NeedSpace(need) => return Output::NeedSpace(need),
                Written::Message(envelope, length) | Written::Last(envelope, length) => {
                    if matches!(written, Written::Last(..)) {
                        self.queue.pop();
                    }
                    let octets = &buf[..length];
                    self.counters.count_sent(MsgType(octets[1]));
                    return Output::Transmit(transmit(envelope, octets));
                }
            }
        }
    }

    /// Takes the front of the queue, which is not an intent to write a Path or Resv.
    fn next_content<'b>(&mut self, buf: &mut [u8]) -> Content<'b> {
        if let Some(Pending::Letter(letter)) = self.queue.front() {
            let length = letter.octets.len();
            let Some(room) = buf.get_mut(..length) else {
                return Content::Written(Written::NeedSpace(length));
            };
            room.copy_from_slice(&letter.octets);
            let envelope = letter.envelope;
            self.queue.pop();
            let usable =
                self.interfaces.find(envelope.interface).is_some_and(|i| i.config.up && i.config.enabled);
            if usable && length > 0 {
                return Content::Written(Written::Message(envelope, length));
            }
            self.counters.count_discard(if usable { Discard::TooLarge } else { Discard::NotSendable });
            return Content::Nothing;
        }
        let output = match self.queue.pop() {
            Some(Pending::Event(event)) => Output::Event(*event),
            Some(Pending::Install(id)) => {
                let Some(ix) = self.state.reserved.find(id) else { return Content::Nothing };
                let reserved = &mut self.state.reserved[ix];
                (reserved.queued, reserved.announced) = (false, true);
                let reserved = &self.state.reserved[ix];
                Output::TrafficControl(TrafficControl {
                    reservation: ReservationId { index: ix.place(), generation: id.generation },
                    interface: reserved.interface,
                    change: TcChange::Install(self.reservation(reserved)),
                })
            }
            Some(Pending::Remove(reservation, interface)) => {
                Output::TrafficControl(TrafficControl { reservation, interface, change: TcChange::Remove })
            }
            _ => return Content::Nothing,
        };
        Content::Output(Box::new(output))
    }

    /// A message that would exceed the largest IP datagram is not sent (RFC 2205 section 3.3).
    fn oversized(&mut self) {
        tracing::warn!("a message of more than 65535 octets is not sent");
        self.counters.count_discard(Discard::TooLarge);
        match self.queue.pop() {
            Some(Pending::Path(id)) => {
                if let Some(ix) = self.state.paths.find(id) {
                    self.state.paths[ix].flags.queued = false;
                    self.state.paths[ix].outgoing.iter_mut().for_each(|o| o.due = false);
                }
            }
            Some(Pending::Resv(id)) => {
                if let Some(ix) = self.state.upstreams.find(id) {
                    self.state.upstreams[ix].all_sent();
                    self.rearm_upstream(ix);
                }
            }
            _ => {}
        }
    }

    fn idle<'b>(&self) -> Output<'b> {
        if self.sweep.is_some() {
            return Output::Idle { until: Some(self.now), why: Why::Housekeeping };
        }
        let Some((until, owner)) = self.state.wake() else {
            return Output::Idle { until: None, why: Why::Nothing };
        };
        let why = match owner {
            Some(TimerOwner::Path(_)) => Why::Path,
            Some(TimerOwner::Request(_)) => Why::Resv,
            Some(TimerOwner::Upstream(_)) => Why::ResvRefresh,
            Some(TimerOwner::Blockade(_)) => Why::Blockade,
            None => Why::Housekeeping,
        };
        Output::Idle { until: Some(until), why }
    }
}

fn transmit(envelope: Envelope, octets: &[u8]) -> Transmit<'_> {
    let Envelope { interface, destination, source, ttl, router_alert } = envelope;
    Transmit { interface, destination, source, ttl, router_alert, octets }
}
