//! What left the node, and what holds for every message of its type and for the reservations at any time.

use super::bench::Bench;
use super::message::neighbour_lih;
use super::words::{Flows, error_name, interface_name, name, sender_name};
use core::net::IpAddr;
use rsvp_node::{Instant, InterfaceId, Source};
use rsvp_wire::{
    ErrorSpec, Message, MsgType, Object, ResvConfirm, RsvpHop, SenderTemplate, SenderTspec, Session,
    TimeValues,
};
use std::collections::BTreeMap;

/// A message that left, with what its IP header shall say.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) interface: InterfaceId,
    pub(crate) destination: IpAddr,
    pub(crate) source: Source,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
    pub(crate) octets: Vec<u8>,
}

impl Sent {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.octets).expect("a sound message leaves")
    }

    pub(crate) fn msg_type(&self) -> MsgType {
        self.message().msg_type()
    }

    /// The object of a type that the message has.
    #[track_caller]
    pub(crate) fn get<'a, T: Object<'a>>(&'a self) -> T {
        self.message().get::<T>().expect("the object is there").expect("the object is sound")
    }

    /// The objects of a class, whole.
    pub(crate) fn objects(&self, class: u8) -> Vec<Vec<u8>> {
        self.message().objects().filter(|o| o.class.0 == class).map(|o| o.octets().to_vec()).collect()
    }

    pub(crate) fn name(&self) -> String {
        let kind = self.msg_type();
        let error = || error_name(&self.get::<ErrorSpec>());
        let sender = || sender_name(&self.get::<SenderTemplate>().0);
        let rate = || self.get::<SenderTspec>().0.rate / 1000.0;
        let flows = || Flows::of(&self.message()).name();
        let confirm = self.message().get::<ResvConfirm>().map(|c| name(c.expect("sound").address));
        let said = match kind {
            MsgType::PATH => format!("{}{{{}B}}", sender(), rate()),
            MsgType::PATH_TEAR => sender(),
            MsgType::PATH_ERR => format!("{} {}", error(), sender()),
            MsgType::RESV_ERR => format!("{} {}", error(), flows()),
            MsgType::RESV_CONF => format!("{} {}", name(self.get::<ErrorSpec>().node), flows()),
            _ => flows() + &confirm.map(|c| format!(" confirm {c}")).unwrap_or_default(),
        };
        format!("{}>{} {kind} {said}", interface_name(self.interface), name(self.destination))
    }
}

impl Bench {
    /// What holds for every message of its type (RFC 2205 sections 3.1.3 to 3.1.9 and 3.3).
    pub(super) fn audit(&self, sent: &Sent) {
        let message = sent.message();
        let kind = message.msg_type();
        let config = self.engine.interfaces().find(|(i, _)| i.id == sent.interface);
        let (config, _) = config.expect("a message leaves by an interface that exists");
        assert!(config.up && config.enabled, "nothing leaves by an interface that is down or without RSVP");
        assert_eq!(message.send_ttl(), sent.ttl, "Send_TTL is the IP TTL");
        assert!(sent.ttl > 0 && message.octets()[2..4] != [0, 0], "a TTL and a checksum");
        // What cannot be read is copied into errors as it came.
        if let Some(Ok(session)) = message.get::<Session>() {
            let may = if kind == MsgType::PATH && !config.enforces { Session::E_POLICE } else { 0 };
            assert_eq!(session.flags() & !may, 0, "E_Police is off behind a node that polices");
        }
        let with_data = matches!(kind, MsgType::PATH | MsgType::PATH_TEAR);
        assert_eq!(sent.router_alert, with_data || kind == MsgType::RESV_CONF, "Router Alert of a {kind}");
        let own = config.address_like(sent.destination).expect("an address of the family");
        if with_data {
            let sender = sent.get::<SenderTemplate>().0.address();
            assert_eq!(sent.source, Source::Foreign(sender), "a {kind} comes from the flow's sender");
            assert_eq!(
                sent.destination,
                sent.get::<Session>().destination(),
                "a {kind} goes where data goes"
            );
        } else {
            assert_eq!(sent.source, Source::Own, "a {kind} comes from this node");
            assert!(!sent.destination.is_multicast(), "a {kind} goes to one node");
        }
        if matches!(kind, MsgType::RESV | MsgType::RESV_TEAR) {
            let neighbour = name(sent.destination)[1..].parse().expect("a neighbour");
            let lih = if self.zero_handles { 0 } else { neighbour_lih(sent.interface, neighbour) };
            let theirs = RsvpHop { address: own, lih };
            assert_eq!(sent.get::<RsvpHop>(), theirs, "the handle the previous hop chose");
        } else if with_data || kind == MsgType::RESV_ERR {
            assert_eq!(sent.get::<RsvpHop>(), RsvpHop { address: own, lih: config.lih });
        }
        if let Some(error) = message.get::<ErrorSpec>() {
            let code = error.expect("sound").code.0;
            let known = match kind {
                MsgType::PATH_ERR => matches!(code, 2 | 7 | 8 | 13 | 14 | 21 | 23),
                MsgType::RESV_CONF => code == 0,
                _ => !matches!(code, 0 | 8),
            };
            assert!(known, "code {code} in a {kind} (RFC 2205 Appendix B)");
        }
        if matches!(kind, MsgType::PATH | MsgType::RESV) {
            // Less than what is configured only while it grows (Slew.Max), from no less than the default.
            let configured = config.refresh.as_millis() as u32;
            let TimeValues { refresh_ms } = sent.get();
            let growing = refresh_ms >= 30_000 && refresh_ms < configured;
            assert!(
                refresh_ms == configured || growing,
                "R of the interface is {configured}, not {refresh_ms}"
            );
        }
    }

    /// What is charged is what is installed, on every interface.
    pub(super) fn audit_budgets(&self) {
        for (config, reserved_bps) in self.engine.interfaces() {
            let on = self.engine.reservations().filter(|(_, on, _)| *on == config.id);
            let claims = self.claims.values().filter(|(on, _)| *on == config.id).map(|(_, bps)| *bps);
            let charged = on.map(|(_, _, r)| r.charge_bps).chain(claims).sum::<u64>();
            assert_eq!(charged, reserved_bps, "{:?}", config.id);
        }
        let held: BTreeMap<_, _> = self.engine.reservations().map(|(id, on, r)| (id, (on, r))).collect();
        assert_eq!(held, self.installed, "the data plane has what the node says");
    }
}
