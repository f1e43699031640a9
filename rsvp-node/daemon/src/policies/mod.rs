//! Policies: marks and rates for programs that do not ask for any, out of files, decided by the kernel once for each endpoint.
//!
//! What a file says is `file`, where files are `store`, what words mean on this computer `resolve`; which of two policies is stronger
//! is `rsvp_node::qos::policy`. This module puts them in force, follows changes, and says what it did, with the event numbers that
//! Windows has for it. What an interface needs for them is deliberately the data plane's business.

mod answers;
pub mod file;
mod resolve;
mod rows;
pub mod store;
mod watch;

use crate::config::DaemonConfig;
use crate::config::PoliciesConfig;
use crate::control::service::ClientId;
use crate::data_plane::bpf::{MOST_POLICIES, MOST_PROFILES, PolicyRule, PolicySettings, PolicyTables};
use crate::data_plane::policies::{Shaped, WantedPolicies};
use crate::hooks::SocketNames;
use crate::sys;
use file::{Complaint, Placed};
use resolve::Around;
use rsvp_control::policy::{PolicyEvent, Settings, Store};
use rsvp_node::qos::policy::inbound_window;
use rsvp_node::qos::policy::precedence::compare;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::Stores;
use tokio::time::Instant;
pub(crate) use watch::Queue;
use watch::{Interests, Watched};

pub use crate::hooks::hierarchy;
pub use answers::{RUN, check};
pub(super) use answers::{clean, give_to};

/// How often all is read again when nothing else is said, as Windows does.
const REFRESH: Duration = Duration::from_secs(90 * 60);
/// After a change it is waited for more of it so long.
const REST: Duration = Duration::from_millis(50);
/// How often it is read at once, where it is watched anew each time.
const MOST_READ: usize = 3;
/// News that wait for somebody.
const MOST_NEWS: usize = 1_000;
const TOO_MANY: u32 = 16606;

/// A policy of a store.
#[derive(Clone, Debug)]
struct InForce {
    store: Store,
    placed: Placed,
    /// As the kernel has it; none where it cannot be, or is a server's business.
    rule: Option<PolicyRule>,
    /// Why it is not in force.
    fault: Option<String>,
}

/// What was read.
struct Read {
    all: Vec<InForce>,
    settings: Settings,
    complaints: Vec<Complaint>,
    /// What would change it.
    interests: Interests,
}

/// All of it.
#[derive(Default)]
pub(super) struct Policies {
    config: PoliciesConfig,
    stores: Stores,
    /// The root of the hierarchy of cgroups.
    cgroups: Option<PathBuf>,
    namespace: u64,
    tables: Option<PolicyTables>,
    /// Why there can be none in the kernel.
    fault: Option<String>,
    /// Why no hook says who makes sockets, as far as that is known.
    unhooked: Option<String>,
    /// Those of clients, for as long as they are connected.
    held: BTreeMap<ClientId, Vec<Placed>>,
    /// The strongest first.
    all: Vec<InForce>,
    settings: Settings,
    complaints: Vec<Complaint>,
    news: VecDeque<PolicyEvent>,
    watched: Watched,
    /// When it is to be read again because something has changed, and because of time.
    changed: Option<Instant>,
    next: Option<Instant>,
    /// Interfaces with their names and profiles.
    links: BTreeMap<u32, String>,
    profiles: BTreeMap<String, u32>,
    names: Option<SocketNames>,
    wanted: WantedPolicies,
    is_wanted_anew: bool,
    /// Whether there have been any since the start, and whether there were at once.
    had_any: Option<bool>,
    in_kernel: Vec<PolicyRule>,
    kernel_settings: PolicySettings,
}

impl Policies {
    /// With what the kernel has for them, or why it has nothing.
    fn new(
        config: &DaemonConfig,
        tables: Result<PolicyTables, String>,
        cgroups: Option<PathBuf>,
        namespace: u64,
    ) -> Self {
        let said = &config.policies;
        let (tables, fault) = match tables {
            Ok(tables) => (Some(tables), None),
            Err(why) => (None, Some(why)),
        };
        let profiles =
            said.profile.keys().take(MOST_PROFILES).enumerate().map(|(bit, name)| (name.clone(), 1 << bit));
        if said.profile.len() > MOST_PROFILES {
            tracing::warn!(
                "there are more than {MOST_PROFILES} profiles in [policies]: the last by name are none"
            );
        }
        Self {
            config: said.clone(),
            stores: stores(config),
            cgroups,
            namespace,
            tables,
            fault,
            profiles: profiles.collect(),
            names: SocketNames::open().ok(),
            ..Self::default()
        }
    }

    /// In this network namespace, with the cgroups that this process sees.
    pub(super) fn open(config: &DaemonConfig, tables: Result<PolicyTables, String>) -> Self {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0");
        let cookie = socket.and_then(|socket| sys::namespace_cookie(socket.as_fd()));
        // Where it has no name there are no hooks that would ask for it.
        let namespace = cookie.unwrap_or_default();
        let named = config.qos.cgroup.as_deref().map(root_of);
        Self::new(config, tables, hierarchy().or(named), namespace)
    }

    /// When something is to be done.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.changed.into_iter().chain(self.next).min()
    }

    /// What keeps hooks from saying who makes sockets now.
    pub(super) fn hear_of_hooks(&mut self, unhooked: Option<String>) {
        self.unhooked = unhooked;
    }

    /// Waits until a file changes.
    pub(super) async fn changed(&self) {
        self.watched.changed().await;
    }

    /// What has happened since, and what interfaces are to have now if that is other than before.
    pub(super) fn take_news(&mut self) -> Vec<PolicyEvent> {
        self.news.drain(..).collect()
    }

    pub(super) fn take_wanted(&mut self) -> Option<WantedPolicies> {
        core::mem::take(&mut self.is_wanted_anew).then(|| self.wanted.clone())
    }

    /// Does what time or a change has come for.
    pub(super) fn turn(&mut self, now: Instant) {
        if self.watched.take() && self.changed.is_none() {
            self.changed = Some(now + REST);
        }
        if self.wake_at().is_some_and(|at| at <= now) {
            self.refresh(now);
        }
    }

    /// Interfaces are these now.
    pub(super) fn interfaces(&mut self, links: BTreeMap<u32, String>) {
        self.links = links;
        self.want();
    }

    /// Reads everything and puts it in force.
    pub(super) fn refresh(&mut self, now: Instant) {
        self.changed = None;
        self.next = Some(now + self.config.refresh.map_or(REFRESH, |span| span.0));
        if !self.config.enabled {
            self.next = None;
            return;
        }
        let mut read = self.read();
        for _ in 0..MOST_READ {
            if !self.watched.follow(&read.interests) {
                break;
            }
            read = self.read();
        }
        let Read { all, settings, complaints, .. } = read;
        let is_user = |all: &[InForce]| -> Vec<_> {
            all.iter().filter(|p| p.placed.policy.user.is_some()).map(|p| p.placed.policy.clone()).collect()
        };
        let of_users = (is_user(&self.all), is_user(&all));
        let of_computer = |all: &[InForce]| -> Vec<_> {
            all.iter().filter(|p| p.placed.policy.user.is_none()).map(|p| p.placed.policy.clone()).collect()
        };
        let of_computers = (of_computer(&self.all), of_computer(&all));
        self.all = all;
        self.say_complaints(&complaints);
        self.complaints = complaints;
        self.put_in_force(settings);
        self.say_refreshed(16500, of_computers.0 != of_computers.1);
        if !self.config.users.is_empty() || !of_users.1.is_empty() || !of_users.0.is_empty() {
            self.say_refreshed(16502, of_users.0 != of_users.1);
        }
        if settings != self.settings {
            self.say_settings(self.settings, settings);
            self.settings = settings;
        }
        self.want();
        // What had no room the last time (64 programs at the cgroup) may have some now.
        self.is_wanted_anew = self.tables.is_some();
    }

    /// What stores have now, the strongest first, and as far as this computer knows what it is for.
    fn read(&self) -> Read {
        let held: Vec<Placed> = self.held.values().flatten().cloned().collect();
        let loaded = self.stores.load(&held);
        let mut complaints = loaded.complaints;
        let mut around = Around::new(self.cgroups.as_deref(), &self.profiles);
        let mut all: Vec<InForce> = loaded
            .policies
            .into_iter()
            .map(|(store, placed)| in_force(store, placed, &mut around, &mut complaints))
            .collect();
        let mut interests = around.watched;
        interests.extend(self.stores.interests());
        all.sort_by(|one, other| compare(&other.placed.policy, &one.placed.policy).0);
        bound(&mut all, &mut complaints);
        Read { all, settings: loaded.settings, complaints, interests }
    }

    /// Gives the kernel what it does not have yet.
    fn put_in_force(&mut self, settings: Settings) {
        let rules: Vec<PolicyRule> = self.all.iter().filter_map(|policy| policy.rule.clone()).collect();
        let is_any = !rules.is_empty();
        // Sockets that were there before the daemon are given policies that it starts with; later ones leave open connections alone.
        let old_too = *self.had_any.get_or_insert(is_any);
        let kernel_settings = PolicySettings {
            dscp_override: settings.dscp_override.unwrap_or_default(),
            flow_override: settings.flow_override.unwrap_or_default(),
            old_too,
            window: settings.inbound_level.and_then(inbound_window),
        };
        let Some(tables) = &mut self.tables else {
            if is_any && let Some(fault) = &self.fault {
                let message = format!("no policy is in force: {fault}");
                // What servers ask for needs no kernel.
                let of_kernel = self.all.iter_mut().filter(|policy| policy.rule.is_some());
                of_kernel.for_each(|policy| policy.fault = Some(message.clone()));
            }
            return;
        };
        if rules == self.in_kernel && kernel_settings == self.kernel_settings && !tables.is_strange() {
            return;
        }
        match tables.switch(&rules, kernel_settings, self.namespace) {
            Ok(_) => (self.in_kernel, self.kernel_settings) = (rules, kernel_settings),
            Err(error) => {
                let message = format!("policies stay as they were: {error}");
                self.say(16700, None, message);
            }
        }
    }

    /// What interfaces are to have.
    fn want(&mut self) {
        let Some(tables) = &self.tables else { return };
        let gateways = if self.config.profile.values().any(|profile| !profile.gateways.is_empty()) {
            watch::gateways()
        } else {
            BTreeMap::new()
        };
        let bits = |name: &String| {
            let of = self.profiles.iter().filter(|(profile, _)| {
                self.config
                    .profile
                    .get(*profile)
                    .is_some_and(|said| said.has(name, gateways.get(name).map(String::as_str)))
            });
            of.fold(0, |bits, (_, bit)| bits | bit)
        };
        let shaped = self.all.iter().filter_map(|of| {
            let rule = of.rule.as_ref().filter(|rule| rule.rated)?;
            let action = &of.placed.policy.action;
            let shaped = Shaped {
                name: of.placed.policy.name.clone(),
                rate: action.rate_bps.map(|bps| (bps / 8).max(1)),
                weight: action.weight,
            };
            Some((tables.serial_of(rule.identity)?, shaped))
        });
        let wanted = WantedPolicies {
            active: !self.in_kernel.is_empty()
                || self.kernel_settings.dscp_override
                || self.kernel_settings.flow_override
                || self.kernel_settings.window.is_some(),
            profiles: self.links.iter().map(|(index, name)| (*index, bits(name))).collect(),
            shaped: shaped.collect(),
        };
        if wanted != self.wanted {
            self.wanted = wanted;
            self.is_wanted_anew = true;
        }
    }

    /// A client is gone, and with it what it has put for as long as it is there.
    pub(super) fn gone(&mut self, client: ClientId, now: Instant) {
        if self.held.remove(&client).is_some() {
            self.refresh(now);
        }
    }

    /// The daemon ends: what was put until then goes.
    pub(super) fn end(&mut self) {
        if let Some(folder) = self.stores.folder(Store::Active) {
            answers::forget_put(folder);
        }
    }

    fn say(&mut self, number: u32, policy: Option<String>, message: String) {
        match number {
            16700.. => tracing::error!(event = number, "{message}"),
            16600.. => tracing::warn!(event = number, "{message}"),
            _ => tracing::info!(event = number, "{message}"),
        }
        if self.news.len() < MOST_NEWS {
            self.news.push_back(PolicyEvent { number, policy, message });
        }
    }

    fn say_complaints(&mut self, complaints: &[Complaint]) {
        for Complaint { event, policy, message } in
            complaints.iter().filter(|one| !self.complaints.contains(one)).cloned().collect::<Vec<_>>()
        {
            self.say(event, policy, message);
        }
    }

    /// The pair of numbers is for no changes and for changes.
    fn say_refreshed(&mut self, first: u32, has_changed: bool) {
        let whose = if first == 16500 { "the computer's" } else { "users'" };
        let found = if has_changed { "changes were found" } else { "no changes were found" };
        self.say(first + u32::from(has_changed), None, format!("{whose} policies were read: {found}"));
    }

    fn say_settings(&mut self, before: Settings, now: Settings) {
        if before.inbound_level != now.inbound_level {
            let level = now.inbound_level;
            let number = level.map_or(16504, |level| 16505 + u32::from(level));
            let said = level.map_or_else(
                || "not set: the kernel's own windows apply".to_owned(),
                |level| level.to_string(),
            );
            self.say(number, None, format!("the inbound TCP throughput level is {said}"));
        }
        for (before, now, whose) in [
            (before.dscp_override, now.dscp_override, "sockets"),
            (before.flow_override, now.flow_override, "flows"),
        ] {
            if before == now {
                continue;
            }
            let (number, said) = match now {
                None => (16509, "not set: they may mark"),
                Some(true) => (16510, "on: their marks are ignored"),
                Some(false) => (16511, "off: they may mark"),
            };
            self.say(number, None, format!("the DSCP marking override of {whose} is {said}"));
        }
    }
}

/// Where stores are, by the configuration.
fn stores(config: &DaemonConfig) -> Stores {
    let said = &config.policies;
    let folders =
        [(Store::Active, &said.active), (Store::Persistent, &said.persistent), (Store::Vendor, &said.vendor)];
    let named = folders.into_iter().filter(|(_, folder)| !folder.as_os_str().is_empty());
    let home = |name: &String| {
        let user = nix::unistd::User::from_name(name).ok().flatten();
        if user.is_none() {
            tracing::warn!("`users` in [policies]: there is no user {name}");
        }
        Some((name.clone(), user?.dir.join(&said.user_folder)))
    };
    Stores {
        computer: named.map(|(store, folder)| (store, folder.clone())).collect(),
        users: said.users.iter().filter_map(home).collect(),
        highest_dscp: config.qos.limits().dscp,
    }
}

/// What becomes of a policy of a store.
fn in_force(
    store: Store,
    placed: Placed,
    around: &mut Around<'_>,
    complaints: &mut Vec<Complaint>,
) -> InForce {
    if placed.policy.conditions.url.is_some() {
        return InForce { store, placed, rule: None, fault: None };
    }
    match around.resolve(store, &placed.policy) {
        Ok(rule) => InForce { store, placed, rule: Some(rule), fault: None },
        Err((event, why)) => {
            let policy = placed.policy.name.clone();
            let message = format!("{}:{}:1: policy \"{policy}\": {why}", placed.file.display(), placed.line);
            if complaints.len() < file::MOST_COMPLAINTS {
                complaints.push(Complaint { event, policy: Some(policy), message });
            }
            InForce { store, placed, rule: None, fault: Some(why) }
        }
    }
}

/// Leaves out the weakest where there are too many.
fn bound(all: &mut [InForce], complaints: &mut Vec<Complaint>) {
    let mut left = MOST_POLICIES;
    let mut over = 0;
    for policy in all.iter_mut().filter(|policy| policy.fault.is_none()) {
        if left > 0 {
            left -= 1;
            continue;
        }
        (policy.rule, policy.fault) = (None, Some(format!("there is room for {MOST_POLICIES} policies")));
        over += 1;
    }
    if over > 0 {
        let message = format!("there is room for {MOST_POLICIES} policies: the weakest {over} are left out");
        complaints.push(Complaint { event: TOO_MANY, policy: None, message });
    }
}

/// The root of the hierarchy of cgroups above a folder of it.
fn root_of(folder: &Path) -> PathBuf {
    let is_cgroup = |path: &Path| {
        nix::sys::statfs::statfs(path)
            .is_ok_and(|found| found.filesystem_type() == nix::sys::statfs::CGROUP2_SUPER_MAGIC)
    };
    let above = folder.ancestors().take_while(|path| is_cgroup(path)).last();
    above.unwrap_or(folder).to_owned()
}
