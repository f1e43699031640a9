//! What a world has in it that receivers of one session differ in, and what is not ours.

use super::settled::{is_guaranteed, requests_ever};
use crate::scenario::model::{
    Deed, Flow, Link, NodeId, Request, ReservationStyle, Scenario, SenderId, SessionId,
};
use std::collections::BTreeSet;

/// Notes it.
pub(super) fn note(scenario: &Scenario, features: &mut BTreeSet<&'static str>) {
    let first = scenario.links.first().map(|link| link.mtu);
    if scenario.links.iter().any(|link| Some(link.mtu) != first) {
        features.insert("different MTUs");
    }
    if scenario.links.iter().any(|link| link.refusal.is_some()) {
        features.insert("refusal by other software");
    }
    if scenario.nodes.iter().any(|node| node.carries.is_some()) {
        features.insert("objects that nobody understands");
    }
    if scenario.nodes.iter().any(|node| node.plain) {
        features.insert("router without RSVP");
    }
    if !scenario.convergence.is_zero() {
        features.insert("uneven convergence");
    }
    let receives = |n: &NodeId| scenario.receivers.iter().any(|receiver| receiver.node == *n);
    let before = |link: &Link| {
        let plain = link.ends.iter().any(|end| scenario.nodes[end.0].plain);
        plain && link.ends.iter().any(receives)
    };
    if scenario.links.iter().any(before) {
        features.insert("router without RSVP just before a receiver");
    }
    for session in (0..scenario.sessions.len()).map(SessionId) {
        in_session(scenario, session, features);
    }
}

fn in_session(scenario: &Scenario, session: SessionId, features: &mut BTreeSet<&'static str>) {
    let here = |n: &usize| scenario.receivers[*n].session == session;
    let receivers: Vec<usize> = (0..scenario.receivers.len()).filter(here).collect();
    let requests: Vec<&Request> =
        receivers.iter().filter_map(|n| scenario.receivers[*n].request.as_ref()).collect();
    let mut note = |there: bool, feature| {
        if there {
            features.insert(feature);
        }
    };
    for (n, a) in requests.iter().enumerate() {
        for b in &requests[n + 1..] {
            let alike =
                |f: &Flow, g: &Flow| f.filters == g.filters && f.traffic.rate_bps == g.traffic.rate_bps;
            let pairs = || a.flows.iter().flat_map(|f| b.flows.iter().map(move |g| (f, g)));
            let mut equal = pairs().filter(|(f, g)| alike(f, g));
            note(
                equal.clone().any(|(f, g)| f.traffic.bucket != g.traffic.bucket),
                "equal rates, different buckets",
            );
            note(
                equal.any(|(f, g)| f.traffic.max_packet != g.traffic.max_packet),
                "equal rates, different packet sizes",
            );
            if a.style == ReservationStyle::Se && b.style == ReservationStyle::Se {
                let (a, b) = (senders(a), senders(b));
                note(a.is_disjoint(&b), "SE for disjoint senders");
                note(a != b && !a.is_disjoint(&b), "SE for overlapping senders");
            }
        }
    }
    let service = |request: &Request| request.flows.iter().any(|flow| is_guaranteed(flow.service));
    let changes = receivers.iter().filter(|n| {
        let mut all = requests_ever(scenario, **n).map(service);
        all.next().is_some_and(|first| all.any(|later| later != first))
    });
    let changes = changes.count();
    note(changes > 0, "change of service");
    note(changes > 1, "change of service by several receivers");
    let two = |request: &Request| {
        let mut flows = request.flows.iter().map(|flow| is_guaranteed(flow.service));
        flows.next().is_some_and(|first| flows.any(|other| other != first))
    };
    note(receivers.iter().any(|n| requests_ever(scenario, *n).any(two)), "two services in one message");
    let adds = |action: &crate::scenario::model::Action| match &action.deed {
        Deed::ChangeReceiver(who, request) if here(&who.0) => {
            let before = scenario.receivers[who.0].request.as_ref().map(senders).unwrap_or_default();
            request.confirm && !before.is_empty() && !senders(request).is_subset(&before)
        }
        _ => false,
    };
    note(scenario.actions.iter().any(adds), "senders added with a wish for confirmation");
}

fn senders(request: &Request) -> BTreeSet<SenderId> {
    request.flows.iter().flat_map(|flow| flow.filters.iter().copied()).collect()
}
