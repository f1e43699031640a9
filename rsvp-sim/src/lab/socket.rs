//! An application that is a QoS socket: what it asks for becomes the QOS of a UDP socket that its node's daemon is handed. A sender
//! sends its data at its rate from then on, a receiver notes what comes.

use super::clock;
use super::connection::{Answer, Ask, Asked, Heard, Line, TimedEvent};
use super::data::DataLog;
use crate::scenario::model::{ReceiverId, SenderId};
use core::net::SocketAddr;
use core::time::Duration;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use rsvp_client::qos::objects::filterspec::FilterSpec as Filter;
use rsvp_client::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_client::qos::{Dscp, Flowspec, Object, Overhead, Qos, ServiceType, Transport, sender};
use rsvp_client::{
    Adspec, Announcement, ClientError, Excess, Leaf, PacedSocket, Problem, QosError, QosHost, QosSocket,
    Reservation, Service, Style, Traffic,
};
use rsvp_node::AppId;
use rsvp_wire::{SenderTemplate, Session};
use socket2::SockRef;
use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::Path;
use tokio::io::Interest;
use tokio::sync::mpsc;

/// What a packet says of itself: of which sender it is, and which.
const NAME: usize = 12;
/// Before the next attempt, when the kernel has refused to send: nobody listens yet, or the link is down.
const PAUSE: Duration = Duration::from_millis(5);

/// Whose socket it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Sender(SenderId),
    Receiver(ReceiverId),
}

/// An application and its socket.
pub(super) struct Plug {
    pub(super) app: AppId,
    pub(super) session: Session,
    pub(super) end: End,
    /// It is bound, and a member of its group.
    pub(super) socket: UdpSocket,
}

impl Line {
    /// Hands a socket over.
    pub(super) async fn of_socket(
        daemon: &Path,
        plug: Plug,
        log: DataLog,
        heard: mpsc::UnboundedSender<TimedEvent>,
    ) -> Result<Self, ClientError> {
        let Plug { app, session, end, socket } = plug;
        let socket = prepared(socket).map_err(|why| refused(format!("the socket: {why}")))?;
        let host = QosHost::connect(daemon).await.map_err(plain)?;
        let socket = host.attach(socket).await.map_err(|not| plain(not.error))?;
        let to = SocketAddr::new(session.destination(), session.port());
        let is_group = to.ip().is_multicast();
        match end {
            End::Sender(_) if is_group => socket.join(to, Leaf::Sender, None).await.map_err(plain)?,
            End::Sender(_) => socket.connect(to).await.map_err(plain)?,
            End::Receiver(_) if is_group => {
                socket.take_part(to, Leaf::Receiver, None, None).await.map_err(plain)?;
            }
            End::Receiver(_) => {}
        }
        if let End::Receiver(receiver) = end {
            log.listens(receiver, session);
        }
        let (line, asked) = mpsc::unbounded_channel();
        tokio::spawn(Attended { app, session, end, log, heard }.attend(socket, asked));
        Ok(Self(line))
    }
}

/// For the runtime, with the DS field of what comes.
fn prepared(socket: UdpSocket) -> io::Result<tokio::net::UdpSocket> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => SockRef::from(&socket).set_recv_tos_v4(true)?,
        SocketAddr::V6(_) => SockRef::from(&socket).set_recv_tclass_v6(true)?,
    }
    socket.set_nonblocking(true)?;
    tokio::net::UdpSocket::from_std(socket)
}

fn refused(why: String) -> ClientError {
    ClientError::Refused(Problem::new("socket", why))
}

/// What was refused, in the words of the other applications.
fn plain(error: QosError) -> ClientError {
    match error {
        QosError::Daemon(error) => error,
        other => refused(other.to_string()),
    }
}

struct Attended {
    app: AppId,
    session: Session,
    end: End,
    log: DataLog,
    heard: mpsc::UnboundedSender<TimedEvent>,
}

impl Attended {
    async fn attend(
        self,
        socket: QosSocket<tokio::net::UdpSocket>,
        mut asked: mpsc::UnboundedReceiver<Asked>,
    ) {
        let mut sending = None;
        loop {
            tokio::select! {
                biased;
                told = socket.next() => {
                    let Some(told) = told else { break };
                    let event = TimedEvent { at: clock::now(), app: self.app, heard: Heard::Socket(told) };
                    if self.heard.send(event).is_err() {
                        break;
                    }
                }
                ask = asked.recv() => {
                    let Some((ask, tell)) = ask else { break };
                    let answer = match ask {
                        Ask::Announce(announcement) => {
                            let answer = self.set(&socket, self.announced(&announcement)).await;
                            sending = self.sending(&socket, announcement.traffic);
                            answer
                        }
                        Ask::Reserve(reservation) => self.set(&socket, self.asked_for(&reservation)).await,
                        Ask::Release => {
                            let receiving = Flowspec::of(ServiceType::NoTraffic);
                            // An object that says nothing takes the place of the one before.
                            let objects = vec![Object::Reserve(ReserveInfo::default())];
                            self.set(&socket, Some(Qos { receiving, objects, ..Qos::default() })).await
                        }
                    };
                    // Who asked may have stopped waiting.
                    let _ = tell.send(answer);
                }
                () = self.send(&mut sending) => {}
                () = self.receive(&socket) => {}
            }
        }
        drop(sending);
        if let End::Receiver(receiver) = self.end {
            self.log.listens_no_more(receiver);
        }
        socket.end().await;
    }

    async fn set(&self, socket: &QosSocket<tokio::net::UdpSocket>, qos: Option<Qos>) -> Answer {
        let qos = qos.ok_or_else(|| refused("headers leave no room for the packets".to_owned()))?;
        socket.set(&qos).await.map_err(plain)
    }

    fn overhead(&self) -> Overhead {
        Overhead::of(Transport::Udp, self.session.destination())
    }

    fn announced(&self, announcement: &Announcement) -> Option<Qos> {
        let service = match announcement.adspec {
            Adspec::Guaranteed => ServiceType::Guaranteed,
            Adspec::ControlledLoad => ServiceType::ControlledLoad,
            _ => ServiceType::GeneralInformation,
        };
        let sending = sender::flowspec(&announcement.traffic.into(), self.overhead(), service)?;
        Some(Qos { sending, ..Qos::default() })
    }

    fn asked_for(&self, reservation: &Reservation) -> Option<Qos> {
        let flows = reservation.flows.iter().map(|flow| {
            let flowspec = self.receiving(&flow.flowspec)?;
            let filters = flow.filters.iter().map(|filter| Filter::of_sender(&SenderTemplate(*filter)));
            Some(FlowDescriptor { flowspec, filters: filters.collect() })
        });
        let flows: Vec<FlowDescriptor> = flows.collect::<Option<_>>()?;
        let receiving = flows.first()?.flowspec;
        let (style, flow_descriptors) = match reservation.style {
            Style::Wf => (FilterStyle::Wildcard, Vec::new()),
            Style::Ff => (FilterStyle::FixedFilter, flows),
            Style::Se => (FilterStyle::SharedExplicit, flows),
            Style::Unknown => return None,
        };
        let confirm_request = reservation.confirm;
        let info = ReserveInfo { style, confirm_request, flow_descriptors, ..ReserveInfo::default() };
        Some(Qos { receiving, objects: vec![Object::Reserve(info)], ..Qos::default() })
    }

    /// Of Guaranteed service a socket says R and S, and takes the rest from the Path.
    fn receiving(&self, service: &Service) -> Option<Flowspec> {
        match *service {
            Service::Guaranteed { reserve_bps, slack_us, .. } => Some(Flowspec {
                token_rate: Some((reserve_bps / 8.0).round() as u32),
                delay_variation_us: Some(slack_us),
                ..Flowspec::of(ServiceType::Guaranteed)
            }),
            Service::ControlledLoad { traffic } => {
                sender::flowspec(&traffic.into(), self.overhead(), ServiceType::ControlledLoad)
            }
            Service::Null { .. } => None,
        }
    }

    /// Packets of M, evenly: what is announced has room for one packet more.
    fn sending<'s>(
        &self,
        socket: &'s tokio::net::UdpSocket,
        traffic: Traffic,
    ) -> Option<(PacedSocket<&'s tokio::net::UdpSocket>, Vec<u8>)> {
        let packet = traffic.max_packet.saturating_sub(self.overhead().octets());
        let paced = Traffic { bucket: f64::from(traffic.max_packet), ..traffic };
        // The reader of scenarios takes no traffic that cannot be paced.
        let paced = PacedSocket::udp(socket, paced, Excess::Shape).ok()?;
        Some((paced, vec![0; (packet as usize).max(NAME)]))
    }

    /// Sends one packet when it is due; never, if there is nothing to send.
    async fn send(&self, sending: &mut Option<(PacedSocket<&tokio::net::UdpSocket>, Vec<u8>)>) {
        let (End::Sender(sender), Some((paced, packet))) = (self.end, sending) else {
            return core::future::pending().await;
        };
        let Some(number) = self.log.next(sender) else { return core::future::pending().await };
        let name = (sender.0 as u32).to_be_bytes().into_iter().chain(number.to_be_bytes());
        packet.iter_mut().zip(name).for_each(|(octet, name)| *octet = name);
        let to = SocketAddr::new(self.session.destination(), self.session.port());
        let sent = match to.ip().is_multicast() {
            true => paced.send_to(packet, to).await,
            false => paced.send(packet).await,
        };
        match sent {
            Ok(_) => self.log.sent(sender, self.session),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }

    /// Notes a packet that has come; of a sender nothing comes.
    async fn receive(&self, socket: &tokio::net::UdpSocket) {
        let End::Receiver(receiver) = self.end else { return core::future::pending().await };
        match socket.async_io(Interest::READABLE, || receive(socket)).await {
            Ok(Some((sender, number, dscp))) => self.log.came(sender, receiver, number, dscp),
            Ok(None) => {}
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// A packet's name and DSCP; none of one that is not a lab's.
fn receive(socket: &tokio::net::UdpSocket) -> io::Result<Option<(SenderId, u64, Dscp)>> {
    let (mut name, mut control) = ([0; NAME], nix::cmsg_space!(i32));
    let mut parts = [IoSliceMut::new(&mut name)];
    let flags = MsgFlags::empty();
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let is_whole = message.bytes == NAME;
    let ds_field = message.cmsgs()?.find_map(|each| match each {
        ControlMessageOwned::Ipv4Tos(octet) => Some(octet),
        ControlMessageOwned::Ipv6TClass(octet) => u8::try_from(octet).ok(),
        _ => None,
    });
    let dscp = ds_field.map(Dscp::of_ds_field).filter(|_| is_whole);
    let (sender, number) = name.split_at(4);
    let named = sender.try_into().ok().zip(number.try_into().ok());
    let named = named
        .map(|(sender, number)| (SenderId(u32::from_be_bytes(sender) as usize), u64::from_be_bytes(number)));
    Ok(named.zip(dscp).map(|((sender, number), dscp)| (sender, number, dscp)))
}
