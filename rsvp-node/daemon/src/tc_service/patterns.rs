//! What is said of marks, rules and filters, judged and put into the data plane's terms.

use super::bad_request;
use crate::data_plane::bpf::{AddressBits, Beyond, Pattern, PortBits};
use rsvp_control::Problem;
use rsvp_control::tc::{AddressMask, Filter, Flow, PortMask};
use std::collections::BTreeSet;

/// The least rate of shaping, in bits per second.
const LEAST_RATE_BPS: u64 = 8;

/// Whether marks are marks, and rules of different DSCPs.
pub(super) fn check_marks(said: &Flow) -> Result<(), Problem> {
    let dscps = [said.dscp, said.excess_dscp].into_iter().flatten();
    let of_rules = said.rules.iter().flat_map(|rule| [rule.inbound, rule.dscp, rule.excess_dscp]);
    if let Some(wrong) = dscps.chain(of_rules).find(|dscp| *dscp > 63) {
        return Err(bad_request(&format!("{wrong} is no DSCP: 0 to 63")));
    }
    let priorities = [said.priority, said.excess_priority];
    let of_rules = said.rules.iter().flat_map(|rule| [rule.priority, rule.excess_priority]);
    if let Some(wrong) = priorities.into_iter().chain(of_rules).flatten().find(|priority| *priority > 7) {
        return Err(bad_request(&format!("{wrong} is not a priority of IEEE 802.1p, which are 0 to 7")));
    }
    if said.shaping_rate_bps.is_some_and(|bps| bps < LEAST_RATE_BPS) {
        return Err(bad_request(&format!("`shaping_rate_bps` is {LEAST_RATE_BPS} at least")));
    }
    let mut inbound = BTreeSet::new();
    if let Some(twice) = said.rules.iter().find(|rule| !inbound.insert(rule.inbound)) {
        let message = format!(
            "packets that come with DSCP {} have two rules: a DSCP has one on an interface",
            twice.inbound
        );
        return Err(Problem::new("rule-taken", message));
    }
    Ok(())
}

/// The pattern that a filter is.
pub(super) fn of(said: &Filter) -> Result<Pattern, Problem> {
    let address = |said: AddressMask| AddressBits { address: said.address, mask: said.mask };
    let port = |said: PortMask| PortBits { port: said.port, mask: said.mask };
    let (source, destination) = (said.source_port.map(port), said.destination_port.map(port));
    let kinds = [
        source.is_some() || destination.is_some(),
        said.icmp_type.is_some() || said.icmp_code.is_some(),
        said.spi.is_some(),
    ];
    if kinds.into_iter().filter(|is_said| *is_said).count() > 1 {
        return Err(bad_request(
            "a packet has ports, or a type of ICMP, or an SPI: a filter looks at one of these",
        ));
    }
    let beyond = match (said.icmp_type, said.icmp_code, said.spi) {
        (None, Some(_), _) => return Err(bad_request("`icmp_code` goes with `icmp_type`")),
        (Some(kind), code, _) => Beyond::Icmp(kind, code),
        (None, None, Some(spi)) => Beyond::Spi(spi.0),
        (None, None, None) if source.is_some() || destination.is_some() => Beyond::Ports(source, destination),
        (None, None, None) => Beyond::Nothing,
    };
    let protocol = said.protocol.map(|protocol| protocol.0);
    let pattern = Pattern::new(said.destination.map(address), said.source.map(address), protocol, beyond);
    pattern.map_err(|why| bad_request(&why.to_string()))
}
