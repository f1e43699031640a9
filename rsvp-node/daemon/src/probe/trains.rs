//! What trains of packets say of a way: functions of when the packets were sent and came.
//!
//! A train that is sent at once comes at the rate of the narrowest link (C), whatever it was sent at: of its second half, because the first
//! may have found a full bucket. One that is sent at C and finds traffic of the rate X there is a share of what passes: it comes at
//! C * C / (C + X). So X = C * C / came - C, and C - X is left.

/// A rate by what of a train came: octets of IP packets, microseconds after the first. Nothing where too few came.
pub(super) fn rate_bps(arrivals: &[(u16, u32)], packet: usize) -> Option<u64> {
    let late = arrivals.get(arrivals.len() / 2..).filter(|late| late.len() >= 4)?;
    let ((_, first), (_, last)) = (late.first()?, late.last()?);
    let took = u64::from(last.checked_sub(*first)?).max(1);
    let octets = (late.len() as u64 - 1) * packet as u64;
    Some(octets * 8 * 1_000_000 / took)
}

/// What is left of a narrowest link of this rate, by the rate at which came what was sent at that.
pub(super) fn available_bps(bottleneck: u64, came: u64) -> u64 {
    let (link, came) = (u128::from(bottleneck), u128::from(came.clamp(1, bottleneck.max(1))));
    let others = (link * link / came).saturating_sub(link);
    u64::try_from(link.saturating_sub(others)).unwrap_or(bottleneck)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_comes_at_the_rate_of_the_narrowest_link() {
        // 1,400 octets each 2.24 ms are 5 Mbit/s; the first twenty found a bucket.
        let arrivals: Vec<(u16, u32)> =
            (0..60_u16).map(|n| (n, u32::from(n.saturating_sub(20)) * 2_240)).collect();
        assert_eq!(rate_bps(&arrivals, 1_400), Some(5_000_000));
        assert_eq!(rate_bps(&arrivals[..7], 1_400).map(|rate| rate > 1_000_000_000), Some(true));
        assert_eq!(rate_bps(&arrivals[..6], 1_400), None, "three of its second half");
        assert_eq!(rate_bps(&[], 1_400), None);
    }

    #[test]
    fn what_others_send_is_not_left() {
        // 3 of 5 Mbit/s are taken: a train at 5 comes at 25/8.
        assert_eq!(available_bps(5_000_000, 3_125_000), 2_000_000);
        assert_eq!(available_bps(5_000_000, 5_000_000), 5_000_000);
        assert_eq!(available_bps(5_000_000, 6_000_000), 5_000_000, "no more than there is");
        assert_eq!(available_bps(5_000_000, 2_500_000), 0);
        assert_eq!(available_bps(5_000_000, 0), 0);
    }
}
