//! Rates, sizes, times and shares with their units, as people write them in scenario files, configuration and commands.
//!
//! A number without a unit is deliberately refused: `2` is no rate. Decimal prefixes are decimal (`15kB` is 15000
//! octets), binary ones are binary (`16KiB`).

use core::time::Duration;

const RATE: &str = "a rate such as \"2mbit\" (bit, kbit, mbit or gbit per second)";
const SIZE: &str = "a size such as \"15kB\" (B, kB, MB, KiB or MiB)";
const TIME: &str = "a time such as \"20ms\" (us, ms, s, min or h)";
const SHARE: &str = "a share from \"0%\" to \"100%\"";

/// Longest time that may be named: a year.
const LONGEST_US: f64 = 365.0 * 86_400.0 * 1e6;

/// Bits per second.
///
/// # Errors
/// When it is none, with what was expected.
pub fn rate(text: &str) -> Result<f64, String> {
    let (number, unit) = split(text, RATE)?;
    let unit = unit.to_lowercase();
    let scale = match unit.strip_suffix("/s").unwrap_or(&unit) {
        "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        other => return Err(unknown_unit(other, text, RATE)),
    };
    in_range(number * scale, 1.0, 1e15, text, RATE)
}

/// Octets.
///
/// # Errors
/// When it is none, with what was expected.
pub fn size(text: &str) -> Result<f64, String> {
    let (number, unit) = split(text, SIZE)?;
    let scale = match unit {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        other => return Err(unknown_unit(other, text, SIZE)),
    };
    in_range(number * scale, 0.0, 4e9, text, SIZE)
}

/// A span of time, to the microsecond.
///
/// # Errors
/// When it is none, with what was expected.
pub fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text, TIME)?;
    let scale = match unit {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" => 60e6,
        "h" => 3600e6,
        other => return Err(unknown_unit(other, text, TIME)),
    };
    let us = in_range(number * scale, 0.0, LONGEST_US, text, TIME)?;
    Ok(Duration::from_micros(us.round() as u64))
}

/// A share from 0 to 1.
///
/// # Errors
/// When it is none, with what was expected.
pub fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = split(text, SHARE)?;
    if unit != "%" {
        return Err(unknown_unit(unit, text, SHARE));
    }
    in_range(number / 100.0, 0.0, 1.0, text, SHARE)
}

fn split<'t>(text: &'t str, expected: &str) -> Result<(f64, &'t str), String> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-._".contains(c))).unwrap_or(text.len());
    let number = text[..end].replace('_', "");
    let Ok(number) = number.parse::<f64>() else {
        return Err(format!("\"{text}\" does not start with a number, expected {expected}"));
    };
    Ok((number, text[end..].trim_start()))
}

fn unknown_unit(unit: &str, text: &str, expected: &str) -> String {
    if unit.is_empty() {
        format!("\"{text}\" has no unit, expected {expected}")
    } else {
        format!("\"{text}\" has the unknown unit \"{unit}\", expected {expected}")
    }
}

fn in_range(value: f64, least: f64, most: f64, text: &str, expected: &str) -> Result<f64, String> {
    if value < 0.0 {
        return Err(format!("\"{text}\" is negative, expected {expected}"));
    }
    if value < least {
        return Err(format!("\"{text}\" is too small, expected {expected}"));
    }
    if value > most || !value.is_finite() {
        return Err(format!("\"{text}\" is out of range, expected {expected}"));
    }
    Ok(value)
}

/// Bits per second as people write them.
#[must_use]
pub fn show_rate(bps: f64) -> String {
    if bps.is_infinite() {
        return "unlimited".to_owned();
    }
    let (scale, unit) = match bps {
        v if v >= 1e9 => (1e9, "Gbit/s"),
        v if v >= 1e6 => (1e6, "Mbit/s"),
        v if v >= 1e3 => (1e3, "kbit/s"),
        _ => (1.0, "bit/s"),
    };
    format!("{}{unit}", short(bps / scale))
}

/// Octets as people write them.
#[must_use]
pub fn show_size(octets: u64) -> String {
    let size = octets as f64;
    match octets {
        0..1_000 => format!("{octets}B"),
        1_000..1_000_000 => format!("{}kB", short(size / 1e3)),
        1_000_000..1_000_000_000 => format!("{}MB", short(size / 1e6)),
        _ => format!("{}GB", short(size / 1e9)),
    }
}

/// A time as people write it.
#[must_use]
pub fn show_time(t: Duration) -> String {
    let us = t.as_micros() as f64;
    match us {
        v if v >= 1e6 || v == 0.0 => format!("{}s", short(v / 1e6)),
        v if v >= 1e3 => format!("{}ms", short(v / 1e3)),
        v => format!("{v}us"),
    }
}

/// Three decimals at most, none that are zero.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_units_are_read() {
        assert_eq!(rate("2mbit"), Ok(2e6));
        assert_eq!(rate("1.5 Gbit/s"), Ok(1.5e9));
        assert_eq!(rate("64_000bit"), Ok(64e3));
        assert_eq!(size("15kB"), Ok(15e3));
        assert_eq!(size("1KiB"), Ok(1024.0));
        assert_eq!(time("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(time("1.5min"), Ok(Duration::from_secs(90)));
        assert_eq!(share("80%"), Ok(0.8));
    }

    #[test]
    fn nonsense_is_refused_with_what_was_expected() {
        for text in
            ["", "fast", "2", "-2mbit", "2mb", "1e400mbit", "0bit", "9999999gbit", "nanmbit", "infbit"]
        {
            let error = rate(text).expect_err(text);
            assert!(error.contains("expected a rate such as"), "{error}");
        }
        assert!(rate("-2mbit").expect_err("negative").contains("negative"));
        assert!(time("5").expect_err("no unit").contains("no unit"));
        assert!(size("5km").expect_err("unit").contains("\"km\""));
        assert!(share("101%").is_err() && share("-1%").is_err() && share("0.5").is_err());
        assert!(time("99999999h").is_err());
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for bps in [1.0, 999.0, 2e6, 1.5e6, 1e9] {
            assert_eq!(rate(&show_rate(bps)), Ok(bps));
        }
        assert_eq!(
            [0, 999, 1_500, 2_000_000, 3_000_000_000].map(show_size),
            ["0B", "999B", "1.5kB", "2MB", "3GB"]
        );
        assert_eq!(show_time(Duration::from_micros(1_500)), "1.5ms");
        assert_eq!(show_time(Duration::from_secs(90)), "90s");
    }
}
