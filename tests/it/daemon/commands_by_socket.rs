//! `rsvp send`, `recv` and `qos check` by sockets that daemons are handed: TCP, templates, qualitative service.

use super::capture::Capture;
use super::commands::{CONFIG, Running, rows, run};
use super::eventually;
use super::net::Net;
use super::plane::seen::seen;
use nix::sys::signal::Signal;
use rsvp_wire::{Message, MsgType, SenderTspec, Session, Style, Tspec};
use serde_json::{Value, json};

/// Two hosts on a link, with daemons.
fn hosts(test: &str, config: &str) -> Option<Net> {
    let mut net = Net::new(test)?;
    net.host("a");
    net.host("b");
    net.link("a", "b");
    ["a", "b"].into_iter().for_each(|node| net.daemon(node, config));
    Some(net)
}

fn told(status: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["qos"]["name"] == format!("WSA_QOS_{status}")
}

fn note(words: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["note"].as_str().is_some_and(|note| note.contains(words))
}

/// The Tspec and the session of the first Path.
fn path(capture: &Capture) -> (Tspec, Session) {
    let path = capture.first(MsgType::PATH);
    let message = Message::parse(&path.octets).expect("sound");
    let tspec = message.get::<SenderTspec>().expect("a Tspec").expect("readable").0;
    (tspec, message.get::<Session>().expect("a session").expect("readable").with_flags(0))
}

#[test]
fn a_stream_is_announced_reserved_for_and_measured() {
    let Some(mut net) = hosts("rsvp send --tcp", CONFIG) else { return };
    let capture = net.capture("b", "to-a");
    let (done, _, complaint) = run(&net, "a", &["send", "--to", "10.0.1.2:5000", "--tcp", "--rate", "2mbit"]);
    assert!(!done && complaint.contains("start `rsvp recv --tcp` there first"), "{complaint}");
    let receiver = Running::start(&net, "b", "recv --port 5000 --tcp --confirm --json");
    receiver.until("listening", note("waiting for senders of tcp *:5000"));
    let sender =
        Running::start(&net, "a", "send --to 10.0.1.2:5000 --from 10.0.1.1:4000 --tcp --rate 2mbit --json");
    sender.until("announced", note("announced 10.0.1.1:4000 to tcp 10.0.1.2:5000: 2Mbit/s"));
    let heard = receiver.until("the sender", told("SENDERS"));
    assert_eq!(
        (&heard["peer"], &heard["qos"]["senders"]),
        (&json!("10.0.1.1:4000"), &json!(["10.0.1.1:4000"]))
    );
    receiver.until("a confirmation", told("REQUEST_CONFIRMED"));
    sender.until("a reservation", told("RECEIVERS"));
    let report = receiver.until("a full second", |line| line["report"]["packets"].as_u64() > Some(20));
    let measured = &report["report"];
    assert_eq!((&report["from"], &measured["lost_total"]), (&json!("10.0.1.1:4000"), &json!(0)));
    assert!(measured["throughput_bps"].as_f64() > Some(1e6), "{report}");
    // 2 Mbit/s are 250,000 octets a second, headers of 40 octets included.
    let (tspec, session) = path(&capture);
    assert_eq!(session, "tcp 10.0.1.2:5000".parse().expect("a session"));
    assert!((tspec.rate - 250_000.0).abs() < 2.0 && tspec.max_packet_size == 1_500, "{tspec:?}");
    let reserved = rows(&net, "a", "reservations");
    assert_eq!((reserved.len(), &reserved[0]["style"]), (1, &json!("ff")));
    // A second caller has a reservation of its own.
    let other = Running::start(&net, "a", "send --to 10.0.1.2:5000 --tcp --rate 100kbit --now --json");
    other.until("a reservation", told("RECEIVERS"));
    net.client("a").until("reservations", 2);
    drop(other);
    net.client("a").until("reservations", 1);
    // Killed, the receiver leaves nothing; the sender hears that its connection is over.
    receiver.signal(Signal::SIGKILL);
    sender.until("the end", note("ends after"));
    for node in ["a", "b"] {
        net.client(node).until("sessions", 0);
    }
}

#[test]
fn a_template_is_what_is_announced_sent_and_reserved() {
    let Some(mut net) = hosts("rsvp send --template", CONFIG) else { return };
    let (near, data) = (net.capture("b", "to-a"), net.capture_many("a", "to-b", "udp and dst port 5000"));
    let receiver = Running::start(&net, "b", "recv --port 5000 --template G711 --confirm --json");
    receiver.until("waiting", note("waiting for senders of udp *:5000"));
    let sending = "send --to 10.0.1.2:5000 --from 10.0.1.1:4000 --template g711 --for 3s --json";
    let sender = Running::start(&net, "a", sending);
    sender.until("a reservation", told("RECEIVERS"));
    receiver.until("a confirmation", told("REQUEST_CONFIRMED"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(10));
    sender.until("its end", note("the flow is withdrawn"));
    receiver.until("the end of the sender", told("NO_SENDERS"));
    let (tspec, _) = path(&near);
    assert_eq!(
        (tspec.rate, tspec.bucket, tspec.peak, tspec.max_packet_size),
        (9_200.0, 708.0, 18_400.0, 368)
    );
    // 25 packets of 368 octets are 9,200 a second.
    let packets = seen(&data, 5000);
    assert!(packets.iter().all(|packet| packet.octets == 368), "{packets:?}");
    // A busy machine is late, and never early by more than the bucket.
    assert!((10..=78).contains(&packets.len()), "{} packets in three seconds", packets.len());
    receiver.signal(Signal::SIGINT);
    let sum = receiver.until("the sum", |line| line["summary"].is_object());
    assert_eq!(sum["summary"]["lost"], 0, "{sum}");
    receiver.until("its end", note("the QoS of the socket does, too"));

    // A codec whose packets are smaller than what is measured with usually is; and what is to be told of a name.
    let receiver = Running::start(&net, "b", "recv --address 10.0.1.2 --port 5000 --template g729 --json");
    receiver.until("waiting", note("waiting for senders of udp 10.0.1.2:5000"));
    let _sender = Running::start(&net, "a", "send --to 10.0.1.2:5000 --template g729 --now --json");
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(50));
    let (done, _, complaint) = run(&net, "a", &["send", "--to", "10.0.1.2:5000", "--template", "g999"]);
    assert!(!done && complaint.contains("there is no template \"g999\"; there are G711"), "{complaint}");
}

#[test]
fn qualitative_traffic_is_known_by_its_application() {
    let Some(mut net) = hosts("rsvp send --service qualitative", CONFIG) else { return };
    let (far, near) = (net.capture("b", "to-a"), net.capture("a", "to-b"));
    let receiver = Running::start(&net, "b", "recv --port 5000 --service qualitative --confirm --json");
    receiver.until("waiting", note("waiting for senders"));
    let sending = "send --to 10.0.1.2:5000 --from 10.0.1.1:4000 --rate 500kbit --service qualitative \
                   --application backup --json";
    let sender = Running::start(&net, "a", sending);
    let heard = receiver.until("the sender", told("SENDERS"));
    // By hand: AUTH_APP, a locator in ASCII of 14 octets, two zeroes.
    let element = "00140003000e01014150503d6261636b75700000";
    assert_eq!(heard["qos"]["policy"], json!([element]), "{heard}");
    sender.until("a reservation", told("RECEIVERS"));
    receiver.until("a confirmation", told("REQUEST_CONFIRMED"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(10));
    let resv = near.first(MsgType::RESV);
    let message = Message::parse(&resv.octets).expect("sound");
    let flowspec = message.get::<rsvp_wire::Flowspec>().expect("a flowspec").expect("readable");
    assert!(matches!(flowspec, rsvp_wire::Flowspec::Null(_)), "{flowspec:?}");
    assert_eq!(message.get::<Style>().expect("a style").expect("readable"), Style::WF);
    far.first(MsgType::PATH);
    let reserved = rows(&net, "a", "reservations");
    assert_eq!((reserved.len(), &reserved[0]["charge_bps"]), (1, &json!(0)));
}

#[test]
fn what_does_not_go_with_a_socket_is_said_in_a_sentence() {
    let Some(net) = hosts("what does not go with a socket", CONFIG) else { return };
    let send = ["send", "--to", "10.0.1.2:5000", "--rate", "1mbit"];
    let recv = ["recv", "--port", "5000"];
    let cases: [(&[&str], &[&str], &str); 14] = [
        (&send, &["--tcp", "--adspec", "guaranteed"], "--service says what is offered"),
        (&send, &["--tcp", "--dclass", "ef"], "--dclass, --tclass and --policy do not go with --tcp"),
        (&send, &["--application", "x"], "add --service qualitative"),
        (&send, &["--tcp", "--application", "x"], "add --service qualitative"),
        (&send, &["--tcp", "--peak", "500kbit"], "is less than the token rate"),
        (&send, &["--template", "g711"], "cannot be used with"),
        (
            &["send", "--to", "239.1.2.3:5000", "--rate", "1mbit"],
            &["--tcp"],
            "--tcp has one peer and no group",
        ),
        (
            &["send", "--to", "10.0.1.2:5000", "--template", "g711"],
            &["--bucket", "1kB"],
            "do not go with --template",
        ),
        (&["send", "--to", "10.0.1.2:5000"], &[], "--rate"),
        (&recv, &["--tcp", "--style", "se"], "--style and --filter do not go with --tcp"),
        (&recv, &["--tcp", "--reserve", "1mbit"], "a template says what is asked for"),
        (&recv, &["--tcp", "--service", "guaranteed"], "name a --template"),
        (&recv, &["--template", "g711", "--style", "ff"], "add --filter"),
        (&["recv", "--port", "5000", "--group", "239.1.2.3"], &["--tcp"], "leave --group or --tcp out"),
    ];
    for (command, options, words) in cases {
        let line = [command, options].concat();
        let (done, _, complaint) = run(&net, "a", &line);
        assert!(!done && complaint.contains(words), "{line:?}: {complaint}");
    }
    let (done, _, complaint) =
        run(&net, "a", &["reserve", "--session", "tcp 10.0.1.1:80", "--service", "qualitative"]);
    assert!(!done && complaint.contains("rsvp recv --service qualitative"), "{complaint}");
    let nowhere = ["--socket", "/nonexistent/control.sock", "--tcp"];
    let (done, _, complaint) = run(&net, "a", &[&send[..], &nowhere].concat());
    let names = ["/nonexistent/qos.sock", "--qos-socket", "RSVP_QOS_SOCKET", "--standalone"];
    assert!(!done && names.iter().all(|name| complaint.contains(name)), "{complaint}");
}

#[test]
fn a_group_is_sent_to_and_received_by_sockets() {
    let Some(net) = hosts("a group by sockets", CONFIG) else { return };
    for (node, peer) in [("a", "b"), ("b", "a")] {
        net.ip(node, &format!("route add 224.0.0.0/4 dev to-{peer}"));
    }
    let receiver = Running::start(
        &net,
        "b",
        "recv --group 239.1.2.3 --port 5000 --interface to-a --template gsm6.10 --json",
    );
    receiver.until("waiting", note("waiting for senders of udp 239.1.2.3:5000"));
    let sender = Running::start(&net, "a", "send --to 239.1.2.3:5000 --ttl 4 --template gsm6.10 --json");
    sender.until("a reservation", told("RECEIVERS"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(10));
    let reserved = rows(&net, "a", "reservations");
    assert_eq!((reserved.len(), &reserved[0]["style"]), (1, &json!("wf")));
}

#[test]
fn sockets_do_without_daemons_and_for_any_user() {
    let Some(mut net) = Net::new("sockets standalone") else { return };
    net.host("a");
    net.host("b");
    net.link("a", "b");
    let file = net.file("standalone.toml");
    std::fs::write(&file, CONFIG).expect("a configuration is written");
    let standalone = format!("--standalone --config {} --json", file.display());
    let receiver = Running::start(&net, "b", &format!("recv --port 5000 --template g711 {standalone}"));
    receiver.until("waiting", note("waiting for senders"));
    let sender = Running::start(&net, "a", &format!("send --to 10.0.1.2:5000 --template g711 {standalone}"));
    sender.until("a reservation", told("RECEIVERS"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(0));
    sender.signal(Signal::SIGTERM);
    receiver.until("the end of the sender", told("NO_SENDERS"));
    drop((sender, receiver));
    // With daemons, a user without any privilege has both.
    ["a", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let program = net.program("rsvp").display().to_string();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(net.file(""), all).expect("a folder of the test's own");
    let as_nobody = |node: &str, arguments: &str| {
        let mut command = net.unprivileged(node);
        command.arg(&program).args(arguments.split(' ')).env("RSVP_SOCKET", net.socket(node));
        Running::of(command)
    };
    let receiver = as_nobody("b", "recv --port 5000 --tcp --json");
    receiver.until("waiting", note("waiting for senders"));
    let sender = as_nobody("a", "send --to 10.0.1.2:5000 --tcp --rate 1mbit --json");
    sender.until("a reservation", told("RECEIVERS"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(0));
}

#[test]
fn the_six_checks_are_shown_and_nothing_is_signalled_for_them() {
    let kernel = "[data_plane]\nkind = \"kernel\"\n[interfaces]\nbandwidth = \"10mbit\"\n[qos]\nrate_per_flow = \"1mbit\"\n";
    let Some(mut net) = hosts("rsvp qos check", kernel) else { return };
    let capture = net.capture("a", "to-b");
    let check = |node: &str, arguments: &[&str]| {
        let line = [&["qos", "check", "--json"], arguments].concat();
        let (done, said, complaint) = run(&net, node, &line);
        assert!(done, "{line:?}: {complaint}");
        serde_json::from_str::<Value>(&said).expect("one object")
    };
    let expected = |allowed: Value| {
        json!({"allowed_to_send_data": allowed, "able_to_recv_rsvp": null, "line_rate_kbps": 10_000,
               "local_traffic_control": true, "local_qosability": true, "end_to_end_qosability": null})
    };
    let to = ["--to", "10.0.1.2:5000"];
    assert_eq!(check("a", &[&to[..], &["--rate", "900kbit"]].concat()), expected(json!(true)));
    // Beyond what one flow may have it is no error but an answer.
    assert_eq!(check("a", &[&to[..], &["--rate", "2mbit"]].concat()), expected(json!(false)));
    assert_eq!(check("a", &[&to[..], &["--template", "g711"]].concat()), expected(json!(true)));
    let (done, table, complaint) = run(&net, "a", &[&["qos", "check", "--rate", "2mbit"], &to[..]].concat());
    let said = ["50001", "allowed to send at this rate", "no", "50003", "10Mbit/s", "50006", "not known"];
    assert!(done && said.iter().all(|words| table.contains(words)), "{table} {complaint}");
    let at = ["--port", "5000", "--rate", "900kbit"];
    assert_eq!(check("b", &at)["end_to_end_qosability"], Value::Null, "nobody announces anything");
    assert!(capture.packets().is_empty(), "{:?}", capture.packets());
    // Once somebody does, the whole path is known where it ends.
    let _sender =
        Running::start(&net, "a", "send --to 10.0.1.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json");
    net.client("b").until("senders", 1);
    let answers = eventually("the path", || {
        Some(check("b", &at)).filter(|all| !all["end_to_end_qosability"].is_null())
    });
    assert_eq!(
        (&answers["able_to_recv_rsvp"], &answers["end_to_end_qosability"]),
        (&json!(true), &json!(true))
    );
    assert!(capture.of(MsgType::RESV).is_empty() && net.client("b").list("requests").is_empty());
    let (done, _, complaint) = run(&net, "a", &["qos", "check"]);
    assert!(!done && complaint.contains("--to"), "{complaint}");
}

#[test]
fn an_address_of_another_host_is_told_at_once() {
    let Some(net) = hosts("rsvp reserve elsewhere", CONFIG) else { return };
    for session in ["udp 10.0.1.1:5000", "tcp [fd00:1::1]:80", "proto47 10.9.9.9"] {
        let (done, said, complaint) = run(&net, "b", &["reserve", "--session", session, "--for", "1min"]);
        assert!(!done && said.is_empty(), "{said}");
        assert!(
            complaint.contains("is not an address of this host: reserve where the data is received"),
            "{complaint}"
        );
    }
    // What is given up is only said of what there was.
    let (done, said, _) = run(&net, "b", &["reserve", "--session", "udp 10.0.1.2:5000", "--for", "100ms"]);
    assert!(!done && said.contains("ends; nothing was reserved"), "{said}");
    let _sender =
        Running::start(&net, "a", "send --to 10.0.1.2:5000 --from 10.0.1.1:4000 --rate 1mbit --json");
    net.client("b").until("senders", 1);
    let (done, said, _) = run(&net, "b", &["reserve", "--session", "udp 10.0.1.2:5000", "--for", "500ms"]);
    assert!(done && said.contains("ends; the reservation is given up"), "{said}");
}
