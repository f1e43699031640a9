//! Marks that reservations ask for (DCLASS of RFC 2996, TCLASS of RFC 2814): what is installed follows them.

use crate::api::Remark;
use crate::carried::{Carried, for_senders, is_mark};
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::traffic::{Branch, Reserved};
use rsvp_wire::Message;

impl Node {
    /// What is installed on an interface follows the marks that its requests ask for, after a message was kept or a request has
    /// gone. Most requests ask for none, and cost nothing here.
    pub(crate) fn follow_remarks(&mut self, branch: Branch, kept: Option<&Message<'_>>) {
        let asks = kept.is_some_and(|kept| kept.objects().any(|object| is_mark(&object)));
        let here = self.state.reserved_on(branch);
        let concerned: Vec<Ix<Reserved>> =
            here.filter(|(_, r)| asks || r.remark != Remark::default()).map(|(ix, _)| ix).collect();
        for ix in concerned {
            let remark = Carried::union(for_senders(&self.state, &self.state.reserved[ix], None)).remark();
            if self.state.reserved[ix].remark != remark {
                self.state.reserved[ix].remark = remark;
                self.intend_install(ix);
            }
        }
    }
}
