//! Listeners: a function decides about each caller.

use super::super::eventually;
use super::{CONFIG, Hosts, sending, sending_at, tspec_of};
use rsvp_client::Decision;
use rsvp_client::qos::{Flowspec, Qos, ServiceType};
use rsvp_wire::MsgType;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;

#[test]
fn a_caller_is_accepted_with_a_qos_rejected_or_deferred() {
    let Some(mut hosts) = Hosts::new("callers", CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let listener = hosts.at("b", tokio::net::TcpListener::bind("10.0.1.2:80")).expect("a listener");
    let listener = hosts.attached("b", listener);
    hosts.set(&listener, &sending());
    let call = || hosts.net.within("a", || TcpStream::connect("10.0.1.2:80")).expect("a connection");
    let rates = || capture.of(MsgType::PATH).iter().map(|path| tspec_of(path).rate).collect::<Vec<_>>();
    // Rejected: a reset, and no Path.
    let mut caller = call();
    assert!(hosts.at("b", listener.accept_if(|_| Decision::Reject)).expect("decided").is_none());
    let refused = caller.read(&mut [0]).expect_err("no connection");
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    // Deferred: decided about once more.
    let caller = call();
    let here = caller.local_addr().expect("a name");
    assert!(hosts.at("b", listener.accept_if(|_| Decision::Defer)).expect("decided").is_none());
    assert!(rates().is_empty(), "nothing is signalled for a listener or a caller that waits");
    let inherited = hosts.at(
        "b",
        listener.accept_if(|who| {
            assert_eq!((who.peer, who.local), (here, "10.0.1.2:80".parse().expect("an address")));
            Decision::Accept(None)
        }),
    );
    let (inherited, _) = inherited.expect("decided").expect("accepted");
    // The listener's own: 8,500 · 380/340.
    eventually("a Path", || (rates() == [9_500.0]).then_some(()));
    // The callback's wins, but where it says NOCHANGE the listener's holds.
    let another = call();
    let (own, _) = hosts
        .at("b", listener.accept_if(|_| Decision::Accept(Some(sending_at(17_000)))))
        .expect("decided")
        .expect("accepted");
    eventually("its Path", || (rates() == [9_500.0, 19_000.0]).then_some(()));
    let receiver = Qos { receiving: Flowspec::of(ServiceType::ControlledLoad), ..Qos::default() };
    let last = call();
    let (mixed, _) = hosts
        .at("b", listener.accept_if(|_| Decision::Accept(Some(receiver))))
        .expect("decided")
        .expect("accepted");
    eventually("the listener's", || (rates() == [9_500.0, 19_000.0, 9_500.0]).then_some(()));
    assert_eq!(mixed.qos().sending, sending().sending);
    drop((inherited, own, mixed, caller, another, last));
}
