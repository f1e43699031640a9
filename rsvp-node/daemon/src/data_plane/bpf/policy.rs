//! What the egress program and its hooks go by for policies: rules in their order, settings, classes; and what they tell.
//!
//! [`PolicyTables`] has what is written and read at any time, [`Egress`] what belongs to interfaces and to the cgroup. Rules are
//! written into the half of their map that is not in use, and put in force in one step. What a policy means, and in which order
//! policies are, is deliberately decided elsewhere.

use super::sys::{
    DecisionRecord, PolicyCountRecord, PolicyPlaceRecord, PolicyRuleRecord, PolicySettingsRecord,
};
use super::{EgressError, LOCKED};
use aya::maps::{Array, HashMap, MapData};
use rsvp_node::qos::policy::{Ports, Prefix};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Policies that there is room for; `bpf/policy.bpf.h` has the same.
pub const MOST_POLICIES: usize = 10_240;
/// Levels of cgroups, from the one below the root, that a policy can be for.
pub const LEVELS: u8 = 8;
/// The protocol of a policy for frames without IP (FCoE): no protocol has the number.
pub const FRAMES: u8 = 0xff;
/// Bits of profiles, beside those that say that there are policies, and no hooks.
pub const MOST_PROFILES: usize = 30;

const SAYS_PATH: u8 = 1;
const SAYS_NAME: u8 = 2;
const SAYS_CGROUP: u8 = 4;
const SAYS_USER: u8 = 8;
const SAYS_RATE: u8 = 16;
const OVERRIDE: u32 = 1;
const OLD_TOO: u32 = 2;
const OVERRIDE_FLOWS: u32 = 4;
/// A mark that is left as it was.
const LEAVE: u8 = 0xff;

/// The program of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Its file: device as the kernel counts them, and inode.
    File(u32, u64),
    /// The hash of the file's name.
    Named(u64),
}

/// A policy as the program knows it: what it is for, and what becomes of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRule {
    /// What tells it from all others, also after a restart.
    pub identity: u64,
    /// The user, by number.
    pub user: Option<u32>,
    /// The program.
    pub program: Option<Program>,
    /// The cgroup, by its number, and how many are above it below the root.
    pub cgroup: Option<(u64, u8)>,
    /// The protocol number.
    pub protocol: Option<u8>,
    /// The source address.
    pub local: Option<Prefix>,
    /// The destination address.
    pub remote: Option<Prefix>,
    /// The source port.
    pub local_port: Option<Ports>,
    /// The destination port.
    pub remote_port: Option<Ports>,
    /// A port on either side.
    pub either_port: Option<Ports>,
    /// Bits of profiles, one of which the interface has; 0: any interface.
    pub profiles: u32,
    /// The DSCP.
    pub dscp: Option<u8>,
    /// The IEEE 802.1p priority.
    pub priority: Option<u8>,
    /// Whether interfaces have classes for it.
    pub rated: bool,
}

/// What holds beside policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// Marks that sockets set themselves are not left.
    pub dscp_override: bool,
    /// Nor are those of flows that programs have asked for.
    pub flow_override: bool,
    /// Sockets that are older than the hooks are given policies, too.
    pub old_too: bool,
    /// The largest receive window of TCP, in octets.
    pub window: Option<u32>,
}

/// What was decided for a socket last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The socket.
    pub cookie: u64,
    /// The protocol number.
    pub protocol: u8,
    /// Its address.
    pub local: SocketAddr,
    /// Its peer.
    pub remote: SocketAddr,
    /// Who made it, if that is known: the process.
    pub process: Option<u32>,
    /// The user.
    pub user: u32,
    /// The file of the program: device, inode, the hash of its name.
    pub file: (u32, u64, u64),
    /// The cgroup and those above it, from below the root.
    pub cgroups: [u64; 8],
    /// The interface.
    pub interface: u32,
    /// The profiles that it had.
    pub profiles: u32,
    /// The policy, by its serial number.
    pub serial: Option<u32>,
}

/// FNV-1a; the hook has the same.
#[must_use]
pub fn hash_of(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

impl PolicyRule {
    /// Whether it is for the socket of a decision: as the program sees it.
    #[must_use]
    pub fn is_for(&self, of: &Decision) -> bool {
        let within = |prefix: &Option<Prefix>, side: SocketAddr| prefix.is_none_or(|p| p.contains(side.ip()));
        let among = |ports: &Option<Ports>, sides: &[SocketAddr]| {
            ports.is_none_or(|ports| sides.iter().any(|side| ports.contains(side.port())))
        };
        let program = match self.program {
            None => true,
            Some(Program::File(device, inode)) => (device, inode) == (of.file.0, of.file.1),
            Some(Program::Named(name)) => name == of.file.2,
        };
        let in_cgroup = |(id, level): (u64, u8)| of.cgroups.get(usize::from(level)) == Some(&id);
        let is_known = of.process.is_some() || (self.program.is_none() && self.cgroup.is_none());
        is_known
            && program
            && self.user.is_none_or(|user| user == of.user)
            && self.cgroup.is_none_or(in_cgroup)
            && self.protocol.is_none_or(|protocol| protocol == of.protocol)
            && within(&self.local, of.local)
            && within(&self.remote, of.remote)
            && among(&self.local_port, &[of.local])
            && among(&self.remote_port, &[of.remote])
            && among(&self.either_port, &[of.local, of.remote])
            && (self.profiles == 0 || self.profiles & of.profiles != 0)
    }

    fn record(&self, (slot, serial): (u32, u32)) -> PolicyRuleRecord {
        let (local, local_bits) = prefix(self.local);
        let (remote, remote_bits) = prefix(self.remote);
        let family = self.local.or(self.remote).map_or(0, |p| if p.address.is_ipv4() { 4 } else { 6 });
        let ports = |ports: Option<Ports>| ports.map_or([0, 0], |ports| <[u16; 2]>::from(ports.bounds()));
        let (device, program, of_program) = match self.program {
            None => (0, 0, 0),
            Some(Program::File(device, inode)) => (device, inode, SAYS_PATH),
            Some(Program::Named(name)) => (0, name, SAYS_NAME),
        };
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        let says = of_program
            | bit(self.cgroup.is_some(), SAYS_CGROUP)
            | bit(self.user.is_some(), SAYS_USER)
            | bit(self.rated, SAYS_RATE);
        let (cgroup, level) = self.cgroup.unwrap_or_default();
        PolicyRuleRecord {
            local,
            remote,
            program,
            cgroup,
            device,
            user: self.user.unwrap_or_default(),
            profiles: self.profiles,
            slot,
            serial,
            local_port: ports(self.local_port),
            remote_port: ports(self.remote_port),
            either_port: ports(self.either_port),
            local_bits,
            remote_bits,
            family,
            protocol: self.protocol.unwrap_or_default(),
            says,
            level,
            dscp: self.dscp.unwrap_or(LEAVE),
            pcp: self.priority.unwrap_or(LEAVE),
        }
    }
}

fn prefix(prefix: Option<Prefix>) -> ([u8; 16], u8) {
    let mut octets = [0; 16];
    let Some(Prefix { address, len }) = prefix else { return (octets, 0) };
    match address {
        IpAddr::V4(address) => octets[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => octets = address.octets(),
    }
    (octets, len)
}

/// The maps of the host, which do not belong to an interface.
pub struct PolicyTables {
    pub(super) rules: Array<MapData, PolicyRuleRecord>,
    pub(super) settings: Array<MapData, PolicySettingsRecord>,
    pub(super) counts: Array<MapData, PolicyCountRecord>,
    pub(super) decisions: HashMap<MapData, u64, DecisionRecord>,
    /// Slot and serial number of each policy, by its identity.
    known: BTreeMap<u64, (u32, u32)>,
    free: VecDeque<u32>,
    next: u32,
    standing: PolicySettingsRecord,
    /// Whether what stands was put in force by this run.
    is_own: bool,
}

impl PolicyTables {
    /// With what an earlier run has left in the maps.
    pub(super) fn new(
        rules: Array<MapData, PolicyRuleRecord>,
        settings: Array<MapData, PolicySettingsRecord>,
        counts: Array<MapData, PolicyCountRecord>,
        decisions: HashMap<MapData, u64, DecisionRecord>,
        is_resumed: bool,
    ) -> Result<Self, EgressError> {
        let refused = |error| EgressError::of_map("to read policies", &error);
        let standing = settings.get(&0, LOCKED).map_err(refused)?;
        let mut this = Self {
            rules,
            settings,
            counts,
            decisions,
            known: BTreeMap::new(),
            free: (0..MOST_POLICIES as u32).collect(),
            next: 1,
            standing,
            is_own: false,
        };
        if is_resumed {
            this.free.clear();
            for slot in 0..MOST_POLICIES as u32 {
                let PolicyCountRecord { identity, serial, .. } =
                    this.counts.get(&slot, 0).map_err(refused)?;
                if serial == 0 {
                    this.free.push_back(slot);
                } else {
                    this.known.insert(identity, (slot, serial));
                    this.next = this.next.max(serial.wrapping_add(1));
                }
            }
        }
        Ok(this)
    }

    /// Whether what is in force is an earlier run's, or nothing yet.
    #[must_use]
    pub fn is_strange(&self) -> bool {
        !self.is_own
    }

    /// Puts these rules in force in the place of all others, strongest first, for sockets of a network namespace; gives their
    /// serial numbers. Sockets that have been given something keep that.
    ///
    /// # Errors
    /// [`EgressError::Refused`]; then the others stay in force.
    pub fn switch(
        &mut self,
        rules: &[PolicyRule],
        settings: PolicySettings,
        namespace: u64,
    ) -> Result<Vec<u32>, EgressError> {
        let refused = |error| EgressError::of_map("policies", &error);
        let rules = &rules[..rules.len().min(MOST_POLICIES)];
        let base = if self.standing.base == 0 { MOST_POLICIES as u32 } else { 0 };
        let wanted: BTreeSet<u64> = rules.iter().map(|rule| rule.identity).collect();
        let gone: Vec<u64> = self.known.keys().filter(|known| !wanted.contains(known)).copied().collect();
        let mut serials = Vec::with_capacity(rules.len());
        let mut giving = gone.iter();
        for (place, rule) in (base..).zip(rules) {
            let at = self.place_of(rule.identity, &mut giving)?;
            self.rules.set(place, rule.record(at), 0).map_err(refused)?;
            serials.push(at.1);
        }
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let record = PolicySettingsRecord {
            flags: flag(settings.dscp_override, OVERRIDE)
                | flag(settings.old_too, OLD_TOO)
                | flag(settings.flow_override, OVERRIDE_FLOWS),
            base,
            count: rules.len() as u32,
            namespace,
            window_clamp: settings.window.unwrap_or_default(),
            frames: (1..).zip(rules).find(|(_, rule)| rule.protocol == Some(FRAMES)).map_or(0, |(at, _)| at),
            ..PolicySettingsRecord::default()
        };
        self.settings.set(0, record, LOCKED).map_err(refused)?;
        (self.standing, self.is_own) = (record, true);
        for identity in gone {
            if let Some((slot, _)) = self.known.remove(&identity) {
                self.counts.set(slot, PolicyCountRecord::default(), 0).map_err(refused)?;
                self.free.push_back(slot);
            }
        }
        Ok(serials)
    }

    /// Where a policy is counted: as before, or anew. Where there is no room, one that is about to go makes some.
    fn place_of<'g>(
        &mut self,
        identity: u64,
        giving: &mut impl Iterator<Item = &'g u64>,
    ) -> Result<(u32, u32), EgressError> {
        if let Some(place) = self.known.get(&identity) {
            return Ok(*place);
        }
        let slot = self
            .free
            .pop_front()
            .or_else(|| giving.find_map(|gone| self.known.remove(gone)).map(|(slot, _)| slot));
        let slot = slot.ok_or(EgressError::Full(MOST_POLICIES as u32))?;
        let serial = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        let record = PolicyCountRecord { identity, serial, ..PolicyCountRecord::default() };
        self.counts.set(slot, record, 0).map_err(|error| EgressError::of_map("a policy", &error))?;
        self.known.insert(identity, (slot, serial));
        Ok((slot, serial))
    }

    /// The serial number of a policy in force.
    #[must_use]
    pub fn serial_of(&self, identity: u64) -> Option<u32> {
        self.known.get(&identity).map(|(_, serial)| *serial)
    }

    /// What was counted of a policy: packets, octets.
    #[must_use]
    pub fn counted(&self, identity: u64) -> (u64, u64) {
        let counted = self.known.get(&identity).and_then(|(slot, _)| self.counts.get(slot, 0).ok());
        counted.map_or((0, 0), |counted| (counted.packets, counted.octets))
    }

    /// What was decided for sockets last, those that are gone among them.
    #[must_use]
    pub fn decisions(&self) -> Vec<Decision> {
        self.decisions
            .iter()
            .filter_map(|entry| entry.ok().and_then(|(cookie, record)| record.decision(cookie)))
            .collect()
    }
}

impl DecisionRecord {
    fn decision(&self, cookie: u64) -> Option<Decision> {
        let address = |octets: [u8; 16]| match self.family {
            4 => <[u8; 4]>::try_from(&octets[..4]).ok().map(|v4| IpAddr::V4(Ipv4Addr::from(v4))),
            _ => Some(IpAddr::V6(Ipv6Addr::from(octets))),
        };
        Some(Decision {
            cookie,
            protocol: self.protocol,
            local: SocketAddr::new(address(self.local)?, self.local_port),
            remote: SocketAddr::new(address(self.remote)?, self.remote_port),
            process: (self.known != 0).then_some(self.process),
            user: self.user,
            file: (self.device, self.inode, self.name),
            cgroups: self.cgroups,
            interface: self.interface,
            profiles: self.profiles,
            serial: Some(self.serial).filter(|serial| *serial != 0),
        })
    }
}

/// The classes of policies at interfaces.
pub(super) type Classes = HashMap<MapData, PolicyPlaceRecord, u32>;

impl PolicyPlaceRecord {
    pub(super) const fn of(interface: u32, serial: u32) -> Self {
        Self { interface, serial }
    }
}
