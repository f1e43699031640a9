//! The layouts of the objects of RFC 2205 and RFC 2210 that are read and written by hand, because the engine reads
//! them in every refresh.
//!
//! The figures are in the files of the objects. RFC 2210's service blocks and parameters are records here: those
//! without a row keep their octets.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{AdspecFragment, ErrorSpec, Session};
use crate::code::ErrorCode;
use crate::error_name::error_value_meaning;
use crate::layout::{Head, Name, RecordRow, Space, Status, layout};

pub(super) const SESSION_FLAGS: &[(u64, &str)] = &[(Session::E_POLICE as u64, "E_Police")];
const ERROR_FLAGS: &[(u64, &str)] = &[
    (ErrorSpec::IN_PLACE as u64, "InPlace"),
    (ErrorSpec::NOT_GUILTY as u64, "NotGuilty"),
    // RFC 3473 4.4.
    (0x04, "Path_State_Removed"),
];
const STYLES: &[(u64, &str)] = &[(0b10001, "WF"), (0b01010, "FF"), (0b10010, "SE")];
pub(super) const PROTOCOLS: &[(u64, &str)] =
    &[(1, "icmp"), (6, "tcp"), (17, "udp"), (46, "rsvp"), (50, "esp"), (51, "ah"), (132, "sctp")];

/// RFC 2215 3.4.
const LATENCIES: &[(u64, &str)] = &[(u32::MAX as u64, "indeterminate")];

pub(super) fn error_code(code: u64) -> Option<&'static str> {
    ErrorCode(u8::try_from(code).ok()?).name()
}

pub(super) fn error_value(code: u64, value: u64) -> Option<Name> {
    error_value_meaning(ErrorCode(u8::try_from(code).ok()?), u16::try_from(value).ok()?)
}

layout! {
    pub(crate) SESSION_IPV4 {
        destination(Ipv4Addr);
        protocol(u8 code PROTOCOLS);
        flags(u8 flags SESSION_FLAGS);
        port(u16);
    }
    pub(crate) SESSION_IPV6 {
        destination(Ipv6Addr);
        protocol(u8 code PROTOCOLS);
        flags(u8 flags SESSION_FLAGS);
        port(u16);
    }
    pub(crate) HOP_IPV4 {
        address(Ipv4Addr);
        lih(u32);
    }
    pub(crate) HOP_IPV6 {
        address(Ipv6Addr);
        lih(u32);
    }
    pub(crate) TIME_VALUES {
        refresh_ms(u32);
    }
    pub(crate) ERROR_SPEC_IPV4 {
        node(Ipv4Addr);
        flags(u8 flags ERROR_FLAGS);
        code(u8 code fn error_code);
        value(u16 code with code fn error_value);
    }
    pub(crate) ERROR_SPEC_IPV6 {
        node(Ipv6Addr);
        flags(u8 flags ERROR_FLAGS);
        code(u8 code fn error_code);
        value(u16 code with code fn error_value);
    }
    pub(crate) SCOPE_IPV4 {
        addresses(list Ipv4Addr);
    }
    pub(crate) SCOPE_IPV6 {
        addresses(list Ipv6Addr);
    }
    pub(crate) STYLE {
        flags(u8);
        reserved(reserved u32: 19);
        style(u8: 5 code STYLES);
    }
    pub(crate) FILTER_IPV4 {
        address(Ipv4Addr);
        reserved(reserved u16);
        port(u16);
    }
    pub(crate) FILTER_IPV6 {
        address(Ipv6Addr);
        reserved(reserved u16);
        port(u16);
    }
    pub(crate) FILTER_FLOW_LABEL {
        address(Ipv6Addr);
        reserved(reserved u8);
        flow_label(u32: 24);
    }
    pub(crate) ADDRESS_IPV4 {
        address(Ipv4Addr);
    }
    pub(crate) ADDRESS_IPV6 {
        address(Ipv6Addr);
    }
    /// RFC 2210 3.1 to 3.3: SENDER_TSPEC, FLOWSPEC and ADSPEC alike. That the overall length is sound is for the types
    /// to say, because RFC 2210 gives two for Guaranteed service.
    pub(crate) INT_SERV {
        message_version(u8: 4);
        reserved(reserved u16: 12);
        @length_words(u16 of services unit 4);
        services(records SERVICES);
    }
    TOKEN_BUCKET {
        rate_bytes_per_s(f32);
        bucket_bytes(f32);
        peak_bytes_per_s(f32);
        min_policed_unit_bytes(u32);
        max_packet_bytes(u32);
    }
    RSPEC {
        reserved_rate_bytes_per_s(f32);
        slack_us(u32);
    }
    HOPS {
        hops(u32);
    }
    BANDWIDTH {
        bandwidth_bytes_per_s(f32);
    }
    LATENCY {
        latency_us(u32 code LATENCIES);
    }
    MTU {
        mtu_bytes(u32);
    }
    C_TOT {
        ctot_bytes(u32);
    }
    D_TOT {
        dtot_us(u32);
    }
    C_SUM {
        csum_bytes(u32);
    }
    D_SUM {
        dsum_us(u32);
    }
    NULL_TSPEC {
        max_packet_bytes(u32);
    }
    PARAMETER_BLOCKS {
        parameters(records PARAMETERS);
    }
}

const fn typed(
    key: u32,
    name: &'static str,
    section: &'static str,
    layout: &'static crate::layout::Layout,
) -> RecordRow {
    RecordRow { key, name, section, layout: Some(layout), status: Status::Typed }
}

/// Service blocks, RFC 2210 3.1 to 3.3 and Appendix 1; lengths are words after the header.
pub(crate) static SERVICES: Space = Space {
    name: "service block",
    header: &[Head::Type(8, "service"), Head::Extra(1, "break_bit"), Head::Reserved(7), Head::Length(16)],
    unit: 4,
    counts_header: false,
    align: 1,
    rows: &[
        typed(1, "default or global parameters", "RFC 2210 3", &PARAMETER_BLOCKS),
        typed(2, "Guaranteed", "RFC 2212", &PARAMETER_BLOCKS),
        typed(5, "Controlled-Load", "RFC 2211", &PARAMETER_BLOCKS),
        typed(6, "Null Service", "RFC 2997 4", &PARAMETER_BLOCKS),
    ],
};

/// Flags of a parameter, RFC 2210 Appendix 1.
const PARAMETER_FLAGS: &[(u64, &str)] = &[(AdspecFragment::INVALID as u64, "INVALID")];

/// Parameters, RFC 2215 and RFC 2210 3.
pub(crate) static PARAMETERS: Space = Space {
    name: "service parameter",
    header: &[Head::Type(8, "parameter"), Head::Flags(8, PARAMETER_FLAGS), Head::Length(16)],
    unit: 4,
    counts_header: false,
    align: 1,
    rows: &[
        typed(4, "IS hop count", "RFC 2215 3.2", &HOPS),
        typed(6, "path bandwidth estimate", "RFC 2215 3.3", &BANDWIDTH),
        typed(8, "minimum path latency", "RFC 2215 3.4", &LATENCY),
        typed(10, "composed path MTU", "RFC 2215 3.5", &MTU),
        typed(127, "token bucket TSpec", "RFC 2215 3.6", &TOKEN_BUCKET),
        typed(128, "Null Service TSpec", "RFC 2997 4.3", &NULL_TSPEC),
        typed(130, "Guaranteed RSpec", "RFC 2212", &RSPEC),
        typed(133, "Ctot", "RFC 2212", &C_TOT),
        typed(134, "Dtot", "RFC 2212", &D_TOT),
        typed(135, "Csum", "RFC 2212", &C_SUM),
        typed(136, "Dsum", "RFC 2212", &D_SUM),
    ],
};
