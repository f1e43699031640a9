//! `rsvp tc`: what people see, and what is left when it ends.

use super::super::super::commands::Running;
use super::super::super::eventually;
use super::Bed;
use crate::programs;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

fn run(bed: &Bed, arguments: &[&str]) -> String {
    let program = programs::folder().join("rsvp").display().to_string();
    let mut command = bed.net.command("a", &program);
    let done = command.args(arguments).env("RSVP_SOCKET", bed.net.socket("a")).output().expect("it runs");
    String::from_utf8_lossy(if done.status.success() { &done.stdout } else { &done.stderr }).into_owned()
}

#[test]
fn commands_make_flows_that_last_as_long_as_they_do() {
    let Some(mut bed) = Bed::new("commands for flows", "") else { return };
    let flow = "tc flow --interface to-r --rate 2mbit --dscp ef --name backup --json --filter \
                protocol|udp|destination|10.0.2.2|destination-port|5000";
    let running = Running::start(&bed.net, "a", flow);
    running.until("a flow", |line| line["note"].as_str().is_some_and(|note| note.contains("is made")));
    let watch = Running::start(&bed.net, "a", "tc watch --json");
    watch.until("that it watches", |line| line["note"].is_string());
    bed.a.report();
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 0, 2), [46; 2]);
    let table = run(&bed, &["tc", "query"]);
    for said in
        ["backup", "Controlled-Load 2Mbit/s", "destination 10.0.2.2 destination-port 5000", "tcx, htb"]
    {
        assert!(table.contains(said), "no {said:?} in\n{table}");
    }
    let report: Value = serde_json::from_str(&run(&bed, &["tc", "query", "--json"])).expect("JSON");
    assert_eq!(report["flows"][0]["counted"]["packets"], 2);
    running.signal(Signal::SIGKILL);
    let event = watch.until("the end of a flow", |line| line["tc"]["event"] == "flow-closed");
    assert_eq!((&event["tc"]["name"], &event["tc"]["why"]), (&json!("backup"), &json!("its client is gone")));
    eventually("no flow", || (bed.a.report()["flows"] == json!([])).then_some(()));

    let filter = "tc filter --interface to-r --dscp af41 --json --filter protocol|udp|destination-port|5001";
    let running = Running::start(&bed.net, "a", filter);
    running.until("a flow", |line| line["note"].as_str().is_some_and(|note| note.contains("with 1 filters")));
    bed.a.report();
    bed.send(4000, 5001, 1);
    assert_eq!(bed.dscps(5001, 0, 1), [34]);
    assert!(
        run(&bed, &["tc", "set", "--marks", "controlled-load=af21/cs1", "--class", "cs1=non-conforming"])
            .contains("set")
    );
    let wrong = run(&bed, &["tc", "set", "--class", "cs1=first"]);
    assert!(wrong.contains("\"first\" is no class"), "{wrong}");
    let wrong = run(&bed, &["tc", "filter", "--interface", "to-r", "--dscp", "ef"]);
    assert!(wrong.contains("--filter"), "{wrong}");
}
