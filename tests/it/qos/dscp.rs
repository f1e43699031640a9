//! DSCPs by name and number, and the marks of media.

use rsvp_node::qos::Dscp;
use rsvp_node::qos::dscp::NoDscp;
use rsvp_node::qos::media::Priority::{High, Low, Medium, VeryLow};
use rsvp_node::qos::media::{Media, class_of, spare_class_of};

fn read(text: &str) -> Result<u8, String> {
    text.parse::<Dscp>().map(Dscp::value).map_err(|error| error.to_string())
}

/// The numbers of RFC 2474, 2597, 3246, 5865 and 8622.
#[test]
fn names_have_their_numbers() {
    let names = [
        "df 0 cs0 0 le 1 cs1 8 af11 10 af12 12 af13 14 cs2 16 af21 18 af22 20 af23 22 cs3 24 af31 26 af32 28",
        "af33 30 cs4 32 af41 34 af42 36 af43 38 cs5 40 voice-admit 44 ef 46 cs6 48 cs7 56",
    ];
    let words: Vec<&str> = names.iter().flat_map(|line| line.split(' ')).collect();
    for pair in words.chunks(2) {
        let expected = Ok(pair[1].parse().expect("a number"));
        assert_eq!(read(pair[0]), expected, "{pair:?}");
        assert_eq!(read(&pair[0].to_uppercase()), expected, "{pair:?}");
    }
    assert_eq!(words.len() / 2, Dscp::ALL.len() + 1, "all, and CS0");
    assert_eq!((read("Ef"), read("VOICE-admit")), (Ok(46), Ok(44)));
}

#[test]
fn every_number_is_written_and_read() {
    for value in 0..64 {
        let dscp = Dscp::new(value).expect("below 64");
        let texts = [dscp.to_string(), value.to_string(), format!("{value:#x}"), format!("0X{value:02X}")];
        assert!(texts.iter().all(|text| read(text) == Ok(value)), "{texts:?}");
        for ecn in 0..4 {
            assert_eq!(Dscp::of_ds_field(dscp.ds_field() | ecn), dscp);
        }
    }
    assert_eq!(Dscp::new(64), None);
    assert_eq!([Dscp::EF, Dscp::DF, Dscp::CS0].map(|dscp| dscp.to_string()), ["EF", "DF", "DF"]);
    assert_eq!(Dscp::new(47).expect("one").to_string(), "47");
    assert_eq!(format!("[{:<5}] [{:>5}]", Dscp::EF, Dscp::new(47).expect("one")), "[EF   ] [   47]");
}

/// The octet of the header is four times the DSCP; who means the one and writes the other is told so.
#[test]
fn a_ds_field_is_refused_with_its_dscp() {
    for text in ["0xb8", "184", "0XB8"] {
        assert_eq!(read(text), Err("a DS field; its DSCP is 46 (EF)".to_owned()));
    }
    assert_eq!(read("188"), Err("a DS field; its DSCP is 47".to_owned()));
    assert_eq!(read("252"), Err("a DS field; its DSCP is 63".to_owned()));
    for text in ["65", "185", "256", "0xfff", "99999999999999999999999"] {
        assert_eq!(read(text), Err("not a DSCP: 0 to 63".to_owned()), "{text}");
    }
    for text in ["", "af44", "+5", "-1", "0x", "0x+5", "5 ", "0x2g", "cs8"] {
        assert_eq!(text.parse::<Dscp>(), Err(NoDscp::Name), "{text}");
    }
    assert!(NoDscp::Name.to_string().starts_with("not a DSCP: 0 to 63"));
}

#[test]
fn all_are_in_order_with_meaning_and_source() {
    assert!(Dscp::ALL.windows(2).all(|pair| pair[0].dscp < pair[1].dscp));
    for known in Dscp::ALL {
        assert!(!known.meaning.is_empty() && known.rfc >= 2474, "{known:?}");
        assert_eq!((known.dscp.name(), known.dscp.to_string()), (Some(known.name), known.name.to_owned()));
    }
}

/// RFC 8837, table 1: of every cell the first, and the second where there are two.
#[test]
fn media_have_their_marks() {
    let table = [
        (Media::Audio, [(1, 1), (0, 0), (46, 46), (46, 46)]),
        (Media::InteractiveVideo, [(1, 1), (0, 0), (36, 38), (34, 36)]),
        (Media::Video, [(1, 1), (0, 0), (28, 30), (26, 28)]),
        (Media::Data, [(1, 1), (0, 0), (10, 10), (18, 18)]),
    ];
    for (media, expected) in table {
        let found = [VeryLow, Low, Medium, High]
            .map(|priority| (class_of(media, priority).value(), spare_class_of(media, priority).value()));
        assert_eq!(found, expected, "{media:?}");
    }
}
