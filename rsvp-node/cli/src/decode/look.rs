//! How the output looks: by which clock, in which colours, and how wide it is.

use std::io::IsTerminal;
use std::num::NonZeroU16;

use jiff::tz::TimeZone;
use rsvp_capture::Timestamp;

use super::text::{Clock, Text};

/// Columns of the narrowest output that lines are folded for.
const NARROWEST: u16 = 20;

/// When to use colours.
#[derive(Copy, Clone, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum When {
    /// In a terminal, unless NO_COLOR is set.
    Auto,
    /// In files and pipes, too.
    Always,
    /// Not at all.
    Never,
}

/// What is told apart by its colour.
#[derive(Copy, Clone, Debug)]
pub(super) enum Colour {
    /// What begins something.
    Heading,
    /// Away from the sender of the flow.
    Downstream,
    /// Back to it.
    Upstream,
    /// What did not travel by itself.
    Quoted,
    /// What is wrong.
    Wrong,
}

const RESET: &str = "\x1b[0m";

impl Colour {
    const fn begin(self) -> &'static str {
        match self {
            Self::Heading => "\x1b[1m",
            Self::Downstream => "\x1b[34m",
            Self::Upstream => "\x1b[32m",
            Self::Quoted => "\x1b[33m",
            Self::Wrong => "\x1b[31m",
        }
    }
}

pub(super) struct Look {
    /// None: UTC.
    zone: Option<TimeZone>,
    colours: bool,
    /// Columns, where lines are to be folded.
    pub(super) width: Option<usize>,
}

impl Look {
    /// What the options say, or the terminal, if the output goes to one.
    pub(super) fn new(
        local_time: bool,
        color: When,
        width: Option<u16>,
        terminal: bool,
    ) -> Result<Self, String> {
        let zone = local_time.then(TimeZone::try_system).transpose().map_err(|error| {
            format!("--local-time: the time zone of this machine cannot be read: {error}; TZ may name one")
        })?;
        let colours = match color {
            When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            When::Always => true,
            When::Never => false,
        };
        let width = width.or_else(|| terminal.then(columns).flatten());
        let width = width.and_then(NonZeroU16::new).map(|width| usize::from(width.get().max(NARROWEST)));
        Ok(Self { zone, colours, width })
    }

    /// A time by the clock that was asked for; and how many minutes it is ahead of UTC, if that was not
    /// asked for.
    #[inline]
    pub(super) fn clock(&self, time: Timestamp) -> (Clock, Option<i32>) {
        let time = Clock::from(time);
        let Some(zone) = &self.zone else { return (time, None) };
        let instant = jiff::Timestamp::from_second(time.seconds).ok();
        let ahead = instant.map_or(0, |instant| zone.to_offset(instant).seconds());
        let seconds = time.seconds.saturating_add(ahead.into());
        (Clock { seconds, ..time }, Some(ahead / 60))
    }

    /// Date, time of day, and of which clock.
    pub(super) fn date_and_time(&self, time: Timestamp, out: &mut Text) {
        let (time, ahead) = self.clock(time);
        out.date(time).put(" ").time_of_day(time);
        match ahead {
            None => out.put("Z"),
            Some(minutes) => {
                let (hours, minutes) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
                let sign = if ahead < Some(0) { "-" } else { "+" };
                out.show(&format_args!("{sign}{hours:02}:{minutes:02}"))
            }
        };
    }

    /// What `put` puts, in a colour.
    pub(super) fn paint(&self, colour: Colour, out: &mut Text, put: impl FnOnce(&mut Text)) {
        if !self.colours {
            return put(out);
        }
        put(out.put(colour.begin()));
        out.put(RESET);
    }

    /// The first word since `start`, in a colour.
    pub(super) fn paint_word(&self, colour: Colour, start: usize, out: &mut Text) {
        if self.colours {
            let put = out.as_bytes().get(start..).unwrap_or_default();
            let length = put.iter().position(|octet| *octet == b' ').unwrap_or(put.len());
            out.insert(start + length, RESET);
            out.insert(start, colour.begin());
        }
    }

    /// Folds what was put since `start`, if it is too wide.
    #[inline]
    pub(super) fn fold(&self, start: usize, indent: usize, out: &mut Text) {
        if let Some(width) = self.width {
            out.fold(start, width, indent);
        }
    }
}

/// Columns of the terminal that standard output is, or that COLUMNS says.
fn columns() -> Option<u16> {
    let output = std::io::stdout();
    let size = output.is_terminal().then(|| rustix::termios::tcgetwinsize(&output).ok()).flatten();
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    size.map(|size| size.ws_col).filter(|columns| *columns > 0).or_else(said)
}
