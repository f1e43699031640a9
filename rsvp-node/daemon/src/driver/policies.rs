//! Policies: what has happened to them is told, what interfaces are to have for them goes to the data plane.

use super::Driver;
use rsvp_control::Watched;

impl Driver {
    pub(super) fn say_policies(&mut self) {
        for event in self.node.policies.take_news() {
            self.service.saw(Watched::Policy(event));
        }
        if let Some(wanted) = self.node.policies.take_wanted() {
            self.node.plane.policies(wanted);
        }
    }
}
