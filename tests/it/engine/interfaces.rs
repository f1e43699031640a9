//! What the node knows of its interfaces, as the driver tells it: RFC 2205 section 3.11.4.

use super::bench::Bench;
use super::words::interface;
use rsvp_node::{Discard, Interface};
use rsvp_wire::{ErrorSpec, RsvpHop};
use std::net::IpAddr;

/// Gives an interface the address of this name and none else.
fn renumber(b: &mut Bench, letter: &str, name: &str) {
    let address = b.family.named(name);
    let give = |i: &mut Interface| match address {
        IpAddr::V4(a) => i.ipv4 = Some(a),
        IpAddr::V6(a) => i.ipv6 = Some(a),
    };
    b.change(letter, give);
}

/// The addresses are those of now: in what is sent, in what is answered, and in what is taken.
#[test]
fn an_interface_is_known_by_the_address_it_has_now() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        renumber(&mut b, "c", "c6");
        let (new, old) = (b.family.named("c6"), b.family.named("c0"));
        b.hears("a1 Path S1{8B}");
        let path = b.sent.iter().find(|s| s.interface == interface("c")).expect("a Path on c");
        assert_eq!(path.get::<RsvpHop>().address, new);
        b.forget();
        b.drops(&b.message("c1 Resv WF{4B}").with(|m| m.destination = old), Discard::NotForThisNode);
        b.takes(&b.message("c1 Resv WF{4B}").with(|m| m.destination = new)).sends(&["a>a1 Resv WF{4B}"]);
        b.drops(&b.message("c1 Resv FF S2{4B}").with(|m| m.destination = new), Discard::Rejected);
        assert_eq!(b.sent.remove(0).get::<ErrorSpec>().node, new);
        renumber(&mut b, "a", "a6");
        b.takes(&b.message("c1 Resv WF{5B}").with(|m| m.destination = new));
        assert_eq!(b.sends_one("a>a1 Resv WF{5B}").get::<RsvpHop>().address, b.family.named("a6"));
    }
}

/// An interface that appears is used at once, and without an address of the session's family it is of no use.
#[test]
fn an_interface_without_an_address_of_the_family_sends_nothing() {
    for mut b in Bench::both() {
        b.change("d", |i| (i.ipv4, i.ipv6) = (None, None));
        b.hears("a1 Path S1{9B}").sends(&["c>G Path S1{9B}"]);
        renumber(&mut b, "d", "d0");
        b.hears("a1 Path S1{8B}").sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
    }
}
