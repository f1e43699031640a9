//! Integration tests.
mod wire_message;
mod wire_properties;
