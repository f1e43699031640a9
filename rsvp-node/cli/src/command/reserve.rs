//! `rsvp reserve`: holds a reservation for a flow that another program receives.

use super::connection::Connection;
use super::course::exit_status;
use super::demand::Demand;
use super::options::{DaemonOrStandalone, span};
use super::output::{Output, interrupted};
use super::reserver::Reserver;
use super::sessions::Sessions;
use super::{Failure, names};
use clap::Args;
use core::time::Duration;
use rsvp_client::ClientError;
use rsvp_wire::Session;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

/// What `rsvp reserve` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = concat!("Examples:\n  \
    rsvp reserve --session \"tcp 10.0.2.2:8080\" --confirm\n  \
    rsvp reserve --session \"esp 10.0.2.2:8192\"\n  \
    rsvp reserve --session \"udp 239.1.2.3:5000\" --style wf --interface eth0\n  \
    rsvp reserve --session \"udp 0.0.0.0:5000\" --service guaranteed --delay 20ms\n\n\
    It is held until the command ends: for as long as another one runs,\n  \
    rsvp reserve --session \"udp 10.0.2.2:5000\" & ffplay udp://@:5000; kill $!",
    exit_status!("0 reserved", "no sender was there")))]
pub(crate) struct Arguments {
    /// The flow: protocol (tcp, udp, or another by number, such as proto47 for GRE), the destination address and, of those with ports, the port;
    /// an address of 0.0.0.0 or :: is each that this host has
    #[arg(long, value_name = "PROTOCOL HOST:PORT", value_parser = names::own_session)]
    session: Session,
    /// The interface on which the data is received, by name [default: as routing says]
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    #[command(flatten)]
    demand: Demand,
    /// Ends after so long
    #[arg(long, value_name = "TIME", value_parser = span)]
    r#for: Option<Duration>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonOrStandalone,
}

/// `rsvp reserve`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let wishes = arguments.demand.wishes(arguments.interface.as_deref())?;
    is_here(&arguments.session)?;
    let output = Output::new(arguments.json);
    let connection = Connection::open(&arguments.daemon).await?;
    let mut sessions = Sessions::open(&connection, arguments.session).await?;
    let waiting = format!("waiting for senders of {}", arguments.session);
    output.note("waiting", &waiting, json!({ "session": arguments.session.to_string() }))?;
    let mut reserver = Reserver::new(wishes);
    let done = hold(&mut sessions, &mut reserver, &output, arguments.r#for).await;
    let given_up =
        if reserver.has_reserved() { "the reservation is given up" } else { "nothing was reserved" };
    output.note("ends", &format!("ends; {given_up}"), json!({ "reserved": reserver.has_reserved() }))?;
    sessions.close().await;
    connection.close().await;
    done.and_then(|_| reserver.course.verdict(reserver.has_reserved(), reserver.missing()))
}

/// Whether data of a session can come to this host: nobody would ever be heard of at another one's address.
fn is_here(session: &Session) -> Result<(), Failure> {
    let address = session.destination();
    if address.is_multicast() || address.is_unspecified() {
        return Ok(());
    }
    match std::net::UdpSocket::bind((address, 0)) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {
            Err(Failure::Arguments(format!(
                "{address} is not an address of this host: reserve where the data is received, at an address that `ip address` shows \
             there; 0.0.0.0 or :: stands for each that this host has and will have"
            )))
        }
        _ => Ok(()),
    }
}

/// Asks for what is announced, until it is time to end.
async fn hold(
    sessions: &mut Sessions<'_>,
    reserver: &mut Reserver,
    output: &Output,
    length: Option<Duration>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let end = start + length.unwrap_or_default();
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            biased;
            () = &mut interrupted => return Ok(()),
            () = sleep_until(end), if length.is_some() => return Ok(()),
            event = sessions.next_event() => {
                let Some((key, event)) = event else { return Err(ClientError::Disconnected.into()) };
                reserver.heed(sessions, key, event, output).await?;
            }
        }
    }
}
