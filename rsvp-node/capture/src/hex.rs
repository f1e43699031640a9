//! Packets as hex digits: what tools print and people paste.
//!
//! Packets are separated by empty lines. A line may start with an offset (`0x0010:`, `00000010:`, or four to eight
//! digits and two spaces), may end with the characters of its octets after two spaces, and may be a comment (`#`).
//! Whether the octets are a message or an IP packet is for the first of them to say, not for this module.

use std::io::BufRead;

use super::CaptureError;

/// Reads packets from a text.
pub struct HexReader<R> {
    input: R,
    line: String,
    lines: usize,
    octets: Vec<u8>,
}

impl<R: BufRead> HexReader<R> {
    /// Reads lines of `input`.
    pub const fn new(input: R) -> Self {
        Self { input, line: String::new(), lines: 0, octets: Vec::new() }
    }

    /// The octets of the next packet; `None` at the end.
    ///
    /// # Errors
    /// When the text cannot be read, or a line has something that is not hex digits.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>, CaptureError> {
        self.octets.clear();
        loop {
            self.line.clear();
            let ended = self.input.read_line(&mut self.line)? == 0;
            self.lines += 1;
            let line = self.line.trim();
            if line.is_empty() && !self.octets.is_empty() {
                return Ok(Some(&self.octets));
            }
            if ended {
                return Ok(None);
            }
            if !line.starts_with('#') {
                octets(line, &mut self.octets)
                    .map_err(|what| CaptureError::Hex { line: self.lines, what })?;
                if self.octets.len() > super::FRAME_LIMIT {
                    return Err(CaptureError::Hex {
                        line: self.lines,
                        what: "the packet is too long".into(),
                    });
                }
            }
        }
    }
}

/// Appends the octets of a line.
fn octets(line: &str, octets: &mut Vec<u8>) -> Result<(), String> {
    let digits = without_offset(line);
    // Two spaces end the digits: the characters follow. Groups of digits are one space apart, at the most two after
    // eight octets, where what follows still has a group's length in digits.
    let mut rest = digits;
    while !rest.is_empty() {
        let (group, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let group = group.trim_start_matches("0x");
        for pair in group.as_bytes().chunks(2) {
            let octet = match *pair {
                [high, low] => Some((high as char).to_digit(16).zip((low as char).to_digit(16))),
                _ => None,
            };
            let Some((high, low)) = octet.flatten() else {
                return Err(format!("`{group}` is not an even number of hex digits"));
            };
            octets.push((high << 4 | low) as u8);
        }
        rest = after.strip_prefix(char::is_whitespace).unwrap_or(after);
        if rest.starts_with(char::is_whitespace) && !more_digits(rest.trim_start()) {
            break;
        }
        rest = rest.trim_start();
    }
    Ok(())
}

/// Whether a text after a gap is more octets rather than the characters of those before: pairs of digits and spaces.
fn more_digits(text: &str) -> bool {
    text.split_whitespace().all(|group| group.len() % 2 == 0 && group.bytes().all(|b| b.is_ascii_hexdigit()))
        || text.split("  ").next().is_some_and(|half| {
            half.split(' ').count() > 1 && half.split(' ').all(|group| group.len() == 2 && is_hex(group))
        })
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn without_offset(line: &str) -> &str {
    let (first, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
    if let Some(offset) = first.strip_suffix(':')
        && is_hex(offset.trim_start_matches("0x"))
    {
        return rest.trim_start();
    }
    if (4..=8).contains(&first.len()) && is_hex(first) && rest.starts_with("  ") {
        return rest.trim_start();
    }
    line
}
