//! Flows and filters that clients make by hand: requests for the traffic control service, and what it has to say.

use super::{ClientId, ControlService, EngineAccess};
use rsvp_control::rows::FlowRow;
use rsvp_control::tc::Query;
use rsvp_control::{Done, Line, Problem, Request};
use rsvp_node::ReservationId;
use std::collections::BTreeMap;

impl ControlService {
    pub(super) fn about_tc(
        &mut self,
        client: ClientId,
        request: Request,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        self.tc.request(client, request, access)
    }

    /// A client asks what there is: it is answered with what the data plane says.
    pub(super) fn ask_tc(&mut self, client: ClientId, id: Option<u64>, query: Query) {
        self.tc.ask(client, id, query);
    }

    /// What the data plane has of flows that are made by hand, or why it cannot say: those who have asked are told.
    pub fn flows_by_hand(
        &mut self,
        flows: &Result<BTreeMap<ReservationId, FlowRow>, String>,
        access: &mut dyn EngineAccess,
    ) {
        self.socket_flows.counted(flows, access);
        self.say_what_socket_flows_did();
        for (client, id, answer) in self.tc.answer(flows, access) {
            let (ok, error) = match answer {
                Ok(done) => (Some(done), None),
                Err(problem) => (None, Some(problem)),
            };
            self.say(client, &Line { id, ok, error, ..Line::default() });
        }
    }

    /// The data plane cannot carry out a flow that was made by hand; whether it is one.
    pub fn flow_by_hand_failed(
        &mut self,
        flow: ReservationId,
        why: &str,
        access: &mut dyn EngineAccess,
    ) -> bool {
        let is_by_hand = self.tc.failed(flow, why, access);
        self.say_what_flows_did();
        is_by_hand
    }

    /// Gives the data plane what has changed of flows that are made by hand, now that it has time.
    pub fn hand_on(&mut self, access: &mut dyn EngineAccess) {
        self.tc.hand_on(access);
        self.socket_flows.hand_on(access);
    }

    /// Interfaces have changed.
    pub(super) fn flows_look_again(&mut self, access: &mut dyn EngineAccess) {
        self.tc.look_again(access);
        self.say_what_flows_did();
    }

    pub(super) fn say_what_flows_did(&mut self) {
        while let Some((client, event)) = self.tc.told() {
            self.say(client, &Line { tc: Some(event), ..Line::default() });
        }
    }
}
