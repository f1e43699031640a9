//! An error that goes on to many next hops of a crowd (RFC 2205 section 3.1.8): what it says to all of them is kept once, and each copy has
//! the set of senders that it names, and shares the order of the request that it answers. It is written when it leaves: a thousand messages
//! of a thousand filters are never there together, and no call goes through the filters of all of them.

use crate::composer::{Composer, Descriptor, Forwarded, Named, object_of};
use crate::extension::Extensions;
use crate::key::{SenderKey, SessionKey};
use crate::queue::Envelope;
use crate::state::numbers::Numbers;
use rsvp_wire::{ErrorSpec, MsgType, NeedSpace, RsvpHop, Style};
use std::sync::Arc;

/// Octets of a FILTER_SPEC of either family.
const IPV4: usize = 12;
const IPV6: usize = 24;

/// What all copies of an error say.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) session: SessionKey,
    pub(crate) forwarded: Box<[u8]>,
    /// STYLE and FLOWSPEC.
    pub(crate) descriptor: Box<[u8]>,
    pub(crate) filters: FilterTable,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCopy {
    pub(crate) envelope: Envelope,
    pub(crate) hop: RsvpHop,
    pub(crate) error: ErrorSpec,
    pub(crate) named: NamedSenders,
    pub(crate) original: Arc<Original>,
}

/// Senders that a copy names, by number.
#[derive(Clone, Debug)]
pub(crate) struct NamedSenders {
    pub(crate) named: Numbers,
    /// These and others, in the order of the request when the error came.
    pub(crate) order: Arc<Vec<u32>>,
}

impl ErrorCopy {
    /// Writes the message to the start of a buffer and returns its length.
    pub(crate) fn write(
        &self,
        extensions: &Extensions,
        scratch: &mut Vec<u8>,
        buffer: &mut [u8],
    ) -> Result<usize, NeedSpace> {
        let Original { session, forwarded, descriptor, filters } = &*self.original;
        filters.gather(&self.named, scratch);
        let composer = Composer {
            session: Named::Key(*session),
            hop: Some(self.hop),
            error: Some(self.error),
            forwarded: Forwarded::Octets(forwarded),
            descriptor: Descriptor::Octets(&[descriptor, scratch]),
            ..Composer::new(MsgType::RESV_ERR, self.envelope)
        };
        composer.write(extensions, buffer)
    }
}

/// STYLE and FLOWSPEC as they came.
pub(crate) fn descriptor(style: Style, flowspec: Option<&[u8]>) -> Box<[u8]> {
    [&*object_of(&style), flowspec.unwrap_or_default()].concat().into()
}

/// FILTER_SPECs by the numbers of their senders.
#[derive(Debug)]
pub(crate) struct FilterTable {
    octets: Vec<u8>,
    each: usize,
}

impl FilterTable {
    /// Those of numbered senders; `None` where they are not of one length, or numbers are so great that there would be much for nobody between.
    pub(crate) fn of(senders: impl Iterator<Item = (SenderKey, u32)>) -> Option<Self> {
        let (mut octets, mut each) = (Vec::new(), 0);
        for (sender, number) in senders {
            let object = object_of(&sender.object());
            each = if each == 0 { object.len() } else { each };
            if object.len() != each || !matches!(each, IPV4 | IPV6) || u16::try_from(number).is_err() {
                return None;
            }
            let at = each * number as usize;
            if octets.len() < at + each {
                octets.resize(at + each, 0);
            }
            octets[at..at + each].copy_from_slice(&object);
        }
        Some(Self { octets, each })
    }

    fn gather(&self, senders: &NamedSenders, into: &mut Vec<u8>) {
        into.resize(senders.named.count() * self.each, 0);
        match self.each {
            IPV4 => gather::<IPV4>(&self.octets, senders, into),
            _ => gather::<IPV6>(&self.octets, senders, into),
        }
    }
}

fn gather<const EACH: usize>(table: &[u8], NamedSenders { named, order }: &NamedSenders, into: &mut [u8]) {
    let (objects, places) = (table.as_chunks::<EACH>().0, into.as_chunks_mut::<EACH>().0);
    let numbers = order.iter().filter(|number| named.has(**number));
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = objects[*number as usize]);
}
