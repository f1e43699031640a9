//! A Bundle, RFC 2961 3: messages in a message, read, shown as JSON and written back.

use rsvp_wire::encode::{self, Lengths};
use rsvp_wire::object::{MessageIdAck, MessageIdList};
use rsvp_wire::{Message, MsgType, Scan, Why};
use serde_json::{Value, json};

use crate::wire_json::decoded;

/// By hand from RFC 2961 2, 3.1, 4.3, 4.4, 5.1 and 5.2: an Ack with a MESSAGE_ID_ACK and an Srefresh with a
/// MESSAGE_ID LIST, each with a checksum of its own.
const OCTETS: &str = "110c efbe ff 00 0034
    110d ccb5 ff 00 0014  000c 1801 00 0a0b0c 00000005
    110f d6ae ff 00 0018  0010 1901 00 000007 00000008 00000009";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

#[test]
fn its_messages_are_read_in_order() {
    let octets = octets(OCTETS);
    let bundle = Scan::new(&octets);
    assert_eq!((bundle.error(), bundle.objects().count(), bundle.unread().len()), (None, 0, 0));
    let inner: Vec<_> = bundle.messages().map(|inner| inner.expect("sound")).collect();
    let places: Vec<_> = inner.iter().map(|(at, scan)| (*at, scan.octets().len())).collect();
    assert_eq!(places, [(8, 20), (28, 24)]);
    let bundle = Message::parse(&octets).expect("sound");
    let [ack, refresh] = bundle.messages().collect::<Vec<_>>()[..] else { panic!("two messages") };
    let (ack, refresh) = (ack.expect("sound"), refresh.expect("sound"));
    assert_eq!((ack.msg_type(), refresh.msg_type()), (MsgType::ACK, MsgType::SREFRESH));
    let ack: MessageIdAck = ack.get().expect("there").expect("sound");
    assert_eq!((ack.epoch, ack.message_identifier), (0x0a_0b0c, 5));
    let list: MessageIdList<'_> = refresh.get().expect("there").expect("sound");
    assert!(list.message_identifiers.iter().eq([8, 9]));
}

#[test]
fn its_json_has_messages_and_is_encoded_to_its_octets() {
    let octets = octets(OCTETS);
    let mut json = decoded(&octets);
    assert_eq!((&json["message"], &json["objects"]), (&json!("Bundle"), &json!([])));
    let said = |place: usize, key: &str| json["messages"][place][key].clone();
    assert_eq!(
        (said(0, "message"), said(0, "offset"), said(0, "checksum")),
        (json!("Ack"), json!(8), json!("ok"))
    );
    assert_eq!((said(1, "message"), said(1, "offset")), (json!("Srefresh"), json!(28)));
    assert_eq!(said(1, "objects")[0]["message_identifiers"], json!([8, 9]));
    for lengths in [Lengths::Computed, Lengths::AsGiven] {
        assert_eq!(encode::message(&json, lengths, &[]).as_ref(), Ok(&octets), "{json}");
    }
    // A longer list: the lengths and checksums of both messages follow.
    json["messages"][1]["objects"][0]["message_identifiers"] = json!([8, 9, 10]);
    let longer = encode::message(&json, Lengths::Computed, &[]).expect("sound");
    assert_eq!((longer.len(), Message::parse(&longer).is_ok()), (octets.len() + 4, true));
    assert_eq!(decoded(&longer)["messages"][1]["objects"][0]["message_identifiers"], json!([8, 9, 10]));
}

#[test]
fn a_bundle_in_a_bundle_and_damage_inside_are_seen() {
    let sound = octets(OCTETS);
    let nested = [&octets("110c 0000 ff 00 003c")[..], &sound].concat();
    let inner = Scan::new(&nested).messages().next().expect("one").expect("framed").1;
    assert_eq!(inner.error().map(|error| (error.at, error.why)), Some((1, Why::NestedBundle)));
    assert_eq!(inner.messages().count(), 0);
    // An epoch that was changed: the checksums of the Ack and of the Bundle are wrong, that of the Srefresh is right.
    let mut damaged = sound;
    damaged[22] ^= 1;
    let json = decoded(&damaged);
    let verdicts: Vec<&Value> =
        json["messages"].as_array().expect("two").iter().map(|m| &m["checksum"]).collect();
    assert_eq!((&json["checksum"], verdicts), (&json!("bad"), vec![&json!("bad"), &json!("ok")]));
}
