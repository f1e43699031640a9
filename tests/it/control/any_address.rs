//! Sessions at any address through the client library.

use super::next;
use super::pair::{LEFT, Pair, RIGHT};
use rsvp_client::{Announcement, AnyAddress, Client, ClientError, Event, Reservation, Service, Traffic};
use rsvp_wire::{FilterSpec, Session};
use std::time::Duration;

fn key(text: &str) -> Session {
    text.parse().expect("a session")
}

fn sender() -> FilterSpec {
    "10.0.0.1:4000".parse().expect("a sender")
}

async fn next_of(sessions: &mut AnyAddress) -> (Session, Event) {
    let event = tokio::time::timeout(Duration::from_secs(60), sessions.next_event()).await;
    event.expect("an event within a minute").expect("the connection stands")
}

/// A receiver at any address that was told of the address of its node and of a sender.
async fn announced(pair: &Pair) -> (rsvp_client::Session, Client, AnyAddress) {
    let client = pair.client(RIGHT).await;
    let mut sessions = client.any_address(key("udp 0.0.0.0:5000")).await.expect("opened");
    let here = key("udp 10.0.0.2:5000");
    assert_eq!(next_of(&mut sessions).await, (here, Event::SessionOpened {}));
    let sending = pair.client(LEFT).await.session(here).await.expect("opened");
    sending.announce(Announcement::new(sender(), Traffic::of(2e6))).await.expect("announced");
    let (session, Event::Path { sender: found, .. }) = next_of(&mut sessions).await else {
        panic!("no path")
    };
    assert_eq!((session, found.0), (here, sender()));
    (sending, client, sessions)
}

#[tokio::test(start_paused = true)]
async fn a_receiver_at_any_address_reserves_session_by_session() {
    let pair = Pair::start();
    let (mut sending, _client, sessions) = announced(&pair).await;
    let service = Service::ControlledLoad { traffic: Traffic::of(2e6) };
    let here = key("udp 10.0.0.2:5000");
    let reserve = || sessions.reserve(here, Reservation::fixed(sender(), service));
    reserve().await.expect("reserved");
    assert!(matches!(next(&mut sending).await, Event::Resv { .. }));
    sessions.release(here).await.expect("given up");
    assert!(matches!(next(&mut sending).await, Event::ResvGone { .. }));
    reserve().await.expect("reserved");
    assert!(matches!(next(&mut sending).await, Event::Resv { .. }));
    // Dropped without a word, it gives up what it has.
    drop(sessions);
    assert!(matches!(next(&mut sending).await, Event::ResvGone { .. }));
}

#[tokio::test(start_paused = true)]
async fn events_of_a_session_with_a_name_go_there() {
    let pair = Pair::start();
    let (sending, client, mut sessions) = announced(&pair).await;
    let mut named = client.session(key("udp 10.0.0.2:5000")).await.expect("opened");
    sending.remove_sender(sender()).await.expect("removed");
    assert!(matches!(next(&mut named).await, Event::PathGone { .. }));
    named.close().await.expect("closed");
    sending.announce(Announcement::new(sender(), Traffic::of(1e6))).await.expect("announced");
    assert!(matches!(next_of(&mut sessions).await, (_, Event::Path { .. })));
    sessions.close().await.expect("closed");
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_session_has_its_call() {
    let pair = Pair::start();
    let client = pair.client(RIGHT).await;
    let (any, one) = (key("udp [::]:5000"), key("udp 10.0.0.2:5000"));
    let error = client.session(any).await.expect_err("it is at any address");
    assert!(
        error.to_string().contains("udp [::]:5000") && error.to_string().contains("any_address"),
        "{error}"
    );
    let error = client.any_address(one).await.expect_err("it has an address");
    assert!(error.to_string().contains("Client::session"), "{error}");
    let _sessions = client.any_address(any).await.expect("opened");
    assert!(matches!(client.any_address(any).await, Err(ClientError::AlreadyOpen(_))));
    // What the daemon refuses is not open.
    assert!(
        matches!(client.any_address(key("udp [::]")).await, Err(ClientError::Refused(p)) if p.code == "bad-session")
    );
}
