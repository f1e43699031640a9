//! What traffic control has of a socket's packets beside reservations: the marks and modes that the socket asks for, and flows of
//! its own.
//!
//! | service for sending | signalled | flow of this host |
//! |---|---|---|
//! | Controlled-Load, Guaranteed, any, Qualitative | a Path | held back before anything is reserved, where the mode is not *borrow*: its marks are best effort's |
//! | the same without signalling | nothing | policed and marked as if it were reserved |
//! | network control, best effort with objects or a rate | nothing | its marks, and its rate if it has one |
//!
//! A function of its arguments. Which packets conform is the data plane's business.

use crate::data_plane::bpf::Mode;
use crate::data_plane::manner::Reserved;
use crate::data_plane::wishes::Wishes;
use rsvp_node::qos::marking::default_mode;
use rsvp_node::qos::objects::traffic::SdMode;
use rsvp_node::qos::{Invalid, Object, Overhead, Qos, ServiceType, sender};
use rsvp_node::{Police, Remark, Reservation};
use rsvp_wire::{Flowspec, Rspec, SenderTemplate, Session, Style, Tspec};

/// In which way packets get what is asked for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// By what receivers reserve.
    Signalled,
    /// By this host alone, as if it were reserved.
    AsReserved,
    /// By this host alone, which has this service for it.
    Local(Reserved),
    /// Not at all.
    Nothing,
}

/// A flow of this host alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LocalService {
    service: ServiceType,
    has_rate: bool,
    /// Whether its rate is taken of its user's share.
    pub(super) counts: bool,
}

/// How a request for sending is carried out, by a daemon that signals or does not.
pub(super) fn manner(qos: &Qos, signals: bool) -> Manner {
    let service = qos.sending.service;
    let asks = || qos.sending.token_rate.is_some() || qos.objects.iter().any(concerns_packets);
    match service.service_type {
        of if of.is_signalled() && signals && !service.no_qos_signaling => Manner::Signalled,
        of if of.is_signalled() => Manner::AsReserved,
        ServiceType::NetworkControl => Manner::Local(Reserved::NetworkControl),
        ServiceType::BestEffort if asks() => Manner::Local(Reserved::BestEffort),
        _ => Manner::Nothing,
    }
}

const fn concerns_packets(object: &Object) -> bool {
    matches!(
        object,
        Object::SdMode(_)
            | Object::ShapingRate(_)
            | Object::DsClass(_)
            | Object::TrafficClass(_)
            | Object::TcpTraffic
    )
}

/// The traffic of a sender: what this host has a service for alone need not have a rate.
pub(super) fn tspec(qos: &Qos, overhead: Overhead, mtu: u32) -> Result<Tspec, Invalid> {
    let is_signalled = qos.sending.service.service_type.is_signalled();
    if !is_signalled && qos.sending.token_rate.is_none() {
        return Ok(Tspec::null(mtu));
    }
    sender::tspec(&qos.sending, overhead, mtu)
}

/// What becomes of packets that do not conform.
fn mode(qos: &Qos) -> SdMode {
    let own = qos.objects.iter().find_map(|object| match object {
        Object::SdMode(mode) => Some(*mode),
        _ => None,
    });
    own.unwrap_or_else(|| default_mode(qos.sending.service.service_type))
}

/// Whether packets that do not conform wait, or are dropped.
fn holds_back(qos: &Qos) -> bool {
    !matches!(mode(qos), SdMode::Borrow | SdMode::BorrowPlus)
}

/// The flow of this host that a request leads to, while something is reserved or not.
pub(super) fn flow(qos: &Qos, manner: Manner, is_reserved: bool) -> Option<LocalService> {
    let service = qos.sending.service;
    if service.no_traffic_control {
        return None;
    }
    let has_rate = qos.sending.token_rate.is_some();
    match manner {
        Manner::Signalled => {
            // What borrows is as it would be without a flow.
            let is_held = holds_back(qos) && has_rate && !is_reserved;
            is_held.then_some(LocalService { service: service.service_type, has_rate, counts: false })
        }
        Manner::AsReserved => {
            Some(LocalService { service: service.service_type, has_rate: true, counts: true })
        }
        Manner::Local(_) => Some(LocalService { service: service.service_type, has_rate, counts: false }),
        Manner::Nothing => None,
    }
}

impl LocalService {
    /// As traffic control has it: this host is where its packets are policed first.
    pub(super) fn reservation(
        self,
        (session, sender): (Session, SenderTemplate),
        tspec: Tspec,
    ) -> Reservation {
        let flowspec = match self.service {
            ServiceType::Guaranteed => Flowspec::Guaranteed(tspec, Rspec { rate: tspec.rate, slack: 0 }),
            ServiceType::Qualitative => Flowspec::Null(tspec),
            _ if !self.has_rate => Flowspec::Null(tspec),
            _ => Flowspec::ControlledLoad(tspec),
        };
        Reservation {
            session,
            style: Style::FF,
            filters: vec![sender.0],
            flowspec,
            charge_bps: 0,
            police: Police { entry: true, ..Police::default() },
            remark: Remark::default(),
        }
    }
}

/// What the objects of a request, and its flags, ask for the packets, while something is reserved for them or not.
pub(super) fn wishes(qos: &Qos, overhead: Overhead, manner: Manner, is_reserved: bool) -> Wishes {
    let small = |value: u32| u8::try_from(value).ok();
    let mut wishes = Wishes { left_alone: qos.sending.service.no_traffic_control, ..Wishes::default() };
    let minimum = qos.sending.minimum_policed_size.unwrap_or(sender::DEFAULT_MINIMUM_POLICED_SIZE);
    for object in &qos.objects {
        match object {
            Object::SdMode(SdMode::Borrow) => wishes.mode = Some(Mode::Borrow),
            Object::SdMode(SdMode::Shape) => wishes.mode = Some(Mode::Shape),
            Object::SdMode(SdMode::Discard) => wishes.mode = Some(Mode::Discard),
            Object::ShapingRate(rate) => {
                wishes.shaping_rate = Some(overhead.rate((*rate).into(), minimum) as u64);
            }
            Object::DsClass(dscp) => wishes.dscp = small(*dscp),
            Object::TrafficClass(priority) => wishes.priority = small(*priority),
            Object::TcpTraffic => wishes.tcp_traffic = true,
            _ => {}
        }
    }
    wishes.begins_here = holds_back(qos);
    match manner {
        Manner::Local(service) => {
            wishes.unreserved = Some(service);
            wishes.mode = wishes.mode.or(Some(Mode::Borrow));
        }
        Manner::Signalled if flow(qos, manner, is_reserved).is_some() => {
            wishes.unreserved = Some(Reserved::BestEffort);
            (wishes.dscp, wishes.priority) = (None, None);
        }
        _ => {}
    }
    wishes
}
