//! An allocator that counts, so that a test can say how much a piece of code allocates.
//!
//! Counts are per thread: tests of one binary run side by side and must not see each other's allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with counts.
pub(crate) struct Counting;

/// What was allocated so far on this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    /// Allocations and reallocations.
    pub(crate) calls: u64,
    /// Octets asked for by them.
    pub(crate) octets: u64,
    /// Octets in use: allocated and not given back.
    pub(crate) live: i64,
}

thread_local! {
    // Constant initialisation and no destructor: touching the counts must not allocate itself.
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { calls: 0, octets: 0, live: 0 }) };
}

/// The counts of this thread.
pub(crate) fn allocated() -> Allocated {
    ALLOCATED.get()
}

/// The allocations that `work` makes on this thread.
pub(crate) fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = allocated().calls;
    let result = work();
    (allocated().calls - before, result)
}

fn count(calls: u64, asked: usize, given_back: usize) {
    let mut now = ALLOCATED.get();
    now.calls += calls;
    now.octets += asked as u64;
    now.live += asked as i64 - given_back as i64;
    ALLOCATED.set(now);
}

#[expect(
    unsafe_code,
    reason = "a global allocator cannot be written without; nothing else in the tests is unsafe"
)]
// SAFETY: every call is passed on unchanged to the system's allocator, whose contract is the one asked for here;
// counting touches only a thread-local cell and neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System.alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: `block` came from one of these functions, hence from `System`, with this layout.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}
