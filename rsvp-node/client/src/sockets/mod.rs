//! QoS sockets: the application hands its socket to the daemon, says what its traffic needs, and is told what the network did.
//!
//! A [`QosHost`] is the connection to the daemon. [`QosHost::attach`] makes a [`QosSocket`] of a socket: it is used as before, and
//! can be asked for QoS besides. When the daemon starts anew, the host hands its sockets over again, with all that was asked
//! for them. What a request means is decided in the daemon; which requests make sense, in `rsvp_node::qos`.

mod accepting;
mod datagrams;
mod handed;
mod host;
mod inbox;
mod streams;
mod templates;
mod trouble;

pub use accepting::{Caller, Decision};
pub use handed::{QosSocket, capable};
pub use host::QosHost;
pub use inbox::FdQosEvents;
pub use rsvp_control::sockets::Leaf;
pub use trouble::{HandingOver, NotHandedOver, QosError};

pub(super) use inbox::Inbox;
