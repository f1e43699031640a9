//! Refreshes of a neighbour that puts INTEGRITY into its messages: each has another sequence number, and so other octets,
//! but says the same.

use crate::counting::allocations;
use crate::transit::{Request, Transit, write_path, write_resv, write_resv_of};
use rsvp_node::Outcome;
use rsvp_wire::{Class, Message, MessageWriter, Style};

/// A message with an INTEGRITY object in front (RFC 2747 section 2). Its digest is of no account: nobody verifies it.
fn signed<'b>(buffer: &'b mut [u8], message: &[u8], sequence: u64) -> &'b [u8] {
    let message = Message::parse(message).expect("a sound message");
    let mut integrity = [sequence as u8; 36];
    integrity[..12].copy_from_slice(&[0, 36, Class::INTEGRITY.0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    integrity[12..20].copy_from_slice(&sequence.to_be_bytes());
    let mut writer = MessageWriter::new(buffer, message.msg_type(), message.send_ttl());
    writer.copy(&integrity);
    for object in message.objects() {
        writer.copy(object.octets());
    }
    writer.finish().expect("room for a message")
}

#[test]
fn refreshes_with_another_sequence_number_each_allocate_nothing() {
    let mut transit = Transit::new(1);
    let (mut plain, mut buffer) = ([0; 256], [0; 256]);
    // Ten minutes, in which state that is not refreshed dies three times.
    for sequence in 0..20 {
        let octets = signed(&mut buffer, write_path(&mut plain, 0), 2 * sequence);
        let path = allocations(|| transit.path(octets, 0));
        let octets = signed(&mut buffer, write_resv(&mut plain, 0), 2 * sequence + 1);
        let resv = allocations(|| transit.resv(octets));
        if sequence > 0 {
            assert_eq!((path, resv), ((0, Outcome::Taken), (0, Outcome::Taken)), "refresh {sequence}");
        }
        assert_eq!(transit.engine.reservations().count(), 1);
        transit.advance(30_000_000);
    }

    // Nor is it news when a neighbour stops doing so.
    let (path, resv) = (write_path(&mut plain, 0), write_resv(&mut buffer, 0));
    assert_eq!(allocations(|| transit.path(path, 0)), (0, Outcome::Taken));
    assert_eq!(allocations(|| transit.resv(resv)), (0, Outcome::Taken));

    // What is said behind it counts as ever.
    let more = Request { style: Style::FF, next_hop: 2, rate: 250_000.0 };
    let sent = transit.sent;
    let octets = signed(&mut buffer, write_resv_of(&mut plain, 0, &more), 40);
    assert_eq!(transit.resv(octets), Outcome::Taken);
    let (_, _, reservation) = transit.engine.reservations().next().expect("a reservation");
    assert_eq!((reservation.flowspec.tspec().rate, transit.sent - sent), (125_000.0, 1));
}
