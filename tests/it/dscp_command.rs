//! `rsvp dscp check` on packets that kernels sent in network namespaces, and in files that are written here: what is marked
//! is told from what is not, each packet counts once, and what could not be seen is no proof.

use crate::daemon::eventually;
use crate::daemon::net::Net;
use crate::programs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Longer than anything here takes: a check that nobody ends does so itself.
const AT_MOST: &str = "120s";

fn rsvp() -> String {
    programs::folder().join("rsvp").display().to_string()
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts a command and waits for a line of its standard error or output.
    fn start(mut command: Command, line: &str) -> Self {
        let errors = line == "ready";
        let piped = |wanted: bool| if wanted { Stdio::piped() } else { Stdio::null() };
        command.stdin(Stdio::null()).stderr(piped(errors)).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut begun = String::new();
        match (&mut child.stderr, &mut child.stdout) {
            (Some(errors), _) => BufReader::with_capacity(1, errors).read_line(&mut begun),
            (None, output) => {
                BufReader::with_capacity(1, output.as_mut().expect("piped")).read_line(&mut begun)
            }
        }
        .expect("a line");
        let this = Self(child);
        assert_eq!(begun.trim_end(), line);
        this
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).expect("it runs");
    }
}

/// A check that captures; it waits for Ctrl-C.
struct Check(Running);

impl Check {
    fn start(net: &Net, node: &str, interface: &str, filter: &str) -> Self {
        let mut command = net.command(node, &rsvp());
        command.args(["dscp", "check", "--interface", interface, "--expect", "ef", "--ready", "--json"]);
        command.args(["--for", AT_MOST]).args(filter.split(' '));
        Self(Running::start(command, "ready"))
    }

    /// Presses Ctrl-C. The exit status, and what was found.
    fn end(self) -> (i32, Value) {
        self.0.signal(Signal::SIGINT);
        self.result()
    }

    fn result(mut self) -> (i32, Value) {
        let mut text = String::new();
        let mut output = self.0.0.stdout.take().expect("piped");
        std::io::Read::read_to_string(&mut output, &mut text).expect("UTF-8");
        let status = self.0.0.wait().expect("it ends").code().expect("it exits by itself");
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }
}

/// A node with loopback.
fn host(test: &str) -> Option<Net> {
    let mut net = Net::new(test)?;
    net.host("a");
    Some(net)
}

/// Python's own server, as everybody has it, once it listens.
fn http_server(net: &Net, address: &str) -> Running {
    let mut command = net.command("a", "python3");
    command.args(["-m", "http.server", "8086", "--bind", address]).current_dir(net.file(""));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Running(command.spawn().expect("python3 runs"));
    eventually("a server", || states(net).contains(&"0A".to_owned()).then_some(()));
    server
}

/// A server that may be marked, and may leave it to the client to close.
const SERVER: &str = r#"
import socket, sys
address, tos, closes_first = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "first"
six = ":" in address
server = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
if six: server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
else: server.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
server.bind((address, 8086))
server.listen()
print("listening", flush=True)
while True:
    peer, _ = server.accept()
    request = b""
    while b"\r\n\r\n" not in request: request += peer.recv(4096)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000)
    if not closes_first:
        while peer.recv(4096): pass
    peer.close()
"#;

fn server(net: &Net, address: &str, tos: &str, closes: &str) -> Running {
    let mut command = net.command("a", "python3");
    command.args(["-c", SERVER, address, tos, closes]);
    Running::start(command, "listening")
}

/// The states of the connections from or to port 8086, as the kernel numbers them.
fn states(net: &Net) -> Vec<String> {
    let table = net.exec("a", &["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
    let state = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let ours = words.get(1..3)?.iter().any(|address| address.ends_with(":1F96"));
        ours.then(|| words.get(3).map(|state| (*state).to_owned())).flatten()
    };
    table.lines().filter_map(state).collect()
}

/// Fetches, and waits until both sides have closed: a connection then listens (0A) or is in TIME_WAIT (06) or is gone.
fn fetch(net: &Net, host: &str, dscp: &str) -> Output {
    let mut command = net.command("a", &rsvp());
    command.args(["dscp", "get", &format!("http://{host}:8086/"), "--dscp", dscp, "--timeout", "60s"]);
    let done = command.output().expect("rsvp runs");
    eventually("connections that are closed", || {
        states(net).iter().all(|state| state == "0A" || state == "06").then_some(())
    });
    done
}

fn fetched(net: &Net, host: &str, dscp: &str) -> usize {
    let done = fetch(net, host, dscp);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout.len()
}

/// Packets that tcpdump sees, of those that a filter of its lets through.
struct Seen(std::path::PathBuf);

impl Seen {
    fn start(net: &mut Net, filter: &str) -> Self {
        Self(net.tcpdump("a", "lo", &[filter]))
    }

    fn count(&self, filter: &str) -> usize {
        let done = Command::new("tcpdump")
            .args(["-n", "-r"])
            .arg(&self.0)
            .arg(filter)
            .output()
            .expect("tcpdump runs");
        String::from_utf8_lossy(&done.stdout).lines().count()
    }
}

fn packets(found: &Value) -> u64 {
    found["packets"].as_u64().expect("a number")
}

/// Every packet of a client, each once, is what tcpdump sees with that mark; the other side of the connection is not marked.
fn a_marked_client(test: &str, address: &str, host: &str, marked: &str) {
    let Some(mut net) = host_with(test) else { return };
    let _server = http_server(&net, address);
    let seen = Seen::start(&mut net, "tcp dst port 8086");
    let check = Check::start(&net, "a", "lo", "tcp dst port 8086");
    assert!(fetched(&net, host, "ef") > 100, "a page about a folder");
    let (status, found) = check.end();
    assert_eq!((status, &found["verdict"]), (0, &Value::from("all")), "{found}");
    // SYN, ACK, request and FIN are the least that there is.
    assert!(packets(&found) >= 4, "{found}");
    let count = packets(&found) as usize;
    eventually("tcpdump sees as many", || (seen.count("tcp") == count).then_some(()));
    assert_eq!(seen.count(marked), count);
    let family = if address.contains(':') { "ipv6" } else { "ipv4" };
    assert_eq!(found["marks"][0][family], found["packets"], "{found}");
    assert_eq!((&found["matching"], &found["dropped"]), (&found["packets"], &Value::from(0)), "{found}");
}

fn host_with(test: &str) -> Option<Net> {
    let net = host(test)?;
    std::fs::write(net.file("page"), "a page").expect("a file of the test's own");
    Some(net)
}

#[test]
fn every_packet_of_a_client_is_marked() {
    a_marked_client("dscp v4", "127.0.0.1", "127.0.0.1", "ip[1] & 0xfc == 0xb8");
}

#[test]
fn every_packet_of_an_ipv6_client_is_marked() {
    a_marked_client("dscp v6", "::1", "[::1]", "ip6[0:2] & 0x0fc0 == 0x0b80");
}

#[test]
fn both_directions_are_marked_where_both_ends_are_whoever_closes_first() {
    for (address, host_name) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")] {
        for closes in ["first", "last"] {
            let Some(net) = host("dscp both") else { return };
            let _server = server(&net, address, "184", closes);
            let check = Check::start(&net, "a", "lo", "tcp port 8086");
            assert_eq!(fetched(&net, host_name, "ef"), 100_000);
            let (status, found) = check.end();
            assert_eq!(status, 0, "{address} {closes}: {found}");
            assert!(packets(&found) >= 8, "{found}");
        }
    }
}

#[test]
fn the_server_that_is_not_marked_is_found_in_the_other_direction() {
    let Some(net) = host("dscp server") else { return };
    let _server = server(&net, "127.0.0.1", "0", "last");
    let check = Check::start(&net, "a", "lo", "tcp port 8086");
    fetched(&net, "127.0.0.1", "ef");
    let (status, found) = check.end();
    assert_eq!((status, &found["verdict"]), (1, &Value::from("other")), "{found}");
    let others = found["others"].as_array().expect("a list");
    assert!(!others.is_empty() && others.iter().all(|other| other["source_port"] == 8_086), "{found}");
    let marks: Vec<_> = found["marks"].as_array().expect("a list").iter().map(|mark| &mark["name"]).collect();
    assert_eq!(marks, ["DF", "EF"]);
}

#[test]
fn a_client_that_is_not_marked_is_found() {
    let Some(net) = host_with("dscp unmarked") else { return };
    let _server = http_server(&net, "127.0.0.1");
    let check = Check::start(&net, "a", "lo", "tcp dst port 8086 and host 127.0.0.1");
    fetched(&net, "localhost", "df");
    let (status, found) = check.end();
    assert_eq!((status, &found["verdict"], &found["matching"]), (1, &"other".into(), &0.into()), "{found}");
    let syn = &found["others"][0];
    let shown = ["source", "destination", "destination_port", "protocol", "dscp"].map(|key| &syn[key]);
    assert_eq!(shown.map(Value::to_string), ["\"127.0.0.1\"", "\"127.0.0.1\"", "8086", "6", "0"]);
    assert!(syn["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{found}");
}

/// Sends so many UDP datagrams to port 9 of an address, all but one of them marked.
const SENDER: &str = r#"
import socket, sys
address, count, size, unmarked = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(count):
    if n in (0, unmarked, unmarked + 1): s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0 if n == unmarked else 184)
    s.sendto(bytes(size), (address, 9))
"#;

#[test]
fn one_unmarked_packet_of_many_is_found_live() {
    let Some(mut net) = Net::new("dscp many") else { return };
    net.host("a");
    net.host("b");
    net.link("a", "b");
    // As many as fit the queue, however late they are read.
    let check = Check::start(&net, "b", "to-a", "udp and dst port 9");
    net.exec("a", &["python3", "-c", SENDER, "10.0.1.2", "20000", "20", "12344"]);
    let (status, found) = check.end();
    assert_eq!((status, packets(&found), &found["dropped"]), (1, 20_000, &0.into()), "{found}");
    assert_eq!(
        (&found["matching"], found["others"].as_array().map(Vec::len)),
        (&19_999.into(), Some(1)),
        "{found}"
    );
}

#[test]
fn what_the_kernel_drops_is_told_and_is_no_proof() {
    let Some(net) = host("dscp drops") else { return };
    let check = Check::start(&net, "a", "lo", "udp and dst port 9");
    // While nobody reads, more is sent than can wait.
    check.0.signal(Signal::SIGSTOP);
    net.exec("a", &["python3", "-c", SENDER, "127.0.0.1", "150000", "20", "-1"]);
    check.0.signal(Signal::SIGCONT);
    let (status, found) = check.end();
    assert_eq!((status, &found["verdict"]), (4, &Value::from("incomplete")), "{found}");
    let dropped = found["dropped"].as_u64().expect("a number");
    assert!(dropped > 0 && packets(&found) > 0 && dropped + packets(&found) >= 150_000, "{found}");
}

#[test]
fn a_check_ends_by_number_or_time_or_says_why_it_cannot_begin() {
    let Some(net) = host("dscp ends") else { return };
    let check = |more: &[&str]| {
        let mut command = net.command("a", &rsvp());
        command.args(["dscp", "check", "--expect", "ef"]).args(more);
        command.output().expect("rsvp runs")
    };
    let nothing = check(&["--interface", "lo", "--for", "100ms"]);
    let text = String::from_utf8_lossy(&nothing.stdout);
    assert_eq!((nothing.status.code(), text.trim()), (Some(3), "no packet to check among 0 frames"));
    let missing = check(&["--interface", "nowhere"]);
    let complaint = String::from_utf8_lossy(&missing.stderr);
    assert!(missing.status.code() == Some(2) && complaint.contains("there are: lo"), "{complaint}");
    // The first ten are all that is looked at.
    let mut command = net.command("a", &rsvp());
    command.args("dscp check --interface lo --expect ef --ready --json --count 10 udp".split(' '));
    let counting = Check(Running::start(command, "ready"));
    net.exec("a", &["python3", "-c", SENDER, "127.0.0.1", "20", "20", "15"]);
    let (status, found) = counting.result();
    assert_eq!((status, packets(&found)), (0, 10), "{found}");
}

/// A frame with UDP in IPv4, or in IPv6 behind a hop-by-hop header.
fn frame(n: u32, octet: u8, port: u16) -> Vec<u8> {
    let mut udp = [[0x13, 0x88], port.to_be_bytes(), [0, 8], [0, 0]].concat();
    let mut frame = vec![0; 12];
    if n.is_multiple_of(2) {
        frame.extend([0x08, 0, 0x45, octet, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    } else {
        frame.extend([0x86, 0xdd, 0x60 | octet >> 4, octet << 4, 0, 0, 0, 16, 0, 64]);
        frame.extend([[0xfd; 16], [0xfc; 16]].concat());
        frame.extend([17, 0, 1, 4, 0, 0, 0, 0]);
    }
    frame.append(&mut udp);
    frame
}

/// A classic pcap file of Ethernet frames, a millisecond apart.
fn file(name: &str, frames: impl Iterator<Item = Vec<u8>>) -> std::path::PathBuf {
    let header: [u32; 6] = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1];
    let mut octets: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    for (n, frame) in (0..).zip(frames) {
        let length = frame.len() as u32;
        octets.extend(
            [1_000_000 + n / 1_000, n % 1_000 * 1_000, length, length]
                .iter()
                .flat_map(|w: &u32| w.to_be_bytes()),
        );
        octets.extend(frame);
    }
    let path = std::env::temp_dir().join(format!("rsvp-dscp-{}-{name}.pcap", std::process::id()));
    std::fs::write(&path, octets).expect("a file is written");
    path
}

fn check_file(path: &Path, more: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(rsvp());
    command.args(["dscp", "check", "--expect", "ef", "--read"]).arg(path).args(more.split_whitespace());
    let done = command.output().expect("rsvp runs");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn one_unmarked_packet_of_100_000_in_a_file_is_found() {
    const PLANTED: u32 = 54_320;
    let frames = (0..100_000).map(|n| {
        // With every value of ECN; and packets to another port, which have another mark.
        let octet = if n == PLANTED { 0 } else { 0xb8 | (n % 4) as u8 };
        if n % 10 == 3 { frame(n, 0x20, 53) } else { frame(n, octet, 8_086) }
    });
    let path = file("planted", frames);
    let (status, text, _) = check_file(&path, "--json udp and dst port 8086");
    let found: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, packets(&found), &found["matching"]), (Some(1), 90_000, &89_999.into()), "{found}");
    let other = &found["others"][0];
    assert_eq!((&other["frame"], &other["dscp"]), (&(PLANTED + 1).into(), &0.into()), "{found}");
    assert_eq!(other["time"], "1970-01-12T13:47:34.320000Z");
    assert_eq!(
        (&found["marks"][1]["ipv4"], &found["marks"][1]["ipv6"]),
        (&49_999.into(), &40_000.into()),
        "{found}"
    );
    // For people.
    let (status, text, _) = check_file(&path, "udp and dst port 8086");
    let line =
        "frame 54321: 10.0.0.1:5000 > 10.0.0.2:8086 UDP: DF (0)\n1 of 90000 packets not marked EF (46)\n";
    assert!(status == Some(1) && text.ends_with(line), "{text}");
    // It is not looked for.
    let (status, text, _) = check_file(&path, "ip6 port 8086");
    assert!(status == Some(0) && text.ends_with("all 40000 packets: marked EF (46)\n"), "{text}");
    let (status, text, _) = check_file(&path, "host 192.0.2.1");
    assert!(status == Some(3) && text.contains("no packet to check among 100000 frames"), "{text}");
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn later_fragments_go_with_their_first() {
    let fragment = |octet: u8, place: u16, port: u16| {
        let mut frame = frame(0, octet, port);
        frame[14 + 6..14 + 8].copy_from_slice(&place.to_be_bytes());
        frame
    };
    let more = 0x2000;
    let frames = [fragment(0xb8, more, 8_086), fragment(0, 1, 99), fragment(0, 9, 8_086)];
    let path = file("fragments", frames.into_iter());
    let (status, text, _) = check_file(&path, "--json port 8086");
    let found: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (status, packets(&found), &found["others"][0]["fragment"]),
        (Some(1), 3, &true.into()),
        "{found}"
    );
    let (status, ..) = check_file(&path, "port 99");
    assert_eq!(status, Some(3), "the payload of a later one is no port");
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn what_cannot_be_checked_is_said_with_its_place() {
    let path = file("cut", (0..10).map(|n| frame(n, 0xb8, 8_086)));
    let octets = std::fs::read(&path).expect("it was written");
    std::fs::write(&path, &octets[..octets.len() - 1]).expect("a file of the test's own");
    let (status, text, complaint) = check_file(&path, "");
    assert_eq!(status, Some(2), "{complaint}");
    assert!(text.contains("all 9 packets") && complaint.contains("it was cut off"), "{text}{complaint}");
    let cases = [("tcp prt 8086", "\n  tcp prt 8086\n      ^^^"), ("port http", "names are not looked up")];
    for (filter, words) in cases {
        let (status, _, complaint) = check_file(&path, filter);
        assert!(status == Some(2) && complaint.contains(words), "{complaint}");
    }
    let mut said = String::new();
    for (more, words) in [("--interface lo", "cannot be used with"), ("--for 1s", "cannot be used with")] {
        let (status, _, complaint) = check_file(&path, more);
        let _ = writeln!(said, "{complaint}");
        assert!(status == Some(2) && complaint.contains(words), "{said}");
    }
    std::fs::remove_file(&path).expect("removed");
    let (status, _, complaint) = check_file(&path, "");
    assert!(status == Some(2) && complaint.contains("cut.pcap: No such file"), "{complaint}");
    let mut command = Command::new(rsvp());
    let done = command.args(["dscp", "check", "--expect", "184", "--read", "x"]).output().expect("rsvp runs");
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(2) && complaint.contains("46 (EF)"), "{complaint}");
}
