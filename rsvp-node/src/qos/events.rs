//! What the network did, as FD_QOS tells it: an engine's event becomes a status code, the extended pair and a QOS.
//!
//! | the engine says | status | extended |
//! |---|---|---|
//! | a sender is there or has changed; the last is gone | 11006; 11007 | 0, 0 |
//! | a reservation is there or has changed; the last is gone | 11005; 11008 | 0, 0 |
//! | a confirmation, once for each request and session | 11009 | 0, 0 |
//! | error 1 (admission), value v | 11010 | 56100, 56101 + v up to 6, else 56101 |
//! | error 2 (policy), value v | 11011 | 56200, 56200 + v up to 99, else 56200 |
//! | error 5, 6 (styles); 13, 14 (unknown objects) | 11012; 11013 | 56300, 56303, 56304; 56309, 56310 |
//! | error 3, 4, 7, 8, 9, 12 | 11015 | 56300, 56301, 56302, 56305 to 56308 |
//! | error 21 (traffic control), value v; error 22 | 11014 | 56700, 56700 + v from 1 to 5; 56500, 56501 |
//! | error 20 (API); 23 (RSVP system); unknown | 11015 | 56400, 0; 56600, 0; 0xFFFFFFFF, 0 |
//!
//! Of a value the low twelve bits count: the others say who has defined it (RFC 2205 Appendix B). Source: the published
//! lists of GQoS error codes and values; which RSVP message has which status is stated there for 11005, 11006 and 11009
//! only, the rest follows from the texts. An answer is about one direction; the other says NOCHANGE.

use super::flowspec::Flowspec;
use super::objects::Object;
use super::objects::adspec::RsvpAdspec;
use super::objects::filterspec::FilterSpec;
use super::request::Qos;
use super::service_type::ServiceType;
use super::status::{ErrorClass, ErrorValue, Status};
use crate::Carried;
use rsvp_wire::{AdspecSummary, ErrorSpec, SenderTemplate, Session, Tspec};

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub struct FdQos {
    /// What it is about.
    pub status: Status,
    /// ExtendedStatus1.
    pub class: ErrorClass,
    /// ExtendedStatus2.
    pub value: ErrorValue,
    /// Of which session; `None` for notifications that were lost.
    pub session: Option<Session>,
    /// What this host sends, as the network has it; or NOCHANGE.
    pub sending: Flowspec,
    /// What this host receives, as the network has it; or NOCHANGE.
    pub receiving: Flowspec,
    /// What the path offers a receiver.
    pub adspec: Option<AdspecSummary>,
    /// The senders it is about: all that are there, those that are reserved for, or those in error; none for all.
    pub senders: Vec<SenderTemplate>,
    /// Policy and marks that came with what it is about.
    pub carried: Carried,
    /// The error as RSVP has it: with the node that found it.
    pub fault: Option<ErrorSpec>,
    /// Why a Path of the sender did not get where it was to go, as errors of ICMP say.
    pub undelivered: Option<String>,
    /// How many notifications were lost before this one.
    pub lost: u32,
}

impl FdQos {
    /// A notification that says no more than its status.
    #[must_use]
    pub fn of(session: Option<Session>, status: Status) -> Self {
        Self {
            status,
            class: ErrorClass::NO_ERRORCODE,
            value: ErrorValue::NONE,
            session,
            sending: Flowspec::default(),
            receiving: Flowspec::default(),
            adspec: None,
            senders: Vec::new(),
            carried: Carried::default(),
            fault: None,
            undelivered: None,
            lost: 0,
        }
    }

    /// An error, of whichever message, and the senders it is about.
    #[must_use]
    pub fn of_error(session: Session, error: ErrorSpec, senders: Vec<SenderTemplate>) -> Self {
        let (status, class, value) = status_of(&error);
        Self { class, value, senders, fault: Some(error), ..Self::of(Some(session), status) }
    }

    /// The answer to a call that asks for the QOS: both flowspecs, with RSVP_STATUS_INFO first among the objects.
    #[must_use]
    pub fn to_qos(&self) -> Qos {
        let info = Object::StatusInfo { status: self.status, class: self.class, value: self.value };
        let adspec = self.adspec.as_ref().map(|adspec| Object::Adspec(RsvpAdspec::from(adspec)));
        let senders = self.senders.iter().map(FilterSpec::of_sender).collect::<Vec<_>>();
        let senders = (!senders.is_empty()).then_some(Object::FilterspecList(senders));
        let objects = [Some(info), adspec, senders].into_iter().flatten().collect();
        Qos { sending: self.sending, receiving: self.receiving, objects }
    }
}

/// What a receiver is told of a sender. The service is the one that the path offers, or GENERAL_INFORMATION for a choice.
#[must_use]
pub fn announced(tspec: &Tspec, adspec: Option<&AdspecSummary>) -> Flowspec {
    let offered = adspec.map(|a| (a.guaranteed.is_some(), a.controlled_load.is_some(), a.null.is_some()));
    let service = match offered {
        Some((true, false, false)) => ServiceType::Guaranteed,
        Some((false, true, false)) => ServiceType::ControlledLoad,
        Some((false, false, true)) => ServiceType::Qualitative,
        _ => ServiceType::GeneralInformation,
    };
    Flowspec::of_tspec(service, tspec)
}

/// The three numbers of an error.
#[must_use]
pub fn status_of(error: &ErrorSpec) -> (Status, ErrorClass, ErrorValue) {
    let value = u32::from(error.value & 0x0fff);
    let rsvp = |status, value| (status, ErrorClass::RSVP, ErrorValue(value));
    let within = |value: u32, base, most| ErrorValue(if value <= most { base + value } else { base });
    match error.code.0 {
        1 => (Status::ADMISSION_FAILURE, ErrorClass::NET_ADMISSION, within(value, 56101, 6)),
        2 => (Status::POLICY_FAILURE, ErrorClass::NET_POLICY, within(value, 56200, 99)),
        3 => rsvp(Status::GENERIC_ERROR, 56301),
        4 => rsvp(Status::GENERIC_ERROR, 56302),
        5 => rsvp(Status::BAD_STYLE, 56303),
        6 => rsvp(Status::BAD_STYLE, 56304),
        7 => rsvp(Status::GENERIC_ERROR, 56305),
        8 => rsvp(Status::GENERIC_ERROR, 56306),
        9 => rsvp(Status::GENERIC_ERROR, 56307),
        12 => rsvp(Status::GENERIC_ERROR, 56308),
        13 => rsvp(Status::BAD_OBJECT, 56309),
        14 => rsvp(Status::BAD_OBJECT, 56310),
        20 => (Status::GENERIC_ERROR, ErrorClass::API, ErrorValue::NONE),
        21 => {
            let value = if (1..=5).contains(&value) { ErrorValue(56700 + value) } else { ErrorValue::NONE };
            (Status::TRAFFIC_CTRL_ERROR, ErrorClass::KERNEL_TC, value)
        }
        22 => (Status::TRAFFIC_CTRL_ERROR, ErrorClass::KERNEL_TC_SYS, ErrorValue(56501)),
        23 => (Status::GENERIC_ERROR, ErrorClass::RSVP_SYS, ErrorValue::NONE),
        _ => (Status::GENERIC_ERROR, ErrorClass::UNKNOWN, ErrorValue::NONE),
    }
}
