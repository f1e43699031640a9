//! `rsvp doctor` and `rsvp report`: a fault is named, with what to do about it, and a sound network has none.

use super::commands::run;
use super::eventually;
use super::net::Net;
use nix::sys::signal::Signal;
use serde_json::Value;

/// Whether the kernel enforces is another matter, which differs between machines.
const CONFIG: &str = "[interfaces]\nbandwidth = \"10mbit\"\n[data_plane]\nkind = \"none\"\n";

/// What the doctor finds: whether it is content, and the checks with a problem.
fn problems(net: &Net, node: &str) -> (bool, Vec<(String, String)>) {
    let (content, said, _) = run(net, node, &["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_str(&said).expect("an array");
    let text = |of: &Value| of.as_str().expect("text").to_owned();
    let found = findings.iter().filter(|finding| finding["verdict"] == "problem");
    let found = found.map(|finding| {
        assert!(finding["remedy"].is_string(), "{finding}");
        (text(&finding["check"]), text(&finding["finding"]))
    });
    (content, found.collect())
}

#[test]
fn a_sound_network_has_no_fault() {
    let Some(mut net) = Net::three_in_a_row("a doctor without work") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.event("resv-confirm");
    for node in ["a", "r", "b"] {
        assert_eq!(problems(&net, node), (true, vec![]), "{node}");
    }
    let (_, said, _) = run(&net, "r", &["doctor"]);
    assert!(said.contains("neighbours: 10.0.1.1 on to-a was heard") && !said.contains("PROBLEM"), "{said}");
}

#[test]
fn each_fault_is_named_and_no_other() {
    let Some(mut net) = Net::three_in_a_row("a doctor with work") else { return };
    let only = |net: &Net, node: &str, check: &str, words: &str| {
        let (content, found) = problems(net, node);
        let [(name, finding)] = found.as_slice() else { panic!("{check} alone is to be found: {found:?}") };
        assert!(!content && name == check && finding.contains(words), "{found:?}");
    };
    only(&net, "r", "daemon", "no rsvpd listens on");
    // A virtual Ethernet calls itself 10 Gbit/s.
    net.daemon("a", "[data_plane]\nkind = \"none\"\n");
    only(&net, "a", "bandwidth", "is what its driver says");
    net.sysctl("r", "net.ipv4.ip_forward", "0");
    net.daemon("r", CONFIG);
    only(&net, "r", "forwarding", "net.ipv4.ip_forward is 0");
    net.sysctl("r", "net.ipv4.ip_forward", "1");
    assert_eq!(problems(&net, "r"), (true, vec![]));
    net.exec(
        "r",
        &["nft", "add table inet filter; add chain inet filter input { type filter hook input priority 0; }"],
    );
    net.exec("r", &["nft", "add rule inet filter input ip protocol 46 counter drop"]);
    only(&net, "r", "firewall", "chain input");
    // What depends on addresses is only noted; what is said to be done helps; what is dormant does nothing.
    net.exec("r", &["nft", "insert rule inet filter input ip saddr 10.0.0.0/8 accept"]);
    assert_eq!(problems(&net, "r"), (true, vec![]));
    let (_, said, _) = run(&net, "r", &["doctor"]);
    assert!(said.contains("note     firewall: IP protocol 46 may be dropped"), "{said}");
    net.exec("r", &["nft", "insert rule inet filter input meta l4proto 46 accept"]);
    let (_, said, _) = run(&net, "r", &["doctor"]);
    assert!(said.contains("fine     firewall: no rule drops IP protocol 46"), "{said}");
    net.exec("r", &["nft", "flush chain inet filter input; add rule inet filter input ip protocol 46 drop"]);
    only(&net, "r", "firewall", "chain input");
    net.exec("r", &["nft", "add table inet filter { flags dormant; }"]);
    assert_eq!(problems(&net, "r"), (true, vec![]));
    net.exec("r", &["nft", "delete table inet filter"]);
    assert_eq!(problems(&net, "r"), (true, vec![]));
    net.sysctl("r", "net.ipv4.conf.to-a.forwarding", "0");
    only(&net, "r", "forwarding", "net.ipv4.conf.to-a.forwarding is 0");
    net.sysctl("r", "net.ipv4.conf.to-a.forwarding", "1");
    assert_eq!(problems(&net, "r"), (true, vec![]));
}

/// An application says from where it sends; whether a route leads on from there is another question.
#[test]
fn a_way_that_ends_on_the_senders_own_host_is_named() {
    let Some(mut net) = Net::three_in_a_row("a host without a route") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let mut a = net.client("a");
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    assert!(a.list("senders")[0]["not_forwarded"].is_null());
    net.ip("a", "route del default");
    let (content, found) = problems(&net, "a");
    assert!(
        !content && found.iter().any(|(_, finding)| finding.contains("no route to 10.0.2.2")),
        "{found:?}"
    );
    let (_, said, _) = run(&net, "a", &["show", "senders"]);
    assert!(said.contains("nowhere: no route to 10.0.2.2"), "{said}");
    net.ip("a", "route add default via 10.0.1.2");
    assert_eq!(problems(&net, "a"), (true, vec![]));
}

/// Routes of the types that let nothing go (ip-route(8)), where path state is there.
#[test]
fn what_a_route_forbids_is_not_said_to_have_none() {
    let Some(mut net) = Net::three_in_a_row("routes that let nothing go") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let mut a = net.client("a");
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    net.client("r").until("senders", 1);
    for (node, kind) in
        ["a", "r"].iter().flat_map(|node| ["unreachable", "prohibit", "blackhole"].map(|kind| (*node, kind)))
    {
        net.ip(node, &format!("route add {kind} 10.0.2.2/32"));
        let words = format!("the way to 10.0.2.2 is closed by a route or rule of type {kind}");
        eventually(&format!("{kind} on {node}"), || {
            let (_, said, _) = run(&net, node, &["show", "senders"]);
            said.contains(&format!("nowhere: {words}")).then_some(())
        });
        let (content, found) = problems(&net, node);
        let is_named = |(check, finding): &(String, String)| check == "paths" && finding.contains(&words);
        assert!(!content && found.iter().any(is_named), "{found:?}");
        let says_none = |(_, finding): &(String, String)| {
            finding.contains("no route to") || finding.contains("has no way to")
        };
        assert!(!found.iter().any(says_none), "{found:?}");
        net.ip(node, &format!("route del {kind} 10.0.2.2/32"));
    }
}

/// The same where a router has them before anybody announces: its kernel answers, or says nothing at all.
#[test]
fn what_a_router_prohibits_is_not_said_to_have_no_way() {
    let Some(mut net) = Net::three_in_a_row("routers that prohibit") else { return };
    net.daemon("a", CONFIG);
    net.ip("r", "route add prohibit 10.9.9.0/24");
    net.ip("r", "route add unreachable 10.8.8.0/24");
    net.ip("r", "-6 route add prohibit fd09::/64");
    for (to, from, router, cause, words) in [
        ("10.9.9.9", "10.0.1.1", "10.0.1.2", "refused", "prohibits RSVP to 10.9.9.9"),
        ("10.8.8.8", "10.0.1.1", "10.0.1.2", "no-way", "does not reach 10.8.8.8"),
        ("[fd09::9]", "[fd00:1::1]", "fd00:1::2", "refused", "prohibits RSVP to fd09::9"),
    ] {
        let mut a = net.client("a");
        a.send(&format!("udp {to}:5000"), &format!("{from}:4000"), 1);
        let told = a.event("undelivered");
        assert_eq!((told["node"].as_str(), told["cause"].as_str()), (Some(router), Some(cause)), "{told}");
        let words = format!("{router} {words}");
        assert!(told["meaning"].as_str().is_some_and(|said| said.starts_with(&words)), "{told}");
        let (content, found) = problems(&net, "a");
        assert!(!content && found.iter().any(|(_, finding)| finding.contains(&words)), "{found:?}");
        assert!(!found.iter().any(|(_, finding)| finding.contains("has no way to")), "{found:?}");
    }
}

#[test]
fn an_interface_that_is_switched_off_is_named_when_something_comes_in_there() {
    let Some(mut net) = Net::three_in_a_row("an interface that is switched off") else { return };
    net.daemon("a", CONFIG);
    net.daemon("r", &format!("{CONFIG}[interface.to-a]\nenabled = false\n"));
    assert_eq!(problems(&net, "r"), (true, vec![]), "nobody needs it");
    let mut a = net.client("a");
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    let found = eventually("a fault", || Some(problems(&net, "r").1).filter(|found| !found.is_empty()));
    let [(check, finding)] = found.as_slice() else { panic!("that alone is to be found: {found:?}") };
    assert!(check == "interfaces" && finding.starts_with("RSVP is switched off on to-a, and "), "{finding}");
    let (_, said, _) = run(&net, "r", &["doctor"]);
    assert!(said.contains("-> enabled = true in [interface.to-a] of rsvpd.toml"), "{said}");
    // What is said to be done helps.
    std::fs::write(net.file("r.toml"), CONFIG).expect("a configuration is written");
    net.signal("r", Signal::SIGHUP);
    eventually("no fault", || problems(&net, "r").0.then_some(()));
}

/// A bridge is as fast as its ports, and nobody knows how fast this one is.
#[test]
fn a_bridge_of_unknown_speed_says_what_to_configure() {
    let Some(mut net) = Net::new("a bridge of unknown speed") else { return };
    net.host("a");
    for line in [
        "link add bridge type bridge",
        "link add port type ifb",
        "link set port master bridge up",
        "link set bridge up",
        "addr add 10.7.7.1/24 dev bridge",
    ] {
        net.ip("a", line);
    }
    let plain = "[data_plane]\nkind = \"none\"\n";
    net.daemon("a", plain);
    let (_, found) = problems(&net, "a");
    let [(check, finding)] = found.as_slice() else { panic!("that alone is to be found: {found:?}") };
    assert!(check == "bandwidth" && finding.starts_with("the speed of bridge is unknown"), "{finding}");
    let (_, said, _) = run(&net, "a", &["doctor"]);
    assert!(said.contains("-> set bandwidth in [interface.bridge] of rsvpd.toml"), "{said}");
    // What is said to be done helps.
    let known = format!("{plain}[interface.bridge]\nbandwidth = \"100mbit\"\n");
    std::fs::write(net.file("a.toml"), known).expect("a configuration is written");
    net.signal("a", Signal::SIGHUP);
    eventually("no fault", || problems(&net, "a").0.then_some(()));
}

#[test]
fn a_kernel_that_is_not_the_daemons_is_not_judged() {
    let Some(mut net) = Net::three_in_a_row("a doctor elsewhere") else { return };
    net.daemon("r", CONFIG);
    assert_eq!(problems(&net, "r"), (true, vec![]));
    // A host does not forward; its router does.
    let process = net.pid("r");
    let program = crate::programs::folder().join("rsvp").display().to_string();
    let mut command = net.command("a", &program);
    let done = command.args(["doctor", "--socket"]).arg(net.socket("r")).output().expect("rsvp runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(said.matches("PROBLEM").count(), 1, "{said}");
    let remedy =
        format!("nsenter --net --target {process} rsvp doctor --socket {}", net.socket("r").display());
    assert!(said.contains("PROBLEM  namespace: ") && said.contains(&remedy), "{said}");
    assert!(!said.contains("forwarding") && !said.contains("firewall"), "{said}");
    // What is said to be done helps.
    let done = std::process::Command::new("nsenter")
        .args(["--net", "--target", &process.to_string(), &program, "doctor", "--socket"])
        .arg(net.socket("r"))
        .output()
        .expect("nsenter runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn a_neighbour_that_falls_silent_is_named() {
    let Some(mut net) = Net::three_in_a_row("a silent neighbour") else { return };
    // Where K is large, silence is noticed long before it matters.
    let patient = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\nlifetime_multiplier = 50\n";
    ["a", "r"].into_iter().for_each(|node| net.daemon(node, patient));
    let mut a = net.client("a");
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    net.client("r").until("senders", 1);
    net.signal("a", Signal::SIGKILL);
    net.ended("a");
    eventually("a fault", || {
        let (_, found) = problems(&net, "r");
        found
            .iter()
            .find(|(check, _)| check == "neighbours")
            .filter(|(_, finding)| finding.contains("10.0.1.1 on to-a"))
            .map(drop)
    });
}

#[test]
fn a_report_has_everything_but_the_keys_and_replaces_nothing() {
    let Some(mut net) = Net::three_in_a_row("rsvp report") else { return };
    let journal = net.file("journal");
    let config = format!("journal = \"{}\"\n#shared_key = \"hush\"\n{CONFIG}", journal.display());
    net.daemon("r", &config);
    let (file, config) =
        (net.file("report.json").display().to_string(), net.file("r.toml").display().to_string());
    let arguments = ["report", "--output", &file, "--config", &config];
    let (done, said, complaint) = run(&net, "r", &arguments);
    assert!(done && said.trim() == file, "{complaint}");
    let text = std::fs::read_to_string(&file).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert!(!text.contains("hush"), "a key");
    for part in [
        "rsvp",
        "daemon",
        "doctor",
        "counters",
        "interfaces",
        "neighbours",
        "senders",
        "reservations",
        "configuration",
    ] {
        assert!(!report[part].is_null(), "{part}");
    }
    let kept = report["journal"]["text"].as_str().expect("a journal");
    assert!(
        report["journal"]["whole"] == true
            && kept.lines().all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&file).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let (done, _, complaint) = run(&net, "r", &arguments);
    assert!(!done && complaint.contains("report.json"), "{complaint}");
}
