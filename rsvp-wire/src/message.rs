//! The common header and the framing of objects, RFC 2205 3.1.1 and 3.1.2.
//!
//! A [`Message`] is a proof: it exists only for octets whose version, length, checksum and object lengths are sound.
//! It does not say that the objects it needs are there, nor that their bodies are sound: those are read on demand.

use crate::checksum;
use crate::code::{CType, Class, MsgType};
use crate::error::{ParseError, Why};
use crate::layout::{Cursor, View, within_reach};
use crate::object::Object;
use crate::registry;
use crate::scan::{self, Scan};

/// Octets of the common header.
pub(crate) const HEADER_LEN: usize = 8;
/// Octets of an object's header.
pub(crate) const OBJECT_HEADER_LEN: usize = 4;

/// The common header, RFC 2205 3.1.1.
///
/// ```text
///        0             1              2             3
/// +-------------+-------------+-------------+-------------+
/// | Vers | Flags|  Msg Type   |       RSVP Checksum       |
/// +-------------+-------------+-------------+-------------+
/// |  Send_TTL   | (Reserved)  |        RSVP Length        |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Protocol version, 4 bits; 1 in a sound message.
    pub version: u8,
    /// Flags, 4 bits; RFC 2205 assigns none.
    pub flags: u8,
    /// Message type.
    pub msg_type: MsgType,
    /// Checksum as received; zero says that none was transmitted.
    pub checksum: u16,
    /// IP TTL with which the message was sent (RFC 2205 3.8).
    pub send_ttl: u8,
    /// Reserved octet, kept as received.
    pub reserved: u8,
    /// Length of the whole message, in octets.
    pub length: u16,
}

impl Header {
    #[inline]
    pub(crate) const fn read(octets: [u8; HEADER_LEN]) -> Self {
        let [first, msg_type, c0, c1, send_ttl, reserved, l0, l1] = octets;
        Self {
            version: first >> 4,
            flags: first & 0x0f,
            msg_type: MsgType(msg_type),
            checksum: u16::from_be_bytes([c0, c1]),
            send_ttl,
            reserved,
            length: u16::from_be_bytes([l0, l1]),
        }
    }
}

/// One object of a message: its class, its C-Type and its octets, whether the class is known or not.
///
/// ```text
///        0             1              2             3
/// +-------------+-------------+-------------+-------------+
/// |       Length (bytes)      |  Class-Num  |   C-Type    |
/// +-------------+-------------+-------------+-------------+
/// //                  (Object contents)                   //
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ObjectRef<'a> {
    /// Class-Num.
    pub class: Class,
    /// C-Type.
    pub ctype: CType,
    body: &'a [u8],
    octets: &'a [u8],
    at: u16,
}

impl<'a> ObjectRef<'a> {
    /// The object at the start of `octets`, and the octets after it: for objects that were stored one after the other
    /// outside a message. `at` is what [`at`](Self::at) will say.
    ///
    /// # Errors
    /// `ObjectLength` and `ObjectOverrun`, as in a message.
    #[inline]
    pub fn split_first(octets: &'a [u8], at: u16) -> Result<(Self, &'a [u8]), ParseError> {
        let Some((&[l0, l1, class, ctype], _)) = octets.split_first_chunk::<OBJECT_HEADER_LEN>() else {
            return Err(ParseError::new(at, Why::ObjectOverrun));
        };
        let length = u16::from_be_bytes([l0, l1]);
        if length < OBJECT_HEADER_LEN as u16 || !length.is_multiple_of(4) {
            return Err(ParseError::new(at, Why::ObjectLength));
        }
        let Some((octets, rest)) = octets.split_at_checked(usize::from(length)) else {
            return Err(ParseError::new(at, Why::ObjectOverrun));
        };
        let (_, body) = octets.split_at_checked(OBJECT_HEADER_LEN).unwrap_or_default();
        Ok((Self { class: Class(class), ctype: CType(ctype), body, octets, at }, rest))
    }

    /// All octets of the object, its 4-octet header included.
    #[inline]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The contents, without the header.
    #[inline]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Offset of the object's header in the message, in octets.
    #[inline]
    pub const fn at(&self) -> u16 {
        self.at
    }

    /// Reads the body as a `T`.
    ///
    /// # Errors
    /// `UnknownClass` when the object is of another class, `UnknownCType` when `T` has no form for the C-Type,
    /// `BodyLength` and `BodyValue` when the body is no sound `T`.
    #[inline]
    pub fn read<T: Object<'a>>(&self) -> Result<T, ParseError> {
        if self.class != T::CLASS {
            return Err(ParseError::new(self.at.saturating_add(2), Why::UnknownClass));
        }
        T::read(*self)
    }

    /// The start of the body, for reading field by field.
    #[inline]
    pub(crate) const fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.body, self.at.saturating_add(OBJECT_HEADER_LEN as u16))
    }

    /// The body field by field, if the kind of object has a layout. None of it has been checked.
    pub fn view(&self) -> Option<View<'a>> {
        self.view_nested(0)
    }

    /// Whether the octets of the body are what its kind calls for: every field in its place, and, for the objects of RFC
    /// 2205 and RFC 2210, values that they allow. Kinds that are not typed are always sound.
    ///
    /// # Errors
    /// `BodyLength` or `BodyValue`, and the place.
    pub fn check(&self) -> Result<(), ParseError> {
        let Some(row) = registry::row(self.class, self.ctype) else { return Ok(()) };
        // A type that is read by hand is the faster judge; where it refuses, the layout says first what is wrong.
        let by_type = row.check.map(|check| check(self));
        if by_type == Some(Ok(())) {
            return Ok(());
        }
        self.view().map_or(Ok(()), |view| view.check())?;
        by_type.unwrap_or(Ok(()))
    }

    pub(crate) fn view_nested(&self, depth: u8) -> Option<View<'a>> {
        let layout = registry::row(self.class, self.ctype)?.layout?;
        within_reach(depth).then(|| View::of_nested(self, layout, depth))
    }

    /// The error of a type that has no form for this C-Type.
    #[inline]
    pub(crate) const fn unknown_ctype(&self) -> ParseError {
        ParseError::new(self.at.saturating_add(3), Why::UnknownCType)
    }
}

/// The objects of a message in order, NULL objects included.
#[derive(Copy, Clone, Debug)]
pub struct Objects<'a> {
    rest: &'a [u8],
    at: u16,
}

impl<'a> Objects<'a> {
    /// The objects in `octets`, one after the other without a common header, as they are stored for forwarding. Ends
    /// at the first whose length is unsound.
    pub const fn over(octets: &'a [u8]) -> Self {
        Self { rest: octets, at: 0 }
    }

    pub(crate) const fn starting(octets: &'a [u8], at: u16) -> Self {
        Self { rest: octets, at }
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = ObjectRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ObjectRef<'a>> {
        let (object, rest) = ObjectRef::split_first(self.rest, self.at).ok()?;
        self.rest = rest;
        self.at = self.at.wrapping_add(object.octets.len() as u16);
        Some(object)
    }
}

impl core::iter::FusedIterator for Objects<'_> {}

/// A message whose version, length, checksum and object lengths are sound.
#[derive(Copy, Clone, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
}

/// What stands for octets that are no message: a header of type 0 without objects.
const EMPTY: &[u8] = &[0x10, 0, 0, 0, 0, 0, 0, HEADER_LEN as u8];

impl<'a> Message<'a> {
    /// Verifies `octets`, the whole payload of one IP datagram, as one message.
    ///
    /// # Errors
    /// In this order: `Truncated`, `Version`, `Length`, `Checksum`, and `ObjectLength` or `ObjectOverrun` of the first
    /// unsound object. [`Scan::error`] reports the same.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, ParseError> {
        let scan = Scan::new(octets);
        let header = scan.sound_header()?;
        if header.checksum != 0 && !checksum::verifies(octets) {
            return Err(ParseError::new(2, Why::Checksum));
        }
        scan::sound_objects(octets)?;
        Ok(Self { octets })
    }

    /// A message in octets that [`parse`](Self::parse) accepted before and that were stored since: as `parse`, but
    /// the checksum is not computed again. Octets that are no message become one of type 0 without objects.
    #[inline]
    pub fn trusted(octets: &'a [u8]) -> Self {
        let sound = Scan::new(octets).sound_header().is_ok() && scan::sound_objects(octets).is_ok();
        Self { octets: if sound { octets } else { EMPTY } }
    }

    /// The common header.
    #[inline]
    pub fn header(&self) -> Header {
        Header::read(self.octets.first_chunk().copied().unwrap_or_default())
    }

    /// The message type; may be one that RFC 2205 does not define.
    #[inline]
    pub fn msg_type(&self) -> MsgType {
        self.header().msg_type
    }

    /// The IP TTL with which the message was sent.
    #[inline]
    pub fn send_ttl(&self) -> u8 {
        self.header().send_ttl
    }

    /// The whole message.
    #[inline]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// All objects in order, NULL objects included. A Bundle has none.
    #[inline]
    pub fn objects(&self) -> Objects<'a> {
        let contents = match self.octets {
            [_, msg_type, _, _, _, _, _, _, contents @ ..] if *msg_type != MsgType::BUNDLE.0 => contents,
            _ => &[],
        };
        Objects { rest: contents, at: HEADER_LEN as u16 }
    }

    /// The messages of a Bundle in order (RFC 2961 3.1), each verified by itself; none for other types.
    pub fn messages(&self) -> impl Iterator<Item = Result<Message<'a>, ParseError>> {
        let messages = Scan::new(self.octets).messages().flatten();
        messages.map(|(_, scan)| scan.error().map_or_else(|| Ok(Self { octets: scan.octets() }), Err))
    }

    /// The first object of a class, whatever its C-Type.
    #[inline]
    pub fn first(&self, class: Class) -> Option<ObjectRef<'a>> {
        self.objects().find(|object| object.class == class)
    }

    /// The first object of the class of `T`, read as a `T`.
    #[inline]
    pub fn get<T: Object<'a>>(&self) -> Option<Result<T, ParseError>> {
        self.first(T::CLASS).map(|object| object.read())
    }
}
