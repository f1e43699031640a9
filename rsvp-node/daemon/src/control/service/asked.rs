//! Requests of the control protocol as commands of the engine.

use super::{EngineAccess, bad_request, command};
use rsvp_control::qos::{Service, Traffic};
use rsvp_control::{Adspec, Carried, Problem, Reserve, Sender};
use rsvp_node::{AdspecOffer, AppId, Claim, Command, FlowRequest, InterfaceId, Refusal};
use rsvp_wire::Session;

pub(super) fn of_sender<'c>(
    app: AppId,
    asked: &Sender,
    interface: Option<InterfaceId>,
    carried: &'c rsvp_node::Carried,
) -> Command<'c> {
    let &Sender { session, sender, traffic, adspec, ttl, .. } = asked;
    let offer = |guaranteed, controlled_load| Some(AdspecOffer { guaranteed, controlled_load, null: false });
    let adspec = match adspec {
        Adspec::Both => offer(true, true),
        Adspec::Guaranteed => offer(true, false),
        Adspec::ControlledLoad => offer(false, true),
        Adspec::Null => Some(AdspecOffer { null: true, ..AdspecOffer::default() }),
        Adspec::None => None,
    };
    let carried = Some(carried);
    Command::Sender { app, session, sender, tspec: traffic.into(), adspec, ttl, interface, carried }
}

pub(super) fn make_reservation(
    app: AppId,
    asked: &Reserve,
    access: &mut dyn EngineAccess,
) -> Result<Session, Problem> {
    let services = asked.flows.iter().map(|flow| &flow.flowspec);
    for service in services.filter(|service| !matches!(service, Service::Null { .. })) {
        peak_above(service.traffic())?;
    }
    let interface = named(asked.interface.as_deref(), access)?;
    let flow = |flow: &'_ rsvp_control::Flow| (flow.flowspec.into(), flow.filters.clone());
    let flows: Vec<(rsvp_wire::Flowspec, Vec<rsvp_wire::FilterSpec>)> =
        asked.flows.iter().map(flow).collect();
    let flows: Vec<FlowRequest<'_>> =
        flows.iter().map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters }).collect();
    let (session, style, confirm) = (asked.session, asked.style.into(), asked.confirm);
    let carried = carried(&asked.policy, &asked.dclass, asked.tclass)?;
    let carried = Some(&carried);
    command(Command::Reserve { app, session, style, flows: &flows, confirm, interface, carried }, access)?;
    Ok(session)
}

/// What messages are to carry, as the engine has it.
pub(super) fn carried(
    policy: &[rsvp_control::Octets],
    dclass: &[u8],
    tclass: Option<u8>,
) -> Result<rsvp_node::Carried, Problem> {
    let said = Carried { policy: policy.to_vec(), dclass: dclass.to_vec(), tclass };
    rsvp_node::Carried::try_from(&said).map_err(bad_request)
}

/// RFC 2212: "p MUST be greater than or equal to the token bucket rate". The engine refuses it too, without the numbers.
pub(crate) fn peak_above(traffic: &Traffic) -> Result<(), Problem> {
    let Traffic { rate_bps, peak_bps, .. } = *traffic;
    match peak_bps {
        Some(peak_bps) if peak_bps < rate_bps => Err(Problem::new(
            "bad-traffic-parameter",
            format!(
                "`peak_bps` {peak_bps} is less than `rate_bps` {rate_bps}: say a higher peak or a lower rate"
            ),
        )),
        _ => Ok(()),
    }
}

/// Why a flow that is made by hand does not get its share.
pub(crate) fn refused_claim(why: Refusal, claim: &Claim, access: &dyn EngineAccess) -> Problem {
    super::refusals::refusal(why, &Command::Claim(*claim), access)
}

pub(crate) fn named(name: Option<&str>, access: &dyn EngineAccess) -> Result<Option<InterfaceId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let ids = || access.engine().interfaces().map(|(interface, _)| interface.id);
    if let Some(id) = ids().find(|id| access.interface_name(*id) == Some(name)) {
        return Ok(Some(id));
    }
    let names: Vec<&str> = ids().filter_map(|id| access.interface_name(id)).collect();
    let message = format!("no interface is called \"{name}\"; there are {}", names.join(", "));
    Err(Problem::new("no-interface", message))
}
