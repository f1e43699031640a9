//! What reservations cost in the kernel, through the data plane as the daemon has it: how long it takes to install them, and what
//! a packet costs by the system call that sends it. Prints the tables of `docs/performance.md`. Needs root, and works in a
//! network namespace of its own.

use nix::sched::{CloneFlags, unshare};
use rsvp_node::{InterfaceId, Police, Remark, Reservation, ReservationId, TcChange, TrafficControl};
use rsvp_wire::{FilterSpec, Flowspec, Rspec, Session, Style, Tspec};
use rsvpd::config::DaemonConfig;
use rsvpd::data_plane::bpf::{Attach, Capacity};
use rsvpd::data_plane::kernel::Kernel;
use rsvpd::data_plane::{DataPlane, Facts, Surroundings};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const UDP: u8 = 17;
/// Changes that the data plane is given at once: what has come while it was busy.
const AT_ONCE: usize = 1_000;
const OCTETS: usize = 72;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A pair of virtual interfaces; what goes to the other end is for nobody there.
struct Link {
    name: String,
    index: u32,
    /// The second octet of its addresses, 10.n.0.1 here and 10.n.0.2 there.
    net: u8,
}

fn ip(arguments: &str) -> Result<()> {
    let done = Command::new("ip").args(arguments.split(' ')).output()?;
    let why = || format!("ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    if done.status.success() { Ok(()) } else { Err(why().into()) }
}

impl Link {
    fn new(net: u8) -> Result<Self> {
        let name = format!("v{net}");
        ip(&format!("link add {name} type veth peer name {name}p"))?;
        ip(&format!("addr add 10.{net}.0.1/24 dev {name}"))?;
        ip(&format!("link set {name} up"))?;
        ip(&format!("link set {name}p up"))?;
        ip(&format!("neigh add 10.{net}.0.2 lladdr 02:00:00:00:00:99 nud permanent dev {name}"))?;
        let index =
            std::fs::read_to_string(format!("/sys/class/net/{name}/ifindex")).or_else(|_| index_of(&name))?;
        Ok(Self { index: index.trim().parse()?, name, net })
    }

    fn facts(&self) -> Result<Facts> {
        Ok(Facts {
            name: self.name.clone(),
            rate: 12_500_000_000,
            mtu: 1500,
            overhead: 0,
            manner: DaemonConfig::parse(Path::new("rsvpd.toml"), "")?.manner_of(&self.name),
            keep: Duration::from_secs(1),
        })
    }

    /// A reservation for what port 4000 here sends to a port and address there.
    fn reservation(&self, n: u32, guaranteed: bool) -> TrafficControl {
        let tspec = Tspec {
            rate: 1_000.0,
            bucket: 3_000.0,
            peak: f32::INFINITY,
            min_policed_unit: 64,
            max_packet_size: 1_500,
        };
        let rspec = Rspec { rate: 1_000.0, slack: 0 };
        let flowspec =
            if guaranteed { Flowspec::Guaranteed(tspec, rspec) } else { Flowspec::ControlledLoad(tspec) };
        let to = self.to(n);
        let told = Reservation {
            session: Session::new(to.ip(), UDP, to.port()),
            style: Style::FF,
            filters: vec![FilterSpec::new(Ipv4Addr::new(10, self.net, 0, 1).into(), 4000)],
            flowspec,
            charge_bps: 8_000,
            police: Police { entry: true, ..Police::default() },
            remark: Remark::default(),
        };
        self.change(n, TcChange::Install(told))
    }

    fn change(&self, n: u32, change: TcChange) -> TrafficControl {
        let reservation = ReservationId { index: u32::from(self.net) << 20 | n, generation: 0 };
        TrafficControl { reservation, interface: InterfaceId(self.index), change }
    }

    /// Where flow number n goes: of as many ports as there can be, and then of another address.
    fn to(&self, n: u32) -> SocketAddr {
        let address = Ipv4Addr::new(10, self.net, 0, 2 + (n / 50_000) as u8);
        (address, 1_000 + (n % 50_000) as u16).into()
    }
}

/// Where sysfs is another namespace's, `ip` knows.
fn index_of(name: &str) -> std::io::Result<String> {
    let listed = Command::new("ip").args(["-o", "link", "show", "dev", name]).output()?;
    Ok(String::from_utf8_lossy(&listed.stdout).split(':').next().unwrap_or_default().to_owned())
}

/// The data plane with these links, and room for so many flows.
fn plane(links: &[&Link], flows: u32) -> Result<Kernel> {
    let capacity = Capacity { flows, keys: flows, interfaces: 16 };
    let mut plane = Kernel::open(Attach::Auto, capacity, None)?;
    let mut interfaces = BTreeMap::new();
    for link in links {
        interfaces.insert(link.index, link.facts()?);
    }
    plane.look(Surroundings { interfaces, own: BTreeSet::new() }, Duration::ZERO);
    Ok(plane)
}

/// Processor time of this thread, the kernel's for it included.
fn processor() -> Result<Duration> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = said.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(first.parse()?))
}

/// Has changes carried out, many at once; gives the processor's and the clock's time for each.
#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn apply(plane: &mut Kernel, changes: Vec<TrafficControl>) -> Result<[f64; 2]> {
    let count = changes.len() as f64;
    let (before, started) = (processor()?, Instant::now());
    let mut rest = changes.into_iter().peekable();
    while rest.peek().is_some() {
        let answers = plane.apply(rest.by_ref().take(AT_ONCE).collect(), Duration::ZERO);
        if let Some(why) = answers.into_iter().find_map(|answer| answer.failure) {
            return Err(why.into());
        }
    }
    let (took, passed) = (processor()?.saturating_sub(before), started.elapsed());
    Ok([took, passed].map(|time| time.as_secs_f64() * 1e6 / count))
}

/// Installing and removing reservations, in microseconds each.
fn install(link: &Link) -> Result<()> {
    println!("| reservations | install: processor, clock | a second | remove: processor, clock |");
    println!("|---|---|---|---|");
    let guaranteed = [100, 1_000, 4_000].map(|count| (true, count));
    let controlled_load = [1_000, 100_000].map(|count| (false, count));
    for (guaranteed, count) in guaranteed.into_iter().chain(controlled_load) {
        let mut plane = plane(&[link], count.max(1_024))?;
        let installs = (0..count).map(|n| link.reservation(n, guaranteed)).collect();
        let [processor, clock] = apply(&mut plane, installs)?;
        let removals = (0..count).map(|n| link.change(n, TcChange::Remove)).collect();
        let gone = apply(&mut plane, removals)?;
        let what = if guaranteed { "Guaranteed" } else { "Controlled-Load" };
        println!(
            "| {count} {what} | {processor:.1} µs, {clock:.1} µs | {:.0} | {:.1} µs, {:.1} µs |",
            1e6 / clock,
            gone[0],
            gone[1]
        );
        plane.end();
    }
    println!();
    Ok(())
}

/// Sends one datagram to each of these; gives the time of one.
#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn send(socket: &UdpSocket, to: &[SocketAddr]) -> Result<f64> {
    let octets = [0; OCTETS];
    let started = Instant::now();
    for to in to {
        socket.send_to(&octets, to)?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e9 / to.len() as f64)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Few reservations on one interface and many on another, in turns, so that whatever else the machine does meets both.
fn send_loops() -> Result<()> {
    println!("| a datagram of 100 octets by sendto | none | 10 | 4,000 | ratio to 10 |");
    println!("|---|---|---|---|---|");
    let links = [Link::new(20)?, Link::new(21)?, Link::new(22)?];
    let mut plane = plane(&[&links[0], &links[1], &links[2]], 8_192)?;
    let counts = [0, 10, 4_000];
    for (link, count) in links.iter().zip(counts) {
        apply(&mut plane, (0..count).map(|n| link.reservation(n, false)).collect())?;
    }
    let socket = UdpSocket::bind("0.0.0.0:4000")?;
    for (what, same) in [("the same flow again and again", true), ("each of another flow", false)] {
        let mut times = [const { Vec::new() }; 3];
        // An order that no cache knows; the flow that is sent is the same share of all on each link.
        let mut drawn = 1_u32;
        for _ in 0..400 {
            for (link, (count, times)) in links.iter().zip(counts.iter().zip(&mut times)) {
                let next = || {
                    drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let among = if same { 1 } else { u64::from((*count).max(10)) };
                    link.to(((u64::from(drawn) * among) >> 32) as u32)
                };
                let to: Vec<SocketAddr> = std::iter::repeat_with(next).take(1_000).collect();
                times.push(send(&socket, &to)?);
            }
        }
        let [none, few, many] = times.map(|mut times| median(&mut times));
        println!("| {what} | {none:.0} ns | {few:.0} ns | {many:.0} ns | {:.3} |", many / few);
    }
    println!();
    plane.end();
    Ok(())
}

fn main() -> ExitCode {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        eprintln!("a network namespace needs root: {error}");
        return ExitCode::FAILURE;
    }
    match Link::new(10).and_then(|link| install(&link)).and_then(|()| send_loops()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
