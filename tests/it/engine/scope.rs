//! SCOPE: RFC 2205 section 3.4 and Figure 11.

use super::bench::Bench;
use super::message::Arriving;
use super::sent::Sent;
use rsvp_wire::Scope;
use std::net::IpAddr;

/// A message with a SCOPE that lists these senders.
fn scoped(b: &Bench, text: &str, senders: &[&str]) -> Arriving {
    let body: Vec<u8> = senders
        .iter()
        .flat_map(|s| match b.family.named(s) {
            IpAddr::V4(a) => a.octets().to_vec(),
            IpAddr::V6(a) => a.octets().to_vec(),
        })
        .collect();
    let ctype = if b.session.destination().is_ipv4() { 1 } else { 2 };
    b.message(text).object(7, ctype, &body)
}

fn scope(sent: &Sent) -> Option<Vec<IpAddr>> {
    sent.message().get::<Scope<'_>>().map(|s| s.expect("sound").addresses().collect())
}

/// What was sent to a neighbour, with the senders in its SCOPE.
#[track_caller]
fn check(b: &mut Bench, expected: &[(&str, Option<&[&str]>)]) {
    let sent = b.sent.clone();
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    b.sends(&names);
    for (name, senders) in expected {
        let (neighbour, _) = name.split_once(' ').expect("a message");
        let to = b.family.named(&neighbour[2..]);
        let message = sent.iter().find(|s| s.destination == to).expect("it was sent");
        let listed = senders.map(|s| s.iter().map(|s| b.family.named(s)).collect::<Vec<_>>());
        assert_eq!(scope(message), listed, "{name}");
    }
}

/// Figure 11: four senders around one router, every receiver with a wildcard reservation.
fn figure_11() -> [Bench; 2] {
    Bench::both().map(|mut b| {
        b.route("S4", Some("a"), "bc").route("S1", Some("b"), "ac");
        b.route("S2", Some("c"), "ab").route("S3", Some("c"), "ab");
        b.hears("a1 Path S4{9B}")
            .hears("b1 Path S1{9B}")
            .hears("c1 Path S2{9B}")
            .hears("c1 Path S3{9B}")
            .forget();
        b
    })
}

#[test]
fn scopes_are_those_of_figure_11() {
    for mut b in figure_11() {
        let from_c = scoped(&b, "c1 Resv WF{4B}", &["S1", "S4"]);
        b.takes(&from_c);
        check(&mut b, &[("a>a1 Resv WF{4B}", Some(&["S4"])), ("b>b1 Resv WF{4B}", Some(&["S1"]))]);
        let from_a = scoped(&b, "a1 Resv WF{4B}", &["S1", "S2", "S3"]);
        b.takes(&from_a);
        check(&mut b, &[("c>c1 Resv WF{4B}", Some(&["S2", "S3"]))]);
        let from_b = scoped(&b, "b1 Resv WF{4B}", &["S2", "S3", "S4"]);
        b.takes(&from_b).is_silent();
        b.installs(&["a WF{4B}", "b WF{4B}", "c WF{4B}"]);
    }
}

/// Section 3.4, rules 1 to 3: what is asked of a previous hop has the senders of all SCOPEs received and of the requests
/// that came without, in ascending order, but none that is on this node or came from elsewhere.
#[test]
fn a_scope_is_the_union_of_those_received_without_local_senders() {
    for mut b in figure_11() {
        for sender in ["S7", "S5", "S6"] {
            b.route(sender, Some("c"), "ab").hears(&format!("c1 Path {sender}{{9B}}"));
        }
        b.announces(1, "A0").forget();
        let from_a = scoped(&b, "a1 Resv WF{4B}", &["A0", "S1", "S6"]);
        b.takes(&from_a);
        check(&mut b, &[("b>b1 Resv WF{4B}", Some(&["S1"])), ("c>c1 Resv WF{4B}", Some(&["S6"]))]);
        let from_b = scoped(&b, "b1 Resv WF{4B}", &["S4", "S5"]);
        b.takes(&from_b);
        check(&mut b, &[("a>a1 Resv WF{4B}", Some(&["S4"])), ("c>c1 Resv WF{4B}", Some(&["S5", "S6"]))]);
        b.hears("b2 Resv WF{4B}");
        check(&mut b, &[("c>c1 Resv WF{4B}", Some(&["S2", "S3", "S5", "S6", "S7"]))]);
    }
}

/// A request without SCOPE stands for all senders that route to its interface.
#[test]
fn a_request_without_scope_is_for_all_senders_that_route_to_it() {
    for mut b in figure_11() {
        b.hears("c1 Resv WF{4B}");
        check(&mut b, &[("a>a1 Resv WF{4B}", Some(&["S4"])), ("b>b1 Resv WF{4B}", Some(&["S1"]))]);
    }
}

/// A previous hop none of whose senders is in scope is not asked, although the reservation is made.
#[test]
fn an_empty_scope_is_not_forwarded() {
    for mut b in figure_11() {
        let resv = scoped(&b, "c1 Resv WF{4B}", &["S1"]);
        b.takes(&resv);
        check(&mut b, &[("b>b1 Resv WF{4B}", Some(&["S1"]))]);
        b.installs(&["c WF{4B}"]);
    }
}

/// A node with one previous hop adds no SCOPE, but passes on the one it got.
#[test]
fn one_previous_hop_needs_no_scope_of_its_own() {
    for mut b in Bench::both() {
        b.hears("b1 Path S2{9B}").hears("b1 Path S3{9B}").forget();
        b.hears("c1 Resv WF{4B}");
        check(&mut b, &[("b>b1 Resv WF{4B}", None)]);
        let resv = scoped(&b, "c1 Resv WF{4B}", &["S3"]);
        b.takes(&resv);
        check(&mut b, &[("b>b1 Resv WF{4B}", Some(&["S3"]))]);
    }
}

/// Explicit styles need none.
#[test]
fn explicit_styles_carry_no_scope() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S1 S2{4B}");
        check(&mut b, &[("a>a1 Resv SE S1{4B}", None), ("b>b1 Resv SE S2{4B}", None)]);
        b.hears("c1 ResvTear SE S1 S2").forget().hears("c1 Resv FF S1{4B} S2{4B}");
        check(&mut b, &[("a>a1 Resv FF S1{4B}", None), ("b>b1 Resv FF S2{4B}", None)]);
    }
}

/// The node that detects an error copies the SCOPE of the message in error.
#[test]
fn an_error_carries_the_scope_of_the_message_in_error() {
    for mut b in figure_11() {
        b.reservable("c", 3);
        let resv = scoped(&b, "c1 Resv WF{4B}", &["S1", "S4"]);
        assert_eq!(b.input(rsvp_node::Input::Packet(resv.rx(&resv.octets()))), REJECTED);
        check(&mut b, &[("c>c1 ResvErr 01/0002 WF{4B}", Some(&["S1", "S4"]))]);
    }
}

const REJECTED: rsvp_node::Outcome = rsvp_node::Outcome::Discarded(rsvp_node::Discard::Rejected);

/// A forwarded error lists of the senders it came with those that route to the interface, and stops where there is none.
#[test]
fn an_error_goes_on_with_the_senders_that_route_there() {
    for mut b in figure_11() {
        b.hears("c1 Resv WF{4B}").hears("b1 Resv WF{4B}").forget();
        let error = scoped(&b, "a1 ResvErr 01/0002 WF{4B}", &["S4"]);
        b.takes(&error);
        check(
            &mut b,
            &[("b>b1 ResvErr 01/0002 WF{4B}", Some(&["S4"])), ("c>c1 ResvErr 01/0002 WF{4B}", Some(&["S4"]))],
        );
        let error = scoped(&b, "a1 ResvErr 01/0002 WF{4B}", &["S3"]);
        b.takes(&error);
        check(&mut b, &[("b>b1 ResvErr 01/0002 WF{4B}", Some(&["S3"]))]);
    }
}

/// RFC 2205 sections 3.3 and 3.4: a wildcard error does not go out of the interface it came from, with SCOPE or without.
#[test]
fn a_wildcard_error_does_not_go_back_where_it_came_from() {
    for mut b in figure_11() {
        b.hears("a1 Resv WF{4B}").hears("a2 Resv WF{4B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 02/0000 WF{4B}").sends(&["c>c1 ResvErr 02/0000 WF{4B}"]);
        let error = scoped(&b, "a1 ResvErr 02/0000 WF{4B}", &["S4"]);
        b.takes(&error).sends(&["c>c1 ResvErr 02/0000 WF{4B}"]);
    }
}
