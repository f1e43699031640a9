//! Filters of flows: whose they are, which are taken, and how many kinds there are.

use super::{MOST_FILTERS, TcService, limit, patterns};
use crate::control::service::ClientId;
use crate::data_plane::bpf::{MOST_MASKS, Pattern};
use rsvp_control::Problem;
use rsvp_control::tc::Filter;
use rsvp_node::InterfaceId;

impl TcService {
    /// Has packets be of a flow; gives the number of the filter.
    pub(super) fn add_filter(&mut self, client: ClientId, said: Filter) -> Result<u64, Problem> {
        let on = self.own(client, said.flow)?.interface;
        let pattern = patterns::of(&said)?;
        if let Some(filter) = self.taken.get(&(on, pattern)) {
            let message = format!(
                "filter {filter} has the same pattern and mask on this interface: packets are of one flow"
            );
            return Err(Problem::new("filter-taken", message));
        }
        let of_client = self.flows.values().filter(|made| made.client == client);
        if of_client.map(|made| made.filters.len()).sum::<usize>() >= MOST_FILTERS {
            return Err(limit(format!(
                "one client has {MOST_FILTERS} filters at most: use another connection"
            )));
        }
        let masks = self.masks.entry(on).or_default();
        if !masks.contains_key(&pattern.mask()) && masks.len() >= MOST_MASKS {
            let message = format!(
                "the filters of an interface look at {MOST_MASKS} different sets of bits at most: use masks that others have"
            );
            return Err(limit(message));
        }
        *masks.entry(pattern.mask()).or_default() += 1;
        let filter = self.next_filter;
        self.next_filter += 1;
        self.filters.insert(filter, said.flow);
        self.taken.insert((on, pattern), filter);
        self.changed.insert(said.flow);
        self.own(client, said.flow)?.filters.insert(filter, (said, pattern));
        Ok(filter)
    }

    /// And no longer.
    pub(super) fn remove_filter(&mut self, client: ClientId, filter: u64) -> Result<(), Problem> {
        let missing = || {
            Problem::new(
                "not-found",
                format!("there is no filter {filter}: `tc-query` lists those there are"),
            )
        };
        let flow = self.filters.get(&filter).copied().ok_or_else(missing)?;
        let made = self.own(client, flow)?;
        let (on, removed) = (made.interface, made.filters.remove(&filter));
        self.filters.remove(&filter);
        if let Some((_, pattern)) = removed {
            self.give_back(on, &pattern);
        }
        self.changed.insert(flow);
        Ok(())
    }

    /// A pattern is nobody's any more.
    pub(super) fn give_back(&mut self, on: InterfaceId, pattern: &Pattern) {
        self.taken.remove(&(on, *pattern));
        let Some(masks) = self.masks.get_mut(&on) else { return };
        let Some(patterns) = masks.get_mut(&pattern.mask()) else { return };
        *patterns -= 1;
        if *patterns == 0 {
            masks.remove(&pattern.mask());
        }
    }
}
