//! What the daemon says of its flows and what the kernel has are the same after anything: drawn additions, changes and removals,
//! kills and restarts at drawn moments, a link that goes down. The normal run does a slice of it; `RSVP_TRUTH=full`, which
//! `.ci/long` sets, 10,000 changes and 50 kills.

use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::ends::{clean, there};
use super::enforced::tos;
use super::{SENDER, SESSION, compared, controlled_load, maps, pinned, traffic};
use aya::maps::{Array, Map, MapData, MapInfo};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Sessions that come and go.
const SESSIONS: u64 = 40;
const PLAIN: &str =
    "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"1s\"\n";

/// Numbers that are the same in each run (xorshift).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What applications have asked for: rates by session.
struct Asked {
    a: Client,
    b: Client,
    drawn: Drawn,
    rates: BTreeMap<String, u64>,
}

impl Asked {
    /// Something comes, changes or goes: every second session has Guaranteed service.
    fn change(&mut self) {
        let which = self.drawn.below(SESSIONS);
        let (session, sender) =
            (format!("udp 10.0.2.2:{}", 7_000 + which), format!("10.0.1.1:{}", 7_000 + which));
        let is_there = self.rates.contains_key(&session);
        match self.drawn.below(3) {
            0 if is_there => {
                self.b.ask(json!({"request": "release", "session": session})).expect("it is given up");
                self.rates.remove(&session);
            }
            _ => {
                if !is_there {
                    self.a.announce(&session, &sender, &traffic(1_000_000, 10_000));
                }
                let rate = 8_000 * (1 + self.drawn.below(125));
                let flowspec = match which % 2 {
                    0 => controlled_load(rate, 10_000),
                    _ => {
                        json!({"service": "guaranteed", "traffic": traffic(rate, 10_000), "reserve_bps": rate})
                    }
                };
                self.b.ask_for(&session, "ff", &[&sender], &flowspec);
                self.rates.insert(session, rate);
            }
        }
        // Confirmations and the like are not kept.
        self.a.waiting();
        self.b.waiting();
    }

    /// Waits until the router has what was asked for and nothing else, and holds that against the kernel.
    fn settled(&self, net: &Net) {
        let listed = |rows: &[Value]| -> Option<BTreeMap<String, u64>> {
            let row = |row: &Value| {
                let session = row["session"].as_str()?.to_owned();
                (row["state"] == "installed").then_some((session, row["rate_bps"].as_u64()?))
            };
            rows.iter().map(row).collect()
        };
        eventually("what was asked for", || {
            let rows = net.client("r").list("flows");
            (rows.len() == self.rates.len() && listed(&rows)? == self.rates).then_some(())
        });
        // A class that is empty goes at once, but not in the moment in which its flow does.
        eventually("classes that have drained", || {
            let own = super::classes(net, "r", "to-b").len();
            (own == 6 + self.rates.keys().filter(|session| is_guaranteed(session)).count()).then_some(())
        });
        let rows = compared(net, "r");
        let live = maps(net, "r").into_iter().filter_map(live_flows).sum::<usize>();
        assert_eq!(live, rows.len(), "flows in the egress program");
    }
}

fn is_guaranteed(session: &str) -> bool {
    session.ends_with(['1', '3', '5', '7', '9'])
}

/// How many flows a map of flows has.
fn live_flows(map: MapData) -> Option<usize> {
    let info = map.info().ok();
    info.as_ref().and_then(MapInfo::name_as_str).filter(|name| *name == "flows")?;
    let flows: Array<MapData, [u8; 48]> = Array::try_from(Map::Array(map)).expect("records of 48 octets");
    Some(flows.iter().filter(|flow| flow.as_ref().is_ok_and(|flow| flow[41] == 1)).count())
}

#[test]
fn the_kernel_has_what_the_daemon_says_whatever_happens() {
    let is_full = std::env::var("RSVP_TRUTH").is_ok_and(|much| much == "full");
    let (changes, kills) = if is_full { (10_000, 50) } else { (300, 5) };
    let Some(mut net) = Net::three_in_a_row("truth") else { return };
    let root = net.bpffs().join("rsvpd");
    // Few flows, so that reading all of them takes no time.
    let config = pinned(&root, "auto", "refresh = \"1s\"\n").replacen("pins", "flows = 256\npins", 1);
    let before = there(&net, "r", "to-b");
    [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let (a, b) = (net.client("a"), net.client("b"));
    let mut asked = Asked { a, b, drawn: Drawn(0x5eed), rates: BTreeMap::new() };
    asked.a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
    asked.b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
    asked.rates.insert(SESSION.to_owned(), 800_000);
    asked.settled(&net);
    let capture = net.capture_of("b", "to-r", "udp and dst port 5000");
    let (_receiver, sender) = (at(&net, "b", "10.0.2.2:5000"), from(&net, "a", SENDER, "10.0.2.2:5000", 0));
    let stop = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                burst(&sender, 100, 1);
                sent += 1;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            sent
        });
        let mut dies: Vec<u64> = (0..kills).map(|_| asked.drawn.below(changes)).collect();
        dies.sort_unstable();
        for change in 0..changes {
            asked.change();
            while dies.first() == Some(&change) {
                dies.remove(0);
                net.signal("r", Signal::SIGKILL);
                net.ended("r");
                // What is asked for while nobody runs is lost, but for refreshes.
                (0..asked.drawn.below(4)).for_each(|_| asked.change());
                net.daemon("r", &config);
                asked.settled(&net);
            }
        }
        asked.settled(&net);
        stop.store(true, Ordering::Relaxed);
        sending.join().expect("it sends")
    });
    let marks =
        eventually("all in the capture", || Some(tos(&capture, 5000)).filter(|marks| marks.len() == sent));
    assert!(marks.iter().all(|tos| *tos == 0x60), "a packet went without its flow");
    net.ip("r", "link set to-b down");
    asked.change();
    net.ip("r", "link set to-b up");
    asked.change();
    asked.settled(&net);
    net.signal("r", Signal::SIGTERM);
    assert!(net.ended("r").success(), "{}", net.log("r"));
    assert_eq!((there(&net, "r", "to-b"), root.exists()), (before, false));
    assert_eq!(clean(&net, "r", &root.display().to_string()), (true, "nothing was left\n".to_owned()));
}
