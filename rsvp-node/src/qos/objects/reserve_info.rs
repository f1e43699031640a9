//! RSVP_RESERVE_INFO, 1001: how a receiver wants its reservation made.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            header: 1001, length                       |
//! +-------------+-------------+-------------+-------------+
//! |            Style (0 to 3)                             |
//! |            ConfirmRequest (not zero: asked for)       |
//! |            PolicyElementList: where, or 0             |---> an RSVP_POLICY_INFO with its header
//! |            NumFlowDesc                                |
//! |            FlowDescList: where, or 0                  |---> that many FLOWDESCRIPTOR:
//! +-------------+-------------+-------------+-------------+
//!         FLOWDESCRIPTOR: FLOWSPEC (32 octets), NumFilters, FilterList: where, or 0 ---> RSVP_FILTERSPEC, 24 octets each
//! ```
//!
//! "Where" counts from the start of the object. How many descriptors and filters a style has is judged in
//! [`style`](crate::qos::style).

use super::filterspec::{self, FilterSpec};
use super::octets::{Cursor, put_count, put_word};
use super::policy::{self, PolicyElement};
use super::{HEADER, TOO_SHORT, finish, word};
use crate::qos::flowspec::Flowspec;
use crate::qos::status::{Invalid, Status};

/// Which senders share a reservation, as a request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FilterStyle {
    /// RSVP_DEFAULT_STYLE, 0: by the kind of the socket.
    #[default]
    Default,
    /// RSVP_WILDCARD_STYLE, 1: one reservation for all senders.
    Wildcard,
    /// RSVP_FIXED_FILTER_STYLE, 2: one for each sender that is named.
    FixedFilter,
    /// RSVP_SHARED_EXPLICIT_STYLE, 3: one for all that are named.
    SharedExplicit,
}

impl FilterStyle {
    /// All, in the order of their numbers.
    const ALL: [Self; 4] = [Self::Default, Self::Wildcard, Self::FixedFilter, Self::SharedExplicit];
}

/// A flowspec and the senders it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowDescriptor {
    /// What is asked for them.
    pub flowspec: Flowspec,
    /// The senders.
    pub filters: Vec<FilterSpec>,
}

/// What a receiver wants beyond its flowspec.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReserveInfo {
    /// The style.
    pub style: FilterStyle,
    /// Whether a confirmation is asked for.
    pub confirm_request: bool,
    /// Policy elements that go with the reservation.
    pub policy: Vec<PolicyElement>,
    /// Flowspecs with their senders.
    pub flow_descriptors: Vec<FlowDescriptor>,
}

const FIXED: usize = HEADER + 20;
const DESCRIPTOR: usize = Flowspec::LEN + 8;

impl ReserveInfo {
    /// Appends it behind its header, which is at `start`.
    pub(super) fn write(&self, out: &mut Vec<u8>, start: usize) {
        put_word(out, self.style as u32);
        put_word(out, self.confirm_request.into());
        let mut at = FIXED;
        if self.policy.is_empty() {
            put_word(out, 0);
        } else {
            put_count(out, at);
            at += HEADER + 4 + self.policy.iter().map(PolicyElement::len).sum::<usize>();
        }
        put_count(out, self.flow_descriptors.len());
        put_count(out, if self.flow_descriptors.is_empty() { 0 } else { at });
        if !self.policy.is_empty() {
            let policy_at = out.len();
            [1003, 0].into_iter().for_each(|word| put_word(out, word));
            policy::write(&self.policy, out);
            finish(out, policy_at);
        }
        debug_assert_eq!(out.len() - start, at);
        at += self.flow_descriptors.len() * DESCRIPTOR;
        for descriptor in &self.flow_descriptors {
            descriptor.flowspec.write(out);
            put_count(out, descriptor.filters.len());
            put_count(out, if descriptor.filters.is_empty() { 0 } else { at });
            at += descriptor.filters.len() * filterspec::LEN;
        }
        self.flow_descriptors.iter().flat_map(|d| &d.filters).for_each(|filter| filter.write(out));
    }

    /// Reads one; the cursor is over all of the object, behind its header.
    pub(super) fn read(octets: &mut Cursor<'_>) -> Result<Self, Invalid> {
        let style = word(octets)? as usize;
        let style = *FilterStyle::ALL
            .get(style)
            .ok_or(Invalid::new(Status::EFILTERSTYLE, "the style is none of 0 to 3"))?;
        let confirm_request = word(octets)? != 0;
        let policy_at = octets.count().ok_or(TOO_SHORT)?;
        let descriptors = octets.count().ok_or(TOO_SHORT)?;
        let descriptors_at = octets.count().ok_or(TOO_SHORT)?;
        let mut behind = *octets;
        let mut policy = Vec::new();
        if policy_at != 0 {
            behind = beyond(&behind, policy_at).ok_or(Invalid::new(
                Status::EPOLICYOBJ,
                "the list of policy elements is outside the object",
            ))?;
            policy = policy::read_object(&mut behind)?;
        }
        let flow_descriptors = read_descriptors(behind, descriptors, descriptors_at)?;
        Ok(Self { style, confirm_request, policy, flow_descriptors })
    }
}

/// The same octets from `at` on, which must not have been passed yet.
fn beyond<'a>(octets: &Cursor<'a>, at: usize) -> Option<Cursor<'a>> {
    let moved = octets.at(at);
    (at >= octets.place() && !moved.rest().is_empty()).then_some(moved)
}

const OUTSIDE: Invalid =
    Invalid::new(Status::EFLOWDESC, "flow descriptors are missing or outside the object");

/// The flow descriptors and, behind all of them, their filters.
fn read_descriptors(behind: Cursor<'_>, count: usize, at: usize) -> Result<Vec<FlowDescriptor>, Invalid> {
    let mut found = Vec::new();
    if count == 0 {
        return if at == 0 { Ok(found) } else { Err(OUTSIDE) };
    }
    let mut octets = beyond(&behind, at).ok_or(OUTSIDE)?;
    let len = count.checked_mul(DESCRIPTOR).ok_or(OUTSIDE)?;
    let mut filters = octets;
    filters.take(len).ok_or(OUTSIDE)?;
    for _ in 0..count {
        let bad =
            |_| Invalid::new(Status::EPSFLOWSPEC, "the flowspec of a flow descriptor has no known service");
        let flowspec = Flowspec::read(&mut octets).ok_or(OUTSIDE)?.map_err(bad)?;
        let number = octets.count().ok_or(OUTSIDE)?;
        let at = octets.count().ok_or(OUTSIDE)?;
        let mut listed = Vec::new();
        if number != 0 || at != 0 {
            let wrong =
                Invalid::new(Status::EFILTERCOUNT, "there are not as many filters as the descriptor says");
            filters = beyond(&filters, at).ok_or(wrong)?;
            for _ in 0..number {
                listed.push(FilterSpec::read(&mut filters).ok_or(wrong)??);
            }
        }
        found.push(FlowDescriptor { flowspec, filters: listed });
    }
    Ok(found)
}
