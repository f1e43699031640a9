//! The values of an ADSPEC, RFC 2210 3.3.2 to 3.3.5, read and written as a whole.
//!
//! Reading checks all fragments and parameters, also those it has no field for. It is strict where RFC 2210 is: the
//! general fragment is first and has its four parameters, and no service appears twice. Writing gives the order of
//! RFC 2210 3.3.1: general, Guaranteed, Controlled-Load; overrides follow the parameters of their service.

use bytes::BufMut;

use super::Object;
use super::adspec::{fragment, octets, parameter};
use super::body::{Fault, Parsed, fault, maybe_infinite, whole, word};
use super::flowspec::{CONTROLLED_LOAD, GUARANTEED};
use super::layouts::{PARAMETERS, SERVICES};
use super::sender_tspec::GENERAL;
use super::tspec::{NULL, message_header, put_message_header, put_parameter_header, put_service_header};
use crate::code::{CType, Class};
use crate::error::{ParseError, Why};
use crate::message::ObjectRef;

/// The values of an ADSPEC.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct AdspecSummary {
    /// Default general parameters (service 1), always there.
    pub global: GeneralParams,
    /// Guaranteed service (2), if the sender cares about it.
    pub guaranteed: Option<GuaranteedParams>,
    /// Controlled-Load service (5), if the sender cares about it.
    pub controlled_load: Option<ServiceParams>,
    /// Null service (6), if the sender offers it: its break bit. It has no parameters (RFC 2997 4.2).
    pub null: Option<bool>,
}

/// General parameters of the path, RFC 2215 3 and RFC 2210 3.3.2.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct GeneralParams {
    /// A node on the path does not support RSVP or integrated services.
    pub break_bit: bool,
    /// Parameter 4: nodes with integrated services on the path.
    pub hops: u32,
    /// Parameter 6: smallest bandwidth of the path, in octets per second; zero says unknown (RFC 2215 3.3), and a sender
    /// may say infinity.
    pub bandwidth: f32,
    /// Parameter 8: minimum path latency, in microseconds; `u32::MAX` says indeterminate (RFC 2215 3.4).
    pub latency_us: u32,
    /// Parameter 10: path MTU, in octets.
    pub mtu: u32,
}

impl GeneralParams {
    /// The bandwidth, unless a node on the path could not tell it and made it zero (RFC 2215 3.3).
    pub fn known_bandwidth(&self) -> Option<f32> {
        (self.bandwidth > 0.0).then_some(self.bandwidth)
    }

    /// The latency, unless it is indeterminate (RFC 2215 3.4).
    pub fn known_latency_us(&self) -> Option<u32> {
        (self.latency_us != u32::MAX).then_some(self.latency_us)
    }
}

/// What Controlled-Load has in an ADSPEC, RFC 2210 3.3.4.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct ServiceParams {
    /// A node on the path does not support the service.
    pub break_bit: bool,
    /// Values that replace the general ones for this service.
    pub overrides: Overrides,
}

/// What Guaranteed has in an ADSPEC, RFC 2210 3.3.3. A fragment without parameters reads as zeros.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct GuaranteedParams {
    /// A node on the path does not support the service.
    pub break_bit: bool,
    /// Parameter 133: end-to-end composed C, in octets.
    pub ctot: u32,
    /// Parameter 134: end-to-end composed D, in microseconds.
    pub dtot: u32,
    /// Parameter 135: C composed since the last reshaping point, in octets.
    pub csum: u32,
    /// Parameter 136: D composed since the last reshaping point, in microseconds.
    pub dsum: u32,
    /// Values that replace the general ones for this service.
    pub overrides: Overrides,
}

/// General parameters repeated in the fragment of a service, RFC 2210 3.3.5. Units as in [`GeneralParams`].
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct Overrides {
    /// Parameter 4.
    pub hops: Option<u32>,
    /// Parameter 6.
    pub bandwidth: Option<f32>,
    /// Parameter 8.
    pub latency_us: Option<u32>,
    /// Parameter 10.
    pub mtu: Option<u32>,
}

const HOPS: u8 = 4;
const BANDWIDTH: u8 = 6;
const LATENCY: u8 = 8;
const MTU: u8 = 10;
const CTOT: u8 = 133;
const DTOT: u8 = 134;
const CSUM: u8 = 135;
const DSUM: u8 = 136;
/// Words of a parameter with one word of value.
const PARAMETER_WORDS: u16 = 2;

/// Checks a whole ADSPEC and gathers its values in one pass.
#[inline]
pub(super) fn survey(object: ObjectRef<'_>) -> Result<AdspecSummary, ParseError> {
    if object.ctype != CType(2) {
        return Err(object.unknown_ctype());
    }
    let mut summary = AdspecSummary {
        global: GeneralParams { break_bit: false, hops: 0, bandwidth: 0.0, latency_us: 0, mtu: 0 },
        guaranteed: None,
        controlled_load: None,
        null: None,
    };
    // Filled in place: the value is large enough for its way through a parser's results to be a third of the work.
    whole(object, |body| fill(&mut summary, body))?;
    Ok(summary)
}

#[inline]
fn fill<'a>(summary: &mut AdspecSummary, body: &'a [u8]) -> Parsed<'a, ()> {
    let (first, words) = message_header(body)?;
    if octets(words) != first.len() {
        return fault(body.get(2..).unwrap_or_default(), Why::BodyLength);
    }
    let (mut rest, (service, break_bit, data)) = fragment(first)?;
    if service != GENERAL {
        return fault(first, Why::BodyValue);
    }
    let Some(global) = general(break_bit, data)? else { return fault(first, Why::BodyValue) };
    summary.global = global;
    while !rest.is_empty() {
        let (after, (service, break_bit, data)) = fragment(rest)?;
        let twice = match service {
            GENERAL => true,
            GUARANTEED => summary.guaranteed.replace(guaranteed(break_bit, data)?).is_some(),
            CONTROLLED_LOAD => summary.controlled_load.replace(controlled_load(break_bit, data)?).is_some(),
            other => {
                any_params(other, data)?;
                other == NULL && summary.null.replace(break_bit).is_some()
            }
        };
        if twice {
            return fault(rest, Why::BodyValue);
        }
        rest = after;
    }
    Ok((rest, ()))
}

type Checked<'a, T> = Result<T, nom::Err<Fault<'a>>>;

/// The general fragment; none if one of its four parameters is missing.
#[inline]
fn general(break_bit: bool, data: &[u8]) -> Checked<'_, Option<GeneralParams>> {
    if let Some([hops, bandwidth, latency_us, mtu]) = as_drawn([HOPS, BANDWIDTH, LATENCY, MTU], data) {
        let bandwidth = f32::from_bits(bandwidth);
        if bandwidth >= 0.0 {
            return Ok(Some(GeneralParams { break_bit, hops, bandwidth, latency_us, mtu }));
        }
    }
    let (Overrides { hops, bandwidth, latency_us, mtu }, _) = any_params(GENERAL, data)?;
    Ok(hops.zip(bandwidth).zip(latency_us).zip(mtu).map(|(((hops, bandwidth), latency_us), mtu)| {
        GeneralParams { break_bit, hops, bandwidth, latency_us, mtu }
    }))
}

#[inline]
fn guaranteed(break_bit: bool, data: &[u8]) -> Checked<'_, GuaranteedParams> {
    if let Some([ctot, dtot, csum, dsum]) = as_drawn([CTOT, DTOT, CSUM, DSUM], data) {
        return Ok(GuaranteedParams { break_bit, ctot, dtot, csum, dsum, overrides: Overrides::default() });
    }
    let (overrides, [ctot, dtot, csum, dsum]) = any_params(GUARANTEED, data)?;
    Ok(GuaranteedParams { break_bit, ctot, dtot, csum, dsum, overrides })
}

#[inline]
fn controlled_load(break_bit: bool, data: &[u8]) -> Checked<'_, ServiceParams> {
    let overrides = if data.is_empty() { Overrides::default() } else { any_params(CONTROLLED_LOAD, data)?.0 };
    Ok(ServiceParams { break_bit, overrides })
}

/// Exactly four parameters of one word each in the order in which RFC 2210 draws them, which is how nearly all
/// fragments look (3.3: "fixed by the service definition, and does not require run-time parsing").
#[inline]
fn as_drawn(numbers: [u8; 4], data: &[u8]) -> Option<[u32; 4]> {
    let block: &[u8; 32] = data.try_into().ok()?;
    let mut values = [0; 4];
    let mut differs = 0;
    for ((number, value), &pair) in numbers.into_iter().zip(&mut values).zip(block.as_chunks::<8>().0) {
        let pair = u64::from_be_bytes(pair);
        // Number and length must be as drawn; the flags between them are ignored.
        differs |= ((pair >> 32) as u32 ^ (u32::from(number) << 24 | 1)) & 0xff00_ffff;
        *value = pair as u32;
    }
    (differs == 0).then_some(values)
}

/// Parameters in any order: the general ones, and the four of Guaranteed. In services that have a name a parameter that
/// has one is as long as RFC 2215 and RFC 2212 draw it, whether it is of use here or not. Of unknown services only the
/// framing is checked: nothing is known about what their parameters hold.
#[inline(never)]
fn any_params(service: u8, mut data: &[u8]) -> Checked<'_, (Overrides, [u32; 4])> {
    let mut general = Overrides::default();
    let mut terms = [0; 4];
    while !data.is_empty() {
        let (rest, (number, _, value)) = parameter(data)?;
        let drawn = PARAMETERS.row(number.into()).and_then(|row| row.layout?.bits());
        if SERVICES.row(service.into()).is_some() && drawn.is_some_and(|bits| bits / 8 != value.len()) {
            return fault(value, Why::BodyLength).map(|(_, never)| never);
        }
        let [ctot, dtot, csum, dsum] = &mut terms;
        match number {
            _ if ![GENERAL, GUARANTEED, CONTROLLED_LOAD].contains(&service) => {}
            HOPS => general.hops = Some(sole(word, value)?),
            BANDWIDTH => general.bandwidth = Some(sole(maybe_infinite, value)?),
            LATENCY => general.latency_us = Some(sole(word, value)?),
            MTU => general.mtu = Some(sole(word, value)?),
            _ if service != GUARANTEED => {}
            CTOT => *ctot = sole(word, value)?,
            DTOT => *dtot = sole(word, value)?,
            CSUM => *csum = sole(word, value)?,
            DSUM => *dsum = sole(word, value)?,
            _ => {}
        }
        data = rest;
    }
    Ok((general, terms))
}

/// A value that is exactly what one parser reads.
#[inline]
fn sole<'a, T>(parser: fn(&'a [u8]) -> Parsed<'a, T>, value: &'a [u8]) -> Checked<'a, T> {
    let ([], read) = parser(value)? else { return fault(value, Why::BodyLength).map(|(_, never)| never) };
    Ok(read)
}

impl Overrides {
    #[inline]
    fn words(&self) -> u16 {
        let Self { hops, bandwidth, latency_us, mtu } = self;
        [hops.is_some(), bandwidth.is_some(), latency_us.is_some(), mtu.is_some()]
            .into_iter()
            .map(|present| if present { PARAMETER_WORDS } else { 0 })
            .fold(0, u16::wrapping_add)
    }

    #[inline]
    fn write(&self, out: &mut impl BufMut) {
        let bandwidth = self.bandwidth.map(f32::to_bits);
        let values = [(HOPS, self.hops), (BANDWIDTH, bandwidth), (LATENCY, self.latency_us), (MTU, self.mtu)];
        for (number, value) in values {
            if let Some(value) = value {
                put_parameter(number, value, out);
            }
        }
    }
}

#[inline]
fn put_parameter(number: u8, value: u32, out: &mut impl BufMut) {
    put_parameter_header(number, 1, out);
    out.put_u32(value);
}

/// Words of the parameters of the general fragment, and of the Guaranteed one without overrides.
const FOUR_PARAMETERS: u16 = 4 * PARAMETER_WORDS;

impl AdspecSummary {
    /// Words after the message header.
    #[inline]
    fn words(&self) -> u16 {
        let guaranteed =
            self.guaranteed.map_or(0, |params| params.overrides.words().wrapping_add(FOUR_PARAMETERS + 1));
        let controlled_load =
            self.controlled_load.map_or(0, |params| params.overrides.words().wrapping_add(1));
        let null = u16::from(self.null.is_some());
        guaranteed.wrapping_add(controlled_load).wrapping_add(null).wrapping_add(FOUR_PARAMETERS + 1)
    }
}

impl<'a> Object<'a> for AdspecSummary {
    const CLASS: Class = Class::ADSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        survey(object)
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        octets(self.words().wrapping_add(1))
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_message_header(self.words(), out);
        let GeneralParams { break_bit, hops, bandwidth, latency_us, mtu } = self.global;
        put_service_header(GENERAL, break_bit, FOUR_PARAMETERS, out);
        put_parameter(HOPS, hops, out);
        put_parameter(BANDWIDTH, bandwidth.to_bits(), out);
        put_parameter(LATENCY, latency_us, out);
        put_parameter(MTU, mtu, out);
        if let Some(GuaranteedParams { break_bit, ctot, dtot, csum, dsum, overrides }) = self.guaranteed {
            put_service_header(GUARANTEED, break_bit, overrides.words().wrapping_add(FOUR_PARAMETERS), out);
            put_parameter(CTOT, ctot, out);
            put_parameter(DTOT, dtot, out);
            put_parameter(CSUM, csum, out);
            put_parameter(DSUM, dsum, out);
            overrides.write(out);
        }
        if let Some(ServiceParams { break_bit, overrides }) = self.controlled_load {
            put_service_header(CONTROLLED_LOAD, break_bit, overrides.words(), out);
            overrides.write(out);
        }
        if let Some(break_bit) = self.null {
            put_service_header(NULL, break_bit, 0, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;

    const GENERAL_PARAMS: GeneralParams =
        GeneralParams { break_bit: false, hops: 1, bandwidth: 1_250_000.0, latency_us: 0, mtu: 1500 };
    /// wireshark-mpls-te, packet 1: general, Guaranteed and Controlled-Load.
    const CAPTURED: &str = "00540d02 00000013
        01000008 04000001 00000001 06000001 49989680 08000001 00000000 0a000001 000005dc
        02000008 85000001 0002961c 86000001 000004b0 87000001 0002961c 88000001 000004b0
        05000000";

    #[test]
    fn as_captured() {
        let terms = (0x0002_961c, 0x4b0);
        let (ctot, dtot) = terms;
        let guaranteed =
            GuaranteedParams { ctot, dtot, csum: ctot, dsum: dtot, ..GuaranteedParams::default() };
        let controlled_load = Some(ServiceParams::default());
        let summary = AdspecSummary {
            global: GENERAL_PARAMS,
            guaranteed: Some(guaranteed),
            controlled_load,
            null: None,
        };
        both_ways(&octets(CAPTURED), &summary);
    }

    #[test]
    fn general_only_with_infinite_bandwidth() {
        // kom-real-3hop, packet 1, octet 88.
        let octets = octets(
            "002c0d02 00000009 01000008 04000001 00000001 06000001 7f800000 08000001 00000000
                             0a000001 7fffffff",
        );
        let global = GeneralParams { bandwidth: f32::INFINITY, mtu: 0x7fff_ffff, ..GENERAL_PARAMS };
        both_ways(&octets, &AdspecSummary { global, guaranteed: None, controlled_load: None, null: None });
    }

    #[test]
    fn null_service_is_a_header_alone() {
        // By hand from RFC 2997 4.2, with the break bit.
        let octets = octets(
            "00300d02 0000000a 01000008 04000001 00000001 06000001 7f800000 08000001 00000000
                             0a000001 7fffffff 06800000",
        );
        let global = GeneralParams { bandwidth: f32::INFINITY, mtu: 0x7fff_ffff, ..GENERAL_PARAMS };
        let null = Some(true);
        both_ways(&octets, &AdspecSummary { global, guaranteed: None, controlled_load: None, null });
    }

    #[test]
    fn overrides_and_break_bits() {
        // By hand from RFC 2210 3.3.3 and 3.3.5: every override in both services, all break bits.
        let overrides = "04000001 00000002 06000001 447a0000 08000001 00000007 0a000001 00000240";
        let octets = octets(&std::format!(
            "00940d02 00000023
             01800008 04000001 00000001 06000001 49989680 08000001 00000000 0a000001 000005dc
             02800010 85000001 00000001 86000001 00000002 87000001 00000003 88000001 00000004 {overrides}
             05800008 {overrides}"
        ));
        let overrides =
            Overrides { hops: Some(2), bandwidth: Some(1000.0), latency_us: Some(7), mtu: Some(576) };
        let break_bit = true;
        both_ways(
            &octets,
            &AdspecSummary {
                global: GeneralParams { break_bit, ..GENERAL_PARAMS },
                guaranteed: Some(GuaranteedParams {
                    break_bit,
                    ctot: 1,
                    dtot: 2,
                    csum: 3,
                    dsum: 4,
                    overrides,
                }),
                controlled_load: Some(ServiceParams { break_bit, overrides }),
                null: None,
            },
        );
    }

    #[test]
    fn empty_guaranteed_fragment() {
        // By hand from RFC 2210 3.3.3: a header word with the break bit.
        let octets = octets(
            "00300d02 0000000a 01000008 04000001 00000001 06000001 49989680 08000001 00000000
                             0a000001 000005dc 02800000",
        );
        let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
        let read = object.read::<AdspecSummary>().unwrap();
        assert_eq!(
            read.guaranteed,
            Some(GuaranteedParams { break_bit: true, ..GuaranteedParams::default() })
        );
    }

    #[test]
    fn what_is_refused() {
        let change = |offset: usize, octet: u8| {
            let mut octets = octets(CAPTURED);
            octets[offset] = octet;
            octets
        };
        refused::<AdspecSummary>(&change(3, 1), 3, Why::UnknownCType);
        refused::<AdspecSummary>(&change(4, 0x10), 4, Why::BodyValue);
        refused::<AdspecSummary>(&change(7, 0x12), 6, Why::BodyLength);
        // Not service 1 first; service 1 without its MTU; a parameter of no length; past the fragment.
        refused::<AdspecSummary>(&change(8, 5), 8, Why::BodyValue);
        refused::<AdspecSummary>(&change(36, 11), 8, Why::BodyValue);
        refused::<AdspecSummary>(&change(15, 0), 16, Why::BodyLength);
        refused::<AdspecSummary>(&change(39, 9), 40, Why::BodyLength);
        // A bandwidth that is no number; a service twice; a fragment past the end.
        refused::<AdspecSummary>(&change(24, 0xff), 24, Why::BodyValue);
        refused::<AdspecSummary>(&change(80, 2), 80, Why::BodyValue);
        refused::<AdspecSummary>(&change(83, 1), 84, Why::BodyLength);
        // Two words of Ctot, although nothing asks for it in Controlled-Load.
        let mut long = [change(83, 3), octets("85000002 00000001 00000002")].concat();
        (long[1], long[7]) = (96, 22);
        refused::<AdspecSummary>(&long, 88, Why::BodyLength);
    }
}
