//! What the kernel says of sockets that were handed over, taken to those who speak for them.

use super::Driver;
use crate::control::descriptors::Keepers;

impl Driver {
    /// Who is told of sockets while their descriptors are there.
    pub(crate) fn keepers(&self) -> Keepers {
        Keepers { watcher: self.hooks.watcher(), marks: self.marks.clone() }
    }

    /// Sockets that were closed have no QoS any more; those that were connected have it there.
    pub(super) fn follow_sockets(&mut self) {
        for (cookie, change) in self.hooks.take(tokio::time::Instant::now()) {
            // Its line may not have been read yet.
            if !self.service.socket_changed(cookie, &change, &mut self.node) {
                self.hooks.keep(cookie, change);
            }
            // What comes of one is told before the next is looked at.
            self.tell();
        }
        self.node.untold_of_sockets = self.hooks.untold();
    }
}
