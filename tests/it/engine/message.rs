//! Messages for the node under test, made with `rsvp-wire` from the words of [`words`](super::words).

use super::words::{Family, Flows, interface, tspec};
use core::net::IpAddr;
use rsvp_node::{InterfaceId, Rx};
use rsvp_wire::{
    AdspecSummary, ErrorCode, ErrorSpec, FilterSpec, MessageWriter, MsgType, Object, ResvConfirm, RsvpHop,
    SenderTemplate, SenderTspec, Session, TimeValues,
};

/// A message on its way to the node, with every part open to change.
#[derive(Clone, Debug)]
pub(crate) struct Arriving {
    pub(crate) family: Family,
    pub(crate) on: InterfaceId,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) send_ttl: u8,
    pub(crate) msg_type: MsgType,
    pub(crate) session: Session,
    pub(crate) hop: Option<RsvpHop>,
    pub(crate) refresh_ms: Option<u32>,
    pub(crate) error: Option<ErrorSpec>,
    pub(crate) confirm: Option<IpAddr>,
    pub(crate) flows: Option<Flows>,
    pub(crate) sender: Option<FilterSpec>,
    pub(crate) tspec: Option<SenderTspec>,
    /// Whole objects that go before the STYLE or the sender descriptor.
    pub(crate) objects: Vec<Vec<u8>>,
    /// Whole objects that go at the end.
    pub(crate) last: Vec<Vec<u8>>,
}

/// The handle a neighbour chose for the interface on which it hears us; ours are [`lih`].
pub(crate) fn neighbour_lih(on: InterfaceId, neighbour: u32) -> u32 {
    on.0 * 1000 + neighbour
}

/// This node's handle for an interface; never the number of any interface.
pub(crate) fn lih(on: InterfaceId) -> u32 {
    0x5100 + on.0
}

impl Arriving {
    /// Reads `a1 Path S1{9B}`, `c1 Resv WF{4B}`, `a1 ResvErr 01/0002 InPlace WF{4B}`, `a1 ResvConf c7 WF{4B}` …
    pub(crate) fn read(family: Family, session: Session, text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let [from, kind, rest @ ..] = &words[..] else { panic!("{text}") };
        let on = interface(from);
        let source = family.named(from);
        let number = from[1..].parse().expect("a neighbour's number");
        let mut rest = rest;
        let msg_type = match *kind {
            "Path" => MsgType::PATH,
            "Resv" => MsgType::RESV,
            "PathErr" => MsgType::PATH_ERR,
            "ResvErr" => MsgType::RESV_ERR,
            "PathTear" => MsgType::PATH_TEAR,
            "ResvTear" => MsgType::RESV_TEAR,
            "ResvConf" => MsgType::RESV_CONF,
            _ => panic!("{text}"),
        };
        let downstream = matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_ERR);
        let lih = if downstream { neighbour_lih(on, number) } else { lih(on) };
        let has_hop = !matches!(msg_type, MsgType::PATH_ERR | MsgType::RESV_CONF);
        let own = family.named(&format!("{}0", &from[..1]));
        let to_session = matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR);
        let mut message = Self {
            family,
            on,
            source,
            destination: if to_session { session.destination() } else { own },
            ttl: 60,
            send_ttl: 60,
            msg_type,
            session,
            hop: has_hop.then_some(RsvpHop { address: source, lih }),
            refresh_ms: matches!(msg_type, MsgType::PATH | MsgType::RESV).then_some(30_000),
            error: None,
            confirm: None,
            flows: None,
            sender: None,
            tspec: None,
            objects: Vec::new(),
            last: Vec::new(),
        };
        if msg_type == MsgType::RESV_CONF {
            message.error =
                Some(ErrorSpec { node: source, flags: 0, code: ErrorCode::CONFIRMATION, value: 0 });
            message.confirm = Some(family.named(rest[0]));
            message.destination = family.named(rest[0]);
            rest = &rest[1..];
        }
        if matches!(msg_type, MsgType::PATH_ERR | MsgType::RESV_ERR) {
            let (code, value) = rest[0].split_once('/').expect("code/value");
            let code = ErrorCode(code.parse().expect("a code"));
            let value = u16::from_str_radix(value, 16).expect("a value");
            let flags = u8::from(rest[1] == "InPlace") * ErrorSpec::IN_PLACE;
            message.error = Some(ErrorSpec { node: source, flags, code, value });
            rest = &rest[1 + usize::from(flags)..];
        }
        if matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR | MsgType::PATH_ERR) {
            let (sender, rate) = rest[0].split_once('{').unwrap_or((rest[0], "9B}"));
            message.sender = Some(family.sender(sender));
            let rate = rate.trim_end_matches("B}").parse().expect("a rate");
            message.tspec = (msg_type != MsgType::PATH_TEAR).then(|| tspec(rate).into());
            if to_session {
                message.source = family.named(sender);
            }
        } else {
            message.flows = Some(Flows::read(family, rest));
        }
        message
    }

    /// With a refresh period R of so many seconds.
    pub(crate) fn every(mut self, seconds: u32) -> Self {
        self.refresh_ms = Some(seconds * 1000);
        self
    }

    /// With the IP TTL as received, the Send_TTL staying what it was.
    pub(crate) fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// With another handle in its RSVP_HOP.
    pub(crate) fn lih(mut self, lih: u32) -> Self {
        self.hop.as_mut().expect("a message with RSVP_HOP").lih = lih;
        self
    }

    /// Arriving on another interface than the one its sender's name says.
    pub(crate) fn on(mut self, name: &str) -> Self {
        self.on = interface(name);
        self
    }

    /// With one more object, before the STYLE or the sender descriptor.
    pub(crate) fn object(mut self, class: u8, ctype: u8, body: &[u8]) -> Self {
        self.objects.push(object(class, ctype, body));
        self
    }

    /// With one more object at the very end.
    pub(crate) fn last(mut self, object: Vec<u8>) -> Self {
        self.last.push(object);
        self
    }

    /// With an ADSPEC.
    pub(crate) fn adspec(self, adspec: &AdspecSummary) -> Self {
        self.last(written(adspec))
    }

    /// Asking for a confirmation to the node of this name.
    pub(crate) fn confirm(mut self, name: &str) -> Self {
        self.confirm = Some(self.family.named(name));
        self
    }

    /// Changed in whatever way there is no word for.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The octets of the message.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let mut w = MessageWriter::new(&mut buffer, self.msg_type, self.send_ttl);
        w.put(&self.session);
        put(&mut w, self.hop);
        put(&mut w, self.refresh_ms.map(|refresh_ms| TimeValues { refresh_ms }));
        put(&mut w, self.error);
        put(&mut w, self.confirm.map(|address| ResvConfirm { address }));
        for octets in &self.objects {
            w.copy(octets);
        }
        if let Some(flows) = &self.flows {
            w.put(&flows.style);
            for (flowspec, filters) in &flows.flows {
                put(&mut w, *flowspec);
                for filter in filters {
                    w.put(filter);
                }
            }
        }
        put(&mut w, self.sender.map(SenderTemplate));
        put(&mut w, self.tspec);
        for octets in &self.last {
            w.copy(octets);
        }
        w.finish().expect("room for the message").to_vec()
    }

    /// What the node receives.
    pub(crate) fn rx<'a>(&self, octets: &'a [u8]) -> Rx<'a> {
        let Self { on, source, destination, ttl, .. } = *self;
        Rx { interface: on, source, destination, ttl, octets }
    }
}

/// An object as octets.
pub(crate) fn object(class: u8, ctype: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 4) as u16;
    [&length.to_be_bytes()[..], &[class, ctype], body].concat()
}

/// A typed object as octets.
pub(crate) fn written<'a, T: Object<'a>>(value: &T) -> Vec<u8> {
    let mut buffer = vec![0; 1024];
    let mut w = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
    w.put(value);
    w.finish().expect("room for an object")[8..].to_vec()
}

/// Writes an object where there is one.
fn put<'a, T: Object<'a>>(w: &mut MessageWriter<'_>, value: Option<T>) {
    if let Some(value) = value {
        w.put(&value);
    }
}
