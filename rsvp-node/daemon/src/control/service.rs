//! The service: clients of the control socket on one side, the engine's applications on the other (RFC 2205 section 3.11.1).
//!
//! Pure: lines come in, lines go out, commands go through [`EngineAccess`]. One client is one application of the engine; when
//! it is gone, so is everything that it asked for. No I/O, no clock; who may talk is decided by the server.

mod access;
mod any_address;
mod asked;
mod earlier;
mod flows;
mod lists;
mod seen;
mod sockets;
mod tc;
mod templates;

pub use lists::Piece;

pub use access::EngineAccess;
pub(crate) use asked::{named, peak_above, refused_claim};

use super::descriptors::Handed;
use super::{listing, refusals};
use crate::flow_service::FlowService;
use crate::qos_service::QosService;
use crate::tc_service::TcService;
use asked::{carried, make_reservation, of_sender};
use rsvp_control::flows::CAN_FLOWS;
use rsvp_control::policy::CAN_POLICY;
use rsvp_control::rows::ReservationRow;
use rsvp_control::sockets::{CAN_QOS, CAN_TEMPLATES};
use rsvp_control::tc::CAN_TC;
use rsvp_control::{
    self, Adspec, Done, LONGEST_LINE, Line, Problem, Request, Sender, VERSION, Watched, is_any_address,
};
use rsvp_node::qos::Templates;
use rsvp_node::{AppId, Command, Event, InterfaceId, Outcome, ReservationId, TcChange, TrafficControl};
use rsvp_wire::{SenderTemplate, Session};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Names a connection of the control socket; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Who a client is, and what it may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub uid: u32,
    /// It came where any user may: it may ask about QoS sockets, within the quotas, and nothing else.
    pub sockets_only: bool,
}

/// Clients and what they have asked for.
#[derive(Debug, Default)]
pub struct ControlService {
    clients: BTreeMap<ClientId, Client>,
    apps: BTreeMap<AppId, ClientId>,
    next_app: u32,
    /// Numbers below it are those of others who drive the engine.
    first_app: u32,
    /// What is installed, while somebody has subscribed: a removal names only the id.
    installed: BTreeMap<ReservationId, ReservationRow>,
    /// Path state and requests as they were last told, while somebody has.
    state: seen::State,
    /// What happened of late, for those who ask afterwards.
    earlier: earlier::Earlier,
    outgoing: VecDeque<(ClientId, String)>,
    /// Sessions that addresses have opened and closed, until the answer to the request has been said.
    by_address: Vec<any_address::Change>,
    /// What is listed for whom.
    lists: lists::Lists,
    /// What clients have handed over.
    qos: QosService,
    /// Traffic by name.
    templates: Templates,
    /// Flows of those, without signalling.
    socket_flows: FlowService,
    /// Flows that clients have made by hand.
    tc: TcService,
}

#[derive(Debug)]
struct Client {
    app: AppId,
    who: Who,
    /// Sockets that came and were named by no line yet.
    handed: VecDeque<Handed>,
    /// Those that it named.
    sessions: BTreeSet<Session>,
    /// Sessions of sockets that are bound to any address, and those that are open because of them.
    any: BTreeSet<Session>,
    followed: BTreeSet<Session>,
    /// Senders that follow routing, and where it has them leave.
    routed: BTreeMap<(Session, SenderTemplate), (Sender, Option<InterfaceId>)>,
    /// What it announces.
    senders: BTreeSet<(Session, SenderTemplate)>,
    subscribed: bool,
}

impl ControlService {
    /// Where something else gives commands to the engine, too, for applications whose numbers are below this one.
    #[must_use]
    pub fn beside(applications: u32) -> Self {
        Self { next_app: applications, first_app: applications, ..Self::default() }
    }

    /// A client is there: it is greeted with the version and what the daemon is.
    pub fn opened(&mut self, client: ClientId, who: Who) {
        let app = self.unused_app();
        self.apps.insert(app, client);
        self.clients.insert(client, Client::new(app, who));
        let daemon = Some(concat!("rsvpd ", env!("CARGO_PKG_VERSION")).to_owned());
        let can = [CAN_QOS, CAN_TEMPLATES, CAN_FLOWS, CAN_POLICY, CAN_TC];
        let can = can.into_iter().filter(|can| !who.sockets_only || *can != CAN_TC);
        let can = Some(can.map(str::to_owned).collect());
        self.say(client, &Line { version: Some(VERSION), daemon, can, ..Line::default() });
    }

    /// A client asks: does it, and puts the reply into [`outgoing`](Self::outgoing).
    pub fn request(&mut self, client: ClientId, line: &str, access: &mut dyn EngineAccess) {
        let (id, request) = read(line);
        let may = self.clients.get(&client).is_some_and(|client| !client.who.sockets_only);
        let request = match request {
            Ok(Request::List { what, session, at_most }) if may => {
                return self.list(client, id, (what, session, at_most), access);
            }
            Ok(Request::TcQuery(query)) if may => return self.ask_tc(client, id, query),
            Ok(request) if request.is_about_flows() => {
                return self.about_socket_flow(client, id.unwrap_or_default(), request, access);
            }
            request => request,
        };
        let done = request.and_then(|request| self.act(client, request, access));
        let (ok, error) = match done {
            Ok(done) => (Some(done), None),
            Err(problem) => (None, Some(problem)),
        };
        self.say(client, &Line { id, ok, error, ..Line::default() });
        self.say_what_addresses_did();
        self.say_what_sockets_are_told();
        self.say_what_flows_did();
    }

    /// A client sent a line that was too long to be read: it is told so.
    pub fn overlong(&mut self, client: ClientId) {
        let message = format!("a line of more than {LONGEST_LINE} octets is not read: ask for less at once");
        let error = Some(Problem::new("line-too-long", message));
        self.say(client, &Line { error, ..Line::default() });
    }

    /// A client is gone: all of its senders and reservations are withdrawn.
    pub fn gone(&mut self, client: ClientId, access: &mut dyn EngineAccess) {
        let Some(gone) = self.clients.remove(&client) else { return };
        self.apps.remove(&gone.app);
        self.lists.forget(client);
        withdraw(&gone, access);
        self.qos.gone(client, access);
        self.tc.gone(client, access);
        self.socket_flows.gone(client, access);
        access.forget_policies_of(client);
        self.say_what_flows_did();
        self.forget_installed_unless_watched();
    }

    /// The daemon ends: everything that clients asked for is withdrawn.
    pub fn everyone_gone(&mut self, access: &mut dyn EngineAccess) {
        self.qos.everyone_gone(access);
        self.tc.everyone_gone(access);
        self.socket_flows.everyone_gone(access);
        self.say_what_flows_did();
        for client in self.clients.values_mut() {
            withdraw(client, access);
            *client = Client { subscribed: client.subscribed, ..Client::new(client.app, client.who) };
        }
    }

    /// Routes may have changed: data of this node's own senders may leave elsewhere now. (Of others' the engine asks itself.)
    pub fn routes_changed(&mut self, access: &mut dyn EngineAccess) {
        for client in self.clients.values_mut() {
            for ((session, template), (sender, by)) in &mut client.routed {
                let now = access.leaves_by(session, template);
                // It was taken as it is before.
                let Ok(carried) = carried(&sender.policy, &sender.dclass, sender.tclass) else { continue };
                let announced = of_sender(client.app, sender, now, &carried);
                if now != *by && now.is_some() && command(announced, access).is_ok() {
                    *by = now;
                }
            }
        }
        self.sockets_look_again(access);
    }

    /// The engine has told an application something (every `Output::Event`).
    pub fn event(&mut self, event: &Event) {
        if self.qos.event(event) {
            self.say_what_sockets_are_told();
        }
        let Some(said) = rsvp_control::Event::of(event) else {
            tracing::warn!(?event, "an event that the control protocol has no word for is not told");
            return;
        };
        if let Some(&client) = self.apps.get(&event.app) {
            self.say(client, &Line { event: Some(said.clone()), ..Line::default() });
        }
        self.saw(Watched::Application { application: event.app.0, event: said });
    }

    /// The engine has changed a reservation (every `Output::TrafficControl`); those that subscribed are told. Costs
    /// nothing when nobody did.
    pub fn traffic_control(&mut self, change: &TrafficControl, interface: Option<&str>) {
        if !self.is_watched() {
            return;
        }
        let watched = match &change.change {
            TcChange::Install(reservation) => {
                let on = interface.map_or_else(|| format!("interface {}", change.interface.0), str::to_owned);
                let row = listing::reservation(change.reservation, &on, reservation);
                self.installed.insert(change.reservation, row.clone());
                Some(Watched::Reserved(row))
            }
            TcChange::Remove => self.installed.remove(&change.reservation).map(Watched::Unreserved),
        };
        if let Some(watched) = watched {
            self.tell_watchers(|| watched);
        }
    }

    /// The next line for a client, in order.
    pub fn outgoing(&mut self) -> Option<(ClientId, String)> {
        self.outgoing.pop_front()
    }

    /// Numbers come round after two thousand million clients; one that is in use is passed over.
    fn unused_app(&mut self) -> AppId {
        loop {
            let app = AppId(self.next_app);
            // The upper half of the numbers is that of sockets.
            self.next_app = (self.next_app.wrapping_add(1) & (u32::MAX >> 1)).max(self.first_app);
            if !self.apps.contains_key(&app) {
                return app;
            }
        }
    }

    fn say(&mut self, client: ClientId, line: &Line) {
        // Nothing in a line can fail to be written: its maps have names as keys, its numbers are finite.
        if let Ok(line) = serde_json::to_string(line) {
            self.outgoing.push_back((client, line));
        }
    }

    /// Whether somebody wants to know of everything.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.clients.values().any(|client| client.subscribed)
    }

    fn tell_watchers(&mut self, watched: impl FnOnce() -> Watched) {
        if !self.is_watched() {
            return;
        }
        let line = Line { watched: Some(watched()), ..Line::default() };
        let watchers: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| client.subscribed).map(|(id, _)| *id).collect();
        for client in watchers {
            self.say(client, &line);
        }
    }

    fn forget_installed_unless_watched(&mut self) {
        if !self.is_watched() {
            self.installed.clear();
            self.state = seen::State::default();
        }
    }

    fn subscribe(&mut self, client: ClientId, access: &dyn EngineAccess) {
        if !self.is_watched() {
            let rows = access
                .engine()
                .reservations()
                .map(|(id, on, view)| (id, listing::reservation(id, &listing::name(on, access), &view)));
            self.installed = rows.collect();
            self.state = seen::State::of(access);
        }
        self.clients.entry(client).and_modify(|client| client.subscribed = true);
    }

    fn act(
        &mut self,
        client: ClientId,
        request: Request,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let of_client = self.clients.get(&client).map(|client| (client.app, client.who));
        let (app, who) = of_client.ok_or_else(|| bad_request("this client was not opened"))?;
        if request.is_about_sockets() {
            return self.about_socket(client, request, access);
        }
        if request.is_about_policies() {
            return access.about_policies(client, who, request);
        }
        if request.is_about_templates() {
            return self.about_template(who, request, access);
        }
        if who.sockets_only {
            return Err(Problem::new("not-permitted", NO_MORE_HERE));
        }
        let session = match request {
            Request::Subscribe {} => {
                self.subscribe(client, access);
                return Ok(Done::default());
            }
            Request::Unsubscribe {} => {
                self.clients.entry(client).and_modify(|client| client.subscribed = false);
                self.forget_installed_unless_watched();
                return Ok(Done::default());
            }
            Request::CloseSession { session } => return self.close(client, session, access),
            Request::RemoveSender { session, sender } => {
                command(Command::RemoveSender { app, session, sender }, access)?;
                self.clients.entry(client).and_modify(|client| client.forget(session, sender));
                return Ok(Done::default());
            }
            Request::Release { session } => {
                command(Command::ReleaseReservation { app, session }, access)?;
                return Ok(Done::default());
            }
            Request::OpenSession { session } if is_any_address(&session) => {
                return self.open_any_address(client, session, access);
            }
            Request::OpenSession { session } => {
                command(Command::OpenSession { app, session }, access)?;
                session
            }
            Request::Sender(sender) => self.announce(client, app, sender, access)?,
            Request::Reserve(reserve) => {
                let session = make_reservation(app, &reserve, access)?;
                if self.clients.get(&client).is_some_and(|client| client.followed.contains(&session)) {
                    // It stands for as long as the address does.
                    return Ok(Done::default());
                }
                session
            }
            other => return self.about_tc(client, other, access),
        };
        self.clients.entry(client).and_modify(|client| {
            client.sessions.insert(session);
        });
        Ok(Done::default())
    }

    fn announce(
        &mut self,
        client: ClientId,
        app: AppId,
        asked: Sender,
        access: &mut dyn EngineAccess,
    ) -> Result<Session, Problem> {
        if asked.adspec != Adspec::Null {
            peak_above(&asked.traffic)?;
        }
        let (session, sender) = (asked.session, asked.sender);
        let named = named(asked.interface.as_deref(), access)?;
        let interface = named.or_else(|| access.leaves_by(&session, &sender));
        let carried = carried(&asked.policy, &asked.dclass, asked.tclass)?;
        command(of_sender(app, &asked, interface, &carried), access)?;
        self.clients.entry(client).and_modify(|client| {
            client.routed.remove(&(session, sender));
            client.senders.insert((session, sender));
            if named.is_none() && !session.is_multicast() {
                client.routed.insert((session, sender), (asked, interface));
            }
        });
        Ok(session)
    }
}

impl Client {
    /// It does not announce a sender any more.
    fn forget(&mut self, session: Session, sender: SenderTemplate) {
        self.routed.remove(&(session, sender));
        self.senders.remove(&(session, sender));
    }

    fn new(app: AppId, who: Who) -> Self {
        Self {
            app,
            who,
            handed: VecDeque::new(),
            sessions: BTreeSet::new(),
            any: BTreeSet::new(),
            followed: BTreeSet::new(),
            routed: BTreeMap::new(),
            senders: BTreeSet::new(),
            subscribed: false,
        }
    }
}

/// What those hear who ask for more than they may.
const NO_MORE_HERE: &str = "only requests about sockets (`qos-` and `flow-` and on, `track`, `untrack`), `template-list`, `template-read`, \
     `policy-list`, `policy-explain` and `policy-match` are taken on this socket: the daemon's control socket takes all, from root and \
     members of its group";

/// The `id`, as soon as there is one, and the request.
fn read(line: &str) -> (Option<u64>, Result<Request, Problem>) {
    let mut object: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(line) {
        Ok(object) => object,
        Err(error) => {
            return (None, Err(bad_request(&format!("expected one JSON object in a line: {error}"))));
        }
    };
    let Some(id) = object.remove("id").and_then(|id| id.as_u64()) else {
        return (None, Err(bad_request("`id` has to be there, a whole number that the answer repeats")));
    };
    let request = serde_json::from_value(serde_json::Value::Object(object));
    (Some(id), request.map_err(|error| bad_request(&error.to_string())))
}

fn bad_request(why: &str) -> Problem {
    Problem::new("bad-request", why)
}

fn command(command: Command<'_>, access: &mut dyn EngineAccess) -> Result<(), Problem> {
    match access.command(command) {
        Outcome::Refused(why) => Err(refusals::refusal(why, &command, access)),
        _ => Ok(()),
    }
}

fn withdraw(client: &Client, access: &mut dyn EngineAccess) {
    for &session in client.sessions.union(&client.followed) {
        // Refused when nothing of it is left, which is what is wanted.
        let _ = access.command(Command::Release { app: client.app, session });
    }
}
