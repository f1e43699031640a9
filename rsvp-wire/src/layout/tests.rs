//! The engine of layouts, tried on declarations that have everything: what the figures of the RFCs need one at a time.
#![allow(unreachable_pub, reason = "the macros declare for everybody")]

use core::net::Ipv4Addr;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::{
    Head, List, Padding, RecordsWriter, Space, Value, View, layout, object, part, record, record_rows,
};
use crate::error::Why;
use crate::message::ObjectRef;
use crate::object::testing::{both_ways, octets, refused};

const FLAGS: &[(u64, &str)] = &[(1, "one"), (4, "four")];

/// Type 16, length 16 with the header, filled up to a multiple of 4: as LSP_ATTRIBUTES has them.
static TLVS: Space = Space {
    name: "TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "addresses" "none" typed Addresses;
        2 "inner" "none" typed Inner;
        3 "chosen" "none" laid CHOSEN;
        9 "unknown" "none" opaque "for the test";
    },
};

layout! {
    CHOSEN {
        kind(u8);
        rest(choice kind { 1 => BYTE, 2 => WORD, _ => ANY });
    }
    BYTE {
        byte(u8);
    }
    WORD {
        reserved(reserved u8);
        word(u16);
        more(optional BYTE);
    }
    ANY {
        any(octets);
    }
}

part! {
    /// A pair.
    Pair {
        /// Left.
        left(u8: 4);
        /// Right.
        right(u16: 12);
    }
}

record! {
    /// A list.
    Addresses<'a>: TLVS 1 {
        /// Addresses.
        addresses(list Ipv4Addr);
    }
    /// Records in a record.
    Inner<'a>: TLVS 2 {
        /// TLVs.
        inner(records TLVS);
    }
}

object! {
    /// Has everything.
    Everything<'a>: NULL 200 {
        /// Four bits.
        nibble(u8: 4);
        /// Flags.
        flags(u8: 3 flags FLAGS);
        /// One bit.
        bit(bool);
        /// Signed.
        signed(i16);
        /// How many pairs.
        pair_count(u8);
        /// Pairs.
        pairs(groups Pair count pair_count);
        /// A MAC address.
        mac(octets [6]);
        @text_length(u8 of text plus 1);
        /// Text.
        text(text by text_length);
        /// To the next word.
        padding(padding);
        @tlvs_words(u16 of tlvs unit 4);
        /// Zero.
        reserved(reserved u16);
        /// TLVs.
        tlvs(records TLVS by tlvs_words);
        /// To the end.
        addresses(list Ipv4Addr);
    }
}

/// The figure, laid out by hand.
const OCTETS: &str = "0048 00c8
    a b fffe 02 1 002 3 0ff 0102030405 06 04 616263 2a2b
    0009 0000
    0001 0008 0a000001
    0002 0010 0003 0006 0107 0000 0001 0004
    0009 0005 ff aabbcc
    0001 0004
    c0000201 c0000202";

#[test]
fn everything_is_read_and_written() {
    let hex: String = OCTETS.split_whitespace().collect();
    let octets = octets(&hex);
    let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
    let everything: Everything<'_> = object.read().unwrap();
    assert_eq!((everything.nibble, everything.flags, everything.bit, everything.signed), (10, 5, true, -2));
    assert_eq!(everything.pairs, List::Values(&[Pair { left: 1, right: 2 }, Pair { left: 3, right: 0xff }]));
    assert_eq!((everything.mac, everything.text), ([1, 2, 3, 4, 5, 6], &b"abc"[..]));
    assert!(everything.addresses.iter().eq([Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)]));
    both_ways(&octets, &everything);
    let view = View::of(&object, Everything::LAYOUT);
    assert_eq!(view.check(), Ok(()));
    assert_eq!(
        (view.fields().count(), view.number("flags"), view.number("tlvs_words")),
        (14, Some(5), Some(9))
    );
    let records: Vec<_> =
        everything.tlvs.iter().map(|tlv| tlv.map(|tlv| (tlv.key, tlv.fill().len()))).collect();
    assert_eq!(records, [Ok((1, 0)), Ok((2, 0)), Ok((9, 3)), Ok((1, 0))]);
    let first = everything.tlvs.iter().next().unwrap().unwrap();
    assert_eq!(first.read::<Addresses<'_>>().unwrap().addresses, List::Values(&[Ipv4Addr::new(10, 0, 0, 1)]));
    assert_eq!(first.read::<Inner<'_>>().map_err(|error| error.why), Err(Why::UnknownCType));
}

#[test]
fn what_does_not_fit_has_a_place() {
    // The text would begin before its length.
    refused::<Everything<'_>>(
        &octets("0014 00c8 ab fffe 00 010203040506 00 00 00000000"),
        14,
        Why::BodyLength,
    );
    refused::<Everything<'_>>(&octets("0008 00c8 ab fffe 01"), 8, Why::BodyLength);
}

#[test]
fn records_are_built_in_a_buffer_of_the_caller() {
    let mut inside = [0; 16];
    let mut room = [0; 32];
    let addresses = [Ipv4Addr::new(10, 0, 0, 1)];
    let list = Addresses { addresses: List::Values(&addresses) };
    let inner = RecordsWriter::new(&TLVS, &mut inside).put(&list).finish().unwrap();
    let records = RecordsWriter::new(&TLVS, &mut room).put(&list).put(&Inner { inner }).finish().unwrap();
    assert_eq!(records.octets(), octets("00010008 0a000001 0002000c 00010008 0a000001"));
    assert_eq!(
        RecordsWriter::new(&TLVS, &mut [0; 7]).put(&list).finish().map_err(|need| need.0).err(),
        Some(8)
    );
    assert_eq!(Padding::default(), Padding::read(&[0, 0]));
}

fn shown(layout: &'static super::Layout, hex: &str) -> String {
    let octets = octets(hex);
    let view = View::part(layout, &octets, 100, 0);
    view.fields()
        .map(|field| match field {
            Ok(field) => match field.value {
                Value::Uint(value) | Value::Reserved(value) => {
                    format!("{}@{}={value} ", field.field.name, field.at)
                }
                other => format!("{}={other:?} ", field.field.name),
            },
            Err(error) => format!("{:?}@{}", error.why, error.at),
        })
        .collect()
}

#[test]
fn a_layout_goes_on_as_an_earlier_field_says() {
    assert_eq!(shown(&CHOSEN, "01 07"), "kind@100=1 byte@101=7 ");
    assert_eq!(shown(&CHOSEN, "02 00 0102"), "kind@100=2 reserved@101=0 word@102=258 ");
    assert_eq!(shown(&CHOSEN, "02 00 0102 09"), "kind@100=2 reserved@101=0 word@102=258 byte@104=9 ");
    assert_eq!(shown(&CHOSEN, "03 0102"), "kind@100=3 any=Octets([1, 2]) ");
    assert_eq!(shown(&CHOSEN, "01 07 08"), "kind@100=1 byte@101=7 BodyLength@102");
    assert_eq!(shown(&CHOSEN, ""), "BodyLength@100");
}

#[test]
fn records_within_records_end() {
    // A TLV 2 in a TLV 2 in a TLV 2 …: looked into only so far, and no further.
    let mut nested = Vec::new();
    for _ in 0..1000 {
        let length = (nested.len() as u16 + 4).to_be_bytes();
        nested = [&[0, 2][..], &length, &nested].concat();
    }
    let view = View::part(Inner::LAYOUT, &nested, 0, 0);
    assert_eq!(view.check(), Ok(()));
}
