//! What super-packets are cut into counts as frames in the class where it waits, whatever the size table says: the kernel makes new packets
//! behind it. A class that is to have a rate of IP packets has as much more of it as the headers of those frames take. A super-packet that is
//! no longer than a packet may be (its packets are small) is not cut, and counts as one: the class has less then.
//!
//! How much that is shows by what the class has counted and what the egress program has counted for it, which knows how long IP packets
//! are. It is looked at while there is such a class, and a class is changed in place when its packets have become others.

use super::super::Failure;
use super::super::tc::{Class, Counters};
use super::super::tree::FlowClass;
use super::attached::Interface;
use super::by_hand::Told;
use super::{Kernel, Standing};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The smallest packets that TCP makes have as much of headers as of anything else, and some.
const MOST_HEADERS: u64 = 3;
/// What is not this share different from what it was, in thousandths, is the same.
const SAME: u64 = 2;

/// What has gone through a class, or waits in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Passed {
    packets: u64,
    /// As the class counts.
    octets: u64,
    /// Of IP.
    ip_octets: u64,
}

/// What is known of the packets of a class.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// When it was looked at last, but for so many packets; nothing before that.
    passed: Option<(Passed, u64)>,
    /// What the class has for so much of IP, in octets.
    octets: u64,
    ip_octets: u64,
    /// The kernel has refused to have the class follow, which was told.
    is_refused: bool,
}

/// Classes of an interface that are to have a rate of IP packets, by their number in the tree, and when they were looked at last.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    known: BTreeMap<u32, Known>,
    looked: Duration,
}

impl Passed {
    fn of(counters: &Counters, ip_octets: u64) -> Self {
        Self {
            packets: counters.packets + u64::from(counters.backlog_packets),
            octets: counters.octets + u64::from(counters.backlog_octets),
            ip_octets,
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            octets: self.octets.saturating_sub(before.octets),
            ip_octets: self.ip_octets.saturating_sub(before.ip_octets),
        }
    }

    /// Whether it can be told from this what packets are: so many, and one on its way, may be counted at one place alone. Their octets are to
    /// be few beside those of all headers.
    fn says_something(&self, doubt: u64, header: u64) -> bool {
        let headers = u128::from(self.packets) * u128::from(header);
        let doubtful = u128::from(doubt + 1) * u128::from(self.octets.max(self.ip_octets));
        self.packets > 0 && doubtful * 10 <= headers * u128::from(self.packets)
    }

    /// Octets of IP that the class has counted, if frames have headers of this length. Counts of two places are never of the same moment:
    /// nearly all packets are all, and hardly any are none.
    fn of_ip(&self, header: u64) -> u64 {
        if self.ip_octets * 100 > self.octets * 105 {
            return self.ip_octets.min(self.octets * MOST_HEADERS).max(1);
        }
        let frames = (self.octets.saturating_sub(self.ip_octets) / header.max(1)).min(self.packets);
        let frames = match frames * 10 {
            few if few < self.packets => 0,
            many if many > self.packets * 9 => self.packets,
            _ => frames,
        };
        self.octets.saturating_sub(frames * header).max(1)
    }
}

impl Cuts {
    /// When to look at them.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.known.is_empty()).then_some(self.looked + LOOK_AGAIN)
    }

    /// A class as it has to be for what its packets are.
    pub(super) fn correct(&self, id: u32, class: FlowClass) -> FlowClass {
        let Some(known) = self.known.get(&id) else { return class };
        let rate = u128::from(class.rate) * u128::from(known.octets) / u128::from(known.ip_octets);
        FlowClass { rate: u64::try_from(rate).unwrap_or(u64::MAX), ..class }
    }

    /// A flow has a class, which may be of this kind.
    pub(super) fn come(&mut self, id: u32, of: &Standing, now: Duration) {
        if counts_ip(of).is_some() {
            self.add(id, now);
        }
    }

    fn add(&mut self, id: u32, now: Duration) {
        let new = Known { passed: None, octets: 1, ip_octets: 1, is_refused: false };
        if self.known.is_empty() {
            // What it has counted before is nothing, or of another rate: it is looked at now.
            self.looked = now.saturating_sub(LOOK_AGAIN);
        }
        self.known.entry(id).or_insert(new);
    }

    pub(super) fn go(&mut self, id: u32) {
        self.known.remove(&id);
    }

    /// What has gone through a class by now, but for so many packets; whether its packets have become others, and then what they were.
    fn look(&mut self, id: u32, (passed, doubt): (Passed, u64), header: u64) -> Option<(u64, u64)> {
        let known = self.known.get_mut(&id)?;
        let Some((before, doubt_before)) = known.passed else {
            known.passed = Some((passed, doubt));
            return None;
        };
        let of_late = passed.since(&before);
        if !of_late.says_something(doubt + doubt_before, header) {
            return None;
        }
        known.passed = Some((passed, doubt));
        let (octets, ip_octets) = (of_late.octets.max(1), of_late.of_ip(header));
        let ratio = |octets: u64, ip_octets: u64| octets.saturating_mul(1_000) / ip_octets.max(1);
        let is_other = ratio(octets, ip_octets).abs_diff(ratio(known.octets, known.ip_octets)) > SAME;
        let before = (known.octets, known.ip_octets);
        is_other.then(|| {
            (known.octets, known.ip_octets) = (octets, ip_octets);
            before
        })
    }

    /// The class of what has become other follows, or is as it was because the kernel refuses: then it is tried again with the next look.
    /// Whether that is news.
    fn followed(&mut self, id: u32, before: (u64, u64), is_refused: bool) -> bool {
        let Some(known) = self.known.get_mut(&id) else { return false };
        if is_refused {
            (known.octets, known.ip_octets) = before;
        }
        core::mem::replace(&mut known.is_refused, is_refused) != is_refused
    }
}

impl Kernel {
    /// Has classes follow what their packets are.
    pub(super) fn follow_cuts(&mut self, now: Duration) {
        let due: Vec<u32> = self
            .interfaces
            .iter()
            .filter(|(_, here)| here.cuts.due().is_some_and(|due| due <= now))
            .map(|(on, _)| *on)
            .collect();
        for on in due {
            let Self { egress, tc, interfaces, standing, .. } = self;
            let Some(here) = interfaces.get_mut(&on) else { continue };
            here.cuts.looked = now;
            let header = here.link_header.into();
            let ours = || standing.values().filter(|of| of.interface == on).filter_map(counts_ip);
            // Between two looks at the classes, which say how much has happened meanwhile.
            let before = tc.classes(on);
            let counted: Vec<_> = ours().map(|(_, of)| egress.statistics(of.flow)).collect();
            let (before, after) = match (before, tc.classes(on)) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::debug!(%error, "classes are not listed: they are looked at again");
                    continue;
                }
            };
            for ((number, of), counted) in ours().zip(counted) {
                let counters = [&before, &after].map(|classes| counters_of(here, number, classes));
                let (Ok(counted), [Some(before), Some(after)]) = (counted, counters) else { continue };
                let ip_octets = counted.conforming.octets;
                let [before, after] = [before, after].map(|counters| Passed::of(&counters, ip_octets));
                let doubt = after.since(&before).packets;
                let Some(class) = of.desired.class else { continue };
                let Some(was) = here.cuts.look(number, (after, doubt), header) else { continue };
                let refused = here.set_class((&mut *tc, &*egress), number, class).err();
                let is_news = here.cuts.followed(number, was, refused.is_some());
                if let Some(failure) = refused.filter(|_| is_news) {
                    warn(&failure);
                }
            }
        }
    }
}

fn warn(failure: &Failure) {
    tracing::warn!(%failure, "the class of a flow of sockets does not follow what its packets are");
}

/// The class of a flow that is to have a rate of IP packets.
fn counts_ip(of: &Standing) -> Option<(u32, &Standing)> {
    let is_one = matches!(&of.told, Told::ByHand(flow) if flow.waiting.is_some());
    of.class.filter(|_| is_one).map(|number| (number, of))
}

fn counters_of(here: &Interface, number: u32, classes: &[Class]) -> Option<Counters> {
    let own = here.tree.as_ref()?.class_of(number)?;
    classes.iter().find(|class| class.handle == own).map(|class| class.counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(packets: u64, octets: u64, ip_octets: u64) -> Passed {
        Passed { packets, octets, ip_octets }
    }

    #[test]
    fn frames_among_packets_are_found() {
        // 100 packets of 100 octets: none, all or half of them were cut out of super-packets.
        for (octets, ip) in [(10_000, 10_000), (11_400, 10_000), (10_700, 10_000)] {
            assert_eq!(passed(100, octets, ip).of_ip(14), 10_000, "{octets}");
        }
        // Two packets were counted at one place alone.
        for (octets, ip) in [(114_000, 100_200), (114_000, 99_800), (100_000, 99_800), (100_000, 100_200)] {
            assert_eq!(passed(1_000, octets, ip).of_ip(14), 100_000, "{octets} {ip}");
        }
        // Twenty super-packets of ten packets of 100 octets, of which 52 are headers, that pass whole.
        assert_eq!(passed(200, 20 * (52 + 480), 20_000).of_ip(14), 20_000);
        assert_eq!(passed(0, 0, 0).of_ip(14), 1);
        assert_eq!(passed(10, 1_000, 1_000).of_ip(0), 1_000, "a link without headers");
    }

    #[test]
    fn a_class_has_more_while_its_packets_count_as_frames() {
        let mut cuts = Cuts::default();
        let class = FlowClass {
            guaranteed: false,
            promised: false,
            rate: 50_000,
            peak: None,
            bucket: 3_000,
            max_packet: 1_500,
            min_policed: 0,
            overhead: 0,
            queue: None,
            weight: None,
        };
        let ms = Duration::from_millis;
        assert_eq!(cuts.due(), None);
        cuts.add(7, ms(300));
        assert_eq!(cuts.due(), Some(ms(300)));
        assert_eq!(cuts.correct(7, class).rate, 50_000);
        let mut look = |packets, octets, ip_octets: u64, doubt| {
            let was = cuts.look(7, (passed(packets, octets, 1_000_000 + ip_octets), doubt), 14);
            (was.is_some(), cuts.correct(7, class).rate)
        };
        assert_eq!(look(0, 0, 0, 0), (false, 50_000), "what it sent before it had a class says nothing");
        assert_eq!(look(10, 1_140, 1_000, 0), (false, 50_000), "too few to say");
        assert_eq!(look(100, 11_400, 10_000, 5), (false, 50_000), "much has happened meanwhile");
        assert_eq!(look(100, 11_400, 10_000, 0), (true, 57_000));
        assert_eq!(look(200, 22_800, 20_000, 0), (false, 57_000), "as before");
        assert_eq!(look(300, 32_800, 30_000, 0), (true, 50_000), "no super-packets any more");
        assert_eq!(cuts.correct(8, class).rate, 50_000, "another");
        // What the kernel refuses is told once and tried again, until it is taken.
        for (packets, is_refused, is_news, rate) in
            [(400, true, true, 50_000), (500, true, false, 50_000), (600, false, true, 57_000)]
        {
            let now = passed(packets, 32_800 + (packets - 300) * 114, 1_000_000 + 100 * packets);
            let was = cuts.look(7, (now, 0), 14).expect("they have become others");
            assert_eq!(cuts.followed(7, was, is_refused), is_news, "{packets}");
            assert_eq!(cuts.correct(7, class).rate, rate, "{packets}");
        }
        cuts.go(7);
        assert_eq!(cuts.due(), None);
    }
}
