//! Messages into a buffer of the caller.
//!
//! The writer does not order or require objects: what is put first is first on the wire. It keeps counting past the
//! end of the buffer, so a caller learns in one attempt how much room the message needs.

use bytes::BufMut;

use crate::checksum::checksum;
use crate::code::{CType, Class, MsgType};
use crate::message::{HEADER_LEN, Message, OBJECT_HEADER_LEN};
use crate::object::Object;

/// The buffer is too small for the message, which has this many octets. Above 65535 no buffer helps: that is the
/// longest message the Length field can say.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the message has {0} octets: more than the buffer, or than the 65535 a message may have")]
pub struct NeedSpace(pub usize);

/// Writes one message, object by object.
#[derive(Debug)]
pub struct MessageWriter<'b> {
    buffer: &'b mut [u8],
    len: usize,
    msg_type: MsgType,
    send_ttl: u8,
}

impl<'b> MessageWriter<'b> {
    /// A message of version 1 without flags. `send_ttl` must be the IP TTL it will be sent with (RFC 2205 3.8).
    #[inline]
    pub fn new(buffer: &'b mut [u8], msg_type: MsgType, send_ttl: u8) -> Self {
        Self { buffer, len: HEADER_LEN, msg_type, send_ttl }
    }

    /// Appends an object.
    #[inline]
    pub fn put<'a, T: Object<'a>>(&mut self, object: &T) -> &mut Self {
        let length = object.body_len().saturating_add(OBJECT_HEADER_LEN);
        if let Some(mut room) = self.room(length) {
            room.put_slice(&object_header(length, T::CLASS, object.ctype()));
            object.write_body(&mut room);
            // A body shorter than it said must not send whatever the buffer held before.
            if !room.is_empty() {
                room.fill(0);
            }
        }
        self
    }

    /// Appends an object as it was received, its header included.
    #[inline]
    pub fn copy(&mut self, object_octets: &[u8]) -> &mut Self {
        if let Some(room) = self.room(object_octets.len()) {
            room.copy_from_slice(object_octets);
        }
        self
    }

    /// Octets so far, the common header included; also those past the end of the buffer.
    #[inline]
    #[expect(
        clippy::len_without_is_empty,
        reason = "the header is always there, so a message is never empty"
    )]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Fills in Length and checksum, and hands out the octets of the message.
    ///
    /// # Errors
    /// The buffer is too small, or the message longer than 65535 octets.
    #[inline]
    pub fn finish(self) -> Result<&'b mut [u8], NeedSpace> {
        let need = NeedSpace(self.len);
        let length = u16::try_from(self.len).map_err(|_| need)?;
        let message = self.buffer.get_mut(..self.len).ok_or(need)?;
        let [l0, l1] = length.to_be_bytes();
        let header = message.first_chunk_mut::<HEADER_LEN>().ok_or(need)?;
        *header = [0x10, self.msg_type.0, 0, 0, self.send_ttl, 0, l0, l1];
        set_checksum(message, checksum(message));
        Ok(message)
    }

    /// The next `length` octets of the buffer, if they are there; they count as written in any case.
    #[inline]
    fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        let start = self.len;
        self.len = start.saturating_add(length);
        self.buffer.get_mut(start..self.len)
    }
}

#[inline]
fn object_header(length: usize, class: Class, ctype: CType) -> [u8; OBJECT_HEADER_LEN] {
    let [l0, l1] = (length as u16).to_be_bytes();
    [l0, l1, class.0, ctype.0]
}

#[inline]
fn set_checksum(message: &mut [u8], checksum: u16) {
    let [c0, c1] = checksum.to_be_bytes();
    if let [_, _, high, low, ..] = message {
        *high = c0;
        *low = c1;
    }
}

/// Writes a parsed message again, object by object, and returns its length. Reproduces its octets: flags, reserved
/// octet and an absent checksum included.
///
/// # Errors
/// The buffer is too small.
pub fn rewrite(message: &Message<'_>, buffer: &mut [u8]) -> Result<usize, NeedSpace> {
    let header = message.header();
    let mut writer = MessageWriter::new(buffer, header.msg_type, header.send_ttl);
    if header.msg_type == MsgType::BUNDLE {
        writer.copy(message.octets().get(HEADER_LEN..).unwrap_or_default());
    }
    for object in message.objects() {
        writer.copy(object.octets());
    }
    let written = writer.finish()?;
    if let [first, _, _, _, _, reserved, ..] = written {
        *first |= header.flags;
        *reserved = header.reserved;
    }
    // The one's complement has two zeros, and zero is also "none": what was received is right by the proof in `message`.
    set_checksum(written, header.checksum);
    Ok(written.len())
}
