//! Extensions of RFC 2205: each knows its own objects and keeps what it has to remember in tables of its own, beside the blocks of
//! `state`, which do not grow for them.

pub(crate) mod carried;
