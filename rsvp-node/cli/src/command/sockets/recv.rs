//! `rsvp recv` by a socket that rsvpd is handed: `--tcp`, `--template`, `--service qualitative`.

use super::super::Failure;
use super::super::course::Course;
use super::super::demand::Demand;
use super::super::flows::Flows;
use super::super::output::{Output, interrupted};
use super::super::payload::Payload;
use super::super::recv::{Arguments, LARGEST_DATAGRAM, open};
use super::connections::{FromCaller, serve};
use super::host::HostConnection;
use super::needs::ServiceOption;
use core::time::Duration;
use rsvp_client::qos::objects::Object;
use rsvp_client::qos::objects::filterspec::FilterSpec;
use rsvp_client::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_client::qos::{FdQos, Flowspec, Overhead, Qos, ServiceType, Transport};
use rsvp_client::{ClientError, Leaf, QosHost, QosSocket, Style};
use rsvp_wire::SenderTemplate;
use serde_json::json;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// What callers bring that waits to be looked at.
const WAITING: usize = 1024;

pub(in super::super) async fn main(arguments: &Arguments) -> Result<(), Failure> {
    refuse(arguments).map_err(|why| Failure::Arguments(why.to_owned()))?;
    let output = Output::new(arguments.json);
    let connection = HostConnection::open(&arguments.daemon, &arguments.sockets).await?;
    let qos = connection.answered(needed(arguments, &connection.host)).await?;
    let destination = arguments.group.or(arguments.address).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let transport = if arguments.tcp { Transport::Tcp } else { Transport::Udp };
    let mut socket = if arguments.tcp {
        let at = SocketAddr::new(destination, arguments.port);
        connection.answered(listen(&connection.host, at, &qos)).await?
    } else {
        let socket = open(arguments, destination)?;
        connection.answered(datagrams(&connection.host, socket, arguments, &qos)).await?
    };
    let key = rsvp_wire::Session::new(destination, transport.protocol(), arguments.port);
    let waiting = if destination == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        format!("{} *:{}", if arguments.tcp { "tcp" } else { "udp" }, arguments.port)
    } else {
        key.to_string()
    };
    output.note(
        "waiting",
        &format!("waiting for senders of {waiting}"),
        json!({ "session": key.to_string() }),
    )?;
    let (mut flows, mut course) = (Flows::default(), Course::new());
    let done = socket.run(&mut flows, &mut course, &output, transport, arguments).await;
    flows.sum_up(&output)?;
    course.say_end("the QoS of the socket does, too", "nothing was reserved", &output)?;
    let missing = if course.has_reserved() { "no data has come" } else { "no sender is there" };
    let verdict = course.verdict(course.has_reserved() && flows.have_come(), missing);
    connection.without(socket.close()).await;
    connection.close().await;
    done.and(verdict)
}

/// What does not go with a socket, in a sentence.
fn refuse(arguments: &Arguments) -> Result<(), &'static str> {
    let demand = &arguments.demand;
    if arguments.tcp && arguments.group.is_some() {
        return Err("--tcp has one peer and no group: leave --group or --tcp out");
    }
    if arguments.interface.is_some() && arguments.group.is_none() {
        return Err("--interface goes with --group alone: without a group routing chooses it");
    }
    if !demand.carry.is_empty() {
        return Err(
            "--dclass, --tclass and --policy do not go with --tcp, --template and --service qualitative: leave them out",
        );
    }
    if demand.reserve.is_some() || demand.delay.is_some() || !demand.slack.is_zero() || demand.rate.is_some()
    {
        return Err(
            "--rate, --reserve, --delay and --slack do not go with --tcp, --template and --service qualitative: a template \
             says what is asked for, else it is what senders announce",
        );
    }
    if !demand.bucket.is_empty() {
        return Err(
            "--bucket and its like do not go with --tcp, --template and --service qualitative: leave them out",
        );
    }
    if arguments.tcp && (demand.style.is_some() || !demand.filter.is_empty()) {
        return Err("--style and --filter do not go with --tcp: each connection has one sender, in style ff");
    }
    if demand.service == Some(ServiceOption::Guaranteed) && !arguments.template.is_named() {
        return Err(
            "--service guaranteed needs a rate for the socket: name a --template, or receive without --tcp, with --reserve",
        );
    }
    Ok(())
}

/// What the socket's traffic needs.
async fn needed(arguments: &Arguments, host: &QosHost) -> Result<Qos, Failure> {
    let demand = &arguments.demand;
    let service = demand.service.map(ServiceOption::service_type);
    let mut receiving = match arguments.template.read(host, &demand.bucket).await? {
        Some(template) => template.receiving,
        None => Flowspec::of(service.unwrap_or(ServiceType::ControlledLoad)),
    };
    if let Some(service) = service {
        receiving.service.service_type = service;
    }
    if !receiving.service.is_signalled() {
        return Err(Failure::Arguments(
            "the template reserves nothing of what is received: take one whose [receiving] names a service"
                .to_owned(),
        ));
    }
    Ok(Qos { receiving, objects: vec![Object::Reserve(info(demand, receiving)?)], ..Qos::default() })
}

/// Style, senders and confirmation.
fn info(demand: &Demand, flowspec: Flowspec) -> Result<ReserveInfo, Failure> {
    let filters: Vec<FilterSpec> =
        demand.filter.iter().map(|filter| FilterSpec::of_sender(&SenderTemplate(*filter))).collect();
    let style = demand.style.map(Style::from).or_else(|| (!filters.is_empty()).then_some(Style::Ff));
    let (style, flow_descriptors) = match style {
        None => (FilterStyle::Default, Vec::new()),
        Some(Style::Wf) if filters.is_empty() => (FilterStyle::Wildcard, Vec::new()),
        Some(Style::Wf) => {
            let why = "a wf reservation is for all senders: use --style se with --filter";
            return Err(Failure::Arguments(why.to_owned()));
        }
        Some(_) if filters.is_empty() => {
            let why =
                "a socket without a peer reserves in style wf, unless its senders are named: add --filter";
            return Err(Failure::Arguments(why.to_owned()));
        }
        Some(Style::Se) => (FilterStyle::SharedExplicit, vec![FlowDescriptor { flowspec, filters }]),
        Some(_) => {
            let of = |filter| FlowDescriptor { flowspec, filters: vec![filter] };
            (FilterStyle::FixedFilter, filters.into_iter().map(of).collect())
        }
    };
    Ok(ReserveInfo { style, confirm_request: demand.confirm, flow_descriptors, ..ReserveInfo::default() })
}

/// Where the data comes to.
enum Receiving {
    Datagrams(Box<QosSocket<UdpSocket>>),
    Connections { brought: mpsc::Receiver<FromCaller>, serving: tokio::task::JoinHandle<Result<(), Failure>> },
}

async fn datagrams(
    host: &QosHost,
    socket: UdpSocket,
    arguments: &Arguments,
    qos: &Qos,
) -> Result<Receiving, Failure> {
    let socket = host.attach(socket).await.map_err(|not| not.error)?;
    match arguments.group {
        // It is a member already.
        Some(group) => {
            let group = SocketAddr::new(group, arguments.port);
            let interface = arguments.interface.as_deref();
            socket.take_part(group, Leaf::Receiver, Some(qos), interface).await?;
        }
        None => socket.set(qos).await?,
    }
    Ok(Receiving::Datagrams(Box::new(socket)))
}

async fn listen(host: &QosHost, at: SocketAddr, qos: &Qos) -> Result<Receiving, Failure> {
    let listener = TcpListener::bind(at).await.map_err(Failure::at(format!("cannot receive at {at}")))?;
    let listener = host.attach(listener).await.map_err(|not| not.error)?;
    listener.set(qos).await?;
    let (sender, brought) = mpsc::channel(WAITING);
    Ok(Receiving::Connections { brought, serving: tokio::spawn(serve(listener, sender)) })
}

/// What comes next.
enum Next {
    Packet(SocketAddr, Payload, usize),
    Told(Option<SocketAddr>, Box<FdQos>),
    Failed(SocketAddr, String),
    Nothing,
}

impl Receiving {
    async fn next(&mut self, packet: &mut [u8]) -> Result<Next, Failure> {
        match self {
            Self::Datagrams(socket) => tokio::select! {
                told = socket.next() => match told {
                    Some(told) => Ok(Next::Told(None, Box::new(told))),
                    None => Err(ClientError::Disconnected.into()),
                },
                arrived = socket.recv_from(packet) => {
                    let (length, from) = arrived.map_err(Failure::at("the UDP socket"))?;
                    // A socket for both families has IPv4 addresses within IPv6 ones.
                    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                    let payload = packet.get(..length).and_then(Payload::read);
                    Ok(payload.map_or(Next::Nothing, |payload| Next::Packet(from, payload, length)))
                }
            },
            Self::Connections { brought, serving } => tokio::select! {
                came = brought.recv() => Ok(match came {
                    Some(FromCaller::Record(from, payload, length)) => Next::Packet(from, payload, length),
                    Some(FromCaller::Told(from, told)) => Next::Told(Some(from), told),
                    Some(FromCaller::Failed(from, why)) => Next::Failed(from, why),
                    None => return Err(ClientError::Disconnected.into()),
                }),
                ended = serving => match ended {
                    Ok(Err(why)) => Err(why),
                    _ => Err(ClientError::Disconnected.into()),
                },
            },
        }
    }

    async fn run(
        &mut self,
        flows: &mut Flows,
        course: &mut Course,
        output: &Output,
        transport: Transport,
        arguments: &Arguments,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        let end = arguments.r#for.map(|length| start + length);
        let mut patience = start + arguments.wait.unwrap_or_default();
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
                () = sleep_until(patience), if arguments.wait.is_some() => return Ok(()),
                now = seconds.tick() => {
                    flows.report((now - reported).as_secs_f64(), output)?;
                    reported = now;
                }
                came = self.next(&mut packet) => match came? {
                    Next::Packet(from, payload, length) => {
                        patience = Instant::now() + arguments.wait.unwrap_or_default();
                        let headers = Overhead::of(transport, from.ip()).octets();
                        flows.arrived(from, &payload, length as u64 + u64::from(headers));
                    }
                    Next::Told(from, told) => {
                        course.told(&told);
                        output.told_of(from, &told)?;
                    }
                    Next::Failed(from, why) => {
                        let note = format!("{from}: {why}: it is turned away");
                        output.note("turned-away", &note, json!({ "peer": from }))?;
                    }
                    Next::Nothing => patience = Instant::now() + arguments.wait.unwrap_or_default(),
                },
            }
        }
    }

    async fn close(self) {
        match self {
            Self::Datagrams(socket) => drop(socket.end().await),
            Self::Connections { serving, .. } => serving.abort(),
        }
    }
}
