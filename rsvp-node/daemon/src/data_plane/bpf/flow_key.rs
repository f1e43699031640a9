//! By what packets are told to belong to a flow: sessions and filters (RFC 2205 sections 1.1 and A.9, RFC 2207), and the keys of
//! the egress program's maps that they are.
//!
//! Each combination is one kind of key, so that a packet is looked up once for each kind that there is. That a flow may
//! have many keys, and which, is deliberately the caller's business.

use super::sys::{Head, KeyRecord};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use thiserror::Error;

/// Protocols whose header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];
/// Protocols whose header has a security parameter index: ESP, AH.
const WITH_SPI: [u8; 2] = [50, 51];

/// What packets that leave by an interface have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The interface's number.
    pub interface: u32,
    /// Where they go.
    pub session: Session,
    /// Where they come from.
    pub filter: Filter,
}

/// Where packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session {
    /// Destination address.
    pub destination: IpAddr,
    /// IP protocol: in IPv6 the one behind the extension headers.
    pub protocol: u8,
    /// Destination port; 0 where ports are not looked at. Of a session with a virtual destination port (RFC 2207), which
    /// no packet has, it is 0.
    pub port: u16,
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Filter {
    /// Anywhere: the wildcard of WF.
    Any,
    /// An address and a port; port 0 is any.
    Sender(IpAddr, u16),
    /// An address and an IPv6 flow label of 20 bits.
    FlowLabel(Ipv6Addr, u32),
    /// An address and a security parameter index of ESP or AH (RFC 2207).
    Spi(IpAddr, u32),
}

/// What cannot be a key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// IPv4 and IPv6 in one key.
    #[error("source and destination are of different address families")]
    Families,
    /// A port of a protocol without ports.
    #[error("packets of protocol {0} have no ports to be told apart by: the session's port has to be 0")]
    NoPorts(u8),
    /// RFC 2205 section 3.1.8: a session without a port has no senders with one.
    #[error("source port {0} in a session without a destination port: it has to be 0")]
    SourcePort(u16),
    /// Outside 1 to 0xfffff.
    #[error("{0:#x} is not a flow label: 1 to 0xfffff")]
    Label(u32),
    /// A security parameter index outside ESP and AH, or in a session with a port.
    #[error(
        "packets of protocol {0} and port {1} have no security parameter index: it is for 50 (ESP) and 51 (AH), port 0"
    )]
    Spi(u8, u16),
}

/// The kinds of key, `enum kind` of the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Exact,
    Label,
    AnySourcePort,
    Spi,
    LabelPortless,
    Portless,
    Wildcard,
    WildcardPortless,
}

impl Kind {
    pub(super) const COUNT: usize = 8;
}

/// A key as it is in its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    V4(KeyRecord<4>),
    V6(KeyRecord<16>),
}

impl Key {
    fn kind(&self) -> Result<Kind, KeyError> {
        let Session { destination, protocol, port } = self.session;
        if port != 0 && !WITH_PORTS.contains(&protocol) && !matches!(self.filter, Filter::Spi(..)) {
            return Err(KeyError::NoPorts(protocol));
        }
        let of_family = |source: IpAddr| match source.is_ipv4() == destination.is_ipv4() {
            true => Ok(()),
            false => Err(KeyError::Families),
        };
        match self.filter {
            Filter::Any => Ok(if port == 0 { Kind::WildcardPortless } else { Kind::Wildcard }),
            Filter::Sender(source, source_port) => {
                of_family(source)?;
                match (port, source_port) {
                    (0, 0) => Ok(Kind::Portless),
                    (0, source_port) => Err(KeyError::SourcePort(source_port)),
                    (_, 0) => Ok(Kind::AnySourcePort),
                    _ => Ok(Kind::Exact),
                }
            }
            Filter::FlowLabel(source, label) => {
                of_family(source.into())?;
                if label == 0 || label > 0xf_ffff {
                    return Err(KeyError::Label(label));
                }
                Ok(if port == 0 { Kind::LabelPortless } else { Kind::Label })
            }
            Filter::Spi(source, _) => {
                of_family(source)?;
                match WITH_SPI.contains(&protocol) && port == 0 {
                    true => Ok(Kind::Spi),
                    false => Err(KeyError::Spi(protocol, port)),
                }
            }
        }
    }

    /// Whether packets can be told by it.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), KeyError> {
        self.kind().map(|_| ())
    }

    /// As it is in its map, and of which kind.
    pub(super) fn record(&self) -> Result<(Kind, Record), KeyError> {
        let kind = self.kind()?;
        let (source, source_port, label) = match self.filter {
            Filter::Any => (None, 0, 0),
            Filter::Sender(source, port) => (Some(source), port, 0),
            Filter::FlowLabel(source, label) => (Some(source.into()), 0, label),
            Filter::Spi(source, spi) => (Some(source), 0, spi),
        };
        let head = Head {
            interface: self.interface,
            kind: kind as u8,
            protocol: self.session.protocol,
            port: self.session.port.to_be_bytes(),
            source_port: source_port.to_be_bytes(),
            zero: [0; 2],
            label: label.to_be_bytes(),
        };
        let record = match self.session.destination {
            IpAddr::V4(to) => {
                let source = source.map_or([0; 4], |from| v4(from).octets());
                Record::V4(KeyRecord { head, destination: to.octets(), source })
            }
            IpAddr::V6(to) => {
                let source = source.map_or([0; 16], |from| v6(from).octets());
                Record::V6(KeyRecord { head, destination: to.octets(), source })
            }
        };
        Ok((kind, record))
    }
}

impl Record {
    /// The key that it is; nothing if it is none that this program writes.
    pub(super) fn key(&self) -> Option<Key> {
        let (head, destination, source) = match self {
            Self::V4(key) => (key.head, IpAddr::from(key.destination), IpAddr::from(key.source)),
            Self::V6(key) => (key.head, IpAddr::from(key.destination), IpAddr::from(key.source)),
        };
        let label = u32::from_be_bytes(head.label);
        let port = u16::from_be_bytes(head.port);
        let kinds = [
            Kind::Exact,
            Kind::Label,
            Kind::AnySourcePort,
            Kind::Spi,
            Kind::LabelPortless,
            Kind::Portless,
            Kind::Wildcard,
            Kind::WildcardPortless,
        ];
        let filter = match kinds.into_iter().find(|kind| *kind as u8 == head.kind)? {
            Kind::Exact | Kind::AnySourcePort | Kind::Portless => {
                Filter::Sender(source, u16::from_be_bytes(head.source_port))
            }
            Kind::Label | Kind::LabelPortless => match source {
                IpAddr::V6(source) => Filter::FlowLabel(source, label),
                IpAddr::V4(_) => return None,
            },
            Kind::Spi => Filter::Spi(source, label),
            Kind::Wildcard | Kind::WildcardPortless => Filter::Any,
        };
        let session = Session { destination, protocol: head.protocol, port };
        Some(Key { interface: head.interface, session, filter })
    }
}

/// The address of a family that was looked at before.
fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V6(address) => address,
        IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
    }
}
