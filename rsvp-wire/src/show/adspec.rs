//! ADSPECs in one line: `adspec hops=1 bw=10Mbit/s latency=0us mtu=1500B guaranteed Ctot=0B …`.
//!
//! A value that a node of the path did not process is shown with that: `hops=1(INVALID)`.

use core::fmt::{self, Formatter};

use super::{Rate, Show};
use crate::object::{Adspec, AdspecFragment, AdspecSummary, GeneralParams, GuaranteedParams, Overrides};

/// Services, RFC 2210 3.3.
const GENERAL: u8 = 1;
const GUARANTEED: u8 = 2;
const CONTROLLED_LOAD: u8 = 5;

impl Show for Adspec<'_> {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let flagged = |service: Option<u8>, parameter: Option<u8>| {
            let fragments =
                self.fragments().filter(|fragment| service.is_none_or(|service| service == fragment.service));
            fragments.flat_map(|fragment| fragment.params()).any(|(number, flags, _)| {
                flags & AdspecFragment::INVALID != 0 && parameter.is_none_or(|parameter| parameter == number)
            })
        };
        // Of most there is none, which is seen at one look.
        let any = flagged(None, None);
        let invalid = |service, parameter| {
            if any && flagged(Some(service), Some(parameter)) { "(INVALID)" } else { "" }
        };
        values(&self.summary(), &invalid, f)
    }
}

impl Show for AdspecSummary {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        values(self, &|_, _| "", f)
    }
}

/// What is to be said of the value of a parameter of a service.
type Mark<'m> = &'m dyn Fn(u8, u8) -> &'static str;

fn values(adspec: &AdspecSummary, mark: Mark<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let GeneralParams { break_bit, hops, bandwidth, latency_us, mtu } = adspec.global;
    let general = Overrides {
        hops: Some(hops),
        bandwidth: Some(bandwidth),
        latency_us: Some(latency_us),
        mtu: Some(mtu),
    };
    f.write_str("adspec")?;
    general_values(&general, &|parameter| mark(GENERAL, parameter), f)?;
    broken(break_bit, f)?;
    if let Some(GuaranteedParams { break_bit, ctot, dtot, csum, dsum, overrides }) = adspec.guaranteed {
        f.write_str(" guaranteed")?;
        let terms = [(133, "Ctot", ctot, "B"), (134, "Dtot", dtot, "us"), (135, "Csum", csum, "B")];
        for (parameter, name, value, unit) in terms.into_iter().chain([(136, "Dsum", dsum, "us")]) {
            write!(f, " {name}={value}{unit}{}", mark(GUARANTEED, parameter))?;
        }
        general_values(&overrides, &|parameter| mark(GUARANTEED, parameter), f)?;
        broken(break_bit, f)?;
    }
    if let Some(controlled_load) = adspec.controlled_load {
        f.write_str(" controlled-load")?;
        general_values(&controlled_load.overrides, &|parameter| mark(CONTROLLED_LOAD, parameter), f)?;
        broken(controlled_load.break_bit, f)?;
    }
    if let Some(break_bit) = adspec.null {
        f.write_str(" null")?;
        broken(break_bit, f)?;
    }
    Ok(())
}

/// The general parameters that are there.
fn general_values(
    values: &Overrides,
    mark: &dyn Fn(u8) -> &'static str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    if let Some(hops) = values.hops {
        write!(f, " hops={hops}{}", mark(4))?;
    }
    match values.bandwidth {
        // It says that it is not known (RFC 2215 3.3).
        Some(0.0) => write!(f, " bw=unknown{}", mark(6))?,
        Some(bandwidth) => write!(f, " bw={}{}", Rate(bandwidth), mark(6))?,
        None => {}
    }
    match values.latency_us {
        // It says that it is not known (RFC 2215 3.4).
        Some(u32::MAX) => write!(f, " latency=indeterminate{}", mark(8))?,
        Some(us) => write!(f, " latency={us}us{}", mark(8))?,
        None => {}
    }
    values.mtu.map_or(Ok(()), |mtu| write!(f, " mtu={mtu}B{}", mark(10)))
}

fn broken(break_bit: bool, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(if break_bit { " broken" } else { "" })
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::super::object;
    use crate::ObjectRef;

    #[test]
    fn values_that_were_not_processed_are_marked() {
        // By hand from RFC 2210 3.3 and Appendix 1: hops and Dtot with the flag I, the MTU with another.
        let octets = [
            0x00, 0x50, 0x0d, 2, 0, 0, 0, 18, 1, 0, 0, 8, 4, 0x80, 0, 1, 0, 0, 0, 3, 6, 0, 0, 1, 0x49, 0x98,
            0x96, 0x80, 8, 0, 0, 1, 0, 0, 0, 0, 10, 0x40, 0, 1, 0, 0, 5, 0xdc, 2, 0, 0, 8, 133, 0, 0, 1, 0,
            0, 0, 1, 134, 0x80, 0, 1, 0, 0, 0, 2, 135, 0, 0, 1, 0, 0, 0, 3, 136, 0, 0, 1, 0, 0, 0, 4,
        ];
        let (adspec, _) = ObjectRef::split_first(&octets, 0).unwrap();
        assert_eq!(
            object(&adspec).to_string(),
            "Int-serv ADSPEC: adspec hops=3(INVALID) bw=10Mbit/s latency=0us mtu=1500B \
             guaranteed Ctot=1B Dtot=2us(INVALID) Csum=3B Dsum=4us"
        );
    }
}
