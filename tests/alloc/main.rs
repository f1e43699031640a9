//! Tests under a counting allocator: what must not allocate, and how much the rest may.
mod bombs;
mod counting;
mod divided;
mod integrity;
mod parse;
mod scale;
#[path = "../transit.rs"]
mod transit;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
