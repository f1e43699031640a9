//! Networks of namespaces: made by a test for itself under names of its own, and taken away when it ends, also by a panic.

use super::client::Client;
use super::eventually;
use crate::programs;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A small network: its nodes are namespaces, its links pairs of virtual Ethernet interfaces. The interface that leads
/// to node `b` is called `to-b`; the n-th link has 10.0.n.0/24 and fd00:n::/64, its first node .1, its second .2.
pub(crate) struct Net {
    prefix: String,
    folder: PathBuf,
    nodes: Vec<String>,
    links: u32,
    daemons: BTreeMap<String, Child>,
    /// Where a bpffs of the test's own is mounted.
    bpffs: Option<PathBuf>,
    pub(crate) others: Vec<Child>,
}

impl Net {
    /// An empty network, or nothing where namespaces cannot be made; says so then, and fails where they have to be.
    pub(crate) fn new(test: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            assert!(std::env::var_os("RSVP_REQUIRE_NAMESPACES").is_none(), "namespaces need root");
            crate::skipped(&format!("daemon {test}: skipped, network namespaces need root"));
            return None;
        }
        let prefix = format!("rt{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&prefix);
        fs::create_dir_all(&folder).expect("a folder for the test");
        let (nodes, daemons, others) = (vec![], BTreeMap::new(), vec![]);
        Some(Self { prefix, folder, nodes, links: 0, daemons, bpffs: None, others })
    }

    pub(super) fn namespace(&self, node: &str) -> String {
        format!("{}-{node}", self.prefix)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Mounts a bpffs for all nodes; gives where.
    pub(super) fn bpffs(&mut self) -> PathBuf {
        let path = self.file("bpffs");
        fs::create_dir_all(&path).expect("a folder");
        let mounted =
            Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&path).status().expect("mount runs");
        assert!(mounted.success(), "a bpffs");
        self.bpffs = Some(path.clone());
        path
    }

    /// A host.
    pub(crate) fn host(&mut self, node: &str) {
        self.nodes.push(node.to_owned());
        ip(&format!("netns add {}", self.namespace(node)));
        self.ip(node, "link set lo up");
    }

    /// A router.
    pub(super) fn router(&mut self, node: &str) {
        self.host(node);
        self.sysctl(node, "net.ipv4.ip_forward", "1");
        self.sysctl(node, "net.ipv6.conf.all.forwarding", "1");
    }

    pub(crate) fn sysctl(&self, node: &str, name: &str, value: &str) {
        self.exec(node, &["sysctl", "-qw", &format!("{name}={value}")]);
    }

    /// Joins two nodes.
    pub(crate) fn link(&mut self, one: &str, other: &str) {
        self.links += 1;
        let n = self.links;
        let (one_space, other_space) = (self.namespace(one), self.namespace(other));
        ip(&format!(
            "link add to-{other} netns {one_space} type veth peer name to-{one} netns {other_space}"
        ));
        for (node, peer, end) in [(one, other, 1), (other, one, 2)] {
            // Without duplicate address detection, which takes a second.
            self.sysctl(node, &format!("net.ipv6.conf.to-{peer}.accept_dad"), "0");
            self.ip(node, &format!("addr add 10.0.{n}.{end}/24 dev to-{peer}"));
            self.ip(node, &format!("addr add fd00:{n}::{end}/64 dev to-{peer} nodad"));
            self.ip(node, &format!("link set to-{peer} up"));
        }
    }

    /// Joins nodes by a bridge of its own; addresses .1, .2 and so on in their order, interfaces `to-lan`.
    pub(super) fn lan(&mut self, nodes: &[&str]) {
        self.links += 1;
        let n = self.links;
        self.host("lan");
        self.ip("lan", "link add bridge type bridge mcast_snooping 0");
        self.ip("lan", "link set bridge up");
        for (end, node) in (1..).zip(nodes) {
            let (lan, space) = (self.namespace("lan"), self.namespace(node));
            ip(&format!("link add to-{node} netns {lan} type veth peer name to-lan netns {space}"));
            self.ip("lan", &format!("link set to-{node} master bridge up"));
            self.sysctl(node, "net.ipv6.conf.to-lan.accept_dad", "0");
            self.ip(node, &format!("addr add 10.0.{n}.{end}/24 dev to-lan"));
            self.ip(node, &format!("addr add fd00:{n}::{end}/64 dev to-lan nodad"));
            self.ip(node, "link set to-lan up");
        }
    }

    /// Waits until the kernel takes IPv6 multicast in from an interface, which is up to a second after its link is up.
    pub(super) fn hears_ipv6_groups(&self, node: &str, interface: &str) {
        let routes = ["ip", "-6", "route", "show", "table", "local", "dev", interface];
        eventually("a route for IPv6 groups", || {
            self.exec(node, &routes).contains("multicast ff00::/8").then_some(())
        });
    }

    /// A default route in both families: to the node at the other end of a link.
    pub(super) fn default_route(&self, node: &str, link: u32, end: u32) {
        self.ip(node, &format!("route add default via 10.0.{link}.{end}"));
        self.ip(node, &format!("-6 route add default via fd00:{link}::{end}"));
    }

    /// Two hosts and a router between them: `a` - `r` - `b`, links 1 and 2.
    pub(super) fn three_in_a_row(test: &str) -> Option<Self> {
        let mut net = Self::new(test)?;
        net.host("a");
        net.router("r");
        net.host("b");
        net.link("a", "r");
        net.link("r", "b");
        net.default_route("a", 1, 2);
        net.default_route("b", 2, 1);
        Some(net)
    }

    /// Two hosts and two routers between them: `a` - `r` - `q` - `b`, links 1 to 3.
    pub(super) fn four_in_a_row(test: &str) -> Option<Self> {
        let mut net = Self::new(test)?;
        net.host("a");
        net.router("r");
        net.router("q");
        net.host("b");
        net.link("a", "r");
        net.link("r", "q");
        net.link("q", "b");
        for (node, link, end) in [("a", 1, 2), ("r", 2, 2), ("q", 2, 1), ("b", 3, 1)] {
            net.default_route(node, link, end);
        }
        Some(net)
    }

    pub(crate) fn ip(&self, node: &str, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.namespace(node)));
    }

    /// A command within a node.
    pub(crate) fn command(&self, node: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(node), program]);
        command
    }

    pub(crate) fn exec(&self, node: &str, line: &[&str]) -> String {
        let done = self.command(node, line[0]).args(&line[1..]).output().expect("it runs");
        assert!(done.status.success(), "{line:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    pub(super) fn socket(&self, node: &str) -> PathBuf {
        self.file(&format!("{node}.sock"))
    }

    /// What the daemon of a node has logged.
    pub(super) fn log(&self, node: &str) -> String {
        fs::read_to_string(self.file(&format!("{node}.log"))).unwrap_or_default()
    }

    /// Runs a daemon with this configuration and waits until it answers.
    pub(super) fn daemon(&mut self, node: &str, config: &str) {
        let child = self.start(node, config);
        self.answers(node, child);
    }

    /// The same by another command, to which its configuration and socket are added.
    pub(super) fn daemon_by(&mut self, node: &str, config: &str, command: Command) {
        // Where any user may make its socket.
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&self.folder, all).expect("a folder of the test's own");
        let child = self.run(node, config, command);
        self.answers(node, child);
    }

    /// Runs a daemon that sees the cgroups of this machine, and waits until it answers: `ip netns exec` hides them behind a /sys of
    /// its own.
    pub(super) fn daemon_with_cgroups(&mut self, node: &str, config: &str) {
        self.daemon_by(node, config, self.with_cgroups(node));
    }

    /// The same for many nodes, whose daemons start at once.
    pub(super) fn daemons_with_cgroups(&mut self, configs: &[(String, String)]) {
        let start = |(node, config): &(String, String)| self.run(node, config, self.with_cgroups(node));
        let children: Vec<Child> = configs.iter().map(start).collect();
        for ((node, _), child) in configs.iter().zip(children) {
            self.answers(node, child);
        }
    }

    fn with_cgroups(&self, node: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace(node))).arg(programs::rsvpd());
        command
    }

    /// Runs a daemon as a user without any privilege, and waits until it answers.
    pub(super) fn unprivileged_daemon(&mut self, node: &str, config: &str) {
        let program = self.program("rsvpd");
        let mut command = self.unprivileged(node);
        command.arg(program);
        self.daemon_by(node, config, command);
    }

    /// A program where anybody may run it, wherever it was built.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let program = self.file(name);
        if !program.exists() {
            // By a process of its own: a file that this one writes is open in the children of other tests for a moment, and
            // what is open for writing cannot be run.
            let copied = Command::new("cp").arg(programs::folder().join(name)).arg(&program).status();
            assert!(copied.expect("cp runs").success(), "{name} is copied");
        }
        program
    }

    /// A command to run another one, which is to be added, as a user without any privilege.
    pub(super) fn unprivileged(&self, node: &str) -> Command {
        let mut command = self.command(node, "setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]);
        command.args(["--bounding-set", "-all", "--inh-caps", "-all"]);
        command
    }

    fn answers(&mut self, node: &str, mut child: Child) {
        eventually("a daemon that answers", || {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "{node}: {ended:?}: {}", self.log(node));
            Client::open(&self.socket(node))
        });
        self.daemons.insert(node.to_owned(), child);
    }

    /// Starts a daemon and does not wait.
    pub(super) fn start(&self, node: &str, config: &str) -> Child {
        self.run(node, config, self.command(node, &programs::rsvpd().display().to_string()))
    }

    fn run(&self, node: &str, config: &str, mut command: Command) -> Child {
        let file = self.file(&format!("{node}.toml"));
        // What it keeps between its starts goes with the test.
        let state = format!("[node]\nstate = {:?}\n", self.folder);
        let config = match config.contains("[node]\n") {
            true => config.replacen("[node]\n", &state, 1),
            false => format!("{config}\n{state}"),
        };
        fs::write(&file, config).expect("a configuration is written");
        let log = fs::OpenOptions::new().create(true).append(true).open(self.file(&format!("{node}.log")));
        command.arg("--config").arg(file).arg("--socket").arg(self.socket(node));
        command.stderr(log.expect("a log")).stdout(Stdio::null()).stdin(Stdio::null());
        command.spawn().expect("rsvpd starts")
    }

    pub(super) fn pid(&self, node: &str) -> u32 {
        self.daemons[node].id()
    }

    /// Sends a signal to a daemon.
    pub(super) fn signal(&self, node: &str, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.pid(node) as i32);
        nix::sys::signal::kill(pid, signal).expect("it runs");
    }

    /// Waits for a daemon to end, which it was asked to.
    pub(super) fn ended(&mut self, node: &str) -> std::process::ExitStatus {
        let mut child = self.daemons.remove(node).expect("a daemon that ran");
        eventually("a daemon that ends", || child.try_wait().expect("a child"))
    }

    pub(super) fn client(&self, node: &str) -> Client {
        Client::open(&self.socket(node)).unwrap_or_else(|| panic!("{node}: {}", self.log(node)))
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for child in self.daemons.values_mut().chain(&mut self.others) {
            let _ = child.kill();
            let _ = child.wait();
        }
        for node in &self.nodes {
            if std::thread::panicking() {
                eprintln!("--- log of {node}\n{}", self.log(node));
            }
            let _ = Command::new("ip").args(["netns", "del", &self.namespace(node)]).status();
        }
        if let Some(path) = &self.bpffs {
            let _ = Command::new("umount").arg("--lazy").arg(path).status();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).output().expect("iproute2 is installed");
    assert!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}
