//! Integration tests.
mod engine;
mod engine_packets;
mod pcaps;
mod wire_corpora;
mod wire_message;
mod wire_properties;
mod wire_tshark;
mod wire_vectors;
