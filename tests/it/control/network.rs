//! Applications against virtual routers (`rsvp_sim::Network`): what they are told is what a world does to them, when the test says.

use rsvp_client::{Announcement, Client, Event, Reservation, Service, Session, Traffic, What};
use rsvp_sim::scenario::Builder;
use rsvp_sim::{Network, NetworkError, World};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Two ways from r1 to r4, of which that over r2 is shorter.
fn two_ways() -> Builder {
    World::builder()
        .hosts(["studio", "home"])
        .routers(["r1", "r2", "r3", "r4"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l.delay("5ms"))
        .link("r2", "r4", |l| l.reservable("3mbit"))
        .link("r1", "r3", |l| l.cost(2))
        .link("r3", "r4", |l| l.cost(2))
        .link("r4", "home", |l| l)
}

async fn session(network: &Network, client: &Client, to: &str) -> Session {
    let to = format!("udp {}", SocketAddr::new(network.address(to).expect("a node"), 5000));
    client.session(to.parse().expect("a session")).await.expect("it opens")
}

/// A session from the studio to home with a sender of so many bits a second.
async fn camera(network: &Network, rate_bps: f64) -> (Client, Session) {
    let client = network.client("studio").await.expect("a daemon");
    let session = session(network, &client, "home").await;
    let source = SocketAddr::new(network.address("studio").expect("a node"), 4000).to_string();
    let announcement = Announcement::new(source.parse().expect("a sender"), Traffic::of(rate_bps));
    session.announce(announcement).await.expect("it is taken");
    (client, session)
}

/// Who reserves at once whatever is announced, and notes what it hears and when. Time goes on for others as for it.
async fn viewer(network: &Network, at: &str) -> Arc<Mutex<Vec<(Duration, String)>>> {
    let client = network.client(at).await.expect("a daemon");
    let mut session = session(network, &client, at).await;
    let heard: Arc<Mutex<Vec<_>>> = Arc::default();
    let (notes, clock) = (Arc::clone(&heard), network.clone());
    tokio::spawn(async move {
        while let Some(event) = session.next_event().await {
            let word = match &event {
                Event::Path { .. } => "path".to_owned(),
                Event::ResvError { error, .. } => format!("refused by {}", error.node),
                other => format!("{other:?}").split(' ').next().unwrap_or_default().to_lowercase(),
            };
            notes.lock().expect("nobody panics").push((clock.now(), word));
            if let Event::Path { sender, traffic, .. } = event {
                let reservation = Reservation::fixed(sender.0, Service::ControlledLoad { traffic });
                session.reserve(reservation.confirmed()).await.expect("it is taken");
            }
        }
        notes.lock().expect("nobody panics").push((clock.now(), "the daemon is gone".to_owned()));
    });
    heard
}

fn reserved(network: &Network, node: &str) -> Vec<String> {
    let all = network.look(|world| world.node(node).map(|node| node.reservations()));
    all.expect("a node").into_iter().map(|each| each.link).collect()
}

#[tokio::test]
async fn an_application_reserves_and_time_passes_only_when_it_is_said() {
    let network = Network::new(two_ways().build().expect("a world"));
    let heard = viewer(&network, "home").await;
    let (client, mut sending) = camera(&network, 2e6).await;
    assert_eq!(network.now(), Duration::ZERO);
    let resv = network.until(sending.next_event(), SECOND).await.flatten();
    assert!(matches!(resv, Some(Event::Resv { .. })), "{resv:?}");
    // 5 ms there and back.
    assert!((10..20).contains(&network.now().as_millis()), "{:?}", network.now());
    network.run_until(SECOND).await;
    assert_eq!(network.now(), SECOND);
    let words: Vec<String> =
        heard.lock().expect("nobody panics").iter().map(|(_, word)| word.clone()).collect();
    assert_eq!(words, ["path", "resvconfirm"]);
    assert_eq!((reserved(&network, "r2"), reserved(&network, "r3").len()), (vec!["r2-r4".to_owned()], 0));
    // Time that nothing comes in, to its end.
    assert!(network.until(sending.next_event(), 3 * SECOND).await.is_none());
    assert_eq!(network.now(), 3 * SECOND);
    // What it asks for is listed with the names of the world, and gone with it.
    assert_eq!(client.count(What::Senders).await.expect("a list"), 1);
    drop((client, sending));
    network.run_until(4 * SECOND).await;
    assert!(reserved(&network, "r2").is_empty());
}

#[tokio::test]
async fn what_the_world_does_is_heard_at_its_time() {
    let mut before = None;
    for _ in 0..2 {
        let network = Network::new(two_ways().build().expect("a world"));
        let heard = viewer(&network, "home").await;
        let (_client, _sending) = camera(&network, 2e6).await;
        network.run_until(SECOND).await;
        network.look(|world| world.link_down("r1-r2")).expect("a link");
        network.run_until(10 * SECOND).await;
        assert_eq!(reserved(&network, "r3"), ["r3-r4"], "local repair, for guests of the world, too");
        network.look(|world| world.crash("home", SECOND)).expect("a node");
        let down = network.client("home").await.expect_err("it is down").to_string();
        assert!(down.contains("home has no daemon: it has crashed"), "{down}");
        network.run_until(20 * SECOND).await;
        let heard = heard.lock().expect("nobody panics").clone();
        assert_eq!(heard.last(), Some(&(10 * SECOND, "the daemon is gone".to_owned())), "{heard:?}");
        network.client("home").await.expect("it is back");
        // The same, at the same microsecond.
        assert_eq!(before.get_or_insert_with(|| heard.clone()), &heard);
    }
}

#[tokio::test]
async fn who_is_refused_hears_by_whom_and_asks_for_less_in_the_same_moment() {
    let network = Network::new(two_ways().build().expect("a world"));
    let heard = viewer(&network, "home").await;
    let (_client, _sending) = camera(&network, 5e6).await;
    network.run_until(SECOND).await;
    let words = heard.lock().expect("nobody panics").clone();
    let refused = words.iter().find(|(_, word)| word.starts_with("refused by ")).expect("a refusal");
    let by = refused.1["refused by ".len()..].parse().expect("an address");
    assert_eq!(network.look(|world| world.topology().node_name(by)), "r2", "{words:?}");
}

#[tokio::test]
async fn who_opens_the_session_of_a_group_is_its_member() {
    let world = two_ways().host("other").link("r4", "other", |l| l).session("music", |s| s.group("music"));
    let network = Network::new(world.build().expect("a world"));
    let group = network.look(|world| world.topology().session(rsvp_sim::scenario::model::SessionId(0)));
    let (home, other) = (network.client("home").await, network.client("other").await);
    let (home, other) = (home.expect("a daemon"), other.expect("a daemon"));
    let mut hears = home.session(group).await.expect("it opens");
    let studio = network.client("studio").await.expect("a daemon");
    let sending = studio.session(group).await.expect("it opens");
    let source = format!("{}:4000", network.address("studio").expect("a node")).parse().expect("a sender");
    sending.announce(Announcement::new(source, Traffic::of(1e6))).await.expect("it is taken");
    let path = network.until(hears.next_event(), SECOND).await.flatten();
    assert!(matches!(path, Some(Event::Path { .. })), "{path:?}");
    assert_eq!(network.look(|world| world.node("other").map(|node| node.paths().len())).expect("a node"), 0);
    let mut late = other.session(group).await.expect("it opens");
    let path = network.until(late.next_event(), 40 * SECOND).await.flatten();
    assert!(matches!(path, Some(Event::Path { .. })), "{path:?}");
    drop(late);
    network.run_until(400 * SECOND).await;
    assert_eq!(network.look(|world| world.node("other").map(|node| node.paths().len())).expect("a node"), 0);
}

/// In IPv6; two applications of one node, of which one watches, and another on a router; and time that is cut otherwise.
#[tokio::test]
async fn applications_of_one_node_and_of_a_router_have_their_own() {
    let network = Network::new(two_ways().family("ipv6").build().expect("a world"));
    let heard = [viewer(&network, "home").await, viewer(&network, "r4").await];
    let other = network.client("home").await.expect("a daemon");
    let mut watch = other.watch().await.expect("it watches");
    let (_client, _sending) = camera(&network, 2e6).await;
    for step in 1..=100 {
        network.run_until(step * SECOND / 100).await;
    }
    let words = |n: usize| -> Vec<String> {
        heard[n].lock().expect("nobody panics").iter().map(|(_, word)| word.clone()).collect()
    };
    // The session of the router has its own address, to which nobody sends.
    assert_eq!((words(0), words(1)), (vec!["path".to_owned(), "resvconfirm".to_owned()], vec![]));
    let mut applications = std::collections::BTreeSet::new();
    while let Some(Some(seen)) = network.until(watch.next(), network.now()).await {
        if let rsvp_client::Watched::Application { application, .. } = seen {
            applications.insert(application);
        }
    }
    assert_eq!(
        applications.len(),
        1,
        "what the other application of the node is told is seen: {applications:?}"
    );
    assert!(network.address("home").expect("a node").is_ipv6());
}

#[tokio::test]
async fn who_is_not_there_is_said_with_the_nearest() {
    let world = two_ways().plain("p").link("r1", "p", |l| l).build().expect("a world");
    let network = Network::new(world);
    let unknown = network.client("hme").await.expect_err("a misspelt node");
    assert!(matches!(&unknown, NetworkError::Unknown(fault) if fault.message.contains("home")), "{unknown}");
    assert!(unknown.to_string().contains("network.rs:"), "{unknown}");
    let plain = network.client("p").await.expect_err("no RSVP").to_string();
    assert_eq!(plain, "p has no daemon: it does not speak RSVP");
    assert!(network.address("studios").expect_err("misspelt").message.contains("studio"));
}

#[test]
fn who_asks_outside_of_a_runtime_is_told_so() {
    let network = Network::new(two_ways().build().expect("a world"));
    let asked = network.client("home");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let said = runtime.block_on(asked).expect_err("nothing runs there");
    assert!(matches!(said, NetworkError::Runtime { .. }), "{said}");
    assert!(said.to_string().contains("a tokio runtime of one thread, and this is none"), "{said}");
    runtime.block_on(async { drop(network.client("home").await.expect("here it does")) });
}
