//! HTTP/1.1 answers (RFC 9112) in pieces of octets, as they come: the head, and the body by its length, in chunks, or
//! until the connection ends. Nothing is kept but the head, which is bounded.

use std::fmt::Write as _;

/// Octets of a head, and of the lines around chunks, that are read at most.
pub(super) const HEAD: usize = 64 << 10;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Nothing but printable ASCII.
    pub(super) reason: String,
    framing: Framing,
}

/// What says where the body ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilEnd,
}

/// The request for a page, after whose answer the connection is closed.
pub(super) fn request(authority: &str, target: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: rsvp/{version}\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    )
}

/// The head at the beginning of what came, and how many octets it has; nothing while there has to be more. Interim answers
/// (1xx) are gone past.
///
/// # Errors
/// What is malformed, in words.
pub(super) fn head(octets: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut start = 0;
    loop {
        let rest = octets.get(start..).unwrap_or_default();
        let Some(length) = end_of_head(rest) else {
            // Whatever it is, if it does not begin as an answer there is no use in waiting for its end.
            let begins = rest.iter().zip(b"HTTP/1.").all(|(octet, expected)| octet == expected);
            return match (begins, octets.len()) {
                (false, _) => Err(format!("it begins with {}, not with HTTP/1.1", shown(rest))),
                (_, HEAD..) => Err(format!("its head is longer than {HEAD} octets")),
                _ => Ok(None),
            };
        };
        let head = read_head(rest.get(..length).unwrap_or_default())?;
        start += length;
        match head.status {
            101 => return Err("it changes the protocol, which was not asked for".to_owned()),
            100..=199 => {}
            _ => return Ok(Some((head, start))),
        }
    }
}

/// Past the empty line.
fn end_of_head(octets: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, _) in octets.iter().enumerate().filter(|(_, octet)| **octet == b'\n') {
        match octets.get(line..at) {
            Some([] | [b'\r']) => return Some(at + 1),
            _ => line = at + 1,
        }
    }
    None
}

fn read_head(octets: &[u8]) -> Result<Head, String> {
    let mut lines =
        octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let (status, reason) = status_line(first)
        .ok_or_else(|| format!("it begins with {}, not with an HTTP/1 status", shown(first)))?;
    let (mut length, mut coding) = (None, None);
    for line in lines.filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|octet| *octet == b':');
        let (name, value) =
            line.split_at(colon.ok_or_else(|| format!("{} is not a header field", shown(line)))?);
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err(format!("{} is not a header field", shown(line)));
        }
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned();
        if name.eq_ignore_ascii_case(b"content-length") {
            // The same length may be there more than once, also as a list (RFC 9112 6.3).
            for part in value.split(',').map(str::trim) {
                let digits = Some(part).filter(|part| part.bytes().all(|octet| octet.is_ascii_digit()));
                let number = digits.and_then(|digits| digits.parse::<u64>().ok());
                let number =
                    number.ok_or_else(|| format!("its Content-Length is {}", shown(part.as_bytes())))?;
                if length.replace(number).is_some_and(|before| before != number) {
                    return Err("it has two different lengths".to_owned());
                }
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") || coding.is_some() {
                return Err(format!("its transfer coding is {}, not chunked", shown(value.as_bytes())));
            }
            coding = Some(Framing::Chunked);
        }
    }
    let framing = match status {
        204 | 304 | 100..=199 => Framing::Length(0),
        _ => coding.or_else(|| length.map(Framing::Length)).unwrap_or(Framing::UntilEnd),
    };
    Ok(Head { status, reason, framing })
}

fn status_line(line: &[u8]) -> Option<(u16, String)> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let &[b'0'..=b'9', b' ', a, b, c] = rest.first_chunk()? else { return None };
    let digits = [a, b, c].map(|digit| (digit as char).to_digit(10));
    let [Some(a @ 1..=9), Some(b), Some(c)] = digits else { return None };
    let reason = match rest.get(5..)? {
        [] => &[][..],
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    let printable = |octet: &u8| if matches!(octet, b' '..=b'~') { *octet as char } else { '?' };
    Some(((a * 100 + b * 10 + c) as u16, reason.iter().map(printable).collect()))
}

/// The beginning of something, so that a terminal can bear it.
fn shown(octets: &[u8]) -> String {
    let mut text = String::from("`");
    for octet in octets.iter().take(40) {
        let _ = write!(text, "{}", octet.escape_ascii());
    }
    text + if octets.len() > 40 { "`…" } else { "`" }
}

/// What of a body has come, and where it ends.
#[derive(Debug)]
pub(super) struct Body {
    state: State,
    /// Octets of the body so far.
    pub(super) octets: u64,
}

#[derive(Debug)]
enum State {
    Length(u64),
    UntilEnd,
    /// The size of the next chunk so far, how many digits it has, and whether an extension follows them.
    Size(u64, usize, bool),
    Chunk(u64),
    /// The end of line behind a chunk.
    AfterChunk,
    /// The fields behind the last chunk: how long this line is, and how long all are.
    Trailer(usize, usize),
    Done,
}

impl Body {
    pub(super) fn of(head: &Head) -> Self {
        let state = match head.framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size(0, 0, false),
            Framing::UntilEnd => State::UntilEnd,
        };
        Self { state, octets: 0 }
    }

    /// Whether nothing more belongs to it.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes in what came and hands on what of it is the body.
    ///
    /// # Errors
    /// What is malformed, or why the octets could not be handed on.
    pub(super) fn take(
        &mut self,
        mut input: &[u8],
        mut hand_on: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        while let Some((&octet, rest)) = input.split_first() {
            let left = match self.state {
                State::Done => return Ok(()),
                State::UntilEnd => u64::MAX,
                State::Length(left) | State::Chunk(left) => left,
                _ => {
                    self.between(octet)?;
                    input = rest;
                    continue;
                }
            };
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let (data, rest) = input.split_at(here);
            hand_on(data)?;
            self.octets += here as u64;
            input = rest;
            let left = left - here as u64;
            self.state = match self.state {
                State::Length(_) if left == 0 => State::Done,
                State::Length(_) => State::Length(left),
                State::Chunk(_) if left == 0 => State::AfterChunk,
                State::Chunk(_) => State::Chunk(left),
                _ => State::UntilEnd,
            };
        }
        Ok(())
    }

    /// One octet between the chunks (RFC 9112 7.1).
    fn between(&mut self, octet: u8) -> Result<(), String> {
        let digit = (octet as char).to_digit(16);
        self.state = match (&self.state, octet) {
            (State::Size(size, digits, extension), _) if *digits < HEAD => match (octet, digit) {
                (b'\n', _) if *digits == 0 => return Err("a chunk has no size".to_owned()),
                (b'\n', _) if *size == 0 => State::Trailer(0, 0),
                (b'\n', _) => State::Chunk(*size),
                (_, Some(digit)) if !extension && *digits < 15 => {
                    State::Size(size * 16 + u64::from(digit), digits + 1, false)
                }
                (b';' | b' ' | b'\t' | b'\r', _) if *digits > 0 => State::Size(*size, digits + 1, true),
                _ if *extension => State::Size(*size, digits + 1, true),
                _ => return Err(format!("{} is in the size of a chunk", shown(&[octet]))),
            },
            (State::AfterChunk, b'\r') => State::AfterChunk,
            (State::AfterChunk, b'\n') => State::Size(0, 0, false),
            (State::Trailer(0, _), b'\n') => State::Done,
            (State::Trailer(_, all), b'\n') => State::Trailer(0, *all),
            (State::Trailer(line, all), b'\r') if *all < HEAD => State::Trailer(*line, all + 1),
            (State::Trailer(line, all), _) if *all < HEAD => State::Trailer(line + 1, all + 1),
            (State::AfterChunk, _) => return Err("a chunk is longer than it says".to_owned()),
            _ => return Err(format!("the lines around its chunks are longer than {HEAD} octets")),
        };
        Ok(())
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// When something is missing.
    pub(super) fn end(&self) -> Result<(), String> {
        match self.state {
            State::Done | State::UntilEnd => Ok(()),
            State::Length(left) => {
                Err(format!("it ends after {} of {} octets", self.octets, self.octets.saturating_add(left)))
            }
            _ => Err(format!("it ends after {} octets, in the middle of its chunks", self.octets)),
        }
    }
}

#[cfg(test)]
mod tests;
