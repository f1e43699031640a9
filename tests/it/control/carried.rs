//! Policy and marks that messages carry for the other side, through the client library and in lines.

use super::next;
use super::pair::{LEFT, Pair, RIGHT};
use rsvp_client::{
    Announcement, Carried, ClientError, Event, Octets, Reservation, Service, Session, Traffic,
};
use rsvp_wire::FilterSpec;

fn sender() -> FilterSpec {
    "10.0.0.1:4000".parse().expect("a sender")
}

async fn sessions(pair: &Pair) -> [Session; 2] {
    let key = || "udp 10.0.0.2:5000".parse().expect("a session");
    let (near, far) = (pair.client(LEFT).await, pair.client(RIGHT).await);
    [near.session(key()).await.expect("opened"), far.session(key()).await.expect("opened")]
}

fn policy() -> Octets {
    "0008d00001020304".parse().expect("digits")
}

#[tokio::test(start_paused = true)]
async fn what_one_side_says_the_other_is_told() {
    let pair = Pair::start();
    let [mut sending, mut receiving] = sessions(&pair).await;
    let said = Carried { policy: vec![policy(), policy()], dclass: vec![46], tclass: Some(5) };
    let announcement =
        Announcement { carried: said.clone(), ..Announcement::new(sender(), Traffic::of(2e6)) };
    sending.announce(announcement).await.expect("announced");
    let Event::Path { carried, .. } = next(&mut receiving).await else { panic!("no path") };
    // Of equal objects there is one.
    assert_eq!(carried, Carried { policy: vec![policy()], ..said });
    let service = Service::ControlledLoad { traffic: Traffic::of(2e6) };
    let marks = Carried { dclass: vec![10, 12], ..Carried::default() };
    let reservation = Reservation { carried: marks.clone(), ..Reservation::fixed(sender(), service) };
    receiving.reserve(reservation).await.expect("reserved");
    let Event::Resv { carried, .. } = next(&mut sending).await else { panic!("no reservation") };
    assert_eq!(carried, marks);
    // Nothing but the marks is another.
    receiving.reserve(Reservation::fixed(sender(), service)).await.expect("reserved");
    let Event::Resv { carried, .. } = next(&mut sending).await else { panic!("no reservation") };
    assert!(carried.is_empty());
    sending.announce(Announcement::new(sender(), Traffic::of(2e6))).await.expect("announced");
    assert!(matches!(next(&mut receiving).await, Event::Path { carried, .. } if carried.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_carried_is_refused_with_what_it_is() {
    let pair = Pair::start();
    let [sending, _receiving] = sessions(&pair).await;
    let cases = [
        (Carried { dclass: vec![64], ..Carried::default() }, "`dclass`"),
        (Carried { tclass: Some(8), ..Carried::default() }, "`tclass`"),
        (Carried { policy: vec![Octets(vec![0, 9, 0, 1])], ..Carried::default() }, "`policy`"),
        (Carried { policy: vec![Octets(Vec::new())], ..Carried::default() }, "`policy`"),
    ];
    for (carried, word) in cases {
        let announcement = Announcement { carried, ..Announcement::new(sender(), Traffic::of(2e6)) };
        let Err(ClientError::Refused(problem)) = sending.announce(announcement).await else {
            panic!("{word}")
        };
        assert!(problem.code == "bad-request" && problem.message.contains(word), "{problem}");
    }
    assert!("0008d".parse::<Octets>().is_err() && "0g".parse::<Octets>().is_err());
}
