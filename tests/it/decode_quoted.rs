//! Messages that are not on their way: quoted by errors of ICMP and ICMPv6, or to be ignored in an aggregation region (RFC
//! 3175).

use serde_json::{Value, json};

use crate::decode::{decode, json as decoded, rsvp as command};
use crate::decode_layers::{MESSAGE, ipv4, ipv6, pcap, rsvp};
use crate::decode_links::dissected;

/// An error (RFC 792, RFC 4443 3) that quotes a packet: type, code, and the word after the checksum.
fn error(kind: u8, code: u8, word: [u8; 4], quote: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0][..], &word, quote].concat()
}

/// An error of IPv4 on its way back.
fn icmp(kind: u8, code: u8, word: [u8; 4], quote: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(1, 0, &[], &error(kind, code, word, quote));
    packet[12..20].copy_from_slice(&[10, 0, 0, 2, 10, 0, 0, 1]);
    packet
}

fn only(packet: &[u8]) -> Option<Value> {
    let mut found = decoded(&[], &pcap(101, &[packet.to_vec()]));
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

#[test]
fn a_quoted_message_is_shown_as_quoted_and_counted_by_itself() {
    let unreachable = icmp(3, 2, [0; 4], &rsvp());
    let file = pcap(101, &[rsvp(), unreachable]);
    let found = decoded(&[], &file);
    assert_eq!((found.len(), found[0].get("quoted")), (2, None));
    let quoted = json!({"protocol": "ICMP", "type": 3, "code": 2, "meaning": "protocol unreachable",
        "src": "10.0.0.2", "dst": "10.0.0.1"});
    assert_eq!(found[1]["quoted"], quoted);
    assert_eq!((&found[1]["src"], &found[1]["router_alert"]), (&"10.0.0.1".into(), &true.into()));
    assert_eq!(found[1]["objects"], found[0]["objects"]);
    if let Some(theirs) = dissected(&file, &["-e", "icmp.type"]) {
        assert_eq!(theirs, "20\t10.0.0.1\t\n20\t10.0.0.1\t3\n");
    }

    let lines = decode(&[], &file).output;
    let line = lines.lines().nth(1).expect("two lines");
    assert!(
        line.contains("10.0.0.1 > 10.0.0.2  quoted by 10.0.0.2, ICMP protocol unreachable: Hello HELLO["),
        "{line}"
    );
    let tree = decode(&["-v"], &file).output;
    let expected = "  quoted in ICMP protocol unreachable (type 3, code 2) from 10.0.0.2 to 10.0.0.1\n";
    assert_eq!(tree.matches(expected).count(), 1, "{tree}");
    let stats = decode(&["--stats"], &file).output;
    assert!(stats.starts_with("1 messages in 2 frames, 0 malformed, 0 sessions, 1 neighbours\n"), "{stats}");
    assert!(stats.contains("\n1 messages quoted by ICMP, which are not among them\n"), "{stats}");
    let row = stats.lines().find(|line| line.starts_with("ICMP protocol unreachable")).expect(&stats);
    assert!(row.ends_with(" 1"), "{row}");
    let ladder = decode(&["--ladder"], &file).output;
    assert!(ladder.contains("*-Hello") && ladder.contains("<-(Hello)"), "{ladder}");
    assert!(ladder.contains("ICMP protocol unreachable"), "{ladder}");

    let chosen = |filter: &str| decoded(&["--filter", filter], &file).len();
    assert_eq!((chosen("quoted"), chosen("not quoted"), chosen("type Hello")), (1, 1, 2));
    // Only what was sent becomes a packet again.
    let text: Vec<_> = found.iter().map(Value::to_string).collect();
    let (status, pcap, errors) = command(&["encode"], text.join("\n").as_bytes());
    assert_eq!((status, decoded(&[], &pcap).len()), (0, 1));
    assert_eq!(errors, "rsvp encode: 1 messages that are quoted by ICMP are left out\n");
}

#[test]
fn what_errors_say_besides() {
    let too_big = icmp(3, 4, [0, 0, 0x05, 0x78], &rsvp());
    let pointer = icmp(12, 0, [20, 0, 0, 0], &rsvp());
    let gateway = icmp(5, 1, [10, 0, 0, 9], &rsvp());
    let missing = icmp(12, 1, [0; 4], &rsvp());
    let v6 = |kind, word| ipv6(58, &error(kind, 0, word, &ipv6(46, &MESSAGE)));
    let frames = [too_big, pointer, gateway, missing, v6(2, [0, 0, 5, 0]), v6(4, [0, 0, 0, 40])];
    let expected = [
        (Some(("mtu", json!(1400))), "ICMP fragmentation needed and DF set, MTU 1400: "),
        (Some(("pointer", json!(20))), "ICMP parameter problem, pointer 20: "),
        (Some(("gateway", json!("10.0.0.9"))), "ICMP redirect, gateway 10.0.0.9: "),
        (None, "ICMP parameter problem: a required option is missing: "),
        (Some(("mtu", json!(1280))), "ICMPv6 packet too big, MTU 1280: "),
        (Some(("pointer", json!(40))), "ICMPv6 erroneous header field encountered, pointer 40: "),
    ];
    let file = pcap(101, &frames);
    let found = decoded(&[], &file);
    let lines = decode(&[], &file).output;
    for (number, (besides, said)) in expected.into_iter().enumerate() {
        for key in ["mtu", "pointer", "gateway"] {
            let value = besides.as_ref().filter(|(name, _)| *name == key).map(|(_, value)| value);
            assert_eq!(found[number]["quoted"].get(key), value, "{}", found[number]);
        }
        let line = lines.lines().nth(number).expect("a line of each");
        assert!(line.contains(said), "{line}");
    }
    // Routers older than RFC 1191 say no MTU.
    let old = only(&icmp(3, 4, [0; 4], &rsvp())).expect("a message");
    assert_eq!(old["quoted"].get("mtu"), None);
    let tree = decode(&["-v"], &file).output;
    assert!(tree.contains("  quoted in ICMP redirect, gateway 10.0.0.9 (type 5, code 1) from "), "{tree}");

    // Errors are found by who sent them, and each kind is counted in one row.
    let by = |address: &str| decoded(&["--filter", &format!("address {address}")], &file).len();
    assert_eq!((by("10.0.0.2"), by("10.9.9.9")), (4, 0));
    let redirects = pcap(101, &[icmp(5, 0, [10, 0, 0, 9], &rsvp()), icmp(5, 1, [10, 0, 0, 9], &rsvp())]);
    let stats = decode(&["--stats"], &redirects).output;
    let rows: Vec<_> = stats.lines().filter(|line| line.starts_with("ICMP redirect")).collect();
    assert!(rows.len() == 1 && rows[0].ends_with(" 2"), "{stats}");
    assert!(!stats.contains("message type"), "{stats}");
    // Counts stand under their heading however long the names are.
    let long = pcap(101, &[icmp(3, 9, [0; 4], &rsvp()), icmp(3, 0, [0; 4], &rsvp())]);
    let stats = decode(&["--stats"], &long).output;
    let table = stats.lines().skip_while(|line| !line.starts_with("quoted by"));
    let widths: Vec<_> = table.take(3).map(str::len).collect();
    assert!(widths.len() == 3 && widths.iter().all(|width| *width == widths[0]), "{stats}");
}

#[test]
fn what_errors_quote_and_how_they_are_called() {
    for (kind, code, meaning) in [
        (3, 0, Some("net unreachable")),
        (3, 1, Some("host unreachable")),
        (3, 4, Some("fragmentation needed and DF set")),
        (3, 13, Some("communication administratively prohibited")),
        (3, 99, None),
        (4, 0, Some("source quench")),
        (5, 1, Some("redirect")),
        (11, 0, Some("time to live exceeded in transit")),
        (12, 0, Some("parameter problem")),
    ] {
        let found = only(&icmp(kind, code, [0; 4], &rsvp())).expect("a message");
        assert_eq!(found["quoted"].get("meaning").and_then(Value::as_str), meaning, "{kind}/{code}");
    }
    for (kind, code, meaning) in [
        (1, 0, "no route to destination"),
        (1, 4, "port unreachable"),
        (2, 0, "packet too big"),
        (3, 0, "hop limit exceeded in transit"),
        (4, 1, "unrecognized Next Header type encountered"),
    ] {
        let packet = ipv6(58, &error(kind, code, [0; 4], &ipv6(46, &MESSAGE)));
        let found = only(&packet).expect("a message");
        assert_eq!(found["quoted"]["meaning"], meaning);
        assert_eq!((&found["quoted"]["protocol"], &found["src"]), (&"ICMPv6".into(), &"fd00::1".into()));
    }
    // Echoes carry what they like, and quote nothing.
    for packet in [icmp(8, 0, [0; 4], &rsvp()), icmp(0, 0, [0; 4], &rsvp()), icmp(13, 0, [0; 4], &rsvp())] {
        assert_eq!(only(&packet), None);
    }
    assert_eq!(only(&ipv6(58, &error(128, 0, [0; 4], &ipv6(46, &MESSAGE)))), None);
    // A message in UDP is quoted, too; a later fragment has none of it, and neither has another protocol.
    let udp = [&[0x9c, 0x40, 6, 0xa3, 0, 28, 0, 0][..], &MESSAGE].concat();
    let found = only(&icmp(3, 3, [0; 4], &ipv4(17, 0, &[], &udp))).expect("a message");
    assert_eq!(
        (&found["udp_dst_port"], &found["quoted"]["meaning"]),
        (&1699.into(), &"port unreachable".into())
    );
    assert_eq!(only(&icmp(3, 3, [0; 4], &ipv4(46, 5, &[], &MESSAGE))), None);
    assert_eq!(only(&icmp(3, 3, [0; 4], &ipv4(6, 0, &[], &MESSAGE))), None);
    assert_eq!(only(&icmp(3, 3, [0; 4], &icmp(3, 3, [0; 4], &rsvp()))), None, "errors quote no errors");
}

/// Eight octets of the packet are all that has to be quoted (RFC 792): nothing is wrong with a message for that.
#[test]
fn a_quote_that_ends_early_is_nothing_malformed() {
    let whole = rsvp();
    let header = whole.len() - MESSAGE.len();
    for end in 0..whole.len() {
        let file = pcap(101, &[icmp(11, 0, [0; 4], &whole[..end])]);
        let found = decoded(&["--strict"], &file);
        assert_eq!(found.len(), usize::from(end >= header), "{end}");
        let Some(found) = found.first() else { continue };
        assert_eq!((found.get("error"), &found["truncated"]), (None, &true.into()), "{end}: {found}");
        let line = decode(&["--strict"], &file);
        assert_eq!(line.status, 0, "{}", line.output);
        assert!(line.output.contains("[not all of it was quoted]"), "{}", line.output);
    }
    // The first fragment of a message, and all of that.
    let first = ipv4(46, 0x2000, &[], &MESSAGE[..16]);
    let line = decode(&["--strict"], &pcap(101, &[icmp(11, 1, [0; 4], &first)]));
    assert!(line.status == 0 && line.output.contains("[not all of it was quoted]"), "{}", line.output);
    // What is wrong all the same is said, but does not count: the message was not received.
    let mut wrong = whole.clone();
    wrong[header + 8..header + 10].copy_from_slice(&[0, 3]);
    let file = pcap(101, &[icmp(11, 0, [0; 4], &wrong)]);
    let ran = decode(&["--strict"], &file);
    assert!(ran.status == 0 && ran.output.contains("[malformed at octet 8"), "{}", ran.output);
}

/// RFC 4884 5: the quote is filled up to 128 octets, and extensions follow.
#[test]
fn extensions_are_no_part_of_the_message() {
    let quote = [&rsvp()[..], &vec![0; 128 - rsvp().len()]].concat();
    let extended = [&quote[..], &[0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x11, 1]].concat();
    let found = only(&icmp(11, 0, [0, 32, 0, 0], &extended)).expect("a message");
    assert_eq!((&found["truncated"], found.get("error")), (&false.into(), None), "{found}");
    // ICMPv6 counts it in 8 octets, in another place.
    let packet = ipv6(46, &MESSAGE);
    let whole =
        [&packet[..], &vec![0; 128 - packet.len()], &[0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x11, 1]].concat();
    let mut longer = whole.clone();
    longer[4..6].copy_from_slice(&1460u16.to_be_bytes());
    for (quote, octets) in [(&whole, MESSAGE.len()), (&longer, 128 - 40)] {
        let file = pcap(101, &[ipv6(58, &error(1, 4, [16, 0, 0, 0], quote))]);
        let tree = decode(&["-v"], &file).output;
        let end = format!("\n{octets:>6}  no more of this message is quoted\n");
        assert_eq!(tree.contains(&end), octets != MESSAGE.len(), "{tree}");
    }
    // A packet that was longer than what is quoted: the message ends where the quote does.
    let mut long = extended.clone();
    long[2..4].copy_from_slice(&1500u16.to_be_bytes());
    long[30..32].copy_from_slice(&1476u16.to_be_bytes());
    let tree = decode(&["-v"], &pcap(101, &[icmp(11, 0, [0, 32, 0, 0], &long)])).output;
    assert!(tree.contains("\n   104  no more of this message is quoted\n"), "{tree}");
}

#[test]
fn messages_on_their_way_through_an_aggregation_region() {
    let file = pcap(101, &[ipv4(134, 0, &[0x94, 4, 0, 0], &MESSAGE), ipv6(134, &MESSAGE), rsvp()]);
    let found = decoded(&[], &file);
    let protocols: Vec<_> = found.iter().map(|message| message.get("ip_protocol").cloned()).collect();
    assert_eq!(protocols, [Some(134.into()), Some(134.into()), None]);
    let lines = decode(&[], &file).output;
    assert_eq!(lines.matches("10.0.0.2  E2E-IGNORE Hello").count(), 1, "{lines}");
    assert_eq!(decode(&["-v"], &file).output.matches("  RSVP-E2E-IGNORE\n").count(), 2);
    // And in fragments, and back.
    let pieces = [ipv4(134, 0x2000, &[], &MESSAGE[..8]), ipv4(134, 1, &[], &MESSAGE[8..])];
    assert_eq!(decoded(&[], &pcap(101, &pieces))[0]["ip_protocol"], 134);
    let text: Vec<_> = found.iter().map(Value::to_string).collect();
    let (status, again, errors) = command(&["encode"], text.join("\n").as_bytes());
    assert_eq!(status, 0, "{errors}");
    let again = decoded(&[], &again);
    assert_eq!(again.len(), 3);
    for (again, found) in again.iter().zip(&found) {
        assert_eq!(again.get("ip_protocol"), found.get("ip_protocol"));
    }
    let other = json!({"src": "10.0.0.1", "dst": "10.0.0.2", "ip_protocol": 6, "bytes": "1001"}).to_string();
    let (status, _, errors) = command(&["encode"], other.as_bytes());
    assert!(status == 2 && errors.contains("ip_protocol: 6 does not carry RSVP; 46 and 134 do"), "{errors}");
}
