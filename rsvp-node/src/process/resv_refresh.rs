//! RESV REFRESH (RFC 2209), RFC 2205 sections 2.3, 3.1.4 and 3.1.6: brings one previous hop up to date.
//!
//! The merged request is compared with what was last sent. What is gone from it leaves as a ResvTear, what has changed
//! as a Resv; if nothing has changed, propagation stops here, unless a refresh is due or a confirmation was asked for.
//! Filters whose path state is gone are dropped without a ResvTear (section 3.1.5).

use super::resv_merge::Merged;
use crate::api::Discard;
use crate::composer::{self, Composer, Descriptor, Forwarded, Named};
use crate::key::{SenderKey, StyleKind};
use crate::neighbour::accounts::Cause;
use crate::node::Node;
use crate::queue::{Envelope, Written};
use crate::state::arena::{Id, Ix};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use crate::unknown;
use core::time::Duration;
use rsvp_wire::{Class, MsgType, NeedSpace, ObjectRef, RsvpHop, Sharing};
use smallvec::SmallVec;

impl Node {
    /// Looks at every previous hop of a session.
    pub(crate) fn intend_resvs(&mut self, session: Ix<SessionState>) {
        let upstreams: SmallVec<[_; 4]> = self.state.upstreams_of(session).map(|(ix, _)| ix).collect();
        upstreams.into_iter().for_each(|ix| self.intend_resv(ix));
    }

    /// Puts off what has changed for a previous hop, because too many hear of one message: hops cost nothing to whoever invents them.
    fn is_put_off(&mut self, ix: Ix<Upstream>) -> bool {
        if self.state.upstreams[ix].refresh_due || self.let_through == Some(ix) {
            return false;
        }
        self.fanned += 1;
        let refresh = self.interfaces.refresh_on(self.state.upstreams[ix].interface);
        let at = match self.fanned {
            1 => self.now,
            _ => self.state.accounts.fan_out(self.state.upstreams[ix].cause, self.now, self.now + refresh),
        };
        if at > self.now {
            self.blame(self.state.upstreams[ix].cause, Cause::PutOff);
            self.state.upstreams[ix].queued = false;
            self.state.hasten_upstream(ix, at);
            return true;
        }
        self.let_through = Some(ix);
        false
    }

    /// Writes the next message a previous hop should get.
    pub(crate) fn write_resv(&mut self, id: Id<Upstream>, buf: &mut [u8]) -> Written {
        let Some(ix) = self.state.upstreams.find(id) else { return Written::Done };
        if self.state.upstreams[ix].parts_sent() > 0 {
            return self.write_part(ix, buf);
        }
        if self.stands_as_sent(ix) {
            self.state.upstreams[ix].set_tear_objects(Vec::new());
            return self.write_part(ix, buf);
        }
        let merged = self.merged(ix);
        let (flows, left_out) = merged.as_ref().map_or((0..0, 0), |merged| self.write_flows(ix, merged));
        self.state.upstreams[ix].is_known &= merged.is_some();
        let last = core::mem::take(&mut self.state.upstreams[ix].last_sent);
        let changed = self.scratch.get(flows.clone()).unwrap_or_default() != &*last;
        let gone = if changed { self.gone(ix, &last, merged.as_ref()) } else { None };
        self.state.upstreams[ix].last_sent = last;
        let upstream = &self.state.upstreams[ix];
        let sends = gone.is_some() || (merged.is_some() && (changed || upstream.confirm().is_some()));
        if sends && self.is_put_off(ix) {
            return Written::Done;
        }
        if let Some(gone) = gone {
            return self.write_resv_tear(ix, gone, merged.is_none(), buf);
        }
        let session = self.state.upstreams[ix].session;
        let changes = self.state.sessions[session].changes;
        let upstream = &mut self.state.upstreams[ix];
        upstream.composed_at = changes;
        upstream.set_tear_objects(Vec::new());
        if merged.is_none() {
            upstream.last_sent = Box::default();
        }
        if merged.is_none() || !(changed || upstream.refresh_due || upstream.confirm().is_some()) {
            upstream.all_sent();
            return Written::Done;
        }
        // All of it, also if something comes between its parts.
        let was_due = core::mem::replace(&mut upstream.refresh_due, true);
        let new = changed.then(|| self.scratch[flows].into());
        let before = new.map(|new| core::mem::replace(&mut upstream.last_sent, new));
        let written = self.write_part(ix, buf);
        if matches!(written, Written::NeedSpace(_)) {
            // Nothing has been sent: it is looked at once more, as if it had not been.
            let upstream = &mut self.state.upstreams[ix];
            (upstream.refresh_due, upstream.composed_at) = (was_due, changes.wrapping_sub(1));
            before.into_iter().for_each(|before| upstream.last_sent = before);
        } else if changed && left_out > 0 {
            self.objects_left_out(left_out);
        }
        written
    }

    /// Whether a refresh is due, and nothing has come since that could have it say something else.
    fn stands_as_sent(&self, ix: Ix<Upstream>) -> bool {
        let upstream = &self.state.upstreams[ix];
        upstream.refresh_due
            && !upstream.last_sent.is_empty()
            && upstream.composed_at == self.state.sessions[upstream.session].changes
    }

    /// Writes the next of the messages into which a request is divided, most often the only one.
    fn write_part(&mut self, ix: Ix<Upstream>, buf: &mut [u8]) -> Written {
        let upstream = &self.state.upstreams[ix];
        let part = Part::of(&upstream.last_sent, upstream.parts_sent().into());
        let (composed, is_last) = (self.compose_resv(ix, &part, buf), part.is_last);
        match composed {
            Some((envelope, Ok(length))) => {
                self.handled(length);
                if is_last {
                    let is_new = !core::mem::replace(&mut self.state.upstreams[ix].is_known, true);
                    self.rearm_upstream_after(ix, is_new);
                    self.state.upstreams[ix].all_sent();
                    return Written::Last(envelope, length);
                }
                let sent = self.state.upstreams[ix].parts_sent();
                self.state.upstreams[ix].set_parts_sent(sent + 1);
                Written::Message(envelope, length)
            }
            Some((_, Err(NeedSpace(need)))) => Written::NeedSpace(need),
            None => {
                // The incoming interface is down: nothing was sent, so all is to be sent when it is back.
                let upstream = &mut self.state.upstreams[ix];
                let confirm = upstream.confirm();
                upstream.all_sent();
                upstream.set_confirm(confirm);
                (upstream.last_sent, upstream.is_known) = (Box::default(), false);
                self.rearm_upstream(ix);
                Written::Done
            }
        }
    }

    /// Says that objects are not forwarded; to the log less and less often.
    fn objects_left_out(&mut self, objects: usize) {
        self.counters.count_discard(Discard::ObjectsLeftOut);
        let times = self.counters.discarded(Discard::ObjectsLeftOut);
        if times.is_power_of_two() {
            tracing::warn!(objects, times, "more objects to forward than a Resv may carry: not all are");
        }
    }

    /// Starts the refresh timer anew with fresh jitter.
    pub(crate) fn rearm_upstream(&mut self, ix: Ix<Upstream>) {
        self.rearm_upstream_after(ix, false);
    }

    fn rearm_upstream_after(&mut self, ix: Ix<Upstream>, is_new: bool) {
        let refresh = self.refresh_after(self.state.upstreams[ix].interface, is_new);
        let at = self.now + self.rng.jitter(refresh);
        self.state.arm_upstream(ix, at);
    }

    /// The way to a previous hop, this node as the hop of what goes there, and the refresh period; `None` when the interface that
    /// leads there is not usable.
    #[inline]
    fn to_previous_hop(&self, ix: Ix<Upstream>) -> Option<(Envelope, RsvpHop, Duration)> {
        let upstream = &self.state.upstreams[ix];
        let state = self.interfaces.usable(upstream.interface)?;
        let hop = RsvpHop { address: state.config.address_like(upstream.address)?, lih: upstream.lih };
        let to = Envelope::to_neighbour(upstream.interface, upstream.address, self.config.ttl);
        Some((to, hop, state.refresh))
    }

    fn compose_resv(
        &self,
        ix: Ix<Upstream>,
        part: &Part<'_>,
        buf: &mut [u8],
    ) -> Option<(Envelope, Result<usize, NeedSpace>)> {
        let (to, hop, refresh) = self.to_previous_hop(ix)?;
        let upstream = &self.state.upstreams[ix];
        let composer = Composer {
            session: Named::Key(self.state.key_of(upstream.session)),
            hop: Some(hop),
            refresh: Some(refresh),
            confirm: upstream.confirm(),
            descriptor: Descriptor::Octets(&[part.head, part.descriptors]),
            ..Composer::new(MsgType::RESV, to)
        };
        Some((composer.to, composer.write(&self.extensions, buf)))
    }

    /// What was asked for and is no more, where path state still leads to this previous hop.
    fn gone(&self, ix: Ix<Upstream>, last: &[u8], merged: Option<&Merged>) -> Option<Merged> {
        let mut gone = Sent::read(last)?.asked;
        let session = self.state.upstreams[ix].session;
        let still = |filter: &Option<SenderKey>| {
            merged.is_some_and(|m| m.style == gone.style && m.place_of(filter).is_some())
        };
        let leads_here = |filter: &Option<SenderKey>| match filter {
            Some(sender) => self.state.paths_from(session, sender).any(|(_, p)| p.upstream() == Some(ix)),
            None => self.state.paths_behind(ix).next().is_some(),
        };
        let flows = core::mem::take(&mut gone.flows);
        gone.flows = flows.into_iter().filter(|(f, _)| !still(f) && leads_here(f)).collect();
        (!gone.flows.is_empty()).then_some(gone)
    }

    /// What the previous hop was last asked for.
    pub(crate) fn last_asked(&self, ix: Ix<Upstream>) -> Option<Merged> {
        Sent::read(&self.state.upstreams[ix].last_sent).map(|sent| sent.asked)
    }

    /// Writes a ResvTear, with the FLOWSPEC that was last sent: it is ignored (RFC 2205 section 3.1.6), but there are
    /// receivers that drop a ResvTear without. `is_last` says that nothing is asked for any more.
    fn write_resv_tear(
        &mut self,
        ix: Ix<Upstream>,
        mut gone: Merged,
        is_last: bool,
        buf: &mut [u8],
    ) -> Written {
        // What does not fit goes with the next: it is still among what was last sent, and gone.
        gone.flows.truncate(TEAR_FLOWS);
        let id = self.state.upstreams.id(ix);
        let upstream = &self.state.upstreams[ix];
        let composer = self.to_previous_hop(ix).map(|(to, hop, _)| Composer {
            session: Named::Key(self.state.key_of(upstream.session)),
            hop: Some(hop),
            forwarded: Forwarded::Octets(upstream.tear_objects()),
            descriptor: Descriptor::Flows { style: gone.style, flows: &gone.flows },
            ..Composer::new(MsgType::RESV_TEAR, to)
        });
        let written = composer.map(|composer| (composer.to, composer.write(&self.extensions, buf)));
        if let Some((_, Err(NeedSpace(need)))) = written {
            return Written::NeedSpace(need);
        }
        let left = Sent::read(&upstream.last_sent).map(|sent| sent.without(&gone)).unwrap_or_default();
        let is_last = is_last && left.is_empty();
        self.state.upstreams[ix].last_sent = left;
        // If the interface is down, what was asked for there dies with its refreshes.
        let Some((envelope, Ok(length))) = written else { return self.write_resv(id, buf) };
        self.handled(length);
        if is_last {
            let upstream = &mut self.state.upstreams[ix];
            upstream.set_tear_objects(Vec::new());
            upstream.all_sent();
            return Written::Last(envelope, length);
        }
        Written::Message(envelope, length)
    }
}

/// Octets of a Resv that are left for what [`Part`] divides: of an IP datagram with the longest header, without the common
/// header and, of their IPv6 kind, SESSION, RSVP_HOP, TIME_VALUES and RESV_CONFIRM. That is no more than there is in
/// IPv6, and the same with a wish for confirmation and without, so that a refresh is divided as the message before.
const ROOM: usize = 65_535 - 60 - 8 - 24 - 24 - 8 - 20;

/// How many flows a ResvTear names: beside the largest forwarded objects there is room for so many of the largest.
const TEAR_FLOWS: usize = 750;

/// One of the messages into which what was last sent is divided, because it does not fit one datagram (RFC 2205 section
/// 3.1.4: descriptors *may* be packed). FF descriptors stand alone; the filters of SE come with the one FLOWSPEC again.
struct Part<'a> {
    /// What is in all of them.
    head: &'a [u8],
    descriptors: &'a [u8],
    is_last: bool,
}

impl<'a> Part<'a> {
    fn of(sent: &'a [u8], number: usize) -> Self {
        if sent.len() <= ROOM {
            return Self { head: sent, descriptors: &[], is_last: true };
        }
        let style = |object| StyleKind::of(ObjectRef::split_first(object, 0).ok()?.0.read().ok()?);
        let shared = unknown::objects(sent).find_map(style).is_some_and(|s| s.sharing() == Sharing::Shared);
        // The first object of a descriptor; in SE the FLOWSPEC is in the head.
        let first = if shared { Class::FILTER_SPEC } else { Class::FLOWSPEC };
        let head: usize = unknown::objects(sent).take_while(|o| !is_of(o, first)).map(<[u8]>::len).sum();
        let mut from = head;
        for _ in 0..number {
            from = Self::end(sent, first, head, from);
        }
        let end = Self::end(sent, first, head, from);
        Self { head: &sent[..head], descriptors: &sent[from..end], is_last: end == sent.len() }
    }

    /// Where the part ends that begins at `from`.
    fn end(sent: &[u8], first: Class, head: usize, from: usize) -> usize {
        let (mut at, mut end) = (from, from);
        for object in unknown::objects(&sent[from..]) {
            if at > from && is_of(object, first) {
                if head + (at - from) > ROOM {
                    break;
                }
                end = at;
            }
            at += object.len();
        }
        if head + (at - from) <= ROOM || end == from { at } else { end }
    }
}

fn is_of(object: &[u8], class: Class) -> bool {
    object.get(2) == Some(&class.0)
}

/// What was last sent to a previous hop, read back.
struct Sent<'a> {
    /// Objects that were forwarded, before the STYLE.
    kept: &'a [u8],
    asked: Merged,
}

impl<'a> Sent<'a> {
    /// `None` when nothing was sent.
    fn read(octets: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let mut sent: Option<Self> = None;
        let mut flowspec = None;
        for object in unknown::objects(octets) {
            let Ok((object, _)) = ObjectRef::split_first(object, 0) else { break };
            match (&mut sent, object.class) {
                (None, Class::STYLE) => {
                    let asked = Merged { style: StyleKind::of(object.read().ok()?)?, flows: SmallVec::new() };
                    sent = Some(Self { kept: &octets[..at], asked });
                }
                (Some(sent), Class::FLOWSPEC) => {
                    flowspec = object.read().ok();
                    if sent.asked.style.is_wildcard() {
                        sent.asked.flows.extend(flowspec.map(|f| (None, f)));
                    }
                }
                (Some(sent), Class::FILTER_SPEC) => {
                    sent.asked.flows.extend(flowspec.map(|f| (object.read().ok().map(SenderKey::of), f)));
                }
                _ => {}
            }
            at += object.octets().len();
        }
        sent
    }

    /// The same with some filters taken out; empty when none is left.
    fn without(mut self, gone: &Merged) -> Box<[u8]> {
        self.asked.flows.retain(|(f, _)| gone.place_of(f).is_none());
        if self.asked.flows.is_empty() {
            return Box::default();
        }
        let mut octets = Vec::new();
        let place = composer::asked(&mut octets, &[], self.kept, self.asked.style, &self.asked.flows);
        octets[place].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_wire::{Flowspec, Tspec};

    /// Filters of SE are too small to fill a datagram by the default limits; they are divided all the same.
    #[test]
    fn shared_explicit_filters_are_divided_with_their_flowspec_in_each_part() {
        let address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].into();
        let filter = |port| SenderKey::Ipv6 { address, port };
        let flowspec = Flowspec::ControlledLoad(Tspec::null(1500));
        let flows: Vec<_> = (0..3000).map(|n| (Some(filter(n)), flowspec)).collect();
        let mut sent = Vec::new();
        let place = composer::asked(&mut sent, &[], &[], StyleKind::SharedExplicit, &flows);
        let sent = &sent[place];
        let parts = [Part::of(sent, 0), Part::of(sent, 1)];
        assert_eq!(parts.each_ref().map(|p| p.is_last), [false, true]);
        assert!(parts.iter().all(|p| p.head.len() + p.descriptors.len() <= ROOM));
        assert!(parts.iter().all(|p| p.head == &sent[..sent.len() - 3000 * 24]));
        let filters = [parts[0].descriptors, parts[1].descriptors].concat();
        assert_eq!(filters, sent[sent.len() - 3000 * 24..]);
    }
}
