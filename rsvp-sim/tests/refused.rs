//! What can never be so is refused where it is said: in files, in code, and between the steps of a world.

use rsvp_sim::{Builder, Scenario, ScenarioError, World};
use std::process::Command;
use std::time::Duration;

/// A unicast session to `b` and a group; the camera starts at 10 s, the viewer at 5 s.
const SOUND: &str = r#"
name = "sound"
duration = "100s"
[nodes]
hosts = ["a", "b", "c"]
routers = ["r"]
[[link]]
between = ["a", "r"]
[[link]]
between = ["r", "b"]
mtu = 1400
[[link]]
between = ["r", "c"]
[[session]]
name = "film"
to = "b"
[[session]]
name = "music"
group = "music"
[[sender]]
name = "camera"
node = "a"
session = "film"
rate = "1mbit"
start = "10s"
[[sender]]
name = "band"
node = "a"
session = "music"
rate = "1mbit"
[[receiver]]
name = "viewer"
node = "b"
session = "film"
style = "ff"
rate = "1mbit"
start = "5s"
[[receiver]]
name = "listener"
node = "c"
session = "music"
style = "wf"
rate = "1mbit"
[[action]]
at = "60s"
do = "tear"
sender = "camera"
[[expect]]
what = "paths"
node = "b"
list = []
"#;

/// The sound file with this in place of that, or at its end, is refused at a place and in these words.
#[track_caller]
fn refused(from: &str, to: &str, says: &str) {
    let text = if from.is_empty() { format!("{SOUND}{to}\n") } else { SOUND.replacen(from, to, 1) };
    assert_ne!(text, SOUND, "{from}");
    let fault = Scenario::parse("bad.toml", text.as_bytes()).expect_err(says);
    assert!(fault.line > 0 && fault.message.contains(says), "no {says:?} in {fault}");
    let line = text.lines().nth(fault.line - 1).expect("a line of the file");
    assert!(!line.is_empty(), "{fault}");
}

#[test]
fn what_is_sound_is_taken() {
    Scenario::parse("sound.toml", SOUND.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn who_can_never_receive_is_refused_with_the_node_that_could() {
    let elsewhere = "[[receiver]]\nname = \"other\"\nnode = \"c\"\nsession = \"film\"";
    refused("", elsewhere, "node: data of session \"film\" goes to \"b\" and never to \"c\": expected \"b\"");
}

#[test]
fn what_is_done_to_who_has_not_started_is_said() {
    let notes = |action: &str| {
        let scenario = format!("{SOUND}[[action]]\n{action}");
        Scenario::parse("early.toml", scenario.as_bytes()).expect("allowed").notes()
    };
    let tear = "at = \"9s\"\ndo = \"tear\"\nsender = \"camera\"";
    let said = "action at \"9s\": \"camera\" starts at \"10s\", and has given up before it begins";
    assert_eq!(notes(tear), [said]);
    let change = notes("at = \"4s\"\ndo = \"change\"\nreceiver = \"viewer\"\nrate = \"2mbit\"");
    assert!(change[0].contains("starts with what it is changed to"), "{change:?}");
    assert_eq!(notes("at = \"4999ms\"\ndo = \"leave\"\nreceiver = \"viewer\"").len(), 1);
    assert!(notes(&tear.replace("9s", "10s")).is_empty());
    let before = "[[traffic]]\nsender = \"camera\"\nend = \"10s\"";
    refused("", before, "end: \"camera\" starts at \"10s\" and sends nothing before");
    let empty = "at = \"60s\"\ndo = \"tear\"\nreceiver = \"viewer\"\nfilters = []";
    refused("", &format!("[[action]]\n{empty}"), "filters: expected one sender at least");
}

#[test]
fn two_of_what_there_is_one_of_are_refused() {
    let twin = "[[session]]\nname = \"again\"\nto = \"b\"";
    refused("", twin, "\"film\" has the same destination, protocol and port");
    refused("", &format!("{twin}\nport = 5000"), "port: \"film\" has the same destination");
    let other = format!("{SOUND}{twin}\nport = 5001\n");
    Scenario::parse("other.toml", other.as_bytes()).expect("another port is another session");
    let clock = "[[clock]]\nnode = \"r\"\nfast = \"1%\"\n";
    refused("", &clock.repeat(2), "there are two [[clock]] of \"r\"");
    let object = "[[object]]\nnode = \"b\"\nclass = 200\nsize = \"8B\"\n";
    refused("", &object.repeat(2), "there are two [[object]] of \"b\"");
    let route = "[[route]]\nnode = \"r\"\nto = \"b\"\nout = [\"b\"]\n";
    refused("", &route.repeat(2), "\"r\" has a [[route]] for the same");
    let of_another = "[[route]]\nnode = \"r\"\nsession = \"film\"\nsender = \"band\"\nout = [\"b\"]";
    refused("", of_another, "sender: expected a sender to the route's session");
    let flows = "flows = [{ filters = [\"camera\"], rate = \"1mbit\" }, { filters = [\"camera\"], rate = \"2mbit\" }]";
    refused(
        "style = \"ff\"\nrate = \"1mbit\"",
        &format!("style = \"ff\"\n{flows}"),
        "a sender is named twice",
    );
}

#[test]
fn values_that_no_network_has_are_refused_with_those_that_some_have() {
    refused("mtu = 1400", "mtu = 575", "mtu: expected a whole number from 576 to 65535");
    let small = SOUND.replacen("mtu = 1400", "mtu = 600", 1);
    Scenario::parse("small.toml", small.as_bytes()).expect("IPv4 has such links");
    let text = small.replacen("duration", "family = \"ipv6\"\nduration", 1);
    let fault = Scenario::parse("small.toml", text.as_bytes()).expect_err("IPv6 has not");
    assert!(fault.message.contains("mtu: expected 1280 at least with family = \"ipv6\""), "{fault}");
}

#[test]
fn token_buckets_are_within_what_a_tspec_says() {
    refused("rate = \"1mbit\"", "rate = \"7bit\"", "rate: expected \"8bit\" to \"320000gbit\"");
    refused("rate = \"1mbit\"", "rate = \"400000gbit\"", "rate: expected \"8bit\" to \"320000gbit\"");
    refused("rate = \"1mbit\"", "rate = \"1mbit\"\nbucket = \"0B\"", "bucket: expected \"1B\" at least");
    refused("rate = \"1mbit\"", "rate = \"2mbit\"\npeak = \"1mbit\"", "peak: expected at least the rate");
    refused(
        "rate = \"1mbit\"",
        "rate = \"2mbit\"\nmin_packet = \"900B\"\nmax_packet = \"800B\"",
        "min_packet is above",
    );
    for ttl in ["0", "256", "-1"] {
        refused(
            "rate = \"1mbit\"",
            &format!("rate = \"1mbit\"\nttl = {ttl}"),
            "ttl: expected a whole number from 1 to 255",
        );
    }
}

#[test]
fn groups_are_of_the_files_family_and_reservations_have_senders() {
    refused("group = \"music\"", "group = \"ff0e::7\"", "group: ff0e::7 is not of the file's `family`");
    let lonely = "[[session]]\nname = \"lonely\"\ngroup = \"lonely\"\n[[receiver]]\nname = \"x\"\nnode = \"c\"\nsession = \"lonely\"\n\
                  style = \"se\"\nrate = \"1mbit\"";
    refused(
        "",
        lonely,
        "style: session \"lonely\" has no sender to reserve for: expected a [[sender]] of it",
    );
}

#[test]
fn expectations_of_what_can_never_be_are_no_way_to_expect_nothing() {
    let on = "node = \"b\"\nlist = []";
    refused(
        on,
        "node = \"b\"\nlink = \"a-r\"\nlist = []",
        "link: \"b\" is not on \"a-r\", expected one of r-b",
    );
    refused(on, "link = \"a-r\"\nlist = [{ node = \"b\" }]", "link: \"b\" is not on \"a-r\"");
    refused(
        on,
        "session = \"film\"\nsender = \"band\"\nlist = []",
        "sender: \"band\" does not send to \"film\"",
    );
    refused(on, "node = \"b\"\nat = \"101s\"\nlist = []", "after the end of the run");
    let late = "what = \"messages\"\nwithin = [\"1s\", \"101s\"]";
    refused("what = \"paths\"\nnode = \"b\"", late, "after the end of the run");
}

/// A host with a camera that starts late, and one for which its session is.
fn pair() -> Builder {
    World::builder()
        .hosts(["studio", "home"])
        .link("studio", "home", |l| l)
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.rate("1mbit").start("10s"))
}

#[test]
fn code_is_refused_what_files_are_at_its_own_line() {
    let elsewhere = pair().receiver("viewer", "studio", |r| r);
    let fault = elsewhere.scenario().expect_err("nothing comes there");
    assert!(fault.file == file!() && fault.line > 0, "{fault}");
    assert!(fault.message.contains("goes to \"home\" and never to \"studio\""), "{fault}");
}

#[test]
fn what_a_link_or_node_is_already_is_said_and_changes_nothing() -> Result<(), ScenarioError> {
    let mut world = pair().build()?;
    world.link_up("studio-home")?;
    world.link_down("studio-home")?;
    world.link_down("studio-home")?;
    world.crash("home", Duration::from_secs(2))?;
    world.crash("home", Duration::from_secs(3))?;
    let notes: Vec<&str> = world.record().notes.iter().map(|note| note.text.as_str()).collect();
    let said = [
        "link studio-home is up already",
        "link studio-home goes down",
        "link studio-home is down already",
        "home crashes for 2s",
        "home has crashed already",
    ];
    assert_eq!(notes, said);
    Ok(())
}

#[test]
fn a_seed_beyond_the_whole_numbers_of_toml_is_the_same_in_code_files_and_on_the_command_line() {
    for seed in [0, i64::MAX as u64, 1 << 63, u64::MAX] {
        let built = pair().seed(seed).scenario().expect("a seed");
        assert_eq!(built.seed, seed);
        let read = Scenario::parse("seed.toml", built.to_toml().as_bytes()).expect("it can be read");
        assert_eq!(read.seed, seed);
    }
    for bad in ["9223372036854775808", "-1", "\"18446744073709551616\"", "\"x\""] {
        let text = SOUND.replacen("duration", &format!("seed = {bad}\nduration"), 1);
        let fault = Scenario::parse("seed.toml", text.as_bytes()).expect_err(bad);
        assert!(fault.line == 3 && !fault.message.is_empty(), "{fault}");
    }
    let file = format!("{}/sound.toml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, SOUND).expect("a file");
    let run = |seed: &str| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_rsvp-sim")).args(["run", "--seed", seed, &file]).output();
        let output = output.expect("the command");
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
    };
    let (code, said) = run("18446744073709551615");
    assert!(code == Some(0) && said.contains("seed 18446744073709551615"), "{said}");
    assert_eq!(run("18446744073709551616").0, Some(2));
}

#[test]
fn a_world_for_ipv6_has_links_for_it_on_the_command_line_too() {
    let file = format!("{}/small.toml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, SOUND.replacen("mtu = 1400", "mtu = 600", 1)).expect("a file");
    let run = |family: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"));
        command.args(["run", "--quiet", "--family", family, &file]).output().expect("the command")
    };
    assert_eq!(run("ipv4").status.code(), Some(0));
    let refused = run("ipv6");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--family ipv6: link \"r-b\" has an MTU of 600") && said.contains("1280"),
        "{said}"
    );
}
