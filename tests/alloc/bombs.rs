//! Little that becomes much: what is unpacked of a compressed capture is never held as a whole.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::counting::allocated;

/// Octets that come out of each.
const UNPACKED: usize = 64 << 20;
/// The most that may be in use at a time: a window of 8 MiB, twice, because it grows by doubling, and room to read.
const MOST: i64 = 20 << 20;
/// The header of a pcap file; zeros after it are frames without octets, at the start of 1970.
const HEADER: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0];

/// A stream that takes note of how much is in use whenever something is read of it.
struct Watched<'w> {
    octets: Cursor<Vec<u8>>,
    most: &'w Cell<i64>,
}

impl Read for Watched<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        self.most.set(self.most.get().max(allocated().live));
        // Little at a time, so that it is often.
        let few = octets.len().min(512);
        self.octets.read(&mut octets[..few])
    }
}

/// Runs `rsvp decode --stats`: the exit status, output and errors, and the most that was in use beyond what was before.
fn decode(packed: Vec<u8>) -> (u8, String, String, i64) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let most = Cell::new(0);
    let before = allocated().live;
    let streams = rsvp_cli::Streams {
        input: Box::new(Watched { octets: Cursor::new(packed), most: &most }),
        output: Box::new(&mut output),
        errors: Box::new(&mut errors),
        prompt: false,
    };
    let status = rsvp_cli::run(["rsvp", "decode", "--stats", "-"].map(Into::into), streams);
    let text = |octets| String::from_utf8(octets).expect("text");
    (status, text(output), text(errors), most.get() - before)
}

/// gzip of a start and of zeros.
fn gzip(start: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(start).expect("memory");
    for _ in 0..UNPACKED >> 16 {
        encoder.write_all(&[0; 1 << 16]).expect("memory");
    }
    encoder.finish().expect("memory")
}

/// zstd of a start and of zeros, by hand: a frame with a window of 8 MiB, a raw block, and blocks of one octet repeated
/// (RFC 8878 3.1.1).
fn zstd(start: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    let block = |kind: usize, size: usize| ((size << 3 | kind << 1) as u32).to_le_bytes()[..3].to_vec();
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    packed.extend(block(0, start.len()));
    packed.extend(start);
    for _ in 0..UNPACKED / BLOCK {
        packed.extend(block(1, BLOCK));
        packed.push(0);
    }
    // The last block, an empty one.
    packed.extend([1, 0, 0]);
    packed
}

#[test]
fn frames_without_number_take_no_more_memory_than_a_window() {
    for packed in [gzip(&HEADER), zstd(&HEADER)] {
        assert!(packed.len() < UNPACKED / 200);
        let (status, output, errors, most) = decode(packed);
        assert_eq!(status, 0, "{errors}");
        let expected = format!("0 messages in {} frames", UNPACKED / 16);
        assert!(output.starts_with(&expected), "{output}");
        assert!(most < MOST, "{most} octets");
    }
}

#[test]
fn a_frame_that_claims_to_be_all_of_it_is_refused() {
    let frame = [&HEADER[..], &[0; 8], &u32::MAX.to_le_bytes(), &u32::MAX.to_le_bytes()].concat();
    for packed in [gzip(&frame), zstd(&frame)] {
        let (status, _, errors, most) = decode(packed);
        assert!(
            status == 2 && errors.contains("damaged at octet 24: a frame of 4294967311 octets"),
            "{errors}"
        );
        assert!(most < MOST, "{most} octets");
    }
}

#[test]
fn a_window_that_is_too_large_is_refused_before_it_is_there() {
    let mut packed = zstd(&HEADER);
    // 2^(10 + 20) octets.
    packed[5] = 20 << 3;
    let (status, _, errors, most) = decode(packed);
    assert!(status == 2 && errors.contains("it needs a window of 1073741824 octets"), "{errors}");
    assert!(most < 1 << 20, "{most} octets");
}
