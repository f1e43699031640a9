//! Options that several commands have, and how their values are read: rates, sizes and times as scenario files write them.

use clap::{Args, ValueEnum};
use core::time::Duration;
use rsvp_client::{
    Adspec, Carried, DEFAULT_SOCKET, Dscp, Octets, QOS_SOCKET_VARIABLE, SOCKET_VARIABLE, Traffic,
};
use rsvp_node::units;
use std::path::{Path, PathBuf};

/// Where the engine is.
#[derive(Clone, Debug, Args)]
pub(super) struct Daemon {
    /// The control socket of rsvpd, the daemon
    #[arg(long, value_name = "PATH", env = SOCKET_VARIABLE, default_value = DEFAULT_SOCKET)]
    pub(super) socket: PathBuf,
}

/// Where the engine is, or that it is to be here.
#[derive(Clone, Debug, Args)]
pub(super) struct DaemonOrStandalone {
    #[command(flatten)]
    pub(super) daemon: Daemon,
    /// Does without rsvpd: runs the engine in this process, as root or with --udp; where rsvpd runs, it refuses
    #[arg(long)]
    pub(super) standalone: bool,
    /// With --standalone: a configuration file, with the keys of rsvpd.toml(5)
    #[arg(long, value_name = "FILE", requires = "standalone")]
    pub(super) config: Option<PathBuf>,
    /// With --standalone: RSVP within UDP, which needs no privileges; the first router has to understand it
    #[arg(long, requires = "standalone")]
    pub(super) udp: bool,
}

/// Where rsvpd is handed sockets.
#[derive(Clone, Debug, Args)]
pub(super) struct QosSocket {
    /// Where rsvpd is handed sockets of programs, as any user may do [default: qos.sock beside its control socket]
    #[arg(long, value_name = "PATH", env = QOS_SOCKET_VARIABLE)]
    qos_socket: Option<PathBuf>,
}

impl QosSocket {
    /// Where it is, by what was said or else as the daemon has it by itself.
    pub(super) fn path(&self, daemon: &Daemon) -> PathBuf {
        let beside = |control: &Path| {
            if control.file_name().is_some_and(|name| name == "control.sock") {
                control.with_file_name("qos.sock")
            } else {
                control.with_extension("qos.sock")
            }
        };
        self.qos_socket.clone().unwrap_or_else(|| beside(&daemon.socket))
    }
}

/// How what any user may see is shown, and where rsvpd is asked for it.
#[derive(Clone, Debug, Args)]
pub(super) struct Looking {
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    sockets: QosSocket,
    #[command(flatten)]
    pub(super) daemon: Daemon,
}

impl Looking {
    /// The socket of rsvpd that any user may use.
    pub(super) fn anybody(&self) -> PathBuf {
        self.sockets.path(&self.daemon)
    }
}

/// A token bucket; what is not said is taken from elsewhere.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Bucket {
    /// How much may come at once beyond the rate: the depth b of the token bucket
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(super) bucket: Option<f64>,
    /// How fast packets may follow each other in a burst: the peak rate p [default: unlimited]
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    pub(super) peak: Option<f64>,
    /// The size that smaller packets count as: the minimum policed unit m
    #[arg(long, value_name = "SIZE", value_parser = packet_size)]
    pub(super) min_packet: Option<u32>,
    /// The largest packet, with its IP header: M
    #[arg(long, value_name = "SIZE", value_parser = packet_size)]
    pub(super) max_packet: Option<u32>,
}

impl Bucket {
    /// Whether nothing was said.
    pub(super) const fn is_empty(&self) -> bool {
        self.bucket.is_none() && self.peak.is_none() && self.min_packet.is_none() && self.max_packet.is_none()
    }

    /// The traffic that `base` becomes with what was said.
    pub(super) fn over(&self, base: Traffic) -> Traffic {
        Traffic {
            rate_bps: base.rate_bps,
            bucket: self.bucket.unwrap_or(base.bucket),
            peak_bps: self.peak.or(base.peak_bps),
            min_packet: self.min_packet.unwrap_or(base.min_packet),
            max_packet: self.max_packet.unwrap_or(base.max_packet),
        }
    }
}

/// What messages carry for the other side.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Carry {
    /// Asks the other side to mark the flow's packets so (DCLASS): DSCPs by name or number, such as ef or af11,af12
    #[arg(long, value_name = "DSCP", value_delimiter = ',')]
    dclass: Vec<Dscp>,
    /// The IEEE 802.1p priority of the flow's frames (TCLASS), 0 to 7; it goes no further than the next hop
    #[arg(long, value_name = "PRIORITY", value_parser = clap::value_parser!(u8).range(0..8))]
    tclass: Option<u8>,
    /// Policy elements (POLICY_DATA), as hexadecimal digits; may be given more than once
    #[arg(long, value_name = "HEX")]
    policy: Vec<Octets>,
}

impl Carry {
    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.carried() == Carried::default()
    }

    pub(super) fn carried(&self) -> Carried {
        Carried {
            policy: self.policy.clone(),
            dclass: self.dclass.iter().map(|dscp| dscp.value()).collect(),
            tclass: self.tclass,
        }
    }
}

/// The services that an announcement offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Offered {
    Both,
    Guaranteed,
    ControlledLoad,
    None,
}

impl From<Offered> for Adspec {
    fn from(offered: Offered) -> Self {
        match offered {
            Offered::Both => Self::Both,
            Offered::Guaranteed => Self::Guaranteed,
            Offered::ControlledLoad => Self::ControlledLoad,
            Offered::None => Self::None,
        }
    }
}

/// Refuses a peak below the rate, in bits per second (RFC 2212, "p MUST be greater than or equal to the token bucket
/// rate").
pub(super) fn peak_above(peak: f64, rate: f64) -> Result<(), String> {
    if peak >= rate {
        return Ok(());
    }
    let (peak, rate) = (units::show_rate(peak), units::show_rate(rate));
    Err(format!("--peak {peak} is less than the token rate {rate}: say a higher --peak or a lower --rate"))
}

/// An IP packet has a length of 16 bits.
fn packet_size(text: &str) -> Result<u32, String> {
    let size = units::size(text)?;
    if (1.0..=65_535.0).contains(&size) {
        Ok(size.round() as u32)
    } else {
        Err(format!("\"{text}\" is no size of a packet, expected from \"1B\" to \"65535B\""))
    }
}

/// A span of time that is not nothing.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    match units::time(text)? {
        Duration::ZERO => Err(format!("\"{text}\" is no time at all")),
        span => Ok(span),
    }
}
