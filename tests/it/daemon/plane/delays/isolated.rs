//! Controlled-Load flows behind a saturated link: they do not notice what others do, whether those have reserved or not.

use super::super::super::client::Client;
use super::super::super::net::Net;
use super::super::{controlled_load, kernel, traffic};
use super::stamped::{Delays, Flow, Pattern, run};
use super::{Cell, LINK, MTU, Table, alone, drained, is_full, ms};
use serde_json::json;
use std::time::Duration;

/// Octets of a packet of a reserved flow, and of one of best effort. A queue that has room for so many octets prefers small ones,
/// so they are not very different.
const PACKET: usize = 1_200;
const FLOOD_PACKET: usize = 1_400;
/// By how much more than on the idle link p99 may be: two packets on the link.
const MORE: Duration = Duration::from_micros(2 * MTU * 1_000_000 / LINK);
const COLUMNS: [&str; 7] = ["10 Mbit/s", "sent", "lost", "median", "p99", "worst", "longest stall"];

/// Two hosts and two routers in a row, the link between the routers being the narrow one.
struct Bench {
    net: Net,
    a: Client,
    b: Client,
}

impl Bench {
    /// With more about all interfaces.
    fn new(test: &str, more: &str) -> Option<Self> {
        let mut net = Net::four_in_a_row(test)?;
        let near = kernel("auto", more);
        let narrow = kernel("auto", &format!("{more}[interface.to-q]\nbandwidth = \"10mbit\"\n"));
        for (node, config) in [("a", &near), ("r", &narrow), ("q", &near), ("b", &near)] {
            net.daemon(node, config);
        }
        let (a, b) = (net.client("a"), net.client("b"));
        Some(Self { net, a, b })
    }

    /// Reserves for a flow: octets per second.
    fn reserve(&mut self, flow: u16, rate: u64, bucket: u64) {
        let (session, sender) = (session(flow), format!("10.0.1.1:{}", 4_000 + flow));
        self.a.announce(&session, &sender, &traffic(rate * 8, bucket));
        self.b.hears(&session);
        self.b.ask_for(&session, "ff", &[&sender], &controlled_load(rate * 8, bucket));
        self.b.event("resv-confirm");
    }

    /// The data of a flow, whether it has a reservation or not.
    fn flow(&self, flow: u16, pattern: Pattern) -> Flow {
        let (source, destination) =
            (format!("10.0.1.1:{}", 4_000 + flow), format!("10.0.3.2:{}", 5_000 + flow));
        Flow::new(&self.net, [("a", &source), ("b", &destination)], PACKET, pattern)
    }

    /// Best effort of a little more than three times the narrow link's rate. At exactly three times it would keep in step with the
    /// other flow, whose packets would then find the queue full always, or never.
    fn flood(&self) -> Flow {
        let pattern = Pattern::Flood { rate: 3 * LINK + LINK / 17 };
        let ends = [("a", "10.0.1.1:6000"), ("b", "10.0.3.2:6000")];
        Flow::new(&self.net, ends, FLOOD_PACKET, pattern)
    }

    fn measured(&self, flows: &[&Flow], duration: Duration) -> Cell<Vec<Delays>> {
        Cell::measured(|| {
            run(flows, duration, || {
                [("a", "to-r"), ("r", "to-q"), ("q", "to-b")]
                    .into_iter()
                    .for_each(|(node, on)| drained(&self.net, node, on));
            })
        })
    }
}

fn session(flow: u16) -> String {
    format!("udp 10.0.3.2:{}", 5_000 + flow)
}

fn cells(what: &str, of: &Delays, still: &str) -> Vec<String> {
    let lost = format!("{:.2} %", of.lost() * 100.0);
    let times = [of.percentile(50), of.percentile(99), of.worst()].map(ms);
    let [median, p99, worst] = times;
    vec![what.to_owned(), of.sent.to_string(), lost, median, p99, worst, still.to_owned()]
}

#[test]
fn a_reserved_flow_keeps_its_delay_through_a_flood_that_takes_all_others() {
    let _turn = alone();
    let Some(mut bench) = Bench::new("delay through a flood", "") else { return };
    let duration = Duration::from_secs(if is_full() { 10 } else { 1 });
    // 2 Mbit/s, and another session's reservation that nobody uses.
    bench.reserve(0, 250_000, 20_000);
    bench.reserve(1, 10_000, 5_000);
    bench.net.client("q").until("flows", 2);
    let voice = bench.flow(0, Pattern::Steady { rate: 250_000, from: Duration::ZERO });
    let flood = bench.flood();
    let idle = bench.measured(&[&voice], duration);
    let reserved = bench.measured(&[&voice, &flood], duration);
    bench.b.ask(json!({"request": "release", "session": session(0)})).expect("it is given up");
    for node in ["a", "r", "q"] {
        bench.net.client(node).until("flows", 1);
    }
    let without = bench.measured(&[&voice, &flood], duration);

    let mut table = Table::new("A flow of 2 Mbit/s, Controlled-Load", &COLUMNS);
    let all = [
        ("idle link", &idle),
        ("30.6 Mbit/s of best effort beside it", &reserved),
        ("the same, without reservation", &without),
    ];
    for (what, cell) in all {
        table.row(&cells(what, &cell.value[0], &cell.still()));
    }
    let is_stalled = idle.is_stalled() || reserved.is_stalled() || without.is_stalled();
    let [idle, reserved, without] = [idle, reserved, without].map(|mut cell| cell.value.swap_remove(0));
    let p99 = reserved.percentile(99);
    table.expect(reserved.lost() <= 0.001, is_stalled, format!("{} of it lost", reserved.lost()));
    let limit = idle.percentile(99).saturating_add(MORE);
    table.expect(p99 <= limit, is_stalled, format!("p99 {} of {}", ms(p99), ms(limit)));
    let others = without.percentile(99);
    table.expect(
        others >= p99.saturating_mul(10),
        is_stalled,
        format!("{} without, {} with", ms(others), ms(p99)),
    );
    table.expect(without.lost() >= 0.3, is_stalled, format!("{} lost without", without.lost()));
    table.judge();
}

#[test]
fn ten_flows_do_not_notice_one_that_sends_ten_times_its_tspec() {
    let _turn = alone();
    let Some(mut bench) = Bench::new("delay beside a flow beyond its TSpec", "") else { return };
    let duration = Duration::from_secs(if is_full() { 10 } else { 1 });
    // 600 kbit/s each, 6.6 Mbit/s together: as many as the narrow link may reserve.
    let rate = 75_000;
    (0..11).for_each(|flow| bench.reserve(flow, rate, 10_000));
    bench.net.client("q").until("flows", 11);
    let apart = Duration::from_micros(PACKET as u64 * 1_000_000 / rate / 10);
    let ten: Vec<Flow> = (0..10)
        .map(|flow| {
            let from = apart * u32::from(flow);
            bench.flow(flow, Pattern::Steady { rate, from })
        })
        .collect();
    let eleventh = bench.flow(10, Pattern::Steady { rate: 10 * rate, from: Duration::ZERO });
    let flood = bench.flood();
    let idle = bench.measured(&ten.iter().collect::<Vec<_>>(), duration);
    let all: Vec<&Flow> = ten.iter().chain([&eleventh, &flood]).collect();
    let beside = bench.measured(&all, duration);

    let mut table = Table::new("Ten flows of 600 kbit/s, Controlled-Load", &COLUMNS);
    let together = |of: &[Delays]| {
        let mut delays: Vec<Duration> = of.iter().flat_map(|of| of.delays.iter().copied()).collect();
        delays.sort_unstable();
        Delays { sent: of.iter().map(|of| of.sent).sum(), delays }
    };
    let alone = together(&idle.value);
    table.row(&cells("the ten alone", &alone, &idle.still()));
    table.row(&cells(
        "the same ten, beside 30.6 Mbit/s of best effort and the eleventh",
        &together(&beside.value[..10]),
        &beside.still(),
    ));
    table.row(&cells("the eleventh, which sends 6 Mbit/s", &beside.value[10], ""));
    let is_stalled = idle.is_stalled() || beside.is_stalled();
    let limit = alone.percentile(99).saturating_add(MORE);
    for (n, of) in beside.value[..10].iter().enumerate() {
        table.expect(of.lost() == 0.0, is_stalled, format!("flow {n}: {} lost", of.lost()));
        let p99 = of.percentile(99);
        table.expect(p99 <= limit, is_stalled, format!("flow {n}: p99 {} of {}", ms(p99), ms(limit)));
    }
    table.judge();
}

#[test]
fn packets_with_the_dscp_of_an_earlier_class_keep_their_delay_through_a_flood() {
    let _turn = alone();
    let classes = "classes = { ef = \"network-control\" }\n";
    let Some(mut bench) = Bench::new("delay by DSCP", classes) else { return };
    let duration = Duration::from_secs(if is_full() { 10 } else { 1 });
    // Classes are there when something is reserved; nobody uses it.
    bench.reserve(1, 10_000, 5_000);
    bench.net.client("q").until("flows", 1);
    let steady = Pattern::Steady { rate: 250_000, from: Duration::ZERO };
    let (marked, plain) = (bench.flow(0, steady).marked(46 << 2), bench.flow(2, steady));
    let flood = bench.flood();
    let idle = bench.measured(&[&marked], duration);
    let cell = bench.measured(&[&marked, &plain, &flood], duration);

    let mut table = Table::new("A flow of 2 Mbit/s by DSCP, no reservation", &COLUMNS);
    table.row(&cells("EF, idle link", &idle.value[0], &idle.still()));
    table.row(&cells("EF, 30.6 Mbit/s of best effort beside it", &cell.value[0], &cell.still()));
    table.row(&cells("beside both, without a mark", &cell.value[1], ""));
    let is_stalled = idle.is_stalled() || cell.is_stalled();
    let ([idle, ..], [marked, plain, ..]) = (&idle.value[..], &cell.value[..]) else { panic!("flows") };
    table.expect(marked.lost() == 0.0, is_stalled, format!("{} lost", marked.lost()));
    let (p99, limit) = (marked.percentile(99), idle.percentile(99).saturating_add(MORE));
    table.expect(p99 <= limit, is_stalled, format!("p99 {} of {}", ms(p99), ms(limit)));
    table.expect(plain.lost() >= 0.3, is_stalled, format!("{} lost without a mark", plain.lost()));
    table.judge();
}
