//! The arithmetic of flowspecs, once more and apart from the engine's (RFC 2211 section 8, RFC 2212 "Ordering and Merging").

use rsvp_wire::{Flowspec, Rspec, Tspec};

/// The merge of two flowspecs of one service; of different services, which do not merge, the first.
pub(crate) fn merge(a: &Flowspec, b: &Flowspec) -> Flowspec {
    let (s, t) = (a.tspec(), b.tspec());
    let tspec = Tspec {
        rate: s.rate.max(t.rate),
        bucket: s.bucket.max(t.bucket),
        peak: s.peak.max(t.peak),
        min_policed_unit: s.min_policed_unit.min(t.min_policed_unit),
        max_packet_size: s.max_packet_size.min(t.max_packet_size),
    };
    match (a, b) {
        (Flowspec::ControlledLoad(_), Flowspec::ControlledLoad(_)) => Flowspec::ControlledLoad(tspec),
        (Flowspec::Guaranteed(_, a), Flowspec::Guaranteed(_, b)) => {
            Flowspec::Guaranteed(tspec, Rspec { rate: a.rate.max(b.rate), slack: a.slack.min(b.slack) })
        }
        _ => *a,
    }
}

pub(crate) fn sum(a: &Tspec, b: &Tspec) -> Tspec {
    Tspec {
        rate: a.rate + b.rate,
        bucket: a.bucket + b.bucket,
        peak: a.peak + b.peak,
        min_policed_unit: a.min_policed_unit.min(b.min_policed_unit),
        max_packet_size: a.max_packet_size.max(b.max_packet_size),
    }
}

/// The *minimum* of RFC 2211 section 8: the lesser of two, or if neither is, the lesser of everything but the bucket.
pub(crate) fn limit(asked: &Flowspec, path: &Tspec) -> Flowspec {
    let as_good = |a: &Tspec, b: &Tspec| {
        a.rate >= b.rate
            && a.bucket >= b.bucket
            && a.peak >= b.peak
            && a.min_policed_unit <= b.min_policed_unit
            && a.max_packet_size >= b.max_packet_size
    };
    let a = asked.tspec();
    let tspec = match (as_good(path, a), as_good(a, path)) {
        (true, _) => *a,
        (_, true) => *path,
        _ => Tspec {
            rate: a.rate.min(path.rate),
            bucket: a.bucket.max(path.bucket),
            peak: a.peak.min(path.peak),
            min_policed_unit: a.min_policed_unit.min(path.min_policed_unit),
            max_packet_size: a.max_packet_size.min(path.max_packet_size),
        },
    };
    match *asked {
        Flowspec::ControlledLoad(_) => Flowspec::ControlledLoad(tspec),
        Flowspec::Guaranteed(_, rspec) => Flowspec::Guaranteed(tspec, rspec),
        Flowspec::Null(_) => Flowspec::Null(tspec),
    }
}

/// What a flowspec takes of a link, in bits per second.
pub(crate) fn charge_bps(flowspec: &Flowspec) -> u64 {
    let octets_per_second = match flowspec {
        Flowspec::ControlledLoad(tspec) => tspec.rate,
        Flowspec::Guaranteed(_, rspec) => rspec.rate,
        Flowspec::Null(_) => 0.0,
    };
    (f64::from(octets_per_second) * 8.0).round() as u64
}
