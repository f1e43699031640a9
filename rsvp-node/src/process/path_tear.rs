//! PTEAR MESSAGE ARRIVES: a PathTear must match SESSION, SENDER_TEMPLATE and PHOP, and in a multicast session the
//! incoming interface (RFC 2205 section 3.1.5; RFC 2209 does not ask for the PHOP).

use super::Arrived;
use crate::api::Discard;
use crate::event::Gone;
use crate::key::SenderKey;
use crate::node::Node;
use rsvp_wire::{RsvpHop, SenderTemplate};

impl Node {
    pub(crate) fn path_tear_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let hop = arrived.read::<RsvpHop>()?;
        let sender = SenderKey::of(arrived.read::<SenderTemplate>()?.0);
        if !self.comes_from_sender(&arrived.rx, sender.address()) {
            return Err(self.foreign(arrived));
        }
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let path = self.find_path(session, &sender, arrived, hop.address).ok_or(Discard::NoState)?;
        let upstream = self.state.paths[path].upstream().ok_or(Discard::NoState)?;
        let upstream = &self.state.upstreams[upstream];
        if upstream.address != hop.address || upstream.lih != hop.lih {
            return Err(Discard::NoState);
        }
        self.remove_path(path, Gone::Torn, Some(arrived.rx.octets));
        Ok(())
    }
}
