//! The ends of the ranges of traffic parameters, which are allowed: RFC 2211 section 5, RFC 2212 "Invocation Information",
//! RFC 2215 section 3.6. What lies beyond them is in [`intserv`](super::intserv).

use super::bench::Bench;
use super::words::interface;
use rsvp_wire::{Flowspec, Rspec, Tspec};

/// From one octet a second to 40 terabytes, from one octet to 250 gigabytes; m up to M, S up to 2^32 - 1.
#[test]
fn the_ends_of_the_ranges_are_taken() {
    let least = Tspec { rate: 1.0, bucket: 1.0, peak: 1.0, min_policed_unit: 1, max_packet_size: 1 };
    let most =
        Tspec { rate: 4e13, bucket: 2.5e11, peak: 4e13, min_policed_unit: 1500, max_packet_size: 1500 };
    for tspec in [least, most, Tspec { peak: f32::INFINITY, ..most }] {
        let rspec = |slack| Rspec { rate: tspec.rate, slack };
        let flowspecs = [
            Flowspec::ControlledLoad(tspec),
            Flowspec::Guaranteed(tspec, rspec(0)),
            Flowspec::Guaranteed(tspec, rspec(u32::MAX)),
        ];
        for flowspec in flowspecs {
            for mut b in Bench::both() {
                b.change("c", |i| i.reservable_bps = u64::MAX);
                b.takes(&b.message("a1 Path S1{9B}").with(|m| m.tspec = Some(tspec.into())));
                let asking = |m: &mut super::message::Arriving| {
                    m.flows.as_mut().expect("a Resv").flows[0].0 = Some(flowspec);
                };
                b.takes(&b.message("c1 Resv WF{1B}").with(asking));
                let installed = b.engine.reservations().find(|(_, on, _)| *on == interface("c"));
                assert_eq!(installed.expect("a reservation").2.flowspec, flowspec);
            }
        }
    }
}
