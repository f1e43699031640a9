//! Captured messages, committed as hexadecimal text: what is shown of the sound ones, and what is wrong with the rest.
//!
//! Each file of `vectors/` names the packet it was taken from; `pcaps` compares it with the capture.

use std::fs;

use rsvp_wire::{
    AdspecSummary, ChecksumVerdict, Class, Flowspec, Message, ObjectRef, ParseError, Scan, SenderTspec, Why,
    show,
};

/// One file.
pub(crate) struct Vector {
    /// File name without its ending.
    pub(crate) name: String,
    /// Capture and packet number, from the comment.
    pub(crate) packet: Option<(String, usize)>,
    /// The octets.
    pub(crate) octets: Vec<u8>,
}

/// All files, by name.
pub(crate) fn all() -> Vec<Vector> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/it/vectors");
    let mut vectors: Vec<_> = fs::read_dir(folder)
        .expect(folder)
        .map(|entry| {
            let path = entry.expect(folder).path();
            let text = fs::read_to_string(&path).expect("text");
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            let packet = text.lines().find_map(|line| {
                let (capture, number) = line.strip_prefix("# ")?.split_once(" packet ")?;
                Some((capture.to_owned(), number.parse().ok()?))
            });
            let digits: String =
                text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
            let octets = (0..digits.len() / 2)
                .map(|index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).expect(&name))
                .collect();
            Vector { name, packet, octets }
        })
        .collect();
    vectors.sort_by(|one, other| one.name.cmp(&other.name));
    vectors
}

/// What is shown of each sound message.
const SOUND: &[(&str, &str)] = &[
    (
        "kom-real-3hop-01-path",
        "Path udp 10.77.2.2:7001 from 10.77.1.1:5001 hop 10.77.1.1/1 R=30s \
         tspec 80kbit/s b=2000B p=96kbit/s m=64B M=1500B adspec hops=1 bw=inf latency=0us mtu=2147483647B",
    ),
    (
        "kom-real-3hop-02-path",
        "Path udp 10.77.2.2:7001 from 10.77.1.1:5001 hop 10.77.2.1/2 R=30s \
         tspec 80kbit/s b=2000B p=96kbit/s m=64B M=1500B adspec hops=2 bw=inf latency=0us mtu=2147483647B",
    ),
    (
        "kom-real-3hop-03-resv",
        "Resv udp 10.77.2.2:7001 MESSAGE_ID[epoch=1433396 message_identifier=0] hop 10.77.2.2/2 R=30s confirm 10.77.2.2 style FF \
         controlled-load 80kbit/s b=2000B p=96kbit/s m=64B M=1500B filter 10.77.1.1:5001",
    ),
    (
        "kom-real-3hop-04-resv",
        "Resv udp 10.77.2.2:7001 MESSAGE_ID[epoch=10128384 message_identifier=0] hop 10.77.1.2/1 R=30s confirm 10.77.2.2 style FF \
         controlled-load 80kbit/s b=2000B p=96kbit/s m=64B M=1500B filter 10.77.1.1:5001",
    ),
    (
        "kom-real-3hop-05-resv-conf",
        "ResvConf udp 10.77.2.2:7001 confirmation at 10.77.1.1 confirm 10.77.2.2 style FF \
         controlled-load 80kbit/s b=2000B p=96kbit/s m=64B M=1500B filter 10.77.1.1:5001",
    ),
    (
        "kom-real-3hop-06-resv-conf",
        "ResvConf udp 10.77.2.2:7001 confirmation at 10.77.1.1 confirm 10.77.2.2 style FF \
         controlled-load 80kbit/s b=2000B p=96kbit/s m=64B M=1500B filter 10.77.1.1:5001",
    ),
    (
        "kom-real-3hop-07-resv-tear",
        "ResvTear udp 10.77.2.2:7001 hop 10.77.2.2/2 style FF filter 10.77.1.1:5001",
    ),
    (
        "kom-real-3hop-08-resv-tear",
        "ResvTear udp 10.77.2.2:7001 hop 10.77.1.2/1 style FF filter 10.77.1.1:5001",
    ),
    ("kom-real-3hop-10-path-tear", "PathTear udp 10.77.2.2:7001 from 10.77.1.1:5001 hop 10.77.1.1/1"),
    ("kom-real-3hop-11-path-tear", "PathTear udp 10.77.2.2:7001 from 10.77.1.1:5001 hop 10.77.2.1/2"),
];

/// Messages of routers that do not mind that RFC 2210 3.1 makes a minimum policed unit of zero illegal: they are read and
/// shown as they are, and it is for others to judge.
const ZERO_MINIMUM_POLICED_UNIT: &[(&str, Class)] = &[
    ("wireshark-mpls-te-01-path", Class::SENDER_TSPEC),
    ("wireshark-mpls-te-02-resv", Class::FLOWSPEC),
    ("wireshark-mpls-te-27-path-tear", Class::SENDER_TSPEC),
    ("wireshark-mpls-te-28-resv-tear", Class::FLOWSPEC),
    ("wireshark-mpls-te-29-resv-tear-confirm", Class::FLOWSPEC),
    ("wireshark-rsvp-PATH-RESV-01-path", Class::SENDER_TSPEC),
    ("wireshark-rsvp-PATH-RESV-07-resv", Class::FLOWSPEC),
    ("wireshark-rsvp-PATH-RESV-08-resv-conf", Class::FLOWSPEC),
];

/// A bad packet: its checksum, what keeps it from being a message, and how a walk over its objects ends.
struct Bad {
    name: &'static str,
    checksum: ChecksumVerdict,
    error: (u16, Why),
    objects: usize,
    walk_ends: Option<(u16, Why)>,
}

const BAD: &[Bad] = &[
    // Octets were changed inside, one of them the prefix length 0x46 at 63, so the checksum is no longer right.
    Bad {
        name: "tcpdump-rsvp-inf-loop-2-01-path",
        checksum: ChecksumVerdict::Bad,
        error: (2, Why::Checksum),
        objects: 9,
        walk_ends: None,
    },
    // A sound header and checksum (1014 + 4000 + 0014 + 0008 + 1401 + 0300 = 6731); the second object has length 0.
    Bad {
        name: "tcpdump-rsvp-infinite-loop-01-hello",
        checksum: ChecksumVerdict::Ok,
        error: (16, Why::ObjectLength),
        objects: 1,
        walk_ends: Some((16, Why::ObjectLength)),
    },
    // The same with Send_TTL 0x80 and the checksum 0x4000 smaller.
    Bad {
        name: "tcpdump-rsvp-infinite-loop-03-hello",
        checksum: ChecksumVerdict::Ok,
        error: (16, Why::ObjectLength),
        objects: 1,
        walk_ends: Some((16, Why::ObjectLength)),
    },
    // Length 0x4000, but 13 octets captured: one empty object, then one octet of the next.
    Bad {
        name: "tcpdump-rsvp-rsvp_obj_print-oobr-01-hello",
        checksum: ChecksumVerdict::Unverifiable,
        error: (13, Why::Truncated),
        objects: 1,
        walk_ends: Some((13, Why::Truncated)),
    },
    // The words sum to 829d, which asks for 7d62; the field says 7d4d. The framing is sound.
    Bad {
        name: "tcpdump-rsvp_cap-01-hello",
        checksum: ChecksumVerdict::Bad,
        error: (2, Why::Checksum),
        objects: 3,
        walk_ends: None,
    },
    // Length 0xa102 is no multiple of 4; of its octets 17 were captured: two empty objects and one octet.
    Bad {
        name: "tcpdump-rsvp_fast_reroute-oobr-01-path",
        checksum: ChecksumVerdict::Unverifiable,
        error: (6, Why::Length),
        objects: 2,
        walk_ends: Some((17, Why::Truncated)),
    },
    // These four: Length 0xfff7 is no multiple of 4; 20 octets were captured, one object of 12 after the header.
    Bad { name: "tcpdump-rsvp_uni-oobr-1-01-hello", ..CUT_AT_20 },
    Bad { name: "tcpdump-rsvp_uni-oobr-2-01-hello", ..CUT_AT_20 },
    Bad { name: "tcpdump-rsvp_uni-oobr-3-01-hello", ..CUT_AT_20 },
    Bad { name: "tcpdump-rsvp_uni-oobr-3-02-hello", ..CUT_AT_20 },
];

const CUT_AT_20: Bad = Bad {
    name: "",
    checksum: ChecksumVerdict::Unverifiable,
    error: (6, Why::Length),
    objects: 1,
    walk_ends: Some((20, Why::Truncated)),
};

fn octets(name: &str) -> Vec<u8> {
    all().into_iter().find(|vector| vector.name == name).expect(name).octets
}

#[test]
fn every_vector_is_judged_once() {
    let mut judged: Vec<_> = SOUND.iter().map(|(name, _)| *name).collect();
    judged.extend(ZERO_MINIMUM_POLICED_UNIT.iter().map(|(name, _)| *name));
    judged.extend(BAD.iter().map(|bad| bad.name));
    judged.sort_unstable();
    let names: Vec<_> = all().into_iter().map(|vector| vector.name).collect();
    assert_eq!(judged, names);
}

#[test]
fn sound_messages_show_what_they_say() {
    for (name, shown) in SOUND {
        let octets = octets(name);
        assert_eq!(Scan::new(&octets).checksum(), ChecksumVerdict::Ok, "{name}");
        let message = Message::parse(&octets).expect(name);
        assert_eq!(show::one_line(&message).to_string(), *shown, "{name}");
    }
}

#[test]
fn a_minimum_policed_unit_of_zero_is_read_and_known_to_be_illegal() {
    for &(name, class) in ZERO_MINIMUM_POLICED_UNIT {
        let octets = octets(name);
        let message = Message::parse(&octets).expect(name);
        let object = message.first(class).expect(name);
        let tspec = match class {
            Class::FLOWSPEC => *object.read::<Flowspec>().expect(name).tspec(),
            _ => object.read::<SenderTspec>().expect(name).0,
        };
        assert_eq!((tspec.min_policed_unit, tspec.is_legal()), (0, false), "{name}");
        assert!(
            show::one_line(&message).to_string().contains(" m=0B "),
            "{name}: {}",
            show::one_line(&message)
        );
    }
}

#[test]
fn bad_packets_are_judged_where_they_are_bad() {
    let error = |(at, why)| ParseError { at, why };
    for bad in BAD {
        let octets = octets(bad.name);
        let scan = Scan::new(&octets);
        assert_eq!(scan.checksum(), bad.checksum, "{}", bad.name);
        assert_eq!(scan.error(), Some(error(bad.error)), "{}", bad.name);
        assert_eq!(Message::parse(&octets).err(), Some(error(bad.error)), "{}", bad.name);
        assert_eq!(scan.objects().filter(Result::is_ok).count(), bad.objects, "{}", bad.name);
        assert_eq!(scan.objects().find_map(Result::err), bad.walk_ends.map(error), "{}", bad.name);
    }
}

#[test]
fn bodies_with_bad_lengths_inside() {
    // The service header of the SENDER_TSPEC at 124 says 0x46 words instead of 6, at 124 + 4 + 4 + 2. In the ADSPEC
    // at 160 parameter 8, the third, says 0xd201 words: its header is at 160 + 4 + 4 + 4 + 2 * 8, its value 4 later.
    let octets = octets("tcpdump-rsvp-inf-loop-2-01-path");
    let objects: Vec<ObjectRef<'_>> = Scan::new(&octets).objects().filter_map(Result::ok).collect();
    let of = |class| objects.iter().find(|object| object.class == class).expect("it is there");
    let error = |at| Some(ParseError { at, why: Why::BodyLength });
    assert_eq!(of(Class::SENDER_TSPEC).read::<SenderTspec>().err(), error(134));
    assert_eq!(of(Class::ADSPEC).read::<AdspecSummary>().err(), error(192));
}
