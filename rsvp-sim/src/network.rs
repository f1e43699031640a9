//! Virtual nodes with daemons that applications of this process talk to: an application's own tests, against virtual routers.
//!
//! Each node that is asked for has the control service of `rsvpd` over its engine, and a [`Client`] talks to it as to the daemon
//! itself, over a pipe. Virtual time goes on when the test says so and not otherwise. Whoever is told something then has its
//! turn, as often as it asks for more, before anything else happens in the world.
//!
//! ```
//! use rsvp_client::{Announcement, Event, Reservation, Service, Traffic};
//! use rsvp_sim::{Network, World};
//! use std::net::SocketAddr;
//! use std::time::Duration;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let world = World::builder().hosts(["studio", "home"]).router("r").link("studio", "r", |l| l);
//!     let network = Network::new(world.link("r", "home", |l| l.rate("10mbit")).build()?);
//!     let (camera, viewer) = (network.client("studio").await?, network.client("home").await?);
//!     let to = format!("udp {}", SocketAddr::new(network.address("home")?, 5000)).parse()?;
//!     let from = SocketAddr::new(network.address("studio")?, 4000).to_string().parse()?;
//!
//!     let mut receiving = viewer.session(to).await?;
//!     let sending = camera.session(to).await?;
//!     sending.announce(Announcement::new(from, Traffic::of(2e6))).await?;
//!     let path = network.until(receiving.next_event(), Duration::from_secs(1)).await.flatten();
//!     let Some(Event::Path { sender, traffic, .. }) = path else { panic!("{path:?}") };
//!     receiving.reserve(Reservation::fixed(sender.0, Service::ControlledLoad { traffic })).await?;
//!     network.run_until(Duration::from_secs(2)).await;
//!     assert_eq!(network.look(|world| world.node("r").map(|r| r.reservations().len()))?, 1);
//!     Ok(())
//! }
//! ```
//!
//! What is not here: data, and sockets with QoS that are handed over, for which a node has to be of the kernel's (`rsvp-sim lab`).
//! A group is a session of the world; who opens it is its member.

use crate::scenario::model::{NodeId, SessionId};
use crate::world::News;
use crate::{ScenarioError, World};
use core::net::{IpAddr, Ipv4Addr};
use core::panic::Location;
use core::pin::pin;
use core::time::Duration;
use rsvp_client::{Client, ClientError};
use rsvp_node::{
    AppId, Command, Engine, Host as _, Input, Instant, InterfaceId, Outcome, RouteAnswer, RouteQuery,
};
use rsvp_wire::{SenderTemplate, Session};
use rsvpd::control::server::{FromClient, Switchboard, attend, next_client};
use rsvpd::control::service::{ControlService, EngineAccess};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;
use tokio::task::yield_now;

/// Octets of a pipe.
const PIPE: usize = 1 << 16;
/// What clients of a node may have said before it is heard.
const WAITING: usize = 64;
/// Turns of everybody after which nobody has anything more to ask: a line goes through five tasks at most.
const TURNS: u32 = 32;

/// A world whose nodes have daemons. Clones are the same one; it ends with the last.
///
/// It needs a tokio runtime of one thread, as `#[tokio::test]` and `#[tokio::main(flavor = "current_thread")]` have it: only there is
/// it known when everybody has had a turn. [`client`](Self::client) refuses others.
#[derive(Clone, Debug)]
pub struct Network {
    state: Arc<Mutex<State>>,
}

/// Why a node cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// There is no such node.
    #[error(transparent)]
    Unknown(#[from] ScenarioError),
    /// It has no daemon.
    #[error("{node} has no daemon: it {why}")]
    NoDaemon {
        /// The node.
        node: String,
        /// Why.
        why: &'static str,
    },
    /// Whoever asks runs where it is not known when everybody has had a turn.
    #[error(
        "virtual daemons need a tokio runtime of one thread, and this is {found}: use #[tokio::test], or #[tokio::main(flavor = \
         \"current_thread\")]"
    )]
    Runtime {
        /// What there is.
        found: &'static str,
    },
    /// Its daemon cannot be talked to.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The daemon of a node.
#[derive(Debug)]
struct Daemon {
    service: ControlService,
    board: Switchboard,
    door: mpsc::Sender<FromClient>,
    /// Which of the node's lives it is of.
    life: u64,
}

#[derive(Debug)]
struct State {
    world: World,
    daemons: BTreeMap<NodeId, Daemon>,
    members: Members,
    /// How much clients have said.
    heard: u64,
}

/// Applications that have opened the sessions of groups.
type Members = BTreeMap<(SessionId, NodeId), BTreeSet<AppId>>;

/// A node's engine for its control service.
struct Access<'n> {
    world: &'n mut World,
    members: &'n mut Members,
    node: NodeId,
}

impl Network {
    /// A world as it is. Its own applications, if there are any, go on.
    #[must_use]
    pub fn new(mut world: World) -> Self {
        world.invite();
        let state = State { world, daemons: BTreeMap::new(), members: Members::new(), heard: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An application at a node. When the node crashes, the connection ends, as that to a daemon would.
    ///
    /// # Errors
    ///
    /// There is no such node (the nearest one is named), or none that speaks RSVP now; or it is asked for outside of a tokio runtime
    /// of one thread.
    #[track_caller]
    pub fn client(&self, node: &str) -> impl Future<Output = Result<Client, NetworkError>> + use<> {
        let door = self.door(node, Location::caller());
        async move {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            tokio::spawn(attend(theirs, next_client(), door?));
            Ok(Client::over(ours).await?)
        }
    }

    fn door(&self, name: &str, from: &Location<'_>) -> Result<mpsc::Sender<FromClient>, NetworkError> {
        fit(Handle::try_current().ok().map(|runtime| runtime.runtime_flavor()))?;
        let mut state = self.lock();
        let node = state.world.node_id(name, from)?;
        // Nodes come to life in the first moment.
        state.go_on(Instant::ZERO);
        if let Some(why) = state.world.without_daemon(node) {
            return Err(NetworkError::NoDaemon { node: name.to_owned(), why });
        }
        if let Some(daemon) = state.daemons.get(&node) {
            return Ok(daemon.door.clone());
        }
        let (door, said) = mpsc::channel(WAITING);
        let life = state.world.life(node);
        let service = ControlService::beside(state.world.applications());
        let daemon = Daemon { service, board: Switchboard::default(), door: door.clone(), life };
        state.daemons.insert(node, daemon);
        tokio::spawn(hear(Arc::downgrade(&self.state), node, life, said));
        Ok(door)
    }

    /// An address of a node: that of its first link.
    ///
    /// # Errors
    ///
    /// There is no such node; the nearest one is named.
    #[track_caller]
    pub fn address(&self, node: &str) -> Result<IpAddr, ScenarioError> {
        let state = self.lock();
        let node = state.world.node_id(node, Location::caller())?;
        Ok(state.world.topology().first_address(node).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.lock().world.now().as_micros())
    }

    /// Looks at the world, or does something to it: `|world| world.link_down("r1-r2")`. Time does not go on meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut state = self.lock();
        let seen = look(&mut state.world);
        state.pass_on();
        seen
    }

    /// Lets everything happen that happens up to a time since the start, and at it.
    pub async fn run_until(&self, time: Duration) {
        self.until(core::future::pending::<()>(), time).await;
    }

    /// Lets time go on until something has come, such as `session.next_event()`, and no longer than to a time since the start:
    /// nothing is returned if it has not come by then.
    pub async fn until<T>(&self, what: impl Future<Output = T>, time: Duration) -> Option<T> {
        let mut what = pin!(what);
        let end = Instant::ZERO + time;
        let mut is_over = false;
        loop {
            tokio::select! {
                biased;
                come = &mut what => return Some(come),
                () = self.everybody_acts() => {}
            }
            if is_over {
                return None;
            }
            is_over = !self.lock().go_on(end);
        }
    }

    /// Lets all tasks of this thread go on until nobody asks for anything.
    async fn everybody_acts(&self) {
        let (mut turns, mut before) = (0, self.lock().heard);
        while turns < TURNS {
            yield_now().await;
            let heard = self.lock().heard;
            turns = if heard == before { turns + 1 } else { 0 };
            before = heard;
        }
    }
}

/// Refuses runtimes in which nobody knows when everybody has had a turn.
fn fit(runtime: Option<RuntimeFlavor>) -> Result<(), NetworkError> {
    match runtime {
        Some(RuntimeFlavor::CurrentThread) => Ok(()),
        Some(_) => Err(NetworkError::Runtime { found: "one of several" }),
        None => Err(NetworkError::Runtime { found: "none" }),
    }
}

/// Takes in what the clients of a node say, for as long as the network is there and the node lives.
async fn hear(state: Weak<Mutex<State>>, node: NodeId, life: u64, mut said: mpsc::Receiver<FromClient>) {
    while let Some(from) = said.recv().await {
        let Some(state) = state.upgrade() else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.hear(node, life, from) {
            return;
        }
    }
}

impl State {
    /// A client of a node has said something; false if it talks to a daemon that is gone.
    fn hear(&mut self, node: NodeId, life: u64, from: FromClient) -> bool {
        let Self { world, daemons, members, heard } = self;
        let Some(daemon) = daemons.get_mut(&node).filter(|daemon| daemon.life == life) else { return false };
        *heard += 1;
        daemon.board.handle(from, &mut daemon.service, &mut Access { world, members, node });
        self.pass_on();
        true
    }

    /// Goes on until somebody is told something, at most to a time; false when nothing more happens until then.
    fn go_on(&mut self, end: Instant) -> bool {
        while self.world.may_go_on() && self.world.advance(end) {
            if self.pass_on() {
                return true;
            }
        }
        false
    }

    /// Passes on what has happened to the nodes; says whether there was anything.
    fn pass_on(&mut self) -> bool {
        let mut any = false;
        self.daemons.retain(|node, daemon| {
            let lives = self.world.life(*node) == daemon.life && self.world.without_daemon(*node).is_none();
            any |= !lives;
            lives
        });
        let Self { world, daemons, members, .. } = self;
        loop {
            for (node, news) in world.news() {
                let Some(daemon) = daemons.get_mut(&node) else { continue };
                any = true;
                match news {
                    News::Event(event) => daemon.service.event(&event),
                    News::TrafficControl(change) => {
                        let name = world.interface_name(node, change.interface);
                        daemon.service.traffic_control(&change, name);
                    }
                    News::Routes => daemon.service.routes_changed(&mut Access { world, members, node }),
                }
            }
            let mut is_more = false;
            for (node, Daemon { service, board, .. }) in daemons.iter_mut() {
                let access = &mut Access { world: &mut *world, members: &mut *members, node: *node };
                board.deliver(service, access);
                while board.is_more(service) {
                    board.go_on(service, access);
                    board.deliver(service, access);
                }
                is_more |= access.world.has_news();
            }
            if !is_more {
                return any;
            }
        }
    }
}

impl Access<'_> {
    /// Who opens the session of a group is its member until nobody of the node has it open.
    fn join(&mut self, app: AppId, session: &Session, joins: bool) {
        let Some(group) = self.world.group(session) else { return };
        let open = self.members.entry((group, self.node)).or_default();
        let before = open.is_empty();
        if joins {
            open.insert(app);
        } else {
            open.remove(&app);
        }
        if before != open.is_empty() {
            self.world.guests_listen(group, self.node, joins);
        }
    }
}

impl EngineAccess for Access<'_> {
    fn command(&mut self, command: Command<'_>) -> Outcome {
        let outcome = self.world.input(self.node, Input::Command(command));
        match command {
            Command::OpenSession { app, session } if !matches!(outcome, Outcome::Refused(_)) => {
                self.join(app, &session, true);
            }
            Command::Release { app, session } => self.join(app, &session, false),
            _ => {}
        }
        outcome
    }

    fn engine(&self) -> &Engine {
        self.world.engine(self.node)
    }

    fn leaves_by(&mut self, session: &Session, sender: &SenderTemplate) -> Option<InterfaceId> {
        let source = Some(sender.0.address());
        match self
            .world
            .routes(self.node)
            .route(RouteQuery { source, ..RouteQuery::to(session.destination()) })
        {
            RouteAnswer::Known(route) => route.outgoing.first().copied(),
            _ => None,
        }
    }

    fn source_for(&mut self, destination: IpAddr, interface: Option<InterfaceId>) -> Option<IpAddr> {
        let by =
            interface.or_else(|| match self.world.routes(self.node).route(RouteQuery::to(destination)) {
                RouteAnswer::Known(route) => route.outgoing.first().copied(),
                _ => None,
            });
        self.world.topology().address_of(self.node, by?)
    }

    fn interface_name(&self, id: InterfaceId) -> Option<&str> {
        self.world.interface_name(self.node, id)
    }

    fn now(&self) -> Instant {
        self.world.clock(self.node)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_runtime_of_one_thread_will_do() {
        assert!(fit(Some(RuntimeFlavor::CurrentThread)).is_ok());
        for (runtime, found) in [(Some(RuntimeFlavor::MultiThread), "one of several"), (None, "none")] {
            let said = fit(runtime).expect_err("it will not do").to_string();
            assert!(said.contains(found) && said.contains("use #[tokio::test]"), "{said}");
        }
    }
}
