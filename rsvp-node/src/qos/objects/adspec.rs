//! RSVP_ADSPEC, 1002: what the path offers, as a receiver gets to see it.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            header: 1002, length                       |
//! +-------------+-------------+-------------+-------------+
//! |            IntServAwareHopCount                       |  general parameters,
//! |            PathBandwidthEstimate (octets per second)  |  20 octets
//! |            MinimumLatency (us; 0xFFFFFFFF: not known) |
//! |            PathMTU (octets)                           |
//! |            Flags (bit 0: a node without QoS)          |
//! +-------------+-------------+-------------+-------------+
//! |            NumberOfServices                           |
//! +-------------+-------------+-------------+-------------+
//! |            Length (all of the service)                |  each service
//! |            Service (a service type)                   |
//! |            its own general parameters, 20 octets      |
//! +-------------+-------------+-------------+-------------+
//! |            Guaranteed: Ctot, Dtot, Csum, Dsum         |
//! |            others: ParameterId, Length, octets, ...   |
//! ```
//!
//! Where the path says nothing else for a service, its own parameters repeat the general ones.

use super::octets::{Cursor, put_count, put_word};
use crate::qos::service_type::ServiceType;
use rsvp_wire::{AdspecSummary, GeneralParams, Overrides};

/// General parameters of a path (RFC 2215).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AdGeneralParams {
    /// Nodes with integrated services on the path.
    pub int_serv_aware_hop_count: u32,
    /// Smallest bandwidth of the path, in octets per second; 0xFFFFFFFE where it has no limit.
    pub path_bandwidth_estimate: u32,
    /// Sum of the latencies, in microseconds; 0xFFFFFFFF where it is not known.
    pub minimum_latency_us: u32,
    /// Largest packet that passes, in octets.
    pub path_mtu: u32,
    /// Bit 0: a node on the path does not know the service, or QoS at all.
    pub flags: u32,
}

/// Error terms of Guaranteed service (RFC 2212).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AdGuaranteed {
    /// Ctot, in octets.
    pub c_total: u32,
    /// Dtot, in microseconds.
    pub d_total: u32,
    /// Csum, in octets.
    pub c_sum: u32,
    /// Dsum, in microseconds.
    pub d_sum: u32,
}

/// What only one service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfService {
    /// Guaranteed service.
    Guaranteed(AdGuaranteed),
    /// Others: parameters with their numbers.
    Parameters(Vec<(u32, Vec<u8>)>),
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlService {
    /// The number of its service type.
    pub service: u32,
    /// The general parameters as they are for it.
    pub overrides: AdGeneralParams,
    /// Its own parameters.
    pub of_service: OfService,
}

/// What the path offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsvpAdspec {
    /// General parameters.
    pub general: AdGeneralParams,
    /// The services that the sender offers.
    pub services: Vec<ControlService>,
}

const GUARANTEED: u32 = 3;
/// Length, service and the general parameters of a service.
const SERVICE: usize = 28;

impl AdGeneralParams {
    fn words(&self) -> [u32; 5] {
        let Self { int_serv_aware_hop_count, path_bandwidth_estimate, minimum_latency_us, path_mtu, flags } =
            *self;
        [int_serv_aware_hop_count, path_bandwidth_estimate, minimum_latency_us, path_mtu, flags]
    }

    fn read(octets: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            int_serv_aware_hop_count: octets.word()?,
            path_bandwidth_estimate: octets.word()?,
            minimum_latency_us: octets.word()?,
            path_mtu: octets.word()?,
            flags: octets.word()?,
        })
    }

    fn of(general: &GeneralParams) -> Self {
        Self {
            int_serv_aware_hop_count: general.hops,
            path_bandwidth_estimate: (general.bandwidth as u32).min(u32::MAX - 1),
            minimum_latency_us: general.latency_us,
            path_mtu: general.mtu,
            flags: general.break_bit.into(),
        }
    }

    /// As they are for a service with values of its own.
    fn of_service(general: &GeneralParams, break_bit: bool, own: &Overrides) -> Self {
        Self::of(&GeneralParams {
            break_bit: general.break_bit || break_bit,
            hops: own.hops.unwrap_or(general.hops),
            bandwidth: own.bandwidth.unwrap_or(general.bandwidth),
            latency_us: own.latency_us.unwrap_or(general.latency_us),
            mtu: own.mtu.unwrap_or(general.mtu),
        })
    }
}

impl From<&AdspecSummary> for RsvpAdspec {
    fn from(path: &AdspecSummary) -> Self {
        let none = OfService::Parameters(Vec::new());
        let service = |service: ServiceType, break_bit, own: &Overrides, of_service| ControlService {
            service: service.number(),
            overrides: AdGeneralParams::of_service(&path.global, break_bit, own),
            of_service,
        };
        let guaranteed = path.guaranteed.map(|g| {
            let terms = AdGuaranteed { c_total: g.ctot, d_total: g.dtot, c_sum: g.csum, d_sum: g.dsum };
            service(ServiceType::Guaranteed, g.break_bit, &g.overrides, OfService::Guaranteed(terms))
        });
        let controlled_load = path
            .controlled_load
            .map(|c| service(ServiceType::ControlledLoad, c.break_bit, &c.overrides, none.clone()));
        let null = path.null.map(|break_bit| {
            service(ServiceType::Qualitative, break_bit, &Overrides::default(), none.clone())
        });
        Self {
            general: AdGeneralParams::of(&path.global),
            services: [guaranteed, controlled_load, null].into_iter().flatten().collect(),
        }
    }
}

impl RsvpAdspec {
    /// Appends it behind its header.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.general.words().into_iter().for_each(|word| put_word(out, word));
        put_count(out, self.services.len());
        for service in &self.services {
            let own = match &service.of_service {
                OfService::Guaranteed(_) => 16,
                OfService::Parameters(listed) => listed.iter().map(|(_, octets)| 8 + octets.len()).sum(),
            };
            put_count(out, SERVICE + own);
            put_word(out, service.service);
            service.overrides.words().into_iter().for_each(|word| put_word(out, word));
            match &service.of_service {
                OfService::Guaranteed(terms) => [terms.c_total, terms.d_total, terms.c_sum, terms.d_sum]
                    .into_iter()
                    .for_each(|word| put_word(out, word)),
                OfService::Parameters(listed) => {
                    for (id, octets) in listed {
                        put_word(out, *id);
                        put_count(out, octets.len());
                        out.extend(octets);
                    }
                }
            }
        }
    }

    /// Reads it behind its header; `None` where a length does not fit.
    pub(super) fn read(octets: &mut Cursor<'_>) -> Option<Self> {
        let general = AdGeneralParams::read(octets)?;
        let count = octets.word()?;
        let services = (0..count).map(|_| read_service(octets)).collect::<Option<_>>()?;
        Some(Self { general, services })
    }
}

fn read_service(octets: &mut Cursor<'_>) -> Option<ControlService> {
    let len = octets.count()?;
    let mut octets = Cursor::new(octets.take(len.checked_sub(4)?)?);
    let service = octets.word()?;
    let overrides = AdGeneralParams::read(&mut octets)?;
    let of_service = if service == GUARANTEED {
        let [c_total, d_total, c_sum, d_sum] =
            [octets.word()?, octets.word()?, octets.word()?, octets.word()?];
        OfService::Guaranteed(AdGuaranteed { c_total, d_total, c_sum, d_sum })
    } else {
        let mut listed = Vec::new();
        while !octets.rest().is_empty() {
            let (id, len) = (octets.word()?, octets.count()?);
            listed.push((id, octets.take(len)?.to_vec()));
        }
        OfService::Parameters(listed)
    };
    octets.rest().is_empty().then_some(ControlService { service, overrides, of_service })
}
