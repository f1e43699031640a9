//! PERR MESSAGE ARRIVES: a PathErr changes no state; it goes to the previous hop, or to the application that is the
//! sender (RFC 2205 section 3.1.7).

use super::{Arrived, read};
use crate::api::Discard;
use crate::composer::{Composer, Forwarded};
use crate::event::EventKind;
use crate::key::SenderKey;
use crate::node::Node;
use crate::queue::Envelope;
use crate::state::path::Origin;
use rsvp_wire::{ErrorSpec, MsgType, SenderTemplate};

impl Node {
    pub(crate) fn path_err_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let sender = SenderKey::of(read::<SenderTemplate>(&arrived.message)?.0);
        let error = read::<ErrorSpec>(&arrived.message)?;
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let (_, path) = self.state.path_of_sender(session, &sender).ok_or(Discard::NoState)?;
        match path.origin {
            Origin::App(app) => {
                let key = self.state.key_of(session);
                self.tell(app, &key, EventKind::PathError { error, sender: SenderTemplate(sender.object()) });
            }
            Origin::Hop(upstream, _) => {
                let upstream = &self.state.upstreams[upstream];
                // Who is before this node has it from here: two nodes that are each other's previous hop, as after a route
                // change, would send it to and fro for as long as their state lives.
                if (upstream.interface, upstream.address) == (arrived.rx.interface, arrived.rx.source) {
                    return Err(Discard::ForeignSource);
                }
                let to = Envelope::to_neighbour(upstream.interface, upstream.address, self.config.ttl);
                let forwarded = Forwarded::All(arrived.message);
                self.send(&Composer { forwarded, ..Composer::new(MsgType::PATH_ERR, to) });
            }
        }
        Ok(())
    }
}
