//! What soft state has in common: how long it lives, and when a message that arrives is a refresh of it (RFC 2205 section
//! 3.7).

use super::Arrived;
use crate::api::Discard;
use crate::config::Limit;
use crate::node::Node;
use crate::time::Instant;
use crate::unknown;
use core::time::Duration;
use rsvp_wire::{Class, TimeValues};

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

/// Octets of the common header.
const HEADER: usize = 8;

/// Whether two messages of a type say the same: all octets but the common header's flags and checksum (and its Send_TTL,
/// which is compared with the received TTL elsewhere), and INTEGRITY. That is between two neighbours and never forwarded (RFC
/// 2205 section 2.8), and has another sequence number in each message; so it may stay in what is stored as it was.
pub(crate) fn same_content(stored: &[u8], received: &[u8]) -> bool {
    if stored.len() == received.len() && stored.get(5..) == received.get(5..) {
        return true;
    }
    let (a, b) = (around_integrity(stored), around_integrity(received));
    // Without INTEGRITY in either there is nothing that may differ.
    let either = !(a.1.is_empty() && b.1.is_empty());
    either && stored.get(5) == received.get(5) && a.0.iter().chain(a.1).eq(b.0.iter().chain(b.1))
}

/// The objects of a message before and behind its INTEGRITY, which only objects of unknown class may stand before; all are
/// before it where there is none.
fn around_integrity(message: &[u8]) -> (&[u8], &[u8]) {
    let objects = message.get(HEADER..).unwrap_or_default();
    let mut at = 0;
    for object in unknown::objects(objects) {
        let class = Class(object.get(2).copied().unwrap_or_default());
        if class == Class::INTEGRITY {
            return (&objects[..at], &objects[at + object.len()..]);
        }
        if unknown::is_recognised(class) {
            break;
        }
        at += object.len();
    }
    (objects, &[])
}

/// Replaces stored octets, in place where they fit.
pub(crate) fn store(stored: &mut Box<[u8]>, octets: &[u8]) {
    if stored.len() == octets.len() {
        stored.copy_from_slice(octets);
    } else {
        *stored = octets.into();
    }
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
    fn integrity_is_no_content_and_everything_else_is() {
        let integrity = |sequence| [0, 8, 4, 1, 0, 0, 0, sequence];
        let stored = message(&[&integrity(1), &FORWARDED, &TIME_VALUES]);
        let same = |objects: &[&[u8]]| same_content(&stored, &message(objects));
        assert!(same(&[&integrity(1), &FORWARDED, &TIME_VALUES]));
        assert!(same(&[&integrity(2), &FORWARDED, &TIME_VALUES]));
        assert!(same(&[&FORWARDED, &integrity(2), &TIME_VALUES]));
        assert!(same(&[&FORWARDED, &TIME_VALUES]));
        assert!(same_content(&message(&[&FORWARDED, &TIME_VALUES]), &stored));
        assert!(!same(&[&integrity(1), &FORWARDED]));
        assert!(!same(&[&integrity(1), &TIME_VALUES, &FORWARDED]));
        assert!(!same(&[&integrity(1), &FORWARDED, &[0, 8, 5, 1, 0, 0, 0, 2]]));
        assert!(!same(&[&TIME_VALUES]));
    }
}
