//! Requests of Generic QoS in octets, as a client of any language sends them.

use rsvp_node::qos::objects::{from_octets, to_octets};
use rsvp_node::qos::receiver::reservation;
use rsvp_node::qos::sender::tspec;
use rsvp_node::qos::style::reserve;
use rsvp_node::qos::{Endpoint, Invalid, Object, Overhead, Qos, Transport};
use rsvp_wire::Tspec;

/// Octets as the provider-specific buffer, and as a whole QOS: what can be read is written to octets that read as the same,
/// what cannot has one of the codes for that, and what is judged sound has a Tspec and a reservation.
///
/// # Panics
/// When one of these promises is broken.
pub fn provider_objects(octets: &[u8]) {
    match from_octets(octets) {
        Err(invalid) => coded(&invalid),
        Ok(objects) => {
            assert_eq!(from_octets(&to_octets(&objects)), Ok(objects.clone()));
            let fixed = |object: &Object| to_octets(std::slice::from_ref(object)).len();
            assert!(objects.iter().map(fixed).sum::<usize>() <= 64 * (octets.len() + 8), "nothing grows");
        }
    }
    let qos = match Qos::from_octets(octets) {
        Err(invalid) => return coded(&invalid),
        Ok(qos) => qos,
    };
    let written = qos.to_octets();
    assert_eq!(Qos::from_octets(&written), Ok(qos.clone()));
    let mut buffer = vec![0; written.len()];
    assert_eq!(qos.write_into(&mut buffer), Ok(written.len()));
    assert_eq!(buffer, written);
    for socket in sockets() {
        judged(&qos, &socket);
    }
}

fn judged(qos: &Qos, socket: &Endpoint) {
    if let Err(invalid) = qos.validate(socket) {
        return coded(&invalid);
    }
    let overhead = Overhead::of(socket.transport, [10, 0, 0, 2].into());
    let sent = tspec(&qos.sending, overhead, 1500);
    assert!(sent.is_ok() || qos.sending.token_rate.is_none());
    if let Ok(sent) = &sent {
        let numbers = [sent.rate, sent.bucket, sent.peak];
        assert!(numbers.iter().all(|number| *number >= 0.0) && sent.min_policed_unit <= sent.max_packet_size);
    }
    let path = Tspec { rate: 1e4, bucket: 4e3, peak: 5e4, min_policed_unit: 64, max_packet_size: 1000 };
    let _ = reservation(&qos.receiving, overhead, &path, None);
    let info = qos.objects.iter().find_map(|object| match object {
        Object::Reserve(info) => Some(info),
        _ => None,
    });
    let asked = reserve(socket, &qos.receiving, info).expect("what is sound can be asked for");
    assert!(!asked.flows.is_empty());
}

fn sockets() -> [Endpoint; 3] {
    let at = |text: &str| text.parse().expect("an address");
    let bound = Endpoint { local: Some(at("10.0.0.1:80")), ..Endpoint::new(Transport::Udp) };
    let group = Endpoint { groups: vec![at("[ff0e::1]:80")], ..Endpoint::new(Transport::Udp) };
    let connected = Endpoint { peer: Some(at("10.0.0.2:4000")), transport: Transport::Tcp, ..bound.clone() };
    [bound, group, connected]
}

fn coded(invalid: &Invalid) {
    assert!((11016..=11031).contains(&invalid.status.0), "{invalid}");
    assert!(invalid.value.name().is_some(), "{invalid}");
}
