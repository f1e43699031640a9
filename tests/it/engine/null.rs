//! The Null service (RFC 2997): announced, asked for, merged and counted, and nothing taken of any budget.

use super::bench::Bench;
use super::message::Arriving;
use super::words::{controlled, interface};
use rsvp_node::{AdspecOffer, AppId, Command, Discard};
use rsvp_wire::{AdspecSummary, Flowspec, NullTspec, SenderTemplate, SenderTspec, Tspec};

fn null(max_packet_size: u32) -> Flowspec {
    Flowspec::Null(Tspec::null(max_packet_size))
}

/// A Resv whose flow descriptors all ask for this.
fn asking(b: &Bench, text: &str, flowspec: Flowspec) -> Arriving {
    b.message(text)
        .with(|m| m.flows.as_mut().expect("a Resv").flows.iter_mut().for_each(|f| f.0 = Some(flowspec)))
}

/// A Path of a sender that offers the Null service only.
fn announcing(b: &Bench, text: &str, max_packet_size: u32) -> Arriving {
    b.message(text).with(|m| m.tspec = Some(SenderTspec::null(max_packet_size)))
}

#[track_caller]
fn installed(b: &Bench) -> (Flowspec, u64) {
    let mut all = b.engine.reservations();
    let (_, _, reservation) = all.next().expect("a reservation");
    assert!(all.next().is_none(), "one reservation");
    (reservation.flowspec, reservation.charge_bps)
}

/// RFC 2997 sections 3.1 and 3.2: a sender that offers nothing else announces M only, and an empty ADSPEC fragment; one
/// that offers more has both Tspecs.
#[test]
fn a_local_sender_offers_it_alone_or_beside_others() {
    for mut b in Bench::both() {
        for (offer, expected) in [
            (AdspecOffer { null: true, ..Default::default() }, SenderTspec::null(1500)),
            (
                AdspecOffer { null: true, controlled_load: true, guaranteed: false },
                SenderTspec(super::words::tspec(9.0), NullTspec::Beside(1500)),
            ),
        ] {
            let command = Command::Sender {
                carried: None,
                app: AppId(1),
                session: b.session,
                sender: SenderTemplate(b.family.sender("C0")),
                tspec: super::words::tspec(9.0),
                adspec: Some(offer),
                ttl: 60,
                interface: Some(interface("d")),
            };
            b.forget().does(command);
            let rate = if expected.1 == NullTspec::Alone { 0 } else { 9 };
            let sent = b.sends_one(&format!("d>G Path C0{{{rate}B}}"));
            assert_eq!(sent.get::<SenderTspec>(), expected);
            assert_eq!(sent.get::<AdspecSummary>().null, Some(false));
        }
    }
}

/// RFC 2997 section 4.2: a node that knows the service leaves its fragment as it is; another is broken (RFC 2210 3.3.1).
#[test]
fn its_adspec_fragment_passes_unbroken() {
    for mut b in Bench::both() {
        let mut octets =
            super::message::written(&AdspecSummary { null: Some(false), ..super::adspec::full() });
        b.route("S1", Some("a"), "c");
        b.takes(&announcing(&b, "a1 Path S1{9B}", 1500).last(octets.clone()));
        assert_eq!(b.sends_one("c>G Path S1{0B}").get::<AdspecSummary>().null, Some(false));
        let at = octets.len() - 4;
        assert_eq!(octets[at], 6, "the fragment of the Null service is the last");
        octets[at] = 7;
        let path = announcing(&b, "a1 Path S1{9B}", 1500).last(octets);
        b.forget().takes(&path);
        let sent = b.sends_one("c>G Path S1{0B}").octets;
        assert!(sent.windows(4).any(|w| w == [7, 0x80, 0, 0]), "an unknown service is broken");
    }
}

/// RFC 2997 section 2: no quantifiable resources, so nothing is taken, however little there is.
#[test]
fn it_is_admitted_where_nothing_is_left() {
    for mut b in Bench::both() {
        b.reservable("c", 0);
        b.takes(&announcing(&b, "a1 Path S1{9B}", 1400));
        b.takes(&asking(&b, "c1 Resv FF S1{1B}", null(1500)));
        assert_eq!(installed(&b), (null(1400), 0), "limited to what the sender announces");
    }
}

/// RFC 2210 section 2.3.2: the smallest M is asked for upstream.
#[test]
fn merging_takes_the_smallest_packet_size() {
    for mut b in Bench::both() {
        b.takes(&announcing(&b, "a1 Path S1{9B}", 1500));
        b.takes(&asking(&b, "c1 Resv FF S1{1B}", null(1500))).forget();
        b.takes(&asking(&b, "d1 Resv FF S1{1B}", null(900)));
        assert_eq!(b.sends_one("a>a1 Resv FF S1{0N}").get::<Flowspec>(), null(900));
    }
}

/// RFC 2210 section 2.2: the receivers of a session choose the same service.
#[test]
fn it_conflicts_with_other_services() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        b.takes(&asking(&b, "c1 Resv FF S1{1B}", null(1500))).forget();
        b.drops(&asking(&b, "d1 Resv FF S1{1B}", controlled(1.0)), Discard::Rejected);
        b.sends(&["d>d1 ResvErr 21/0001 FF S1{1B}"]);
    }
}

/// An M of zero is no packet size.
#[test]
fn a_packet_size_of_zero_is_refused() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        b.drops(&asking(&b, "c1 Resv FF S1{1B}", null(0)), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 21/0003 FF S1{0N}"]);
    }
}
