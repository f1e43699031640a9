//! What a receiver measures of one flow: throughput, loss, delay, and jitter as RFC 3550 section 6.4.1 and appendix A.8
//! have it.
//!
//! Pure: times are arguments. Delay is the difference of two wall clocks and only as good as they agree.

use super::payload::Payload;
use super::spread::Spread;
use serde::Serialize;

/// A flow as it arrives.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    first: u64,
    highest: u64,
    received: u64,
    octets: u64,
    /// J, in microseconds.
    jitter_us: f64,
    transit_us: i64,
    delays: Delays,
    /// Of all packets.
    all: Delays,
    spread: Spread,
    before: (u64, u64, u64),
    /// Something came in the interval before.
    lively: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Delays {
    count: u64,
    sum_us: i64,
    max_us: i64,
}

/// What was measured since the report before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    /// With IP headers.
    pub(super) throughput_bps: f64,
    pub(super) packets: u64,
    pub(super) lost: u64,
    pub(super) jitter_us: f64,
    pub(super) delay_us: Option<f64>,
    pub(super) delay_max_us: Option<i64>,
    /// All that has arrived of the flow.
    pub(super) packets_total: u64,
    pub(super) lost_total: u64,
}

impl Delays {
    fn add(&mut self, us: i64) {
        self.max_us = if self.count == 0 { us } else { self.max_us.max(us) };
        self.count += 1;
        self.sum_us += us;
    }

    fn mean_us(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_us as f64 / self.count as f64)
    }
}

/// What was measured of a flow from its first packet on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) packets: u64,
    /// With IP headers.
    pub(super) octets: u64,
    pub(super) lost: u64,
    /// Of all packets that were sent between the first and the last one that arrived.
    pub(super) lost_share: f64,
    pub(super) jitter_us: f64,
    pub(super) delay_us: Option<f64>,
    /// What half of the packets have at most, and 99 of a hundred: to 3 %.
    pub(super) delay_median_us: Option<i64>,
    pub(super) delay_p99_us: Option<i64>,
    pub(super) delay_max_us: Option<i64>,
}

impl Arrivals {
    /// A flow whose first packet this is.
    pub(super) fn new(payload: &Payload, arrived_us: u64, octets: u64) -> Self {
        let mut flow = Self {
            first: payload.sequence,
            highest: payload.sequence,
            received: 0,
            octets: 0,
            jitter_us: 0.0,
            transit_us: transit(payload, arrived_us),
            delays: Delays::default(),
            all: Delays::default(),
            spread: Spread::default(),
            before: (0, 0, 0),
            lively: true,
        };
        flow.packet(payload, arrived_us, octets);
        flow
    }

    /// Another packet of so many octets.
    pub(super) fn packet(&mut self, payload: &Payload, arrived_us: u64, octets: u64) {
        self.first = self.first.min(payload.sequence);
        self.highest = self.highest.max(payload.sequence);
        self.received += 1;
        self.octets += octets;
        let transit = transit(payload, arrived_us);
        let difference = (transit - self.transit_us).unsigned_abs() as f64;
        self.transit_us = transit;
        self.jitter_us += (difference - self.jitter_us) / 16.0;
        self.delays.add(transit);
        self.all.add(transit);
        self.spread.add(transit);
    }

    fn expected(&self) -> u64 {
        self.highest - self.first + 1
    }

    /// Never more than the worst, for which its size of delays stands otherwise.
    fn percentile_us(&self, percent: u64) -> Option<i64> {
        self.spread.percentile(percent).map(|us| us.min(self.all.max_us))
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// What there is to say about all of it.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            packets: self.received,
            octets: self.octets,
            lost: self.lost(),
            lost_share: self.lost() as f64 / self.expected() as f64,
            jitter_us: self.jitter_us,
            delay_us: self.all.mean_us(),
            delay_median_us: self.percentile_us(50),
            delay_p99_us: self.percentile_us(99),
            delay_max_us: (self.all.count > 0).then_some(self.all.max_us),
        }
    }

    /// Whether the last report had anything to tell.
    pub(super) fn is_lively(&self) -> bool {
        self.lively
    }

    /// What there is to say about the last `seconds`.
    pub(super) fn report(&mut self, seconds: f64) -> Report {
        let lost_total = self.lost();
        let (received, octets, lost) = self.before;
        let delays = core::mem::take(&mut self.delays);
        self.before = (self.received, self.octets, lost_total);
        self.lively = delays.count > 0;
        Report {
            throughput_bps: (self.octets - octets) as f64 * 8.0 / seconds,
            packets: self.received - received,
            // What came late after all was counted as lost before.
            lost: lost_total.saturating_sub(lost),
            jitter_us: self.jitter_us,
            delay_us: delays.mean_us(),
            delay_max_us: (delays.count > 0).then_some(delays.max_us),
            packets_total: self.received,
            lost_total,
        }
    }
}

/// The relative transit time: meaningless by itself when the clocks differ, its changes are not.
fn transit(payload: &Payload, arrived_us: u64) -> i64 {
    arrived_us.wrapping_sub(payload.sent_us) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(sequence: u64, sent_us: u64) -> Payload {
        Payload { flow: 1, sequence, sent_us }
    }

    #[test]
    fn throughput_loss_and_delay_of_an_interval() {
        let mut flow = Arrivals::new(&sent(10, 1_000), 1_500, 1_000);
        // 12 is lost, 11 comes after 13.
        flow.packet(&sent(13, 4_000), 4_700, 1_000);
        flow.packet(&sent(11, 2_000), 4_800, 1_000);
        let report = flow.report(2.0);
        assert_eq!((report.throughput_bps, report.packets, report.lost), (12_000.0, 3, 1));
        assert_eq!(
            (report.delay_us, report.delay_max_us),
            (Some((500.0 + 700.0 + 2_800.0) / 3.0), Some(2_800))
        );
        let silent = flow.report(1.0);
        assert_eq!((silent.packets, silent.lost, silent.delay_us, silent.throughput_bps), (0, 0, None, 0.0));
        assert_eq!((silent.packets_total, silent.lost_total), (3, 1));
        let all = flow.summary();
        assert_eq!((all.packets, all.octets, all.lost, all.lost_share), (3, 3_000, 1, 0.25));
        assert_eq!((all.delay_us, all.delay_max_us), (Some(4_000.0 / 3.0), Some(2_800)));
        // A size of delays has 3 % of them in it: 700 is one of 688 to 703, 2,800 one of 2,752 to 2,815.
        assert_eq!((all.delay_median_us, all.delay_p99_us), (Some(703), Some(2_800)));
    }

    #[test]
    fn jitter_as_rfc_3550_counts_it() {
        // By hand: transit 100, 260, 100: J = 160/16 = 10, then 10 + (160-10)/16 = 19.375.
        let mut flow = Arrivals::new(&sent(0, 0), 100, 1);
        assert!(flow.report(1.0).jitter_us.abs() < 1e-9);
        flow.packet(&sent(1, 1_000), 1_260, 1);
        assert!((flow.report(1.0).jitter_us - 10.0).abs() < 1e-9);
        flow.packet(&sent(2, 2_000), 2_100, 1);
        assert!((flow.report(1.0).jitter_us - 19.375).abs() < 1e-9);
    }

    #[test]
    fn clocks_that_differ_do_no_harm() {
        let mut flow = Arrivals::new(&sent(0, 5_000), 1_000, 1);
        flow.packet(&sent(1, 6_000), 2_000, 1);
        let report = flow.report(1.0);
        assert_eq!((report.delay_us, report.jitter_us), (Some(-4_000.0), 0.0));
    }
}
