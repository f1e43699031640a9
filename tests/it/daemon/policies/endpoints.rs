//! Once for each endpoint (C16, C17): what traffic was given when it began it keeps.

use super::super::plane::seen::{seen, seen_v6};
use super::*;
use std::io::{Read, Write};

/// The DSCP of the next packet with data of a connection.
fn next(capture: &Capture, stream: &mut TcpStream, port: u16) -> u8 {
    let before = seen(capture, port).len();
    stream.write_all(b"more").expect("sent");
    let own = stream.local_addr().expect("an address").port();
    eventually("a packet with data", || {
        let all = seen(capture, port);
        all.iter().skip(before).find(|p| p.ports == (own, port) && p.flags & 8 != 0).map(Seen::dscp)
    })
}

#[test]
fn an_open_connection_stays_as_it_is_and_the_next_is_marked() {
    let Some(mut site) = Site::new("policies_open") else { return };
    let capture = site.captures();
    let listener = listens(&site.net, 7100);
    // Before there is any policy at all, and after there is one for something else.
    let mut first = connects(&site.net, 7100);
    let _first = listener.accept().expect("accepted");
    assert_eq!(next(&capture, &mut first, 7100), 0);
    site.say("a", "other", &policy("other", "remote_port = 7999", "dscp = 8"));
    let mut second = connects(&site.net, 7100);
    let _second = listener.accept().expect("accepted");
    assert_eq!(next(&capture, &mut second, 7100), 0);
    site.say("a", "this", &policy("this", "remote_port = 7100", "dscp = 46"));
    let mut third = connects(&site.net, 7100);
    let _third = listener.accept().expect("accepted");
    for _ in 0..3 {
        assert_eq!(next(&capture, &mut first, 7100), 0, "it was there before all policies");
        assert_eq!(next(&capture, &mut second, 7100), 0, "it was there before its policy");
        assert_eq!(next(&capture, &mut third, 7100), 46);
    }
    // What it was given stays when the policy changes, and when it goes.
    site.say("a", "this", &policy("this", "remote_port = 7100", "dscp = 10"));
    let mut fourth = connects(&site.net, 7100);
    let _fourth = listener.accept().expect("accepted");
    assert_eq!((next(&capture, &mut third, 7100), next(&capture, &mut fourth, 7100)), (46, 10));
    std::fs::remove_file(site.store("a", "persistent").join("this.toml")).expect("it is there");
    site.refreshed("a");
    let mut fifth = connects(&site.net, 7100);
    let _fifth = listener.accept().expect("accepted");
    let marks = [&mut third, &mut fourth, &mut fifth].map(|stream| next(&capture, stream, 7100));
    assert_eq!(marks, [46, 10, 0]);
}

#[test]
fn sockets_that_are_older_than_the_daemon_are_given_what_it_starts_with() {
    let Some(mut site) = Site::without_daemon("policies_older") else { return };
    let capture = site.captures();
    let listener = listens(&site.net, 7101);
    let mut old = connects(&site.net, 7101);
    let mut peer = listener.accept().expect("accepted").0;
    assert_eq!(next(&capture, &mut old, 7101), 0);
    let folder = site.store("a", "persistent");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text =
        [policy("this", "remote_port = 7101", "dscp = 46"), policy("program", "app = \"it\"", "dscp = 8")]
            .concat();
    std::fs::write(folder.join("this.toml"), text).expect("a file");
    site.start("a", "");
    eventually("the next packets are marked", || (next(&capture, &mut old, 7101) == 46).then_some(()));
    let _ = peer.read(&mut [0; 64]).expect("they arrive");
}

/// Packets of sockets without a policy take a short way: to that peer alone, and as long as their own marks count.
#[test]
fn a_socket_without_a_policy_is_looked_at_again_for_another_peer_and_when_marks_are_overridden() {
    let Some(mut site) = Site::new("policies_alone") else { return };
    site.say("a", "one", &policy("one", "remote_port = 7111", "dscp = 10"));
    let capture = site.net.capture_many("b", "to-a", "udp");
    let sockets = [("10.0.1.1:4111", SERVER), ("[fd00:1::1]:4112", "[fd00:1::2]")].map(|(own, host)| {
        let socket = site.net.within("a", || UdpSocket::bind(own).expect("a socket"));
        let reference = socket2::SockRef::from(&socket);
        let port = socket.local_addr().expect("an address").port();
        if port == 4111 {
            reference.set_tos_v4(46 << 2).expect("marked");
        } else {
            reference.set_tclass_v6(46 << 2).expect("marked");
        }
        (socket, port, host)
    });
    let mut sent = 0;
    let mut marks = |to: &[u16]| {
        sent += to.len();
        let first = sent - to.len();
        sockets.each_ref().map(|(socket, port, host)| {
            let send = |to: &u16| socket.send_to(b"hello", format!("{host}:{to}")).expect("sent");
            to.iter().for_each(|to| assert_eq!(send(to), 5));
            eventually("all of them", || {
                let all = if *port == 4111 { seen(&capture, *port) } else { seen_v6(&capture, *port) };
                (all.len() == sent).then(|| all[first..].iter().map(Seen::dscp).collect::<Vec<_>>())
            })
        })
    };
    let expected = vec![46, 46, 46, 10, 46, 46, 46];
    assert_eq!(marks(&[7110, 7110, 7110, 7111, 7110, 7110, 7112]), [expected.clone(), expected]);
    site.net.client("a").ask(json!({"request": "policy-settings", "dscp_override": true})).expect("set");
    site.refreshed("a");
    assert_eq!(marks(&[7112, 7112, 7111]), [vec![0, 0, 10], vec![0, 0, 10]]);
    site.net.client("a").ask(json!({"request": "policy-settings"})).expect("set");
    site.refreshed("a");
    assert_eq!(marks(&[7112, 7112]), [vec![46, 46], vec![46, 46]]);
}

#[test]
fn what_is_read_is_told_with_the_numbers_of_windows() {
    let Some(site) = Site::new("policies_events") else { return };
    let mut watching = site.net.client("a");
    watching.ask(json!({"request": "subscribe"})).expect("it is told");
    let text = [
        policy("sound", "remote_port = 7200", "dscp = 46"),
        "[[policy]]\nname = \"idle\"\nmatch = { app = \"curl\" }\n".to_owned(),
        policy("high", "remote_port = 7201", "dscp = 64"),
        policy("sound", "remote_port = 7202", "dscp = 8"),
        policy("lost", "app = \"/not/there\"", "dscp = 8"),
        policy("", "remote_port = 7203", "dscp = 8"),
        "[settings]\ninbound_level = 1\ndscp_override = true\n".to_owned(),
    ]
    .concat();
    let report = site.say("a", "some", &text);
    let said: Vec<(u64, String)> = report["complaints"]
        .as_array()
        .expect("complaints")
        .iter()
        .map(|one| {
            (one["number"].as_u64().expect("a number"), one["message"].as_str().expect("words").to_owned())
        })
        .collect();
    let numbers: Vec<u64> = said.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [16604, 16710, 16706, 16608, 16610], "{said:#?}");
    for (which, place) in
        ["some.toml:5:1: ", "some.toml:11:19: ", "some.toml:21:8: ", "some.toml:12:1: ", "some.toml:16:1: "]
            .iter()
            .enumerate()
    {
        assert!(said[which].1.contains(place), "{place} in {}", said[which].1);
    }
    let policies = report["policies"].as_array().expect("policies");
    let names: Vec<&str> = policies.iter().filter_map(|policy| policy["name"].as_str()).collect();
    assert!(names.contains(&"sound") && names.contains(&"lost") && names.len() == 2, "{names:?}");
    let mut told = Vec::new();
    while !told.contains(&16510) {
        let line = watching.watched();
        told.extend(line["number"].as_u64().filter(|_| line["what"] == "policy"));
    }
    for number in [16604, 16608, 16501, 16506, 16510] {
        assert!(told.contains(&number), "{number} in {told:?}");
    }
    let log = site.net.log("a");
    assert!(log.contains("event=16604") && log.contains("event=16501"), "{log}");
}
