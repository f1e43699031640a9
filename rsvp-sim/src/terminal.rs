//! What the terminal has room for, and which characters it shows, by the rules that `rsvp` has.

use rsvp_sim::Look;
use std::io::IsTerminal;

/// Columns of the narrowest output.
const NARROWEST: usize = 20;

/// How standard output is to look; so many columns in place of the terminal's, if they are said.
pub(crate) fn look(width: Option<u16>) -> Look {
    let is_terminal = std::io::stdout().is_terminal();
    let width = width.or_else(|| is_terminal.then(columns).flatten()).filter(|width| *width > 0);
    Look {
        colours: is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        width: width.map(|width| usize::from(width).max(NARROWEST)),
        ..characters()
    }
}

/// Plain text in the characters of the locale.
pub(crate) fn characters() -> Look {
    let is_utf8 = speaks_utf8(|name| std::env::var(name).ok());
    Look { ascii: !is_utf8, ..Look::default() }
}

/// Columns of the terminal that standard output is, or that COLUMNS says.
fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    size.map(|size| size.ws_col).filter(|columns| *columns > 0).or_else(said)
}

/// Whether the locale is one of UTF-8.
fn speaks_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said).unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_says_a_locale_counts() {
        let speaks = |set: &[(&str, &str)]| {
            speaks_utf8(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(speaks(&[("LANG", "de_DE.UTF-8")]) && speaks(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(
            !speaks(&[]) && !speaks(&[("LANG", "C.UTF-8"), ("LC_ALL", "C")]) && !speaks(&[("LANG", "POSIX")])
        );
    }
}
