//! The table of what is known: a row per (class, C-Type).
//!
//! Adding an object is one file under `object/` and one row here. A row does not promise a typed form: FLOWSPEC
//! C-Type 1, POLICY_DATA and INTEGRITY are known and opaque. What to do with objects that have no row (RFC 2205 3.10)
//! is the engine's decision.

use core::fmt;

use crate::code::{CType, Class};
use crate::message::ObjectRef;
use crate::object::{
    AdspecSummary, ErrorSpec, FilterSpec, Flowspec, ResvConfirm, RsvpHop, Scope, SenderTemplate, SenderTspec,
    Session, Style, TimeValues,
};
use crate::show::{opaque, typed};

/// One known kind of object.
#[derive(Copy, Clone, Debug)]
pub struct Row {
    /// Class-Num.
    pub class: Class,
    /// C-Type; 0 in the row of NULL, whose C-Type is ignored.
    pub ctype: CType,
    /// What the RFC calls the kind.
    pub name: &'static str,
    /// Where the RFC defines it.
    pub section: &'static str,
    pub(crate) show: fn(&ObjectRef<'_>, &mut fmt::Formatter<'_>) -> fmt::Result,
}

macro_rules! rows {
    (show opaque) => { opaque };
    (show $object:ident) => { |object, f| typed::<$object>(object, f) };
    ($($class:ident $ctype:literal $name:literal $section:literal $shown:tt;)*) => {
        &[$(Row {
            class: Class::$class,
            ctype: CType($ctype),
            name: $name,
            section: $section,
            show: rows!(show $shown),
        }),*]
    };
}

/// All rows, by class and C-Type.
pub const ROWS: &[Row] = rows! {
    NULL 0 "NULL" "RFC 2205 3.1.2" opaque;
    SESSION 1 "IPv4/UDP SESSION" "RFC 2205 A.1" Session;
    SESSION 2 "IPv6/UDP SESSION" "RFC 2205 A.1" Session;
    RSVP_HOP 1 "IPv4 RSVP_HOP" "RFC 2205 A.2" RsvpHop;
    RSVP_HOP 2 "IPv6 RSVP_HOP" "RFC 2205 A.2" RsvpHop;
    INTEGRITY 1 "INTEGRITY" "RFC 2205 A.3" opaque;
    TIME_VALUES 1 "TIME_VALUES" "RFC 2205 A.4" TimeValues;
    ERROR_SPEC 1 "IPv4 ERROR_SPEC" "RFC 2205 A.5" ErrorSpec;
    ERROR_SPEC 2 "IPv6 ERROR_SPEC" "RFC 2205 A.5" ErrorSpec;
    SCOPE 1 "IPv4 SCOPE" "RFC 2205 A.6" Scope;
    SCOPE 2 "IPv6 SCOPE" "RFC 2205 A.6" Scope;
    STYLE 1 "STYLE" "RFC 2205 A.7" Style;
    FLOWSPEC 1 "obsolete FLOWSPEC" "RFC 2205 A.8" opaque;
    FLOWSPEC 2 "Int-serv FLOWSPEC" "RFC 2210 3.2" Flowspec;
    FILTER_SPEC 1 "IPv4 FILTER_SPEC" "RFC 2205 A.9" FilterSpec;
    FILTER_SPEC 2 "IPv6 FILTER_SPEC" "RFC 2205 A.9" FilterSpec;
    FILTER_SPEC 3 "IPv6 Flow-label FILTER_SPEC" "RFC 2205 A.9" FilterSpec;
    SENDER_TEMPLATE 1 "IPv4 SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate;
    SENDER_TEMPLATE 2 "IPv6 SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate;
    SENDER_TEMPLATE 3 "IPv6 Flow-label SENDER_TEMPLATE" "RFC 2205 A.10" SenderTemplate;
    SENDER_TSPEC 2 "Int-serv SENDER_TSPEC" "RFC 2210 3.1" SenderTspec;
    ADSPEC 2 "Int-serv ADSPEC" "RFC 2210 3.3" AdspecSummary;
    POLICY_DATA 1 "POLICY_DATA" "RFC 2205 A.13" opaque;
    RESV_CONFIRM 1 "IPv4 RESV_CONFIRM" "RFC 2205 A.14" ResvConfirm;
    RESV_CONFIRM 2 "IPv6 RESV_CONFIRM" "RFC 2205 A.14" ResvConfirm;
};

/// For each class the position of its first row, or the number of rows if it has none. Building it also proves that
/// the rows are sorted and that no two are for the same kind.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
const FIRST: [u8; 256] = {
    let mut first = [ROWS.len() as u8; 256];
    let mut position = ROWS.len();
    while position > 0 {
        position -= 1;
        let row = &ROWS[position];
        first[row.class.0 as usize] = position as u8;
        if position > 0 {
            let before = &ROWS[position - 1];
            let sorted =
                before.class.0 < row.class.0 || before.class.0 == row.class.0 && before.ctype.0 < row.ctype.0;
            assert!(sorted, "rows must be sorted by class and C-Type, each at most once");
        }
    }
    assert!(ROWS.len() < 256, "positions must fit an octet");
    first
};

/// The row of a kind of object, if it is known. NULL is known under any C-Type.
pub fn row(class: Class, ctype: CType) -> Option<&'static Row> {
    let ctype = if class == Class::NULL { CType(0) } else { ctype };
    let first = FIRST.get(usize::from(class.0))?;
    let rows = ROWS.get(usize::from(*first)..)?;
    rows.iter().take_while(|row| row.class == class).find(|row| row.ctype == ctype)
}

/// Whether a class has any row; if not, [`Class::when_unknown`] says what to do.
#[inline]
pub fn known_class(class: Class) -> bool {
    FIRST.get(usize::from(class.0)).is_some_and(|&first| usize::from(first) < ROWS.len())
}

/// Whether a kind of object has a row. An unknown C-Type of a known class is error 14 (RFC 2205 3.10).
#[inline]
pub fn known(class: Class, ctype: CType) -> bool {
    row(class, ctype).is_some()
}
