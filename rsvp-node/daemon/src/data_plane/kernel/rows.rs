//! Flows as they are listed: what stands, what the egress program has counted, what waits in a class.

use super::super::bpf::{EgressError, FlowId};
use super::super::desired::Desired;
use super::super::tc::{Class, Handle};
use super::{Kernel, Standing, Told};
use rsvp_control::rows::FlowRow;
use rsvp_node::ReservationId;
use rsvp_wire::{Session, Style};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

impl Kernel {
    /// All flows: of reservations, and those that an earlier run has left.
    pub(super) fn rows(&mut self) -> Result<Vec<FlowRow>, String> {
        let classes = self.classes().map_err(|error| error.to_string())?;
        let on = |interface| classes.get(&interface).map(Vec::as_slice).unwrap_or_default();
        let standing = self
            .standing
            .iter()
            .filter_map(|(id, standing)| self.standing_row(*id, standing, on(standing.interface)));
        let stale = self.stale.iter().map(|(id, stale)| self.stale_row(*id, stale, on(stale.interface)));
        standing.chain(stale).map(|row| row.map_err(|error| error.to_string())).collect()
    }

    fn standing_row(
        &self,
        id: ReservationId,
        standing: &Standing,
        classes: &[Class],
    ) -> Option<Result<FlowRow, EgressError>> {
        let Told::Signalled(told) = &standing.told else { return None };
        let row = self.counted(standing.flow, standing.interface, &standing.desired, standing.class, classes);
        Some(row.map(|row| FlowRow {
            id: format!("{}.{}", id.index, id.generation),
            session: told.session,
            style: told.style.into(),
            filters: told.filters.clone(),
            ..row
        }))
    }

    /// What the kernel lists of classes, by interface.
    pub(super) fn classes(&mut self) -> io::Result<BTreeMap<u32, Vec<Class>>> {
        let planted = self.interfaces.iter().filter(|(_, here)| here.tree.is_some());
        planted.map(|(index, _)| Ok((*index, self.tc.classes(*index)?))).collect()
    }

    /// A row about what is counted of a flow on an interface; whose it is has to be filled in.
    pub(super) fn counted(
        &self,
        flow: FlowId,
        interface: u32,
        as_it_is: &Desired,
        class: Option<u32>,
        classes: &[Class],
    ) -> Result<FlowRow, EgressError> {
        let counted = self.egress.statistics(flow)?;
        let here = self.interfaces.get(&interface);
        let tree = here.and_then(|here| here.tree.as_ref());
        let own = class.and_then(|number| tree?.class_of(number));
        let listed = own.and_then(|own| classes.iter().find(|class| class.handle == own));
        let class = as_it_is.flow(tree.is_some(), own).conforming.class.map(Handle);
        let dropped = listed.map_or(0, |class| u64::from(class.counters.drops));
        Ok(FlowRow {
            id: String::new(),
            state: "installed".to_owned(),
            interface: here.map(|here| here.name.clone()).unwrap_or_default(),
            session: Session::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, 0),
            style: Style::FF.into(),
            filters: Vec::new(),
            service: as_it_is.service.word().to_owned(),
            name: None,
            class: class.map(|class| class.to_string()),
            rate_bps: as_it_is.rate * 8,
            packets: counted.conforming.packets,
            octets: counted.conforming.octets,
            excess_packets: counted.excess.packets,
            excess_octets: counted.excess.octets,
            dropped_packets: counted.dropped.packets + dropped,
            backlog_octets: listed.map(|class| class.counters.backlog_octets),
        })
    }
}
