//! Times of reading and writing a Path of 172 octets.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rsvp_wire::{Message, checksum};

mod path;
use path::{path, read, write};

fn wire(criterion: &mut Criterion) {
    let path = path();
    let mut buffer = [0; 256];
    let octets = write(&path, &mut buffer).expect("room for a Path").to_vec();
    assert_eq!((octets.len(), read(&octets)), (172, Ok(())));
    criterion.bench_function("parse", |bench| bench.iter(|| read(black_box(&octets))));
    criterion.bench_function("write", |bench| {
        bench.iter(|| write(black_box(&path), black_box(&mut buffer)).map(|octets| octets.len()));
    });
    criterion.bench_function("frame", |bench| bench.iter(|| Message::parse(black_box(&octets)).is_ok()));
    criterion.bench_function("checksum", |bench| bench.iter(|| checksum(black_box(&octets))));
}

criterion_group!(benches, wire);
criterion_main!(benches);
