//! How the program is attached, and that nothing is left of it.

use super::super::eventually;
use super::frame::{Frame, UDP};
use super::{Bench, SMALL, WAYS, addresses, attached, in_class, linked};
use aya::programs::{SchedClassifier, TcAttachType};
use rsvpd::data_plane::bpf::{Attach, Capacity, Egress, EgressError, Filter, Hook, Key, Session};
use std::net::UdpSocket;

/// Programs that hang on tcx at the egress of `to-b`.
fn by_tcx() -> usize {
    SchedClassifier::query_tcx("to-b", TcAttachType::Egress).expect("a listing").1.len()
}

#[test]
fn detaching_leaves_nothing() {
    let Some(net) = linked("detaching") else { return };
    let qdiscs = || net.exec("a", &["tc", "qdisc", "show", "dev", "to-b"]);
    let before = qdiscs();
    assert_eq!(net.within("a", by_tcx), 0);
    for (how, hook, drops) in [
        (Attach::Tcx, Hook::Tcx, false),
        (Attach::Tcx, Hook::Tcx, true),
        (Attach::Auto, Hook::Tcx, false),
        (Attach::Clsact, Hook::Clsact, false),
        (Attach::Clsact, Hook::Clsact, true),
    ] {
        let (mut egress, interface) = net.within("a", || {
            let mut egress = Egress::load(SMALL).expect("it is loaded");
            let (interface, got) = egress.attach("to-b", how).expect("it is attached");
            assert_eq!(got, hook);
            assert!(matches!(egress.attach("to-b", how), Err(EgressError::Attached(name)) if name == "to-b"));
            assert_eq!(by_tcx(), usize::from(hook == Hook::Tcx));
            (egress, interface)
        });
        let filters = net.exec("a", &["tc", "filter", "show", "dev", "to-b", "egress"]);
        assert_eq!(filters.contains("rsvp_egress"), hook == Hook::Clsact, "{filters}");
        net.within("a", || {
            if !drops {
                let [from, to, _] = addresses(false);
                let session = Session { destination: to, protocol: UDP, port: 5000 };
                let key = Key { interface, session, filter: Filter::Sender(from, 4000) };
                let id = egress.add_flow(&in_class(1)).expect("a flow");
                egress.set_key(&key, id).expect("a key");
                egress.detach(interface).expect("it was attached");
                assert_eq!(egress.keys().expect("a listing"), [], "keys go with the interface");
                assert!(
                    matches!(egress.detach(interface), Err(EgressError::NotAttached(n)) if n == interface)
                );
                egress.remove_flow(id).expect("flows stay");
            }
            drop(egress);
            // A child that another test has just started may hold the link for a moment, until it runs its program.
            eventually("no program", || (by_tcx() == 0).then_some(()));
        });
        assert_eq!(qdiscs(), before);
    }
}

#[test]
fn what_others_have_at_clsact_stays() {
    let Some(net) = linked("clsact of others") else { return };
    let qdiscs = || net.exec("a", &["tc", "qdisc", "show", "dev", "to-b"]);
    let filters = |side| net.exec("a", &["tc", "filter", "show", "dev", "to-b", side]);
    let attach_and = |what: &dyn Fn()| {
        let egress = net.within("a", || {
            let mut egress = Egress::load(SMALL).expect("it is loaded");
            egress.attach("to-b", Attach::Clsact).expect("it is attached");
            egress
        });
        what();
        net.within("a", || drop(egress));
    };
    // Filters that came after ours, on either side.
    for side in ["ingress", "egress"] {
        attach_and(&|| {
            let filter = ["tc", "filter", "add", "dev", "to-b", side, "protocol", "ip", "prio", "7", "u32"];
            net.exec("a", &[&filter[..], &["match", "u32", "0", "0", "flowid", "1:1"]].concat());
        });
        assert!(
            qdiscs().contains("clsact") && filters(side).contains("u32"),
            "{} {}",
            qdiscs(),
            filters(side)
        );
        assert!(!filters("egress").contains("rsvp_egress"), "{}", filters("egress"));
        net.exec("a", &["tc", "qdisc", "del", "dev", "to-b", "clsact"]);
    }
    // One that was there before.
    net.exec("a", &["tc", "qdisc", "add", "dev", "to-b", "clsact"]);
    attach_and(&|| {});
    assert!(qdiscs().contains("clsact"), "{}", qdiscs());
}

#[test]
fn an_interface_that_is_gone_or_never_was_is_no_trouble() {
    for how in WAYS {
        let Some(mut net) = linked("an interface that goes") else { return };
        net.host("c");
        net.link("a", "c");
        let (mut egress, interface) = net.within("a", || {
            let mut egress = Egress::load(SMALL).expect("it is loaded");
            let refused = egress.attach("to-nowhere", how).expect_err("there is none").to_string();
            assert!(refused.starts_with("interface to-nowhere: "), "{refused}");
            egress.attach("to-c", how).expect("it is attached");
            let (interface, _) = egress.attach("to-b", how).expect("it is attached");
            (egress, interface)
        });
        net.ip("a", "link del to-b");
        net.ip("a", "link del to-c");
        net.within("a", || {
            egress.detach(interface).expect("nothing is left to do");
            drop(egress);
        });
    }
}

#[test]
fn two_programs_at_one_interface_both_see_a_packet() {
    attached("two programs", |bench| {
        bench.egress.detach(bench.interface).expect("it was attached");
        for how in WAYS {
            let mut both = [Bench::new(how), Bench::new(how)];
            let [_, to, _] = addresses(false);
            let ids = both.each_mut().map(|bench| {
                let key = bench.key(to, UDP, 5000, Filter::Any);
                bench.flow(&in_class(1), &key)
            });
            let socket = UdpSocket::bind("10.0.1.1:4000").expect("a socket");
            socket.send_to(&[0; 72], "10.0.1.2:5000").expect("it is sent");
            for (bench, id) in both.iter().zip(ids) {
                // The packet waits until the hosts know each other.
                let counted = eventually("a packet", || {
                    Some(bench.counted(id).conforming).filter(|counted| counted.packets > 0)
                });
                assert_eq!((counted.packets, counted.octets), (1, 100), "{how:?}");
            }
        }
        bench.egress.attach("to-b", Attach::Auto).expect("it is attached again");
    });
}

#[test]
fn links_without_ethernet_are_read_as_well() {
    let Some(net) = linked("plain IP") else { return };
    net.ip("a", "tuntap add dev plain mode tun");
    net.ip("a", "addr add 10.9.9.1/24 dev plain");
    net.ip("a", "link set plain up");
    net.within("a", || {
        for how in WAYS {
            let mut egress = Egress::load(SMALL).expect("it is loaded");
            let (interface, _) = egress.attach("plain", how).expect("it is attached");
            let mut bench = Bench { egress, interface };
            let to = std::net::Ipv4Addr::new(10, 9, 9, 2).into();
            let key = bench.key(to, UDP, 5000, Filter::Any);
            let id = bench.flow(&in_class(1), &key);
            let socket = UdpSocket::bind("10.9.9.1:0").expect("a socket");
            // Nobody reads what the interface sends: it is counted before it is lost.
            let _ = socket.send_to(&[0; 72], "10.9.9.2:5000");
            let counted = bench.counted(id).conforming;
            assert_eq!((counted.packets, counted.octets), (1, 100), "{how:?}");
        }
    });
}

#[test]
fn without_capabilities_one_line_says_which_are_missing() {
    let Some(net) = linked("without capabilities") else { return };
    let refused = net.within("a", || {
        caps::clear(None, caps::CapSet::Effective).expect("a thread may give up what it has");
        Egress::load(Capacity::default()).err().expect("it is refused").to_string()
    });
    for word in ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"] {
        assert!(refused.contains(word) && !refused.contains('\n'), "{refused}");
    }
}

#[test]
fn ways_to_attach_are_read_as_they_are_written() {
    assert_eq!("auto".parse(), Ok(Attach::Auto));
    assert_eq!("tcx".parse(), Ok(Attach::Tcx));
    assert_eq!("clsact".parse(), Ok(Attach::Clsact));
    let refused = "xdp".parse::<Attach>().expect_err("there is none");
    assert_eq!(refused, "\"xdp\" is not a way to attach: auto, tcx or clsact");
}

#[test]
fn a_frame_of_another_interface_is_not_touched() {
    let Some(net) = linked("another interface") else { return };
    net.within("a", || {
        let mut bench = Bench::new(Attach::Tcx);
        let [from, to, _] = addresses(false);
        let key = bench.key(to, UDP, 5000, Filter::Any);
        bench.flow(&in_class(0x10001), &key);
        let frame = Frame::udp(from, 4000, to, 5000);
        assert_eq!(bench.class_of(&frame), 0x10001);
        bench.interface = 1;
        assert_eq!(bench.class_of(&frame), 0, "loopback has no such flow");
    });
}
