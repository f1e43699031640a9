//! Every message that leaves is written here, and every object that state keeps to send it later.
//!
//! A [`Composer`] holds what a message says and where it goes; which objects that makes, and in which order, is decided in
//! one place, in the order of RFC 2205 section 3.1. A message is written into the buffer of whoever drains the engine, or
//! into a box of its own that waits in the queue.
//!
//! What a Resv says from its SCOPE on is written apart ([`asked`]): it is compared with what was last sent before a message
//! is made of it, and may be divided among several.

use crate::carried::is_sent;
use crate::extension::Extensions;
use crate::key::{SenderKey, SessionKey, StyleKind};
use crate::queue::Envelope;
use crate::unknown::{self, HEADER};
use core::net::IpAddr;
use core::ops::Range;
use core::time::Duration;
use rsvp_wire::{
    Class, ErrorSpec, Flowspec, Message, MessageWriter, MsgType, NeedSpace, Object, ResvConfirm, RsvpHop,
    Scope, SenderTemplate, Session, Sharing, Style, TimeValues,
};
use smallvec::SmallVec;

/// A message to be sent, by what it says. What is `None` or empty makes no object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Composer<'a> {
    pub(crate) msg_type: MsgType,
    /// Where it goes, and with which TTL, which is its Send_TTL (RFC 2205 section 3.8).
    pub(crate) to: Envelope,
    pub(crate) session: Named<'a>,
    /// E_Police in a SESSION that is given by its key: nobody has policed the data yet (RFC 2205 section 3.8).
    pub(crate) unpoliced: bool,
    pub(crate) hop: Option<RsvpHop>,
    /// The refresh period in TIME_VALUES.
    pub(crate) refresh: Option<Duration>,
    pub(crate) error: Option<ErrorSpec>,
    /// The receiver that wants confirmation, or is given it.
    pub(crate) confirm: Option<IpAddr>,
    /// Sender addresses of the SCOPE.
    pub(crate) scope: &'a [IpAddr],
    pub(crate) forwarded: Forwarded<'a>,
    pub(crate) descriptor: Descriptor<'a>,
}

/// The SESSION.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named<'a> {
    Key(SessionKey),
    /// A complete object, because it cannot be read; or nothing.
    AsItCame(&'a [u8]),
}

/// What goes on from messages that were received (RFC 2205 section 3.10).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Forwarded<'a> {
    Nothing,
    /// The objects of a message that go into every message that results from it.
    Of(Message<'a>),
    /// The same of a message that stands for an application of this node, with those that go no further than the next hop.
    Own(Message<'a>),
    /// Objects that were put together before.
    Octets(&'a [u8]),
    /// All of a message but what is hop by hop, in the order in which it came.
    All(Message<'a>),
}

/// The end of a message: STYLE and flow descriptors, or a sender descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Descriptor<'a> {
    Nothing,
    /// Complete objects, one after the other.
    Octets(&'a [&'a [u8]]),
    /// The sender of a Path, with complete objects before and behind it.
    Sender {
        before: &'a [u8],
        sender: SenderKey,
        behind: [&'a [u8]; 2],
    },
    /// One flow descriptor, its STYLE and FLOWSPEC as they came.
    Flow {
        style: Style,
        flowspec: &'a [u8],
        filters: &'a [SenderKey],
    },
    /// Merged requests by their filter; for WF a single one without.
    Flows {
        style: StyleKind,
        flows: &'a [(Option<SenderKey>, Flowspec)],
    },
}

impl<'a> Composer<'a> {
    /// A message without objects. Inlined, because what follows replaces most of it.
    #[inline(always)]
    pub(crate) const fn new(msg_type: MsgType, to: Envelope) -> Self {
        Self {
            msg_type,
            to,
            session: Named::AsItCame(&[]),
            unpoliced: false,
            hop: None,
            refresh: None,
            error: None,
            confirm: None,
            scope: &[],
            forwarded: Forwarded::Nothing,
            descriptor: Descriptor::Nothing,
        }
    }

    /// The objects of a message in the order of RFC 2205 section 3.1: what is to be in all messages of a type is added here,
    /// and nowhere else. Inlined, as are its parts, so that what a message does not have costs nothing.
    #[inline(always)]
    fn put_objects(&self, extensions: &Extensions, w: &mut MessageWriter<'_>) {
        match &self.session {
            Named::Key(key) if self.unpoliced => w.put(&key.object().with_flags(Session::E_POLICE)),
            Named::Key(key) => w.put(&key.object()),
            Named::AsItCame(octets) => w.copy(octets),
        };
        if let Some(hop) = &self.hop {
            w.put(hop);
        }
        if let Some(refresh) = self.refresh {
            w.put(&TimeValues { refresh_ms: refresh.as_millis() as u32 });
        }
        if let Some(error) = &self.error {
            w.put(error);
        }
        if let Some(address) = self.confirm {
            w.put(&ResvConfirm { address });
        }
        put_scope(w, self.scope);
        put_forwarded(w, &self.forwarded, self.msg_type);
        extensions.iter().for_each(|each| each.add_objects(self.msg_type, &self.to, w));
        put_descriptor(w, &self.descriptor);
    }

    /// Writes the message to the start of a buffer and returns its length.
    #[inline(always)]
    pub(crate) fn write(&self, extensions: &Extensions, buffer: &mut [u8]) -> Result<usize, NeedSpace> {
        let mut writer = MessageWriter::new(buffer, self.msg_type, self.to.ttl);
        self.put_objects(extensions, &mut writer);
        writer.finish().map(|message| message.len())
    }

    /// The same without the FLOWSPEC of its flow descriptor, which an error message may lack (RFC 2205 section 3.1.8).
    pub(crate) fn without_flowspec<T>(&self, then: impl FnOnce(&Composer<'_>) -> T) -> T {
        let is_other = |object: &&&[u8]| object.get(2) != Some(&Class::FLOWSPEC.0);
        let rest: SmallVec<[&[u8]; 3]> = match self.descriptor {
            Descriptor::Octets(objects) => objects.iter().filter(is_other).copied().collect(),
            _ => SmallVec::new(),
        };
        let descriptor = match self.descriptor {
            Descriptor::Octets(_) => Descriptor::Octets(&rest),
            Descriptor::Flow { style, filters, .. } => Descriptor::Flow { style, flowspec: &[], filters },
            other => other,
        };
        then(&Composer { descriptor, ..*self })
    }

    /// The message in a box of its own; an empty one if it would be longer than a message can be. Nothing larger than what
    /// arrived, or than one flow descriptor, is written so; were it too long all the same, it is cut to nothing rather than
    /// sent broken. It is written to a buffer first, which grows for it and can be used again.
    pub(crate) fn boxed(&self, extensions: &Extensions, buffer: &mut Vec<u8>) -> Box<[u8]> {
        loop {
            match self.write(extensions, buffer) {
                Ok(length) => return buffer[..length].into(),
                Err(NeedSpace(need)) if need > usize::from(u16::MAX) => return Box::default(),
                Err(NeedSpace(need)) => buffer.resize(need, 0),
            }
        }
    }
}

#[inline(always)]
fn put_scope(w: &mut MessageWriter<'_>, addresses: &[IpAddr]) {
    if let Some(first) = addresses.first() {
        put_addresses(w, first, addresses);
    }
}

fn put_addresses(w: &mut MessageWriter<'_>, first: &IpAddr, addresses: &[IpAddr]) {
    let mut octets: SmallVec<[u8; 64]> = SmallVec::new();
    for address in addresses {
        match address {
            IpAddr::V4(a) => octets.extend_from_slice(&a.octets()),
            IpAddr::V6(a) => octets.extend_from_slice(&a.octets()),
        }
    }
    match first {
        IpAddr::V4(_) => w.put(&Scope::Ipv4(&octets)),
        IpAddr::V6(_) => w.put(&Scope::Ipv6(&octets)),
    };
}

#[inline(always)]
fn put_forwarded(w: &mut MessageWriter<'_>, forwarded: &Forwarded<'_>, msg_type: MsgType) {
    match forwarded {
        Forwarded::Nothing => {}
        Forwarded::Of(message) | Forwarded::Own(message) => {
            // A PathTear has none (RFC 2205 section 3.1.5), though the Path it is made of may.
            let has_policy = msg_type != MsgType::PATH_TEAR;
            let own = matches!(forwarded, Forwarded::Own(_)) && has_policy;
            for object in message.objects().filter(|object| is_sent(object, own)) {
                if has_policy || object.class != Class::POLICY_DATA {
                    w.copy(object.octets());
                }
            }
        }
        Forwarded::Octets(octets) => {
            w.copy(octets);
        }
        Forwarded::All(message) => {
            for object in message.objects().filter(unknown::passes) {
                w.copy(object.octets());
            }
        }
    }
}

#[inline(always)]
fn put_descriptor(w: &mut MessageWriter<'_>, descriptor: &Descriptor<'_>) {
    match descriptor {
        Descriptor::Nothing => {}
        Descriptor::Octets(objects) => {
            for octets in *objects {
                w.copy(octets);
            }
        }
        Descriptor::Sender { before, sender, behind } => {
            w.copy(before).put(&SenderTemplate(sender.object())).copy(behind[0]).copy(behind[1]);
        }
        Descriptor::Flow { style, flowspec, filters } => {
            w.put(style).copy(flowspec);
            for filter in *filters {
                w.put(&filter.object());
            }
        }
        Descriptor::Flows { style, flows } => put_flows(w, *style, flows),
    }
}

/// STYLE and flow descriptors; where senders share a reservation its FLOWSPEC is there once.
fn put_flows(w: &mut MessageWriter<'_>, style: StyleKind, flows: &[(Option<SenderKey>, Flowspec)]) {
    w.put(&style.object());
    let shared = style.sharing() == Sharing::Shared;
    for (n, (filter, flowspec)) in flows.iter().enumerate() {
        if n == 0 || !shared {
            w.put(flowspec);
        }
        if let Some(filter) = filter {
            w.put(&filter.object());
        }
    }
}

/// Writes what a Resv says from its SCOPE on into a buffer, however long that is, and returns its place there.
pub(crate) fn asked(
    buffer: &mut Vec<u8>,
    scope: &[IpAddr],
    forwarded: &[u8],
    style: StyleKind,
    flows: &[(Option<SenderKey>, Flowspec)],
) -> Range<usize> {
    fill(buffer, |w| {
        put_scope(w, scope);
        w.copy(forwarded);
        put_flows(w, style, flows);
    })
}

/// A complete object that stands alone.
pub(crate) fn object_of<'a, T: Object<'a>>(value: &T) -> Box<[u8]> {
    let mut octets = Vec::new();
    let place = fill(&mut octets, |w| {
        w.put(value);
    });
    octets[place].into()
}

/// Writes objects into a buffer that grows for them, for they may be more than one message holds. They stand behind the
/// place of a common header.
fn fill(buffer: &mut Vec<u8>, put: impl Fn(&mut MessageWriter<'_>)) -> Range<usize> {
    loop {
        let mut writer = MessageWriter::new(buffer, MsgType::RESV, 0);
        put(&mut writer);
        let length = writer.len();
        if length <= buffer.len() {
            return HEADER..length;
        }
        buffer.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::InterfaceId;
    use rsvp_wire::{ErrorCode, Tspec};

    const HOST: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn objects_stand_in_the_order_of_the_rfc_in_a_buffer_and_in_a_box() {
        let session = SessionKey::of(rsvp_wire::Session::new(HOST, 17, 5000));
        let flowspec = object_of(&Flowspec::ControlledLoad(Tspec::null(1500)));
        let filters = [SenderKey::of(rsvp_wire::FilterSpec::new(HOST, 4000))];
        let policy = [0, 8, Class::POLICY_DATA.0, 1, 0, 0, 0, 0];
        let composer = Composer {
            session: Named::Key(session),
            hop: Some(RsvpHop { address: HOST, lih: 1 }),
            refresh: Some(Duration::from_secs(30)),
            error: Some(ErrorSpec { node: HOST, flags: 0, code: ErrorCode::NO_PATH, value: 0 }),
            confirm: Some(HOST),
            scope: &[HOST],
            forwarded: Forwarded::Octets(&policy),
            descriptor: Descriptor::Flow { style: Style::FF, flowspec: &flowspec, filters: &filters },
            ..Composer::new(MsgType::RESV_ERR, Envelope::to_neighbour(InterfaceId(1), HOST, 63))
        };
        let boxed = composer.boxed(&Extensions::default(), &mut Vec::new());
        let message = Message::parse(&boxed).expect("a sound message");
        assert_eq!((message.msg_type(), message.send_ttl()), (MsgType::RESV_ERR, 63));
        let order = [
            Class::SESSION,
            Class::RSVP_HOP,
            Class::TIME_VALUES,
            Class::ERROR_SPEC,
            Class::RESV_CONFIRM,
            Class::SCOPE,
            Class::POLICY_DATA,
            Class::STYLE,
            Class::FLOWSPEC,
            Class::FILTER_SPEC,
        ];
        assert!(message.objects().map(|object| object.class).eq(order));
        let mut buffer = vec![0; boxed.len()];
        assert_eq!(composer.write(&Extensions::default(), &mut buffer[1..]), Err(NeedSpace(boxed.len())));
        assert_eq!(composer.write(&Extensions::default(), &mut buffer), Ok(boxed.len()));
        assert_eq!(*buffer, *boxed);
    }
}
