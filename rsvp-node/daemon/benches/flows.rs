//! What flows of sockets cost, and what a responder costs who is flooded: prints the tables of `docs/performance.md`. Needs root, and works
//! in a network namespace of its own.

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use nix::time::{ClockId, clock_gettime};
use rsvpd::data_plane::bpf::{Attach, Capacity, Egress, Flow, Limits, Mode, SocketPeer, Treatment};
use rsvpd::probe::responder;
use socket2::SockRef;
use std::error::Error;
use std::fs;
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Command, ExitCode};
use std::time::Duration;

type Done<T> = Result<T, Box<dyn Error>>;

/// Packets of one round, and rounds of each kind: in turn, so that what others do on the machine is the same for all.
const PACKETS: u32 = 5_000;
const ROUNDS: usize = 300;
const PORT: u16 = 16_980;

fn ip(line: &str) -> Done<()> {
    let done = Command::new("ip").args(line.split(' ')).status()?;
    if done.success() { Ok(()) } else { Err(format!("ip {line}").into()) }
}

/// Nanoseconds of the processor for a packet of 64 octets in a loop that sends.
fn sending(socket: &UdpSocket) -> Done<f64> {
    let of_thread = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    let before = of_thread()?;
    for _ in 0..PACKETS {
        // Nobody answers on the other side: its errors do not count.
        let _ = socket.send(&[0; 36]);
    }
    Ok((of_thread()? - before).as_nanos() as f64 / f64::from(PACKETS))
}

/// A link that leads nowhere, and a socket that sends there.
fn link(name: &str, net: &str) -> Done<()> {
    ip(&format!("link add {name}0 type veth peer name {name}1"))?;
    ip(&format!("addr add {net}.1/24 dev {name}0"))?;
    ip(&format!("link set {name}0 up"))?;
    ip(&format!("link set {name}1 up"))?;
    ip(&format!("neigh add {net}.2 lladdr 02:00:00:00:00:02 dev {name}0"))
}

fn connected(net: &str) -> Done<UdpSocket> {
    let socket = UdpSocket::bind(format!("{net}.1:0"))?;
    socket.connect(format!("{net}.2:9"))?;
    Ok(socket)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn marked() -> Done<()> {
    ["v", "w", "x"]
        .into_iter()
        .zip(["10.9.0", "10.9.1", "10.9.2"])
        .try_for_each(|(name, net)| link(name, net))?;
    let sockets = [connected("10.9.0")?, connected("10.9.1")?, connected("10.9.2")?, connected("10.9.2")?];
    let [.., own] = &sockets;
    let mut egress = Egress::load(Capacity { flows: 64, keys: 256, interfaces: 16 })?;
    egress.attach("w0", Attach::Auto)?;
    let (interface, _) = egress.attach("x0", Attach::Auto)?;
    let cookie = SockRef::from(own).cookie()?;
    egress.socket_marks().mark(own.as_fd(), cookie)?;
    let conforming = Treatment { dscp: Some(46), ..Treatment::default() };
    let excess = Treatment::default();
    let flow = egress.add_flow(&Flow { mode: Mode::Shape, limits: Limits::default(), conforming, excess })?;
    egress.set_socket(interface, &SocketPeer { cookie, peer: "10.9.2.2:9".parse()? }, flow)?;
    let mut found: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (socket, found) in sockets.iter().zip(&mut found) {
            found.push(sending(socket)?);
        }
    }
    let names = [
        "no program",
        "the program, and a socket without a flow",
        "beside a flow of another socket",
        "a marked flow",
    ];
    let found = found.map(median);
    println!("A UDP packet of 64 octets in a loop that sends, the median of {ROUNDS} rounds of {PACKETS}:");
    for (name, each) in names.into_iter().zip(found) {
        println!("  {name:34} {each:5.0} ns ({:.3})", each / found[0]);
    }
    Ok(())
}

/// Processor time of the thread of a name, as the kernel's scheduler has it.
fn used(thread: &str) -> Done<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let folder = task?.path();
        if fs::read_to_string(folder.join("comm"))?.trim() == thread {
            let said = fs::read_to_string(folder.join("schedstat"))?;
            let nanos = said.split(' ').next().unwrap_or_default().parse()?;
            return Ok(Duration::from_nanos(nanos));
        }
    }
    Err(format!("no thread is called {thread}").into())
}

#[expect(clippy::disallowed_methods, reason = "a flood has a pace")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Sends forged datagrams, with pauses so that they find room.
fn flood(to: SocketAddr, count: u32) -> Done<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(to)?;
    // A packet of a train with a cookie that is none: "rsvp", its kind, and 1,372 octets in all.
    let mut forged = b"rsvp\x05\0\0\x01".to_vec();
    forged.resize(1_372, 0xa5);
    for n in 0..count {
        let _ = socket.send(&forged);
        if n % 32 == 0 {
            pause(Duration::from_micros(300));
        }
    }
    Ok(())
}

/// Reads and forgets.
fn read_and_discard(socket: &UdpSocket) {
    let mut octets = vec![[0_u8; 2_048]; 64];
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(64, None);
    loop {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            octets.iter_mut().map(|room| [IoSliceMut::new(room)]).collect();
        let received =
            recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_WAITFORONE, None);
        if received.is_err() {
            return;
        }
    }
}

fn forged() -> Done<()> {
    const COUNT: u32 = 100_000;
    ip("link set lo up")?;
    responder::serve(PORT)?;
    let bare = UdpSocket::bind("127.0.0.1:0")?;
    let to = bare.local_addr()?;
    std::thread::Builder::new().name("bare".to_owned()).spawn(move || read_and_discard(&bare))?;
    // A thread has its name once it runs.
    while used("responder").is_err() || used("bare").is_err() {
        pause(Duration::from_millis(1));
    }
    let mut ratios = Vec::new();
    for _ in 0..7 {
        let mut spent = [Duration::ZERO; 2];
        for (place, (thread, to)) in
            [("responder", SocketAddr::from(([127, 0, 0, 1], PORT))), ("bare", to)].into_iter().enumerate()
        {
            let before = used(thread)?;
            flood(to, COUNT)?;
            pause(Duration::from_millis(50));
            spent[place] = used(thread)?.saturating_sub(before);
        }
        let each = spent.map(|time| time.as_nanos() as f64 / f64::from(COUNT));
        println!("A forged probe: responder {:.0} ns, recvmmsg alone {:.0} ns", each[0], each[1]);
        ratios.push(each[0] / each[1]);
    }
    println!("  median of the ratios: {:.2}", median(ratios));
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let done =
        unshare(CloneFlags::CLONE_NEWNET).map_err(Box::from).and_then(|()| marked()).and_then(|()| forged());
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
