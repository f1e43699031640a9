//! Reads or writes a Path of 172 octets so many times, for callgrind to count: `benches/instructions.sh`.

use std::hint::black_box;

mod path;
use path::{path, read, write};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let path = path();
    let mut buffer = [0; 256];
    let octets = write(&path, &mut buffer).expect("room for a Path").to_vec();
    assert_eq!((octets.len(), read(&octets)), (172, Ok(())));
    match what.as_str() {
        "read" => (0..times).for_each(|_| read(black_box(&octets)).expect("a sound Path")),
        "write" => (0..times).for_each(|_| {
            let written = write(black_box(&path), black_box(&mut buffer)).map(|octets| octets.len());
            assert_eq!(written, Ok(octets.len()));
        }),
        _ => println!("read or write, and how often"),
    }
}
