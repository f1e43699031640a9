//! Messages of one neighbour that would cost a router much more than they are: in looks at blocks of state, in messages, or in octets.

use crowd::{Crowd, Shape};
use rsvp_wire::{Class, Flowspec, ResvConfirm, Rspec, Scope, Style};

#[path = "../../tests/crowd.rs"]
mod crowd;

const MANY: u16 = 1_024;

fn crowd(shape: Shape) -> Crowd {
    Crowd::new(shape, |engine| engine.work().states_visited)
}

fn looks(crowd: &mut Crowd, act: impl FnOnce(&mut Crowd)) -> u64 {
    let before = crowd.engine.work().states_visited;
    act(crowd);
    crowd.engine.work().states_visited - before
}

/// FF descriptors of a request, each for as much.
fn put_all(w: &mut rsvp_wire::MessageWriter<'_>, flowspec: Flowspec, senders: impl Iterator<Item = u16>) {
    w.put(&Style::FF);
    for sender in senders {
        w.put(&flowspec).put(&Crowd::sender(sender));
    }
}

#[test]
fn a_wish_for_confirmation_of_a_thousand_senders_is_no_product() {
    let shape = Shape { style: Style::FF, senders: MANY, previous_hops: 1, requests: MANY, filters: MANY };
    let mut crowd = crowd(shape);
    (0..MANY).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
    let address = "10.0.0.9".parse().expect("an address");
    let wish = |crowd: &mut Crowd, rate| {
        crowd.resv_saying(7, |w| {
            w.put(&ResvConfirm { address });
            put_all(w, Crowd::flowspec(rate), 0..MANY);
        });
    };
    let sent = crowd.sent;
    let more = looks(&mut crowd, |crowd| wish(crowd, 1e5));
    let same = looks(&mut crowd, |crowd| wish(crowd, 1e5));
    println!("{more} looks for more, {same} for the same");
    assert!(more.max(same) < 256 * u64::from(MANY));
    assert_eq!(crowd.sent - sent, 2, "the wish goes on with what is more, and then it is confirmed here");
    crowd.resv_err(500.0);
    let barred = looks(&mut crowd, |crowd| wish(crowd, 20.0));
    println!("{barred} looks with blockade state");
    assert!(barred < 256 * u64::from(MANY));
}

/// Each but the last asks for another service in vain, and what it had stays in place until it times out.
#[test]
fn what_changes_of_service_leave_over_is_looked_at_once_for_each_sender() {
    const SENDERS: u16 = 64;
    const REQUESTS: u16 = 256;
    let shape =
        Shape { style: Style::FF, senders: SENDERS, previous_hops: 1, requests: REQUESTS, filters: SENDERS };
    let mut crowd = crowd(shape);
    (0..REQUESTS).for_each(|n| crowd.resv(n, 10.0));
    let guaranteed = |rate| Flowspec::Guaranteed(*Crowd::flowspec(10.0).tspec(), Rspec { rate, slack: 0 });
    let change = |crowd: &mut Crowd, n, rate| {
        crowd.resv_saying(n, |w| put_all(w, guaranteed(rate), 0..SENDERS));
    };
    (0..REQUESTS).for_each(|n| change(&mut crowd, n, 20.0));
    let services = |crowd: &Crowd, service| {
        crowd.engine.requests().filter(|r| r.flows.iter().all(|(_, f)| f.service() == service)).count()
    };
    assert_eq!((services(&crowd, 5), services(&crowd, 2)), (usize::from(REQUESTS) - 1, 1));
    let looks = looks(&mut crowd, |crowd| change(crowd, REQUESTS - 1, 30.0));
    println!("{looks} looks");
    assert!(looks < 8 * u64::from(SENDERS) * u64::from(REQUESTS));
}

#[test]
fn scopes_that_list_nobody_are_no_product() {
    let shape = Shape { style: Style::WF, senders: MANY, previous_hops: 1, requests: MANY, filters: 0 };
    let mut crowd = crowd(shape);
    let octets = [12, 0, 0, 1];
    let ask = |crowd: &mut Crowd, n, rate| {
        crowd.resv_saying(n, |w| {
            w.put(&Scope::Ipv4(&octets)).put(&Style::WF).put(&Crowd::flowspec(rate));
        });
    };
    (0..MANY).for_each(|n| ask(&mut crowd, n, 10.0));
    assert_eq!(crowd.engine.requests().count(), usize::from(MANY));
    let looks = looks(&mut crowd, |crowd| ask(crowd, 1, 20.0));
    println!("{looks} looks");
    assert!(looks < 48 * u64::from(MANY));
}

/// Each flow descriptor is refused by itself (RFC 2205 section 3.1.8); what the message carries beside them would go into every error.
#[test]
fn errors_of_a_thousand_descriptors_are_not_many_times_what_came() {
    let shape = Shape { style: Style::FF, senders: 20, previous_hops: 1, requests: 1, filters: 20 };
    let mut crowd = crowd(shape);
    let scope: Vec<u8> = (0..2_000).flat_map(|n: u32| (0x0c00_0001 + n).to_be_bytes()).collect();
    let carried = [&[0x0f, 0xf0, Class(0xf0).0, 1][..], &[7; 0x0fec]].concat();
    let (sent, before) = (crowd.sent, crowd.octets_sent);
    let came = crowd.resv_saying(1, |w| {
        w.put(&Scope::Ipv4(&scope)).copy(&carried);
        put_all(w, Crowd::flowspec(10.0), 100..1_050);
    });
    let (sent, octets) = (crowd.sent - sent, crowd.octets_sent - before);
    println!("{came} octets came, {octets} octets left in {sent} messages");
    assert_eq!(sent, 950, "each is told of");
    assert!(octets < 4 * came);
}

#[test]
fn errors_go_on_to_a_thousand_next_hops_at_once_and_not_again_and_again() {
    for style in [Style::WF, Style::SE, Style::FF] {
        let shape = Shape { style, senders: 20, previous_hops: 1, requests: MANY, filters: 20 };
        let mut crowd = crowd(shape);
        (0..MANY).for_each(|n| crowd.resv(n, 10.0));
        let told = |crowd: &mut Crowd| {
            let before = crowd.sent;
            crowd.resv_err(10.0);
            crowd.sent - before
        };
        let first = told(&mut crowd);
        assert!((1_024..=1_025).contains(&first), "{first}: all of them, and what is asked for upstream");
        let more: u64 = (0..10).map(|_| told(&mut crowd)).sum();
        assert!(more <= 1_024 + 2 * 11, "{more}");
    }
}
