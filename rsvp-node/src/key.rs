//! By what state is found and compared: sessions as this engine knows them.
//!
//! Objects of the wire have more in them than they name: flags. So keys
//! are made of them where a message or a command comes in (`of`), and are made objects again where something is written
//! or told (`object`), with zeros for all that a key does not have. An object that goes on as it came never becomes a
//! key, and what a flag means is read in the message that has it.
//!
//! There is a variant for each C-Type that has a user here, and no other. Whether an address or a port can be one is
//! deliberately not judged: that is for those who make the key.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_wire::Session;

/// A session (RFC 2205 A.1): where its data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionKey {
    /// C-Type 1.
    Ipv4 { destination: Ipv4Addr, protocol: u8, port: u16 },
    /// C-Type 2.
    Ipv6 { destination: Ipv6Addr, protocol: u8, port: u16 },
}

impl SessionKey {
    #[inline]
    pub(crate) const fn of(session: Session) -> Self {
        match session {
            Session::Ipv4 { destination, protocol, port, .. } => Self::Ipv4 { destination, protocol, port },
            Session::Ipv6 { destination, protocol, port, .. } => Self::Ipv6 { destination, protocol, port },
        }
    }

    #[inline]
    pub(crate) const fn object(&self) -> Session {
        Session::new(self.destination(), self.protocol(), self.port())
    }

    #[inline]
    pub(crate) const fn destination(&self) -> IpAddr {
        match *self {
            Self::Ipv4 { destination, .. } => IpAddr::V4(destination),
            Self::Ipv6 { destination, .. } => IpAddr::V6(destination),
        }
    }

    #[inline]
    pub(crate) const fn protocol(&self) -> u8 {
        let (Self::Ipv4 { protocol, .. } | Self::Ipv6 { protocol, .. }) = *self;
        protocol
    }

    /// Destination port; 0 is "none".
    #[inline]
    pub(crate) const fn port(&self) -> u16 {
        let (Self::Ipv4 { port, .. } | Self::Ipv6 { port, .. }) = *self;
        port
    }

    #[inline]
    pub(crate) const fn is_multicast(&self) -> bool {
        self.destination().is_multicast()
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_flags() {
        let destination = Ipv4Addr::new(10, 0, 0, 1);
        let session = Session::Ipv4 { destination, protocol: 17, flags: Session::E_POLICE, port: 5000 };
        assert_eq!(SessionKey::of(session).object(), Session::new(destination.into(), 17, 5000));
    }
}
