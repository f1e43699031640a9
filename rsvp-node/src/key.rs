//! By what state is found and compared: sessions, senders and styles as this engine knows them.
//!
//! Objects of the wire have more in them than they name: flags, unused octets, Option Vectors that are no style. So keys
//! are made of them where a message or a command comes in (`of`), and are made objects again where something is written
//! or told (`object`), with zeros for all that a key does not have. An object that goes on as it came never becomes a
//! key, and what a flag means is read in the message that has it.
//!
//! There is a variant for each C-Type that has a user here, and no other. Whether an address or a port can be one is
//! deliberately not judged: that is for those who make the key.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_wire::{FilterSpec, Session, Sharing, Style};

/// A session (RFC 2205 A.1): where its data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionKey {
    /// C-Type 1.
    Ipv4 { destination: Ipv4Addr, protocol: u8, port: u16 },
    /// C-Type 2.
    Ipv6 { destination: Ipv6Addr, protocol: u8, port: u16 },
    /// C-Type 3, whose port is a virtual one (RFC 2207).
    Ipv4Gpi { destination: Ipv4Addr, protocol: u8, port: u16 },
    /// C-Type 4, the same.
    Ipv6Gpi { destination: Ipv6Addr, protocol: u8, port: u16 },
}

impl SessionKey {
    /// C-Types of a SESSION that can be one.
    pub(crate) const CTYPES: &[u8] = &[1, 2, 3, 4];

    #[inline]
    pub(crate) const fn of(session: Session) -> Self {
        match session {
            Session::Ipv4 { destination, protocol, port, .. } => Self::Ipv4 { destination, protocol, port },
            Session::Ipv6 { destination, protocol, port, .. } => Self::Ipv6 { destination, protocol, port },
            Session::Ipv4Gpi { destination, protocol, port, .. } => {
                Self::Ipv4Gpi { destination, protocol, port }
            }
            Session::Ipv6Gpi { destination, protocol, port, .. } => {
                Self::Ipv6Gpi { destination, protocol, port }
            }
        }
    }

    /// One of the sessions to a destination.
    pub(crate) const fn to(destination: IpAddr, protocol: u8) -> Self {
        match destination {
            IpAddr::V4(destination) => Self::Ipv4 { destination, protocol, port: 0 },
            IpAddr::V6(destination) => Self::Ipv6 { destination, protocol, port: 0 },
        }
    }

    #[inline]
    pub(crate) const fn object(&self) -> Session {
        match self.is_gpi() {
            false => Session::new(self.destination(), self.protocol(), self.port()),
            true => Session::gpi(self.destination(), self.protocol(), self.port()),
        }
    }

    /// Whether its port is a virtual one, and its senders have an SPI (RFC 2207).
    #[inline]
    pub(crate) const fn is_gpi(&self) -> bool {
        matches!(self, Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. })
    }

    /// The session as its packets show it: a virtual port is in none of them (RFC 2207 section 4.1).
    pub(crate) const fn in_packets(self) -> Self {
        match self {
            Self::Ipv4Gpi { destination, protocol, .. } => Self::Ipv4 { destination, protocol, port: 0 },
            Self::Ipv6Gpi { destination, protocol, .. } => Self::Ipv6 { destination, protocol, port: 0 },
            other => other,
        }
    }

    #[inline]
    pub(crate) const fn destination(&self) -> IpAddr {
        match *self {
            Self::Ipv4 { destination, .. } | Self::Ipv4Gpi { destination, .. } => IpAddr::V4(destination),
            Self::Ipv6 { destination, .. } | Self::Ipv6Gpi { destination, .. } => IpAddr::V6(destination),
        }
    }

    #[inline]
    pub(crate) const fn protocol(&self) -> u8 {
        let (Self::Ipv4 { protocol, .. }
        | Self::Ipv6 { protocol, .. }
        | Self::Ipv4Gpi { protocol, .. }
        | Self::Ipv6Gpi { protocol, .. }) = *self;
        protocol
    }

    /// Destination port; 0 is "none".
    #[inline]
    pub(crate) const fn port(&self) -> u16 {
        let (Self::Ipv4 { port, .. }
        | Self::Ipv6 { port, .. }
        | Self::Ipv4Gpi { port, .. }
        | Self::Ipv6Gpi { port, .. }) = *self;
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

/// A sender, and the filter that selects its packets (RFC 2205 A.9 and A.10). In messages filters stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SenderKey {
    /// C-Type 1.
    Ipv4 { address: Ipv4Addr, port: u16 },
    /// C-Type 2.
    Ipv6 { address: Ipv6Addr, port: u16 },
    /// C-Type 3.
    Ipv6FlowLabel { address: Ipv6Addr, label: u32 },
    /// C-Type 4 (RFC 2207).
    Ipv4Gpi { address: Ipv4Addr, gpi: u32 },
    /// C-Type 5, the same.
    Ipv6Gpi { address: Ipv6Addr, gpi: u32 },
}

impl SenderKey {
    /// C-Types of a SENDER_TEMPLATE and a FILTER_SPEC that can be one.
    pub(crate) const CTYPES: &[u8] = &[1, 2, 3, 4, 5];

    #[inline]
    pub(crate) const fn of(filter: FilterSpec) -> Self {
        match filter {
            FilterSpec::Ipv4 { address, port, .. } => Self::Ipv4 { address, port },
            FilterSpec::Ipv6 { address, port, .. } => Self::Ipv6 { address, port },
            FilterSpec::Ipv6FlowLabel { address, label, .. } => Self::Ipv6FlowLabel { address, label },
            FilterSpec::Ipv4Gpi { address, gpi } => Self::Ipv4Gpi { address, gpi },
            FilterSpec::Ipv6Gpi { address, gpi } => Self::Ipv6Gpi { address, gpi },
        }
    }

    #[inline]
    pub(crate) const fn object(&self) -> FilterSpec {
        match *self {
            Self::Ipv4 { address, port } => FilterSpec::Ipv4 { address, reserved: 0, port },
            Self::Ipv6 { address, port } => FilterSpec::Ipv6 { address, reserved: 0, port },
            Self::Ipv6FlowLabel { address, label } => {
                FilterSpec::Ipv6FlowLabel { address, reserved: 0, label }
            }
            Self::Ipv4Gpi { address, gpi } => FilterSpec::Ipv4Gpi { address, gpi },
            Self::Ipv6Gpi { address, gpi } => FilterSpec::Ipv6Gpi { address, gpi },
        }
    }

    /// Several of them as objects.
    pub(crate) fn objects(senders: &[Self]) -> Vec<FilterSpec> {
        senders.iter().map(Self::object).collect()
    }

    #[inline]
    pub(crate) const fn address(&self) -> IpAddr {
        match *self {
            Self::Ipv4 { address, .. } | Self::Ipv4Gpi { address, .. } => IpAddr::V4(address),
            Self::Ipv6 { address, .. }
            | Self::Ipv6FlowLabel { address, .. }
            | Self::Ipv6Gpi { address, .. } => IpAddr::V6(address),
        }
    }

    /// Whether it has an SPI and no port: its session's port is a virtual one (RFC 2207).
    #[inline]
    pub(crate) const fn is_gpi(&self) -> bool {
        matches!(self, Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. })
    }

    /// Source port; 0 is "none", as in a filter with a flow label or an SPI.
    #[inline]
    pub(crate) const fn port(&self) -> u16 {
        match *self {
            Self::Ipv4 { port, .. } | Self::Ipv6 { port, .. } => port,
            Self::Ipv6FlowLabel { .. } | Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. } => 0,
        }
    }
}

impl fmt::Display for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

/// A sender; `None` for all of them together, as in WF.
pub(crate) type Flow = Option<SenderKey>;

/// A reservation style (RFC 2205 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StyleKind {
    WildcardFilter,
    FixedFilter,
    SharedExplicit,
}

impl StyleKind {
    /// `None` for any other Option Vector than the three of RFC 2205 A.7, be it only for a bit that is reserved.
    pub(crate) fn of(style: Style) -> Option<Self> {
        let all = [Self::WildcardFilter, Self::FixedFilter, Self::SharedExplicit];
        all.into_iter().find(|kind| kind.object().options == style.options)
    }

    #[inline]
    pub(crate) const fn object(self) -> Style {
        match self {
            Self::WildcardFilter => Style::WF,
            Self::FixedFilter => Style::FF,
            Self::SharedExplicit => Style::SE,
        }
    }

    #[inline]
    pub(crate) const fn sharing(self) -> Sharing {
        self.object().sharing()
    }

    /// Whether it selects all senders of the session, and not those that are named.
    #[inline]
    pub(crate) const fn is_wildcard(self) -> bool {
        matches!(self, Self::WildcardFilter)
    }

    /// Error Value of a conflict with it: the low 16 bits of its Option Vector (RFC 2205 Appendix B, code 05).
    pub(crate) const fn error_value(self) -> u16 {
        self.object().options as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_flags_and_no_unused_octets() {
        let destination = Ipv4Addr::new(10, 0, 0, 1);
        let session = Session::Ipv4 { destination, protocol: 17, flags: Session::E_POLICE, port: 5000 };
        assert_eq!(SessionKey::of(session).object(), Session::new(destination.into(), 17, 5000));
        let address = Ipv6Addr::LOCALHOST;
        let port = FilterSpec::Ipv6 { address, reserved: 7, port: 4000 };
        let label = FilterSpec::Ipv6FlowLabel { address, reserved: 7, label: 5 };
        assert_eq!(SenderKey::of(port).object(), FilterSpec::new(address.into(), 4000));
        assert_eq!(
            SenderKey::of(label).object(),
            FilterSpec::Ipv6FlowLabel { address, reserved: 0, label: 5 }
        );
    }

    #[test]
    fn senders_are_in_the_order_of_their_filters() {
        let address =
            |n| -> [IpAddr; 2] { [Ipv4Addr::from_bits(n).into(), Ipv6Addr::from_bits(n.into()).into()] };
        let of_address = |a| [1, 2, 0x100].map(|port| FilterSpec::new(a, port));
        let mut filters: Vec<FilterSpec> = (1..4).flat_map(address).flat_map(of_address).collect();
        let label = |label| FilterSpec::Ipv6FlowLabel { address: Ipv6Addr::from_bits(2), reserved: 0, label };
        filters.extend([3, 1, 2].map(label));
        filters.extend((1..3).flat_map(address).flat_map(|a| [7, 0x100].map(|gpi| FilterSpec::gpi(a, gpi))));
        let mut keys: Vec<SenderKey> = filters.iter().rev().copied().map(SenderKey::of).collect();
        keys.sort_unstable();
        filters.sort_unstable();
        assert_eq!(SenderKey::objects(&keys), filters);
    }

    #[test]
    fn only_the_three_styles_are_known_and_their_flags_are_not_looked_at() {
        for (style, kind) in [
            (Style::WF, StyleKind::WildcardFilter),
            (Style::FF, StyleKind::FixedFilter),
            (Style::SE, StyleKind::SharedExplicit),
        ] {
            assert_eq!(StyleKind::of(Style { flags: 0xa5, ..style }), Some(kind));
            assert_eq!((kind.object(), kind.sharing()), (style, style.sharing()));
            assert_eq!(StyleKind::of(Style { options: style.options | 1 << 23, ..style }), None);
        }
        assert_eq!(StyleKind::of(Style { flags: 0, options: 0b01001 }), None);
        assert_eq!(StyleKind::SharedExplicit.error_value(), 0b10010);
    }
}
