//! A daemon's journal: done again by the simulator's `replay`, it gives what the daemon put on the wire, octet for octet.

use super::net::Net;
use nix::sys::signal::Signal;
use rsvp_sim::journal;
use rsvp_wire::MsgType;
use serde_json::Value;

#[test]
fn a_daemons_journal_replays_to_what_was_on_the_wire() {
    let Some(mut net) = Net::three_in_a_row("a daemon's journal") else { return };
    let wire = net.capture("r", "to-a");
    let file = net.file("journal");
    let config = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\n";
    net.daemon("a", config);
    net.daemon("r", &format!("journal = {:?}\n{config}", file.display().to_string()));
    net.daemon("b", config);
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 20);
    b.event_after_reserving("udp 10.0.2.2:5000", "10.0.1.1:4000", 1, "resv-confirm");
    a.event("resv");
    // An application of the router itself, and a request that is refused.
    let mut own = net.client("r");
    own.send("udp 10.0.2.2:6000", "10.0.2.1:4000", 1);
    b.event_after_reserving("udp 10.0.2.2:5000", "10.0.1.1:4000", 100, "resv-error");
    drop(b);
    a.event("resv-gone");
    net.signal("r", Signal::SIGTERM);
    assert!(net.ended("r").success(), "{}", net.log("r"));

    let text = std::fs::read_to_string(&file).expect("a journal");
    let done = journal::replay(&text).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(done.lives, 1);
    assert_eq!(done.inputs as usize, text.lines().count() - 2, "all but the header and the configuration");
    let router = "10.0.1.2".parse::<std::net::IpAddr>().expect("an address");
    let sent: Vec<_> = wire.packets().into_iter().filter(|packet| packet.source == router).collect();
    assert!([MsgType::RESV, MsgType::RESV_TEAR].iter().all(|kind| sent.iter().any(|p| p.kind == *kind)));
    for packet in sent {
        let octets: String = packet.octets.iter().map(|octet| format!("{octet:02x}")).collect();
        assert!(text.contains(&octets), "on the wire but not in the journal: {packet:?}");
    }
    check_cut(&text, done);
    // What differs is found: the last octet of the first message.
    let message = "\"transmit\":\"";
    let at = text.find(message).expect("a message") + message.len();
    let end = at + text[at..].find('"').expect("its end");
    let mut changed = text.clone();
    let other = if changed[..end].ends_with('0') { "1" } else { "0" };
    changed.replace_range(end - 1..end, other);
    assert!(journal::replay(&changed).is_err_and(|fault| fault.to_string().contains("then")));

    // Another port is another question to routing.
    let edited = |edit: fn(&mut Value)| {
        let edit_line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["answers"].as_array_mut().into_iter().flatten().for_each(edit);
            line.to_string()
        };
        let header = text.lines().next().expect("a header").to_owned();
        let lines: Vec<String> =
            core::iter::once(header).chain(text.lines().skip(1).map(edit_line)).collect();
        lines.join("\n")
    };
    let other = edited(|answer| {
        answer["flow"].as_array_mut().into_iter().for_each(|flow| flow[1] = 1.into());
    });
    assert!(journal::replay(&other).is_err_and(|fault| fault.to_string().contains("routing was asked")));
}

/// A journal that was cut is done again up to its last whole line, wherever that was.
fn check_cut(text: &str, done: journal::Replayed) {
    let last = text.trim_end().rfind('\n').expect("several lines") + 1;
    for cut in [last + 1, last + 9, text.len() - 2] {
        let of_cut = journal::replay(&text[..cut]).unwrap_or_else(|fault| panic!("{cut}: {fault}"));
        assert_eq!((of_cut.inputs, of_cut.cut), (done.inputs - 1, Some(text.lines().count())), "{cut}");
    }
    assert_eq!((done.cut, journal::replay(text.trim_end())), (None, Ok(done)));
    let within = format!("{}{{\n{}", &text[..last], &text[last..]);
    assert!(journal::replay(&within).is_err(), "only the last line can be cut");
}
