//! Path messages: RFC 2205 sections 2.1, 3.1.3, 3.3, 3.6, 3.9 and 3.10.

use super::bench::Bench;
use super::message::{neighbour_lih, object, written};
use super::words::{controlled, interface, tspec};
use core::time::Duration;
use rsvp_node::{Discard, FlowKey, Input, Output, RouteAnswer, RouteQuery};
use rsvp_wire::{ErrorSpec, FilterSpec, RsvpHop, SenderTspec, Session};

/// RFC 2205 sections 3.1.3, 3.3 and 3.8.
#[test]
fn a_new_path_is_forwarded_at_once_with_this_nodes_hop_and_one_ttl_less() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        let sent = b.sent.clone();
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
        for message in &sent {
            let letter = if message.interface == interface("c") { "c" } else { "d" };
            let own = b.interface(letter).expect("it exists");
            assert_ne!(own.lih, own.id.0, "the handle is not the number of the interface");
            assert_eq!(message.ttl, 59);
            let address = b.family.named(&format!("{letter}0"));
            assert_eq!(message.get::<RsvpHop>(), RsvpHop { address, lih: own.lih });
        }
    }
}

/// RFC 2205 section 3.3: state received through an interface is not forwarded out of the same.
#[test]
fn a_path_never_leaves_through_the_interface_it_arrived_on() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "acd");
        b.hears("a1 Path S1{9B}").sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
    }
}

/// RFC 2205 section 3.1.3: a Path travels like the data, whose TTL ends it.
#[test]
fn a_path_whose_ttl_is_used_up_makes_state_but_is_not_forwarded() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").ttl(1)).is_silent();
        assert_eq!(b.engine.senders().count(), 1);
        b.takes(&b.message("a1 Path S1{9B}").ttl(2));
        assert!(b.sent.iter().all(|s| s.ttl == 1) && b.sent.len() == 2);
    }
}

/// RFC 2205 section 2.3: only a modification of state to be forwarded is forwarded at once.
#[test]
fn an_unchanged_refresh_is_not_forwarded_and_a_changed_tspec_is_at_once() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        b.hears("a1 Path S1{9B}").is_silent();
        b.takes(&b.message("a1 Path S1{9B}").every(40)).is_silent();
        b.hears("a1 Path S1{8B}").sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
    }
}

/// RFC 2205 section 3.10, rules 1.2 and 1.3: 11xxxxxx is kept and forwarded, also when it changes.
#[test]
fn objects_of_unknown_class_are_forwarded_with_the_path_and_in_every_refresh() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").object(0xc8, 3, &[1, 2, 3, 4]).object(0x88, 1, &[0; 4]));
        for message in b.sent.drain(..) {
            assert_eq!(message.objects(0xc8), [object(0xc8, 3, &[1, 2, 3, 4])]);
            assert!(message.objects(0x88).is_empty(), "10xxxxxx is not forwarded");
        }
        b.seconds(45.0);
        assert!(b.sent.len() >= 2);
        assert!(b.sent.drain(..).all(|s| s.objects(0xc8) == [object(0xc8, 3, &[1, 2, 3, 4])]));
        b.takes(&b.message("a1 Path S1{9B}").object(0xc8, 3, &[9; 4]));
        assert_eq!(b.sent.len(), 2, "a changed object is forwarded at once");
        assert!(b.sent.drain(..).all(|s| s.objects(0xc8) == [object(0xc8, 3, &[9; 4])]));
    }
}

/// RFC 2205 section 3.10 and Appendix B, codes 13 and 14.
#[test]
fn a_path_with_an_object_to_reject_is_answered_with_its_class_and_c_type() {
    for mut b in Bench::both() {
        for (class, code) in [(0x70, 13), (14, 14)] {
            let message = b.message("a1 Path S1{9B}").object(class, 9, &[0; 4]);
            b.drops(&message, Discard::UnknownObject);
            let expected = format!("a>a1 PathErr {code}/{class:02x}09 S1");
            let sent = b.sends_one(&expected);
            assert_eq!(sent.get::<ErrorSpec>().node, b.family.named("a0"));
            assert_eq!(
                sent.get::<SenderTspec>(),
                SenderTspec::from(tspec(9.0)),
                "the sender descriptor is copied"
            );
        }
        let adspec = written(&super::adspec::full());
        b.drops(
            &b.message("a1 Path S1{9B}").last(adspec.clone()).last(object(0x70, 9, &[])),
            Discard::UnknownObject,
        );
        assert_eq!(b.sends_one("a>a1 PathErr 13/7009 S1").objects(13), [adspec], "the ADSPEC, too");
        b.is_empty();
    }
}

/// RFC 2205 Appendix B, code 21, sub-codes 04 and 05.
#[test]
fn a_bad_tspec_or_adspec_value_is_answered() {
    for mut b in Bench::both() {
        let bad = b.message("a1 Path S1{9B}").with(|m| m.tspec.iter_mut().for_each(|t| t.0.rate = -1.0));
        b.drops(&bad, Discard::Rejected).sends(&["a>a1 PathErr 21/0004 S1"]);
        let mut adspec = written(&super::adspec::full());
        adspec[24..28].copy_from_slice(&f32::NAN.to_be_bytes());
        let bad = b.message("a1 Path S1{9B}").last(adspec);
        b.drops(&bad, Discard::Rejected).sends(&["a>a1 PathErr 21/0005 S1"]);
        b.is_empty();
    }
}

/// RFC 2205 section 3.11.4: without a route the state is kept, and goes on when there is one.
#[test]
fn a_path_without_a_route_is_kept_and_forwarded_w_after_routing_knows() {
    for answer in [RouteAnswer::NoRoute, RouteAnswer::Pending] {
        for mut b in Bench::both() {
            b.route_answer("S1", answer.clone());
            b.hears("a1 Path S1{9B}").is_silent();
            assert_eq!(b.engine.senders().count(), 1);
            b.route("S1", Some("a"), "c").reroutes().is_silent();
            b.seconds(1.99).is_silent();
            b.seconds(0.02).sends(&["c>G Path S1{9B}"]);
        }
    }
}

/// RFC 2205 section 3.11.4: with nobody downstream there is nothing to forward, but the state is there at once for a
/// receiver on this node, and a PathTear takes it away at once.
#[test]
fn a_path_that_leads_nowhere_is_there_for_a_local_receiver() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "").hears("a1 Path S1{9B}").is_silent();
        b.opens(1).tells(&["1 Path S1{9B}"]).reserves(1, "WF{4B}").sends(&["a>a1 Resv WF{4B}"]);
        b.hears("a1 PathTear S1").sends(&[]).tells(&["1 PathGone S1 Torn"]).releases(1).is_empty();
    }
}

/// RFC 2205 section 3.11.4: or at the next refresh, if routing says nothing.
#[test]
fn a_path_without_a_route_asks_again_at_its_next_refresh() {
    for mut b in Bench::both() {
        b.route_answer("S1", RouteAnswer::NoRoute);
        b.hears("a1 Path S1{9B}").is_silent();
        b.route("S1", Some("a"), "d").hears("a1 Path S1{9B}").sends(&["d>G Path S1{9B}"]);
    }
}

/// RFC 2205 section 3.6: after a change of the outgoing interfaces, wait W and then send Path refreshes for all sessions
/// of the destination; no wait where nothing changed.
#[test]
fn a_route_change_sends_path_on_the_new_interfaces_after_w() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").sends(&["c>U Path S1{9B}"]);
        let other_port = Session::new(b.session.destination(), 17, 7001);
        b.takes(&b.message("a1 Path S1{9B}").with(|m| m.session = other_port)).forget();
        b.reroutes().seconds(5.0).is_silent();
        b.route("S1", None, "d").reroutes().seconds(1.99).is_silent();
        b.seconds(0.02).sends(&["d>U Path S1{9B}", "d>U Path S1{9B}"]);
    }
}

/// RFC 2205 section 3.6: a notification names one destination, and touches no other.
#[test]
fn a_route_change_for_another_destination_changes_nothing() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").forget();
        b.route("S1", None, "d");
        let destination = Some(b.family.named("G"));
        b.input(rsvp_node::Input::RouteChanged { destination });
        b.seconds(5.0).is_silent();
        b.input(rsvp_node::Input::RouteChanged { destination: None });
        b.seconds(2.1).sends(&["d>U Path S1{9B}"]);
    }
}

/// RFC 2205 sections 3.1.3 (unicast) and 3.6: the previous hop flips, and the new one gets a Resv at once.
#[test]
fn a_unicast_previous_hop_flips_and_the_reservation_follows() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        b.hears("b2 Path S1{9B}").sends(&["c>U Path S1{9B}", "b>b2 Resv FF S1{4B}"]);
        assert_eq!(b.engine.senders().count(), 1);
        b.hears("a2 Path S1{9B}").sends(&["c>U Path S1{9B}", "a>a2 Resv FF S1{4B}"]);
        b.hears("c1 ResvTear FF S1").sends(&["a>a2 ResvTear FF S1{4B}"]);
    }
}

/// The handles in what leaves through a when a message arrives. The audit of the bench knows one handle for each
/// neighbour only, so it is gone around here.
fn handles_on_a(b: &mut Bench, message: &super::message::Arriving) -> Vec<u32> {
    let octets = message.octets();
    let now = b.now;
    let (engine, routes) = b.without_journal();
    let outcome = engine.handle(now, Input::Packet(message.rx(&octets)), routes);
    assert_eq!(outcome, rsvp_node::Outcome::Taken);
    let (mut handles, mut buffer) = (Vec::new(), [0; 2000]);
    loop {
        match b.engine.poll(b.now, &mut buffer) {
            Output::Transmit(t) if t.interface == interface("a") => {
                let message = rsvp_wire::Message::parse(t.octets).expect("sound");
                handles.push(message.get::<RsvpHop>().expect("a hop").expect("sound").lih);
            }
            Output::Idle { .. } => return handles,
            _ => {}
        }
    }
}

/// RFC 2205 section 3.3: the handle of the previous hop is opaque and returned; a changed one is a new hop.
#[test]
fn the_previous_hops_handle_is_returned_when_it_changes() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        assert_ne!(neighbour_lih(interface("a"), 1), 77);
        let path = b.message("a1 Path S1{9B}").lih(77);
        assert_eq!(handles_on_a(&mut b, &path), [77]);
    }
}

/// RFC 2205 Appendix A.2: a previous hop without logical interfaces says zero, and gets zero back.
#[test]
fn a_handle_of_zero_is_taken_and_returned() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").lih(0)).sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
        let resv = b.message("c1 Resv WF{4B}");
        assert_eq!(handles_on_a(&mut b, &resv), [0]);
    }
}

/// RFC 2205 sections 3.1.3 (multicast) and 3.9: what arrives elsewhere than routing says is kept for local
/// applications, and forwarded once routing expects it there.
#[test]
fn a_multicast_path_on_the_wrong_interface_is_local_only_until_routing_changes() {
    for mut b in Bench::both() {
        b.hears("b1 Path S1{9B}").is_silent();
        let local_only = |b: &Bench| b.engine.senders().map(|s| s.local_only).collect::<Vec<_>>();
        assert_eq!(local_only(&b), [true]);
        b.hears("a1 Path S1{9B}").sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
        assert_eq!(b.engine.senders().count(), 2, "path state is kept for each incoming interface");
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}"]);
        b.route("S1", Some("b"), "cd").reroutes().forget().seconds(2.1);
        let forwarded = b.engine.senders().find(|s| !s.local_only).expect("one is forwarded");
        assert_eq!(forwarded.incoming, Some(interface("b")));
        assert_eq!(b.sent.iter().filter(|s| s.msg_type() == rsvp_wire::MsgType::PATH).count(), 2);
        b.seconds(2.1);
        assert_eq!(b.engine.senders().filter(|s| !s.local_only).count(), 1, "the other is Local_Only now");
    }
}

/// RFC 2205 section 3.9: what an application hears of a sender is what is said where routing expects its data.
#[test]
fn an_application_hears_what_is_said_where_data_is_expected() {
    for mut b in Bench::both() {
        b.opens(1).hears("b1 Path S1{8B}").tells(&["1 Path S1{8B}"]);
        b.hears("a1 Path S1{9B}").tells(&["1 Path S1{9B}"]);
        b.hears("b1 Path S1{7B}").tells(&[]);
        b.hears("a1 Path S1{6B}").tells(&["1 Path S1{6B}"]);
        b.route("S1", Some("b"), "cd").reroutes().seconds(5.0).tells(&["1 Path S1{7B}"]);
        b.hears("a1 PathTear S1").tells(&[]);
        b.hears("b1 PathTear S1").tells(&["1 PathGone S1 Torn"]);
    }
}

/// RFC 2205 section 3.9, case 1: a reservation for an application that listens where Local_Only state arrives goes
/// there.
#[test]
fn local_only_state_serves_the_local_application_that_receives_there() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("b1 Path S1{9B}").opens(1).forget();
        let flow = rsvp_node::FlowRequest { flowspec: super::words::controlled(4.0), filters: &[] };
        let session = b.session;
        b.does(rsvp_node::Command::Reserve {
            carried: None,
            app: rsvp_node::AppId(1),
            session,
            style: rsvp_wire::Style::WF,
            flows: &[flow],
            confirm: false,
            interface: Some(interface("b")),
        });
        b.sends(&["b>b1 Resv WF{4B}"]);
        b.reserves(1, "WF{5B}").sends(&["a>a1 Resv WF{5B}", "b>b1 ResvTear WF{4B}"]);
    }
}

/// RFC 2205 section 3.8: the first node that can police turns E_Police off in what it sends. The audit of the bench
/// looks at the flags of what leaves.
#[test]
fn e_police_is_cleared_on() {
    for mut b in Bench::both() {
        let flagged = b.session.with_flags(Session::E_POLICE);
        b.takes(&b.message("a1 Path S1{9B}").with(|m| m.session = flagged));
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}"]);
        assert_eq!(b.engine.senders().count(), 1, "flags do not tell sessions apart");
    }
}

/// RFC 2205 section 3.1.2: a NULL object may appear anywhere and is ignored.
#[test]
fn null_objects_are_ignored() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let path = b.message("a1 Path S1{9B}").object(0, 77, &[1, 2, 3, 4]).last(object(0, 1, &[0; 8]));
        b.takes(&path).is_silent();
        b.seconds(46.0);
        assert!(b.sent.len() >= 2 && b.sent.drain(..).all(|s| s.objects(0).is_empty()));
        let resv = b.message("c1 Resv WF{4B}").object(0, 1, &[7; 4]).last(object(0, 1, &[]));
        b.takes(&resv).sends(&["a>a1 Resv WF{4B}"]);
        // Between the objects of a flow descriptor, too.
        b.hears("b1 Path S2{9B}").hears("c1 ResvTear WF").forget();
        let null = || object(0, 9, &[8; 4]);
        let list = [null(), written(&controlled(5.0)), null(), written(&b.family.sender("S2")), null()];
        let resv = b.message("c1 Resv FF S1{4B}").with(|m| m.last.extend(list));
        b.takes(&resv).sends(&["a>a1 Resv FF S1{4B}", "b>b1 Resv FF S2{5B}"]);
    }
}

/// RFC 2205 section 3.6: routes that change while those of another destination are still being looked at are not missed.
#[test]
fn two_route_changes_at_once_are_both_followed() {
    for mut b in Bench::unicast() {
        for port in 1..=600 {
            b.session = Session::new(b.session.destination(), 17, port);
            b.hears("a1 Path S1{9B}");
        }
        b.route("S1", None, "d");
        let elsewhere = Some(b.family.named("G"));
        // The host is asked again when the engine is told; it does not look at all paths before it takes the next input.
        let (now, here) = (b.now, Some(b.session.destination()));
        let (engine, routes) = b.without_journal();
        for destination in [here, elsewhere] {
            engine.handle(now, Input::RouteChanged { destination }, routes);
        }
        b.pass(Duration::ZERO).input(Input::Timer);
        b.seconds(5.0);
        assert!(b.engine.senders().all(|s| s.outgoing == [interface("d")]));
    }
}

/// RFC 2205 section 3.11.4, and what routers choose among equal paths by. Of a group, where it comes in is the answer.
#[test]
fn routing_is_asked_as_for_a_packet_of_the_flow() {
    for mut b in Bench::unicast() {
        for (on, text) in [("a", "a1 Path S1{9B}"), ("b", "b1 Path S1{9B}")] {
            b.hears(text);
            let sender = b.family.sender("S1");
            let flow = FlowKey {
                protocol: 17,
                source_port: sender.port(),
                destination_port: 7000,
                flow_label: 0,
                incoming: Some(interface(on)),
            };
            assert_ne!(flow.source_port, 0);
            let destination = b.session.destination();
            let query = RouteQuery { destination, source: Some(sender.address()), flow };
            assert_eq!(b.routes.asked.last(), Some(&query));
        }
    }
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        assert!(
            b.routes.asked.iter().all(|query| query.flow.incoming.is_none() && query.flow.protocol == 17)
        );
    }
    let [_, mut b] = Bench::unicast();
    let address = "2001:db8::5".parse().expect("an address");
    let label = FilterSpec::Ipv6FlowLabel { address, reserved: 0, label: 5 };
    b.takes(&b.message("a1 Path S1{9B}").with(|m| (m.sender, m.source) = (Some(label), address.into())));
    let asked = b.routes.asked.last().expect("a question").flow;
    assert_eq!((asked.flow_label, asked.source_port), (5, 0));
}
