//! MESSAGE_ID, RFC 2961 4.2, MESSAGE_ID_ACK, 4.3, and MESSAGE_ID_LIST, 5.1: reliable messages, and state refreshed by
//! number.
//!
//! ```text
//! MESSAGE_ID, MESSAGE_ID_ACK and _NACK                   MESSAGE_ID_LIST
//! |     Flags     |             Epoch             |      |     Flags     |             Epoch             |
//! |               Message_Identifier              |      //  Message_Identifier                         //
//!                                                        or, repeated, with a word per IPv4 address:
//!                                                        |               Message_Identifier              |
//!                                                        |               Source_IP_Address               |
//!                                                        |  Destination_IP_Address  (MCAST_LIST only)    |
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{object, part};

const FLAGS: &[(u64, &str)] = &[(0x01, "ACK_Desired")];

macro_rules! message_ids {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $flags:expr;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// What the sender wants.
                flags(u8 flags $flags);
                /// When the sequence of identifiers began.
                epoch(u32: 24);
                /// Which message of its sender.
                message_identifier(u32);
            }
        )*}
    };
}

message_ids! {
    /// MESSAGE_ID, RFC 2961 4.2.
    MessageId: MESSAGE_ID 1 FLAGS;
    /// MESSAGE_ID_ACK, RFC 2961 4.3. It has no flags yet.
    MessageIdAck: MESSAGE_ID_ACK 1 &[];
    /// MESSAGE_ID_NACK, RFC 2961 4.3. It has no flags yet.
    MessageIdNack: MESSAGE_ID_ACK 2 &[];
}

macro_rules! tuples {
    ($source:ident $multicast:ident $address:ident) => {
        part! {
            /// The path state of a sender.
            pub $source {
                /// Identifier of the message that advertised it.
                message_identifier(u32);
                /// The sender.
                source($address);
            }

            /// The path state of a sender and a multicast session.
            pub $multicast {
                /// Identifier of the message that advertised it.
                message_identifier(u32);
                /// The sender.
                source($address);
                /// The destination of the session.
                destination($address);
            }
        }
    };
}

tuples!(SourceIpv4 MulticastIpv4 Ipv4Addr);
tuples!(SourceIpv6 MulticastIpv6 Ipv6Addr);

macro_rules! lists {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $field:ident $shape:ident $item:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name<'a>: MESSAGE_ID_LIST $ctype {
                /// None is defined.
                flags(u8);
                /// The epoch of all the identifiers.
                epoch(u32: 24);
                /// What is refreshed.
                $field($shape $item);
            }
        )*}
    };
}

lists! {
    /// MESSAGE_ID LIST, RFC 2961 5.1.
    MessageIdList: 1 message_identifiers list u32;
    /// IPv4/MESSAGE_ID SRC_LIST, RFC 2961 5.1.
    Ipv4SourceList: 2 tuples groups SourceIpv4;
    /// IPv6/MESSAGE_ID SRC_LIST, RFC 2961 5.1.
    Ipv6SourceList: 3 tuples groups SourceIpv6;
    /// IPv4/MESSAGE_ID MCAST_LIST, RFC 2961 5.1.
    Ipv4MulticastList: 4 tuples groups MulticastIpv4;
    /// IPv6/MESSAGE_ID MCAST_LIST, RFC 2961 5.1.
    Ipv6MulticastList: 5 tuples groups MulticastIpv6;
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    const V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
    const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 2);

    #[test]
    fn identifiers() {
        // By hand from RFC 2961 4.2 and 4.3.
        let id = MessageId { flags: 1, epoch: 0x0a_0b0c, message_identifier: 0x0102_0304 };
        both_ways(&octets("000c 1701 01 0a0b0c 01020304"), &id);
        let ack = MessageIdAck { flags: 0, epoch: 0x0a_0b0c, message_identifier: 5 };
        both_ways(&octets("000c 1801 00 0a0b0c 00000005"), &ack);
        let nack = MessageIdNack { flags: 2, epoch: 1, message_identifier: 6 };
        both_ways(&octets("000c 1802 02 000001 00000006"), &nack);
        refused::<MessageId>(&octets("0008 1701 01 0a0b0c"), 8, Why::BodyLength);
        refused::<MessageIdAck>(&octets("000c 1802 00 0a0b0c 00000005"), 3, Why::UnknownCType);
        refused::<MessageIdNack>(&octets("0010 1802 00 0a0b0c 00000005 00000006"), 12, Why::BodyLength);
    }

    #[test]
    fn lists() {
        // By hand from RFC 2961 5.1.
        let list = MessageIdList { flags: 0, epoch: 7, message_identifiers: List::Values(&[8, 9]) };
        both_ways(&octets("0010 1901 00 000007 00000008 00000009"), &list);
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(224, 1, 1, 1));
        let tuples = [SourceIpv4 { message_identifier: 8, source }];
        let sources = Ipv4SourceList { flags: 0, epoch: 7, tuples: List::Values(&tuples) };
        both_ways(&octets("0010 1902 00 000007 00000008 0a000001"), &sources);
        let tuples = [MulticastIpv4 { message_identifier: 8, source, destination }];
        let groups = Ipv4MulticastList { flags: 0, epoch: 7, tuples: List::Values(&tuples) };
        both_ways(&octets("0014 1904 00 000007 00000008 0a000001 e0010101"), &groups);
        refused::<Ipv4SourceList<'_>>(&octets("000c 1902 00 000007 00000008"), 8, Why::BodyLength);
    }

    #[test]
    fn ipv6_lists() {
        // By hand from RFC 2961 5.1.
        let source = "fd000000 00000000 00000000 00000001";
        let group = "ff050000 00000000 00000000 00000002";
        let tuples = [SourceIpv6 { message_identifier: 8, source: V6 }];
        let sources = Ipv6SourceList { flags: 0, epoch: 7, tuples: List::Values(&tuples) };
        both_ways(&octets(&format!("001c 1903 00 000007 00000008 {source}")), &sources);
        let tuples = [MulticastIpv6 { message_identifier: 8, source: V6, destination: GROUP_V6 }];
        let groups = Ipv6MulticastList { flags: 0, epoch: 7, tuples: List::Values(&tuples) };
        both_ways(&octets(&format!("002c 1905 00 000007 00000008 {source} {group}")), &groups);
        refused::<Ipv6MulticastList<'_>>(
            &octets(&format!("001c 1905 00 000007 00000008 {source}")),
            8,
            Why::BodyLength,
        );
    }
}
