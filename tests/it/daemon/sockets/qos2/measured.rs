//! What the network has: measured with the help of the other side, asked for, admitted by, told of (B13, B16, B17, B18, B19, B21).

use super::super::super::net::Net;
use super::super::super::plane::seen::{amount, seen};
use super::{Bed, KERNEL, bound, connect, eventually, unconnected};
use rsvp_client::flows::{
    Flow, FlowOptions, Flows, Notification, OutgoingRate, Refusal, Shaping, TrafficType,
};
use rsvpd::probe::DEFAULT_PORT;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Stdio;
use std::task::{Context, Waker};

const RESPONDER: &str = "[data_plane]\nkind = \"none\"\n[responder]\nenabled = true\n";
/// Where `b` hears, behind the router.
const FAR: &str = "10.0.2.2:5000";
/// What its bucket lets pass at once: twenty packets of a train, which say nothing of the link.
const BUCKET: &str = "burst 30k cburst 30k";

/// `a` - `r` - `b`: daemons on `a` and `b`, and a link of 5 Mbit/s that `r`, where there is none, has to `b`.
fn narrow(test: &str, config: &str) -> Option<Bed> {
    let mut net = Net::three_in_a_row(test)?;
    let tc = |line: &str| net.exec("r", &line.split(' ').collect::<Vec<_>>());
    tc("tc qdisc add dev to-b root handle 1: htb default 1");
    tc(&format!("tc class add dev to-b parent 1: classid 1:1 htb rate 5mbit {BUCKET}"));
    tc("tc qdisc add dev to-b parent 1:1 bfifo limit 400k");
    net.daemon("b", config);
    net.daemon("a", KERNEL);
    let capture = net.capture_many("r", "to-a", "ip");
    let receiver = bound(&net, "b", FAR);
    Some(Bed { hosts: super::Hosts::of(net), capture, _receiver: receiver })
}

fn squeeze(bed: &Bed, rate: &str) {
    let line = format!("tc class change dev to-b parent 1: classid 1:1 htb rate {rate} {BUCKET}");
    bed.net().exec("r", &line.split(' ').collect::<Vec<_>>());
}

/// A delay each way.
const DELAY_MS: u64 = 20;

/// Hands on what comes by one TUN interface to the other, later.
const RELAY: &str = "
import collections, ctypes, fcntl, os, select, struct, sys, time
libc = ctypes.CDLL(None)
def tun(space, name):
    inside = os.open('/run/netns/' + space, os.O_RDONLY)
    assert libc.setns(inside, 0x40000000) == 0
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, 0x400454ca, struct.pack('16sH', name.encode(), 0x1001))
    return device
ends = [tun(sys.argv[1], 'to-b'), tun(sys.argv[2], 'to-a')]
delay = int(sys.argv[3]) / 1000
print('ready', flush=True)
waiting = collections.deque()
while True:
    left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    readable, _, _ = select.select(ends, [], [], left)
    for end in readable:
        waiting.append((time.monotonic() + delay, ends[1 - ends.index(end)], os.read(end, 2048)))
    while waiting and waiting[0][0] <= time.monotonic():
        _, to, packet = waiting.popleft()
        try:
            os.write(to, packet)
        except OSError:
            pass
";

/// A socket at `a` that sends to `b`, and an adaptive flow for it.
fn adaptive(bed: &Bed, flows: &Flows) -> (UdpSocket, Flow) {
    let socket = bound(bed.net(), "a", "0.0.0.0:0");
    socket.connect(FAR).expect("a route");
    let options = FlowOptions { adaptive: true, ..FlowOptions::default() };
    let flow = bed.at(flows.add(&socket, TrafficType::AudioVideo, options)).expect("a flow");
    (socket, flow)
}

fn rate(bps: u64) -> OutgoingRate {
    OutgoingRate::new(bps, Shaping::ShapeAndMark)
}

fn near(found: Option<u64>, expected: u64) -> bool {
    found.is_some_and(|found| found.abs_diff(expected) * 5 <= expected)
}

#[test]
fn a_narrow_link_is_measured_and_what_was_measured_is_kept_unless_it_has_to_be_fresh() {
    let Some(bed) = narrow("a narrow link", RESPONDER) else { return };
    let flows = bed.flows();
    let (_socket, flow) = adaptive(&bed, &flows);
    let first = bed.at(flow.fundamentals(false)).expect("it is measured");
    println!("a link of 5 Mbit/s: {first:?}");
    assert_eq!(first.by, "responder");
    assert!(near(first.bottleneck_bps, 5_000_000), "{first:?}");
    assert!(near(first.available_bps, 5_000_000), "nobody else sends: {first:?}");
    assert!(first.round_trip_us.is_some(), "{first:?}");
    squeeze(&bed, "2mbit");
    assert_eq!(bed.at(flow.fundamentals(false)).expect("what is known"), first);
    let fresh = bed.at(flow.fundamentals(true)).expect("it is measured");
    println!("a link of 2 Mbit/s: {fresh:?}");
    assert!(near(fresh.bottleneck_bps, 2_000_000), "{fresh:?}");
    // One that is not adaptive is not measured for.
    let socket = bound(bed.net(), "a", "0.0.0.0:0");
    socket.connect(FAR).expect("a route");
    let plain = bed.add(&flows, &socket, TrafficType::Voice);
    assert_eq!(bed.refused(plain.fundamentals(false)), Refusal::NotSupported);
    assert_eq!(bed.refused(plain.notify(Notification::Available(1))), Refusal::NotSupported);
}

#[test]
fn a_delay_is_the_round_trip() {
    let Some(mut net) = Net::new("a delay") else { return };
    net.host("a");
    net.host("b");
    let mut relay = std::process::Command::new("python3");
    relay.args(["-c", RELAY, &net.namespace("a"), &net.namespace("b"), &DELAY_MS.to_string()]);
    let mut relay = relay.stdout(Stdio::piped()).spawn().expect("python runs");
    let said = BufReader::new(relay.stdout.take().expect("piped")).lines().next();
    net.others.push(relay);
    assert_eq!(said.and_then(Result::ok).as_deref(), Some("ready"));
    for (node, interface, address) in [("a", "to-b", "10.0.1.1/24"), ("b", "to-a", "10.0.1.2/24")] {
        net.ip(node, &format!("addr add {address} dev {interface}"));
        net.ip(node, &format!("link set {interface} up"));
    }
    net.daemon("b", RESPONDER);
    net.daemon("a", KERNEL);
    let capture = net.capture_many("b", "to-a", "ip");
    let receiver = bound(&net, "b", super::PEER);
    let bed = Bed { hosts: super::Hosts::of(net), capture, _receiver: receiver };
    let socket = bed.connected();
    let options = FlowOptions { adaptive: true, ..FlowOptions::default() };
    let flow = bed.at(bed.flows().add(&socket, TrafficType::Voice, options)).expect("a flow");
    let found = bed.at(flow.fundamentals(true)).expect("it is measured");
    println!("{DELAY_MS} ms each way: {found:?}");
    assert!(near(found.round_trip_us, 2 * DELAY_MS * 1_000), "{found:?}");
}

#[test]
fn a_rate_that_the_network_has_not_is_refused_and_leaves_the_flow_unmarked() {
    let Some(bed) = narrow("network busy", RESPONDER) else { return };
    let flows = bed.flows();
    // Known before it is asked for; the port says nothing.
    let _tracking = bed.at(flows.track("10.0.2.2".parse().expect("an address"))).expect("it is tracked");
    let (socket, flow) = adaptive(&bed, &flows);
    assert_eq!(bed.mark(&socket), 0, "no rate yet");
    assert_eq!(bed.refused(flow.set_rate(rate(9_000_000))), Refusal::NetworkBusy);
    assert_eq!(bed.mark(&socket), 0, "refused");
    assert_eq!(bed.refused(flow.rate()), Refusal::NoData);
    bed.at(flow.set_rate(rate(2_000_000))).expect("there is so much");
    assert_eq!(bed.mark(&socket), 40);
    assert_eq!(bed.refused(flow.set_rate(rate(9_000_000))), Refusal::NetworkBusy);
    assert_eq!(bed.at(flow.rate()).expect("a rate"), rate(2_000_000), "as it was");
    assert_eq!(bed.mark(&socket), 40);
    let known = bed.at(flow.fundamentals(false)).expect("known");
    assert_eq!(known.by, "responder");
}

/// Polls a call once, so that it has asked; it is not done.
fn asked<F: Future>(future: &mut core::pin::Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn each_notification_comes_once_when_it_is_so_and_can_be_asked_for_again() {
    let Some(bed) = narrow("notifications", RESPONDER) else { return };
    let flows = bed.flows();
    let (_socket, flow) = adaptive(&bed, &flows);
    assert_eq!(bed.refused(flow.notify(Notification::Congested)), Refusal::NoData, "it has no rate");
    assert_eq!(bed.refused(flow.notify(Notification::Available(0))), Refusal::InvalidParameter);
    bed.at(flow.set_rate(rate(2_500_000))).expect("there is so much");
    for round in 0..2 {
        bed.at(flow.notify(Notification::Uncongested)).expect("it is so already");
        let mut congested = Box::pin(flow.notify(Notification::Congested));
        assert!(bed.at(async { asked(&mut congested) }), "round {round}: not yet");
        // A second wish of the kind has to wait for the first.
        assert_eq!(bed.refused(flow.notify(Notification::Congested)), Refusal::AlreadyExists);
        squeeze(&bed, "1mbit");
        bed.at(congested).expect("it is told");
        let mut available = Box::pin(flow.notify(Notification::Available(3_000_000)));
        let mut uncongested = Box::pin(flow.notify(Notification::Uncongested));
        assert!(bed.at(async { asked(&mut available) && asked(&mut uncongested) }), "round {round}: not yet");
        squeeze(&bed, "5mbit");
        bed.at(available).expect("it is told");
        bed.at(uncongested).expect("it is told");
    }
}

#[test]
fn what_waits_ends_with_its_flow_and_by_being_given_up() {
    let Some(bed) = narrow("pending calls", RESPONDER) else { return };
    let flows = bed.flows();
    let (_socket, flow) = adaptive(&bed, &flows);
    {
        let mut given_up = Box::pin(flow.notify(Notification::Available(500_000_000)));
        assert!(bed.at(async { asked(&mut given_up) }));
    }
    {
        let mut again = Box::pin(flow.notify(Notification::Available(500_000_000)));
        assert!(bed.at(async { asked(&mut again) }));
        // The one before is gone: this is no second one.
        let mut listed = Box::pin(flows.list());
        assert!(bed.at(async { asked(&mut listed) }));
        bed.at(listed).expect("a listing");
        assert!(bed.at(async { asked(&mut again) }), "it waits");
    }
    bed.at(flow.remove()).expect("it was there");
    // By lines: whoever waits is told that the flow has ended.
    let said = removed_while_waiting(&bed);
    assert!(said.contains("aborted"), "{said}");
}

/// A program waits for what will not come, and removes its flow; the answer to the first.
fn removed_while_waiting(bed: &Bed) -> String {
    const PROGRAM: &str = "
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('10.0.2.2', 5000))
flow = ask({'id': 1, 'request': 'flow-add', 'fd': True, 'adaptive': True}, [udp.fileno()])['ok']['flow']
tell({'id': 2, 'request': 'flow-notify', 'flow': flow, 'when': 'available', 'bandwidth_bps': 10 ** 12})
tell({'id': 3, 'request': 'flow-remove', 'flow': flow})
answers = [json.loads(lines.readline()) for _ in range(2)]
print([answer['error']['code'] for answer in answers if answer['id'] == 2])
";
    bed.client(PROGRAM, &[])
}

#[test]
fn without_a_responder_flows_are_marked_and_held_and_nothing_is_known() {
    let Some(bed) = narrow("no responder", "[data_plane]\nkind = \"none\"\n") else { return };
    let flows = bed.flows();
    let (socket, flow) = adaptive(&bed, &flows);
    assert_eq!(bed.refused(flow.fundamentals(true)), Refusal::NotSupported);
    assert_eq!(bed.refused(flow.notify(Notification::Available(1_000))), Refusal::NotSupported);
    bed.at(flow.set_rate(rate(800_000))).expect("nobody says that there is less");
    let port = socket.local_addr().expect("a name").port();
    for _ in 0..50 {
        socket.send(&[0; 972]).expect("sent");
    }
    let packets = bed.from(port, 50);
    assert!(packets.iter().all(|packet| packet.dscp() == 40), "marked");
    let (_, took) = amount(&packets);
    assert!(took > 0.4, "50,000 octets at 100,000 a second in {took} s");
    // A connection knows something itself.
    let listener = bed.net().within("b", || TcpListener::bind("10.0.2.2:6000").expect("a listener"));
    let (mut client, mut server) = connect(bed.net(), unconnected(bed.net()), &listener);
    let options = FlowOptions { adaptive: true, ..FlowOptions::default() };
    let stream = bed.at(flows.add(&client, TrafficType::ExcellentEffort, options)).expect("a flow");
    client.write_all(&[0; 10_000]).expect("it is open");
    server.read_exact(&mut [0; 10_000]).expect("it comes");
    let known = eventually("figures", || {
        bed.at(stream.fundamentals(true)).ok().filter(|k| k.bottleneck_bps.is_some())
    });
    assert_eq!(known.by, "tcp");
    assert!(known.round_trip_us.is_some(), "{known:?}");
}

/// What is tracked has an answer at once, whatever has become of the network since; what is not has to be measured first.
#[test]
fn a_host_that_is_tracked_is_known_at_once() {
    let Some(bed) = narrow("tracking", RESPONDER) else { return };
    let flows = bed.flows();
    let host = "10.0.2.2".parse().expect("an address");
    assert_eq!(bed.refused(flows.track("224.0.0.1".parse().expect("an address"))), Refusal::InvalidParameter);
    let tracking = bed.at(flows.track(host)).expect("it is tracked");
    let (_socket, flow) = adaptive(&bed, &flows);
    // Once there was time for it: then its figures are those of before the link was squeezed.
    let first = bed.at(flow.fundamentals(false)).expect("known");
    squeeze(&bed, "1mbit");
    assert_eq!(bed.at(flow.fundamentals(false)).expect("known"), first);
    bed.at(flow.set_rate(rate(3_000_000))).expect("as far as is known");
    // It is measured now and then, though nobody asks: what has changed is known after a while.
    let answers = || seen(&bed.capture, DEFAULT_PORT).iter().filter(|of| of.ports.0 == DEFAULT_PORT).count();
    let before = answers();
    eventually("it is measured again", || (answers() > before).then_some(()));
    eventually("the squeeze is noticed", || {
        let known = bed.at(flow.fundamentals(false)).expect("known");
        near(known.bottleneck_bps, 1_000_000).then_some(())
    });
    drop(tracking);
    assert_eq!(bed.refused(flow.set_rate(rate(3_000_000))), Refusal::NetworkBusy);
}
