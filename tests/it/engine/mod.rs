//! The engine driven from the outside: real messages, commands, routes and time in, everything that leaves looked at.
//!
//! Expectations are written from the text of RFC 2205 (and 2209 to 2212 and 2215 where named), not from the code.

mod acts;
mod admission;
mod adspec;
mod application;
mod bench;
mod blockade;
mod carried;
mod change;
mod claims;
mod confirm;
mod crowds;
mod discard;
mod divided;
mod enforcement;
mod interface_down;
mod interfaces;
mod intserv;
mod ipsec;
mod lasting;
mod leaks;
mod looks;
mod message;
mod mutated;
mod neighbours;
mod null;
mod packet_size;
mod path;
mod policed_unit;
mod policing;
mod previous_hops;
mod rejected;
mod resv;
mod resv_errors;
mod rules;
mod scope;
mod sent;
mod shares;
mod soft_state;
mod teardown;
mod traffic_control;
mod values;
mod words;
