//! The words of QoS sockets, and what they mean: `rsvp_node::qos`, both ways.

use super::values as said;
use crate::Octets;
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::objects::policy::PolicyElement;
use rsvp_node::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_node::qos::objects::traffic::SdMode;
use rsvp_node::qos::{
    self, ErrorClass, ErrorValue, Flowspec, Invalid, Object, Peak, Qos, Service, ServiceType, Status,
};
use rsvp_wire::{ErrorCode, ErrorSpec, SenderTemplate};

const SERVICES: [(said::ServiceType, ServiceType); 10] = [
    (said::ServiceType::NoTraffic, ServiceType::NoTraffic),
    (said::ServiceType::BestEffort, ServiceType::BestEffort),
    (said::ServiceType::ControlledLoad, ServiceType::ControlledLoad),
    (said::ServiceType::Guaranteed, ServiceType::Guaranteed),
    (said::ServiceType::NetworkUnavailable, ServiceType::NetworkUnavailable),
    (said::ServiceType::GeneralInformation, ServiceType::GeneralInformation),
    (said::ServiceType::NoChange, ServiceType::NoChange),
    (said::ServiceType::NonConforming, ServiceType::NonConforming),
    (said::ServiceType::NetworkControl, ServiceType::NetworkControl),
    (said::ServiceType::Qualitative, ServiceType::Qualitative),
];

impl From<ServiceType> for said::ServiceType {
    fn from(service: ServiceType) -> Self {
        SERVICES.iter().find(|(_, meant)| *meant == service).map_or_else(Self::default, |(word, _)| *word)
    }
}

impl From<said::ServiceType> for ServiceType {
    fn from(word: said::ServiceType) -> Self {
        SERVICES.iter().find(|(said, _)| *said == word).map_or_else(Self::default, |(_, service)| *service)
    }
}

impl From<super::Transport> for qos::Transport {
    fn from(transport: super::Transport) -> Self {
        match transport {
            super::Transport::Tcp => Self::Tcp,
            super::Transport::Udp => Self::Udp,
        }
    }
}

impl From<qos::Transport> for super::Transport {
    fn from(transport: qos::Transport) -> Self {
        match transport {
            qos::Transport::Tcp => Self::Tcp,
            qos::Transport::Udp => Self::Udp,
        }
    }
}

impl From<&Flowspec> for said::Flowspec {
    fn from(flowspec: &Flowspec) -> Self {
        Self {
            service: flowspec.service.service_type.into(),
            token_rate: flowspec.token_rate,
            token_bucket_size: flowspec.token_bucket_size,
            peak_bandwidth: flowspec.peak_bandwidth.map(|peak| match peak {
                Peak::Finite(rate) => said::Peak::Rate(rate),
                Peak::Infinite => said::Peak::Word(said::Infinite::Infinite),
            }),
            latency_us: flowspec.latency_us,
            delay_variation_us: flowspec.delay_variation_us,
            max_sdu_size: flowspec.max_sdu_size,
            minimum_policed_size: flowspec.minimum_policed_size,
            no_traffic_control: flowspec.service.no_traffic_control,
            no_qos_signaling: flowspec.service.no_qos_signaling,
        }
    }
}

impl From<&said::Flowspec> for Flowspec {
    fn from(said: &said::Flowspec) -> Self {
        Self {
            token_rate: said.token_rate,
            token_bucket_size: said.token_bucket_size,
            peak_bandwidth: said.peak_bandwidth.map(|peak| match peak {
                said::Peak::Rate(rate) => Peak::Finite(rate),
                said::Peak::Word(said::Infinite::Infinite) => Peak::Infinite,
            }),
            latency_us: said.latency_us,
            delay_variation_us: said.delay_variation_us,
            service: Service {
                service_type: said.service.into(),
                no_traffic_control: said.no_traffic_control,
                no_qos_signaling: said.no_qos_signaling,
            },
            max_sdu_size: said.max_sdu_size,
            minimum_policed_size: said.minimum_policed_size,
        }
    }
}

impl TryFrom<&Qos> for said::Qos {
    type Error = Invalid;

    /// What has no words is refused as the daemon would: objects that only come back, generalised ports.
    fn try_from(qos: &Qos) -> Result<Self, Invalid> {
        Ok(Self {
            sending: (&qos.sending).into(),
            receiving: (&qos.receiving).into(),
            objects: qos.objects.iter().map(said::Object::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<&said::Qos> for Qos {
    type Error = Invalid;

    fn try_from(said: &said::Qos) -> Result<Self, Invalid> {
        Ok(Self {
            sending: (&said.sending).into(),
            receiving: (&said.receiving).into(),
            objects: said.objects.iter().map(Object::try_from).collect::<Result<_, _>>()?,
        })
    }
}

const MODES: [(said::SdMode, SdMode); 4] = [
    (said::SdMode::Borrow, SdMode::Borrow),
    (said::SdMode::Shape, SdMode::Shape),
    (said::SdMode::Discard, SdMode::Discard),
    (said::SdMode::BorrowPlus, SdMode::BorrowPlus),
];

const NO_WORDS: Invalid = Invalid {
    status: Status::EUNKOWNPSOBJ,
    value: ErrorValue(56831),
    why: "an object that comes back, or rules for arriving packets, are not for a socket to set",
};
const NO_PORT: Invalid = Invalid {
    status: Status::EFILTERTYPE,
    value: ErrorValue(56827),
    why: "UDP and TCP have ports, no generalised ones",
};
const NO_ELEMENT: Invalid = Invalid {
    status: Status::EPOLICYOBJ,
    value: ErrorValue(56832),
    why: "a policy element is its length in octets and its type, of two octets each, and as many octets as that says",
};
const NO_STYLE: Invalid = Invalid {
    status: Status::EFILTERSTYLE,
    value: ErrorValue(56834),
    why: "the style is none of WF, FF and SE",
};

impl TryFrom<&Object> for said::Object {
    type Error = Invalid;

    fn try_from(object: &Object) -> Result<Self, Invalid> {
        Ok(match object {
            Object::Reserve(info) => Self::ReserveInfo {
                style: match info.style {
                    FilterStyle::Default => None,
                    FilterStyle::Wildcard => Some(crate::qos::Style::Wf),
                    FilterStyle::FixedFilter => Some(crate::qos::Style::Ff),
                    FilterStyle::SharedExplicit => Some(crate::qos::Style::Se),
                },
                confirm: info.confirm_request,
                policy: info.policy.iter().map(element).collect(),
                flows: info.flow_descriptors.iter().map(said_descriptor).collect::<Result<_, _>>()?,
            },
            Object::Policy(elements) => Self::PolicyInfo { elements: elements.iter().map(element).collect() },
            Object::SdMode(mode) => Self::SdMode {
                mode: MODES.iter().find(|(_, meant)| meant == mode).map_or(said::SdMode::BorrowPlus, |m| m.0),
            },
            Object::ShapingRate(rate) => Self::ShapingRate { rate: *rate },
            Object::Destination(address) => Self::Destination { address: *address },
            Object::DsClass(dscp) => Self::DsClass { dscp: *dscp },
            Object::TrafficClass(priority) => Self::TrafficClass { priority: *priority },
            Object::TcpTraffic => Self::TcpTraffic {},
            Object::FriendlyName(name) => Self::FriendlyName { name: name.clone() },
            _ => return Err(NO_WORDS),
        })
    }
}

impl TryFrom<&said::Object> for Object {
    type Error = Invalid;

    fn try_from(said: &said::Object) -> Result<Self, Invalid> {
        Ok(match said {
            said::Object::ReserveInfo { style, confirm, policy, flows } => Self::Reserve(ReserveInfo {
                style: match style {
                    None => FilterStyle::Default,
                    Some(crate::qos::Style::Wf) => FilterStyle::Wildcard,
                    Some(crate::qos::Style::Ff) => FilterStyle::FixedFilter,
                    Some(crate::qos::Style::Se) => FilterStyle::SharedExplicit,
                    Some(crate::qos::Style::Unknown) => return Err(NO_STYLE),
                },
                confirm_request: *confirm,
                policy: elements(policy)?,
                flow_descriptors: flows.iter().map(descriptor).collect(),
            }),
            said::Object::PolicyInfo { elements: listed } => Self::Policy(elements(listed)?),
            said::Object::SdMode { mode } => {
                Self::SdMode(MODES.iter().find(|(word, _)| word == mode).map_or(SdMode::BorrowPlus, |m| m.1))
            }
            said::Object::ShapingRate { rate } => Self::ShapingRate(*rate),
            said::Object::Destination { address } => Self::Destination(*address),
            said::Object::DsClass { dscp } => Self::DsClass(*dscp),
            said::Object::TrafficClass { priority } => Self::TrafficClass(*priority),
            said::Object::TcpTraffic {} => Self::TcpTraffic,
            said::Object::FriendlyName { name } => Self::FriendlyName(name.clone()),
        })
    }
}

/// A policy element as RFC 2750 has it.
fn element(element: &PolicyElement) -> Octets {
    let length = u16::try_from(element.data.len() + 4).unwrap_or(u16::MAX);
    Octets([&length.to_be_bytes(), &element.element_type.to_be_bytes(), &element.data[..]].concat())
}

fn elements(said: &[Octets]) -> Result<Vec<PolicyElement>, Invalid> {
    let read = |Octets(octets): &Octets| {
        let [length_high, length_low, type_high, type_low, data @ ..] = &octets[..] else {
            return Err(NO_ELEMENT);
        };
        if usize::from(u16::from_be_bytes([*length_high, *length_low])) != octets.len() {
            return Err(NO_ELEMENT);
        }
        let element_type = u16::from_be_bytes([*type_high, *type_low]);
        Ok(PolicyElement { element_type, data: data.to_vec() })
    };
    said.iter().map(read).collect()
}

fn said_descriptor(descriptor: &FlowDescriptor) -> Result<said::FlowDescriptor, Invalid> {
    let filters = descriptor.filters.iter().map(|filter| filter.to_wire().ok_or(NO_PORT));
    Ok(said::FlowDescriptor {
        flowspec: (&descriptor.flowspec).into(),
        filters: filters.collect::<Result<_, _>>()?,
    })
}

fn descriptor(said: &said::FlowDescriptor) -> FlowDescriptor {
    let filters = said.filters.iter().map(|filter| FilterSpec::of_sender(&SenderTemplate(*filter)));
    FlowDescriptor { flowspec: (&said.flowspec).into(), filters: filters.collect() }
}

impl super::FdQos {
    /// A notification of a socket.
    #[must_use]
    pub fn of(socket: u64, told: &qos::FdQos) -> Self {
        Self {
            socket,
            status: told.status.0,
            name: told.status.name().map(|name| format!("WSA_QOS_{name}")),
            extended: (told.class.0, told.value.0),
            session: told.session,
            sending: (&told.sending).into(),
            receiving: (&told.receiving).into(),
            adspec: told.adspec.map(Into::into),
            senders: told.senders.clone(),
            carried: (&told.carried).into(),
            error: told.fault.as_ref().map(crate::engine::fault),
            undelivered: told.undelivered.clone(),
            lost: told.lost,
        }
    }

    /// What it means.
    ///
    /// # Errors
    /// When what is carried cannot be so.
    pub fn meaning(&self) -> Result<qos::FdQos, &'static str> {
        let fault = self.error.as_ref().map(|fault| {
            let flag = |set, flag| if set { flag } else { 0 };
            let in_place = flag(fault.in_place, ErrorSpec::IN_PLACE);
            let flags = in_place | flag(fault.not_guilty, ErrorSpec::NOT_GUILTY);
            ErrorSpec { node: fault.node, flags, code: ErrorCode(fault.code), value: fault.value }
        });
        Ok(qos::FdQos {
            status: Status(self.status),
            class: ErrorClass(self.extended.0),
            value: ErrorValue(self.extended.1),
            session: self.session,
            sending: (&self.sending).into(),
            receiving: (&self.receiving).into(),
            adspec: self.adspec.map(Into::into),
            senders: self.senders.clone(),
            carried: (&self.carried).try_into()?,
            fault,
            undelivered: self.undelivered.clone(),
            lost: self.lost,
        })
    }
}
