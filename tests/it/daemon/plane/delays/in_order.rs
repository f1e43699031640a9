//! The order of services: what waits for a link leaves service by service.

use super::super::super::net::Net;
use super::super::{controlled_load, kernel, traffic};
use super::stamped::{Flow, Pattern};
use super::{alone, drained};
use serde_json::json;
use std::time::Duration;

/// Packets of each flow, and their octets.
const PACKETS: usize = 20;
const OCTETS: usize = 1_000;
/// The services from the first to the last, with the TOS octets of their flows: CS6 and CS1 have classes of their own, the others
/// are told by their reservation, or have none.
const SERVICES: [(&str, u32); 6] = [
    ("network control", 0xc0),
    ("Guaranteed", 0),
    ("Controlled-Load", 0),
    ("best effort", 0),
    ("qualitative", 0x20),
    ("what does not conform", 0),
];
/// What a class sends at once while nothing waits: two packets, and the links' own two.
const AT_ONCE: usize = 4;

#[test]
fn what_waits_for_a_link_leaves_service_by_service() {
    let _turn = alone();
    let Some(mut net) = Net::three_in_a_row("the order of services") else { return };
    let near = kernel("auto", "classes = { cs1 = \"qualitative\" }\n");
    // A packet takes 8 ms there.
    let slow =
        kernel("auto", "classes = { cs1 = \"qualitative\" }\n[interface.to-b]\nbandwidth = \"1mbit\"\n");
    for (node, config) in [("a", &near), ("r", &slow), ("b", &near)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    // Buckets for all packets, and rates at which no second bucket comes; the last has room for one packet, and none after it.
    let (whole, one) = ((PACKETS * OCTETS) as u64, OCTETS as u64);
    let guaranteed = |rate: u64, bucket| json!({"service": "guaranteed", "traffic": traffic(rate, bucket), "reserve_bps": rate});
    for (flow, rate, bucket, flowspec) in [
        (1, 800, whole + 1_500, guaranteed(800, whole + 1_500)),
        (2, 8, whole, controlled_load(8, whole)),
        (5, 8, one, controlled_load(8, one)),
    ] {
        let (session, sender) = (format!("udp 10.0.2.2:500{flow}"), format!("10.0.1.1:400{flow}"));
        a.announce(&session, &sender, &traffic(rate, bucket));
        b.hears(&session);
        b.ask_for(&session, "ff", &[&sender], &flowspec);
        b.event("resv-confirm");
    }
    net.client("r").until("flows", 3);
    let flows: Vec<Flow> = SERVICES
        .iter()
        .enumerate()
        .map(|(n, (_, tos))| {
            let (source, destination) = (format!("10.0.1.1:400{n}"), format!("10.0.2.2:500{n}"));
            let once = Pattern::Bursts { packets: PACKETS as u64, every: Duration::from_secs(60) };
            Flow::new(&net, [("a", &source), ("b", &destination)], OCTETS, once).marked(*tos)
        })
        .collect();
    // The last service first, so that nothing is in order because it was sent so. One packet has the bucket of the last flow empty.
    flows[5].send_one();
    let started: Vec<&Flow> = flows.iter().rev().collect();
    let arrived = super::stamped::times(&started, || drained(&net, "r", "to-b"));
    let last_of = |n: usize| arrived[SERVICES.len() - 1 - n].last().copied().expect("packets");
    for n in 0..SERVICES.len() - 1 {
        let (this, next) = (&arrived[SERVICES.len() - 1 - n], &arrived[SERVICES.len() - 2 - n]);
        assert_eq!((this.len(), next.len()), (PACKETS, PACKETS), "nothing is lost");
        let (name, behind) = (SERVICES[n].0, SERVICES[n + 1].0);
        let early = next.iter().filter(|at| **at < last_of(n)).count();
        assert!(early <= AT_ONCE, "{early} packets of {behind} before the last of {name}");
    }
    let (first, last) = (last_of(0), last_of(SERVICES.len() - 1));
    // Not by chance: five services of twenty packets, and what was sent at once less.
    let least = Duration::from_millis(8 * (5 * (PACKETS - AT_ONCE)) as u64);
    assert!(last - first >= least, "{:?} between the first service and the last", last - first);
}
