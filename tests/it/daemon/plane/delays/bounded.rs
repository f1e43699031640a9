//! Guaranteed service: no conforming packet is longer on the way than the bound that its receiver computes from the ADSPEC
//! (RFC 2212), while everything that has not reserved is.

use super::super::super::client::Client;
use super::super::super::net::Net;
use super::super::{kernel, traffic};
use super::stamped::{Delays, Flow, Pattern, run};
use super::{Cell, LINK, MTU, Table, alone, drained, is_full, ms};
use rsvp_node::guaranteed::queueing_bound_us;
use rsvp_wire::Tspec;
use serde_json::json;
use std::time::Duration;

const NODES: [&str; 5] = ["a", "r", "q", "s", "t"];

/// A row of nodes with links of 10 Mbit/s: the first is the sender's host, the last the receiver's.
struct Row {
    net: Net,
    links: usize,
    a: Client,
    b: Client,
    /// Where the data goes.
    host: String,
}

/// What is reserved: R and r, and b.
#[derive(Clone, Copy)]
struct Asked {
    rate: u64,
    bucket: u64,
}

impl Row {
    fn new(test: &str, links: usize) -> Option<Self> {
        let mut net = Net::new(test)?;
        for node in &NODES[..=links] {
            net.router(node);
        }
        for pair in NODES[..=links].windows(2) {
            net.link(pair[0], pair[1]);
        }
        // The n-th node is between the n-th link and the next one.
        for (n, node) in NODES[..=links].iter().enumerate() {
            for link in (1..n).chain(n + 2..=links) {
                let (by, end) = if link < n { (n, 1) } else { (n + 1, 2) };
                net.ip(node, &format!("route add 10.0.{link}.0/24 via 10.0.{by}.{end}"));
            }
        }
        let config = kernel("auto", "").replace("100mbit", "10mbit");
        for node in &NODES[..=links] {
            net.daemon(node, &config);
        }
        let (a, b) = (net.client("a"), net.client(NODES[links]));
        Some(Self { net, links, a, b, host: format!("10.0.{links}.2") })
    }

    /// Reserves; gives the bound, in microseconds, which is that of what the receiver hears of the path.
    fn reserve(&mut self, Asked { rate, bucket }: Asked, port: u16) -> Duration {
        let (session, sender) = (format!("udp {}:{port}", self.host), format!("10.0.1.1:{port}"));
        let tspec = traffic(rate * 8, bucket);
        self.a.announce(&session, &sender, &tspec);
        self.b.ask(json!({"request": "open-session", "session": session})).expect("a session");
        let offer = self.b.event("path")["adspec"]["guaranteed"].take();
        assert_eq!(offer["break"], false, "{offer}");
        let flowspec = json!({"service": "guaranteed", "traffic": tspec, "reserve_bps": rate * 8});
        self.b.ask_for(&session, "ff", &[&sender], &flowspec);
        self.b.event("resv-confirm");
        self.net.client("a").until("flows", 1);
        let term =
            |name: &str| offer[name].as_u64().and_then(|term| u32::try_from(term).ok()).expect("a term");
        let tspec = Tspec {
            rate: rate as f32,
            bucket: bucket as f32,
            peak: f32::INFINITY,
            min_policed_unit: 64,
            max_packet_size: MTU as u32,
        };
        let bound = queueing_bound_us(&tspec, rate as f32, term("ctot"), term("dtot_us"));
        Duration::from_nanos((bound * 1e3) as u64)
    }

    fn release(&mut self, port: u16) {
        let session = format!("udp {}:{port}", self.host);
        self.b.ask(json!({"request": "close-session", "session": session})).expect("it is given up");
        self.a.ask(json!({"request": "close-session", "session": session})).expect("it is withdrawn");
        for node in &NODES[..self.links] {
            self.net.client(node).until("flows", 0);
        }
    }

    /// The whole bucket at once, again as soon as it is full; and best effort: three times the link from end to end, and on each
    /// further link half as much again of what goes no further.
    fn flows(&self, Asked { rate, bucket }: Asked, port: u16) -> (Flow, Flow, Vec<Flow>) {
        let end = NODES[self.links];
        let every = Duration::from_micros(bucket * 1_050_000 / rate);
        let bursts = Pattern::Bursts { packets: bucket / MTU, every };
        let pair = |port: u16| (format!("10.0.1.1:{port}"), format!("{}:{port}", self.host));
        let ((source, to), (flooder, flooded)) = (pair(port), pair(9_000));
        let reserved = Flow::new(&self.net, [("a", &source), (end, &to)], MTU as usize, bursts);
        let flood = Pattern::Flood { rate: 3 * LINK };
        let flood = Flow::new(&self.net, [("a", &flooder), (end, &flooded)], 1_400, flood);
        let crossing = (2..=self.links).map(|link| {
            let (from, to) = (format!("10.0.{link}.1:9001"), format!("10.0.{link}.2:9001"));
            let nodes = [(NODES[link - 1], &*from), (NODES[link], &*to)];
            Flow::new(&self.net, nodes, 1_400, Pattern::Flood { rate: 3 * LINK / 2 })
        });
        (reserved, flood, crossing.collect())
    }

    fn measured(&self, asked: Asked, port: u16, duration: Duration) -> Cell<[Delays; 2]> {
        let (reserved, flood, crossing) = self.flows(asked, port);
        let flows: Vec<&Flow> = [&reserved, &flood].into_iter().chain(&crossing).collect();
        Cell::measured(|| {
            let mut found = run(&flows, duration, || {
                for pair in NODES[..=self.links].windows(2) {
                    drained(&self.net, pair[0], &format!("to-{}", pair[1]));
                }
            });
            let flood = found.swap_remove(1);
            [found.swap_remove(0), flood]
        })
    }
}

#[test]
fn guaranteed_packets_keep_the_bound_that_best_effort_exceeds() {
    let _turn = alone();
    // R in octets per second: 2, 4 and 6 Mbit/s.
    let (rates, buckets) = ([250_000, 500_000, 750_000], [3_000, 12_000]);
    let all = rates.iter().flat_map(|rate| buckets.map(|bucket| Asked { rate: *rate, bucket }));
    let all: Vec<Asked> = all.collect();
    let (slice, duration) = match is_full() {
        true => ((1..=4).map(|links| (links, all.clone())).collect(), Duration::from_secs(5)),
        false => (vec![(2, vec![all[1], all[5]])], Duration::from_secs(1)),
    };
    let columns =
        ["hops", "R", "b", "sent", "bound", "worst", "of the bound", "best effort's worst", "longest stall"];
    let mut table = Table::new("Guaranteed service, the whole bucket at once, links of 10 Mbit/s", &columns);
    let (mut most, mut is_any_stalled) = (0.0_f64, false);
    for (links, cells) in slice {
        let Some(mut row) = Row::new("bounds of Guaranteed service", links) else { return };
        for (asked, port) in cells.into_iter().zip(5_000..) {
            let bound = row.reserve(asked, port);
            let cell = row.measured(asked, port, duration);
            row.release(port);
            let [reserved, flood] = &cell.value;
            let (worst, theirs) = (reserved.worst(), flood.worst());
            let part = worst.as_secs_f64() / bound.as_secs_f64();
            // A stall of this machine lengthens delays: the largest share of a bound is taken from cells without one.
            match cell.is_stalled() {
                true => is_any_stalled = true,
                false => most = most.max(part),
            }
            let Asked { rate, bucket } = asked;
            let what = format!("{links} hops, R {rate}, b {bucket}");
            table.row(&[
                links.to_string(),
                format!("{} Mbit/s", rate * 8 / 1_000_000),
                bucket.to_string(),
                reserved.sent.to_string(),
                ms(bound),
                ms(worst),
                format!("{:.0} %", part * 100.0),
                ms(theirs),
                cell.still(),
            ]);
            let stalled = cell.is_stalled();
            table.expect(reserved.lost() == 0.0, stalled, format!("{what}: {} lost", reserved.lost()));
            table.expect(worst <= bound, stalled, format!("{what}: {} of {}", ms(worst), ms(bound)));
            table.expect(
                theirs > bound,
                stalled,
                format!("{what}: best effort {} of {}", ms(theirs), ms(bound)),
            );
        }
    }
    table.expect(most >= 0.3, is_any_stalled, format!("at most {most} of a bound was used"));
    table.judge();
}
