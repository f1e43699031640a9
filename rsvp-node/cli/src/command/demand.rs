//! What is said on the command line of a reservation: the options that `rsvp recv` and `rsvp reserve` share.

use super::options::{Bucket, Carry, peak_above, span};
use super::sockets::needs::ServiceOption;
use super::wanted::{ReservationOptions, Wanted};
use super::{Failure, names};
use clap::{Args, ValueEnum};
use core::time::Duration;
use rsvp_client::Style;
use rsvp_node::units;
use rsvp_wire::FilterSpec;

/// A reservation; what is not said is taken from what senders announce.
#[derive(Clone, Debug, Args)]
pub(super) struct Demand {
    /// A reservation for each sender (ff), one that those share who are named by --filter or announced (se), or one for whoever
    /// sends (wf) [default: ff]
    #[arg(long, value_enum)]
    pub(super) style: Option<Styles>,
    /// The service to ask for, and no other [default: what the senders offer, rather controlled-load]
    #[arg(long, value_enum)]
    pub(super) service: Option<ServiceOption>,
    /// How fast the flow is to be: the token rate r to ask for [default: what the sender announces]
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    pub(super) rate: Option<f64>,
    #[command(flatten)]
    pub(super) bucket: Bucket,
    /// With --service guaranteed: the rate R to reserve, at least the token rate [default: the token rate]
    #[arg(long, value_name = "RATE", value_parser = units::rate, conflicts_with = "delay")]
    pub(super) reserve: Option<f64>,
    /// With --service guaranteed: how long a packet may be queued on the way at most; the rate to reserve follows from that
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) delay: Option<Duration>,
    /// With --service guaranteed: by how much packets may be later than the rate promises, so that routers may reserve less (S)
    #[arg(long, value_name = "TIME", value_parser = units::time, default_value = "0us", conflicts_with = "delay")]
    pub(super) slack: Duration,
    /// Only for this sender; may be given more than once
    #[arg(long, value_name = "HOST:PORT", value_parser = names::sender)]
    pub(super) filter: Vec<FilterSpec>,
    /// Asks to be told when the reservation stands on the whole way
    #[arg(long)]
    pub(super) confirm: bool,
    #[command(flatten)]
    pub(super) carry: Carry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Styles {
    Wf,
    Ff,
    Se,
}

impl From<Styles> for Style {
    fn from(style: Styles) -> Self {
        match style {
            Styles::Wf => Self::Wf,
            Styles::Ff => Self::Ff,
            Styles::Se => Self::Se,
        }
    }
}

impl Demand {
    /// What is wanted; `interface` is the one on which the data is received, by name, if it was said.
    pub(super) fn wishes(&self, interface: Option<&str>) -> Result<ReservationOptions, Failure> {
        let guaranteed = self.service == Some(ServiceOption::Guaranteed);
        if !guaranteed && (self.reserve.is_some() || self.delay.is_some() || !self.slack.is_zero()) {
            let message =
                "--reserve, --delay and --slack are of Guaranteed service: add --service guaranteed";
            return Err(Failure::Arguments(message.to_owned()));
        }
        if let Some((peak, rate)) = self.bucket.peak.zip(self.rate) {
            peak_above(peak, rate).map_err(Failure::Arguments)?;
        }
        let style = self.style.unwrap_or(Styles::Ff);
        if style == Styles::Wf && !self.filter.is_empty() {
            return Err(Failure::Arguments(
                "a wf reservation is for all senders: use --style se with --filter".to_owned(),
            ));
        }
        Ok(ReservationOptions {
            style: style.into(),
            wanted: match self.service {
                None => Wanted::Offered,
                Some(ServiceOption::ControlledLoad) => Wanted::ControlledLoad,
                Some(ServiceOption::Qualitative) => {
                    let why = "qualitative service is asked for by a socket: `rsvp recv --service qualitative` does";
                    return Err(Failure::Arguments(why.to_owned()));
                }
                Some(ServiceOption::Guaranteed) => Wanted::Guaranteed {
                    reserve_bps: self.reserve,
                    delay: self.delay,
                    slack_us: u32::try_from(self.slack.as_micros()).unwrap_or(u32::MAX),
                },
            },
            rate_bps: self.rate,
            bucket: self.bucket,
            senders: self.filter.clone(),
            confirm: self.confirm,
            interface: interface.map(str::to_owned),
            carried: self.carry.carried(),
        })
    }
}
