//! The semantics of Generic QoS by its public interface: tables from the published texts, octets laid out by hand.
//!
//! Each file names the rows of `docs/windows-qos.md` that it is for.

mod dscp;
mod events;
mod flowspec;
mod get;
mod host;
mod malformed;
mod marking;
mod matching;
mod objects;
mod policy;
mod precedence;
mod reserved;
mod signalled;
mod style;
mod template;

use rsvp_node::qos::{Flowspec, Peak, Qos, ServiceType};

/// The octets of hexadecimal digits; blanks and line ends are for the reader.
fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hexadecimal")
    };
    digits.chunks(2).map(octet).collect()
}

/// G711 as an application says it: 8500/680/17000, packets of 340.
fn g711(service: ServiceType) -> Flowspec {
    Flowspec {
        token_rate: Some(8500),
        token_bucket_size: Some(680),
        peak_bandwidth: Some(Peak::Finite(17_000)),
        max_sdu_size: Some(340),
        minimum_policed_size: Some(340),
        ..Flowspec::of(service)
    }
}

/// A request of a sender.
fn sending(sending: Flowspec) -> Qos {
    Qos { sending, ..Qos::default() }
}

/// A request of a receiver.
fn receiving(receiving: Flowspec) -> Qos {
    Qos { receiving, ..Qos::default() }
}
