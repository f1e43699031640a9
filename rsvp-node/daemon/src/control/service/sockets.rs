//! Clients' sockets: what the QoS service does, with the descriptors that came and the lines that go.

use super::{ClientId, ControlService, EngineAccess};
use crate::control::descriptors::Handed;
use crate::hooks::Change;
use crate::qos_service::{Limits, QosService, Told};
use rsvp_control::rows::FlowRow;
use rsvp_control::{Done, Line, Problem, Request};
use rsvp_node::ReservationId;
use rsvp_wire::{FilterSpec, SenderTemplate};

impl ControlService {
    /// A control service with these bounds for the sockets of each user.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self { qos: QosService::new(limits), ..Self::default() }
    }

    /// Other bounds.
    pub fn bound_sockets(&mut self, limits: Limits) {
        self.qos.bound(limits);
    }

    /// A client has handed over sockets, for lines that come next.
    pub fn handed(&mut self, client: ClientId, sockets: Vec<Handed>) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.handed.extend(sockets);
        }
    }

    /// All lines that sockets came with have been said: one that none of them named is given up.
    pub fn handed_all(&mut self, client: ClientId) {
        let Some(of_client) = self.clients.get_mut(&client) else { return };
        let unclaimed = core::mem::take(&mut of_client.handed).len();
        if unclaimed > 0 {
            let message = format!(
                "{unclaimed} descriptors came that no line has named, and are closed: a line names one by `\"fd\":true`"
            );
            self.unusable(client, Problem::new("descriptors", message));
        }
    }

    /// What a client sent cannot be used: it is told so.
    pub fn unusable(&mut self, client: ClientId, problem: Problem) {
        if self.clients.contains_key(&client) {
            self.say(client, &Line { error: Some(problem), ..Line::default() });
        }
    }

    /// The kernel says what has become of a socket; whether a client has handed it over.
    pub fn socket_changed(&mut self, cookie: u64, change: &Change, access: &mut dyn EngineAccess) -> bool {
        let has_qos = self.qos.changed(cookie, change, access);
        self.say_what_sockets_are_told();
        let has_flow = self.socket_flows.changed(cookie, change, access);
        self.say_what_socket_flows_did();
        has_qos || has_flow
    }

    /// The data plane cannot carry a flow out; whether that is one of a socket, which is told.
    pub fn local_flow_failed(&mut self, flow: ReservationId) -> bool {
        let is_local = self.qos.local_flow_failed(flow);
        self.say_what_sockets_are_told();
        is_local
    }

    /// Flows with what applications call them.
    pub(super) fn with_names(&self, rows: &[FlowRow]) -> Vec<FlowRow> {
        let names = self.qos.names();
        let name = |row: &FlowRow| {
            let session = row.session.with_flags(0);
            let of = |filter: &FilterSpec| names.get(&(session, SenderTemplate(*filter)));
            match &row.filters[..] {
                // Of a wildcard, that of any sender here.
                [] => names.iter().find(|((of, _), _)| *of == session).map(|(_, name)| name),
                filters => filters.iter().find_map(of),
            }
        };
        rows.iter().map(|row| FlowRow { name: name(row).cloned(), ..row.clone() }).collect()
    }

    /// Does what sockets want because of what has happened (after [`event`](Self::event)).
    pub fn settle(&mut self, access: &mut dyn EngineAccess) {
        self.qos.settle(access);
        self.say_what_sockets_are_told();
        self.tc.settle(access);
        self.say_what_flows_did();
    }

    pub(super) fn about_socket(
        &mut self,
        id: ClientId,
        request: Request,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(Done::default()) };
        let comes_along = match &request {
            Request::QosOpen(open) => open.fd,
            Request::QosMoved(moved) => moved.fd,
            _ => false,
        };
        let handed = if comes_along {
            let missing = || {
                let message =
                    "no descriptor came with the line: send it beside the line's octets, as SCM_RIGHTS";
                Problem::new("descriptors", message)
            };
            Some(client.handed.pop_front().ok_or_else(missing)?)
        } else {
            None
        };
        let who = client.who;
        self.qos.request(id, who, request, handed, access)
    }

    /// Addresses or routes have changed.
    pub(super) fn sockets_look_again(&mut self, access: &mut dyn EngineAccess) {
        self.qos.look_again(access);
        self.say_what_sockets_are_told();
        self.socket_flows.look_again(access);
        self.say_what_socket_flows_did();
    }

    pub(super) fn say_what_sockets_are_told(&mut self) {
        while let Some((client, told)) = self.qos.told() {
            let line = match told {
                Told::Qos(told) => Line { qos: Some(*told), ..Line::default() },
                Told::Closed(socket) => Line { closed: Some(socket), ..Line::default() },
            };
            self.say(client, &line);
        }
    }
}
