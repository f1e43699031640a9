//! What a socket wants of the engine: from what is known of it, what it was asked for, and the Paths that have come.
//!
//! A function of its arguments. What follows for the network is `rsvp_node::qos`'s business: this only asks it, session by session.

use super::unsignalled::{self, Manner};
use crate::control::descriptors::Names;
use crate::control::service::EngineAccess;
use crate::data_plane::wishes::Wishes;
use core::net::{IpAddr, SocketAddr};
use rsvp_control::sockets::Leaf;
use rsvp_node::guaranteed::NoRate;
use rsvp_node::qos::objects::policy::PolicyElement;
use rsvp_node::qos::objects::reserve_info::ReserveInfo;
use rsvp_node::qos::receiver::{NoReservation, reservation};
use rsvp_node::qos::{
    Endpoint, ErrorClass, ErrorValue, FdQos, Object, Overhead, Qos, Status, Transport, sender, style,
};
use rsvp_node::{AdspecOffer, Carried, Interface, InterfaceId, Reservation};
use rsvp_wire::{
    AdspecSummary, FilterSpec, Flowspec as WireFlowspec, Rspec, SenderTemplate, Session, Style, Tspec,
};
use std::collections::{BTreeMap, BTreeSet};

/// A socket that was handed over, and what was asked for it.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) names: Names,
    pub(super) qos: Qos,
    pub(super) joined: Vec<Joined>,
    /// Directions that were shut down: sending, receiving.
    pub(super) shut: (bool, bool),
    /// How often QoS was asked for: each time there is one confirmation.
    pub(super) asked: u64,
}

/// A group that the socket takes part in.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    pub(super) group: SocketAddr,
    pub(super) leaf: Leaf,
    pub(super) qos: Qos,
    pub(super) interface: Option<InterfaceId>,
}

/// A Path that has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) tspec: Tspec,
    pub(super) adspec: Option<AdspecSummary>,
}

pub(super) type Paths = BTreeMap<Session, BTreeMap<SenderTemplate, Path>>;

/// What a sender announces.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Announced {
    pub(super) tspec: Tspec,
    pub(super) offer: AdspecOffer,
    pub(super) carried: Carried,
    pub(super) ttl: u8,
    pub(super) interface: Option<InterfaceId>,
}

/// A flow that begins on this host and is not signalled (SERVICE_NO_QOS_SIGNALING): traffic control alone has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LocalFlow {
    pub(super) interface: InterfaceId,
    pub(super) reservation: Reservation,
    /// Its rate is taken of its user's share: it is promised, or nothing else of the socket is counted.
    pub(super) counts: bool,
}

/// What a receiver asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reserved {
    pub(super) style: Style,
    pub(super) flows: Vec<(WireFlowspec, Vec<FilterSpec>)>,
    pub(super) carried: Carried,
    /// With a confirmation, and for the how manieth time of asking.
    pub(super) confirm: Option<u64>,
    pub(super) interface: Option<InterfaceId>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Of which sessions Paths are to be told.
    pub(super) sessions: BTreeSet<Session>,
    pub(super) senders: BTreeMap<(Session, SenderTemplate), Announced>,
    pub(super) reservations: BTreeMap<Session, Reserved>,
    /// What is asked for the packets of senders.
    pub(super) wishes: BTreeMap<(Session, SenderTemplate), Wishes>,
    /// Flows that are not signalled.
    pub(super) local: BTreeMap<(Session, SenderTemplate), LocalFlow>,
    /// What cannot be had, and why.
    pub(super) failures: Vec<FdQos>,
}

impl Socket {
    pub(super) fn new(names: Names) -> Self {
        Self { names, qos: Qos::default(), joined: Vec::new(), shut: (false, false), asked: 0 }
    }

    /// What is known of it.
    pub(super) fn endpoint(&self) -> Endpoint {
        let receives = self.joined.iter().filter(|joined| joined.leaf.receives());
        Endpoint {
            transport: self.names.transport,
            local: self.names.local,
            peer: self.names.peer,
            groups: receives.map(|joined| joined.group).collect(),
        }
    }

    /// The endpoint as it is judged when something is asked for: a sender of a group, too, has no peer that is its only sender.
    pub(super) fn judged(&self) -> Endpoint {
        let groups = self.joined.iter().map(|joined| joined.group).collect();
        Endpoint { groups, ..self.endpoint() }
    }

    /// Whether Paths of a sender in this session are for the socket.
    pub(super) fn hears(&self, session: &Session, sender: &SenderTemplate) -> bool {
        self.endpoint().joins(session, sender)
    }

    /// What is wanted now.
    pub(super) fn wanted(
        &self,
        paths: &Paths,
        reserved: &BTreeSet<(Session, SenderTemplate)>,
        access: &mut dyn EngineAccess,
    ) -> Wanted {
        let mut wanted = Wanted::default();
        if self.names.listens {
            return wanted;
        }
        if self.joined.is_empty() {
            self.send_to_peer(&mut wanted, reserved, access);
            self.receive_at_addresses(&mut wanted, paths, access);
        }
        for joined in &self.joined {
            let session = session(self.names.transport, joined.group);
            if joined.leaf.sends() && !self.shut.0 {
                let to = Destination { session, ttl: self.names.group_ttl, interface: joined.interface };
                self.send(&mut wanted, &joined.qos, to, reserved, access);
            }
            if joined.leaf.receives() && !self.shut.1 {
                self.receive(&mut wanted, &joined.qos, session, joined.interface, paths);
            }
        }
        wanted
    }

    fn send_to_peer(
        &self,
        wanted: &mut Wanted,
        reserved: &BTreeSet<(Session, SenderTemplate)>,
        access: &mut dyn EngineAccess,
    ) {
        let named = self.qos.objects.iter().find_map(|object| match object {
            Object::Destination(address) => Some(*address),
            _ => None,
        });
        let udp = self.names.transport == Transport::Udp;
        let Some(peer) = self.names.peer.or_else(|| named.filter(|_| udp)) else { return };
        if self.shut.0 {
            return;
        }
        let to_group = peer.ip().is_multicast();
        let ttl = if to_group { self.names.group_ttl } else { self.names.ttl };
        let to = Destination { session: session(self.names.transport, peer), ttl, interface: None };
        self.send(wanted, &self.qos, to, reserved, access);
    }

    /// What follows from what is sent there: a Path, and what traffic control has to do that no reservation tells it.
    fn send(
        &self,
        wanted: &mut Wanted,
        qos: &Qos,
        to: Destination,
        reserved: &BTreeSet<(Session, SenderTemplate)>,
        access: &mut dyn EngineAccess,
    ) {
        let manner = unsignalled::manner(qos, access.signals());
        if manner == Manner::Nothing {
            return;
        }
        let Some(local) = self.names.local else { return };
        let Destination { session, ttl, interface } = to;
        let destination = session.destination();
        if destination.is_loopback() {
            wanted.failures.push(failed(session, Status::GENERIC_ERROR, ErrorClass::RSVP, NO_LOOPBACK));
            return;
        }
        let address = match local.ip().to_canonical() {
            address if address.is_unspecified() => access.source_for(destination, interface),
            address => Some(address),
        };
        // Without an address there is no way there; when there is one, it is looked for again.
        let Some(address) = address else { return };
        let template = SenderTemplate(FilterSpec::new(address, local.port()));
        let interface = interface.or_else(|| access.leaves_by(&session, &template));
        let mtu = interface.and_then(|id| mtu(access, id)).unwrap_or(sender::DEFAULT_MAX_SDU_SIZE);
        let overhead = Overhead::of(self.names.transport, destination);
        match (unsignalled::tspec(qos, overhead, mtu), carried(qos)) {
            (Ok(tspec), Some(carried)) => {
                let sender = (session, template);
                if let (Manner::Signalled, Some(offer)) = (manner, sender::offer(&qos.sending)) {
                    wanted.senders.insert(sender, Announced { tspec, offer, carried, ttl, interface });
                }
                let of_socket = unsignalled::wishes(qos, overhead, manner, reserved.contains(&sender));
                if of_socket != Wishes::default() {
                    wanted.wishes.insert(sender, of_socket);
                }
                let here = interface.or_else(|| by_address(access, address));
                let flow = unsignalled::flow(qos, manner, reserved.contains(&sender));
                if let (Some(flow), Some(interface)) = (flow, here) {
                    let reservation = flow.reservation(sender, tspec);
                    wanted.local.insert(sender, LocalFlow { interface, reservation, counts: flow.counts });
                }
            }
            (Err(invalid), _) => {
                wanted.failures.push(failed(session, invalid.status, ErrorClass::RSVP, invalid.value));
            }
            (_, None) => wanted.failures.push(too_much_policy(session)),
        }
    }

    fn receive_at_addresses(&self, wanted: &mut Wanted, paths: &Paths, access: &dyn EngineAccess) {
        let Some(local) = self.names.local.filter(|_| !self.shut.1) else { return };
        if self.names.transport == Transport::Tcp && self.names.peer.is_none() {
            return;
        }
        let here = local.ip().to_canonical();
        let addresses = match here {
            address if !address.is_unspecified() => vec![address],
            IpAddr::V4(_) => access.addresses().into_iter().filter(IpAddr::is_ipv4).collect(),
            IpAddr::V6(_) => access.addresses(),
        };
        for address in addresses.into_iter().filter(|address| !address.is_loopback()) {
            let session = session(self.names.transport, SocketAddr::new(address, local.port()));
            self.receive(wanted, &self.qos, session, None, paths);
        }
    }

    fn receive(
        &self,
        wanted: &mut Wanted,
        qos: &Qos,
        session: Session,
        interface: Option<InterfaceId>,
        paths: &Paths,
    ) {
        // Without signalling nothing is reserved, but who sends is told all the same.
        if !qos.receiving.service.service_type.is_signalled() {
            return;
        }
        wanted.sessions.insert(session);
        let (Some(paths), true) = (paths.get(&session), qos.receiving.service.is_signalled()) else { return };
        match self.reservation(qos, session, interface, paths) {
            Ok(Some(reserved)) => {
                wanted.reservations.insert(session, reserved);
            }
            Ok(None) => {}
            Err(failure) => wanted.failures.push(*failure),
        }
    }

    /// The reservation in a session, once there is a sender for it.
    fn reservation(
        &self,
        qos: &Qos,
        session: Session,
        interface: Option<InterfaceId>,
        paths: &BTreeMap<SenderTemplate, Path>,
    ) -> Result<Option<Reserved>, Box<FdQos>> {
        let (endpoint, info) = (self.endpoint(), reserve_info(qos));
        let asked = style::reserve(&endpoint, &qos.receiving, info)
            .map_err(|invalid| Box::new(failed(session, invalid.status, ErrorClass::RSVP, invalid.value)))?;
        let overhead = Overhead::of(self.names.transport, session.destination());
        let heard: Vec<_> = paths.iter().filter(|(sender, _)| endpoint.joins(&session, sender)).collect();
        let mut flows = Vec::new();
        for (flowspec, filters) in &asked.flows {
            let is_meant = |sender: &SenderTemplate| filters.is_empty() || filters.contains(&sender.0);
            let mut senders = Vec::new();
            let mut together: Option<WireFlowspec> = None;
            for (sender, path) in heard.iter().filter(|(sender, _)| is_meant(sender)) {
                let own = reservation(flowspec, overhead, &path.tspec, path.adspec.as_ref())
                    .map_err(|why| Box::new(no_reservation(session, sender, why)))?;
                let Some(own) = own else { continue };
                together = Some(together.map_or(own, |other| greater(other, own)));
                senders.push(sender.0);
            }
            let senders = if asked.style == Style::WF { Vec::new() } else { senders };
            flows.extend(together.map(|flowspec| (flowspec, senders)));
        }
        if flows.is_empty() {
            return Ok(None);
        }
        let carried = carried(qos).ok_or_else(|| Box::new(too_much_policy(session)))?;
        let confirm = asked.confirm.then_some(self.asked);
        Ok(Some(Reserved { style: asked.style, flows, carried, confirm, interface }))
    }
}

/// Where data goes.
struct Destination {
    session: Session,
    ttl: u8,
    interface: Option<InterfaceId>,
}

/// GQOS_SETQOS_NOLOOPBACK: nothing is reserved towards this host itself.
const NO_LOOPBACK: ErrorValue = ErrorValue(56835);

pub(super) fn session(transport: Transport, at: SocketAddr) -> Session {
    Session::new(at.ip().to_canonical(), transport.protocol(), at.port())
}

/// The interface that has an address.
fn by_address(access: &dyn EngineAccess, address: IpAddr) -> Option<InterfaceId> {
    let has = |interface: &Interface| {
        interface.ipv4.is_some_and(|own| address == own) || interface.ipv6.is_some_and(|own| address == own)
    };
    access.engine().interfaces().find(|(interface, _)| has(interface)).map(|(interface, _)| interface.id)
}

fn mtu(access: &dyn EngineAccess, id: InterfaceId) -> Option<u32> {
    access.engine().interfaces().find(|(interface, _)| interface.id == id).map(|(interface, _)| interface.mtu)
}

fn reserve_info(qos: &Qos) -> Option<&ReserveInfo> {
    qos.objects.iter().find_map(|object| match object {
        Object::Reserve(info) => Some(info),
        _ => None,
    })
}

/// The policy of a request, as messages carry it; nothing when it does not fit one.
fn carried(qos: &Qos) -> Option<Carried> {
    let mut octets = Vec::new();
    for object in &qos.objects {
        let elements: &[PolicyElement] = match object {
            Object::Policy(elements) => elements,
            Object::Reserve(info) => &info.policy,
            _ => &[],
        };
        for element in elements {
            octets.extend(u16::try_from(element.data.len() + 4).ok()?.to_be_bytes());
            octets.extend(element.element_type.to_be_bytes());
            octets.extend(&element.data);
        }
    }
    if octets.is_empty() { Some(Carried::default()) } else { Carried::default().with_policy(&octets) }
}

/// A reservation that serves as either would.
fn greater(one: WireFlowspec, other: WireFlowspec) -> WireFlowspec {
    let (a, b) = (one.tspec(), other.tspec());
    let tspec = Tspec {
        rate: a.rate.max(b.rate),
        bucket: a.bucket.max(b.bucket),
        peak: a.peak.max(b.peak),
        min_policed_unit: a.min_policed_unit.min(b.min_policed_unit),
        max_packet_size: a.max_packet_size.max(b.max_packet_size),
    };
    match (one, other) {
        (WireFlowspec::Guaranteed(_, a), WireFlowspec::Guaranteed(_, b)) => {
            WireFlowspec::Guaranteed(tspec, Rspec { rate: a.rate.max(b.rate), slack: a.slack.min(b.slack) })
        }
        (WireFlowspec::Null(_), _) => WireFlowspec::Null(tspec),
        _ => WireFlowspec::ControlledLoad(tspec),
    }
}

pub(super) fn failed(session: Session, status: Status, class: ErrorClass, value: ErrorValue) -> FdQos {
    FdQos { class, value, ..FdQos::of(Some(session), status) }
}

fn too_much_policy(session: Session) -> FdQos {
    failed(session, Status::EPOLICYOBJ, ErrorClass::RSVP, ErrorValue(56832))
}

/// What the path cannot do, or does not offer.
fn no_reservation(session: Session, sender: &SenderTemplate, why: NoReservation) -> FdQos {
    let (status, class, value) = match why {
        NoReservation::Invalid(invalid) => (invalid.status, ErrorClass::RSVP, invalid.value),
        NoReservation::NoRate(NoRate::NotOffered) => {
            (Status::TRAFFIC_CTRL_ERROR, ErrorClass::KERNEL_TC, ErrorValue(56702))
        }
        NoReservation::NoRate(_) => (Status::ADMISSION_FAILURE, ErrorClass::NET_ADMISSION, ErrorValue(56102)),
    };
    FdQos { senders: vec![*sender], ..failed(session, status, class, value) }
}
