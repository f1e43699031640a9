//! Which nodes a capture shows, and whom of them a message goes to next.
//!
//! Path, PathTear and ResvConf are addressed to the far end, and every router on the way takes them and sends them on. Two things
//! tell who that router is. A Path names in its RSVP_HOP who sent it, and its Send_TTL says how far along it is: what has the next
//! lower one comes from the next router. And whoever answers a hop (Resv, ResvTear, PathErr; ResvErr the other way) is next to it.
//! Where both are known, they are two addresses of one node.
//!
//! What is not told apart is not guessed: with several next hops (a multicast tree, other routes at other times) the arrow
//! ends where the message is addressed to. Nothing is kept beyond fixed bounds; what comes after them is drawn without it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use rsvp_capture::packet::Packet;
use rsvp_wire::{Class, MsgType, ObjectRef};

use super::verdict::Judged;

/// Flows of which hops are remembered, and answered hops.
const FLOWS: usize = 65_536;
/// Hops of a flow.
const HOPS: usize = 64;
/// Of so many flows one is worth that all are gone through.
const WORTH: usize = 256;
/// Neighbours of a hop; of those that have more than one, none is the next.
const ANSWERS: usize = 2;

/// A message that goes on beyond the next hop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Onward {
    flow: usize,
    from: IpAddr,
}

/// A hop of a flow: its Send_TTL, and in which messages of the capture it was seen first and last.
#[derive(Debug)]
struct Hop {
    address: IpAddr,
    ttl: u8,
    seen: (u64, u64),
}

#[derive(Debug, Default)]
struct Flow {
    /// The octets of its session.
    session: Vec<u8>,
    hops: Vec<Hop>,
}

/// What was learnt of hops.
#[derive(Debug, Default)]
pub(super) struct Hops {
    flows: Vec<Flow>,
    /// By session and sender; without a sender the first of the session.
    places: HashMap<(Vec<u8>, Vec<u8>), usize>,
    /// Who answered a hop, by session.
    answers: HashMap<(Vec<u8>, IpAddr), Vec<IpAddr>>,
    joined: Joined,
    /// How much has been learnt since addresses were joined.
    news: usize,
}

/// Which addresses are of one node.
#[derive(Debug, Default)]
pub(super) struct Joined(BTreeMap<IpAddr, IpAddr>);

impl Joined {
    /// The address that stands for the node.
    pub(super) fn node(&self, address: IpAddr) -> IpAddr {
        let mut at = address;
        while let Some(next) = self.0.get(&at) {
            at = *next;
        }
        at
    }

    fn join(&mut self, a: IpAddr, b: IpAddr) {
        let (a, b) = (self.node(a), self.node(b));
        if a != b {
            self.0.insert(a, b);
        }
    }

    /// All addresses of the node of an address.
    pub(super) fn addresses(&self, of: IpAddr) -> Vec<IpAddr> {
        let node = self.node(of);
        let mut all: Vec<IpAddr> = self.0.keys().copied().filter(|each| self.node(*each) == node).collect();
        all.push(node);
        all.sort_unstable();
        all
    }
}

impl Hops {
    /// Learns from a message, in the order of the capture. Says how it goes on, if its destination is not the next hop.
    pub(super) fn learn(
        &mut self,
        number: u64,
        packet: &Packet<'_>,
        judged: &Judged<'_>,
        (from, to): (IpAddr, IpAddr),
    ) -> Option<Onward> {
        let header = judged.header.filter(|_| packet.quoted.is_none())?;
        let find = |class| judged.objects().find(|object| object.class == class);
        let session = session_of(&find(Class::SESSION)?);
        match header.msg_type {
            MsgType::PATH | MsgType::PATH_TEAR => {
                let sender = find(Class::SENDER_TEMPLATE)?.body().to_vec();
                let ttl = if header.send_ttl > 0 { header.send_ttl } else { packet.ttl };
                let flow = self.flow(session, sender)?;
                self.news += usize::from(self.flows.get_mut(flow)?.pass(from, ttl, number));
                Some(Onward { flow, from })
            }
            MsgType::RESV | MsgType::RESV_TEAR | MsgType::PATH_ERR => {
                self.answer(session, to, from);
                None
            }
            MsgType::RESV_ERR => {
                self.answer(session, from, to);
                None
            }
            MsgType::RESV_CONF => {
                // Of a wildcard reservation any sender does.
                let sender = find(Class::FILTER_SPEC).map_or_else(Vec::new, |object| object.body().to_vec());
                Some(Onward { flow: *self.places.get(&(session, sender))?, from })
            }
            _ => None,
        }
    }

    fn flow(&mut self, session: Vec<u8>, sender: Vec<u8>) -> Option<usize> {
        let key = (session, sender);
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        if self.flows.len() >= FLOWS {
            return None;
        }
        let place = self.flows.len();
        self.flows.push(Flow { session: key.0.clone(), hops: Vec::new() });
        self.places.entry((key.0.clone(), Vec::new())).or_insert(place);
        self.places.insert(key, place);
        Some(place)
    }

    fn answer(&mut self, session: Vec<u8>, hop: IpAddr, by: IpAddr) {
        let key = (session, hop);
        if hop.is_multicast()
            || by.is_multicast()
            || self.answers.len() >= FLOWS && !self.answers.contains_key(&key)
        {
            return;
        }
        let known = self.answers.entry(key).or_default();
        if known.len() < ANSWERS && !known.contains(&by) {
            known.push(by);
            self.news += 1;
        }
    }

    /// The only one who answered a hop.
    fn answerer(&self, flow: &Flow, hop: IpAddr) -> Option<IpAddr> {
        match self.answers.get(&(flow.session.clone(), hop)).map(Vec::as_slice) {
            Some(&[one]) => Some(one),
            _ => None,
        }
    }

    /// Which addresses are of one node: who answered a hop, and who sent its flow on. All flows are gone through, and so it waits
    /// until the news are worth it: of few flows at once, of many when a part of them is new.
    pub(super) fn join(&mut self) {
        if self.news <= self.flows.len() / WORTH {
            return;
        }
        self.news = 0;
        let mut joined = Joined::default();
        for flow in &self.flows {
            for (place, hop) in flow.hops.iter().enumerate() {
                let follows =
                    flow.followers(place).filter(|next| next.ttl + 1 == hop.ttl).map(|next| next.address);
                let alone = flow.hops.iter().filter(|other| other.ttl == hop.ttl).count() == 1;
                if let (Some(next), Some(by), true) = (follows, self.answerer(flow, hop.address), alone) {
                    joined.join(by, next);
                }
            }
        }
        self.joined = joined;
    }

    /// Which addresses are of one node, as far as that was known at the last [`Self::join`].
    pub(super) const fn joined(&self) -> &Joined {
        &self.joined
    }

    /// The address of the next node that has the message, if that is known.
    pub(super) fn next(&self, onward: Onward, number: u64, destination: IpAddr) -> Option<IpAddr> {
        let (flow, joined) = (self.flows.get(onward.flow)?, &self.joined);
        let node = joined.node(onward.from);
        // A confirmation comes from any address of its node.
        let place = flow.hops.iter().position(|hop| hop.address == onward.from);
        let place = place.or_else(|| flow.hops.iter().position(|hop| joined.node(hop.address) == node))?;
        let hop = flow.hops.get(place)?;
        let by = self.answerer(flow, hop.address);
        match flow.followers(place) {
            Some(next) if next.ttl + 1 == hop.ttl => Some(next.address),
            // There are nodes between them whose messages were not captured, or that know no RSVP.
            Some(next) => Some(by.unwrap_or(next.address)),
            None if destination.is_multicast() => by,
            None => by.or_else(|| flow.nearest(place, number)),
        }
    }
}

impl Flow {
    /// Notes that a hop sent a message on; says whether that is news.
    fn pass(&mut self, address: IpAddr, ttl: u8, number: u64) -> bool {
        let count = self.hops.len();
        match self.hops.iter_mut().find(|hop| hop.address == address) {
            Some(hop) => {
                hop.seen.1 = number;
                std::mem::replace(&mut hop.ttl, ttl) != ttl
            }
            None if count < HOPS => {
                self.hops.push(Hop { address, ttl, seen: (number, number) });
                true
            }
            None => false,
        }
    }

    /// The one hop that comes after this one by its TTL.
    fn followers(&self, place: usize) -> Option<&Hop> {
        let ttl = self.hops.get(place)?.ttl;
        let below = self.hops.iter().map(|hop| hop.ttl).filter(|each| *each < ttl).max()?;
        let mut next = self.hops.iter().filter(|hop| hop.ttl == below);
        next.next().filter(|_| next.next().is_none())
    }

    /// Of several ways of a unicast flow at different times, that which was taken at about this time.
    fn nearest(&self, place: usize, number: u64) -> Option<IpAddr> {
        let ttl = self.hops.get(place)?.ttl;
        let below = self.hops.iter().map(|hop| hop.ttl).filter(|each| *each < ttl).max()?;
        let far = |hop: &&Hop| match hop.seen {
            (first, _) if number < first => first - number,
            (_, last) => number.saturating_sub(last),
        };
        self.hops.iter().filter(|hop| hop.ttl == below).min_by_key(far).map(|hop| hop.address)
    }
}

/// The octets of a session without its flags, which routers change and which have no part in which session it is.
fn session_of(object: &ObjectRef<'_>) -> Vec<u8> {
    let mut octets = object.body().to_vec();
    let at = octets.len().wrapping_sub(3);
    if let Some(flags) = octets.get_mut(at).filter(|_| (1..=4).contains(&object.ctype.0)) {
        *flags = 0;
    }
    octets
}
