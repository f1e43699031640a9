//! Networks drawn at random, with failures, crashes, losses and changes of mind: whatever happens, no link is promised
//! more than it has, no engine spins or panics, and once everybody has left no state is left.

use rsvp_sim::facts::{Facts, pairing};
use rsvp_sim::scenario::model::Family;
use rsvp_sim::{Report, Scenario, World};
use std::fmt::Write;

/// Draws numbers; the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }
}

/// When everybody leaves, and when nothing may be left: several lifetimes later.
const LEAVE: usize = 150;
const END: usize = 450;

fn network(draw: &mut Draw, out: &mut String) -> (Vec<String>, Vec<String>) {
    let routers: Vec<String> = (0..2 + draw.below(4)).map(|n| format!("r{n}")).collect();
    let hosts: Vec<String> = (0..3 + draw.below(3)).map(|n| format!("h{n}")).collect();
    let _ = writeln!(out, "[nodes]\nhosts = {hosts:?}\nrouters = {routers:?}");
    let mut links = Vec::new();
    let mut link = |a: &str, b: &str, draw: &mut Draw, out: &mut String| {
        let name = format!("{a}-{b}");
        if links.contains(&name) {
            return;
        }
        let (rate, cost) = (draw.one(&["3mbit", "6mbit", "20mbit"]), 1 + draw.below(3));
        let loss = draw.one(&["0%", "0%", "0%", "5%"]);
        let _ = writeln!(
            out,
            "[[link]]\nbetween = [\"{a}\", \"{b}\"]\nrate = \"20mbit\"\nreservable = \"{rate}\"\ncost = {cost}\nloss = \"{loss}\""
        );
        links.push(name);
    };
    for n in 1..routers.len() {
        let to = draw.below(n);
        link(&routers[to], &routers[n], draw, out);
    }
    for _ in 0..draw.below(3) {
        let (a, b) = (draw.below(routers.len()), draw.below(routers.len()));
        if a < b {
            link(&routers[a], &routers[b], draw, out);
        }
    }
    // The last two hosts share a LAN, the others have links of their own.
    for host in &hosts[..hosts.len() - 2] {
        let to = draw.below(routers.len());
        link(&routers[to], host, draw, out);
    }
    let (x, y) = (&hosts[hosts.len() - 2], &hosts[hosts.len() - 1]);
    let served_by = draw.below(routers.len());
    let second = draw.below(2 * routers.len());
    // Sometimes two routers meet on it, so that Path and Resv of others pass by.
    let second =
        routers.get(second).filter(|_| second != served_by).map(|r| format!(", \"{r}\"")).unwrap_or_default();
    let _ = writeln!(
        out,
        "[[lan]]\nname = \"lan\"\nnodes = [\"{}\"{second}, \"{x}\", \"{y}\"]\nrate = \"8mbit\"",
        routers[served_by]
    );
    (hosts, links)
}

fn applications(draw: &mut Draw, hosts: &[String], out: &mut String) -> (usize, usize) {
    let _ = writeln!(
        out,
        "[[session]]\nname = \"group\"\ngroup = \"g\"\n[[session]]\nname = \"pair\"\nto = \"h0\""
    );
    let senders = 2 + draw.below(3);
    for n in 0..senders {
        // The first sends to the group and the second to the pair, so that no request is without a sender.
        let session = if n < 2 { ["group", "pair"][n] } else { draw.one(&["group", "pair"]) };
        let host = 1 + draw.below(hosts.len() - 1);
        let (rate, start) = (1 + draw.below(6), draw.below(20));
        let _ = writeln!(
            out,
            "[[sender]]\nname = \"tx{n}\"\nnode = \"h{host}\"\nsession = \"{session}\"\nport = {}\nrate = \"{rate}mbit\"\nstart = \"{start}s\"",
            4000 + n
        );
    }
    let receivers = 2 + draw.below(4);
    for n in 0..receivers {
        let (session, host) = match n {
            0 => ("pair", 0),
            _ => ("group", draw.below(hosts.len())),
        };
        let style = draw.one(&["wf", "ff", "se", "se"]);
        let (rate, start) = (1 + draw.below(6), draw.below(40));
        let service = draw.one(&["controlled-load", "controlled-load", "guaranteed"]);
        let _ = writeln!(
            out,
            "[[receiver]]\nname = \"rx{n}\"\nnode = \"h{host}\"\nsession = \"{session}\"\nstyle = \"{style}\"\nservice = \"{service}\"\nrate = \"{rate}mbit\"\nstart = \"{start}s\"\nconfirm = true"
        );
    }
    (senders, receivers)
}

fn actions(draw: &mut Draw, links: &[String], (senders, receivers): (usize, usize), out: &mut String) {
    for _ in 0..draw.below(8) {
        let at = 20 + draw.below(100);
        let deed = match draw.below(7) {
            0 | 1 => {
                let link = &links[draw.below(links.len())];
                let up = at + 1 + draw.below(25);
                let _ = writeln!(out, "[[action]]\nat = \"{up}s\"\ndo = \"link-up\"\nlink = \"{link}\"");
                format!("\"link-down\"\nlink = \"{link}\"")
            }
            2 => format!(
                "\"crash\"\nnode = \"{}\"\nfor = \"{}s\"",
                draw.one(&["r0", "r1", "h1"]),
                1 + draw.below(20)
            ),
            3 => format!(
                "\"change\"\nreceiver = \"rx{}\"\nrate = \"{}mbit\"",
                draw.below(receivers),
                1 + draw.below(6)
            ),
            4 => format!(
                "\"change\"\nsender = \"tx{}\"\nrate = \"{}mbit\"",
                draw.below(senders),
                1 + draw.below(6)
            ),
            5 => format!("\"tear\"\nreceiver = \"rx{}\"", draw.below(receivers)),
            _ => format!("\"tear\"\nsender = \"tx{}\"", draw.below(senders)),
        };
        let _ = writeln!(out, "[[action]]\nat = \"{at}s\"\ndo = {deed}");
    }
    for n in 0..senders {
        let _ = writeln!(out, "[[action]]\nat = \"{LEAVE}s\"\ndo = \"tear\"\nsender = \"tx{n}\"");
    }
    for n in 0..receivers {
        let _ = writeln!(out, "[[action]]\nat = \"{LEAVE}s\"\ndo = \"leave\"\nreceiver = \"rx{n}\"");
    }
}

fn scenario(seed: u64) -> String {
    let mut draw = Draw(seed);
    draw.below(1);
    let mut out =
        format!("name = \"random-{seed}\"\nduration = \"{END}s\"\nrefresh = \"5s\"\nseed = {seed}\n");
    let (hosts, links) = network(&mut draw, &mut out);
    let counts = applications(&mut draw, &hosts, &mut out);
    actions(&mut draw, &links, counts, &mut out);
    let _ = writeln!(out, "[[expect]]\nwhat = \"empty\"\nat = \"{END}s\"");
    out
}

#[test]
fn random_networks_keep_their_promises_and_forget() {
    let mut messages = 0;
    for seed in 0..150 {
        let text = scenario(seed);
        let parsed = Scenario::parse("random.toml", text.as_bytes());
        let mut parsed = parsed.unwrap_or_else(|fault| panic!("{fault}\n{text}"));
        parsed.family = if seed % 2 == 0 { Family::Ipv4 } else { Family::Ipv6 };
        let report = Report::of(parsed);
        assert!(report.held(), "seed {seed}:\n{}\n{text}", report.brief(Default::default()));
        for used in &report.reservations {
            assert!(used.peak_bps <= used.reservable_bps, "seed {seed}: {used:?}");
        }
        messages += report.messages.len();
    }
    assert!(messages > 10_000, "nothing much happens: {messages} messages");
}

/// When failures have healed for several lifetimes.
const HEALED: usize = 300;

/// The same network with enough room, one style for all, and failures or none; nobody leaves.
fn healing(seed: u64, failures: bool) -> String {
    let mut draw = Draw(seed ^ 0x5eed);
    draw.below(1);
    let mut out =
        format!("name = \"healing-{seed}\"\nduration = \"{HEALED}s\"\nrefresh = \"5s\"\nseed = {seed}\n");
    let mut plan = String::new();
    let (hosts, links) = network(&mut draw, &mut plan);
    applications(&mut draw, &hosts, &mut plan);
    let style = draw.one(&["wf", "ff", "se"]);
    for other in ["wf", "ff", "se"] {
        plan = plan.replace(&format!("style = \"{other}\""), &format!("style = \"{style}\""));
    }
    for (tight, roomy) in [("\"3mbit\"\ncost", "\"20mbit\"\ncost"), ("\"6mbit\"\ncost", "\"20mbit\"\ncost")] {
        plan = plan.replace(tight, roomy);
    }
    plan = plan
        .replace("\"20mbit\"", "\"1gbit\"")
        .replace("\"8mbit\"", "\"1gbit\"")
        .replace("\"guaranteed\"", "\"controlled-load\"");
    // Losses in a row can let state time out just before the end.
    out.push_str(&plan.replace("\"5%\"", "\"0%\""));
    for _ in 0..3 {
        let (at, link, node) =
            (20 + draw.below(60), draw.below(links.len()), draw.one(&["r0", "r1", "h1", "h2"]));
        let (away, crash) = (1 + draw.below(40), draw.below(2) == 0);
        if !failures {
            continue;
        }
        let _ = match (crash, &links[link]) {
            (true, _) => writeln!(
                out,
                "[[action]]\nat = \"{at}s\"\ndo = \"crash\"\nnode = \"{node}\"\nfor = \"{away}s\""
            ),
            (false, link) => writeln!(
                out,
                "[[action]]\nat = \"{at}s\"\ndo = \"link-down\"\nlink = \"{link}\"\n[[action]]\nat = \"{}s\"\ndo = \"link-up\"\nlink = \"{link}\"",
                at + away
            ),
        };
    }
    for what in ["paths", "requests", "reservations", "blockades"] {
        let _ = writeln!(out, "[[expect]]\nwhat = \"{what}\"\nat_least = 0");
    }
    out
}

#[test]
fn healed_networks_are_as_if_nothing_had_happened() {
    let end = |text: &str| -> Vec<Vec<Facts>> {
        let scenario =
            Scenario::parse("healing.toml", text.as_bytes()).unwrap_or_else(|f| panic!("{f}\n{text}"));
        let (_, record) = World::new(scenario).run();
        assert_eq!(record.fault, None, "{text}");
        record.looks.into_values().collect()
    };
    let mut paths = 0;
    for seed in 0..150 {
        let text = healing(seed, true);
        let (healed, calm) = (end(&text), end(&healing(seed, false)));
        for (one, other) in healed.iter().zip(&calm) {
            if let Err(difference) = pairing(other, one) {
                let show = |list: &[Facts], places: &[usize]| {
                    places.iter().map(|&n| list[n].to_string()).collect::<Vec<_>>().join("\n  ")
                };
                let (missing, surplus) = (show(other, &difference.missing), show(one, &difference.surplus));
                panic!("seed {seed}: missing\n  {missing}\nleft over\n  {surplus}\n{text}");
            }
        }
        paths += calm[0].len();
    }
    assert!(paths > 200, "nothing much is there: {paths} paths");
}
