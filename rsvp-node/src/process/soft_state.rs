//! What soft state has in common: how long it lives, and when a message that arrives is a refresh of it (RFC 2205 section
//! 3.7).

use super::Arrived;
use crate::api::Discard;
use crate::config::Limit;
use crate::digest::{Digest, DigestKey};
use crate::node::Node;
use crate::time::Instant;
use crate::unknown;
use core::time::Duration;
use rsvp_wire::{Message, ObjectRef, TimeValues};

/// Lifetime of received state: L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7, rule 2).
pub(crate) fn lifetime(lifetime_multiplier: u32, refresh_ms: u32) -> Duration {
    let quarters = (2 * u64::from(lifetime_multiplier) + 1).saturating_mul(3);
    Duration::from_micros((u64::from(refresh_ms) * 250).saturating_mul(quarters))
}

impl Node {
    /// When state that arrived now with these TIME_VALUES dies. R has a limit here, which RFC 2205 section 3.7 does not give it.
    pub(crate) fn expiry_of(&mut self, arrived: &Arrived<'_>) -> Result<Instant, Discard> {
        let TimeValues { refresh_ms } = arrived.read()?;
        if refresh_ms == 0 {
            return Err(Discard::BadTimeValues);
        }
        if refresh_ms > self.config.limits.refresh_ms {
            return Err(self.reject_beyond(&arrived.rx, &arrived.message, Limit::RefreshPeriod));
        }
        let k = self.interfaces.find(arrived.rx.interface).map_or(3, |i| i.config.lifetime_multiplier);
        Ok(self.now + lifetime(k, refresh_ms))
    }
}

/// Whether a message says what is kept of another: all octets but the common header's flags and checksum (and its Send_TTL,
/// which is compared with the received TTL elsewhere), and what is not kept of a message.
pub(crate) fn same_content(kept: &[u8], received: &Message<'_>) -> bool {
    let octets = received.octets();
    if kept.len() == octets.len() && kept.get(5..) == octets.get(5..) {
        return true;
    }
    kept.get(5) == octets.get(5) && kept.len() < octets.len() && same_objects(kept, received)
}

/// A digest of what [`same_content`] compares.
pub(crate) fn content_of(received: &Message<'_>, key: DigestKey) -> Digest {
    let reserved = [received.header().reserved, 0, 0, 0];
    let objects = received.objects().filter(unknown::is_kept);
    key.digest([&reserved[..]].into_iter().chain(objects.map(|object| object.octets())))
}

fn same_objects(kept: &[u8], received: &Message<'_>) -> bool {
    let mut rest = kept.get(unknown::HEADER..).unwrap_or_default();
    let mut next =
        |object: ObjectRef<'_>| rest.strip_prefix(object.octets()).map(|after| rest = after).is_some();
    received.objects().filter(unknown::is_kept).all(&mut next) && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_wire::{MessageWriter, MsgType};

    const FORWARDED: [u8; 8] = [0, 8, 192, 1, 1, 2, 3, 4];
    const TIME_VALUES: [u8; 8] = [0, 8, 5, 1, 0, 0, 0, 1];

    fn message(objects: &[&[u8]]) -> Vec<u8> {
        let mut buffer = [0; 64];
        let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 63);
        objects.iter().for_each(|object| {
            writer.copy(object);
        });
        writer.finish().expect("room").to_vec()
    }

    #[test]
    fn what_is_not_kept_is_no_content_and_everything_else_is() {
        let integrity = |sequence| [0, 8, 4, 1, 0, 0, 0, sequence];
        let (null, ignored) = ([0, 8, 0, 0, 1, 2, 3, 4], [0, 8, 0xb0, 1, 1, 2, 3, 4]);
        let first = message(&[&integrity(1), &null, &FORWARDED, &ignored, &TIME_VALUES]);
        let kept = unknown::kept(&Message::trusted(&first)).into_owned();
        assert_eq!(kept[6..], message(&[&FORWARDED, &TIME_VALUES])[6..], "with its length");
        let (key, digest) = (DigestKey::new(1), content_of(&Message::trusted(&first), DigestKey::new(1)));
        let same = |objects: &[&[u8]]| {
            let other = message(objects);
            let same = same_content(&kept, &Message::trusted(&other));
            assert_eq!(
                content_of(&Message::trusted(&other), key) == digest,
                same,
                "the digest says the same"
            );
            same
        };
        assert!(same(&[&integrity(1), &FORWARDED, &TIME_VALUES]));
        assert!(same(&[&integrity(2), &FORWARDED, &null, &TIME_VALUES]));
        assert!(same(&[&FORWARDED, &integrity(2), &TIME_VALUES, &ignored]));
        assert!(same(&[&FORWARDED, &TIME_VALUES]));
        assert!(!same(&[&integrity(1), &FORWARDED]));
        assert!(!same(&[&integrity(1), &TIME_VALUES, &FORWARDED]));
        assert!(!same(&[&integrity(1), &FORWARDED, &[0, 8, 5, 1, 0, 0, 0, 2]]));
        assert!(!same(&[&FORWARDED, &TIME_VALUES, &FORWARDED]));
        assert!(!same(&[&TIME_VALUES]));
    }
}
