//! Flowspecs that failed Admission Control, and which requests they blockade (RFC 2205 section 3.5, RFC 2211 section 8).
//!
//! By the letter Qb blockades Qi unless it is strictly greater. In components that are usually equal, or come from a
//! merge with a third request, that would blockade everybody, so what counts is what the error says has failed. M, the
//! maximum packet size, counts only where it is what failed: merging takes the smallest M although a larger M asks for
//! more, so that a merged flowspec may lie below each of those it was merged from.

use super::span::Span;
use crate::budget::FLOW_TOO_LARGE;
use core::cmp::Ordering;
use rsvp_wire::{Flowspec, error_value};

/// A set of components of flowspecs, a bit for each.
type Components = u8;

const RESERVED_RATE: Components = 1;
const TOKEN_RATE: Components = 2;
const PEAK: Components = 4;
const BUCKET: Components = 8;
const SLACK: Components = 16;
const MIN_POLICED: Components = 32;
const PACKET_SIZE: Components = 64;
const NONE: Components = 0;
/// r, p and R.
const RATES: Components = RESERVED_RATE | TOKEN_RATE | PEAK;
/// R and S, from which a delay bound follows.
const DELAY: Components = RESERVED_RATE | SLACK;
/// What may be all that requests differ in, and is hardly ever what failed.
const GUESSED: Components = MIN_POLICED | PEAK;
/// All but M.
const ALL: Components = PACKET_SIZE - 1;

/// The components in which `a` asks for more than `b`: larger rates, bucket and packets, less slack, a smaller m.
fn more(a: &Flowspec, b: &Flowspec) -> Components {
    let (s, t) = (a.tspec(), b.tspec());
    let of = |asks_more: bool, component| if asks_more { component } else { NONE };
    let set = of(s.rate > t.rate, TOKEN_RATE)
        | of(s.peak > t.peak, PEAK)
        | of(s.bucket > t.bucket, BUCKET)
        | of(s.min_policed_unit < t.min_policed_unit, MIN_POLICED)
        | of(s.max_packet_size > t.max_packet_size, PACKET_SIZE);
    match (a, b) {
        (Flowspec::Guaranteed(_, s), Flowspec::Guaranteed(_, t)) => {
            set | of(s.rate > t.rate, RESERVED_RATE) | of(s.slack < t.slack, SLACK)
        }
        _ => set,
    }
}

/// The components that an Error Value names; none for a reason that RFC 2205 Appendix B does not know.
fn named(value: u16) -> Components {
    match value {
        error_value::DELAY_BOUND => DELAY,
        error_value::BANDWIDTH_UNAVAILABLE | FLOW_TOO_LARGE => RATES,
        error_value::MTU_TOO_LARGE => PACKET_SIZE,
        _ => NONE,
    }
}

/// The component that admission control charges.
fn charged(q: &Flowspec) -> Components {
    match q {
        Flowspec::Guaranteed(..) => RESERVED_RATE,
        _ => TOKEN_RATE,
    }
}

/// What Qe has more of than this node had asked for, because others did, where neither has more of what is named.
fn asked_by_others(qe: &Flowspec, own: &Flowspec, named: Components) -> Components {
    let (others, here) = (more(qe, own), more(own, qe));
    if (others | here) & named == NONE { others & !GUESSED } else { NONE }
}

/// The named components, or else those in which requests that failed together differ, those of others included.
fn telling(named: Components, members: Option<&Span>, others: Components) -> Components {
    let differ = (others | members.map_or(NONE, |members| more(&members.high, &members.low))) & ALL;
    match (differ & named, differ, named) {
        (NONE, 1.., _) => differ,
        (_, _, NONE) => ALL,
        _ => named,
    }
}

/// A flowspec that failed, and in what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failed {
    /// Qe, as the error has it.
    pub(crate) qe: Flowspec,
    /// What counts of it here, which is Qb.
    flowspec: Flowspec,
    components: Components,
    /// Those of them that are a guess: the Error Value names others, in which those who failed together are alike.
    guessed: Components,
    /// What a request has to reach of Qb to have failed itself.
    reached: Components,
    /// How many senders were to share it.
    senders: u16,
}

impl Failed {
    /// What an Admission Control error with an Error Value says of Qe; `own` is what this node had asked for, the merge of
    /// `members`. Where the reason does not tell the members apart, or is none that RFC 2205 Appendix B knows, it is what
    /// they differ in. Qe is merged with what others asked for further up: if this node's part may be what failed, Qb is
    /// no more than that part, so that the rest of Qe does not hide it. Nor does it matter then what Qe has more of than
    /// this node had asked for: less of that leaves Qe as it was.
    pub(crate) fn new(qe: Flowspec, value: u16, members: Option<&Span>, own: Option<Flowspec>) -> Self {
        let components = named(value);
        let mut failed = Self { qe, flowspec: qe, components, guessed: NONE, reached: NONE, senders: 0 };
        // A node that asks for less than Qe of what is named had asked for more before, or others have: what its requests of
        // now differ in says nothing of the failure.
        let is_less = failed.components != NONE && own.is_some_and(|own| !failed.may_be_due_to(&own));
        if !is_less && failed.components != PACKET_SIZE {
            let others = own.map_or(NONE, |own| asked_by_others(&qe, &own, failed.components));
            failed.components = telling(failed.components, members, others);
            if failed.components & named(value) == NONE && named(value) != NONE {
                failed.guessed = failed.components;
            }
        }
        // A larger m or more slack is no smaller reservation, unless that is what failed.
        failed.reached = match failed.components {
            PACKET_SIZE => PACKET_SIZE,
            components => components | RATES | BUCKET,
        };
        if let Some(own) = own.filter(|own| !failed.is_reached_by(own) && failed.may_be_due_to(own)) {
            failed.flowspec = super::flowspec::lower_bound(&qe, &own).unwrap_or(qe);
            failed.reached &= !more(&qe, &own);
        }
        failed
    }

    /// The same for a flowspec that so many senders were to share: for fewer of them it takes less.
    pub(crate) fn shared_by(self, senders: usize) -> Self {
        Self { senders: u16::try_from(senders).unwrap_or(u16::MAX), ..self }
    }

    /// Whether a flowspec asks for as much as Qe of what is charged, or of the bucket, where that is what failed. In the
    /// other components most ask for the same. That m or the peak alone is what failed is no more than a guess.
    pub(crate) fn may_be_due_to(&self, own: &Flowspec) -> bool {
        let telling = match self.components & (charged(own) | BUCKET) {
            NONE if self.components & !GUESSED == NONE => charged(own),
            NONE => self.components,
            telling => telling,
        };
        self.is_of_service(own) && more(&self.flowspec, own) & telling != telling
    }

    /// Whether only a part of Qe counts, because others ask for more.
    pub(crate) fn is_in_part(&self) -> bool {
        self.flowspec != self.qe
    }

    /// Whether another failure is this one, once more.
    pub(crate) fn is_again(&self, other: &Self) -> bool {
        self.qe == other.qe && self.senders == other.senders
    }

    /// One that stands for two: it blockades all that either of them does. `None` when the services differ.
    pub(crate) fn join(&self, other: &Self) -> Option<Self> {
        let flowspec = super::flowspec::lower_bound(&self.flowspec, &other.flowspec)?;
        Some(Self {
            flowspec,
            components: self.components | other.components,
            guessed: self.guessed & other.guessed,
            reached: self.reached & other.reached,
            senders: self.senders.min(other.senders),
            ..*other
        })
    }

    fn is_of_service(&self, q: &Flowspec) -> bool {
        self.flowspec.service() == q.service()
    }

    /// Whether a flowspec asks for no less in anything that counts, so that it must fail, too.
    pub(crate) fn is_reached_by(&self, q: &Flowspec) -> bool {
        self.is_of_service(q) && more(&self.flowspec, q) & self.reached == NONE
    }

    /// Whether as many senders are to share a flowspec as were to share what failed.
    pub(crate) fn is_shared_by(&self, senders: usize) -> bool {
        senders >= usize::from(self.senders)
    }

    /// Whether a flowspec asks for as much of what failed, neither more nor less.
    fn is_met_by(&self, q: &Flowspec) -> bool {
        let differ = more(&self.flowspec, q) | more(q, &self.flowspec);
        self.is_of_service(q) && differ & self.components == NONE
    }

    /// Whether a request asks for more of what failed, or for no less in anything.
    fn excludes(&self, q: &Flowspec) -> bool {
        self.is_reached_by(q)
            || (self.is_of_service(q) && more(q, &self.flowspec) & self.blamed_beside(q) != NONE)
    }

    /// What failed, as far as a request is held to it. Where the bucket counts, an Error Value has not told what failed: then
    /// a smaller m or less slack is not what keeps a request back that asks for less of what is charged; nor is a guess, where
    /// an Error Value has named what is charged.
    fn blamed_beside(&self, q: &Flowspec) -> Components {
        let is_less = more(&self.flowspec, q) & charged(q) != NONE;
        match is_less && self.components & BUCKET != NONE {
            true => self.components & !(MIN_POLICED | SLACK | self.guessed),
            false => self.components,
        }
    }

    /// Whether a request asks for less of what an Error Value names, so that it is not what failed; where it names nothing,
    /// for less of what is charged and a smaller bucket. Every node on the way must come to the same answer, or somebody
    /// would be refused and never hear of it: so other requests are not looked at here.
    pub(crate) fn clears(&self, q: &Flowspec, value: u16) -> bool {
        let named = named(value);
        let telling = match named & charged(q) {
            NONE if named == NONE => charged(q) | BUCKET,
            NONE => return !self.excludes(q),
            charged => charged,
        };
        !self.is_of_service(q)
            || (more(&self.qe, q) & telling == telling && more(q, &self.qe) & named == NONE)
    }

    /// Whether some flowspec between two ends may ask for as much of what failed, neither more nor less.
    fn may_be_met_between(&self, Span { low, high }: &Span) -> bool {
        self.is_of_service(low)
            && (more(low, &self.flowspec) | more(&self.flowspec, high)) & self.components == NONE
    }

    /// Whether all flowspecs between two ends ask for no less in anything that counts, or none; nothing where that differs.
    pub(crate) fn is_reached_between(&self, span: &Span) -> Option<bool> {
        let (low, high) = (self.is_reached_by(&span.low), self.is_reached_by(&span.high));
        (low == high).then_some(low)
    }

    /// Which of two flowspecs asks for more of what failed; of those that ask for as much, the one that does in the rest. A
    /// guess comes after the rates: whoever asks for a smaller one than failed has its turn.
    pub(crate) fn order(&self, a: &Flowspec, b: &Flowspec) -> Ordering {
        let first = if self.guessed == NONE { self.components } else { RATES };
        let (over, under) = (more(a, b), more(b, a));
        let within = |set: Components| (over & set).trailing_zeros().cmp(&(under & set).trailing_zeros());
        // The first component in which one asks for more decides.
        within(first).then(within(ALL)).reverse()
    }
}

/// Whether a request is blockaded by failures of one sender or previous hop. It is unless it asks for less than each of
/// them in something, and for no more of what failed. As much of what failed is let through if that has failed once
/// only: then the cause may be another than the one given; twice, with other values of the rest, and it is not.
pub(crate) fn blockades<'a>(failures: impl Iterator<Item = &'a Failed> + Clone, q: &Flowspec) -> bool {
    let met = failures.clone().filter(|f| f.is_met_by(q)).count();
    met > 1 || failures.into_iter().any(|f| f.excludes(q))
}

/// Whether [`blockades`] is so for all flowspecs between two ends, or for none; nothing where that is to be asked one by one.
pub(crate) fn blockades_between<'a>(
    failures: impl Iterator<Item = &'a Failed> + Clone,
    span: &Span,
) -> Option<bool> {
    // Who asks for more than what is excluded is excluded.
    if failures.clone().any(|f| f.excludes(&span.low)) {
        return Some(true);
    }
    let met = failures.clone().filter(|f| f.may_be_met_between(span)).count();
    (met <= 1 && !failures.into_iter().any(|f| f.excludes(&span.high))).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::span::span;
    use rsvp_wire::{Rspec, Tspec};

    const BANDWIDTH: u16 = error_value::BANDWIDTH_UNAVAILABLE;

    fn tspec(rate: f32, bucket: f32, max_packet_size: u32) -> Tspec {
        Tspec { rate, bucket, peak: f32::INFINITY, min_policed_unit: 64, max_packet_size }
    }

    fn controlled(rate: f32, bucket: f32, max_packet_size: u32) -> Flowspec {
        Flowspec::ControlledLoad(tspec(rate, bucket, max_packet_size))
    }

    fn guaranteed(rate: f32, slack: u32) -> Flowspec {
        Flowspec::Guaranteed(tspec(1e3, 1e3, 1500), Rspec { rate, slack })
    }

    fn blockaded(failures: &[Failed], q: &Flowspec) -> bool {
        blockades(failures.iter(), q)
    }

    #[test]
    fn a_failure_of_rates_lets_smaller_rates_through_whatever_their_packet_size() {
        let failed = [Failed::new(controlled(4e5, 9e3, 1492), BANDWIDTH, None, None)];
        for m in [576, 1492, 1500, 9000] {
            assert!(!blockaded(&failed, &controlled(2e5, 9e3, m)), "{m}");
            assert!(blockaded(&failed, &controlled(4e5, 9e3, m)), "{m}");
            assert!(blockaded(&failed, &controlled(5e5, 1e3, m)), "{m}: more of what failed");
        }
    }

    #[test]
    fn a_larger_m_or_more_slack_is_no_smaller_reservation() {
        let coarse = |q: Flowspec| match q {
            Flowspec::ControlledLoad(t) => Flowspec::ControlledLoad(Tspec { min_policed_unit: 128, ..t }),
            other => other,
        };
        let q = controlled(4e5, 9e3, 1500);
        let failed =
            [Failed::new(q, BANDWIDTH, span([q, controlled(1e5, 9e3, 1500)].into_iter()).as_ref(), Some(q))];
        assert!(blockaded(&failed, &coarse(q)));
        let failed = [Failed::new(guaranteed(3e5, 0), BANDWIDTH, None, None)];
        assert!(blockaded(&failed, &guaranteed(3e5, 20)));
    }

    #[test]
    fn less_of_what_others_ask_for_more_of_is_no_way_out() {
        // Others ask for the bucket of Qe; whatever this node asks for, it stays as it is.
        let (own, smooth) = (controlled(4e5, 4e3, 1500), controlled(4e5, 1e3, 1500));
        let members = [own, smooth, controlled(1e5, 1e3, 1500)];
        let failed = [Failed::new(
            controlled(4e5, 9e3, 1500),
            BANDWIDTH,
            span(members.into_iter()).as_ref(),
            Some(own),
        )];
        assert!(blockaded(&failed, &smooth) && !blockaded(&failed, &members[2]));
        let failed = [Failed::new(own, BANDWIDTH, span(members.into_iter()).as_ref(), Some(own))];
        assert!(!blockaded(&failed, &smooth), "the bucket is this node's own, and may be what failed");
    }

    #[test]
    fn the_bucket_of_others_does_not_keep_a_smaller_request_back() {
        // This node has asked for the larger rate alone, and others have made the bucket larger than that.
        let (own, slower) =
            (guaranteed(4e3, 0), Flowspec::Guaranteed(tspec(1e3, 15e3, 1500), Rspec { rate: 3e3, slack: 0 }));
        let qe = Flowspec::Guaranteed(tspec(1e3, 1.5e3, 1500), Rspec { rate: 4e3, slack: 0 });
        let failed = [Failed::new(qe, BANDWIDTH, span([own].into_iter()).as_ref(), Some(own))];
        assert!(!blockaded(&failed, &slower));
        let as_fast = Flowspec::Guaranteed(tspec(1e3, 15e3, 1500), Rspec { rate: 4e3, slack: 0 });
        assert!(blockaded(&failed, &as_fast), "as much of what is charged, and more of the rest");
        assert_eq!(failed[0].order(&own, &slower), Ordering::Greater, "the larger rate is left out first");
    }

    #[test]
    fn a_failure_is_of_as_many_senders_as_were_to_share_it() {
        let q = controlled(4e5, 9e3, 1500);
        let failed = Failed::new(q, BANDWIDTH, None, Some(q)).shared_by(2);
        assert!(failed.is_reached_by(&q));
        assert!(failed.is_shared_by(2) && failed.is_shared_by(3) && !failed.is_shared_by(1));
        assert!(!failed.is_again(&failed.shared_by(1)));
    }

    #[test]
    fn a_failure_of_packet_size_is_judged_by_that_alone() {
        let failed = [Failed::new(controlled(2e5, 9e3, 1500), error_value::MTU_TOO_LARGE, None, None)];
        assert!(!blockaded(&failed, &controlled(9e5, 99e3, 1400)));
        assert!(blockaded(&failed, &controlled(1e5, 1e3, 1500)));
    }

    #[test]
    fn a_failure_of_the_delay_bound_is_judged_by_capital_r_and_slack() {
        let failed = [Failed::new(guaranteed(3e5, 10), error_value::DELAY_BOUND, None, None)];
        assert!(!blockaded(&failed, &guaranteed(2e5, 10)));
        assert!(!blockaded(&failed, &guaranteed(3e5, 20)));
        assert!(blockaded(&failed, &guaranteed(2e5, 5)), "less slack");
        assert!(blockaded(&failed, &guaranteed(4e5, 20)));
    }

    #[test]
    fn what_the_members_have_in_common_has_not_failed() {
        let (bursty, smooth) = (controlled(2e5, 50e3, 1500), controlled(2e5, 10e3, 1500));
        let failed = [Failed::new(bursty, BANDWIDTH, span([bursty, smooth].into_iter()).as_ref(), None)];
        assert!(!blockaded(&failed, &smooth));
        assert!(!blockaded(&failed, &controlled(9e5, 10e3, 1500)), "the bucket was too large, not the rate");
        assert!(blockaded(&failed, &controlled(2e5, 60e3, 1500)));
        assert!(!blockaded(&failed, &controlled(1e5, 60e3, 1500)), "less of what the error names");
    }

    #[test]
    fn what_had_failed_before_tells_nothing_of_what_is_asked_for_since() {
        let (bursty, smooth) = (controlled(4e5, 15e3, 1400), controlled(4e5, 4e3, 1000));
        let failed = Failed::new(
            controlled(36e5, 15e3, 1400),
            BANDWIDTH,
            span([bursty, smooth].into_iter()).as_ref(),
            Some(bursty),
        );
        assert!(
            failed.clears(&bursty, BANDWIDTH) && failed.clears(&smooth, BANDWIDTH),
            "neither has asked for such a rate"
        );
    }

    #[test]
    fn whoever_asks_for_less_of_what_an_error_names_is_cleared_whatever_tells_the_others_apart() {
        let (bursty, smooth) = (controlled(4e5, 4e3, 1500), controlled(4e5, 1e3, 1500));
        let failed =
            Failed::new(bursty, BANDWIDTH, span([bursty, smooth].into_iter()).as_ref(), Some(bursty));
        assert!(failed.clears(&controlled(3e5, 15e3, 1500), BANDWIDTH));
        assert!(
            !failed.clears(&bursty, BANDWIDTH) && !failed.clears(&controlled(4e5, 15e3, 1500), BANDWIDTH)
        );
        let failed = Failed::new(bursty, 77, span([bursty, smooth].into_iter()).as_ref(), Some(bursty));
        assert!(!failed.clears(&controlled(3e5, 4e3, 1500), 77), "nothing is named: it may be the bucket");
        assert!(failed.clears(&controlled(3e5, 3e3, 1500), 77));
    }

    #[test]
    fn the_same_rates_fail_once_for_another_reason_and_not_twice() {
        let failed = |bucket| Failed::new(controlled(2e5, bucket, 1500), BANDWIDTH, None, None);
        assert!(!blockaded(&[failed(50e3)], &controlled(2e5, 10e3, 1500)));
        assert!(blockaded(&[failed(50e3), failed(40e3)], &controlled(2e5, 10e3, 1500)));
    }

    #[test]
    fn of_what_failed_together_with_others_the_own_part_counts() {
        // Another next hop further up has asked for the larger bucket, and has no peak.
        let own = controlled(3e5, 1e3, 1000);
        let qe = controlled(3e5, 9e3, 576);
        assert!(
            !blockaded(&[Failed::new(qe, BANDWIDTH, span([own].into_iter()).as_ref(), Some(own))], &own),
            "it may be their bucket"
        );
        let smaller = controlled(2e5, 1e3, 1000);
        let failed = Failed::new(qe, BANDWIDTH, span([own, smaller].into_iter()).as_ref(), Some(own));
        assert!(blockaded(&[failed], &own) && !blockaded(&[failed], &smaller));
        let grown = controlled(4e5, 1e3, 1000);
        assert!(
            blockaded(
                &[Failed::new(qe, BANDWIDTH, span([own, grown].into_iter()).as_ref(), Some(grown))],
                &own
            ),
            "asked for since"
        );
        // Whoever has asked for less of what failed has not made it fail.
        assert_eq!(
            Failed::new(qe, BANDWIDTH, span([smaller].into_iter()).as_ref(), Some(smaller)).flowspec,
            qe
        );
    }

    #[test]
    fn other_reasons_are_judged_by_what_the_members_differ_in() {
        let (fast, bursty) = (controlled(4e5, 1e3, 1500), controlled(4e5, 9e3, 1492));
        let failed =
            [Failed::new(controlled(4e5, 9e3, 1492), 77, span([fast, bursty].into_iter()).as_ref(), None)];
        assert!(!blockaded(&failed, &fast));
        assert!(blockaded(&failed, &bursty));
        let alone = [Failed::new(fast, 77, span([fast].into_iter()).as_ref(), None)];
        assert!(!blockaded(&alone, &controlled(3e5, 1e3, 9000)));
        assert!(blockaded(&alone, &controlled(3e5, 2e3, 1500)));
    }

    #[test]
    fn a_smaller_m_is_not_what_fails_for_a_reason_that_nobody_knows() {
        let failed = [Failed::new(controlled(4e5, 9e3, 1500), 77, None, None)];
        let fine = |rate| {
            let t = Tspec { min_policed_unit: 40, ..tspec(rate, 1e3, 1500) };
            Flowspec::ControlledLoad(t)
        };
        assert!(!blockaded(&failed, &fine(2e5)), "less of what is charged");
        assert!(blockaded(&failed, &fine(4e5)), "as much of it");
        let failed = [Failed::new(guaranteed(3e5, 10), 77, None, None)];
        assert!(!blockaded(&failed, &guaranteed(2e5, 0)) && blockaded(&failed, &guaranteed(3e5, 0)));
    }

    #[test]
    fn one_element_for_two_blockades_what_either_did() {
        let a = Failed::new(controlled(4e5, 10e3, 1500), BANDWIDTH, None, None);
        let b = Failed::new(controlled(2e5, 50e3, 1500), BANDWIDTH, None, None);
        let both = [a.join(&b).expect("one service")];
        for q in [a.flowspec, b.flowspec, controlled(3e5, 60e3, 1500)] {
            assert!(blockaded(&both, &q), "{q:?}");
        }
        assert!(!blockaded(&both, &controlled(1e5, 9e3, 1500)));
    }

    #[test]
    fn a_failure_says_nothing_of_another_service() {
        let failed = [Failed::new(guaranteed(3e5, 0), BANDWIDTH, None, None)];
        assert!(!blockaded(&failed, &controlled(9e5, 9e5, 1500)));
    }
}
