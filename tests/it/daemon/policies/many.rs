//! Ten thousand policies, read and put in force while packets are sent; and seventy daemons on one machine.

use super::super::plane::seen::seen;
use super::super::sockets::hooks::{Cgroup, links};
use super::*;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn ten_thousand_policies_are_switched_without_a_packet_that_has_no_mark() {
    let Some(mut site) = Site::new("policies_many") else { return };
    let text = |generation: usize| {
        let mut text =
            policy("ours", "remote_port = \"7900:7909\"", &format!("dscp = {}", 10 + 2 * generation));
        // The last of all is ours, so its place is another each time: rules that were written over one by one would lose it.
        let others = if generation == 0 { 9_999 } else { 4_999 };
        for number in 0..others {
            let (high, low) = (number / 250, number % 250);
            write!(
                text,
                "{}",
                policy(
                    &format!("p{number}"),
                    &format!("remote = \"10.{}.{high}.{low}\"", 20 + generation),
                    "dscp = 8"
                )
            )
            .expect("a text");
        }
        text
    };
    let report = site.say("a", "all", &text(0));
    assert_eq!(
        (report["policies"].as_array().map(Vec::len), report["complaints"].clone()),
        (Some(10_000), json!([]))
    );
    let capture = site.net.capture_many("b", "to-a", "udp");
    sends(&site.net, "10.0.1.1:0", &format!("{SERVER}:7899"));
    let is_over = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            site.net.within("a", || {
                let mut sent = 0u64;
                // A new endpoint for each datagram: each asks the rules.
                while !is_over.load(Ordering::Relaxed) {
                    let socket = UdpSocket::bind("10.0.1.1:0").expect("a socket");
                    socket.send_to(b"hello", (SERVER, 7900 + (sent % 10) as u16)).expect("sent");
                    sent += 1;
                }
                sent
            })
        });
        for generation in 1..4 {
            site.say("a", "all", &text(generation % 2));
        }
        is_over.store(true, Ordering::Relaxed);
        sender.join().expect("it ends")
    });
    let packets = eventually("all of them", || {
        let all: Vec<Seen> = (7900..7910).flat_map(|port| seen(&capture, port)).collect();
        (all.len() as u64 >= sent).then_some(all)
    });
    let mut marks: Vec<u8> = packets.iter().map(Seen::dscp).collect();
    marks.sort_unstable();
    marks.dedup();
    assert!(sent > 100, "{sent}");
    assert_eq!(marks, [10, 12]);
}

/// A cgroup has room for 64 programs of a kind: what comes later is told so, and has policies by addresses and ports alone.
#[test]
fn seventy_daemons_start_and_have_hooks_as_far_as_a_cgroup_has_room() {
    const NODES: usize = 70;
    if !has_cgroups("policies_seventy") {
        return;
    }
    let Some(net) = Net::new("policies_seventy") else { return };
    let cgroup = Cgroup::new("seventy");
    let mut site = Site { net };
    let name = |number: usize| format!("n{number}");
    (0..NODES).for_each(|number| site.net.host(&name(number)));
    site.net.link(&name(NODES - 1), &name(0));
    let more = format!("[qos]\ncgroup = \"{}\"\n", cgroup.0.display());
    let configs: Vec<_> = (0..NODES).map(|n| (name(n), site.config(&name(n), &more))).collect();
    site.net.daemons_with_cgroups(&configs);
    let complains = |number: usize| site.net.log(&name(number)).contains("(E2BIG)");
    assert!((0..NODES).all(|number| !complains(number)), "hooks hang there only while there are policies");
    let text =
        [policy("program", "app = \"curl\"", "dscp = 8"), policy("port", "remote_port = 7950", "dscp = 46")];
    for number in 0..NODES {
        let report = site.say(&name(number), "all", &text.concat());
        assert_eq!(report["complaints"], json!([]), "{report:#}");
    }
    let without: Vec<usize> = (0..NODES).filter(|number| complains(*number)).collect();
    assert_eq!(without, (64..NODES).collect::<Vec<_>>());
    // The first socket of a daemon without hooks: nothing tells it from one that is older than the policies.
    let capture = site.net.capture_many(&name(0), &format!("to-{}", name(NODES - 1)), "udp");
    site.net.within(&name(NODES - 1), || {
        let socket = UdpSocket::bind("10.0.1.1:4950").expect("a socket");
        socket.send_to(b"hello", "10.0.1.2:7950").expect("sent");
    });
    assert_eq!(datagram(&capture, 4950, 7950, 1), 46);
    // Which policies that is of is said of each; a command that would run without its mark is not begun.
    let faults = |site: &Site, number: usize| {
        site.refreshed(&name(number));
        let mut done = site.net.client(&name(number)).ask(json!({"request": "policy-list"})).expect("a list");
        let rows = done["policy"]["policies"].as_array_mut().map(std::mem::take).expect("policies");
        let fault = |of: &str| {
            let row = rows.iter().find(|row| row["name"] == of).expect("it is there");
            row["fault"].as_str().map(str::to_owned)
        };
        [fault("program"), fault("port")]
    };
    let [program, port] = faults(&site, 64);
    assert!(program.is_some_and(|why| why.contains("(E2BIG)")) && port.is_none());
    assert_eq!(faults(&site, 1), [None, None]);
    let mut run = Command::new(crate::programs::folder().join("rsvp"));
    run.arg("run").arg("--socket").arg(site.net.socket(&name(64))).args(["--dscp", "ef", "--", "true"]);
    let done = run.output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("is not begun") && said.contains("(E2BIG)"), "{said}");
    // Where there is room again the next one has hooks as soon as policies are read.
    let hooks = |site: &Site, number: usize| links(site.net.pid(&name(number))).len();
    assert_eq!((hooks(&site, 0), hooks(&site, 64)), (2, 0));
    site.net.signal(&name(0), nix::sys::signal::Signal::SIGTERM);
    site.net.ended(&name(0));
    site.refreshed(&name(64));
    eventually("hooks", || (hooks(&site, 64) == 2).then_some(()));
}
