//! `rsvp send` by a socket that rsvpd is handed: `--tcp`, `--template`, `--service`.

use super::super::Failure;
use super::super::course::{Course, LEFT};
use super::super::options::Offered;
use super::super::output::{Output, interrupted};
use super::super::packets::Packets;
use super::super::payload::SHORTEST;
use super::super::send::{Arguments, open};
use super::super::texts;
use super::carrier::Carrier;
use super::host::HostConnection;
use super::needs::{self, ServiceOption};
use core::time::Duration;
use rsvp_client::QosHost;
use rsvp_client::qos::objects::Object;
use rsvp_client::qos::{FdQos, Flowspec, Overhead, Qos, ServiceType, Status, Transport};
use serde_json::json;
use std::net::SocketAddr;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

pub(in super::super) async fn main(arguments: &Arguments) -> Result<(), Failure> {
    refuse(arguments).map_err(|why| Failure::Arguments(why.to_owned()))?;
    let output = Output::new(arguments.json);
    let connection = HostConnection::open(&arguments.daemon, &arguments.sockets).await?;
    let host = &connection.host;
    let transport = if arguments.tcp { Transport::Tcp } else { Transport::Udp };
    let overhead = Overhead::of(transport, arguments.to.ip());
    let qos = connection.answered(needed(arguments, host, overhead)).await?;
    let traffic = needs::pace(&qos.sending, overhead)?;
    let least = overhead.octets() + SHORTEST as u32;
    if traffic.max_packet < least {
        let most = traffic.max_packet;
        return Err(Failure::Arguments(format!("packets of {most}B have no room: at least {least}B")));
    }
    let carrier = if arguments.tcp {
        let from = arguments.from.map(|from| SocketAddr::from((from.address(), from.port())));
        connection.answered(Carrier::stream(host, from, arguments.to, arguments.ttl, &qos)).await?
    } else {
        let socket = open(arguments).await?;
        connection.answered(Carrier::datagrams(host, socket, arguments.to, &qos)).await?
    };
    let source = carrier.source().map_err(Failure::at("the socket"))?;
    let next = if arguments.now { "sending" } else { "waiting for receivers to reserve" };
    let key = rsvp_wire::Session::new(arguments.to.ip(), transport.protocol(), arguments.to.port());
    let announced = format!("announced {source} to {key}: {}; {next}", texts::traffic(&traffic));
    let facts = json!({ "session": key.to_string(), "sender": source, "traffic": traffic });
    output.note("announced", &announced, facts)?;
    let mut flow = Flow {
        carrier,
        packets: Packets::new(&traffic, overhead.octets()),
        least,
        is_stream: arguments.tcp,
        unsent: Vec::new(),
        course: Course::new(),
        always: arguments.now,
        sending: arguments.now,
    };
    let done = flow.run(&output, arguments.r#for, arguments.wait).await;
    let verdict = flow.packets.sum_up(&flow.course, &output);
    connection.without(flow.carrier.close()).await;
    connection.close().await;
    done.and(verdict)
}

/// What does not go with a socket, in a sentence.
fn refuse(arguments: &Arguments) -> Result<(), &'static str> {
    if arguments.tcp && arguments.to.ip().is_multicast() {
        return Err("--tcp has one peer and no group: name a host with --to, or leave --tcp out");
    }
    if arguments.adspec != Offered::Both {
        return Err(
            "--adspec does not go with --tcp, --template and --service: --service says what is offered",
        );
    }
    if !arguments.carry.is_empty() {
        return Err(
            "--dclass, --tclass and --policy do not go with --tcp, --template and --service: leave those out",
        );
    }
    if arguments.application.is_some() && arguments.service != Some(ServiceOption::Qualitative) {
        return Err("--application is what policies know qualitative traffic by: add --service qualitative");
    }
    Ok(())
}

/// What the socket's traffic needs.
async fn needed(arguments: &Arguments, host: &QosHost, overhead: Overhead) -> Result<Qos, Failure> {
    let service = arguments.service.map(ServiceOption::service_type);
    let mut qos = match arguments.template.read(host, &arguments.bucket).await? {
        Some(template) => Qos { receiving: Flowspec::default(), ..template },
        None => {
            let any = ServiceType::GeneralInformation;
            let sending = needs::flowspec(&arguments.traffic(), overhead, service.unwrap_or(any))?;
            Qos { sending, ..Qos::default() }
        }
    };
    if let Some(service) = service {
        qos.sending.service.service_type = service;
    }
    if !qos.sending.service.is_signalled() {
        return Err(Failure::Arguments(
            "the template announces nothing of what is sent: take one whose [sending] names a service"
                .to_owned(),
        ));
    }
    // RFC 2997 section 3: the application is known to policies by its name.
    if qos.sending.service.service_type == ServiceType::Qualitative {
        let own = concat!("APP=rsvp,VER=", env!("CARGO_PKG_VERSION"), ",SAPP=send");
        let identity = needs::identity(arguments.application.as_deref().unwrap_or(own))?;
        let is_policy = |object: &Object| matches!(object, Object::Policy(_));
        if arguments.application.is_some() || !qos.objects.iter().any(is_policy) {
            qos.objects.retain(|object| !is_policy(object));
            qos.objects.push(Object::Policy(vec![identity]));
        }
    }
    Ok(qos)
}

/// The data.
struct Flow {
    carrier: Carrier,
    packets: Packets,
    /// Octets of the smallest packet that can be sent.
    least: u32,
    is_stream: bool,
    /// What a stream had no room for.
    unsent: Vec<u8>,
    course: Course,
    always: bool,
    sending: bool,
}

impl Flow {
    async fn run(
        &mut self,
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
            let waits = !self.unsent.is_empty();
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
                told = self.carrier.next() => {
                    let Some(told) = told else { return Err(rsvp_client::ClientError::Disconnected.into()) };
                    output.told(&told)?;
                    let waited = !self.sending;
                    self.heed(&told, output)?;
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
                () = self.carrier.hung_up() => return Err(Failure::Nobody("the receiver has hung up".to_owned())),
                _ = seconds.tick(), if self.sending => self.packets.report(output)?,
                flushed = self.carrier.flush(&mut self.unsent), if waits => {
                    flushed.map_err(Failure::at("the connection"))?;
                }
                () = sleep_until(self.packets.next), if self.sending && !waits => self.send_due().await?,
            }
        }
    }

    /// Sends while a reservation stands.
    fn heed(&mut self, told: &FdQos, output: &Output) -> Result<(), Failure> {
        self.course.told(told);
        match told.status {
            Status::RECEIVERS => {
                self.fit(told.sending.max_sdu_size, output)?;
                if !self.sending {
                    self.sending = true;
                    self.packets.next = Instant::now();
                    output.note("sending", "receivers have reserved: sending", json!({}))?;
                }
            }
            Status::NO_RECEIVERS if self.sending && !self.always => {
                self.sending = false;
                output.note("paused", "no receiver has a reservation any more: waiting", json!({}))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 2210 section 2.3.2: the M of a reservation "should be used by the sending application to size its packets". Those of a
    /// stream are TCP's business.
    fn fit(&mut self, reserved: Option<u32>, output: &Output) -> Result<(), Failure> {
        let Some(most) = reserved.filter(|most| *most < self.packets.octets && !self.is_stream) else {
            return Ok(());
        };
        let fitting = most.max(self.least);
        self.packets.resize(fitting);
        let note = format!("packets have {fitting}B from now on: {most}B is the most that is reserved for");
        output.note("packet-size", &note, json!({ "octets": fitting, "reserved_octets": most }))
    }

    /// Sends what is due. A stream that has no room is waited for, and then catches up as far as the bucket allows.
    async fn send_due(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.packets.catch_up(now);
        while self.unsent.is_empty() {
            let Some(packet) = self.packets.due(now) else { break };
            let sent = self.carrier.send(packet, &mut self.unsent).await;
            // Of datagrams, a host without a listener says so by ICMP, which is no reason to stop.
            self.packets.sent(sent.is_ok());
            if let (true, Err(error)) = (self.is_stream, sent) {
                return Err(Failure::at("the connection")(error));
            }
        }
        Ok(())
    }
}
