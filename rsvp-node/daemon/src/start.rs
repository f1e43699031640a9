//! Starting and ending: opens what needs privileges, gives the privileges up, and puts the driver to work.

mod plane;

use super::config::{ConfigError, DaemonConfig, HooksWanted, Kind, Transport};
use super::control::server::{FromClient, Switchboard, serve};
use super::control::service::ControlService;
use super::data_plane::DataPlane;
use super::data_plane::bpf::Pins;
use super::data_plane::kernel;
use super::data_plane::worker::Worker;
use super::driver::{Alarm, Driver, EngineIo, Order, Pace, TICK_US};
use super::firewall::Firewall;
use super::handles::Handles;
use super::hooks::{self, Hooks};
use super::icmp::{self, IcmpErrors};
use super::links::Links;
use super::listening::Listening;
use super::lock::Lock;
use super::metrics;
use super::monitor::{Monitor, Notices};
use super::multicast::Multicast;
use super::netlink::Netlink;
use super::policies::{self, Policies};
use super::privilege;
use super::probe::{Prober, responder};
use super::queues::Sockets;
use super::receiver::Receiver;
use super::recorder::Recorder;
use super::routes::{self, Routes};
use super::signals::{heed_signals, notify};
use super::socket::Opened;
use super::udp::Encapsulation;
use rsvp_node::Engine;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::mpsc;

/// Lines of clients that may wait for the driver.
const CLIENT_QUEUE: usize = 1024;

/// Why there is no daemon.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// One is there already.
    #[error("an RSVP daemon runs in this network namespace already: use it, or stop it first")]
    AlreadyRunning,
    /// Not allowed to.
    #[error("{what}: not permitted; run as root, or with the capabilities CAP_NET_RAW and CAP_NET_ADMIN")]
    NotPermitted {
        /// What was tried.
        what: String,
    },
    /// Not allowed to open raw sockets.
    #[error(
        "{what}: not permitted; run as root, or with the capabilities CAP_NET_RAW and CAP_NET_ADMIN; a host does without \
         when routers serve UDP: `transport = \"udp\"` in [node] of rsvpd.toml, or --udp with --standalone"
    )]
    NoRawSockets {
        /// What was tried.
        what: String,
    },
    /// The system refused something.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        error: io::Error,
    },
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> DaemonError {
    move |error| match error.kind() {
        io::ErrorKind::PermissionDenied => DaemonError::NotPermitted { what: what.into() },
        _ => DaemonError::System { what: what.into(), error },
    }
}

/// What has to be opened with privileges, before there is a runtime.
pub(super) struct Prepared {
    config: DaemonConfig,
    lock: Lock,
    sockets: Opened,
    netlink: Netlink,
    notices: Notices,
    multicast: Multicast,
    firewall: Option<Firewall>,
    recorder: Option<Recorder>,
    plane: Result<Box<dyn DataPlane>, String>,
    policies: Policies,
    hooks: hooks::Opened,
    responder: Option<responder::Opened>,
    icmp: icmp::Opened,
    metrics: Option<std::net::TcpListener>,
}

/// What has to live as long as the daemon runs: the lock of the namespace, and the firewall's rules.
pub(super) struct Held {
    _lock: Lock,
    _firewall: Option<Firewall>,
    metrics: Option<std::net::TcpListener>,
}

impl Prepared {
    pub(super) fn open(config: DaemonConfig) -> Result<Self, DaemonError> {
        let lock = lock(&config)?;
        let sockets = open_sockets(&config)?;
        if !sockets.has_v6() {
            tracing::warn!("this system has no IPv6: only IPv4 sessions work");
        }
        let netlink = Netlink::open().map_err(failed("a netlink socket"))?;
        let notices = Notices::open().map_err(failed("a netlink socket for changes"))?;
        // A host that can only send UDP is no router, whatever its kernel does.
        let multicast = match config.node.transport {
            Transport::Udp => Multicast::default(),
            Transport::Raw => Multicast::open(&config.multicast, sockets.has_v6())
                .map_err(failed("making the kernel a multicast router"))?,
        };
        let firewall = firewall(&config);
        let recorder = config
            .journal
            .as_deref()
            .map(|path| Recorder::create(path).map_err(failed(format!("the journal {}", path.display()))));
        let recorder = recorder.transpose()?;
        let (plane, tables) = plane::open_data_plane(&config)?;
        let policies = Policies::open(&config, tables);
        let hooks = hooks::Opened::open(&config);
        let responder = config.responder.enabled.then(|| responder::Opened::open(config.responder.port()));
        let responder = responder.transpose().map_err(failed("the responder's UDP port"))?;
        // What is sent by UDP comes back to the socket that sent it, if at all.
        let icmp = match config.node.transport {
            Transport::Udp => icmp::Opened::default(),
            Transport::Raw => icmp::open(),
        };
        let metrics = metrics::open(&config)?;
        Ok(Self {
            metrics,
            config,
            lock,
            sockets,
            netlink,
            notices,
            multicast,
            firewall,
            recorder,
            plane,
            policies,
            hooks,
            responder,
            icmp,
        })
    }

    /// Needs a runtime around it.
    pub(super) fn into_driver(self) -> Result<(Driver, Held), DaemonError> {
        let Self {
            metrics,
            config,
            lock,
            sockets,
            netlink,
            notices,
            multicast,
            firewall,
            mut recorder,
            plane,
            policies,
            hooks,
            responder,
            icmp,
        } = self;
        let watching = "watching the sockets";
        let sockets = Sockets::new(sockets).map_err(failed(watching))?;
        let monitor = Monitor::new(notices).map_err(failed(watching))?;
        let state = config.node.state_folder();
        let (handles, complaint) =
            Handles::begin(state.as_deref()).map_err(failed("reading /dev/urandom"))?;
        if let Some(complaint) = complaint {
            tracing::info!(
                "neighbours have to learn new handles of interfaces after a restart before their requests are taken: {complaint}; \
                 give `state` in [node] a folder that this user may write"
            );
        }
        let links = Links::new(handles).map_err(failed("a socket for questions about interfaces"))?;
        let seeds = [RandomState::new().hash_one(0u8), RandomState::new().hash_one(1u8)];
        let timer_latency = std::time::Duration::from_micros(TICK_US);
        let engine_config = rsvp_node::Config { timer_latency, repeats_new: true, ..config.of_engine(seeds) };
        if let Some(recorder) = &mut recorder {
            recorder.boot(&engine_config);
        }
        let engine = Engine::new(engine_config);
        let routes = Routes { netlink, links, fixed: config.multicast_route.clone(), failed: 0 };
        // With the privileges that are left, and in this network namespace.
        let marks = plane.as_ref().map(|plane| plane.socket_marks()).unwrap_or_default();
        let plane = Worker::start(plane).map_err(failed("a thread for the data plane"))?;
        let encapsulation = Encapsulation::new(&config);
        let hooks = Hooks::start(hooks).map_err(failed(watching))?;
        let icmp = IcmpErrors::new(icmp).map_err(failed(watching))?;
        let alarm = Alarm::new().map_err(failed("a timer"))?;
        let mut service = ControlService::with_limits(config.qos.limits());
        service.bound_flows(config.qos.flow_limits());
        let shelf = config.qos.shelf();
        let (templates, complaints) = shelf.load();
        for complaint in complaints {
            tracing::warn!("a template that is not used: {complaint}");
        }
        service.keep_templates(templates);
        let mut node = EngineIo::new(engine, routes, Arc::new(sockets), encapsulation, plane, recorder);
        (node.shelf, node.signals, node.policies) = (shelf, config.signalling.enabled, policies);
        node.prober = Some(Prober::start(config.responder.port()).map_err(failed("a thread for measuring"))?);
        responder.map_or(Ok(()), responder::Opened::start).map_err(failed("a thread for the responder"))?;
        let driver = Driver {
            config,
            node,
            receiver: Receiver::new(),
            monitor,
            multicast,
            service,
            switchboard: Switchboard::default(),
            hooks,
            marks,
            icmp,
            pace: Pace::default(),
            alarm,
        };
        Ok((driver, Held { _lock: lock, _firewall: firewall, metrics }))
    }
}

fn open_sockets(config: &DaemonConfig) -> Result<Opened, DaemonError> {
    if config.node.transport == Transport::Udp {
        if routes::is_router(false) || routes::is_router(true) {
            tracing::warn!(
                "this node forwards packets, but with transport = \"udp\" it is only a host to RSVP"
            );
        }
        return Opened::udp_only().map_err(|e| failed(e.what)(e.error));
    }
    Opened::raw().map_err(|e| match e.error.kind() {
        io::ErrorKind::PermissionDenied => DaemonError::NoRawSockets { what: e.what.into() },
        _ => failed(e.what)(e.error),
    })
}

/// Takes away whatever a daemon that was killed has left in this network namespace; what it was, a line each.
pub(super) fn clean(config: &DaemonConfig) -> Result<Vec<String>, DaemonError> {
    let _lock = lock(config)?;
    let found =
        kernel::clean(config.data_plane.pins()).map(|found| [found, policies::clean(config)].concat());
    found.map_err(failed("removing what an earlier run has left"))
}

fn lock(config: &DaemonConfig) -> Result<Lock, DaemonError> {
    let user = config.user.as_deref().and_then(|name| privilege::user(name).ok());
    Lock::take(user.map(|user| user.uid.as_raw())).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => DaemonError::AlreadyRunning,
        _ => failed("the lock of this network namespace")(error),
    })
}

/// Keeps a router's kernel from forwarding multicast RSVP packets itself; without nf_tables, says what that means.
fn firewall(config: &DaemonConfig) -> Option<Firewall> {
    if config.node.transport == Transport::Udp
        || !config.multicast.firewall
        || !(routes::is_router(false) || routes::is_router(true))
    {
        return None;
    }
    match Firewall::install() {
        Ok(firewall) => Some(firewall),
        Err(error) => {
            tracing::warn!(
                "no firewall rule against a second copy of multicast RSVP packets ({error}): IPv6 multicast sessions, and \
                 IPv4 ones with a local receiver, may be seen twice downstream; `firewall = false` in [multicast] \
                 says that this is known"
            );
            None
        }
    }
}

/// Gives up all privileges that are not needed any more. A daemon within another program leaves that to the program.
pub(super) fn give_up_privileges(config: &DaemonConfig, control: &[Listening]) -> Result<(), DaemonError> {
    let name = config.user.as_deref().unwrap_or_default();
    let what = format!("running as the user \"{name}\"");
    let user = config.user.as_deref().map(privilege::user).transpose().map_err(failed(&what))?;
    for folder in control.iter().filter_map(Listening::made_folder) {
        // So that the socket can be taken away at the end.
        let uid = user.as_ref().map(|user| user.uid.as_raw());
        uid.map_or(Ok(()), |uid| std::os::unix::fs::chown(folder, Some(uid), None)).map_err(failed(&what))?;
    }
    if let Some(user) = &user
        && let Err(error) = config.qos.shelf().give_to(user.uid.as_raw())
    {
        tracing::warn!("no templates can be installed: their folder cannot be given to {name}: {error}");
    }
    if let Some(user) = &user {
        policies::give_to(config, user.uid.as_raw());
    }
    let raw = config.node.transport == Transport::Raw;
    if let (Some(user), Some(root)) = (&user, config.data_plane.pins().filter(|_| raw)) {
        // So that it can go on pinning, and take it away at the end.
        let pins = Pins::find(root).map_err(failed(&what))?;
        pins.map_or(Ok(()), |pins| pins.give_to(user.uid.as_raw())).map_err(failed(&what))?;
    }
    let maps = config.data_plane.kind != Kind::None || config.qos.hooks == HooksWanted::Auto;
    let kept = privilege::Kept { raw, maps: raw && maps };
    privilege::drop(user.as_ref(), kept).map_err(failed("giving up privileges"))
}

/// Where the configuration comes from, and what was said beside it, which holds whenever it is read again.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The file, or where there may be one.
    pub(super) file: Option<PathBuf>,
    /// The control socket.
    pub(super) socket: Option<PathBuf>,
    /// Where what stands in the kernel is pinned.
    pub(super) pins: Option<PathBuf>,
}

impl Source {
    pub(super) fn read(&self) -> Result<DaemonConfig, ConfigError> {
        let mut config = DaemonConfig::load(self.file.as_deref())?;
        if let Some(socket) = &self.socket {
            config.control.socket.clone_from(socket);
        }
        if let Some(pins) = &self.pins {
            config.data_plane.pins = Some(pins.clone());
        }
        Ok(config)
    }
}

/// Runs `rsvpd` until SIGTERM, SIGINT or SIGUSR2; `reread` is what SIGHUP reads again.
pub(super) async fn serve_until_told(
    prepared: Prepared,
    control: Vec<Listening>,
    reread: Source,
) -> Result<(), DaemonError> {
    let (driver, mut held) = prepared.into_driver()?;
    let (to_driver, clients) = mpsc::channel(CLIENT_QUEUE);
    let mut servers = Vec::new();
    for socket in &control {
        let server = serve(socket.listener()?, socket.access.clone(), driver.keepers(), to_driver.clone());
        servers.push(tokio::spawn(server));
    }
    if let Some(listener) = held.metrics.take() {
        servers.push(tokio::spawn(metrics::serve(listener, to_driver.clone())));
    }
    drop(to_driver);
    let (order, orders) = mpsc::channel(1);
    let signals = tokio::spawn(heed_signals(order, reread).map_err(failed("signals"))?);
    notify(&[sd_notify::NotifyState::Ready]);
    let sockets =
        control.iter().map(|socket| socket.path.display().to_string()).collect::<Vec<_>>().join(", ");
    tracing::info!(sockets, "rsvpd {} is ready", env!("CARGO_PKG_VERSION"));
    driver.run(clients, orders).await;
    notify(&[sd_notify::NotifyState::Stopping]);
    signals.abort();
    servers.iter().for_each(tokio::task::JoinHandle::abort);
    control.iter().for_each(Listening::remove);
    tracing::info!("rsvpd ends");
    Ok(())
}

/// Runs a daemon with this configuration until SIGTERM or SIGINT, or, leaving what it has in the kernel, SIGUSR2. SIGHUP reads the
/// default file again.
pub async fn run(config: DaemonConfig) -> Result<(), DaemonError> {
    let control_config = config.clone();
    let prepared = Prepared::open(config)?;
    let control = Listening::open(&control_config)?;
    serve_until_told(prepared, control, Source::default()).await
}

/// A daemon within this program.
#[derive(Debug)]
pub struct Standalone {
    /// What its server would tell a driver; hand it to [`attend`](super::control::server::attend).
    pub driver: mpsc::Sender<FromClient>,
    order: mpsc::Sender<Order>,
    task: tokio::task::JoinHandle<()>,
}

impl Standalone {
    /// Withdraws everything that was asked for, and ends.
    pub async fn stop(self) {
        let _ = self.order.send(Order::Stop).await;
        let _ = self.task.await;
    }
}

/// Starts a daemon within this program, without control socket and signals. What it has in the kernel goes with the program.
pub async fn start_standalone(mut config: DaemonConfig) -> Result<Standalone, DaemonError> {
    config.data_plane.pins = Some(PathBuf::new());
    // No descriptor comes from within.
    config.qos.hooks = HooksWanted::Off;
    config.metrics.listen = None;
    let (driver, held) = Prepared::open(config)?.into_driver()?;
    let (to_driver, clients) = mpsc::channel(CLIENT_QUEUE);
    let (order, orders) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        driver.run(clients, orders).await;
        drop(held);
    });
    Ok(Standalone { driver: to_driver, order, task })
}
