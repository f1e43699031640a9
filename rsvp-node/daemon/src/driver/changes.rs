//! What the kernel says of its links and routes is looked at, and told.

use super::Driver;
use crate::monitor::Changes;
use rsvp_node::Input;

impl Driver {
    pub(super) fn changed(&mut self, changes: &Changes) {
        tracing::debug!(?changes, "the kernel's tables have changed");
        if changes.links || changes.lost {
            self.look_again();
            return;
        }
        self.multicast.follow(&mut self.node.routes);
        if changes.routes || changes.groups.len() > 1 {
            self.node.handle(Input::RouteChanged { destination: None });
            self.service.routes_changed(&mut self.node);
        } else if let Some(group) = changes.groups.first() {
            self.node.handle(Input::RouteChanged { destination: Some(*group) });
        }
    }

    /// Looks at everything again. Routes too: the kernel takes away those of an interface that goes down without a word.
    pub(super) fn look_again(&mut self) {
        let node = &mut self.node;
        node.look_at_links(&self.config);
        node.sockets.follow(node.routes.links.speaking().map(|id| id.0));
        node.encapsulation.follow(&self.config, &node.routes.links, &node.sockets);
        self.multicast.follow(&mut self.node.routes);
        self.node.handle(Input::RouteChanged { destination: None });
        self.service.routes_changed(&mut self.node);
        self.service.addresses_changed(&mut self.node);
    }
}
