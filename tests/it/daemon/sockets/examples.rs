//! The examples of the client library, as they stand: whole programs, each on its own host.

use super::super::commands::Running;
use super::super::eventually;
use super::Hosts;
use crate::programs;
use std::io::Read;
use std::net::TcpStream;

const CONFIG: &str = "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"10mbit\"\n";

/// An example that runs in a node.
fn example(hosts: &Hosts, node: &str, name: &str, arguments: &[&str]) -> Running {
    let program = programs::examples().join(name).display().to_string();
    let mut command = hosts.net.command(node, &program);
    command.args(arguments).env("RSVP_QOS_SOCKET", hosts.qos_socket(node));
    Running::of(command)
}

fn senders(hosts: &Hosts, node: &str) -> usize {
    hosts.net.client(node).list("senders").len()
}

#[test]
fn a_voice_call_is_reserved_in_both_directions_or_goes_on_with_less() {
    let Some(hosts) = Hosts::new("a voice call", CONFIG) else { return };
    let (here, there) = ("10.0.1.1:4000", "10.0.1.2:4000");
    let calls = [
        example(&hosts, "a", "voice_call", &[here, there]),
        example(&hosts, "b", "voice_call", &[there, here]),
    ];
    for (call, node) in calls.iter().zip(["a", "b"]) {
        call.says("WSA_QOS_RECEIVERS");
        hosts.net.client(node).until("reservations", 1);
    }
    drop(calls);
    eventually("nothing is left", || (senders(&hosts, "a") == 0 && senders(&hosts, "b") == 0).then_some(()));

    // 50 kbit/s is more than G.729 takes, and less than G.711 does with headers.
    let narrow = CONFIG.replace("10mbit\"", "10mbit\"\nreservable = \"50kbit\"");
    let Some(hosts) = Hosts::new("a voice call with little room", &narrow) else { return };
    let calls = [
        example(&hosts, "a", "voice_call", &[here, there]),
        example(&hosts, "b", "voice_call", &[there, here]),
    ];
    // Who is refused announces less; what the other end asks for fits then, if it was not refused before.
    eventually("less is tried", || calls.iter().any(|call| call.said("trying G729")).then_some(()));
    for node in ["a", "b"] {
        hosts.net.client(node).until("reservations", 1);
    }
}

#[test]
fn a_file_server_reserves_for_each_caller_and_turns_one_too_many_away() {
    let Some(hosts) = Hosts::new("a file server", CONFIG) else { return };
    let file = hosts.net.file("file");
    std::fs::write(&file, vec![7; 100_000]).expect("written");
    let server = example(&hosts, "a", "file_server", &["10.0.1.1:8080", &file.display().to_string()]);
    let call = || hosts.net.within("b", || TcpStream::connect("10.0.1.1:8080"));
    let mut callers = vec![eventually("a server", || call().ok())];
    server.says("10.0.1.2:");
    hosts.net.client("a").until("senders", 1);
    let mut content = Vec::new();
    callers[0].read_to_end(&mut content).expect("all of it");
    assert_eq!(content, vec![7; 100_000]);
    // Whoever has hung up has no flow any more.
    callers.clear();
    eventually("no sender", || (senders(&hosts, "a") == 0).then_some(()));

    callers.extend((0..10).map(|_| call().expect("a connection")));
    hosts.net.client("a").until("senders", 10);
    let one_too_many = call().expect("the kernel takes it").read(&mut [0]);
    assert!(one_too_many.is_err(), "a reset, not {one_too_many:?}");
}

#[test]
fn a_class_is_taught_to_whoever_has_joined() {
    let Some(hosts) = Hosts::new("a class", CONFIG) else { return };
    let group = "239.1.2.3:5000";
    let pupil = example(&hosts, "b", "class", &["learn", group]);
    let teacher = example(&hosts, "a", "class", &["teach", group]);
    pupil.says("WSA_QOS_SENDERS");
    teacher.says("WSA_QOS_RECEIVERS");
    pupil.says("1000 octets");
}

#[test]
fn what_an_example_is_not_told_it_asks_for() {
    let Some(hosts) = Hosts::new("examples without arguments", CONFIG) else { return };
    for name in ["voice_call", "file_server", "class"] {
        let program = programs::examples().join(name).display().to_string();
        let done = hosts.net.command("a", &program).output().expect("it runs");
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && complaint.contains(&format!("usage: {name} ")), "{complaint}");
    }
}
