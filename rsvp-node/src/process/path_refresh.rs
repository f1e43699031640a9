//! PATH REFRESH (RFC 2209), RFC 2205 sections 3.1.3 and 3.8; and the PathTear that ends path state, which is routed
//! exactly like the Path (section 3.1.5).
//!
//! Where it enforces, this node polices, so it is the edge if nobody was before: E_Police is off in what leaves there. Where it
//! does not, E_Police goes on as it came, and is on for a sender of its own. All bits that no RFC assigns are off (Appendix A).

use crate::carried::is_sent;
use crate::composer::{Composer, Descriptor, Forwarded, Named};
use crate::interface::InterfaceId;
use crate::key::SessionKey;
use crate::merge::adspec;
use crate::node::Node;
use crate::queue::{Envelope, Written};
use crate::state::arena::{Id, Ix};
use crate::state::path::{Origin, PathState};
use core::time::Duration;
use rsvp_wire::{Class, MsgType, NeedSpace, RsvpHop, Session};

impl Node {
    /// Writes the next message that a path state owes.
    pub(crate) fn write_path(&mut self, id: Id<PathState>, buf: &mut [u8]) -> Written {
        let Some(ix) = self.state.paths.find(id) else { return Written::Done };
        while let Some(at) = self.state.paths[ix].outgoing.iter().position(|o| o.due) {
            let path = &self.state.paths[ix];
            let (interface, dead) = (path.outgoing[at].interface, path.flags.dead());
            let speaks = dead || self.state.speaks_for_sender(ix, interface);
            let composed = if speaks { self.compose_path(ix, interface, buf) } else { None };
            if let Some((_, Err(NeedSpace(need)))) = composed {
                return Written::NeedSpace(need);
            }
            let usable = self.interfaces.usable(interface).is_some();
            let outgoing = &mut self.state.paths[ix].outgoing[at];
            (outgoing.due, outgoing.unsent) = (false, !usable);
            // Down, gone, without address, out of TTL, or another speaks for the sender: the timer will ask again.
            let Some((envelope, Ok(length))) = composed else { continue };
            self.handled(length);
            if !dead {
                let is_new = !core::mem::replace(&mut self.state.paths[ix].outgoing[at].is_known, true);
                let refresh = self.refresh_after(interface, is_new);
                self.state.paths[ix].outgoing[at].refresh_at = self.now + self.rng.jitter(refresh);
                self.state.arm_path(ix);
            }
            if self.state.paths[ix].outgoing.iter().any(|o| o.due) {
                return Written::Message(envelope, length);
            }
            self.path_is_written(ix);
            return Written::Last(envelope, length);
        }
        self.path_is_written(ix);
        Written::Done
    }

    /// The refresh period after a message: sooner after the first, whose loss nothing else would repair.
    pub(crate) fn refresh_after(&self, interface: InterfaceId, is_new: bool) -> Duration {
        /// The part of R after which what is new is sent again.
        const EARLY: u32 = 16;
        let refresh = self.interfaces.refresh_on(interface);
        if is_new && self.config.repeats_new { refresh / EARLY } else { refresh }
    }

    /// Nothing waits to be written of a path state any more; a tombstone goes.
    fn path_is_written(&mut self, ix: Ix<PathState>) {
        self.state.paths[ix].flags.set_queued(false);
        if self.state.paths[ix].flags.dead() {
            self.state.drop_path(ix);
        }
    }

    fn compose_path(
        &mut self,
        ix: Ix<PathState>,
        outgoing: InterfaceId,
        buf: &mut [u8],
    ) -> Option<(Envelope, Result<usize, NeedSpace>)> {
        let path = &self.state.paths[ix];
        let dead = path.flags.dead();
        let state = self.interfaces.usable(outgoing)?;
        let config = &state.config;
        // What arrived on an interface that is down is not passed on as if it had been refreshed.
        let arrives = |i| self.interfaces.find(i).is_some_and(|i| i.config.up);
        if !dead && !path.incoming().is_none_or(arrives) {
            return None;
        }
        let own = matches!(path.origin, Origin::App(_));
        let ttl = if own { path.ttl } else { path.ttl.checked_sub(1).filter(|ttl| *ttl > 0)? };
        let message = path.message();
        let (mut session, mut adspec, mut forwards, mut named) = (None, None, false, false);
        // The SENDER_TSPEC stays where it came: before the SENDER_TEMPLATE or behind it.
        let (mut before, mut behind): (&[u8], &[u8]) = (&[], &[]);
        for object in message.objects() {
            match object.class {
                Class::SESSION => session = object.read::<Session>().ok(),
                Class::SENDER_TEMPLATE => named = true,
                Class::SENDER_TSPEC if dead => {}
                Class::SENDER_TSPEC if named => behind = object.octets(),
                Class::SENDER_TSPEC => before = object.octets(),
                Class::ADSPEC if !dead => adspec = Some(object),
                _ => forwards |= is_sent(&object, own),
            }
        }
        let (session, flags) = (SessionKey::of(session?), session?.flags());
        let hop = RsvpHop { address: config.address_like(session.destination())?, lih: config.lih };
        let adspec = match adspec {
            Some(object) => {
                adspec::advertise(&mut self.scratch, object.octets(), config, path.flags.non_rsvp());
                &*self.scratch
            }
            None => &[],
        };
        let msg_type = if dead { MsgType::PATH_TEAR } else { MsgType::PATH };
        let composer = Composer {
            session: Named::Key(session),
            unpoliced: !dead && !config.enforces && (own || flags & Session::E_POLICE != 0),
            hop: Some(hop),
            refresh: (!dead).then_some(state.refresh),
            forwarded: match (forwards, own) {
                (false, _) => Forwarded::Nothing,
                (true, false) => Forwarded::Of(message),
                (true, true) => Forwarded::Own(message),
            },
            descriptor: Descriptor::Sender { before, sender: path.sender, behind: [behind, adspec] },
            ..Composer::new(msg_type, Envelope::with_data(outgoing, &session, &path.sender, ttl))
        };
        Some((composer.to, composer.write(&self.extensions, buf)))
    }
}
