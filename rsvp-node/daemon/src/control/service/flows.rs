//! Flows of sockets without signalling: requests for the flow service, and what it has to say.

use super::{ClientId, ControlService, EngineAccess};
use crate::flow_service::{Limits, Measured, Target};
use rsvp_control::{Line, Problem, Request};
use rsvp_node::{Instant, ReservationId};

impl ControlService {
    /// These bounds for flows of sockets.
    pub fn bound_flows(&mut self, limits: Limits) {
        self.socket_flows.bound(limits);
    }

    /// A client asks: it is answered when it is done, which may be later.
    pub(super) fn about_socket_flow(
        &mut self,
        client: ClientId,
        id: u64,
        request: Request,
        access: &mut dyn EngineAccess,
    ) {
        let Some(of_client) = self.clients.get_mut(&client) else { return };
        let comes_along = match &request {
            Request::FlowAdd(add) => add.fd,
            Request::FlowRemove(remove) => remove.fd,
            _ => false,
        };
        let handed = if comes_along { of_client.handed.pop_front() } else { None };
        let who = of_client.who;
        if comes_along && handed.is_none() {
            let message = "no descriptor came with the line: send it beside the line's octets, as SCM_RIGHTS";
            let error = Some(Problem::new("descriptors", message));
            return self.say(client, &Line { id: Some(id), error, ..Line::default() });
        }
        self.socket_flows.request((client, id), who, request, handed, access);
        self.say_what_socket_flows_did();
    }

    /// The data plane has done what it was told of a flow, or not; whether it is a flow of sockets.
    pub fn socket_flow_answered(
        &mut self,
        flow: ReservationId,
        failure: Option<&str>,
        access: &mut dyn EngineAccess,
    ) -> bool {
        let is_of_sockets = self.socket_flows.answered(flow, failure, access);
        self.say_what_socket_flows_did();
        is_of_sockets
    }

    /// A way was measured, or cannot be.
    pub fn measured(&mut self, target: Target, measured: Measured) {
        self.socket_flows.measured(target, measured);
    }

    /// When a way is to be measured next.
    #[must_use]
    pub fn measures_at(&self) -> Option<Instant> {
        self.socket_flows.due()
    }

    /// Has measured what time has come for.
    pub fn measure(&mut self, access: &mut dyn EngineAccess) {
        self.socket_flows.tick(access);
    }

    pub(super) fn say_what_socket_flows_did(&mut self) {
        while let Some((client, id, done)) = self.socket_flows.answer() {
            let (ok, error) = match done {
                Ok(done) => (Some(done), None),
                Err(problem) => (None, Some(problem)),
            };
            self.say(client, &Line { id: Some(id), ok, error, ..Line::default() });
        }
    }
}
