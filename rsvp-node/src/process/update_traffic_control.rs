//! UPDATE TRAFFIC CONTROL (RFC 2209), RFC 2205 sections 2.2 and 3.11.2: makes what is installed on an outgoing
//! interface agree with the requests and the path state, if the interface's budget allows.
//!
//! Admission is by budget: Controlled-Load takes r and Guaranteed service takes R of the effective flowspec, once for
//! each shared reservation. Delay bounds are not judged here.

use super::traffic_control::Report;
use crate::budget::Charge;
use crate::door::{Police, Remark, Reservation, ReservationId};
use crate::event::EventKind;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::queue::Pending;
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::resv::{Item, Request};
use crate::state::session::SessionState;
use crate::state::traffic::{Filters, Reserved};
use core::cmp::Ordering;
use rsvp_wire::{ErrorCode, ErrorSpec, Flowspec, Session, Sharing, Tspec, error_value};
use smallvec::SmallVec;

/// Why traffic control refused: Error Code and Error Value.
pub(crate) type Refused = (ErrorCode, u16);

/// What should be installed.
struct Wanted {
    style: StyleKind,
    filters: Filters,
    flowspec: Flowspec,
    /// Some sender's traffic has not been policed yet.
    entry: bool,
    /// Several senders share it.
    merge: bool,
}

impl Node {
    /// Updates the reservation of a session on an interface; for FF the one for `sender`. On refusal the installed
    /// reservation stays as it was; the error says whether there is one (RFC 2205 section 3.5, InPlace).
    pub(crate) fn update_traffic_control(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: Option<SenderKey>,
    ) -> Result<(), Refused> {
        let installed = self.state.find_reserved(session, interface, sender.as_ref());
        let Some(wanted) = self.wanted(session, interface, sender.as_ref(), installed)? else {
            if let Some(ix) = installed {
                self.uninstall(ix);
            }
            return Ok(());
        };
        let charge_bps = self.admit(session, interface, installed, &wanted.flowspec)?;
        let (ix, changed) = match installed {
            None => (self.install(session, interface, &wanted, charge_bps), true),
            Some(ix) => {
                self.tell_left(ix, &wanted.filters);
                let reserved = &mut self.state.reserved[ix];
                let changed = reserved.flowspec != wanted.flowspec || reserved.filters != wanted.filters;
                let policed = (reserved.police.entry, reserved.police.merge) != (wanted.entry, wanted.merge);
                (reserved.police.entry, reserved.police.merge) = (wanted.entry, wanted.merge);
                reserved.flowspec = wanted.flowspec;
                reserved.filters = wanted.filters;
                reserved.style = wanted.style;
                reserved.charge_bps = charge_bps;
                if policed && !changed {
                    self.intend_install(ix);
                }
                (ix, changed)
            }
        };
        if changed {
            self.intend_install(ix);
            self.tell_reserved(ix);
            let filters = self.state.reserved[ix].filters.clone();
            self.update_branch_policing(session, &filters);
        }
        Ok(())
    }

    /// The reservation for which path state changed: all of the session on an interface that concern `sender`. A
    /// refusal leaves what is installed and is reported (InPlace) to those who asked for more.
    pub(crate) fn update_for_senders(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: &SenderKey,
    ) {
        let Some(sender) = self.concerned(session, interface, sender) else { return };
        if let Err((code, value)) = self.update_traffic_control(session, interface, sender) {
            self.report_to_requesters(session, interface, sender, code, value);
            // Their next refreshes try again.
            self.judge_again(session, interface);
        }
    }

    /// The same for a sender that is gone.
    pub(crate) fn update_without_sender(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: &SenderKey,
    ) {
        if let Some(sender) = self.concerned(session, interface, sender) {
            self.update_for_less(session, interface, sender);
        }
    }

    /// Which of a session's reservations on an interface is for a sender: its own in FF, the only one in other styles.
    fn concerned(
        &self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: &SenderKey,
    ) -> Option<Option<SenderKey>> {
        let style = self
            .state
            .requests_of(session)
            .find(|(_, r)| r.interface() == Some(interface))
            .map(|(_, r)| r.style);
        let installed =
            self.state.reserved_of(session).find(|(_, r)| r.interface == interface).map(|(_, r)| r.style);
        let distinct = style.or(installed)?.sharing() == Sharing::Distinct;
        Some(distinct.then_some(*sender))
    }

    /// The reservation for which a request has just come. If it is refused only because others ask for more than is
    /// installed, their requests are cut down to that first: a large request that was harmless while the senders
    /// announced little must not keep a smaller one from what fits. It is heard again when it is refreshed.
    pub(crate) fn update_for_request(
        &mut self,
        request: Ix<Request>,
        interface: InterfaceId,
        sender: Option<SenderKey>,
    ) -> Result<(), Refused> {
        let session = self.state.requests[request].session;
        let Err(refused) = self.update_traffic_control(session, interface, sender) else { return Ok(()) };
        let before = self.cut_down_to_standing(session, interface, sender, Some(request));
        if !before.is_empty() && self.update_traffic_control(session, interface, sender).is_ok() {
            self.judge_again(session, interface);
            return Ok(());
        }
        for (ix, items) in before {
            self.state.requests[ix].items = items;
        }
        Err(refused)
    }

    /// The reservation of which something is no longer asked for. What is left may ask for more than is installed; then
    /// it is content with that until it is refreshed.
    pub(crate) fn update_for_less(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: Option<SenderKey>,
    ) {
        if self.update_traffic_control(session, interface, sender).is_ok() {
            return;
        }
        self.cut_down_to_standing(session, interface, sender, None);
        if let Err((code, value)) = self.update_traffic_control(session, interface, sender) {
            tracing::warn!(?code, value, "traffic control refused to shrink a reservation");
        }
        self.judge_again(session, interface);
    }

    /// Makes requests, perhaps but for one, ask for no more than what is installed for them. Returns what they were.
    fn cut_down_to_standing(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: Option<SenderKey>,
        but: Option<Ix<Request>>,
    ) -> Vec<(Ix<Request>, SmallVec<[Item; 1]>)> {
        let Some(installed) = self.state.find_reserved(session, interface, sender.as_ref()) else {
            return Vec::new();
        };
        let standing = self.state.reserved[installed].flowspec;
        let cut = |items: &SmallVec<[Item; 1]>| {
            let mut items = items.clone();
            for item in items.iter_mut().filter(|i| sender.is_none() || i.filter == sender) {
                item.flowspec = flowspec::lower_bound(&item.flowspec, &standing).unwrap_or(item.flowspec);
            }
            items
        };
        let requests = self.state.requests_of(session);
        let concerned: Vec<_> = requests
            .filter(|(ix, r)| r.interface() == Some(interface) && Some(*ix) != but)
            .map(|(ix, r)| (ix, cut(&r.items)))
            .filter(|(ix, items)| self.state.requests[*ix].items != *items)
            .collect();
        let swap = |(ix, items)| (ix, core::mem::replace(&mut self.state.requests[ix].items, items));
        concerned.into_iter().map(swap).collect()
    }

    fn report_to_requesters(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: Option<SenderKey>,
        code: ErrorCode,
        value: u16,
    ) {
        let standing = self.state.find_reserved(session, interface, sender.as_ref());
        let standing = standing.map(|ix| self.state.reserved[ix].flowspec);
        let flags = if standing.is_some() { ErrorSpec::IN_PLACE } else { 0 };
        let report = Report { code, value, flags, flowspec: None };
        self.tell_requesters(session, interface, sender, &report, |_, item| {
            let order = standing.and_then(|s| flowspec::compare(&item.flowspec, &s));
            !matches!(order, Some(Ordering::Less | Ordering::Equal))
        });
    }

    /// Merges the requests of all next hops on an interface, and limits the result to what the senders announce.
    fn wanted(
        &self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: Option<&SenderKey>,
        installed: Option<Ix<Reserved>>,
    ) -> Result<Option<Wanted>, Refused> {
        let mut merged: Option<(StyleKind, Flowspec)> = None;
        let mut filters: SmallVec<[SenderKey; 4]> = SmallVec::new();
        let here = |r: &Request| r.interface() == Some(interface);
        for (_, request) in self.state.requests_of(session).filter(|(_, r)| here(r)) {
            let selected = request.items.iter().filter(|i| sender.is_none_or(|s| i.filter == Some(*s)));
            for item in selected.filter(|i| !self.gives_way(request, i, here)) {
                let so_far = merged.map_or(item.flowspec, |(_, so_far)| so_far);
                match flowspec::merge(&so_far, &item.flowspec) {
                    Some(flowspec) => merged = Some((request.style, flowspec)),
                    None if !request.asks_for(item) => continue,
                    None => return Err((ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT)),
                }
                filters.extend(item.filter);
            }
        }
        let Some((style, flowspec)) = merged else { return Ok(None) };
        filters.sort_unstable();
        filters.dedup();
        let to = self.state.key_of(session).destination();
        let flowspec = match (self.path_tspec(session, interface, &filters), installed) {
            (Some(path), _) => flowspec::in_session(flowspec::limit(&flowspec, &path), to),
            // Routing has taken the senders elsewhere: what stands here is left as it is to time out.
            (None, Some(ix)) => self.state.reserved[ix].flowspec,
            (None, None) => flowspec,
        };
        let filters = match filters.as_slice() {
            [] => Filters::Wildcard,
            [one] => Filters::One(*one),
            many => Filters::Many(many.into()),
        };
        let (entry, merge) = self.policing(session, interface, style, filters.as_slice());
        Ok(Some(Wanted { style, filters, flowspec, entry, merge }))
    }

    /// E_Police_Flag and M_Police_Flag (RFC 2205 section 3.8): whether a sender is on this node, or nobody has policed
    /// its traffic before, and the interface can; and whether a shared reservation has more than one sender.
    fn policing(
        &self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        style: StyleKind,
        filters: &[SenderKey],
    ) -> (bool, bool) {
        let selected = |p: &PathState| filters.is_empty() || filters.contains(&p.sender);
        let (mut entry, mut senders) = (false, 0);
        let speakers = self.state.speakers(session, interface);
        for path in speakers.iter().map(|ix| &self.state.paths[*ix]).filter(|p| selected(p)) {
            let flags = path.message().get::<Session>().and_then(Result::ok).map_or(0, |s| s.flags());
            entry |= path.upstream().is_none() || flags & Session::E_POLICE != 0;
            senders += 1;
        }
        let can = self.interfaces.find(interface).is_some_and(|i| i.config.enforces);
        (entry && can, style.sharing() == Sharing::Shared && senders > 1)
    }

    /// B_Police_Flag of every reservation that shares a sender with one that has changed (RFC 2205 section 3.8).
    fn update_branch_policing(&mut self, session: Ix<SessionState>, changed: &Filters) {
        let concerned: SmallVec<[Ix<Reserved>; 4]> = self
            .state
            .reserved_of(session)
            .filter(|(_, r)| r.filters.overlap(changed))
            .map(|(ix, _)| ix)
            .collect();
        for ix in concerned {
            let this = &self.state.reserved[ix];
            let less = |other: &Reserved| {
                let order = flowspec::compare(&this.flowspec, &other.flowspec);
                !matches!(order, Some(Ordering::Equal | Ordering::Greater))
            };
            let elsewhere = |r: &Reserved| r.interface != this.interface && r.filters.overlap(&this.filters);
            let branch = self.state.reserved_of(session).any(|(_, r)| elsewhere(r) && less(r));
            if branch != this.police.branch {
                self.state.reserved[ix].police.branch = branch;
                self.intend_install(ix);
            }
        }
    }

    /// Path_Te: the sum of what the senders announce whose data leaves through an interface (RFC 2205 section 2.2). A
    /// sender whose data may come from several previous hops counts once.
    pub(crate) fn path_tspec(
        &self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        filters: &[SenderKey],
    ) -> Option<Tspec> {
        let selected = |p: &PathState| filters.is_empty() || filters.contains(&p.sender);
        let speakers = self.state.speakers(session, interface);
        let paths = speakers.iter().map(|ix| &self.state.paths[*ix]).filter(|p| selected(p));
        paths.filter_map(PathState::tspec).reduce(|a, b| flowspec::sum(&a, &b))
    }

    /// Admission control: takes what a reservation is to have in the place of what it has; gives what that is.
    fn admit(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        installed: Option<Ix<Reserved>>,
        wanted: &Flowspec,
    ) -> Result<u64, Refused> {
        let refused = |value| (ErrorCode::ADMISSION_CONTROL, value);
        let now = installed.map(|ix| self.state.reserved[ix].charge()).unwrap_or_default();
        let session = self.state.key_of(session);
        let on = self.interfaces.find_mut(interface);
        let on = on.ok_or_else(|| refused(error_value::BANDWIDTH_UNAVAILABLE))?;
        let bps = flowspec::cost_bps(wanted, on.config.overhead);
        let wanted = Charge { bps, guaranteed: matches!(wanted, Flowspec::Guaranteed(..)) };
        on.admit(&session, now, wanted).map_err(|value| {
            tracing::debug!(?interface, ?wanted, ?now, value, "admission refused");
            refused(value)
        })?;
        Ok(bps)
    }

    fn install(
        &mut self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        wanted: &Wanted,
        charge_bps: u64,
    ) -> Ix<Reserved> {
        self.state.add_reserved(Reserved {
            session,
            next: None,
            interface,
            style: wanted.style,
            filters: wanted.filters.clone(),
            flowspec: wanted.flowspec,
            charge_bps,
            police: Police { entry: wanted.entry, merge: wanted.merge, branch: false },
            remark: Remark::default(),
            reduced: false,
            queued: false,
            announced: false,
        })
    }

    pub(crate) fn intend_install(&mut self, ix: Ix<Reserved>) {
        if !self.state.reserved[ix].queued {
            self.state.reserved[ix].queued = true;
            self.queue.intend(Pending::Install(self.state.reserved.id(ix)));
        }
    }

    fn uninstall(&mut self, ix: Ix<Reserved>) {
        let session = self.state.reserved[ix].session;
        let id = self.state.reserved.id(ix);
        self.extensions.reservation_ends(id);
        let reserved = self.state.remove_reserved(ix);
        if let Some(on) = self.interfaces.find_mut(reserved.interface) {
            on.budget.give_back(reserved.charge());
        }
        if reserved.announced {
            let id = ReservationId { index: id.ix.place(), generation: id.generation };
            self.queue.intend(Pending::Remove(id, reserved.interface));
        }
        let (style, filters) = (reserved.style.object(), reserved.filters.objects());
        self.tell_senders(session, &reserved, &EventKind::ResvGone { style, filters });
        self.update_branch_policing(session, &reserved.filters);
    }

    /// A view of an installed reservation.
    pub(crate) fn reservation(&self, reserved: &Reserved) -> Reservation {
        Reservation {
            session: self.state.key_of(reserved.session).object(),
            style: reserved.style.object(),
            filters: reserved.filters.objects(),
            flowspec: reserved.flowspec,
            charge_bps: reserved.charge_bps,
            police: reserved.police,
            remark: reserved.remark,
        }
    }
}
