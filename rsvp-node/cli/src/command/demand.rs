//! What is said on the command line of a reservation: the options that `rsvp recv` and `rsvp reserve` share.

use super::Failure;
use super::choice::Services;
use super::options::{Bucket, Carry, peak_above, span};
use super::wanted::{ReservationOptions, Wanted};
use clap::{Args, ValueEnum};
use core::time::Duration;
use rsvp_client::Style;
use rsvp_node::units;
use rsvp_wire::FilterSpec;

/// A reservation; what is not said is taken from what senders announce.
#[derive(Clone, Debug, Args)]
pub(super) struct Demand {
    /// A reservation for each sender (ff), one for those named or announced (se), or one for whoever sends (wf)
    #[arg(long, value_enum, default_value_t = Styles::Ff)]
    style: Styles,
    /// The service to ask for, and no other [default: what the senders offer, rather controlled-load]
    #[arg(long, value_enum)]
    service: Option<Services>,
    /// Token rate r to ask for [default: what the sender announces]
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    rate: Option<f64>,
    #[command(flatten)]
    bucket: Bucket,
    /// Guaranteed: the rate R to reserve [default: the token rate]
    #[arg(long, value_name = "RATE", value_parser = units::rate, conflicts_with = "delay")]
    reserve: Option<f64>,
    /// Guaranteed: the longest delay, from which R is computed
    #[arg(long, value_name = "TIME", value_parser = span)]
    delay: Option<Duration>,
    /// Guaranteed: the slack term S
    #[arg(long, value_name = "TIME", value_parser = units::time, default_value = "0us", conflicts_with = "delay")]
    slack: Duration,
    /// Only for this sender; may be given more than once
    #[arg(long, value_name = "ADDRESS:PORT")]
    filter: Vec<FilterSpec>,
    /// Asks for a confirmation
    #[arg(long)]
    confirm: bool,
    #[command(flatten)]
    carry: Carry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Styles {
    Wf,
    Ff,
    Se,
}

impl Demand {
    /// What is wanted; `interface` is the one on which the data is received, by name, if it was said.
    pub(super) fn wishes(&self, interface: Option<&str>) -> Result<ReservationOptions, Failure> {
        let guaranteed = self.service == Some(Services::Guaranteed);
        if !guaranteed && (self.reserve.is_some() || self.delay.is_some() || !self.slack.is_zero()) {
            let message =
                "--reserve, --delay and --slack are of Guaranteed service: add --service guaranteed";
            return Err(Failure::Asked(message.to_owned()));
        }
        if let Some((peak, rate)) = self.bucket.peak.zip(self.rate) {
            peak_above(peak, rate).map_err(Failure::Asked)?;
        }
        if self.style == Styles::Wf && !self.filter.is_empty() {
            return Err(Failure::Asked(
                "a wf reservation is for all senders: use --style se with --filter".to_owned(),
            ));
        }
        Ok(ReservationOptions {
            style: match self.style {
                Styles::Wf => Style::Wf,
                Styles::Ff => Style::Ff,
                Styles::Se => Style::Se,
            },
            wanted: match self.service {
                None => Wanted::Offered,
                Some(Services::ControlledLoad) => Wanted::ControlledLoad,
                Some(Services::Guaranteed) => Wanted::Guaranteed {
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
