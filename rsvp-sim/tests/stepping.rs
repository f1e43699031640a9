//! Worlds that are built in code and taken step by step: the same as those of files, however time is cut up.

use proptest::prelude::*;
use rsvp_sim::rsvp_wire::MsgType;
use rsvp_sim::world::{Cause, Injected};
use rsvp_sim::{Builder, Scenario, ScenarioError, World};
use std::time::Duration;

type Outcome = Result<(), ScenarioError>;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn shipped(name: &str) -> Scenario {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let octets = std::fs::read(path).expect("a scenario that ships");
    Scenario::parse(name, &octets).expect("a sound one")
}

/// The world of `three-routers.toml`, without its expectations.
fn three_routers() -> Builder {
    World::builder()
        .name("three-routers")
        .duration("100s")
        .hosts(["studio", "home"])
        .routers(["r1", "r2", "r3"])
        .link("studio", "r1", |l| l.rate("100mbit"))
        .link("r1", "r2", |l| l.rate("10mbit").delay("5ms").reservable("80%"))
        .link("r2", "r3", |l| l.rate("5mbit").delay("10ms").reservable("80%"))
        .link("r3", "home", |l| l.rate("100mbit"))
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.session("video").rate("2mbit").bucket("15kB"))
        .receiver("viewer", "home", |r| {
            r.session("video")
                .style("ff")
                .service("guaranteed")
                .rate("2mbit")
                .filters(["camera"])
                .confirm(true)
        })
}

#[test]
fn a_world_in_code_is_the_world_of_the_file() {
    let mut file = shipped("three-routers");
    file.expectations.clear();
    file.description.clear();
    let mut code = three_routers().scenario().expect("a sound one");
    code.file.clone_from(&file.file);
    assert_eq!(format!("{code:?}"), format!("{file:?}"));
}

#[test]
fn the_front_page_has_the_test_of_twenty_lines() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR")));
    let test = read("tests/external/world/tests/three_routers.rs").expect("the test");
    assert!(test.lines().count() <= 20, "{} lines", test.lines().count());
    let page = read("rsvp-sim/src/lib.rs").expect("the library");
    let lines = page.lines().map_while(|line| line.strip_prefix("//!"));
    let shown: Vec<&str> = lines.skip_while(|l| *l != " ```").skip(1).take_while(|l| *l != " ```").collect();
    let shown: Vec<&str> = shown.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    assert_eq!(shown.join("\n"), test.trim_end());
}

/// What is refused, with a line that says it.
#[track_caller]
fn refused(built: Result<Scenario, ScenarioError>, says: &[&str]) {
    let fault = built.expect_err("it cannot be");
    let here = std::panic::Location::caller().line() as usize;
    assert!(fault.file == file!() && (here..here + 9).contains(&fault.line), "line {here}: {fault}");
    for each in says {
        assert!(fault.message.contains(each), "no {each:?} in {fault}");
    }
}

#[test]
fn what_a_file_would_be_refused_for_is_refused_with_its_line() {
    let pair = || World::builder().hosts(["a", "b"]);
    let (on, to_b) = (|| pair().link("a", "b", |l| l), "b");
    refused(
        pair().router("relay").link("a", "realy", |l| l).scenario(),
        &["unknown node \"realy\", expected one of a, b, relay; did you mean \"relay\"?"],
    );
    refused(pair().link("a", "b", |l| l.rate("10")).scenario(), &["rate: \"10\" has no unit"]);
    refused(pair().link("a", "b", |l| l.rate("1mbit").rate("1mbit")).scenario(), &["duplicate key"]);
    refused(pair().link("a", "a", |l| l).scenario(), &["\"a\" is named twice"]);
    refused(pair().host("a").scenario(), &["there are two nodes \"a\""]);
    refused(pair().host("a b").scenario(), &["cannot be a name"]);
    refused(pair().scenario(), &["expected between 1 and"]);
    refused(World::builder().scenario(), &["expected one node at least"]);
    refused(on().session("s", |s| s.to("c")).scenario(), &["unknown node \"c\""]);
    refused(on().session("s", |s| s).scenario(), &["needs either `to = \"node\"`"]);
    refused(on().sender("x", "a", |s| s.rate("1mbit")).scenario(), &["there is not just one session"]);
    let session = || on().session("video", |s| s.to(to_b));
    refused(session().sender("x", "a", |s| s).scenario(), &["needs `rate ="]);
    refused(
        session().receiver("y", "b", |r| r.style("ff").rate("1mbit").filters(["x"])).scenario(),
        &["unknown sender \"x\", there is none"],
    );
    refused(
        session().receiver("y", "b", |r| r.style("wf").flow(|f| f.filters(["x"]).rate("1mbit"))).scenario(),
        &["wf takes none"],
    );
    refused(session().at("1s", "crsh", |a| a.node("a")).scenario(), &["did you mean \"crash\"?"]);
    refused(session().at("1h", "crash", |a| a.node("a").away("1s")).scenario(), &["after the end"]);
    refused(session().clock("a", |c| c.fast("80%")).scenario(), &["wrong by 50% at most"]);
    refused(session().object("a", |o| o.class(20).size("8B")).scenario(), &["expected 14"]);
    refused(session().route("a", |r| r.to("b")).scenario(), &["needs `out ="]);
    refused(session().toml("[[expct]]").scenario(), &["did you mean \"expect\"?"]);
    refused(session().duration("long").scenario(), &["duration"]);
}

#[test]
fn what_is_asked_of_a_world_by_a_wrong_name_is_answered_with_the_nearest() -> Outcome {
    let mut world = three_routers().build()?;
    let (before, after) =
        (line!(), |fault: ScenarioError| (fault.file == file!(), fault.line, fault.message));
    let said = [
        world.node("r33").map(drop).map_err(after),
        world.application("viewr").map(drop).map_err(after),
        world.tear("camra").map_err(after),
        world.leave("camera").map_err(after),
        world.crash("r4", seconds(1)).map_err(after),
        world.link_down("r1-r22").map_err(after),
        world.hold("r1-r22").map_err(after),
        world.change("camera", |c| c.rate("fast")).map_err(after),
        world.change("camera", |c| c.filters(["camera"])).map_err(after),
    ];
    let wanted = [
        "did you mean \"r3\"?",
        "did you mean \"viewer\"?",
        "did you mean \"camera\"?",
        "unknown receiver \"camera\"",
        "did you mean \"r1\"?",
        "did you mean \"r1-r2\"?",
        "did you mean \"r1-r2\"?",
        "rate: ",
        "has no use for `filters`",
    ];
    for (n, (said, wanted)) in said.into_iter().zip(wanted).enumerate() {
        let (here, line, message) = said.expect_err(wanted);
        assert!(here && line == before as usize + 2 + n, "{line}: {message}");
        assert!(message.contains(wanted), "{message}");
    }
    Ok(())
}

fn record_of(mut world: World, times: &[u64], end: u64) -> (String, Option<[u8; 32]>) {
    world.keep_digest();
    for at in times {
        world.run_until(Duration::from_millis(*at));
    }
    world.run_until(Duration::from_millis(end));
    assert_eq!(world.now().as_micros(), end.max(times.iter().copied().max().unwrap_or(0)) * 1000);
    (format!("{:?}", world.record()), world.digest())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_time_is_cut_up_the_same_happens(
        name in prop::sample::select(vec!["three-routers", "link-failure", "killer-reservation"]),
        mut times in proptest::collection::vec(0u64..100_000, 0..12),
    ) {
        times.sort_unstable();
        let whole = record_of(World::new(shipped(name)), &[], 100_000);
        prop_assert!(whole == record_of(World::new(shipped(name)), &times, 100_000), "cut at {:?}", times);
        let mut steps = World::new(shipped(name));
        steps.keep_digest();
        while steps.now().as_micros() <= 100_000_000 {
            let before = steps.clone();
            steps.step();
            if steps.now().as_micros() > 100_000_000 {
                steps = before;
                break;
            }
        }
        prop_assert_eq!(whole.1, steps.digest());
    }

    #[test]
    fn a_clone_left_alone_ends_as_the_original_and_one_that_goes_another_way_does_not(
        at in 0u64..90_000,
        name in prop::sample::select(vec!["three-routers", "link-failure"]),
    ) {
        let mut world = World::new(shipped(name));
        world.keep_digest();
        world.run_until(Duration::from_millis(at));
        let (mut alone, mut other) = (world.clone(), world.clone());
        let node = other.scenario().nodes[0].name.clone();
        other.crash(&node, seconds(1)).expect("a node");
        for each in [&mut world, &mut alone, &mut other] {
            each.run_until(seconds(100));
        }
        prop_assert_eq!(world.digest(), alone.digest());
        prop_assert_eq!(format!("{:?}", world.record()), format!("{:?}", alone.record()));
        prop_assert_ne!(world.digest(), other.digest());
    }

    #[test]
    fn no_word_makes_a_builder_panic(words in proptest::collection::vec("[ -~\\n\u{e9}]{0,8}", 6)) {
        let [a, b, c, d, e, f] = words.try_into().expect("six");
        let built = World::builder().host(&a).router(&b).link(&a, &c, |l| l.rate(&d).name(&e)).session(&f, |s| s.to(&b))
            .sender(&e, &b, |s| s.rate(&d)).receiver(&c, &a, |r| r.style(&f).flow(|g| g.rate(&d).filters([&a])))
            .description(&f).build();
        prop_assert!(built.is_err_and(|fault| fault.file == file!() && fault.line > 0));
    }
}

#[test]
fn a_step_says_what_happened_and_what_came_of_it() -> Outcome {
    let mut world = three_routers().build()?;
    let mut seen = Vec::new();
    let mut sent = 0;
    while let Some(step) = world.step() {
        sent += step.sent.len();
        if !step.told.is_empty() {
            seen.push((step.cause, step.told[0].application.clone(), step.sent.len()));
        }
        if step.at.as_secs_f64() > 5.0 {
            break;
        }
    }
    let node = |name| NodeAt(world.scenario().nodes.iter().position(|n| n.name == name).expect("a node"));
    let by = |cause: &Cause| match cause {
        Cause::Packet { node, .. } => Some(NodeAt(node.0)),
        _ => None,
    };
    // The Path at the viewer's host is answered in the same step; then the sender hears of Resv and the viewer of ResvConf.
    assert_eq!((by(&seen[0].0), seen[0].1.as_str(), seen[0].2), (Some(node("home")), "viewer", 1));
    assert_eq!((by(&seen[1].0), seen[1].1.as_str()), (Some(node("studio")), "camera"));
    assert_eq!((by(&seen[2].0), seen[2].1.as_str()), (Some(node("home")), "viewer"));
    assert_eq!(sent, world.record().sent.len());
    Ok(())
}

#[derive(Debug, PartialEq)]
struct NodeAt(usize);

#[test]
fn what_is_done_between_steps_happens() -> Outcome {
    let mut world = three_routers().build()?;
    world.tear("camera")?;
    world.run_until(seconds(5));
    assert!(world.node("home")?.paths().is_empty(), "it has stopped as it began");
    world.change("camera", |c| c.rate("3mbit").peak("5mbit"))?;
    world.run_until(seconds(6));
    assert_eq!(world.node("r3")?.paths()[0].tspec.rate, 375_000.0);
    world.change("viewer", |c| c.rate("1mbit").reserve("1.5mbit"))?;
    world.run_until(seconds(7));
    let charge = |w: &World| Ok(w.node("r2")?.reservations().first().map(|r| r.reservation.charge_bps));
    assert_eq!(charge(&world)?, Some(1_500_000));
    world.tear("viewer")?;
    world.run_until(seconds(8));
    assert_eq!(charge(&world)?, None);
    world.crash("r2", seconds(2))?;
    assert!(!world.node("r2")?.is_up() && world.node("r2")?.paths().is_empty());
    world.run_until(seconds(60));
    assert!(world.node("r2")?.is_up() && world.node("r2")?.paths().len() == 1);
    let unicast = world.node("r2")?.reservations();
    world.leave("viewer")?;
    assert_eq!(unicast, world.node("r2")?.reservations(), "nothing was reserved any more");
    Ok(())
}

#[test]
fn what_a_link_says_when_it_comes_up_arrives_and_what_is_underway_when_it_goes_down_does_not() -> Outcome {
    let mut world = three_routers().build()?;
    world.run_until(seconds(5));
    world.change("camera", |c| c.rate("1mbit"))?;
    world.run_until_that(|w| Ok(w.record().sent.last().is_some_and(|m| m.link.0 == 2)), seconds(6))?;
    let underway = world.record().sent.len() - 1;
    assert!(!world.record().sent[underway].is_lost());
    world.link_down("r2-r3")?;
    world.run_until(seconds(20));
    assert!(world.record().sent[underway].is_lost(), "the link has gone under it");
    let before = world.record().sent.len();
    world.link_up("r2-r3")?;
    world.run_until(world.now() - rsvp_node::Instant::ZERO + seconds(3));
    let said = &world.record().sent[before..];
    assert!(said.iter().any(|m| m.link.0 == 2) && said.iter().all(|m| !m.is_lost()), "{said:?}");
    assert_eq!(world.node("r3")?.paths().len(), 1);
    // What comes to a node that has crashed meanwhile is lost, too.
    world.change("camera", |c| c.rate("1.5mbit"))?;
    let now = world.now() - rsvp_node::Instant::ZERO;
    world.run_until_that(|w| Ok(w.record().sent.last().is_some_and(|m| m.link.0 == 2)), now + seconds(1))?;
    let underway = world.record().sent.len() - 1;
    world.crash("r3", seconds(5))?;
    world.run_until(now + seconds(2));
    assert!(world.record().sent[underway].is_lost());
    Ok(())
}

#[test]
fn a_link_that_is_cut_without_notice_lets_state_die_and_one_that_is_held_gives_all_back_in_order() -> Outcome
{
    let mut world = three_routers().build()?;
    world.run_until(seconds(5));
    let mut cut = world.clone();
    cut.partition("r2-r3")?;
    cut.run_until(seconds(4 * 60));
    assert!(cut.node("r3")?.paths().is_empty() && cut.node("r2")?.reservations().is_empty());
    assert_eq!(cut.node("r2")?.paths().len(), 1, "what comes from the other side lives");
    let after = cut.record().sent.iter().filter(|m| m.at.as_secs_f64() > 5.0 && m.link.0 == 2);
    assert!(after.into_iter().all(|m| m.is_lost()));
    cut.release("r2-r3")?;
    cut.run_until(seconds(5 * 60));
    assert_eq!(cut.node("r2")?.reservations().len(), 1);

    world.hold("r2-r3")?;
    world.hold("r2-r3")?;
    world.change("camera", |c| c.rate("1mbit"))?;
    world.run_until(seconds(6));
    world.change("camera", |c| c.rate("1.5mbit"))?;
    world.run_until(seconds(7));
    assert_eq!(world.node("r3")?.paths()[0].tspec.rate, 250_000.0, "nothing of it has come");
    world.release("r2-r3")?;
    world.run_until(seconds(8));
    assert_eq!(world.node("r3")?.paths()[0].tspec.rate, 187_500.0, "the last is the last");
    Ok(())
}

#[test]
fn a_packet_is_put_in_as_if_it_came_by_a_link() -> Outcome {
    let mut world = three_routers().build()?;
    world.run_until(seconds(5));
    let mut torn = world.clone();
    torn.tear("camera")?;
    let tear = torn.record().sent.last().expect("a PathTear").clone();
    assert_eq!(tear.message().expect("a message").msg_type(), MsgType::PATH_TEAR);
    let packet = |octets| Injected {
        source: tear.source,
        destination: tear.destination,
        ttl: tear.ttl,
        router_alert: true,
        octets,
    };
    let mut broken = world.clone();
    broken.inject("r1", "studio-r1", packet(&tear.octets[..20]))?;
    assert_eq!(broken.node("r1")?.paths().len(), 1);
    assert_eq!(broken.node("r1")?.engine().counters().discards().map(|(_, n)| n).sum::<u64>(), 1);
    let wrong = world.inject("r1", "r2-r3", packet(&tear.octets)).expect_err("not its link");
    assert!(
        wrong.message.contains("unknown link of r1 \"r2-r3\", expected one of studio-r1, r1-r2"),
        "{wrong}"
    );
    world.inject("r1", "studio-r1", packet(&tear.octets))?;
    assert!(world.node("r1")?.paths().is_empty());
    world.run_until(seconds(6));
    assert!(world.node("home")?.paths().is_empty());
    Ok(())
}
