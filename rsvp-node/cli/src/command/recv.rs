//! `rsvp recv`: reserves for what senders announce, and measures what arrives.

use super::connection::Connection;
use super::course::exit_status;
use super::demand::Demand;
use super::flows::Flows;
use super::options::{DaemonOrStandalone, QosSocket, span};
use super::output::{Output, interrupted};
use super::payload::Payload;
use super::reserver::Reserver;
use super::sessions::Sessions;
use super::sockets::needs::{ServiceOption, Template};
use super::{Failure, names, sockets};
use clap::Args;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use rsvp_client::rows::Rows;
use rsvp_client::{ClientError, What};
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

const UDP: u8 = 17;
pub(super) const LARGEST_DATAGRAM: usize = 65_536;

/// What `rsvp recv` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = concat!("Examples:\n  \
    rsvp recv --port 5000 --confirm\n  \
    rsvp recv --address 10.0.2.2 --port 5000 --style ff --service guaranteed --rate 2mbit --reserve 3mbit\n  \
    rsvp recv --port 5000 --service guaranteed --delay 20ms\n  \
    rsvp recv --address any --port 5000\n  \
    rsvp recv --port 5000 --template g711\n  \
    rsvp recv --port 5000 --tcp --confirm\n  \
    rsvp recv --port 5000 --dclass af11,af12 --tclass 4\n  \
    rsvp recv --port 5000 --wait 1min --for 2min --json\n  \
    rsvp recv --group 239.1.2.3 --port 5000 --style se --filter 10.0.1.1:4000", exit_status!()))]
pub(crate) struct Arguments {
    /// The port the data comes to
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: u16,
    /// The address of this host that the data comes to; `any` (or ::) for each that it has and will have, 0.0.0.0 for those of
    /// IPv4 [default: the only one there is]
    #[arg(long, value_name = "HOST", value_parser = names::host_or_any, conflicts_with = "group")]
    pub(super) address: Option<IpAddr>,
    /// The multicast group the data comes to; it is joined
    #[arg(long, value_name = "GROUP", value_parser = names::group)]
    pub(super) group: Option<IpAddr>,
    /// With --group: the interface to join on, by name
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
    #[command(flatten)]
    pub(super) demand: Demand,
    /// Receives by TCP, from any number of `rsvp send --tcp`; the socket is handed to rsvpd, as with --template and --service qualitative
    #[arg(long)]
    pub(super) tcp: bool,
    #[command(flatten)]
    pub(super) template: Template,
    #[command(flatten)]
    pub(super) sockets: QosSocket,
    /// Ends after so long without data
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) wait: Option<Duration>,
    /// Ends after so long
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) r#for: Option<Duration>,
    /// One JSON object per line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) daemon: DaemonOrStandalone,
}

/// `rsvp recv`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let is_qualitative = arguments.demand.service == Some(ServiceOption::Qualitative);
    if arguments.tcp || arguments.template.is_named() || is_qualitative {
        return sockets::recv::main(&arguments).await;
    }
    let wishes = arguments.demand.wishes(arguments.interface.as_deref())?;
    let output = Output::new(arguments.json);
    let connection = Connection::open(&arguments.daemon).await?;
    let destination = destination(&arguments, &connection).await?;
    let socket = open(&arguments, destination)?;
    let key = rsvp_wire::Session::new(destination, UDP, arguments.port);
    let mut sessions = Sessions::open(&connection, key).await?;
    // No daemon has kept what was announced before.
    let later = if arguments.daemon.standalone {
        "; one that has begun before is heard of at its next refresh, usually within 45 s"
    } else {
        ""
    };
    let waiting = format!("waiting for senders of {key}{later}");
    output.note("waiting", &waiting, json!({ "session": key.to_string() }))?;
    let mut receiver = Receiver { reserver: Reserver::new(wishes), output, flows: Flows::default() };
    let done = receiver.run(&mut sessions, &socket, arguments.r#for, arguments.wait).await;
    let verdict = receiver.sum_up();
    sessions.close().await;
    connection.close().await;
    done.and(verdict)
}

/// Where the data comes to: what was said, or the only address that this node has.
async fn destination(arguments: &Arguments, connection: &Connection) -> Result<IpAddr, Failure> {
    if let Some(address) = arguments.group.or(arguments.address) {
        return Ok(address);
    }
    let listed = connection.answered(connection.client.list(What::Interfaces, None)).await?;
    let (Rows::Interfaces(rows), _) = listed else {
        return Err(Failure::Asked("the daemon names no interfaces: say --address".to_owned()));
    };
    let up = rows.iter().filter(|row| row.up && row.enabled);
    let named: Vec<(IpAddr, &str)> = up
        .filter_map(|row| {
            let address = row.ipv4.map(IpAddr::V4).or_else(|| row.ipv6.map(IpAddr::V6))?;
            Some((address, row.name.as_str()))
        })
        .filter(|(address, _)| !address.is_loopback())
        .collect();
    match named.as_slice() {
        [(address, _)] => Ok(*address),
        [] => Err(Failure::Asked(
            "no interface with RSVP has an address: see `rsvp show interfaces`".to_owned(),
        )),
        several => {
            let choice: Vec<_> =
                several.iter().map(|(address, name)| format!("{address} ({name})")).collect();
            let choice = choice.join(", ");
            Err(Failure::Asked(format!(
                "say with --address which of this host's the data comes to, or any: {choice}"
            )))
        }
    }
}

pub(super) fn open(arguments: &Arguments, destination: IpAddr) -> Result<UdpSocket, Failure> {
    let at = SocketAddr::new(destination, arguments.port);
    let bound = || -> std::io::Result<Socket> {
        let domain = if destination.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if destination == Ipv6Addr::UNSPECIFIED {
            socket.set_only_v6(false)?;
        }
        if destination.is_multicast() {
            // Others on this host may listen to the group as well.
            socket.set_reuse_address(true)?;
        }
        socket.bind(&at.into())?;
        Ok(socket)
    };
    let socket = bound().map_err(Failure::at(format!("cannot receive at {at}")))?;
    if destination.is_multicast() {
        join(&socket, destination, arguments.interface.as_deref())
            .map_err(Failure::at(format!("cannot join {destination}")))?;
    }
    UdpSocket::from_std(socket.into()).map_err(Failure::at("the UDP socket"))
}

fn join(socket: &Socket, group: IpAddr, interface: Option<&str>) -> std::io::Result<()> {
    let index = match interface {
        Some(name) => nix::net::if_::if_nametoindex(name)?,
        None => 0,
    };
    match group {
        IpAddr::V4(group) if index == 0 => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(group) => {
            socket.join_multicast_v4_n(&group, &socket2::InterfaceIndexOrAddress::Index(index))
        }
        IpAddr::V6(group) => socket.join_multicast_v6(&group, index),
    }
}

struct Receiver {
    reserver: Reserver,
    output: Output,
    flows: Flows,
}

impl Receiver {
    async fn run(
        &mut self,
        sessions: &mut Sessions<'_>,
        socket: &UdpSocket,
        length: Option<Duration>,
        wait: Option<Duration>,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        let mut patience = start + wait.unwrap_or_default();
        let end = length.map(|length| start + length);
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        seconds.reset();
        let mut reported = start;
        let mut packet = vec![0; LARGEST_DATAGRAM];
        let mut interrupted = core::pin::pin!(interrupted());
        loop {
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(()),
                () = sleep_until(end.unwrap_or(start)), if end.is_some() => return Ok(()),
                () = sleep_until(patience), if wait.is_some() => return Ok(()),
                event = sessions.next_event() => {
                    let Some((key, event)) = event else { return Err(ClientError::Disconnected.into()) };
                    self.reserver.heed(sessions, key, event, &self.output).await?;
                }
                now = seconds.tick() => {
                    self.flows.report((now - reported).as_secs_f64(), &self.output)?;
                    reported = now;
                }
                arrived = socket.recv_from(&mut packet) => {
                    let (length, from) = arrived.map_err(Failure::at("the UDP socket"))?;
                    patience = Instant::now() + wait.unwrap_or_default();
                    // A socket for both families has IPv4 addresses within IPv6 ones.
                    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                    let octets = length as u64 + if from.is_ipv4() { 28 } else { 48 };
                    match Payload::read(&packet[..length]) {
                        Some(payload) => self.flows.arrived(from, &payload, octets),
                        None => self.flows.other_arrived(octets),
                    }
                }
            }
        }
    }

    /// Says what came in all and how it went; what the command ends with.
    fn sum_up(&self) -> Result<(), Failure> {
        self.flows.sum_up(&self.output)?;
        let course = &self.reserver.course;
        course.say_end("the reservation is given up", "nothing was reserved", &self.output)?;
        course.verdict(course.has_reserved() && self.flows.have_come(), self.reserver.missing())
    }
}
