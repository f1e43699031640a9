//! Software that is not ours, as far as a world has any: hosts whose requests carry objects that nobody understands
//! (RFC 2205 section 3.10), and routers that refuse a request for its bucket (section 3.1.8 leaves the reasons to them).
//!
//! Neither touches an engine: octets are changed or answered on their way between two of them. A refusal deliberately has
//! no memory: what it answers never reaches the engine behind it, and what stands there is left to that.

use super::delivery::Packet;
use super::run::World;
use crate::scenario::model::{LinkId, NodeId, Refusal};
use core::net::IpAddr;
use rsvp_wire::{
    Class, ErrorCode, ErrorSpec, FilterSpec, Flowspec, Message, MessageWriter, MsgType, ObjectRef, RsvpHop,
    Session, Style, flow_descriptors,
};
use std::borrow::Cow;

/// TTL of what a foreign router sends.
const TTL: u8 = 63;

impl World {
    /// What a node's engine sends, with the object that the node's requests carry.
    pub(super) fn with_carried(&self, node: NodeId, octets: &[u8]) -> Vec<u8> {
        let Some((class, size)) = self.scenario.nodes[node.0].carries else { return octets.to_vec() };
        let Ok(message) = Message::parse(octets) else { return octets.to_vec() };
        if message.msg_type() != MsgType::RESV {
            return octets.to_vec();
        }
        let mut object = vec![node.0 as u8; usize::from(size)];
        object[..2].copy_from_slice(&size.to_be_bytes());
        object[2..4].copy_from_slice(&[class, 1]);
        let whole = compose(MsgType::RESV, message.send_ttl(), |writer| {
            for each in message.objects() {
                if each.class == Class::STYLE {
                    writer.copy(&object);
                }
                writer.copy(each.octets());
            }
        });
        whole.unwrap_or_else(|| octets.to_vec())
    }

    /// What of a packet a node gets to see on a link where other software judges requests first: all of it, or a Resv
    /// without what is refused. Nothing if nothing is left.
    pub(super) fn judged<'p>(
        &mut self,
        node: NodeId,
        link: LinkId,
        packet: &'p Packet,
    ) -> Option<Cow<'p, [u8]>> {
        let whole = || Some(Cow::Borrowed(&*packet.octets));
        if !self.topology.refuses() {
            return whole();
        }
        let Ok(message) = Message::parse(&packet.octets) else { return whole() };
        let (Some(Ok(session)), Some(Ok(hop)), Some(Ok(style))) =
            (message.get::<Session>(), message.get::<RsvpHop>(), message.get::<Style>())
        else {
            return whole();
        };
        if message.msg_type() != MsgType::RESV {
            return whole();
        }
        // It is for the interface whose handle it carries (RFC 2205 section 3.3).
        let meant =
            self.topology.attachments(node).iter().find(|a| self.topology.handle(a.interface) == hop.lih);
        let link = meant.map_or(link, |attachment| attachment.link);
        let Some(refusal) = self.scenario.links[link.0].refusal else { return whole() };
        let descriptors: Vec<(ObjectRef<'_>, Option<ObjectRef<'_>>)> =
            flow_descriptors(&message).filter_map(|d| Some((d.flowspec?, d.filter))).collect();
        let (refused, taken): (Vec<_>, Vec<_>) = descriptors.into_iter().partition(|(flowspec, _)| {
            flowspec.read::<Flowspec>().is_ok_and(|f| f64::from(f.tspec().bucket) > refusal.bucket)
        });
        if refused.is_empty() {
            return whole();
        }
        let fixed = style.options == Style::FF.options;
        for (n, (flowspec, _)) in refused.iter().enumerate().filter(|(n, _)| fixed || *n == 0) {
            let filters: Vec<ObjectRef<'_>> = match fixed {
                true => refused[n].1.into_iter().collect(),
                false => refused.iter().filter_map(|(_, filter)| *filter).collect(),
            };
            let Some(error) =
                self.refuse(node, link, (&session, &hop, &style), refusal, flowspec, &filters, &message)
            else {
                continue;
            };
            let Some(source) = self.topology.attachment(node, link).map(|a| a.address) else { continue };
            let packet = Packet {
                source,
                destination: hop.address,
                ttl: TTL,
                router_alert: false,
                octets: error,
                recorded: None,
            };
            self.send(node, link, packet, false);
        }
        if taken.is_empty() {
            return None;
        }
        let rest = compose(MsgType::RESV, message.send_ttl(), |writer| {
            let end = [Class::FLOWSPEC, Class::FILTER_SPEC];
            message.objects().filter(|o| !end.contains(&o.class)).for_each(|o| {
                writer.copy(o.octets());
            });
            for (flowspec, filter) in &taken {
                writer.copy(flowspec.octets());
                filter.iter().for_each(|f| {
                    writer.copy(f.octets());
                });
            }
        });
        rest.map(Cow::Owned)
    }

    /// The ResvErr for one flow descriptor.
    #[expect(clippy::too_many_arguments, reason = "a message has many parts")]
    fn refuse(
        &self,
        node: NodeId,
        link: LinkId,
        (session, hop, style): (&Session, &RsvpHop, &Style),
        refusal: Refusal,
        flowspec: &ObjectRef<'_>,
        filters: &[ObjectRef<'_>],
        message: &Message<'_>,
    ) -> Option<Vec<u8>> {
        let address: IpAddr = self.topology.attachment(node, link)?.address;
        let named: Vec<FilterSpec> = filters.iter().filter_map(|f| f.read().ok()).collect();
        let flags = if self.stands(node, link, session, style, &named) { ErrorSpec::IN_PLACE } else { 0 };
        let error =
            ErrorSpec { node: address, flags, code: ErrorCode::ADMISSION_CONTROL, value: refusal.value };
        compose(MsgType::RESV_ERR, TTL, |writer| {
            writer.put(session).put(&RsvpHop { address, lih: hop.lih }).put(&error);
            message.objects().filter(|o| o.class == Class::SCOPE).for_each(|scope| {
                writer.copy(scope.octets());
            });
            writer.put(style).copy(flowspec.octets());
            filters.iter().for_each(|filter| {
                writer.copy(filter.octets());
            });
        })
    }

    /// Whether a reservation stands at a node for a link: of a style, and in FF for one of these senders.
    pub(crate) fn stands(
        &self,
        node: NodeId,
        link: LinkId,
        session: &Session,
        style: &Style,
        named: &[FilterSpec],
    ) -> bool {
        self.engine(node).reservations().any(|(_, interface, r)| {
            self.link_behind(node, interface) == Some(link)
                && r.session.with_flags(0) == session.with_flags(0)
                && r.style.options == style.options
                && (style.options != Style::FF.options || r.filters.iter().any(|f| named.contains(f)))
        })
    }
}

fn compose(msg_type: MsgType, ttl: u8, write: impl Fn(&mut MessageWriter<'_>)) -> Option<Vec<u8>> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut writer = MessageWriter::new(&mut buffer, msg_type, ttl);
    write(&mut writer);
    let length = writer.finish().ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
