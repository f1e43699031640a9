//! The output: one buffer that is reused, and fast ways to put numbers and addresses into it.
//!
//! `core::fmt` costs more than the decoding of a message, so what is printed for every packet does not go through it.
//! Nothing here knows RSVP.

use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rsvp_capture::Timestamp;

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const SPACES: &str = "                                                                ";

/// What a clock shows, which may be a time before 1970 where that began later than in UTC.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Clock {
    /// Whole seconds since 1970 began by this clock.
    pub(crate) seconds: i64,
    /// Nanoseconds on top.
    pub(crate) nanos: u32,
    /// Whether there are digits after those of microseconds.
    pub(crate) fine: bool,
}

impl From<Timestamp> for Clock {
    #[inline]
    fn from(Timestamp { seconds, nanos, fine }: Timestamp) -> Self {
        Self { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos, fine }
    }
}

/// Text that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Text {
    octets: Vec<u8>,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { octets: Vec::new() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.octets
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.octets.len()
    }

    pub(crate) fn clear(&mut self) {
        self.octets.clear();
    }

    /// Leaves out what was put since `start` up to and including the first `mark`, if it is there.
    pub(crate) fn shorten(&mut self, start: usize, mark: &str) -> &mut Self {
        let put = self.octets.get(start..).unwrap_or_default();
        if let Some(at) = put.windows(mark.len()).position(|window| window == mark.as_bytes()) {
            self.octets.drain(start..start + at + mark.len());
        }
        self
    }

    /// Takes back the last `mark` that was put since `start`, and what followed it.
    pub(crate) fn cut(&mut self, start: usize, mark: &str) {
        let put = self.octets.get(start..).unwrap_or_default();
        if let Some(at) = put.windows(mark.len()).rposition(|window| window == mark.as_bytes()) {
            self.octets.truncate(start + at);
        }
    }

    /// Takes back the spaces at the end.
    pub(crate) fn trim(&mut self) {
        let end = self.octets.trim_ascii_end().len();
        self.octets.truncate(end);
    }

    /// Puts a text before what follows the first octets.
    pub(crate) fn insert(&mut self, at: usize, text: &str) {
        let at = at.min(self.octets.len());
        self.octets.splice(at..at, text.bytes());
    }

    /// Folds the lines since `start` that are wider: they go on `indent` columns from the left.
    pub(crate) fn fold(&mut self, start: usize, width: usize, indent: usize) {
        let lines = self.octets.split_off(start.min(self.octets.len()));
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            let mut rest = line;
            let mut room = width.max(2);
            while let Some((at, next)) = break_of(rest, room) {
                self.octets.extend_from_slice(&rest[..at]);
                self.octets.push(b'\n');
                let indent = indent.min(width / 2);
                self.spaces(indent);
                room = width.max(2) - indent;
                rest = &rest[next..];
            }
            self.octets.extend_from_slice(rest);
        }
    }

    /// Takes back all but the first octets.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.octets.truncate(length);
    }

    /// Hands everything to a writer.
    pub(crate) fn drain_to(&mut self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.octets)?;
        self.octets.clear();
        Ok(())
    }

    #[inline]
    pub(crate) fn bytes(&mut self, octets: &[u8]) -> &mut Self {
        self.octets.extend_from_slice(octets);
        self
    }

    #[inline]
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        self.octets.extend_from_slice(text.as_bytes());
        self
    }

    /// A name with spaces for underscores, and spaces up to so many columns; at least two.
    #[inline]
    pub(crate) fn name_column<const WIDTH: usize>(&mut self, name: &str) -> &mut Self {
        let start = self.octets.len();
        self.spaced(name).bytes(&[b' '; WIDTH]);
        self.octets.truncate(start + WIDTH.max(name.len() + 2));
        self
    }

    /// A name with spaces for underscores.
    #[inline]
    pub(crate) fn spaced(&mut self, name: &str) -> &mut Self {
        let start = self.octets.len();
        self.put(name);
        for octet in &mut self.octets[start..] {
            *octet = if *octet == b'_' { b' ' } else { *octet };
        }
        self
    }

    #[inline]
    pub(crate) fn octet(&mut self, octet: u8) -> &mut Self {
        self.octets.push(octet);
        self
    }

    #[inline]
    pub(crate) fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        let mut buffer = itoa::Buffer::new();
        self.put(buffer.format(number))
    }

    /// A number flush right in so many columns.
    pub(crate) fn right(&mut self, number: u64, width: usize) -> &mut Self {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        self.spaces(width.saturating_sub(digits.len())).put(digits)
    }

    /// A number flush right in `RIGHT` columns at the start of `width` columns, the rest of which are empty.
    #[inline]
    pub(crate) fn number_column<const RIGHT: usize>(&mut self, number: u16, width: usize) -> &mut Self {
        const BLOCK: [u8; 32] = [b' '; 32];
        // A block of fixed size is copied faster than what is needed of it.
        let start = self.octets.len();
        self.bytes(&BLOCK);
        let mut left = number;
        for place in self.octets[start..start + RIGHT].iter_mut().rev() {
            *place = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.octets.truncate(start + width.min(BLOCK.len()));
        if width > BLOCK.len() { self.spaces(width - BLOCK.len()) } else { self }
    }

    #[inline]
    pub(crate) fn spaces(&mut self, count: usize) -> &mut Self {
        let mut left = count;
        while left > SPACES.len() {
            self.put(SPACES);
            left -= SPACES.len();
        }
        self.put(&SPACES[..left])
    }

    /// Spaces until `length` columns follow `start`, at least one.
    #[inline]
    pub(crate) fn column(&mut self, start: usize, length: usize) -> &mut Self {
        let there = self.octets.len().saturating_sub(start);
        self.spaces(length.saturating_sub(there).max(1))
    }

    /// Hex digits without `0x`.
    pub(crate) fn hex(&mut self, octets: &[u8]) -> &mut Self {
        self.octets.reserve(octets.len() * 2);
        for &octet in octets {
            self.octets.push(DIGITS[usize::from(octet >> 4)]);
            self.octets.push(DIGITS[usize::from(octet & 15)]);
        }
        self
    }

    /// `0x` and so many hex digits.
    pub(crate) fn hex_number(&mut self, number: u64, digits: u32) -> &mut Self {
        self.put("0x");
        for place in (0..digits).rev() {
            self.octets.push(DIGITS[(number >> (place * 4) & 15) as usize]);
        }
        self
    }

    /// A float: without a fraction as a plain number, else as short as it can be said.
    pub(crate) fn float(&mut self, number: f32) -> &mut Self {
        if number.abs() < 1e9 && number as i64 as f32 == number {
            return self.number(number as i64);
        }
        let mut buffer = ryu::Buffer::new();
        self.put(buffer.format(number))
    }

    #[inline]
    pub(crate) fn ipv4(&mut self, address: Ipv4Addr) -> &mut Self {
        let [a, b, c, d] = address.octets();
        self.number(a).octet(b'.').number(b).octet(b'.').number(c).octet(b'.').number(d)
    }

    pub(crate) fn ipv6(&mut self, address: Ipv6Addr) -> &mut Self {
        self.show(&address)
    }

    #[inline]
    pub(crate) fn address(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(address) => self.ipv4(address),
            IpAddr::V6(address) => self.ipv6(address),
        }
    }

    /// What has only a `Display`.
    pub(crate) fn show(&mut self, value: &dyn fmt::Display) -> &mut Self {
        // Writing to a vector does not fail, and a `Display` that fails has put what it had to say.
        let _ = write!(self.octets, "{value}");
        self
    }

    #[inline]
    fn two(&mut self, number: u64) -> &mut Self {
        self.octet(b'0' + (number / 10 % 10) as u8).octet(b'0' + (number % 10) as u8)
    }

    /// `2026-11-21`; a time that was captured is shown in UTC.
    #[inline]
    pub(crate) fn date(&mut self, time: impl Into<Clock>) -> &mut Self {
        let (year, month, day) = civil(time.into().seconds.div_euclid(86_400));
        self.number(year).octet(b'-').two(month).octet(b'-').two(day)
    }

    /// `09:51:03.364851`; a time that was captured is shown in UTC.
    #[inline]
    pub(crate) fn time_of_day(&mut self, time: impl Into<Clock>) -> &mut Self {
        let time = time.into();
        let second = time.seconds.rem_euclid(86_400) as u64;
        self.two(second / 3600).octet(b':').two(second / 60 % 60).octet(b':').two(second % 60).octet(b'.');
        let nanos = u64::from(time.nanos);
        self.two(nanos / 10_000_000).two(nanos / 100_000 % 100).two(nanos / 1000 % 100);
        if time.fine { self.octet(b'0' + (nanos / 100 % 10) as u8).two(nanos % 100) } else { self }
    }
}

impl Write for Text {
    #[inline]
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.octets.extend_from_slice(octets);
        Ok(octets.len())
    }

    #[inline]
    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.octets.extend_from_slice(octets);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a line is to be broken that has more than so many columns, and where it goes on: at the last space that is not
/// before the first word, else where there is no more room.
fn break_of(line: &[u8], room: usize) -> Option<(usize, usize)> {
    let (mut column, mut escape, mut word, mut space) = (0, false, false, None);
    for (at, &octet) in line.iter().enumerate() {
        match octet {
            b'\n' => return None,
            // The sequences that colours are made of take no room.
            0x1b => escape = true,
            b'm' if escape => escape = false,
            _ if escape => {}
            // What a character of several octets goes on with.
            0x80..0xc0 => {}
            _ if column == room => {
                let at = space.unwrap_or(at);
                let gap = line[at..].iter().take_while(|octet| **octet == b' ').count();
                return (line.get(at + gap) != Some(&b'\n')).then_some((at, at + gap));
            }
            _ => {
                if octet == b' ' && word && line.get(at + 1) != Some(&b' ') {
                    space = Some(at);
                }
                word |= octet != b' ';
                column += 1;
            }
        }
    }
    None
}

/// Year, month and day of a day since 1970 (before it: negative), in the Gregorian calendar: years start in March, so that the
/// leap day is the last, and 400 of them are 146,097 days.
fn civil(day: i64) -> (u64, u64, u64) {
    const DAYS_TO_1970: i64 = 719_468;
    let day = day.saturating_add(DAYS_TO_1970).max(0) as u64;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(put: impl FnOnce(&mut Text) -> &mut Text) -> String {
        let mut text = Text::new();
        put(&mut text);
        String::from_utf8(text.octets).unwrap()
    }

    #[test]
    fn times() {
        // `date -u -d @951827696` and so on.
        let at = |seconds, nanos, fine| Timestamp { seconds, nanos, fine };
        assert_eq!(shown(|t| t.date(at(0, 0, false))), "1970-01-01");
        assert_eq!(shown(|t| t.date(at(951_827_696, 0, false))), "2000-02-29");
        assert_eq!(shown(|t| t.date(at(4_102_444_800, 0, false))), "2100-01-01");
        assert_eq!(shown(|t| t.time_of_day(at(951_827_696, 7_089_000, false))), "12:34:56.007089");
        assert_eq!(shown(|t| t.time_of_day(at(951_827_696, 7_089_010, true))), "12:34:56.007089010");
        // West of Greenwich, 1970 begins later.
        let before = Clock { seconds: 1 - 5 * 3600, nanos: 250_000_000, fine: false };
        assert_eq!(shown(|t| t.date(before)), "1969-12-31");
        assert_eq!(shown(|t| t.time_of_day(before)), "19:00:01.250000");
    }

    #[test]
    fn folded() {
        let fold = |line: &str, width, indent| {
            shown(|text| {
                text.put("kept as it is, however long\n");
                let start = text.len();
                text.put(line).fold(start, width, indent);
                text
            })
        };
        let start = "kept as it is, however long\n";
        assert_eq!(fold("short\n", 5, 2), format!("{start}short\n"));
        assert_eq!(fold("one two three\n", 8, 2), format!("{start}one two\n  three\n"));
        assert_eq!(fold("  indented words\n", 12, 4), format!("{start}  indented\n    words\n"));
        assert_eq!(fold("abcdefghij\n", 4, 0), format!("{start}abcd\nefgh\nij\n"));
        assert_eq!(fold("\x1b[1mabcd\x1b[0m\n", 4, 0), format!("{start}\x1b[1mabcd\x1b[0m\n"));
        assert_eq!(fold("äöüß äö\n", 4, 0), format!("{start}äöüß\näö\n"));
        assert_eq!(fold("a b c d\nx\n", 1, 9), format!("{start}a\nb\nc\nd\nx\n"));
    }

    #[test]
    fn numbers() {
        assert_eq!(shown(|t| t.right(42, 5).spaces(130)), format!("   42{}", " ".repeat(130)));
        assert_eq!(shown(|t| t.hex(&[0, 0xab]).hex_number(0x2a, 4)), "00ab0x002a");
        assert_eq!(shown(|t| t.address("10.0.2.255".parse().unwrap())), "10.0.2.255");
    }
}
