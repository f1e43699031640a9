//! STYLE, RFC 2205 A.7: which senders share a reservation, and how they are selected.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |   Flags     |              Option Vector              |
//! +-------------+-------------+-------------+-------------+
//! Option Vector: 19 bits reserved, 2 bits sharing control, 3 bits sender selection control
//! ```
//!
//! Unknown styles are values like any other; refusing them is the engine's part.

use core::fmt;

use bytes::BufMut;
use nom::Parser;

use super::Object;
use super::body::{whole, word};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A reservation style, RFC 2205 A.7.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Style {
    /// Flags; none is assigned.
    pub flags: u8,
    /// Option Vector, the low 24 bits.
    pub options: u32,
}

/// Sharing control bits of the Option Vector.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sharing {
    /// 01: a reservation per sender.
    Distinct,
    /// 10: one reservation for all senders.
    Shared,
    /// 00 and 11.
    Reserved(u8),
}

/// Sender selection control bits of the Option Vector.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum SenderSelection {
    /// 001: all senders of the session.
    Wildcard,
    /// 010: the senders listed.
    Explicit,
    /// 000 and 011 to 111.
    Reserved(u8),
}

impl Style {
    /// Wildcard filter: shared, wildcard.
    pub const WF: Self = Self { flags: 0, options: 0b10001 };
    /// Fixed filter: distinct, explicit.
    pub const FF: Self = Self { flags: 0, options: 0b01010 };
    /// Shared explicit.
    pub const SE: Self = Self { flags: 0, options: 0b10010 };

    /// Whether senders share the reservation.
    pub const fn sharing(&self) -> Sharing {
        match (self.options >> 3) & 0b11 {
            0b01 => Sharing::Distinct,
            0b10 => Sharing::Shared,
            other => Sharing::Reserved(other as u8),
        }
    }

    /// How senders are selected.
    pub const fn sender_selection(&self) -> SenderSelection {
        match self.options & 0b111 {
            0b001 => SenderSelection::Wildcard,
            0b010 => SenderSelection::Explicit,
            other => SenderSelection::Reserved(other as u8),
        }
    }
}

impl fmt::Display for Style {
    /// `WF`, `FF`, `SE` (by the bits that are assigned), or the Option Vector in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.sharing(), self.sender_selection()) {
            (Sharing::Shared, SenderSelection::Wildcard) => f.pad("WF"),
            (Sharing::Distinct, SenderSelection::Explicit) => f.pad("FF"),
            (Sharing::Shared, SenderSelection::Explicit) => f.pad("SE"),
            _ => write!(f, "{:#08x}", self.options),
        }
    }
}

impl<'a> Object<'a> for Style {
    const CLASS: Class = Class::STYLE;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        match object.ctype.0 {
            1 => whole(
                object,
                word.map(|word| Self { flags: (word >> 24) as u8, options: word & 0x00ff_ffff }),
            ),
            _ => Err(object.unknown_ctype()),
        }
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(1)
    }

    #[inline]
    fn body_len(&self) -> usize {
        4
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        out.put_u32(u32::from(self.flags) << 24 | self.options & 0x00ff_ffff);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn the_three_styles() {
        // FF: wireshark-rsvp-PATH-RESV, packet 7. SE: wireshark-mpls-te, packet 2. WF: by hand from RFC 2205 A.7.
        both_ways(&octets("00080801 0000000a"), &Style::FF);
        both_ways(&octets("00080801 00000012"), &Style::SE);
        both_ways(&octets("00080801 00000011"), &Style::WF);
        assert_eq!(
            (Style::FF.sharing(), Style::FF.sender_selection()),
            (Sharing::Distinct, SenderSelection::Explicit)
        );
        assert_eq!(
            (Style::SE.sharing(), Style::SE.sender_selection()),
            (Sharing::Shared, SenderSelection::Explicit)
        );
        assert_eq!(
            (Style::WF.sharing(), Style::WF.sender_selection()),
            (Sharing::Shared, SenderSelection::Wildcard)
        );
    }

    #[test]
    fn unknown_options_are_kept() {
        // By hand: flags and reserved option bits set, reserved sharing and selection.
        let style = Style { flags: 0xa5, options: 0x80_001f };
        both_ways(&octets("00080801 a580001f"), &style);
        assert_eq!(
            (style.sharing(), style.sender_selection()),
            (Sharing::Reserved(3), SenderSelection::Reserved(7))
        );
        assert_eq!(std::format!("{style} {} {} {}", Style::WF, Style::FF, Style::SE), "0x80001f WF FF SE");
        // New bits in the vector do not change what the known ones say (RFC 2205 A.7).
        assert_eq!(std::format!("{}", Style { flags: 0, options: 0x20 | 0b10001 }), "WF");
    }

    #[test]
    fn one_word_only() {
        refused::<Style>(&octets("00040801"), 4, Why::BodyLength);
        refused::<Style>(&octets("00080802 00000011"), 3, Why::UnknownCType);
    }
}
