//! POLICY_DATA, RFC 2750 3, and the registry of policy elements: RFC 3181, RFC 3182, RFC 6401.
//!
//! ```text
//! POLICY_DATA                                            policy element
//! |  Data Offset          | 0 (reserved)          |      |  Length               |   P-Type              |
//! // Option List                                 //      // Policy information                          //
//! // Policy Element List                         //
//! PREEMPTION_PRI                                         ADMISSION_PRI
//! | Flags     | M. Strategy | Error Code | Reser. |      | Flags     | M. Strategy | Error Code | Reser. |
//! | Preemption Priority   | Defending Priority    |      |         Reserved                | Adm. Prior. |
//! APP_RESOURCE_PRI, repeated
//! | ALRP Namespace        | Reserved  | ALRP Val. |
//! ```
//!
//! The attributes of AUTH_USER and AUTH_APP are in `authentication`. Options are whole RSVP objects; which of them may
//! be there is not checked, nor is an INTEGRITY among them verified.

use super::authentication::{AuthApp, AuthUser};
use crate::layout::{Head, Space, object, part, record, record_rows};

/// Policy elements, RFC 2750 3.3.
pub static POLICY_ELEMENTS: Space = Space {
    name: "policy element",
    header: &[Head::Length(16), Head::Type(16, "p_type")],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "PREEMPTION_PRI" "RFC 3181 4" typed PreemptionPriority;
        2 "AUTH_USER" "RFC 3182 3.2" typed AuthUser;
        3 "AUTH_APP" "RFC 3182 3.2" typed AuthApp;
        5 "ADMISSION_PRI" "RFC 6401 5.1" typed AdmissionPriority;
        6 "APP_RESOURCE_PRI" "RFC 6401 5.2" typed AppResourcePriority;
    },
};

/// RFC 3181 4 and RFC 6401 7.
const MERGE_STRATEGIES: &[(u64, &str)] = &[
    (1, "Take priority of highest QoS"),
    (2, "Take highest priority"),
    (3, "Force Error on heterogeneous merge"),
];

/// RFC 3181 4.
const PREEMPTION_ERRORS: &[(u64, &str)] = &[(0, "NO_ERROR"), (1, "PREEMPTION"), (2, "HETEROGENEOUS")];

/// RFC 6401 7; 1 is reserved.
const ADMISSION_ERRORS: &[(u64, &str)] = &[(0, "NO_ERROR"), (2, "HETEROGENEOUS")];

object! {
    /// POLICY_DATA, RFC 2750 3.1.
    pub PolicyData<'a>: POLICY_DATA 1 {
        @data_offset(u16 of options plus 8);
        /// Zero.
        reserved(reserved u16);
        /// RSVP objects with the meaning that RFC 2750 3.2 gives them here: FILTER_SPEC, SCOPE, RSVP_HOP, INTEGRITY,
        /// TIME_VALUES.
        options(objects by data_offset);
        /// Policy elements.
        elements(records POLICY_ELEMENTS);
    }
}

record! {
    /// PREEMPTION_PRI, RFC 3181 4.
    pub PreemptionPriority: POLICY_ELEMENTS 1 {
        /// None is defined.
        flags(u8);
        /// What becomes of merged flows' priorities.
        merge_strategy(u8 code MERGE_STRATEGIES);
        /// What has happened to the flow.
        error_code(u8 code PREEMPTION_ERRORS);
        /// Zero.
        reserved(reserved u8);
        /// Priority of the flow when it is new, against those admitted before.
        preemption_priority(u16);
        /// Priority of the flow once it is admitted, against new ones.
        defending_priority(u16);
    }

    /// ADMISSION_PRI, RFC 6401 5.1.
    pub AdmissionPriority: POLICY_ELEMENTS 5 {
        /// None is defined.
        flags(u8);
        /// What becomes of merged flows' priorities.
        merge_strategy(u8 code MERGE_STRATEGIES);
        /// What has happened to the flow.
        error_code(u8 code ADMISSION_ERRORS);
        /// Zero.
        reserved(reserved u8);
        /// Zero.
        reserved_2(reserved u32: 24);
        /// Which bandwidth the flow may use; the higher, the more.
        admission_priority(u8);
    }

    /// APP_RESOURCE_PRI, RFC 6401 5.2.
    pub AppResourcePriority<'a>: POLICY_ELEMENTS 6 {
        /// Application-level resource priorities.
        alrps(groups Alrp);
    }
}

part! {
    /// An application-level resource priority, RFC 6401 5.2.
    pub Alrp {
        /// A number of the registry "Resource Priority Namespaces".
        namespace(u16);
        /// Zero.
        reserved(reserved u8);
        /// Priority within the namespace; 0 is the highest.
        value(u8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{List, Records, RecordsWriter};
    use crate::message::ObjectRef;

    /// By hand from RFC 2750 3.1, RFC 3181 4, RFC 6401 5.1 and 5.2: an RSVP_HOP, three elements.
    const OCTETS: &str = "0038 0e01 0014 0000 000c 0301 0a000001 00000002
        000c 0001 00 02 01 00 0003 0004
        000c 0005 00 01 02 00 000000 09
        000c 0006 0007 00 01 0008 05 02";

    #[test]
    fn options_and_elements() {
        let preemption = PreemptionPriority {
            flags: 0,
            merge_strategy: 2,
            error_code: 1,
            reserved: 0,
            preemption_priority: 3,
            defending_priority: 4,
        };
        let admission = AdmissionPriority {
            flags: 0,
            merge_strategy: 1,
            error_code: 2,
            reserved: 0,
            reserved_2: 0,
            admission_priority: 9,
        };
        let alrps =
            [Alrp { namespace: 7, reserved: 0, value: 1 }, Alrp { namespace: 8, reserved: 5, value: 2 }];
        let resource = AppResourcePriority { alrps: List::Values(&alrps) };
        let mut room = [0; 64];
        let writer = RecordsWriter::new(&POLICY_ELEMENTS, &mut room);
        let elements = writer.put(&preemption).put(&admission).put(&resource).finish().unwrap();
        let hop = octets("000c 0301 0a000001 00000002");
        let data = octets(OCTETS);
        both_ways(&data, &PolicyData { reserved: 0, options: &hop, elements });
        let (object, _) = ObjectRef::split_first(&data, 0).unwrap();
        let read: PolicyData<'_> = object.read().unwrap();
        let mut elements = read.elements.iter().map(Result::unwrap);
        assert_eq!(elements.next().unwrap().read(), Ok(preemption));
        assert_eq!(elements.next().unwrap().read(), Ok(admission));
        assert_eq!(elements.next().unwrap().read(), Ok(resource));
        assert!(elements.next().is_none());
    }

    #[test]
    fn offsets_that_do_not_fit() {
        // By hand from RFC 2750 3.1: no option and no element; an offset into the header, and one past the end.
        let none = PolicyData { reserved: 1, options: &[], elements: Records::over(&POLICY_ELEMENTS, &[]) };
        both_ways(&octets("0008 0e01 0008 0001"), &none);
        refused::<PolicyData<'_>>(&octets("0008 0e01 0004 0000"), 4, Why::BodyLength);
        refused::<PolicyData<'_>>(&octets("0008 0e01 000c 0000"), 8, Why::BodyLength);
        refused::<PolicyData<'_>>(&octets("000c 0e01 0008 0000 000c 0001"), 8, Why::BodyLength);
        refused::<PolicyData<'_>>(&octets("0004 0e01"), 4, Why::BodyLength);
        refused::<PolicyData<'_>>(&octets("0004 0e02"), 3, Why::UnknownCType);
    }
}
