//! What a receiver asks for, given what senders announce: from `rsvp recv`'s options to a reservation.
//!
//! Pure; the delay of Guaranteed service is turned into a rate by [`guaranteed`].

use super::choice::{Services, choose};
use super::options::{Bucket, peak_above};
use core::time::Duration;
use rsvp_client::{Carried, Flow, Offer, Reservation, Service, Style, Traffic};
use rsvp_node::guaranteed::{self, NoRate};
use rsvp_node::units::{show_rate, show_time};
use rsvp_wire::{FilterSpec, Tspec};
use std::collections::BTreeMap;

/// What each sender announces.
pub(super) type Announced = BTreeMap<FilterSpec, (Traffic, Option<Offer>)>;

/// The service that is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted {
    /// Whichever the senders offer, rather Controlled-Load.
    Offered,
    ControlledLoad,
    /// With R, or the delay that R is to achieve; otherwise R is the rate.
    Guaranteed {
        reserve_bps: Option<f64>,
        delay: Option<Duration>,
        slack_us: u32,
    },
}

/// What the receiver was told to ask for.
#[derive(Clone, Debug)]
pub(super) struct ReservationOptions {
    pub(super) style: Style,
    pub(super) wanted: Wanted,
    /// Otherwise what each sender announces.
    pub(super) rate_bps: Option<f64>,
    pub(super) bucket: Bucket,
    /// Only these senders; empty for all.
    pub(super) senders: Vec<FilterSpec>,
    pub(super) confirm: bool,
    pub(super) interface: Option<String>,
    pub(super) carried: Carried,
}

/// A reservation, and what there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) reservation: Reservation,
    pub(super) remark: Option<String>,
}

impl ReservationOptions {
    /// Whether one of these senders is to be received.
    pub(super) fn wants_any_of(&self, announced: &Announced) -> bool {
        announced.keys().any(|sender| self.senders.is_empty() || self.senders.contains(sender))
    }

    /// The reservation for the senders that there are; none without any. What cannot be had is said with the sender it
    /// cannot be had from.
    pub(super) fn reservation(&self, announced: &Announced) -> Result<Option<Asked>, String> {
        let is_wanted = |sender: &FilterSpec| self.senders.is_empty() || self.senders.contains(sender);
        let senders: Vec<_> = announced.iter().filter(|(sender, _)| is_wanted(sender)).collect();
        let (wanted, remark) = self.choose(&senders)?;
        let mut flows = Vec::new();
        for (sender, (traffic, offer)) in senders {
            let flowspec = self
                .service(wanted, sender, *traffic, offer.as_ref())
                .map_err(|why| format!("{sender}: {why}"))?;
            flows.push(Flow { filters: vec![*sender], flowspec });
        }
        if self.style != Style::Ff {
            flows = self.shared(flows).into_iter().collect();
        }
        let reservation = |flows| Reservation {
            confirm: self.confirm,
            interface: self.interface.clone(),
            carried: self.carried.clone(),
            ..Reservation::new(self.style, flows)
        };
        Ok((!flows.is_empty()).then(|| Asked { reservation: reservation(flows), remark }))
    }

    /// All receivers and senders of a session have one service (RFC 2210 section 2.2).
    fn choose(
        &self,
        senders: &[(&FilterSpec, &(Traffic, Option<Offer>))],
    ) -> Result<(Wanted, Option<String>), String> {
        let insisted = match self.wanted {
            Wanted::Offered => None,
            Wanted::ControlledLoad => Some(Services::ControlledLoad),
            Wanted::Guaranteed { .. } => Some(Services::Guaranteed),
        };
        let offers: Vec<_> = senders.iter().map(|(sender, (_, offer))| (**sender, offer.as_ref())).collect();
        let (service, remark) = choose(insisted, &offers)?;
        let wanted = match (self.wanted, service) {
            (Wanted::Offered, Services::Guaranteed) => {
                Wanted::Guaranteed { reserve_bps: None, delay: None, slack_us: 0 }
            }
            (Wanted::Offered, Services::ControlledLoad) => Wanted::ControlledLoad,
            (said, _) => said,
        };
        Ok((wanted, remark))
    }

    /// One flow for all: the senders of a shared reservation take turns, so what the largest needs is enough.
    fn shared(&self, flows: Vec<Flow>) -> Option<Flow> {
        let size = |flow: &Flow| match flow.flowspec {
            Service::ControlledLoad { traffic } | Service::Null { traffic } => traffic.rate_bps,
            Service::Guaranteed { reserve_bps, .. } => reserve_bps,
        };
        let mut largest = flows.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?.flowspec;
        // RFC 2210 section 2.3.2: "the minimum of all the PATH_MTU values".
        let traffic = largest.traffic_mut();
        let packets = flows.iter().map(|flow| flow.flowspec.traffic().max_packet);
        traffic.max_packet = packets.fold(traffic.max_packet, u32::min);
        traffic.min_packet = traffic.min_packet.min(traffic.max_packet);
        let filters = match self.style {
            Style::Wf => Vec::new(),
            _ => flows.into_iter().flat_map(|flow| flow.filters).collect(),
        };
        Some(Flow { filters, flowspec: largest })
    }

    fn service(
        &self,
        wanted: Wanted,
        sender: &FilterSpec,
        announced: Traffic,
        offer: Option<&Offer>,
    ) -> Result<Service, String> {
        let mut traffic = self.bucket.over(announced);
        traffic.rate_bps = self.rate_bps.unwrap_or(announced.rate_bps);
        if let Some(peak) = self.bucket.peak {
            peak_above(peak, traffic.rate_bps)?;
        }
        traffic.peak_bps = traffic.peak_bps.map(|peak| peak.max(traffic.rate_bps));
        if traffic.min_packet == 0 {
            // Some senders say so, against RFC 2210 section 3.1: no packet is smaller than its IP header.
            traffic.min_packet = if sender.address().is_ipv4() { 20 } else { 40 };
        }
        if let (Some(offer), None) = (offer, self.bucket.max_packet) {
            // RFC 2210 section 2.3.2: M is no more than the path carries.
            let own = match wanted {
                Wanted::Guaranteed { .. } => offer.guaranteed.and_then(|offered| offered.overrides.mtu),
                _ => offer.controlled_load.and_then(|offered| offered.overrides.mtu),
            };
            traffic.max_packet = traffic.max_packet.min(own.unwrap_or(offer.mtu));
            traffic.min_packet = traffic.min_packet.min(traffic.max_packet);
        }
        match wanted {
            Wanted::Offered | Wanted::ControlledLoad => Ok(Service::ControlledLoad { traffic }),
            Wanted::Guaranteed { delay: Some(delay), .. } => {
                let offer =
                    offer.ok_or("it announces no ADSPEC, so no delay can be worked out; use --reserve")?;
                let rspec = guaranteed::rspec_for_delay(&Tspec::from(traffic), &(*offer).into(), delay)
                    .map_err(|why| {
                        let delay = show_time(delay);
                        format!("a delay of {delay} cannot be had: {why}; {}", remedy(why))
                    })?;
                let reserve_bps = f64::from(rspec.rate) * 8.0;
                Ok(Service::Guaranteed { traffic, reserve_bps, slack_us: rspec.slack })
            }
            Wanted::Guaranteed { reserve_bps, delay: None, slack_us } => {
                let reserve_bps = reserve_bps.unwrap_or(traffic.rate_bps);
                if reserve_bps < traffic.rate_bps {
                    let (reserve, rate) = (show_rate(reserve_bps), show_rate(traffic.rate_bps));
                    return Err(format!(
                        "--reserve {reserve} is less than the token rate {rate}: reserve more, or say a lower --rate"
                    ));
                }
                Ok(Service::Guaranteed { traffic, reserve_bps, slack_us })
            }
        }
    }
}

/// The longest that a conforming packet of a flow with Guaranteed service is queued on the way, where the path bounds it
/// (RFC 2212, "End-to-End Behavior"): of several senders, the one with the longest way.
pub(super) fn bound(flow: &Flow, announced: &Announced) -> Option<Duration> {
    let Service::Guaranteed { traffic, reserve_bps, .. } = flow.flowspec else { return None };
    let of = |offer: &Option<Offer>| {
        let terms = guaranteed::bounding_terms(&(*offer)?.into()).ok()?;
        let rate = (reserve_bps / 8.0) as f32;
        Some(guaranteed::queueing_bound_us(&Tspec::from(traffic), rate, terms.ctot, terms.dtot))
    };
    let ways =
        announced.iter().filter(|(sender, _)| flow.filters.is_empty() || flow.filters.contains(sender));
    let bounds: Option<Vec<f64>> = ways.map(|(_, (_, offer))| of(offer)).collect();
    let longest = bounds?.into_iter().reduce(f64::max)?;
    Some(Duration::from_secs_f64(longest / 1e6))
}

/// What to do where a delay cannot be had; `--filter` leaves out the sender it is about in any case.
fn remedy(why: NoRate) -> &'static str {
    match why {
        NoRate::TooShort { .. } | NoRate::BeyondPath { .. } => {
            "say a longer --delay, or --filter for other senders"
        }
        NoRate::NotOffered => "use --service controlled-load, or --filter for other senders",
        NoRate::NonRsvpHop | NoRate::Break | NoRate::Unbounded => {
            "use --reserve for a rate without a bound, or --filter for other senders"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::{GuaranteedOffer, OfferOverrides, ServiceOffer};

    const BUCKET: Bucket = Bucket { bucket: None, peak: None, min_packet: None, max_packet: None };

    fn wishes(style: Style, wanted: Wanted) -> ReservationOptions {
        ReservationOptions {
            style,
            wanted,
            rate_bps: None,
            bucket: BUCKET,
            senders: Vec::new(),
            confirm: true,
            interface: None,
            carried: Carried::default(),
        }
    }

    fn offer() -> Offer {
        Offer {
            is_broken: false,
            hops: 2,
            bandwidth_bps: Some(1e8),
            latency_us: None,
            mtu: 1_400,
            guaranteed: Some(GuaranteedOffer {
                is_broken: false,
                ctot: 1_000,
                dtot_us: 2_000,
                csum: 0,
                dsum_us: 0,
                overrides: OfferOverrides::default(),
            }),
            controlled_load: Some(ServiceOffer { is_broken: false, overrides: OfferOverrides::default() }),
            null: None,
        }
    }

    fn sender(n: u8) -> FilterSpec {
        FilterSpec::new([10, 0, 0, n].into(), 4_000)
    }

    fn announced() -> Announced {
        let traffic = |bps| Traffic { bucket: 3_000.0, ..Traffic::of(bps) };
        [(sender(1), (traffic(1e6), Some(offer()))), (sender(2), (traffic(2e6), Some(offer())))].into()
    }

    #[test]
    fn the_bound_is_that_of_the_longest_way_and_none_without_all_of_them() {
        let mut announced = announced();
        let traffic = announced[&sender(1)].0;
        let flowspec = Service::Guaranteed { traffic, reserve_bps: 2e6, slack_us: 0 };
        let flow = Flow { filters: Vec::new(), flowspec };
        // By hand: (3000 + 1000) / 250000 s and 2000 us.
        assert_eq!(bound(&flow, &announced), Some(Duration::from_micros(18_000)));
        let longer = offer().guaranteed.map(|way| GuaranteedOffer { ctot: 2_000, dtot_us: 4_000, ..way });
        announced.insert(sender(2), (traffic, Some(Offer { guaranteed: longer, ..offer() })));
        assert_eq!(bound(&flow, &announced), Some(Duration::from_micros(24_000)));
        let named = Flow { filters: vec![sender(1)], ..flow.clone() };
        assert_eq!(bound(&named, &announced), Some(Duration::from_micros(18_000)));
        announced.insert(sender(2), (traffic, None));
        assert_eq!(bound(&flow, &announced), None);
        let flowspec = Service::ControlledLoad { traffic };
        assert_eq!(bound(&Flow { flowspec, ..named }, &announced), None);
    }

    #[test]
    fn what_senders_announce_is_what_is_asked_for() {
        let asked =
            wishes(Style::Ff, Wanted::ControlledLoad).reservation(&announced()).unwrap().unwrap().reservation;
        assert!(asked.confirm && asked.style == Style::Ff);
        let rates: Vec<_> =
            asked.flows.iter().map(|f| (f.filters.clone(), f.flowspec.traffic().rate_bps)).collect();
        assert_eq!(rates, [(vec![sender(1)], 1e6), (vec![sender(2)], 2e6)]);
        assert_eq!(asked.flows[0].flowspec.traffic().max_packet, 1_400);
        assert!(wishes(Style::Ff, Wanted::ControlledLoad).reservation(&Announced::new()).unwrap().is_none());
    }

    #[test]
    fn shared_styles_ask_for_the_largest_once() {
        let asked =
            wishes(Style::Se, Wanted::ControlledLoad).reservation(&announced()).unwrap().unwrap().reservation;
        assert_eq!(asked.flows.len(), 1);
        assert_eq!(
            (&asked.flows[0].filters, asked.flows[0].flowspec.traffic().rate_bps),
            (&vec![sender(1), sender(2)], 2e6)
        );
        let asked =
            wishes(Style::Wf, Wanted::ControlledLoad).reservation(&announced()).unwrap().unwrap().reservation;
        assert!(asked.flows.len() == 1 && asked.flows[0].filters.is_empty());
    }

    #[test]
    fn only_the_senders_that_are_wanted() {
        let wishes = ReservationOptions {
            senders: vec![sender(2), sender(9)],
            ..wishes(Style::Ff, Wanted::ControlledLoad)
        };
        let asked = wishes.reservation(&announced()).unwrap().unwrap().reservation;
        assert_eq!((asked.flows.len(), &asked.flows[0].filters), (1, &vec![sender(2)]));
    }

    #[test]
    fn less_than_the_token_rate_is_not_asked_for() {
        let wanted = Wanted::Guaranteed { reserve_bps: Some(1e6), delay: None, slack_us: 0 };
        let error = wishes(Style::Ff, wanted).reservation(&announced()).unwrap_err();
        assert!(
            error.starts_with("10.0.0.2:4000: --reserve 1Mbit/s is less than the token rate 2Mbit/s"),
            "{error}"
        );
    }

    #[test]
    fn a_delay_becomes_a_rate() {
        let delay = Some(Duration::from_millis(12));
        let wanted = Wanted::Guaranteed { reserve_bps: None, delay, slack_us: 0 };
        let asked = wishes(Style::Ff, wanted).reservation(&announced()).unwrap().unwrap().reservation;
        // Unlimited peak: (b + Ctot) / (12 ms - 2 ms) = 4000 / 0.01 octets per second.
        let Service::Guaranteed { reserve_bps, .. } = asked.flows[0].flowspec else { panic!() };
        assert!((reserve_bps - 3.2e6).abs() < 1.0, "{reserve_bps}");
        for (us, words) in [(1_000, "1ms"), (500, "500us")] {
            let delay = Some(Duration::from_micros(us));
            let short = Wanted::Guaranteed { reserve_bps: None, delay, slack_us: 0 };
            let error = wishes(Style::Ff, short).reservation(&announced()).unwrap_err();
            let expected = format!("10.0.0.1:4000: a delay of {words} cannot be had");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_service_that_is_left_out_is_not_asked_for() {
        let guaranteed_only = || {
            announced()
                .into_iter()
                .map(|(s, (t, o))| (s, (t, o.map(|o| Offer { controlled_load: None, ..o }))))
        };
        let asked = wishes(Style::Ff, Wanted::Offered).reservation(&guaranteed_only().collect());
        let asked = asked.unwrap().unwrap();
        for (flow, rate) in asked.reservation.flows.iter().zip([1e6, 2e6]) {
            let Service::Guaranteed { reserve_bps, slack_us, .. } = flow.flowspec else { panic!("{flow:?}") };
            assert_eq!((reserve_bps, slack_us), (rate, 0));
        }
        assert!(asked.remark.is_some_and(|remark| remark.contains("Controlled-Load")));
        let error = wishes(Style::Ff, Wanted::ControlledLoad).reservation(&guaranteed_only().collect());
        assert!(error.unwrap_err().contains("--service guaranteed"));
    }

    #[test]
    fn the_smallest_mtu_of_all_paths_is_that_of_a_shared_reservation() {
        let mut announced = announced();
        let overrides = OfferOverrides { mtu: Some(1_200), ..OfferOverrides::default() };
        if let Some((_, Some(offer))) = announced.get_mut(&sender(1)) {
            offer.controlled_load = Some(ServiceOffer { is_broken: false, overrides });
        }
        let most = |wanted| {
            let asked = wishes(Style::Wf, wanted).reservation(&announced).unwrap().unwrap();
            let traffic = *asked.reservation.flows[0].flowspec.traffic();
            (traffic.rate_bps, traffic.max_packet)
        };
        assert_eq!(most(Wanted::ControlledLoad), (2e6, 1_200));
        assert_eq!(most(Wanted::Guaranteed { reserve_bps: None, delay: None, slack_us: 0 }), (2e6, 1_400));
    }

    #[test]
    fn a_peak_below_the_rate_is_not_asked_for_and_a_minimum_of_nothing_neither() {
        let below = ReservationOptions {
            bucket: Bucket { peak: Some(1.5e6), ..BUCKET },
            ..wishes(Style::Ff, Wanted::ControlledLoad)
        };
        let error = below.reservation(&announced()).unwrap_err();
        assert!(error.contains("10.0.0.2:4000") && error.contains("1.5Mbit/s") && error.contains("2Mbit/s"));
        let mut lax = announced();
        lax.values_mut().for_each(|(traffic, _)| traffic.min_packet = 0);
        let asked = wishes(Style::Ff, Wanted::ControlledLoad).reservation(&lax).unwrap().unwrap();
        assert!(asked.reservation.flows.iter().all(|flow| flow.flowspec.traffic().min_packet == 20));
    }
}
