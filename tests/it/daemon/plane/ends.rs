//! What is left when a daemon ends, is killed, or loses an interface: nothing of it.

use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::{SENDER, SESSION, classes, compared, controlled_load, kernel, reserved};
use crate::programs;
use aya::programs::{SchedClassifier, TcAttachType};
use nix::sys::signal::Signal;

/// Everything of traffic control on an interface, by other programs' eyes: queueing disciplines, filters, programs of tcx.
pub(super) fn there(net: &Net, node: &str, interface: &str) -> (String, String, usize) {
    let qdiscs = net.exec(node, &["tc", "qdisc", "show", "dev", interface]);
    let filters = net.exec(node, &["tc", "filter", "show", "dev", interface, "egress"]);
    let programs = net.within(node, || {
        let (_, programs) = SchedClassifier::query_tcx(interface, TcAttachType::Egress).expect("an answer");
        programs.len()
    });
    (qdiscs, filters, programs)
}

/// Runs `rsvpd --clean` in a node, with pins somewhere, or where the configuration has them.
pub(super) fn clean(net: &Net, node: &str, pins: &str) -> (bool, String) {
    let program = programs::rsvpd().display().to_string();
    let mut command = net.command(node, &program);
    command.arg("--clean");
    if !pins.is_empty() {
        command.args(["--pins", pins]);
    }
    let done = command.output().expect("it runs");
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_daemon_that_ends_leaves_nothing() {
    for attach in ["tcx", "clsact"] {
        let config = kernel(attach, "");
        let Some(mut net) = Net::three_in_a_row("nothing is left") else { return };
        let before = there(&net, "r", "to-b");
        ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
        let (mut a, mut b) = (net.client("a"), net.client("b"));
        assert_eq!(there(&net, "r", "to-b"), before, "nothing is done before there is a reservation");
        a.announce(SESSION, SENDER, &super::traffic(800_000, 20_000));
        b.hears(SESSION);
        b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
        net.client("r").until("flows", 1);
        compared(&net, "r");
        let (qdiscs, filters, programs) = there(&net, "r", "to-b");
        assert!(qdiscs.contains("htb 7276:"), "{qdiscs}");
        assert_eq!(
            (filters.contains("rsvp_egress"), programs),
            (attach == "clsact", usize::from(attach == "tcx"))
        );
        net.signal("r", Signal::SIGTERM);
        assert!(net.ended("r").success(), "{}", net.log("r"));
        assert_eq!(there(&net, "r", "to-b"), before, "{attach}");
        assert_eq!(clean(&net, "r", ""), (true, "nothing was left\n".to_owned()));
    }
}

#[test]
fn what_a_killed_daemon_leaves_is_removed_by_the_next_or_on_demand() {
    for attach in ["tcx", "clsact"] {
        let config = kernel(attach, "refresh = \"1s\"\n");
        let Some((mut net, _clients)) = reserved("a killed daemon's classes", [&config; 3], 800_000, 20_000)
        else {
            return;
        };
        let kill = |net: &mut Net| {
            net.signal("r", Signal::SIGKILL);
            net.ended("r");
            let (qdiscs, filters, _) = there(net, "r", "to-b");
            assert!(qdiscs.contains("htb 7276:"), "{qdiscs}");
            assert_eq!(filters.contains("rsvp_egress"), attach == "clsact", "{filters}");
        };
        kill(&mut net);
        // The next one begins with nothing, and has everything again when its neighbours have refreshed.
        net.daemon("r", &config);
        assert!(net.log("r").contains("was left by an earlier run"), "{}", net.log("r"));
        net.client("r").until("flows", 1);
        compared(&net, "r");
        let (_, filters, _) = there(&net, "r", "to-b");
        assert_eq!(filters.matches("direct-action").count(), usize::from(attach == "clsact"), "{filters}");
        assert!(!clean(&net, "r", "").0, "not while a daemon runs");
        kill(&mut net);
        let (done, said) = clean(&net, "r", "");
        assert!(done && said.contains("removed: interface to-b: the class tree 7276:"), "{said}");
        assert_eq!(said.contains("the egress program"), attach == "clsact", "{said}");
        let (qdiscs, filters, programs) = there(&net, "r", "to-b");
        assert!(!qdiscs.contains("htb") && !qdiscs.contains("clsact"), "{qdiscs}");
        assert_eq!((filters.as_str(), programs), ("", 0));
    }
}

#[test]
fn an_interface_that_goes_down_keeps_its_flows_and_one_that_is_deleted_takes_them_along() {
    let config = kernel("auto", "refresh = \"1s\"\n");
    let Some((net, _clients)) = reserved("interfaces that come and go", [&config; 3], 800_000, 20_000) else {
        return;
    };
    net.ip("r", "link set to-b down");
    net.ip("r", "link set to-b up");
    net.ip("r", "addr replace 10.0.2.1/24 dev to-b");
    let receiver = at(&net, "b", "10.0.2.2:5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    eventually("the flow is counted as before", || {
        burst(&sender, 100, 1);
        (net.client("r").list("flows").first()?["packets"].as_u64()? > 0).then_some(())
    });
    compared(&net, "r");
    drop(receiver);
    net.ip("r", "link del to-b");
    net.client("r").until("flows", 0);
    assert!(super::keys(&net, "r").is_empty());
    // Another one of that name is another interface; the daemon goes on.
    net.ip("r", "link add to-b type veth peer name nobody");
    net.ip("r", "link set to-b up");
    assert!(net.client("r").list("flows").is_empty());
    assert!(classes(&net, "r", "to-b").is_empty());
}
