//! RESTART_CAP, RFC 3473 9.1, and CAPABILITY, RFC 5063 4.2 and RFC 8370 5.1: what a neighbour that says Hello can do.
//!
//! ```text
//! RESTART_CAP  |                         Restart Time                          |
//!              |                        Recovery Time                          |
//! CAPABILITY   |                         Reserved                    |F|I|T|R|S|
//! ```

use crate::layout::object;

/// The registry "Capability Object values".
const CAPABILITIES: &[(u64, &str)] = &[
    (0x01, "RecoveryPath Srefresh Capable (S)"),
    (0x02, "RecoveryPath Desired (R)"),
    (0x04, "RecoveryPath Transmit Enabled (T)"),
    (0x08, "RI-RSVP Capable (I)"),
    (0x10, "Per-Peer Flow-Control Capable (F)"),
];

/// RFC 3473 9.1.
const RESTART_TIMES: &[(u64, &str)] = &[(u32::MAX as u64, "indeterminate")];

object! {
    /// RESTART_CAP, RFC 3473 9.1.
    pub RestartCap: RESTART_CAP 1 {
        /// How long a restart takes; all ones: nobody knows, and the data plane goes on without.
        restart_time_ms(u32 code RESTART_TIMES);
        /// How long the sender wants for its state to be brought back; 0: forwarding state was lost.
        recovery_time_ms(u32);
    }

    /// CAPABILITY, RFC 5063 4.2.
    pub Capability: CAPABILITY 1 {
        /// What the sender can do.
        flags(u32 flags CAPABILITIES);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn restart() {
        // By hand from RFC 3473 9.1.
        let restart = RestartCap { restart_time_ms: 60_000, recovery_time_ms: 120_000 };
        both_ways(&octets("000c 8301 0000ea60 0001d4c0"), &restart);
        refused::<RestartCap>(&octets("0008 8301 0000ea60"), 8, Why::BodyLength);
    }

    #[test]
    fn capability() {
        // By hand from RFC 5063 4.2 and RFC 8370 5.1.
        both_ways(&octets("0008 8601 0000001b"), &Capability { flags: 0x1b });
        refused::<Capability>(&octets("000c 8601 0000001b 00000000"), 8, Why::BodyLength);
    }
}
