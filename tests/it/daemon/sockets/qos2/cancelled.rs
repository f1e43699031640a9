//! What ends: sockets, flows, and what waits for them (B21).

use super::{Bed, KERNEL, eventually};
use rsvp_client::flows::{FlowOptions, TrafficType};
use std::task::{Context, Poll, Waker};

/// A call that is given up before or after the daemon has done it leaves nothing.
#[test]
fn adding_that_is_given_up_leaves_nothing() {
    let Some(bed) = Bed::new("giving up", KERNEL) else { return };
    let flows = bed.flows();
    let socket = bed.connected();
    let mut given_up = 0;
    for _ in 0..20 {
        bed.at(async {
            let mut adding = Box::pin(flows.add(&socket, TrafficType::Voice, FlowOptions::default()));
            let mut context = Context::from_waker(Waker::noop());
            // It has asked, and is dropped before it has heard; rarely is the daemon so quick that there is a flow, which ends likewise.
            match adding.as_mut().poll(&mut context) {
                Poll::Pending => given_up += 1,
                Poll::Ready(flow) => drop(flow.expect("a flow")),
            }
        });
        // What is asked next comes after that.
        eventually("nothing is left", || bed.at(flows.list()).expect("a listing").is_empty().then_some(()));
        eventually("no mark", || (bed.mark(&socket) == 0).then_some(()));
    }
    assert!(given_up > 0, "no call was given up");
    let _flow = bed.add(&flows, &socket, TrafficType::Voice);
    assert_eq!(bed.mark(&socket), 56);
}

#[test]
fn a_socket_that_is_closed_leaves_its_flow() {
    let Some(net) = super::Hosts::linked("closed sockets of QOS2") else { return };
    let mut net = net;
    net.daemon_with_cgroups("a", KERNEL);
    let capture = net.capture_many("b", "to-a", "ip");
    let receiver = super::bound(&net, "b", super::PEER);
    let bed = Bed { hosts: super::Hosts::of(net), capture, _receiver: receiver };
    let flows = bed.flows();
    let (first, second) = (bed.connected(), bed.connected());
    let flow = bed.add(&flows, &first, TrafficType::Voice);
    bed.at(flow.attach(&second, None)).expect("it is shared");
    assert_eq!(bed.peers(), 2);
    drop(first);
    eventually("the closed one is gone", || (bed.peers() == 1).then_some(()));
    assert_eq!(bed.mark(&second), 56);
}
