//! Objects that name an interface: IF_ID RSVP_HOP and IF_ID ERROR_SPEC, RFC 3473 8, ALARM_SPEC, RFC 4783 3.1, and the
//! registry of their TLVs, RFC 3471 9.1.1.
//!
//! ```text
//! RSVP_HOP, C-Type 3                           ERROR_SPEC and ALARM_SPEC, C-Type 3
//! |      IPv4 Next/Previous Hop Address       |    |           IPv4 Error Node Address         |
//! |         Logical Interface Handle          |    |  Flags  | Error Code |     Error Value    |
//! ~                   TLVs                    ~    ~                   TLVs                    ~
//!
//! TLV: |  Type (16)  |  Length (16), with the header  |  value, filled up to whole words
//! ```
//!
//! In C-Type 4 the address has 16 octets. TLVs without a row, those for crankback among them, keep their octets.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::ErrorSpec;
use super::layouts::{error_code, error_value};
use crate::layout::{Head, Space, object, record, record_rows};

/// TLVs of IF_ID objects; the registry "Interface_ID Types".
pub static INTERFACE_ID: Space = Space {
    name: "Interface_ID TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "IPv4" "RFC 3471 9.1.1" typed InterfaceIpv4;
        2 "IPv6" "RFC 3471 9.1.1" typed InterfaceIpv6;
        3 "IF_INDEX" "RFC 3471 9.1.1" typed InterfaceIndex;
        4 "COMPONENT_IF_DOWNSTREAM" "RFC 3471 9.1.1" typed ComponentIfDownstream;
        5 "COMPONENT_IF_UPSTREAM" "RFC 3471 9.1.1" typed ComponentIfUpstream;
        512 "REFERENCE_COUNT" "RFC 4783 3.1.1" typed AlarmReferenceCount;
        513 "SEVERITY" "RFC 4783 3.1.1" typed AlarmSeverity;
        514 "GLOBAL_TIMESTAMP" "RFC 4783 3.1.1" typed AlarmGlobalTimestamp;
        515 "LOCAL_TIMESTAMP" "RFC 4783 3.1.1" typed AlarmLocalTimestamp;
        516 "ERROR_STRING" "RFC 4783 3.1.1" typed AlarmErrorText;
    },
};

/// The flags of RFC 2205 A.5 and the third one of RFC 3473 4.4.
const ERROR_FLAGS: &[(u64, &str)] = &[
    (ErrorSpec::IN_PLACE as u64, "InPlace"),
    (ErrorSpec::NOT_GUILTY as u64, "NotGuilty"),
    (0x04, "Path_State_Removed"),
];

const IMPACTS: &[(u64, &str)] =
    &[(0, "Unspecified impact"), (1, "Non-Service Affecting"), (2, "Service Affecting")];

const SEVERITIES: &[(u64, &str)] =
    &[(0, "Cleared"), (1, "Indeterminate"), (2, "Critical"), (3, "Major"), (4, "Minor"), (5, "Warning")];

object! {
    /// IPv4 IF_ID RSVP_HOP, RFC 3473 8.1.1.
    pub IfIdIpv4RsvpHop<'a>: RSVP_HOP 3 {
        /// Address of the interface that the control message came from.
        address(Ipv4Addr);
        /// Logical Interface Handle; 0 if there is none.
        lih(u32);
        /// The data channels.
        tlvs(records INTERFACE_ID);
    }

    /// IPv6 IF_ID RSVP_HOP, RFC 3473 8.1.1.
    pub IfIdIpv6RsvpHop<'a>: RSVP_HOP 4 {
        /// Address of the interface that the control message came from.
        address(Ipv6Addr);
        /// Logical Interface Handle; 0 if there is none.
        lih(u32);
        /// The data channels.
        tlvs(records INTERFACE_ID);
    }
}

/// ALARM_SPEC is the same as ERROR_SPEC: RFC 4783 3.1.
macro_rules! error_at_interface {
    ($name:ident, $class:ident, $ctype:literal, $address:ident, $about:literal) => {
        object! {
            #[doc = $about]
            pub $name<'a>: $class $ctype {
                /// The node that detected the error.
                node($address);
                /// [`ErrorSpec::IN_PLACE`], [`ErrorSpec::NOT_GUILTY`] and 4, Path_State_Removed (RFC 3473 4.4).
                flags(u8 flags ERROR_FLAGS);
                /// Error Code.
                code(u8 code fn error_code);
                /// Error Value; its meaning depends on the code.
                value(u16 code with code fn error_value);
                /// The interface, and what is known of an alarm.
                tlvs(records INTERFACE_ID);
            }
        }
    };
}

error_at_interface!(IfIdIpv4ErrorSpec, ERROR_SPEC, 3, Ipv4Addr, "IPv4 IF_ID ERROR_SPEC, RFC 3473 8.2.1.");
error_at_interface!(IfIdIpv6ErrorSpec, ERROR_SPEC, 4, Ipv6Addr, "IPv6 IF_ID ERROR_SPEC, RFC 3473 8.2.1.");
error_at_interface!(IfIdIpv4AlarmSpec, ALARM_SPEC, 3, Ipv4Addr, "IPv4 IF_ID ALARM_SPEC, RFC 4783 3.1.");
error_at_interface!(IfIdIpv6AlarmSpec, ALARM_SPEC, 4, Ipv6Addr, "IPv6 IF_ID ALARM_SPEC, RFC 4783 3.1.");

record! {
    /// IPv4, RFC 3471 9.1.1.
    pub InterfaceIpv4: INTERFACE_ID 1 {
        /// Address of the interface.
        address(Ipv4Addr);
    }

    /// IPv6, RFC 3471 9.1.1.
    pub InterfaceIpv6: INTERFACE_ID 2 {
        /// Address of the interface.
        address(Ipv6Addr);
    }

    /// IF_INDEX, RFC 3471 9.1.1: an unnumbered interface.
    pub InterfaceIndex: INTERFACE_ID 3 {
        /// Of a link, or of the router.
        address(Ipv4Addr);
        /// Identifies the interface at that address.
        interface_id(u32);
    }

    /// COMPONENT_IF_DOWNSTREAM, RFC 3471 9.1.1; not to be sent any more (RFC 4783 3.1.2).
    pub ComponentIfDownstream: INTERFACE_ID 4 {
        /// Of a link, or of the router.
        address(Ipv4Addr);
        /// Of a component of the bundle; `0xffff_ffff`: of all of them.
        interface_id(u32);
    }

    /// COMPONENT_IF_UPSTREAM, RFC 3471 9.1.1; not to be sent any more (RFC 4783 3.1.2).
    pub ComponentIfUpstream: INTERFACE_ID 5 {
        /// Of a link, or of the router.
        address(Ipv4Addr);
        /// Of a component of the bundle; `0xffff_ffff`: of all of them.
        interface_id(u32);
    }

    /// REFERENCE_COUNT, RFC 4783 3.1.1.
    pub AlarmReferenceCount: INTERFACE_ID 512 {
        /// How often the alarm has been repeated; not zero.
        reference_count(u32);
    }

    /// SEVERITY, RFC 4783 3.1.1.
    pub AlarmSeverity: INTERFACE_ID 513 {
        /// Zero.
        reserved(reserved u32: 20);
        /// Whether data traffic is interrupted.
        impact(u8: 4 code IMPACTS);
        /// How grave the alarm is.
        severity(u8 code SEVERITIES);
    }

    /// GLOBAL_TIMESTAMP, RFC 4783 3.1.1.
    pub AlarmGlobalTimestamp: INTERFACE_ID 514 {
        /// Since 00:00:00 UT on 1 January 1970 by the clock of the node.
        global_timestamp_s(u32);
    }

    /// LOCAL_TIMESTAMP, RFC 4783 3.1.1.
    pub AlarmLocalTimestamp: INTERFACE_ID 515 {
        /// As the clock of the node counts; means something to that node only.
        local_timestamp_s(u32);
    }

    /// ERROR_STRING, RFC 4783 3.1.1.
    pub AlarmErrorText<'a>: INTERFACE_ID 516 {
        /// US-ASCII, filled up with NULs to whole words, which the length of the TLV counts.
        error_string(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{Records, RecordsWriter};
    use crate::message::ObjectRef;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const ADDRESS_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);

    #[test]
    fn hops() {
        // By hand from RFC 3473 8.1.1 and RFC 3471 9.1.1.
        let mut room = [0; 64];
        let downstream = ComponentIfDownstream { address: ADDRESS, interface_id: 6 };
        let upstream = ComponentIfUpstream { address: ADDRESS, interface_id: u32::MAX };
        let tlvs = RecordsWriter::new(&INTERFACE_ID, &mut room)
            .put(&InterfaceIpv4 { address: Ipv4Addr::new(10, 0, 0, 2) })
            .put(&downstream)
            .put(&upstream)
            .finish()
            .unwrap();
        let hop = octets(
            "002c 0303 0a000001 00000007 0001 0008 0a000002
             0004 000c 0a000001 00000006 0005 000c 0a000001 ffffffff",
        );
        both_ways(&hop, &IfIdIpv4RsvpHop { address: ADDRESS, lih: 7, tlvs });
        let (object, _) = ObjectRef::split_first(&hop, 0).unwrap();
        let read: IfIdIpv4RsvpHop<'_> = object.read().unwrap();
        assert_eq!(read.tlvs.iter().nth(2).unwrap().unwrap().read(), Ok(upstream));

        let mut room = [0; 64];
        let tlvs = RecordsWriter::new(&INTERFACE_ID, &mut room)
            .put(&InterfaceIpv6 { address: ADDRESS_IPV6 })
            .put(&InterfaceIndex { address: ADDRESS, interface_id: 9 })
            .finish()
            .unwrap();
        let hop = octets(
            "0038 0304 fd000000 00000000 00000000 00000001 00000008
             0002 0014 fd000000 00000000 00000000 00000001 0003 000c 0a000001 00000009",
        );
        both_ways(&hop, &IfIdIpv6RsvpHop { address: ADDRESS_IPV6, lih: 8, tlvs });
    }

    #[test]
    fn errors() {
        // By hand from RFC 3473 8.2.1: Path_State_Removed, Routing Problem, Label Set.
        let octets_4 = octets("0018 0603 0a000001 04 18 000b 0003 000c 0a000001 00000005");
        let tlvs = Records::over(&INTERFACE_ID, &octets_4[12..]);
        both_ways(&octets_4, &IfIdIpv4ErrorSpec { node: ADDRESS, flags: 4, code: 24, value: 11, tlvs });
        let octets_6 = octets("0020 0604 fd000000 00000000 00000000 00000001 01 01 0002 0001 0008 0a000001");
        let tlvs = Records::over(&INTERFACE_ID, &octets_6[24..]);
        both_ways(&octets_6, &IfIdIpv6ErrorSpec { node: ADDRESS_IPV6, flags: 1, code: 1, value: 2, tlvs });
        refused::<IfIdIpv4ErrorSpec<'_>>(
            &octets("0014 0603 0a000001 04 18 000b 0001 000c 0a000001"),
            12,
            Why::BodyLength,
        );
        refused::<IfIdIpv4ErrorSpec<'_>>(&octets("0008 0603 0a000001"), 8, Why::BodyLength);
    }

    #[test]
    fn alarms() {
        // By hand from RFC 4783 3.1.1: a string of 3 octets, filled up with a NUL that the length counts.
        let mut room = [0; 64];
        let tlvs = RecordsWriter::new(&INTERFACE_ID, &mut room)
            .put(&AlarmReferenceCount { reference_count: 3 })
            .put(&AlarmSeverity { reserved: 1, impact: 2, severity: 3 })
            .put(&AlarmGlobalTimestamp { global_timestamp_s: 0x6553_f100 })
            .put(&AlarmLocalTimestamp { local_timestamp_s: 86400 })
            .put(&AlarmErrorText { error_string: b"LOS\0" })
            .finish()
            .unwrap();
        let alarm = octets(
            "0034 c603 0a000001 00 1f 0001 0200 0008 00000003 0201 0008 00001203
             0202 0008 6553f100 0203 0008 00015180 0204 0008 4c4f5300",
        );
        both_ways(&alarm, &IfIdIpv4AlarmSpec { node: ADDRESS, flags: 0, code: 31, value: 1, tlvs });
        let (object, _) = ObjectRef::split_first(&alarm, 0).unwrap();
        let read: IfIdIpv4AlarmSpec<'_> = object.read().unwrap();
        let string = read.tlvs.iter().last().unwrap().unwrap();
        assert_eq!(string.read(), Ok(AlarmErrorText { error_string: b"LOS\0" }));
        let alarm = octets("0018 c604 fd000000 00000000 00000000 00000001 00 1f 0002");
        let tlvs = Records::over(&INTERFACE_ID, &[]);
        both_ways(&alarm, &IfIdIpv6AlarmSpec { node: ADDRESS_IPV6, flags: 0, code: 31, value: 2, tlvs });
    }
}
