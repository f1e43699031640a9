//! FLOWSPEC: what an application says of one direction of its traffic.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            TokenRate (octets per second)              |
//! |            TokenBucketSize (octets)                   |
//! |            PeakBandwidth (octets per second)          |
//! |            Latency (microseconds)                     |
//! |            DelayVariation (microseconds)              |
//! |            ServiceType                                |
//! |            MaxSduSize (octets)                        |
//! |            MinimumPolicedSize (octets)                |
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! Eight words of 32 bits, the lower octet first. Source: the published page of FLOWSPEC. A word of 0xFFFFFFFF is "not
//! specified", which is `None` here; 0xFFFFFFFE as PeakBandwidth is no limit. Sizes and rates are those of the
//! application: what headers add is [`overhead`](super::overhead)'s.

use super::objects::octets::{Cursor, put_word};
use super::service_type::{Service, ServiceType};
use super::status::{Invalid, Status};
use rsvp_wire::{Flowspec as WireFlowspec, Tspec};

/// "Not specified".
pub(super) const NOT_SPECIFIED: u32 = u32::MAX;
/// As a PeakBandwidth: no limit.
const POSITIVE_INFINITY_RATE: u32 = u32::MAX - 1;

/// One direction. The default is that of a new socket: nothing specified, nothing to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flowspec {
    /// Rate of the token bucket, in octets per second.
    pub token_rate: Option<u32>,
    /// Depth of the token bucket, in octets.
    pub token_bucket_size: Option<u32>,
    /// Limit of the rate within bursts.
    pub peak_bandwidth: Option<Peak>,
    /// Longest delay that is acceptable, in microseconds; of a Guaranteed receiver only.
    pub latency_us: Option<u32>,
    /// Difference between longest and shortest delay, in microseconds; the slack term of a Guaranteed receiver.
    pub delay_variation_us: Option<u32>,
    /// The service.
    pub service: Service,
    /// Largest packet, in octets.
    pub max_sdu_size: Option<u32>,
    /// Smaller packets count as this large, in octets.
    pub minimum_policed_size: Option<u32>,
}

/// A PeakBandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peak {
    /// In octets per second.
    Finite(u32),
    /// No limit.
    Infinite,
}

impl Peak {
    /// In octets per second, as a Tspec has it.
    #[must_use]
    pub fn rate(self) -> f64 {
        match self {
            Self::Finite(rate) => rate.into(),
            Self::Infinite => f64::INFINITY,
        }
    }

    const fn of_word(word: u32) -> Self {
        match word {
            POSITIVE_INFINITY_RATE => Self::Infinite,
            rate => Self::Finite(rate),
        }
    }
}

impl Flowspec {
    /// Octets of a FLOWSPEC.
    pub const LEN: usize = 32;

    /// A direction of which nothing but the service is said.
    #[must_use]
    pub fn of(service: ServiceType) -> Self {
        Self { service: service.into(), ..Self::default() }
    }

    /// What a reservation or an announcement on the wire says: its rate and sizes are those with headers.
    #[must_use]
    pub fn of_tspec(service: ServiceType, tspec: &Tspec) -> Self {
        let peak = if tspec.peak.is_infinite() { Peak::Infinite } else { Peak::Finite(rounded(tspec.peak)) };
        Self {
            token_rate: Some(rounded(tspec.rate)),
            token_bucket_size: Some(rounded(tspec.bucket)),
            peak_bandwidth: Some(peak),
            max_sdu_size: Some(tspec.max_packet_size),
            minimum_policed_size: Some(tspec.min_policed_unit),
            ..Self::of(service)
        }
    }

    /// What a reservation says. Of Guaranteed service the rate is R and the delay variation S, as a receiver says it.
    #[must_use]
    pub fn of_reservation(reserved: &WireFlowspec) -> Self {
        let said = Self::of_tspec(ServiceType::of_reservation(reserved), reserved.tspec());
        match reserved {
            WireFlowspec::Guaranteed(_, rspec) => {
                Self { token_rate: Some(rounded(rspec.rate)), delay_variation_us: Some(rspec.slack), ..said }
            }
            WireFlowspec::ControlledLoad(_) | WireFlowspec::Null(_) => said,
        }
    }

    /// This request over what there was: NOCHANGE leaves the direction as it is.
    #[must_use]
    pub fn over(self, before: Self) -> Self {
        if self.service.service_type == ServiceType::NoChange { before } else { self }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let peak = self.peak_bandwidth.map(|peak| match peak {
            Peak::Finite(rate) => rate,
            Peak::Infinite => POSITIVE_INFINITY_RATE,
        });
        let words = [self.token_rate, self.token_bucket_size, peak, self.latency_us, self.delay_variation_us];
        words.into_iter().for_each(|word| put_word(out, word.unwrap_or(NOT_SPECIFIED)));
        put_word(out, self.service.word());
        put_word(out, self.max_sdu_size.unwrap_or(NOT_SPECIFIED));
        put_word(out, self.minimum_policed_size.unwrap_or(NOT_SPECIFIED));
    }

    /// Reads one; `None` where there are too few octets.
    pub(super) fn read(octets: &mut Cursor<'_>) -> Option<Result<Self, Invalid>> {
        let mut specified = || octets.word().map(|word| (word != NOT_SPECIFIED).then_some(word));
        let mut flowspec = Self {
            token_rate: specified()?,
            token_bucket_size: specified()?,
            peak_bandwidth: specified()?.map(Peak::of_word),
            latency_us: specified()?,
            delay_variation_us: specified()?,
            ..Self::default()
        };
        let service = octets.word()?;
        let mut specified = || octets.word().map(|word| (word != NOT_SPECIFIED).then_some(word));
        flowspec.max_sdu_size = specified()?;
        flowspec.minimum_policed_size = specified()?;
        Some(match Service::of_word(service) {
            Some(service) => Ok(Self { service, ..flowspec }),
            None => Err(Invalid::new(Status::ESERVICETYPE, "the service type is unknown or not supported")),
        })
    }

    /// Whether a number would be read as one of the words that mean something else.
    pub(super) fn has_special_numbers(&self) -> bool {
        let peak = match self.peak_bandwidth {
            Some(Peak::Finite(rate)) => Some(rate),
            Some(Peak::Infinite) | None => None,
        };
        let numbers = [
            self.token_rate,
            self.token_bucket_size,
            self.latency_us,
            self.delay_variation_us,
            self.max_sdu_size,
            self.minimum_policed_size,
        ];
        numbers.contains(&Some(NOT_SPECIFIED)) || peak.is_some_and(|rate| rate >= POSITIVE_INFINITY_RATE)
    }
}

/// As a whole number that is neither of the special ones.
fn rounded(value: f32) -> u32 {
    (value.round() as u32).min(POSITIVE_INFINITY_RATE - 1)
}
