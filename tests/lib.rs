//! Integration tests of the RSVP stack live in the test binaries `it` and `alloc`; nothing is exported.
