//! Admission of flows that are not signalled: they are charged as reservations are, by the same budget.

use super::read_object;
use crate::api::Refusal;
use crate::budget::Charge;
use crate::claim::Claim;
use crate::composer::object_of;
use crate::merge::flowspec;
use crate::node::Node;
use rsvp_wire::Flowspec;

impl Node {
    /// Has a flow take what it asks for in the place of what it has.
    pub(crate) fn claim(
        &mut self,
        Claim { flow, interface, flowspec: wanted }: Claim,
    ) -> Result<(), Refusal> {
        let is_legal = |wanted: &Flowspec| {
            read_object::<Flowspec>(&object_of(wanted)).is_some_and(|flowspec| flowspec.is_legal())
        };
        if wanted.as_ref().is_some_and(|wanted| !is_legal(wanted)) {
            return Err(Refusal::BadTrafficParameter);
        }
        let on = self.interfaces.find_mut(interface).ok_or(Refusal::NoInterface)?;
        let charge = wanted.map_or_else(Charge::default, |wanted| Charge {
            bps: flowspec::cost_bps(&wanted, on.config.overhead),
            guaranteed: matches!(wanted, Flowspec::Guaranteed(..)),
        });
        on.claim(flow, charge).map_err(|value| {
            tracing::debug!(?interface, flow, wanted = ?charge, value, "admission refused");
            Refusal::BandwidthUnavailable
        })
    }
}
