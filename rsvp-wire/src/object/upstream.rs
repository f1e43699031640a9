//! Int-serv UPSTREAM_FLOWSPEC, UPSTREAM_TSPEC and UPSTREAM_ADSPEC, RFC 6387 2: the traffic of the other direction of
//! an LSP.
//!
//! Their figures are those of FLOWSPEC, SENDER_TSPEC and ADSPEC (RFC 2210 3), whose types are within. The other
//! C-Types are with the traffic parameters of their technologies.

use core::fmt::{self, Formatter};

use bytes::BufMut;

use super::{AdspecSummary, Flowspec, Object, SenderTspec};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;
use crate::show::Show;

macro_rules! upstream {
    ($($(#[$about:meta])* $name:ident: $class:ident, $downstream:ident;)+) => {
        $(
            $(#[$about])*
            #[derive(Copy, Clone, PartialEq, Debug)]
            pub struct $name(pub $downstream);

            impl<'a> Object<'a> for $name {
                const CLASS: Class = Class::$class;

                fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
                    $downstream::read(object).map(Self)
                }

                fn ctype(&self) -> CType {
                    self.0.ctype()
                }

                fn body_len(&self) -> usize {
                    self.0.body_len()
                }

                fn write_body(&self, out: &mut impl BufMut) {
                    self.0.write_body(out);
                }
            }

            impl Show for $name {
                fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    f.write_str("upstream ")?;
                    self.0.show(f)
                }
            }
        )+
    };
}

upstream! {
    /// Int-serv UPSTREAM_FLOWSPEC, RFC 6387 2.1: what is asked for in a Path.
    UpstreamFlowspec: UPSTREAM_FLOWSPEC, Flowspec;
    /// Int-serv UPSTREAM_TSPEC, RFC 6387 2.2: the traffic of the egress, in a Resv.
    UpstreamTspec: UPSTREAM_TSPEC, SenderTspec;
    /// Int-serv UPSTREAM_ADSPEC, RFC 6387 2.3: in a Resv.
    UpstreamAdspec: UPSTREAM_ADSPEC, AdspecSummary;
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::super::{GeneralParams, ServiceParams, Tspec};
    use super::*;
    use crate::error::Why;

    const TSPEC: Tspec = Tspec {
        rate: 250_000.0,
        bucket: 3000.0,
        peak: 500_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };

    #[test]
    fn as_the_objects_of_the_other_direction() {
        // By hand from RFC 2210 3.2.1, 3.1 and 3.3 with the classes of RFC 6387 2.
        let bucket = "7f000005 48742400 453b8000 48f42400 00000040 000005dc";
        let flowspec = octets(&format!("0024 7802 00000007 05000006 {bucket}"));
        both_ways(&flowspec, &UpstreamFlowspec(Flowspec::ControlledLoad(TSPEC)));
        both_ways(
            &octets(&format!("0024 7902 00000007 01000006 {bucket}")),
            &UpstreamTspec(SenderTspec::from(TSPEC)),
        );
        let adspec = AdspecSummary {
            global: GeneralParams {
                break_bit: false,
                hops: 2,
                bandwidth: 1_250_000.0,
                latency_us: 3,
                mtu: 1500,
            },
            guaranteed: None,
            controlled_load: Some(ServiceParams { break_bit: true, ..ServiceParams::default() }),
            null: None,
        };
        let hex = "0030 7a02 0000000a 01000008 04000001 00000002 06000001 49989680 08000001 00000003
                   0a000001 000005dc 05800000";
        both_ways(&octets(hex), &UpstreamAdspec(adspec));
        let (object, _) = ObjectRef::split_first(&flowspec, 0).unwrap();
        let shown = format!("{}", crate::show::object(&object));
        assert!(shown.starts_with("Int-serv UPSTREAM_FLOWSPEC: upstream controlled-load "), "{shown}");
        refused::<UpstreamTspec>(&octets("0008 7902 00000007"), 8, Why::BodyLength);
        refused::<UpstreamFlowspec>(&octets("0008 7801 00000007"), 3, Why::UnknownCType);
    }
}
