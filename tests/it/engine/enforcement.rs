//! Interfaces that carry out what is reserved, and such that do not: break bits (RFC 2215 section 3.1), E_Police (RFC 2205
//! section 3.8 and Appendix A.1), and marks that requests ask for (RFC 2996, RFC 2814).

use super::adspec::full;
use super::bench::Bench;
use super::message::Arriving;
use super::words::{interface, tspec};
use rsvp_node::{AdspecOffer, AppId, Command, Discard, Police, Remark, TcChange};
use rsvp_wire::{AdspecSummary, GuaranteedParams, MsgType, SenderTemplate, Session};

const DCLASS: u8 = 225;
const TCLASS: u8 = 165;

/// The flags of SESSION and the break bits (of all, Guaranteed, Controlled-Load) in the last message through an interface.
fn left(b: &Bench, letter: &str) -> (u8, [bool; 3]) {
    let sent = b.sent.iter().rfind(|sent| sent.interface == interface(letter)).expect("a Path");
    assert_eq!(sent.msg_type(), MsgType::PATH);
    let adspec: AdspecSummary = sent.get();
    let (guaranteed, load) = (adspec.guaranteed.expect("offered"), adspec.controlled_load.expect("offered"));
    (sent.get::<Session>().flags(), [adspec.global.break_bit, guaranteed.break_bit, load.break_bit])
}

fn enforces(b: &mut Bench, letter: &str, does: bool) {
    b.change(letter, |i| i.enforces = does);
}

/// A Path of S1 whose E_Police is on or off.
fn path(b: &Bench, flags: u8) -> Arriving {
    let session = b.session.with_flags(flags);
    b.message("a1 Path S1{9B}").adspec(&full()).with(|m| m.session = session)
}

fn police(b: &Bench, letter: &str) -> Police {
    let on = b.engine.reservations().find(|(_, on, _)| *on == interface(letter));
    on.expect("a reservation").2.police
}

#[test]
fn an_interface_that_enforces_nothing_breaks_both_services_and_passes_e_police_on() {
    for mut b in Bench::both() {
        enforces(&mut b, "c", false);
        b.takes(&path(&b, Session::E_POLICE));
        assert_eq!(left(&b, "c"), (Session::E_POLICE, [false, true, true]));
        assert_eq!(left(&b, "d"), (0, [false; 3]), "the other interface does");
        // Somebody before has policed: it stays so.
        b.forget();
        b.takes(&path(&b, 0));
        assert_eq!(left(&b, "c"), (0, [false, true, true]));
        // What this node does not have is not composed; the hop counts (RFC 2210 section 3.3.1).
        let adspec: AdspecSummary = b.sent[0].get();
        assert_eq!((adspec.global.hops, adspec.guaranteed.map(|g| g.ctot)), (4, Some(1)));
        b.forget().hears("a1 PathTear S1");
        assert!(b.sent.iter().all(|sent| sent.get::<Session>().flags() == 0), "in Paths alone");
    }
}

#[test]
fn a_sender_on_a_node_that_does_not_police_sets_e_police() {
    for mut b in Bench::both() {
        enforces(&mut b, "c", false);
        let (session, sender) = (b.session, SenderTemplate(b.family.sender("C0")));
        let adspec = Some(AdspecOffer { guaranteed: true, controlled_load: true, null: false });
        let command = Command::Sender {
            app: AppId(1),
            session,
            sender,
            tspec: tspec(9.0),
            adspec,
            ttl: 33,
            interface: Some(interface("c")),
            carried: None,
        };
        b.does(command);
        assert_eq!(left(&b, "c"), (Session::E_POLICE, [false, true, true]));
        // RFC 2210 section 3.3.3: zeros, with the break bit.
        let adspec: AdspecSummary = b.sent[0].get();
        assert_eq!(
            adspec.guaranteed,
            Some(GuaranteedParams { break_bit: true, ..GuaranteedParams::default() })
        );
        // Refreshes as well.
        b.forget().seconds(46.0);
        assert_eq!(left(&b, "c"), (Session::E_POLICE, [false, true, true]));
    }
}

#[test]
fn what_changes_about_an_interface_is_told_at_once_and_polices_elsewhere() {
    for mut b in Bench::both() {
        b.takes(&path(&b, Session::E_POLICE)).hears("c1 Resv WF{4B}").forget();
        assert!(police(&b, "c").entry, "the first that can");
        enforces(&mut b, "c", false);
        assert_eq!(left(&b, "c"), (Session::E_POLICE, [false, true, true]));
        assert!(!police(&b, "c").entry);
        let told = b.traffic.last().expect("the data plane is told");
        assert!(matches!(&told.change, TcChange::Install(r) if !r.police.entry), "{told:?}");
        b.forget();
        enforces(&mut b, "c", true);
        assert_eq!(left(&b, "c"), (0, [false; 3]));
        assert!(police(&b, "c").entry);
        // What does not change is not told.
        b.forget();
        enforces(&mut b, "c", true);
        assert!(b.sent.is_empty() && b.traffic.is_empty());
    }
}

/// A Resv with these marks.
fn marked(b: &Bench, text: &str, dscps: &[u8], priority: Option<u8>) -> Arriving {
    let words: Vec<u8> = dscps.iter().flat_map(|dscp| [0, 0, 0, dscp << 2]).collect();
    let mut resv = b.message(text);
    if !dscps.is_empty() {
        resv = resv.object(DCLASS, 1, &words);
    }
    match priority {
        Some(priority) => resv.object(TCLASS, 1, &[0, 0, 0, priority]),
        None => resv,
    }
}

/// What the data plane was last told of marks.
fn remark(b: &Bench) -> Remark {
    match &b.traffic.last().expect("it was told").change {
        TcChange::Install(reservation) => reservation.remark,
        TcChange::Remove => panic!("it was removed"),
    }
}

#[test]
fn marks_of_a_request_come_with_the_reservation_and_follow_it() {
    for mut b in Bench::both() {
        b.figure_4();
        b.takes(&marked(&b, "c1 Resv SE S1 S2{4B}", &[12, 10], Some(5)));
        assert_eq!((b.traffic.len(), remark(&b)), (1, Remark { dscp: Some(12), priority: Some(5) }));
        // The same again is a refresh; another mark alone is a change, and so is none.
        b.forget();
        b.takes(&marked(&b, "c1 Resv SE S1 S2{4B}", &[12, 10], Some(5)));
        assert!(b.traffic.is_empty());
        b.takes(&marked(&b, "c1 Resv SE S1 S2{4B}", &[46], None));
        assert_eq!((b.traffic.len(), remark(&b)), (1, Remark { dscp: Some(46), priority: None }));
        b.hears("c1 Resv SE S1 S2{4B}");
        assert_eq!((b.traffic.len(), remark(&b)), (2, Remark::default()));
    }
}

#[test]
fn of_several_requests_the_marks_do_not_depend_on_who_came_first() {
    for mut b in Bench::both() {
        for order in [[1, 2], [2, 1]] {
            b.figure_4().forget();
            for neighbour in order {
                let text = format!("c{neighbour} Resv WF{{4B}}");
                b.takes(&marked(&b, &text, &[10 * neighbour], Some(neighbour)));
            }
            assert_eq!(remark(&b), Remark { dscp: Some(10), priority: Some(2) });
            // Who goes takes them along, though as much is installed as before.
            b.forget().hears("c1 ResvTear WF");
            assert_eq!((b.traffic.len(), remark(&b)), (1, Remark { dscp: Some(20), priority: Some(2) }));
            b.hears("c2 ResvTear WF");
        }
    }
}

#[test]
fn a_mark_is_for_the_sender_whose_request_names_it() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B} S2{4B}").forget();
        b.takes(&marked(&b, "c2 Resv FF S1{4B}", &[46], None));
        let of = |sender: &str| {
            let filter = b.family.sender(sender);
            let found = b.engine.reservations().find(|(_, _, r)| r.filters == [filter]);
            found.expect("a reservation").2.remark.dscp
        };
        assert_eq!((of("S1"), of("S2")), (Some(46), None));
    }
}

#[test]
fn a_refused_request_marks_nothing() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 5).hears("c1 Resv WF{4B}").forget();
        b.drops(&marked(&b, "c1 Resv WF{6B}", &[46], None), Discard::Rejected);
        assert!(b.traffic.is_empty());
        assert_eq!(b.engine.reservations().next().expect("it stands").2.remark, Remark::default());
    }
}
