//! `rsvpd` and what talks to it: code with sockets, a clock and an async runtime.
//!
//! No protocol decisions are made here: the engine makes them. [`run`] is `rsvpd`; [`start_standalone`] is the same within
//! another program. A network namespace has one of them at a time.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod config;
pub mod control;
pub mod data_plane;
pub mod flow_service;
mod handles;
pub mod hooks;
pub mod policies;
pub mod probe;
pub mod qos_service;
pub mod tc_service;
pub mod templates;

mod driver;
mod firewall;
mod icmp;
mod links;
mod listening;
mod lock;
mod metrics;
mod monitor;
mod multicast;
mod netlink;
mod packet;
mod privilege;
mod program;
mod queues;
mod received;
mod receiver;
mod recorder;
mod routes;
mod send_queue;
mod signals;
mod socket;
mod start;
mod sys;
mod transmit;
mod udp;
mod witness;

pub use config::{ConfigError, DaemonConfig};
pub use program::{command_line, main};
pub use start::{DaemonError, Standalone, run, start_standalone};
pub use sys::{dropped, set_option};
