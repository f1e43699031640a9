//! How messages of the engine leave: from which address, by which interface, raw, by UDP or both.

use super::packet::Parcel;
use super::routes::Routes;
use super::send_queue::SendQueue;
use super::udp::{Encapsulation, UdpTarget};
use rsvp_node::{Source, Transmit};

/// To the kernel: whatever interface its routes name.
const ANY_INTERFACE: u32 = 0;

/// Puts a message of the engine's into the queue, as it is to leave.
pub(super) fn transmit_to(
    send_queue: &mut SendQueue,
    routes: &mut Routes,
    encapsulation: &Encapsulation,
    transmit: &Transmit<'_>,
    now_us: u64,
) {
    let Transmit { interface, destination, source, ttl, router_alert, octets } = *transmit;
    let own = routes.links.address(interface, destination);
    let source = match source {
        Source::Own => own,
        Source::Foreign(address) => Some(address),
    };
    match source {
        // A forged hop can name this node. No message to ourselves is of use: local applications are told by the engine.
        _ if routes.links.owns(destination) => send_queue.failures.to_self += 1,
        Some(source) => {
            // A hop behind routers without RSVP is reached as routing says, which need not be the way its messages come.
            let own_way = transmit.source == Source::Own
                && !destination.is_multicast()
                && !routes.links.is_on_link(interface, destination);
            let way = if own_way { ANY_INTERFACE } else { interface.0 };
            let raw = Parcel { interface: way, source, destination, ttl, router_alert, port: None, octets };
            let envelope = encapsulation.envelope(transmit, routes, now_us);
            if !encapsulation.is_udp_only() {
                send_queue.put(&raw);
            } else if envelope.is_none() {
                send_queue.failures.no_route += 1;
            }
            // By UDP always from our own address: that is the one that answers go to.
            match (envelope, own) {
                (Some(UdpTarget { to, port, ttl }), Some(source)) => {
                    let port = Some(port);
                    let interface = interface.0;
                    send_queue.put(&Parcel {
                        interface,
                        source,
                        destination: to,
                        ttl,
                        router_alert: false,
                        port,
                        octets,
                    });
                }
                (Some(_), None) if encapsulation.is_udp_only() => send_queue.failures.no_address += 1,
                _ => {}
            }
        }
        None => send_queue.failures.no_address += 1,
    }
}
