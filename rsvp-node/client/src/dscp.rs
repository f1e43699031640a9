//! DSCPs by name and number, the mark that suits a flow, and what wireless networks make of it. They are those of
//! `rsvp_node::qos`, so that daemon and applications mean the same.

pub use rsvp_node::qos::Dscp;
pub use rsvp_node::qos::dscp::{Named, NoDscp};
pub use rsvp_node::qos::marking::Wmm;
pub use rsvp_node::qos::media::{Media, Priority, class_of, spare_class_of};

/// The access category that wireless networks give a mark.
#[must_use]
pub const fn wmm(dscp: Dscp) -> Wmm {
    dscp.wmm()
}
