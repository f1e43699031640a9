//! Ordering and merging of flowspecs: RFC 2211 section 8 and RFC 2212 "Ordering and Merging".
//!
//! Beware of M, the maximum packet size: *greater* means a larger M, but *merged* takes the smallest. So a merged
//! flowspec is not always greater than what it was merged from, and "is there something new to send" must be asked
//! as "does it differ from what was sent", never as "is it greater".

use core::cmp::Ordering;
use core::net::IpAddr;
use rsvp_wire::{Flowspec, Rspec, Tspec};

/// How two flowspecs of one service relate; `None` when neither is as good as the other, or the services differ.
pub(crate) fn compare(a: &Flowspec, b: &Flowspec) -> Option<Ordering> {
    let tspec = compare_tspec(a.tspec(), b.tspec())?;
    match (a, b) {
        (Flowspec::Guaranteed(_, a), Flowspec::Guaranteed(_, b)) => combine(compare_rspec(a, b)?, tspec),
        _ => (a.service() == b.service()).then_some(tspec),
    }
}

/// A service as a bit of a set of services.
pub(crate) fn service_bit(flowspec: &Flowspec) -> u32 {
    1 << (u32::from(flowspec.service()) % u32::BITS)
}

/// The smallest flowspec that serves both, but with the smaller M (RFC 2210 section 2.3.2). `None` when the services
/// differ: that is a service conflict.
pub(crate) fn merge(a: &Flowspec, b: &Flowspec) -> Option<Flowspec> {
    let rspec = |a: &Rspec, b: &Rspec| Rspec { rate: a.rate.max(b.rate), slack: a.slack.min(b.slack) };
    of_both(a, b, merge_tspec(a.tspec(), b.tspec()), rspec)
}

/// The greatest lower bound, for requests that are all blockaded (RFC 2205 section 3.5).
pub(crate) fn lower_bound(a: &Flowspec, b: &Flowspec) -> Option<Flowspec> {
    let (s, t) = (a.tspec(), b.tspec());
    let max_packet_size = s.max_packet_size.min(t.max_packet_size);
    let tspec = Tspec {
        rate: s.rate.min(t.rate),
        bucket: s.bucket.min(t.bucket),
        peak: s.peak.min(t.peak),
        max_packet_size,
        // A larger m asks for less; but it must not exceed M.
        min_policed_unit: s.min_policed_unit.max(t.min_policed_unit).min(max_packet_size),
    };
    of_both(a, b, tspec, |a, b| Rspec { rate: a.rate.min(b.rate), slack: a.slack.max(b.slack) })
}

/// A flowspec of the service of two, with this TSpec; `None` when their services differ.
pub(super) fn of_both(
    a: &Flowspec,
    b: &Flowspec,
    tspec: Tspec,
    rspec: impl Fn(&Rspec, &Rspec) -> Rspec,
) -> Option<Flowspec> {
    match (a, b) {
        (Flowspec::Guaranteed(_, a), Flowspec::Guaranteed(_, b)) => {
            Some(Flowspec::Guaranteed(tspec, rspec(a, b)))
        }
        _ => (a.service() == b.service()).then(|| with_tspec(a, tspec)),
    }
}

/// A flowspec with another TSpec.
fn with_tspec(flowspec: &Flowspec, tspec: Tspec) -> Flowspec {
    match *flowspec {
        Flowspec::ControlledLoad(_) => Flowspec::ControlledLoad(tspec),
        Flowspec::Guaranteed(_, rspec) => Flowspec::Guaranteed(tspec, rspec),
        Flowspec::Null(_) => Flowspec::Null(tspec),
    }
}

/// Path_Te for several senders: the sum of their TSpecs (RFC 2211 section 8).
pub(crate) fn sum(a: &Tspec, b: &Tspec) -> Tspec {
    Tspec {
        rate: a.rate + b.rate,
        bucket: a.bucket + b.bucket,
        peak: a.peak + b.peak,
        min_policed_unit: smaller_unit(a.min_policed_unit, b.min_policed_unit),
        max_packet_size: a.max_packet_size.max(b.max_packet_size),
    }
}

/// The effective flowspec: the request with its TSpec limited to what the senders will send (RFC 2205 section 2.2,
/// step 3; the *minimum* of RFC 2211 section 8).
pub(crate) fn limit(request: &Flowspec, path: &Tspec) -> Flowspec {
    let tspec = match request {
        Flowspec::Null(tspec) => Tspec::null(tspec.max_packet_size.min(path.max_packet_size)),
        _ => minimum(request.tspec(), path),
    };
    with_tspec(request, tspec)
}

/// The same with no more than a rate: r, and R of Guaranteed service (RFC 4495 section 5.2: "the highest average and peak
/// rates" that can be had).
pub(crate) fn at_rate(flowspec: &Flowspec, rate: f32) -> Flowspec {
    let mut reduced = *flowspec;
    if let Flowspec::Guaranteed(tspec, Rspec { rate: reserved, .. }) = &mut reduced {
        (tspec.rate, *reserved) = (tspec.rate.min(rate), reserved.min(rate));
    } else if let Flowspec::ControlledLoad(tspec) = &mut reduced {
        tspec.rate = tspec.rate.min(rate);
    }
    reduced
}

/// What an installed flowspec takes of an interface, in bits per second: the token rate r of Controlled-Load, the
/// reserved rate R of Guaranteed service; nothing for the Null service.
pub(crate) fn charge_bps(flowspec: &Flowspec) -> u64 {
    let octets_per_second = match flowspec {
        Flowspec::ControlledLoad(tspec) => tspec.rate,
        Flowspec::Guaranteed(_, rspec) => rspec.rate,
        Flowspec::Null(_) => 0.0,
    };
    (f64::from(octets_per_second) * 8.0).round() as u64
}

/// The size of a packet where m says nothing: an IP header.
const SMALLEST_PACKET: u32 = 20;

/// What it takes where each packet has `overhead` octets beyond those of IP: as if all were of the minimum policed unit m (RFC
/// 2212, Guidelines for Implementors).
pub(crate) fn cost_bps(flowspec: &Flowspec, overhead: u32) -> u64 {
    let bps = charge_bps(flowspec);
    let smallest = flowspec.tspec().min_policed_unit.max(SMALLEST_PACKET);
    let headers = u128::from(bps) * u128::from(overhead) / u128::from(smallest);
    bps.saturating_add(u64::try_from(headers).unwrap_or(u64::MAX))
}

fn minimum(a: &Tspec, b: &Tspec) -> Tspec {
    match compare_tspec(a, b) {
        Some(Ordering::Less | Ordering::Equal) => *a,
        Some(Ordering::Greater) => *b,
        None => Tspec {
            rate: a.rate.min(b.rate),
            bucket: a.bucket.max(b.bucket),
            peak: a.peak.min(b.peak),
            min_policed_unit: smaller_unit(a.min_policed_unit, b.min_policed_unit),
            max_packet_size: a.max_packet_size.min(b.max_packet_size),
        },
    }
}

/// Octets of an IP header: no packet is smaller, so a minimum policed unit of zero says this.
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;

/// The smaller of two minimum policed units. Zero is none that everybody upstream would take: beside others it becomes the
/// size of an IP header, here that of IPv4, and [`in_session`] makes it that of IPv6 where that is due.
fn smaller_unit(a: u32, b: u32) -> u32 {
    let unit = |m: u32| if m == 0 { IPV4_HEADER } else { m };
    if a == 0 && b == 0 { 0 } else { unit(a).min(unit(b)) }
}

/// A merged flowspec as it is in a session to `destination`: in IPv6 no packet is smaller than its header either.
pub(crate) fn in_session(mut flowspec: Flowspec, destination: IpAddr) -> Flowspec {
    let (Flowspec::ControlledLoad(tspec) | Flowspec::Guaranteed(tspec, _) | Flowspec::Null(tspec)) =
        &mut flowspec;
    if destination.is_ipv6() && tspec.min_policed_unit == IPV4_HEADER {
        tspec.min_policed_unit = IPV6_HEADER.min(tspec.max_packet_size);
    }
    flowspec
}

/// What an application asks for, which is by the letter: a unit of zero, copied from what a sender announces, is a header.
pub(crate) fn with_policed_unit(flowspec: Flowspec, destination: IpAddr) -> Flowspec {
    let mut raised = flowspec;
    if let Flowspec::ControlledLoad(tspec) | Flowspec::Guaranteed(tspec, _) = &mut raised
        && tspec.min_policed_unit == 0
    {
        tspec.min_policed_unit = IPV4_HEADER.min(tspec.max_packet_size);
    }
    in_session(raised, destination)
}

fn merge_tspec(a: &Tspec, b: &Tspec) -> Tspec {
    let max_packet_size = a.max_packet_size.min(b.max_packet_size);
    Tspec {
        rate: a.rate.max(b.rate),
        bucket: a.bucket.max(b.bucket),
        peak: a.peak.max(b.peak),
        min_policed_unit: smaller_unit(a.min_policed_unit, b.min_policed_unit).min(max_packet_size),
        max_packet_size,
    }
}

fn compare_tspec(a: &Tspec, b: &Tspec) -> Option<Ordering> {
    let mut order = a.rate.partial_cmp(&b.rate)?;
    order = combine(order, a.bucket.partial_cmp(&b.bucket)?)?;
    order = combine(order, a.peak.partial_cmp(&b.peak)?)?;
    order = combine(order, b.min_policed_unit.cmp(&a.min_policed_unit))?;
    combine(order, a.max_packet_size.cmp(&b.max_packet_size))
}

fn compare_rspec(a: &Rspec, b: &Rspec) -> Option<Ordering> {
    combine(a.rate.partial_cmp(&b.rate)?, b.slack.cmp(&a.slack))
}

/// The order of a pair whose components are ordered like this; `None` when they disagree.
fn combine(a: Ordering, b: Ordering) -> Option<Ordering> {
    match (a, b) {
        (Ordering::Equal, other) | (other, Ordering::Equal) => Some(other),
        (a, b) if a == b => Some(a),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tspec(rate: f32, m: u32, max: u32) -> Tspec {
        Tspec { rate, bucket: 1e4, peak: f32::INFINITY, min_policed_unit: m, max_packet_size: max }
    }

    fn controlled(rate: f32, m: u32, max: u32) -> Flowspec {
        Flowspec::ControlledLoad(tspec(rate, m, max))
    }

    fn guaranteed(rate: f32, slack: u32) -> Flowspec {
        Flowspec::Guaranteed(tspec(1e3, 64, 1500), Rspec { rate, slack })
    }

    #[test]
    fn a_larger_packet_size_is_greater_but_the_smaller_is_merged() {
        let (small, large) = (controlled(2e5, 64, 576), controlled(2e5, 64, 1500));
        assert_eq!(compare(&large, &small), Some(Ordering::Greater));
        assert_eq!(merge(&large, &small), Some(small));
    }

    /// Every way to ask for more than `guaranteed(2e5, 10)` in one component alone.
    fn more() -> [Flowspec; 7] {
        let t = tspec(1e3, 64, 1500);
        let t = Tspec { peak: 5e5, ..t };
        let r = Rspec { rate: 2e5, slack: 10 };
        [
            Flowspec::Guaranteed(Tspec { rate: 2e3, ..t }, r),
            Flowspec::Guaranteed(Tspec { bucket: 2e4, ..t }, r),
            Flowspec::Guaranteed(Tspec { peak: 6e5, ..t }, r),
            Flowspec::Guaranteed(Tspec { min_policed_unit: 63, ..t }, r),
            Flowspec::Guaranteed(Tspec { max_packet_size: 1501, ..t }, r),
            Flowspec::Guaranteed(t, Rspec { rate: 3e5, ..r }),
            Flowspec::Guaranteed(t, Rspec { slack: 9, ..r }),
        ]
    }

    #[test]
    fn each_component_alone_makes_a_flowspec_greater() {
        let middle =
            Flowspec::Guaranteed(Tspec { peak: 5e5, ..tspec(1e3, 64, 1500) }, Rspec { rate: 2e5, slack: 10 });
        for one in more() {
            assert_eq!(compare(&one, &middle), Some(Ordering::Greater), "{one:?}");
            assert_eq!(compare(&middle, &one), Some(Ordering::Less), "{one:?}");
            for other in more().iter().filter(|other| **other != one) {
                assert_eq!(compare(&one, other), None, "{one:?} {other:?}");
            }
        }
        assert_eq!(compare(&middle, &middle), Some(Ordering::Equal));
    }

    #[test]
    fn a_smaller_policed_unit_is_greater() {
        assert_eq!(compare(&controlled(2e5, 40, 1500), &controlled(2e5, 64, 1500)), Some(Ordering::Greater));
        assert_eq!(compare(&controlled(3e5, 64, 1500), &controlled(2e5, 40, 1500)), None);
    }

    #[test]
    fn guaranteed_orders_by_rate_up_and_slack_down() {
        assert_eq!(compare(&guaranteed(3e5, 0), &guaranteed(2e5, 10)), Some(Ordering::Greater));
        assert_eq!(compare(&guaranteed(3e5, 20), &guaranteed(2e5, 10)), None);
        assert_eq!(merge(&guaranteed(3e5, 20), &guaranteed(2e5, 10)), Some(guaranteed(3e5, 10)));
        assert_eq!(lower_bound(&guaranteed(3e5, 20), &guaranteed(2e5, 10)), Some(guaranteed(2e5, 20)));
    }

    #[test]
    fn services_do_not_mix() {
        assert_eq!(compare(&guaranteed(3e5, 0), &controlled(3e5, 64, 1500)), None);
        assert_eq!(merge(&guaranteed(3e5, 0), &controlled(3e5, 64, 1500)), None);
    }

    #[test]
    fn unordered_minimum_takes_the_larger_bucket() {
        let a = Tspec { rate: 2e5, bucket: 1e3, peak: 4e5, min_policed_unit: 64, max_packet_size: 1500 };
        let b = Tspec { rate: 1e5, bucket: 2e3, peak: 5e5, min_policed_unit: 40, max_packet_size: 1000 };
        let expected =
            Tspec { rate: 1e5, bucket: 2e3, peak: 4e5, min_policed_unit: 40, max_packet_size: 1000 };
        assert_eq!(limit(&Flowspec::ControlledLoad(a), &b), Flowspec::ControlledLoad(expected));
    }

    #[test]
    fn charges_are_bits_of_r_and_of_capital_r() {
        assert_eq!(charge_bps(&controlled(250_000.0, 64, 1500)), 2_000_000);
        assert_eq!(charge_bps(&guaranteed(375_000.0, 0)), 3_000_000);
    }

    #[test]
    fn headers_cost_as_if_all_packets_were_small() {
        // By hand: 250000 octets of packets of 100 are 2500 a second, each with 50 octets more.
        assert_eq!(cost_bps(&controlled(250_000.0, 100, 1500), 50), 2_000_000 + 8 * 2_500 * 50);
        assert_eq!(cost_bps(&controlled(250_000.0, 100, 1500), 0), 2_000_000);
        assert_eq!(cost_bps(&controlled(250_000.0, 0, 1500), 20), 4_000_000, "no smaller than an IP header");
        assert_eq!(cost_bps(&controlled(f32::MAX, 64, 1500), 1_500), u64::MAX);
    }
}
