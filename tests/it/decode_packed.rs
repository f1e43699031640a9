//! Compressed captures: gzip and zstd, from files and from pipes, in several pieces, damaged and cut off.

use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::decode::{Ran, decode};
use crate::decode_layers::{pcap, rsvp};

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    compress_to_vec(octets, CompressionLevel::Fastest)
}

/// What packs, and what it is called.
type Packer = (&'static str, fn(&[u8]) -> Vec<u8>);

const PACKERS: [Packer; 2] = [("gzip", gzip), ("zstd", zstd)];

fn file() -> Vec<u8> {
    pcap(101, &vec![rsvp(); 1000])
}

/// A stream that gives out an octet at a time, as a slow pipe may.
struct Slow<'a>(Cursor<&'a [u8]>);

impl Read for Slow<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let one = octets.len().min(1);
        self.0.read(&mut octets[..one])
    }
}

fn slowly(octets: &[u8]) -> Ran {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let streams = rsvp_cli::Streams {
        input: Box::new(Slow(Cursor::new(octets))),
        output: Box::new(&mut output),
        errors: Box::new(&mut errors),
        prompt: false,
    };
    let status = rsvp_cli::run(["rsvp", "decode", "-"].map(Into::into), streams);
    let text = |octets| String::from_utf8(octets).expect("text");
    Ran { status, output: text(output), errors: text(errors) }
}

#[test]
fn compressed_captures_are_read_as_they_are() {
    let plain = decode(&[], &file());
    assert_eq!((plain.status, plain.output.lines().count()), (0, 1000));
    for (name, pack) in PACKERS {
        let packed = pack(&file());
        assert!(packed.len() < file().len() / 10, "{name}");
        assert_eq!(decode(&["-"], &packed).output, plain.output, "{name}");
        assert_eq!(slowly(&packed).output, plain.output, "{name}");
        let path = std::env::temp_dir().join(format!("rsvp-decode-{}.{name}", std::process::id()));
        std::fs::write(&path, &packed).expect("a file");
        let read = decode(&[path.to_str().expect("UTF-8")], b"");
        std::fs::remove_file(&path).expect("ours");
        assert_eq!((read.status, read.output == plain.output), (0, true), "{name}: {}", read.errors);
        // In pieces that were packed one by one, in the middle of a frame.
        let file = file();
        let (one, other) = file.split_at(5001);
        assert_eq!(decode(&[], &[pack(one), pack(other)].concat()).output, plain.output, "{name}");
        // Hex digits are text, which is packed as well.
        let digits: String = rsvp().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(decode(&["--hex"], &pack(digits.as_bytes())).output.lines().count(), 1, "{name}");
        // What is packed twice is no capture.
        let twice = decode(&[], &pack(&packed));
        assert!(twice.status == 2 && twice.errors.contains("this is no capture file"), "{}", twice.errors);
    }
    assert_eq!(slowly(&file()).output, plain.output);
}

/// A capture of one Path in Ethernet, as gzip(1) packs a file `eth.pcap`: with its name in the header (RFC 1952 2.3).
const BY_GZIP: &str =
    "1f8b0808e40f0b6b00036574682e7063617000bb7278d3422606160618f8ff9f818191018241a00e8a91010783
    db01860290127bbd7333b8181819b9189898a6000d11600c9866cfc010c1c003111364102f60e0616604a98168
    6505d2a5060c3cdc5031fe050c2a3c4c4019762087ad9e8181d5fd8b0a83cbee0606bfbc6c0da0b80350e80e00
    88f2b554a6000000";

#[test]
fn a_file_of_gzip_has_a_name_in_its_header() {
    let digits: String = BY_GZIP.split_whitespace().collect();
    let octet = |n: usize| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("hex");
    let packed: Vec<u8> = (0..digits.len() / 2).map(octet).collect();
    let ran = decode(&[], &packed);
    assert_eq!((ran.status, ran.output.lines().count()), (0, 1), "{}", ran.errors);
    assert!(
        ran.output.contains("  Path udp 10.0.2.2:6000 from 10.0.1.1:4000 hop 10.0.1.1/0 "),
        "{}",
        ran.output
    );
}

#[test]
fn damaged_data_is_named_after_what_came_before_it() {
    for (name, pack) in PACKERS {
        // Noise, so that there is more than one block.
        let noise = |seed: u32| {
            let mut state = seed;
            let mut next = move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let mut frame = rsvp();
            frame.extend((0..400).map(|_| next()));
            frame
        };
        let file = pcap(101, &(0..2000).map(noise).collect::<Vec<_>>());
        let packed = pack(&file);
        let cut = decode(&[], &packed[..packed.len() / 2]);
        let shown = cut.output.lines().count();
        assert!(cut.status == 2 && shown > 100 && shown < 2000, "{name}: {shown}");
        assert!(
            cut.errors.contains(&format!("the {name} data ends early: the file was cut off")),
            "{}",
            cut.errors
        );
        let mut damaged = packed.clone();
        let end = damaged.len() - 6;
        damaged[end] ^= 0x55;
        let damaged = decode(&[], &damaged);
        assert_eq!(damaged.status, 2, "{name}");
        assert!(damaged.errors.contains(&format!("the {name} data is damaged: ")), "{}", damaged.errors);
        for end in 1..40 {
            let early = decode(&[], &packed[..end]);
            assert!(
                early.status == 2 && early.errors.starts_with("rsvp decode: standard input: "),
                "{name} {end}"
            );
        }
        let after = decode(&[], &[&packed[..], b"something else"].concat());
        assert_eq!((after.status, after.output.lines().count()), (2, 2000), "{name}: {}", after.errors);
    }
}
