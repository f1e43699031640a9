//! Draws what differs between the links, hosts and receivers of one world: packets that some links do not carry, and
//! receivers that ask for what gets through to them (RFC 2210 section 2.3.2); routers that are not ours and refuse large
//! buckets; hosts whose requests carry objects that nobody understands (RFC 2205 section 3.10).

use super::draw::Draw;
use crate::reference::{self, Demand};
use crate::scenario::model::{Deed, NodeId, Refusal, Request, Scenario, SenderId, SessionId};
use rsvp_wire::error_value;

/// An Error Value that no RFC defines: the first of those that are for an organisation's own use.
const VALUE_OF_ITS_OWN: u16 = 0x8001;

/// What links do not carry, or other software does not take.
pub(super) fn links(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    if draw.percent(35) {
        for link in &mut scenario.links {
            link.mtu = draw.one(&[1500, 1500, 1492, 1400]);
        }
    }
    if draw.percent(12) {
        let value = draw.one(&[error_value::BANDWIDTH_UNAVAILABLE, VALUE_OF_ITS_OWN]);
        for link in &mut scenario.links {
            if draw.percent(20) {
                link.refusal = Some(Refusal { bucket: draw.one(&[1_000.0, 1_500.0, 4_000.0]), value });
            }
        }
    }
}

/// Routers without RSVP (RFC 2205 section 3.8), between any two others or just before a host.
pub(super) fn plain(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    if !draw.percent(25) {
        return;
    }
    for node in scenario.nodes.iter_mut().filter(|node| node.router) {
        node.plain = draw.percent(35);
    }
}

/// Objects in requests, of sizes of which some messages hold several.
pub(super) fn objects(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    if !draw.percent(12) {
        return;
    }
    let class = draw.one(&[14, 200]);
    for node in scenario.nodes.iter_mut().filter(|node| !node.router) {
        if draw.percent(50) {
            node.carries = Some((class, draw.one(&[2_100, 600, 100])));
        }
    }
}

/// Receivers ask for packets that get to them; some do not know better.
pub(super) fn packet_sizes(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    let smallest = scenario.links.iter().map(|link| link.mtu).min().unwrap_or_default();
    if scenario.links.iter().all(|link| link.mtu == smallest) {
        return;
    }
    let mut demand = Demand::at_the_end(scenario);
    demand.senders = scenario.senders.iter().map(|sender| Some(sender.traffic)).collect();
    demand.listens.fill(true);
    demand.link_up.fill(true);
    let ways = reference::ways(scenario, &demand);
    let mtu = |sender: SenderId, node: NodeId| {
        let (mut at, mut mtu) = (node, u32::MAX);
        while let Some(&(link, hop)) = ways.get(&(sender, at)) {
            (at, mtu) = (hop, mtu.min(scenario.links[link.0].mtu));
        }
        mtu
    };
    let limits: Vec<Vec<u32>> = scenario
        .receivers
        .iter()
        .map(|receiver| (0..scenario.senders.len()).map(|s| mtu(SenderId(s), receiver.node)).collect())
        .collect();
    let sessions: Vec<SessionId> = scenario.senders.iter().map(|sender| sender.session).collect();
    let known: Vec<bool> = limits.iter().map(|_| draw.percent(85)).collect();
    let limit = |receiver: usize, session: SessionId, request: &mut Request| {
        for flow in &mut request.flows {
            let of = |s: &usize| {
                sessions[*s] == session && (flow.filters.is_empty() || flow.filters.contains(&SenderId(*s)))
            };
            let mtu = (0..sessions.len()).filter(of).map(|s| limits[receiver][s]).min();
            flow.traffic.max_packet = flow.traffic.max_packet.min(mtu.unwrap_or(u32::MAX));
        }
    };
    for (n, receiver) in scenario.receivers.iter_mut().enumerate().filter(|(n, _)| known[*n]) {
        receiver.request.iter_mut().for_each(|request| limit(n, receiver.session, request));
    }
    for action in &mut scenario.actions {
        if let Deed::ChangeReceiver(who, request) = &mut action.deed
            && known[who.0]
        {
            limit(who.0, scenario.receivers[who.0].session, request);
        }
    }
}
