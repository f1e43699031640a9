//! Draws worlds: a network, who sends and who receives, and what may go wrong.
//!
//! Deliberately not drawn: explicit routes, and senders on nodes with several links, whose data leaves by one of them
//! only.

use super::draw::Draw;
use super::{upheaval, variety};
use crate::scenario::model::{
    Destination, Family, Flow, Link, LinkId, Node, NodeId, Receiver, Request, ReservationStyle, Room,
    Scenario, Scheduler, Sender, SenderId, Service, SessionId, SessionPlan, Traffic,
};
use core::time::Duration;

/// Most nodes of a drawn world.
const MOST_NODES: usize = 30;
/// Nodes of a large one, and its routers.
const LARGE: usize = 300;
const LARGE_ROUTERS: (usize, usize) = (170, 220);
/// Luck of large worlds, so that the others draw what they drew before there were any.
const LARGE_LUCK: u64 = 0x6c61_7267_6500;

/// How a world is to be: drawn once, so that everything in it fits together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Temper {
    /// How many of a hundred links have room for everything.
    pub(super) roomy: usize,
    /// Styles and services agree within a session.
    pub(super) agrees: bool,
}

/// Draws a world.
#[must_use]
pub fn scenario(draw: &mut Draw<'_>, seed: u64) -> Scenario {
    draw_world(draw, seed, false)
}

/// Draws a world of 300 nodes.
#[must_use]
pub fn large_scenario(seed: u64) -> Scenario {
    let mut world = draw_world(&mut Draw::seed(seed ^ LARGE_LUCK), seed, true);
    world.name = format!("large-world-{seed}");
    world
}

fn draw_world(draw: &mut Draw<'_>, seed: u64, is_large: bool) -> Scenario {
    let temper = Temper { roomy: draw.one(&[100, 100, 100, 0, 0, 85]), agrees: !draw.percent(15) };
    let refresh = Duration::from_secs([5, 10, 30][draw.below(3)]);
    let mut scenario = Scenario {
        lab_speed: None,
        file: String::new(),
        name: format!("world-{seed}"),
        description: String::new(),
        seed,
        family: draw.one(&[Family::Ipv4, Family::Ipv6]),
        duration: Duration::ZERO,
        refresh,
        lifetime_multiplier: draw.one(&[3, 3, 2, 4]),
        blockade_multiplier: draw.one(&[3, 3, 2, 4]),
        room: room(seed),
        local_repair_wait: Duration::from_secs(draw.one(&[2, 2, 0, 1])),
        convergence: Duration::ZERO,
        faults_until: None,
        nodes: Vec::new(),
        links: Vec::new(),
        routes: Vec::new(),
        sessions: Vec::new(),
        senders: Vec::new(),
        receivers: Vec::new(),
        loads: Vec::new(),
        actions: Vec::new(),
        expectations: Vec::new(),
        index: crate::scenario::index::Index::default(),
    };
    network(draw, &mut scenario, temper, is_large);
    variety::links(draw, &mut scenario);
    variety::objects(draw, &mut scenario);
    scenario.convergence = convergence(seed, scenario.local_repair_wait);
    let count = if is_large { draw.between(6, 12) } else { draw.between(1, 4) };
    sessions(draw, &mut scenario, temper, count);
    upheaval::actions(draw, &mut scenario, temper);
    upheaval::services(draw, &mut scenario);
    variety::packet_sizes(draw, &mut scenario);
    upheaval::faults(draw, &mut scenario);
    scenario.duration = super::settled_at(&scenario);
    scenario
}

/// How much state neighbours may make: in some worlds less than they need. It has luck of its own, so that the others are what they
/// were before there was such a thing.
fn room(seed: u64) -> Room {
    let mut draw = Draw::seed(seed ^ 0x726f_6f6d);
    if !draw.percent(60) {
        return Room::default();
    }
    Room { state_octets: draw.one(&[5_000, 10_000, 16_000, 24_000]), neighbours: draw.one(&[2, 2, 3]) }
}

/// How unevenly nodes hear of routes: in every sixth world, within W, with luck of its own.
fn convergence(seed: u64, wait: Duration) -> Duration {
    match seed % 6 {
        4 => wait / Draw::seed(seed ^ 0x636f_6e76).one(&[1, 4, 20]),
        _ => Duration::ZERO,
    }
}

fn network(draw: &mut Draw<'_>, scenario: &mut Scenario, temper: Temper, is_large: bool) {
    let large = draw.percent(12);
    let routers = match (is_large, large) {
        (true, _) => draw.between(LARGE_ROUTERS.0, LARGE_ROUTERS.1),
        (_, true) => draw.between(6, 14),
        _ => draw.between(2, 7),
    };
    for n in 0..routers {
        scenario.nodes.push(Node {
            name: format!("r{n}"),
            router: true,
            plain: false,
            clock_ppm: 0,
            carries: None,
        });
    }
    // A row of so many routers is longer than a TTL.
    let shape = if is_large { draw.between(2, 4) } else { draw.below(5) };
    for n in 1..routers {
        let to = match shape {
            0 | 1 => n - 1,
            _ => draw.below(n),
        };
        // In the last shape some routers meet on LANs.
        if shape == 4 && draw.percent(40) && n + 1 < routers {
            join(draw, scenario, &[to, n, n + 1], temper);
        } else {
            join(draw, scenario, &[to, n], temper);
        }
    }
    if shape == 1 && routers > 2 {
        join(draw, scenario, &[routers - 1, 0], temper);
    }
    if shape >= 3 {
        for _ in 0..if is_large { draw.between(10, 40) } else { draw.between(1, 3) } {
            let (a, b) = (draw.below(routers), draw.below(routers));
            if a < b {
                join(draw, scenario, &[a, b], temper);
            }
        }
    }
    let hosts = match (is_large, large) {
        (true, _) => LARGE - routers,
        (_, true) => draw.between(6, 16),
        _ => draw.between(3, 8),
    };
    let most = if is_large { LARGE } else { MOST_NODES };
    add_hosts(draw, scenario, temper, routers, hosts.min(most - routers));
    variety::plain(draw, scenario);
    order(scenario);
}

/// So many hosts behind routers, on links or LANs of their own.
fn add_hosts(draw: &mut Draw<'_>, scenario: &mut Scenario, temper: Temper, routers: usize, count: usize) {
    let mut n = 0;
    while n < count {
        let mut ends = vec![draw.below(routers)];
        if draw.percent(15) {
            let second = draw.below(routers);
            if second != ends[0] {
                ends.push(second);
            }
        }
        let together = if draw.percent(35) { draw.between(2, 3) } else { 1 };
        for _ in 0..together.min(count - n) {
            ends.push(scenario.nodes.len());
            scenario.nodes.push(Node {
                name: format!("h{n}"),
                router: false,
                plain: false,
                clock_ppm: 0,
                carries: None,
            });
            n += 1;
        }
        join(draw, scenario, &ends, temper);
    }
}

/// Nodes and links in the order that a file has: hosts before routers before those without RSVP, links before LANs.
fn order(scenario: &mut Scenario) {
    let mut places: Vec<usize> = (0..scenario.nodes.len()).collect();
    places.sort_by_key(|&n| (scenario.nodes[n].router, scenario.nodes[n].plain));
    for end in scenario.links.iter_mut().flat_map(|link| &mut link.ends) {
        end.0 = places.iter().position(|&old| old == end.0).unwrap_or_default();
    }
    scenario.nodes.sort_by_key(|node| (node.router, node.plain));
    scenario.links.sort_by_key(|link| link.lan);
}

/// A link for two nodes that have none yet, a LAN for more.
fn join(draw: &mut Draw<'_>, scenario: &mut Scenario, ends: &[usize], temper: Temper) {
    let mut ends: Vec<NodeId> = ends.iter().map(|&n| NodeId(n)).collect();
    ends.retain(|end| end.0 < scenario.nodes.len());
    let (cost, rate) = (draw.one(&[1, 1, 2, 3]), draw.between(2, 12) as u64 * 800_000);
    let delay = Duration::from_millis(draw.one(&[1, 5, 20]));
    if scenario.links.iter().any(|link| ends.iter().all(|end| link.ends.contains(end))) {
        return;
    }
    let lan = ends.len() > 2;
    let name = if lan {
        format!("lan{}", scenario.links.len())
    } else {
        format!("{}-{}", scenario.nodes[ends[0].0].name, scenario.nodes[ends[1].0].name)
    };
    scenario.links.push(Link {
        name,
        lan,
        ends,
        rate_bps: 1_000_000_000,
        delay,
        mtu: 1500,
        reservable_bps: if draw.percent(temper.roomy) { 1_000_000_000 } else { rate },
        refusal: None,
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        scheduler: Scheduler::Priority,
        queue: 150_000,
        reorder_by: Duration::from_millis(50),
        corrupt: 0.0,
        cost,
        error_c: 0,
        error_d_us: 0,
    });
}

fn sessions(draw: &mut Draw<'_>, scenario: &mut Scenario, temper: Temper, count: usize) {
    let hosts: Vec<NodeId> =
        (0..scenario.nodes.len()).map(NodeId).filter(|n| !scenario.nodes[n.0].router).collect();
    for n in 0..count {
        let session = SessionId(n);
        let unicast = draw.percent(35);
        let destination =
            if unicast { Destination::Node(draw.one(&hosts)) } else { Destination::Group(n as u16 + 1) };
        scenario.sessions.push(SessionPlan {
            name: format!("s{n}"),
            destination,
            protocol: draw.one(&[17, 17, 6]),
            port: 5000 + n as u16,
            gpi: false,
        });
        for _ in 0..draw.between(1, 4) {
            let node = draw.one(&hosts);
            sender(draw, scenario, session, node);
        }
        let style = draw.one(&[ReservationStyle::Wf, ReservationStyle::Ff, ReservationStyle::Se]);
        let guaranteed = draw.percent(35);
        let receivers = if unicast { draw.between(1, 2) } else { draw.between(1, 6) };
        for _ in 0..receivers {
            let node = match destination {
                Destination::Node(node) => node,
                // Now and then a router has an application of its own.
                _ if draw.percent(12) => Some(NodeId(draw.below(scenario.nodes.len())))
                    .filter(|node| !scenario.nodes[node.0].plain)
                    .unwrap_or(hosts[0]),
                _ => draw.one(&hosts),
            };
            let style = if !temper.agrees && draw.percent(30) {
                draw.one(&[ReservationStyle::Ff, ReservationStyle::Se])
            } else {
                style
            };
            receiver(draw, scenario, session, node, style, guaranteed);
        }
    }
}

fn sender(draw: &mut Draw<'_>, scenario: &mut Scenario, session: SessionId, node: NodeId) {
    let n = scenario.senders.len();
    scenario.senders.push(Sender {
        name: format!("tx{n}"),
        node,
        session,
        port: 4000 + n as u16,
        spi: 4000 + n as u32,
        traffic: traffic(draw),
        adspec: draw.one(&[Some((true, true)), Some((true, false)), Some((false, true)), None]),
        ttl: 64,
        start: scenario.refresh * draw.below(12) as u32 / 2,
        socket: false,
    });
}

/// Rates in steps that single precision adds up without rounding, so that sums do not depend on their order.
pub(super) fn traffic(draw: &mut Draw<'_>) -> Traffic {
    let rate_bps = draw.between(1, 12) as f64 * 400_000.0;
    let bucket = draw.one(&[1_000.0, 1_500.0, 4_000.0, 15_000.0]);
    let peak_bps = if draw.percent(30) { rate_bps * draw.one(&[2.0, 4.0]) } else { f64::INFINITY };
    let (min_packet, max_packet) = (draw.one(&[64, 64, 40, 128]), draw.one(&[1500, 1500, 1000]));
    Traffic { rate_bps, bucket, peak_bps, min_packet, max_packet }
}

fn receiver(
    draw: &mut Draw<'_>,
    scenario: &mut Scenario,
    session: SessionId,
    node: NodeId,
    style: ReservationStyle,
    guaranteed: bool,
) {
    let listens_only = draw.percent(8);
    let request = request(draw, scenario, session, style, guaranteed).filter(|_| !listens_only);
    let n = scenario.receivers.len();
    scenario.receivers.push(Receiver {
        name: format!("rx{n}"),
        node,
        session,
        start: scenario.refresh * draw.below(12) as u32 / 2,
        reserve_at: None,
        wait_for_path: !draw.percent(20),
        request,
        socket: false,
    });
}

/// A request for senders of a session; none if there are none.
pub(super) fn request(
    draw: &mut Draw<'_>,
    scenario: &Scenario,
    session: SessionId,
    style: ReservationStyle,
    guaranteed: bool,
) -> Option<Request> {
    let senders = scenario.senders_of(session);
    // Shared requests for senders that others did not choose are what one flowspec for all makes difficult.
    let left_out = if style == ReservationStyle::Se && draw.percent(40) { 60 } else { 25 };
    let mut chosen: Vec<SenderId> = senders.iter().copied().filter(|_| !draw.percent(left_out)).collect();
    if chosen.is_empty() && !senders.is_empty() {
        chosen = vec![draw.one(&senders)];
    }
    // Often as much as others of the session ask for, and another bucket or packet size.
    let usual = senders.first().map(|sender| scenario.senders[sender.0].traffic.rate_bps);
    let two_services = style == ReservationStyle::Ff && chosen.len() > 1 && draw.percent(4);
    let flow = |filters: Vec<SenderId>, draw: &mut Draw<'_>| {
        let mut traffic = traffic(draw);
        if let Some(usual) = usual.filter(|_| draw.percent(25)) {
            traffic.peak_bps = traffic.peak_bps.max(usual);
            traffic.rate_bps = usual;
        }
        let guaranteed = guaranteed != (two_services && draw.percent(50));
        let service = match guaranteed {
            false => Service::ControlledLoad,
            true => Service::Guaranteed {
                reserve_bps: traffic.rate_bps + draw.below(3) as f64 * 400_000.0,
                slack_us: draw.one(&[0, 0, 1_000]),
            },
        };
        Flow { filters, traffic, service }
    };
    let flows: Vec<Flow> = match style {
        _ if chosen.is_empty() => return None,
        ReservationStyle::Wf => vec![flow(Vec::new(), draw)],
        ReservationStyle::Se => vec![flow(chosen, draw)],
        ReservationStyle::Ff => chosen.into_iter().map(|sender| flow(vec![sender], draw)).collect(),
    };
    Some(Request { style, flows, confirm: draw.percent(40) })
}

/// All links of a scenario.
pub(super) fn links(scenario: &Scenario) -> impl Iterator<Item = LinkId> {
    (0..scenario.links.len()).map(LinkId)
}
