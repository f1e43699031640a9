//! The numbers by which a QoS call answers and an event says what happened: WSA_QOS_* status codes, and the pair of
//! extended status of RSVP_STATUS_INFO, a general error code and a finer error value.
//!
//! Source: the published lists of sockets error codes (11005 to 11031) and of GQoS error codes and values (56000 and up).
//! A number without a name is a value like any other. What becomes of which RSVP error is told by
//! [`events`](super::events), not here.

use core::fmt;
use thiserror::Error;

macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($constant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(#[doc = $text] pub const $constant: Self = Self($number);)*

            /// The published name, without its prefix.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }
    };
}

numbers! {
    /// A WSA_QOS_* status code: what an FD_QOS event is about (11005 to 11015), or what is wrong with a request (11016 to
    /// 11031).
    Status {
        RECEIVERS = 11005 "At least one Resv arrived.",
        SENDERS = 11006 "At least one Path arrived.",
        NO_SENDERS = 11007 "The last sender is gone.",
        NO_RECEIVERS = 11008 "The last reservation is gone.",
        REQUEST_CONFIRMED = 11009 "The reservation is confirmed.",
        ADMISSION_FAILURE = 11010 "The network lacks resources.",
        POLICY_FAILURE = 11011 "Refused for administrative reasons.",
        BAD_STYLE = 11012 "Unknown or conflicting style.",
        BAD_OBJECT = 11013 "Some node did not understand an object.",
        TRAFFIC_CTRL_ERROR = 11014 "Traffic control cannot do what was asked.",
        GENERIC_ERROR = 11015 "Everything else, and events that were lost.",
        ESERVICETYPE = 11016 "Bad service type in a flowspec.",
        EFLOWSPEC = 11017 "Bad or inconsistent flowspec.",
        EPROVSPECBUF = 11018 "Bad provider-specific buffer.",
        EFILTERSTYLE = 11019 "Bad filter style.",
        EFILTERTYPE = 11020 "Bad filter type.",
        EFILTERCOUNT = 11021 "Wrong number of filters in a flow descriptor.",
        EOBJLENGTH = 11022 "Bad ObjectLength.",
        EFLOWCOUNT = 11023 "Wrong number of flow descriptors.",
        EUNKOWNPSOBJ = 11024 "Unknown object in the buffer. The name is spelt as it was published.",
        EPOLICYOBJ = 11025 "Bad policy object.",
        EFLOWDESC = 11026 "Bad flow descriptor.",
        EPSFLOWSPEC = 11027 "Bad flowspec in a flow descriptor.",
        EPSFILTERSPEC = 11028 "Bad FILTERSPEC in a flow descriptor.",
        ESDMODEOBJ = 11029 "Bad shape/discard mode object.",
        ESHAPERATEOBJ = 11030 "Bad shaping rate object.",
        RESERVED_PETYPE = 11031 "Reserved policy element type.",
    }
}

numbers! {
    /// ExtendedStatus1: where the error comes from.
    ErrorClass {
        NO_ERRORCODE = 0 "No error.",
        NET_ADMISSION = 56100 "Admission control of the network.",
        NET_POLICY = 56200 "Policy of the network.",
        RSVP = 56300 "RSVP found the request at fault.",
        API = 56400 "The interface of the RSVP process.",
        KERNEL_TC_SYS = 56500 "A system error of traffic control.",
        RSVP_SYS = 56600 "A system error of the RSVP process.",
        KERNEL_TC = 56700 "Traffic control.",
        UNKNOWN = 0xffff_ffff "Not known.",
    }
}

/// ExtendedStatus2: which error it is, finer than the [`ErrorClass`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorValue(pub u32);

impl ErrorValue {
    /// Nothing finer is known.
    pub const NONE: Self = Self(0);

    /// The published name, without its prefix.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        VALUES.iter().find_map(|(first, names)| {
            let nth = usize::try_from(self.0.checked_sub(*first)?).ok()?;
            names.get(nth).copied()
        })
    }
}

/// Where the names of consecutive values start.
#[rustfmt::skip]
const VALUES: &[(u32, &[&str])] = &[
    (56101, &["OTHER", "DELAYBND", "BANDWIDTH", "MTU", "FLOW_RATE", "PEAK_RATE", "AGG_PEAK_RATE"]),
    (56200, &["POLICY_ERROR_UNKNOWN",
        "POLICY_GLOBAL_DEF_FLOW_COUNT", "POLICY_GLOBAL_GRP_FLOW_COUNT",
        "POLICY_GLOBAL_USER_FLOW_COUNT", "POLICY_GLOBAL_UNK_USER_FLOW_COUNT",
        "POLICY_SUBNET_DEF_FLOW_COUNT", "POLICY_SUBNET_GRP_FLOW_COUNT",
        "POLICY_SUBNET_USER_FLOW_COUNT", "POLICY_SUBNET_UNK_USER_FLOW_COUNT",
        "POLICY_GLOBAL_DEF_FLOW_DURATION", "POLICY_GLOBAL_GRP_FLOW_DURATION",
        "POLICY_GLOBAL_USER_FLOW_DURATION", "POLICY_GLOBAL_UNK_USER_FLOW_DURATION",
        "POLICY_SUBNET_DEF_FLOW_DURATION", "POLICY_SUBNET_GRP_FLOW_DURATION",
        "POLICY_SUBNET_USER_FLOW_DURATION", "POLICY_SUBNET_UNK_USER_FLOW_DURATION",
        "POLICY_GLOBAL_DEF_FLOW_RATE", "POLICY_GLOBAL_GRP_FLOW_RATE",
        "POLICY_GLOBAL_USER_FLOW_RATE", "POLICY_GLOBAL_UNK_USER_FLOW_RATE",
        "POLICY_SUBNET_DEF_FLOW_RATE", "POLICY_SUBNET_GRP_FLOW_RATE",
        "POLICY_SUBNET_USER_FLOW_RATE", "POLICY_SUBNET_UNK_USER_FLOW_RATE",
        "POLICY_GLOBAL_DEF_PEAK_RATE", "POLICY_GLOBAL_GRP_PEAK_RATE",
        "POLICY_GLOBAL_USER_PEAK_RATE", "POLICY_GLOBAL_UNK_USER_PEAK_RATE",
        "POLICY_SUBNET_DEF_PEAK_RATE", "POLICY_SUBNET_GRP_PEAK_RATE",
        "POLICY_SUBNET_USER_PEAK_RATE", "POLICY_SUBNET_UNK_USER_PEAK_RATE",
        "POLICY_GLOBAL_DEF_SUM_FLOW_RATE", "POLICY_GLOBAL_GRP_SUM_FLOW_RATE",
        "POLICY_GLOBAL_USER_SUM_FLOW_RATE", "POLICY_GLOBAL_UNK_USER_SUM_FLOW_RATE",
        "POLICY_SUBNET_DEF_SUM_FLOW_RATE", "POLICY_SUBNET_GRP_SUM_FLOW_RATE",
        "POLICY_SUBNET_USER_SUM_FLOW_RATE", "POLICY_SUBNET_UNK_USER_SUM_FLOW_RATE",
        "POLICY_GLOBAL_DEF_SUM_PEAK_RATE", "POLICY_GLOBAL_GRP_SUM_PEAK_RATE",
        "POLICY_GLOBAL_USER_SUM_PEAK_RATE", "POLICY_GLOBAL_UNK_USER_SUM_PEAK_RATE",
        "POLICY_SUBNET_DEF_SUM_PEAK_RATE", "POLICY_SUBNET_GRP_SUM_PEAK_RATE",
        "POLICY_SUBNET_USER_SUM_PEAK_RATE", "POLICY_SUBNET_UNK_USER_SUM_PEAK_RATE",
        "UNKNOWN_USER", "NO_PRIVILEGES", "EXPIRED_USER_TOKEN", "NO_RESOURCES", "PRE_EMPTED", "USER_CHANGED",
        "NO_ACCEPTS", "NO_MEMORY", "CRAZY_FLOWSPEC", "NO_MORE_INFO", "UNSUPPORTED_CREDENTIAL_TYPE",
        "INSUFFICIENT_PRIVILEGES", "EXPIRED_CREDENTIAL", "IDENTITY_CHANGED", "NO_QOS_PROVIDED", "DO_NOT_SEND"]),
    (56299, &["POLICY_ERROR_USERID"]),
    (56301, &["NO_PATH", "NO_SENDER", "BAD_STYLE", "UNKNOWN_STYLE", "BAD_DSTPORT", "BAD_SNDPORT", "AMBIG_FILTER",
        "PREEMPTED", "UNKN_OBJ_CLASS", "UNKNOWN_CTYPE", "INVALID"]),
    (56401, &["API_BADSEND", "API_BADRECV", "API_BADSPORT"]),
    (56501, &["TC_GENERIC", "TC_INVALID", "TC_NO_MEMORY", "BAD_ADDRESSTYPE", "BAD_DUPLICATE", "CONFLICT", "NOTREADY",
        "WOULDBLOCK", "INCOMPATIBLE", "BAD_SDMODE", "BAD_QOSPRIORITY", "BAD_TRAFFICCLASS", "NO_SYS_RESOURCES"]),
    (56601, &["OTHER_SYS", "MEMORY_SYS", "API_SYS", "SETQOS_NO_LOCAL_APPS"]),
    (56701, &["CONFLICT_SERV", "NO_SERV", "BAD_FLOWSPEC", "BAD_TSPEC", "BAD_ADSPEC"]),
    (56801, &["IOCTL_SYSTEMFAILURE", "IOCTL_NOBYTESRETURNED", "IOCTL_INVALIDSOCKET", "IOCTL_INV_FUNCPTR",
        "IOCTL_INV_OVERLAPPED"]),
    (56811, &["SETQOS_BADINBUFFER", "SETQOS_BADFLOWSPEC", "SETQOS_COLLISION", "SETQOS_BADPROVSPECBUF",
        "SETQOS_ILLEGALOP", "SETQOS_INVALIDADDRESS", "SETQOS_OUTOFMEMORY", "SETQOS_EXCEPTION", "SETQOS_BADADDRLEN",
        "SETQOS_NOSOCKNAME", "SETQOS_IPTOSFAIL", "SETQOS_OPENSESSIONFAIL", "SETQOS_SENDFAIL", "SETQOS_RECVFAIL",
        "SETQOS_BADPOLICYOBJECT", "SETQOS_UNKNOWNFILTEROBJ", "SETQOS_BADFILTERTYPE", "SETQOS_BADFILTERCOUNT",
        "SETQOS_BADOBJLENGTH", "SETQOS_BADFLOWCOUNT", "SETQOS_UNKNOWNPSOBJ", "SETQOS_BADPOLICYOBJ",
        "SETQOS_BADFLOWDESC", "SETQOS_BADPROVSPECOBJ", "SETQOS_NOLOOPBACK", "SETQOS_MODENOTSUPPORTED",
        "SETQOS_MISSINGFLOWDESC"]),
    (56841, &["GETQOS_BADOUTBUFFER", "GETQOS_SYSTEMFAILURE", "GETQOS_EXCEPTION", "GETQOS_INTERNALFAILURE"]),
    (56851, &["CHKQOS_BADINBUFFER", "CHKQOS_BADOUTBUFFER", "CHKQOS_SYSTEMFAILURE", "CHKQOS_INTERNALFAILURE",
        "CHKQOS_BADPARAMETER", "CHKQOS_EXCEPTION"]),
];

impl fmt::Display for Status {
    /// `WSA_QOS_ESERVICETYPE`, or the number of one without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "WSA_QOS_{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Display for ErrorValue {
    /// `GQOS_BANDWIDTH`, or the number of one without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "GQOS_{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A request that is refused before anything is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{status} ({}): {why}", status.0)]
pub struct Invalid {
    /// Which of 11016 to 11031.
    pub status: Status,
    /// The finer number of the call that sets QoS, 56811 to 56837.
    pub value: ErrorValue,
    /// What is wrong, in words.
    pub why: &'static str,
}

impl Invalid {
    /// With the value that belongs to the status.
    pub(super) const fn new(status: Status, why: &'static str) -> Self {
        let value = match status {
            Status::ESERVICETYPE | Status::EFLOWSPEC => 56812,
            Status::EFILTERTYPE => 56827,
            Status::EFILTERCOUNT => 56828,
            Status::EOBJLENGTH => 56829,
            Status::EFLOWCOUNT => 56830,
            Status::EUNKOWNPSOBJ => 56831,
            Status::EPOLICYOBJ | Status::RESERVED_PETYPE => 56832,
            Status::EFLOWDESC => 56833,
            Status::EPSFLOWSPEC | Status::EPSFILTERSPEC | Status::EFILTERSTYLE => 56834,
            Status::ESDMODEOBJ => 56836,
            Status::ESHAPERATEOBJ => 56834,
            _ => 56814,
        };
        Self { status, value: ErrorValue(value), why }
    }

    /// With another value than the status' own.
    pub(super) const fn with_value(self, value: u32) -> Self {
        Self { value: ErrorValue(value), ..self }
    }
}
