//! What the traffic control interface has in the egress program: filters with their masks, and rules by inbound DSCP.
//!
//! A filter is looked for by its mask, in the order of how specific masks are; the program knows which there are. Whose flows these
//! are, and that a filter is not given to two, is deliberately the caller's business.

use super::pattern::{MOST_MASKS, Mask, Pattern};
use super::sys::{MaskRecord, MasksRecord, PatternRecord, RuleRecord, RulesRecord};
use super::{Egress, EgressError, FlowId};
use aya::maps::{HashMap, MapData};
use std::collections::BTreeMap;

/// Bits of `by_hand` in the record of an interface.
const FILTERS: u32 = 1;
const RULES: u32 = 2;
/// A mark that is left as it was.
const LEAVE: u8 = 0xff;

/// The maps, and what is in them.
pub(super) struct ByHand {
    pub(super) filters: HashMap<MapData, PatternRecord, u32>,
    pub(super) masks: HashMap<MapData, u32, MasksRecord>,
    pub(super) rules: HashMap<MapData, u32, RulesRecord>,
    /// The masks of each interface, with their numbers and how many patterns each has.
    pub(super) known: BTreeMap<u32, BTreeMap<Mask, (u8, usize)>>,
}

/// A rule: what becomes of forwarded packets that come with a DSCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The DSCP with which they come, 0 to 63.
    pub inbound: u8,
    /// The DSCP with which they leave: of those that conform to their flow, and of those that do not.
    pub dscp: [u8; 2],
    /// Their priority code points, where they get any.
    pub pcp: [Option<u8>; 2],
}

impl Egress {
    /// From now on packets with this pattern that leave by an interface are of this flow, unless they are of a session that sets the same.
    ///
    /// # Errors
    /// [`EgressError::FilterTaken`], [`EgressError::Masks`], [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn add_filter(&mut self, interface: u32, pattern: &Pattern, id: FlowId) -> Result<(), EgressError> {
        self.keys_of(id)?;
        if !self.attached.contains_key(&interface) {
            return Err(EgressError::NotAttached(interface));
        }
        let masks = self.by_hand.known.entry(interface).or_default();
        let mask = pattern.mask();
        let number = match masks.get(&mask) {
            Some((number, _)) => *number,
            None => free(masks).ok_or(EgressError::Masks(MOST_MASKS))?,
        };
        let record = pattern.record(interface, number);
        if self.by_hand.filters.get(&record, 0).is_ok() {
            return Err(EgressError::FilterTaken);
        }
        let refused = |error| EgressError::of_map("a filter", &error);
        self.by_hand.filters.insert(record, id.0, 0).map_err(refused)?;
        let masks = self.by_hand.known.entry(interface).or_default();
        let patterns = &mut masks.entry(mask).or_insert((number, 0)).1;
        *patterns += 1;
        if *patterns == 1 { self.tell_masks(interface) } else { Ok(()) }
    }

    /// Packets with this pattern are of no flow any more, unless by a less specific one.
    ///
    /// # Errors
    /// [`EgressError::NoKey`], [`EgressError::Refused`].
    pub fn remove_filter(&mut self, interface: u32, pattern: &Pattern) -> Result<(), EgressError> {
        let masks = self.by_hand.known.get_mut(&interface).ok_or(EgressError::NoKey)?;
        let (number, patterns) = masks.get_mut(&pattern.mask()).ok_or(EgressError::NoKey)?;
        let record = pattern.record(interface, *number);
        let refused = |error| EgressError::of_map("to remove a filter", &error);
        self.by_hand.filters.remove(&record).map_err(refused)?;
        *patterns -= 1;
        if *patterns > 0 {
            return Ok(());
        }
        masks.remove(&pattern.mask());
        self.tell_masks(interface)
    }

    /// The rules of an interface, each with its flow; they take the place of those before.
    ///
    /// # Errors
    /// [`EgressError::Classes`] for a DSCP that is none, [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_rules(&mut self, interface: u32, rules: &[(Rule, FlowId)]) -> Result<(), EgressError> {
        let here = self.attached.get_mut(&interface).ok_or(EgressError::NotAttached(interface))?;
        let mut record = RulesRecord { of: [RuleRecord::default(); 64] };
        for (rule, id) in rules {
            let place = record.of.get_mut(usize::from(rule.inbound));
            let place = place.ok_or(EgressError::Classes(rule.inbound, 0))?;
            *place =
                RuleRecord { flow: id.0 + 1, dscp: rule.dscp, pcp: rule.pcp.map(|pcp| pcp.unwrap_or(LEAVE)) };
        }
        let refused = |error| EgressError::of_map("rules by inbound DSCP", &error);
        if rules.is_empty() && here.record.by_hand & RULES == 0 {
            return Ok(());
        }
        if rules.is_empty() {
            here.record.by_hand &= !RULES;
            self.tell(interface)?;
            return self.by_hand.rules.remove(&interface).map_err(refused);
        }
        here.record.by_hand |= RULES;
        self.by_hand.rules.insert(interface, record, 0).map_err(refused)?;
        self.tell(interface)
    }

    /// How many filters there are, as the kernel has them.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn filters(&self) -> Result<usize, EgressError> {
        let all: Result<Vec<PatternRecord>, _> = self.by_hand.filters.keys().collect();
        all.map(|all| all.len()).map_err(|error| EgressError::of_map("to list filters", &error))
    }

    /// Takes all filters and rules away, of one interface or of all: clients have made them, and whose they were is known to nobody
    /// after a restart.
    pub(super) fn forget_by_hand(&mut self, of: Option<u32>) -> Result<(), EgressError> {
        let refused = |error| EgressError::of_map("to remove filters", &error);
        let here = |interface: u32| of.is_none_or(|of| of == interface);
        let filters: Result<Vec<PatternRecord>, _> = self.by_hand.filters.keys().collect();
        for record in filters.map_err(refused)?.into_iter().filter(|record| here(record.interface)) {
            self.by_hand.filters.remove(&record).map_err(refused)?;
        }
        let masks: Result<Vec<u32>, _> = self.by_hand.masks.keys().collect();
        for interface in masks.map_err(refused)?.into_iter().filter(|interface| here(*interface)) {
            self.by_hand.masks.remove(&interface).map_err(refused)?;
        }
        let rules: Result<Vec<u32>, _> = self.by_hand.rules.keys().collect();
        for interface in rules.map_err(refused)?.into_iter().filter(|interface| here(*interface)) {
            self.by_hand.rules.remove(&interface).map_err(refused)?;
        }
        self.by_hand.known.retain(|interface, _| !here(*interface));
        Ok(())
    }

    /// Tells the program which masks there are, when one has come or gone.
    fn tell_masks(&mut self, interface: u32) -> Result<(), EgressError> {
        let refused = |error| EgressError::of_map("the masks of filters", &error);
        let mut record = MasksRecord { count: 0, of: [MaskRecord::default(); MOST_MASKS] };
        let known = self.by_hand.known.get(&interface);
        for ((mask, (number, _)), place) in known.into_iter().flatten().zip(&mut record.of) {
            *place = mask.record(*number);
            record.count += 1;
        }
        let here = self.attached.get_mut(&interface).ok_or(EgressError::NotAttached(interface))?;
        let bits = here.record.by_hand;
        here.record.by_hand = if record.count > 0 { bits | FILTERS } else { bits & !FILTERS };
        let is_other = here.record.by_hand != bits;
        if record.count == 0 {
            self.tell(interface)?;
            return self.by_hand.masks.remove(&interface).map_err(refused);
        }
        self.by_hand.masks.insert(interface, record, 0).map_err(refused)?;
        if is_other { self.tell(interface) } else { Ok(()) }
    }
}

/// A number that no mask of an interface has.
fn free(masks: &BTreeMap<Mask, (u8, usize)>) -> Option<u8> {
    (0..MOST_MASKS as u8).find(|number| masks.values().all(|(taken, _)| taken != number))
}
