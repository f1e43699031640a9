//! Policies on real kernels: programs that ask for nothing, files that say what is to become of their packets, and captures that
//! show it.

mod chosen;
mod conditions;
mod endpoints;
mod identity;
mod many;
mod marked;
mod outlived;
mod rates;
mod settings;
mod stores;
mod urls;

use super::capture::Capture;
use super::eventually;
use super::net::Net;
use super::plane::seen::{Seen, seen};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the server is.
const SERVER: &str = "10.0.1.2";
const CURL: &str = "/usr/bin/curl";

/// Two hosts on a link, `a` with a daemon that sees the cgroups and has stores of its own.
struct Site {
    net: Net,
}

/// Whether the machine has the hierarchy of cgroups that hooks need; says so where it has not.
fn has_cgroups(test: &str) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").expect("mounts");
    let has = mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup2"));
    if !has {
        crate::skipped(&format!("{test}: skipped, no cgroup2 is mounted here"));
    }
    has
}

impl Site {
    /// With the stores empty.
    fn new(test: &str) -> Option<Self> {
        Self::with(test, "")
    }

    /// And with more in the configuration.
    fn with(test: &str, more: &str) -> Option<Self> {
        let mut this = Self::without_daemon(test)?;
        this.start("a", more);
        Some(this)
    }

    fn without_daemon(test: &str) -> Option<Self> {
        if !has_cgroups(test) {
            return None;
        }
        let mut net = Net::new(test)?;
        net.host("a");
        net.host("b");
        net.link("a", "b");
        Some(Self { net })
    }

    fn start(&mut self, node: &str, more: &str) {
        let config = self.config(node, more);
        self.net.daemon_with_cgroups(node, &config);
    }

    fn config(&self, node: &str, more: &str) -> String {
        let folder = |store: &str| self.store(node, store).display().to_string();
        format!(
            "[data_plane]\nkind = \"kernel\"\npins = \"\"\n[interfaces]\nbandwidth = \"100mbit\"\n[policies]\nactive = \"{}\"\n\
             persistent = \"{}\"\nvendor = \"{}\"\n{more}",
            folder("active"),
            folder("persistent"),
            folder("vendor")
        )
    }

    fn store(&self, node: &str, store: &str) -> PathBuf {
        self.net.file(&format!("{node}-{store}.d"))
    }

    /// Writes a file into a node's persistent store, and waits until it is read.
    fn say(&self, node: &str, name: &str, text: &str) -> Value {
        let folder = self.store(node, "persistent");
        std::fs::create_dir_all(&folder).expect("a folder");
        // Whole or not at all: it is read whenever it changes.
        let beside = folder.join(format!(".{name}.new"));
        std::fs::write(&beside, text).expect("a file");
        std::fs::rename(&beside, folder.join(format!("{name}.toml"))).expect("in its place");
        self.refreshed(node)
    }

    /// Has all read again; gives what there is, once the data plane has carried it out.
    fn refreshed(&self, node: &str) -> Value {
        let mut client = self.net.client(node);
        let mut done = client.ask(json!({"request": "policy-refresh"})).expect("it is read");
        // Answered after whatever the data plane had to do before.
        client.ask(json!({"request": "list", "what": "flows"})).expect("a listing");
        done["policy"].take()
    }

    /// What was given to open sockets of a process, or to all.
    fn explained(&self, node: &str, members: &Value) -> Vec<Value> {
        let mut request = members.clone();
        request["request"] = json!("policy-explain");
        let mut done = self.net.client(node).ask(request).expect("an explanation");
        done["policy"]["sockets"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A web server at `b` by an unmodified program; gives its port.
    fn serves(&mut self, port: u16) {
        let mut server = self.net.command("b", &python().display().to_string());
        server.args(["-m", "http.server", "--protocol", "HTTP/1.1", "--bind", SERVER, &port.to_string()]);
        server.current_dir("/etc").stdout(Stdio::null()).stderr(Stdio::null());
        self.net.others.push(server.spawn().expect("python runs"));
        self.listens_at(port);
    }

    /// Waits until somebody at `b` listens at a port, and sends nothing for that.
    fn listens_at(&self, port: u16) {
        let (at, listening) = (format!(":{port:04X} "), " 0A ");
        eventually("a server", || {
            let sockets = self.net.exec("b", &["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
            sockets.lines().any(|line| line.contains(&at) && line.contains(listening)).then_some(())
        });
    }

    /// Fetches a page with a copy of curl, or curl itself, as a user.
    fn fetches(&self, curl: &str, port: u16, by: &[&str]) {
        let url = format!("http://{SERVER}:{port}/hostname");
        let mut line = by.to_vec();
        line.extend([curl, "-s", "-o", "/dev/null", url.as_str()]);
        self.net.exec("a", &line);
    }

    /// What `b` sees on the link from now on; one for each test.
    fn captures(&mut self) -> Capture {
        self.net.capture_many("b", "to-a", "tcp or udp or vlan")
    }

    /// The packets from and to a port after so many of it, once the connections that begin there are closed on both sides.
    fn sent(&self, capture: &Capture, port: u16, after: usize) -> Vec<Seen> {
        eventually("both sides have closed", || {
            let all = seen(capture, port).split_off(after);
            let count = |is: &dyn Fn(&Seen) -> bool| all.iter().filter(|packet| is(packet)).count();
            let opened = count(&|packet| packet.flags & 0x12 == 2);
            let closed = count(&|packet| packet.flags & 1 != 0 && packet.ports.1 == port);
            let answered = count(&|packet| packet.flags & 1 != 0 && packet.ports.0 == port);
            let is_over = all.last().is_some_and(|packet| packet.flags & 1 == 0);
            (opened > 0 && closed >= opened && answered >= opened && is_over).then_some(all)
        })
    }
}

/// The interpreter itself, not a link to it.
fn python() -> PathBuf {
    let said = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("python3 runs");
    let said = String::from_utf8(said.stdout).expect("a path");
    std::fs::canonicalize(said.trim()).expect("it is there")
}

/// A policy as a file has it.
fn policy(name: &str, conditions: &str, action: &str) -> String {
    format!("[[policy]]\nname = \"{name}\"\nmatch = {{ {conditions} }}\naction = {{ {action} }}\n")
}

/// The DSCPs of packets to a port, each once.
fn dscps(packets: &[Seen], port: u16) -> Vec<u8> {
    let mut found: Vec<u8> = packets.iter().filter(|packet| packet.ports.1 == port).map(Seen::dscp).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A datagram from `a` to a port of `b`, by a socket that is bound where it says.
fn sends(net: &Net, from: &str, to: &str) -> UdpSocket {
    net.within("a", || {
        let socket = UdpSocket::bind(from).expect("a socket");
        socket.send_to(b"hello", to).expect("sent");
        socket
    })
}

/// The DSCP of the latest datagram from one port to another.
fn datagram(capture: &Capture, from: u16, to: u16, count: usize) -> u8 {
    eventually("a datagram", || {
        let all: Vec<Seen> = seen(capture, to).into_iter().filter(|p| p.ports == (from, to)).collect();
        (all.len() >= count).then(|| all[count - 1].dscp())
    })
}

/// Listens at `b`.
fn listens(net: &Net, port: u16) -> TcpListener {
    net.within("b", || TcpListener::bind((SERVER, port)).expect("a listener"))
}

/// Connects from `a`.
fn connects(net: &Net, port: u16) -> TcpStream {
    let to: SocketAddr = format!("{SERVER}:{port}").parse().expect("an address");
    net.within("a", || TcpStream::connect(to).expect("connected"))
}
