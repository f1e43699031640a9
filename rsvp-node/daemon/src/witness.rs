//! What is told of messages beside what the engine makes of them: which were dropped and why, errors, confirmations and teardowns that
//! came and left, and what did not arrive. For those who watch or ask afterwards, and for the log at debug.
//!
//! Teardowns and confirmations are looked into only where somebody watches, causes are always counted. Who sends much of the same kind is told of a few
//! times and then as a number. Of errors, too, only a few for each neighbour are looked into while nobody watches.

use super::icmp::Returned;
use rsvp_control::{Direction, Discarded, Fault, MessageRow, Undelivered, Watched};
use rsvp_node::{Discard, Outcome, Rx, Transmit};
use rsvp_wire::{ErrorSpec, FilterSpec, MsgType, Object, Scan, SenderTemplate, Session, Why};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Lines for one cause of one neighbour in a window.
const LINES: u32 = 5;
/// Errors of one neighbour, and to it, that are looked into in a window for those who ask afterwards.
const ERRORS: u32 = 20;
/// How often senders are looked for in a window that short quotes may be about: anybody can forge one, and it costs a look at all.
const SEARCHES: u32 = 20;
/// The window.
const WINDOW_US: u64 = 10_000_000;
/// Neighbours and causes that are told apart; those beyond have one window together.
const TOLD_APART: usize = 1024;
/// How long it counts that a Path came back. While nothing changes, each refresh does.
const CAME_BACK_US: u64 = 100_000_000;
/// Senders of which it is remembered.
const REMEMBERED: usize = 1024;
/// Things to tell that wait for the end of a turn.
const WAITING: usize = 4096;

/// Ways in which a message can be malformed, as they are counted.
const MALFORMED: [&str; 8] = [
    "malformed-truncated",
    "malformed-version",
    "malformed-length",
    "malformed-checksum",
    "malformed-object-length",
    "malformed-object-overrun",
    "malformed-object-body",
    "malformed-other",
];

/// A sender of a session.
pub(super) type Announced = (Session, SenderTemplate);

/// What has been seen and not been told yet.
#[derive(Default)]
pub(super) struct Witness {
    /// Whether somebody watches.
    pub(super) is_watched: bool,
    pub(super) seen: Vec<Watched>,
    malformed: [u64; MALFORMED.len()],
    undelivered: u64,
    /// What was last said of the Path of a sender that came back, and when.
    returned: BTreeMap<Announced, (u64, String)>,
    /// What had been seen before the message came that is being handled.
    before: usize,
    /// The error that was last sent since a message came.
    answer: Option<ErrorSpec>,
    limiter: Limiter,
}

impl Witness {
    /// Whether anybody wants to know of a message: of errors also those who ask afterwards, as long as there are few.
    fn tells_of(&mut self, octets: &[u8], peer: IpAddr, direction: Direction, now_us: u64) -> bool {
        if self.is_watched || tracing::enabled!(tracing::Level::DEBUG) {
            return is_told(octets);
        }
        let kind = if direction == Direction::Sent { "error sent" } else { "error received" };
        is_error(octets) && self.limiter.lets(ERRORS, (peer, kind), now_us).is_some()
    }

    /// A message comes and is going to be handled.
    pub(super) fn comes(&mut self) {
        self.answer = None;
        self.before = self.seen.len();
    }

    /// What became of a message that came.
    pub(super) fn came(&mut self, rx: &Rx<'_>, interface: Option<&str>, outcome: Outcome, now_us: u64) {
        if let Outcome::Discarded(Discard::Malformed(error)) = outcome {
            self.malformed[place(error.why)] += 1;
        }
        let of = || read(rx.octets, rx.source, interface);
        match outcome {
            Outcome::Discarded(why) => self.discarded(why, rx.source, of, now_us),
            _ if self.tells_of(rx.octets, rx.source, Direction::Received, now_us) => {
                self.message(Direction::Received, of(), rx.octets)
            }
            _ => {}
        }
    }

    fn discarded(&mut self, why: Discard, peer: IpAddr, of: impl FnOnce() -> MessageRow, now_us: u64) {
        let cause = match why {
            Discard::Malformed(error) => MALFORMED[place(error.why)],
            other => other.name(),
        };
        let Some(left_out) = self.limiter.lets_through(peer, cause, now_us) else { return };
        let of = of();
        let (meaning, answer) = (why.to_string(), self.answer.as_ref().map(Fault::from));
        let before = if left_out > 0 { format!("; {left_out} more before") } else { String::new() };
        let answered =
            answer.as_ref().map_or_else(String::new, |fault| format!("; answered: {}", fault.meaning));
        tracing::debug!("discarded ({cause}): {}: {meaning}{answered}{before}", words(&of));
        let cause = cause.to_owned();
        self.tell(Watched::Discarded(Discarded { of, cause, meaning, answer, left_out }));
    }

    /// A message leaves.
    pub(super) fn leaves(&mut self, transmit: &Transmit<'_>, interface: Option<&str>, now_us: u64) {
        if is_error(transmit.octets) {
            self.answer = find(transmit.octets);
        }
        if !self.tells_of(transmit.octets, transmit.destination, Direction::Sent, now_us) {
            return;
        }
        let of = read(transmit.octets, transmit.destination, interface);
        self.message(Direction::Sent, of, transmit.octets);
    }

    fn message(&mut self, direction: Direction, of: MessageRow, octets: &[u8]) {
        let error = find::<ErrorSpec>(octets).map(|error| Fault::from(&error));
        // A confirmation has one, too, which is no error.
        let error = error.filter(|error| error.code != 0);
        let way = if direction == Direction::Sent { "sent" } else { "received" };
        let reports = error.as_ref().map_or_else(String::new, |fault| format!(": {}", fault.meaning));
        tracing::debug!("{way}: {}{reports}", words(&of));
        self.tell(Watched::Message { direction, of, error });
        // What a message has caused is seen before what became of the message itself, but is told after it.
        if let (Direction::Received, Some(caused)) = (direction, self.seen.get_mut(self.before..))
            && !caused.is_empty()
        {
            caused.rotate_right(1);
        }
    }

    /// A message of this node has come back in an error of ICMP; gives what it was, unless that was told often enough. `announced` are
    /// this node's senders from where it came to where it was to go.
    pub(super) fn came_back(
        &mut self,
        returned: &Returned<'_>,
        announced: impl FnOnce() -> Vec<Announced>,
        now_us: u64,
    ) -> (Vec<MessageRow>, Undelivered) {
        self.undelivered += 1;
        let (cause, meaning) = returned.meaning();
        let rows = self.meant(returned, announced, now_us);
        self.returned.retain(|_, (at, _)| now_us.saturating_sub(*at) < CAME_BACK_US);
        for of in rows.iter().filter(|of| of.message == "Path") {
            let (Some(session), Some(sender)) = (of.session, of.sender) else { continue };
            let of = (session, SenderTemplate(sender));
            if self.returned.len() < REMEMBERED || self.returned.contains_key(&of) {
                self.returned.insert(of, (now_us, meaning.clone()));
            }
        }
        let why = Undelivered { cause: cause.to_owned(), meaning };
        if self.limiter.lets_through(returned.by, cause, now_us).is_none() {
            return (Vec::new(), why);
        }
        for of in &rows {
            tracing::debug!("not delivered: {}: {}", words(of), why.meaning);
            self.tell(Watched::Undelivered { of: of.clone(), why: why.clone() });
        }
        (rows, why)
    }

    /// The messages that one may have been that has come back: itself where the quote has session and sender. A Path goes from its
    /// sender to its destination, so that a shorter quote can be any of those.
    fn meant(
        &mut self,
        returned: &Returned<'_>,
        announced: impl FnOnce() -> Vec<Announced>,
        now_us: u64,
    ) -> Vec<MessageRow> {
        let of = read(returned.octets, returned.by, None);
        let is_whole = of.session.is_some() && of.sender.is_some();
        if is_whole || of.message != "Path" {
            return vec![of];
        }
        let searches = (IpAddr::from([0; 4]), "a short quote");
        if self.limiter.lets(SEARCHES, searches, now_us).is_none() {
            return vec![of];
        }
        let fits = |(session, sender): &Announced| {
            of.session.is_none_or(|known| known == *session)
                && of.sender.is_none_or(|known| known == sender.0)
        };
        let row = |(session, sender): Announced| MessageRow {
            session: Some(session),
            sender: Some(sender.0),
            ..of.clone()
        };
        match announced().into_iter().filter(fits).take(REMEMBERED).map(row).collect::<Vec<_>>() {
            none if none.is_empty() => vec![of],
            found => found,
        }
    }

    /// What was last said of the Path of a sender that came back, if that was of late.
    pub(super) fn why_undelivered(
        &self,
        session: &Session,
        sender: &SenderTemplate,
        now_us: u64,
    ) -> Option<String> {
        let (at, meaning) = self.returned.get(&(session.with_flags(0), *sender))?;
        (now_us.saturating_sub(*at) < CAME_BACK_US).then(|| meaning.clone())
    }

    fn tell(&mut self, watched: Watched) {
        if self.seen.len() < WAITING {
            self.seen.push(watched);
        }
    }

    /// How often messages were malformed, by how, and did not get where they were to go.
    pub(super) fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let undelivered = ("messages-undelivered", self.undelivered);
        MALFORMED.into_iter().zip(self.malformed).chain([undelivered])
    }
}

/// Whether it reports an error.
fn is_error(octets: &[u8]) -> bool {
    octets.get(1).is_some_and(|of| matches!(MsgType(*of), MsgType::PATH_ERR | MsgType::RESV_ERR))
}

/// Whether messages of this type are told of: refreshes are not.
fn is_told(octets: &[u8]) -> bool {
    let told = |msg_type: u8| {
        matches!(
            MsgType(msg_type),
            MsgType::PATH_ERR
                | MsgType::RESV_ERR
                | MsgType::PATH_TEAR
                | MsgType::RESV_TEAR
                | MsgType::RESV_CONF
        )
    };
    octets.get(1).is_some_and(|msg_type| told(*msg_type))
}

/// What a message says of itself, be it damaged or cut off.
fn read(octets: &[u8], peer: IpAddr, interface: Option<&str>) -> MessageRow {
    // The type is there sooner than the rest of the header.
    let message = octets.get(1).map_or_else(|| "message".to_owned(), |of| MsgType(*of).to_string());
    let sender = find::<SenderTemplate>(octets).map(|sender| sender.0);
    MessageRow {
        message,
        interface: interface.map(str::to_owned),
        peer,
        session: find::<Session>(octets).map(|session| session.with_flags(0)),
        sender: sender.or_else(|| find::<FilterSpec>(octets)),
    }
}

/// The first object of a class that can be read.
fn find<'a, T: Object<'a>>(octets: &'a [u8]) -> Option<T> {
    let objects = Scan::new(octets).objects().map_while(Result::ok);
    objects.filter(|object| object.class == T::CLASS).find_map(|object| object.read::<T>().ok())
}

fn words(of: &MessageRow) -> String {
    let MessageRow { message, interface, peer, session, sender } = of;
    let mut words = format!("{message}, {peer}");
    for (how, what) in [
        (" on ", interface.clone()),
        (", ", session.map(|session| session.to_string())),
        (", sender ", sender.map(|sender| sender.to_string())),
    ] {
        if let Some(what) = what {
            words += &format!("{how}{what}");
        }
    }
    words
}

const fn place(why: Why) -> usize {
    match why {
        Why::Truncated => 0,
        Why::Version => 1,
        Why::Length => 2,
        Why::Checksum => 3,
        Why::ObjectLength => 4,
        Why::ObjectOverrun => 5,
        Why::BodyLength | Why::BodyValue | Why::UnknownCType => 6,
        _ => 7,
    }
}

/// Lets through a few lines of each kind in a window, and counts the others.
#[derive(Default)]
struct Limiter {
    windows: BTreeMap<(IpAddr, &'static str), Window>,
    beyond: Window,
}

#[derive(Clone, Copy, Default)]
struct Window {
    begins_us: u64,
    lines: u32,
    left_out: u64,
}

impl Limiter {
    /// How many were left out before; nothing when this one is left out, too.
    fn lets_through(&mut self, peer: IpAddr, cause: &'static str, now_us: u64) -> Option<u64> {
        self.lets(LINES, (peer, cause), now_us)
    }

    /// The same of so many lines in a window.
    fn lets(&mut self, lines: u32, of: (IpAddr, &'static str), now_us: u64) -> Option<u64> {
        if self.windows.len() >= TOLD_APART && !self.windows.contains_key(&of) {
            self.windows.retain(|_, window| now_us.saturating_sub(window.begins_us) < WINDOW_US);
        }
        let is_room = self.windows.len() < TOLD_APART || self.windows.contains_key(&of);
        let window = if is_room { self.windows.entry(of).or_default() } else { &mut self.beyond };
        if now_us.saturating_sub(window.begins_us) >= WINDOW_US {
            (window.begins_us, window.lines) = (now_us, 0);
        }
        if window.lines >= lines {
            window.left_out += 1;
            return None;
        }
        window.lines += 1;
        Some(core::mem::take(&mut window.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_capture::Quoted;
    use rsvp_node::InterfaceId;

    #[test]
    fn a_flood_is_told_as_a_number() {
        let mut limiter = Limiter::default();
        let peer = |n: u32| IpAddr::from(n.to_be_bytes());
        let told = (0..100).filter(|n| limiter.lets_through(peer(1), "rejected", *n).is_some()).count();
        assert_eq!(told, LINES as usize);
        // Another cause, and another neighbour, have lines of their own; the next window says what was left out.
        assert_eq!(limiter.lets_through(peer(1), "no-state", 100), Some(0));
        assert_eq!(limiter.lets_through(peer(2), "rejected", 100), Some(0));
        assert_eq!(limiter.lets_through(peer(1), "rejected", WINDOW_US + 1), Some(95));
        assert_eq!(limiter.lets_through(peer(1), "rejected", WINDOW_US + 2), Some(0));
    }

    #[test]
    fn errors_are_looked_into_a_few_times_unless_somebody_watches() {
        let path_err = [0x10, MsgType::PATH_ERR.0, 0, 0, 63, 0, 0, 8];
        let mut witness = Witness::default();
        let sees = |witness: &mut Witness, peer: u8, count: u64, from_us: u64| {
            let source = IpAddr::from([10, 0, 0, peer]);
            let rx =
                Rx { interface: InterfaceId(1), source, destination: source, ttl: 63, octets: &path_err };
            let sent = Transmit {
                interface: InterfaceId(1),
                source: rsvp_node::Source::Own,
                destination: source,
                ttl: 63,
                router_alert: false,
                octets: &path_err,
            };
            let before = witness.seen.len();
            for n in 0..count {
                witness.came(&rx, None, Outcome::Taken, from_us + n);
                witness.leaves(&sent, None, from_us + n);
            }
            witness.seen.len() - before
        };
        let most = 2 * ERRORS as usize;
        assert_eq!(sees(&mut witness, 1, 1_000, 0), most, "as many in each direction");
        assert_eq!(sees(&mut witness, 2, 3, 1_000), 6, "another neighbour has its own");
        assert_eq!(sees(&mut witness, 1, 1_000, WINDOW_US + 2_000), most, "the next window");
        witness.is_watched = true;
        assert_eq!(sees(&mut witness, 1, 1_000, WINDOW_US + 5_000), 2_000, "who watches sees all");
    }

    #[test]
    fn neighbours_beyond_the_bound_share_a_window() {
        let mut limiter = Limiter::default();
        let told = (0..10_000_u32)
            .filter(|n| limiter.lets_through(IpAddr::from(n.to_be_bytes()), "rejected", 7).is_some());
        assert_eq!(told.count(), TOLD_APART + LINES as usize);
        assert_eq!(limiter.windows.len(), TOLD_APART);
        // Those of a window that is over make room.
        assert!(limiter.lets_through(peer_beyond(), "rejected", WINDOW_US + 8).is_some());
        assert_eq!(limiter.windows.len(), 1);
    }

    /// An error of 10.0.1.2 about a message from 10.0.1.1 to 10.9.9.9, which it quotes so far.
    fn returned(octets: &[u8]) -> Returned<'_> {
        let [by, source, destination] =
            [[10, 0, 1, 2], [10, 0, 1, 1], [10, 9, 9, 9]].map(|octets: [u8; 4]| IpAddr::from(octets));
        let error = Quoted { source: by, destination: source, kind: 3, code: 1, detail: None };
        Returned { by, error, source, destination, octets }
    }

    fn announced(port: u16) -> Announced {
        let session = format!("udp 10.9.9.9:{port}").parse().expect("a session");
        (session, "10.0.1.1:4000".parse().expect("a sender"))
    }

    #[test]
    fn a_short_quote_can_be_of_each_path_between_its_addresses() {
        let path = [0x10, MsgType::PATH.0, 0x12, 0x34, 63, 0, 0, 92];
        // What is behind the header in a longer quote: SESSION of port 5001.
        let session = [0, 12, 1, 1, 10, 9, 9, 9, 17, 0, 0x13, 0x89];
        let longer = [&path[..], &session].concat();
        let both = || vec![announced(5000), announced(5001)];
        for (octets, ports) in
            [(&path[..], &[5000, 5001][..]), (&path[..4], &[5000, 5001]), (&longer[..], &[5001])]
        {
            let mut witness = Witness::default();
            let (rows, why) = witness.came_back(&returned(octets), both, 0);
            let named: Vec<_> = rows.iter().filter_map(|row| row.session.zip(row.sender)).collect();
            let expected: Vec<_> = ports.iter().map(|port| announced(*port)).collect();
            assert_eq!(named, expected.iter().map(|(of, by)| (*of, by.0)).collect::<Vec<_>>(), "{octets:x?}");
            assert_eq!((why.cause.as_str(), witness.seen.len()), ("no-way", ports.len()));
            for (session, sender) in &expected {
                assert!(witness.why_undelivered(session, sender, 1).is_some(), "{session}");
            }
        }
        // A teardown is of no sender that is there, and what is whole needs none.
        let tear = [0x10, MsgType::PATH_TEAR.0, 0x12, 0x34, 63, 0, 0, 92];
        let mut witness = Witness::default();
        let (rows, _) = witness.came_back(&returned(&tear), || unreachable!("nobody is looked for"), 0);
        assert_eq!((rows.len(), rows[0].session), (1, None));
    }

    #[test]
    fn who_forges_short_quotes_has_few_senders_looked_for() {
        let path = [0x10, MsgType::PATH.0, 0x12, 0x34, 63, 0, 0, 92];
        let (mut witness, mut searches) = (Witness::default(), 0);
        for now_us in 0..1_000 {
            let search = || {
                searches += 1;
                vec![announced(5000)]
            };
            witness.came_back(&returned(&path), search, now_us);
        }
        assert_eq!(searches, SEARCHES);
    }

    fn peer_beyond() -> IpAddr {
        [255, 255, 255, 255].into()
    }
}
