//! The simulator and a lab tell the same story: on every link and in each direction the same messages in the same order,
//! from and to the same addresses, equal in all objects but for what time makes different, and handles.

use crate::lab::{alone, root, settings, shipped};
use rsvp_sim::lab::{Settings, run};
use rsvp_sim::scenario::model::{Family, Scenario};
use rsvp_sim::world::{Record, Sent};
use rsvp_sim::{Look, Report, World};
use rsvp_wire::{Class, Message, Object, TimeValues};
use std::collections::BTreeMap;
use std::time::Duration;

/// Slow enough for what is caused by one action to be over before the next.
const SPEED: f64 = 2.0;
/// Between the starts of senders that the scenario starts at once, which no two hosts do.
const APART: Duration = Duration::from_millis(400);

/// What a message says, time aside: addresses, TTL and Router Alert, type and Send_TTL, and its objects in order.
type Content = (String, Vec<(u8, u8, Vec<u8>)>);

fn content(sent: &Sent) -> Content {
    let header =
        format!("{} > {} ttl {} alert {}", sent.source, sent.destination, sent.ttl, sent.router_alert);
    let message = Message::parse(&sent.octets).expect("a message");
    let objects = message.objects().filter(|object| object.class != TimeValues::CLASS).map(|object| {
        let mut body = object.body().to_vec();
        if object.class == Class::ADSPEC {
            forget_latency(&mut body);
        }
        // A daemon's handles are secret and new at each start; the simulator's are numbers of interfaces.
        if object.class == Class::RSVP_HOP {
            let address = body.len() - 4;
            body[address..].fill(0);
        }
        (object.class.0, object.ctype.0, body)
    });
    (format!("{header} {} send_ttl {}", message.msg_type(), message.send_ttl()), objects.collect())
}

/// Clears the values of parameter 8, minimum path latency (RFC 2210 section 3.3, RFC 2215 section 3.4): after the message
/// header come services, each a header and parameters, and all count their length in words.
fn forget_latency(adspec: &mut [u8]) {
    const HEADER: usize = 4;
    const MINIMUM_PATH_LATENCY: u8 = 8;
    let words = |octets: &[u8], at: usize| usize::from(u16::from_be_bytes([octets[at + 2], octets[at + 3]]));
    let mut service = HEADER;
    while service < adspec.len() {
        let end = service + HEADER + 4 * words(adspec, service);
        let mut parameter = service + HEADER;
        while parameter < end {
            let next = parameter + HEADER + 4 * words(adspec, parameter);
            if adspec[parameter] == MINIMUM_PATH_LATENCY {
                adspec[parameter + HEADER..next].fill(0);
            }
            parameter = next;
        }
        service = end;
    }
}

/// The same without a wish for confirmation.
fn without_wish((header, objects): &Content) -> Content {
    let others = objects.iter().filter(|(class, ..)| *class != Class::RESV_CONFIRM.0);
    (header.clone(), others.cloned().collect())
}

/// Per link and direction, what was said, without refreshes that say what was said before.
fn story(scenario: &Scenario, record: &Record) -> BTreeMap<(String, String), Vec<Content>> {
    let mut story: BTreeMap<(String, String), Vec<Content>> = BTreeMap::new();
    let mut last: BTreeMap<(usize, usize, String), Content> = BTreeMap::new();
    for sent in &record.sent {
        let from = scenario.nodes[sent.from.0].name.clone();
        let link = scenario.links[sent.link.0].name.clone();
        let content = content(sent);
        let word = |name: &str| sent.facts.word_of(name).to_owned();
        let stream = [word("type"), word("to"), word("session"), word("sender")].join(" ");
        let before = last.insert((sent.from.0, sent.link.0, stream), content.clone());
        // A daemon sends what is new again early; a wish for confirmation goes once.
        let says_less = before.as_ref().is_some_and(|before| without_wish(before) == content);
        if before.as_ref() != Some(&content) && !says_less {
            story.entry((link, from)).or_default().push(content);
        }
    }
    story
}

fn check(name: &str, family: Family, until: Duration) {
    if !root() {
        return;
    }
    let mut scenario = shipped(name, family);
    scenario.duration = until;
    // Judged elsewhere, at times that are cut off here.
    scenario.expectations.clear();
    for (sender, n) in scenario.senders.iter_mut().zip(0..) {
        sender.start = APART * n;
    }
    for (receiver, n) in scenario.receivers.iter_mut().zip(0..) {
        receiver.reserve_at = receiver.reserve_at.map(|at| at + APART * 3 + APART * n);
    }
    let _turn = alone();
    let settings = Settings { speed: Some(SPEED), ..settings() };
    let outcome = run(scenario.clone(), &settings).expect("the lab comes to its end");
    let (scenario, record) = World::new(scenario).run();
    let (simulated, real) = (story(&scenario, &record), story(&scenario, &outcome.record));
    assert!(!simulated.is_empty());
    assert_eq!(
        simulated,
        real,
        "{}\n{}",
        Report::new(&scenario, &record).text(Look::default()),
        Report::new(&scenario, &outcome.record).text(Look::default())
    );
}

#[test]
fn three_routers_say_the_same_in_both() {
    check("three-routers", Family::Ipv4, Duration::from_secs(5));
}

#[test]
fn three_routers_say_the_same_in_both_in_ipv6() {
    check("three-routers", Family::Ipv6, Duration::from_secs(5));
}

/// The kernel of a plain router passes on what the simulator says it does, unicast and multicast.
#[test]
fn plain_routers_say_the_same_in_both() {
    check("plain-routers", Family::Ipv4, Duration::from_secs(8));
}

#[test]
fn plain_routers_say_the_same_in_both_in_ipv6() {
    check("plain-routers", Family::Ipv6, Duration::from_secs(8));
}

#[test]
fn figure_6_says_the_same_in_both() {
    check("figure-6-ff", Family::Ipv4, Duration::from_secs(8));
}
