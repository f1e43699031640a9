//! Traffic, services and what a path offers, as the control protocol writes them (RFC 2210, RFC 2212, RFC 2215).
//!
//! Rates are in bits per second here and in octets per second on the wire; both ways are exact. What the values may be
//! is judged by the engine.

use rsvp_wire::{
    AdspecSummary, Flowspec, GeneralParams, GuaranteedParams, Overrides, Rspec, ServiceParams, Tspec,
};
use serde::{Deserialize, Serialize};

/// A token bucket (RFC 2215 section 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Token rate r, in bits per second.
    pub rate_bps: f64,
    /// Bucket depth b, in octets.
    #[serde(default = "default_bucket")]
    pub bucket: f64,
    /// Peak rate p, in bits per second; `None` is unlimited.
    #[serde(default)]
    pub peak_bps: Option<f64>,
    /// Minimum policed unit m, in octets.
    #[serde(default = "default_min_packet")]
    pub min_packet: u32,
    /// Maximum packet size M, in octets.
    #[serde(default = "default_max_packet")]
    pub max_packet: u32,
}

fn default_bucket() -> f64 {
    15_000.0
}

fn default_min_packet() -> u32 {
    64
}

fn default_max_packet() -> u32 {
    1_500
}

impl Traffic {
    /// Traffic of this rate, with the other parameters as scenario files have them when they say nothing.
    #[must_use]
    pub fn of(rate_bps: f64) -> Self {
        Self {
            rate_bps,
            bucket: default_bucket(),
            peak_bps: None,
            min_packet: default_min_packet(),
            max_packet: default_max_packet(),
        }
    }
}

/// Octets per second as they travel. A rate of no use (negative, not a number) stays one, for the engine to refuse.
fn octets_per_second(bps: f64) -> f32 {
    (bps / 8.0) as f32
}

fn bits_per_second(rate: f32) -> f64 {
    f64::from(rate) * 8.0
}

/// Infinity is no number in JSON.
fn limited(rate: f32) -> Option<f64> {
    rate.is_finite().then(|| bits_per_second(rate))
}

/// Of a bandwidth, 0 is "unknown" (RFC 2215 section 3.3).
fn known_bandwidth(rate: f32) -> Option<f64> {
    limited(rate).filter(|bps| *bps != 0.0)
}

/// Of a latency, all ones are "indeterminate" (RFC 2215 section 3.4).
fn known_latency(us: u32) -> Option<u32> {
    (us != u32::MAX).then_some(us)
}

fn unlimited(bps: Option<f64>) -> f32 {
    bps.map_or(f32::INFINITY, octets_per_second)
}

impl From<Traffic> for Tspec {
    fn from(traffic: Traffic) -> Self {
        Self {
            rate: octets_per_second(traffic.rate_bps),
            bucket: traffic.bucket as f32,
            peak: unlimited(traffic.peak_bps),
            min_policed_unit: traffic.min_packet,
            max_packet_size: traffic.max_packet,
        }
    }
}

impl From<Tspec> for Traffic {
    fn from(tspec: Tspec) -> Self {
        Self {
            rate_bps: bits_per_second(tspec.rate),
            bucket: f64::from(tspec.bucket),
            peak_bps: limited(tspec.peak),
            min_packet: tspec.min_policed_unit,
            max_packet: tspec.max_packet_size,
        }
    }
}

/// A flowspec: the service asked for, and its parameters (RFC 2210 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "service", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Service {
    /// Controlled-Load (RFC 2211).
    ControlledLoad {
        /// The traffic that is to get the service.
        traffic: Traffic,
    },
    /// Null service (RFC 2997): to be known by the network, and no more; only the largest packet counts.
    Null {
        /// The traffic it is for.
        traffic: Traffic,
    },
    /// Guaranteed (RFC 2212).
    Guaranteed {
        /// The traffic that is to get the service.
        traffic: Traffic,
        /// R, in bits per second; at least the rate of the traffic.
        reserve_bps: f64,
        /// Slack term S, in microseconds.
        #[serde(default)]
        slack_us: u32,
    },
}

impl Service {
    /// The traffic that is to get the service.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        let (Self::ControlledLoad { traffic } | Self::Guaranteed { traffic, .. } | Self::Null { traffic }) =
            self;
        traffic
    }
}

impl Service {
    /// As [`traffic`](Self::traffic), to change.
    pub fn traffic_mut(&mut self) -> &mut Traffic {
        let (Self::ControlledLoad { traffic } | Self::Guaranteed { traffic, .. } | Self::Null { traffic }) =
            self;
        traffic
    }
}

impl From<Service> for Flowspec {
    fn from(service: Service) -> Self {
        match service {
            Service::ControlledLoad { traffic } => Self::ControlledLoad(traffic.into()),
            Service::Null { traffic } => Self::Null(Tspec::null(Tspec::from(traffic).max_packet_size)),
            Service::Guaranteed { traffic, reserve_bps, slack_us } => Self::Guaranteed(
                traffic.into(),
                Rspec { rate: octets_per_second(reserve_bps), slack: slack_us },
            ),
        }
    }
}

impl From<Flowspec> for Service {
    fn from(flowspec: Flowspec) -> Self {
        match flowspec {
            Flowspec::ControlledLoad(tspec) => Self::ControlledLoad { traffic: tspec.into() },
            Flowspec::Null(tspec) => Self::Null { traffic: tspec.into() },
            Flowspec::Guaranteed(tspec, rspec) => Self::Guaranteed {
                traffic: tspec.into(),
                reserve_bps: bits_per_second(rspec.rate),
                slack_us: rspec.slack,
            },
        }
    }
}

/// A reservation style (RFC 2205 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Wildcard filter.
    Wf,
    /// Fixed filter.
    Ff,
    /// Shared explicit.
    Se,
    /// None of them; only in what the daemon says.
    Unknown,
}

impl From<Style> for rsvp_wire::Style {
    fn from(style: Style) -> Self {
        match style {
            Style::Wf => Self::WF,
            Style::Ff => Self::FF,
            Style::Se => Self::SE,
            Style::Unknown => Self { flags: 0, options: 0 },
        }
    }
}

impl From<rsvp_wire::Style> for Style {
    fn from(style: rsvp_wire::Style) -> Self {
        let known = [Self::Wf, Self::Ff, Self::Se];
        let same = |s: &Self| rsvp_wire::Style::from(*s).options == style.options;
        known.into_iter().find(same).unwrap_or(Self::Unknown)
    }
}

impl core::fmt::Display for Style {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Wf => "WF",
            Self::Ff => "FF",
            Self::Se => "SE",
            Self::Unknown => "unknown style",
        })
    }
}

/// What a path offers: an ADSPEC (RFC 2210 section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// A node on the path does not speak RSVP: what follows is not all of the path.
    #[serde(rename = "break")]
    pub is_broken: bool,
    /// Nodes on the path that do speak it.
    pub hops: u32,
    /// Smallest bandwidth on the path, in bits per second; `None` when it is unknown, or no node has limited it.
    pub bandwidth_bps: Option<f64>,
    /// Least latency of the path, in microseconds; `None` is indeterminate.
    pub latency_us: Option<u32>,
    /// Largest packet, in octets.
    pub mtu: u32,
    /// Guaranteed service, when the sender offers it.
    pub guaranteed: Option<GuaranteedOffer>,
    /// Controlled-Load, when the sender offers it.
    pub controlled_load: Option<ServiceOffer>,
    /// Null service (RFC 2997), where it is offered: whether some node on the way does not support it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<bool>,
}

/// What a path offers for Guaranteed service (RFC 2212): the error terms up to here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuaranteedOffer {
    /// A node on the path does not do this service.
    #[serde(rename = "break")]
    pub is_broken: bool,
    /// Ctot, in octets.
    pub ctot: u32,
    /// Dtot, in microseconds.
    pub dtot_us: u32,
    /// Csum, in octets.
    pub csum: u32,
    /// Dsum, in microseconds.
    pub dsum_us: u32,
    /// What differs from the general values for this service.
    #[serde(default)]
    pub overrides: OfferOverrides,
}

/// What a path offers for Controlled-Load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceOffer {
    /// A node on the path does not do this service.
    #[serde(rename = "break")]
    pub is_broken: bool,
    /// What differs from the general values for this service.
    #[serde(default)]
    pub overrides: OfferOverrides,
}

/// General values that a service has its own of (RFC 2210 section 3.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfferOverrides {
    /// As in [`Offer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<u32>,
    /// As in [`Offer`]: `Some(None)`, in JSON `null`, is unknown for this service.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub bandwidth_bps: Option<Option<f64>>,
    /// As in [`Offer`]: `Some(None)`, in JSON `null`, is indeterminate for this service.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub latency_us: Option<Option<u32>>,
    /// As in [`Offer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

impl From<Overrides> for OfferOverrides {
    fn from(own: Overrides) -> Self {
        Self {
            hops: own.hops,
            bandwidth_bps: own.bandwidth.map(known_bandwidth),
            latency_us: own.latency_us.map(known_latency),
            mtu: own.mtu,
        }
    }
}

impl From<OfferOverrides> for Overrides {
    fn from(own: OfferOverrides) -> Self {
        Self {
            hops: own.hops,
            bandwidth: own.bandwidth_bps.map(unlimited),
            latency_us: own.latency_us.map(|us| us.unwrap_or(u32::MAX)),
            mtu: own.mtu,
        }
    }
}

impl From<AdspecSummary> for Offer {
    fn from(adspec: AdspecSummary) -> Self {
        let general = adspec.global;
        Self {
            is_broken: general.break_bit,
            hops: general.hops,
            bandwidth_bps: known_bandwidth(general.bandwidth),
            latency_us: known_latency(general.latency_us),
            mtu: general.mtu,
            guaranteed: adspec.guaranteed.map(|g| GuaranteedOffer {
                is_broken: g.break_bit,
                ctot: g.ctot,
                dtot_us: g.dtot,
                csum: g.csum,
                dsum_us: g.dsum,
                overrides: g.overrides.into(),
            }),
            controlled_load: adspec
                .controlled_load
                .map(|c| ServiceOffer { is_broken: c.break_bit, overrides: c.overrides.into() }),
            null: adspec.null,
        }
    }
}

impl From<Offer> for AdspecSummary {
    fn from(offer: Offer) -> Self {
        Self {
            global: GeneralParams {
                break_bit: offer.is_broken,
                hops: offer.hops,
                bandwidth: unlimited(offer.bandwidth_bps),
                latency_us: offer.latency_us.unwrap_or(u32::MAX),
                mtu: offer.mtu,
            },
            guaranteed: offer.guaranteed.map(|g| GuaranteedParams {
                break_bit: g.is_broken,
                ctot: g.ctot,
                dtot: g.dtot_us,
                csum: g.csum,
                dsum: g.dsum_us,
                overrides: g.overrides.into(),
            }),
            controlled_load: offer
                .controlled_load
                .map(|c| ServiceParams { break_bit: c.is_broken, overrides: c.overrides.into() }),
            null: offer.null,
        }
    }
}

/// A value that says something by being null, and something else by being missing: the outer option is that it is there.
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(from).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_does_not_know_is_null() {
        let overrides =
            Overrides { bandwidth: Some(0.0), latency_us: Some(u32::MAX), ..Overrides::default() };
        let general = |bandwidth, latency_us| GeneralParams {
            break_bit: false,
            hops: 2,
            bandwidth,
            latency_us,
            mtu: 1_500,
        };
        let adspec = AdspecSummary {
            global: general(0.0, u32::MAX),
            guaranteed: None,
            controlled_load: Some(ServiceParams { break_bit: false, overrides }),
            null: None,
        };
        let json = serde_json::to_value(Offer::from(adspec)).expect("JSON");
        assert!(json["bandwidth_bps"].is_null() && json["latency_us"].is_null(), "{json}");
        let own = json["controlled_load"]["overrides"].as_object().expect("an object");
        assert_eq!(
            own.len(),
            2,
            "what is unknown for a service does not fall back to the general value: {json}"
        );
        assert!(own.values().all(serde_json::Value::is_null), "{json}");
        let back: Offer = serde_json::from_value(json).expect("an offer");
        assert_eq!(back, Offer::from(adspec));
        let known = AdspecSummary { global: general(1e6, 0), ..adspec };
        let offer = Offer::from(known);
        assert_eq!((offer.bandwidth_bps, offer.latency_us), (Some(8e6), Some(0)));
    }
}
