//! The conditions of a policy: which program, which addresses, ports and protocol.
//!
//! "Local" is the side that sends, which is where policies apply. A condition that is not there is met by everything.

use super::PolicyFault;
use super::traffic::Traffic;
use crate::qos::endpoint::Transport;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

/// Conditions, all of which have to be met.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Conditions {
    /// The program.
    pub app: Option<App>,
    /// The control group or unit the program is in.
    pub unit: Option<String>,
    /// What an HTTP server answers for.
    pub url: Option<Url>,
    /// The protocol.
    pub protocol: Option<Transport>,
    /// The source address.
    pub local: Option<Prefix>,
    /// The destination address.
    pub remote: Option<Prefix>,
    /// The source port.
    pub local_port: Option<Ports>,
    /// The destination port.
    pub remote_port: Option<Ports>,
    /// A port on either side.
    pub port: Option<Ports>,
    /// What a name stands for.
    pub template: Option<WellKnown>,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum App {
    /// By the name of its file.
    Name(String),
    /// By the whole path of its file, perhaps with variables.
    Path(String),
}

impl FromStr for App {
    type Err = PolicyFault;

    fn from_str(text: &str) -> Result<Self, PolicyFault> {
        match text {
            "" => Err(PolicyFault::App),
            // What begins with a variable is a path once that has its value.
            path if path.starts_with(['/', '$']) => Ok(Self::Path(path.to_owned())),
            name if name.contains('/') => Err(PolicyFault::App),
            name => Ok(Self::Name(name.to_owned())),
        }
    }
}

/// What an HTTP server answers for: `http[s]://host:port/path`; host and port may be `*`, each as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is HTTPS.
    pub https: bool,
    /// The host; any when there is none.
    pub host: Option<String>,
    /// The port; any when there is none.
    pub port: Option<u16>,
    /// The path, from its `/` on.
    pub path: String,
    /// Whether it is for what lies below the path, too.
    pub recursive: bool,
}

impl FromStr for Url {
    type Err = PolicyFault;

    /// A policy's, not recursive.
    fn from_str(text: &str) -> Result<Self, PolicyFault> {
        let url = Self::read(text)?;
        // Of a path a `*` would be taken for any.
        if url.path.contains(['*', '?', '#']) { Err(PolicyFault::UrlForm) } else { Ok(url) }
    }
}

impl Url {
    /// What is asked for: of one host and port; the path ends where a query begins, and may have a `*`, which stands for itself.
    ///
    /// # Errors
    /// [`PolicyFault::UrlForm`].
    pub fn asked_for(text: &str) -> Result<Self, PolicyFault> {
        let url = Self::read(text.split(['?', '#']).next().unwrap_or_default())?;
        if url.host.is_some() && url.port.is_some() { Ok(url) } else { Err(PolicyFault::UrlForm) }
    }

    fn read(text: &str) -> Result<Self, PolicyFault> {
        let https = text.starts_with("https://");
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or(PolicyFault::UrlForm)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let split = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let (host, port) = split.unwrap_or((authority, if https { "443" } else { "80" }));
        let host = if host == "*" { None } else { Some(host_of(host).ok_or(PolicyFault::UrlForm)?) };
        let port = match port {
            "*" => None,
            port => Some(port.parse().ok().filter(|port| *port != 0).ok_or(PolicyFault::UrlForm)?),
        };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self { https, host, port, path, recursive: false })
    }
}

/// A host in one form: an address of IPv6 stands in brackets, a name has no colon.
fn host_of(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_name = !text.is_empty() && !text.contains(['*', '?', '#', '@', ':', '[', ']', ' ']);
    is_name.then(|| text.to_ascii_lowercase())
}

/// An address with how many of its first bits count. The text form is `10.0.0.0/8`, or an address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// The bits that count.
    pub len: u8,
}

impl Prefix {
    fn bits(address: IpAddr) -> (u128, u8) {
        match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        }
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let ((own, _), (other, _)) = (Self::bits(self.address), Self::bits(address));
        let mask = u128::MAX.checked_shl(128 - u32::from(self.len)).unwrap_or(0);
        self.address.is_ipv4() == address.is_ipv4() && (own ^ other) & mask == 0
    }
}

impl FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "an address, or an address, a slash and a number of bits";
        let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
        let address: IpAddr = address.parse().map_err(|_| wrong)?;
        let (_, most) = Self::bits(address);
        let len = len.map_or(Ok(most), |len| len.parse().map_err(|_| wrong))?;
        if len > most { Err(wrong) } else { Ok(Self { address, len }) }
    }
}

/// Ports from first to last, both with it. The text form is `5000`, or `3478:3481`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// `None` when a port is zero, or the first is behind the last.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last { None } else { Some(Self { first, last }) }
    }

    /// Whether a port is one of them.
    #[must_use]
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// The first and the last.
    #[must_use]
    pub const fn bounds(&self) -> (u16, u16) {
        (self.first, self.last)
    }

    /// Whether it is one port.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.first == self.last
    }
}

impl FromStr for Ports {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "a port from 1 to 65535, or a first and a last one with a colon between them";
        let port = |text: &str| text.parse::<u16>().map_err(|_| wrong);
        match text.split_once(':') {
            // Of a range the first is less than the last.
            Some((first, last)) => {
                let (first, last) = (port(first)?, port(last)?);
                Self::new(first, last).filter(|range| !range.is_single()).ok_or(wrong)
            }
            None => port(text).and_then(|single| Self::new(single, single).ok_or(wrong)),
        }
    }
}

/// Names for traffic that is known by its port; and for all that no other policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WellKnown {
    /// Everything that no other policy is for.
    Default,
    /// Block storage, port 3260.
    Iscsi,
    /// Files, port 2049.
    Nfs,
    /// Files, port 445.
    Smb,
    /// Virtual machines that move, port 6600.
    LiveMigration,
    /// Clusters of hosts, port 3343.
    Cluster,
    /// Fibre Channel over Ethernet: frames without IP, of the types 0x8906 and 0x8914.
    Fcoe,
}

impl WellKnown {
    /// The port on either side; none for everything, and for what has no ports.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Default | Self::Fcoe => None,
            Self::Iscsi => Some(3260),
            Self::Nfs => Some(2049),
            Self::Smb => Some(445),
            Self::LiveMigration => Some(6600),
            Self::Cluster => Some(3343),
        }
    }
}

impl FromStr for WellKnown {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "default" => Ok(Self::Default),
            "iscsi" => Ok(Self::Iscsi),
            "nfs" => Ok(Self::Nfs),
            "smb" => Ok(Self::Smb),
            "live-migration" => Ok(Self::LiveMigration),
            "cluster" => Ok(Self::Cluster),
            "fcoe" => Ok(Self::Fcoe),
            _ => Err("one of default, iscsi, nfs, smb, live-migration, cluster, fcoe"),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

impl Conditions {
    /// Whether it is for all that no other policy is for.
    pub(super) fn is_default(&self) -> bool {
        self.template == Some(WellKnown::Default)
    }

    /// Whether it is for frames without IP, which nothing else is for.
    #[must_use]
    pub fn is_of_frames(&self) -> bool {
        self.template == Some(WellKnown::Fcoe)
    }

    /// The ports on either side, by number or by name.
    #[must_use]
    pub fn either_port(&self) -> Option<Ports> {
        self.port.or_else(|| self.template?.port().and_then(|port| Ports::new(port, port)))
    }

    pub(super) fn check(&self) -> Result<(), PolicyFault> {
        let template = self.template;
        let alone = Self { template, ..Self::default() };
        if self.is_default() && *self != alone {
            return Err(PolicyFault::DefaultWithConditions);
        }
        if self.is_of_frames() && *self != alone {
            return Err(PolicyFault::Frames);
        }
        if let (Some(local), Some(remote)) = (self.local, self.remote)
            && local.address.is_ipv4() != remote.address.is_ipv4()
        {
            return Err(PolicyFault::MixedFamilies);
        }
        let either = self.either_port().is_some();
        let twice = self.port.is_some() && template.is_some();
        if twice || either && (self.local_port.is_some() || self.remote_port.is_some()) {
            return Err(PolicyFault::TwoPorts);
        }
        let of_server =
            self.app.is_some() || self.unit.is_some() || self.local.is_some() || self.protocol.is_some();
        if self.url.is_some() && of_server { Err(PolicyFault::Url) } else { Ok(()) }
    }

    /// Whether traffic meets them all.
    pub(super) fn match_all(&self, traffic: &Traffic<'_>) -> bool {
        let within = |prefix: &Prefix, side: SocketAddr| prefix.contains(side.ip());
        let (local, remote) = (traffic.local, traffic.remote);
        !self.is_of_frames()
            && self.app.as_ref().is_none_or(|app| traffic.is_of(app))
            && self.unit.as_ref().is_none_or(|unit| traffic.unit == Some(unit.as_str()))
            && self.url.as_ref().is_none_or(|url| traffic.request.is_some_and(|request| request.is_for(url)))
            && self.protocol.is_none_or(|protocol| protocol == traffic.protocol)
            && self.local.is_none_or(|prefix| within(&prefix, local))
            && self.remote.is_none_or(|prefix| within(&prefix, remote))
            && self.local_port.is_none_or(|ports| ports.contains(local.port()))
            && self.remote_port.is_none_or(|ports| ports.contains(remote.port()))
            && self
                .either_port()
                .is_none_or(|ports| ports.contains(local.port()) || ports.contains(remote.port()))
    }
}
