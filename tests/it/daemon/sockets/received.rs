//! Receivers: which Paths are for a socket, and which reservation is made for it, and when.

use super::super::eventually;
use super::{
    CONFIG, Hosts, RECEIVER, REFRESHED, SENDER, confirmed, kinds, receiving, sending, session, template,
};
use rsvp_client::qos::{Object, Qos, ServiceType, Status};
use rsvp_client::{Leaf, QosSocket};
use rsvp_wire::{FilterSpec, Flowspec, Message, MsgType, Style};
use serde_json::json;
use std::net::TcpListener;
use tokio::net::{TcpStream, UdpSocket};

/// What a socket of the table is before it asks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    TcpListening,
    TcpConnected,
    UdpNotBound,
    UdpAnyAddress,
    UdpOneAddress,
    UdpAnyAddressConnected,
    UdpOneAddressConnected,
    GroupNotJoined,
    GroupJoined,
}

impl State {
    const GROUP: &str = "239.1.2.3:5000";

    /// The Path's session and sender, whether it is for the socket, and one with another sender or port that is not.
    const fn paths(self) -> (&'static str, bool, Option<(&'static str, &'static str)>) {
        match self {
            Self::TcpListening => ("tcp 10.0.1.2:5000", false, None),
            Self::TcpConnected => ("tcp 10.0.1.2:5000", true, Some(("tcp 10.0.1.2:5000", "10.0.1.1:4001"))),
            Self::UdpNotBound => ("udp 10.0.1.2:5000", false, None),
            Self::UdpAnyAddress | Self::UdpOneAddress => {
                ("udp 10.0.1.2:5000", true, Some(("udp 10.0.1.2:5001", "10.0.1.1:4000")))
            }
            Self::UdpAnyAddressConnected | Self::UdpOneAddressConnected => {
                ("udp 10.0.1.2:5000", true, Some(("udp 10.0.1.2:5000", "10.0.1.1:4001")))
            }
            Self::GroupNotJoined => ("udp 239.1.2.3:5000", false, None),
            Self::GroupJoined => ("udp 239.1.2.3:5000", true, Some(("udp 239.1.2.3:5001", "10.0.1.1:4000"))),
        }
    }

    const ALL: [Self; 9] = [
        Self::TcpListening,
        Self::TcpConnected,
        Self::UdpNotBound,
        Self::UdpAnyAddress,
        Self::UdpOneAddress,
        Self::UdpAnyAddressConnected,
        Self::UdpOneAddressConnected,
        Self::GroupNotJoined,
        Self::GroupJoined,
    ];
}

/// Keeps whatever a row needs open; and asks for Controlled-Load.
enum Receiver {
    Listener(QosSocket<tokio::net::TcpListener>),
    Stream(QosSocket<TcpStream>, std::net::TcpStream),
    Datagrams(QosSocket<UdpSocket>, Option<socket2::Socket>),
}

fn receiver(hosts: &Hosts, state: State) -> Receiver {
    let asked = receiving(ServiceType::ControlledLoad);
    match state {
        State::TcpListening => {
            let listener = hosts.at("b", tokio::net::TcpListener::bind(RECEIVER)).expect("a listener");
            let listener = hosts.attached("b", listener);
            hosts.set(&listener, &asked);
            return Receiver::Listener(listener);
        }
        State::TcpConnected => {
            let listener = hosts.net.within("b", || TcpListener::bind(RECEIVER)).expect("a listener");
            let other = hosts.net.within("a", || {
                let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
                let socket = socket.expect("a socket");
                let from: std::net::SocketAddr = SENDER.parse().expect("an address");
                let to: std::net::SocketAddr = RECEIVER.parse().expect("an address");
                socket.bind(&from.into()).expect("bound");
                socket.connect(&to.into()).expect("connected");
                std::net::TcpStream::from(socket)
            });
            let (accepted, _) = listener.accept().expect("a connection");
            accepted.set_nonblocking(true).expect("it need not wait");
            let accepted = hosts.at("b", async { TcpStream::from_std(accepted) }).expect("a stream");
            let accepted = hosts.attached("b", accepted);
            hosts.set(&accepted, &asked);
            return Receiver::Stream(accepted, other);
        }
        _ => {}
    }
    let any_address = matches!(
        state,
        State::UdpAnyAddress | State::UdpAnyAddressConnected | State::GroupJoined | State::GroupNotJoined
    );
    let socket = if state == State::UdpNotBound {
        let socket = hosts.net.within("b", || {
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket")
        });
        socket.set_nonblocking(true).expect("it need not wait");
        hosts.at("b", async { UdpSocket::from_std(socket.into()) }).expect("a socket")
    } else {
        hosts.udp("b", if any_address { "0.0.0.0:5000" } else { RECEIVER })
    };
    let socket = hosts.attached("b", socket);
    hosts.set(&socket, &asked);
    let mut member = None;
    match state {
        State::UdpAnyAddressConnected | State::UdpOneAddressConnected => hosts.connect("b", &socket, SENDER),
        // A member of the group like any other: so the Path gets here, but no QoS is asked for.
        State::GroupNotJoined => {
            member = Some(hosts.net.join("b", "to-a", "239.1.2.3".parse().expect("a group")));
            socket.join_multicast_v4([239, 1, 2, 3].into(), [10, 0, 1, 2].into()).expect("a member");
        }
        State::GroupJoined => {
            let group = State::GROUP.parse().expect("a group");
            hosts.at("b", socket.join(group, Leaf::Receiver, None)).expect("joined");
        }
        _ => {}
    }
    Receiver::Datagrams(socket, member)
}

#[test]
fn a_socket_reserves_for_the_paths_that_the_table_says_are_its_own() {
    let Some(hosts) = Hosts::new("the table", CONFIG) else { return };
    for state in State::ALL {
        let (session, is_its_own, other) = state.paths();
        let (mut a, mut b) = (hosts.net.client("a"), hosts.net.client("b"));
        let receiver = receiver(&hosts, state);
        // First the one that is not its own: had it been reserved for, that would be seen.
        for (nth, (of, from)) in other.into_iter().enumerate() {
            a.send(of, from, 1);
            b.until("senders", nth + 1);
            assert!(b.list("requests").is_empty(), "{state:?} reserves in {of} for {from}");
        }
        a.send(session, SENDER, 1);
        b.until("senders", 1 + usize::from(other.is_some()));
        let requests = b.list("requests");
        assert_eq!(requests.len(), usize::from(is_its_own), "{state:?}: {requests:?}");
        if is_its_own {
            assert_eq!(requests[0]["session"], session, "{state:?}");
        }
        // While the receiver is there: a member of a group hears of its end.
        drop(a);
        b.until("senders", 0);
        match receiver {
            Receiver::Listener(socket) => drop(socket),
            Receiver::Stream(socket, other) => drop((socket, other)),
            Receiver::Datagrams(socket, member) => drop((socket, member)),
        }
        b.until("sessions", 0);
    }
}

#[test]
fn a_resv_leaves_whichever_comes_last_the_path_or_the_receiver() {
    let Some(mut hosts) = Hosts::new("both orders of a Resv", CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let mut a = hosts.net.client("a");
    let resvs = |count| eventually("Resvs", || Some(capture.of(MsgType::RESV)).filter(|r| r.len() == count));
    // The Path comes last.
    let early = hosts.bound("b", RECEIVER);
    hosts.set(&early, &receiving(ServiceType::ControlledLoad));
    a.send("udp 10.0.1.2:5000", SENDER, 1);
    resvs(1);
    drop(early);
    capture.first(MsgType::RESV_TEAR);
    // The socket comes last.
    let late = hosts.bound("b", RECEIVER);
    hosts.set(&late, &receiving(ServiceType::ControlledLoad));
    let both = resvs(2);
    assert_eq!(both[0].octets, both[1].octets);
    // It asks for what the sender announces: 1 Mbit/s.
    let message = Message::parse(&both[1].octets).expect("sound");
    let Flowspec::ControlledLoad(tspec) = message.get::<Flowspec>().expect("one").expect("readable") else {
        panic!("Controlled-Load");
    };
    assert_eq!(tspec.rate, 125_000.0);
}

#[test]
fn a_receiver_that_connects_tears_down_its_wildcard_and_reserves_for_its_peer() {
    let Some(mut hosts) = Hosts::new("WF to FF", CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let (_sender, receiver) = hosts.sender_and_receiver();
    capture.first(MsgType::RESV);
    hosts.connect("b", &receiver, SENDER);
    let wanted = [MsgType::RESV, MsgType::RESV_TEAR];
    let expected = [(MsgType::RESV, Style::WF), (MsgType::RESV_TEAR, Style::WF), (MsgType::RESV, Style::FF)];
    let seen = eventually("three messages", || Some(kinds(&capture, &wanted)).filter(|seen| seen.len() >= 3));
    assert_eq!(seen, expected);
    // Setting it again does not go back.
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    let requests = hosts.net.client("b").list("requests");
    assert_eq!(requests[0]["style"], "ff");
    assert_eq!(kinds(&capture, &wanted), expected);
}

#[test]
fn a_confirmation_comes_once_for_each_time_of_asking() {
    let Some(mut hosts) = Hosts::new("confirmation", REFRESHED) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    let receiver = hosts.bound("b", RECEIVER);
    for nth in 1..=2 {
        hosts.set(&receiver, &confirmed());
        if nth == 1 {
            hosts.told_of(&receiver, Status::SENDERS);
        }
        let told = hosts.told_of(&receiver, Status::REQUEST_CONFIRMED);
        assert_eq!(told.session, Some(session(RECEIVER)));
        let before = capture.of(MsgType::RESV).len();
        eventually("five refreshes", || (capture.of(MsgType::RESV).len() >= before + 5).then_some(()));
        assert_eq!(receiver.try_next(), None, "refreshes confirm nothing");
    }
    // What confirms is in the Resv.
    let resv = capture.first(MsgType::RESV);
    let message = Message::parse(&resv.octets).expect("sound");
    assert!(message.get::<rsvp_wire::ResvConfirm>().is_some(), "RESV_CONFIRM");
}

#[test]
fn a_receiver_sees_what_the_path_says() {
    let Some(hosts) = Hosts::new("what the Path says", CONFIG) else { return };
    let mut watch = hosts.net.client("b");
    watch.ask(json!({"request": "open-session", "session": "udp 10.0.1.2:5000"})).expect("a session");
    let (_sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", RECEIVER));
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    hosts.set(&_sender, &sending());
    hosts.connect("a", &_sender, RECEIVER);
    let told = hosts.told_of(&receiver, Status::SENDERS);
    assert_eq!((told.receiving.token_rate, told.receiving.max_sdu_size), (Some(9_200), Some(368)));
    assert_eq!(told.senders, [template(SENDER)]);
    let adspec = told.adspec.expect("an ADSPEC");
    let path = watch.event("path");
    assert_eq!(path["adspec"]["hops"], adspec.global.hops);
    assert_eq!(path["adspec"]["mtu"], adspec.global.mtu);
    assert_eq!(path["adspec"]["break"], adspec.global.break_bit);
    assert_eq!(path["adspec"]["bandwidth_bps"], f64::from(adspec.global.bandwidth) * 8.0);
    assert_eq!(path["adspec"]["latency_us"].as_u64(), Some(adspec.global.latency_us.into()));
    // The sender offers the service it has, and no other.
    assert!(adspec.controlled_load.is_some() && adspec.guaranteed.is_none());
    assert!(path["adspec"]["guaranteed"].is_null());
    // The same as objects.
    let objects = told.to_qos().objects;
    assert!(objects.iter().any(|object| matches!(object, Object::Adspec(_))), "{objects:?}");
    // A sender that changes is told of again, with what it says now.
    let guaranteed =
        rsvp_client::qos::Flowspec { service: ServiceType::GeneralInformation.into(), ..super::voice() };
    hosts.set(&_sender, &Qos { sending: guaranteed, ..Qos::default() });
    let adspec = hosts.told_of(&receiver, Status::SENDERS).adspec.expect("an ADSPEC");
    let offered = adspec.guaranteed.expect("Guaranteed service");
    let path = watch.event("path");
    assert_eq!(path["adspec"]["guaranteed"]["ctot"], offered.ctot);
    assert_eq!(path["adspec"]["guaranteed"]["dtot_us"], offered.dtot);
    let of_path = FilterSpec::new("10.0.1.1".parse().expect("an address"), 4000);
    assert_eq!(told.senders[0].0, of_path);
}
