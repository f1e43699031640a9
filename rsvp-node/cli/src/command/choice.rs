//! Which service a receiver asks for, given what the senders' ADSPECs say: one for all of them, and none that a sender
//! has left out (RFC 2210 section 2.2). A break bit (section 2.3.1) is a reason to prefer the other, not to refuse.
//!
//! Pure; R and S of Guaranteed service are the business of `wanted`.

use clap::ValueEnum;
use core::fmt;
use rsvp_client::{Adspec, Offer, Service};
use rsvp_wire::FilterSpec;

/// The services that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Services {
    ControlledLoad,
    Guaranteed,
}

impl Services {
    fn other(self) -> Self {
        match self {
            Self::ControlledLoad => Self::Guaranteed,
            Self::Guaranteed => Self::ControlledLoad,
        }
    }

    /// As the command line has it.
    fn option(self) -> &'static str {
        match self {
            Self::ControlledLoad => "controlled-load",
            Self::Guaranteed => "guaranteed",
        }
    }
}

impl fmt::Display for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlledLoad => "Controlled-Load",
            Self::Guaranteed => "Guaranteed service",
        })
    }
}

/// What a path says of a service; the least is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    LeftOut,
    /// Some node on the path does not support it.
    Broken,
    Whole,
}

fn standing(service: Services, offer: Option<&Offer>) -> Standing {
    // Without an ADSPEC nothing is said against any service.
    let Some(offer) = offer else { return Standing::Whole };
    let is_broken = match service {
        Services::ControlledLoad => offer.controlled_load.map(|offered| offered.is_broken),
        Services::Guaranteed => offer.guaranteed.map(|offered| offered.is_broken),
    };
    match is_broken {
        None => Standing::LeftOut,
        Some(true) => Standing::Broken,
        Some(false) => Standing::Whole,
    }
}

/// The sender that is worst off with a service, and how.
fn worst(service: Services, senders: &[(FilterSpec, Option<&Offer>)]) -> Option<(FilterSpec, Standing)> {
    let all = senders.iter().map(|(sender, offer)| (*sender, standing(service, *offer)));
    all.min_by_key(|(_, standing)| *standing)
}

/// The service to ask for, and what there is to say about it. `insisted` is what the user wants and nothing else.
pub(super) fn choose(
    insisted: Option<Services>,
    senders: &[(FilterSpec, Option<&Offer>)],
) -> Result<(Services, Option<String>), String> {
    let first = insisted.unwrap_or(Services::ControlledLoad);
    let second = first.other();
    let Some((sender, how)) = worst(first, senders) else { return Ok((first, None)) };
    let (other_sender, other_how) = worst(second, senders).unwrap_or((sender, Standing::LeftOut));
    let why = match how {
        Standing::Whole => return Ok((first, None)),
        Standing::LeftOut => format!("{sender} leaves {first} out of what it offers"),
        Standing::Broken => format!("a node on the way from {sender} does not support {first}"),
    };
    match (insisted, how) {
        (None, _) if other_how > how => {
            let but = match other_how {
                Standing::Broken => {
                    format!(", although a node on the way from {other_sender} does not support it")
                }
                _ => String::new(),
            };
            Ok((second, Some(format!("{why}: {second} instead{but}"))))
        }
        (_, Standing::Broken) => Ok((first, Some(format!("{why}: there, it is best effort")))),
        (Some(_), _) if other_how > Standing::LeftOut => {
            let option = second.option();
            Err(format!("{why}: do without --service, or say --service {option}"))
        }
        _ => Err(format!(
            "{why}, and {other_sender} leaves {second} out: name senders that offer the same service with --filter"
        )),
    }
}

/// Whether receivers were to choose this service.
pub(super) fn was_offered(offered: Adspec, service: &Service) -> bool {
    match service {
        Service::ControlledLoad { .. } => !matches!(offered, Adspec::Guaranteed | Adspec::Null),
        Service::Guaranteed { .. } => !matches!(offered, Adspec::ControlledLoad | Adspec::Null),
        Service::Null { .. } => matches!(offered, Adspec::Null | Adspec::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::{GuaranteedOffer, OfferOverrides, ServiceOffer};

    /// What a path offers of Controlled-Load and Guaranteed service: whole (`+`), broken (`!`) or left out (`-`).
    fn offer(text: &str) -> Offer {
        let bit = |at: usize| match text.as_bytes()[at] {
            b'+' => Some(false),
            b'!' => Some(true),
            _ => None,
        };
        let overrides = OfferOverrides::default();
        let guaranteed =
            |is_broken| GuaranteedOffer { is_broken, ctot: 0, dtot_us: 0, csum: 0, dsum_us: 0, overrides };
        Offer {
            is_broken: false,
            hops: 1,
            bandwidth_bps: None,
            latency_us: None,
            mtu: 1_500,
            controlled_load: bit(0).map(|is_broken| ServiceOffer { is_broken, overrides }),
            guaranteed: bit(1).map(guaranteed),
            null: None,
        }
    }

    fn chosen(insisted: Option<Services>, offers: &[&str]) -> Result<(Services, Option<String>), String> {
        let offers: Vec<Offer> = offers.iter().map(|text| offer(text)).collect();
        let sender = |n: usize| FilterSpec::new([10, 0, 0, n as u8].into(), 4_000);
        let senders: Vec<_> = offers.iter().enumerate().map(|(n, o)| (sender(n + 1), Some(o))).collect();
        choose(insisted, &senders)
    }

    #[test]
    fn of_what_is_offered_the_better_is_chosen_and_why_is_said() {
        use Services::{ControlledLoad as Cl, Guaranteed as Gs};
        for (offers, service, said) in [
            (&["++"][..], Cl, None),
            (&["+-"], Cl, None),
            (&["-+"], Gs, Some("10.0.0.1:4000 leaves Controlled-Load out")),
            (&["!+"], Gs, Some("a node on the way from 10.0.0.1:4000 does not support Controlled-Load")),
            (&["!!"], Cl, Some("there, it is best effort")),
            (&["!-"], Cl, Some("there, it is best effort")),
            (&["-!"], Gs, Some("although a node on the way")),
            (&["++", "-+"], Gs, Some("10.0.0.2:4000 leaves Controlled-Load out")),
            (&["++", "!-"], Cl, Some("10.0.0.2:4000 does not support Controlled-Load")),
        ] {
            let (found, remark) = chosen(None, offers).expect("a service");
            assert_eq!(found, service, "{offers:?}");
            let fits = remark.as_deref().map(|remark| said.is_some_and(|said| remark.contains(said)));
            assert_eq!(fits, said.map(|_| true), "{offers:?}: {remark:?}");
        }
        let error = chosen(None, &["+-", "-+"]).expect_err("nothing in common");
        assert!(error.contains("10.0.0.2:4000") && error.contains("--filter"), "{error}");
        assert!(chosen(None, &["--"]).is_err());
    }

    #[test]
    fn what_is_left_out_is_refused_to_those_who_insist() {
        use Services::{ControlledLoad as Cl, Guaranteed as Gs};
        for (insisted, offers, remedy) in [
            (Cl, "-+", "--service guaranteed"),
            (Gs, "+-", "--service controlled-load"),
            (Gs, "--", "--filter"),
        ] {
            let error = chosen(Some(insisted), &[offers]).expect_err(offers);
            assert!(error.contains("10.0.0.1:4000 leaves") && error.contains(remedy), "{error}");
        }
        let (found, remark) = chosen(Some(Gs), &["+!"]).expect("it is offered");
        assert!(found == Gs && remark.is_some_and(|remark| remark.contains("best effort")));
    }

    #[test]
    fn without_an_adspec_nothing_is_left_out() {
        let sender = FilterSpec::new([10, 0, 0, 1].into(), 4_000);
        for wanted in [Services::ControlledLoad, Services::Guaranteed] {
            assert_eq!(choose(Some(wanted), &[(sender, None)]), Ok((wanted, None)));
        }
    }
}
