//! Refusals of the engine, in the words of the control protocol.

use super::service::EngineAccess;
use rsvp_control::Problem;
use rsvp_node::{Command, Refusal};
use rsvp_wire::FilterSpec;

/// A refusal of the engine, with what there is to say beyond it.
pub(super) fn refusal(why: Refusal, command: &Command<'_>, access: &dyn EngineAccess) -> Problem {
    let hint = match (why, command) {
        (Refusal::BadSender, Command::Sender { sender, .. }) => own_addresses(&sender.0, access),
        (Refusal::BadTrafficParameter, Command::Sender { .. }) => TRAFFIC.to_owned(),
        (Refusal::BadTrafficParameter, _) => {
            format!(
                "{TRAFFIC}, for Guaranteed service the reserved rate is at least the rate and the peak is not below it, and all flows ask for one service"
            )
        }
        (Refusal::BadSession, Command::Sender { session, .. } | Command::Reserve { session, .. })
            if session.destination().is_unspecified() =>
        {
            "senders and reservations are of one session: name the address, one of this host's to receive at"
                .to_owned()
        }
        (Refusal::BandwidthUnavailable, Command::Claim(claim)) => {
            let on = access.engine().interfaces().find(|(on, _)| on.id == claim.interface);
            let left = on.map_or(0, |(on, reserved_bps)| on.reservable_bps.saturating_sub(reserved_bps));
            format!(
                "{left} bit/s are left, headers of the link counted; ask for less, or raise `reservable` or the shares of [interfaces]"
            )
        }
        (Refusal::BadStyle, _) => {
            "WF takes one flow without filters, SE one with filters, FF one for each filter".to_owned()
        }
        _ => String::new(),
    };
    let message = if hint.is_empty() { why.to_string() } else { format!("{why}: {hint}") };
    Problem::new(why.name(), message)
}

const TRAFFIC: &str =
    "rates are from 8 bit/s, the bucket is at least one octet, min_packet is from 1 to max_packet";

fn own_addresses(sender: &FilterSpec, access: &dyn EngineAccess) -> String {
    let address = sender.address();
    let interfaces = access.engine().interfaces();
    let is_v4 = address.is_ipv4();
    let own = interfaces.flat_map(|(interface, _)| {
        let others = interface.others.iter().copied().filter(move |own| own.is_ipv4() == is_v4);
        interface.address_like(address).into_iter().chain(others)
    });
    let own: Vec<_> = own.collect();
    if own.contains(&address) {
        return "the sender has a port although the session has none, or is of another address family"
            .to_owned();
    }
    let own: Vec<_> = own.iter().map(ToString::to_string).collect();
    match own.as_slice() {
        [] => format!("no interface of this node has an address of the family of {address}"),
        own => format!("{address} is none of this node's addresses, {}", own.join(", ")),
    }
}
