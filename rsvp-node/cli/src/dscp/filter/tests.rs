//! The filter language: what it reads, what it refuses and where, and which packets it lets through.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn headers(source: &str, destination: &str, protocol: u8, ports: Option<(u16, u16)>) -> Headers {
    Headers {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        traffic_class: 0,
        protocol,
        ports,
        fragment: None,
        without_its_ports: false,
    }
}

#[test]
fn packets_are_told_apart() {
    let tcp = headers("127.0.0.1", "127.0.0.2", 6, Some((40_000, 8_086)));
    let six = headers("fd00::1", "fd00::2", 17, Some((53, 40_000)));
    let ping = headers("10.1.2.3", "192.0.2.1", 1, None);
    let rsvp = headers("10.1.2.3", "192.0.2.1", 46, None);
    let cases: [(&str, [bool; 4]); 28] = [
        ("tcp", [true, false, false, false]),
        ("ip", [true, false, true, true]),
        ("ip6", [false, true, false, false]),
        ("icmp", [false, false, true, false]),
        ("proto 46", [false, false, false, true]),
        ("ip proto rsvp", [false, false, false, true]),
        ("ip6 proto 17", [false, true, false, false]),
        ("tcp port 8086", [true, false, false, false]),
        ("udp port 8086", [false, false, false, false]),
        ("port 40000", [true, true, false, false]),
        ("src port 40000", [true, false, false, false]),
        ("dst port 40000", [false, true, false, false]),
        ("portrange 50-60", [false, true, false, false]),
        ("ip6 udp src portrange 53-53", [false, true, false, false]),
        ("host 127.0.0.2", [true, false, false, false]),
        ("src 127.0.0.2", [false, false, false, false]),
        ("dst host 127.0.0.2", [true, false, false, false]),
        ("dst fd00::2", [false, true, false, false]),
        ("net 10.0.0.0/8", [false, false, true, true]),
        ("dst net 10.0.0.0/8", [false, false, false, false]),
        ("src net fd00::/8", [false, true, false, false]),
        ("not port 8086", [false, true, true, true]),
        ("! tcp", [false, true, true, true]),
        ("!(tcp or udp)", [false, false, true, true]),
        ("tcp port 8086 and host 127.0.0.1", [true, false, false, false]),
        ("tcp && dst port 1 || udp", [false, true, false, false]),
        // From left to right, as pcap has it: (udp or tcp) and port 53.
        ("udp or tcp and port 53", [false, true, false, false]),
        ("tcp or (udp and port 54)", [true, false, false, false]),
    ];
    for (text, expected) in cases {
        let filter = parse(text);
        assert_eq!([tcp, six, ping, rsvp].map(|packet| filter.holds(&packet)), expected, "{text}");
        assert_eq!(parse(&filter.to_string()), filter, "{text}: {filter}");
    }
}

#[test]
fn what_does_not_fit_is_shown_where_it_is() {
    let wrong = |text: &str| text.parse::<Filter>().unwrap_err().to_string();
    let shown = wrong("tcp prt 8086");
    assert_eq!(
        shown,
        "`prt` (at character 5) does not fit: expected `and`, `or` or the end\n  tcp prt 8086\n      ^^^"
    );
    let cases = [
        ("", 1, "ends too early"),
        ("tcp and", 8, "ends too early"),
        ("tcp and and", 9, "expected `host ADDRESS`"),
        ("port 65536", 6, "from 0 to 65535"),
        ("port http", 6, "names are not looked up"),
        ("port +80", 6, "from 0 to 65535"),
        ("portrange 9-8", 11, "the smaller one first"),
        ("host localhost", 6, "names are not looked up"),
        ("host ::1::", 6, "an address"),
        ("ip host ::1", 9, "an address of IPv4"),
        ("ip6 net 10.0.0.0/8", 9, "a network of IPv6"),
        ("net 10.0.0.0/33", 5, "10.0.0.0/8"),
        ("127.0.0.1", 1, "`host`, `src` or `dst` before it"),
        ("src", 4, "expected `port N`"),
        ("src dst port 5", 5, "expected `port N`"),
        ("tcp src http", 9, "expected `port N`"),
        ("icmp port 5", 6, "ICMP have no ports"),
        ("proto 256", 7, "from 0 to 255"),
        ("(tcp or udp", 12, "`)`"),
        ("tcp)", 4, "or the end"),
        ("höst 1.2.3.4 or", 1, "expected `host"),
        ("not ( tcp or ü )", 14, "expected `host"),
    ];
    for (text, character, words) in cases {
        let complaint = wrong(text);
        assert!(complaint.contains(words), "{text}: {complaint}");
        let mark = complaint.lines().last().unwrap();
        assert_eq!(mark.find('^'), Some(2 + character - 1), "{text}: {complaint}");
    }
    assert!(wrong(&"(".repeat(100_000)).contains("too deep"));
    assert!(wrong(&"not ".repeat(100_000)).contains("too deep"));
    let long = vec!["tcp"; 100_000].join(" or ");
    assert!(parse(&long).holds(&headers("10.0.0.1", "10.0.0.2", 6, None)), "many in a row are no depth");
}

#[test]
fn packets_without_ports_have_none_that_match() {
    let fragment = headers("10.0.0.1", "10.0.0.2", 17, None);
    assert!(!parse("port 5").holds(&fragment) && parse("not port 5").holds(&fragment));
    assert!(parse("tcp and not (udp or dst port 5)").asks_for_ports());
    assert!(!parse("tcp and not src 10.0.0.1").asks_for_ports());
}

fn term() -> impl Strategy<Value = Term> {
    let side = prop_oneof![Just(Side::Either), Just(Side::Source), Just(Side::Destination)];
    let address =
        prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)];
    let network =
        (address.clone(), 0u8..=32).prop_map(|(address, bits)| Network::new(address, Some(bits)).unwrap());
    let what = prop_oneof![
        address.prop_map(|address| What::Host(Network::new(address, None).unwrap())),
        network.prop_map(What::Net),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| What::Ports(a.min(b)..=a.max(b))),
    ];
    let version = prop::option::of(prop_oneof![Just(Version::Ip), Just(Version::Ip6)]);
    let sound = |term: &Term| {
        let words = !matches!(term, Term { version: None, protocol: None, what: None });
        words
            && match &term.what {
                Some((_, What::Ports(_))) => term.protocol.is_none_or(|p| !WITHOUT_PORTS.contains(&p)),
                Some((_, What::Host(n) | What::Net(n))) => fits(term.version, &n.to_string()),
                None => true,
            }
    };
    (version, prop::option::of(any::<u8>()), prop::option::of((side, what)))
        .prop_map(|(version, protocol, what)| Term { version, protocol, what })
        .prop_filter("can be written", sound)
}

fn filter() -> impl Strategy<Value = Filter> {
    let joint = prop_oneof![Just(Joint::And), Just(Joint::Or)];
    term().prop_map(Filter::Term).prop_recursive(4, 24, 4, move |inner| {
        let rest = prop::collection::vec((joint.clone(), inner.clone()), 1..4);
        prop_oneof![
            inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
            (inner, rest).prop_map(|(first, rest)| Filter::Chain(Box::new(first), rest)),
        ]
    })
}

fn packet() -> impl Strategy<Value = Headers> {
    (any::<bool>(), any::<[u8; 16]>(), any::<[u8; 16]>(), 0u8..60, prop::option::of(any::<(u16, u16)>()))
        .prop_map(|(four, source, destination, protocol, ports)| {
            let address = |octets: [u8; 16]| match octets.first_chunk::<4>() {
                Some(&start) if four => IpAddr::from(start),
                _ => IpAddr::from(octets),
            };
            let addresses = (address(source), address(destination));
            Headers {
                source: addresses.0,
                destination: addresses.1,
                protocol,
                ports,
                ..headers("::", "::", 0, None)
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written is read again as the same, and so means the same.
    #[test]
    fn what_is_written_is_read_again(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(text.parse::<Filter>(), Ok(filter));
    }

    /// De Morgan's laws hold for every packet.
    #[test]
    fn not_turns_and_into_or(one in filter(), other in filter(), packet in packet()) {
        let (both, either) = (parse(&format!("({one}) and ({other})")), parse(&format!("({one}) or ({other})")));
        let neither = parse(&format!("not ({one}) and not ({other})"));
        let not_both = parse(&format!("not ({one}) or not ({other})"));
        prop_assert_eq!(both.holds(&packet), one.holds(&packet) && other.holds(&packet));
        prop_assert_eq!(either.holds(&packet), !neither.holds(&packet));
        prop_assert_eq!(both.holds(&packet), !not_both.holds(&packet));
    }

    /// No text makes the parser panic, and what it refuses is shown with a place.
    #[test]
    fn any_text_is_read_or_refused(text in "(tcp|udp|port|host|not|and|or|src|net|[()!]|[0-9./:-]{1,6}|\\PC| ){0,12}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.to_string().lines().last().is_some_and(|line| line.trim_start().starts_with('^')));
        }
    }
}
