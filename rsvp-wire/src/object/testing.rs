//! What the tests of all objects share: octets, given as hexadecimal text, checked in both directions.

use core::fmt::Debug;
use std::vec::Vec;

use super::Object;
use crate::error::{ParseError, Why};
use crate::layout::{Record, Records, RecordsWriter};
use crate::message::ObjectRef;

/// The octets of hexadecimal text; blanks do not count.
pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "whole octets in {hex}");
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The octets, header included, read as the value, and the value is written as these octets.
pub(crate) fn both_ways<'a, T: Object<'a> + PartialEq + Debug>(octets: &'a [u8], value: &T) {
    let (object, rest) = ObjectRef::split_first(octets, 100).unwrap();
    assert!(rest.is_empty(), "one object");
    assert_eq!(object.read::<T>().as_ref(), Ok(value));
    assert_eq!((T::CLASS, value.ctype()), (object.class, object.ctype));
    let mut written = Vec::from(&octets[..4]);
    value.write_body(&mut written);
    assert_eq!(written, octets);
    assert_eq!(value.body_len() + 4, octets.len());
}

/// The octets do not read as a `T`; `at` counts from the object's header.
pub(crate) fn refused<'a, T: Object<'a> + PartialEq + Debug>(octets: &'a [u8], at: u16, why: Why) {
    let (object, _) = ObjectRef::split_first(octets, 100).unwrap();
    assert_eq!(object.read::<T>(), Err(ParseError { at: at + 100, why }));
}

/// The octets, header included, read as the record, and the record is written as these octets; `extra` is what the
/// header says besides.
pub(crate) fn record_both_ways<'a, T: Record<'a> + PartialEq + Debug>(
    octets: &'a [u8],
    extra: u64,
    value: &T,
) {
    let mut records = Records::over(T::SPACE, octets).iter();
    let record = records.next().unwrap().unwrap();
    assert!(records.next().is_none(), "one record");
    assert_eq!((record.key, record.extra), (T::KEY, extra));
    assert_eq!(record.read::<T>().as_ref(), Ok(value));
    assert_eq!(record.view().unwrap().check(), Ok(()));
    let mut room = [0; 256];
    let written = RecordsWriter::new(T::SPACE, &mut room).put_with(value, extra).finish().unwrap();
    assert_eq!(written.octets(), octets);
}

/// The octets do not read as a `T`; `at` counts from the record's header.
pub(crate) fn record_refused<'a, T: Record<'a> + PartialEq + Debug>(octets: &'a [u8], at: u16) {
    let record = Records::over(T::SPACE, octets).iter().next().unwrap().unwrap();
    assert_eq!(record.read::<T>(), Err(ParseError { at, why: Why::BodyLength }));
}
