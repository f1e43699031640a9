//! The world: a heap of happenings, a loop, and the virtual nodes whose engines it drives.
//!
//! One seed and virtual time decide everything. Nothing here knows RSVP's rules: those are the engine's business.

mod act;
pub(crate) mod applications;
mod change;
mod data;
mod delivery;
mod faults;
mod foreign;
#[cfg(feature = "client")]
mod guests;
mod happenings;
mod look;
pub(crate) mod random;
mod record;
mod recording;
pub(crate) mod routing;
mod run;
mod stepping;
pub(crate) mod topology;
mod traffic;
mod view;
pub(crate) mod watch;
mod wire;

pub use act::Injected;
pub use data::DataStream;
#[cfg(feature = "lab")]
pub(crate) use delivery::{called, recipients};
pub use record::{EventRecord, Note, Record, Sent, Told, Use};
#[cfg(feature = "client")]
pub(crate) use run::News;
pub use run::World;
pub use stepping::{Cause, Step};
pub use topology::Topology;
pub use traffic::{Class, Figures, Interval, Packet, Stream};
pub use view::{ApplicationView, Installed, NodeView};
