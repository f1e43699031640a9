//! The walk over a layout and the octets of a body. Total, bounded, and without allocation.

use super::DEPTH;
use super::field::{Extent, Field, Kind, Layout, Names};
use super::record::Records;
use super::value::{FieldView, Groups, Items, Nested, Value};
use super::wire::Cursor;
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A body and its layout.
#[derive(Copy, Clone, Debug)]
pub struct View<'a> {
    layout: &'static Layout,
    start: Cursor<'a>,
    /// Whether the layout has to account for all of the octets.
    whole: bool,
    /// What the header before the body said, under its name.
    given: Option<(&'static str, u64)>,
    depth: u8,
}

impl<'a> View<'a> {
    /// The body of an object that has this layout.
    pub fn of(object: &ObjectRef<'a>, layout: &'static Layout) -> Self {
        Self::of_nested(object, layout, 0)
    }

    pub(crate) fn of_nested(object: &ObjectRef<'a>, layout: &'static Layout, depth: u8) -> Self {
        let at = object.at().saturating_add(crate::message::OBJECT_HEADER_LEN as u16);
        Self::part(layout, object.body(), at, depth)
    }

    #[inline]
    pub(super) const fn part(layout: &'static Layout, octets: &'a [u8], at: u16, depth: u8) -> Self {
        Self { layout, start: Cursor::new(octets, at), whole: true, given: None, depth }
    }

    /// A structure at the start of what is left.
    pub(super) const fn within(layout: &'static Layout, start: Cursor<'a>, depth: u8) -> Self {
        Self { layout, start, whole: false, given: None, depth }
    }

    #[inline]
    pub(super) const fn given(mut self, given: Option<(&'static str, u64)>, start: Cursor<'a>) -> Self {
        self.given = given;
        self.start = start;
        self
    }

    /// Offset of the first field in the message.
    pub fn at(&self) -> u16 {
        self.start.at()
    }

    /// The fields in order. An error is the last item.
    #[inline]
    pub const fn fields(&self) -> Fields<'a> {
        Fields { view: *self, cursor: self.start, rest: self.layout.fields, done: false }
    }

    /// Walks all there is, to any depth.
    ///
    /// # Errors
    /// `BodyLength` and the place where the octets do not fit the layout.
    pub fn check(&self) -> Result<(), ParseError> {
        self.fields().try_for_each(|field| field?.value.check())
    }

    /// The value of a number among the fields, or of what the header before them said.
    pub fn number(&self, name: &str) -> Option<u64> {
        if let Some((given, value)) = self.given
            && given == name
        {
            return Some(value);
        }
        let found = self.fields().map_while(Result::ok).find(|field| field.field.name == name)?;
        match found.value {
            Value::Uint(value) | Value::Flags(value, _) | Value::Code(value, _) | Value::Reserved(value) => {
                Some(value)
            }
            Value::Bool(value) => Some(u64::from(value)),
            _ => None,
        }
    }
}

impl Value<'_> {
    fn check(&self) -> Result<(), ParseError> {
        match self {
            Self::Group(view) => view.check(),
            Self::Groups(groups) => groups.clone().try_for_each(|view| view?.check()),
            Self::Records(records) => records.check(),
            Self::Objects(nested) => nested.check(),
            _ => Ok(()),
        }
    }
}

impl Nested<'_> {
    pub(super) fn check(&self) -> Result<(), ParseError> {
        let (mut rest, mut at) = (self.octets, self.at);
        while !rest.is_empty() {
            let (object, after) = ObjectRef::split_first(rest, at)?;
            at = at.saturating_add(object.octets().len() as u16);
            rest = after;
            if let Some(view) = object.view_nested(self.depth) {
                view.check()?;
            }
        }
        Ok(())
    }
}

/// Iterator of [`View::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    view: View<'a>,
    cursor: Cursor<'a>,
    rest: &'static [Field],
    done: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<FieldView<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if !matches!(step, Some(Ok(_))) {
            self.rest = &[];
            self.done = true;
        }
        step
    }
}

impl core::iter::FusedIterator for Fields<'_> {}

impl<'a> Fields<'a> {
    /// Octets before the next field.
    pub(crate) const fn passed(&self) -> usize {
        self.cursor.passed()
    }

    #[inline]
    fn step(&mut self) -> Option<Result<FieldView<'a>, ParseError>> {
        loop {
            let Some((field, rest)) = self.rest.split_first() else {
                let left_over = self.view.whole && !self.done;
                return if left_over { self.cursor.end().err().map(Err) } else { None };
            };
            self.rest = match &field.kind {
                Kind::Choice { on, cases, otherwise } => {
                    let value = self.view.number(on);
                    let case = cases.iter().find(|(case, _)| Some(*case) == value);
                    case.map_or(otherwise.fields, |(_, layout)| layout.fields)
                }
                Kind::Optional(layout) if self.cursor.left() > 0 => layout.fields,
                Kind::Optional(_) => rest,
                kind => {
                    self.rest = rest;
                    let (at, view) = (self.cursor.at(), &self.view);
                    let fixed = fixed(
                        kind,
                        &mut self.cursor,
                        |name| view.number(name),
                        |value| Ok(FieldView { field, at, value }),
                    );
                    return Some(fixed.unwrap_or_else(|| self.stretch(field, at)));
                }
            };
        }
    }

    /// A field of a kind without a fixed size.
    #[inline(never)]
    fn stretch(&mut self, field: &'static Field, at: u16) -> Result<FieldView<'a>, ParseError> {
        let depth = self.view.depth.saturating_add(1);
        let value = match &field.kind {
            Kind::Octets(extent) => Value::Octets(self.extent(extent, 8)?),
            Kind::Text(extent) => Value::Text(self.extent(extent, 8)?),
            Kind::Padding => Value::Padding(self.cursor.padding()?),
            Kind::List(kind, extent) => {
                let bits = kind.bits().unwrap_or(8).max(1);
                let octets = self.extent(extent, bits)?;
                let over = octets.len().saturating_mul(8).checked_rem(bits).unwrap_or(0);
                let cursor = Cursor::new(octets, at);
                if over != 0 {
                    let whole = octets.len().saturating_sub(over / 8);
                    return Err(Cursor::new(octets, at.saturating_add(whole as u16)).fault());
                }
                let earlier = match kind {
                    Kind::Code(_, Names::With(name, _)) => self.view.number(name),
                    _ => None,
                };
                Value::List(Items { kind, cursor, earlier })
            }
            Kind::Group(layout, extent) => {
                let octets = match (extent, layout.bits()) {
                    (Extent::ToEnd, Some(bits)) => self.cursor.take(bits / 8)?,
                    _ => self.extent(extent, 8)?,
                };
                Value::Group(View::part(layout, octets, at, depth))
            }
            Kind::Groups(layout, extent) => {
                let cursor = Cursor::new(self.extent(extent, layout.bits().unwrap_or(8))?, at);
                Value::Groups(Groups { layout, cursor, depth })
            }
            Kind::Records(space, extent) => {
                Value::Records(Records::walked(space(), self.extent(extent, 8)?, at, depth))
            }
            Kind::Objects(extent) => Value::Objects(Nested { octets: self.extent(extent, 8)?, at, depth }),
            _ => return Err(self.cursor.fault()),
        };
        Ok(FieldView { field, at, value })
    }

    /// The octets of a field without a fixed size; `bits` are those of one element.
    fn extent(&mut self, extent: &Extent, bits: usize) -> Result<&'a [u8], ParseError> {
        let octets = match *extent {
            Extent::ToEnd => self.cursor.left(),
            Extent::Octets(octets) => usize::from(octets),
            Extent::By(name) => self.length(name)?,
            Extent::Count(name) => {
                let count = self.view.number(name).unwrap_or_default();
                usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(bits).div_ceil(8)
            }
        };
        self.cursor.take(octets)
    }

    /// The octets that an earlier length field stands for.
    fn length(&self, name: &str) -> Result<usize, ParseError> {
        let value = usize::try_from(self.view.number(name).unwrap_or_default()).unwrap_or(usize::MAX);
        let field = self.view.layout.fields.iter().find(|field| field.name == name);
        let Some(Kind::Length { unit, plus, .. }) = field.map(|field| &field.kind) else { return Ok(value) };
        let octets = value.saturating_mul(usize::from(*unit));
        octets.checked_sub(usize::from(*plus)).ok_or_else(|| self.cursor.fault())
    }
}

/// What becomes of the value of a kind with a fixed size; None for the others.
///
/// Each arm finishes what it yields: a value that all of them had in common would be moved through memory once more, at
/// the price of reading it.
#[inline(always)]
pub(super) fn fixed<'a, T>(
    kind: &'static Kind,
    cursor: &mut Cursor<'a>,
    earlier: impl FnOnce(&str) -> Option<u64>,
    done: impl Fn(Value<'a>) -> Result<T, ParseError>,
) -> Option<Result<T, ParseError>> {
    Some(match *kind {
        Kind::Uint(bits) | Kind::Length { bits, .. } => cursor.uint(bits).and_then(|n| done(Value::Uint(n))),
        Kind::Int(bits) => cursor.uint(bits).and_then(|n| done(Value::Int(sign_extended(n, bits)))),
        Kind::Bool => cursor.uint(1).and_then(|bit| done(Value::Bool(bit != 0))),
        Kind::Float => cursor.float().and_then(|float| done(Value::Float(float))),
        Kind::Ipv4 => cursor.ipv4().and_then(|address| done(Value::Ipv4(address))),
        Kind::Ipv6 => cursor.ipv6().and_then(|address| done(Value::Ipv6(address))),
        Kind::Flags(bits, names) => cursor.uint(bits).and_then(|word| done(Value::Flags(word, names))),
        Kind::Code(bits, ref names) => {
            cursor.uint(bits).and_then(|code| done(Value::Code(code, names.name(code, earlier))))
        }
        Kind::Reserved(bits) => cursor.uint(bits).and_then(|word| done(Value::Reserved(word))),
        Kind::Octets(Extent::Octets(octets)) => {
            cursor.take(usize::from(octets)).and_then(|octets| done(Value::Octets(octets)))
        }
        _ => return None,
    })
}

pub(crate) const fn sign_extended(value: u64, bits: u8) -> i64 {
    let unused = 64u32.saturating_sub(bits as u32);
    (value.wrapping_shl(unused) as i64).wrapping_shr(unused)
}

/// Whether structures at this depth are looked into.
pub(crate) const fn within_reach(depth: u8) -> bool {
    depth < DEPTH
}
