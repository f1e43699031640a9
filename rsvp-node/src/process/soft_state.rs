//! What soft state has in common: how long it lives, and when a message that arrives is a refresh of it (RFC 2205 section
//! 3.7).

use super::{Arrived, read};
use crate::door::Discard;
use crate::node::Node;
use crate::time::Instant;
use core::time::Duration;
use rsvp_wire::TimeValues;

/// Lifetime of received state: L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7, rule 2).
pub(crate) fn lifetime(lifetime_multiplier: u32, refresh_ms: u32) -> Duration {
    let quarters = (2 * u64::from(lifetime_multiplier) + 1).saturating_mul(3);
    Duration::from_micros((u64::from(refresh_ms) * 250).saturating_mul(quarters))
}

impl Node {
    /// When state that arrived now with these TIME_VALUES dies.
    pub(crate) fn expiry_of(&self, arrived: &Arrived<'_>) -> Result<Instant, Discard> {
        let TimeValues { refresh_ms } = read(&arrived.message)?;
        if refresh_ms == 0 {
            return Err(Discard::BadTimeValues);
        }
        let k = self.interfaces.find(arrived.rx.interface).map_or(3, |i| i.config.lifetime_multiplier);
        Ok(self.now + lifetime(k, refresh_ms))
    }
}

/// Whether two messages say the same: all octets but the common header's flags and checksum (and its Send_TTL, which
/// is compared with the received TTL elsewhere).
pub(crate) fn same_content(stored: &[u8], received: &[u8]) -> bool {
    stored.len() == received.len() && stored.get(5..) == received.get(5..)
}

/// Replaces stored octets, in place where they fit.
pub(crate) fn store(stored: &mut Box<[u8]>, octets: &[u8]) {
    if stored.len() == octets.len() {
        stored.copy_from_slice(octets);
    } else {
        *stored = octets.into();
    }
}
