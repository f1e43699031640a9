//! PCN, RFC 7417 4.1: pre-congestion notification for aggregates.
//!
//! ```text
//! C-Type 1 and 3 (2 and 4: addresses of 16 octets)
//! |     IPv4 PCN-ingress-node Address (4 bytes)   |
//! |     IPv4 PCN-egress-node Address (4 bytes)    |
//! |     IPv4 Decision Point Address (4 bytes)     |
//! |R|     Reserved                                |      requests, C-Type 1 and 2
//! | PCN-sent-rate                                 |      responses, C-Type 3 and 4
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

macro_rules! pcn {
    ($request:ident $request_type:literal $response:ident $response_type:literal $address:ident $version:literal) => {
        object! {
            #[doc = concat!("RSVP-AGGREGATE-", $version, "-PCN-request, RFC 7417 4.1.")]
            pub $request: PCN $request_type {
                /// The aggregator.
                ingress_node($address);
                /// The deaggregator.
                egress_node($address);
                /// The deaggregator, as far as RFC 7417 goes.
                decision_point($address);
                /// R: the rate is wanted.
                rate_requested(bool);
                /// Zero.
                reserved(reserved u32: 31);
            }

            #[doc = concat!("RSVP-AGGREGATE-", $version, "-PCN-response, RFC 7417 4.1.")]
            pub $response: PCN $response_type {
                /// The aggregator.
                ingress_node($address);
                /// The deaggregator.
                egress_node($address);
                /// The deaggregator, as far as RFC 7417 goes.
                decision_point($address);
                /// At which rate traffic of the aggregate comes to the ingress node.
                sent_rate_bytes_per_s(f32);
            }
        }
    };
}

pcn!(Ipv4PcnRequest 1 Ipv4PcnResponse 3 Ipv4Addr "IPv4");
pcn!(Ipv6PcnRequest 2 Ipv6PcnResponse 4 Ipv6Addr "IPv6");

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4() {
        // By hand from RFC 7417 4.1.
        let [ingress_node, egress_node, decision_point] =
            [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)];
        let nodes = "0a000001 0a000002 0a000003";
        let request =
            Ipv4PcnRequest { ingress_node, egress_node, decision_point, rate_requested: true, reserved: 5 };
        both_ways(&octets(&format!("0014 f801 {nodes} 80000005")), &request);
        let response =
            Ipv4PcnResponse { ingress_node, egress_node, decision_point, sent_rate_bytes_per_s: 10000.0 };
        both_ways(&octets(&format!("0014 f803 {nodes} 461c4000")), &response);
        refused::<Ipv4PcnRequest>(&octets(&format!("0010 f801 {nodes}")), 16, Why::BodyLength);
        refused::<Ipv4PcnResponse>(
            &octets(&format!("0018 f803 {nodes} 461c4000 00000000")),
            20,
            Why::BodyLength,
        );
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 7417 4.1.
        let [ingress_node, egress_node, decision_point] =
            [1, 2, 3].map(|host| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host));
        let nodes: std::string::String =
            (1..=3).map(|host| format!("fd000000 00000000 00000000 0000000{host} ")).collect();
        let request =
            Ipv6PcnRequest { ingress_node, egress_node, decision_point, rate_requested: false, reserved: 0 };
        both_ways(&octets(&format!("0038 f802 {nodes} 00000000")), &request);
        let response =
            Ipv6PcnResponse { ingress_node, egress_node, decision_point, sent_rate_bytes_per_s: 12000.0 };
        both_ways(&octets(&format!("0038 f804 {nodes} 463b8000")), &response);
        refused::<Ipv6PcnResponse>(&octets(&format!("0034 f804 {nodes}")), 52, Why::BodyLength);
    }
}
