//! Errors say what is so (RFC 2205 section 3.1.8 and Appendix A.5): InPlace where a reservation stands, and only there;
//! and nobody hears of what is not their doing: of styles and senders that they never asked for, or of more than they ever
//! asked for while what they have stands (section 3.5).

use super::Failure;
use super::check::ToldError;
use super::settled::{requests_ever, style_of};
use super::wishes::{no_more_in_rates, rates};
use crate::reference::charge_bps;
use crate::scenario::model::{Flow, LinkId, NodeId, ReceiverId, ReservationStyle};
use crate::world::World;
use crate::world::applications::flowspec;
use rsvp_node::{AppId, Event, EventKind};
use rsvp_wire::{ErrorCode, ErrorSpec, FilterSpec, Flowspec, Message, Session, Style, error_value};

/// Whether a ResvErr that a node made itself is right about what is in place. The error says what is wrong with it.
pub(super) fn in_place_is_true(
    world: &World,
    node: NodeId,
    link: LinkId,
    message: &Message<'_>,
) -> Result<(), String> {
    let (Some(Ok(error)), Some(Ok(session)), Some(Ok(style))) =
        (message.get::<ErrorSpec>(), message.get::<Session>(), message.get::<Style>())
    else {
        return Err("a ResvErr without error, session or style".to_owned());
    };
    // Its own errors name its address on the link; one that comes back around a loop names another.
    let own = world.topology().addresses(link, &[node]).contains(&error.node);
    if error.code != ErrorCode::ADMISSION_CONTROL || !own {
        return Ok(());
    }
    let named: Vec<FilterSpec> = message.objects().filter_map(|o| o.read().ok()).collect();
    let stands = world.stands(node, link, &session, &style, &named);
    let said = error.flags & ErrorSpec::IN_PLACE != 0;
    if said == stands { Ok(()) } else { Err(format!("InPlace is {said}, a reservation stands: {stands}")) }
}

/// Whether a receiver that is told of an error has ever asked for what it is about.
pub(super) fn is_about_what_was_asked(
    world: &World,
    event: &Event,
    before: &[ToldError],
) -> Result<(), Failure> {
    let EventKind::ResvError { error, style, flowspec, filters } = &event.kind else { return Ok(()) };
    let Err(receiver) = world.application_of(event.app) else { return Ok(()) };
    let name = &world.scenario().receivers[receiver.0].name;
    let fail = |promise, what: String| {
        Err(Failure { promise, at: world.now(), seen: format!("{name}: was told of an error {what}") })
    };
    let Some(kind) = style_of(*style) else {
        return fail("errors are about what was asked for", format!("in {style}"));
    };
    let own = flows_ever(world, receiver, kind);
    if own.is_empty() {
        return fail("errors are about what was asked for", format!("in {style}"));
    }
    let named = |filter: &FilterSpec| {
        let mut senders = own.iter().flat_map(|flow| &flow.filters);
        kind == ReservationStyle::Wf || senders.any(|sender| world.topology().sender(*sender) == *filter)
    };
    if let Some(other) = filters.iter().find(|filter| !named(filter)) {
        return fail("errors are about what was asked for", format!("for {other}"));
    }
    match flowspec {
        Some(failed)
            if is_of_others(world, receiver, kind, error, failed, filters)
                && !is_refused_itself(world, event.app, &own, before) =>
        {
            fail("whoever has what they asked for hears of no larger request", format!("about {failed:?}"))
        }
        _ => Ok(()),
    }
}

fn flows_ever(world: &World, receiver: ReceiverId, style: ReservationStyle) -> Vec<&Flow> {
    let requests = requests_ever(world.scenario(), receiver.0);
    requests.filter(|request| request.style == style).flat_map(|request| &request.flows).collect()
}

/// Whether what a receiver asked for itself has failed within the time that a blockade lasts: then it is only tried together
/// with others, and hears when it is left out because of them.
fn is_refused_itself(world: &World, app: AppId, own: &[&Flow], before: &[ToldError]) -> bool {
    let scenario = world.scenario();
    let lately = scenario.refresh * (scenario.blockade_multiplier + 1);
    let most = own.iter().map(|flow| charge_bps(&flowspec(flow.traffic, flow.service))).max();
    let since = before.iter().rev().take_while(|told| world.now() - told.at <= lately);
    since
        .filter(|told| told.app == app)
        .any(|told| told.flowspec.is_none_or(|f| Some(charge_bps(&f)) <= most))
}

/// Whether a failure for want of bandwidth, with something in place, was of more than a receiver has ever asked for of what
/// is charged, and some single request of the session must have been as large as that: where all that was ever asked for can be ordered,
/// what a merge asks for is what the largest of its parts does.
fn is_of_others(
    world: &World,
    receiver: ReceiverId,
    style: ReservationStyle,
    error: &ErrorSpec,
    failed: &Flowspec,
    filters: &[FilterSpec],
) -> bool {
    let bandwidth = (ErrorCode::ADMISSION_CONTROL, error_value::BANDWIDTH_UNAVAILABLE);
    let scenario = world.scenario();
    if (error.code, error.value) != bandwidth
        || error.flags & ErrorSpec::IN_PLACE == 0
        || scenario.links.iter().any(|link| link.refusal.is_some())
    {
        return false;
    }
    let concerned = |flow: &&&Flow| {
        let mut named = flow.filters.iter().map(|sender| world.topology().sender(*sender));
        style != ReservationStyle::Ff || named.any(|filter| filters.contains(&filter))
    };
    let asked = |receiver: usize| -> Vec<Flowspec> {
        let flows = flows_ever(world, ReceiverId(receiver), style);
        flows.iter().filter(concerned).map(|flow| flowspec(flow.traffic, flow.service)).collect()
    };
    let session = scenario.receivers[receiver.0].session;
    let here = (0..scenario.receivers.len()).filter(|n| scenario.receivers[*n].session == session);
    let mut all: Vec<Flowspec> = here.flat_map(asked).collect();
    all.sort_by(|a, b| rates(a).partial_cmp(&rates(b)).unwrap_or(core::cmp::Ordering::Equal));
    let own = asked(receiver.0);
    !own.is_empty()
        && own.iter().all(|own| charge_bps(own) < charge_bps(failed))
        && all.iter().all(|each| each.service() == failed.service())
        && all.windows(2).all(|pair| no_more_in_rates(&pair[0], &pair[1]))
}
