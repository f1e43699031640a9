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

/// More than there is, of senders that announce it.
const TOO_MUCH: f32 = 1e12;

#[test]
fn a_resv_that_is_refused_is_no_product() {
    for style in [Style::WF, Style::SE, Style::FF] {
        let shape = Shape { style, senders: MANY, previous_hops: 1, requests: MANY, filters: MANY };
        let mut crowd = crowd(shape);
        crowd.reserve_at_most(1 << 40);
        (0..MANY).for_each(|n| crowd.path(n, TOO_MUCH));
        (0..MANY).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
        let before: Vec<_> = crowd.engine.requests().map(|r| r.flows).collect();
        let looks = looks(&mut crowd, |crowd| crowd.resv_in_vain(7, TOO_MUCH));
        println!("{looks} looks");
        assert!(looks < 128 * u64::from(MANY));
        assert!(crowd.engine.requests().map(|r| r.flows).eq(before), "all is as it was");
    }
}

/// What was harmless while senders announced little, and stands in the way of less when they announce more.
#[test]
fn what_stands_in_the_way_is_cut_down_in_pieces() {
    const SENDERS: u16 = 64;
    const REQUESTS: u16 = 256;
    for style in [Style::SE, Style::FF] {
        let shape = Shape { style, senders: SENDERS, previous_hops: 1, requests: REQUESTS, filters: SENDERS };
        let mut crowd = crowd(shape);
        (0..SENDERS).for_each(|n| crowd.path(n, 100.0));
        (0..REQUESTS).for_each(|n| crowd.resv(n, 1e4));
        let reserved: u64 = crowd.engine.reservations().map(|(_, _, r)| r.charge_bps).sum();
        crowd.reserve_at_most(reserved + 1_000);
        (0..SENDERS).for_each(|n| crowd.path(n, 1e6));
        let asked = |crowd: &Crowd, n: u16| {
            let requests: Vec<_> =
                crowd.engine.requests().filter(|r| r.flows[0].1.tspec().rate < 1e4).collect();
            (
                requests.len(),
                requests.iter().any(|r| r.flows.iter().all(|(_, f)| f.tspec().rate == f32::from(n))),
            )
        };
        assert_eq!(asked(&crowd, 0).0, 0);
        let own = if style == Style::SE { 6_410 } else { 101 };
        let mut tries = 0;
        while !asked(&crowd, own).1 {
            let looks = looks(&mut crowd, |crowd| crowd.resv_in_vain(7, f32::from(own)));
            println!("{looks} looks");
            assert!(looks < 128 * u64::from(REQUESTS + SENDERS));
            tries += 1;
            assert!(tries < 8, "each time so many more are cut down");
        }
        assert!(tries > 2, "not all at once");
    }
}

#[test]
fn what_is_kept_merged_is_charged_to_those_who_ask() {
    for (style, filters) in [(Style::SE, 64), (Style::FF, 64), (Style::FF, 1), (Style::WF, 0)] {
        let shape = Shape { style, senders: 64, previous_hops: 1, requests: MANY, filters };
        let mut crowd = crowd(shape);
        let taken = |crowd: &Crowd| {
            let charged: u64 = crowd.engine.neighbours().map(|neighbour| neighbour.octets).sum();
            [charged, crowd.engine.octets()]
        };
        let before = taken(&crowd);
        (0..MANY).for_each(|n| crowd.resv(n, 10.0 + f32::from(n)));
        let after = taken(&crowd);
        let [charged, taken] = [0, 1].map(|at| after[at] - before[at]);
        println!("{charged} octets are charged, {taken} taken");
        assert!(charged > taken);
    }
}

/// What a message carries goes on in the errors of a few of its descriptors, whatever is wrong with them.
#[test]
fn errors_of_descriptors_that_cannot_be_read_are_not_many_times_what_came() {
    let shape = Shape { style: Style::FF, senders: 20, previous_hops: 1, requests: 1, filters: 20 };
    let mut crowd = crowd(shape);
    let carried = [&[0x0f, 0xf0, Class(0xf0).0, 1][..], &[7; 0x0fec]].concat();
    let (sent, before) = (crowd.sent, crowd.octets_sent);
    let illegal = Crowd::flowspec(-1.0);
    let came = crowd.resv_saying(1, |w| {
        w.copy(&carried);
        put_all(w, illegal, 0..950);
    });
    let (sent, octets) = (crowd.sent - sent, crowd.octets_sent - before);
    println!("{came} octets came, {octets} octets left in {sent} messages");
    assert_eq!(sent, 950, "each is told of");
    assert!(octets < 4 * came);
}
