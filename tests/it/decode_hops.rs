//! Diagrams of `rsvp decode` show the way of messages from hop to hop. Captures come from the simulator, which knows it.

use rsvp_sim::{World, capture};
use std::collections::BTreeSet;
use std::time::Duration;

fn decode(arguments: &[&str], input: &[u8]) -> String {
    let ran = super::decode::decode(arguments, input);
    assert_eq!(ran.status, 0, "{}", ran.errors);
    ran.output
}

/// What `--ladder` draws: nodes by their addresses, and of each message the name, from where to where, and the rest.
struct Drawn {
    text: String,
    nodes: Vec<Vec<String>>,
    arrows: Vec<(String, usize, usize, String)>,
}

const MARGIN: usize = 34;
const LANE: usize = 20;

fn drawn(ladder: String) -> Drawn {
    let is_row = |line: &&str| line.chars().nth(MARGIN).is_some() && line.contains('*');
    let (rows, head): (Vec<&str>, Vec<&str>) = ladder.lines().partition(is_row);
    assert_eq!(head.iter().filter(|line| line.contains("frame  time")).count(), 1, "one heading: {ladder}");
    let mut nodes: Vec<Vec<String>> = Vec::new();
    for line in head.iter().filter(|line| !line.is_empty()) {
        // An address stands above its lane.
        for (at, word) in line.match_indices(|c: char| c.is_ascii_hexdigit() || c == '.' || c == ':').fold(
            Vec::<(usize, String)>::new(),
            |mut words, (at, c)| {
                match words.last_mut() {
                    Some((start, word)) if *start + word.len() == at => word.push_str(c),
                    _ => words.push((at, c.to_owned())),
                }
                words
            },
        ) {
            if at < MARGIN - LANE / 2 {
                continue;
            }
            let lane = (at + word.len() / 2 + LANE / 2 - MARGIN) / LANE;
            nodes.resize(nodes.len().max(lane + 1), Vec::new());
            nodes[lane].push(word);
        }
    }
    let arrows = rows.iter().map(|row| arrow(row)).collect();
    Drawn { nodes, arrows, text: ladder }
}

fn arrow(row: &str) -> (String, usize, usize, String) {
    let lanes = &row[MARGIN..];
    let lane = |at: usize| {
        assert_eq!(at % LANE, 0, "{row}");
        at / LANE
    };
    let from = lane(lanes.find('*').expect(row));
    let to = lane(lanes.find(['<', '>']).expect(row));
    let name: String = lanes.chars().filter(|c| *c != '|').skip_while(|c| !c.is_alphabetic()).collect();
    let rest = name.split_once("  ").map_or("", |(_, rest)| rest.trim()).to_owned();
    (name.chars().take_while(|c| c.is_alphabetic()).collect(), from, to, rest)
}

/// A way over three routers, with a reservation that is confirmed and refreshed until the sender stops.
fn chain(family: &str, seconds: u64) -> Vec<u8> {
    let mut world = World::builder()
        .family(family)
        .hosts(["studio", "home"])
        .routers(["r1", "r2", "r3"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l)
        .link("r2", "r3", |l| l)
        .link("r3", "home", |l| l)
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.rate("1mbit"))
        .receiver("viewer", "home", |r| r.style("ff").rate("1mbit").confirm(true))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(seconds));
    world.tear("camera").expect("there is one");
    world.run_until(Duration::from_secs(seconds + 5));
    let mut file = Vec::new();
    capture::write(world.record(), &mut file).expect("in memory");
    file
}

#[test]
fn an_arrow_ends_at_the_next_router_and_a_node_has_one_lane() {
    for family in ["ipv4", "ipv6"] {
        let drawn = drawn(decode(&["--ladder"], &chain(family, 120)));
        let text = &drawn.text;
        // Two hosts with an address each, three routers with two.
        let addresses: Vec<usize> = drawn.nodes.iter().map(Vec::len).collect();
        assert_eq!(addresses, [1, 2, 2, 2, 1], "{family}: {text}");
        let of = |name: &str| -> Vec<(usize, usize)> {
            drawn.arrows.iter().filter(|arrow| arrow.0 == name).map(|arrow| (arrow.1, arrow.2)).collect()
        };
        assert_eq!(of("Path"), [(0, 1), (1, 2), (2, 3), (3, 4)], "{family}: {text}");
        assert_eq!(of("Resv"), [(4, 3), (3, 2), (2, 1), (1, 0)], "{family}: {text}");
        assert_eq!(of("ResvConf"), [(0, 1), (1, 2), (2, 3), (3, 4)], "{family}: {text}");
        assert_eq!(of("PathTear"), [(0, 1), (1, 2), (2, 3), (3, 4)], "{family}: {text}");
        for (name, _, _, rest) in &drawn.arrows {
            assert_eq!(
                rest.contains("refreshes until"),
                ["Path", "Resv"].contains(&name.as_str()),
                "{rest}: {text}"
            );
        }
    }
}

#[test]
fn refreshes_are_drawn_where_that_is_asked_for() {
    let file = chain("ipv4", 120);
    let folded = decode(&["--ladder"], &file);
    let each = decode(&["--ladder", "--refreshes"], &file);
    let messages = decode(&[], &file).lines().count();
    assert_eq!(drawn(each).arrows.len(), messages);
    let said: usize = folded
        .split_whitespace()
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|two| two[1] == "refreshes")
        .map(|two| two[0].parse::<usize>().expect("a number"))
        .sum();
    assert_eq!(drawn(folded).arrows.len() + said, messages);
}

#[test]
fn what_says_something_new_is_no_refresh() {
    let mut world = World::builder()
        .hosts(["studio", "home"])
        .router("r1")
        .link("studio", "r1", |l| l)
        .link("r1", "home", |l| l)
        .session("video", |s| s.to("home"))
        .sender("camera", "studio", |s| s.rate("1mbit"))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(40));
    world.change("camera", |keys| keys.rate("2mbit")).expect("there is one");
    world.run_until(Duration::from_secs(80));
    let mut file = Vec::new();
    capture::write(world.record(), &mut file).expect("in memory");
    let drawn = drawn(decode(&["--ladder"], &file));
    let paths = drawn.arrows.iter().filter(|arrow| arrow.0 == "Path").count();
    assert_eq!(paths, 4, "two announcements on two links: {}", drawn.text);
}

/// On a tree it cannot be told which of the next hops of a router belong together; who answered a hop is next to it all the same.
#[test]
fn what_is_not_told_apart_is_not_guessed() {
    let mut world = World::builder()
        .hosts(["studio", "left", "right"])
        .routers(["r1", "r2", "r3"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l)
        .link("r1", "r3", |l| l)
        .link("r2", "left", |l| l)
        .link("r3", "right", |l| l)
        .session("video", |s| s.group("all"))
        .sender("camera", "studio", |s| s.rate("1mbit"))
        .receiver("a", "left", |r| r.style("ff").rate("1mbit"))
        .receiver("b", "right", |r| r.style("ff").rate("1mbit"))
        .build()
        .expect("a world");
    world.run_until(Duration::from_secs(20));
    let mut file = Vec::new();
    capture::write(world.record(), &mut file).expect("in memory");
    let drawn = drawn(decode(&["--ladder", "--lanes", "64"], &file));
    // Whoever answers a hop is the next one; nobody is joined with a router of another branch.
    assert!(drawn.nodes.iter().all(|addresses| addresses.len() == 1), "{}", drawn.text);
    let of = |name: &str, turned: bool| -> BTreeSet<(usize, usize)> {
        let arrows = drawn.arrows.iter().filter(|arrow| arrow.0 == name);
        arrows.map(|arrow| if turned { (arrow.2, arrow.1) } else { (arrow.1, arrow.2) }).collect()
    };
    assert_eq!((of("Path", false), of("Path", false).len()), (of("Resv", true), 5), "{}", drawn.text);
}

#[test]
fn the_picture_has_the_same_arrows() {
    let path = std::env::temp_dir().join(format!("rsvp-hops-{}.svg", std::process::id()));
    decode(&["--svg", path.to_str().expect("text")], &chain("ipv4", 120));
    let svg = std::fs::read_to_string(&path).expect("written");
    std::fs::remove_file(&path).expect("ours");
    assert_eq!(svg.matches("font-weight=\"bold\"").count(), 5, "a lane for each node");
    assert_eq!(svg.matches("<tspan").count(), 8, "and each of its addresses");
    let number = |line: &str, key: &str| -> i64 {
        let rest = line.split_once(&format!(" {key}=\"")).expect(line).1;
        rest.split_once('"').expect(line).0.parse().expect("a number")
    };
    let arrows: Vec<i64> = svg
        .lines()
        .filter(|line| line.contains("marker-end"))
        .map(|line| (number(line, "x2") - number(line, "x1")).abs())
        .collect();
    assert_eq!(arrows, vec![220; 16], "16 messages, each to the next lane");
}

/// Of real routers; the capture is not part of the repository.
#[test]
fn the_way_over_three_hops() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pcaps/kom-real-3hop.pcap");
    let Ok(file) = std::fs::read(file) else { return };
    let drawn = drawn(decode(&["--ladder"], &file));
    let nodes: [&[&str]; 3] = [&["10.77.1.1"], &["10.77.1.2", "10.77.2.1"], &["10.77.2.2"]];
    assert_eq!(drawn.nodes, nodes, "{}", drawn.text);
    let of = |name: &str| -> Vec<(usize, usize)> {
        drawn.arrows.iter().filter(|arrow| arrow.0 == name).map(|arrow| (arrow.1, arrow.2)).collect()
    };
    for name in ["Path", "ResvConf", "PathTear"] {
        assert_eq!(of(name), [(0, 1), (1, 2)], "{name}: {}", drawn.text);
    }
    assert_eq!(of("ResvTear"), [(2, 1), (1, 0)], "{}", drawn.text);
}
