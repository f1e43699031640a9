//! Whether a request makes sense before anything is done about it: the codes 11016 to 11031.
//!
//! Source: the published list of those codes; which fault has which code is told where the fault is looked for. What an
//! object's octets get wrong is found in reading them ([`objects`](super::objects)), what a style gets wrong in
//! [`style`](super::style), which this calls. Whether the network can do it is deliberately not asked.

use super::endpoint::{Endpoint, Transport};
use super::flowspec::{Flowspec, Peak};
use super::objects::Object;
use super::objects::policy::PolicyElement;
use super::objects::reserve_info::ReserveInfo;
use super::objects::traffic::{NAME_UNITS, SdMode};
use super::receiver::check_guaranteed;
use super::request::Qos;
use super::service_type::ServiceType;
use super::status::{Invalid, Status};
use super::style::reserve;

/// Policy elements with the identity of a user: who the user is, is not for an application to say.
const AUTH_USER: u16 = 2;
/// RFC 2750 reserves P-Types from here on for private use.
const PRIVATE: u16 = 53_248;

impl Qos {
    /// Whether this may be asked of the socket.
    ///
    /// # Errors
    /// 11016 to 11031, for the first thing that is wrong.
    pub fn validate(&self, socket: &Endpoint) -> Result<(), Invalid> {
        check_flowspec(&self.sending)?;
        check_flowspec(&self.receiving)?;
        check_sending(&self.sending)?;
        check_receiving(&self.receiving)?;
        for (nth, object) in self.objects.iter().enumerate() {
            let repeated = |earlier: &Object| earlier.object_type() == object.object_type();
            if self.objects[..nth].iter().any(repeated) {
                return Err(Invalid::new(Status::EPROVSPECBUF, "an object is there twice"));
            }
            check_object(object, socket)?;
        }
        let info = self.objects.iter().find_map(|object| match object {
            Object::Reserve(info) => Some(info),
            _ => None,
        });
        reserve(socket, &self.receiving, info).map(|_| ())
    }
}

/// What holds in both directions.
fn check_flowspec(flowspec: &Flowspec) -> Result<(), Invalid> {
    let bad = |why| Err(Invalid::new(Status::EFLOWSPEC, why));
    if flowspec.service.service_type == ServiceType::NetworkUnavailable {
        return Err(Invalid::new(
            Status::ESERVICETYPE,
            "that the network is gone is not for an application to say",
        ));
    }
    if flowspec.has_special_numbers() {
        return bad("a number is one of those that mean something else");
    }
    if flowspec.token_rate == Some(0) {
        return bad("a TokenRate is never zero");
    }
    if let (Some(rate), Some(Peak::Finite(peak))) = (flowspec.token_rate, flowspec.peak_bandwidth)
        && peak < rate
    {
        return bad("PeakBandwidth is less than TokenRate");
    }
    if flowspec.minimum_policed_size == Some(0) {
        return bad("a MinimumPolicedSize is never zero");
    }
    match (flowspec.minimum_policed_size, flowspec.max_sdu_size) {
        (Some(least), Some(most)) if most < least => bad("MaxSduSize is less than MinimumPolicedSize"),
        (None, Some(0)) => bad("a MaxSduSize is never zero"),
        _ => Ok(()),
    }
}

fn check_sending(sending: &Flowspec) -> Result<(), Invalid> {
    let needs_rate = matches!(
        sending.service.service_type,
        ServiceType::ControlledLoad | ServiceType::Guaranteed | ServiceType::GeneralInformation
    );
    if needs_rate && sending.token_rate.is_none() {
        return Err(Invalid::new(Status::EFLOWSPEC, "a sender has to specify its TokenRate"));
    }
    Ok(())
}

fn check_receiving(receiving: &Flowspec) -> Result<(), Invalid> {
    match receiving.service.service_type {
        ServiceType::GeneralInformation => {
            Err(Invalid::new(Status::ESERVICETYPE, "a receiver has to choose a service"))
        }
        ServiceType::Guaranteed => check_guaranteed(receiving),
        _ => Ok(()),
    }
}

fn check_object(object: &Object, socket: &Endpoint) -> Result<(), Invalid> {
    let bad = |why| Err(Invalid::new(Status::EPROVSPECBUF, why).with_value(56834));
    match object {
        Object::Reserve(info) => check_reserve(info),
        Object::Policy(elements) => check_policy(elements),
        Object::SdMode(SdMode::BorrowPlus) => {
            Err(Invalid::new(Status::ESDMODEOBJ, "the mode borrow-plus is not supported"))
        }
        Object::ShapingRate(0 | 0xffff_fffe..) => {
            Err(Invalid::new(Status::ESHAPERATEOBJ, "a shaping rate is a rate, in octets per second"))
        }
        Object::Destination(address) => {
            if socket.transport != Transport::Udp || socket.peer.is_some() {
                return bad("only a UDP socket without a peer is told where it sends to");
            }
            if address.ip().is_unspecified() || address.port() == 0 {
                return bad("the destination has no address or no port");
            }
            Ok(())
        }
        Object::DsClass(0x40..) => bad("a DSCP is 0 to 63"),
        Object::TrafficClass(8..) => bad("an IEEE 802.1p priority is 0 to 7"),
        Object::FriendlyName(name) if name.encode_utf16().count() > NAME_UNITS || name.contains('\0') => {
            bad("a friendly name has 256 UTF-16 units at most, none of them zero")
        }
        Object::DiffServ(_) => {
            Err(Invalid::new(Status::EUNKOWNPSOBJ, "rules for arriving packets are not for a socket to set"))
        }
        returned if returned.comes_back_only() => {
            Err(Invalid::new(Status::EUNKOWNPSOBJ, "an object that comes back is not for setting"))
        }
        _ => Ok(()),
    }
}

fn check_policy(elements: &[PolicyElement]) -> Result<(), Invalid> {
    for element in elements {
        if matches!(element.element_type, 0 | AUTH_USER | PRIVATE..) {
            return Err(Invalid::new(Status::RESERVED_PETYPE, "the type of a policy element is reserved"));
        }
        if !element.data.len().is_multiple_of(4) || element.data.len() > usize::from(u16::MAX) - 4 {
            let why = "a policy element is of whole words, and 65532 octets at most";
            return Err(Invalid::new(Status::EPOLICYOBJ, why));
        }
    }
    Ok(())
}

/// Policy and flowspecs; the style is judged with the socket.
fn check_reserve(info: &ReserveInfo) -> Result<(), Invalid> {
    check_policy(&info.policy)?;
    for descriptor in &info.flow_descriptors {
        let flowspec = &descriptor.flowspec;
        let service = matches!(
            flowspec.service.service_type,
            ServiceType::ControlledLoad | ServiceType::Guaranteed | ServiceType::Qualitative
        );
        if !service || check_flowspec(flowspec).and_then(|()| check_receiving(flowspec)).is_err() {
            let why = "the flowspec of a flow descriptor asks for no service, or for one as it cannot be";
            return Err(Invalid::new(Status::EPSFLOWSPEC, why));
        }
    }
    Ok(())
}
