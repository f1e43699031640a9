//! Sessions of a socket that is bound to any address: a session whose destination is the unspecified address stands for one
//! session for each address of the host.
//!
//! | it is written | addresses |
//! |---|---|
//! | `udp *:5000`, `udp [::]:5000` | those of both families, as a socket of IPv6 takes them |
//! | `udp 0.0.0.0:5000` | those of IPv4 |
//!
//! The network never sees such a session: RSVP has none (RFC 2205 section 1).

use core::net::{IpAddr, Ipv6Addr};
use rsvp_wire::{Session, TextError};
use serde::de::{Deserialize, Deserializer, Error};

/// Whether a session stands for one for each address of the host.
#[must_use]
pub fn is_any_address(session: &Session) -> bool {
    session.destination().is_unspecified()
}

/// The session at this address of the host for which `any` stands, if it does.
///
/// ```
/// use rsvp_control::session_at;
///
/// let any = "udp 0.0.0.0:5000".parse().unwrap();
/// assert_eq!(session_at(&any, [10, 0, 2, 2].into()), Some("udp 10.0.2.2:5000".parse().unwrap()));
/// assert_eq!(session_at(&any, "fd00::2".parse().unwrap()), None);
/// ```
#[must_use]
pub fn session_at(any: &Session, address: IpAddr) -> Option<Session> {
    let takes = match any.destination() {
        IpAddr::V4(bound) => bound.is_unspecified() && address.is_ipv4(),
        IpAddr::V6(bound) => bound == Ipv6Addr::UNSPECIFIED,
    };
    takes.then(|| match any.is_gpi() {
        false => Session::new(address, any.protocol(), any.port()),
        true => Session::gpi(address, any.protocol(), any.port()),
    })
}

/// Reads a session that may be at any address, as `udp *:5000`.
///
/// # Errors
/// When the text is neither that nor a session.
pub fn session_or_any(text: &str) -> Result<Session, TextError> {
    text.replacen(" *", " [::]", 1).parse()
}

pub(crate) fn serialize<S: serde::Serializer>(session: &Session, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(session)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Session, D::Error> {
    session_or_any(&String::deserialize(from)?).map_err(D::Error::custom)
}
