//! QOS: the whole of what a call sets and an event brings, and its octets.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            SendingFlowspec (32 octets)                |
//! |            ReceivingFlowspec (32 octets)              |
//! |            ProviderSpecific: length in octets         |
//! |            ProviderSpecific: where, or 0              |---> objects, in one piece
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! "Where" counts from the start of the QOS, as within objects. Each direction is a flow of its own. Source: the published
//! pages of QOS and of the provider-specific buffer.

use super::flowspec::Flowspec;
use super::objects::octets::{Cursor, put_count};
use super::objects::{self, Object};
use super::status::{Invalid, Status};

/// Two directions, and objects.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Qos {
    /// What this host sends.
    pub sending: Flowspec,
    /// What this host receives.
    pub receiving: Flowspec,
    /// The provider-specific buffer.
    pub objects: Vec<Object>,
}

/// A buffer that an answer does not fit into; nothing but the number was put into its first four octets, if it has as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer takes {needed} octets")]
pub struct NoBuffer {
    /// How many it takes.
    pub needed: usize,
}

const FIXED: usize = 2 * Flowspec::LEN + 8;

impl Qos {
    /// As octets, in one piece.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let objects = objects::to_octets(&self.objects);
        let mut out = Vec::with_capacity(FIXED + objects.len());
        self.sending.write(&mut out);
        self.receiving.write(&mut out);
        put_count(&mut out, objects.len());
        put_count(&mut out, if objects.is_empty() { 0 } else { FIXED });
        out.extend(objects);
        out
    }

    /// Out of octets. Says nothing about whether the values make sense: [`validate`](Self::validate) does.
    ///
    /// # Errors
    /// 11016, and 11018 to 11030, for the first thing that is wrong.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Invalid> {
        let short = Invalid::new(Status::EPROVSPECBUF, "fewer octets than a QOS has").with_value(56811);
        let mut cursor = Cursor::new(octets);
        let sending = Flowspec::read(&mut cursor).ok_or(short)??;
        let receiving = Flowspec::read(&mut cursor).ok_or(short)??;
        let (len, at) = (cursor.count().ok_or(short)?, cursor.count().ok_or(short)?);
        let outside =
            Invalid::new(Status::EPROVSPECBUF, "the provider-specific buffer is outside the octets");
        let listed = match len {
            0 => &[][..],
            _ if at < FIXED => return Err(outside),
            _ => cursor.at(at).take(len).ok_or(outside)?,
        };
        Ok(Self { sending, receiving, objects: objects::from_octets(listed)? })
    }

    /// Puts the whole of it into a buffer and says how long it is, or only how long it would be: all or nothing. Then the
    /// first word of the buffer has the number.
    ///
    /// # Errors
    /// When the buffer is too small.
    pub fn write_into(&self, buffer: &mut [u8]) -> Result<usize, NoBuffer> {
        let octets = self.to_octets();
        let needed = octets.len();
        if let Some(whole) = buffer.get_mut(..needed) {
            whole.copy_from_slice(&octets);
            return Ok(needed);
        }
        if let Some(hint) = buffer.get_mut(..4) {
            hint.copy_from_slice(&u32::try_from(needed).unwrap_or(u32::MAX).to_le_bytes());
        }
        Err(NoBuffer { needed })
    }

    /// This request over what there was: a direction that says NOCHANGE stays, and objects are those of this request,
    /// where it has any.
    #[must_use]
    pub fn over(self, before: Self) -> Self {
        Self {
            sending: self.sending.over(before.sending),
            receiving: self.receiving.over(before.receiving),
            objects: if self.objects.is_empty() { before.objects } else { self.objects },
        }
    }

    /// The QOS of the group a socket is in. There are no groups: nothing is specified, in either direction.
    #[must_use]
    pub fn of_group() -> Self {
        Self::default()
    }
}
