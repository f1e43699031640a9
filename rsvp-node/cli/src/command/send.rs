//! `rsvp send`: announces a flow, waits for receivers to reserve, then sends UDP within its token bucket.

use super::choice::was_offered;
use super::connection::Connection;
use super::course::{Course, LEFT, exit_status};
use super::options::{Bucket, Carry, DaemonOrStandalone, Offered, QosSocket, peak_above, span};
use super::output::{Output, interrupted};
use super::packets::Packets;
use super::payload::LENGTH;
use super::sockets::needs::{ServiceOption, Template};
use super::{Failure, names, sockets, texts};
use clap::Args;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use rsvp_client::rows::Rows;
use rsvp_client::{Adspec, Announcement, Event, Service, Session, Traffic, What};
use rsvp_node::units::{self, show_rate};
use rsvp_wire::FilterSpec;
use serde_json::json;
use std::os::fd::AsFd;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

const UDP: u8 = 17;

/// What `rsvp send` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = concat!("Examples:\n  \
    rsvp send --to 10.0.2.2:5000 --rate 2mbit\n  \
    rsvp send --to 239.1.2.3:5000 --rate 500kbit --bucket 5kB --max-packet 600B --ttl 16\n  \
    rsvp send --to 10.0.2.2:5000 --template g711 --now\n  \
    rsvp send --to 10.0.2.2:5000 --tcp --rate 2mbit\n  \
    rsvp send --to 10.0.2.2:5000 --rate 500kbit --service qualitative --application APP=backup\n  \
    rsvp send --to video.example:5000 --rate 500kbit --wait 10s --for 1min --json\n  \
    rsvp send --to [fd00:2::2]:5000 --from [fd00:1::1]:4000 --rate 2mbit --for 30s --standalone", exit_status!()))]
pub(crate) struct Arguments {
    /// Where to: a host or a multicast group, with the port
    #[arg(long, value_name = "HOST:PORT", value_parser = names::destination)]
    pub(super) to: SocketAddr,
    /// How fast it sends, IP headers included: the token rate r
    #[arg(
        long,
        value_name = "RATE",
        value_parser = units::rate,
        required_unless_present = "template",
        conflicts_with = "template"
    )]
    pub(super) rate: Option<f64>,
    #[command(flatten)]
    pub(super) bucket: Bucket,
    /// Source address, and port, of the data [default: as routing says, any port]
    #[arg(long, value_name = "HOST[:PORT]", value_parser = names::sender)]
    pub(super) from: Option<FilterSpec>,
    /// IP TTL of the data
    #[arg(long, value_name = "HOPS", default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..))]
    pub(super) ttl: u8,
    /// The services that receivers may choose from
    #[arg(long, value_enum, default_value_t = Offered::Both)]
    pub(super) adspec: Offered,
    #[command(flatten)]
    pub(super) carry: Carry,
    /// Sends by TCP, to an `rsvp recv --tcp` that runs already; the socket is handed to rsvpd, as with --template and --service
    #[arg(long)]
    pub(super) tcp: bool,
    #[command(flatten)]
    pub(super) template: Template,
    /// Offers this service and no other; the socket is handed to rsvpd
    #[arg(long, value_enum)]
    pub(super) service: Option<ServiceOption>,
    /// With --service qualitative: what the application is called in policies (RFC 2872)
    #[arg(long, value_name = "NAME")]
    pub(super) application: Option<String>,
    #[command(flatten)]
    pub(super) sockets: QosSocket,
    /// Sends without waiting for a reservation
    #[arg(long)]
    pub(super) now: bool,
    /// Ends after so long without a reservation, at the beginning or since the last one went
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "now")]
    pub(super) wait: Option<Duration>,
    /// Ends after having sent for so long
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) r#for: Option<Duration>,
    /// One JSON object per line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) daemon: DaemonOrStandalone,
}

/// `rsvp send`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let by_socket = arguments.tcp || arguments.template.is_named() || arguments.service.is_some();
    if let Some((peak, rate)) = arguments.bucket.peak.zip(arguments.rate) {
        peak_above(peak, rate).map_err(Failure::Arguments)?;
    }
    if by_socket {
        return sockets::send::main(&arguments).await;
    }
    if arguments.application.is_some() {
        let why = "--application is what policies know qualitative traffic by: add --service qualitative";
        return Err(Failure::Arguments(why.to_owned()));
    }
    let traffic = arguments.traffic();
    let least = headers(arguments.to) + LENGTH as u32;
    if traffic.max_packet < least {
        return Err(Failure::Arguments(format!(
            "--max-packet {}B has no room: at least {least}B",
            traffic.max_packet
        )));
    }
    let socket = open(&arguments).await?;
    let source = socket.local_addr().map_err(Failure::at("the UDP socket"))?;
    let output = Output::new(arguments.json);
    let connection = Connection::open(&arguments.daemon).await?;
    let key = rsvp_wire::Session::new(arguments.to.ip(), UDP, arguments.to.port());
    let mut session = connection.answered(connection.client.session(key)).await?;
    let sender = FilterSpec::new(source.ip(), source.port());
    let announcement = Announcement {
        adspec: arguments.adspec.into(),
        ttl: arguments.ttl,
        carried: arguments.carry.carried(),
        ..Announcement::new(sender, traffic)
    };
    connection.answered(session.announce(announcement)).await?;
    let next = if arguments.now { "sending" } else { "waiting for receivers to reserve" };
    let announced = format!("announced {sender} to {key}: {}; {next}", texts::traffic(&traffic));
    let facts = json!({ "session": key.to_string(), "sender": sender.to_string(), "traffic": traffic });
    output.note("announced", &announced, facts)?;
    say_what_is_amiss(&connection, key, sender, &traffic, &output).await?;

    let mut flow = Flow::new(socket, &arguments, traffic);
    let done = flow.run(&mut session, &output, arguments.r#for, arguments.wait).await;
    let verdict = flow.packets.sum_up(&flow.course, &output);
    // The daemon may be what has ended.
    let _ = connection.answered(session.close()).await;
    connection.close().await;
    done.and(verdict)
}

impl Arguments {
    /// What was said of the traffic.
    pub(super) fn traffic(&self) -> Traffic {
        // Without a rate there is a template, which says it.
        self.bucket.over(Traffic::of(self.rate.unwrap_or_default()))
    }
}

/// Says where the Path goes nowhere, and where it promises more than the way out of this host can carry.
async fn say_what_is_amiss(
    connection: &Connection,
    key: rsvp_wire::Session,
    sender: FilterSpec,
    traffic: &Traffic,
    output: &Output,
) -> Result<(), Failure> {
    let list = |what, session| connection.answered(connection.client.list(what, session));
    let (Rows::Senders(rows), _) = list(What::Senders, Some(key)).await? else { return Ok(()) };
    let Some(row) = rows.iter().find(|row| row.sender.0 == sender && row.interface.is_none()) else {
        return Ok(());
    };
    if let Some(why) = &row.not_forwarded {
        return output.note("not-forwarded", &format!("nobody is told of it: {why}"), json!({ "why": why }));
    }
    let (Rows::Interfaces(interfaces), _) = list(What::Interfaces, None).await? else { return Ok(()) };
    for on in interfaces.iter().filter(|on| row.outgoing.contains(&on.name)) {
        if traffic.rate_bps > on.reservable_bps as f64 {
            let (name, most) = (&on.name, show_rate(on.reservable_bps as f64));
            let note = format!(
                "no reservation for that can stand here: {most} can be reserved on {name}, by its bandwidth of {}; announce less, or \
                 set `bandwidth` and `reservable` in [interface.{name}]",
                show_rate(on.bandwidth_bps as f64)
            );
            output.note(
                "remark",
                &note,
                json!({ "interface": name, "reservable_bps": on.reservable_bps }),
            )?;
        }
    }
    Ok(())
}

/// Octets of the IP and UDP headers, which a token bucket counts.
fn headers(to: SocketAddr) -> u32 {
    if to.is_ipv4() { 28 } else { 48 }
}

/// A socket for the data, with the source that is announced.
pub(super) async fn open(arguments: &Arguments) -> Result<UdpSocket, Failure> {
    let to = arguments.to;
    let unspecified = match to.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let from = arguments.from.map_or((unspecified, 0), |from| (from.address(), from.port()));
    let from = SocketAddr::from(from);
    let what = || format!("cannot send from {from}");
    let mut socket = UdpSocket::bind(from).await.map_err(Failure::at(what()))?;
    if from.ip().is_unspecified() {
        // Where paths are equally good, the kernel chooses by the source that the socket has. One that it finds out with
        // the path is none, and the reservation may be on another path than the data.
        socket.connect(to).await.map_err(Failure::at(format!("no way to {to}")))?;
        let mut source = socket.local_addr().map_err(Failure::at("the UDP socket"))?;
        drop(socket);
        source.set_port(from.port());
        socket = UdpSocket::bind(source).await.map_err(Failure::at(format!("cannot send from {source}")))?;
    }
    let options = socket2::SockRef::from(&socket);
    let ttl = u32::from(arguments.ttl);
    let set = match (to.ip(), to.ip().is_multicast()) {
        (IpAddr::V4(_), false) => options.set_ttl_v4(ttl),
        (IpAddr::V4(_), true) => options.set_multicast_ttl_v4(ttl),
        (IpAddr::V6(_), false) => options.set_unicast_hops_v6(ttl),
        (IpAddr::V6(_), true) => options.set_multicast_hops_v6(ttl),
    };
    set.map_err(Failure::at("the TTL cannot be set"))?;
    if to.is_ipv6() {
        without_flow_label(&socket);
    }
    Ok(socket)
}

/// Routers that choose among equal paths by addresses take the IPv6 flow label for part of them. One that the kernel draws
/// is in no message of RSVP, so that the reservation may be on another path than the data.
fn without_flow_label(socket: &UdpSocket) {
    let off = 0_i32.to_ne_bytes();
    // Where the administrator has flow labels enforced, it stays as it is.
    let _ = rsvpd::set_option(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_AUTOFLOWLABEL, &off);
}

/// The data.
struct Flow {
    socket: UdpSocket,
    to: SocketAddr,
    traffic: Traffic,
    offered: Adspec,
    /// The user has said how large packets are.
    is_fixed: bool,
    /// What was said of reservations that do not fit; nothing is said twice.
    remarks: Vec<String>,
    packets: Packets,
    course: Course,
    always: bool,
    sending: bool,
}

impl Flow {
    fn new(socket: UdpSocket, arguments: &Arguments, traffic: Traffic) -> Self {
        Self {
            socket,
            to: arguments.to,
            traffic,
            offered: arguments.adspec.into(),
            is_fixed: arguments.bucket.max_packet.is_some(),
            remarks: Vec::new(),
            packets: Packets::new(&traffic, headers(arguments.to)),
            course: Course::new(),
            always: arguments.now,
            sending: arguments.now,
        }
    }

    /// RFC 2210 section 2.3.2: the M of a reservation "should be used by the sending application to size its packets".
    fn fit(&mut self, reserved: &Service, output: &Output) -> Result<(), Failure> {
        if !was_offered(self.offered, reserved) {
            let asked = texts::service(reserved);
            self.remark(output, format!("receivers ask for {asked}, which --adspec leaves out"))?;
        }
        let (most, largest) = (reserved.traffic().max_packet, self.traffic.max_packet);
        let fitting = largest.min(most.max(headers(self.to) + LENGTH as u32));
        if !self.is_fixed && fitting != self.packets.octets {
            self.packets.resize(fitting);
            let note =
                format!("packets have {fitting}B from now on: {most}B is the most that is reserved for");
            output.note("packet-size", &note, json!({ "octets": fitting, "reserved_octets": most }))?;
        }
        if self.packets.octets > most {
            let octets = self.packets.octets;
            self.remark(
                output,
                format!("packets of {octets}B are larger than the {most}B that are reserved for: they may be best effort"),
            )?;
        }
        Ok(())
    }

    fn remark(&mut self, output: &Output, remark: String) -> Result<(), Failure> {
        if self.remarks.contains(&remark) {
            return Ok(());
        }
        output.note("remark", &remark, json!({}))?;
        self.remarks.push(remark);
        Ok(())
    }

    async fn run(
        &mut self,
        session: &mut Session,
        output: &Output,
        length: Option<Duration>,
        wait: Option<Duration>,
    ) -> Result<(), Failure> {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        seconds.reset();
        let mut interrupted = core::pin::pin!(interrupted());
        let mut end = length.filter(|_| self.sending).map(|length| Instant::now() + length);
        let mut waits_since = Instant::now();
        loop {
            let patience = waits_since + wait.unwrap_or_default();
            let at_end = end.unwrap_or_else(|| self.packets.next + Duration::from_secs(1));
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(()),
                () = sleep_until(at_end), if end.is_some() => return Ok(()),
                () = sleep_until(patience), if wait.is_some() && !self.sending => {
                    if length.is_some() {
                        self.course.cut_short(LEFT);
                    }
                    return Ok(());
                }
                event = session.next_event() => {
                    let Some(event) = event else { return Err(rsvp_client::ClientError::Disconnected.into()) };
                    output.event(None, &event)?;
                    let waited = !self.sending;
                    self.heed(&event, output)?;
                    if !waited && !self.sending {
                        waits_since = Instant::now();
                    }
                    if waited && self.sending {
                        // Reports are of whole seconds of sending.
                        seconds.reset();
                    }
                    if self.sending && end.is_none() {
                        end = length.map(|length| Instant::now() + length);
                    }
                }
                _ = seconds.tick(), if self.sending => self.packets.report(output)?,
                () = sleep_until(self.packets.next), if self.sending => self.send_due().await,
            }
        }
    }

    /// Sends while a reservation stands.
    fn heed(&mut self, event: &Event, output: &Output) -> Result<(), Failure> {
        self.course.event(event);
        if let Event::Resv { flowspec, .. } = event {
            self.fit(flowspec, output)?;
        }
        match event {
            Event::Resv { .. } if !self.sending => {
                self.sending = true;
                self.packets.next = Instant::now();
                output.note("sending", "receivers have reserved: sending", json!({}))
            }
            Event::ResvGone { .. } if self.sending && !self.always => {
                self.sending = false;
                output.note("paused", "no receiver has a reservation any more: waiting", json!({}))
            }
            _ => Ok(()),
        }
    }

    /// Sends what is due.
    async fn send_due(&mut self) {
        let now = Instant::now();
        self.packets.catch_up(now);
        while let Some(packet) = self.packets.due(now) {
            // A host without a listener says so by ICMP, which is no reason to stop.
            let sent = self.socket.send_to(packet, self.to).await;
            self.packets.sent(sent.is_ok());
        }
    }
}
