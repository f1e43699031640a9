//! Neighbours that flood, and users that speak for others, while two hosts on other links make their reservations.

use super::beside::{Beside, counters, dropped};
use super::packets::{ATTACKER, NOBODY, Path, alert, tear};
use super::{CONFIG, Ground, eventually, send};
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// New sessions a second, and for how long at most.
const RATE: u32 = 20_000;
const SECONDS: u32 = 20;

/// Sends Paths of new sessions, and says how many it has, until it is told to stop.
#[expect(clippy::disallowed_methods, reason = "a flood has a rate")]
fn flood(ground: &Ground, path: &Path, so_far: &AtomicU32, ends: &AtomicBool) {
    let socket = ground.net.raw("x");
    let begun = std::time::Instant::now();
    let mut sent = 0;
    while sent < RATE * SECONDS && !ends.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_millis() * u128::from(RATE) / 1_000;
        let end = u32::try_from(due).unwrap_or(u32::MAX).min(RATE * SECONDS);
        for n in sent..end {
            // Sixty thousand ports of each address.
            let [to, port] = [n / 60_000, n % 60_000 + 1];
            let to = Ipv4Addr::from(u32::from(NOBODY) + to);
            send(&socket, &alert(&Path { to, port: port as u16, ..path.clone() }));
        }
        sent = sent.max(end);
        so_far.store(sent, Ordering::Relaxed);
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn reservations_are_made_beside_a_flood_of_new_sessions() {
    let Some(mut ground) = Ground::new("a flood of new sessions") else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let mut r = ground.net.client("r");
    // In the attacker's own name, and in those of others.
    let forged = Path { sender: ("10.0.1.9".parse().expect("an address"), 7), ..Path::of_attacker() };
    for (turn, path) in [Path::of_attacker(), forged].into_iter().enumerate() {
        let before = counters(&mut r);
        let (sent, ends) = (AtomicU32::new(0), AtomicBool::new(false));
        let (mut confirmed, mut failures) = (0, Vec::new());
        std::thread::scope(|scope| {
            let (ground, sent, ends) = (&ground, &sent, &ends);
            scope.spawn(move || flood(ground, &path, sent, ends));
            for tenth in 0..10 {
                // While it goes on, a few at a time.
                let until = sent.load(Ordering::Relaxed) + RATE / 5;
                eventually("the flood", || (sent.load(Ordering::Relaxed) >= until).then_some(()));
                let first = 20_000 + 100 * turn as u16 + 10 * tenth;
                let found = ground.set_ups(&mut beside.hosts, 10, first);
                confirmed += found.0;
                failures.extend(found.1);
            }
            ends.store(true, Ordering::Relaxed);
        });
        println!("{} Paths while 100 reservations were made", sent.load(Ordering::Relaxed));
        let dropped = dropped(&before, &counters(&mut r));
        println!("{confirmed} were confirmed, {failures:?}; the router dropped {dropped:?}");
        assert!(confirmed >= 99 && (confirmed == 100 || !dropped.is_empty()), "{failures:?}, {dropped:?}");
    }
    let x = ATTACKER.to_string();
    beside.names(&ground, ("to-x", &x), "state-octets", "asks for more than a limit allows");
    beside.is_bounded(&ground);
}

/// All that a neighbour has made goes with its link, and the memory for it goes back to the kernel.
#[test]
fn memory_returns_when_the_state_of_a_flood_has_gone() {
    const STATES: u64 = 60_000;
    let Some(mut ground) = Ground::new("memory that returns") else { return };
    // Where pages of 2 MB are given to all that do not ask ("always"), the kernel makes them of what was given back. What
    // this process has switched off is off in the daemons that it starts.
    nix::sys::prctl::set_thp_disable(true).expect("a kernel that knows it");
    ground.net.daemon("r", CONFIG);
    let mut r = ground.net.client("r");
    let states = |r: &mut crate::daemon::client::Client| -> u64 {
        r.list("neighbours").iter().filter_map(|row| row["senders"].as_u64()).sum()
    };
    assert_eq!(states(&mut r), 0);
    let before = ground.memory();
    let (sent, ends) = (AtomicU32::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (ground, sent, ends) = (&ground, &sent, &ends);
        scope.spawn(move || flood(ground, &Path::of_attacker(), sent, ends));
        eventually("the state", || (states(&mut r) >= STATES).then_some(()));
        ends.store(true, Ordering::Relaxed);
    });
    let most = ground.memory();
    let made = most.saturating_sub(before);
    assert!(made > STATES * 200, "{made} octets");
    ground.net.ip("r", "link set to-x down");
    eventually("nothing is left", || (states(&mut r) == 0).then_some(()));
    let left = eventually("memory that returns", || {
        let left = ground.memory().saturating_sub(before);
        (left <= made / 10).then_some(left)
    });
    println!("{made} octets were made, and {left} are left");
}

/// A user without any privilege sends a message by UDP from a host, so many times.
const BY_UDP: &str = r"
import os,socket,sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
for _ in range(int(sys.argv[3])): s.sendto(bytes.fromhex(sys.argv[2]),(sys.argv[1],1698))
";

#[test]
fn no_user_of_a_host_tears_by_udp_what_its_root_has_reserved() {
    let Some(mut ground) = Ground::new("teardowns by UDP") else { return };
    let config = CONFIG.replace("[interfaces]", "[interfaces]\nudp = \"auto\"");
    let mut beside = Beside::new(&mut ground, &config);
    let (confirmed, failures) = ground.set_ups(&mut beside.hosts, 1, 5000);
    assert_eq!(confirmed, 1, "{failures:?}");
    let mut r = ground.net.client("r");
    let hops = r.list("senders")[0].clone();
    let lih = ground.lih("b");
    let (a, b): (Ipv4Addr, Ipv4Addr) = ([10, 0, 1, 1].into(), [10, 0, 2, 2].into());
    let path_tear = tear(5, (b, 5000), (a, lih), (a, 5000));
    let resv_tear = tear(6, (b, 5000), (b, lih), (a, 5000));
    let counted = |r: &mut crate::daemon::client::Client| counters(r)["driver"]["udp-received"].as_u64();
    let told = [("x", "10.0.3.2", &path_tear), ("a", "10.0.1.2", &path_tear), ("b", "10.0.2.1", &resv_tear)];
    let hex = |message: &[u8]| message.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let by_udp = |(node, to, message): (&str, &str, &[u8]), times: &str| {
        ground.net.exec(node, &["python3", "-c", BY_UDP, to, &hex(message), times]);
    };
    for (n, (node, to, message)) in told.into_iter().enumerate() {
        by_udp((node, to, message), "1");
        eventually("the datagram", || (counted(&mut r) == Some(n as u64 + 1)).then_some(()));
        assert_eq!(r.list("reservations").len(), 1, "after the one of {node}");
        assert_eq!(r.list("senders")[0]["previous_hop"], hops["previous_hop"]);
    }
    let counters = counters(&mut r);
    let causes = (&counters["driver"]["udp-forged"], &counters["driver"]["udp-of-raw-neighbours"]);
    assert_eq!(causes, (&json!(1), &json!(2)), "{counters}");
    // By raw packets of root on another link, in the name of the host: not the neighbour's.
    let socket = ground.net.raw("x");
    send(&socket, &super::packets::packet(ATTACKER, [10, 0, 3, 2].into(), false, &resv_tear));
    r.list("interfaces");
    assert_eq!(r.list("senders").len(), 1);
    // Without end, beside what is no message at all.
    beside.holds(&ground, 10, |round| {
        let message = [&path_tear[..], &[0xff; 100], &[]][round as usize % 3];
        by_udp(("x", "10.0.3.2", message), "200");
    });
    assert_eq!(["to-a", "to-b"].map(|on| refused_on(&mut r, on)), [1, 1]);
    let of_x = eventually("all datagrams", || Some(refused_on(&mut r, "to-x")).filter(|n| *n == 2_001));
    println!("{of_x} messages by UDP were not believed");
    let log = ground.net.log("r");
    for (address, says) in [("10.0.3.1", "of another"), ("10.0.1.1", "of a raw"), ("10.0.2.2", "of a raw")] {
        let named = |line: &&str| line.contains(&format!("source={address} ")) && line.contains(says);
        assert_eq!(log.lines().filter(named).count(), 1, "{address}: {log}");
    }
    beside.is_bounded(&ground);
}

/// Messages by UDP on an interface that were not believed.
fn refused_on(r: &mut crate::daemon::client::Client, on: &str) -> u64 {
    let rows = r.list("interfaces");
    let row = rows.iter().find(|row| row["name"] == on).expect("an interface");
    row["udp_refused"].as_u64().expect("a number")
}
