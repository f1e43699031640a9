//! `rsvp qos check`: what this host, and the path as far as it is heard of, can do for a socket's traffic (SIO_CHK_QOS).
//!
//! Nothing is announced or reserved for it. Who sends is only heard of at a port of this host, so of the whole path only a receiver
//! learns.

use super::options::{DaemonOrStandalone, QosSocket};
use super::show::aligned;
use super::sockets::host::HostConnection;
use super::sockets::needs::Template;
use super::{Failure, names, texts};
use clap::{Args, Subcommand};
use rsvp_client::qos::{Flowspec, Overhead, Qos, Service, ServiceType, Transport};
use rsvp_client::{Checks, QosHost, Traffic};
use rsvp_node::units;
use serde_json::json;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::UdpSocket;

/// What `rsvp qos` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  rsvp qos check --to 10.0.2.2:5000 --rate 2mbit")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Asks this host what it can do for a flow: whether its rate is allowed, how fast the line is, who does QoS
    Check(Check),
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp qos check --to 10.0.2.2:5000 --rate 2mbit\n  \
    rsvp qos check --to 10.0.2.2:5000 --template g711 --json\n  \
    rsvp qos check --port 5000 --rate 2mbit\n\n\
    Nothing is announced or reserved. A \"no\" is advice: what is sent anyway is best effort. Of the whole path this host hears\n\
    from senders, so that it is known for a --port to which somebody announces a flow. Exit status: 0 whatever the answers are, 1\n\
    if there are none.")]
struct Check {
    /// Of a flow that is sent: where to
    #[arg(long, value_name = "HOST:PORT", value_parser = names::host_and_port, required_unless_present = "port")]
    to: Option<SocketAddr>,
    /// Of a flow that is received: the port it comes to
    #[arg(long, conflicts_with = "to")]
    port: Option<u16>,
    /// The address of this host that it comes to [default: any]
    #[arg(long, value_name = "HOST", value_parser = names::host, requires = "port")]
    address: Option<IpAddr>,
    /// Its rate, with IP headers
    #[arg(long, value_name = "RATE", value_parser = units::rate, conflicts_with = "template")]
    rate: Option<f64>,
    #[command(flatten)]
    template: Template,
    /// As JSON: one object, null where this host does not know
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sockets: QosSocket,
    #[command(flatten)]
    daemon: DaemonOrStandalone,
}

/// `rsvp qos`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let Command::Check(check) = arguments.command;
    let connection = HostConnection::open(&check.daemon, &check.sockets).await?;
    let (qos, checks) = connection.answered(ask(&check, &connection.host)).await?;
    let text = if check.json { json!(checks).to_string() } else { table(&check, &qos, &checks) };
    connection.close().await;
    writeln!(std::io::stdout().lock(), "{text}").map_err(Failure::at("standard output"))
}

async fn ask(check: &Check, host: &QosHost) -> Result<(Qos, Checks), Failure> {
    let at = match (check.to, check.address) {
        (Some(SocketAddr::V4(_)), _) => SocketAddr::from(([0, 0, 0, 0], 0)),
        (Some(SocketAddr::V6(_)), _) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        (None, address) => SocketAddr::new(
            address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            check.port.unwrap_or_default(),
        ),
    };
    let socket = bind(check, at)?;
    if let Some(to) = check.to {
        socket.connect(to).await.map_err(Failure::at(format!("no way to {to}")))?;
    }
    let qos = needed(check, host).await?;
    let socket = host.attach(socket).await.map_err(|not| not.error)?;
    if check.port.is_some() {
        // Without signalling nothing is reserved, but who sends is heard of.
        let service = Service { no_qos_signaling: true, ..ServiceType::ControlledLoad.into() };
        let hears = Flowspec { service, ..Flowspec::default() };
        socket.set(&Qos { receiving: hears, ..Qos::default() }).await?;
    }
    let checks = socket.check_for(&qos).await?;
    drop(socket.end().await);
    Ok((qos, checks))
}

/// A socket for both families, where it is at any address; beside the one of a program that receives there.
fn bind(check: &Check, at: SocketAddr) -> Result<UdpSocket, Failure> {
    use socket2::{Domain, Protocol, Socket, Type};
    let bound = || -> std::io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if at.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && check.port.is_some() {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&at.into())?;
        Ok(socket)
    };
    let socket = bound().map_err(Failure::at(format!("a socket at {at}")))?;
    UdpSocket::from_std(socket.into()).map_err(Failure::at("a UDP socket"))
}

/// What is asked about: its direction alone.
async fn needed(check: &Check, host: &QosHost) -> Result<Qos, Failure> {
    let template = check.template.read_whole(host).await?;
    let of = |own: Option<Flowspec>| -> Result<Flowspec, Failure> {
        match (own, check.rate) {
            (Some(own), _) => Ok(own),
            (None, None) => Ok(Flowspec { token_rate: Some(1), ..Flowspec::of(ServiceType::ControlledLoad) }),
            (None, Some(rate)) => {
                let family = check.to.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |to| to.ip());
                let overhead = Overhead::of(Transport::Udp, family);
                super::sockets::needs::flowspec(&Traffic::of(rate), overhead, ServiceType::ControlledLoad)
            }
        }
    };
    Ok(match check.to {
        Some(_) => Qos { sending: of(template.map(|qos| qos.sending))?, ..Qos::default() },
        None => Qos { receiving: of(template.map(|qos| qos.receiving))?, ..Qos::default() },
    })
}

fn table(check: &Check, qos: &Qos, checks: &Checks) -> String {
    let yes = |answer: Option<bool>| match answer {
        None => "not known",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let rate = checks.line_rate_kbps.map(|kbps| units::show_rate(f64::from(kbps) * 1000.0));
    let asks_rate = check.rate.is_some() || check.template.is_named();
    let allowed = |answer: Option<bool>| if asks_rate { yes(answer) } else { "no rate was named" };
    let (direction, what) = match check.to {
        Some(to) => (&qos.sending, format!("sending to {to}")),
        None => (&qos.receiving, format!("receiving at port {}", check.port.unwrap_or_default())),
    };
    let mut lines = Vec::new();
    if check.to.is_some() {
        lines.push(["50001", "allowed to send at this rate", allowed(checks.allowed_to_send_data)]);
    } else {
        lines.push(["50002", "able to receive at this rate", allowed(checks.able_to_recv_rsvp)]);
    }
    lines.push(["50003", "rate of the line", rate.as_deref().unwrap_or("not known")]);
    lines.push(["50004", "traffic control on this host", yes(checks.local_traffic_control)]);
    lines.push(["50005", "QoS on this host", yes(checks.local_qosability)]);
    lines.push(["50006", "QoS on the whole path", yes(checks.end_to_end_qosability)]);
    let lines = lines.into_iter().map(|line| line.map(str::to_owned).to_vec()).collect();
    let asked = if asks_rate { format!(", {}", texts::flowspec(direction)) } else { String::new() };
    format!("{what}{asked}\n{}", aligned(&["CHECK", "WHAT", "ANSWER"], lines))
}
