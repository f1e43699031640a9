//! Sessions with a virtual destination port and senders with a security parameter index: RFC 2207.

use super::bench::Bench;
use super::message::Arriving;
use super::words::{Family, controlled, interface, tspec};
use rsvp_node::{AppId, Command, Config, Discard, FlowRequest, Held, Input, Refusal};
use rsvp_wire::{FilterSpec, Flowspec, MsgType, SenderTemplate, Session, Style};

const ESP: u8 = 50;
const AH: u8 = 51;
const APP: AppId = AppId(1);

/// A node in each family, in a unicast session with a virtual port whose data leaves on c.
fn with_virtual_ports() -> [Bench; 2] {
    [Family::V4, Family::V6].map(|family| {
        let mut bench = Bench::new(family, Config { seed: 7, ..Config::default() });
        bench.session = Session::gpi(family.named("U"), ESP, 8192);
        for sender in ["S1", "S2"] {
            bench.route(sender, Some("a"), "c");
        }
        bench
    })
}

fn spi(b: &Bench, sender: &str, spi: u32) -> FilterSpec {
    FilterSpec::gpi(b.family.named(sender), spi)
}

/// The Path of a sender with this index.
fn path(b: &Bench, sender: &str, index: u32) -> Arriving {
    let filter = spi(b, sender, index);
    b.message(&format!("a1 Path {sender}{{9B}}")).with(|m| m.sender = Some(filter))
}

/// A Resv of one flow for these senders.
fn resv(b: &Bench, style: &str, filters: &[FilterSpec]) -> Arriving {
    let text =
        if filters.is_empty() { "c1 Resv WF{4B}".to_owned() } else { format!("c1 Resv {style} S1{{4B}}") };
    b.message(&text).with(|m| m.flows.as_mut().expect("flows").flows[0].1 = filters.to_vec())
}

/// The filters of what is reserved on c.
fn reserved(b: &Bench) -> Vec<Vec<FilterSpec>> {
    let mut found: Vec<_> = b.engine.reservations().map(|(_, _, reservation)| reservation.filters).collect();
    found.sort();
    found
}

/// RFC 2207 section 4.1: state has the virtual port and the index, and messages that leave have them.
#[test]
fn a_session_with_a_virtual_port_is_reserved_for_an_index() {
    for mut b in with_virtual_ports() {
        b.takes(&path(&b, "S1", 0x1001));
        let sent = b.sent.iter().find(|sent| sent.msg_type() == MsgType::PATH).expect("a Path");
        assert_eq!(sent.get::<Session>().with_flags(0), b.session);
        assert_eq!(sent.get::<SenderTemplate>(), SenderTemplate(spi(&b, "S1", 0x1001)));
        b.forget();
        b.takes(&resv(&b, "FF", &[spi(&b, "S1", 0x1001)]));
        assert_eq!(reserved(&b), [[spi(&b, "S1", 0x1001)]]);
        let sent = b.sent.iter().find(|sent| sent.msg_type() == MsgType::RESV).expect("a Resv");
        assert_eq!((sent.get::<Session>(), sent.get::<FilterSpec>()), (b.session, spi(&b, "S1", 0x1001)));
    }
}

/// RFC 2207 section 4.2.1: senders are the same only if address and index both are.
#[test]
fn senders_are_told_apart_by_address_and_index() {
    for mut b in with_virtual_ports() {
        for (sender, index) in [("S1", 0x1001), ("S1", 0x1002), ("S2", 0x1001)] {
            b.takes(&path(&b, sender, index));
        }
        assert_eq!(b.engine.senders().count(), 3);
        b.takes(&resv(&b, "FF", &[spi(&b, "S1", 0x1001)]));
        b.takes(&resv(&b, "FF", &[spi(&b, "S2", 0x1001)]));
        assert_eq!(reserved(&b), [[spi(&b, "S1", 0x1001)], [spi(&b, "S2", 0x1001)]]);
        // With a shared style one reservation for both indexes of an address, in the order of their filters.
        let [mut shared] =
            [with_virtual_ports().into_iter().find(|other| other.family == b.family).expect("one")];
        for index in [0x1001, 0x1002] {
            shared.takes(&path(&shared, "S1", index));
        }
        let both = [spi(&shared, "S1", 0x1001), spi(&shared, "S1", 0x1002)];
        shared.takes(&resv(&shared, "SE", &both));
        assert_eq!(reserved(&shared), [both]);
    }
}

/// RFC 2207 section 4.1: an index that no sender has is no sender's.
#[test]
fn a_reservation_for_an_index_that_nobody_has_is_refused() {
    for mut b in with_virtual_ports() {
        b.takes(&path(&b, "S1", 0x1001)).forget();
        b.drops(&resv(&b, "FF", &[spi(&b, "S1", 0x1002)]), Discard::Rejected);
        let error = b.sent.iter().find(|sent| sent.msg_type() == MsgType::RESV_ERR).expect("a ResvErr");
        assert_eq!(error.get::<rsvp_wire::ErrorSpec>().code, rsvp_wire::ErrorCode::NO_SENDER);
        assert_eq!(reserved(&b), [[]; 0]);
    }
}

/// RFC 2207 section 2: sessions are told apart by their virtual ports, and never merge with one that has none.
#[test]
fn sessions_are_told_apart_by_their_virtual_ports() {
    for mut b in with_virtual_ports() {
        let first = b.session;
        b.takes(&path(&b, "S1", 0x1001));
        let others = [
            Session::gpi(first.destination(), ESP, 8193),
            Session::gpi(first.destination(), AH, 8192),
            // A port of a protocol that has none: another C-Type, another session.
            Session::new(first.destination(), ESP, 8192),
        ];
        for (n, other) in others.into_iter().enumerate() {
            b.session = other;
            let sender =
                if other.is_gpi() { spi(&b, "S1", 0x1001) } else { FilterSpec::new(b.family.named("S1"), 0) };
            b.takes(&b.message("a1 Path S1{9B}").with(|m| m.sender = Some(sender)));
            assert_eq!(b.engine.sessions().count(), 2 + n, "{other}");
        }
        // Without a port where others have one (RFC 2205 section 3.2, rule 1).
        b.session = Session::new(first.destination(), ESP, 0);
        let sender = FilterSpec::new(b.family.named("S1"), 0);
        b.drops(&b.message("a1 Path S1{9B}").with(|m| m.sender = Some(sender)), Discard::Rejected);
    }
}

/// RFC 2207 section 4.1: the kinds of session and sender go together; else the message is wrong in its form.
#[test]
fn a_message_with_two_kinds_of_session_and_sender_is_dropped() {
    for mut b in with_virtual_ports() {
        b.takes(&path(&b, "S1", 0x1001));
        let plain = FilterSpec::new(b.family.named("S1"), 5000);
        b.drops(&b.message("a1 Path S1{9B}").with(|m| m.sender = Some(plain)), Discard::BadGrammar);
        b.drops(&resv(&b, "FF", &[plain]), Discard::BadGrammar);
        b.session = Session::new(b.session.destination(), 17, 7000);
        b.hears("a1 Path S1{9B}");
        let index = spi(&b, "S1", 0x1001);
        b.drops(&path(&b, "S1", 0x1001), Discard::BadGrammar);
        b.drops(&resv(&b, "FF", &[index]), Discard::BadGrammar);
        // A virtual port of zero would be none.
        b.session = Session::gpi(b.session.destination(), ESP, 0);
        b.drops(&path(&b, "S1", 0x1001), Discard::BadGrammar);
    }
}

/// RFC 2207 section 4.1: what end-stations tell their applications.
#[test]
fn applications_are_refused_other_protocols_no_port_and_other_senders() {
    for mut b in with_virtual_ports() {
        let own = b.family.named("c0");
        let announce = |session, sender| Command::Sender {
            carried: None,
            app: APP,
            session,
            sender: SenderTemplate(sender),
            tspec: tspec(9.0),
            adspec: None,
            ttl: 33,
            interface: None,
        };
        let (session, to) = (b.session, b.session.destination());
        let index = FilterSpec::gpi(own, 0x1001);
        b.refuses(announce(Session::gpi(to, 17, 8192), index), Refusal::BadSession);
        b.refuses(announce(Session::gpi(to, ESP, 0), index), Refusal::BadSession);
        b.refuses(announce(session, FilterSpec::new(own, 0)), Refusal::ConflictingCType);
        b.refuses(announce(Session::new(to, 17, 7000), index), Refusal::ConflictingCType);
        let filters = [FilterSpec::new(own, 0)];
        let flows = [FlowRequest { flowspec: controlled(4.0), filters: &filters }];
        let reserve = Command::Reserve {
            carried: None,
            app: APP,
            session,
            style: Style::FF,
            flows: &flows,
            confirm: false,
            interface: None,
        };
        b.refuses(reserve, Refusal::ConflictingCType);
        b.does(announce(session, index));
        b.does(announce(Session::gpi(to, AH, 8192), index));
    }
}

/// RFC 2207 section 4.1: the virtual port is no part of what packets are told by, for routing either.
#[test]
fn routing_is_asked_without_a_virtual_port() {
    for mut b in with_virtual_ports() {
        b.takes(&path(&b, "S1", 0x1001));
        let flow = b.routes.asked.last().expect("a question").flow;
        assert_eq!((flow.protocol, flow.source_port, flow.destination_port), (ESP, 0, 0));
    }
}

/// RFC 2207 section 4.2.2: WF is for all senders of the session.
#[test]
fn a_wildcard_is_for_every_index() {
    for mut b in with_virtual_ports() {
        for index in [0x1001, 0x1002] {
            b.takes(&path(&b, "S1", index));
        }
        b.takes(&resv(&b, "WF", &[]));
        let (_, on, reservation) = b.engine.reservations().next().expect("a reservation");
        assert_eq!((on, reservation.filters, reservation.style), (interface("c"), vec![], Style::WF));
        assert!(matches!(reservation.flowspec, Flowspec::ControlledLoad(_)));
    }
}

/// What a run before has left of a session is known by what packets show, and a virtual port is in none: whichever session has
/// these packets takes it, and no other does.
#[test]
fn what_was_left_of_a_session_is_taken_whatever_its_virtual_port_was() {
    for mut b in with_virtual_ports() {
        let to = b.session.destination();
        let held = |protocol, bps| {
            let session = Session::new(to, protocol, 0);
            Input::Held(Held { interface: interface("c"), session, guaranteed: false, bps })
        };
        b.reservable("c", 9).input(held(ESP, 6 * 8_000));
        b.takes(&path(&b, "S1", 0x1001));
        b.takes(&resv(&b, "FF", &[spi(&b, "S1", 0x1001)]));
        assert_eq!((reserved(&b).len(), b.reserved("c")), (1, 4.0));
        // Two of six are left of it, and three are free: another protocol has these alone.
        b.session = Session::gpi(to, AH, 8192);
        b.takes(&path(&b, "S1", 0x1001));
        b.drops(&resv(&b, "FF", &[spi(&b, "S1", 0x1001)]), Discard::Rejected).forget();
        // Another port of the same has both.
        b.session = Session::gpi(to, ESP, 8193);
        b.takes(&path(&b, "S1", 0x1001));
        b.takes(&resv(&b, "FF", &[spi(&b, "S1", 0x1001)]));
        assert_eq!(b.reserved("c"), 8.0);
    }
}
