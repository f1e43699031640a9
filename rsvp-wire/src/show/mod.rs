//! Messages and objects for people to read: one line, or one line per field.
//!
//! The registry says how each kind of object is shown; objects without a row and bodies that cannot be read are shown
//! by number, length and error. The form is for eyes and not stable enough to be parsed; of the values only sessions,
//! senders and rates have a text form that reads back.

mod adspec;
mod fields;
mod tree;

use core::fmt::{self, Formatter};

#[cfg(feature = "serde")]
pub(crate) use fields::Hex;
use fields::by_layout;

use crate::code::{Class, ErrorCode};
use crate::error_name::error_value_meaning;
use crate::message::ObjectRef;
use crate::object::{
    ErrorSpec, FilterSpec, Flowspec, NullTspec, Object, ResvConfirm, RsvpHop, Scope, SenderTemplate,
    SenderTspec, Session, Style, TimeValues, Tspec,
};
use crate::registry;
use crate::scan::Scan;

/// One line: the type, the session, the sender, then the other objects in the order of the message, then what is wrong.
pub fn one_line<'a>(message: impl Into<Scan<'a>>) -> impl fmt::Display {
    let scan = message.into();
    fmt::from_fn(move |f| {
        match scan.header() {
            Some(header) => write!(f, "{}", header.msg_type)?,
            None => f.write_str("?")?,
        }
        let leading = [Class::SESSION, Class::SENDER_TEMPLATE];
        let objects = || scan.objects().filter_map(Result::ok);
        for class in leading {
            for object in objects().filter(|object| object.class == class) {
                f.write_str(" ")?;
                brief(&object, f)?;
            }
        }
        for object in objects().filter(|object| !leading.contains(&object.class)) {
            f.write_str(" ")?;
            brief(&object, f)?;
        }
        for (_, inner) in scan.messages().filter_map(Result::ok) {
            write!(f, " {{{}}}", one_line(&inner))?;
        }
        match scan.error() {
            Some(error) => write!(f, " malformed: {error}"),
            None => Ok(()),
        }
    })
}

/// A line for the header, one per object, and one per field with its offset, name, value and unit; at the end what is
/// wrong. No line end at the end.
pub fn tree<'a>(message: impl Into<Scan<'a>>) -> impl fmt::Display {
    let scan = message.into();
    fmt::from_fn(move |f| tree::message(&scan, 0, f))
}

/// The kind of an object and its values, on a single line.
pub fn object(object: &ObjectRef<'_>) -> impl fmt::Display {
    let object = *object;
    fmt::from_fn(move |f| {
        if let Some(row) = registry::row(object.class, object.ctype) {
            write!(f, "{}: ", row.name)?;
        }
        brief(&object, f)
    })
}

fn brief(object: &ObjectRef<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match registry::row(object.class, object.ctype) {
        Some(registry::Row { show: Some(show), .. }) => show(object, f),
        Some(_) => by_layout(object, f),
        None => opaque(object, f),
    }
}

/// How an object is shown of which no value is read.
fn opaque(object: &ObjectRef<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{}/{}[{} octets]", object.class, object.ctype, object.body().len())
}

/// How an object is shown that reads as a `T`.
pub(crate) fn typed<'a, T: Object<'a> + Show>(object: &ObjectRef<'a>, f: &mut Formatter<'_>) -> fmt::Result {
    match object.read::<T>() {
        Ok(value) => value.show(f),
        Err(error) => write!(f, "{}/{}[{error}]", object.class, object.ctype),
    }
}

/// Values with a few words around them, so that they can stand in a line with others.
pub(crate) trait Show {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

impl Show for Session {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match self.flags() {
            0 => Ok(()),
            Self::E_POLICE => f.write_str(" E_Police"),
            other => write!(f, " flags={other:#04x}"),
        }
    }
}

impl Show for RsvpHop {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "hop {}/{}", self.address, self.lih)
    }
}

impl Show for TimeValues {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "R={}s", f64::from(self.refresh_ms) / 1000.0)
    }
}

impl Show for ErrorSpec {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.code == ErrorCode::CONFIRMATION {
            f.write_str("confirmation")?;
        } else {
            write!(f, "error {:02} {}", self.code.0, self.code.name().unwrap_or("unknown code"))?;
        }
        match error_value_meaning(self.code, self.value) {
            Some(name) => write!(f, ": {name}")?,
            None if self.value == 0 => {}
            None => write!(f, ": value {}", self.value)?,
        }
        write!(f, " at {}", self.node)?;
        if self.flags & Self::IN_PLACE != 0 {
            f.write_str(" InPlace")?;
        }
        if self.flags & Self::NOT_GUILTY != 0 {
            f.write_str(" NotGuilty")?;
        }
        Ok(())
    }
}

impl Show for Scope<'_> {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("scope")?;
        self.addresses().try_for_each(|address| write!(f, " {address}"))
    }
}

impl Show for Style {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "style {self}")
    }
}

impl Show for FilterSpec {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "filter {self}")
    }
}

impl Show for SenderTemplate {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "from {self}")
    }
}

impl Show for Tspec {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rate, bucket, peak, min_policed_unit, max_packet_size } = *self;
        let (rate, peak) = (Rate(rate), Rate(peak));
        write!(f, "{rate} b={bucket}B p={peak} m={min_policed_unit}B M={max_packet_size}B")
    }
}

impl Show for SenderTspec {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            NullTspec::Alone => write!(f, "tspec null M={}B", self.0.max_packet_size),
            NullTspec::Absent => f.write_str("tspec ").and_then(|()| self.0.show(f)),
            NullTspec::Beside(max_packet_size) => {
                f.write_str("tspec ")?;
                self.0.show(f)?;
                write!(f, " null M={max_packet_size}B")
            }
        }
    }
}

impl Show for Flowspec {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlledLoad(tspec) => {
                f.write_str("controlled-load ")?;
                tspec.show(f)
            }
            Self::Null(tspec) => write!(f, "null M={}B", tspec.max_packet_size),
            Self::Guaranteed(tspec, rspec) => {
                f.write_str("guaranteed ")?;
                tspec.show(f)?;
                write!(f, " R={} S={}us", Rate(rspec.rate), rspec.slack)
            }
        }
    }
}

impl Show for ResvConfirm {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "confirm {}", self.address)
    }
}

/// A rate in octets per second that prints in bits per second: `2Mbit/s`, `333.3kbit/s`, `inf`.
#[derive(Copy, Clone, PartialEq, PartialOrd, Debug)]
pub struct Rate(pub f32);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bits = f64::from(self.0) * 8.0;
        if !bits.is_finite() {
            return write!(f, "{bits}");
        }
        let (scaled, unit) = match bits.abs() {
            // The limits are where one decimal would round up to 1000 of the smaller unit.
            size if size >= 999.95e6 => (bits / 1e9, "Gbit/s"),
            size if size >= 999.95e3 => (bits / 1e6, "Mbit/s"),
            size if size >= 999.95 => (bits / 1e3, "kbit/s"),
            _ => (bits, "bit/s"),
        };
        let tenths = scaled * 10.0 + if scaled < 0.0 { -0.5 } else { 0.5 };
        let tenths = tenths as i64;
        match (tenths / 10, (tenths % 10).unsigned_abs()) {
            (ones, 0) => write!(f, "{ones}{unit}"),
            (ones, tenth) => write!(f, "{ones}.{tenth}{unit}"),
        }
    }
}
