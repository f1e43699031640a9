//! Rows A36 to A41, A45 and A56, B4, B5, B9 to B11 and C24, the tables.

use rsvp_node::qos::marking::{
    FlowMarks, MarkTable, Marks, OwnMarks, SCHEDULED, Wmm, default_marks, default_mode, marked_as, marks, wmm,
};
use rsvp_node::qos::objects::traffic::SdMode;
use rsvp_node::qos::traffic_type::{Shaping, TrafficType};
use rsvp_node::qos::{Service, ServiceType};

fn own(dscp: Option<u8>, priority: Option<u8>) -> OwnMarks {
    OwnMarks::new(dscp, priority).expect("marks")
}

/// A36: before a reservation and after, because the mode is the requested service's.
#[test]
fn guaranteed_shapes_and_all_others_borrow() {
    for service in SCHEDULED {
        let mode = if service == ServiceType::Guaranteed { SdMode::Shape } else { SdMode::Borrow };
        assert_eq!(default_mode(service), mode, "{service:?}");
    }
}

/// A37 and A38: the DS field, the priority, and the marks of what does not conform.
#[test]
fn services_have_their_marks() {
    let table = [
        (ServiceType::NetworkControl, 0xc0, 7, (0, 1)),
        (ServiceType::Guaranteed, 0xa0, 5, (0, 1)),
        (ServiceType::ControlledLoad, 0x60, 4, (0, 1)),
        (ServiceType::BestEffort, 0x00, 0, (0, 0)),
        (ServiceType::Qualitative, 0x00, 0, (0, 0)),
        (ServiceType::NonConforming, 0x00, 1, (0, 1)),
    ];
    for (service, ds_field, priority, other) in table {
        let conforming = default_marks(service, true);
        assert_eq!((conforming.dscp << 2, conforming.priority), (ds_field, priority), "{service:?}");
        let nonconforming = default_marks(service, false);
        assert_eq!((nonconforming.dscp, nonconforming.priority), other, "{service:?}");
        let plain = FlowMarks::default();
        let none = MarkTable::default();
        assert_eq!(marks(service, true, &plain, &none, &none), conforming);
    }
}

/// A39: the table of the interface over that of the system over this one, each for DSCP and priority on its own.
#[test]
fn the_interfaces_table_wins_over_the_systems() {
    let service = ServiceType::Guaranteed;
    let (mut interface, mut system, flow) =
        (MarkTable::default(), MarkTable::default(), FlowMarks::default());
    let all = |interface: &MarkTable, system: &MarkTable| {
        let of = |conforms| marks(service, conforms, &flow, interface, system);
        [of(true), of(false)].map(|Marks { dscp, priority }| (dscp, priority))
    };
    assert_eq!(all(&interface, &system), [(40, 5), (0, 1)]);
    system.conforming.insert(service, own(Some(46), Some(6)));
    assert_eq!(all(&interface, &system), [(46, 6), (0, 1)]);
    interface.conforming.insert(service, own(Some(34), None));
    assert_eq!(all(&interface, &system), [(34, 6), (0, 1)]);
    interface.nonconforming.insert(service, own(Some(8), None));
    assert_eq!(all(&interface, &system), [(34, 6), (8, 1)]);
    interface.conforming.insert(ServiceType::ControlledLoad, own(Some(1), Some(2)));
    assert_eq!(all(&interface, &system), [(34, 6), (8, 1)]);
    for (dscp, priority) in [(Some(64), None), (None, Some(8))] {
        assert_eq!(OwnMarks::new(dscp, priority), None);
    }
}

/// A40 and A41, and A55: objects of the flow or of the network over the tables, for conforming packets; TCP over all.
#[test]
fn objects_win_over_tables_and_tcp_traffic_over_objects() {
    let service = ServiceType::ControlledLoad;
    let mut system = MarkTable { tcp: own(Some(2), Some(3)), ..MarkTable::default() };
    system.conforming.insert(service, own(Some(20), Some(2)));
    let none = MarkTable::default();
    let of = |flow: FlowMarks, conforms| {
        let Marks { dscp, priority } = marks(service, conforms, &flow, &none, &system);
        (dscp, priority)
    };
    let dclass = FlowMarks { own: own(Some(46), None), tcp_traffic: false };
    assert_eq!((of(dclass, true), of(dclass, false)), ((46, 2), (0, 1)));
    let tclass = FlowMarks { own: own(None, Some(6)), tcp_traffic: false };
    assert_eq!(of(tclass, true), (20, 6));
    let tcp = FlowMarks { own: own(Some(46), Some(6)), tcp_traffic: true };
    assert_eq!((of(tcp, true), of(tcp, false)), ((2, 3), (2, 3)));
    assert_eq!(marks(service, true, &tcp, &none, &none), Marks { dscp: 0, priority: 0 });
}

/// A45 and A46: best effort until a reservation is there; at once where none is asked for.
#[test]
fn packets_are_best_effort_until_the_reservation_is_there() {
    for service_type in [ServiceType::Guaranteed, ServiceType::ControlledLoad, ServiceType::Qualitative] {
        let service = Service::from(service_type);
        assert_eq!(marked_as(service, false), ServiceType::BestEffort);
        assert_eq!(marked_as(service, true), service_type);
        let local = Service { no_qos_signaling: true, ..service };
        assert_eq!(marked_as(local, false), service_type);
    }
    assert_eq!(marked_as(ServiceType::NetworkControl.into(), false), ServiceType::NetworkControl);
}

/// A56, the order: network control first, what does not conform last.
#[test]
fn services_are_scheduled_in_order() {
    let names = SCHEDULED.map(|service| format!("{service:?}")).join(" ");
    assert_eq!(names, "NetworkControl Guaranteed ControlledLoad BestEffort Qualitative NonConforming");
}

/// B4 and B5, the table.
#[test]
fn traffic_types_have_their_marks() {
    let table = [(0, 0, 0), (1, 8, 2), (2, 40, 5), (3, 40, 5), (4, 56, 7), (5, 56, 7)];
    let found = TrafficType::ALL.map(|t| (t.number(), t.marks().dscp, t.marks().priority));
    assert_eq!(found, table);
}

/// B9 to B11, the marks: while shaping without, with; and what is too much without.
#[test]
fn shaping_decides_who_keeps_the_mark() {
    let (voice, none) = (TrafficType::Voice.marks(), Marks::default());
    assert_eq!(Shaping::ShapeOnly.marks(TrafficType::Voice), (none, None));
    assert_eq!(Shaping::ShapeAndMark.marks(TrafficType::Voice), (voice, None));
    assert_eq!(Shaping::UseNonConformantMarkings.marks(TrafficType::Voice), (voice, Some(none)));
}

/// C24: every DSCP.
#[test]
fn dscps_have_their_access_category() {
    for dscp in 0..64 {
        let expected = match dscp / 8 {
            6 | 7 => Wmm::Voice,
            4 | 5 => Wmm::Video,
            0 | 3 => Wmm::BestEffort,
            _ => Wmm::Background,
        };
        assert_eq!(wmm(dscp), expected, "{dscp}");
    }
}
