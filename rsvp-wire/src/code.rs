//! The numbers of RFC 2205 Appendix A and B, and of its extensions, as newtypes with associated constants.
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
        /// Diagnostic request, RFC 2745.
        DREQ = 8 "DREQ"
        /// Diagnostic reply, RFC 2745.
        DREP = 9 "DREP"
        /// Registered without a text.
        RESV_TEAR_CONFIRM = 10 "ResvTearConfirm"
        /// Messages in a message, RFC 2961 3.
        BUNDLE = 12 "Bundle"
        /// RFC 2961 4.
        ACK = 13 "Ack"
        /// Summary refresh, RFC 2961 5.
        SREFRESH = 15 "Srefresh"
        /// RFC 3209 5.
        HELLO = 20 "Hello"
        /// RFC 3473 4.3.
        NOTIFY = 21 "Notify"
        /// RFC 2747 4; RFC 3097 moved it here from 11.
        INTEGRITY_CHALLENGE = 25 "Challenge"
        /// RFC 2747 4; RFC 3097 moved it here from 12.
        INTEGRITY_RESPONSE = 26 "IntegrityResponse"
        /// RFC 5063 4.
        RECOVERY_PATH = 30 "RecoveryPath"
        /// RFC 2814 B.
        DSBM_WILLING = 66 "DSBM_willing"
        /// RFC 2814 B.
        I_AM_DSBM = 67 "I_AM_DSBM"
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
        /// RFC 3209.
        RSVP_LABEL = 16 "RSVP_LABEL"
        /// Registered without a text.
        HOP_COUNT = 17 "HOP_COUNT"
        /// Registered without a text.
        STRICT_SOURCE_ROUTE = 18 "STRICT_SOURCE_ROUTE"
        /// RFC 3209.
        LABEL_REQUEST = 19 "LABEL_REQUEST"
        /// RFC 3209.
        EXPLICIT_ROUTE = 20 "EXPLICIT_ROUTE"
        /// RFC 3209.
        RECORD_ROUTE = 21 "RECORD_ROUTE"
        /// RFC 3209.
        HELLO = 22 "HELLO"
        /// RFC 2961.
        MESSAGE_ID = 23 "MESSAGE_ID"
        /// RFC 2961.
        MESSAGE_ID_ACK = 24 "MESSAGE_ID_ACK"
        /// RFC 2961.
        MESSAGE_ID_LIST = 25 "MESSAGE_ID_LIST"
        /// RFC 2745.
        DIAGNOSTIC = 30 "DIAGNOSTIC"
        /// RFC 2745.
        ROUTE = 31 "ROUTE"
        /// RFC 2745.
        DIAG_RESPONSE = 32 "DIAG_RESPONSE"
        /// RFC 2745.
        DIAG_SELECT = 33 "DIAG_SELECT"
        /// RFC 3473.
        RECOVERY_LABEL = 34 "RECOVERY_LABEL"
        /// RFC 3473.
        UPSTREAM_LABEL = 35 "UPSTREAM_LABEL"
        /// RFC 3473.
        LABEL_SET = 36 "LABEL_SET"
        /// RFC 3473.
        PROTECTION = 37 "PROTECTION"
        /// RFC 4872.
        PRIMARY_PATH_ROUTE = 38 "PRIMARY_PATH_ROUTE"
        /// RFC 2814.
        DSBM_IP_ADDRESS = 42 "DSBM IP ADDRESS"
        /// RFC 2814.
        SBM_PRIORITY = 43 "SBM_PRIORITY"
        /// RFC 2814.
        DSBM_TIMER_INTERVALS = 44 "DSBM TIMER INTERVALS"
        /// RFC 2814.
        SBM_INFO = 45 "SBM_INFO"
        /// RFC 4875.
        S2L_SUB_LSP = 50 "S2L_SUB_LSP"
        /// RFC 4090.
        DETOUR = 63 "DETOUR"
        /// RFC 2747.
        CHALLENGE = 64 "CHALLENGE"
        /// RFC 3270.
        DIFFSERV = 65 "DIFFSERV"
        /// RFC 4124.
        CLASSTYPE = 66 "CLASSTYPE"
        /// RFC 5420.
        LSP_REQUIRED_ATTRIBUTES = 67 "LSP_REQUIRED_ATTRIBUTES"
        /// RFC 6387.
        UPSTREAM_FLOWSPEC = 120 "UPSTREAM_FLOWSPEC"
        /// RFC 6387.
        UPSTREAM_TSPEC = 121 "UPSTREAM_TSPEC"
        /// RFC 6387.
        UPSTREAM_ADSPEC = 122 "UPSTREAM_ADSPEC"
        /// RFC 2746.
        NODE_CHAR = 128 "NODE_CHAR"
        /// RFC 3473.
        SUGGESTED_LABEL = 129 "SUGGESTED_LABEL"
        /// RFC 3473.
        ACCEPTABLE_LABEL_SET = 130 "ACCEPTABLE_LABEL_SET"
        /// RFC 3473.
        RESTART_CAP = 131 "RESTART_CAP"
        /// RFC 4860.
        SESSION_OF_INTEREST = 132 "SESSION-OF-INTEREST"
        /// RFC 4974.
        LINK_CAPABILITY = 133 "LINK_CAPABILITY"
        /// RFC 5063.
        CAPABILITY = 134 "CAPABILITY"
        /// RFC 9705.
        CONDITIONS = 135 "CONDITIONS"
        /// RFC 2814.
        RSVP_HOP_L2 = 161 "RSVP_HOP_L2"
        /// RFC 2814.
        LAN_NHOP_L2 = 162 "LAN_NHOP_L2"
        /// RFC 2814.
        LAN_NHOP_L3 = 163 "LAN_NHOP_L3"
        /// RFC 2814.
        LAN_LOOPBACK = 164 "LAN_LOOPBACK"
        /// RFC 2814.
        TCLASS = 165 "TCLASS"
        /// RFC 2746.
        SESSION_ASSOC = 192 "SESSION_ASSOC"
        /// RFC 3477.
        LSP_TUNNEL_INTERFACE_ID = 193 "LSP_TUNNEL_INTERFACE_ID"
        /// RFC 5284.
        USER_ERROR_SPEC = 194 "USER_ERROR_SPEC"
        /// RFC 3473.
        NOTIFY_REQUEST = 195 "NOTIFY_REQUEST"
        /// RFC 3473.
        ADMIN_STATUS = 196 "ADMIN_STATUS"
        /// RFC 5420.
        LSP_ATTRIBUTES = 197 "LSP_ATTRIBUTES"
        /// RFC 4783.
        ALARM_SPEC = 198 "ALARM_SPEC"
        /// RFC 4872.
        ASSOCIATION = 199 "ASSOCIATION"
        /// RFC 4873.
        SECONDARY_EXPLICIT_ROUTE = 200 "SECONDARY_EXPLICIT_ROUTE"
        /// RFC 4873.
        SECONDARY_RECORD_ROUTE = 201 "SECONDARY_RECORD_ROUTE"
        /// RFC 6001.
        CALL_ATTRIBUTES = 202 "CALL ATTRIBUTES"
        /// RFC 7551.
        REVERSE_LSP = 203 "REVERSE_LSP"
        /// RFC 8149.
        S2L_SUB_LSP_FRAG = 204 "S2L_SUB_LSP_FRAG"
        /// RFC 4090.
        FAST_REROUTE = 205 "FAST_REROUTE"
        /// RFC 3209.
        SESSION_ATTRIBUTE = 207 "SESSION_ATTRIBUTE"
        /// RFC 2996.
        DCLASS = 225 "DCLASS"
        /// PacketCable; vendor-private.
        PACKETCABLE_EXTENSIONS = 226 "PACKETCABLE EXTENSIONS"
        /// RFC 3496.
        ATM_SERVICECLASS = 227 "ATM_SERVICECLASS"
        /// RFC 3474.
        CALL_OPS = 228 "CALL_OPS"
        /// RFC 3476.
        GENERALIZED_UNI = 229 "GENERALIZED_UNI"
        /// RFC 3474.
        CALL_ID = 230 "CALL_ID"
        /// 3GPP2; vendor-private.
        OBJECT_3GPP2 = 231 "3GPP2_OBJECT"
        /// RFC 4874.
        EXCLUDE_ROUTE = 232 "EXCLUDE_ROUTE"
        /// RFC 7417.
        PCN = 248 "PCN"
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
        /// RFC 3209.
        ROUTING_PROBLEM = 24 "Routing Problem"
        /// RFC 3209.
        NOTIFY_ERROR = 25 "Notify Error"
        /// RFC 3175.
        NEW_AGGREGATE_NEEDED = 26 "NEW-AGGREGATE-NEEDED"
        /// RFC 3270.
        DIFFSERV_ERROR = 27 "Diffserv Error"
        /// RFC 4124.
        DIFF_SERV_AWARE_TE_ERROR = 28 "Diff-Serv-aware TE Error"
        /// RFC 5420.
        UNKNOWN_ATTRIBUTES_TLV = 29 "Unknown Attributes TLV"
        /// RFC 5420.
        UNKNOWN_ATTRIBUTES_BIT = 30 "Unknown Attributes Bit"
        /// RFC 4783.
        ALARMS = 31 "Alarms"
        /// RFC 4974.
        CALL_MANAGEMENT = 32 "Call Management"
        /// RFC 5284.
        USER_ERROR_SPEC = 33 "User Error Spec"
        /// RFC 5710.
        REROUTE = 34 "Reroute"
        /// RFC 5852.
        HANDOVER_PROCEDURE_FAILURE = 35 "Handover Procedure Failure"
        /// RFC 5946.
        UNRECOVERABLE_RECEIVER_PROXY_ERROR = 36 "Unrecoverable Receiver Proxy Error"
        /// RFC 6016.
        RSVP_OVER_MPLS_PROBLEM = 37 "RSVP over MPLS Problem"
        /// RFC 6107.
        LSP_HIERARCHY_ISSUE = 38 "LSP Hierarchy Issue"
        /// RFC 6344.
        VCAT_CALL_MANAGEMENT = 39 "VCAT Call Management"
        /// RFC 7260.
        OAM_PROBLEM = 40 "OAM Problem"
        /// RFC 8169.
        DUPLICATE_TLV = 41 "Duplicate TLV"
        /// RFC 8169.
        DUPLICATE_SUB_TLV = 42 "Duplicate sub-TLV"
        /// RFC 8169.
        RTM_SET_TLV_ABSENT = 43 "RTM_SET TLV Absent"
        /// RFC 8271.
        FRR_BYPASS_ASSIGNMENT_ERROR = 44 "FRR Bypass Assignment Error"
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
    /// Code 02: a reservation was partially preempted (RFC 4495).
    pub const PARTIALLY_PREEMPTED: u16 = 102;
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
