//! What a receiving flowspec becomes on the wire: the FLOWSPEC of a Resv, from the request and what the Path said.
//!
//! | service | request | Tspec | Rspec |
//! |---|---|---|---|
//! | Controlled-Load | whatever is specified, headers counted | the sender's for the rest | |
//! | Guaranteed | TokenRate, DelayVariation (Latency is ignored) | the sender's | R, S |
//! | Guaranteed | DelayVariation, Latency | the sender's | R from these and the ADSPEC, S |
//! | Qualitative | nothing | its largest packet | |
//!
//! {TokenRate, Latency} and less than these are refused. Source: the published pages of Path and Resv messages and of Tspec,
//! flowspec and ADSPEC. Two decisions of our own: R is at least the r of the Path, without which RFC 2212 has no
//! reservation; and the delay for which a rate is computed is what Latency leaves when the network uses the slack, because
//! both together are to be kept.

use super::flowspec::Flowspec;
use super::overhead::Overhead;
use super::service_type::ServiceType;
use super::status::{Invalid, Status};
use crate::guaranteed::{NoRate, rspec_for_delay};
use core::time::Duration;
use rsvp_wire::{AdspecSummary, Flowspec as WireFlowspec, Rspec, Tspec};
use thiserror::Error;

/// Why a receiver has no reservation to make.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum NoReservation {
    /// The request itself is at fault.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The path cannot do it.
    #[error(transparent)]
    NoRate(#[from] NoRate),
}

/// Whether a Guaranteed receiver has said what it needs.
pub(super) fn check_guaranteed(receiving: &Flowspec) -> Result<(), Invalid> {
    let wrong = |why| Err(Invalid::new(Status::EFLOWSPEC, why));
    match (receiving.token_rate, receiving.delay_variation_us, receiving.latency_us) {
        (Some(_), Some(_), _) | (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(()),
        (Some(_), None, Some(_)) => {
            wrong("TokenRate and Latency are not enough for Guaranteed service: DelayVariation is missing")
        }
        (None, ..) => wrong("Guaranteed service needs TokenRate, or DelayVariation and Latency"),
    }
}

/// The reservation for a Path with this Tspec and, where it had one, this ADSPEC; `None` when the request is for a service
/// for which nothing is reserved, or signalling is switched off.
///
/// # Errors
/// When the request does not say enough, or the path cannot do it.
pub fn reservation(
    receiving: &Flowspec,
    overhead: Overhead,
    path: &Tspec,
    adspec: Option<&AdspecSummary>,
) -> Result<Option<WireFlowspec>, NoReservation> {
    if !receiving.service.is_signalled() {
        return Ok(None);
    }
    match receiving.service.service_type {
        ServiceType::ControlledLoad => {
            Ok(Some(WireFlowspec::ControlledLoad(controlled_load(receiving, overhead, path))))
        }
        ServiceType::Guaranteed => Ok(Some(WireFlowspec::Guaranteed(*path, rspec(receiving, path, adspec)?))),
        ServiceType::Qualitative => Ok(Some(WireFlowspec::Null(Tspec::null(path.max_packet_size)))),
        _ => Err(Invalid::new(Status::ESERVICETYPE, "a receiver has to choose a service").into()),
    }
}

/// What is specified, and the sender's for the rest.
fn controlled_load(receiving: &Flowspec, overhead: Overhead, path: &Tspec) -> Tspec {
    let of_path = path.min_policed_unit.saturating_sub(overhead.octets());
    let minimum = receiving.minimum_policed_size.unwrap_or(of_path);
    let rate = |rate: f64| overhead.rate(rate, minimum) as f32;
    let size = |size| overhead.size(size);
    let min_policed_unit = receiving.minimum_policed_size.map_or(path.min_policed_unit, size);
    Tspec {
        rate: receiving.token_rate.map_or(path.rate, |own| rate(own.into())),
        bucket: receiving.token_bucket_size.map_or(path.bucket, |own| size(own) as f32),
        peak: receiving.peak_bandwidth.map_or(path.peak, |own| rate(own.rate())),
        min_policed_unit,
        max_packet_size: receiving.max_sdu_size.map_or(path.max_packet_size, size).max(min_policed_unit),
    }
}

/// R and S.
fn rspec(receiving: &Flowspec, path: &Tspec, adspec: Option<&AdspecSummary>) -> Result<Rspec, NoReservation> {
    check_guaranteed(receiving)?;
    let slack = receiving.delay_variation_us.unwrap_or(0);
    let rate = match (receiving.token_rate, receiving.latency_us) {
        (None, Some(latency_us)) => {
            let left = Duration::from_micros(latency_us.saturating_sub(slack).into());
            rspec_for_delay(path, adspec.ok_or(NoRate::NotOffered)?, left)?.rate
        }
        (rate, _) => rate.map_or(path.rate, |rate| rate as f32),
    };
    Ok(Rspec { rate: rate.max(path.rate), slack })
}
