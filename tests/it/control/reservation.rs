//! From announcement to teardown through the client library (RFC 2205 section 3.11.1).

use super::next;
use super::pair::{LEFT, LINK, Pair, RESERVABLE_BPS, RIGHT};
use rsvp_client::rows::{APPLICATION, Rows};
use rsvp_client::{
    Adspec, Announcement, Carried, Client, ClientError, Event, Gone, Problem, Reservation, Service, Session,
    Style, Traffic, Watch, Watched, What,
};
use rsvp_wire::{FilterSpec, Session as Key};
use std::net::IpAddr;
use std::time::Duration;

fn key() -> Key {
    "udp 10.0.0.2:5000".parse().expect("a session")
}

fn sender() -> FilterSpec {
    "10.0.0.1:4000".parse().expect("a sender")
}

fn traffic() -> Traffic {
    Traffic { bucket: 3_000.0, max_packet: 1_000, ..Traffic::of(2e6) }
}

fn guaranteed(reserve_bps: f64) -> Service {
    Service::Guaranteed { traffic: traffic(), reserve_bps, slack_us: 20 }
}

/// A sender that announces and a receiver that was told of it.
async fn announced(pair: &Pair) -> (Client, Session, Client, Session) {
    let (near, far) = (pair.client(LEFT).await, pair.client(RIGHT).await);
    let mut receiving = far.session(key()).await.expect("open");
    let sending = near.session(key()).await.expect("open");
    sending.announce(Announcement::new(sender(), traffic())).await.expect("announced");
    let Event::Path { sender: found, traffic: said, adspec, .. } = next(&mut receiving).await else {
        panic!("no path event")
    };
    assert_eq!((found.0, said), (sender(), traffic()));
    let adspec = adspec.expect("both services are offered");
    assert_eq!((adspec.hops, adspec.bandwidth_bps, adspec.mtu), (1, Some(1e7), 1_500));
    let terms = adspec.guaranteed.expect("the service is offered");
    assert_eq!((terms.ctot, terms.dtot_us, terms.csum, terms.dsum_us), (1_500, 100, 1_500, 100));
    assert!(!adspec.is_broken && adspec.controlled_load.is_some_and(|offer| !offer.is_broken));
    (near, sending, far, receiving)
}

#[tokio::test(start_paused = true)]
async fn a_reservation_is_made_changed_and_given_up() {
    let pair = Pair::start();
    let (near, mut sending, far, mut receiving) = announced(&pair).await;
    receiving.reserve(Reservation::fixed(sender(), guaranteed(3e6)).confirmed()).await.expect("reserved");
    let carried = Carried::default();
    let stands =
        Event::Resv { style: Style::Ff, flowspec: guaranteed(3e6), filters: vec![sender()], carried };
    assert_eq!(next(&mut sending).await, stands);
    let confirmed = next(&mut receiving).await;
    let expected = Event::ResvConfirm {
        node: "10.0.0.1".parse().expect("an address"),
        style: Style::Ff,
        flowspec: Some(guaranteed(3e6)),
        filters: vec![sender()],
    };
    assert_eq!(confirmed, expected);

    let (Rows::Reservations(rows), 1) = near.list(What::Reservations, None).await.expect("listed") else {
        panic!("one reservation")
    };
    assert_eq!((rows[0].interface.as_str(), rows[0].charge_bps), (LINK, 3_000_000));
    assert_eq!(
        (rows[0].style, &rows[0].filters, rows[0].flowspec),
        (Style::Ff, &vec![sender()], guaranteed(3e6))
    );

    receiving.reserve(Reservation::fixed(sender(), guaranteed(4e6))).await.expect("changed");
    assert!(matches!(next(&mut sending).await, Event::Resv { flowspec, .. } if flowspec == guaranteed(4e6)));
    receiving.release().await.expect("given up");
    assert_eq!(next(&mut sending).await, Event::ResvGone { style: Style::Ff, filters: vec![sender()] });
    assert!(matches!(receiving.release().await, Err(ClientError::Refused(p)) if p.code == "not-found"));
    sending.remove_sender(sender()).await.expect("removed");
    assert!(matches!(next(&mut receiving).await, Event::PathGone { why: Gone::Torn, .. }));
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn whoever_disconnects_takes_everything_along() {
    let pair = Pair::start();
    let (near, mut sending, far, receiving) = announced(&pair).await;
    let shared = Reservation::shared([sender()], Service::ControlledLoad { traffic: traffic() });
    receiving.reserve(shared).await.expect("reserved");
    assert!(matches!(next(&mut sending).await, Event::Resv { style: Style::Se, .. }));
    // As when it is killed: nothing is said any more.
    std::mem::forget(receiving);
    let before = pair.seen();
    assert!(!before.is_empty[LEFT] && !before.is_empty[RIGHT]);
    drop(far);
    drop((near, sending));
    pair.until("the sender's node is empty", |seen| seen.is_empty[LEFT]).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_receiver_is_torn_down_at_once() {
    let pair = Pair::start();
    let near = pair.client(LEFT).await;
    let mut sending = near.session(key()).await.expect("open");
    sending.announce(Announcement::new(sender(), traffic())).await.expect("announced");
    let start = tokio::time::Instant::now();
    let far = pair.client(RIGHT).await;
    let receiving = far.session(key()).await.expect("open");
    let service = Service::ControlledLoad { traffic: traffic() };
    receiving.reserve(Reservation::wildcard(service)).await.expect("reserved");
    assert!(matches!(next(&mut sending).await, Event::Resv { style: Style::Wf, .. }));
    drop((receiving, far));
    assert_eq!(next(&mut sending).await, Event::ResvGone { style: Style::Wf, filters: Vec::new() });
    // No time had to pass: this was a ResvTear, not the absence of refreshes.
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    drop((sending, near));
    pair.until("nothing is left", |seen| seen.is_empty == [true; 2] && seen.clients == [0; 2]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_session_is_closed_and_can_be_opened_again() {
    let pair = Pair::start();
    let (near, sending, _far, mut receiving) = announced(&pair).await;
    assert!(matches!(near.session(key()).await, Err(ClientError::AlreadyOpen(_))));
    drop(sending);
    assert!(matches!(next(&mut receiving).await, Event::PathGone { why: Gone::Torn, .. }));
    let sending = near.session(key()).await.expect("open again");
    let none = Announcement { adspec: Adspec::None, ..Announcement::new(sender(), traffic()) };
    sending.announce(none).await.expect("announced");
    assert!(matches!(next(&mut receiving).await, Event::Path { adspec: None, .. }));
    sending.close().await.expect("closed");
    assert!(matches!(next(&mut receiving).await, Event::PathGone { .. }));
}

#[tokio::test(start_paused = true)]
async fn admission_failure_reaches_the_receiver() {
    let pair = Pair::start();
    let (_near, _sending, _far, mut receiving) = announced(&pair).await;
    let too_much = guaranteed(RESERVABLE_BPS as f64 + 1e6);
    receiving
        .reserve(Reservation::fixed(sender(), too_much))
        .await
        .expect("taken, and refused by the network");
    let Event::ResvError { error, flowspec, style, filters } = next(&mut receiving).await else {
        panic!("no error")
    };
    assert_eq!((error.code, error.value, error.node.to_string().as_str()), (1, 2, "10.0.0.1"));
    assert_eq!(error.meaning, "Admission Control failure: Requested bandwidth unavailable");
    assert_eq!((style, filters, flowspec), (Style::Ff, vec![sender()], Some(too_much)));
    assert!(!error.in_place && !error.not_guilty);
}

#[tokio::test(start_paused = true)]
async fn listings_say_what_is_there() {
    let pair = Pair::start();
    let (near, sending, far, receiving) = announced(&pair).await;
    let service = Service::ControlledLoad { traffic: traffic() };
    receiving.reserve(Reservation::fixed(sender(), service)).await.expect("reserved");
    // Answers come in order: by then the Resv has crossed.
    let other: Key = "udp 10.0.0.2:6000".parse().expect("a session");
    let _second = far.session(other).await.expect("open");

    let (Rows::Senders(rows), _) = far.list(What::Senders, None).await.expect("listed") else { panic!() };
    assert_eq!((rows[0].previous_hop.as_str(), rows[0].interface.as_deref()), ("10.0.0.1", Some(LINK)));
    let (Rows::Senders(rows), _) = near.list(What::Senders, None).await.expect("listed") else { panic!() };
    assert_eq!((rows[0].previous_hop.as_str(), &rows[0].outgoing), (APPLICATION, &vec![LINK.to_owned()]));
    let (Rows::Requests(rows), _) = near.list(What::Requests, None).await.expect("listed") else { panic!() };
    assert_eq!((rows[0].next_hop.as_str(), rows[0].application), ("10.0.0.2", None));
    assert_eq!((&rows[0].flows[0].filters, rows[0].flows[0].flowspec), (&vec![sender()], service));
    let (Rows::Requests(rows), _) = far.list(What::Requests, None).await.expect("listed") else { panic!() };
    assert_eq!((rows[0].next_hop.as_str(), rows[0].application.is_some()), (APPLICATION, true));
    let (Rows::Neighbours(rows), total) = near.list(What::Neighbours, None).await.expect("listed") else {
        panic!()
    };
    // This link has no prefix, so what is kept is charged to all who are not told apart.
    let of = |address: Option<IpAddr>| rows.iter().find(|row| row.address == address).expect("a row");
    assert_eq!((total, of(None).states), (2, Some(1)));
    let hop = of("10.0.0.2".parse().ok());
    assert_eq!((hop.senders, hop.requests), (0, 1));
    let (Rows::Interfaces(rows), 1) = near.list(What::Interfaces, None).await.expect("listed") else {
        panic!()
    };
    assert_eq!(
        (rows[0].name.as_str(), rows[0].reservable_bps, rows[0].reserved_bps),
        (LINK, RESERVABLE_BPS, 2_000_000)
    );
    let (Rows::Sessions(rows), 2) = far.list(What::Sessions, None).await.expect("listed") else { panic!() };
    assert_eq!((rows[0].senders, rows[0].requests, rows[0].applications), (1, 1, 1));
    assert_eq!((rows[1].session, rows[1].senders, rows[1].applications), (other, 0, 1));
    let (Rows::Sessions(rows), 1) = far.list(What::Sessions, Some(other)).await.expect("listed") else {
        panic!()
    };
    assert_eq!(rows[0].session, other);
    let (Rows::Blockades(rows), 0) = far.list(What::Blockades, None).await.expect("listed") else { panic!() };
    assert!(rows.is_empty());
    let (Rows::Counters(counters), _) = near.list(What::Counters, None).await.expect("listed") else {
        panic!()
    };
    assert_eq!((counters.sent["Path"], counters.received["Resv"]), (1, 1));
    assert_eq!((counters.driver["sent-packets"], counters.discards["malformed"]), (42, 0));
    drop(sending);
}

async fn seen(watch: &mut Watch) -> Watched {
    let next = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    next.expect("something happens").expect("the connection stands")
}

#[tokio::test(start_paused = true)]
async fn who_watches_sees_what_is_reserved_and_what_applications_are_told() {
    let pair = Pair::start();
    let (near, _sending, _far, receiving) = announced(&pair).await;
    let observer = pair.client(LEFT).await;
    let service = Service::ControlledLoad { traffic: traffic() };
    receiving.reserve(Reservation::fixed(sender(), service)).await.expect("reserved");
    let mut watch = observer.watch().await.expect("watching");
    // What was there before is not news, but its end is, in full.
    receiving.release().await.expect("given up");
    let mut both = Vec::new();
    both.push(seen(&mut watch).await);
    both.push(seen(&mut watch).await);
    let gone = both
        .iter()
        .any(|w| matches!(w, Watched::Unreserved(row) if row.flowspec == service && row.interface == LINK));
    let told = both.iter().any(
        |w| matches!(w, Watched::Application { event, .. } if matches!(event.kind, Event::ResvGone { .. }) && event.session == key()),
    );
    assert!(gone && told, "{both:?}");
    receiving.reserve(Reservation::wildcard(service)).await.expect("reserved");
    let first = [seen(&mut watch).await, seen(&mut watch).await];
    assert!(first.iter().any(|w| matches!(w, Watched::Reserved(row) if row.style == Style::Wf)), "{first:?}");
    drop(near);
}

#[tokio::test(start_paused = true)]
async fn refusals_say_what_to_do() {
    let pair = Pair::start();
    let (near, sending, far, receiving) = announced(&pair).await;
    let refused = |result: Result<(), ClientError>| match result {
        Err(ClientError::Refused(problem)) => (problem.code, problem.message),
        other => panic!("{other:?}"),
    };
    let foreign = Announcement::new("10.9.9.9:4000".parse().expect("a sender"), traffic());
    let (code, message) = refused(sending.announce(foreign).await);
    assert_eq!(code, "bad-sender");
    assert!(message.contains("10.9.9.9 is none of this node's addresses, 10.0.0.1"), "{message}");
    let elsewhere =
        Announcement { interface: Some("eth9".to_owned()), ..Announcement::new(sender(), traffic()) };
    let (code, message) = refused(sending.announce(elsewhere).await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("no-interface", "no interface is called \"eth9\"; there are link0")
    );
    let negative = Traffic { rate_bps: -1.0, ..traffic() };
    assert_eq!(
        refused(sending.announce(Announcement::new(sender(), negative)).await).0,
        "bad-traffic-parameter"
    );
    let twin = pair.client(LEFT).await;
    let twin = twin.session(key()).await.expect("open");
    assert_eq!(refused(twin.announce(Announcement::new(sender(), traffic())).await).0, "sender-taken");
    let service = Service::ControlledLoad { traffic: traffic() };
    receiving.reserve(Reservation::wildcard(service)).await.expect("reserved");
    let other = pair.client(RIGHT).await;
    let other = other.session(key()).await.expect("open");
    let (code, _) = refused(other.reserve(Reservation::fixed(sender(), service)).await);
    assert_eq!(code, "conflicting-style");
    let (code, message) = refused(other.reserve(Reservation::new(Style::Ff, Vec::new())).await);
    assert!(code == "bad-style" && message.contains("FF one for each filter"), "{message}");
    drop((near, far));
}

/// RFC 2212: "p MUST be greater than or equal to the token bucket rate".
#[tokio::test(start_paused = true)]
async fn a_peak_below_the_rate_is_refused_and_both_are_named() {
    let pair = Pair::start();
    let (_near, sending, _far, receiving) = announced(&pair).await;
    let below = Traffic { peak_bps: Some(1e6), ..Traffic::of(2e6) };
    let asked = [
        sending.announce(Announcement::new(sender(), below)).await,
        receiving.reserve(Reservation::fixed(sender(), Service::ControlledLoad { traffic: below })).await,
        receiving
            .reserve(Reservation::wildcard(Service::Guaranteed {
                traffic: below,
                reserve_bps: 3e6,
                slack_us: 0,
            }))
            .await,
    ];
    for refused in asked {
        let Err(ClientError::Refused(problem)) = refused else { panic!("{refused:?}") };
        let Problem { code, message, .. } = problem;
        assert!(message.contains("1000000") && message.contains("2000000"), "{message}");
        assert_eq!(code, "bad-traffic-parameter");
    }
    let at_the_rate = Traffic { peak_bps: Some(2e6), ..Traffic::of(2e6) };
    sending.announce(Announcement::new(sender(), at_the_rate)).await.expect("announced");
}
