//! When local senders are told of the policy and the marks that reservations carry to them (`carried`): with a reservation, and
//! again when only that has changed.

use crate::api::ReservationId;
use crate::carried::{Carried, for_senders};
use crate::event::EventKind;
use crate::extension::Extension;
use crate::state::State;
use crate::state::arena::Ix;
use crate::state::resv::RequestOrigin;
use crate::state::session::SessionState;
use crate::state::traffic::Reserved;
use rsvp_wire::Message;
use std::collections::BTreeMap;

/// What local senders were told, and what is being told.
#[derive(Clone, Debug, Default)]
pub(super) struct CarriedTold {
    /// What was last told of an installed reservation; nothing where it carries nothing.
    told: BTreeMap<ReservationId, Carried>,
    /// The Resv message that is being processed, and whose it is, where local senders hear of it.
    arriving: Option<(RequestOrigin, Box<[u8]>)>,
}

impl Extension for CarriedTold {
    fn resv_arrives(&mut self, state: &State, session: Ix<SessionState>, from: RequestOrigin, octets: &[u8]) {
        if state.has_local_sender(session) {
            self.arriving = Some((from, octets.into()));
        }
    }

    fn resv_was_judged(&mut self) {
        self.arriving = None;
    }

    fn tell<'s>(&'s self, state: &'s State, reserved: &Reserved, objects: &mut Vec<&'s [u8]>) {
        let arriving = self.arriving.as_ref().map(|(from, octets)| (*from, Message::trusted(octets)));
        objects.extend(for_senders(state, reserved, arriving));
    }

    fn has_news(&self, state: &State, ix: Ix<Reserved>) -> bool {
        let mut objects = Vec::new();
        self.tell(state, &state.reserved[ix], &mut objects);
        let now = Carried::union(objects);
        let before = self.told.get(&state.reserved.id(ix).into());
        before.map_or(!now.is_empty(), |before| *before != now)
    }

    fn was_told(&mut self, id: ReservationId, event: &EventKind) {
        match event {
            EventKind::Resv { carried, .. } if !carried.is_empty() => {
                self.told.insert(id, carried.clone());
            }
            _ => self.reservation_ends(id),
        }
    }

    fn reservation_ends(&mut self, id: ReservationId) {
        self.told.remove(&id);
    }
}
