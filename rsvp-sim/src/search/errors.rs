//! Errors say what is so (RFC 2205 section 3.1.8 and Appendix A.5): InPlace where a reservation stands, and only there;
//! and nobody hears of flows that were never asked for.

use super::Failure;
use crate::scenario::model::{Deed, LinkId, NodeId, Request, ReservationStyle};
use crate::world::World;
use rsvp_node::{Event, EventKind};
use rsvp_wire::{ErrorCode, ErrorSpec, FilterSpec, Message, Session, Style};

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
    let mut reservations = world.engine(node).reservations();
    let stands = reservations.any(|(_, interface, r)| {
        world.link_behind(node, interface) == Some(link)
            && r.session.with_flags(0) == session.with_flags(0)
            && r.style.options == style.options
            && (style.options != Style::FF.options || r.filters.iter().any(|f| named.contains(f)))
    });
    let said = error.flags & ErrorSpec::IN_PLACE != 0;
    if said == stands { Ok(()) } else { Err(format!("InPlace is {said}, a reservation stands: {stands}")) }
}

/// Whether a receiver that is told of an error in a reservation for single senders has ever asked for these.
pub(super) fn is_about_what_was_asked(world: &World, event: &Event) -> Result<(), Failure> {
    let EventKind::ResvError { style, filters, .. } = &event.kind else { return Ok(()) };
    let Err(receiver) = world.application(event.app) else { return Ok(()) };
    if style.options != Style::FF.options {
        return Ok(());
    }
    let plan = &world.scenario().receivers[receiver.0];
    let changed = world.scenario().actions.iter().filter_map(|action| match &action.deed {
        Deed::ChangeReceiver(who, request) if *who == receiver => Some(request),
        _ => None,
    });
    let names = |request: &Request, filter: &FilterSpec| {
        let mut senders = request.flows.iter().flat_map(|flow| &flow.filters);
        request.style == ReservationStyle::Ff
            && senders.any(|sender| world.topology().sender(*sender) == *filter)
    };
    let requests: Vec<&Request> = plan.request.iter().chain(changed).collect();
    let other = filters.iter().find(|filter| !requests.iter().any(|request| names(request, filter)));
    other.map_or(Ok(()), |filter| {
        let seen = format!("{}: was told of an error for {filter}", plan.name);
        Err(Failure { promise: "errors are about what was asked for", at: world.now(), seen })
    })
}
