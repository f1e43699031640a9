//! What interfaces and flows have, and what was counted: for those that have asked, when the data plane has said it.

use super::{Made, TcService, id_of, name};
use crate::control::service::{ClientId, EngineAccess, named};
use rsvp_control::rows::FlowRow;
use rsvp_control::tc::{Counted, FlowReport, InterfaceReport, Query, Report};
use rsvp_control::{Done, Problem};
use rsvp_node::{InterfaceId, ReservationId};
use std::collections::BTreeMap;

/// Somebody who has asked.
#[derive(Debug)]
pub(super) struct Asking {
    client: ClientId,
    id: Option<u64>,
    query: Query,
}

impl Asking {
    pub(super) fn is_of(&self, client: ClientId) -> bool {
        self.client == client
    }
}

/// What somebody has asked, answered: who, the number of the request, and the answer.
pub(crate) type Answered = (ClientId, Option<u64>, Result<Done, Problem>);

impl TcService {
    /// A client asks; it is answered when the data plane has said what it has.
    pub fn ask(&mut self, client: ClientId, id: Option<u64>, query: Query) {
        self.asking.push(Asking { client, id, query });
    }

    /// Whether somebody waits for that who is not to be answered with the listing that is being made.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        !self.asking.is_empty()
    }

    /// The data plane begins to list what it has, for those who have asked until now.
    pub(crate) fn is_listed(&mut self) {
        self.listed.append(&mut self.asking);
    }

    /// What the data plane has, or why it cannot say: those who had asked when it began are told.
    pub(crate) fn answer(
        &mut self,
        counted: &Result<BTreeMap<ReservationId, FlowRow>, String>,
        access: &dyn EngineAccess,
    ) -> Vec<Answered> {
        let asking = core::mem::take(&mut self.listed);
        let answers = asking.into_iter().map(|Asking { client, id, query }| {
            let report = match counted {
                Ok(counted) => self.report(client, &query, counted, access),
                Err(why) => Err(Problem::new("data-plane", format!("the data plane does not tell: {why}"))),
            };
            (client, id, report.map(|report| Done { tc: Some(report), ..Done::default() }))
        });
        answers.collect()
    }

    fn report(
        &self,
        client: ClientId,
        query: &Query,
        counted: &BTreeMap<ReservationId, FlowRow>,
        access: &dyn EngineAccess,
    ) -> Result<Report, Problem> {
        let only = named(query.interface.as_deref(), access)?;
        if let Some(flow) = query.flow.filter(|flow| !self.flows.contains_key(flow)) {
            return Err(Problem::new("not-found", format!("there is no flow {flow}")));
        }
        let wanted = |on: InterfaceId| only.is_none_or(|only| only == on);
        let flows = self
            .flows
            .iter()
            .filter(|(flow, made)| wanted(made.interface) && query.flow.is_none_or(|only| only == **flow));
        let flows = flows.map(|(flow, made)| made.report(*flow, client, counted.get(&id_of(*flow)), access));
        let interfaces = access.engine().interfaces().filter(|(interface, _)| wanted(interface.id));
        let interfaces = interfaces.map(|(interface, reserved_bps)| {
            let here = || self.flows.values().filter(|made| made.interface == interface.id);
            InterfaceReport {
                interface: name(interface.id, access),
                up: interface.up,
                bandwidth_bps: interface.bandwidth_bps,
                reservable_bps: interface.reservable_bps,
                remaining_bps: interface.reservable_bps.saturating_sub(reserved_bps),
                flows: here().count(),
                filters: here().map(|made| made.filters.len()).sum(),
                masks: self.masks.get(&interface.id).map_or(0, BTreeMap::len),
                data_plane: access.data_plane_on(interface.id),
            }
        });
        Ok(Report { interfaces: interfaces.collect(), flows: flows.collect() })
    }
}

impl Made {
    fn report(
        &self,
        flow: u64,
        client: ClientId,
        counted: Option<&FlowRow>,
        access: &dyn EngineAccess,
    ) -> FlowReport {
        FlowReport {
            flow,
            own: self.client == client,
            interface: name(self.interface, access),
            said: self.said.clone(),
            filters: self.filters.iter().map(|(number, (filter, _))| (*number, filter.clone())).collect(),
            rate_bps: counted.map_or(0, |row| row.rate_bps),
            counted: counted.map(|row| Counted {
                class: row.class.clone(),
                packets: row.packets,
                octets: row.octets,
                excess_packets: row.excess_packets,
                excess_octets: row.excess_octets,
                dropped_packets: row.dropped_packets,
                backlog_octets: row.backlog_octets,
            }),
        }
    }
}
