//! The scenarios that ship: they hold with every seed in both families, and they hold for a reason. Every value that
//! they expect, changed alone, makes them fail and say what was seen.

use rsvp_sim::scenario::model::Family;
use rsvp_sim::world::Record;
use rsvp_sim::{Report, Scenario, Verdict, World, judge_one};
use std::path::PathBuf;
use toml::{Table, Value};

const SHIPPED: [&str; 22] = [
    "three-routers",
    "admission-failure",
    "killer-reservation",
    "killer-reservation-se",
    "blockade-order",
    "mtu-per-receiver",
    "se-added-sender",
    "teardown",
    "link-failure",
    "plain-routers",
    "figure-5-wf",
    "figure-6-ff",
    "figure-7-se",
    "figure-8-wf-partial",
    "figure-10-independent",
    "figure-11-scope",
    "service-change",
    "ipsec",
    "same-segment",
    "a-router-between",
    "a-class",
    "reserved-survives",
];

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../rsvp-sim/scenarios"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(directory().join(format!("{name}.toml"))).expect("a scenario that ships")
}

fn scenario(name: &str) -> Scenario {
    Scenario::parse(name, text(name).as_bytes()).expect("a sound scenario")
}

#[test]
fn the_list_of_shipped_scenarios_is_complete() {
    let files = std::fs::read_dir(directory()).expect("the directory");
    let mut found: Vec<String> = files
        .map(|f| f.expect("an entry").file_name().to_string_lossy().trim_end_matches(".toml").to_owned())
        .collect();
    let mut listed = SHIPPED.to_vec();
    found.sort();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

/// RFC 2205 section 3.6: nodes need not hear of a change of routes at one moment. Whoever gives up the old way first is asked for what
/// it has no path for, and says so; no receiver is told of it, since the new way is reserved by then.
#[test]
fn a_link_failure_troubles_nobody_where_routing_converges_unevenly() {
    let mut refused = 0;
    for seed in 1..=150 {
        let mut uneven = scenario("link-failure");
        (uneven.seed, uneven.convergence) = (seed, core::time::Duration::from_secs(1));
        let (_, record) = World::new(uneven).run();
        refused += record.sent.iter().filter(|m| m.label.starts_with("ResvErr")).count();
        let viewer: Vec<&str> =
            record.told.iter().filter(|e| e.application == "viewer").map(|e| e.label.as_str()).collect();
        assert_eq!(viewer.len(), 1, "seed {seed}: one Path and nothing else: {viewer:?}");
    }
    assert!(refused > 0, "the case is there");
}

fn holds_with_every_seed(name: &str) {
    for family in [Family::Ipv4, Family::Ipv6] {
        for seed in 1..=20 {
            let mut scenario = scenario(name);
            scenario.seed = seed;
            scenario.family = family;
            let report = Report::of(scenario);
            assert!(report.held(), "{name}, seed {seed}, {family:?}:\n{}", report.brief(Default::default()));
        }
    }
}

#[test]
fn three_routers_holds() {
    holds_with_every_seed("three-routers");
}

#[test]
fn admission_failure_holds() {
    holds_with_every_seed("admission-failure");
}

#[test]
fn killer_reservation_holds() {
    holds_with_every_seed("killer-reservation");
}

#[test]
fn killer_reservation_se_holds() {
    holds_with_every_seed("killer-reservation-se");
}

#[test]
fn blockade_order_holds() {
    holds_with_every_seed("blockade-order");
}

#[test]
fn mtu_per_receiver_holds() {
    holds_with_every_seed("mtu-per-receiver");
}

#[test]
fn se_added_sender_holds() {
    holds_with_every_seed("se-added-sender");
}

#[test]
fn teardown_holds() {
    holds_with_every_seed("teardown");
}

#[test]
fn plain_routers_holds() {
    holds_with_every_seed("plain-routers");
}

#[test]
fn link_failure_holds() {
    holds_with_every_seed("link-failure");
}

#[test]
fn ipsec_holds() {
    holds_with_every_seed("ipsec");
}

#[test]
fn reserved_survives_holds() {
    holds_with_every_seed("reserved-survives");
}

#[test]
fn service_change_holds() {
    holds_with_every_seed("service-change");
}

#[test]
fn scenarios_of_qos_sockets_hold() {
    for name in ["same-segment", "a-router-between", "a-class"] {
        holds_with_every_seed(name);
    }
}

#[test]
fn figures_5_to_8_hold() {
    for name in [
        "figure-5-wf",
        "figure-6-ff",
        "figure-7-se",
        "figure-8-wf-partial",
        "figure-10-independent",
        "figure-11-scope",
    ] {
        holds_with_every_seed(name);
    }
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_seed_another() {
    let json = |seed: u64| {
        let mut scenario = scenario("killer-reservation");
        scenario.seed = seed;
        serde_json::to_string(&Report::of(scenario)).expect("a report")
    };
    assert_eq!(json(7), json(7));
    assert_ne!(json(7), json(8));
}

#[test]
fn a_middle_link_that_is_too_small_turns_three_routers_into_an_admission_failure_there() {
    // Between r1 and r2 the share is of 10 Mbit/s, between r2 and r3 of 5.
    for (router, share) in [("r1", "19%"), ("r2", "39%")] {
        let mut file: Table = text("three-routers").parse().expect("TOML");
        let links = file["link"].as_array_mut().expect("links");
        let middle = links.iter_mut().find(|l| l["between"][0].as_str() == Some(router)).expect("the link");
        middle["reservable"] = Value::from(share);
        let report = Report::of(parse(&file).expect("a sound scenario"));
        assert!(!report.held());
        let told: Vec<&str> =
            report.events.iter().filter(|e| e.application == "viewer").map(|e| e.text.as_str()).collect();
        let error = format!("admission-control/bandwidth at {router}");
        assert!(told.iter().any(|text| text.contains("resv error") && text.contains(&error)), "{told:?}");
    }
}

fn parse(file: &Table) -> Option<Scenario> {
    Scenario::parse("mutant.toml", toml::to_string(file).expect("TOML").as_bytes()).ok()
}

/// A place in an expectation and what is put there.
struct Mutant {
    expectation: usize,
    path: Vec<Step>,
    put: Option<Value>,
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Place(usize),
}

/// Names and words to put in place of others.
struct Words {
    nodes: Vec<String>,
    links: Vec<String>,
    senders: Vec<String>,
    applications: Vec<String>,
    sessions: Vec<String>,
    traffic: Vec<String>,
}

impl Words {
    fn of(scenario: &Scenario) -> Self {
        let senders: Vec<String> = scenario.senders.iter().map(|s| s.name.clone()).collect();
        let receivers = scenario.receivers.iter().map(|r| r.name.clone());
        Self {
            nodes: scenario.nodes.iter().map(|n| n.name.clone()).collect(),
            links: scenario.links.iter().map(|l| l.name.clone()).collect(),
            applications: senders.iter().cloned().chain(receivers).collect(),
            traffic: scenario.loads.iter().map(|l| l.name.clone()).collect(),
            sessions: scenario.sessions.iter().map(|s| s.name.clone()).collect(),
            senders,
        }
    }

    /// Everything else that could stand under a key.
    fn others(&self, key: &str, now: &str) -> Vec<Value> {
        let fixed = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let words = match key {
            "rate" | "reserve" | "charge" => fixed(&["1234567bit", "0.5gbit"]),
            "node" | "from" | "error_node" => self.nodes.clone(),
            "to" => [self.nodes.clone(), self.links.clone()].concat(),
            "previous_hop" | "next_hop" => [self.nodes.clone(), fixed(&["application"])].concat(),
            "link" => self.links.clone(),
            "sender" | "filters" | "scope" => self.senders.clone(),
            "application" | "receiver" => self.applications.clone(),
            "session" => self.sessions.clone(),
            "type" => fixed(&["Path", "Resv", "PathErr", "ResvErr", "PathTear", "ResvTear", "ResvConf"]),
            "direction" => fixed(&["upstream", "downstream"]),
            "style" => fixed(&["wf", "ff", "se"]),
            "service" => fixed(&["controlled-load", "guaranteed"]),
            "event" => fixed(&[
                "path",
                "path-gone",
                "resv",
                "resv-gone",
                "path-error",
                "resv-error",
                "resv-confirm",
                "receivers",
                "senders",
                "no-receivers",
                "request-confirmed",
                "admission-failure",
            ]),
            "dscp" => fixed(&["DF", "CS3", "CS5", "EF", "13"]),
            "code" => fixed(&["confirmation", "policy-control", "no-path", "traffic-control"]),
            "value" => fixed(&["delay-bound", "mtu"]),
            "flags" => fixed(&["in-place", "not-guilty"]),
            "traffic" => self.traffic.clone(),
            key if key.ends_with("_at_most") => fixed(&[if key.starts_with("delay") { "1us" } else { "0%" }]),
            key if key.ends_with("_at_least") => {
                fixed(&[if key.starts_with("delay") { "20s" } else { "100%" }])
            }
            "why" => fixed(&["torn", "timed-out"]),
            other => panic!("no idea how to change `{other}`"),
        };
        words.into_iter().filter(|word| word != now).map(Value::from).collect()
    }

    /// All mutants of one value and of those within it.
    fn mutants(&self, expectation: usize, path: &[Step], key: &str, value: &Value, all: &mut Vec<Mutant>) {
        let mut put = |put: Value| all.push(Mutant { expectation, path: path.to_vec(), put: Some(put) });
        match value {
            // Times say when to look, not what is seen.
            Value::String(_) if ["what", "about", "at", "within"].contains(&key) => {}
            Value::String(now) => self.others(key, now).into_iter().for_each(put),
            Value::Integer(n) if key == "at_least" => put(Value::Integer(n * 1000)),
            Value::Integer(_) if key == "at_most" => put(Value::Integer(0)),
            Value::Integer(n) => put(Value::Integer(n + 1)),
            Value::Boolean(yes) => put(Value::Boolean(!yes)),
            Value::Array(list) => {
                if key == "filters" || key == "scope" || key == "flags" {
                    let now: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                    for other in self
                        .others(key, "")
                        .into_iter()
                        .filter(|o| !now.iter().any(|n| o.as_str() == Some(n)))
                    {
                        put(Value::Array(list.iter().cloned().chain([other]).collect()));
                    }
                }
                for (place, each) in list.iter().enumerate() {
                    let path = [path, &[Step::Place(place)]].concat();
                    if key != "within" {
                        all.push(Mutant { expectation, path: path.clone(), put: None });
                    }
                    self.mutants(expectation, &path, key, each, all);
                }
            }
            Value::Table(table) => {
                for (key, each) in table {
                    self.mutants(expectation, &[path, &[Step::Key(key.clone())]].concat(), key, each, all);
                }
            }
            Value::Float(_) | Value::Datetime(_) => {}
        }
    }
}

fn apply(file: &mut Table, mutant: &Mutant) {
    let mut at = &mut file["expect"][mutant.expectation];
    let (last, way) = mutant.path.split_last().expect("a path");
    for step in way {
        at = match step {
            Step::Key(key) => &mut at[key.as_str()],
            Step::Place(place) => &mut at[*place],
        };
    }
    match (last, &mutant.put) {
        (Step::Key(key), Some(value)) => at[key.as_str()] = value.clone(),
        (Step::Place(place), Some(value)) => at[*place] = value.clone(),
        (Step::Place(place), None) => drop(at.as_array_mut().expect("a list").remove(*place)),
        (Step::Key(_), None) => panic!("only elements of lists are taken out"),
    }
}

/// The value at a mutant's place before it was changed.
fn original<'f>(file: &'f Table, mutant: &Mutant) -> &'f Value {
    mutant.path.iter().fold(&file["expect"][mutant.expectation], |at, step| match step {
        Step::Key(key) => &at[key.as_str()],
        Step::Place(place) => &at[*place],
    })
}

/// A failure says what was seen. In a list that is, among others, the true value that the mutant replaced.
fn says_what_was_seen(verdict: &Verdict, mutant: &Mutant, file: &Table) -> bool {
    let saw = verdict.seen.contains("saw ");
    match original(file, mutant) {
        Value::String(word) if mutant.path.len() > 1 => {
            saw && verdict.seen.to_lowercase().contains(&word.to_lowercase())
        }
        Value::Integer(n) if matches!(&mutant.path[..], [Step::Key(key)] if key == "count") => {
            saw && verdict.seen.contains(&n.to_string())
        }
        _ => saw && verdict.seen.len() > "saw ".len(),
    }
}

/// How many mutants were judged, and those that hold or say nothing. What a mutant expects changes nothing about what happens, so
/// one run serves for all. Expectations that were skipped have none.
fn judge_mutants(name: &str, record: &Record) -> (usize, Vec<String>) {
    let file: Table = text(name).parse().expect("TOML");
    let words = Words::of(&scenario(name));
    let mut mutants = Vec::new();
    for (n, expectation) in file["expect"].as_array().expect("expectations").iter().enumerate() {
        if !record.skipped.contains_key(&n) {
            words.mutants(n, &[], "", expectation, &mut mutants);
        }
    }
    let (mut judged, mut survivors) = (0, Vec::new());
    for mutant in &mutants {
        let mut changed = file.clone();
        apply(&mut changed, mutant);
        // A mutant may also be refused as nonsense.
        let Some(scenario) = parse(&changed) else { continue };
        judged += 1;
        let expectation = &scenario.expectations[mutant.expectation];
        let verdict = &judge_one(mutant.expectation, expectation, record);
        if verdict.held || !says_what_was_seen(verdict, mutant, &file) {
            survivors.push(format!("{name}: {:?} = {:?}: {verdict:?}", mutant.path, mutant.put));
        }
    }
    (judged, survivors)
}

/// Every value that a scenario expects matters to what was seen.
pub(crate) fn check_every_value(name: &str, record: &Record) {
    let (judged, survivors) = judge_mutants(name, record);
    assert!(judged > 50, "{name}: only {judged} mutants");
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

#[test]
fn every_expected_value_matters() {
    for name in SHIPPED {
        let (_, record) = World::new(scenario(name)).run();
        check_every_value(name, &record);
    }
}
