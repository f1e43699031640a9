//! What the octets of a body mean, as constant data: the RFC's figure, field by field.
//!
//! Each kind of object, sub-object and TLV has one [`Layout`], made by the macros of this module from a declaration
//! that reads like the figure. One walker ([`View::fields`]) serves everything that needs no Rust type: the tree of
//! [`show`](crate::show), the serde form and the encoder. Typed structs come from the same declaration, so the two
//! cannot differ.
//!
//! A layout says where fields are, not which values are allowed: that the figure's numbers make sense is for the typed
//! objects and the engine to judge.

pub(crate) mod declare;
mod field;
mod list;
mod record;
#[cfg(test)]
mod tests;
mod value;
mod view;
mod wire;

#[allow(unused_imports, reason = "shapes that no object outside the tests has yet")]
pub(crate) use declare::{layout, object, part, record, record_rows};
pub use field::{Extent, Field, Head, Kind, Layout, Names, RecordRow, Space, Status};
pub use list::{Item, List, ListItems};
#[allow(unused_imports, reason = "for what the macros make")]
pub(crate) use list::{Span, octets_of};
#[cfg(feature = "encode")]
pub(crate) use record::{HeadValues, head as write_head};
pub use record::{Record, RecordRef, Records, RecordsIter, RecordsWriter};
pub use value::{FieldView, Groups, Items, Name, Nested, Value};
pub(crate) use view::within_reach;
pub use view::{Fields, View};
pub use wire::{BitWriter, Cursor, Padding, Sink};
pub(crate) use wire::{ToBuffer, count};

/// How deep structures within structures are looked into. What lies deeper counts as opaque; no RFC needs half of it.
pub(crate) const DEPTH: u8 = 6;
