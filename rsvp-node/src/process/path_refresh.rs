//! PATH REFRESH (RFC 2209), RFC 2205 sections 3.1.3 and 3.8; and the PathTear that ends path state, which is routed
//! exactly like the Path (section 3.1.5).
//!
//! Where it enforces, this node polices, so it is the edge if nobody was before: E_Police is off in what leaves there. Where it
//! does not, E_Police goes on as it came, and is on for a sender of its own. All bits that no RFC assigns are off (Appendix A).

use crate::composer::{Composer, Descriptor, Forwarded, Named};
use crate::interface::InterfaceId;
use crate::key::SessionKey;
use crate::merge::adspec;
use crate::node::Node;
use crate::queue::{Envelope, Written};
use crate::state::arena::{Id, Ix};
use crate::state::path::{Origin, PathState};
use rsvp_wire::{Class, MsgType, NeedSpace, RsvpHop, Session};

impl Node {
    /// Writes the next message that a path state owes.
    pub(crate) fn write_path(&mut self, id: Id<PathState>, buf: &mut [u8]) -> Written {
        let Some(ix) = self.state.paths.find(id) else { return Written::Done };
        let path = &self.state.paths[ix];
        let Some(at) = path.outgoing.iter().position(|o| o.due) else {
            self.state.paths[ix].flags.queued = false;
            if self.state.paths[ix].flags.dead {
                self.state.drop_path(ix);
            }
            return Written::Done;
        };
        let outgoing = path.outgoing[at].interface;
        let dead = path.flags.dead;
        let speaks = dead || self.state.speaks_for_sender(ix, outgoing);
        let composed = if speaks { self.compose_path(ix, outgoing, buf) } else { None };
        let Some((envelope, length)) = composed else {
            // Down, gone, without address, out of TTL, or another speaks for the sender: the timer will ask again.
            self.state.paths[ix].outgoing[at].due = false;
            return self.write_path(id, buf);
        };
        let length = match length {
            Ok(length) => length,
            Err(NeedSpace(need)) => return Written::NeedSpace(need),
        };
        self.handled(length);
        let refresh = self.interfaces.find(outgoing).map(|i| i.refresh).unwrap_or_default();
        let outgoing = &mut self.state.paths[ix].outgoing[at];
        outgoing.due = false;
        if !dead {
            outgoing.refresh_at = self.now + self.rng.jitter(refresh);
            self.state.arm_path(ix);
        }
        Written::Message(envelope, length)
    }

    fn compose_path(
        &mut self,
        ix: Ix<PathState>,
        outgoing: InterfaceId,
        buf: &mut [u8],
    ) -> Option<(Envelope, Result<usize, NeedSpace>)> {
        let path = &self.state.paths[ix];
        let state = self.interfaces.find(outgoing)?;
        let config = &state.config;
        // What arrived on an interface that is down is not passed on as if it had been refreshed.
        let arrives = path.incoming().is_none_or(|i| self.interfaces.find(i).is_some_and(|i| i.config.up));
        if !config.up || !config.enabled || !(arrives || path.flags.dead) {
            return None;
        }
        let message = path.message();
        let session = message.get::<Session>()?.ok()?;
        let flags = session.flags();
        let session = SessionKey::of(session);
        let hop = RsvpHop { address: config.address_like(session.destination())?, lih: config.lih };
        let ttl = match path.origin {
            Origin::App(_) => path.ttl,
            Origin::Hop(..) => path.ttl.checked_sub(1).filter(|ttl| *ttl > 0)?,
        };
        let dead = path.flags.dead;
        let adspec = match message.first(Class::ADSPEC) {
            Some(object) if !dead => {
                adspec::advertise(&mut self.scratch, object.octets(), config, path.flags.non_rsvp);
                &*self.scratch
            }
            _ => &[],
        };
        let own = matches!(path.origin, Origin::App(_));
        let unpoliced = !dead && !config.enforces && (own || flags & Session::E_POLICE != 0);
        let composer = Composer {
            session: Named::Key(session),
            unpoliced,
            hop: Some(hop),
            refresh: (!dead).then_some(state.refresh),
            forwarded: if own { Forwarded::Own(message) } else { Forwarded::Of(message) },
            descriptor: Descriptor::Sender { path: message, sender: path.sender, adspec },
            ..Composer::new(
                if dead { MsgType::PATH_TEAR } else { MsgType::PATH },
                Envelope::with_data(outgoing, &session, &path.sender, ttl),
            )
        };
        Some((composer.to, composer.write(&self.extensions, buf)))
    }
}
