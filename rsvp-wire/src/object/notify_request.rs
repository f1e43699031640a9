//! NOTIFY_REQUEST, RFC 3473 4.2: whom to tell of errors.
//!
//! ```text
//! |              IPv4 or IPv6 Notify Node Address                 |
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

object! {
    /// IPv4 Notify Request, RFC 3473 4.2.1.
    pub Ipv4NotifyRequest: NOTIFY_REQUEST 1 {
        /// The node to be notified.
        notify_node(Ipv4Addr);
    }

    /// IPv6 Notify Request, RFC 3473 4.2.1.
    pub Ipv6NotifyRequest: NOTIFY_REQUEST 2 {
        /// The node to be notified.
        notify_node(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn nodes() {
        // By hand from RFC 3473 4.2.1.
        let notify_node = Ipv4Addr::new(10, 0, 0, 1);
        both_ways(&octets("0008 c301 0a000001"), &Ipv4NotifyRequest { notify_node });
        let notify_node = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        both_ways(
            &octets("0014 c302 fd000000 00000000 00000000 00000001"),
            &Ipv6NotifyRequest { notify_node },
        );
        refused::<Ipv4NotifyRequest>(&octets("0004 c301"), 4, Why::BodyLength);
        refused::<Ipv6NotifyRequest>(&octets("0008 c302 0a000001"), 4, Why::BodyLength);
    }
}
