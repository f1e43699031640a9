//! The names of the globally defined Error Values: RFC 2205 Appendix B and the registry "Error Codes and
//! Globally-Defined Error Value Sub-Codes" that continues it.
//!
//! Values whose bits say that an organization or a service defines them are no more than numbers here: [`SubCode`].

use core::fmt;

use crate::code::{CType, Class, ErrorCode};
use crate::layout::Name;

/// The registry's words for an Error Value under its code, if it is a globally defined one.
pub fn error_value_name(code: ErrorCode, value: u16) -> Option<&'static str> {
    let (_, values) = NAMES.iter().find(|(listed, _)| *listed == code.0)?;
    values.iter().find(|(listed, _)| *listed == value).map(|(_, name)| *name)
}

/// What an Error Value says under its code: by its name, or for what it is made of. Code 05 has the low 16 bits of the Option
/// Vector of the style that is there, the codes 13 and 14 have the class and the C-Type of the object (RFC 2205 Appendix B).
pub fn error_value_meaning(code: ErrorCode, value: u16) -> Option<Name> {
    let [class, ctype] = value.to_be_bytes();
    match code {
        ErrorCode::CONFLICTING_STYLE => match value {
            0b10001 => Some(Name::Words("existing style WF")),
            0b01010 => Some(Name::Words("existing style FF")),
            0b10010 => Some(Name::Words("existing style SE")),
            _ => None,
        },
        ErrorCode::UNKNOWN_CLASS | ErrorCode::UNKNOWN_CTYPE => Some(Name::Object(Class(class), CType(ctype))),
        _ => {
            let name = error_value_name(code, value).map(Name::Words);
            name.or_else(|| SubCode::of(code, value).map(Name::SubCode))
        }
    }
}

/// An Error Value of the codes 01, 02 or 21 whose first bits, `ssur`, say more than that a sub-code is globally defined (RFC 2205
/// Appendix B).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SubCode {
    code: ErrorCode,
    value: u16,
}

impl SubCode {
    /// `ss`: who defines the sub-code.
    const DEFINED_BY: u16 = 0xc000;
    const ORGANIZATION: u16 = 0x8000;
    const SERVICE: u16 = 0xc000;
    /// `u`: the message is informational. Code 21 does not have it.
    const INFORMATIONAL: u16 = 0x2000;
    /// `r`: zero.
    const RESERVED: u16 = 0x1000;

    /// What the first bits of a value say; `None` where they are zero, or not as the RFC defines them.
    fn of(code: ErrorCode, value: u16) -> Option<Self> {
        let zero = match code {
            ErrorCode::ADMISSION_CONTROL | ErrorCode::POLICY_CONTROL => Self::RESERVED,
            ErrorCode::TRAFFIC_CONTROL => Self::RESERVED | Self::INFORMATIONAL,
            _ => return None,
        };
        let is_said = match value & Self::DEFINED_BY {
            0 => value & Self::INFORMATIONAL != 0,
            by => by == Self::ORGANIZATION || by == Self::SERVICE,
        };
        (is_said && value & zero == 0).then_some(Self { code, value })
    }
}

impl fmt::Display for SubCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sub_code = self.value & 0x0fff;
        match self.value & Self::DEFINED_BY {
            Self::ORGANIZATION => write!(f, "organization-specific {sub_code}")?,
            Self::SERVICE => write!(f, "service-specific {sub_code}")?,
            _ => match error_value_name(self.code, sub_code) {
                Some(name) => f.write_str(name)?,
                None => write!(f, "sub-code {sub_code}")?,
            },
        }
        f.write_str(if self.value & Self::INFORMATIONAL != 0 { ", informational" } else { "" })
    }
}

type Values = &'static [(u16, &'static str)];

const NAMES: &[(u8, Values)] = &[
    (
        1,
        &[
            (1, "Delay bound cannot be met"),
            (2, "Requested bandwidth unavailable"),
            (3, "MTU in flowspec larger than interface MTU"),
            (4, "LSP Admission Failure"),
            (5, "Bad Association Type"),
            (6, "Reverse LSP Failure"),
        ],
    ),
    (
        2,
        &[
            (0, "Information reporting"),
            (1, "Warning"),
            (2, "Reason unknown"),
            (3, "Generic Policy Rejection"),
            (4, "Quota or Accounting violation"),
            (5, "Flow was preempted"),
            (6, "Previously installed policy expired (not refreshed)"),
            (7, "Previous policy data was replaced & caused rejection"),
            (8, "Policies could not be merged (multicast)"),
            (9, "PDP down or non functioning"),
            (10, "Third Party Server (e.g., Kerberos) unavailable"),
            (11, "POLICY_DATA object has bad syntax"),
            (12, "POLICY_DATA object failed Integrity Check"),
            (13, "POLICY_ELEMENT object has bad syntax"),
            (14, "Mandatory PE Missing (Empty PE is in the PD object)"),
            (15, "PEP Out of resources to handle policies."),
            (16, "PDP encountered bad RSVP objects or syntax"),
            (17, "Service type was rejected"),
            (18, "Reservation Style was rejected"),
            (19, "FlowSpec was rejected (too large)"),
            (20, "Hard Pre-empted"),
            (21, "SRLG Recording Rejected"),
            (100, "Unauthorized sender"),
            (101, "Unauthorized receiver"),
            (102, "ERR_PARTIAL_PREEMPT"),
            (103, "Inter-domain policy failure"),
            (104, "Inter-domain explicit route rejected"),
        ],
    ),
    (
        21,
        &[
            (1, "Service conflict"),
            (2, "Service unsupported"),
            (3, "Bad Flowspec value"),
            (4, "Bad Tspec value"),
            (5, "Bad Adspec value"),
        ],
    ),
    (
        24,
        &[
            (1, "Bad EXPLICIT_ROUTE object"),
            (2, "Bad strict node"),
            (3, "Bad loose node"),
            (4, "Bad initial subobject"),
            (5, "No route available toward destination"),
            (6, "Unacceptable label value"),
            (7, "RRO indicated routing loops"),
            (8, "MPLS being negotiated, but a non-RSVP-capable router stands in the path"),
            (9, "MPLS label allocation failure"),
            (10, "Unsupported L3PID"),
            (11, "Label Set"),
            (12, "Switching Type"),
            (14, "Unsupported Encoding"),
            (15, "Unsupported Link Protection"),
            (16, "Unknown Interface Index"),
            (17, "Unsupported LSP Protection"),
            (18, "PROTECTION object not applicable"),
            (19, "Bad PRIMARY_PATH_ROUTE object"),
            (20, "PRIMARY_PATH_ROUTE object not applicable"),
            (21, "LSP Segment Protection Failed"),
            (22, "Re-routing limit exceeded"),
            (23, "Unable to Branch"),
            (24, "Unsupported LSP Integrity"),
            (25, "P2MP Re-Merge Detected"),
            (26, "P2MP Re-Merge Parameter Mismatch"),
            (27, "ERO Resulted in Re-Merge"),
            (28, "Contiguous LSP type not supported"),
            (29, "ERO conflicts with inter-domain signaling method"),
            (30, "Stitching unsupported"),
            (31, "Unknown PCE-ID for PKS expansion"),
            (32, "Unreachable PCE for PKS expansion"),
            (33, "Unknown Path Key for PKS expansion"),
            (34, "ERO too large for MTU"),
            (35, "Unknown Endpoint"),
            (36, "Unsupported Diversity Identifier Type"),
            (64, "Unsupported Exclude Route Subobject Type"),
            (65, "Inconsistent Subobject"),
            (66, "Local Node in Exclude Route"),
            (67, "Route Blocked by Exclude Route"),
            (68, "XRO Too Complex"),
            (69, "EXRS Too Complex"),
            (70, "TE link label usage failure"),
            (71, "Label stack imposition failure"),
            (100, "Diversity not available"),
            (101, "Service level not available"),
            (102, "Invalid/Unknown connection ID"),
            (103, "No route available toward source (ASON)"),
            (104, "Unacceptable interface ID (ASON)"),
            (105, "Invalid/unknown call ID (ASON)"),
            (106, "Invalid SPC interface ID/label (ASON)"),
            (107, "Unsupported WavelengthSelection symmetry value"),
            (108, "Unsupported Wavelength Assignment value"),
        ],
    ),
    (
        25,
        &[
            (1, "RRO too large for MTU"),
            (2, "RRO Notification"),
            (3, "Tunnel locally repaired"),
            (4, "Control Channel Active State"),
            (5, "Control Channel Degraded State"),
            (6, "Preferable path exists"),
            (7, "Local link maintenance required"),
            (8, "Local node maintenance required"),
            (9, "LSP Failure"),
            (10, "LSP Recovered"),
            (11, "LSP Locally Failed"),
            (12, "No OOB mapping received"),
            (13, "Preferable P2MP-TE Tree Exists"),
            (14, "Route of XRO LSP identifier unknown"),
            (15, "Failed to satisfy Exclude Route"),
            (16, "Compliant path exists"),
            (17, "Shared resources unavailable"),
            (18, "Shared resources available"),
        ],
    ),
    (
        27,
        &[
            (1, "Unexpected DIFFSERV object"),
            (2, "Unsupported PHB"),
            (3, "Invalid EXP<-->PHB mapping"),
            (4, "Unsupported PSC"),
            (5, "Per-LSP context allocation failure"),
        ],
    ),
    (
        28,
        &[
            (1, "Unexpected CLASSTYPE object"),
            (2, "Unsupported Class-Type"),
            (3, "Invalid Class-Type value"),
            (4, "Class-Type and setup priority do not form a configured TE-Class"),
            (5, "Class-Type and holding priority do not form a configured TE-Class"),
            (
                6,
                "Class-Type and setup priority do not form a configured TE-Class AND Class-Type and holding priority do not form a configured TE-Class",
            ),
            (7, "Inconsistency between signaled PSC and signaled Class-Type"),
            (8, "Inconsistency between signaled PHBs and signaled Class-Type"),
        ],
    ),
    (
        32,
        &[
            (1, "Call ID Contention"),
            (2, "Connections still Exist"),
            (3, "Unknown Call ID"),
            (4, "Duplicate Call"),
        ],
    ),
    (33, &[(0, "Further details in User Error Spec")]),
    (34, &[(0, "Generic LSP reroute request"), (1, "Reroute Request Soft Preemption")]),
    (35, &[(1, "Cross-connection mismatch"), (2, "Other failure")]),
    (37, &[(1, "RSVP_HOP not reachable across VPN")]),
    (
        38,
        &[
            (1, "Link advertisement not supported"),
            (2, "Link advertisement not allowed by policy"),
            (3, "TE link creation not supported"),
            (4, "TE link creation not allowed by policy"),
            (5, "Routing adjacency creation not supported"),
            (6, "Routing adjacency creation not allowed by policy"),
            (7, "Bundle creation not supported"),
            (8, "Bundle creation not allowed by policy"),
            (9, "Hierarchical LSP not supported"),
            (10, "LSP stitching not supported"),
            (11, "Link address type or family not supported"),
            (12, "IGP instance unknown"),
            (13, "IGP instance advertisement not allowed by policy"),
            (14, "Component link identifier not valid"),
            (15, "Unsupported component link identifier address family"),
            (16, "Component link identifier missing"),
        ],
    ),
    (
        39,
        &[
            (1, "VCG signal type not supported"),
            (2, "LCAS option not supported"),
            (3, "Max number of VCGs exceeded"),
            (4, "Max number of VCG members exceeded"),
            (5, "LSP Type incompatible with VCAT call"),
            (6, "Unknown LCR (LCAS required) value"),
            (7, "Unknown or unsupported ACTION"),
        ],
    ),
    (
        40,
        &[
            (1, "MEP establishment not supported"),
            (2, "MIP establishment not supported"),
            (3, "Unsupported OAM Type"),
            (4, "Configuration Error"),
            (5, "OAM Type Mismatch"),
            (6, "Unsupported OAM Function"),
            (7, "Unsupported OAM Version"),
            (8, "Unsupported MD Level"),
            (9, "Unknown MD Name Format"),
            (10, "Unknown MA Name Format"),
            (11, "Name Length Problem"),
            (12, "Unsupported CC Interval"),
            (13, "Unsupported BFD Version"),
            (14, "Unsupported BFD Encapsulation format"),
            (15, "Unsupported BFD Authentication Type"),
            (16, "Mismatch of BFD Authentication Key ID"),
            (17, "Unsupported Timestamp Format"),
            (18, "Unsupported Delay Mode"),
            (19, "Unsupported Loss Mode"),
            (20, "Delay variation unsupported"),
            (21, "Dyadic mode unsupported"),
            (22, "Loopback mode unsupported"),
            (23, "Combined mode unsupported"),
            (24, "Fault management signaling unsupported"),
            (25, "Unable to create fault management association"),
            (26, "Lock Failure"),
            (27, "Unlock Failure"),
            (28, "Loopback Failure"),
            (29, "Exit Loopback Failure"),
        ],
    ),
    (
        44,
        &[
            (0, "Bypass Assignment Cannot Be Used"),
            (1, "Bypass Tunnel Not Found"),
            (2, "One-to-one Bypass Already In-use"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn first_bits_of_values() {
        let said = |code, value| error_value_meaning(ErrorCode(code), value).map(|name| name.to_string());
        let some = |text: &str| Some(text.to_string());
        assert_eq!(said(1, 2), some("Requested bandwidth unavailable"));
        assert_eq!(said(1, 0x2002), some("Requested bandwidth unavailable, informational"));
        assert_eq!(said(1, 0x2063), some("sub-code 99, informational"));
        assert_eq!(said(1, 0x8001), some("organization-specific 1"));
        assert_eq!(said(2, 0xa001), some("organization-specific 1, informational"));
        assert_eq!(said(21, 0xc001), some("service-specific 1"));
        // What the RFC leaves open: values of `ss` and `r`, `u` of code 21, sub-codes without a name, other codes.
        for (code, value) in [(1, 0x4001), (1, 0x1002), (21, 0x2001), (1, 99), (22, 0x8001)] {
            assert_eq!(said(code, value), None, "{code}/{value:#x}");
        }
    }
}
