//! Draws what happens to a world: applications change their minds, links and nodes fail and come back, packets suffer.

use super::draw::Draw;
use super::generate::{Temper, links, request, traffic};
use super::settled;
use crate::scenario::model::{
    Action, Deed, Flow, LinkId, NodeId, Receiver, ReceiverId, Request, ReservationStyle, Scenario, SenderId,
    Service, SessionId,
};
use core::time::Duration;
use std::collections::BTreeSet;

/// Actions come in quarters of R, in these many of them after the start.
const FIRST: usize = 8;
const LAST: usize = 80;

pub(super) fn actions(draw: &mut Draw<'_>, scenario: &mut Scenario, temper: Temper) {
    let quarter = scenario.refresh / 4;
    for _ in 0..draw.below(13) {
        let at = quarter * draw.between(FIRST, LAST) as u32;
        // Long enough for state to die, or hardly noticed.
        let away = quarter * draw.one(&[1, 4, 8, 30]);
        match draw.below(11) {
            0 | 1 => {
                let link = LinkId(draw.below(scenario.links.len()));
                scenario.actions.push(Action { at, deed: Deed::LinkDown(link) });
                if !draw.percent(10) {
                    scenario.actions.push(Action { at: at + away, deed: Deed::LinkUp(link) });
                }
            }
            2 => {
                let node = NodeId(draw.below(scenario.nodes.len()));
                scenario.actions.push(Action { at, deed: Deed::Crash(node, away) });
            }
            kind => {
                if let Some(deed) = change_of_mind(draw, scenario, kind, temper) {
                    scenario.actions.push(Action { at, deed });
                }
            }
        }
    }
    scenario.actions.sort_by_key(|action| action.at);
}

fn change_of_mind(draw: &mut Draw<'_>, scenario: &Scenario, kind: usize, temper: Temper) -> Option<Deed> {
    if scenario.senders.is_empty() || scenario.receivers.is_empty() {
        return None;
    }
    let sender = SenderId(draw.below(scenario.senders.len()));
    let place = ReceiverId(draw.below(scenario.receivers.len()));
    let receiver = &scenario.receivers[place.0];
    Some(match kind {
        3 | 4 => Deed::ChangeSender(sender, traffic(draw)),
        5 => Deed::TearSender(sender),
        6 => {
            let wanted = receiver.request.iter().flat_map(|r| &r.flows).flat_map(|f| &f.filters);
            let part: Vec<SenderId> = wanted.copied().filter(|_| draw.percent(30)).collect();
            Deed::TearReceiver(place, part)
        }
        7 => Deed::Leave(place),
        8 => Deed::ChangeReceiver(place, with_more_senders(draw, scenario, receiver)?),
        _ => {
            let old = receiver.request.as_ref()?;
            // Alone in its session, a receiver may change everything.
            let alone = scenario.receivers.iter().filter(|r| r.session == receiver.session).count() == 1;
            let any = [ReservationStyle::Wf, ReservationStyle::Ff, ReservationStyle::Se];
            let (style, guaranteed) = if (alone && draw.percent(30)) || (!temper.agrees && draw.percent(20)) {
                (draw.one(&any), draw.percent(50))
            } else {
                (old.style, is_guaranteed(receiver))
            };
            Deed::ChangeReceiver(place, request(draw, scenario, receiver.session, style, guaranteed)?)
        }
    })
}

/// The same for more senders, with a wish for confirmation.
fn with_more_senders(draw: &mut Draw<'_>, scenario: &Scenario, receiver: &Receiver) -> Option<Request> {
    let mut more = receiver.request.clone()?;
    let named = |s: &SenderId| more.flows.iter().any(|flow| flow.filters.contains(s));
    let others: Vec<SenderId> =
        scenario.senders_of(receiver.session).into_iter().filter(|s| !named(s)).collect();
    let added: Vec<SenderId> = others.iter().copied().filter(|_| draw.percent(60)).collect();
    let first = more.flows.first()?.clone();
    match more.style {
        ReservationStyle::Wf => return None,
        ReservationStyle::Se => more.flows.iter_mut().for_each(|flow| flow.filters.extend(&added)),
        ReservationStyle::Ff => {
            let flow = |sender: SenderId| Flow { filters: vec![sender], ..first.clone() };
            more.flows.extend(added.into_iter().map(flow));
        }
    }
    more.confirm = true;
    Some(more)
}

fn is_guaranteed(receiver: &Receiver) -> bool {
    let mut flows = receiver.request.iter().flat_map(|request| &request.flows);
    flows.any(|flow| settled::is_guaranteed(flow.service))
}

/// Receivers of a session change from one service to the other: all of them, in the end, or now and then only some.
pub(super) fn services(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    let quarter = scenario.refresh / 4;
    for session in (0..scenario.sessions.len()).map(SessionId) {
        let here =
            |n: &usize| scenario.receivers[*n].session == session && scenario.receivers[*n].request.is_some();
        let receivers: Vec<usize> = (0..scenario.receivers.len()).filter(here).collect();
        let nodes: BTreeSet<NodeId> = receivers.iter().map(|n| scenario.receivers[*n].node).collect();
        // Applications of one node can change only one after the other, and the first is refused at once.
        if nodes.len() < receivers.len() || !draw.percent(30) {
            continue;
        }
        let some_only = draw.percent(10);
        let (first, apart) = (draw.between(FIRST, LAST), draw.one(&[0, 1, 8]));
        for n in receivers {
            if some_only && draw.percent(50) {
                continue;
            }
            let at = quarter * (first + draw.below(apart + 1)) as u32;
            let receiver = &scenario.receivers[n];
            let (style, other) = (receiver.request.as_ref().map(|r| r.style), !is_guaranteed(receiver));
            let Some(style) = style else { continue };
            let Some(mut changed) = request(draw, scenario, session, style, other) else { continue };
            changed.flows.iter_mut().for_each(|flow| with_service(flow, other));
            // Whatever it asks for later is of that service, too.
            for action in scenario.actions.iter_mut().filter(|action| action.at >= at) {
                if let Deed::ChangeReceiver(who, later) = &mut action.deed
                    && who.0 == n
                {
                    later.flows.iter_mut().for_each(|flow| with_service(flow, other));
                }
            }
            scenario.actions.push(Action { at, deed: Deed::ChangeReceiver(ReceiverId(n), changed) });
        }
    }
    scenario.actions.sort_by_key(|action| action.at);
}

/// The same flow with a service of that kind.
pub(super) fn with_service(flow: &mut Flow, guaranteed: bool) {
    if settled::is_guaranteed(flow.service) != guaranteed {
        let service = Service::Guaranteed { reserve_bps: flow.traffic.rate_bps, slack_us: 0 };
        flow.service = if guaranteed { service } else { Service::ControlledLoad };
    }
}

/// Rules by which packets and clocks suffer, until some time after the last action.
pub(super) fn faults(draw: &mut Draw<'_>, scenario: &mut Scenario) {
    let share = |draw: &mut Draw<'_>, most: usize| if draw.percent(30) { draw.between(1, most) } else { 0 };
    let (loss, duplicate) = (share(draw, 50), share(draw, 50));
    let (reorder, corrupt) = (share(draw, 50), share(draw, 30));
    let everywhere = draw.percent(50);
    for link in links(scenario).collect::<Vec<_>>() {
        if everywhere || draw.percent(40) {
            let link = &mut scenario.links[link.0];
            let share = |percent: usize| percent as f64 / 100.0;
            (link.loss, link.duplicate) = (share(loss), share(duplicate));
            (link.reorder, link.corrupt) = (share(reorder), share(corrupt));
            link.reorder_by = Duration::from_millis(draw.one(&[50, 2_000, 20_000]));
        }
    }
    if loss + duplicate + reorder + corrupt > 0 {
        scenario.faults_until = Some(scenario.refresh * draw.between(8, 22) as u32);
    }
    if draw.percent(30) {
        for node in scenario.nodes.iter_mut().filter(|n| !n.plain) {
            node.clock_ppm = draw.one(&[0, 100_000, -100_000, 30_000, -30_000]);
        }
    }
}
