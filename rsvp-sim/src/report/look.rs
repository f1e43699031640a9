//! How a report looks: in which colours and characters, and how wide it may be.

use std::borrow::Cow;

/// Columns that lines go on by, beyond those before their first word, where they are folded.
const HANGING: usize = 4;

/// How text is shown. By default as a file has it: without colours, as wide as it comes, with all characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Green and red for what held and what did not.
    pub colours: bool,
    /// Columns that there are: lines that are wider are folded, and without room for its lanes the ladder has names in their
    /// place. As wide as it comes, without.
    pub width: Option<usize>,
    /// Marks, dashes and the like are ASCII, for terminals without another locale than C.
    pub ascii: bool,
}

impl Look {
    /// Folds the lines of a text that are too wide, and has its marks in ASCII, if that is how it is to look.
    #[must_use]
    pub fn fit<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = if self.ascii { Cow::Owned(plain(text)) } else { Cow::Borrowed(text) };
        let Some(width) = self.width else { return text };
        let mut out = String::new();
        for line in text.lines() {
            let indent = (line.len() - line.trim_start().len() + HANGING).min(width / 2);
            for (n, piece) in pieces(line.trim_end(), width, width - indent).into_iter().enumerate() {
                if n > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(piece);
                out.push('\n');
            }
        }
        Cow::Owned(out)
    }
}

/// The same with ASCII for what reports and messages have of other characters. Names are as they are.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '✓' => out.push('+'),
            '✗' | '×' => out.push('x'),
            '–' | '—' => out.push('-'),
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            'µ' => out.push('u'),
            other => out.push(other),
        }
    }
    out
}

/// A line in pieces: the first has room for so many characters, the others for so many.
pub(super) fn pieces(line: &str, first: usize, others: usize) -> Vec<&str> {
    let (mut rest, mut room, mut all) = (line, first.max(1), Vec::new());
    while let Some((end, next)) = break_of(rest, room) {
        all.push(&rest[..end]);
        rest = &rest[next..];
        room = others.max(1);
    }
    all.push(rest);
    all
}

/// Where a line is to be broken that has more than so many characters, and where it goes on: at the last space after a word, or
/// where a drawn link begins; else where there is no more room.
fn break_of(line: &str, room: usize) -> Option<(usize, usize)> {
    let (mut column, mut escape, mut before, mut place) = (0, false, ' ', None);
    let mut word = false;
    for (at, c) in line.char_indices() {
        match c {
            // The sequences that colours are made of take no room.
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            _ => {
                let link =
                    ["----", "=="].into_iter().any(|drawn| line[at..].starts_with(drawn)) && c != before;
                if word && ((c == ' ' && before != ' ') || link) {
                    place = Some(at);
                }
                if column == room {
                    let at = place.unwrap_or(at);
                    let gap = line[at..].len() - line[at..].trim_start_matches(' ').len();
                    return Some((at, at + gap));
                }
                word |= c != ' ';
                before = c;
                column += 1;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(text: &str, width: usize) -> String {
        Look { width: Some(width), ..Look::default() }.fit(text).into_owned()
    }

    #[test]
    fn what_is_too_wide_goes_on_further_right_and_nothing_is_lost() {
        assert_eq!(fit("  one two three\nfour\n", 9), "  one two\n    three\nfour\n");
        assert_eq!(fit("  one two three\n", 15), "  one two three\n", "there is just room");
        assert_eq!(fit("(a)----[r1]----(b)\n", 12), "(a)----[r1]\n    ----(b)\n");
        assert_eq!(fit("abcdefghij\n", 6), "abcdef\n   ghi\n   j\n");
        let red = "\u{1b}[31mone\u{1b}[0m two\n";
        assert_eq!(fit(red, 7), red, "colours take no room");
        for width in 1..30 {
            let text = "  a-r  10Mbit/s (8Mbit/s reservable), 1ms; a 10.0.1.1, r 10.0.1.2";
            let folded = fit(text, width);
            assert!(folded.lines().all(|line| line.chars().count() <= width), "{width}: {folded}");
            let letters = |text: &str| text.replace(char::is_whitespace, "");
            assert_eq!(letters(&folded), letters(text), "{width}");
        }
    }

    #[test]
    fn marks_have_plain_ones_in_their_place_and_names_stay() {
        let look = Look { ascii: true, ..Look::default() };
        assert_eq!(look.fit("✓ a — b … 3 µs\n✗ é –\n"), "+ a - b ... 3 us\nx é -\n");
        assert_eq!(Look::default().fit("✓ …"), "✓ …");
    }
}
