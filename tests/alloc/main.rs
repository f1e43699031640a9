//! Allocation tests.
mod counting;
mod parse;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
