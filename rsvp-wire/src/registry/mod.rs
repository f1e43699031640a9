//! The table of what is known: a row per (class, C-Type), in a file per family of RFCs.
//!
//! Adding an object is one file under `object/` and one row here. A row does not promise a typed form: where there is
//! none, it says why. What to do with objects that have no row (RFC 2205 3.10) is the engine's decision.

use core::fmt;

use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::layout::{Layout, Status};
use crate::message::ObjectRef;

mod base;
mod extensions;
mod gmpls;
mod traffic_engineering;

/// Whether the body of an object can be read.
type Check = fn(&ObjectRef<'_>) -> Result<(), ParseError>;

/// One known kind of object.
#[derive(Copy, Clone, Debug)]
pub struct Row {
    /// Class-Num.
    pub class: Class,
    /// C-Type; 0 in the rows of classes whose C-Type is ignored.
    pub ctype: CType,
    /// What the RFC calls the kind.
    pub name: &'static str,
    /// Where the RFC defines it.
    pub section: &'static str,
    /// Its fields, if it is typed.
    pub layout: Option<&'static Layout>,
    /// How much of it is known.
    pub status: Status,
    /// How it is shown in one line, where its type knows better than its layout.
    pub(crate) show: Option<fn(&ObjectRef<'_>, &mut fmt::Formatter<'_>) -> fmt::Result>,
    /// Whether its type can be read, where that is done by hand and says more than that the fields are in their places.
    /// Such a type accepts nothing that its layout would not.
    pub(crate) check: Option<Check>,
}

/// `CLASS C-Type "name" "section"`, then `opaque "why"`, or `typed Type` for one declared with `object!`, or
/// `Type as LAYOUT` for one that is read by hand.
macro_rules! rows {
    ($($class:ident $ctype:literal $name:literal $section:literal $known:ident $how:tt $($more:ident)?;)*) => {
        &[$($crate::registry::one!($class $ctype $name $section $known $how $($more)?)),*]
    };
}

/// One row of [`rows`].
macro_rules! one {
    ($class:ident $ctype:literal $name:literal $section:literal opaque $why:literal) => {
        $crate::registry::Row {
            class: $crate::Class::$class,
            ctype: $crate::CType($ctype),
            name: $name,
            section: $section,
            layout: None,
            status: $crate::layout::Status::Opaque($why),
            show: None,
            check: None,
        }
    };
    ($class:ident $ctype:literal $name:literal $section:literal typed $object:ident) => {
        $crate::registry::Row {
            class: $crate::Class::$class,
            ctype: $crate::CType($ctype),
            name: $name,
            section: $section,
            layout: Some($object::LAYOUT),
            status: $crate::layout::Status::Typed,
            show: None,
            check: None,
        }
    };
    ($class:ident $ctype:literal $name:literal $section:literal $object:ident as $layout:ident) => {
        $crate::registry::Row {
            class: $crate::Class::$class,
            ctype: $crate::CType($ctype),
            name: $name,
            section: $section,
            layout: Some(&$layout),
            status: $crate::layout::Status::Typed,
            show: Some(|object, f| $crate::show::typed::<$object>(object, f)),
            check: Some(|object| object.read::<$object>().map(|_| ())),
        }
    };
}

use {one, rows};

/// The tables of all families.
const FAMILIES: [&[Row]; 4] = [base::ROWS, traffic_engineering::ROWS, extensions::ROWS, gmpls::ROWS];

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler only")]
const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

const fn before(one: &Row, other: &Row) -> bool {
    one.class.0 < other.class.0 || one.class.0 == other.class.0 && one.ctype.0 < other.ctype.0
}

/// All rows, by class and C-Type. Each family is sorted, so the smallest of their first rows is always next; building
/// the table also proves that no two rows are for the same kind.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler only")]
pub static ROWS: [Row; COUNT] = {
    let mut rows = [base::ROWS[0]; COUNT];
    let mut next = [0; FAMILIES.len()];
    let mut place = 0;
    while place < COUNT {
        let (mut chosen, mut family) = (FAMILIES.len(), 0);
        while family < FAMILIES.len() {
            let more = next[family] < FAMILIES[family].len();
            let first = chosen == FAMILIES.len();
            if more && (first || before(&FAMILIES[family][next[family]], &FAMILIES[chosen][next[chosen]])) {
                chosen = family;
            }
            family += 1;
        }
        rows[place] = FAMILIES[chosen][next[chosen]];
        next[chosen] += 1;
        let sorted = place == 0 || before(&rows[place - 1], &rows[place]);
        assert!(
            sorted,
            "rows must be sorted by class and C-Type in their family, each at most once in all of them"
        );
        place += 1;
    }
    rows
};

/// For each class the position of its first row, or the number of rows if it has none.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler only")]
static FIRST: [u16; 256] = {
    let mut first = [COUNT as u16; 256];
    let mut position = COUNT;
    while position > 0 {
        position -= 1;
        first[ROWS[position].class.0 as usize] = position as u16;
    }
    first
};

/// Whether the C-Type of a class says nothing: NULL, NODE_CHAR and SESSION_ASSOC (RFC 2205 3.1.2, RFC 2746 2.3).
pub fn ctype_ignored(class: Class) -> bool {
    [Class::NULL, Class::NODE_CHAR, Class::SESSION_ASSOC].contains(&class)
}

/// The row of a kind of object, if it is known. NULL, NODE_CHAR and SESSION_ASSOC are known under any C-Type (RFC 2205
/// 3.1.2, RFC 2746 2.3).
pub fn row(class: Class, ctype: CType) -> Option<&'static Row> {
    let ctype = if ctype_ignored(class) { CType(0) } else { ctype };
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
