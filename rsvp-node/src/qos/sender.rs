//! What a sending flowspec becomes on the wire: the Tspec of a Path, and which services its ADSPEC offers.
//!
//! Source: the published pages of Tspec, flowspec and ADSPEC; the defaults are MinimumPolicedSize 128 and MaxSduSize 1500
//! (or, by the article, the MTU of the medium). Both are sizes of packets on the network when they are defaults, and sizes
//! of the application's own, to which headers come, when they are given. Nothing says what an unspecified TokenBucketSize
//! is: here it is one largest packet. Latency and DelayVariation of a sender do not travel.

use super::flowspec::{Flowspec, Peak};
use super::overhead::Overhead;
use super::service_type::ServiceType;
use super::status::{Invalid, Status};
use crate::AdspecOffer;
use rsvp_wire::Tspec;

/// The MaxSduSize that is signalled when none is specified and the MTU of the path is not asked for, in octets.
pub const DEFAULT_MAX_SDU_SIZE: u32 = 1500;
/// The MinimumPolicedSize when none is specified, in octets.
pub const DEFAULT_MINIMUM_POLICED_SIZE: u32 = 128;

/// The traffic that a sender announces, its headers counted. `default_max_sdu_size` is [`DEFAULT_MAX_SDU_SIZE`] or the MTU
/// of the path.
///
/// # Errors
/// 11017 when there is no rate and the service needs one.
pub fn tspec(sending: &Flowspec, overhead: Overhead, default_max_sdu_size: u32) -> Result<Tspec, Invalid> {
    let minimum = sending.minimum_policed_size.unwrap_or(DEFAULT_MINIMUM_POLICED_SIZE);
    let min_policed_unit = sending.minimum_policed_size.map_or(minimum, |size| overhead.size(size));
    let largest = sending.max_sdu_size.map_or(default_max_sdu_size, |size| overhead.size(size));
    let max_packet_size = largest.max(min_policed_unit);
    let Some(rate) = sending.token_rate else {
        if sending.service.service_type == ServiceType::Qualitative {
            return Ok(Tspec::null(max_packet_size));
        }
        return Err(Invalid::new(Status::EFLOWSPEC, "a sender has to specify its TokenRate"));
    };
    let bucket = sending.token_bucket_size.map_or(max_packet_size, |size| overhead.size(size));
    let peak = sending.peak_bandwidth.unwrap_or(Peak::Infinite).rate();
    Ok(Tspec {
        rate: overhead.rate(rate.into(), minimum) as f32,
        bucket: bucket as f32,
        peak: overhead.rate(peak, minimum) as f32,
        min_policed_unit,
        max_packet_size,
    })
}

/// The flowspec with which a socket announces this traffic, whose headers are counted: the way back from [`tspec`], up to the
/// octet per second to which a flowspec rounds. `None` when headers leave no octet of a packet or of the rate.
#[must_use]
pub fn flowspec(traffic: &Tspec, overhead: Overhead, service: ServiceType) -> Option<Flowspec> {
    let own = |size: u32| size.checked_sub(overhead.octets()).filter(|own| *own > 0);
    let minimum = own(traffic.min_policed_unit)?;
    let with_headers = overhead.rate(1.0, minimum);
    let rate = |rate: f32| (f64::from(rate) / with_headers).round() as u32;
    let token_rate = Some(rate(traffic.rate)).filter(|rate| *rate > 0)?;
    let peak = |peak: f32| Peak::Finite(rate(peak).max(token_rate));
    Some(Flowspec {
        token_rate: Some(token_rate),
        token_bucket_size: Some((traffic.bucket as u32).saturating_sub(overhead.octets())),
        peak_bandwidth: traffic.peak.is_finite().then(|| peak(traffic.peak)),
        max_sdu_size: Some(own(traffic.max_packet_size)?),
        minimum_policed_size: Some(minimum),
        ..Flowspec::of(service)
    })
}

/// What receivers may choose from: a concrete service restricts them to it, GENERAL_INFORMATION offers all. `None` where
/// nothing is signalled.
#[must_use]
pub fn offer(sending: &Flowspec) -> Option<AdspecOffer> {
    let none = AdspecOffer::default();
    match sending.service.service_type {
        _ if !sending.service.is_signalled() => None,
        ServiceType::ControlledLoad => Some(AdspecOffer { controlled_load: true, ..none }),
        ServiceType::Guaranteed => Some(AdspecOffer { guaranteed: true, ..none }),
        ServiceType::Qualitative => Some(AdspecOffer { null: true, ..none }),
        ServiceType::GeneralInformation => {
            Some(AdspecOffer { guaranteed: true, controlled_load: true, null: true })
        }
        _ => None,
    }
}
