//! Packets that an interface cannot carry: a request whose M, as far as its senders make such packets, exceeds the MTU is
//! refused with 01, sub-code 3 (RFC 2205 Appendix B, RFC 2211 section 5, RFC 2212 "Invocation Information").
//!
//! Judged for each request and not for what is merged, because merging takes the smallest M; and whenever M or the MTU
//! changes: with a Resv, with a Path of a sender that may send larger packets now, and with a change of the interface. What
//! was reserved before stays in place if it is still possible, like all else that is refused.

use super::traffic_control::Report;
use super::update_traffic_control::Refused;
use crate::key::SenderKey;
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::resv::{Item, Request};
use crate::state::traffic::Branch;
use rsvp_wire::{ErrorCode, ErrorSpec, Flowspec, Sharing, error_value};
use smallvec::SmallVec;

impl Node {
    /// The refusal of a request for some senders, or for all, if its packets are too large for an interface.
    pub(crate) fn too_large_packets(
        &self,
        branch: Branch,
        filters: &[SenderKey],
        request: &Flowspec,
    ) -> Option<Refused> {
        let mtu = self.interfaces.find(branch.interface)?.config.mtu;
        // Almost always it is not, and then nobody needs to know what the senders say.
        if request.tspec().max_packet_size <= mtu {
            return None;
        }
        let path = self.path_tspec(branch, filters)?;
        let largest = flowspec::limit(request, &path).tspec().max_packet_size;
        (largest > mtu).then_some((ErrorCode::ADMISSION_CONTROL, error_value::MTU_TOO_LARGE))
    }

    /// Judges again what is asked for a sender on an interface.
    pub(crate) fn judge_packet_sizes(&mut self, branch: Branch, sender: &SenderKey) {
        let mut refused = self.state.requests_on(branch);
        refused.retain(|ix| self.is_too_large(*ix, branch, sender));
        for ix in refused {
            self.refuse_standing(ix, branch, sender);
        }
    }

    fn is_too_large(&self, ix: Ix<Request>, branch: Branch, sender: &SenderKey) -> bool {
        let Some(item) = self.state.item_for(ix, sender) else { return false };
        let mtu = self.interfaces.find(branch.interface).map_or(u32::MAX, |on| on.config.mtu);
        if item.flowspec.tspec().max_packet_size <= mtu {
            return false;
        }
        let request = &self.state.requests[ix];
        let of_request: SmallVec<[SenderKey; 4]> = match request.style.sharing() {
            Sharing::Distinct => [*sender].into_iter().collect(),
            _ => request.items.iter().filter_map(|i| i.filter).collect(),
        };
        self.too_large_packets(branch, &of_request, &item.flowspec).is_some()
    }

    /// Refuses what was granted: it is content with what is installed, as long as that can be carried, and else removed. Its
    /// next refresh is judged anew.
    fn refuse_standing(&mut self, ix: Ix<Request>, branch: Branch, sender: &SenderKey) {
        let one = (self.state.requests[ix].style.sharing() == Sharing::Distinct).then_some(*sender);
        let mtu = self.interfaces.find(branch.interface).map_or(0, |i| i.config.mtu);
        let standing = self.state.find_reserved(branch, one);
        let standing = standing.map(|ix| self.state.reserved[ix].flowspec);
        let standing = standing.filter(|s| s.tspec().max_packet_size <= mtu);
        let report = Report {
            code: ErrorCode::ADMISSION_CONTROL,
            value: error_value::MTU_TOO_LARGE,
            flags: if standing.is_some() { ErrorSpec::IN_PLACE } else { 0 },
            flowspec: None,
        };
        self.tell_requesters(branch, one, &report, |other, _| other == ix);
        let meant = |item: &Item| one.is_none() || item.filter == one;
        let Some(standing) = standing else { return self.remove_items(ix, meant) };
        self.spell_out(ix);
        self.state.requests[ix].refreshable = false;
        let no_more = |asked: &Flowspec| flowspec::lower_bound(asked, &standing).unwrap_or(standing);
        self.state.change_flowspecs(ix, &one, no_more);
        self.intend_resvs(branch.session);
    }
}
