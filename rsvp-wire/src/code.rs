//! The numbers of RFC 2205 Appendix A and B as newtypes with associated constants.
//!
//! None of them is a closed enumeration: an unknown number is an ordinary value that is kept and printed.

use core::fmt;

macro_rules! code {
    ($(#[$about:meta])* $code:ident { $($(#[$doc:meta])* $constant:ident = $number:literal $name:literal)* }) => {
        $(#[$about])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $code(pub u8);

        impl $code {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*

            /// The name in the RFC, if the number has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $code {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => fmt::Display::fmt(&self.0, f),
                }
            }
        }
    };
}

code! {
    /// Message type, RFC 2205 3.1.1.
    MsgType {
        /// Path, RFC 2205 3.1.3.
        PATH = 1 "Path"
        /// Resv, RFC 2205 3.1.4.
        RESV = 2 "Resv"
        /// PathErr, RFC 2205 3.1.7.
        PATH_ERR = 3 "PathErr"
        /// ResvErr, RFC 2205 3.1.8.
        RESV_ERR = 4 "ResvErr"
        /// PathTear, RFC 2205 3.1.5.
        PATH_TEAR = 5 "PathTear"
        /// ResvTear, RFC 2205 3.1.6.
        RESV_TEAR = 6 "ResvTear"
        /// ResvConf, RFC 2205 3.1.9.
        RESV_CONF = 7 "ResvConf"
    }
}

code! {
    /// Class-Num of an object, RFC 2205 3.1.2 and Appendix A.
    Class {
        /// Filler whose contents are ignored, RFC 2205 3.1.2.
        NULL = 0 "NULL"
        /// RFC 2205 A.1.
        SESSION = 1 "SESSION"
        /// RFC 2205 A.2.
        RSVP_HOP = 3 "RSVP_HOP"
        /// RFC 2205 A.3, RFC 2747.
        INTEGRITY = 4 "INTEGRITY"
        /// RFC 2205 A.4.
        TIME_VALUES = 5 "TIME_VALUES"
        /// RFC 2205 A.5.
        ERROR_SPEC = 6 "ERROR_SPEC"
        /// RFC 2205 A.6.
        SCOPE = 7 "SCOPE"
        /// RFC 2205 A.7.
        STYLE = 8 "STYLE"
        /// RFC 2205 A.8.
        FLOWSPEC = 9 "FLOWSPEC"
        /// RFC 2205 A.9.
        FILTER_SPEC = 10 "FILTER_SPEC"
        /// RFC 2205 A.10.
        SENDER_TEMPLATE = 11 "SENDER_TEMPLATE"
        /// RFC 2205 A.11.
        SENDER_TSPEC = 12 "SENDER_TSPEC"
        /// RFC 2205 A.12.
        ADSPEC = 13 "ADSPEC"
        /// RFC 2205 A.13.
        POLICY_DATA = 14 "POLICY_DATA"
        /// RFC 2205 A.14.
        RESV_CONFIRM = 15 "RESV_CONFIRM"
    }
}

code! {
    /// C-Type of an object: its format within its class, RFC 2205 3.1.2. The names are in the [`registry`](crate::registry).
    CType {}
}

code! {
    /// Error Code of an ERROR_SPEC, RFC 2205 Appendix B.
    ErrorCode {
        /// Only in a ResvConf; the value is zero.
        CONFIRMATION = 0 "Confirmation"
        /// Values in [`error_value`].
        ADMISSION_CONTROL = 1 "Admission Control failure"
        /// Rejected for administrative reasons.
        POLICY_CONTROL = 2 "Policy Control failure"
        /// No path state for the session of a Resv.
        NO_PATH = 3 "No path information for this Resv message"
        /// Path state, but not for the sender of a flow descriptor.
        NO_SENDER = 4 "No sender information for this Resv message"
        /// The value is the low 16 bits of the existing style's Option Vector.
        CONFLICTING_STYLE = 5 "Conflicting reservation style"
        /// The style is unknown.
        UNKNOWN_STYLE = 6 "Unknown reservation style"
        /// Zero and non-zero destination ports for one destination and protocol.
        CONFLICTING_DEST_PORTS = 7 "Conflicting dest ports"
        /// Zero and non-zero sender ports in one session.
        CONFLICTING_SENDER_PORTS = 8 "Conflicting sender ports"
        /// Administratively preempted.
        SERVICE_PREEMPTED = 12 "Service preempted"
        /// The value is Class-Num (high octet) and C-Type of the object.
        UNKNOWN_CLASS = 13 "Unknown object class"
        /// The value is Class-Num (high octet) and C-Type of the object.
        UNKNOWN_CTYPE = 14 "Unknown object C-Type"
        /// Reserved for the application interface.
        API = 20 "Reserved for API"
        /// Values in [`error_value`].
        TRAFFIC_CONTROL = 21 "Traffic Control Error"
        /// The value is system-specific.
        TRAFFIC_CONTROL_SYSTEM = 22 "Traffic Control System error"
        /// The value depends on the implementation.
        RSVP_SYSTEM = 23 "RSVP System error"
    }
}

/// Globally defined Error Values, RFC 2205 Appendix B: the whole 16 bits, with the `ssur` bits zero.
pub mod error_value {
    /// Code 01: delay bound cannot be met.
    pub const DELAY_BOUND: u16 = 1;
    /// Code 01: requested bandwidth unavailable.
    pub const BANDWIDTH_UNAVAILABLE: u16 = 2;
    /// Code 01: MTU in flowspec larger than interface MTU.
    pub const MTU_TOO_LARGE: u16 = 3;
    /// Code 21: trying to merge two incompatible service requests.
    pub const SERVICE_CONFLICT: u16 = 1;
    /// Code 21: neither the requested service nor a replacement can be provided.
    pub const SERVICE_UNSUPPORTED: u16 = 2;
    /// Code 21: malformed or unreasonable flowspec.
    pub const BAD_FLOWSPEC: u16 = 3;
    /// Code 21: malformed or unreasonable Tspec.
    pub const BAD_TSPEC: u16 = 4;
    /// Code 21: malformed or unreasonable Adspec.
    pub const BAD_ADSPEC: u16 = 5;
}

/// The RFC's words for an Error Value under its code, if it is a globally defined one (RFC 2205 Appendix B).
pub const fn error_value_name(code: ErrorCode, value: u16) -> Option<&'static str> {
    match (code, value) {
        (ErrorCode::ADMISSION_CONTROL, error_value::DELAY_BOUND) => Some("Delay bound cannot be met"),
        (ErrorCode::ADMISSION_CONTROL, error_value::BANDWIDTH_UNAVAILABLE) => {
            Some("Requested bandwidth unavailable")
        }
        (ErrorCode::ADMISSION_CONTROL, error_value::MTU_TOO_LARGE) => {
            Some("MTU in flowspec larger than interface MTU")
        }
        (ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT) => Some("Service conflict"),
        (ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_UNSUPPORTED) => Some("Service unsupported"),
        (ErrorCode::TRAFFIC_CONTROL, error_value::BAD_FLOWSPEC) => Some("Bad Flowspec value"),
        (ErrorCode::TRAFFIC_CONTROL, error_value::BAD_TSPEC) => Some("Bad Tspec value"),
        (ErrorCode::TRAFFIC_CONTROL, error_value::BAD_ADSPEC) => Some("Bad Adspec value"),
        _ => None,
    }
}

/// What a node does with an object whose class it does not know, RFC 2205 3.10.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum UnknownClass {
    /// `0bbbbbbb`: reject the message with "Unknown object class".
    Reject,
    /// `10bbbbbb`: neither forward the object nor report it.
    Ignore,
    /// `11bbbbbb`: forward the object unmodified in all messages resulting from this one.
    Forward,
}

impl Class {
    /// What to do with an object of this class when the class is unknown: its two high bits say (RFC 2205 3.10).
    pub const fn when_unknown(self) -> UnknownClass {
        match self.0 >> 6 {
            0 | 1 => UnknownClass::Reject,
            2 => UnknownClass::Ignore,
            _ => UnknownClass::Forward,
        }
    }
}
