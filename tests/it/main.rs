//! Integration tests.
mod conformance;
mod engine;
mod engine_packets;
mod pcaps;
mod readme;
mod scenarios;
mod search;
mod sim_reading;
mod sim_world;
mod tidy;
mod wire_corpora;
mod wire_message;
mod wire_properties;
mod wire_tshark;
mod wire_vectors;
