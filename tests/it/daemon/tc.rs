//! The kernel's traffic control: what is asked for stands, as an independent program lists it, too.

use super::eventually;
use super::net::Net;
use super::plane::seen::{amount, seen};
use rsvpd::data_plane::tc::{Batch, Handle, HtbClass, Queue, Refusal, Tc};
use rsvpd::data_plane::tree::{FlowClass, LeftClass, Link, Service, Tree};
use std::collections::BTreeMap;
use std::net::UdpSocket;

const ROOT: Handle = Handle::new(1, 0);

fn class(rate: u64) -> HtbClass {
    HtbClass {
        rate,
        ceil: 2 * rate,
        burst: 3_000,
        cburst: 1_600,
        priority: 2,
        quantum: 1_500,
        min_policed: 0,
        overhead: 0,
    }
}

/// An HTB with a default class, which is all that other tests need to begin with.
fn with_root(interface: u32, overhead: i16) -> Batch {
    let mut batch = Batch::new();
    batch.add_qdisc(interface, Handle::ROOT, ROOT, Queue::Htb { default: 0x10 }, overhead);
    batch.add_class(interface, ROOT, Handle::new(1, 0x10), &class(1_250_000));
    batch
}

/// A node with a link, and its interface's number.
fn linked(test: &str) -> Option<(Net, u32)> {
    let mut net = Net::new(test)?;
    net.host("a");
    net.host("b");
    net.link("a", "b");
    let interface = net.index("a", "to-b");
    Some((net, interface))
}

#[test]
fn classes_are_added_changed_in_place_and_removed() {
    let Some((net, interface)) = linked("traffic control") else { return };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let mut batch = with_root(interface, 0);
        let flow = Handle::new(1, 0x20);
        batch.add_class(interface, ROOT, flow, &class(125_000));
        batch.add_qdisc(interface, flow, Handle::new(0x20, 0), Queue::Bfifo { limit: 30_000 }, 0);
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let found = tc.classes(interface).expect("a listing");
        let rates: Vec<(Handle, Option<HtbClass>)> = found.iter().map(|c| (c.handle, c.htb)).collect();
        assert!(rates.contains(&(flow, Some(class(125_000)))), "{rates:?}");
        assert!(rates.contains(&(Handle::new(1, 0x10), Some(class(1_250_000)))), "{rates:?}");
        let queues = tc.qdiscs(interface).expect("a listing");
        let leaf = queues.iter().find(|q| q.parent == flow).expect("a leaf");
        assert_eq!((leaf.kind.as_str(), leaf.handle), ("bfifo", Handle::new(0x20, 0)));

        let mut batch = Batch::new();
        let changed = HtbClass { min_policed: 64, overhead: 38, ..class(250_000) };
        batch.change_class(interface, ROOT, flow, &changed);
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let found = tc.classes(interface).expect("a listing");
        assert_eq!(found.iter().find(|c| c.handle == flow).and_then(|c| c.htb), Some(changed));
    });
    // What `tc` shows, in bits per second.
    let shown = net.exec("a", &["tc", "class", "show", "dev", "to-b"]);
    assert!(
        shown.contains("class htb 1:20") && shown.contains("rate 2Mbit overhead 38 ceil 4Mbit"),
        "{shown}"
    );
    assert!(shown.contains("rate 10Mbit ceil 20Mbit"), "{shown}");
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let mut batch = Batch::new();
        batch.remove_class(interface, ROOT, Handle::new(1, 0x20));
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        assert_eq!(tc.classes(interface).expect("a listing").len(), 1);
        let mut batch = Batch::new();
        batch.remove_qdisc(interface, Handle::ROOT, ROOT);
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        assert_eq!(tc.classes(interface).expect("a listing"), []);
    });
}

#[test]
fn each_refusal_names_its_request_and_the_rest_is_carried_out() {
    let Some((net, interface)) = linked("refusals of traffic control") else { return };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let mut batch = with_root(interface, 0);
        batch.add_class(interface, ROOT, Handle::new(1, 0x10), &class(1_000));
        batch.remove_class(interface, ROOT, Handle::new(1, 0x99));
        batch.add_class(interface, Handle::new(7, 0), Handle::new(7, 1), &class(1_000));
        batch.add_class(interface, ROOT, Handle::new(1, 0x30), &class(1_000));
        let refused = tc.apply(&batch).expect("an answer");
        let numbers: Vec<(usize, i32)> = refused.iter().map(|r| (r.request, r.errno)).collect();
        assert_eq!(numbers[..2], [(2, nix::libc::EEXIST), (3, nix::libc::ENOENT)], "{refused:?}");
        assert_eq!(numbers[2].0, 4, "{refused:?}");
        assert_eq!(numbers.len(), 3, "{refused:?}");
        assert!(tc.classes(interface).expect("a listing").iter().any(|c| c.handle == Handle::new(1, 0x30)));

        let mut batch = Batch::new();
        batch.add_qdisc(interface, Handle::ROOT, ROOT, Queue::Htb { default: 1 }, 0);
        batch.add_qdisc(interface + 1_000, Handle::ROOT, ROOT, Queue::Htb { default: 1 }, 0);
        let refused = tc.apply(&batch).expect("an answer");
        let [Refusal { message: Some(words), .. }, missing] = &*refused else { panic!("{refused:?}") };
        assert!(words.contains("Exclusivity flag"), "the kernel's own words: {words}");
        assert_eq!(missing.errno, nix::libc::ENODEV);
        assert!(refused[0].to_string().starts_with("File exists"), "{}", refused[0]);
    });
}

#[test]
fn a_thousand_classes_go_in_one_batch() {
    let Some((net, interface)) = linked("a thousand classes") else { return };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let mut batch = with_root(interface, 0);
        for minor in 0x100..0x100 + 1_000 {
            batch.add_class(interface, ROOT, Handle::new(1, minor), &class(1_000 + u64::from(minor)));
            batch.add_qdisc(
                interface,
                Handle::new(1, minor),
                Handle::new(minor, 0),
                Queue::Pfifo { limit: 9 },
                0,
            );
        }
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let mut found = tc.classes(interface).expect("a listing");
        found.sort_by_key(|c| c.handle);
        let rates: Vec<u64> = found.iter().skip(1).filter_map(|c| c.htb).map(|c| c.rate).collect();
        let expected: Vec<u64> = (0x100..0x100 + 1_000).map(|minor| 1_000 + minor).collect();
        assert_eq!(rates, expected);
        let leaves = tc.qdiscs(interface).expect("a listing");
        assert_eq!(leaves.iter().filter(|q| q.kind == "pfifo").count(), 1_000);

        let mut batch = Batch::new();
        for minor in 0x100..0x100 + 1_001 {
            batch.remove_class(interface, ROOT, Handle::new(1, minor));
        }
        let refused = tc.apply(&batch).expect("an answer");
        assert_eq!(refused.iter().map(|r| r.request).collect::<Vec<_>>(), [1_000], "there is one less");
        assert_eq!(tc.classes(interface).expect("a listing").len(), 1);
    });
}

/// RFC 2210 and 2211 count IP octets; a frame has 14 more.
#[test]
fn with_a_size_table_a_packet_counts_as_its_ip_octets() {
    let Some((net, interface)) = linked("what packets count as") else { return };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        assert_eq!(tc.apply(&with_root(interface, -14)).expect("an answer"), []);
        let socket = UdpSocket::bind("10.0.1.1:4000").expect("a socket");
        let mut count = || {
            let all = tc.classes(interface).expect("a listing");
            all.iter().find(|c| c.handle == Handle::new(1, 0x10)).expect("the default class").counters
        };
        // The kernel's own messages, address resolution first of all, use the link and the class, too: a round without.
        let counted: Vec<(u64, u64)> = (0..20)
            .map(|_| {
                let before = count();
                for _ in 0..10 {
                    socket.send_to(&[0; 72], "10.0.1.2:5000").expect("room");
                }
                // What a busy kernel has in hand yet is counted when it leaves.
                let after = eventually("ten packets leave", || {
                    Some(count()).filter(|after| after.packets >= before.packets + 10)
                });
                (after.octets - before.octets, after.packets - before.packets)
            })
            .collect();
        assert!(counted.contains(&(1_000, 10)), "ten packets of 100 octets: {counted:?}");
    });
}

/// What packets have on the link beside IP a class adds to that.
#[test]
fn a_class_adds_what_packets_have_on_the_link() {
    let took = [0, 100].map(|overhead| {
        let (mut net, interface) = linked("what a class adds")?;
        let capture = net.capture_many("b", "to-a", "udp");
        net.within("a", || {
            let mut batch = Batch::new();
            batch.add_qdisc(interface, Handle::ROOT, ROOT, Queue::Htb { default: 0x10 }, -14);
            let slow = HtbClass { ceil: 50_000, overhead, ..class(50_000) };
            batch.add_class(interface, ROOT, Handle::new(1, 0x10), &slow);
            let mut tc = Tc::open().expect("a socket");
            assert_eq!(tc.apply(&batch).expect("an answer"), []);
            let socket = UdpSocket::bind("10.0.1.1:4000").expect("a socket");
            for _ in 0..500 {
                socket.send_to(&[0; 72], "10.0.1.2:5000").expect("room");
            }
        });
        let all = eventually("all of them", || Some(seen(&capture, 4000)).filter(|all| all.len() == 500));
        Some(amount(&all[100..]).1)
    });
    let [Some(alone), Some(with_headers)] = took else { return };
    assert!((0.75..0.85).contains(&alone), "399 packets of 100 octets: {alone} s");
    assert!((1.9..2.1).contains(&(with_headers / alone)), "{with_headers} s to {alone}");
}

/// The same numbers in the same order, for a test that draws what it does.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn a_tree_stands_in_the_kernel_as_it_says_it_should() {
    let Some((net, interface)) = linked("the tree of an interface") else { return };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let link = Link { rate: 125_000_000, mtu: 1_500, header: 14, overhead: 24 };
        let (mut tree, batch) = Tree::new(interface, link);
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let mut drawn = Drawn(1);
        let mut shared = (0, 0);
        for round in 0..600 {
            let flow = drawn.below(40) as u32;
            let batch = match drawn.below(4) {
                0 => tree.remove(flow).unwrap_or_default(),
                1 => {
                    shared = (drawn.below(10_000_000), drawn.below(100_000) as u32);
                    tree.controlled_load(shared.0, shared.1)
                }
                _ => {
                    let class = FlowClass {
                        guaranteed: drawn.below(2) == 0,
                        promised: drawn.below(4) != 0,
                        rate: 1 + drawn.below(2_000_000),
                        peak: Some(2_000_000 + drawn.below(2_000_000)).filter(|_| drawn.below(3) == 0),
                        bucket: drawn.below(60_000) as u32,
                        max_packet: 1_500,
                        min_policed: drawn.below(2) as u16 * 64,
                        overhead: drawn.below(2) as u16 * 24,
                        queue: None,
                        weight: None,
                    };
                    let (handle, batch) = tree.set(flow, class).expect("there is room");
                    assert_eq!(tree.class_of(flow), Some(handle));
                    batch
                }
            };
            assert_eq!(tc.apply(&batch).expect("an answer"), [], "round {round}");
            if round % 20 == 0 {
                assert_eq!(stands(&mut tc, interface), listed(&tree), "round {round}");
            }
        }
        assert_eq!(stands(&mut tc, interface), listed(&tree));
        assert!(listed(&tree).contains_key(&Service::BestEffort.class()));
        found_again(&mut tc, interface, link, shared);
    });
}

/// The kernel has carried out all of a change, or nothing, when it refuses: either way the class is as before, and the next change counts.
#[test]
fn a_change_that_is_refused_leaves_a_class_as_it_was() {
    let Some((net, interface)) = linked("a change that is refused") else { return };
    let class = |rate| FlowClass {
        guaranteed: false,
        promised: false,
        rate,
        peak: None,
        bucket: 3_000,
        max_packet: 1_500,
        min_policed: 0,
        overhead: 0,
        queue: Some(rate as u32),
        weight: None,
    };
    net.within("a", || {
        let mut tc = Tc::open().expect("a socket");
        let link = Link { rate: 125_000_000, mtu: 1_500, header: 14, overhead: 24 };
        let (mut tree, batch) = Tree::new(interface, link);
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let (handle, batch) = tree.set(7, class(50_000)).expect("there is room");
        assert_eq!(tc.apply(&batch).expect("an answer"), []);
        let queue = |tc: &mut Tc| {
            let all = tc.qdiscs(interface).expect("a listing");
            all.into_iter().find(|queue| queue.parent == handle).expect("a queue").options
        };
        let (before, queue_before) = (stands(&mut tc, interface), queue(&mut tc));
        for is_carried_out in [false, true] {
            let standing = tree.standing(7).expect("it has a class");
            assert_eq!(standing, class(50_000));
            let (_, change) = tree.set(7, class(900_000)).expect("there is room");
            if is_carried_out {
                assert_eq!(tc.apply(&change).expect("an answer"), []);
                assert_ne!(stands(&mut tc, interface), before);
            }
            let back = tree.put_back(7, standing);
            assert_eq!(tc.apply(&back).expect("an answer"), []);
            assert_eq!((stands(&mut tc, interface), queue(&mut tc)), (before.clone(), queue_before.clone()));
            assert_eq!((stands(&mut tc, interface), tree.rate_of(7)), (listed(&tree), Some(50_000)));
        }
        let (_, change) = tree.set(7, class(900_000)).expect("there is room");
        assert_eq!(tc.apply(&change).expect("an answer"), []);
        assert_eq!(stands(&mut tc, interface), listed(&tree));
        assert_ne!(stands(&mut tc, interface), before);
    });
}

/// A tree that another run has left is gone on with: nothing changes, flows keep their classes, others get free ones.
fn found_again(tc: &mut Tc, interface: u32, link: Link, shared: (u64, u32)) {
    let before = stands(tc, interface);
    let own = before.iter().filter(|(handle, _)| Tree::is_own(**handle));
    let listed = tc.qdiscs(interface).expect("a listing");
    let class = |htb: &HtbClass| FlowClass {
        guaranteed: htb.priority == 1,
        promised: htb.rate == htb.ceil,
        rate: htb.ceil,
        peak: None,
        bucket: htb.cburst + 1_500,
        max_packet: 1_500,
        min_policed: htb.min_policed,
        overhead: htb.overhead,
        queue: None,
        weight: None,
    };
    let left =
        own.zip(100..).map(|((handle, htb), flow)| LeftClass { flow, handle: *handle, class: class(htb) });
    let left: Vec<LeftClass> = left.collect();
    assert!(left.len() > 5, "{left:?}");
    let queues = listed.iter().map(|qdisc| qdisc.handle).collect();
    assert!(Tree::is_whole(&before.keys().copied().collect(), &queues));
    assert!(!Tree::is_whole(&left.iter().map(|left| left.handle).collect(), &queues));
    let (mut tree, batch) = Tree::resumed(interface, link, shared, &left);
    assert_eq!(tc.apply(&batch).expect("an answer"), []);
    assert_eq!(stands(tc, interface), before);
    let (handle, batch) = tree.set(left[0].flow, left[0].class).expect("there is room");
    assert_eq!((handle, tc.apply(&batch).expect("an answer")), (left[0].handle, vec![]));
    let (handle, batch) = tree.set(1, left[0].class).expect("there is room");
    assert!(!before.contains_key(&handle), "{handle} is another flow's");
    assert_eq!(tc.apply(&batch).expect("an answer"), []);
    assert_eq!(stands(tc, interface).len(), before.len() + 1);
}

fn listed(tree: &Tree) -> BTreeMap<Handle, HtbClass> {
    tree.classes().into_iter().map(|(handle, class)| (handle, class.listed())).collect()
}

fn stands(tc: &mut Tc, interface: u32) -> BTreeMap<Handle, HtbClass> {
    let all = tc.classes(interface).expect("a listing");
    all.into_iter().filter_map(|class| Some((class.handle, class.htb?))).collect()
}
