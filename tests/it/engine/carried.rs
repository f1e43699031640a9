//! What messages carry for applications: POLICY_DATA (RFC 2750), DCLASS (RFC 2996), TCLASS (RFC 2814).

use super::bench::Bench;
use super::message::object;
use super::sent::Sent;
use super::words::{Flows, tspec};
use rsvp_node::{AppId, Carried, Command, EventKind, FlowRequest};
use rsvp_wire::SenderTemplate;

const POLICY: u8 = 14;
const DCLASS: u8 = 225;
const TCLASS: u8 = 165;

/// A policy element of a private type.
const ELEMENT: [u8; 8] = [0, 8, 0xd0, 0, 1, 2, 3, 4];

fn all() -> Carried {
    let none = Carried::default();
    let some =
        none.with_policy(&ELEMENT).and_then(|c| c.with_dclass(&[10, 12])).and_then(|c| c.with_tclass(5));
    some.expect("sound")
}

/// By hand from the figures of RFC 2750 section 3.1, RFC 2996 section 2 and RFC 2814 section B.3.7.
fn objects() -> [(u8, Vec<u8>); 3] {
    let policy = [&[0, 8, 0, 0], &ELEMENT[..]].concat();
    let dclass = [0, 0, 0, 10 << 2, 0, 0, 0, 12 << 2];
    [
        (POLICY, object(POLICY, 1, &policy)),
        (DCLASS, object(DCLASS, 1, &dclass)),
        (TCLASS, object(TCLASS, 1, &[0, 0, 0, 5])),
    ]
}

fn carries(sent: &Sent, classes: &[u8]) -> bool {
    objects().into_iter().all(|(class, octets)| {
        let expected = if classes.contains(&class) { vec![octets] } else { Vec::new() };
        sent.objects(class) == expected
    })
}

fn announces(b: &mut Bench, carried: &Carried) {
    let (session, sender) = (b.session, SenderTemplate(b.family.sender("C0")));
    b.does(Command::Sender {
        app: AppId(1),
        session,
        sender,
        tspec: tspec(9.0),
        adspec: None,
        ttl: 33,
        interface: None,
        carried: Some(carried),
    });
}

fn reserves(b: &mut Bench, app: u32, flows: &str, carried: &Carried) {
    let words: Vec<&str> = flows.split(' ').collect();
    let Flows { style, flows } = Flows::read(b.family, &words);
    let flows: Vec<FlowRequest<'_>> = flows
        .iter()
        .map(|(flowspec, filters)| FlowRequest { flowspec: flowspec.expect("a flowspec"), filters })
        .collect();
    let (app, session, carried) = (AppId(app), b.session, Some(carried));
    b.does(Command::Reserve { app, session, style, flows: &flows, confirm: false, interface: None, carried });
}

/// What the last event says, which is a path's or a reservation's.
fn told(b: &Bench) -> &Carried {
    match &b.events.last().expect("an event").kind {
        EventKind::Path { carried, .. } | EventKind::Resv { carried, .. } => carried,
        other => panic!("{other:?}"),
    }
}

/// RFC 2205 section 3.1.3, RFC 2996 section 2: in every Path, refreshes too; in a PathTear what is of unknown class only.
#[test]
fn a_sender_carries_policy_and_marks_in_its_paths() {
    for mut b in Bench::both() {
        announces(&mut b, &all());
        assert!(!b.sent.is_empty() && b.sent.drain(..).all(|s| carries(&s, &[POLICY, DCLASS, TCLASS])));
        b.seconds(45.0);
        assert!(!b.sent.is_empty() && b.sent.drain(..).all(|s| carries(&s, &[POLICY, DCLASS, TCLASS])));
        // Others on this node hear of it, and of a change.
        b.opens(2);
        let (told_of, said) = (told(&b), all());
        assert!(told_of.policy().eq(said.policy()), "{told_of:?}");
        assert_eq!((told_of.dclass(), told_of.tclass()), (said.dclass(), said.tclass()));
        b.forget();
        let marks = Carried::default().with_dclass(&[46]).expect("sound");
        announces(&mut b, &marks);
        assert_eq!((told(&b), b.sent[0].objects(DCLASS).len()), (&marks, 1));
        assert!(b.sent[0].objects(POLICY).is_empty() && b.sent[0].objects(TCLASS).is_empty());
        b.forget().releases(1);
        assert!(b.sent[0].objects(TCLASS).is_empty() && b.sent[0].objects(POLICY).is_empty());
        b.releases(2).is_empty();
    }
}

/// RFC 2814 section 4.2.2.8: a TCLASS is for whoever gets it, and goes no further.
#[test]
fn what_a_path_carries_is_told_and_only_what_is_not_for_the_hop_goes_on() {
    for mut b in Bench::both() {
        b.opens(1);
        let mut path = b.message("a1 Path S1{9B}");
        for (class, octets) in objects() {
            path = path.object(class, 1, &octets[4..]);
        }
        b.takes(&path);
        assert!(b.sent.len() == 2 && b.sent.iter().all(|s| carries(s, &[POLICY, DCLASS])));
        let carried = told(&b);
        assert_eq!(carried.policy().collect::<Vec<_>>(), [&ELEMENT[..]]);
        assert_eq!((carried.dclass(), carried.tclass()), (vec![10, 12], Some(5)));
        b.forget().takes(&path).tells(&[]);
        // Nothing but a mark is another.
        b.takes(&b.message("a1 Path S1{9B}").object(TCLASS, 1, &[0, 0, 0, 4]));
        assert_eq!((told(&b).tclass(), b.events.len()), (Some(4), 1));
        b.releases(1).hears("a1 PathTear S1").is_empty();
    }
}

/// RFC 2996 section 1.1: from the receiver to the marking point.
#[test]
fn a_receiver_carries_policy_and_marks_in_its_resvs() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("b1 Path S2{9B}").forget();
        reserves(&mut b, 1, "FF S1{4B}", &all());
        assert!(carries(&b.sends_one("a>a1 Resv FF S1{4B}"), &[POLICY, DCLASS, TCLASS]));
        b.seconds(45.0);
        assert!(!b.sent.is_empty());
        assert!(
            b.sent
                .drain(..)
                .filter(|s| s.objects(9).len() == 1)
                .all(|s| carries(&s, &[POLICY, DCLASS, TCLASS]))
        );
        // Not to the previous hop of a sender that it is not for.
        b.forget();
        b.reserves(2, "FF S2{3B}");
        assert!(carries(&b.sends_one("b>b1 Resv FF S2{3B}"), &[]));
        // A reservation that says nothing more carries nothing more.
        b.forget().reserves(1, "FF S1{4B}");
        assert!(carries(&b.sends_one("a>a1 Resv FF S1{4B}"), &[]));
        b.releases(1).releases(2).hears("a1 PathTear S1").hears("b1 PathTear S2").is_empty();
    }
}

/// RFC 2205 section 3.10: of what merges each object goes on once; of several TCLASS the highest priority.
#[test]
fn what_merges_carries_each_object_once() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        reserves(&mut b, 1, "WF{4B}", &all());
        b.forget();
        let other = Carried::default().with_dclass(&[46]).and_then(|c| c.with_tclass(3)).expect("sound");
        reserves(&mut b, 2, "WF{4B}", &other);
        assert_eq!((b.sent[0].objects(DCLASS).len(), b.sent[0].objects(POLICY).len()), (2, 1));
        assert_eq!(b.sent[0].objects(TCLASS), [object(TCLASS, 1, &[0, 0, 0, 5])]);
        b.forget();
        // A next hop's TCLASS was for this node.
        b.takes(&b.message("c1 Resv WF{5B}").object(TCLASS, 1, &[0, 0, 0, 7]));
        assert_eq!(b.sent[0].objects(TCLASS), [object(TCLASS, 1, &[0, 0, 0, 5])]);
    }
}

/// Told with the reservation, when nothing but that changes, and not again when nothing does.
#[test]
fn a_sender_is_told_what_reservations_carry() {
    for mut b in Bench::both() {
        b.announces(1, "C0").forget();
        let with = |b: &Bench, text: &str, dscp: u8| b.message(text).object(DCLASS, 1, &[0, 0, 0, dscp << 2]);
        b.takes(&with(&b, "c1 Resv WF{4B}", 46));
        assert_eq!((told(&b).dclass(), b.events.len()), (vec![46], 1));
        b.forget();
        b.takes(&with(&b, "c1 Resv WF{4B}", 46)).tells(&[]);
        b.takes(&with(&b, "c1 Resv WF{4B}", 10));
        assert_eq!((told(&b).dclass(), b.events.len()), (vec![10], 1));
        b.forget();
        b.takes(&with(&b, "c2 Resv WF{3B}", 12));
        assert_eq!((told(&b).dclass(), b.events.len()), (vec![10, 12], 1));
        b.forget().hears("c1 Resv WF{4B}");
        assert_eq!((told(&b).dclass(), b.events.len()), (vec![12], 1));
        b.forget().hears("c2 Resv WF{3B}");
        assert_eq!((told(&b), b.events.len()), (&Carried::default(), 1));
        // What goes takes its marks along.
        b.takes(&with(&b, "c2 Resv WF{3B}", 12)).forget().hears("c2 ResvTear WF");
        assert_eq!((told(&b), b.events.len()), (&Carried::default(), 1));
        // Who announces the same later is told as well; and a new reservation has nothing of the old.
        b.takes(&with(&b, "c1 Resv WF{4B}", 8)).forget().releases(1).announces(2, "C0");
        b.takes(&with(&b, "c1 Resv WF{4B}", 8));
        assert_eq!(told(&b).dclass(), [8]);
        b.forget().hears("c1 ResvTear WF").forget().hears("c1 Resv WF{4B}");
        assert_eq!(told(&b), &Carried::default());
    }
}

/// What is for one sender in FF is told to no other.
#[test]
fn marks_of_one_fixed_filter_are_its_own() {
    for mut b in Bench::both() {
        b.announces(1, "C0").announces(2, "D0").forget();
        b.takes(&b.message("c1 Resv FF C0{4B}").object(DCLASS, 1, &[0, 0, 0, 46 << 2]));
        assert_eq!((told(&b).dclass(), b.events.len(), b.events[0].app), (vec![46], 1, AppId(1)));
    }
}

#[test]
fn what_cannot_be_carried_is_not_made() {
    let none = Carried::default();
    for elements in [&[][..], &[0, 4, 0], &[0, 6, 0, 1, 0, 0], &[0, 12, 0, 1, 0, 0, 0, 0], &[0, 0, 0, 1]] {
        assert_eq!(none.with_policy(elements), None, "{elements:?}");
    }
    assert!(none.with_dclass(&[]).is_none() && none.with_dclass(&[64]).is_none());
    assert!(none.with_tclass(8).is_none() && none.is_empty());
    let mut large = vec![0; 4096 - 8];
    large[..2].copy_from_slice(&(4096_u16 - 8).to_be_bytes());
    let full = none.with_policy(&large).expect("as much as a message may carry");
    assert_eq!((full.objects().len(), full.with_tclass(1)), (4096, None));
    large.extend([0, 4, 0, 1]);
    assert!(none.with_policy(&large).is_none() && none.with_dclass(&vec![1; 2000]).is_none());
    assert_eq!(Carried::of_objects(all().objects()), Some(all()));
    assert_eq!(Carried::of_objects(&all().objects()[1..]), None);
    assert_eq!(Carried::of_objects(&object(1, 1, &[0; 8])), None);
}
