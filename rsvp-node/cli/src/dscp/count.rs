//! How many packets have which mark, and what follows from it.
//!
//! Each frame is looked at once, and nothing of it is kept but counts, the first few packets with another mark, and what
//! was decided for the fragments that came first.

use super::filter::Filter;
use hashbrown::HashMap;
use rsvp_capture::headers::{Headers, Look, look};
use rsvp_capture::{Frame, LinkType, Timestamp};
use rsvp_client::Dscp;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Packets with another mark that are shown.
pub(super) const SHOWN: usize = 10;
/// Datagrams whose first fragment is remembered, and for how long after it: what is put together has to be by then.
const FIRSTS: usize = 4_096;
const SECONDS: u64 = 60;

/// A packet with another mark than the one that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Other {
    /// Number of the frame in the capture; the first is 1.
    pub(super) frame: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) headers: Headers,
}

impl Other {
    pub(super) fn dscp(&self) -> Dscp {
        Dscp::of_ds_field(self.headers.traffic_class)
    }
}

/// What the packets show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every packet has the mark.
    All,
    /// At least one has another.
    Other,
    /// There was none.
    Nothing,
    /// Every packet that was seen has the mark, but there were some that could not be looked at.
    Incomplete,
}

/// Counts packets by their mark.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) expected: Dscp,
    filter: Option<Filter>,
    /// By DSCP, in IPv4 and in IPv6.
    by_mark: [[u64; 2]; 64],
    /// All frames, whatever is in them.
    pub(super) frames: u64,
    /// Frames in which headers should be that cannot be read, or not as far as the filter asks.
    pub(super) unreadable: u64,
    /// Frames that the kernel had no room for.
    pub(super) dropped: u64,
    pub(super) unknown_link: Option<LinkType>,
    /// The first few.
    pub(super) others: Vec<Other>,
    firsts: Firsts,
}

impl Counts {
    pub(super) fn new(expected: Dscp, filter: Option<Filter>) -> Self {
        Self {
            expected,
            filter,
            by_mark: [[0; 2]; 64],
            frames: 0,
            unreadable: 0,
            dropped: 0,
            unknown_link: None,
            others: Vec::new(),
            firsts: Firsts::default(),
        }
    }

    /// Looks at a frame.
    pub(super) fn add(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let headers = match look(frame) {
            Look::Packet(headers) => headers,
            Look::Other => return,
            Look::Unreadable => {
                self.unreadable += 1;
                return;
            }
            Look::UnknownLink(link) => {
                self.unknown_link.get_or_insert(link);
                return;
            }
        };
        if !self.is_looked_for(&headers, frame.time) {
            return;
        }
        let dscp = Dscp::of_ds_field(headers.traffic_class);
        let family = usize::from(headers.source.is_ipv6());
        if let Some(count) =
            self.by_mark.get_mut(usize::from(dscp.value())).and_then(|both| both.get_mut(family))
        {
            *count += 1;
        }
        if dscp != self.expected && self.others.len() < SHOWN {
            self.others.push(Other { frame: frame.number, time: frame.time, headers });
        }
    }

    /// Whether the filter lets a packet through. A later fragment belongs to the decision of its first one.
    fn is_looked_for(&mut self, headers: &Headers, time: Option<Timestamp>) -> bool {
        let Some(filter) = &self.filter else { return true };
        if headers.without_its_ports && filter.asks_for_ports() {
            self.unreadable += 1;
            return false;
        }
        let own = filter.holds(headers);
        match Key::of(headers) {
            None => own,
            Some((key, true)) => {
                self.firsts.decided(key, own, time);
                own
            }
            Some((key, false)) => self.firsts.decision(key, time).unwrap_or(own),
        }
    }

    /// Packets that were looked for, in IPv4 and IPv6, of every mark that was seen.
    pub(super) fn marks(&self) -> impl Iterator<Item = (Dscp, [u64; 2])> + '_ {
        let all = (0..64).filter_map(Dscp::new).zip(self.by_mark);
        all.filter(|(_, both)| both.iter().any(|count| *count > 0))
    }

    /// Packets that were looked for.
    pub(super) fn packets(&self) -> u64 {
        self.by_mark.iter().flatten().sum()
    }

    /// Those of them that have the expected mark.
    pub(super) fn matching(&self) -> u64 {
        self.by_mark.get(usize::from(self.expected.value())).into_iter().flatten().sum()
    }

    pub(super) fn verdict(&self) -> Verdict {
        let incomplete = self.dropped > 0 || self.unreadable > 0 || self.unknown_link.is_some();
        match (self.packets(), self.matching()) {
            (0, _) => Verdict::Nothing,
            (packets, matching) if matching < packets => Verdict::Other,
            _ if incomplete => Verdict::Incomplete,
            _ => Verdict::All,
        }
    }
}

/// What the fragments of a datagram have in common: RFC 791 3.2; in IPv6 without the protocol (RFC 8200 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

impl Key {
    /// The key of a fragment, and whether it is the first.
    fn of(headers: &Headers) -> Option<(Self, bool)> {
        let fragment = headers.fragment?;
        let protocol = if headers.source.is_ipv4() { fragment.protocol } else { 0 };
        let identification = fragment.identification;
        let Headers { source, destination, .. } = *headers;
        Some((Self { source, destination, protocol, identification }, fragment.offset == 0))
    }
}

/// What was decided for first fragments.
#[derive(Debug, Default)]
struct Firsts {
    decisions: HashMap<Key, (bool, Option<Timestamp>)>,
    /// Oldest first.
    order: VecDeque<Key>,
}

impl Firsts {
    fn decided(&mut self, key: Key, looked_for: bool, time: Option<Timestamp>) {
        if self.decisions.insert(key, (looked_for, time)).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > FIRSTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.decisions.remove(&oldest);
        }
    }

    fn decision(&self, key: Key, now: Option<Timestamp>) -> Option<bool> {
        let (looked_for, time) = self.decisions.get(&key)?;
        let age = now.zip(*time).map_or(0, |(now, time)| now.seconds.saturating_sub(time.seconds));
        (age <= SECONDS).then_some(*looked_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of IPv4 to port 8086 from 5000, or a later fragment of that datagram.
    fn ipv4(tos: u8, identification: u16, place: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, tos];
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend(identification.to_be_bytes());
        packet.extend(place.to_be_bytes());
        packet.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(payload);
        packet
    }

    const UDP: [u8; 8] = [0x13, 0x88, 0x1f, 0x96, 0, 8, 0, 0];
    const MORE: u16 = 0x2000;

    fn add(counts: &mut Counts, seconds: u64, octets: &[u8]) {
        let time = Some(Timestamp { seconds, ..Timestamp::default() });
        let number = counts.frames + 1;
        counts.add(&Frame { number, time, link: LinkType::RAW, octets });
    }

    fn counts(filter: &str) -> Counts {
        Counts::new(Dscp::EF, Some(filter.parse().unwrap()))
    }

    #[test]
    fn marks_are_counted_without_ecn() {
        let mut counts = counts("dst port 8086");
        assert_eq!(counts.verdict(), Verdict::Nothing);
        for tos in [0xb8, 0xb9, 0xba, 0xbb] {
            add(&mut counts, 0, &ipv4(tos, 0, 0, &UDP));
        }
        assert_eq!((counts.packets(), counts.matching(), counts.verdict()), (4, 4, Verdict::All));
        add(&mut counts, 0, &ipv4(0xbc, 0, 0, &UDP));
        assert_eq!((counts.packets(), counts.matching(), counts.verdict()), (5, 4, Verdict::Other));
        assert_eq!(
            counts.others.iter().map(|other| (other.frame, other.dscp().value())).collect::<Vec<_>>(),
            [(5, 47)]
        );
        let marks: Vec<_> = counts.marks().map(|(dscp, both)| (dscp.value(), both)).collect();
        assert_eq!(marks, [(46, [4, 0]), (47, [1, 0])]);
    }

    #[test]
    fn later_fragments_belong_to_their_first() {
        let mut counts = counts("dst port 8086");
        add(&mut counts, 0, &ipv4(0xb8, 7, 1, &[0; 8]));
        assert_eq!(counts.packets(), 0, "its first was not seen, and it has no port");
        add(&mut counts, 0, &ipv4(0xb8, 7, MORE, &UDP));
        add(&mut counts, 1, &ipv4(0, 7, 1, &[0; 8]));
        assert_eq!((counts.packets(), counts.matching(), counts.verdict()), (2, 1, Verdict::Other));
        let mut other_port = UDP;
        other_port[3] = 0;
        add(&mut counts, 1, &ipv4(0, 8, MORE, &other_port));
        add(&mut counts, 1, &ipv4(0, 8, 1, &UDP));
        assert_eq!(counts.packets(), 2, "what looks like the port in a later one is none");
        add(&mut counts, 61, &ipv4(0, 7, 2, &[0; 8]));
        assert_eq!(counts.packets(), 2, "an identification that is used again later");
    }

    #[test]
    fn few_first_fragments_are_remembered() {
        let mut counts = counts("dst port 8086");
        for identification in 0..10_000 {
            add(&mut counts, 0, &ipv4(0xb8, identification, MORE, &UDP));
        }
        assert_eq!((counts.firsts.order.len(), counts.firsts.decisions.len()), (FIRSTS, FIRSTS));
        add(&mut counts, 0, &ipv4(0xb8, 9_999, 1, &[0; 8]));
        assert_eq!(counts.packets(), 10_001);
    }

    #[test]
    fn what_cannot_be_looked_at_is_no_proof() {
        let mut counts = counts("dst port 8086");
        add(&mut counts, 0, &ipv4(0xb8, 0, 0, &UDP));
        add(&mut counts, 0, &ipv4(0xb8, 0, 0, &UDP)[..22]);
        assert_eq!((counts.unreadable, counts.verdict()), (1, Verdict::Incomplete));
        let mut without = Counts::new(Dscp::EF, Some("udp".parse().unwrap()));
        add(&mut without, 0, &ipv4(0xb8, 0, 0, &UDP)[..22]);
        assert_eq!((without.unreadable, without.verdict()), (0, Verdict::All), "ports were not asked for");
        without.dropped = 1;
        assert_eq!(without.verdict(), Verdict::Incomplete);
        add(&mut without, 0, &ipv4(0, 0, 0, &UDP));
        assert_eq!(without.verdict(), Verdict::Other, "one that is not marked is proof enough");
    }

    #[test]
    fn the_first_few_are_kept() {
        let mut counts = Counts::new(Dscp::EF, None);
        for _ in 0..100 {
            add(&mut counts, 0, &ipv4(0, 0, 0, &UDP));
        }
        assert_eq!((counts.others.len(), counts.packets()), (SHOWN, 100));
    }
}
