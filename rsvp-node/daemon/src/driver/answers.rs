//! What the data plane says, taken to the engine and to those who have asked.

use super::{Driver, EngineIo};
use crate::config::DaemonConfig;
use crate::data_plane::Failure;
use crate::data_plane::worker::Said;
use rsvp_node::{Input, TcAnswer, TcVerdict};
use std::time::Duration;

/// How long the data plane's first answer is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

impl EngineIo {
    /// Tells the engine where reservations are carried out now that were not, or no longer: Paths say so.
    fn follow_enforcement(&mut self, config: &DaemonConfig) {
        for interface in self.routes.links.follow(config, |index| self.plane.enforces(index)) {
            let (name, is) = (self.routes.links.name(interface.id), self.plane.state(interface.id.0));
            if !interface.enabled {
                tracing::debug!(interface = name, enforces = interface.enforces, "{is}");
            } else if interface.enforces {
                tracing::info!(interface = name, "reservations are enforced from now on: {is}");
            } else {
                tracing::warn!(interface = name, "reservations are not enforced, and Paths say so: {is}");
            }
            self.handle(Input::InterfaceChanged(interface));
        }
    }
}

impl Driver {
    /// Waits for what the data plane says of the interfaces: what it can do there, and what stands there from an earlier run, is to
    /// be known before anybody is told or anything admitted.
    pub(super) async fn look_first(&mut self) {
        self.node.plane.go_on();
        match tokio::time::timeout(FIRST_ANSWER, self.node.plane.said()).await {
            Ok(said) => self.answered(said),
            Err(_) => tracing::warn!(
                "the kernel does not say within {FIRST_ANSWER:?} what stands from an earlier run"
            ),
        }
    }

    /// The data plane has done what it was told, or not: then whoever has asked for it is told why, and the budget is free.
    pub(super) fn answered(&mut self, said: Option<Said>) {
        self.node.follow_enforcement(&self.config);
        let Some(said) = said else {
            tracing::error!("the data plane has failed: reservations are not enforced any more");
            self.service.flows_are_listed();
            self.service.flows(&Err("it has failed".to_owned()), &self.node);
            self.service.flows_by_hand(&Err("it has failed".to_owned()), &mut self.node);
            return;
        };
        for held in said.held {
            self.node.handle(Input::Held(held));
        }
        for answer in said.answers {
            let is_news = self.node.plane.is_news(&answer);
            let (reservation, interface) = (answer.reservation, answer.interface);
            let why = answer.failure.as_ref().map(ToString::to_string);
            let is_of_sockets =
                self.service.socket_flow_answered(reservation, why.as_deref(), &mut self.node);
            let Some(failure) = answer.failure else { continue };
            if is_news {
                tracing::warn!(?reservation, interface, "a reservation cannot be carried out: {failure}");
            }
            if is_of_sockets {
                continue;
            }
            let why = failure.to_string();
            if self.service.flow_by_hand_failed(reservation, &why, &mut self.node) {
                continue;
            }
            if self.service.local_flow_failed(reservation) {
                continue;
            }
            // What it was told meanwhile is tried first.
            if !self.node.plane.has_changed(reservation) {
                let verdict = match failure {
                    Failure::Unfit { value, .. } => TcVerdict::Unfit { value },
                    Failure::System(_) => TcVerdict::Failed,
                };
                self.node.handle(Input::TrafficControl(TcAnswer { reservation, verdict }));
            }
        }
        if let Some(flows) = said.flows {
            self.service.flows(&flows, &self.node);
        }
        if let Some(flows) = said.by_hand {
            self.service.flows_by_hand(&flows, &mut self.node);
        }
    }
}
