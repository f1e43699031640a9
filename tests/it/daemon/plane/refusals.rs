//! What cannot be carried out is answered to whoever asked for it, and takes nothing of the budget.

use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::{SENDER, SESSION, compared, controlled_load, kernel, traffic};
use serde_json::{Value, json};

/// `a` - `r` - `b` with daemons, `a` announcing.
fn announced(test: &str, configs: [&str; 3], rate_bps: u64) -> Option<(Net, [Client; 2])> {
    let mut net = Net::three_in_a_row(test)?;
    for (node, config) in ["a", "r", "b"].iter().zip(configs) {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(rate_bps, 20_000));
    b.hears(SESSION);
    Some((net, [a, b]))
}

fn interface(net: &Net, node: &str, name: &str) -> Value {
    net.client(node).list("interfaces").into_iter().find(|row| row["name"] == name).expect("an interface")
}

fn refused(net: &Net, b: &mut Client, code: u64, value: u64) {
    let error = b.event("resv-error");
    assert_eq!((&error["error"]["code"], &error["error"]["value"]), (&json!(code), &json!(value)), "{error}");
    assert_eq!(error["error"]["node"], "10.0.2.1");
    // The budget is free, and nothing is in the kernel.
    eventually("a free budget", || (interface(net, "r", "to-b")["reserved_bps"] == 0).then_some(()));
    net.client("r").until("flows", 0);
    net.client("a").until("reservations", 0);
}

#[test]
fn classes_of_others_are_left_alone_and_the_receiver_hears_of_it() {
    let config = kernel("auto", "take_over = true\nrefresh = \"1s\"\n");
    let Some((net, [_a, mut b])) = announced("a root of others", [&config; 3], 800_000) else { return };
    net.exec("r", &["tc", "qdisc", "add", "dev", "to-b", "root", "handle", "1:", "htb", "default", "1"]);
    // But for the packets that it counts.
    let there =
        || net.exec("r", &["tc", "qdisc", "show", "dev", "to-b"]).replace(|c: char| c.is_ascii_digit(), "");
    let before = there();
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
    refused(&net, &mut b, 22, 0);
    assert_eq!(there(), before);
    let state = interface(&net, "r", "to-b")["data_plane"].take();
    assert!(
        state.as_str().is_some_and(|said| said.starts_with("refused: ") && said.contains("htb 1:")),
        "{state}"
    );
    assert!(net.log("r").contains("htb 1:"), "{}", net.log("r"));
    // When it is gone, the next who asks has it.
    net.exec("r", &["tc", "qdisc", "del", "dev", "to-b", "root"]);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
    net.client("r").until("flows", 1);
    compared(&net, "r");
    assert_eq!(interface(&net, "r", "to-b")["reserved_bps"], 800_000);
}

#[test]
fn a_flowspec_that_nothing_can_police_is_a_bad_one() {
    // 1.6 Tbit/s: there is a link for it, but no policer.
    let config = kernel("auto", "").replace("100mbit", "4000gbit");
    let plain = config.replace("\"kernel\"", "\"none\"");
    let rate = 1_600_000_000_000;
    let Some((net, [_a, mut b])) = announced("a rate too high", [&plain, &config, &plain], rate) else {
        return;
    };
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(rate, 20_000));
    refused(&net, &mut b, 21, 3);
}

#[test]
fn a_root_without_classes_is_taken_over_where_that_is_said_and_put_back() {
    for take_over in [false, true] {
        let plain = kernel("auto", "");
        let config = kernel("auto", &format!("take_over = {take_over}\n"));
        let configs = [plain.as_str(), config.as_str(), plain.as_str()];
        let Some((mut net, [_a, mut b])) = announced("a root taken over", configs, 800_000) else { return };
        net.exec("r", &["tc", "qdisc", "add", "dev", "to-b", "root", "handle", "9:", "pfifo", "limit", "77"]);
        let before = net.exec("r", &["tc", "qdisc", "show", "dev", "to-b"]);
        b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
        if !take_over {
            refused(&net, &mut b, 22, 0);
            continue;
        }
        net.client("r").until("flows", 1);
        compared(&net, "r");
        net.signal("r", nix::sys::signal::Signal::SIGTERM);
        assert!(net.ended("r").success());
        assert_eq!(net.exec("r", &["tc", "qdisc", "show", "dev", "to-b"]), before, "as it was");
    }
}

#[test]
fn without_a_data_plane_reservations_are_signalled_and_the_kernel_is_left_alone() {
    let none = kernel("auto", "").replace("\"kernel\"", "\"none\"");
    let Some((net, [mut a, mut b])) = announced("no data plane", [&none; 3], 800_000) else { return };
    let before = net.exec("r", &["tc", "qdisc", "show", "dev", "to-b"]);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
    b.event("resv-confirm");
    a.event("resv");
    assert_eq!(net.client("r").list("reservations").len(), 1);
    assert!(net.client("r").list("flows").is_empty());
    assert_eq!(interface(&net, "r", "to-b")["data_plane"], "none: as configured");
    assert_eq!(net.exec("r", &["tc", "qdisc", "show", "dev", "to-b"]), before);
}

#[test]
fn who_may_not_load_the_program_goes_on_without_and_says_so() {
    let Some(mut net) = Net::three_in_a_row("no privileges for a data plane") else { return };
    let config = "[interfaces]\nbandwidth = \"10mbit\"\n";
    // What the daemon needs for everything else.
    let program = net.program("rsvpd");
    let start = |net: &Net, config: &str| {
        let file = net.file("r.toml");
        std::fs::write(&file, config).expect("a configuration");
        let mut command = net.command("r", "setpriv");
        command.args(["--bounding-set", "-all,+net_raw,+net_admin", "--inh-caps", "-all"]).arg(&program);
        command.arg("--config").arg(file).arg("--socket").arg(net.socket("r"));
        let log = std::fs::File::create(net.file("r.log")).expect("a log");
        command.stderr(log).spawn().expect("it starts")
    };
    let mut child = start(&net, &format!("{config}[data_plane]\nkind = \"kernel\"\n"));
    let ended = eventually("a daemon that ends", || child.try_wait().expect("a child"));
    assert!(!ended.success());
    assert!(net.log("r").contains("CAP_BPF"), "{}", net.log("r"));
    let child = start(&net, config);
    net.others.push(child);
    let mut client = eventually("a daemon that answers", || Client::open(&net.socket("r")));
    assert!(net.log("r").contains("not enforced") && net.log("r").contains("CAP_BPF"), "{}", net.log("r"));
    let row = client.list("interfaces").into_iter().find(|row| row["name"] == "to-b").expect("an interface");
    assert!(row["data_plane"].as_str().is_some_and(|said| said.starts_with("none: ")), "{row}");
}
