//! Messages as a whole: what is sound, what is said about what is not, and building, re-writing and walking them.
//! All octets here are laid out by hand from the figures of RFC 2205 3.1 and Appendix A.

use rsvp_wire::{
    CType, ChecksumVerdict, Class, FilterSpec, Flowspec, Message, MessageWriter, MsgType, NeedSpace,
    ParseError, Rspec, RsvpHop, Scan, SenderTemplate, Session, Style, TimeValues, Tspec, UnknownClass, Why,
    checksum, flow_descriptors, known, known_class, rewrite,
};

/// A ResvTear-like skeleton: header without checksum, a TIME_VALUES object, a NULL object under C-Type 9.
fn skeleton() -> Vec<u8> {
    let mut octets = vec![0x10, 2, 0, 0, 63, 0, 0, 24];
    octets.extend([0, 8, 5, 1, 0, 0, 0x75, 0x30]);
    octets.extend([0, 8, 0, 9, 1, 2, 3, 4]);
    octets
}

/// What `parse` and `Scan` both say about the skeleton with some octets changed.
#[track_caller]
fn refused(change: impl FnOnce(&mut Vec<u8>), at: u16, why: Why) {
    let mut octets = skeleton();
    change(&mut octets);
    let error = Some(ParseError { at, why });
    assert_eq!(Message::parse(&octets).err(), error);
    assert_eq!(Scan::new(&octets).error(), error);
}

#[test]
fn a_sound_message_reads() {
    let octets = skeleton();
    let message = Message::parse(&octets).unwrap();
    assert_eq!((message.msg_type(), message.send_ttl()), (MsgType::RESV, 63));
    let header = message.header();
    assert_eq!(
        (header.version, header.flags, header.checksum, header.reserved, header.length),
        (1, 0, 0, 0, 24)
    );
    let objects: Vec<_> = message.objects().map(|object| (object.class, object.ctype, object.at())).collect();
    assert_eq!(objects, [(Class::TIME_VALUES, CType(1), 8), (Class::NULL, CType(9), 16)]);
    assert_eq!(message.objects().last().unwrap().body(), [1, 2, 3, 4]);
    assert_eq!(message.get(), Some(Ok(TimeValues { refresh_ms: 30_000 })));
    assert_eq!(message.get::<Session>(), None);
    assert_eq!(Scan::new(&octets).checksum(), ChecksumVerdict::Zero);
}

#[test]
fn flags_and_reserved_bits_are_accepted_and_kept() {
    let mut octets = skeleton();
    octets[0] = 0x1f;
    octets[5] = 0xff;
    let message = Message::parse(&octets).unwrap();
    assert_eq!((message.header().flags, message.header().reserved), (0xf, 0xff));
    let mut buffer = [0xaa; 24];
    assert_eq!(rewrite(&message, &mut buffer), Ok(24));
    assert_eq!(buffer[..], octets[..]);
}

#[test]
fn unsound_headers() {
    refused(|octets| octets.truncate(0), 0, Why::Truncated);
    refused(|octets| octets.truncate(7), 7, Why::Truncated);
    refused(|octets| octets.truncate(20), 20, Why::Truncated);
    refused(|octets| octets[0] = 0x20, 0, Why::Version);
    refused(|octets| octets[7] = 4, 6, Why::Length);
    refused(|octets| octets[7] = 23, 6, Why::Length);
    refused(|octets| octets.push(0), 6, Why::Length);
    refused(|octets| octets[3] = 1, 2, Why::Checksum);
}

#[test]
fn unsound_objects() {
    refused(|octets| octets[9] = 0, 8, Why::ObjectLength);
    refused(|octets| octets[9] = 3, 8, Why::ObjectLength);
    refused(|octets| octets[9] = 6, 8, Why::ObjectLength);
    refused(|octets| octets[17] = 12, 16, Why::ObjectOverrun);
    refused(|octets| octets[16] = 0xff, 16, Why::ObjectOverrun);
}

#[test]
fn a_scan_yields_objects_up_to_the_first_error() {
    let mut octets = skeleton();
    octets[17] = 12;
    let found: Vec<_> =
        Scan::new(&octets).objects().map(|object| object.map(|object| object.class)).collect();
    assert_eq!(found, [Ok(Class::TIME_VALUES), Err(ParseError { at: 16, why: Why::ObjectOverrun })]);
    // Cut off inside the second object, and right after the first.
    for end in [20, 18, 16] {
        let scan =
            Scan::new(&skeleton()[..end]).objects().map(|object| object.map(|object| object.class)).collect();
        let found: Vec<_> = scan;
        assert_eq!(found, [Ok(Class::TIME_VALUES), Err(ParseError { at: end as u16, why: Why::Truncated })]);
    }
    let octets = skeleton();
    assert!(Scan::new(&octets[..20]).truncated() && !Scan::new(&octets).truncated());
    assert_eq!(Scan::new(&octets[..3]).header(), None);
}

#[test]
fn checksum_verdicts() {
    let mut octets = skeleton();
    let right = checksum(&octets);
    octets[2..4].copy_from_slice(&right.to_be_bytes());
    assert_eq!(Scan::new(&octets).checksum(), ChecksumVerdict::Ok);
    assert_eq!(Scan::new(&octets[..20]).checksum(), ChecksumVerdict::Unverifiable);
    assert_eq!(Scan::new(&octets[..2]).checksum(), ChecksumVerdict::Unverifiable);
    octets[23] ^= 1;
    assert_eq!(Scan::new(&octets).checksum(), ChecksumVerdict::Bad);
}

#[test]
fn both_zeros_of_the_ones_complement_verify() {
    // 1002 + 000c + 0004 + efed = ffff: the checksum is 0000, and ffff, the other zero, sums to the same.
    let mut octets = [0x10, 2, 0, 0, 0, 0, 0, 12, 0, 4, 0xef, 0xed];
    assert_eq!(checksum(&octets), 0);
    octets[2..4].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(Scan::new(&octets).checksum(), ChecksumVerdict::Ok);
    let message = Message::parse(&octets).unwrap();
    let mut buffer = [0; 12];
    assert_eq!(rewrite(&message, &mut buffer), Ok(12));
    assert_eq!(buffer, octets);
}

#[test]
fn trusted_octets_skip_the_checksum_and_nothing_else() {
    let mut octets = skeleton();
    octets[3] = 1;
    assert_eq!(Message::trusted(&octets).objects().count(), 2);
    octets[9] = 0;
    let message = Message::trusted(&octets);
    assert_eq!((message.objects().count(), message.msg_type(), message.octets().len()), (0, MsgType(0), 8));
    assert_eq!(Message::trusted(&[]).objects().count(), 0);
}

#[test]
fn the_writer_counts_past_its_buffer() {
    let time = TimeValues { refresh_ms: 1 };
    let mut buffer = [0; 20];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
    writer.put(&time).put(&time);
    assert_eq!(writer.len(), 24);
    assert_eq!(writer.finish(), Err(NeedSpace(24)));
    let octets = skeleton();
    assert_eq!(rewrite(&Message::parse(&octets).unwrap(), &mut buffer), Err(NeedSpace(24)));
    assert_eq!(MessageWriter::new(&mut [], MsgType::PATH, 1).finish(), Err(NeedSpace(8)));
}

#[test]
fn a_message_has_at_most_65535_octets() {
    let mut buffer = vec![0; 70_000];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
    writer.copy(&[0; 40_000]).copy(&[0; 30_000]);
    assert_eq!(writer.finish(), Err(NeedSpace(70_008)));
}

#[test]
fn written_octets() {
    let mut buffer = [0xaa; 64];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH_TEAR, 7);
    writer.put(&RsvpHop { address: [10, 0, 0, 1].into(), lih: 2 });
    let written = writer.finish().unwrap();
    // Sum of the words: 1005 + 0700 + 0014 + 000c + 0301 + 0a00 + 0001 + 0002 = 2429.
    assert_eq!(written, [0x10, 5, 0xdb, 0xd6, 7, 0, 0, 20, 0, 12, 3, 1, 10, 0, 0, 1, 0, 0, 0, 2]);
}

const TSPEC: Tspec = Tspec {
    rate: 250_000.0,
    bucket: 1500.0,
    peak: f32::INFINITY,
    min_policed_unit: 64,
    max_packet_size: 1500,
};

/// The flow descriptors of a Resv of one style, as (rate of the FLOWSPEC, port of the FILTER_SPEC). In `list` an `Ok`
/// is a FILTER_SPEC with this port, an `Err` a FLOWSPEC of this rate.
#[track_caller]
fn descriptors(style: Style, list: &[Result<u16, u16>], expected: &[(Option<u16>, Option<u16>)]) {
    let mut buffer = [0; 512];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::RESV, 1);
    writer.put(&TimeValues { refresh_ms: 1 }).put(&style);
    for item in list {
        match *item {
            Ok(port) => writer.put(&FilterSpec::new([10, 0, 0, 1].into(), port)),
            Err(rate) => writer.put(&Flowspec::ControlledLoad(Tspec { rate: rate.into(), ..TSPEC })),
        };
    }
    let octets = writer.finish().expect("room");
    let message = Message::parse(octets).expect("sound");
    let found: Vec<_> = flow_descriptors(&message)
        .map(|descriptor| {
            let rate = descriptor
                .flowspec
                .map(|object| object.read::<Flowspec>().expect("a FLOWSPEC").tspec().rate as u16);
            (rate, descriptor.filter.map(|object| object.read::<FilterSpec>().expect("a FILTER_SPEC").port()))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn flow_descriptors_by_style() {
    // RFC 2205 3.1.4: in FF an omitted FLOWSPEC is the one before.
    let (some, none) = (Some(1), None);
    descriptors(
        Style::FF,
        &[Err(1), Ok(7), Ok(8), Err(2), Ok(9)],
        &[(some, Some(7)), (some, Some(8)), (Some(2), Some(9))],
    );
    descriptors(Style::SE, &[Err(1), Ok(7), Ok(8)], &[(some, Some(7)), (some, Some(8))]);
    descriptors(Style::WF, &[Err(1)], &[(some, none)]);
    // 3.1.6: a ResvTear may omit the FLOWSPEC.
    descriptors(Style::WF, &[], &[(none, none)]);
    descriptors(Style::FF, &[Ok(7)], &[(none, Some(7))]);
    descriptors(Style::FF, &[], &[]);
    // Violations are visible: a FLOWSPEC without a FILTER_SPEC.
    descriptors(
        Style::FF,
        &[Err(1), Err(2), Ok(7), Err(3)],
        &[(some, none), (Some(2), Some(7)), (Some(3), none)],
    );
}

#[test]
fn no_style_no_flow_descriptors() {
    let octets = skeleton();
    assert_eq!(flow_descriptors(&Message::parse(&octets).unwrap()).count(), 0);
}

#[test]
fn what_is_known() {
    for class in 0..=255 {
        let class = Class(class);
        assert_eq!(known_class(class), class.name().is_some(), "{class}");
        assert_eq!(known_class(class), (0..=255).any(|ctype| known(class, CType(ctype))), "{class}");
    }
    assert!(
        known(Class::NULL, CType(77)) && known(Class::FLOWSPEC, CType(1)) && known(Class::ADSPEC, CType(2))
    );
    assert!(known(Class::SESSION, CType(7)) && !known(Class::ADSPEC, CType(1)));
    assert!(!known(Class::SESSION, CType(5)) && !known(Class(2), CType(1)));
    // RFC 2205 3.10.
    assert_eq!(Class(0x7f).when_unknown(), UnknownClass::Reject);
    assert_eq!(Class(0x80).when_unknown(), UnknownClass::Ignore);
    assert_eq!(Class(0xbf).when_unknown(), UnknownClass::Ignore);
    assert_eq!(Class(0xc0).when_unknown(), UnknownClass::Forward);
}

#[test]
fn codes_print_by_name_or_number() {
    assert_eq!(format!("{} {} {}", MsgType::RESV_CONF, MsgType(200), Class(206)), "ResvConf 200 206");
    assert_eq!(rsvp_wire::error_value_name(rsvp_wire::ErrorCode(21), 3), Some("Bad Flowspec value"));
    assert_eq!(rsvp_wire::error_value_name(rsvp_wire::ErrorCode(2), 99), None);
    let error = ParseError { at: 8, why: Why::ObjectLength };
    assert_eq!(
        error.to_string(),
        "an object's Length is below 4 or no multiple of 4 (octet 8 of the message)"
    );
}

#[test]
fn stored_objects_walk_without_a_header() {
    let octets = skeleton();
    let stored = rsvp_wire::Objects::over(&octets[8..]);
    assert!(stored.map(|object| (object.class, object.at())).eq([(Class::TIME_VALUES, 0), (Class::NULL, 8)]));
}

#[test]
fn shown_on_one_line_and_as_a_tree() {
    let mut buffer = [0; 512];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::RESV, 63);
    writer
        .put(&"udp 10.0.2.2:5000".parse::<Session>().unwrap())
        .put(&RsvpHop { address: [10, 0, 12, 2].into(), lih: 3 })
        .put(&TimeValues { refresh_ms: 30_000 })
        .put(&Style::FF)
        .put(&Flowspec::Guaranteed(TSPEC, Rspec { rate: 300_000.0, slack: 10 }))
        .put(&FilterSpec::new([10, 0, 1, 1].into(), 4000))
        .copy(&[0, 8, 206, 7, 1, 2, 3, 4])
        .copy(&[0, 4, 7, 9]);
    let octets = writer.finish().unwrap();
    let message = Message::parse(octets).unwrap();
    assert_eq!(
        rsvp_wire::show::one_line(&message).to_string(),
        "Resv udp 10.0.2.2:5000 hop 10.0.12.2/3 R=30s style FF \
         guaranteed 2Mbit/s b=1500B p=inf m=64B M=1500B R=2.4Mbit/s S=10us filter 10.0.1.1:4000 \
         206/7[4 octets] SCOPE/9[0 octets]"
    );
    let tree = rsvp_wire::show::tree(&message).to_string();
    let lines: Vec<_> = tree.lines().collect();
    assert_eq!(
        lines[1..6],
        [
            "    8   12 octets  IPv4/UDP SESSION: udp 10.0.2.2:5000",
            "   12      destination: 10.0.2.2",
            "   16      protocol: udp (17)",
            "   17      flags: 0x0",
            "   18      port: 5000",
        ]
    );
    for line in [
        "   36      refresh: 30000 ms",
        "   64              rate: 250000 bytes/s (2Mbit/s)",
        "  108    8 octets  206/7[4 octets]",
        "  112      bytes: 01020304",
    ] {
        assert!(lines.contains(&line), "{line} in\n{tree}");
    }
    assert!(lines[0].starts_with("Resv: version 1 flags 0x0 checksum 0x"), "{}", lines[0]);
}

#[test]
fn a_path_shows_its_sender_after_its_session() {
    let mut buffer = [0; 128];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 63);
    writer
        .put(&"tcp [fd00::1]:80".parse::<Session>().unwrap())
        .put(&TimeValues { refresh_ms: 2500 })
        .put(&"[fd00::2]:4000".parse::<SenderTemplate>().unwrap())
        .copy(&[0, 8, 12, 2, 0, 0, 0, 7]);
    let octets = writer.finish().unwrap();
    let shown = rsvp_wire::show::one_line(&Message::parse(octets).unwrap()).to_string();
    let (start, end) = shown.split_once(" SENDER_TSPEC/2[").unwrap();
    assert_eq!(start, "Path tcp [fd00::1]:80 from [fd00::2]:4000 R=2.5s");
    assert!(end.ends_with("(octet 72 of the message)]"), "{end}");
}

#[test]
fn rates_print_in_bits() {
    let shown = |rate: f32| rsvp_wire::Rate(rate).to_string();
    assert_eq!(shown(250_000.0), "2Mbit/s");
    assert_eq!(shown(41_662.5), "333.3kbit/s");
    assert_eq!(shown(f32::INFINITY), "inf");
    assert_eq!(shown(0.0), "0bit/s");
    assert_eq!(shown(125_000_000.0), "1Gbit/s");
    assert_eq!(shown(124_999.9), "1Mbit/s");
    assert_eq!("2Mbit/s".parse(), Ok(rsvp_wire::Rate(250_000.0)));
    assert_eq!("333.3kbit/s".parse(), Ok(rsvp_wire::Rate(41_662.5)));
    assert_eq!("inf".parse(), Ok(rsvp_wire::Rate(f32::INFINITY)));
    assert!("-1bit/s".parse::<rsvp_wire::Rate>().is_err() && "nanbit/s".parse::<rsvp_wire::Rate>().is_err());
}

#[test]
fn text_forms_read_back() {
    for text in
        ["udp 10.0.2.2:5000", "tcp [fd00::1]:80", "proto89 224.0.0.5", "udp fd00::1", "proto0 1.2.3.4:65535"]
    {
        assert_eq!(text.parse::<Session>().unwrap().to_string(), text);
    }
    for text in ["10.0.1.1:4000", "[fd00::1]:4000", "fd00::1", "fd00::1 label 74565"] {
        assert_eq!(text.parse::<FilterSpec>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "udp",
        "udp 10.0.2.2:",
        "udp 10.0.2.2:70000",
        "proto256 1.1.1.1",
        "udp 10.0.2.2:1x",
        "icmp 1.1.1.1",
    ] {
        assert!(text.parse::<Session>().is_err(), "{text}");
    }
    for text in ["10.0.1.1:4000 ", "[10.0.0.1]:5", "10.0.0.1 label 5", "fd00::1 label 16777216", "fd00::1:x"]
    {
        assert!(text.parse::<FilterSpec>().is_err(), "{text}");
    }
    let error = "udp 10.0.2.2:1x".parse::<Session>().unwrap_err();
    assert_eq!(error.to_string(), "unexpected text at octet 14; expected for example `udp 10.0.2.2:5000`");
}
