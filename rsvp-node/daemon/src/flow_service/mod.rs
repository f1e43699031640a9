//! QOS2: flows that applications give their sockets, without signalling.
//!
//! A flow belongs to the client that made it and ends with it; nobody else may change it. Each of its sockets has it for one peer. What it
//! is to be in the kernel follows from what was asked and from the ways to the peers (`flow`), and is handed on to the data plane when that
//! has time; who has asked is answered when it stands (`legs`). What the network has on these ways is measured elsewhere, and asked for
//! here (`estimates`). As pure as the control service: no socket is looked at here.

mod estimates;
mod flow;
mod legs;
mod peers;

pub use estimates::{Measured, Target};
pub use flow::Way;

use crate::control::descriptors::{Handed, Looked};
use crate::control::service::{ClientId, EngineAccess, Who};
use crate::hooks::Change;
use estimates::Estimates;
use flow::{Flow, Member, NO_RATE, Settings};
use legs::{Legs, Undo};
use peers::{check, peer_of, socket_row, way};
use rsvp_control::flows::{Add, OutgoingRate, Remove, Row, Set};
use rsvp_control::{Done, Problem, Request};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// What users may ask of flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sockets in flows, and flows, of each user.
    pub sockets: usize,
    /// DSCPs that users may set, by their numbers; those who may ask everything may set all.
    pub dscps: BTreeMap<u32, Vec<u8>>,
    /// Whether flows that are only shaped keep their marks.
    pub shape_only_marks: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sockets: 256, dscps: BTreeMap::new(), shape_only_marks: false }
    }
}

/// An answer to a request: whose, and its `id`.
pub(crate) type Answer = (ClientId, u64, Result<Done, Problem>);

/// Flows, and who waits for what of them.
#[derive(Debug, Default)]
pub struct FlowService {
    limits: Limits,
    flows: BTreeMap<u64, Flow>,
    /// The flow that a socket has for a peer.
    taken: BTreeMap<(u64, SocketAddr), u64>,
    last_flow: u64,
    legs: Legs,
    estimates: Estimates,
    answers: VecDeque<Answer>,
}

pub(super) fn problem(code: &str, message: impl Into<String>) -> Problem {
    Problem::new(code, message.into())
}

fn invalid(message: impl Into<String>) -> Problem {
    problem("invalid-parameter", message)
}

fn aborted() -> Problem {
    problem("aborted", "what was waited for has ended: the flow, its socket, or the wish was given up")
}

impl FlowService {
    /// With these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Other bounds: what stands stays.
    pub fn bound(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// A client asks for something. It is answered now or later.
    pub fn request(
        &mut self,
        (client, id): (ClientId, u64),
        who: Who,
        request: Request,
        handed: Option<Handed>,
        access: &mut dyn EngineAccess,
    ) {
        let done = match request {
            Request::FlowAdd(add) => self.add((client, id), who, &add, handed, access),
            Request::FlowSet(set) => self.set((client, id), who, &set, access),
            Request::FlowRemove(remove) => self.remove((client, id), &remove, handed, access),
            Request::FlowQuery(query) => self.query((client, id), &query, access),
            Request::FlowNotify(notify) => self.notify((client, id), &notify, access),
            Request::FlowCancel { of } => {
                self.cancel(client, of, access);
                Ok(Some(Done::default()))
            }
            Request::FlowList {} => Ok(Some(self.list(who, access))),
            Request::Track(track) => self.track(client, track.host, access).map(Some),
            Request::Untrack(track) => self.untrack(client, track.host).map(Some),
            _ => Err(problem("bad-request", "this request is not about flows of sockets")),
        };
        match done {
            Ok(None) => {}
            Ok(Some(done)) => self.answers.push_back((client, id, Ok(done))),
            Err(problem) => self.answers.push_back((client, id, Err(problem))),
        }
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// The kernel says what has become of a socket; whether it is one of a flow.
    pub fn changed(&mut self, cookie: u64, change: &Change, access: &mut dyn EngineAccess) -> bool {
        let of_socket = self.taken.range((cookie, first_peer())..).take_while(|((of, _), _)| *of == cookie);
        let here: Vec<_> = of_socket.map(|(key, flow)| (*key, *flow)).collect();
        for (key, number) in &here {
            match change {
                Change::Released => self.leave(*number, *key),
                Change::Moved { local, .. } => {
                    let members = self.flows.get_mut(number).map(|flow| &mut flow.members);
                    if let Some(member) = members.and_then(|members| members.get_mut(key)) {
                        member.local = local.or(member.local);
                    }
                }
            }
            self.follow(*number, access);
        }
        !here.is_empty()
    }

    /// Addresses, routes or interfaces have changed.
    pub fn look_again(&mut self, access: &mut dyn EngineAccess) {
        for number in self.flows.keys().copied().collect::<Vec<_>>() {
            self.follow(number, access);
        }
    }

    /// A client is gone, and its flows.
    pub fn gone(&mut self, client: ClientId, access: &mut dyn EngineAccess) {
        let of_client = self.flows.iter().filter(|(_, flow)| flow.client == client);
        for number in of_client.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.end(number, access);
        }
        self.estimates.gone(client);
        self.answers.retain(|(to, ..)| *to != client);
    }

    /// The daemon ends: all flows do.
    pub fn everyone_gone(&mut self, access: &mut dyn EngineAccess) {
        for number in self.flows.keys().copied().collect::<Vec<_>>() {
            self.end(number, access);
        }
        self.hand_on(access);
    }

    fn own(&mut self, client: ClientId, number: u64) -> Result<&mut Flow, Problem> {
        match self.flows.get_mut(&number) {
            Some(flow) if flow.client == client => Ok(flow),
            Some(_) => {
                let message =
                    format!("flow {number} is another client's: only the connection that made it uses it");
                Err(problem("not-permitted", message))
            }
            None => Err(problem("not-found", format!("there is no flow {number}, or it has ended"))),
        }
    }

    fn add(
        &mut self,
        (client, id): (ClientId, u64),
        who: Who,
        add: &Add,
        handed: Option<Handed>,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let missing = || problem("bad-request", "a socket comes as a descriptor, with `\"fd\":true`");
        let looked = handed.ok_or_else(missing)??;
        let peer = peer_of(&looked, add.destination)?;
        let key = (looked.cookie()?, peer);
        if who.sockets_only {
            self.has_room(who.uid)?;
        }
        if let Some(flow) = self.taken.get(&key) {
            let message =
                format!("the socket has flow {flow} for {peer} already: remove it from there first");
            return Err(problem("already-exists", message));
        }
        let way = way(&looked, peer, access)?;
        if let Some(number) = add.flow {
            let flow = self.own(client, number)?;
            if add.traffic.is_some_and(|traffic| traffic != flow.settings.traffic) {
                return Err(invalid(format!("flow {number} is for something else: `flow-set` changes that")));
            }
            if (flow.adaptive || add.adaptive) && !flow.members.is_empty() {
                let message =
                    "an adaptive flow has one socket: make another flow, or one that is not adaptive";
                return Err(invalid(message));
            }
        }
        let number = add.flow.unwrap_or_else(|| self.make(client, id, who.uid, add));
        let Looked { names, watch, sending, .. } = looked;
        let member = Member {
            local: names.local,
            transport: names.transport,
            sending,
            way: Some(way),
            request: id,
            _watch: watch,
        };
        if let Some(flow) = self.flows.get_mut(&number) {
            flow.members.insert(key, member);
        }
        self.taken.insert(key, number);
        let undo = if add.flow.is_some() { Undo::Member(key) } else { Undo::Flow };
        let done = Done { flow: Some(number), ..Done::default() };
        self.settle((client, id), number, done, undo, access);
        Ok(None)
    }

    fn make(&mut self, client: ClientId, request: u64, uid: u32, add: &Add) -> u64 {
        self.last_flow += 1;
        let settings = Settings {
            traffic: add.traffic.unwrap_or_default(),
            dscp: None,
            rate: None,
            admitted: !add.adaptive,
        };
        let flow = Flow { client, uid, adaptive: add.adaptive, settings, members: BTreeMap::new(), request };
        self.flows.insert(self.last_flow, flow);
        self.last_flow
    }

    /// Whether a user may have one socket more in a flow.
    fn has_room(&self, uid: u32) -> Result<(), Problem> {
        let of_user = || self.flows.values().filter(|flow| flow.uid == uid);
        let sockets: usize = of_user().map(|flow| flow.members.len()).sum();
        let most = self.limits.sockets;
        if sockets < most && of_user().count() < most {
            return Ok(());
        }
        let message = format!(
            "the programs of one user have {most} sockets in flows at most (`sockets_per_user` in [qos] of rsvpd.toml); end \
             others first"
        );
        Err(problem("quota", message))
    }

    fn set(
        &mut self,
        (client, id): (ClientId, u64),
        who: Who,
        set: &Set,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        self.own(client, set.flow)?;
        match (set.traffic, set.rate, set.dscp) {
            (Some(traffic), None, None) => {
                self.change((client, id), set.flow, |was| Settings { traffic, dscp: None, ..was }, access)
            }
            (None, Some(rate), None) => {
                check(&rate)?;
                let flow = self.own(client, set.flow)?;
                if flow.adaptive && rate.bandwidth_bps != NO_RATE {
                    return self.admit((client, id), set.flow, rate, access);
                }
                self.set_rate((client, id), set.flow, rate, access)
            }
            (None, None, Some(dscp)) => {
                self.may_set(who, dscp)?;
                self.change((client, id), set.flow, |was| Settings { dscp: Some(dscp), ..was }, access)
            }
            _ => Err(invalid("one of `traffic`, `rate` and `dscp` is set at a time")),
        }
    }

    /// A rate that is admitted, if that was needed.
    pub(super) fn set_rate(
        &mut self,
        asked: (ClientId, u64),
        number: u64,
        rate: OutgoingRate,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        tracing::info!(flow = number, bps = rate.bandwidth_bps, shaping = ?rate.shaping, reason = ?rate.reason, "the rate of a flow");
        let rate = Some(rate).filter(|rate| rate.bandwidth_bps != NO_RATE);
        self.change(asked, number, |was| Settings { rate, admitted: true, ..was }, access)
    }

    fn change(
        &mut self,
        asked: (ClientId, u64),
        number: u64,
        how: impl FnOnce(Settings) -> Settings,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let flow = self.own(asked.0, number)?;
        let before = flow.settings;
        flow.settings = how(before);
        self.settle(asked, number, Done::default(), Undo::Settings(before), access);
        Ok(None)
    }

    fn may_set(&self, who: Who, dscp: u8) -> Result<(), Problem> {
        if dscp > 63 {
            return Err(invalid(format!("{dscp} is no DSCP: 0 to 63")));
        }
        let allowed = || self.limits.dscps.get(&who.uid).is_some_and(|dscps| dscps.contains(&dscp));
        if !who.sockets_only || allowed() {
            return Ok(());
        }
        let message = format!(
            "user {} may not set DSCP {dscp}: `flow_dscps` in [qos] of rsvpd.toml allows it, or use the daemon's control socket; \
             traffic types are for everybody",
            who.uid
        );
        Err(problem("access-denied", message))
    }

    fn remove(
        &mut self,
        (client, id): (ClientId, u64),
        remove: &Remove,
        handed: Option<Handed>,
        access: &mut dyn EngineAccess,
    ) -> Result<Option<Done>, Problem> {
        let number = remove.flow;
        self.own(client, number)?;
        let Some(looked) = handed else {
            self.end(number, access);
            self.wait((client, id), number, Done::default(), Undo::Nothing);
            return Ok(None);
        };
        let cookie = looked?.cookie()?;
        let members = &self.own(client, number)?.members;
        let keys: Vec<_> = members.keys().filter(|(of, _)| *of == cookie).copied().collect();
        if keys.is_empty() {
            return Err(problem("not-found", format!("the socket is not in flow {number}")));
        }
        keys.into_iter().for_each(|key| self.leave(number, key));
        self.settle((client, id), number, Done::default(), Undo::Nothing, access);
        Ok(None)
    }

    /// A socket leaves a flow.
    fn leave(&mut self, number: u64, key: (u64, SocketAddr)) {
        self.taken.remove(&key);
        if let Some(flow) = self.flows.get_mut(&number) {
            flow.members.remove(&key);
            if flow.adaptive && flow.members.is_empty() {
                self.end_asking(number);
            }
        }
    }

    /// A flow ends, with all that waits for it.
    fn end(&mut self, number: u64, access: &mut dyn EngineAccess) {
        let Some(flow) = self.flows.remove(&number) else { return };
        for key in flow.members.keys() {
            self.taken.remove(key);
        }
        self.end_asking(number);
        self.end_waiting(number);
        self.follow(number, access);
    }

    fn list(&self, who: Who, access: &dyn EngineAccess) -> Done {
        let shown = self.flows.iter().filter(|(_, flow)| !who.sockets_only || flow.uid == who.uid);
        let row = |(number, flow): (&u64, &Flow)| Row {
            flow: *number,
            uid: flow.uid,
            traffic: flow.settings.traffic,
            adaptive: flow.adaptive,
            rate: flow.settings.rate,
            marks: flow.marks(flow.is_on_link(), self.limits.shape_only_marks),
            sockets: flow.members.iter().map(|(key, member)| socket_row(*key, member, access)).collect(),
        };
        Done { socket_flows: Some(shown.map(row).collect()), ..Done::default() }
    }
}

/// No peer of a socket comes before this one.
fn first_peer() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}
