//! Generic QoS, without a socket: what an application says of its traffic, what that means on the wire and on the host, and
//! what the application is told.
//!
//! | question | answered by |
//! |---|---|
//! | what is asked for | [`Qos`], [`Flowspec`], [`Service`], [`objects`]; `to_octets` and `from_octets` for those who talk in octets |
//! | does it make sense | [`Qos::validate`](request::Qos::validate): codes 11016 to 11031 |
//! | what is announced | [`sender`], with [`overhead`] |
//! | what is reserved, when, for whom | [`receiver`], [`Endpoint::joins`](endpoint::Endpoint::joins), [`style`] |
//! | what packets get | [`dscp`], [`marking`], [`media`], [`traffic_type`] |
//! | what the application is told | [`events`], [`notifications`], [`get`] |
//! | what has a name | [`template`] |
//! | what programs get that do not ask | [`policy`] |
//!
//! Everything here is a function of its arguments: no socket, kernel, clock or store, and no module of the engine knows of
//! it. Names are those of the interfaces it stands for; where the texts are silent, the module says which decision is ours.
//! `docs/windows-qos.md` has the whole of those interfaces and what of it is there.

pub mod dscp;
pub mod endpoint;
pub mod events;
pub mod flowspec;
pub mod get;
pub mod marking;
pub mod media;
pub mod notifications;
pub mod objects;
pub mod overhead;
pub mod policy;
pub mod receiver;
pub mod request;
pub mod sender;
pub mod service_type;
pub mod status;
pub mod style;
pub mod template;
pub mod traffic_type;
mod validate;

pub use dscp::Dscp;
pub use endpoint::{Endpoint, Transport};
pub use events::FdQos;
pub use flowspec::{Flowspec, Peak};
pub use notifications::Notifications;
pub use objects::Object;
pub use overhead::Overhead;
pub use request::Qos;
pub use service_type::{Service, ServiceType};
pub use status::{ErrorClass, ErrorValue, Invalid, Status};
pub use template::Templates;
