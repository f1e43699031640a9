//! The six checks (SIO_CHK_QOS): what this host knows of a socket's traffic, of itself and of the path.

use super::served::Served;
use super::{QosService, wanted};
use crate::control::service::EngineAccess;
use rsvp_control::Problem;
use rsvp_control::sockets::Checks;
use rsvp_node::qos::Qos;
use rsvp_node::qos::get::{Check, HostKnows, NOT_AVAILABLE};
use rsvp_node::{AppId, Interface};
use rsvp_wire::{FilterSpec, SenderTemplate};

impl QosService {
    /// Answers for what was set, or for what might be.
    pub(super) fn check(
        &self,
        app: AppId,
        qos: Option<&Qos>,
        access: &mut dyn EngineAccess,
    ) -> Result<Checks, Problem> {
        let missing = || Problem::new("not-found", "the QoS of the socket has ended");
        let served = self.sockets.get(&app).ok_or_else(missing)?;
        let interface = interface_of(served, access);
        let limit = self.limits.flow_rate_bps.map(|bps| u32::try_from(bps / 8).unwrap_or(u32::MAX));
        let knows = HostKnows {
            line_rate_bps: interface.as_ref().map(|interface| interface.bandwidth_bps).filter(|bps| *bps > 0),
            limit: limit.or_else(|| {
                let reservable = interface.as_ref()?.reservable_bps / 8;
                Some(u32::try_from(reservable).unwrap_or(u32::MAX))
            }),
            traffic_control: interface.as_ref().map(|interface| interface.enforces),
            qos: interface.as_ref().map(|interface| interface.enabled || !access.signals()),
            path: served.path_is_whole(),
        };
        let qos = qos.unwrap_or(&served.socket.qos);
        let answer = |check: Check| {
            let asked = if check == Check::AbleToRecvRsvp { &qos.receiving } else { &qos.sending };
            Some(check.answer(asked, &knows)).filter(|answer| *answer != NOT_AVAILABLE)
        };
        let is = |check| answer(check).map(|answer| answer == 1);
        Ok(Checks {
            allowed_to_send_data: is(Check::AllowedToSendData),
            able_to_recv_rsvp: is(Check::AbleToRecvRsvp),
            line_rate_kbps: answer(Check::LineRate),
            local_traffic_control: is(Check::LocalTrafficControl),
            local_qosability: is(Check::LocalQosability),
            end_to_end_qosability: is(Check::EndToEndQosability),
        })
    }
}

/// The interface of a socket's traffic: where it leaves, else where it arrives; the one of a node that has no other.
fn interface_of(served: &Served, access: &mut dyn EngineAccess) -> Option<Interface> {
    let names = served.socket.names;
    let announced = served
        .all_sessions()
        .find_map(|(session, sender)| sender.and_then(|sender| access.leaves_by(&session, &sender)));
    let leaves = announced.or_else(|| {
        // Nothing is announced yet: where its packets would leave.
        let (local, peer) = (names.local?, names.peer?);
        let sender = SenderTemplate(FilterSpec::new(local.ip().to_canonical(), local.port()));
        access.leaves_by(&wanted::session(names.transport, peer), &sender)
    });
    let here = names.local.map(|local| local.ip().to_canonical());
    let by_address = |interface: &Interface| {
        here.is_some_and(|here| {
            interface.ipv4.is_some_and(|own| here == own) || interface.ipv6.is_some_and(|own| here == own)
        })
    };
    let signals = access.signals();
    let all: Vec<&Interface> = access
        .engine()
        .interfaces()
        .map(|(interface, _)| interface)
        .filter(|interface| interface.enabled || !signals)
        .collect();
    let chosen = match leaves {
        Some(id) => all.iter().find(|interface| interface.id == id),
        None => all.iter().find(|interface| by_address(interface)),
    };
    chosen.or_else(|| all.first().filter(|_| all.len() == 1)).map(|interface| (*interface).clone())
}
