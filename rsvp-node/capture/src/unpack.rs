//! Streams as they are, or out of gzip (RFC 1952) and zstd (RFC 8878), of which the first octets tell.
//!
//! What is unpacked is never held as a whole: memory is bounded by the window of the format, however much comes out of it.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window of zstd that is unpacked: that of `zstd --ultra -20`, the largest without `--long` of all but two levels.
const LARGEST_WINDOW: u64 = 32 << 20;
/// Octets that tell the formats apart.
const START: usize = 4;

/// A stream, its first octets first.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// A stream, unpacked if it is compressed.
pub struct Unpacked<R>(Format<R>);

enum Format<R> {
    Plain(Chain<Cursor<Vec<u8>>, R>),
    Gzip(Gzip<Whole<R>>),
    Zstd(Box<Zstd<Whole<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first octets of a stream.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut start = Vec::with_capacity(START);
        input.by_ref().take(START as u64).read_to_end(&mut start)?;
        let known = start.first_chunk::<START>().copied();
        let whole = Cursor::new(start).chain(input);
        Ok(Self(match known {
            Some([0x1f, 0x8b, ..]) => Format::Gzip(Gzip(Some(GzDecoder::new(BufReader::new(whole))))),
            // A frame, or one that is to be skipped.
            Some([0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) => {
                Format::Zstd(Box::new(Zstd::new(BufReader::new(whole))))
            }
            _ => Format::Plain(whole),
        }))
    }
}

impl<R: Read> Read for Unpacked<R> {
    #[inline]
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Format::Plain(stream) => stream.read(octets),
            Format::Gzip(stream) => stream.read(octets).map_err(|error| damaged("gzip", error)),
            Format::Zstd(stream) => stream.read(octets).map_err(|error| damaged("zstd", error)),
        }
    }
}

/// What is wrong with compressed data, in words that say so; what the system says stays.
fn damaged(format: &str, error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            let text = format!("the {format} data ends early: the file was cut off");
            io::Error::new(ErrorKind::UnexpectedEof, text)
        }
        kind @ (ErrorKind::InvalidData | ErrorKind::InvalidInput) => {
            io::Error::new(kind, format!("the {format} data is damaged: {error}"))
        }
        _ => error,
    }
}

/// Members of gzip one after the other, and zeros that fill up a block of the device that they were on, as gzip(1) reads them.
struct Gzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        const FIRST_OF_MEMBER: u8 = 0x1f;
        while let Some(decoder) = &mut self.0 {
            match decoder.read(octets)? {
                0 if !octets.is_empty() => {}
                got => return Ok(got),
            }
            match after_zeros(decoder.get_mut())? {
                None => self.0 = None,
                Some(FIRST_OF_MEMBER) => {
                    self.0 = self.0.take().map(|decoder| GzDecoder::new(decoder.into_inner()));
                }
                Some(_) => {
                    return Err(io::Error::new(
                        ErrorKind::InvalidData,
                        "its end is followed by octets that are none",
                    ));
                }
            }
        }
        Ok(0)
    }
}

/// The first octet that is not zero, which stays; `None` if there is none.
fn after_zeros(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let there = input.fill_buf()?;
        let zeros = there.iter().take_while(|octet| **octet == 0).count();
        let next = there.get(zeros).copied();
        input.consume(zeros);
        if next.is_some() || zeros == 0 {
            return Ok(next);
        }
    }
}

/// Frames of zstd one after the other.
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { input, decoder, within: false }
    }

    /// Begins a frame, or goes past one that is to be skipped; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.init(&mut self.input) {
            Ok(()) => self.within = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let length = u64::from(length);
                if io::copy(&mut (&mut self.input).take(length), &mut io::sink())? < length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(wrong(&error)),
        }
        Ok(true)
    }

    fn end(&mut self) -> io::Result<()> {
        self.within = false;
        let written = self.decoder.get_checksum_from_data();
        if written.is_some() && written != self.decoder.get_calculated_checksum() {
            return Err(io::Error::new(ErrorKind::InvalidData, "the checksum is wrong"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        if octets.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within {
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            }
            let decoder = &mut self.decoder;
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                decoder.decode_blocks(&mut self.input, one).map_err(|error| wrong(&error))?;
            }
            match decoder.read(octets)? {
                0 => self.end()?,
                got => return Ok(got),
            }
        }
    }
}

/// An error of the decoder: what the system said, that the stream ended, or what is wrong.
fn wrong(error: &FrameDecoderError) -> io::Error {
    if let FrameDecoderError::WindowSizeTooBig { requested, max } = error {
        let text = format!(
            "it needs a window of {requested} octets, and the limit is {max}: unpack it before, with `zstd -dc --long=31`"
        );
        return io::Error::new(ErrorKind::InvalidData, text);
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), io.to_string());
        }
        cause = inner.source();
    }
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'rsvp rsvp' | gzip -n | xxd -p`, and the same with `zstd`.
    const GZIP: &str = "1f8b08000000000000032b2a2e2b502802120008bf39e109000000";
    const ZSTD: &str = "28b52ffd04584900007273767020727376708cdb72bb";

    fn octets(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("digits"))
            .collect()
    }

    fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        Unpacked::new(packed)?.read_to_end(&mut whole).map(|_| whole)
    }

    #[test]
    fn what_is_not_compressed_stays() {
        for plain in [&b""[..], b"a", b"abc", b"\x1f\x8b", b"longer than what tells"] {
            assert_eq!(unpacked(plain).expect("octets"), plain);
        }
    }

    #[test]
    fn both_formats_also_several_times_over() {
        for packed in [octets(GZIP), octets(ZSTD)] {
            assert_eq!(unpacked(&packed).expect("octets"), b"rsvp rsvp");
            assert_eq!(unpacked(&packed.repeat(2)).expect("octets"), b"rsvp rsvprsvp rsvp");
            let mut cut = packed.clone();
            cut.pop();
            let ends = unpacked(&cut).expect_err("cut off").to_string();
            assert!(ends.ends_with("data ends early: the file was cut off"), "{ends}");
            let mut wrong = packed.clone();
            wrong[packed.len() - 6] ^= 0x55;
            let wrong = unpacked(&wrong).expect_err("damaged").to_string();
            assert!(wrong.contains(" data is damaged: "), "{wrong}");
            let after =
                unpacked(&[&packed[..], b"something else"].concat()).expect_err("damaged").to_string();
            assert!(after.contains(" data is damaged: "), "{after}");
        }
    }

    #[test]
    fn what_follows_gzip() {
        let gzip = octets(GZIP);
        let zeros = vec![0; 20_000];
        assert_eq!(unpacked(&[&gzip[..], &[0]].concat()).expect("octets"), b"rsvp rsvp");
        assert_eq!(
            unpacked(&[&gzip[..], &zeros, &gzip, &zeros].concat()).expect("octets"),
            b"rsvp rsvprsvp rsvp"
        );
        for garbage in [&b"x"[..], b"\0\0x", &[0xff; 40]] {
            let mut whole = Vec::new();
            let packed = [&gzip[..], garbage].concat();
            let said =
                Unpacked::new(&packed[..]).expect("a stream").read_to_end(&mut whole).expect_err("garbage");
            assert_eq!(
                said.to_string(),
                "the gzip data is damaged: its end is followed by octets that are none"
            );
            assert_eq!(whole, b"rsvp rsvp", "what was packed is there before that");
        }
    }

    #[test]
    fn frames_that_are_skipped_and_windows_that_are_too_large() {
        let skip = octets("5a2a4d1803000000aabbcc");
        assert_eq!(unpacked(&[&skip[..], &octets(ZSTD), &skip].concat()).expect("octets"), b"rsvp rsvp");
        for short in [&skip[..9], &octets("28b52ffd"), &octets("28b52ffd04")] {
            let short = unpacked(short).expect_err("cut off").to_string();
            assert_eq!(short, "the zstd data ends early: the file was cut off");
        }
        // A frame header with a window of 2^(10 + 31) octets (RFC 8878 3.1.1.1.2).
        let large = unpacked(&octets("28b52ffd00f80100")).expect_err("too large").to_string();
        assert!(
            large.contains("needs a window of 2199023255552 octets, and the limit is 33554432"),
            "{large}"
        );
    }
}
