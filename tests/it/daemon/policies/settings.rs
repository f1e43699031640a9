//! Settings and profiles (C19 to C21): the receive window of unmodified programs, marks of their own, interfaces.

use super::super::capture::frames;
use super::*;
use rsvp_client::flows::{FlowOptions, Flows, TrafficType, Version};
use std::io::{Read, Write};

/// The largest window that a side advertises in a transfer to it, and the scale that it said.
fn largest_window(site: &Site, capture: &Capture, port: u16) -> u64 {
    let listener = listens(&site.net, port);
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().expect("accepted").0;
        let block = vec![0; 1 << 20];
        for _ in 0..48 {
            stream.write_all(&block).expect("sent");
        }
    });
    let mut stream = connects(&site.net, port);
    let mut block = vec![0; 1 << 20];
    while stream.read(&mut block).expect("received") > 0 {}
    server.join().expect("it ends");
    let (mut scale, mut largest) = (0, 0);
    for (_, _, frame) in frames(&capture.file) {
        let packet = &frame[14..];
        let tcp = &packet[usize::from(packet[0] & 15) * 4..];
        if u16::from_be_bytes([tcp[2], tcp[3]]) != port {
            continue;
        }
        let window = u64::from(u16::from_be_bytes([tcp[14], tcp[15]]));
        if tcp[13] & 2 != 0 {
            scale = scale_of(&tcp[20..usize::from(tcp[12] >> 4) * 4]);
            largest = largest.max(window);
        } else {
            largest = largest.max(window << scale);
        }
    }
    largest
}

/// The window scale option (RFC 7323 section 2.2).
fn scale_of(mut options: &[u8]) -> u32 {
    loop {
        match options {
            [3, 3, scale, ..] => return u32::from(*scale),
            [1, rest @ ..] => options = rest,
            [_, length, ..] if *length >= 2 && usize::from(*length) <= options.len() => {
                options = &options[usize::from(*length)..];
            }
            _ => return 0,
        }
    }
}

#[test]
fn the_window_is_never_larger_than_the_level_says() {
    let Some(mut site) = Site::new("policies_window") else { return };
    for node in ["a", "b"] {
        site.net.sysctl(node, "net.ipv4.tcp_rmem", "4096 67108864 134217728");
        site.net.sysctl(node, "net.ipv4.tcp_wmem", "4096 16777216 67108864");
    }
    let capture = site.captures();
    let without = largest_window(&site, &capture, 7300);
    for (level, most) in [(0, 65_535), (1, 262_140), (2, 1_048_560), (3, 16_776_960)] {
        site.say("a", "level", &format!("[settings]\ninbound_level = {level}\n"));
        let found = largest_window(&site, &capture, 7301 + level);
        assert!(found <= most && found * 4 > most, "level {level}: {found}");
        assert!(without > most, "{without} without a level, and {most} with level {level}");
    }
}

#[test]
fn marks_of_programs_are_overridden_unless_a_policy_marks() {
    let Some(mut site) = Site::new("policies_override") else { return };
    site.say("a", "one", &policy("one", "remote_port = 7401", "dscp = 10"));
    let capture = site.net.capture_many("b", "to-a", "udp");
    let sends_marked = |from: u16, to: u16| {
        site.net.within("a", || {
            let socket = UdpSocket::bind(("10.0.1.1", from)).expect("a socket");
            socket2::SockRef::from(&socket).set_tos_v4(46 << 2).expect("marked");
            socket.send_to(b"hello", (SERVER, to)).expect("sent");
        });
    };
    sends_marked(4400, 7400);
    sends_marked(4401, 7401);
    assert_eq!([datagram(&capture, 4400, 7400, 1), datagram(&capture, 4401, 7401, 1)], [46, 10]);
    site.net.client("a").ask(json!({"request": "policy-settings", "dscp_override": true})).expect("set");
    site.refreshed("a");
    sends_marked(4402, 7400);
    sends_marked(4403, 7401);
    assert_eq!([datagram(&capture, 4402, 7400, 1), datagram(&capture, 4403, 7401, 1)], [0, 10]);
    site.net.client("a").ask(json!({"request": "policy-settings"})).expect("set no longer");
    site.refreshed("a");
    sends_marked(4404, 7400);
    assert_eq!(datagram(&capture, 4404, 7400, 1), 46);
}

/// Flows that programs ask for, by a filter by hand (C20) and for a socket (QOS2), have an override of their own.
#[test]
fn marks_of_flows_are_left_unless_their_own_override_says_otherwise() {
    let Some(mut site) = Site::new("policies_flow_override") else { return };
    site.say("a", "one", &policy("one", "remote_port = 7411", "dscp = 10"));
    let capture = site.net.capture_many("b", "to-a", "udp");
    let mut by_hand = site.net.client("a");
    let marks_only = json!({"service": "null", "traffic": {"rate_bps": 0}});
    let flow = by_hand
        .ask(json!({"request": "tc-flow-add", "interface": "to-b", "flowspec": marks_only, "dscp": 34}))
        .expect("a flow")["flow"]
        .take();
    for port in [7410, 7411] {
        let filter = json!({"request": "tc-filter-add", "flow": flow, "protocol": "udp", "destination": SERVER,
            "destination_port": port});
        by_hand.ask(filter).expect("a filter");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Somebody hears them, so that nothing comes back that would be an error of the socket.
    let _hears = site.net.within("b", || UdpSocket::bind((SERVER, 7412)).expect("a socket"));
    let voice = site.net.within("a", || UdpSocket::bind("10.0.1.1:4412").expect("a socket"));
    voice.connect((SERVER, 7412)).expect("a route");
    let asked = async {
        let flows = Flows::open_at(Version::V1_0, site.net.socket("a")).await.expect("a daemon with flows");
        let flow = flows.add(&voice, TrafficType::Voice, FlowOptions::default()).await.expect("a flow");
        (flows, flow)
    };
    let _held = site.net.within("a", || runtime.block_on(asked));
    let mut from = 4420;
    let mut marks = |settings: Option<Value>, packets: usize| {
        let mut request = settings.unwrap_or_else(|| json!({}));
        request["request"] = json!("policy-settings");
        site.net.client("a").ask(request).expect("set");
        site.refreshed("a");
        from += 10;
        for (number, to) in (0..).zip([7410, 7411, 7413]) {
            site.net.within("a", || {
                let socket = UdpSocket::bind(("10.0.1.1", from + number)).expect("a socket");
                socket2::SockRef::from(&socket).set_tos_v4(46 << 2).expect("marked");
                socket.send_to(b"hello", (SERVER, to)).expect("sent");
            });
        }
        voice.send(b"hello").expect("sent");
        [
            datagram(&capture, from, 7410, 1),
            datagram(&capture, from + 1, 7411, 1),
            datagram(&capture, from + 2, 7413, 1),
            datagram(&capture, 4412, 7412, packets),
        ]
    };
    assert_eq!(marks(None, 1), [34, 34, 46, 56]);
    assert_eq!(
        marks(Some(json!({"dscp_override": true})), 2),
        [34, 34, 0, 56],
        "a flow's mark is not the socket's own"
    );
    assert_eq!(
        marks(Some(json!({"flow_override": true})), 3),
        [0, 10, 46, 0],
        "a policy's mark comes before"
    );
    assert_eq!(marks(Some(json!({"dscp_override": true, "flow_override": true})), 4), [0, 10, 0, 0]);
    assert_eq!(marks(None, 5), [34, 34, 46, 56]);
}

#[test]
fn a_policy_of_a_profile_is_for_interfaces_of_it_alone() {
    let Some(mut site) = Site::without_daemon("policies_profile") else { return };
    site.net.host("c");
    site.net.link("a", "c");
    site.start("a", "[policies.profile.office]\ninterfaces = [\"to-c\"]\n");
    let office = "[[policy]]\nname = \"office\"\nprofile = \"office\"\nmatch = { remote_port = 7500 }\naction = { dscp = 46 }\n";
    let nowhere = office.replace("office", "home");
    let everywhere = policy("everywhere", "protocol = \"udp\"", "dscp = 8");
    let report = site.say("a", "all", &[office, &nowhere, &everywhere].concat());
    let complaint = report["complaints"][0]["message"].as_str().expect("a message");
    assert!(
        complaint.contains("no profile \"home\"") && complaint.ends_with("there is office"),
        "{complaint}"
    );
    let at_b = site.net.capture_many("b", "to-a", "udp");
    let at_c = site.net.capture_many("c", "to-a", "udp");
    // One socket, which sends by both.
    let socket = sends(&site.net, "0.0.0.0:4500", "10.0.1.2:7500");
    for to in ["10.0.2.2:7500", "10.0.1.2:7500"] {
        socket.send_to(b"hello", to).expect("sent");
    }
    assert_eq!(datagram(&at_c, 4500, 7500, 1), 46);
    assert_eq!([datagram(&at_b, 4500, 7500, 1), datagram(&at_b, 4500, 7500, 2)], [8, 8]);
}
