//! Data in virtual time: what the network promises is what packets get, to the nanosecond.

use rsvp_node::guaranteed::queueing_bound_us;
use rsvp_node::{EventKind, Instant};
use rsvp_sim::scenario::Builder;
use rsvp_sim::world::{Figures, Stream};
use rsvp_sim::{Report, Scenario, World};
use std::time::Duration;

const MS: u64 = 1_000_000;

/// A way over so many links of 1 ms each, from `a` to `z`.
fn chain(hops: usize, link: impl Fn(usize) -> (&'static str, u64, u64)) -> Builder {
    let routers: Vec<String> = (1..hops).map(|n| format!("r{n}")).collect();
    let node = |n: usize| match n {
        0 => "a".to_owned(),
        n if n == hops => "z".to_owned(),
        n => format!("r{n}"),
    };
    let mut world = World::builder().duration("20s").hosts(["a", "z"]).routers(&routers);
    for n in 0..hops {
        let (rate, c, d_us) = link(n);
        world = world.link(node(n), node(n + 1), |l| {
            l.rate(rate).delay("1ms").error_c(format!("{c}B")).error_d(format!("{d_us}us"))
        });
    }
    world
}

/// A sender with r = 1 Mbit/s, M = 1,000 octets and this bucket and peak, and a receiver that reserves 2 Mbit/s.
fn guaranteed(world: Builder, bucket: &str, peak: &str) -> Builder {
    world
        .session("call", |s| s.to("z"))
        .sender("caller", "a", |s| {
            s.session("call").rate("1mbit").bucket(bucket).peak(peak).max_packet("1000B")
        })
        .receiver("listener", "z", |r| {
            let r =
                r.session("call").style("ff").service("guaranteed").rate("1mbit").bucket(bucket).peak(peak);
            r.max_packet("1000B").reserve("2mbit")
        })
        .traffic("call", |t| t.sender("caller").pattern("tspec").start("2s"))
}

fn streams(world: &mut World, seconds: u64) -> Vec<Stream> {
    world.run_until(Duration::from_secs(seconds));
    world.report();
    world.record().streams.clone()
}

fn of<'s>(streams: &'s [Stream], name: &str) -> &'s Stream {
    streams.iter().find(|stream| stream.name == name).unwrap_or_else(|| panic!("no {name} in {streams:?}"))
}

fn all(stream: &Stream) -> Figures {
    stream.figures(Instant::ZERO, Instant::NEVER)
}

/// The longest delay of the packets of the call without what links take to carry it, in nanoseconds.
fn queued_ns(streams: &[Stream], hops: usize) -> u64 {
    let call = of(streams, "call");
    assert_eq!(all(call).delivered, all(call).sent);
    let worst = call.packets.iter().filter_map(|packet| packet.delay_ns()).max().expect("packets");
    worst - hops as u64 * MS
}

/// RFC 2212's bound from what the receiver was told of the way, in nanoseconds.
fn bound_ns(world: &World) -> u64 {
    let listener = world.application("listener").expect("there is one");
    let told = listener.events().expect("a record").find_map(|event| match &event.kind {
        EventKind::Path { tspec, adspec: Some(adspec), .. } => adspec.guaranteed.map(|terms| (*tspec, terms)),
        _ => None,
    });
    let (tspec, terms) = told.expect("an ADSPEC");
    (queueing_bound_us(&tspec, 250_000.0, terms.ctot, terms.dtot) * 1000.0).round() as u64
}

/// Links of R and nothing else on them are the fluid server of RFC 2212 but for packets: each link after the first adds the time of
/// one, which is what C says. So the worst delay is the bound itself, whether the burst comes at once or at the peak.
#[test]
fn the_guaranteed_bound_is_met_exactly_by_links_of_that_rate() {
    for (bucket, peak) in [("8kB", "unlimited"), ("7kB", "4mbit"), ("1kB", "1mbit")] {
        for hops in 1..=10 {
            let world = chain(hops, |n| ("2mbit", if n == 0 { 0 } else { 1000 }, 0));
            let mut world = guaranteed(world, bucket, peak).build().expect("a world");
            let streams = streams(&mut world, 20);
            let bound = bound_ns(&world);
            assert_eq!(queued_ns(&streams, hops), bound, "{bucket} at {peak} over {hops} links");
        }
    }
}

/// Faster links, flooded, and full of others that have reserved the rest of them and send all they may at the same time: no
/// packet is later than the bound with C = M and D = a packet of the MTU at the link's rate.
#[test]
fn the_guaranteed_bound_holds_among_others_at_one_to_ten_hops() {
    let mut nearest: f64 = 0.0;
    for hops in 1..=10 {
        let mut world = chain(hops, |_| ("10mbit", 1000, 1200));
        for n in 0..hops {
            let (from, to) = match n {
                0 => ("a".to_owned(), if hops == 1 { "z".to_owned() } else { "r1".to_owned() }),
                n if n + 1 == hops => (format!("r{n}"), "z".to_owned()),
                n => (format!("r{n}"), format!("r{}", n + 1)),
            };
            // Eight neighbours of a link take what the call leaves: 8 Mbit/s in different parts and bursts.
            for k in 0..8u32 {
                let (name, port) = (format!("s{n}-{k}"), 6000 + k);
                let (burst, rate) =
                    (format!("{}kB", 2 + 3 * k), if k % 2 == 0 { "500kbit" } else { "1500kbit" });
                world = world
                    .session(&name, |s| s.to(&to).port(u64::from(port)))
                    .sender(format!("from-{name}"), &from, |s| {
                        s.session(&name).rate(rate).bucket(&burst).max_packet("1500B").port(u64::from(port))
                    })
                    .receiver(format!("to-{name}"), &to, |r| {
                        r.session(&name)
                            .style("ff")
                            .service("guaranteed")
                            .rate(rate)
                            .bucket(&burst)
                            .reserve(rate)
                    })
                    .traffic(&name, |t| t.sender(format!("from-{name}")).pattern("tspec").start("2s"));
            }
            world =
                world.traffic(format!("flood{n}"), |t| t.from(&from).to(&to).rate("20mbit").packet("1500B"));
        }
        let mut world = guaranteed(world, "8kB", "unlimited").build().expect("a world");
        let streams = streams(&mut world, 6);
        let (queued, bound) = (queued_ns(&streams, hops), bound_ns(&world));
        assert!(queued <= bound, "{queued} ns are more than {bound} over {hops} links");
        nearest = nearest.max(queued as f64 / bound as f64);
        assert!(all(of(&streams, "flood0")).delivered < all(of(&streams, "flood0")).sent / 2);
    }
    assert!(nearest > 0.5, "the bound is not far away: {nearest}");
}

/// Without its reservation the same call is late: what holds above is the reservation's doing.
#[test]
fn without_the_priority_of_what_is_reserved_nothing_holds() {
    for scheduler in ["priority", "fifo"] {
        let world = chain(2, |_| ("10mbit", 1000, 1200));
        let world = world.traffic("flood", |t| t.from("r1").to("z").rate("20mbit").packet("1500B"));
        let scenario = guaranteed(world, "8kB", "unlimited").scenario().expect("a scenario");
        let text =
            scenario.to_toml().replace("scheduler = \"priority\"", &format!("scheduler = \"{scheduler}\""));
        let mut world = World::new(Scenario::parse("again", text.as_bytes()).expect("a scenario"));
        let streams = streams(&mut world, 6);
        let call = all(of(&streams, "call"));
        assert_eq!(call.delivered == call.sent, scheduler == "priority", "{scheduler}: {call:?}");
    }
}

/// What is more than the bucket of a reservation is best effort: of 4 Mbit/s 1 Mbit/s and a bucket are carried before the flood.
#[test]
fn token_buckets_police_where_flows_enter() {
    let world = chain(3, |n| (if n == 2 { "10mbit" } else { "100mbit" }, 1000, 1200));
    let world = world
        .session("call", |s| s.to("z"))
        .sender("caller", "a", |s| s.rate("1mbit").bucket("10kB").max_packet("1000B"))
        .receiver("listener", "z", |r| r.style("ff").rate("1mbit").bucket("10kB").max_packet("1000B"))
        .traffic("call", |t| t.sender("caller").rate("4mbit").packet("1000B").start("2s").end("12s"))
        .traffic("flood", |t| t.from("r1").to("z").rate("100mbit").packet("1500B"));
    let mut world = world.build().expect("a world");
    let streams = streams(&mut world, 20);
    let call = all(of(&streams, "call"));
    assert_eq!(call.sent, 5000);
    // The bucket of 10 packets, and 125 a second for ten seconds, less the last one that is not full yet.
    let conforming = call.delivered - call.excess;
    assert!((1258..=1260).contains(&conforming), "{call:?}");
    assert!(call.excess > 0 && call.delivered < call.sent, "best effort carries some of the rest: {call:?}");
}

/// What waits behind a reservation that takes the whole link is on its way for ever; what found no room there is lost, and counted.
#[test]
fn what_starves_is_counted_as_lost() {
    let world = chain(2, |_| ("100mbit", 1000, 1200)).host("b");
    let world = world
        .link("r1", "b", |l| l.rate("10mbit").reservable("100%").queue("10kB"))
        .session("call", |s| s.to("b"))
        .sender("caller", "a", |s| s.rate("10mbit").bucket("10kB").max_packet("1000B"))
        .receiver("listener", "b", |r| r.style("ff").rate("10mbit").bucket("10kB").max_packet("1000B"))
        .traffic("call", |t| t.sender("caller").rate("10mbit").packet("1000B").start("2s"))
        .traffic("other", |t| t.from("a").to("b").rate("4mbit").packet("1000B").start("4s"));
    let mut world = world.build().expect("a world");
    let streams = streams(&mut world, 10);
    let (call, other) = (all(of(&streams, "call")), all(of(&streams, "other")));
    assert_eq!(call.sent, call.delivered, "{call:?}");
    // 500 a second for six seconds, of which the queue holds ten.
    assert!((2985..=3000).contains(&other.sent) && other.delivered < 30, "{other:?}");
}

#[test]
fn groups_get_a_copy_each_and_what_is_lost_is_lost_where_it_is() {
    let mut world = World::builder()
        .duration("20s")
        .hosts(["a", "b", "c"])
        .routers(["r"])
        .link("a", "r", |l| l)
        .lan("lan", ["r", "b"], |l| l)
        .link("r", "c", |l| l.loss("20%"))
        .session("all", |s| s.group("all"))
        .sender("s", "a", |s| s.rate("1mbit"))
        .receiver("rb", "b", |r| r)
        .receiver("rc", "c", |r| r)
        .traffic("music", |t| {
            t.sender("s").pattern("bursty").rate("800kbit").burst("10kB").packet("1000B").start("1s")
        })
        .build()
        .expect("a world");
    let streams = streams(&mut world, 20);
    let to = |node: &str| all(streams.iter().find(|stream| stream.to == node).expect("a stream"));
    let (b, c) = (to("b"), to("c"));
    assert_eq!((b.sent, b.delivered), (1900, 1900));
    // The last ones may be on their way to one and not to the other.
    assert!(c.sent >= 1890 && (1420..1620).contains(&c.delivered), "{c:?}");
}

/// Time in pieces, clones, and looking: nothing of that changes what happens to data.
#[test]
fn data_is_the_same_however_time_is_cut() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/reserved-survives.toml");
    let text = std::fs::read(file).expect("a scenario");
    let scenario = Scenario::parse(file, &text).expect("a scenario");
    let whole = Report::of(scenario.clone());
    assert!(whole.held(), "{:?}", whole.expectations);
    let mut cut = World::new(scenario.clone());
    for ms in (0..30_000).step_by(700) {
        cut.run_until(Duration::from_millis(ms));
        if ms == 14_000 {
            cut = cut.clone();
            cut.report();
        }
    }
    cut.run_until(scenario.duration);
    assert_eq!(cut.report(), whole);
    // And the file that it is written as says the same.
    let again = Scenario::parse("again", scenario.to_toml().as_bytes()).expect("what was written");
    assert_eq!(again.loads, scenario.loads);
    assert_eq!(Report::of(again).traffic, whole.traffic);
}

/// A link that goes down, a node that crashes: what was there is lost, and traffic goes on afterwards.
#[test]
fn what_goes_down_takes_its_packets_along() {
    let mut world = chain(2, |_| ("1mbit", 0, 0))
        .traffic("steady", |t| t.from("a").to("z").rate("900kbit").packet("1000B"))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(5));
    world.link_down("r1-z").expect("a link");
    world.run_until(Duration::from_secs(7));
    world.link_up("r1-z").expect("a link");
    world.run_until(Duration::from_secs(10));
    world.crash("r1", Duration::from_secs(2)).expect("a node");
    world.run_until(Duration::from_secs(20));
    world.report();
    let stream = of(&world.record().streams, "steady");
    let within = |from: u64, to: u64| {
        let at = |ms: u64| Instant::ZERO + Duration::from_millis(ms);
        let figures = stream.figures(at(from), at(to));
        figures.delivered as f64 / figures.sent as f64
    };
    assert_eq!((within(0, 4900), within(7100, 9900), within(12_100, 19_000)), (1.0, 1.0, 1.0));
    assert_eq!((within(5100, 6900), within(10_100, 11_900)), (0.0, 0.0));
    // What was on its way to the router, or waited there, is in the figures of its link; what no route led on is not.
    let loads = world.record().loads.iter().filter(|load| load.at_ns >= 9_000 * MS);
    assert!((1..5).contains(&loads.map(|load| load.lost).sum::<u64>()));
}

#[test]
fn data_on_a_link_that_is_held_comes_when_it_is_released() {
    let mut world = chain(2, |_| ("1mbit", 0, 0))
        .traffic("steady", |t| t.from("a").to("z").rate("500kbit").packet("1000B"))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(5));
    world.hold("r1-z").expect("a link");
    world.run_until(Duration::from_secs(7));
    let mut cut = world.clone();
    world.release("r1-z").expect("a link");
    cut.partition("r1-z").expect("a link");
    let figures = |world: &mut World| all(of(&streams(world, 20), "steady"));
    let (held, cut) = (figures(&mut world), figures(&mut cut));
    assert_eq!((held.delivered, held.sent > 1000), (held.sent, true));
    assert!(cut.delivered < cut.sent / 2, "{cut:?}");
}

/// An expectation of a world that is stepped sees the data that there was so far.
#[test]
fn data_is_judged_while_the_world_goes_on() {
    let mut world = chain(1, |_| ("1mbit", 0, 0))
        .traffic("steady", |t| t.from("a").to("z").rate("500kbit").packet("1000B"))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(5));
    rsvp_sim::kit::expect(
        &mut world,
        "what = \"traffic\"\ntraffic = \"steady\"\ndelivered_at_least = \"100%\"",
    );
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_place() {
    let refused = |keys: &str, message: &str| {
        let text = format!(
            "name = \"x\"\n[nodes]\nhosts = [\"a\", \"b\"]\n[[link]]\nbetween = [\"a\", \"b\"]\n[[session]]\nname = \"s\"\nto = \"b\"\n\
             [[sender]]\nname = \"c\"\nnode = \"a\"\nrate = \"1mbit\"\nbucket = \"2kB\"\n{keys}"
        );
        let fault = Scenario::parse("x.toml", text.as_bytes()).expect_err(keys).to_string();
        assert!(fault.starts_with("x.toml:") && fault.contains(message), "{keys}: {fault}");
    };
    for (keys, message) in [
        ("[[traffic]]\nsender = \"d\"", "unknown sender \"d\""),
        ("[[traffic]]\nfrom = \"a\"", "needs either `sender"),
        ("[[traffic]]\nfrom = \"a\"\nto = \"a\"\nrate = \"1mbit\"", "another node than `from`"),
        ("[[traffic]]\nfrom = \"a\"\nto = \"b\"", "needs `rate"),
        ("[[traffic]]\nfrom = \"a\"\nto = \"b\"\npattern = \"tspec\"", "is for the packets of a `sender`"),
        ("[[traffic]]\nsender = \"c\"\npattern = \"tspec\"\nrate = \"1mbit\"", "has no use for `rate`"),
        ("[[traffic]]\nsender = \"c\"\npattern = \"constnat\"", "did you mean \"constant\"?"),
        ("[[traffic]]\nsender = \"c\"\npacket = \"9kB\"", "the least MTU of all links"),
        ("[[traffic]]\nsender = \"c\"\npattern = \"bursty\"", "needs `burst"),
        ("[[traffic]]\nsender = \"c\"\nstart = \"9s\"\nend = \"8s\"", "a time after `start`"),
        (
            "[[traffic]]\nsender = \"c\"\nrate = \"100gbit\"\npacket = \"28B\"",
            "a lower rate, larger packets or less time",
        ),
        ("[[traffic]]\nsender = \"c\"\n[[traffic]]\nsender = \"c\"", "there are two [[traffic]] \"c\""),
        ("[[expect]]\nwhat = \"traffic\"\ntraffic = \"c\"", "unknown traffic \"c\""),
        ("[[expect]]\nwhat = \"traffic\"\nlost = \"1%\"", "unknown key \"lost\""),
        ("[[expect]]\nwhat = \"paths\"\nlost_at_most = \"1%\"", "unknown key \"lost_at_most\""),
        (
            "[[expect]]\nwhat = \"traffic\"\nlost_at_most = \"1%\"\nlost_at_least = \"2%\"",
            "`lost_at_least` is more than `lost_at_most`",
        ),
    ] {
        refused(keys, message);
    }
}
