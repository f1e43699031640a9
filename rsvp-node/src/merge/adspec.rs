//! What this node adds to an ADSPEC on the way to an outgoing interface (RFC 2210 section 3.3, RFC 2215 section 3,
//! RFC 2212): hop count, bandwidth, latency and MTU in the default fragment, error terms in the Guaranteed fragment,
//! overrides where a fragment has them, break bits for what the node or the path does not do.
//!
//! The node has no service-specific values of its own, so an override is composed with the local default
//! (RFC 2210 section 3.3.5).

use crate::api::AdspecOffer;
use crate::interface::Interface;
use rsvp_wire::{AdspecSummary, GeneralParams, GuaranteedParams, Overrides, ServiceParams};

const GENERAL: u8 = 1;
const GUARANTEED: u8 = 2;
const CONTROLLED_LOAD: u8 = 5;
/// RFC 2997; it has no parameters that could be composed.
const NULL: u8 = 6;
const BREAK: u8 = 0x80;
/// What an empty Guaranteed fragment is expanded to before it is composed: its four parameters, each of one word.
const GUARANTEED_ZEROS: [u8; 32] =
    [133, 0, 0, 1, 0, 0, 0, 0, 134, 0, 0, 1, 0, 0, 0, 0, 135, 0, 0, 1, 0, 0, 0, 0, 136, 0, 0, 1, 0, 0, 0, 0];

/// The ADSPEC of a new sender: the identity of every composition rule, so that the first interface sets the values.
pub(crate) fn initial(offer: AdspecOffer) -> AdspecSummary {
    let AdspecOffer { guaranteed, controlled_load, null } = offer;
    AdspecSummary {
        global: GeneralParams {
            break_bit: false,
            hops: 0,
            bandwidth: f32::INFINITY,
            latency_us: 0,
            mtu: u32::MAX,
        },
        guaranteed: guaranteed.then_some(GuaranteedParams {
            break_bit: false,
            ctot: 0,
            dtot: 0,
            csum: 0,
            dsum: 0,
            overrides: Overrides::default(),
        }),
        controlled_load: controlled_load
            .then_some(ServiceParams { break_bit: false, overrides: Overrides::default() }),
        null: null.then_some(false),
    }
}

/// Writes into `out` the ADSPEC object `object` (header included, sound) as it leaves through `interface`.
/// `non_rsvp` tells of hops without RSVP behind this node: the global break bit.
pub(crate) fn advertise(out: &mut Vec<u8>, object: &[u8], interface: &Interface, non_rsvp: bool) {
    out.clear();
    out.extend_from_slice(object);
    let mut at = 8;
    while let Some(&[service, flags, h, l]) = out.get(at..).and_then(<[u8]>::first_chunk) {
        let body = at + 4;
        let mut end = body + usize::from(u16::from_be_bytes([h, l])) * 4;
        // A service that nothing carries out here is one that this node does not have, and its data is left as it is.
        let known = match service {
            GENERAL | NULL => true,
            GUARANTEED | CONTROLLED_LOAD => interface.enforces,
            _ => false,
        };
        if !known || (service == GENERAL && non_rsvp) {
            out[at + 1] = flags | BREAK;
        }
        if known && service == GUARANTEED && end == body {
            out.splice(body..body, GUARANTEED_ZEROS);
            out[at + 3] = (GUARANTEED_ZEROS.len() / 4) as u8;
            end += GUARANTEED_ZEROS.len();
        }
        let Some(body) = out.get_mut(body..end) else { break };
        if known {
            compose(service, body, interface);
        }
        at = end;
    }
    let length = out.len();
    if length >= 8 {
        out[0..2].copy_from_slice(&(length as u16).to_be_bytes());
        out[6..8].copy_from_slice(&((length / 4 - 2) as u16).to_be_bytes());
    }
}

/// Composes every parameter of a fragment with the local value.
fn compose(service: u8, mut body: &mut [u8], interface: &Interface) {
    while let Some((&mut [parameter, _, h, l], after)) =
        core::mem::take(&mut body).split_first_chunk_mut::<4>()
    {
        let length = usize::from(u16::from_be_bytes([h, l])) * 4;
        let Some((value, next)) = after.split_at_mut_checked(length) else { return };
        if let Some(word) = value.first_chunk_mut::<4>() {
            *word = compose_word(service, parameter, *word, interface);
        }
        body = next;
    }
}

fn compose_word(service: u8, parameter: u8, word: [u8; 4], interface: &Interface) -> [u8; 4] {
    let value = u32::from_be_bytes(word);
    let composed = match parameter {
        // NUMBER_OF_IS_HOPS ranges to 255 (RFC 2215 section 3.2).
        4 => value.saturating_add(1).min(255),
        6 => f32::from_bits(value).min(interface.bandwidth_bps as f32 / 8.0).to_bits(),
        8 => value.saturating_add(interface.latency_us),
        10 => value.min(interface.mtu),
        133 | 135 if service == GUARANTEED => value.saturating_add(interface.error_c),
        134 | 136 if service == GUARANTEED => value.saturating_add(interface.error_d_us),
        _ => value,
    };
    composed.to_be_bytes()
}
