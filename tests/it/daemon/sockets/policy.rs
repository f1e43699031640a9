//! Policy elements of sockets, octet for octet: those of a sender at the receiver, of a receiver at the sender; and the identity of an
//! application.

use super::super::eventually;
use super::{CONFIG, Hosts, RECEIVER, SENDER, receiving, sending};
use rsvp_client::qos::objects::policy::PolicyElement;
use rsvp_client::qos::objects::reserve_info::ReserveInfo;
use rsvp_client::qos::{FdQos, Flowspec, Object, Qos, ServiceType, Status};
use rsvp_wire::{Message, MsgType, PolicyData};

/// A preemption priority (RFC 3181), as an application has it: nothing here looks into it.
const PREEMPTION: [u8; 8] = [0, 1, 0, 0, 0, 7, 0, 5];

fn element(data: &[u8]) -> PolicyElement {
    PolicyElement { element_type: 1, data: data.to_vec() }
}

/// What came with a notification, as octets: length, type and data of each element.
fn carried(told: &FdQos) -> Vec<u8> {
    rsvp_control::Carried::from(&told.carried).policy.into_iter().flat_map(|octets| octets.0).collect()
}

/// By hand: twelve octets, type 1.
fn octets(data: &[u8]) -> Vec<u8> {
    [&[0, 12, 0, 1], data].concat()
}

#[test]
fn policy_elements_of_a_socket_come_to_the_other_one_unchanged() {
    let Some(mut hosts) = Hosts::new("policy elements", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let receiver = hosts.bound("b", RECEIVER);
    let other = [0, 2, 0, 0, 0, 1, 0, 1];
    let info = ReserveInfo { policy: vec![element(&other)], ..ReserveInfo::default() };
    hosts.set(
        &receiver,
        &Qos { objects: vec![Object::Reserve(info)], ..receiving(ServiceType::ControlledLoad) },
    );
    let sender = hosts.bound("a", SENDER);
    let policy = Object::Policy(vec![element(&PREEMPTION)]);
    hosts.set(&sender, &Qos { objects: vec![policy], ..sending() });
    hosts.connect("a", &sender, RECEIVER);
    assert_eq!(carried(&hosts.told_of(&receiver, Status::SENDERS)), octets(&PREEMPTION));
    assert_eq!(carried(&hosts.told_of(&sender, Status::RECEIVERS)), octets(&other));
    let on_the_wire = |kind: MsgType, data: &[u8]| {
        let wanted = octets(data);
        eventually("it on the wire", || {
            let has = |octets: &Vec<u8>| octets.windows(wanted.len()).any(|found| found == wanted);
            capture.of(kind).iter().any(|seen| has(&seen.octets)).then_some(())
        });
    };
    on_the_wire(MsgType::PATH, &PREEMPTION);
    on_the_wire(MsgType::RESV, &other);
    // Another element takes the place of the first, and is told.
    hosts.set(&sender, &Qos { objects: vec![Object::Policy(vec![element(&other)])], ..sending() });
    assert_eq!(carried(&hosts.told_of(&receiver, Status::SENDERS)), octets(&other));
    // Reserved types are refused, and change nothing.
    let user = PolicyElement { element_type: 2, data: vec![0; 8] };
    let refused = hosts.at("a", sender.set(&Qos { objects: vec![Object::Policy(vec![user])], ..sending() }));
    assert!(refused.expect_err("the host says who the user is").to_string().contains("11031"));
    assert_eq!(receiver.try_next(), None);
}

/// RFC 2997 section 3 and RFC 2872: the locator that a qualitative application is known by is in its Path.
#[test]
fn a_qualitative_socket_says_which_application_it_is_of() {
    let Some(mut hosts) = Hosts::new("an application's identity", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let sender = hosts.bound("a", SENDER);
    let identity = PolicyElement::of_application("APP=backup,VER=1").expect("a name");
    let qualitative = Flowspec::of(ServiceType::Qualitative);
    hosts.set(
        &sender,
        &Qos { sending: qualitative, objects: vec![Object::Policy(vec![identity])], ..Qos::default() },
    );
    hosts.connect("a", &sender, RECEIVER);
    let path = capture.first(MsgType::PATH);
    let message = Message::parse(&path.octets).expect("sound");
    assert!(message.get::<PolicyData<'_>>().is_some_and(|policy| policy.is_ok()), "POLICY_DATA");
    // By hand from RFC 3182: an AUTH_APP of 24 octets, in it a policy locator of 20, in ASCII.
    let locator = [&[0, 24, 0, 3, 0, 20, 1, 1][..], b"APP=backup,VER=1"].concat();
    assert!(path.octets.windows(locator.len()).any(|found| found == locator), "{:?}", path.octets);
}
