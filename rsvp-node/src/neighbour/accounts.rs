//! What each neighbour has of this node's state, in octets, and how much more it may have.
//!
//! A neighbour is an address on the link of an interface. Whoever else is heard on an interface has one account together, because
//! such addresses cost nothing; and so have those for whom the table has no room. What a neighbour has is bounded at two levels by the
//! same rule, *half is in equal floors, half is for whoever comes first*: half of all there is belongs to the interfaces, in equal
//! parts; half of an interface's part to its neighbours, in equal parts. What somebody has beyond the own floor is taken first of
//! what the interface has in common and then of what the node has. So nobody's floor is ever taken by somebody else, and
//! all of it together is no more than the limit.
//!
//! What is charged is what a block takes alone, with the session and the previous hop that it may share with others; which
//! blocks there are is deliberately not known here.

use crate::api::Discard;
use crate::config::Limit;
use crate::interface::InterfaceId;
use crate::notice::Notice;
use crate::rate::{Pace, Rate};
use crate::time::Instant;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

/// Answers about limits to one neighbour.
const ANSWERS: Pace = Pace { at_once: 10, interval: Duration::from_millis(100) };
/// Messages that leave because of one neighbour's, beside the first for each of them.
const FAN_OUT: Pace = Pace { at_once: 64, interval: Duration::from_millis(10) };
/// Errors that go on to next hops because of one neighbour's, beside the first for each of them: as many at once as a session can have,
/// for they are not put off.
const ERRORS_ON: Pace = Pace { at_once: 2_048, interval: Duration::from_millis(2) };
/// And to all on one interface, for on-link addresses can be invented.
const ANSWERS_ON_INTERFACE: Pace = Pace { at_once: 100, interval: Duration::from_millis(10) };

/// A neighbour: an address on the link of an interface, or all others that are heard there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Party {
    pub(crate) interface: InterfaceId,
    pub(crate) address: Option<IpAddr>,
}

/// Whose a block of state is: a place in the table of accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    /// This node itself, with its applications; nothing is charged to it here.
    pub(crate) const NODE: Self = Self(0);
}

/// Why something of a neighbour was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Limit(Limit),
    /// It came from another address than the sender or hop that it named.
    ForeignSource,
    /// It was no message, or one with objects, addresses or values that nobody who keeps to the rules sends.
    Unsound,
    /// A wish for confirmation was repeated more often than it is answered.
    RepeatedWish,
    /// More was to leave because of it than leaves at once.
    PutOff,
}

impl Cause {
    const OTHERS: [Self; 4] = [Self::ForeignSource, Self::Unsound, Self::RepeatedWish, Self::PutOff];
    const COUNT: usize = Limit::ALL.len() + Self::OTHERS.len();

    const fn place(self) -> usize {
        match self {
            Self::ForeignSource => 0,
            Self::Unsound => 1,
            Self::RepeatedWish => 2,
            Self::PutOff => 3,
            Self::Limit(limit) => Self::OTHERS.len() - 1 + limit as usize,
        }
    }

    /// The word for it in listings and logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ForeignSource => Discard::ForeignSource.name(),
            Self::Unsound => "unsound",
            Self::RepeatedWish => "repeated-wish",
            Self::PutOff => "put-off",
            Self::Limit(limit) => limit.name(),
        }
    }

    /// What it is, for those who read logs: once for each neighbour.
    pub(crate) const fn notice(self) -> (Notice, &'static str) {
        match self {
            Self::ForeignSource => {
                (Notice::ForeignSource, "a neighbour sends messages in the name of another")
            }
            Self::Unsound => (Notice::Unsound, "a neighbour sends what is no sound message"),
            Self::RepeatedWish | Self::PutOff => {
                (Notice::FanOut, "a neighbour has more sent on than is at once because of one")
            }
            Self::Limit(_) => (Notice::Limit, "a neighbour asks for more than a limit allows"),
        }
    }

    fn names() -> [&'static str; Self::COUNT] {
        let mut names = [""; Self::COUNT];
        let all = Self::OTHERS.into_iter().chain(Limit::ALL.map(Self::Limit));
        all.for_each(|cause| names[cause.place()] = cause.name());
        names
    }
}

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Path,
    Request,
    Blockade,
}

/// What one neighbour has, and what came of its messages.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) party: Party,
    pub(crate) octets: u64,
    /// Path states, requests, elements of blockade state.
    pub(crate) blocks: [u32; 3],
    pub(crate) messages: u64,
    refused: [u64; Cause::COUNT],
    heard: Instant,
    answers: Rate,
    fan_out: Rate,
    errors_on: Rate,
}

impl Account {
    fn new(party: Party) -> Self {
        Self {
            party,
            octets: 0,
            blocks: [0; 3],
            messages: 0,
            refused: [0; Cause::COUNT],
            heard: Instant::ZERO,
            answers: Rate::default(),
            fan_out: Rate::default(),
            errors_on: Rate::default(),
        }
    }

    fn is_unused(&self) -> bool {
        self.blocks == [0; 3]
    }

    /// How often what was refused for which reason, where that has happened.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Cause::names().into_iter().zip(self.refused).filter(|(_, times)| *times > 0)
    }
}

/// How the octets are divided.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    /// The floor of each neighbour.
    neighbour: u64,
    /// What an interface has for its neighbours beyond that.
    interface: u64,
    /// What the node has beyond that.
    node: u64,
    /// Path states of a neighbour to which the limit of sessions does not apply.
    few: u32,
}

/// What neighbours of an interface have beyond their floors, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct OnInterface {
    beyond: u64,
    parties: u32,
    answers: Rate,
}

/// All accounts.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    places: BTreeMap<Party, Owner>,
    /// The first is this node's own, of no interface.
    accounts: Vec<Account>,
    interfaces: BTreeMap<InterfaceId, OnInterface>,
    /// What interfaces have beyond what is theirs.
    beyond: u64,
    shares: Shares,
    /// Accounts of one interface, the one for all others among them.
    most: u32,
}

impl Accounts {
    /// Accounts of so many neighbours of each interface.
    pub(crate) fn new(most: u32) -> Self {
        let nobody = Party { interface: InterfaceId(0), address: None };
        Self {
            places: BTreeMap::new(),
            accounts: vec![Account::new(nobody)],
            interfaces: BTreeMap::new(),
            beyond: 0,
            shares: Shares::default(),
            most: most.max(2),
        }
    }

    /// Divides octets and sessions among so many interfaces.
    pub(crate) fn divide(&mut self, octets: u64, sessions: u32, interfaces: usize) {
        let few = u64::from(sessions) / 2 / (interfaces.max(1) as u64) / u64::from(self.most);
        let of_interface = octets / 2 / (interfaces.max(1) as u64);
        let neighbour = of_interface / 2 / u64::from(self.most);
        let interface = of_interface - neighbour * u64::from(self.most);
        self.shares = Shares { neighbour, interface, node: octets / 2, few: few as u32 };
        self.interfaces.values_mut().for_each(|on| on.beyond = 0);
        for account in &self.accounts[1..] {
            let beyond = account.octets.saturating_sub(neighbour);
            self.interfaces.entry(account.party.interface).or_default().beyond += beyond;
        }
        self.beyond = self.interfaces.values().map(|on| on.beyond.saturating_sub(interface)).sum();
    }

    /// The floor of each neighbour.
    pub(crate) fn floor(&self) -> u64 {
        self.shares.neighbour
    }

    /// A neighbour's account, opened when it is new: in the place of one that has nothing where the table is full. The one for
    /// all others where there is none.
    pub(crate) fn of(&mut self, party: Party) -> Owner {
        if let Some(owner) = self.places.get(&party) {
            return *owner;
        }
        let on = self.interfaces.entry(party.interface).or_default();
        // One place is kept for all others.
        if on.parties < self.most - 1 || party.address.is_none() {
            on.parties += u32::from(party.address.is_some());
            let owner = Owner(self.accounts.len() as u32);
            self.accounts.push(Account::new(party));
            self.places.insert(party, owner);
            return owner;
        }
        match self.least_heard(party.interface) {
            Some(owner) => {
                let account = Account::new(party);
                let gone = core::mem::replace(&mut self.accounts[owner.0 as usize], account);
                self.places.remove(&gone.party);
                self.places.insert(party, owner);
                owner
            }
            None => self.of(Party { address: None, ..party }),
        }
    }

    /// Of the neighbours of an interface that have nothing, the one that was heard longest ago.
    fn least_heard(&self, interface: InterfaceId) -> Option<Owner> {
        let from = Party { interface, address: None };
        let here = self.places.range(from..).take_while(|(party, _)| party.interface == interface);
        let account = |owner: Owner| &self.accounts[owner.0 as usize];
        let unused = here.filter(|(p, owner)| p.address.is_some() && account(**owner).is_unused());
        unused.min_by_key(|(_, owner)| account(**owner).heard).map(|(_, owner)| *owner)
    }

    /// A message of it was heard.
    #[inline]
    pub(crate) fn heard(&mut self, owner: Owner, now: Instant) {
        let account = &mut self.accounts[owner.0 as usize];
        account.messages += 1;
        account.heard = now;
    }

    /// Whether a neighbour may have so many octets more.
    pub(crate) fn has_room(&self, owner: Owner, more: u64) -> bool {
        if owner == Owner::NODE || more == 0 {
            return true;
        }
        let Account { party, octets, .. } = &self.accounts[owner.0 as usize];
        let grows = growth(self.shares.neighbour, *octets, octets + more);
        let on = self.interfaces.get(&party.interface).map_or(0, |on| on.beyond);
        let grows = growth(self.shares.interface, on, on + grows);
        grows == 0 || self.beyond + grows <= self.shares.node
    }

    /// Whether a neighbour has so few path states that it may have another whatever sessions others have taken.
    pub(crate) fn has_few(&self, owner: Owner) -> bool {
        self.accounts[owner.0 as usize].blocks[Block::Path as usize] < self.shares.few
    }

    /// A block of a neighbour is there, with so many octets.
    pub(crate) fn add(&mut self, owner: Owner, block: Block, octets: u64) {
        if owner != Owner::NODE {
            self.accounts[owner.0 as usize].blocks[block as usize] += 1;
            self.resize(owner, 0, octets);
        }
    }

    /// And is gone.
    pub(crate) fn remove(&mut self, owner: Owner, block: Block, octets: u64) {
        if owner != Owner::NODE {
            self.accounts[owner.0 as usize].blocks[block as usize] -= 1;
            self.resize(owner, octets, 0);
        }
    }

    /// What a neighbour has grows or shrinks.
    pub(crate) fn resize(&mut self, owner: Owner, before: u64, now: u64) {
        if owner == Owner::NODE || before == now {
            return;
        }
        let Shares { neighbour, interface, .. } = self.shares;
        let account = &mut self.accounts[owner.0 as usize];
        let had = account.octets;
        account.octets = had - before + now;
        let (was, is) = (had.saturating_sub(neighbour), account.octets.saturating_sub(neighbour));
        if was != is {
            let on = self.interfaces.entry(account.party.interface).or_default();
            let had = on.beyond;
            on.beyond = had - was + is;
            self.beyond = self.beyond - had.saturating_sub(interface) + on.beyond.saturating_sub(interface);
        }
    }

    /// Something of a neighbour is refused.
    pub(crate) fn refuse(&mut self, owner: Owner, cause: Cause) {
        self.accounts[owner.0 as usize].refused[cause.place()] += 1;
    }

    /// Whether a neighbour may be given one more answer about a limit.
    pub(crate) fn may_answer(&mut self, owner: Owner, now: Instant) -> bool {
        let account = &mut self.accounts[owner.0 as usize];
        let on = self.interfaces.entry(account.party.interface).or_default();
        let may = on.answers.next(now, ANSWERS_ON_INTERFACE) == now && account.answers.take(now, ANSWERS);
        may && on.answers.take(now, ANSWERS_ON_INTERFACE)
    }

    /// When one more message may leave because of a neighbour's: now, or later, but no later than `latest`, when it leaves anyhow.
    /// Applications of this node are not bounded so.
    pub(crate) fn fan_out(&mut self, owner: Owner, now: Instant, latest: Instant) -> Instant {
        if owner == Owner::NODE {
            return now;
        }
        let rate = &mut self.accounts[owner.0 as usize].fan_out;
        let next = rate.next(now, FAN_OUT);
        if next <= latest {
            rate.reserve(now, FAN_OUT);
        }
        next.min(latest)
    }

    /// Whether one more error may go on because of a neighbour's.
    pub(crate) fn may_go_on(&mut self, owner: Owner, now: Instant) -> bool {
        self.accounts[owner.0 as usize].errors_on.take(now, ERRORS_ON)
    }

    pub(crate) fn account(&self, owner: Owner) -> &Account {
        &self.accounts[owner.0 as usize]
    }

    /// The accounts of neighbours, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.places.values().map(|owner| &self.accounts[owner.0 as usize])
    }
}

/// By how much what is beyond a floor grows.
fn growth(floor: u64, from: u64, to: u64) -> u64 {
    to.saturating_sub(floor) - from.saturating_sub(floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const PARTIES: u32 = 64;

    /// 1,024 for each neighbour, 65,536 for each of two interfaces beside, 262,144 for the node.
    const ALL: u64 = 512 * 1024;

    fn party(interface: u32, n: u8) -> Party {
        let address = (n > 0).then(|| Ipv4Addr::new(10, 0, 0, n).into());
        Party { interface: InterfaceId(interface), address }
    }

    /// Takes as much as there is, 64 octets at a time.
    fn fill(accounts: &mut Accounts, party: Party) -> u64 {
        let owner = accounts.of(party);
        while accounts.has_room(owner, 64) {
            accounts.add(owner, Block::Path, 64);
        }
        accounts.account(owner).octets
    }

    #[test]
    fn floors_are_there_whatever_others_have_taken_and_all_is_within_the_limit() {
        let mut accounts = Accounts::new(PARTIES);
        accounts.divide(ALL, 0, 2);
        assert_eq!(accounts.floor(), 1_024);
        let first = fill(&mut accounts, party(1, 1));
        assert_eq!(first, 1_024 + 65_536 + 262_144, "all that is nobody else's");
        assert_eq!(
            fill(&mut accounts, party(1, 2)),
            1_024,
            "the own floor, and nothing of another interface"
        );
        assert_eq!(fill(&mut accounts, party(2, 1)), 1_024 + 65_536);
        let all: u64 =
            (1..=200).flat_map(|n| [party(1, n), party(2, n)]).map(|p| fill(&mut accounts, p)).sum();
        let has: u64 = accounts.iter().map(|a| a.octets).sum();
        assert!(all >= has && has <= ALL, "{has}");
        assert_eq!(accounts.iter().count(), 2 * PARTIES as usize, "the rest are together");
    }

    #[test]
    fn what_goes_is_free_again_also_after_the_shares_have_changed() {
        let mut accounts = Accounts::new(PARTIES);
        accounts.divide(ALL, 0, 1);
        let full = fill(&mut accounts, party(1, 1));
        accounts.divide(ALL, 0, 4);
        let owner = accounts.of(party(1, 1));
        assert!(!accounts.has_room(owner, 64), "nothing is taken away, and nothing is added");
        for _ in 0..full / 64 {
            accounts.remove(owner, Block::Path, 64);
        }
        assert_eq!((accounts.account(owner).octets, accounts.beyond), (0, 0));
        assert!(fill(&mut accounts, party(1, 1)) < full);
    }

    #[test]
    fn who_has_nothing_makes_room_in_the_table_and_who_has_something_does_not() {
        let mut accounts = Accounts::new(PARTIES);
        accounts.divide(ALL, 0, 1);
        for n in 1..PARTIES as u8 {
            let owner = accounts.of(party(1, n));
            accounts.heard(owner, Instant::from_millis(u64::from(n)));
            if n != 7 && n != 9 {
                accounts.add(owner, Block::Request, 10);
            }
        }
        let seventh = accounts.of(party(1, 7));
        assert_eq!(accounts.of(party(1, 200)), seventh, "the one that was heard longest ago");
        accounts.add(seventh, Block::Request, 10);
        let ninth = accounts.of(party(1, 201));
        accounts.add(ninth, Block::Request, 10);
        assert_eq!(accounts.of(party(1, 202)), accounts.of(party(1, 0)));
    }
}
