//! Rows A23, A24, A28 and A29, the pure parts: when QoS can be asked for, into which buffer, and the six checks.

use super::g711;
use rsvp_node::qos::events::FdQos;
use rsvp_node::qos::get::{Check, Direction, GetRefused, HostKnows, NOT_AVAILABLE, may_get};
use rsvp_node::qos::request::NoBuffer;
use rsvp_node::qos::{Endpoint, Qos, ServiceType, Status, Transport};

/// A24: a sender once it is connected, a receiver as soon as it is bound; a group stands for both.
#[test]
fn a_sender_may_ask_once_connected_and_a_receiver_once_bound() {
    let at = |text: &str| Some(text.parse().expect("an address"));
    let table = [
        (None, None, false, Err(GetRefused::NotConnected), Err(GetRefused::NotBound)),
        (at("0.0.0.0:80"), None, false, Err(GetRefused::NotConnected), Ok(())),
        (at("10.0.0.1:80"), at("10.0.0.2:4000"), false, Ok(()), Ok(())),
        (None, None, true, Ok(()), Ok(())),
    ];
    for (local, peer, group, sending, receiving) in table {
        for transport in [Transport::Tcp, Transport::Udp] {
            let groups = group.then(|| "239.1.1.1:80".parse().expect("an address")).into_iter().collect();
            let socket = Endpoint { transport, local, peer, groups };
            assert_eq!(may_get(&socket, Direction::Sending), sending, "{socket:?}");
            assert_eq!(may_get(&socket, Direction::Receiving), receiving, "{socket:?}");
        }
    }
}

/// A23: all or nothing; what does not fit leaves the size in the first word, if there is room for that.
#[test]
fn a_short_buffer_returns_the_required_size() {
    let answer = FdQos::of(None, Status::SENDERS).to_qos();
    let octets = answer.to_octets();
    // The QOS, a status of 20 octets and the end of the list.
    assert_eq!(octets.len(), 72 + 20 + 8);
    let mut exact = vec![0xaa; 100];
    assert_eq!(answer.write_into(&mut exact), Ok(100));
    assert_eq!(exact, octets);
    let mut larger = vec![0xaa; 103];
    assert_eq!(answer.write_into(&mut larger), Ok(100));
    assert_eq!((&larger[..100], &larger[100..]), (&octets[..], &[0xaa; 3][..]));
    let mut short = vec![0xaa; 99];
    assert_eq!(answer.write_into(&mut short), Err(NoBuffer { needed: 100 }));
    assert_eq!((&short[..4], &short[4..]), (&[100, 0, 0, 0][..], &[0xaa; 95][..]));
    let mut tiny = [0xaa; 3];
    assert_eq!(answer.write_into(&mut tiny), Err(NoBuffer { needed: 100 }));
    assert_eq!(tiny, [0xaa; 3]);
}

/// A28: there is no group, and that is no error.
#[test]
fn the_group_specifies_nothing() {
    assert_eq!(Qos::of_group(), Qos::default());
    assert_eq!(Qos::of_group().sending.service.service_type, ServiceType::NoChange);
}

/// A29: numbers and answers of the checks.
#[test]
fn the_six_checks_answer_from_what_the_host_knows() {
    assert!(Check::ALL.into_iter().map(Check::number).eq(50_001..=50_006));
    assert_eq!(Check::of_number(50_003), Some(Check::LineRate));
    assert_eq!((Check::of_number(50_000), Check::of_number(50_007)), (None, None));
    let asked = g711(ServiceType::ControlledLoad);
    let answers = |host: &HostKnows| Check::ALL.map(|check| check.answer(&asked, host));
    assert_eq!(answers(&HostKnows::default()), [NOT_AVAILABLE; 6]);
    let host = HostKnows {
        line_rate_bps: Some(100_000_000),
        limit: Some(8500),
        traffic_control: Some(true),
        qos: Some(true),
        path: Some(false),
    };
    assert_eq!(answers(&host), [1, 1, 100_000, 1, 1, 0]);
    let less = HostKnows { limit: Some(8499), traffic_control: Some(false), ..host };
    assert_eq!(answers(&less), [0, 0, 100_000, 0, 1, 0]);
    // Of traffic without a rate nothing can be said.
    let unknown = Qos::default().sending;
    assert_eq!(Check::AllowedToSendData.answer(&unknown, &host), NOT_AVAILABLE);
}
