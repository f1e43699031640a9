//! The QoS service: sockets that applications hand over, and what the network does for them (Generic QoS).
//!
//! Each socket is an application of the engine by itself (RFC 2205 section 3.11.1). `wanted` works out from what is known of it and
//! was asked for it what it should have; `served` has the engine do what is different from what it has, whenever something changes:
//! a request, a Path, an address, a route. So the order in which a socket is bound, connected and asked for does not matter. What
//! comes of it is told in the words of `rsvp_node::qos`. Everything ends with the connection of the client, and what a socket has
//! with its last descriptor, where the kernel tells. As pure as the control service: no
//! socket is looked at here.

mod checks;
mod handing;
mod quota;
mod served;
mod unsignalled;
mod wanted;

pub use quota::Limits;

use crate::control::descriptors::Handed;
use crate::control::service::{ClientId, EngineAccess, Who};
use quota::{Uses, Within};
use rsvp_control::sockets::{self, Check, How, Join, Set};
use rsvp_control::{Done, Problem, Request};
use rsvp_node::qos::{Invalid, Qos};
use rsvp_node::{AppId, Event, ReservationId};
use rsvp_wire::{SenderTemplate, Session};
use served::Served;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wanted::{Joined, Socket};

/// Numbers of applications from here on are those of sockets.
const FIRST_APP: u32 = 1 << 31;
/// Numbers of sockets that were opened in words: no cookie gets there.
const IN_WORDS: u64 = 1 << 62;
/// Numbers of flows from here on are those of sockets without signalling; the engine's are places in a table that never gets so long.
const FIRST_FLOW: u32 = 1 << 31;

/// Whether a flow is one that is not signalled.
const fn is_local(flow: ReservationId) -> bool {
    flow.index >= FIRST_FLOW
}

/// Most groups of one socket.
const MOST_GROUPS: usize = 20;

/// Sockets, and what they have.
#[derive(Debug, Default)]
pub struct QosService {
    limits: Limits,
    sockets: BTreeMap<AppId, Served>,
    /// By what its client calls it; no two are called the same.
    numbers: BTreeMap<u64, AppId>,
    of_clients: BTreeSet<(ClientId, AppId)>,
    /// What each user has of its share.
    uses: Uses,
    next_app: u32,
    next_number: u64,
    next_flow: u32,
    /// Whose wishes are to be looked at again.
    unsettled: BTreeSet<AppId>,
    told: VecDeque<(ClientId, Told)>,
}

/// What a client is told of its sockets.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// What the network did for one.
    Qos(Box<sockets::FdQos>),
    /// The last descriptor of this one is closed, and its QoS has ended.
    Closed(u64),
}

impl QosService {
    /// With these bounds for each user.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Other bounds: what stands stays.
    pub fn bound(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// A client asks for something about a socket. One that comes along as a descriptor is the second argument.
    ///
    /// # Errors
    /// When it cannot be done; then nothing has changed.
    pub fn request(
        &mut self,
        client: ClientId,
        who: Who,
        request: Request,
        handed: Option<Handed>,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let app = match request {
            Request::QosOpen(open) => return self.open(client, who, &open, handed),
            Request::QosSet(Set { socket, qos }) => {
                let app = self.app(client, socket)?;
                self.set(app, who, &qos)?;
                app
            }
            Request::QosJoin(join) => {
                let app = self.app(client, join.socket)?;
                self.join(app, who, join, access)?;
                app
            }
            Request::QosMoved(moved) => {
                let app = self.app(client, moved.socket)?;
                self.moved(app, who, &moved, handed)?;
                app
            }
            Request::QosShutdown(sockets::Shutdown { socket, how }) => {
                let app = self.app(client, socket)?;
                self.served(app)?.socket.shut_down(how);
                app
            }
            Request::QosClose { socket } => {
                let app = self.app(client, socket)?;
                self.close(app, access);
                return Ok(Done::default());
            }
            Request::QosCheck(Check { socket, qos }) => {
                let app = self.app(client, socket)?;
                let qos = qos.as_ref().map(Qos::try_from).transpose().map_err(invalid)?;
                let checks = self.check(app, qos.as_ref(), access)?;
                return Ok(Done { checks: Some(checks), ..Done::default() });
            }
            _ => return Err(Problem::new("bad-request", "this request is not about sockets")),
        };
        self.unsettled.insert(app);
        self.settle(access);
        Ok(Done::default())
    }

    /// The engine tells an application something; whether that is a socket.
    pub fn event(&mut self, event: &Event) -> bool {
        let Some(served) = self.sockets.get_mut(&event.app) else { return false };
        if served.event(event) {
            self.unsettled.insert(event.app);
        }
        self.collect(event.app);
        true
    }

    /// Addresses or routes have changed.
    pub fn look_again(&mut self, access: &mut dyn EngineAccess) {
        self.unsettled.extend(self.sockets.keys());
        self.settle(access);
    }

    /// Does what has become to be wanted. It may lead to more events.
    pub fn settle(&mut self, access: &mut dyn EngineAccess) {
        while let Some(app) = self.unsettled.pop_first() {
            let Some(mut served) = self.sockets.remove(&app) else { continue };
            let (uid, is_bounded) = (served.uid, served.is_bounded);
            if is_bounded {
                self.uses.go(uid, served.used());
            }
            let within = Within { limits: &self.limits, others: self.uses.of(uid) };
            served.settle(app, &within, &mut self.next_flow, access);
            if is_bounded {
                self.uses.come(uid, served.used());
            }
            self.sockets.insert(app, served);
            self.collect(app);
        }
    }

    /// The data plane cannot carry a flow out; whether it is one of a socket, without signalling. The socket is told.
    pub fn local_flow_failed(&mut self, flow: ReservationId) -> bool {
        let found =
            self.sockets.iter_mut().find_map(|(app, served)| served.local_flow_failed(flow).then_some(*app));
        found.into_iter().for_each(|app| self.collect(app));
        is_local(flow)
    }

    /// A Path did not get where it was to go: the socket that announces its sender is told.
    pub fn undelivered(&mut self, session: &Session, sender: &SenderTemplate, why: &str) {
        let mut concerned = Vec::new();
        for (app, served) in self.sockets.iter_mut().filter(|(_, served)| served.announces(session, sender)) {
            served.undelivered(*session, *sender, why);
            concerned.push(*app);
        }
        concerned.into_iter().for_each(|app| self.collect(app));
    }

    /// What a client is to be told, in order.
    pub fn told(&mut self) -> Option<(ClientId, Told)> {
        self.told.pop_front()
    }

    /// A client is gone, and the QoS of its sockets.
    pub fn gone(&mut self, client: ClientId, access: &mut dyn EngineAccess) {
        let of_client = self.of_clients.range((client, AppId(0))..=(client, AppId(u32::MAX)));
        let apps: Vec<_> = of_client.map(|(_, app)| *app).collect();
        apps.into_iter().for_each(|app| self.close(app, access));
    }

    /// The daemon ends: all QoS does.
    pub fn everyone_gone(&mut self, access: &mut dyn EngineAccess) {
        let apps: Vec<_> = self.sockets.keys().copied().collect();
        apps.into_iter().for_each(|app| self.close(app, access));
    }

    fn close(&mut self, app: AppId, access: &mut dyn EngineAccess) {
        if let Some(mut served) = self.sockets.remove(&app) {
            self.numbers.remove(&served.number);
            self.of_clients.remove(&(served.client, app));
            self.unsettled.remove(&app);
            if served.is_bounded {
                self.uses.go(served.uid, served.used());
            }
            served.end(app, access);
        }
    }

    /// What is to be told of a socket.
    fn collect(&mut self, app: AppId) {
        let Some(served) = self.sockets.get_mut(&app) else { return };
        while let Some(told) = served.told() {
            self.told
                .push_back((served.client, Told::Qos(Box::new(sockets::FdQos::of(served.number, &told)))));
        }
    }

    fn app(&self, client: ClientId, socket: u64) -> Result<AppId, Problem> {
        let of_client = |app: &AppId| self.sockets.get(app).is_some_and(|served| served.client == client);
        self.numbers.get(&socket).copied().filter(of_client).ok_or_else(|| {
            let message = format!(
                "socket {socket} was not handed over by this client, or its QoS has ended, perhaps because it was closed"
            );
            Problem::new("not-found", message)
        })
    }

    fn served(&mut self, app: AppId) -> Result<&mut Served, Problem> {
        let missing = || Problem::new("not-found", "the QoS of the socket has ended");
        self.sockets.get_mut(&app).ok_or_else(missing)
    }

    /// The limits of a user, and what its sockets but for this one use.
    fn without(&self, app: AppId) -> Within<'_> {
        let Some(served) = self.sockets.get(&app) else {
            return Within { limits: &self.limits, others: quota::Use::default() };
        };
        let mut others = self.uses.of(served.uid);
        others.octets_per_second -= served.used().octets_per_second;
        Within { limits: &self.limits, others }
    }

    /// What applications call the flows of their sockets (QOS_FRIENDLY_NAME).
    pub fn names(&self) -> BTreeMap<(Session, SenderTemplate), String> {
        self.sockets.values().flat_map(Served::names).collect()
    }

    fn set(&mut self, app: AppId, who: Who, said: &sockets::values::Qos) -> Result<(), Problem> {
        let qos = Qos::try_from(said).map_err(invalid)?;
        qos.validate(&self.served(app)?.socket.judged()).map_err(invalid)?;
        if who.sockets_only {
            self.without(app).allows(&qos)?;
        }
        let served = self.served(app)?;
        served.socket.set(&qos);
        served.requested();
        Ok(())
    }

    fn join(&mut self, app: AppId, who: Who, join: Join, access: &dyn EngineAccess) -> Result<(), Problem> {
        let Join { group, leaf, qos, interface, .. } = join;
        if !group.ip().is_multicast() || group.port() == 0 {
            let message =
                format!("{group} is no group: name an address of IPv4 or IPv6 multicast, and a port");
            return Err(Problem::new("bad-session", message));
        }
        let interface = crate::control::service::named(interface.as_deref(), access)?;
        let qos = qos.as_ref().map(Qos::try_from).transpose().map_err(invalid)?;
        if let Some(qos) = qos.as_ref().filter(|_| who.sockets_only) {
            self.without(app).allows(qos)?;
        }
        let socket = &mut self.served(app)?.socket;
        if socket.names.transport != rsvp_node::qos::Transport::Udp {
            return Err(Problem::new("no-qos-socket", "only a UDP socket takes part in a group"));
        }
        if socket.joined.len() >= MOST_GROUPS && socket.joined.iter().all(|joined| joined.group != group) {
            let message = format!("one socket takes part in {MOST_GROUPS} groups at most: use another one");
            return Err(Problem::new("limit-reached", message));
        }
        let mut joining = socket.judged();
        joining.groups.push(group);
        let before = socket.qos.clone();
        let qos = qos.map_or_else(|| before.clone(), |own| own.over(before.clone()));
        qos.validate(&joining).map_err(invalid)?;
        socket.joined.retain(|joined| joined.group != group);
        socket.joined.push(Joined { group, leaf, qos, interface });
        self.served(app)?.requested();
        Ok(())
    }
}

fn invalid(invalid: Invalid) -> Problem {
    let Invalid { status, value, .. } = invalid;
    Problem { qos: Some((status.0, value.0)), ..Problem::new("qos-invalid", invalid.to_string()) }
}

impl Socket {
    /// A request for the whole socket: for each of its groups, too.
    fn set(&mut self, qos: &Qos) {
        let over = |before: &mut Qos| *before = qos.clone().over(core::mem::take(before));
        over(&mut self.qos);
        self.joined.iter_mut().for_each(|joined| over(&mut joined.qos));
    }

    fn shut_down(&mut self, how: How) {
        self.shut.0 |= how != How::Receiving;
        self.shut.1 |= how != How::Sending;
    }
}
