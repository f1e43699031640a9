//! The RSVP engine: RFC 2205 by the processing rules of RFC 2209, without sockets, clock, threads or randomness.
//!
//! One way in, one way out: [`Engine::handle`] takes an [`Input`] and the time, [`Engine::poll`] gives back
//! [`Output`]s until it is [`Output::Idle`]. The same engine runs in a simulator in virtual time and on real hosts.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

#[cfg(test)]
extern crate self as rsvp_node;

mod api;
mod budget;
mod carried;
mod claim;
mod composer;
mod config;
mod copies;
mod counters;
mod digest;
mod drain;
mod engine;
mod event;
mod ext;
mod extension;
pub mod guaranteed;
mod host;
mod interface;
#[cfg(feature = "journal")]
pub mod journal;
mod key;
mod merge;
mod neighbour;
mod node;
mod notice;
mod process;
pub mod qos;
mod queue;
mod rate;
mod rng;
mod state;
mod time;
pub mod units;
mod unknown;
mod view;

pub use api::{
    AdspecOffer, Command, Discard, FlowRequest, Input, Outcome, Output, Police, Refusal, Remark, Reservation,
    ReservationId, Rx, Source, TcAnswer, TcChange, TcVerdict, TrafficControl, Transmit, Why,
};
pub use budget::{FLOW_TOO_LARGE, Shares};
pub use carried::Carried;
pub use claim::{Claim, Held};
pub use config::{Config, Limit, Limits};
pub use counters::{Counters, Work};
pub use engine::Engine;
pub use event::{AppId, Event, EventKind, Gone};
pub use host::{FlowKey, Host, Route, RouteAnswer, RouteQuery};
pub use interface::{HopSources, Interface, InterfaceId, NonRsvpHops};
pub use time::Instant;
pub use view::{
    BlockadeView, Extent, Life, NeighbourView, Places, RequestView, Requester, SenderView, SessionView,
};
