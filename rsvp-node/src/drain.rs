//! What leaves: takes things off the queue, and has written what they name.

use crate::api::{Discard, Output, TcChange, TrafficControl, Transmit, Why};
use crate::node::{Enough, Node};
use crate::queue::{Envelope, Letter, Pending, Written};
use crate::state::TimerOwner;
use rsvp_wire::{MsgType, NeedSpace};

impl Node {
    /// The next output. A message is written to the start of `buf`.
    pub(crate) fn next_output<'b>(&mut self, buf: &'b mut [u8]) -> Output<'b> {
        let enough = *self.drained.get_or_insert_with(|| Enough::for_now(&self.state));
        loop {
            if enough.is_reached(&self.state) && !self.queue.is_empty() {
                return Output::Idle { until: Some(self.now), why: Why::Housekeeping };
            }
            let before = self.state.visits();
            let written = match self.queue.front() {
                None => return self.idle(),
                Some(&Pending::Path(id)) => self.write_path(id, buf),
                Some(&Pending::Resv(id)) => self.write_resv(id, buf),
                Some(Pending::Letter(_) | Pending::Copy(_)) => self.write_letter(buf),
                Some(_) => match self.take_output() {
                    Some(output) => return output,
                    None => continue,
                },
            };
            if !matches!(written, Written::NeedSpace(_)) {
                self.let_through = None;
            }
            match written {
                Written::Done => {
                    self.queue.pop();
                }
                Written::NeedSpace(need) if need > usize::from(u16::MAX) => self.oversized(),
                Written::NeedSpace(need) => {
                    // It is written again from the beginning: how work is divided does not depend on the driver's buffer.
                    self.drained = Some(enough.but_for(self.state.visits() - before));
                    return Output::NeedSpace(need);
                }
                Written::Message(envelope, length) | Written::Last(envelope, length) => {
                    if matches!(written, Written::Last(..)) {
                        self.queue.pop();
                    }
                    let octets = &buf[..length];
                    self.counters.count_sent(MsgType(octets[1]));
                    let Envelope { interface, destination, source, ttl, router_alert } = envelope;
                    let transmit = Transmit { interface, destination, source, ttl, router_alert, octets };
                    return Output::Transmit(transmit);
                }
            }
        }
    }

    /// Writes the front of the queue, which has its content itself.
    fn write_letter(&mut self, buf: &mut [u8]) -> Written {
        let (envelope, written) = match self.queue.front() {
            Some(Pending::Letter(letter)) => {
                let Letter { envelope, octets } = &**letter;
                let room = buf.get_mut(..octets.len()).ok_or(NeedSpace(octets.len()));
                let copied = room.map(|room| room.copy_from_slice(octets));
                (*envelope, copied.map(|()| octets.len()))
            }
            Some(Pending::Copy(copy)) => {
                let written = copy.write(&self.extensions, &mut self.scratch, buf);
                self.octets_handled += written.map_or(0, |length| length as u64);
                (copy.envelope, written)
            }
            _ => return Written::Done,
        };
        let usable = self.interfaces.usable(envelope.interface).is_some();
        match written {
            Err(NeedSpace(need)) => Written::NeedSpace(need),
            Ok(length) if usable && length > 0 => Written::Last(envelope, length),
            Ok(_) => {
                self.counters.count_discard(if usable { Discard::TooLarge } else { Discard::NotSendable });
                Written::Done
            }
        }
    }

    /// Takes the front of the queue, which is no message. Nothing where that has been overtaken.
    fn take_output<'b>(&mut self) -> Option<Output<'b>> {
        match self.queue.pop()? {
            Pending::Event(event) => Some(Output::Event(*event)),
            Pending::Install(id) => {
                let ix = self.state.reserved.find(id)?;
                let reserved = &mut self.state.reserved[ix];
                reserved.flags.set_queued(false);
                reserved.flags.set_announced(true);
                let reserved = &self.state.reserved[ix];
                Some(Output::TrafficControl(TrafficControl {
                    reservation: id.into(),
                    interface: reserved.interface,
                    change: TcChange::Install(self.reservation(reserved)),
                }))
            }
            Pending::Remove(reservation, interface) => {
                let change = TcChange::Remove;
                Some(Output::TrafficControl(TrafficControl { reservation, interface, change }))
            }
            Pending::Path(_) | Pending::Resv(_) | Pending::Letter(_) | Pending::Copy(_) => None,
        }
    }

    /// A message that would exceed the largest IP datagram is not sent (RFC 2205 section 3.3).
    fn oversized(&mut self) {
        tracing::warn!("a message of more than 65535 octets is not sent");
        self.counters.count_discard(Discard::TooLarge);
        match self.queue.pop() {
            Some(Pending::Path(id)) => {
                if let Some(ix) = self.state.paths.find(id) {
                    self.state.paths[ix].flags.set_queued(false);
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
