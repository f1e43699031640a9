//! Rows C1, C2, C4 to C9, C15, C18 to C22, the pure parts: which traffic a policy is for, and what is left out.

use rsvp_node::qos::Transport;
use rsvp_node::qos::policy::precedence::{Criterion, choose, explain};
use rsvp_node::qos::policy::{
    Action, App, OwnDscp, Policy, PolicyFault, Ports, Prefix, Request, Traffic, Url, WellKnown, dscp,
    in_force, inbound_window,
};

/// Traffic of alice's `/usr/bin/zoom`: UDP from 10.0.0.1:5000 to 10.1.2.3:3479, in profile `office`.
fn traffic() -> Traffic<'static> {
    Traffic {
        user: Some("alice"),
        app_path: Some("/usr/bin/zoom"),
        unit: Some("zoom.service"),
        request: None,
        protocol: Transport::Udp,
        local: "10.0.0.1:5000".parse().expect("an address"),
        remote: "10.1.2.3:3479".parse().expect("an address"),
        profiles: &["office", "all"],
    }
}

/// A policy that marks with EF.
fn marking(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::new("a policy");
    policy.action.dscp = Some(46);
    change(&mut policy);
    policy
}

fn prefix(text: &str) -> Option<Prefix> {
    Some(text.parse().expect("a prefix"))
}

fn ports(text: &str) -> Option<Ports> {
    Some(text.parse().expect("ports"))
}

fn app(text: &str) -> Option<App> {
    Some(text.parse().expect("a program"))
}

/// C2, C5, C6, C17 and C18: a policy that cannot be put in force says why.
#[test]
fn what_is_wrong_with_a_policy() {
    let mut idle = marking(|_| {});
    idle.action = Action::default();
    let fault = |change: fn(&mut Policy)| marking(change).check();
    let table = [
        (marking(|_| {}).check(), Ok(())),
        (idle.check(), Err(PolicyFault::NoAction)),
        (fault(|p| p.name.clear()), Err(PolicyFault::NoName)),
        (fault(|p| p.action.dscp = Some(63)), Ok(())),
        (fault(|p| p.action.dscp = Some(64)), Err(PolicyFault::Dscp)),
        (fault(|p| p.action.rate_bps = Some(0)), Err(PolicyFault::Rate)),
        (fault(|p| p.action.priority = Some(7)), Ok(())),
        (fault(|p| p.action.priority = Some(8)), Err(PolicyFault::Priority)),
        (fault(|p| p.action.weight = Some(0)), Err(PolicyFault::Weight)),
        (fault(|p| p.action.weight = Some(100)), Ok(())),
        (fault(|p| p.action.weight = Some(101)), Err(PolicyFault::Weight)),
        (
            fault(|p| (p.conditions.local, p.conditions.remote) = (prefix("10.0.0.0/8"), prefix("::/0"))),
            Err(PolicyFault::MixedFamilies),
        ),
        (
            fault(|p| (p.conditions.port, p.conditions.local_port) = (ports("80"), ports("80"))),
            Err(PolicyFault::TwoPorts),
        ),
        (
            fault(|p| (p.conditions.port, p.conditions.template) = (ports("80"), Some(WellKnown::Smb))),
            Err(PolicyFault::TwoPorts),
        ),
        (fault(|p| p.conditions.template = Some(WellKnown::Default)), Ok(())),
        (
            fault(|p| (p.conditions.template, p.conditions.port) = (Some(WellKnown::Default), ports("80"))),
            Err(PolicyFault::DefaultWithConditions),
        ),
        (
            fault(|p| {
                p.conditions.url = "http://*:*/".parse().ok();
                p.conditions.local = prefix("10.0.0.1");
            }),
            Err(PolicyFault::Url),
        ),
        (
            fault(|p| {
                p.conditions.url = "http://*:*/".parse().ok();
                p.conditions.remote = prefix("10.0.0.1");
            }),
            Ok(()),
        ),
        (
            fault(|p| {
                p.conditions.url = "http://*:*/".parse().ok();
                p.action.rate_bps = Some(1_000_000);
            }),
            Err(PolicyFault::UrlAction),
        ),
        // A server answers as itself: whose program, in which cgroup and by which interface is nothing that it asks by.
        (of_url(|p| p.user = Some("alice".into())), Err(PolicyFault::Url)),
        (of_url(|p| p.profile = Some("office".into())), Err(PolicyFault::Url)),
        (of_url(|p| p.conditions.unit = Some("nginx.service".into())), Err(PolicyFault::Url)),
        (of_url(|p| p.conditions.app = app("nginx")), Err(PolicyFault::Url)),
        (fault(of_frames), Ok(())),
        (
            fault(|p| {
                of_frames(p);
                p.action.dscp = Some(46);
            }),
            Err(PolicyFault::FramesAction),
        ),
        (
            fault(|p| {
                of_frames(p);
                p.user = Some("alice".into());
            }),
            Err(PolicyFault::FramesAction),
        ),
        (
            fault(|p| {
                of_frames(p);
                p.conditions.remote_port = ports("80");
            }),
            Err(PolicyFault::Frames),
        ),
        (
            fault(|p| {
                of_frames(p);
                p.conditions.app = app("curl");
            }),
            Err(PolicyFault::Frames),
        ),
    ];
    for (nth, (found, expected)) in table.into_iter().enumerate() {
        assert_eq!(found, expected, "row {nth}");
    }
}

/// What is wrong with a policy for a URL.
fn of_url(change: fn(&mut Policy)) -> Result<(), PolicyFault> {
    let mut policy = marking(|p| p.conditions.url = "http://*:*/".parse().ok());
    change(&mut policy);
    policy.check()
}

/// A policy for frames without IP that gives them a priority.
fn of_frames(policy: &mut Policy) {
    policy.conditions.template = Some(WellKnown::Fcoe);
    policy.action = Action { priority: Some(3), ..Action::default() };
}

/// C4: by path or by name; the same file elsewhere is not the path's.
#[test]
fn programs_by_path_and_by_name() {
    let table = [
        ("/usr/bin/zoom", Some("/usr/bin/zoom"), true),
        ("/usr/bin/zoom", Some("/opt/zoom"), false),
        ("zoom", Some("/opt/zoom"), true),
        ("zoom", Some("/opt/zoom/start"), false),
        ("zoom", Some("/opt/Zoom"), false),
        ("zoom", Some("/opt/myzoom"), false),
        ("zoom", None, false),
        ("/usr/bin/zoom", None, false),
    ];
    for (condition, path, expected) in table {
        let policy = marking(|p| p.conditions.app = app(condition));
        let found = policy.matches(&Traffic { app_path: path, ..traffic() });
        assert_eq!(found, expected, "{condition} {path:?}");
    }
    // What begins with a variable is a path when that has its value.
    assert_eq!("$HOME/bin/zoom".parse(), Ok(App::Path("$HOME/bin/zoom".into())));
    assert_eq!("${HOME}/bin/zoom".parse(), Ok(App::Path("${HOME}/bin/zoom".into())));
    for bad in ["", "bin/zoom", "./zoom", "%HOME%/zoom"] {
        assert_eq!(bad.parse::<App>(), Err(PolicyFault::App));
    }
    let unit = marking(|p| p.conditions.unit = Some("zoom.service".into()));
    assert!(unit.matches(&traffic()) && !unit.matches(&Traffic { unit: None, ..traffic() }));
}

/// C5: host and port, each as a whole or any; the path, and what lies below when it is recursive.
#[test]
fn urls_of_http_servers() {
    let table = [
        ("http://www.example:80/video", false, ("www.example", 80, "/video"), true),
        ("http://www.example:80/video", false, ("WWW.example", 80, "/video"), true),
        ("http://www.example/video", false, ("www.example", 80, "/video"), true),
        ("http://www.example:80/video", false, ("www.example", 81, "/video"), false),
        ("http://www.example:80/video", false, ("example", 80, "/video"), false),
        ("http://www.example:80/video", false, ("www.example", 80, "/video/a"), false),
        ("http://www.example:80/video", true, ("www.example", 80, "/video/a"), true),
        ("http://www.example:80/video", true, ("www.example", 80, "/videos"), false),
        ("http://www.example:80/video/", true, ("www.example", 80, "/video/a"), true),
        ("http://*:80/", true, ("anything", 80, "/x/y"), true),
        ("http://*:80/", false, ("anything", 80, "/x/y"), false),
        ("http://*:*/", true, ("anything", 8086, "/"), true),
        ("http://[2001:db8::1]/", false, ("[2001:db8::1]", 80, "/"), true),
    ];
    for (url, recursive, (host, port, path), expected) in table {
        let mut url: Url = url.parse().expect("a URL");
        url.recursive = recursive;
        let policy = marking(|p| p.conditions.url = Some(url));
        let request = Request { https: false, host, port, path };
        assert_eq!(policy.matches(&Traffic { request: Some(request), ..traffic() }), expected, "{policy:?}");
        let secure = Request { https: true, ..request };
        assert!(!policy.matches(&Traffic { request: Some(secure), ..traffic() }));
        assert!(!policy.matches(&traffic()), "what answers no request is not for it");
    }
    assert_eq!("https://a".parse::<Url>().map(|url| (url.https, url.port)), Ok((true, Some(443))));
    let bad = [
        "ftp://a/",
        "a/b",
        "http://www.*.example/",
        "http://a:8*/",
        "http://a:0/",
        "http://a/b*",
        "http://:80/",
        "http://a/b?c=d",
        "http://a/b#c",
        "http://a?b",
        "http://user@a/",
        "http://::1/",
        "http://::1:80/",
        "http://[::1/",
        "http://[a]/",
        "http://2001:db8::1/",
    ];
    for text in bad {
        assert_eq!(text.parse::<Url>(), Err(PolicyFault::UrlForm), "{text}");
    }
    // Of an address there is one form.
    let host = |text: &str| text.parse::<Url>().map(|url| url.host);
    assert_eq!(host("http://[2001:DB8:0:0::1]/"), Ok(Some("[2001:db8::1]".into())));
}

/// C5: what is asked for is of one host and port; its path may have a `*`, which a policy's may not, and ends at a query.
#[test]
fn urls_that_are_asked_for() {
    let asked = |text: &str| Url::asked_for(text).map(|url| (url.host.unwrap(), url.port.unwrap(), url.path));
    let of = |host: &str, port, path: &str| Ok((host.to_owned(), port, path.to_owned()));
    assert_eq!(asked("http://a/x*y"), of("a", 80, "/x*y"));
    assert_eq!(asked("http://a:8080/x?y=/z#w"), of("a", 8080, "/x"));
    assert_eq!(asked("https://A?b"), of("a", 443, "/"));
    assert_eq!(asked("http://[::1]:81/"), of("[::1]", 81, "/"));
    for bad in ["http://*/", "http://a:*/", "http://::1/", "a/b", "http:///x"] {
        assert_eq!(Url::asked_for(bad), Err(PolicyFault::UrlForm), "{bad}");
    }
}

/// C6: prefixes of either side, in either family.
#[test]
fn addresses_and_prefixes() {
    let table = [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1/32", "10.0.0.2", false),
        ("0.0.0.0/0", "192.0.2.1", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("::/0", "2001:db8::1", true),
        ("::/0", "10.0.0.1", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("2001:db8::1/128", "2001:db8::1", true),
    ];
    for (condition, address, expected) in table {
        let address: std::net::IpAddr = address.parse().expect("an address");
        let side = std::net::SocketAddr::new(address, 1);
        let local = marking(|p| p.conditions.local = prefix(condition));
        let remote = marking(|p| p.conditions.remote = prefix(condition));
        assert_eq!(local.matches(&Traffic { local: side, ..traffic() }), expected, "{condition} {address}");
        assert_eq!(remote.matches(&Traffic { remote: side, ..traffic() }), expected, "{condition} {address}");
    }
    for bad in ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0", "10.0.0.0/x", ""] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad}");
    }
}

/// C7: one protocol leaves the other alone.
#[test]
fn protocols() {
    let tcp = marking(|p| p.conditions.protocol = Some(Transport::Tcp));
    assert!(!tcp.matches(&traffic()) && tcp.matches(&Traffic { protocol: Transport::Tcp, ..traffic() }));
}

/// C8: ranges have both their ends; a port of either side is on one.
#[test]
fn ports_of_either_side() {
    let to = |port| Traffic { remote: std::net::SocketAddr::new([10, 1, 2, 3].into(), port), ..traffic() };
    let table = [(3477, false), (3478, true), (3480, true), (3481, true), (3482, false)];
    for (port, expected) in table {
        let remote = marking(|p| p.conditions.remote_port = ports("3478:3481"));
        let either = marking(|p| p.conditions.port = ports("3478:3481"));
        assert_eq!((remote.matches(&to(port)), either.matches(&to(port))), (expected, expected), "{port}");
    }
    let local = marking(|p| p.conditions.local_port = ports("5000"));
    let wrong_side = marking(|p| p.conditions.remote_port = ports("5000"));
    let either = marking(|p| p.conditions.port = ports("5000"));
    assert_eq!([local, wrong_side, either].map(|p| p.matches(&traffic())), [true, false, true]);
    assert!(ports("1:65535").is_some());
    for bad in ["0", "65536", "2:1", "2:2", "0:5", "a", "", "1:2:3"] {
        assert!(bad.parse::<Ports>().is_err(), "{bad}");
    }
}

/// C9 and C19: only that user's traffic, only in that profile.
#[test]
fn users_and_profiles() {
    let alices = marking(|p| p.user = Some("alice".into()));
    assert!(alices.matches(&traffic()));
    assert!(!alices.matches(&Traffic { user: Some("bob"), ..traffic() }));
    assert!(!alices.matches(&Traffic { user: None, ..traffic() }));
    let at_work = marking(|p| p.profile = Some("office".into()));
    assert!(at_work.matches(&traffic()) && !at_work.matches(&Traffic { profiles: &["cafe"], ..traffic() }));
}

/// C18: names for ports, of either side, and for what nothing else is for.
#[test]
fn well_known_traffic() {
    let table = [("smb", 445), ("nfs", 2049), ("iscsi", 3260), ("live-migration", 6600), ("cluster", 3343)];
    for (name, port) in table {
        let policy = marking(|p| p.conditions.template = Some(name.parse().expect("a name")));
        let side = |port| std::net::SocketAddr::new([10, 1, 2, 3].into(), port);
        assert!(policy.matches(&Traffic { remote: side(port), ..traffic() }), "{name}");
        assert!(policy.matches(&Traffic { local: side(port), ..traffic() }), "{name}");
        assert!(!policy.matches(&traffic()), "{name}");
    }
    assert!("cifs".parse::<WellKnown>().is_err());
    // Frames without IP do not come from a socket, whatever its ports.
    assert_eq!("fcoe".parse(), Ok(WellKnown::Fcoe));
    assert!(!marking(of_frames).matches(&traffic()));
    let default = marking(|p| p.conditions.template = Some(WellKnown::Default));
    let wide = marking(|p| p.action.dscp = Some(8));
    assert_eq!(choose([&default, &wide], &traffic()), Some(&wide));
    let tcp = marking(|p| p.conditions.protocol = Some(Transport::Tcp));
    assert_eq!(choose([&tcp, &default], &traffic()), Some(&default));
}

/// C15: of two rates one applies, as it is.
#[test]
fn exactly_one_policy_applies() {
    let rate = |name: &str, rate_bps, port: &str| {
        let mut policy = Policy::new(name);
        (policy.action.rate_bps, policy.conditions.remote_port) = (Some(rate_bps), ports(port));
        policy
    };
    let both = [rate("wide", 1_000_000, "1:65535"), rate("narrow", 2_000_000, "3479")];
    let applies = choose(&both, &traffic()).expect("one applies");
    assert_eq!(applies.action, Action { rate_bps: Some(2_000_000), ..Action::default() });
    assert_eq!(choose(&both[..1], &traffic()), Some(&both[0]));
    let elsewhere = Traffic { remote: "10.1.2.3:1".parse().expect("an address"), ..traffic() };
    assert_eq!(choose(&both[1..], &elsewhere), None);
}

/// C22: who won, and what each of the others lost by.
#[test]
fn an_explanation_names_the_winner_and_why_others_lost() {
    let named = |name: &str, change: fn(&mut Policy)| {
        let mut policy = marking(change);
        policy.name = name.to_owned();
        policy
    };
    let all = [
        named("computer", |_| {}),
        named("users", |p| p.user = Some("alice".into())),
        named("with program", |p| (p.user, p.conditions.app) = (Some("alice".into()), app("zoom"))),
        named("bobs", |p| p.user = Some("bob".into())),
        named("urgent", |p| p.precedence = 128),
    ];
    let (winner, others) = explain(&all.each_ref(), &traffic()).expect("one applies");
    let others: Vec<_> = others.iter().map(|(policy, by)| (policy.name.as_str(), *by)).collect();
    assert_eq!(winner.name, "urgent");
    let lost = |name| (name, Criterion::Precedence);
    assert_eq!(others, [lost("computer"), lost("users"), lost("with program")]);
    let (winner, others) = explain(&all[..4].iter().collect::<Vec<_>>(), &traffic()).expect("one applies");
    let others: Vec<_> = others.iter().map(|(policy, by)| (policy.name.as_str(), *by)).collect();
    assert_eq!(winner.name, "with program");
    assert_eq!(others, [("computer", Criterion::User), ("users", Criterion::App)]);
    assert_eq!(Criterion::User.to_string(), "the computer's, not the user's");
    assert_eq!(explain(&[], &traffic()), None);
}

/// C1: of equal names the strongest store's is in force; a user's and the computer's are two.
#[test]
fn equal_names_are_the_strongest_stores() {
    let of = |name: &str, user: Option<&str>, dscp| {
        let mut policy = Policy::new(name);
        (policy.user, policy.action.dscp) = (user.map(str::to_owned), Some(dscp));
        policy
    };
    let active = [of("video", None, 1)];
    let local = [of("video", None, 2), of("voice", None, 3), of("video", Some("alice"), 4)];
    let vendor = [of("voice", None, 5), of("mail", None, 6)];
    let found = in_force(&[&active, &local, &vendor]);
    let found: Vec<_> = found.iter().map(|policy| policy.action.dscp.unwrap_or(0)).collect();
    assert_eq!(found, [1, 3, 4, 6]);
}

/// C20: a policy's DSCP over the program's own; overridden, what came by QoS interfaces is nothing.
#[test]
fn the_override_leaves_only_policies_marks() {
    let marks = marking(|p| p.action.dscp = Some(34));
    let slows = marking(|p| p.action = Action { rate_bps: Some(1), ..Action::default() });
    let by_qos = Some(OwnDscp { dscp: 46, by_qos: true });
    let by_option = Some(OwnDscp { dscp: 46, by_qos: false });
    let table = [
        (None, None, false, 0),
        (None, by_qos, false, 46),
        (Some(&marks), by_qos, false, 34),
        (Some(&slows), by_qos, false, 46),
        (None, by_qos, true, 0),
        (Some(&marks), by_qos, true, 34),
        (Some(&slows), by_qos, true, 0),
        (None, by_option, true, 46),
    ];
    for (policy, own, overridden, expected) in table {
        assert_eq!(dscp(policy, own, overridden), expected, "{policy:?} {own:?} {overridden}");
    }
}

/// C21: never above 64 K, 256 K, 1 M, 16 M.
#[test]
fn inbound_levels_have_their_windows() {
    let levels = [64 << 10, 256 << 10, 1 << 20, 16 << 20u32];
    for (level, most) in (0..).zip(levels) {
        let window = inbound_window(level).expect("a level");
        assert!(window < most && window > most - most / 100, "{level}: {window}");
    }
    assert_eq!(inbound_window(4), None);
}
