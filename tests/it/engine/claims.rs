//! Flows that nobody signals: they are admitted as reservations are, by the same budget.

use super::bench::Bench;
use super::words::{controlled, guaranteed, interface};
use rsvp_node::{Claim, Command, Discard, InterfaceId, Refusal, Shares};
use rsvp_wire::Flowspec;

/// A claim on c.
fn claim<'a>(flow: u32, flowspec: Option<Flowspec>) -> Command<'a> {
    Command::Claim(Claim { flow, interface: interface("c"), flowspec })
}

#[test]
fn a_claim_and_reservations_share_what_there_is() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 9);
        b.does(claim(1, Some(controlled(5.0))));
        assert_eq!(b.reserved("c"), 5.0);
        b.drops(&b.message("c1 Resv WF{5B}"), Discard::Rejected).forget();
        b.hears("c1 Resv WF{4B}");
        b.refuses(claim(2, Some(controlled(1.0))), Refusal::BandwidthUnavailable);
        // What does not fit leaves what there was.
        b.refuses(claim(1, Some(controlled(6.0))), Refusal::BandwidthUnavailable);
        assert_eq!(b.reserved("c"), 9.0);
        b.does(claim(1, Some(controlled(2.0)))).does(claim(2, Some(controlled(3.0))));
        assert_eq!(b.reserved("c"), 9.0);
        b.does(claim(1, None)).does(claim(2, None)).does(claim(2, None));
        assert_eq!(b.reserved("c"), 4.0);
    }
}

#[test]
fn a_claim_is_of_its_services_share() {
    for mut b in Bench::both() {
        let shares = Shares { guaranteed_bps: 3 * 8_000, flow_bps: 5 * 8_000, ..Shares::default() };
        b.reservable("c", 20).change("c", |i| i.shares = shares);
        b.refuses(claim(1, Some(guaranteed(4.0))), Refusal::BandwidthUnavailable);
        b.refuses(claim(1, Some(controlled(6.0))), Refusal::BandwidthUnavailable);
        b.does(claim(1, Some(guaranteed(3.0)))).does(claim(2, Some(controlled(5.0))));
        assert_eq!(b.reserved("c"), 8.0);
        // Of another service it is charged to that share.
        b.refuses(claim(2, Some(guaranteed(1.0))), Refusal::BandwidthUnavailable);
        b.does(claim(1, Some(controlled(3.0)))).does(claim(2, Some(guaranteed(1.0))));
        b.does(claim(1, None)).does(claim(2, None));
    }
}

#[test]
fn a_claim_that_cannot_be_is_refused() {
    for mut b in Bench::both() {
        // A flowspec that cannot be read is in no journal.
        b.without_journal();
        let mut flowspec = controlled(1.0);
        if let Flowspec::ControlledLoad(tspec) = &mut flowspec {
            tspec.rate = -1.0;
        }
        b.refuses(claim(1, Some(flowspec)), Refusal::BadTrafficParameter);
        let elsewhere = Claim { flow: 1, interface: InterfaceId(77), flowspec: Some(controlled(1.0)) };
        b.refuses(Command::Claim(elsewhere), Refusal::NoInterface);
    }
}
