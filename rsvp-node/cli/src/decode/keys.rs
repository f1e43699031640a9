//! INTEGRITY digests, RFC 2747 4.2: computed again with the keys that were given.
//!
//! Sequence numbers are not judged: a capture does not say what a receiver had seen before.

use std::fs::File;
use std::io::Read;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rsvp_wire::{Class, Scan};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// Octets of an INTEGRITY object before its digest: header, flags, reserved, key identifier, sequence number.
const BEFORE_DIGEST: usize = 20;

/// What became of a digest.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Integrity {
    /// It is right.
    Ok,
    /// It is wrong: another key, or a message that was changed.
    Bad,
    /// No key with its identifier was given.
    UnknownKey(u64),
}

impl Integrity {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::UnknownKey(_) => "unknown-key",
        }
    }
}

#[derive(Copy, Clone, Debug)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Octets of a file of keys that are read.
const LARGEST_FILE: u64 = 64 << 10;

/// What an argument is: a key, or the keys of a file.
#[derive(Clone, Debug)]
pub(super) struct Given(Vec<Key>);

/// A key as it was given: `ID:ALGORITHM:HEX`, or `ID:ALGORITHM:text:TEXT`.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: u64,
    algorithm: Algorithm,
    secret: Vec<u8>,
}

/// All keys.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix('@') else { return text.parse().map(|key| Self(vec![key])) };
        let mut lines = String::new();
        let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
        let read = file.take(LARGEST_FILE + 1).read_to_string(&mut lines);
        let read = read.map_err(|error| format!("{path}: {error}; a key is a line of text"))?;
        if read as u64 > LARGEST_FILE {
            return Err(format!(
                "{path}: this is not a file of keys: it has more than {LARGEST_FILE} octets"
            ));
        }
        // Some editors begin a text with a mark of its byte order.
        let lines = lines.strip_prefix('\u{feff}').unwrap_or(&lines).lines();
        let lines = lines.enumerate().map(|(number, line)| (number + 1, line.trim()));
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let key = |(number, line): (usize, &str)| {
            let key = if has_comment(line) { Err(COMMENT.to_owned()) } else { line.parse::<Key>() };
            key.map_err(|why| format!("{path}, line {number}: {why}"))
        };
        let keys = keys.map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(format!("{path}: there is no key in it; one a line, as ID:ALGORITHM:HEX"));
        }
        Ok(Self(keys))
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(id), Some(algorithm), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("expected ID:ALGORITHM:HEX or ID:ALGORITHM:text:TEXT, for example \
                 1:md5:00112233445566778899aabbccddeeff, or @FILE with one a line"
                .into());
        };
        let id = match id.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => id.parse(),
        };
        let id = id.ok().filter(|id| id >> 48 == 0);
        let id = id.ok_or("the key identifier must be a number below 2^48 (RFC 2747 2.1)")?;
        let algorithm = match algorithm.to_ascii_lowercase().trim_start_matches("hmac-") {
            "md5" => Algorithm::Md5,
            "sha1" | "sha-1" => Algorithm::Sha1,
            "sha256" | "sha-256" => Algorithm::Sha256,
            "sha384" | "sha-384" => Algorithm::Sha384,
            "sha512" | "sha-512" => Algorithm::Sha512,
            other => {
                return Err(format!(
                    "`{other}` is no algorithm; expected md5, sha1, sha256, sha384 or sha512"
                ));
            }
        };
        if let Some(text) = secret.strip_prefix("text:") {
            let secret = Some(text.as_bytes().to_vec()).filter(|secret| !secret.is_empty());
            return Ok(Self { id, algorithm, secret: secret.ok_or("there is no key after `text:`")? });
        }
        let digits = secret.as_bytes();
        let octets = digits.chunks(2).map(|pair| {
            let digit = |at: usize| pair.get(at).and_then(|digit| (*digit as char).to_digit(16));
            digit(0).zip(digit(1)).map(|(high, low)| (high << 4 | low) as u8)
        });
        let secret = octets.collect::<Option<Vec<_>>>().filter(|octets| !octets.is_empty());
        Ok(Self { id, algorithm, secret: secret.ok_or(NO_DIGITS)? })
    }
}

/// Whether a line goes on with what looks like a comment: nobody could tell whether it is of the key.
fn has_comment(line: &str) -> bool {
    line.split('#').rev().skip(1).any(|before| before.ends_with(char::is_whitespace))
}

const COMMENT: &str = "a comment has a line of its own, and begins it with `#`; a key that has a blank before a `#` is to be given as hex digits";
const NO_DIGITS: &str = "the key must be an even number of hex digits, or text: and a text";

impl Keys {
    pub(super) fn new(given: &[Given]) -> Self {
        Self(given.iter().flat_map(|given| given.0.iter().cloned()).collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Verifies the digest of a message that has one.
    pub(super) fn verify(&self, scan: &Scan<'_>, octets: &[u8]) -> Option<Integrity> {
        let length = usize::from(scan.header()?.length);
        let object = scan.objects().map_while(Result::ok).find(|object| object.class == Class::INTEGRITY)?;
        let (head, digest) = object.octets().split_at_checked(BEFORE_DIGEST)?;
        let id = head.get(6..12)?.iter().fold(0, |id, &octet| id << 8 | u64::from(octet));
        let message = octets.get(..length)?;
        let at = usize::from(object.at()) + BEFORE_DIGEST;
        let mut known = false;
        for key in self.0.iter().filter(|key| key.id == id) {
            known = true;
            if key.matches(message, at, digest) {
                return Some(Integrity::Ok);
            }
        }
        Some(if known { Integrity::Bad } else { Integrity::UnknownKey(id) })
    }
}

impl Key {
    fn matches(&self, message: &[u8], at: usize, digest: &[u8]) -> bool {
        let key = &self.secret;
        match self.algorithm {
            Algorithm::Md5 => verify(Hmac::<Md5>::new_from_slice(key).ok(), message, at, digest),
            Algorithm::Sha1 => verify(Hmac::<Sha1>::new_from_slice(key).ok(), message, at, digest),
            Algorithm::Sha256 => verify(Hmac::<Sha256>::new_from_slice(key).ok(), message, at, digest),
            Algorithm::Sha384 => verify(Hmac::<Sha384>::new_from_slice(key).ok(), message, at, digest),
            Algorithm::Sha512 => verify(Hmac::<Sha512>::new_from_slice(key).ok(), message, at, digest),
        }
    }
}

/// The digest is over the whole message with zeros for the checksum and for the digest itself.
fn verify<M: Mac>(mac: Option<M>, message: &[u8], at: usize, digest: &[u8]) -> bool {
    const ZEROS: [u8; 64] = [0; 64];
    let Some(mut mac) = mac else { return false };
    let (Some(before), Some(after)) = (message.get(4..at), message.get(at + digest.len()..)) else {
        return false;
    };
    mac.update(message.get(..2).unwrap_or_default());
    mac.update(&[0, 0]);
    mac.update(before);
    for chunk in digest.chunks(ZEROS.len()) {
        mac.update(ZEROS.get(..chunk.len()).unwrap_or_default());
    }
    mac.update(after);
    // A SHA-1 digest is 20 octets; all of these have a multiple of 4, so nothing is cut off or filled up.
    mac.verify_slice(digest).is_ok()
}
