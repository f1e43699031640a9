//! The egress program after a restart: the maps of an earlier run are gone on with, and its places at interfaces are taken
//! over by a program of this run.
//!
//! A link or filter gets the new program in one step, and both programs have the same maps: no packet passes in between that
//! finds no flow, and counts go on. Which of the flows are wanted still is deliberately the caller's business.

use super::flow_key::Record;
use super::hook::{self, Hooked, Link};
use super::{Egress, EgressError, Flow, FlowId, Hook, Interface, Key, Kind, PROGRAM};
use std::collections::BTreeSet;

/// A flow of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub id: FlowId,
    /// What it is held to, and what becomes of its packets.
    pub flow: Flow,
    /// Its keys.
    pub keys: Vec<Key>,
}

impl Egress {
    /// Reads what the maps have that were there: each key belongs to a flow that is live, or goes.
    pub(super) fn read_maps(&mut self) -> Result<(), EgressError> {
        let refused = |error| EgressError::of_map("to read flows", &error);
        self.free.clear();
        for number in 0..self.capacity.flows {
            match self.flows.get(&number, 0).map_err(refused)?.live {
                0 => self.free.push_back(number),
                _ => drop(self.known.insert(FlowId(number), Vec::new())),
            }
        }
        for (key, id) in self.keys()? {
            match self.known.get_mut(&id) {
                Some(keys) => keys.push(key),
                None => {
                    let (_, record) = key.record()?;
                    self.erase(&record)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the maps were there before this run.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// The flows of an earlier run, and those that were added since.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn found(&self) -> Result<Vec<Found>, EgressError> {
        let refused = |error| EgressError::of_map("to read flows", &error);
        let found = self.known.iter().map(|(id, keys)| {
            let flow = self.flows.get(&id.0, 0).map_err(refused)?.flow();
            Ok(Found { id: *id, flow, keys: keys.clone() })
        });
        found.collect()
    }

    /// Takes over an interface on which an earlier run's program is; gives its number, and what the program hangs on. Nothing
    /// where there is none.
    ///
    /// # Errors
    /// [`EgressError::Interface`], [`EgressError::LinkLayer`] and [`EgressError::Refused`].
    pub fn resume(&mut self, interface: &str) -> Result<Option<(u32, Hook)>, EgressError> {
        let Link { index, header } = Link::find(interface)?;
        let (Some(pins), false) = (&self.pins, self.attached.contains_key(&index)) else { return Ok(None) };
        let Ok(mut record) = self.interfaces.get(&index, 0) else { return Ok(None) };
        let pin = pins.link(index);
        let Some(hooked) = hook::resume(self.program_mut(PROGRAM)?, interface, index, pin)? else {
            return Ok(None);
        };
        let Hooked { hook, .. } = hooked;
        let mut kinds = [[0; Kind::COUNT]; 2];
        record.kinds = [0; 2];
        for key in self.known.values().flatten().filter(|key| key.interface == index) {
            let (kind, of) = key.record()?;
            let family = usize::from(matches!(of, Record::V6(_)));
            kinds[family][kind as usize] += 1;
            record.kinds[family] |= 1 << kind as u32;
        }
        record.link_header = header;
        record.by_hand = 0;
        self.attached.insert(index, Interface { hooked, record, kinds });
        self.tell(index)?;
        Ok(Some((index, hook)))
    }

    /// Takes away whatever an earlier run has at interfaces that were not taken over.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn end_resuming(&mut self) -> Result<(), EgressError> {
        let refused = |error| EgressError::of_map("to list interfaces", &error);
        let listed: Result<BTreeSet<u32>, _> = self.interfaces.keys().collect();
        let links = self.pins.as_ref().and_then(|pins| pins.links().ok()).unwrap_or_default();
        for index in listed.map_err(refused)?.into_iter().chain(links) {
            if self.attached.contains_key(&index) {
                continue;
            }
            let removed = self.pins.as_ref().map_or(Ok(false), |pins| pins.remove_link(index));
            removed.map_err(|error| EgressError::Refused("to detach an earlier run's program", error))?;
            // It is in one of both lists, or in both.
            let _ = self.interfaces.remove(&index);
        }
        Ok(())
    }

    /// Leaves everything in the kernel for the next run; false, and nothing is done, where nothing would keep it.
    #[must_use]
    pub fn leave(&mut self) -> bool {
        if self.pins.take().is_none() {
            return false;
        }
        // Pinned, they stay.
        self.policy.hooks.clear();
        let attached = std::mem::take(&mut self.attached);
        if let Ok(program) = self.program_mut(PROGRAM) {
            attached.into_values().for_each(|here| hook::leave(program, here.hooked));
        }
        true
    }
}

/// Takes away from an interface what an earlier run has left of the program, which is possible by clsact alone: whether there
/// was something.
///
/// # Errors
/// [`EgressError::Refused`].
pub fn remove_left_behind(interface: &str) -> Result<bool, EgressError> {
    hook::remove_left_behind(interface, PROGRAM)
}
