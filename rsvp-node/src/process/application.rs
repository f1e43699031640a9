//! What local applications ask for (RFC 2205 sections 3.11.1 and 3.9).
//!
//! An application's sender is path state without a previous hop, its reservation a request without a next hop. What an
//! application announces is heard by the others on this node, but not by itself (section 3.1.3). A
//! request stands until it is withdrawn: if there is no sender yet the application is told, and the Resv leaves when
//! one appears.

use super::errors::ErrorFlow;
use super::kept::{flows_of, resv_of};
use super::read_object;
use crate::api::{AdspecOffer, Command, FlowRequest, Refusal};
use crate::carried::Carried;
use crate::composer::{Composer, Descriptor, Forwarded, Named, object_of};
use crate::event::{AppId, Gone};
use crate::extension::Extensions;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, SessionKey, StyleKind};
use crate::merge::{adspec, flowspec};
use crate::neighbour::accounts::Owner;
use crate::node::Node;
use crate::queue::Envelope;
use crate::rate::Seldom;
use crate::state::arena::Ix;
use crate::state::kept::Kept;
use crate::state::path::{Origin, PathFlags, PathState};
use crate::state::resv::{Asked, Confirm, Item, Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::store;
use crate::state::wheel::Timer;
use crate::time::{Instant, Since};
use core::time::Duration;
use rsvp_wire::{ErrorCode, Flowspec, MsgType, NullTspec, RsvpHop, SenderTemplate, SenderTspec, Tspec};
use smallvec::SmallVec;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ESP: u8 = 50;
const AH: u8 = 51;

/// What a SENDER call says.
struct Announcement<'c> {
    app: AppId,
    sender: SenderKey,
    tspec: Tspec,
    adspec: Option<AdspecOffer>,
    ttl: u8,
    interface: InterfaceId,
    carried: Option<&'c Carried>,
}

/// The session that a command is about.
fn session_of(command: &Command<'_>) -> Option<SessionKey> {
    match *command {
        Command::OpenSession { session, .. }
        | Command::Sender { session, .. }
        | Command::RemoveSender { session, .. }
        | Command::Reserve { session, .. }
        | Command::ReleaseReservation { session, .. }
        | Command::Release { session, .. } => Some(SessionKey::of(session)),
        Command::Claim(_) => None,
    }
}

impl Node {
    pub(crate) fn command(&mut self, command: Command<'_>) -> Result<(), Refusal> {
        if let Some(session) = session_of(&command).and_then(|key| self.state.find_session(&key)) {
            self.session_changes(session);
        }
        match command {
            Command::OpenSession { app, session } => self.open(app, &SessionKey::of(session)).map(|_| ()),
            Command::Sender { app, session, sender, tspec, adspec, ttl, interface, carried } => {
                let session = SessionKey::of(session);
                check_session(&session)?;
                let sender = SenderKey::of(sender.0);
                let interface = self.sender_interface(&session, &sender, interface)?;
                // The one place where traffic parameters are judged is their reader.
                let announced = object_of(&sender_tspec(tspec, adspec));
                if !read_object::<SenderTspec>(&announced).is_some_and(|t| t.is_legal()) || ttl == 0 {
                    return Err(Refusal::BadTrafficParameter);
                }
                let wanted = Announcement { app, sender, tspec, adspec, ttl, interface, carried };
                self.announce(&session, &wanted)
            }
            Command::RemoveSender { app, session, sender } => {
                let session = self.state.find_session(&SessionKey::of(session)).ok_or(Refusal::NotFound)?;
                let own = (SenderKey::of(sender.0), Origin::App(app));
                let path = self.state.paths_of(session).find(|(_, p)| (p.sender, p.origin) == own);
                let (path, _) = path.ok_or(Refusal::NotFound)?;
                self.remove_path(path, Gone::Torn, None);
                Ok(())
            }
            Command::Reserve { app, session, style, flows, confirm, interface, carried } => {
                let session = SessionKey::of(session);
                check_session(&session)?;
                let style = StyleKind::of(style).ok_or(Refusal::BadStyle)?;
                let confirm = if confirm { Confirm::Waits } else { Confirm::Done };
                self.reserve(&session, RequestOrigin::App { app, interface, confirm }, style, flows, carried)
            }
            Command::ReleaseReservation { app, session } => {
                let session = self.state.find_session(&SessionKey::of(session)).ok_or(Refusal::NotFound)?;
                let ix = self.state.own_request(session, app).ok_or(Refusal::NotFound)?;
                self.remove_items(ix, |_| true);
                Ok(())
            }
            Command::Release { app, session } => self.release(app, &SessionKey::of(session)),
            Command::Claim(claim) => self.claim(claim),
        }
    }

    /// SESSION: the application is told of every sender that is there already.
    fn open(&mut self, app: AppId, session: &SessionKey) -> Result<Ix<SessionState>, Refusal> {
        check_session(session)?;
        let ix = match self.state.find_session(session) {
            Some(ix) => ix,
            None if self.has_all_sessions(Owner::NODE) => {
                return Err(Refusal::LimitReached);
            }
            None if self.state.conflicts_in_ports(session) => return Err(Refusal::ConflictingPorts),
            None => self.state.add_session(session),
        };
        if !self.state.sessions[ix].open(app) {
            return Ok(ix);
        }
        // Of several previous hops that announce a sender, one is listened to.
        let is_voice = |path, p: &PathState| {
            self.state.path_of_sender(ix, &p.sender).is_some_and(|(voice, _)| voice == path)
        };
        let events: Vec<_> = self
            .state
            .paths_of(ix)
            .filter(|(path, p)| p.origin != Origin::App(app) && is_voice(*path, p))
            .filter_map(|(path, _)| self.path_event(path))
            .collect();
        for kind in events {
            self.tell(app, session, kind);
        }
        Ok(ix)
    }

    /// The interface a local sender's data leaves through (RFC 2205 section 3.9).
    fn sender_interface(
        &self,
        session: &SessionKey,
        sender: &SenderKey,
        named: Option<InterfaceId>,
    ) -> Result<InterfaceId, Refusal> {
        let address = sender.address();
        let own = self.interfaces.by_address(address).map(|i| i.config.id);
        if address.is_ipv4() != session.destination().is_ipv4() || own.is_none() {
            return Err(Refusal::BadSender);
        }
        if sender.is_gpi() != session.is_gpi() {
            return Err(Refusal::ConflictingCType);
        }
        if session.port() == 0 && sender.port() != 0 {
            return Err(Refusal::BadSender);
        }
        let id = named.or(own).ok_or(Refusal::NoInterface)?;
        self.own_address(id, address).map(|_| id).ok_or(Refusal::NoInterface)
    }

    fn announce(&mut self, session: &SessionKey, wanted: &Announcement<'_>) -> Result<(), Refusal> {
        let standing = self.state.find_session(session);
        let known = standing.and_then(|ix| self.state.path_of_sender(ix, &wanted.sender));
        let known = known.map(|(ix, path)| (ix, path.origin));
        if known.is_some_and(|(_, origin)| origin != Origin::App(wanted.app)) {
            return Err(Refusal::SenderTaken);
        }
        if known.is_none() && standing.is_some_and(|ix| self.has_all_senders(ix, Owner::NODE)) {
            return Err(Refusal::LimitReached);
        }
        if known.is_none() && self.conflicting_ports(session, standing, &wanted.sender).is_some() {
            return Err(Refusal::ConflictingPorts);
        }
        let ix = self.open(wanted.app, session)?;
        let octets = path_message(session, wanted);
        let changed = known.is_none_or(|(path, _)| *self.state.paths[path].octets != *octets);
        let mut flags = PathFlags::default();
        flags.set_routed(true);
        flags.set_multicast(session.is_multicast());
        let path = match known {
            Some((path, _)) => {
                store(&mut self.state.paths[path].octets, &octets);
                self.state.paths[path].ttl = wanted.ttl;
                path
            }
            None => self.state.add_path(PathState {
                session: ix,
                next: None,
                sender: wanted.sender,
                number: 0,
                origin: Origin::App(wanted.app),
                owner: Owner::NODE,
                octets,
                outgoing: SmallVec::new(),
                expires: Instant::NEVER,
                repair_at: Instant::NEVER,
                timer: Timer::new(),
                since: Since::of(self.now),
                ttl: wanted.ttl,
                flags,
            }),
        };
        self.set_outgoing(path, None, &[wanted.interface]);
        if known.is_none() {
            self.tell_standing(path, wanted.app, wanted.interface);
        }
        if changed {
            self.tell_path(path);
        }
        self.forward_path(path);
        self.path_moved(path);
        Ok(())
    }

    fn reserve(
        &mut self,
        session: &SessionKey,
        from: RequestOrigin,
        style: StyleKind,
        flows: &[FlowRequest<'_>],
        carried: Option<&Carried>,
    ) -> Result<(), Refusal> {
        let RequestOrigin::App { app, interface, .. } = from else { return Err(Refusal::NotFound) };
        let items = read_flows(session, style, flows)?;
        if items.len() > self.config.limits.filters_per_request as usize {
            return Err(Refusal::LimitReached);
        }
        if interface.is_some_and(|i| self.own_address(i, session.destination()).is_none()) {
            return Err(Refusal::NoInterface);
        }
        let standing = self.state.find_session(session);
        let known = standing.and_then(|ix| self.state.own_request(ix, app));
        if let Some(ix) = standing {
            self.check_conflicts(ix, known, style, &items)?;
            if known.is_none() && self.has_all_requests(ix, Owner::NODE) {
                return Err(Refusal::LimitReached);
            }
        }
        let ix = self.open(app, session)?;
        let kept = Kept::octets(resv_message(session, style, &items, carried), 0, true);
        let request = match known {
            Some(request) => {
                let stored = &mut self.state.requests[request];
                (stored.from, stored.style, stored.items) = (from, style, items);
                (stored.asked, stored.kept) = (Asked::Items, kept);
                self.state.index_request(request);
                request
            }
            None => self.state.add_request(Request {
                session: ix,
                next: None,
                from,
                style,
                items,
                kept,
                refreshable: false,
                asked: Asked::Items,
                timer: Timer::new(),
                owner: Owner::NODE,
                beside: None,
                charged: 0,
                since: Since::of(self.now),
                wishes: Seldom::default(),
            }),
        };
        for left in self.set_aside(ix, style) {
            self.tell_displaced(&left, style);
        }
        self.report_missing_senders(ix, request, flows);
        if matches!(from, RequestOrigin::App { confirm: Confirm::Waits, .. }) {
            self.wish_for_application(request, None);
        }
        self.intend_resvs(ix);
        Ok(())
    }

    /// Whether a reservation can stand beside those that do; what this application had asked for before is replaced. If it
    /// cannot, that stays, but stands in nobody's way from now on: several that change one after the other could else
    /// never do so.
    fn check_conflicts(
        &mut self,
        session: Ix<SessionState>,
        known: Option<Ix<Request>>,
        style: StyleKind,
        items: &[Item],
    ) -> Result<(), Refusal> {
        let flowspec = items.first().map(|item| item.flowspec);
        let (asked, refusal) = if self.conflicting_style(session, style, known).is_some() {
            (Asked::OtherStyle, Refusal::ConflictingStyle)
        } else if let Some(flowspec) = flowspec.filter(|f| self.service_conflicts(session, known, f)) {
            (Asked::Service(flowspec.service()), Refusal::ConflictingService)
        } else {
            return Ok(());
        };
        if let Some(known) = known {
            self.note_asked(known, asked);
        }
        Err(refusal)
    }

    /// An application that reserves before a sender is known is told so; its request stands all the same.
    fn report_missing_senders(
        &mut self,
        session: Ix<SessionState>,
        request: Ix<Request>,
        flows: &[FlowRequest<'_>],
    ) {
        let key = self.state.key_of(session);
        let (from, style) = (self.state.requests[request].from, self.state.requests[request].style.object());
        let own = |p: &PathState| matches!((p.origin, from), (Origin::App(a), RequestOrigin::App { app, .. }) if a == app);
        let others = self.state.paths_of(session).any(|(_, p)| !own(p));
        for flow in flows {
            let filters: SmallVec<[SenderKey; 4]> = flow.filters.iter().copied().map(SenderKey::of).collect();
            let selected = |f: &SenderKey| filters.is_empty() || filters.contains(f);
            let request = &self.state.requests[request];
            let mut paths = self.state.paths_of(session);
            if paths.any(|(_, p)| selected(&p.sender) && self.applies(request, p)) {
                continue;
            }
            let code = if others { ErrorCode::NO_SENDER } else { ErrorCode::NO_PATH };
            let object = object_of(&flow.flowspec);
            let error =
                ErrorFlow { style, flowspec: Some(&object), filters: &filters, scope: &[], because_of: None };
            self.report_resv_error(from, &key, code, 0, 0, &error);
        }
    }

    fn release(&mut self, app: AppId, session: &SessionKey) -> Result<(), Refusal> {
        let ix = self.state.find_session(session).ok_or(Refusal::NotFound)?;
        if !self.state.sessions[ix].close(app) {
            return Err(Refusal::NotFound);
        }
        let senders: SmallVec<[Ix<PathState>; 4]> =
            self.state.paths_of(ix).filter(|(_, p)| p.origin == Origin::App(app)).map(|(p, _)| p).collect();
        let request = self.state.own_request(ix, app);
        // The session goes with the last of these; it is not looked at afterwards.
        if senders.is_empty() && request.is_none() {
            self.state.release_session(ix);
            return Ok(());
        }
        for path in senders {
            self.remove_path(path, Gone::Torn, None);
        }
        if let Some(request) = request {
            self.remove_items(request, |_| true);
        }
        Ok(())
    }
}

/// The Path message a local sender's state is kept as: what a previous hop would have sent.
fn path_message(session: &SessionKey, wanted: &Announcement<'_>) -> Box<[u8]> {
    let adspec = wanted.adspec.map(|offer| object_of(&adspec::initial(offer))).unwrap_or_default();
    let descriptor = [
        &object_of(&SenderTemplate(wanted.sender.object())),
        &object_of(&sender_tspec(wanted.tspec, wanted.adspec)),
        &*adspec,
    ];
    let to = Envelope::with_data(wanted.interface, session, &wanted.sender, wanted.ttl);
    let message = Composer {
        session: Named::Key(*session),
        hop: Some(RsvpHop { address: wanted.sender.address(), lih: 0 }),
        refresh: Some(Duration::ZERO),
        forwarded: Forwarded::Octets(wanted.carried.map(Carried::objects).unwrap_or_default()),
        descriptor: Descriptor::Octets(&descriptor),
        ..Composer::new(MsgType::PATH, to)
    };
    message.boxed(&Extensions::default(), &mut vec![0; 512])
}

/// The Resv message that a local reservation is kept as, where it carries something: what a next hop would have sent.
fn resv_message(
    session: &SessionKey,
    style: StyleKind,
    items: &[Item],
    carried: Option<&Carried>,
) -> Box<[u8]> {
    let Some(carried) = carried.filter(|carried| !carried.is_empty()) else { return Box::default() };
    resv_of(session, style, &flows_of(items), carried.objects(), None)
}

fn read_flows(
    session: &SessionKey,
    style: StyleKind,
    flows: &[FlowRequest<'_>],
) -> Result<SmallVec<[Item; 1]>, Refusal> {
    let shape = match style {
        StyleKind::WildcardFilter => flows.len() == 1 && flows.iter().all(|f| f.filters.is_empty()),
        StyleKind::SharedExplicit => flows.len() == 1 && flows.iter().all(|f| !f.filters.is_empty()),
        StyleKind::FixedFilter => !flows.is_empty() && flows.iter().all(|f| f.filters.len() == 1),
    };
    if !shape {
        return Err(Refusal::BadStyle);
    }
    let mut items: SmallVec<[Item; 1]> = SmallVec::new();
    for flow in flows {
        let flowspec = flowspec::with_policed_unit(flow.flowspec, session.destination());
        let sound = read_object::<Flowspec>(&object_of(&flowspec)).is_some_and(|f| f.is_legal());
        if !sound || items.first().is_some_and(|i| i.flowspec.service() != flowspec.service()) {
            return Err(Refusal::BadTrafficParameter);
        }
        let wildcard = flow.filters.is_empty().then_some(None);
        for filter in flow.filters.iter().map(|f| Some(SenderKey::of(*f))).chain(wildcard) {
            let family = |f: SenderKey| f.address().is_ipv4() == session.destination().is_ipv4();
            let port = |f: SenderKey| session.port() != 0 || f.port() == 0;
            if filter.is_some_and(|f| f.is_gpi() != session.is_gpi()) {
                return Err(Refusal::ConflictingCType);
            }
            if filter.is_some_and(|f| !family(f) || !port(f)) {
                return Err(Refusal::BadSender);
            }
            if items.iter().any(|i| i.filter == filter) {
                return Err(Refusal::BadStyle);
            }
            items.push(Item { filter, flowspec, expires: Instant::NEVER });
        }
    }
    Ok(items)
}

fn check_session(session: &SessionKey) -> Result<(), Refusal> {
    // RFC 2207 section 4.1: a virtual port there must be, and it is for protocols that are known to have an SPI.
    let ports = match session.is_gpi() {
        false => session.port() != 0 || !matches!(session.protocol(), TCP | UDP),
        true => session.port() != 0 && matches!(session.protocol(), ESP | AH),
    };
    let sound = !session.destination().is_unspecified() && session.protocol() != 0 && ports;
    if sound { Ok(()) } else { Err(Refusal::BadSession) }
}

/// What a sender announces: a token bucket, and what the Null service needs if it is offered (RFC 2997 3.2).
fn sender_tspec(tspec: Tspec, offer: Option<AdspecOffer>) -> SenderTspec {
    match offer {
        Some(AdspecOffer { guaranteed: false, controlled_load: false, null: true }) => {
            SenderTspec::null(tspec.max_packet_size)
        }
        Some(AdspecOffer { null: true, .. }) => SenderTspec(tspec, NullTspec::Beside(tspec.max_packet_size)),
        _ => SenderTspec::from(tspec),
    }
}
