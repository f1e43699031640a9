//! What a test expects of the node, in one line each: messages, events, reservations, and that nothing is left.

use super::bench::Bench;
use super::sent::Sent;
use super::words::{Family, Flows, error_name, interface, interface_name, name, sender_name};
use rsvp_node::{Event, EventKind, InterfaceId, Reservation, TcChange};
use rsvp_wire::Flowspec;

impl Bench {
    /// Forgets what came out so far.
    pub(crate) fn forget(&mut self) -> &mut Self {
        self.sent.clear();
        self.events.clear();
        self.traffic.clear();
        self
    }

    /// What was sent since the last look is this, in any order.
    #[track_caller]
    pub(crate) fn sends(&mut self, expected: &[&str]) -> &mut Self {
        let sent = self.sent.drain(..).map(|s| s.name()).collect();
        check(self.family, "sent", sent, expected);
        self
    }

    /// This is among what was sent since the last look, once; the look goes on.
    #[track_caller]
    pub(crate) fn sends_among_others(&mut self, expected: &str) -> &mut Self {
        let sent: Vec<_> = self.sent.iter().map(|s| s.name()).collect();
        assert_eq!(sent.iter().filter(|s| *s == expected).count(), 1, "{expected} in {sent:?}");
        self
    }

    /// What was sent since the last look, if it is one message.
    #[track_caller]
    pub(crate) fn sends_one(&mut self, expected: &str) -> Sent {
        let sent = self.sent.clone();
        self.sends(&[expected]);
        sent.into_iter().next().expect("one message")
    }

    /// What applications were told since the last look is this, in any order.
    #[track_caller]
    pub(crate) fn tells(&mut self, expected: &[&str]) -> &mut Self {
        let told = self.events.drain(..).map(|e| event_name(&e)).collect();
        check(self.family, "told", told, expected);
        self
    }

    /// The reservations that are installed are these, and the data plane was told so.
    #[track_caller]
    pub(crate) fn installs(&mut self, expected: &[&str]) -> &mut Self {
        let held: Vec<_> = self.engine.reservations().map(|(_, on, r)| reservation_name(on, &r)).collect();
        check(self.family, "installed", held, expected);
        self
    }

    /// What the data plane was told since the last look, in its order: `+c WF{4B}` and `-c`.
    #[track_caller]
    pub(crate) fn commands_traffic_control(&mut self, expected: &[&str]) -> &mut Self {
        let told: Vec<String> = self
            .traffic
            .drain(..)
            .map(|t| match t.change {
                TcChange::Install(r) => format!("+{}", reservation_name(t.interface, &r)),
                TcChange::Remove => format!("-{}", interface_name(t.interface)),
            })
            .collect();
        assert_eq!(told, expected, "{:?}: traffic control", self.family);
        self
    }

    /// Nothing was sent and nobody was told anything since the last look.
    #[track_caller]
    pub(crate) fn is_silent(&mut self) -> &mut Self {
        self.sends(&[]).tells(&[])
    }

    /// What is reserved on an interface, in multiples of B.
    pub(crate) fn reserved(&self, letter: &str) -> f64 {
        let bps = self.engine.interfaces().find(|(i, _)| i.id == interface(letter)).map_or(0, |(_, bps)| bps);
        bps as f64 / 8000.0
    }

    /// Nothing at all is left in the node.
    #[track_caller]
    pub(crate) fn is_empty(&mut self) -> &mut Self {
        assert!(self.engine.is_empty(), "{:?}: {}", self.family, self.state());
        assert!(self.engine.interfaces().all(|(_, bps)| bps == 0), "{:?}: budgets are free", self.family);
        self
    }
}

#[track_caller]
fn check(family: Family, what: &str, mut actual: Vec<String>, expected: &[&str]) {
    let mut expected = expected.to_vec();
    actual.sort();
    expected.sort_unstable();
    assert_eq!(actual, expected, "{family:?}: {what}");
}

fn reservation_name(on: InterfaceId, r: &Reservation) -> String {
    let flows = Flows { style: r.style, flows: vec![(Some(r.flowspec), r.filters.clone())] };
    format!("{} {}", interface_name(on), flows.name())
}

fn event_name(event: &Event) -> String {
    let flows = |style, flowspec: &Option<Flowspec>, filters: &[_]| {
        Flows { style, flows: vec![(*flowspec, filters.to_vec())] }.name()
    };
    let said = match &event.kind {
        EventKind::Path { sender, tspec, .. } => {
            format!("Path {}{{{}B}}", sender_name(&sender.0), tspec.rate / 1000.0)
        }
        EventKind::PathGone { sender, why } => format!("PathGone {} {why:?}", sender_name(&sender.0)),
        EventKind::Resv { style, flowspec, filters, .. } => {
            format!("Resv {}", flows(*style, &Some(*flowspec), filters))
        }
        EventKind::ResvGone { style, filters } => format!("ResvGone {}", flows(*style, &None, filters)),
        EventKind::PathError { error, sender } => {
            format!("PathError {} {} at {}", error_name(error), sender_name(&sender.0), name(error.node))
        }
        EventKind::ResvError { error, style, flowspec, filters } => {
            format!(
                "ResvError {} {} at {}",
                error_name(error),
                flows(*style, flowspec, filters),
                name(error.node)
            )
        }
        EventKind::ResvConfirm { node, style, flowspec, filters } => {
            format!("ResvConfirm {} {}", name(*node), flows(*style, flowspec, filters))
        }
        other => panic!("an event without a name: {other:?}"),
    };
    format!("{} {said}", event.app.0)
}
