//! The semantics of Generic QoS: what an application says of its traffic, what that means, and what it is told.
pub mod endpoint;
pub mod flowspec;
pub mod objects;
pub mod overhead;
pub mod receiver;
pub mod request;
pub mod sender;
pub mod service_type;
pub mod status;
pub mod style;
pub mod validate;
