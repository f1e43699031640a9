//! Which rows are shown, and in which order: by session, and by what tells those of a session apart.

use super::super::{names, texts};
use clap::Args;
use core::net::IpAddr;
use rsvp_client::rows::{RequestRow, Rows, SenderRow};
use rsvp_wire::FilterSpec;

/// What rows are to be about.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Filters {
    /// Only what arrives by, leaves by or is on this interface
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
    /// Only what came from this neighbour or goes to it
    #[arg(long, value_name = "HOST", value_parser = names::host)]
    pub(super) peer: Option<IpAddr>,
    /// Only what is of this sender, by address and port
    #[arg(long, value_name = "HOST:PORT", value_parser = names::sender)]
    pub(super) sender: Option<FilterSpec>,
}

impl Filters {
    fn is_on(&self, names: &[&str]) -> bool {
        self.interface.as_deref().is_none_or(|only| names.contains(&only))
    }

    fn is_of(&self, hop: &str) -> bool {
        self.peer.is_none_or(|only| hop.parse() == Ok(only))
    }

    /// No filter is one for all senders (WF).
    fn names(&self, filters: &[FilterSpec]) -> bool {
        self.sender.is_none_or(|only| filters.is_empty() || filters.contains(&only))
    }

    /// The rows that are wanted, in order. What rows of a kind do not have was not said: it is refused.
    pub(super) fn choose(&self, rows: Rows) -> Rows {
        match rows {
            Rows::Sessions(mut rows) => {
                rows.sort_by_key(|row| row.session);
                Rows::Sessions(rows)
            }
            Rows::Senders(rows) => Rows::Senders(self.senders(rows)),
            Rows::Requests(rows) => Rows::Requests(self.requests(rows)),
            Rows::Reservations(mut rows) => {
                let wanted = |on: &str, of: &[FilterSpec]| self.is_on(&[on]) && self.names(of);
                rows.retain(|row| wanted(&row.interface, &row.filters));
                rows.sort_by_cached_key(|row| (row.session, row.interface.clone(), row.filters.clone()));
                Rows::Reservations(rows)
            }
            Rows::Blockades(mut rows) => {
                rows.retain(|row| {
                    let named = self.names(row.sender.as_slice());
                    self.is_of(&row.previous_hop.to_string()) && self.is_on(&[&row.incoming]) && named
                });
                rows.sort_by_key(|row| (row.session, row.sender, row.previous_hop));
                Rows::Blockades(rows)
            }
            Rows::Interfaces(mut rows) => {
                rows.retain(|row| self.is_on(&[&row.name]));
                rows.sort_by_cached_key(|row| row.name.clone());
                Rows::Interfaces(rows)
            }
            Rows::Neighbours(mut rows) => {
                let wanted = |on: &str, address| self.is_on(&[on]) && self.is_of(&texts::neighbour(address));
                rows.retain(|row| wanted(&row.interface, row.address));
                rows.sort_by_cached_key(|row| (row.interface.clone(), row.address));
                Rows::Neighbours(rows)
            }
            Rows::Flows(mut rows) => {
                let wanted = |on: &str, of: &[FilterSpec]| self.is_on(&[on]) && self.names(of);
                rows.retain(|row| wanted(&row.interface, &row.filters));
                rows.sort_by_cached_key(|row| (row.session, row.interface.clone(), row.filters.clone()));
                Rows::Flows(rows)
            }
            // They stay in the order in which they happened.
            Rows::Events(mut rows) => {
                let is_of = |peer: Option<IpAddr>| self.peer.is_none_or(|only| peer == Some(only));
                rows.retain(|row| is_of(row.watched.peer()));
                Rows::Events(rows)
            }
            Rows::Counters(counters) => Rows::Counters(counters),
        }
    }

    fn senders(&self, mut rows: Vec<SenderRow>) -> Vec<SenderRow> {
        rows.retain(|row| {
            let names: Vec<_> = row.interface.iter().chain(&row.outgoing).map(String::as_str).collect();
            self.is_on(&names) && self.is_of(&row.previous_hop) && self.names(&[row.sender.0])
        });
        rows.sort_by_cached_key(|row| {
            (row.session, row.sender.0, row.previous_hop.clone(), row.interface.clone())
        });
        rows
    }

    fn requests(&self, mut rows: Vec<RequestRow>) -> Vec<RequestRow> {
        rows.retain(|row| {
            let names: Vec<_> = row.interface.iter().map(String::as_str).collect();
            let named = row.flows.iter().any(|flow| self.names(&flow.filters));
            self.is_on(&names) && self.is_of(&row.next_hop) && named
        });
        rows.sort_by_cached_key(|row| {
            (row.session, row.interface.clone(), row.next_hop.clone(), row.application)
        });
        rows
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.interface.is_none() && self.peer.is_none() && self.sender.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::rows::NeighbourRow;

    fn neighbours() -> Rows {
        let row = |interface: &str, address: &str| NeighbourRow {
            interface: interface.to_owned(),
            address: address.parse().ok(),
            senders: 1,
            requests: 0,
            heard_ms: None,
            octets: None,
            floor_octets: None,
            states: None,
            messages: None,
            refused: Default::default(),
        };
        Rows::Neighbours(vec![row("eth1", "10.0.2.2"), row("eth0", "10.0.1.10"), row("eth0", "10.0.1.9")])
    }

    fn addresses(rows: Rows) -> Vec<String> {
        let Rows::Neighbours(rows) = rows else { panic!("they are neighbours") };
        rows.iter().map(|row| texts::neighbour(row.address)).collect()
    }

    #[test]
    fn rows_are_sorted_as_numbers_are_and_filtered() {
        assert_eq!(addresses(Filters::default().choose(neighbours())), ["10.0.1.9", "10.0.1.10", "10.0.2.2"]);
        let on = Filters { interface: Some("eth0".to_owned()), ..Filters::default() };
        assert_eq!(addresses(on.choose(neighbours())), ["10.0.1.9", "10.0.1.10"]);
        let of = Filters { peer: "10.0.2.2".parse().ok(), ..Filters::default() };
        assert_eq!(addresses(of.choose(neighbours())), ["10.0.2.2"]);
    }
}
