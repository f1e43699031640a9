//! Rows C10 to C14: pairs of policies that match the same traffic, and which of them applies.
//!
//! A policy is written as words: `user`, `prec=200`, `path`, `name`, `unit`, `url`, `default`, `proto`, `src=8` and `dst=24`
//! (prefixes of that length), `sport`, `dport`, `port` (a single port), `sports`, `dports`, `ports` (a range); of a
//! URL, after `url`: `host` and `on` (a host, a port of its own), `films` and `film` (a path, a longer one), `alone`. In each line the left one applies, by the criterion at its head. Every pair is asked in both orders.

use rsvp_node::qos::Transport;
use rsvp_node::qos::policy::precedence::{Criterion, choose, compare};
use rsvp_node::qos::policy::{Policy, Prefix, Request, Traffic, Url, WellKnown};
use std::cmp::Ordering;

const TABLE: [(Criterion, &[(&str, &str)]); 10] = [
    (
        Criterion::Default,
        &[
            ("", "default"),
            ("prec=0", "default"),
            ("prec=0", "default prec=255"),
            ("", "default user"),
            ("proto", "default prec=255 user"),
        ],
    ),
    // C14: the number, 127 where none is given, over everything else.
    (
        Criterion::Precedence,
        &[
            ("prec=128", ""),
            ("", "prec=126"),
            ("prec=255", "prec=254"),
            ("prec=1", "prec=0"),
            ("prec=128", "user"),
            ("prec=128", "path"),
            ("prec=128", "user path src=32 dst=32 sport dport proto"),
            ("prec=128 proto", "src=32 dst=32 sport dport proto"),
            ("user prec=128", "path"),
            ("prec=128", "url user"),
            ("path", "user path prec=100"),
            ("", "user path src=32 prec=126"),
            ("src=8", "src=32 prec=126"),
        ],
    ),
    // C10: a user's policy over the computer's, whatever else they say.
    (
        Criterion::User,
        &[
            ("user", ""),
            ("user", "path"),
            ("user", "url"),
            ("user", "name"),
            ("user", "src=32 dst=32 sport dport proto"),
            ("user", "path src=32 dst=32 sport dport proto"),
            ("user proto", "src=32"),
            ("user src=8", "src=32"),
            ("user dports", "dport"),
            ("user prec=127", "path"),
            ("user name", "path"),
        ],
    ),
    // C11: a program over addresses and ports only; path over name.
    (
        Criterion::App,
        &[
            ("path", ""),
            ("name", ""),
            ("path", "name"),
            ("url", ""),
            ("url", "path"),
            ("url", "name"),
            ("unit", ""),
            ("name", "unit"),
            ("path", "unit"),
            ("path", "src=32 dst=32 sport dport proto"),
            ("name", "src=32 dst=32 sport dport proto"),
            ("unit", "src=32 dst=32 sport dport proto"),
            ("url", "src=32 dst=32 sport dport proto"),
            ("path", "name src=32 dst=32 sport dport proto"),
            ("name", "src=32"),
            ("name", "dst=32"),
            ("name", "sport"),
            ("name", "dport"),
            ("name", "proto"),
            ("user path", "user name"),
            ("user path", "user src=32 proto"),
            ("path proto", "name src=32 dst=32"),
            ("path unit", "name unit proto"),
        ],
    ),
    // C5: of URLs the one that says more: of the host, the port, the path.
    (
        Criterion::Url,
        &[
            ("url host", "url"),
            ("url host", "url on film alone"),
            ("url on", "url film alone"),
            ("url films", "url"),
            ("url film", "url films"),
            ("url film alone", "url film"),
            ("url host on", "url host film alone"),
            ("url films", "url src=32 dst=32 sport dport"),
        ],
    ),
    // C12: more conditions.
    (
        Criterion::Count,
        &[
            ("proto", ""),
            ("src=0", ""),
            ("src=8 proto", "src=32"),
            ("dst=8 proto", "src=32"),
            ("dport proto", "src=32"),
            ("sport proto", "src=32"),
            ("sport dport", "dst=32"),
            ("sport dport proto", "src=32 dst=32"),
            ("dst=8 sport dport proto", "src=32 dst=32 sport"),
            ("src=8 dst=8 sports dports proto", "src=32 dst=32 sport dport"),
            ("port proto", "src=32"),
            ("port proto", "dport"),
            ("name sport dport", "name src=32"),
            ("path sport proto", "path src=32"),
            ("user sport proto", "user src=32"),
            ("url dst=0 port", "url dst=32"),
        ],
    ),
    // C12: as many of them: source address, destination address, source port, destination port, protocol.
    (
        Criterion::Kind,
        &[
            ("src=8", "dst=32"),
            ("src=8", "sport"),
            ("src=8", "dport"),
            ("src=8", "port"),
            ("src=8", "proto"),
            ("dst=8", "sport"),
            ("dst=8", "dport"),
            ("dst=8", "port"),
            ("dst=8", "proto"),
            ("sport", "dport"),
            ("sports", "dport"),
            ("sport", "port"),
            ("sports", "proto"),
            ("dport", "port"),
            ("dports", "proto"),
            ("dports", "port"),
            ("port", "proto"),
            ("src=0 proto", "dst=32 sport"),
            ("src=8 dst=8", "src=32 sport"),
            ("src=8 sport", "src=32 dport"),
            ("src=8 dport", "src=32 proto"),
            ("src=8 proto", "dst=32 dport"),
            ("dst=8 sport", "dst=32 dport"),
            ("dst=8 proto", "sport dport"),
            ("sport proto", "dport proto"),
            ("src=8 dst=8 proto", "src=32 sport dport"),
            ("src=8 dst=8 sport", "src=32 dst=32 dport"),
            ("src=8 dst=8 sport dport", "src=32 dst=32 sport proto"),
            ("src=8 dst=8 sport proto", "src=32 dst=32 dport proto"),
            ("src=8 sport dport proto", "dst=32 sport dport proto"),
            ("path src=0", "path dst=32"),
            ("name dst=0", "name sport"),
            ("user sports", "user dport"),
            ("url dst=0", "url port"),
        ],
    ),
    // C13: the longer prefix, the source's first.
    (
        Criterion::Prefix,
        &[
            ("src=32", "src=24"),
            ("src=24", "src=23"),
            ("src=8", "src=0"),
            ("dst=32", "dst=24"),
            ("dst=1", "dst=0"),
            ("src=24 dst=8", "src=16 dst=32"),
            ("src=24 dst=32", "src=24 dst=24"),
            ("src=32 dports", "src=24 dport"),
            ("dst=32 sports dports", "dst=31 sport dport"),
            ("src=9 proto", "src=8 proto"),
            ("path src=32", "path src=24"),
            ("user dst=32", "user dst=16"),
            ("url dst=32", "url dst=16"),
            ("src=24 dst=24 sports dports proto", "src=24 dst=23 sport dport proto"),
        ],
    ),
    // A single port over a range, the source's first.
    (
        Criterion::SinglePort,
        &[
            ("sport", "sports"),
            ("dport", "dports"),
            ("port", "ports"),
            ("sport dports", "sports dport"),
            ("sport dport", "sport dports"),
            ("src=8 dport", "src=8 dports"),
            ("src=8 dst=8 sport dports", "src=8 dst=8 sports dport"),
            ("path dport", "path dports"),
            ("user sport proto", "user sports proto"),
            ("name port", "name ports"),
        ],
    ),
    // Nothing else tells them apart: the left one is named `a`, the right one `b`.
    (
        Criterion::Name,
        &[
            ("", ""),
            ("user", "user"),
            ("path", "path"),
            ("dports", "dports"),
            ("src=8 dst=8", "src=8 dst=8"),
            ("default", "default"),
        ],
    ),
];

/// The policy of the words.
fn policy(name: &str, words: &str) -> Policy {
    let mut policy = Policy::new(name);
    policy.action.dscp = Some(46);
    let (single, range) = (|port: u16| port.to_string().parse().ok(), "1:65535".parse().ok());
    for word in words.split_whitespace() {
        let (word, number) = word.split_once('=').unwrap_or((word, "0"));
        let len: u8 = number.parse().expect("a number");
        let conditions = &mut policy.conditions;
        match word {
            "user" => policy.user = Some("alice".into()),
            "prec" => policy.precedence = len,
            "path" => conditions.app = "/usr/bin/server".parse().ok(),
            "name" => conditions.app = "server".parse().ok(),
            "unit" => conditions.unit = Some("server.service".into()),
            "url" => {
                conditions.url = "http://*:*/".parse().ok().map(|url: Url| Url { recursive: true, ..url });
            }
            "host" | "on" | "films" | "film" | "alone" => {
                let url = conditions.url.as_mut().expect("a URL");
                match word {
                    "host" => url.host = Some("www.example".into()),
                    "on" => url.port = Some(80),
                    "films" => url.path = "/films".into(),
                    "film" => url.path = "/films/a".into(),
                    _ => url.recursive = false,
                }
            }
            "default" => conditions.template = Some(WellKnown::Default),
            "proto" => conditions.protocol = Some(Transport::Tcp),
            "src" => conditions.local = Some(Prefix { address: [10, 0, 0, 1].into(), len }),
            "dst" => conditions.remote = Some(Prefix { address: [10, 1, 2, 3].into(), len }),
            "sport" => conditions.local_port = single(80),
            "dport" => conditions.remote_port = single(4000),
            "port" => conditions.port = single(80),
            "sports" => conditions.local_port = range,
            "dports" => conditions.remote_port = range,
            "ports" => conditions.port = range,
            other => panic!("{other}"),
        }
    }
    policy
}

fn traffic() -> Traffic<'static> {
    Traffic {
        user: Some("alice"),
        app_path: Some("/usr/bin/server"),
        unit: Some("server.service"),
        request: Some(Request { https: false, host: "www.example", port: 80, path: "/films/a" }),
        protocol: Transport::Tcp,
        local: "10.0.0.1:80".parse().expect("an address"),
        remote: "10.1.2.3:4000".parse().expect("an address"),
        profiles: &[],
    }
}

/// The pairs of one criterion: who applies, by what, in both orders.
#[track_caller]
fn holds(criterion: Criterion) {
    let (_, pairs) = TABLE.iter().find(|(of, _)| *of == criterion).expect("a part of the table");
    // The name is the last thing to look at: elsewhere it speaks for the one that loses.
    let (left, right) = if criterion == Criterion::Name { ("a", "b") } else { ("b", "a") };
    for (winner, loser) in *pairs {
        let (winner, loser) = (policy(left, winner), policy(right, loser));
        let traffic = traffic();
        assert!(winner.matches(&traffic) && loser.matches(&traffic), "{winner:?}\n{loser:?}");
        assert_eq!(compare(&winner, &loser), (Ordering::Greater, criterion), "{winner:?}\n{loser:?}");
        assert_eq!(compare(&loser, &winner), (Ordering::Less, criterion), "{winner:?}\n{loser:?}");
        assert_eq!(choose([&winner, &loser], &traffic), Some(&winner));
        assert_eq!(choose([&loser, &winner], &traffic), Some(&winner));
    }
}

#[test]
fn what_no_other_is_for_comes_last() {
    holds(Criterion::Default);
}

#[test]
fn the_higher_precedence_number_wins() {
    holds(Criterion::Precedence);
}

#[test]
fn a_users_policy_wins_over_the_computers() {
    holds(Criterion::User);
}

#[test]
fn a_program_wins_over_addresses_and_a_path_over_a_name() {
    holds(Criterion::App);
}

#[test]
fn the_url_that_says_more_wins() {
    holds(Criterion::Url);
}

#[test]
fn more_conditions_win() {
    holds(Criterion::Count);
}

#[test]
fn of_as_many_conditions_the_first_in_order_wins() {
    holds(Criterion::Kind);
}

#[test]
fn the_longer_prefix_wins() {
    holds(Criterion::Prefix);
}

#[test]
fn a_single_port_wins_over_a_range() {
    holds(Criterion::SinglePort);
}

#[test]
fn at_last_the_name_decides() {
    holds(Criterion::Name);
}

/// The order is one: of all policies of the table no three go round in a circle, and all agree on the best.
#[test]
fn the_order_is_total() {
    let mut all: Vec<Policy> = Vec::new();
    for (nth, (winner, loser)) in TABLE.iter().flat_map(|(_, pairs)| pairs.iter()).enumerate() {
        all.push(policy(&format!("{nth:03}a"), winner));
        all.push(policy(&format!("{nth:03}b"), loser));
    }
    assert!(all.len() >= 200, "at least a hundred pairs");
    let best = choose(&all, &traffic()).expect("all match").clone();
    all.sort_by(|one, other| compare(one, other).0);
    for (nth, one) in all.iter().enumerate() {
        for other in &all[nth + 1..] {
            assert_eq!(compare(one, other).0, Ordering::Less, "{one:?}\n{other:?}");
        }
    }
    assert_eq!(all.last(), Some(&best));
}
