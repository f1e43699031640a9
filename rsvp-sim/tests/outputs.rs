//! What `rsvp-sim run` writes besides its text: typed JSON that its schema describes, time series, JUnit's XML, pictures.

use boon::{Compiler, SchemaIndex, Schemas};
use rsvp_sim::{Report, Scenario, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::{Command, Output};

fn root() -> &'static str {
    env!("CARGO_MANIFEST_DIR")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rsvp-sim")).args(arguments).output().expect("the program")
}

fn scenarios() -> Vec<String> {
    let files = std::fs::read_dir(format!("{}/scenarios", root())).expect("scenarios");
    let mut files: Vec<String> =
        files.map(|file| file.expect("a file").path().display().to_string()).collect();
    files.sort();
    assert!(files.len() > 15);
    files
}

fn shipped(name: &str) -> String {
    format!("{}/scenarios/{name}.toml", root())
}

fn json_of(file: &str) -> Value {
    let output = run(&["run", "--json", file]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{file}: {fault}"))
}

fn schema() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let index = compiler.compile(&format!("{}/schema/report.json", root()), &mut schemas).expect("a schema");
    (schemas, index)
}

#[test]
fn every_report_is_as_its_schema_says() {
    let (schemas, index) = schema();
    for file in scenarios() {
        for family in ["ipv4", "ipv6"] {
            let output = run(&["run", "--json", "--family", family, &file]);
            let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
            if let Err(fault) = schemas.validate(&document, index) {
                panic!("{file} {family}: {fault}");
            }
        }
    }
}

/// What to put where to make a document wrong; nothing is put where something has to be missing.
fn spoils(good: &Value) -> Vec<(String, Option<Value>)> {
    let first = |list: &str, key: &str, word: &str| {
        let all = good[list].as_array().expect("a list");
        all.iter().position(|each| each[key] == word).unwrap_or_else(|| panic!("no {word}"))
    };
    let resv = first("messages", "type", "Resv");
    let path = first("messages", "type", "Path");
    let error = first("messages", "type", "ResvErr");
    let told = first("events", "event", "resv-error");
    let at = |list: &str, n: usize, rest: &str| format!("/{list}/{n}{rest}");
    let place = |rest: &str| at("messages", resv, rest);
    vec![
        (place("/style"), Some(json!("FF"))),
        (place("/flows/0/rate_bps"), Some(json!("2Mbit/s"))),
        (place("/bandwidth"), Some(json!(1))),
        (place("/type"), None),
        (place("/type"), Some(json!("Paht"))),
        (place("/type"), Some(json!("Path"))),
        (place("/type"), Some(json!("broken"))),
        (place("/style"), None),
        (place("/flows"), None),
        (place("/session"), None),
        (place("/confirm"), None),
        (place("/code"), Some(json!(1))),
        (place("/flows"), Some(json!([]))),
        (place("/flows"), Some(json!([{}]))),
        (place("/flows/0/filters"), None),
        (place("/flows/0/service"), Some(json!("guaranteed"))),
        (place("/flows/0/code"), Some(json!(1))),
        (place("/flows/0/why"), Some(json!("torn"))),
        (place("/octets"), Some(json!(1e9))),
        (place("/ttl"), Some(json!(256))),
        (at("messages", path, "/sender"), None),
        (at("messages", path, "/rate_bps"), None),
        (at("messages", path, "/style"), Some(json!("ff"))),
        (at("messages", error, "/code"), None),
        (at("messages", error, "/code"), Some(json!(900))),
        (at("messages", error, "/value"), Some(json!(65_536))),
        (at("messages", error, "/error_node"), None),
        (at("events", told, "/event"), Some(json!("bogus"))),
        (at("events", told, "/event"), Some(json!("path"))),
        (at("events", told, "/code"), Some(json!(900))),
        (at("events", told, "/filters"), None),
        (at("events", told, "/why"), Some(json!("torn"))),
        (at("events", told, "/at"), Some(json!(null))),
        ("/series/0/reserved_bps".to_owned(), Some(json!(-1))),
        ("/expectations".to_owned(), None),
    ]
}

#[test]
fn a_wrong_document_fails_the_schema() {
    let (schemas, index) = schema();
    let good = json_of(&shipped("killer-reservation"));
    assert!(schemas.validate(&good, index).is_ok());
    for (place, value) in spoils(&good) {
        let mut document = good.clone();
        let (parent, key) = place.rsplit_once('/').expect("a place");
        let fields = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        let what = format!("{place}: {value:?}");
        match value {
            Some(value) => {
                fields.insert(key.to_owned(), value);
            }
            None => {
                fields.remove(key).unwrap_or_else(|| panic!("no {place}"));
            }
        }
        assert!(schemas.validate(&document, index).is_err(), "{what}");
    }
}

#[test]
fn fields_are_typed() {
    let document = json_of(&shipped("admission-failure"));
    let of = |list: &str, key: &str, value: &str| {
        let all = document[list].as_array().expect("a list");
        all.iter().find(|each| each[key] == value).unwrap_or_else(|| panic!("no {value}")).clone()
    };
    let error = of("events", "event", "resv-error");
    assert_eq!((&error["code"], &error["code_name"]), (&json!(1), &json!("admission-control")));
    assert_eq!((&error["value"], &error["value_name"]), (&json!(2), &json!("bandwidth")));
    assert!(error["error_node"].is_string() && error["rate_bps"].is_f64() && error["style"].is_string());
    let resv = of("messages", "type", "Resv");
    assert!(resv["flows"][0]["rate_bps"].is_f64() && resv["flows"][0]["filters"].is_array(), "{resv}");
    let path = of("messages", "type", "Path");
    assert!(path["sender"].is_string() && path["rate_bps"].is_f64() && path["delay_s"].as_f64() > Some(0.0));
    let three = json_of(&shipped("three-routers"));
    let installed = &three["reservations"][1]["installed"][0];
    assert_eq!(installed["charge_bps"], json!(2e6));
    assert_eq!((&installed["style"], &installed["service"]), (&json!("ff"), &json!("guaranteed")));
}

/// Rows of the time series, by everything but the value.
type Rows = BTreeMap<(String, String, String, String), Vec<String>>;

#[test]
fn the_time_series_equal_the_json() {
    for name in ["three-routers", "link-failure", "killer-reservation", "teardown", "reserved-survives"] {
        let path = format!("{}/{name}.csv", env!("CARGO_TARGET_TMPDIR"));
        assert!(run(&["run", "--quiet", "--csv", &path, &shipped(name)]).status.success());
        let csv = std::fs::read_to_string(&path).expect("the series");
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some("at_s,from,link,quantity,value"));
        let mut seen = Rows::new();
        let mut last = 0.0;
        for line in lines {
            let [at, from, link, quantity, value] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let time: f64 = at.parse().expect("a time");
            assert!(time >= last, "{line}");
            last = time;
            let key = [at, from, link, quantity].map(str::to_owned);
            seen.entry(key.into()).or_default().push(value.to_owned());
        }
        let document = json_of(&shipped(name));
        let mut wanted = Rows::new();
        let mut want = |of: &Value, quantity: &str, value: String| {
            let word = |key: &str| of[key].as_str().expect("a name").to_owned();
            let at = of["at"].as_f64().expect("a time").to_string();
            wanted.entry((at, word("from"), word("link"), quantity.to_owned())).or_default().push(value);
        };
        for point in document["series"].as_array().expect("series") {
            want(point, "reserved_bps", point["reserved_bps"].to_string());
        }
        for message in document["messages"].as_array().expect("messages") {
            want(message, "message_octets", message["octets"].to_string());
            want(message, "message_delay_s", message["delay_s"].as_f64().expect("a delay").to_string());
            want(message, "message_lost", u8::from(message["lost"] == true).to_string());
        }
        for load in document["loads"].as_array().into_iter().flatten() {
            let class = load["class"].as_str().expect("a class");
            want(load, &format!("{class}_octets"), load["octets"].to_string());
            want(load, &format!("{class}_lost"), load["lost"].to_string());
            want(load, &format!("{class}_delay_s"), load["delay_s"].as_f64().expect("a delay").to_string());
        }
        assert_eq!(seen, wanted, "{name}");
        let data = |quantity: &str| seen.keys().any(|key| key.3 == quantity);
        assert_eq!(data("guaranteed_delay_s") && data("best-effort_lost"), name == "reserved-survives");
        assert!(seen.keys().any(|key| key.3 == "reserved_bps"));
    }
}

#[test]
fn the_series_ends_with_what_is_reserved_at_the_end() {
    for file in scenarios() {
        let document = json_of(&file);
        let mut last = BTreeMap::new();
        for point in document["series"].as_array().expect("series") {
            last.insert(
                (point["from"].to_string(), point["link"].to_string()),
                point["reserved_bps"].clone(),
            );
        }
        for used in document["reservations"].as_array().expect("reservations") {
            let key = (used["from"].to_string(), used["link"].to_string());
            assert_eq!(last.get(&key), Some(&used["reserved_bps"]), "{file}: {key:?}");
        }
    }
}

#[test]
fn junit_has_a_case_for_each_expectation() {
    let path = format!("{}/junit.xml", env!("CARGO_TARGET_TMPDIR"));
    let text = std::fs::read_to_string(shipped("three-routers")).expect("a scenario");
    let bad = format!("{}/<odd> & \"named\".toml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&bad, text.replacen("delay = \"10ms\"\nreservable = \"80%\"", "reservable = \"30%\"", 1))
        .expect("a file");
    for (file, fails) in [(shipped("three-routers"), false), (bad, true)] {
        let output = run(&["run", "--quiet", "--junit", &path, &file]);
        assert_eq!(output.status.code(), Some(i32::from(fails)));
        let xml = std::fs::read_to_string(&path).expect("the outcome");
        let document = roxmltree::Document::parse(&xml).expect("XML");
        let suite = document.root_element();
        let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!((suite.attribute("tests"), cases.len()), (Some("6"), 6));
        assert!(
            cases
                .iter()
                .all(|case| case.attribute("file") == Some(&file) && case.attribute("line").is_some())
        );
        let failed = cases.iter().filter(|case| case.children().any(|c| c.has_tag_name("failure"))).count();
        assert_eq!(suite.attribute("failures"), Some(failed.to_string().as_str()));
        assert_eq!(failed > 0, fails, "{xml}");
    }
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    for arguments in [vec!["run"], vec!["run", "--json"], vec!["check"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"))
            .args(&arguments)
            .arg(shipped("three-routers"))
            .stdout(full.try_clone().expect("a copy"))
            .output()
            .expect("the program");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
    for option in ["--html", "--svg", "--csv", "--junit"] {
        let output = run(&["run", "--quiet", option, "/nonexistent/out", &shipped("three-routers")]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("/nonexistent/out: cannot write"),
            "{option}"
        );
    }
}

#[test]
fn a_page_is_one_file_that_fetches_nothing_and_pictures_are_the_same_for_the_same_seed() {
    for name in ["three-routers", "killer-reservation", "same-segment", "link-failure"] {
        let make = || {
            let text = std::fs::read(shipped(name)).expect("a scenario");
            let (scenario, record) = World::new(Scenario::parse(name, &text).expect("sound")).run();
            let report = Report::new(&scenario, &record);
            (report.html(&record), report.svg(), report)
        };
        let (page, picture, report) = make();
        let again = make();
        assert!(page == again.0 && picture == again.1, "{name} is another one the second time");
        for word in ["src=", "href=", "url(", "fetch(", "import ", "http://", "https://"] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(word);
            assert!(!found, "{name}: {word}");
        }
        let drawn = roxmltree::Document::parse(&picture).expect("SVG");
        let texts: Vec<&str> =
            drawn.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
        for node in &report.nodes {
            assert_eq!(texts.iter().filter(|text| **text == node.name).count(), 2, "{name}: {}", node.name);
        }
        for message in report.messages.iter().filter(|m| !m.refresh) {
            assert!(texts.contains(&message.text.as_str()), "{name}: {}", message.text);
        }
    }
}

/// A tree of routers with a receiver behind each of 100, so that there are 5,000 messages.
fn large(messages: usize) -> (Report, String) {
    let mut built = World::builder().name("large").duration("40min").host("studio").router("r0").link(
        "studio",
        "r0",
        |l| l,
    );
    for n in 1..99 {
        built = built.router(format!("r{n}")).link(format!("r{}", (n - 1) / 3), format!("r{n}"), |l| l);
    }
    for n in 0..100 {
        built = built.host(format!("home{n}")).link(format!("r{}", n.min(98)), format!("home{n}"), |l| l);
    }
    built = built.session("video", |s| s.group("video")).sender("camera", "studio", |s| s.rate("1mbit"));
    for n in 0..100 {
        built = built.receiver(format!("viewer{n}"), format!("home{n}"), |r| r.style("ff").rate("1mbit"));
    }
    let mut world = built.build().expect("sound");
    while world.record().sent.len() < messages {
        world.step();
    }
    let report = world.report();
    let page = report.html(world.record());
    (report, page)
}

#[test]
fn a_page_of_200_nodes_and_5000_messages_has_less_than_2_mb() {
    let (report, page) = large(5000);
    assert!(report.nodes.len() == 200 && report.messages.len() >= 5000);
    assert!(page.len() < 2_000_000, "{} octets", page.len());
    assert!(!page.contains(&format!("of {} messages", report.messages.len())), "every message has room");
    let (report, page) = large(40_000);
    assert!(page.len() < 2_000_000, "{} octets", page.len());
    let left =
        page.split("\"left_out\":[\"").nth(1).and_then(|text| text.split(']').next()).expect("it is said");
    assert!(left.contains(&format!("of {} messages", report.messages.len())), "{left}");
}

#[test]
fn shards_are_joined_and_one_that_is_missing_or_was_killed_is_noticed() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let part = |n: usize, text: &str| {
        let path = format!("{folder}/part-{n}.jsonl");
        std::fs::write(&path, text).expect("a file");
        path
    };
    let shard = |n: usize| {
        let output = run(&["search", "--seeds", "0..9", "--shard", &format!("{n}/3"), "--all", "--json"]);
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    let shards: Vec<String> = (1..=3).map(shard).collect();
    let files: Vec<String> = shards.iter().enumerate().map(|(n, text)| part(n, text)).collect();
    let merge = |files: &[&str]| {
        let output = run(&[&["search", "--seeds", "0..9", "--merge"], files].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    let all: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, said) = merge(&all);
    assert_eq!((code, said.as_str()), (Some(0), "9 worlds of 3 files, 0 fail\n"));

    let (code, said) = merge(&all[..2]);
    assert_eq!(code, Some(1));
    assert!(said.contains("3 of the seeds 0..9 are in no file: 2, 5, 8"), "{said}");
    let killed = part(3, &shards[2][..shards[2].len() - 20]);
    let (code, said) = merge(&[all[0], all[1], &killed]);
    assert_eq!(code, Some(1));
    assert!(said.contains("1 of the seeds 0..9 are in no file"), "{said}");
    let planted = shards[2].replacen("\"held\":true", "\"held\":false", 1);
    assert_ne!(planted, shards[2]);
    let (code, said) = merge(&[all[0], all[1], &part(4, &planted)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("fails: not so") && said.contains("1 fail"), "{said}");
    let (code, said) = merge(&[all[0], all[1], all[2], all[2]]);
    assert_eq!(code, Some(2));
    assert!(said.contains("is in two lines"), "{said}");
    let large = shards[2].replace("\"large\":false", "\"large\":true");
    let (code, said) = merge(&[all[0], all[1], &part(5, &large)]);
    assert_eq!(code, Some(2));
    assert!(said.contains("line 1: a seed of --large, and this is a search without --large"), "{said}");
    let (code, said) = merge(&all[1..]);
    assert_eq!(code, Some(1));
    for command in [
        "\n  rsvp-sim search --seeds 0..9 --shard 1/3 --all --json > FILE\n",
        "\n  sbatch --array=1 --export=ALL,SHARDS=3,SEEDS=0..9,OUT=FOLDER rsvp-sim/cluster/search.sbatch\n",
    ] {
        assert!(said.contains(command), "no {command:?} in {said}");
    }
}

#[test]
fn seeds_of_large_worlds_are_no_seeds_of_usual_ones() {
    let file = format!("{}/large.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let (usual, of_large): (&[&str], &[&str]) = (&["search"], &["search", "--large"]);
    for (large, flags, other) in [(false, usual, of_large), (true, of_large, usual)] {
        let line = format!("{{\"seed\":0,\"large\":{large},\"held\":true,\"shard\":\"1/1\"}}\n");
        std::fs::write(&file, line).expect("a file");
        let merge = |flags: &[&str]| run(&[flags, &["--seeds", "0..1", "--merge", &file]].concat());
        assert_eq!(merge(flags).status.code(), Some(0), "{large}");
        let output = merge(other);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{large}: {said}");
        assert!(
            said.contains("large.jsonl: line 1: a seed of ") && said.contains("merge them apart"),
            "{said}"
        );
    }
}

#[test]
fn a_shard_whose_time_was_up_says_how_far_it_got_and_merge_says_it() {
    let refused = run(&["search", "--minutes", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("expected more than 0"));

    let search = ["search", "--seeds", "0..100000", "--shard", "2/3", "--minutes", "0.00001", "--all"];
    let output = run(&[search.as_slice(), &["--json"]].concat());
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (end, worlds) = lines.split_last().expect("lines");
    assert!(!worlds.is_empty() && worlds.iter().all(|world| world["seed"].is_u64()), "{text}");
    let next = 1 + 3 * worlds.len() as u64;
    assert_eq!((&end["shard"], &end["next"]), (&json!("2/3"), &json!(next)), "{text}");
    let said = run(&search).stdout;
    assert!(String::from_utf8_lossy(&said).contains("the time was up before seed "));

    let file = format!("{}/short.jsonl", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, text).expect("a file");
    let merged = run(&["search", "--seeds", "0..100000", "--merge", &file]);
    let said = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert_eq!(merged.status.code(), Some(1), "{said}");
    let why = format!("the time of shard 2/3 (--minutes 0.00001) was up before seed {next}");
    assert!(said.contains("are in no file") && said.contains(&why), "{said}");
}

#[test]
fn a_search_of_one_scenario_speaks_json_too() {
    let output = run(&["search", "--json", "--scenario", &shipped("three-routers")]);
    let line: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(output.status.success() && line["held"] == json!(true) && line["nodes"] == json!(5), "{line}");
    assert_eq!(line["scenario"], json!(shipped("three-routers")));
}

#[test]
fn reading_a_file_takes_as_long_as_it_is() {
    // 4,000 hosts and 4,000 sessions: minutes where each name is searched for among all.
    let mut text = String::from("name = \"many\"\n[nodes]\nrouters = [\"r\"]\nhosts = [\"s\"");
    (0..4000).for_each(|n| text.push_str(&format!(", \"h{n}\"")));
    text.push_str("]\n[[link]]\nbetween = [\"s\", \"r\"]\n");
    for n in 0..4000 {
        text.push_str(&format!(
            "[[link]]\nbetween = [\"r\", \"h{n}\"]\n[[session]]\nname = \"v{n}\"\nto = \"h{n}\"\n[[sender]]\nname = \"c{n}\"\n\
             node = \"s\"\nsession = \"v{n}\"\nport = {}\nrate = \"1kbit\"\n[[receiver]]\nname = \"w{n}\"\nnode = \"h{n}\"\n\
             session = \"v{n}\"\nstyle = \"ff\"\nrate = \"1kbit\"\n[[expect]]\nwhat = \"paths\"\nnode = \"h{n}\"\nat = \"9s\"\n",
            1000 + n
        ));
    }
    let scenario = Scenario::parse("many.toml", text.as_bytes()).expect("sound");
    assert_eq!((scenario.nodes.len(), scenario.expectations.len()), (4002, 4000));
    let mut world = World::unrecorded(scenario);
    world.run_until(std::time::Duration::from_secs(5));
    assert_eq!(world.node("r").expect("a router").reservations().len(), 4000);
    // Beyond the 255th link, addresses have another second octet.
    let path = &world.node("h3000").expect("a host").paths()[0];
    assert_eq!(path.session.destination().to_string(), "10.11.186.2");
}
