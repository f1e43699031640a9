//! Rates: of whole IP packets, in three ways to keep to them, shared by the sockets of a flow (B3, B8, B9, B10, B11, B12, B15).

use super::super::super::plane::seen::{Seen, amount, by_dscp};
use super::{Bed, KERNEL, connect, eventually, listener, unconnected};
use rsvp_client::flows::{Flow, OutgoingRate, Reason, Refusal, Shaping, TrafficType};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::process::Stdio;

const VOICE: TrafficType = TrafficType::Voice;

/// Sends so many datagrams that are IP packets of this size, as fast as the socket takes them.
fn flood(socket: &UdpSocket, packet: usize, count: usize) {
    for _ in 0..count {
        socket.send(&vec![0; packet - 28]).expect("sent");
    }
}

/// The rate of packets, in bits per second: of those between the first and the last.
fn rate_of(packets: &[Seen]) -> f64 {
    let (octets, took) = amount(packets);
    (octets - packets[0].octets) as f64 * 8.0 / took
}

fn limit(bed: &Bed, flow: &Flow, bps: u64, shaping: Shaping) {
    bed.at(flow.set_rate(OutgoingRate::new(bps, shaping))).expect("a rate");
}

/// Packets of a flow that is held to a rate; the first, of which a bucket may be full, are left out.
fn shaped(bed: &Bed, socket: &UdpSocket, packet: usize, count: usize) -> Vec<Seen> {
    let port = socket.local_addr().expect("a name").port();
    let before = bed.from(port, 0).len();
    flood(socket, packet, count);
    let mut packets = bed.from(port, before + count);
    assert_eq!(packets.len(), before + count, "nothing is lost");
    packets.split_off(before + count / 10)
}

#[test]
fn a_rate_is_one_of_ip_packets_whatever_their_size() {
    // What packets have on the link beside IP: nothing, and what Ethernet hardware adds.
    for overhead in ["overhead = 0", "overhead = 38"] {
        let config = KERNEL.replace("overhead = 0", overhead);
        let Some(bed) = Bed::new("rates of QOS2", &config) else { return };
        let flows = bed.flows();
        for (packet, bps) in [(100, 400_000_u64), (1_400, 4_000_000)] {
            let socket = bed.connected();
            let flow = bed.add(&flows, &socket, VOICE);
            limit(&bed, &flow, bps, Shaping::ShapeAndMark);
            let packets = shaped(&bed, &socket, packet, (bps as usize * 2 / 8) / packet);
            let share = rate_of(&packets) / bps as f64;
            println!("UDP, {overhead}, packets of {packet} octets: {share:.4} of the rate");
            assert!((0.98..=1.02).contains(&share), "UDP, {packet} octets, {overhead}: {share} of the rate");
            assert!(packets.iter().all(|packet| packet.dscp() == 56), "shaped and marked");
            assert_eq!(bed.at(flow.rate()).expect("a rate"), OutgoingRate::new(bps, Shaping::ShapeAndMark));
        }
    }
}

/// A stream of packets of so many octets, as they would be on a link that knows no super-packets: what is no longer than 1,500 octets is not cut
/// before that. Headers are those of IP, and of TCP with its timestamps.
fn on_the_link(seen: &[Seen], packet: u64) -> Vec<Seen> {
    const HEADERS: u64 = 52;
    let headers =
        |octets: u64| (octets.saturating_sub(HEADERS)).div_ceil(packet - HEADERS).saturating_sub(1) * HEADERS;
    seen.iter().map(|seen| Seen { octets: seen.octets + headers(seen.octets), ..*seen }).collect()
}

/// Packets of so many octets of a stream that has this rate, super-packets or not.
fn stream(packet: u64, super_packets: bool, bps: u64) -> Option<Vec<Seen>> {
    let bed = Bed::new("streams with rates", KERNEL)?;
    let (flows, listener) = (bed.flows(), listener(bed.net()));
    bed.net().ip("a", &format!("route add 10.0.1.2/32 dev to-b src 10.0.1.1 mtu {packet}"));
    if !super_packets {
        bed.net().ip("a", "link set to-b gso_max_segs 1");
    }
    let (mut client, mut server) = connect(bed.net(), unconnected(bed.net()), &listener);
    let flow = bed.add(&flows, &client, VOICE);
    limit(&bed, &flow, bps, Shaping::ShapeAndMark);
    let octets = bps as usize * 3 / 8;
    let port = client.local_addr().expect("a name").port();
    std::thread::scope(|scope| {
        scope.spawn(|| client.write_all(&vec![0; octets]).expect("it is open"));
        server.read_exact(&mut vec![0; octets]).expect("all of it comes");
    });
    let packets = eventually("the packets", || {
        let packets = bed.from(port, 1);
        let sum: u64 = packets.iter().map(|packet| packet.octets).sum();
        (sum as usize > octets).then_some(packets)
    });
    assert!(packets.iter().all(|packet| packet.octets <= 1_500), "longer ones are cut");
    Some(on_the_link(&packets, packet))
}

#[test]
fn a_rate_of_a_stream_is_one_of_ip_packets() {
    // At the second rate there is much to be cut.
    for (packet, super_packets, bps) in
        [(100, false, 400_000), (100, true, 8_000_000), (1_400, false, 4_000_000), (1_400, true, 4_000_000)]
    {
        let Some(packets) = stream(packet, super_packets, bps) else { return };
        // What filled the queue at the beginning counts as anything else, and the last may have waited for nothing.
        let share = rate_of(&packets[packets.len() / 4..packets.len() - packets.len() / 20]) / bps as f64;
        println!("TCP, packets of {packet} octets, super-packets {super_packets}: {share:.4} of the rate");
        assert!(
            (0.98..=1.02).contains(&share),
            "TCP, {packet} octets, super-packets {super_packets}: {share}"
        );
    }
}

/// One capture has all three: who is shaped waits, marked or not; who is not leaves at once, and its excess has no mark.
#[test]
fn the_three_ways_to_keep_to_a_rate_are_told_apart() {
    let Some(bed) = Bed::new("three ways", KERNEL) else { return };
    let flows = bed.flows();
    let bps = 800_000_u64;
    // A second's worth of what may be sent in half of that.
    let (packet, count) = (1_000, 100);
    let mut took = Vec::new();
    let ways = [
        (Shaping::ShapeOnly, 0, None),
        (Shaping::ShapeAndMark, 56, None),
        (Shaping::UseNonConformantMarkings, 56, Some(0)),
    ];
    for (shaping, dscp, excess) in ways {
        let socket = bed.connected();
        let flow = bed.add(&flows, &socket, VOICE);
        limit(&bed, &flow, bps, shaping);
        let marks = bed.at(flow.priority()).expect("its marks");
        assert_eq!((marks.dscp, marks.excess_dscp), (dscp, excess), "{shaping:?}");
        let port = socket.local_addr().expect("a name").port();
        flood(&socket, packet, count);
        let packets = bed.from(port, count);
        assert_eq!(packets.len(), count, "{shaping:?}: nothing is lost");
        let found = by_dscp(&packets);
        match excess {
            None => assert_eq!(found.into_iter().collect::<Vec<_>>(), [(dscp, count)], "{shaping:?}"),
            Some(excess) => {
                let (conforming, beyond) = (found[&dscp], found[&excess]);
                assert!(conforming >= 3 && beyond > count / 2, "{shaping:?}: {conforming} and {beyond}");
            }
        }
        took.push(amount(&packets).1);
    }
    let expected = (packet * count * 8) as f64 / bps as f64;
    assert!(took[0] > 0.9 * expected && took[1] > 0.9 * expected, "shaped: {took:?}, not {expected}");
    assert!(took[2] < 0.3 * expected, "nothing waits: {took:?}");
}

#[test]
fn flows_that_are_only_shaped_keep_their_marks_where_that_is_said() {
    let config = format!("{KERNEL}[qos]\nshape_only_marks = true\n");
    let Some(bed) = Bed::new("shape only, marked", &config) else { return };
    let socket = bed.connected();
    let flow = bed.add(&bed.flows(), &socket, VOICE);
    limit(&bed, &flow, 800_000, Shaping::ShapeOnly);
    assert_eq!(bed.mark(&socket), 56);
    assert_eq!(bed.at(flow.priority()).expect("its marks").dscp, 56);
}

#[test]
fn sockets_of_a_flow_share_its_rate() {
    let Some(bed) = Bed::new("a shared rate", KERNEL) else { return };
    let flows = bed.flows();
    let sockets = [bed.connected(), bed.connected()];
    let flow = bed.add(&flows, &sockets[0], VOICE);
    bed.at(flow.attach(&sockets[1], None)).expect("it is shared");
    let bps = 2_000_000_u64;
    limit(&bed, &flow, bps, Shaping::ShapeAndMark);
    let count = 250;
    std::thread::scope(|scope| {
        sockets.iter().for_each(|socket| drop(scope.spawn(|| flood(socket, 1_000, count))))
    });
    let ports = sockets.each_ref().map(|socket| socket.local_addr().expect("a name").port());
    let mut packets = [bed.from(ports[0], count), bed.from(ports[1], count)].concat();
    packets.sort_by_key(|packet| packet.at);
    let (first, second) = (amount(&bed.from(ports[0], count)).1, amount(&bed.from(ports[1], count)).1);
    let share = rate_of(&packets[packets.len() / 10..]) / bps as f64;
    println!("two sockets: {share:.4} of the rate in {first:.2} and {second:.2} s");
    assert!((0.98..=1.02).contains(&share), "{share} of the rate together");
    assert!(first > 1.2 && second > 1.2, "both are there all the time: {first} and {second} s of 2");
}

/// What is known of a rate, why it was set, and how it goes.
#[test]
fn a_rate_has_a_reason_and_may_change_and_go() {
    let Some(bed) = Bed::new("reasons of QOS2", KERNEL) else { return };
    let flows = bed.flows();
    let socket = bed.connected();
    let flow = bed.add(&flows, &socket, VOICE);
    assert_eq!(bed.refused(flow.rate()), Refusal::NoData);
    for bps in [0, 7, u64::MAX] {
        let refused = bed.refused(flow.set_rate(OutgoingRate::new(bps, Shaping::ShapeAndMark)));
        assert_eq!(refused, Refusal::InvalidParameter, "{bps}");
    }
    let reasons = [
        (Reason::NotApplicable, "not-applicable"),
        (Reason::ContentChange, "content-change"),
        (Reason::Congestion, "congestion"),
        (Reason::HigherContentEncoding, "higher-content-encoding"),
        (Reason::UserCaused, "user-caused"),
    ];
    for (reason, word) in reasons {
        let rate = OutgoingRate::new(1_000_000, Shaping::ShapeAndMark).because(reason);
        bed.at(flow.set_rate(rate)).expect("a rate");
        assert_eq!(bed.at(flow.rate()).expect("a rate"), rate);
        let row = bed.net().client("a").list_socket_flows().remove(0);
        assert_eq!(row["rate"]["reason"], word, "{row}");
        let logged = format!("{reason:?}");
        assert!(bed.net().log("a").contains(&format!("reason={logged}")), "{logged} is in the log");
    }
    // Changed while packets wait, and then none at all: the rest leaves at once.
    limit(&bed, &flow, 80_000, Shaping::ShapeAndMark);
    let port = socket.local_addr().expect("a name").port();
    flood(&socket, 1_000, 50);
    limit(&bed, &flow, 8_000_000, Shaping::ShapeAndMark);
    let packets = bed.from(port, 50);
    assert!(amount(&packets).1 < 4.0, "five seconds at the first rate");
    let none = OutgoingRate::new(OutgoingRate::NO_RATE_BPS, Shaping::ShapeAndMark);
    bed.at(flow.set_rate(none)).expect("no rate");
    assert_eq!(bed.refused(flow.rate()), Refusal::NoData);
    assert_eq!(bed.mark(&socket), 56);
}

/// A program that knows nothing of flows, whose connections a helper hands over: four of them have one rate together. Each has more to send
/// all the time than all of them may (5 Mbit/s of 4), so that the rate is reached, and one that was not held to it would show in the sum. How
/// they divide it among themselves is TCP's business.
#[test]
fn four_streams_of_iperf3_share_a_rate() {
    const BPS: u64 = 4_000_000;
    let Some(mut bed) = Bed::new("four streams", KERNEL) else { return };
    let mut server = bed.net().command("b", "iperf3");
    let server = server
        .args(["-s", "-1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("iperf3 is installed");
    bed.hosts.net.others.push(server);
    eventually("iperf3 listens", || {
        let listening = bed.net().exec("b", &["ss", "-ltnH", "sport = :5201"]);
        (!listening.is_empty()).then_some(())
    });
    let said = bed.client(FOUR_STREAMS, &[&BPS.to_string()]);
    let said: serde_json::Value = serde_json::from_str(&said).expect("what the helper says");
    let ports: Vec<u16> = serde_json::from_value(said["ports"].clone()).expect("ports");
    let [from, to] = ["from", "to"].map(|when| said[when].as_f64().expect("a time") * 1e6);
    let within = |packet: &Seen| (packet.at as f64) > from && (packet.at as f64) < to;
    // The streams go on for a while: once something later is captured, all of that time is.
    eventually("what comes after the time that is looked at", || {
        ports.iter().flat_map(|port| bed.from(*port, 1)).any(|packet| packet.at as f64 > to).then_some(())
    });
    let of = |port: &u16| bed.from(*port, 1).into_iter().filter(within).collect::<Vec<_>>();
    let each: Vec<Vec<Seen>> = ports.iter().map(of).collect();
    let mut packets = each.concat();
    packets.sort_by_key(|packet| packet.at);
    let share = rate_of(&packets) / BPS as f64;
    println!("iperf3 -P 4: {share:.4} of the rate");
    assert!((0.98..=1.02).contains(&share), "{share} of the rate");
    assert!(packets.iter().all(|packet| packet.dscp() == 56), "marked");
    let counts: Vec<usize> = each.iter().map(Vec::len).collect();
    assert!(counts.len() == 4 && counts.iter().all(|count| *count > 0), "all four: {counts:?}");
}

/// Runs iperf3 with four streams, makes a flow with this rate of them, and says from when to when they had it. It ends what it has begun,
/// whatever happens, and after half a minute in any case.
const FOUR_STREAMS: &str = "
import atexit, ctypes, os, signal, subprocess, time
def late(*_):
    sys.exit('iperf3 or the daemon takes too long')
signal.signal(signal.SIGALRM, late)
signal.alarm(30)
line = 'iperf3 -c 10.0.1.2 -P 4 -t 60 -b 5M'
client = subprocess.Popen(line.split(), stdout=subprocess.DEVNULL)
atexit.register(client.kill)
libc, process = ctypes.CDLL(None), os.pidfd_open(client.pid)
def streams():
    found = []
    for number in sorted(int(name) for name in os.listdir('/proc/%d/fd' % client.pid)):
        copy = libc.syscall(438, process, number, 0)  # pidfd_getfd
        try:
            end = socket.socket(fileno=copy)
            end.getpeername()
            found.append(end)
        except (OSError, ValueError):
            pass
    return found[1:]  # the first controls
while len(streams()) < 4:
    if client.poll() is not None:
        sys.exit('iperf3 has ended: %d' % client.returncode)
    time.sleep(0.01)
ends = streams()
flow = None
for end in ends:
    more = {'traffic': 'voice'} if flow is None else {'flow': flow}
    done = ask({'id': 1, 'request': 'flow-add', 'fd': True, **more}, [end.fileno()])['ok']
    flow = flow or done['flow']
rate = {'bandwidth_bps': int(sys.argv[2]), 'shaping': 'shape-and-mark'}
ask({'id': 2, 'request': 'flow-set', 'flow': flow, 'rate': rate})['ok']
start = time.time()
time.sleep(2.5)
print(json.dumps({'from': start + 0.5, 'to': time.time(), 'ports': [end.getsockname()[1] for end in ends]}))
time.sleep(0.5)
";
