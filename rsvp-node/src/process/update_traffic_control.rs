//! UPDATE TRAFFIC CONTROL (RFC 2209), RFC 2205 sections 2.2 and 3.11.2: makes what is installed on an outgoing
//! interface agree with the requests and the path state, if the interface's budget allows.
//!
//! Admission is by budget: Controlled-Load takes r and Guaranteed service takes R of the effective flowspec, once for
//! each shared reservation. Delay bounds are not judged here.

use super::traffic_control::Report;
use crate::api::{Remark, Reservation};
use crate::budget::Charge;
use crate::event::EventKind;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::queue::Pending;
use crate::state::arena::Ix;
use crate::state::column::Together;
use crate::state::numbers::Numbers;
use crate::state::resv::Request;
use crate::state::session::SessionState;
use crate::state::traffic::{Branch, Filters, Reserved, ReservedFlags};
use core::cell::OnceCell;
use core::cmp::Ordering;
use rsvp_wire::{ErrorCode, ErrorSpec, Flowspec, SenderTspec, Session, Sharing, Tspec, error_value};
use smallvec::SmallVec;

/// Why traffic control refused: Error Code and Error Value.
pub(crate) type Refused = (ErrorCode, u16);

/// Items that are cut down because of one input.
const CUT_AT_ONCE: usize = 4_096;

/// What is asked for, and for which senders.
type AskedFor = (StyleKind, Flowspec, SmallVec<[SenderKey; 4]>);

/// What the senders of a reservation say.
struct Announced {
    /// The sum of their TSpecs.
    tspec: Option<Tspec>,
    /// One of them is on this node, or nobody has policed its traffic before.
    unpoliced: bool,
    senders: usize,
}

impl Node {
    /// Updates the reservation of a branch; for FF the one for `sender`. On refusal the installed reservation stays as it
    /// was; the error says whether there is one (RFC 2205 section 3.5, InPlace).
    pub(crate) fn update_traffic_control(&mut self, branch: Branch, sender: Flow) -> Result<(), Refused> {
        let installed = self.state.find_reserved(branch, sender);
        let Some(asked) = self.asked_for(branch, sender)? else {
            if let Some(ix) = installed {
                self.uninstall(ix);
            }
            return Ok(());
        };
        let mut wanted = self.wanted(branch, asked, installed);
        wanted.charge_bps = self.admit(installed, &wanted)?;
        let (ix, changed) = match installed {
            None => (self.state.add_reserved(wanted), true),
            Some(ix) => {
                self.tell_left(ix, &wanted.filters);
                let reserved = &mut self.state.reserved[ix];
                let changed = reserved.flowspec != wanted.flowspec || reserved.filters != wanted.filters;
                let before = reserved.police();
                reserved.flags.set_entry(wanted.flags.entry());
                reserved.flags.set_merge(wanted.flags.merge());
                let policed = reserved.police() != before;
                reserved.flowspec = wanted.flowspec;
                reserved.charge_bps = wanted.charge_bps;
                self.state.set_filters(ix, wanted.style, wanted.filters);
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
            self.update_branch_policing(branch.session, &filters);
        }
        Ok(())
    }

    /// The reservation for which path state changed: all of the session on an interface that concern `sender`. A
    /// refusal leaves what is installed and is reported (InPlace) to those who asked for more.
    pub(crate) fn update_for_senders(&mut self, branch: Branch, sender: &SenderKey) {
        let Some(sender) = self.concerned(branch, sender) else { return };
        if let Err(refused) = self.update_traffic_control(branch, sender) {
            self.report_to_requesters(branch, sender, refused);
            // Their next refreshes try again.
            self.judge_again(branch);
        }
    }

    /// The same for a sender that is gone.
    pub(crate) fn update_without_sender(&mut self, branch: Branch, sender: &SenderKey) {
        if let Some(sender) = self.concerned(branch, sender) {
            self.update_for_less(branch, sender);
        }
    }

    /// Which of a branch's reservations is for a sender: its own in FF, the only one in other styles.
    fn concerned(&self, branch: Branch, sender: &SenderKey) -> Option<Flow> {
        let mut requests = self.state.requests_of(branch.session).map(|(_, r)| r);
        let style = requests.find(|r| r.interface() == Some(branch.interface)).map(|r| r.style);
        let installed = || self.state.reserved_on(branch).next().map(|(_, r)| r.style);
        let distinct = style.or_else(installed)?.sharing() == Sharing::Distinct;
        Some(distinct.then_some(*sender))
    }

    /// The reservation for which a request has just come. If it is refused only because others ask for more than is
    /// installed, their requests are cut down to that first: a large request that was harmless while the senders
    /// announced little must not keep a smaller one from what fits. It is heard again when it is refreshed.
    pub(crate) fn update_for_request(
        &mut self,
        request: Ix<Request>,
        branch: Branch,
        sender: Flow,
    ) -> Result<(), Refused> {
        let Err(refused) = self.update_traffic_control(branch, sender) else { return Ok(()) };
        if !self.fits_beside_standing(request, branch, sender) {
            return Err(refused);
        }
        self.cut_down_to_standing(branch, sender, Some(request));
        self.update_traffic_control(branch, sender)
    }

    /// Whether what a request asks for could be had if all others asked for no more than what is installed.
    fn fits_beside_standing(&self, request: Ix<Request>, branch: Branch, sender: Flow) -> bool {
        let Some(installed) = self.state.find_reserved(branch, sender) else { return false };
        let Ok(Some((style, all, filters))) = self.asked_for(branch, sender) else { return false };
        let request_of = &self.state.requests[request];
        let place = if sender.is_none() { Some(0) } else { self.state.place_of(request, &sender) };
        let Some(own) = place.and_then(|place| request_of.items.get(place)) else { return false };
        // It is among all, too; but the less of what it asks for and what is installed adds nothing to what it asks for.
        let others = flowspec::lower_bound(&all, &self.state.reserved[installed].flowspec).unwrap_or(all);
        let Some(least) = flowspec::merge(&own.flowspec, &others) else { return false };
        least != all && self.admits(installed, &self.wanted(branch, (style, least, filters), Some(installed)))
    }

    /// The reservation of which something is no longer asked for. What is left may ask for more than is installed; then
    /// it is content with that until it is refreshed.
    pub(crate) fn update_for_less(&mut self, branch: Branch, sender: Flow) {
        if self.update_traffic_control(branch, sender).is_ok() {
            return;
        }
        self.cut_down_to_standing(branch, sender, None);
        if let Err((code, value)) = self.update_traffic_control(branch, sender)
            && self.cut < CUT_AT_ONCE
        {
            tracing::warn!(?code, value, "traffic control refused to shrink a reservation");
        }
    }

    /// Makes requests, perhaps but for one, ask for no more than what is installed for them, and has all refreshes judged anew. Of very
    /// many some are left for the next time.
    fn cut_down_to_standing(&mut self, branch: Branch, sender: Flow, but: Option<Ix<Request>>) {
        self.judge_again(branch);
        let Some(installed) = self.state.find_reserved(branch, sender) else { return };
        let standing = self.state.reserved[installed].flowspec;
        let cut = |asked: &Flowspec| flowspec::lower_bound(asked, &standing).unwrap_or(*asked);
        for ix in self.state.asking_beyond(branch, sender, |asked| cut(asked) == *asked) {
            if Some(ix) == but {
                continue;
            }
            if self.cut >= CUT_AT_ONCE {
                return;
            }
            self.cut += if sender.is_none() { self.state.requests[ix].items.len() } else { 1 };
            self.state.change_flowspecs(ix, &sender, cut);
        }
    }

    fn report_to_requesters(&mut self, branch: Branch, sender: Flow, (code, value): Refused) {
        let standing = self.state.find_reserved(branch, sender);
        let standing = standing.map(|ix| self.state.reserved[ix].flowspec);
        let flags = if standing.is_some() { ErrorSpec::IN_PLACE } else { 0 };
        let report = Report { code, value, flags, flowspec: None };
        self.tell_requesters(branch, sender, &report, |_, item| {
            let order = standing.and_then(|s| flowspec::compare(&item.flowspec, &s));
            !matches!(order, Some(Ordering::Less | Ordering::Equal))
        });
    }

    /// The merge of what all next hops on an interface ask for, and for whom.
    fn asked_for(&self, branch: Branch, sender: Flow) -> Result<Option<AskedFor>, Refused> {
        let together =
            sender.and_then(|s| Some((s, self.state.asked_together(branch.session, branch.interface, &s)?)));
        match together {
            Some((_, Together::Nothing)) => Ok(None),
            Some((sender, Together::Flowspec(flowspec))) => {
                Ok(Some((StyleKind::FixedFilter, flowspec, [sender].into_iter().collect())))
            }
            Some((_, Together::Services)) | None => self.asked_one_by_one(branch, sender),
        }
    }

    /// What is asked for, limited to what the senders announce.
    fn wanted(
        &self,
        branch: Branch,
        (style, flowspec, filters): AskedFor,
        installed: Option<Ix<Reserved>>,
    ) -> Reserved {
        let Branch { session, interface } = branch;
        let to = self.state.key_of(session).destination();
        let announced = self.announced(branch, &filters);
        let flowspec = match (announced.tspec, installed) {
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
        // E_Police and M_Police (RFC 2205 section 3.8).
        let entry = announced.unpoliced && self.interfaces.find(interface).is_some_and(|i| i.config.enforces);
        let merge = style.sharing() == Sharing::Shared && announced.senders > 1;
        let mut flags = ReservedFlags::default();
        flags.set_entry(entry);
        flags.set_merge(merge);
        Reserved {
            session,
            prev: None,
            next: None,
            interface,
            style,
            filters,
            flowspec,
            charge_bps: 0,
            remark: Remark::default(),
            flags,
        }
    }

    /// The same with a look at each request.
    fn asked_one_by_one(&self, branch: Branch, sender: Flow) -> Result<Option<AskedFor>, Refused> {
        let Branch { session, interface } = branch;
        let mut merged: Option<(StyleKind, Flowspec)> = None;
        let (mut all, mut filters) = (Numbers::default(), SmallVec::<[SenderKey; 4]>::new());
        let here = |r: &Request| r.interface() == Some(interface);
        let (number, services) = (self.state.number_of(session, &sender), OnceCell::new());
        for (_, request) in self.state.requests_of(session).filter(|(_, r)| here(r)) {
            let place = if sender.is_none() { Some(0) } else { request.place_of(&sender, number) };
            let Some(item) = place.and_then(|place| request.items.get(place)) else { continue };
            if self.gives_way(request, item, &services, here) {
                continue;
            }
            let so_far = merged.map_or(item.flowspec, |(_, so_far)| so_far);
            match flowspec::merge(&so_far, &item.flowspec) {
                Some(flowspec) => merged = Some((request.style, flowspec)),
                None if !request.asks_for(item) => continue,
                None => return Err((ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT)),
            }
            match request.index().and_then(|index| index.senders.as_ref()) {
                _ if sender.is_some() || request.style.is_wildcard() => filters.extend(item.filter),
                Some(senders) => all.add(senders),
                None => filters.extend(request.items.iter().filter_map(|i| i.filter)),
            }
        }
        let Some((style, flowspec)) = merged else { return Ok(None) };
        filters.extend(self.state.crowd(session).into_iter().flat_map(|crowd| crowd.keys(&all)));
        filters.sort_unstable();
        filters.dedup();
        Ok(Some((style, flowspec, filters)))
    }

    /// B_Police_Flag of every reservation that shares a sender with one that has changed (RFC 2205 section 3.8).
    fn update_branch_policing(&mut self, session: Ix<SessionState>, changed: &Filters) {
        let concerned = self.state.overlapping(session, changed);
        for ix in concerned {
            let this = &self.state.reserved[ix];
            let less = |other: &Reserved| {
                let order = flowspec::compare(&this.flowspec, &other.flowspec);
                !matches!(order, Some(Ordering::Equal | Ordering::Greater))
            };
            let elsewhere = |r: &Reserved| r.interface != this.interface;
            let others = self.state.overlapping(session, &this.filters);
            let branch = others.iter().map(|ix| &self.state.reserved[*ix]).any(|r| elsewhere(r) && less(r));
            if branch != this.flags.branch() {
                self.state.reserved[ix].flags.set_branch(branch);
                self.intend_install(ix);
            }
        }
    }

    /// What senders say whose data leaves by a branch: those that `filters` names, or all. A sender whose data may come from
    /// several previous hops counts once.
    fn announced(&self, branch: Branch, filters: &[SenderKey]) -> Announced {
        let mut announced = Announced { tspec: None, unpoliced: false, senders: 0 };
        let speakers = self.state.speakers(branch, filters);
        for path in speakers.iter().map(|ix| &self.state.paths[*ix]) {
            let message = path.message();
            let flags = message.get::<Session>().and_then(Result::ok).map_or(0, |s| s.flags());
            announced.unpoliced |= path.upstream().is_none() || flags & Session::E_POLICE != 0;
            announced.senders += 1;
            let tspec = message.get::<SenderTspec>().and_then(Result::ok).map(|t| t.0);
            let so_far = announced.tspec;
            announced.tspec = tspec.map(|t| so_far.map_or(t, |sum| flowspec::sum(&sum, &t))).or(so_far);
        }
        announced
    }

    /// Path_Te: the sum of what the senders announce whose data leaves through an interface (RFC 2205 section 2.2).
    pub(crate) fn path_tspec(&self, branch: Branch, filters: &[SenderKey]) -> Option<Tspec> {
        self.announced(branch, filters).tspec
    }

    /// Admission control: takes what a reservation is to have in the place of what it has; gives what that is.
    fn admit(&mut self, installed: Option<Ix<Reserved>>, wanted: &Reserved) -> Result<u64, Refused> {
        let refused = |value| (ErrorCode::ADMISSION_CONTROL, value);
        let now = installed.map(|ix| self.state.reserved[ix].charge()).unwrap_or_default();
        let session = self.state.key_of(wanted.session);
        let on = self.interfaces.find_mut(wanted.interface);
        let on = on.ok_or_else(|| refused(error_value::BANDWIDTH_UNAVAILABLE))?;
        let bps = flowspec::cost_bps(&wanted.flowspec, on.config.overhead);
        let charge = Charge { bps, ..wanted.charge() };
        on.admit(&session, now, charge).map_err(|value| {
            tracing::debug!(interface = ?wanted.interface, wanted = ?charge, ?now, value, "admission refused");
            refused(value)
        })?;
        Ok(bps)
    }

    /// Whether it would.
    fn admits(&self, installed: Ix<Reserved>, wanted: &Reserved) -> bool {
        let session = self.state.key_of(wanted.session);
        self.interfaces.find(wanted.interface).is_some_and(|on| {
            let bps = flowspec::cost_bps(&wanted.flowspec, on.config.overhead);
            on.admits(&session, self.state.reserved[installed].charge(), Charge { bps, ..wanted.charge() })
        })
    }

    pub(crate) fn intend_install(&mut self, ix: Ix<Reserved>) {
        if !self.state.reserved[ix].flags.queued() {
            self.state.reserved[ix].flags.set_queued(true);
            self.queue.intend(Pending::Install(self.state.reserved.id(ix)));
        }
    }

    fn uninstall(&mut self, ix: Ix<Reserved>) {
        let id = self.state.reserved.id(ix).into();
        self.extensions.iter_mut().for_each(|each| each.reservation_ends(id));
        let reserved = self.state.remove_reserved(ix);
        if let Some(on) = self.interfaces.find_mut(reserved.interface) {
            on.budget.give_back(reserved.charge());
        }
        if reserved.flags.announced() {
            self.queue.intend(Pending::Remove(id, reserved.interface));
        }
        let (style, filters) = (reserved.style.object(), reserved.filters.objects());
        self.tell_senders(reserved.branch(), &reserved.filters, &EventKind::ResvGone { style, filters });
        self.update_branch_policing(reserved.session, &reserved.filters);
    }

    /// A view of an installed reservation.
    pub(crate) fn reservation(&self, reserved: &Reserved) -> Reservation {
        Reservation {
            session: self.state.key_of(reserved.session).object(),
            style: reserved.style.object(),
            filters: reserved.filters.objects(),
            flowspec: reserved.flowspec,
            charge_bps: reserved.charge_bps,
            police: reserved.police(),
            remark: reserved.remark,
        }
    }
}
