//! Handles, versions, and which socket may have a flow for whom (B1, B2, B3).

use super::{Bed, CLIENT, KERNEL, PEER, bound, unconnected};
use rsvp_client::flows::{FlowError, FlowOptions, Flows, Refusal, TrafficType, Version};
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::Stdio;

const VOICE: TrafficType = TrafficType::Voice;

fn to(peer: &str) -> FlowOptions {
    FlowOptions { destination: Some(peer.parse().expect("an address")), ..FlowOptions::default() }
}

#[test]
fn another_version_is_refused_and_a_closed_handle_ends_its_flows() {
    let Some(bed) = Bed::new("versions of QOS2", KERNEL) else { return };
    let path = bed.hosts.qos_socket("a");
    for (major, minor) in [(0, 0), (1, 1), (2, 0)] {
        let version = Version { major, minor };
        let refused = bed.at(Flows::open_at(version, &path)).expect_err("there is one version");
        assert!(matches!(refused, FlowError::Version(of) if of == version), "{refused}");
    }
    let (first, second) = (bed.connected(), bed.connected());
    let (closed, open) = (bed.flows(), bed.flows());
    let _kept = bed.add(&open, &second, VOICE);
    let ended = bed.add(&closed, &first, VOICE);
    assert_eq!((bed.mark(&first), bed.mark(&second)), (56, 56));
    drop((closed, ended));
    super::eventually("its flows are gone", || (bed.peers() == 1).then_some(()));
    super::eventually("its marks are gone", || (bed.mark(&first) == 0).then_some(()));
    assert_eq!(bed.mark(&second), 56);
}

/// A program that ends its connection, and nothing else: its sockets are as before.
#[test]
fn flows_end_with_the_connection_that_made_them() {
    const PROGRAM: &str = "
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('10.0.1.2', 5000))
ask({'id': 1, 'request': 'flow-add', 'fd': True, 'traffic': 'voice'}, [udp.fileno()])['ok']
udp.send(b'marked')
print(udp.getsockname()[1], flush=True)
lines.close()
daemon.close()
for line in sys.stdin:
    udp.send(b'one more')
";
    let Some(bed) = Bed::new("connections of QOS2", KERNEL) else { return };
    let mut command = bed.net().command("a", "python3");
    command.args(["-c", &format!("{CLIENT}{PROGRAM}")]).arg(bed.hosts.qos_socket("a"));
    let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let said = BufReader::new(program.stdout.take().expect("piped")).lines().next();
    let port: u16 = said.expect("a port").expect("text").parse().expect("a number");
    assert_eq!(bed.from(port, 1)[0].dscp(), 56);
    let mut more = program.stdin.take().expect("piped");
    super::eventually("its marks are gone", || {
        writeln!(more, "more").expect("it is there");
        bed.from(port, 2).last().filter(|packet| packet.dscp() == 0).map(drop)
    });
    drop(more);
    assert!(program.wait().expect("it ends").success());
    assert_eq!(bed.peers(), 0);
}

#[test]
fn a_socket_has_a_flow_for_its_peer_and_no_other() {
    let Some(bed) = Bed::new("peers of QOS2", KERNEL) else { return };
    let flows = bed.flows();
    let socket = bed.connected();
    for wrong in ["10.0.1.2:5001", "10.0.1.3:5000"] {
        assert_eq!(bed.refused(flows.add(&socket, VOICE, to(wrong))), Refusal::InvalidParameter, "{wrong}");
    }
    let flow = bed.at(flows.add(&socket, VOICE, to(PEER))).expect("its own peer");
    assert_ne!(flow.id(), 0);
    assert_eq!(bed.refused(flows.add(&socket, VOICE, FlowOptions::default())), Refusal::AlreadyExists);
    // Nothing is sent by who waits for connections, and nobody knows to whom an unconnected one sends.
    let listener = bed.net().within("a", || std::net::TcpListener::bind("10.0.1.1:0").expect("a listener"));
    assert_eq!(bed.refused(flows.add(&listener, VOICE, to(PEER))), Refusal::InvalidParameter);
    let free = bound(bed.net(), "a", "0.0.0.0:0");
    assert_eq!(bed.refused(flows.add(&free, VOICE, FlowOptions::default())), Refusal::InvalidParameter);
    assert_eq!(bed.refused(flows.add(&free, VOICE, to("10.0.1.2:0"))), Refusal::InvalidParameter);
    assert_eq!(bed.refused(flows.add(&free, VOICE, to("192.0.2.1:5000"))), Refusal::HostUnreachable);
    assert_eq!(
        bed.refused(flows.add(&free, VOICE, to("10.0.1.1:5000"))),
        Refusal::HostUnreachable,
        "this host"
    );
    assert_eq!(bed.peers(), 1, "what is refused leaves nothing");
}

#[test]
fn addresses_of_both_families_are_not_mixed() {
    let Some(bed) = Bed::new("families of QOS2", KERNEL) else { return };
    let flows = bed.flows();
    let v4 = bound(bed.net(), "a", "0.0.0.0:0");
    assert_eq!(bed.refused(flows.add(&v4, VOICE, to("[fd00:1::2]:5000"))), Refusal::InvalidParameter);
    let v6 = bound(bed.net(), "a", "[::]:0");
    assert_eq!(bed.refused(flows.add(&v6, VOICE, to(PEER))), Refusal::InvalidParameter);
    let only_v6 = bound(bed.net(), "a", "[fd00:1::1]:0");
    let mapped = to("[::ffff:10.0.1.2]:5000");
    assert_eq!(bed.refused(flows.add(&only_v6, VOICE, mapped)), Refusal::InvalidParameter);
    // One that sends to both may have a flow for each, and each is told apart.
    let _hears = bound(bed.net(), "b", "[fd00:1::2]:5000");
    let _four = bed.at(flows.add(&v6, VOICE, mapped)).expect("an IPv4 address of an IPv6 socket");
    let _six = bed.at(flows.add(&v6, TrafficType::Background, to("[fd00:1::2]:5000"))).expect("a flow");
    assert_eq!(bed.mark_to(&v6, "[::ffff:10.0.1.2]:5000"), 56);
    v6.send_to(&[0; 100], "[fd00:1::2]:5000").expect("sent");
    super::eventually("the IPv6 packet", || bed.dscps_v6(5000).pop().filter(|dscp| *dscp == 8));
}

#[test]
fn an_adaptive_flow_has_one_socket_and_others_share() {
    let Some(bed) = Bed::new("sockets of a flow", KERNEL) else { return };
    let flows = bed.flows();
    let sockets: Vec<UdpSocket> = (0..3).map(|_| bed.connected()).collect();
    let adaptive = FlowOptions { adaptive: true, ..FlowOptions::default() };
    let flow = bed.at(flows.add(&sockets[0], VOICE, adaptive)).expect("a flow");
    assert_eq!(bed.refused(flow.attach(&sockets[1], None)), Refusal::InvalidParameter);
    assert_eq!(bed.mark(&sockets[0]), 0, "it has no rate yet");
    let shared = bed.add(&flows, &sockets[1], VOICE);
    bed.at(shared.attach(&sockets[2], None)).expect("it is shared");
    assert_eq!((bed.mark(&sockets[1]), bed.mark(&sockets[2])), (56, 56));
    bed.at(shared.detach(&sockets[1])).expect("it was in it");
    assert_eq!((bed.mark(&sockets[1]), bed.mark(&sockets[2])), (0, 56));
    assert_eq!(bed.refused(shared.detach(&sockets[1])), Refusal::NotFound);
    bed.at(shared.attach(&sockets[1], None)).expect("it may come back");
    assert_eq!(bed.mark(&sockets[1]), 56);
    // Before it is connected a TCP socket says to whom it is about to be.
    let tcp = unconnected(bed.net());
    assert_eq!(bed.refused(shared.attach(&tcp, None)), Refusal::InvalidParameter);
    bed.at(shared.attach(&tcp, Some(PEER.parse().expect("an address")))).expect("it is about to be");
}
