//! Rows A19 to A21, A23, A25 and A26, the pure parts: what an application is told, how often, and with which numbers.

use rsvp_node::qos::events::{FdQos, status_of};
use rsvp_node::qos::notifications::MOST_WAITING;
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::{ErrorClass, ErrorValue, Flowspec, Notifications, Object, Peak, ServiceType, Status};
use rsvp_node::{AppId, Carried, Event, EventKind, Gone};
use rsvp_wire::{
    AdspecSummary, ErrorCode, ErrorSpec, FilterSpec as WireFilterSpec, Flowspec as WireFlowspec,
    GeneralParams, GuaranteedParams, Rspec, SenderTemplate, Session, Style, Tspec,
};
use std::net::Ipv4Addr;

const TSPEC: Tspec =
    Tspec { rate: 9200.0, bucket: 708.0, peak: 18_400.0, min_policed_unit: 368, max_packet_size: 368 };

fn error(code: u8, value: u16) -> ErrorSpec {
    ErrorSpec { node: Ipv4Addr::new(10, 0, 0, 9).into(), flags: 0, code: ErrorCode(code), value }
}

fn event(kind: EventKind) -> Event {
    Event { app: AppId(1), session: "udp 10.0.0.2:5000".parse::<Session>().expect("a session"), kind }
}

fn sender(host: u8) -> SenderTemplate {
    SenderTemplate(WireFilterSpec::new(Ipv4Addr::new(10, 0, 0, host).into(), 4000))
}

fn path(host: u8, tspec: Tspec) -> Event {
    event(EventKind::Path { sender: sender(host), tspec, adspec: None, carried: Carried::default() })
}

fn path_gone(host: u8) -> Event {
    event(EventKind::PathGone { sender: sender(host), why: Gone::Torn })
}

fn resv(style: Style, host: u8) -> Event {
    let flowspec = WireFlowspec::ControlledLoad(TSPEC);
    event(EventKind::Resv { style, flowspec, filters: vec![sender(host).0], carried: Carried::default() })
}

fn resv_gone(style: Style, host: u8) -> Event {
    event(EventKind::ResvGone { style, filters: vec![sender(host).0] })
}

fn confirm() -> Event {
    let flowspec = Some(WireFlowspec::ControlledLoad(TSPEC));
    let node = Ipv4Addr::new(10, 0, 0, 9).into();
    event(EventKind::ResvConfirm { node, style: Style::FF, flowspec, filters: vec![sender(1).0] })
}

/// What a socket is told of events, by their statuses.
fn told(notifications: &mut Notifications, events: &[Event]) -> Vec<u32> {
    events.iter().for_each(|event| {
        notifications.happened(event);
    });
    std::iter::from_fn(|| notifications.take()).map(|notification| notification.status.0).collect()
}

/// A26: error code and value of RSVP, status and the two extended numbers.
#[test]
fn errors_have_their_extended_numbers() {
    const UNKNOWN: u32 = 0xffff_ffff;
    let table = [
        // Admission: other, delay bound, bandwidth, MTU, and those beyond what was published.
        ((1, 0), 11010, 56100, 56101),
        ((1, 1), 11010, 56100, 56102),
        ((1, 2), 11010, 56100, 56103),
        ((1, 3), 11010, 56100, 56104),
        ((1, 6), 11010, 56100, 56107),
        ((1, 7), 11010, 56100, 56101),
        ((1, 0xfff), 11010, 56100, 56101),
        // Who has defined the value does not matter.
        ((1, 0x8002), 11010, 56100, 56103),
        ((1, 0xc002), 11010, 56100, 56103),
        ((2, 0), 11011, 56200, 56200),
        ((2, 1), 11011, 56200, 56201),
        ((2, 57), 11011, 56200, 56257),
        ((2, 99), 11011, 56200, 56299),
        ((2, 100), 11011, 56200, 56200),
        ((2, 0x8005), 11011, 56200, 56205),
        ((3, 0), 11015, 56300, 56301),
        ((4, 0), 11015, 56300, 56302),
        ((5, 0), 11012, 56300, 56303),
        ((6, 0), 11012, 56300, 56304),
        ((7, 0), 11015, 56300, 56305),
        ((8, 0), 11015, 56300, 56306),
        ((9, 0), 11015, 56300, 56307),
        ((12, 0), 11015, 56300, 56308),
        ((13, 0x0b01), 11013, 56300, 56309),
        ((14, 0x0b01), 11013, 56300, 56310),
        ((20, 0), 11015, 56400, 0),
        ((21, 1), 11014, 56700, 56701),
        ((21, 5), 11014, 56700, 56705),
        ((21, 6), 11014, 56700, 0),
        ((21, 0), 11014, 56700, 0),
        ((22, 0), 11014, 56500, 56501),
        ((23, 0), 11015, 56600, 0),
        ((10, 0), 11015, UNKNOWN, 0),
        ((200, 1), 11015, UNKNOWN, 0),
    ];
    for ((code, value), status, class, extended) in table {
        let found = status_of(&error(code, value));
        assert_eq!((found.0.0, found.1.0, found.2.0), (status, class, extended), "{code}/{value:#x}");
        assert!(found.0.name().is_some() && found.1.name().is_some());
        assert!(extended == 0 || found.2.name().is_some() || code == 2, "{extended}");
    }
}

/// A26: the published names, at the ends of their blocks.
#[test]
fn extended_values_have_their_names() {
    let table = [
        (56101, "OTHER"),
        (56103, "BANDWIDTH"),
        (56107, "AGG_PEAK_RATE"),
        (56200, "POLICY_ERROR_UNKNOWN"),
        (56201, "POLICY_GLOBAL_DEF_FLOW_COUNT"),
        (56208, "POLICY_SUBNET_UNK_USER_FLOW_COUNT"),
        (56209, "POLICY_GLOBAL_DEF_FLOW_DURATION"),
        (56217, "POLICY_GLOBAL_DEF_FLOW_RATE"),
        (56225, "POLICY_GLOBAL_DEF_PEAK_RATE"),
        (56233, "POLICY_GLOBAL_DEF_SUM_FLOW_RATE"),
        (56241, "POLICY_GLOBAL_DEF_SUM_PEAK_RATE"),
        (56248, "POLICY_SUBNET_UNK_USER_SUM_PEAK_RATE"),
        (56249, "UNKNOWN_USER"),
        (56257, "CRAZY_FLOWSPEC"),
        (56258, "NO_MORE_INFO"),
        (56264, "DO_NOT_SEND"),
        (56299, "POLICY_ERROR_USERID"),
        (56301, "NO_PATH"),
        (56311, "INVALID"),
        (56403, "API_BADSPORT"),
        (56501, "TC_GENERIC"),
        (56513, "NO_SYS_RESOURCES"),
        (56604, "SETQOS_NO_LOCAL_APPS"),
        (56705, "BAD_ADSPEC"),
        (56805, "IOCTL_INV_OVERLAPPED"),
        (56811, "SETQOS_BADINBUFFER"),
        (56837, "SETQOS_MISSINGFLOWDESC"),
        (56844, "GETQOS_INTERNALFAILURE"),
        (56856, "CHKQOS_EXCEPTION"),
    ];
    for (number, name) in table {
        assert_eq!(ErrorValue(number).name(), Some(name));
    }
    for number in [0, 56100, 56108, 56265, 56300, 56312, 56838, 56857, u32::MAX] {
        assert_eq!(ErrorValue(number).name(), None, "{number}");
    }
    let shown = (Status::EUNKOWNPSOBJ.to_string(), Status(7).to_string(), ErrorValue(56103).to_string());
    assert_eq!(shown, ("WSA_QOS_EUNKOWNPSOBJ".into(), "7".into(), "GQOS_BANDWIDTH".into()));
}

/// A20: each event of the engine has its status; the last sender and the last reservation that go are told of.
#[test]
fn events_have_their_status() {
    let mut socket = Notifications::default();
    assert_eq!(told(&mut socket, &[path(1, TSPEC), path(2, TSPEC)]), [11006, 11006]);
    assert!(told(&mut socket, &[path_gone(1)]).is_empty());
    assert_eq!(told(&mut socket, &[path_gone(2), path_gone(2)]), [11007]);
    assert_eq!(told(&mut socket, &[resv(Style::FF, 1), resv(Style::FF, 2)]), [11005, 11005]);
    assert!(told(&mut socket, &[resv_gone(Style::FF, 1)]).is_empty());
    assert_eq!(told(&mut socket, &[resv_gone(Style::FF, 2)]), [11008]);
    let failed = event(EventKind::PathError { error: error(2, 3), sender: sender(1) });
    let refused = event(EventKind::ResvError {
        error: error(1, 2),
        style: Style::FF,
        flowspec: None,
        filters: vec![sender(1).0],
    });
    assert_eq!(told(&mut socket, &[failed, refused, confirm()]), [11011, 11010, 11009]);
}

/// A19: a confirmation once for each request.
#[test]
fn a_confirmation_comes_once_for_each_request() {
    let mut socket = Notifications::default();
    assert_eq!(told(&mut socket, &[confirm(), path(1, TSPEC), confirm()]), [11009, 11006]);
    assert!(told(&mut socket, &[confirm()]).is_empty());
    socket.requested();
    assert_eq!(told(&mut socket, &[confirm(), confirm()]), [11009]);
}

/// A21: what is equal says nothing new; what has changed does.
#[test]
fn equal_repeats_are_merged() {
    let mut socket = Notifications::default();
    let less = Tspec { rate: 9000.0, ..TSPEC };
    let news: Vec<bool> =
        [TSPEC, TSPEC, TSPEC, less, less, TSPEC].map(|tspec| socket.happened(&path(1, tspec))).to_vec();
    assert_eq!(news, [true, false, false, true, false, true]);
    assert_eq!(socket.waiting(), 3);
}

/// Sixty-four wait, the oldest; one more tells how many were lost, when all were taken.
#[test]
fn what_finds_no_room_is_counted() {
    let mut socket = Notifications::default();
    for n in 0..100u16 {
        let tspec = Tspec { rate: 1000.0 + f32::from(n), ..TSPEC };
        assert_eq!(socket.happened(&path(1, tspec)), usize::from(n) < MOST_WAITING);
    }
    assert_eq!((MOST_WAITING, socket.waiting()), (64, 65));
    for n in 0..64u32 {
        let kept = socket.take().expect("kept");
        assert_eq!(kept.receiving.token_rate, Some(1000 + n));
        // While some are lost nothing gets in behind them: the order stays.
        if n == 10 {
            assert!(!socket.happened(&path(1, TSPEC)));
        }
    }
    let lost = socket.take().expect("the count");
    assert_eq!((lost.status, lost.lost, lost.session), (Status::GENERIC_ERROR, 37, None));
    assert_eq!(socket.take(), None);
    assert!(socket.happened(&path(1, TSPEC)));
}

/// A23 and A25: a receiver sees the sender's traffic, the path's offer and who sends; the other direction says NOCHANGE.
#[test]
fn senders_come_with_tspec_adspec_and_their_list() {
    let adspec = AdspecSummary {
        global: GeneralParams { break_bit: false, hops: 3, bandwidth: 1e6, latency_us: 70, mtu: 1500 },
        guaranteed: Some(GuaranteedParams::default()),
        controlled_load: None,
        null: None,
    };
    let mut socket = Notifications::default();
    socket.happened(&path(2, TSPEC));
    let general = socket.take().expect("told").receiving.service.service_type;
    assert_eq!(general, ServiceType::GeneralInformation);
    socket.happened(&event(EventKind::Path {
        sender: sender(1),
        tspec: TSPEC,
        adspec: Some(adspec),
        carried: Carried::default().with_tclass(5).expect("a priority"),
    }));
    let told = socket.take().expect("told");
    assert_eq!(told.carried.tclass(), Some(5));
    let seen = Flowspec {
        token_rate: Some(9200),
        token_bucket_size: Some(708),
        peak_bandwidth: Some(Peak::Finite(18_400)),
        max_sdu_size: Some(368),
        minimum_policed_size: Some(368),
        ..Flowspec::of(ServiceType::Guaranteed)
    };
    assert_eq!((told.receiving, told.sending), (seen, Flowspec::default()));
    assert_eq!(told.senders, [sender(1), sender(2)]);
    let [Object::StatusInfo { status, class, value }, Object::Adspec(offer), Object::FilterspecList(list)] =
        &told.to_qos().objects[..]
    else {
        panic!("status, offer, list: {told:?}");
    };
    assert_eq!((*status, *class, *value), (Status::SENDERS, ErrorClass::NO_ERRORCODE, ErrorValue::NONE));
    assert_eq!((offer.general.int_serv_aware_hop_count, offer.general.minimum_latency_us), (3, 70));
    let of = |host| FilterSpec::V4 { address: Ipv4Addr::new(10, 0, 0, host), port: 4000 };
    assert_eq!(list[..], [of(1), of(2)]);
}

/// A23: a sender sees what is reserved; of Guaranteed service R and S.
#[test]
fn receivers_come_with_what_is_reserved() {
    let mut socket = Notifications::default();
    let flowspec = WireFlowspec::Guaranteed(TSPEC, Rspec { rate: 20_000.0, slack: 300 });
    socket.happened(&event(EventKind::Resv {
        style: Style::FF,
        flowspec,
        filters: vec![sender(1).0],
        carried: Carried::default().with_dclass(&[46]).expect("a DSCP"),
    }));
    let told = socket.take().expect("told");
    assert_eq!(told.carried.dclass(), [46]);
    assert_eq!((told.receiving, &told.senders[..]), (Flowspec::default(), &[sender(1)][..]));
    assert_eq!(told.sending.service.service_type, ServiceType::Guaranteed);
    assert_eq!((told.sending.token_rate, told.sending.delay_variation_us), (Some(20_000), Some(300)));
    assert_eq!((told.sending.token_bucket_size, told.sending.max_sdu_size), (Some(708), Some(368)));
}

/// A26: an error says which node found it, and both directions NOCHANGE.
#[test]
fn an_error_keeps_the_node_that_found_it() {
    let fault = error(1, 2);
    let session = "udp 10.0.0.2:5000".parse().expect("a session");
    let told = FdQos::of_error(session, fault, vec![sender(1)]);
    assert_eq!((told.status, told.class, told.value), (Status(11010), ErrorClass(56100), ErrorValue(56103)));
    assert_eq!((told.fault, &told.senders[..]), (Some(fault), &[sender(1)][..]));
    assert_eq!((told.sending, told.receiving), (Flowspec::default(), Flowspec::default()));
}
