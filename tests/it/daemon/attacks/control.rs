//! Clients of the control socket that ask without end, come in crowds, or stand where the daemon is to stand.

use super::{CONFIG, Ground, eventually};
use crate::daemon::net::Net;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

/// Rows of the listing that is asked for.
const ROWS: u16 = 8_000;

/// A program of python3 that says a line and then waits; its arguments follow.
fn told(mut command: Command, program: &str, arguments: &[&str]) -> (Child, String) {
    command.args(["python3", "-c", program]).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("a program of python3");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    (child, line.trim().to_owned())
}

#[test]
fn who_pipelines_listings_and_never_reads_costs_others_nothing_and_is_named() {
    let Some(mut ground) = Ground::new("a list bomb") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, CONFIG));
    let mut r = ground.net.client("r");
    let mut hosts = ["a", "b"].map(|node| ground.net.client(node));
    ground.senders(&mut r, ROWS);
    let before = ground.memory();
    let mut deaf = UnixStream::connect(ground.net.socket("r")).expect("the daemon listens");
    deaf.set_nonblocking(true).expect("a socket");
    let asks = "{\"id\":1,\"request\":\"list\",\"what\":\"senders\"}\n".repeat(1_000);
    let (mut answered, mut most) = (0, 0);
    let (confirmed, failures) = std::thread::scope(|scope| {
        let honest = scope.spawn(|| ground.set_ups(&mut hosts, 100, 20_000));
        eventually("it is cut off", || {
            // What does not fit is cut somewhere, which is a line that makes no sense.
            let is_cut = match deaf.write(asks.as_bytes()) {
                Ok(_) => false,
                Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
            };
            r.list("interfaces");
            answered += 1;
            most = most.max(ground.memory());
            is_cut.then_some(())
        });
        honest.join().expect("it ends")
    });
    assert_eq!(confirmed, 100, "{failures:?}");
    assert!(answered > 500, "others were answered {answered} times in half a minute");
    let grown = most.saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} octets for a client that does not read");
    let log = ground.net.log("r");
    let named: Vec<&str> = log.lines().filter(|line| line.contains("does not read and is cut off")).collect();
    assert_eq!(named.len(), 1, "{log}");
    assert!(named[0].contains("of user 0 "), "{}", named[0]);
}

#[test]
fn a_long_listing_comes_whole_and_what_is_asked_meanwhile_comes_after_it() {
    let Some(mut ground) = Ground::new("a long listing") else { return };
    ground.net.daemon("r", CONFIG);
    let mut r = ground.net.client("r");
    ground.senders(&mut r, ROWS);
    let mut client = UnixStream::connect(ground.net.socket("r")).expect("the daemon listens");
    let ask = |id: u32, what: &str| format!("{{\"id\":{id},\"request\":\"list\",\"what\":\"{what}\"}}\n");
    let asks = [ask(1, "senders"), ask(2, "counters"), ask(3, "sessions"), ask(4, "nothing")].concat();
    let some = "{\"id\":5,\"request\":\"list\",\"what\":\"senders\",\"at_most\":7,\"session\":\"udp 10.0.2.77:4000\"}\n";
    client.write_all((asks + some).as_bytes()).expect("it is taken");
    // It closes its side, and waits for what it has asked for.
    client.shutdown(std::net::Shutdown::Write).expect("half closed");
    let mut all = String::new();
    BufReader::new(client).read_to_string(&mut all).expect("read to the end");
    let lines: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: Vec<_> = lines.iter().skip(1).map(|line| line["id"].as_u64()).collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    let rows = |line: &Value, what: &str| line["ok"][what].as_array().map(Vec::len);
    assert_eq!((rows(&lines[1], "senders"), &lines[1]["ok"]["total"]), (Some(ROWS.into()), &json!(ROWS)));
    assert_eq!(rows(&lines[3], "sessions"), Some(ROWS.into()));
    assert_eq!(lines[3]["ok"]["sessions"][0]["senders"], 1);
    assert_eq!(lines[4]["error"]["code"], "bad-request");
    assert_eq!((rows(&lines[5], "senders"), &lines[5]["ok"]["total"]), (Some(1), &json!(1)));
}

/// Opens so many connections, and says what the last one heard first.
const CROWD: &str = r"
import os,socket,sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
kept=[]
for _ in range(int(sys.argv[2])):
    s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); kept.append(s)
print(kept[-1].makefile().readline().strip(), flush=True); sys.stdin.read()
";

#[test]
fn a_user_with_a_crowd_of_connections_leaves_room_for_others() {
    let Some(mut net) = Net::three_in_a_row("a crowd of connections") else { return };
    let socket = net.file("qos.sock");
    net.daemon("a", &format!("[qos]\nsocket = \"{}\"\n[control]\nmode = \"0666\"\n", socket.display()));
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(socket.parent().expect("a folder"), all).expect("a folder of the test's own");
    let (crowd, said) = told(net.command("a", "env"), CROWD, &[&socket.display().to_string(), "400"]);
    net.others.push(crowd);
    assert!(said.contains("too-many-connections") && said.contains("user 65534"), "{said}");
    // The daemon's own user has room there, and at the control socket.
    let mut line = String::new();
    let other = UnixStream::connect(&socket).expect("the daemon listens");
    BufReader::new(other).read_line(&mut line).expect("a greeting");
    assert!(line.contains("\"version\":1"), "{line}");
    net.client("a").list("interfaces");
    // Those who may not talk are turned away as often as they come, and logged now and then.
    let control = net.socket("a");
    let (crowd, said) = told(net.command("a", "env"), CROWD, &[&control.display().to_string(), "300"]);
    net.others.push(crowd);
    assert!(said.contains("not-permitted"), "{said}");
    let log = net.log("a");
    let refused = log.lines().filter(|line| line.contains("user 65534")).count();
    assert!((1..=30).contains(&refused), "{refused} lines: {log}");
}

#[test]
fn the_groups_of_a_process_count_and_not_those_of_its_user() {
    let Some(mut net) = Net::three_in_a_row("supplementary groups") else { return };
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(net.file(""), all).expect("a folder of the test's own");
    net.daemon("a", "[control]\ngroup = \"daemon\"\nmode = \"0666\"\n");
    let program = net.program("rsvp").display().to_string();
    let show = |groups: &[&str]| {
        let mut command = net.command("a", "setpriv");
        command.args(["--reuid", "65534", "--regid", "65534"]).args(groups);
        command.args([&program, "show", "sessions"]).env("RSVP_SOCKET", net.socket("a"));
        let done = command.output().expect("setpriv runs");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    assert_eq!(show(&["--groups", "daemon"]), (true, String::new()));
    let (may, said) = show(&["--clear-groups"]);
    assert!(!may && said.contains("members of group daemon"), "{said}");
}

/// Takes the name of a daemon, as any user may, and lets nobody in.
const SQUATTER: &str = r"
import os,socket,sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s=socket.socket(socket.AF_UNIX); s.bind('\0rsvpd: one per network namespace'); s.listen(0)
kept=[]
if len(sys.argv)>1:
    for _ in range(8):
        c=socket.socket(socket.AF_UNIX); c.setblocking(False)
        try: c.connect('\0rsvpd: one per network namespace')
        except OSError: pass
        kept.append(c)
print('taken', flush=True); sys.stdin.read()
";

#[test]
fn another_user_cannot_take_the_place_of_a_daemon() {
    for (way, says) in [(&[][..], "user 65534"), (&["full"][..], "cannot be asked")] {
        let Some(mut net) = Net::three_in_a_row("a squatter") else { return };
        let (squatter, said) = told(net.command("r", "env"), SQUATTER, way);
        net.others.push(squatter);
        assert_eq!(said, "taken");
        net.daemon("r", CONFIG);
        let log = net.log("r");
        assert!(log.contains("is taken, and passed over") && log.contains(says), "{log}");
        // A second daemon is refused all the same.
        let other = net.file("other.sock").display().to_string();
        let mut second = net.command("r", &crate::programs::rsvpd().display().to_string());
        let done = second.args(["--socket", &other]).output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains("runs in this network namespace already"), "{said}");
    }
}
