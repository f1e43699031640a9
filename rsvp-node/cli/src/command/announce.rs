//! `rsvp announce`: holds the announcement of a flow that another program sends.

use super::connection::Connection;
use super::course::{Course, exit_status};
use super::options::{Bucket, Carry, DaemonOrStandalone, Offered, peak_above, span};
use super::output::{Output, interrupted};
use super::{Failure, names, texts};
use clap::Args;
use core::time::Duration;
use rsvp_client::{Announcement, ClientError, Traffic};
use rsvp_node::units;
use rsvp_wire::{FilterSpec, Session};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

/// What `rsvp announce` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = concat!("Examples:\n  \
    rsvp announce --session \"tcp 10.0.2.2:8080\" --from 10.0.1.1:40000 --rate 2mbit\n  \
    rsvp announce --session \"proto47 10.0.2.2\" --from 10.0.1.1 --rate 5mbit --max-packet 1400B\n  \
    rsvp announce --session \"esp 10.0.2.2:8192\" --from \"10.0.1.1 spi 0x1234\" --rate 2mbit\n  \
    rsvp announce --session \"udp 239.1.2.3:5000\" --from 10.0.1.1:4000 --rate 500kbit --ttl 16\n\n\
    It is held until the command ends: for as long as another one runs,\n  \
    rsvp announce --session \"udp 10.0.2.2:5000\" --from 10.0.1.1:4000 --rate 2mbit & ./player; kill $!",
    exit_status!("0 a receiver has reserved", "no receiver reserved")))]
pub(crate) struct Arguments {
    /// The flow: protocol (tcp, udp, or another by number, such as proto47 for GRE), the destination address and, of those with ports, the port; esp and ah
    /// have a virtual port, 8192 to 65535, that no packet has (RFC 2207)
    #[arg(long, value_name = "PROTOCOL HOST:PORT", value_parser = names::announced_session)]
    session: Session,
    /// The address of this host, and the port, that the data comes from; of esp and ah the security parameter index
    #[arg(long, value_name = "HOST[:PORT]", value_parser = names::sender)]
    from: FilterSpec,
    /// How fast the flow is, IP headers included: the token rate r
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    rate: f64,
    #[command(flatten)]
    bucket: Bucket,
    /// IP TTL of the data
    #[arg(long, value_name = "HOPS", default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..))]
    ttl: u8,
    /// The services that receivers may choose from
    #[arg(long, value_enum, default_value_t = Offered::Both)]
    adspec: Offered,
    /// The interface that the data leaves through, by name [default: the one with the address of --from]
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    #[command(flatten)]
    carry: Carry,
    /// Ends after so long
    #[arg(long, value_name = "TIME", value_parser = span)]
    r#for: Option<Duration>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonOrStandalone,
}

/// `rsvp announce`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    if let Some(peak) = arguments.bucket.peak {
        peak_above(peak, arguments.rate).map_err(Failure::Arguments)?;
    }
    let traffic = arguments.bucket.over(Traffic::of(arguments.rate));
    let output = Output::new(arguments.json);
    let connection = Connection::open(&arguments.daemon).await?;
    let mut session = connection.answered(connection.client.session(arguments.session)).await?;
    let announcement = Announcement {
        adspec: arguments.adspec.into(),
        ttl: arguments.ttl,
        interface: arguments.interface,
        carried: arguments.carry.carried(),
        ..Announcement::new(arguments.from, traffic)
    };
    connection.answered(session.announce(announcement)).await?;
    let (sender, key) = (arguments.from, arguments.session);
    let words = texts::traffic(&traffic);
    let announced = format!("announced {sender} to {key}: {words}; waiting for receivers to reserve");
    let facts = json!({ "session": key.to_string(), "sender": sender.to_string(), "traffic": traffic });
    output.note("announced", &announced, facts)?;
    let mut course = Course::new();
    let done = hold(&mut session, &mut course, &output, arguments.r#for).await;
    output.note("ends", "ends; the flow is withdrawn", json!({}))?;
    // The daemon may be what has ended.
    let _ = connection.answered(session.close()).await;
    connection.close().await;
    done.and_then(|_| course.verdict(course.has_reserved(), "no receiver has reserved"))
}

/// Says what the network does, until it is time to end.
async fn hold(
    session: &mut rsvp_client::Session,
    course: &mut Course,
    output: &Output,
    length: Option<Duration>,
) -> Result<(), Failure> {
    let end = Instant::now() + length.unwrap_or_default();
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            biased;
            () = &mut interrupted => return Ok(()),
            () = sleep_until(end), if length.is_some() => return Ok(()),
            event = session.next_event() => {
                let Some(event) = event else { return Err(ClientError::Disconnected.into()) };
                output.event(None, &event)?;
                course.event(&event);
            }
        }
    }
}
