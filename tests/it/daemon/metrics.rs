//! What is counted, as Prometheus reads it: by the daemon's own endpoint, by `rsvp show counters --prometheus`, and by Prometheus itself,
//! which evaluates whatever the dashboard asks.

use super::commands::{CONFIG, run};
use super::eventually;
use super::net::Net;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

/// What a program in a node is told by HTTP: the head, and the body.
fn asked(net: &Net, node: &str, request: &str) -> Option<(String, String)> {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/9465; printf '{request}' >&3; cat <&3");
    let done = net.command(node, "timeout").args(["10", "bash", "-c", &script]).output().expect("bash runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    said.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned()))
}

const METRICS: &str = "[metrics]\nlisten = \"127.0.0.1:9465\"\n";

#[test]
fn the_endpoint_says_what_the_command_says() {
    let Some(mut net) = Net::three_in_a_row("metrics") else { return };
    net.daemon("a", CONFIG);
    net.daemon("r", &format!("{CONFIG}{METRICS}"));
    let mut a = net.client("a");
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    net.client("r").until("senders", 1);
    let (head, body) =
        asked(&net, "r", "GET /metrics HTTP/1.1\\r\\nHost: r\\r\\n\\r\\n").expect("an answer of HTTP");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    for line in ["rsvp_senders 1", "rsvp_interface_up{interface=\"to-a\"} 1"] {
        assert!(body.lines().any(|found| found == line), "{line} in {body}");
    }
    // Names alone: the numbers go on.
    let names = |text: &str| -> BTreeSet<String> {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    let (done, said, complaint) = run(&net, "r", &["show", "counters", "--prometheus"]);
    assert!(done, "{complaint}");
    assert_eq!(names(&said), names(&body));
    assert!(said.contains("# TYPE rsvp_messages_received_total counter"), "{said}");

    let (head, _) = asked(&net, "r", "GET / HTTP/1.1\\r\\nHost: r\\r\\n\\r\\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (head, _) = asked(&net, "r", "POST /metrics HTTP/1.1\\r\\nHost: r\\r\\n\\r\\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    // It is off unless it is asked for.
    assert_eq!(asked(&net, "a", "GET /metrics HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"), None);
    let (done, _, complaint) = run(&net, "r", &["show", "senders", "--prometheus"]);
    assert!(
        !done && complaint.contains("--prometheus means nothing for senders: it goes with counters"),
        "{complaint}"
    );
}

/// Every expression of the dashboard, as Grafana would send it for all nodes.
fn expressions() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/dashboard.json");
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let plain = |target: &Value| target["expr"].as_str().expect("an expression").to_owned();
    targets.map(plain).map(|expr| expr.replace("$instance", ".*").replace("$__rate_interval", "1m")).collect()
}

#[test]
fn prometheus_evaluates_every_expression_of_the_dashboard() {
    let is_there = std::process::Command::new("prometheus").arg("--version").stderr(Stdio::null()).output();
    if is_there.is_err() {
        assert!(std::env::var_os("RSVP_REQUIRE_NAMESPACES").is_none(), "prometheus is not installed");
        return crate::skipped("metrics: skipped, prometheus is not installed");
    }
    let Some(mut net) = Net::three_in_a_row("a dashboard") else { return };
    ["a", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    net.daemon("r", &format!("{CONFIG}{METRICS}"));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.event("resv-confirm");
    let config = net.file("prometheus.yml");
    let scrape = "scrape_configs:\n  - job_name: rsvp\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['127.0.0.1:9465']\n";
    std::fs::write(&config, scrape).expect("a configuration is written");
    let mut command = net.command("r", "prometheus");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", net.file("prometheus").display()));
    command.arg("--web.listen-address=127.0.0.1:9090").stdout(Stdio::null()).stderr(Stdio::null());
    let prometheus = command.spawn().expect("prometheus starts");
    net.others.push(prometheus);
    let expressions = expressions();
    assert!(expressions.len() > 10, "{expressions:?}");
    for expression in expressions {
        // A rate takes two scrapes.
        eventually(&expression, || {
            let mut promtool = net.command("r", "promtool");
            promtool.args(["query", "--format=json", "instant", "http://127.0.0.1:9090", &expression]);
            let answer = promtool.output().expect("promtool runs");
            let complaint = String::from_utf8_lossy(&answer.stderr).into_owned();
            assert!(!complaint.contains("parse error"), "{expression}: {complaint}");
            let samples: Value = serde_json::from_slice(&answer.stdout).ok()?;
            samples.as_array().is_some_and(|samples| !samples.is_empty()).then_some(())
        });
    }
    let asked = net.exec(
        "r",
        &[
            "promtool",
            "query",
            "--format=json",
            "instant",
            "http://127.0.0.1:9090",
            "rsvp_interface_reserved_bits_per_second{interface=\"to-b\"}",
        ],
    );
    let value: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!(value[0]["value"][1], "1000000", "{asked}");
}
