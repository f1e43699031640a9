//! What a message costs a transit router that holds many reservations: new and refreshed, Path and Resv. Each figure
//! is one `handle` and the drain that follows.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rsvp_node::Outcome;
use std::cell::RefCell;
use transit::{Transit, write_path, write_resv};

#[path = "../../tests/transit.rs"]
mod transit;

/// Reservations at which a growing router is thrown away for an empty one, so that memory stays bounded.
const FULL: u32 = 200_000;

type Octets = ([u8; 256], usize);

fn octets(write: impl FnOnce(&mut [u8]) -> usize) -> Octets {
    let mut buffer = [0; 256];
    let length = write(&mut buffer);
    (buffer, length)
}

fn path(n: u32) -> Octets {
    octets(|buffer| write_path(buffer, n).len())
}

fn resv(n: u32) -> Octets {
    octets(|buffer| write_resv(buffer, n).len())
}

/// A router that is replaced when it is full, and the number of its next session.
struct Growing {
    transit: Transit,
    next: u32,
}

impl Growing {
    fn next(&mut self) -> u32 {
        if self.next == FULL {
            self.transit = Transit::new(FULL);
            self.next = 0;
        }
        self.next += 1;
        self.next - 1
    }
}

fn new_state(c: &mut Criterion) {
    let growing = RefCell::new(Growing { transit: Transit::new(FULL), next: 0 });
    c.bench_function("new Path", |b| {
        let set_up = || {
            let n = growing.borrow_mut().next();
            (path(n), n)
        };
        let run =
            |((buffer, length), n): (Octets, u32)| growing.borrow_mut().transit.path(&buffer[..length], n);
        b.iter_batched(set_up, run, BatchSize::PerIteration);
    });
    c.bench_function("new Resv", |b| {
        let set_up = || {
            let mut growing = growing.borrow_mut();
            let n = growing.next();
            let (buffer, length) = path(n);
            assert_eq!(growing.transit.path(&buffer[..length], n), Outcome::Taken);
            resv(n)
        };
        let run = |(buffer, length): Octets| growing.borrow_mut().transit.resv(&buffer[..length]);
        b.iter_batched(set_up, run, BatchSize::PerIteration);
    });
}

/// Refreshes of state that is in the cache and of state that is not: a stride prime to the number of reservations
/// meets every one of them in turn. The message itself has just been written, as a driver's would be.
fn refreshes(c: &mut Criterion) {
    for standing in [1_000, 100_000] {
        let transit = RefCell::new(Transit::new(standing));
        for n in 0..standing {
            let ((path, p), (resv, r)) = (path(n), resv(n));
            assert_eq!(transit.borrow_mut().path(&path[..p], n), Outcome::Taken);
            assert_eq!(transit.borrow_mut().resv(&resv[..r]), Outcome::Taken);
        }
        let mut n = 0;
        let mut step = || {
            n = (n + 7919) % standing;
            n
        };
        c.bench_function(&format!("Path refresh, {standing} reservations"), |b| {
            let set_up = || {
                let n = step();
                (path(n), n)
            };
            let run = |((buffer, length), n): (Octets, u32)| transit.borrow_mut().path(&buffer[..length], n);
            b.iter_batched(set_up, run, BatchSize::SmallInput);
        });
        c.bench_function(&format!("Resv refresh, {standing} reservations"), |b| {
            let run = |(buffer, length): Octets| transit.borrow_mut().resv(&buffer[..length]);
            b.iter_batched(|| resv(step()), run, BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, new_state, refreshes);
criterion_main!(benches);
