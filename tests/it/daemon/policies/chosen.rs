//! Which policy wins (C11 to C15, C22): pairs that are drawn at random, on the wire, and the report that says why.

use super::*;
use rsvp_node::qos::policy::precedence::compare;
use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

/// Conditions that all match a datagram from 10.0.1.1:4200 to 10.0.1.2 port 6600 + n by the test itself.
const CONDITIONS: [&str; 12] = [
    "",
    "app = \"%program\"",
    "protocol = \"udp\"",
    "local = \"10.0.1.1\"",
    "local = \"10.0.1.0/24\"",
    "remote = \"10.0.1.2\"",
    "remote = \"10.0.0.0/16\"",
    "local_port = 4200",
    "local_port = \"4000:4300\"",
    "remote_port = \"6600:6699\"",
    "remote = \"10.0.1.0/24\", protocol = \"udp\"",
    "local = \"10.0.1.0/24\", remote_port = \"6600:6699\"",
];

#[test]
fn of_twenty_pairs_drawn_at_random_the_stronger_is_on_the_wire() {
    let Some(mut site) = Site::new("policies_pairs") else { return };
    let seed = std::env::var("RSVP_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0u8));
    println!("RSVP_SEED={seed}");
    let mut state = seed | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("small")
    };
    let program = std::env::current_exe()
        .expect("its path")
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let capture = site.net.capture_many("b", "to-a", "udp");
    for pair in 0..20u16 {
        let one = |name: &str, dscp: u8, draw: &mut dyn FnMut(usize) -> usize| {
            let conditions = CONDITIONS[draw(CONDITIONS.len())].replace("%program", &program);
            let precedence = [126, 127, 127, 127, 128][draw(5)];
            let user = if draw(4) == 0 { "user = \"0\"\n" } else { "" };
            format!(
                "[[policy]]\nname = \"{name}\"\n{user}precedence = {precedence}\nmatch = {{ {conditions} }}\naction = {{ dscp = {dscp} }}\n"
            )
        };
        let text = format!("{}{}", one("one", 10, &mut draw), one("other", 12, &mut draw));
        let contents = rsvpd::policies::file::parse(std::path::Path::new("pair"), &text, None);
        let [first, second] = &contents.policies[..] else { panic!("{contents:?}") };
        let expected = if compare(&first.policy, &second.policy).0 == Ordering::Greater { 10 } else { 12 };
        site.say("a", "pair", &text);
        let port = 6600 + pair;
        let socket = sends(&site.net, "10.0.1.1:4200", &format!("{SERVER}:{port}"));
        assert_eq!(datagram(&capture, 4200, port, 1), expected, "seed {seed}, pair {pair}: {text}");
        drop(socket);
    }
}

#[test]
fn the_report_names_the_winner_its_place_and_what_the_others_lost_by() {
    let Some(site) = Site::new("policies_report") else { return };
    let text = [
        policy("net", "remote = \"10.0.1.0/24\"", "dscp = 10"),
        policy("host", "remote = \"10.0.1.2\"", "dscp = 12, rate = \"50mbit\""),
        "[[policy]]\nname = \"first\"\nprecedence = 200\nmatch = { remote_port = 6701 }\naction = { dscp = 14 }\n".to_owned(),
        policy("not this", "remote_port = 1", "dscp = 16"),
    ]
    .concat();
    site.say("a", "all", &text);
    let one = sends(&site.net, "10.0.1.1:4300", &format!("{SERVER}:6700"));
    let _other = sends(&site.net, "10.0.1.1:4301", &format!("{SERVER}:6701"));
    let explained = site.explained("a", &json!({"socket": "10.0.1.1:4300"}));
    let [socket] = &explained[..] else { panic!("{explained:#?}") };
    let place = |named: &Value| {
        let file = named["file"].as_str().expect("a file").rsplit('/').next().expect("a name").to_owned();
        (named["name"].as_str().expect("a name").to_owned(), file, named["line"].as_u64().expect("a line"))
    };
    assert_eq!(place(&socket["policy"]), ("host".to_owned(), "all.toml".to_owned(), 5));
    assert_eq!(socket["action"]["rate_bps"], 50_000_000);
    assert_eq!((socket["pid"].as_u64(), socket["uid"].as_u64()), (Some(std::process::id().into()), Some(0)));
    let others = socket["others"].as_array().expect("others");
    assert_eq!(others.len(), 1, "{others:#?}");
    assert_eq!(
        (place(&others[0]).0.as_str(), others[0]["lost_by"].as_str()),
        ("net", Some("a shorter prefix"))
    );
    let explained = site.explained("a", &json!({"socket": format!("{SERVER}:6701")}));
    assert_eq!(explained[0]["policy"]["name"], "first");
    let lost: Vec<&str> = explained[0]["others"]
        .as_array()
        .expect("others")
        .iter()
        .filter_map(|o| o["lost_by"].as_str())
        .collect();
    assert_eq!(lost, ["lower precedence", "lower precedence"]);
    // It is of this process; and it is not listed when it is closed, unless that is asked for.
    let of_process = site.explained("a", &json!({"pid": std::process::id()}));
    assert!(of_process.len() >= 2, "{of_process:#?}");
    drop(one);
    eventually("it is closed", || {
        site.explained("a", &json!({"socket": "10.0.1.1:4300"})).is_empty().then_some(())
    });
    let closed = site.explained("a", &json!({"socket": "10.0.1.1:4300", "closed": true}));
    assert_eq!(closed[0]["closed"], true);
    // What was counted.
    let report = site.refreshed("a");
    let host =
        report["policies"].as_array().expect("policies").iter().find(|policy| policy["name"] == "host");
    let host = host.expect("it is listed");
    assert_eq!((host["packets"].as_u64(), host["octets"].as_u64()), (Some(1), Some(33)));
}
