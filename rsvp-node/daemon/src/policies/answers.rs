//! What clients ask about policies, and what is said of folders of them without a daemon.

use super::file::{self, Placed};
use super::resolve::Around;
use super::store::{self, Stores};
use super::{InForce, Policies};
use crate::config::DaemonConfig;
use crate::control::service::{ClientId, Who};
use crate::hooks::hierarchy;
use rsvp_control::policy::{Matching, Put, Remove, Report, Settings, Store};
use rsvp_control::{Done, Problem, Request};
use rsvp_node::qos::Transport;
use rsvp_node::qos::policy::{Policy, Request as Asked, Traffic, Url};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tokio::time::Instant;

/// What a file begins with that was put there by a request.
const PUT: &str = "# rsvp policy put";
/// The file of settings that were set by a request.
const SETTINGS: &str = "rsvp-settings.toml";
/// What a file's name begins with that is not its policy's.
const HASHED: &str = "policy-";
/// Policies that one connection may have.
const MOST_HELD: usize = 64;

impl Policies {
    /// Does what a client asks.
    pub(crate) fn request(
        &mut self,
        client: ClientId,
        who: Who,
        request: Request,
        now: Instant,
    ) -> Result<Done, Problem> {
        let of = |report: Report| Done { policy: Some(report), ..Done::default() };
        match request {
            Request::PolicyList {} => Ok(of(self.report())),
            Request::PolicyExplain(asked) => {
                Ok(of(self.explain(&asked, who.sockets_only.then_some(who.uid))))
            }
            Request::PolicyMatch(asked) => Ok(of(self.for_url(&asked)?)),
            _ if who.sockets_only => {
                let message = "policies are put, removed and read again on the daemon's control socket, by root and members of its group";
                Err(Problem::new("not-permitted", message))
            }
            _ if !self.config.enabled => {
                let message = "there are no policies here: `enabled = false` in [policies] of rsvpd.toml";
                Err(Problem::new("not-permitted", message))
            }
            Request::PolicyPut(put) => {
                self.put(client, &put)?;
                self.refresh(now);
                Ok(of(self.report()))
            }
            Request::PolicyRemove(remove) => {
                self.remove(client, &remove)?;
                self.refresh(now);
                Ok(Done::default())
            }
            Request::PolicySettings(settings) => {
                self.set(settings)?;
                self.refresh(now);
                Ok(Done::default())
            }
            Request::PolicyRefresh {} => {
                self.refresh(now);
                Ok(of(self.report()))
            }
            _ => Err(Problem::new("bad-request", "this request is not about policies")),
        }
    }

    fn put(&mut self, client: ClientId, put: &Put) -> Result<(), Problem> {
        let contents = file::parse(Path::new("policy"), &put.text, None);
        if let Some(complaint) = contents.complaints.first() {
            return Err(Problem::new("bad-policy", complaint.message.clone()));
        }
        let [placed] = &contents.policies[..] else {
            return Err(Problem::new("bad-policy", "the text of a policy has one [[policy]]"));
        };
        if contents.settings != Settings::default() {
            let message = "the text of a policy has no [settings]: rsvp policy settings sets them";
            return Err(Problem::new("bad-policy", message));
        }
        let policy = &placed.policy;
        // What it names is looked for now, so that who puts it hears of it.
        let resolved = match policy.conditions.url {
            Some(_) => Ok(()),
            None => {
                Around::new(self.cgroups.as_deref(), &self.profiles).resolve(put.store, policy).map(|_| ())
            }
        };
        resolved
            .map_err(|(_, why)| Problem::new("bad-policy", format!("policy \"{}\": {why}", policy.name)))?;
        if put.store == Store::Connection {
            let held = self.held.entry(client).or_default();
            held.retain(|other| (&other.policy.name, &other.policy.user) != (&policy.name, &policy.user));
            if held.len() >= MOST_HELD {
                return Err(Problem::new(
                    "limit-reached",
                    format!("a connection has {MOST_HELD} policies at most"),
                ));
            }
            held.push(Placed { file: PathBuf::new(), line: 0, ..placed.clone() });
            return Ok(());
        }
        let folder = self.writable(put.store)?;
        let name = file_name(policy);
        let path = folder.join(&name);
        if let Some(there) = self.there(put.store, &policy.name, policy.user.as_deref())
            && there.placed.file != path
        {
            let place = format!("{}:{}", there.placed.file.display(), there.placed.line);
            let message = format!(
                "policy \"{}\" is in {place}, which was written by hand: change it there",
                policy.name
            );
            return Err(Problem::new("bad-policy", message));
        }
        not_by_hand(&path)?;
        store::write(&folder, &name, &format!("{PUT}\n{}", put.text))
            .map_err(|error| not_kept(&folder, &error))
    }

    fn remove(&mut self, client: ClientId, remove: &Remove) -> Result<(), Problem> {
        let Remove { name, user, store } = remove;
        let is_it = |policy: &Policy| (&policy.name, &policy.user) == (name, user);
        if store.is_none_or(|store| store == Store::Connection)
            && let Some(held) = self.held.get_mut(&client)
            && held.iter().any(|held| is_it(&held.policy))
        {
            held.retain(|held| !is_it(&held.policy));
            return Ok(());
        }
        let there = self
            .all
            .iter()
            .find(|of| is_it(&of.placed.policy) && store.is_none_or(|store| store == of.store));
        let there = there.ok_or_else(|| {
            let whose = user.as_ref().map(|user| format!(" of {user}'s")).unwrap_or_default();
            Problem::new(
                "not-found",
                format!("there is no policy \"{name}\"{whose}: rsvp policy list shows all"),
            )
        })?;
        let (path, line) = (&there.placed.file, there.placed.line);
        if there.store == Store::Connection {
            let message = format!("policy \"{name}\" is of another connection, and is gone with that");
            return Err(Problem::new("bad-policy", message));
        }
        let was_put = store::text(path, None).is_ok_and(|text| text.starts_with(PUT));
        if !was_put {
            let message = format!(
                "policy \"{name}\" is in {}:{line}, which was written by hand: take it out there",
                path.display()
            );
            return Err(Problem::new("bad-policy", message));
        }
        std::fs::remove_file(path).map_err(|error| not_kept(path, &error))
    }

    fn set(&mut self, settings: Settings) -> Result<(), Problem> {
        if settings.inbound_level.is_some_and(|level| level > 3) {
            return Err(Problem::new("bad-policy", "an inbound level is 0 to 3"));
        }
        let folder = self.writable(Store::Active)?;
        not_by_hand(&folder.join(SETTINGS))?;
        if settings == Settings::default() {
            return match std::fs::remove_file(folder.join(SETTINGS)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(not_kept(&folder, &error)),
                _ => Ok(()),
            };
        }
        let mut text = format!("{PUT}\n[settings]\n");
        text.extend(settings.inbound_level.map(|level| format!("inbound_level = {level}\n")));
        text.extend(settings.dscp_override.map(|is| format!("dscp_override = {is}\n")));
        text.extend(settings.flow_override.map(|is| format!("flow_override = {is}\n")));
        store::write(&folder, SETTINGS, &text).map_err(|error| not_kept(&folder, &error))
    }

    fn writable(&self, store: Store) -> Result<PathBuf, Problem> {
        let folder = Some(store).filter(|store| matches!(store, Store::Active | Store::Persistent));
        let folder = folder.and_then(|store| self.stores.folder(store)).map(Path::to_owned);
        folder.ok_or_else(|| {
            let message = format!(
                "nothing is put into the store \"{}\": active, persistent or connection",
                store.word()
            );
            Problem::new("bad-policy", message)
        })
    }

    fn there(&self, store: Store, name: &str, user: Option<&str>) -> Option<&InForce> {
        self.all.iter().find(|of| {
            of.store == store && of.placed.policy.name == name && of.placed.policy.user.as_deref() == user
        })
    }

    /// The policy for what an HTTP server answers.
    fn for_url(&self, asked: &Matching) -> Result<Report, Problem> {
        let url = Url::asked_for(&asked.url).ok();
        let Some(Url { https, host: Some(host), port: Some(port), path, .. }) = &url else {
            let message = format!(
                "\"{}\" is not a URL such as http://host:8080/path, of one host (an IPv6 address in brackets) and port",
                asked.url
            );
            return Err(Problem::new("bad-request", message));
        };
        let traffic = Traffic {
            user: None,
            app_path: None,
            unit: None,
            request: Some(Asked { https: *https, host, port: *port, path }),
            protocol: Transport::Tcp,
            local: asked.local,
            remote: asked.remote,
            profiles: &[],
        };
        // They are in the order in which they are chosen.
        let is_it = |policy: &Policy| policy.conditions.url.is_some() && policy.matches(&traffic);
        let found = self.all.iter().find(|of| of.fault.is_none() && is_it(&of.placed.policy));
        Ok(Report { matched: found.map(|found| self.row(found)), ..Report::default() })
    }
}

fn not_kept(at: &Path, error: &io::Error) -> Problem {
    Problem::new("not-kept", format!("{}: {error}; [policies] of rsvpd.toml names the stores", at.display()))
}

/// Refuses to write over, or to take away, what no request has put there.
fn not_by_hand(path: &Path) -> Result<(), Problem> {
    match store::text(path, None) {
        Ok(text) if !text.starts_with(PUT) => {
            let message = format!("{} was written by hand: change it there", path.display());
            Err(Problem::new("bad-policy", message))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(not_kept(path, &error)),
        _ => Ok(()),
    }
}

/// What a file is called that has one policy: its name, where that can be one and no other policy's file has it.
fn file_name(policy: &Policy) -> String {
    let is_plain = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !name.starts_with('.')
            && !name.starts_with(HASHED)
    };
    let name = format!("{}.toml", policy.name);
    if policy.user.is_none() && is_plain(&policy.name) && name != SETTINGS {
        name
    } else {
        format!("{HASHED}{:016x}.toml", super::resolve::identity(&policy.name, policy.user.as_deref()))
    }
}

/// Takes away what requests have put into a store; what was, a line each.
pub(crate) fn forget_put(folder: &Path) -> Vec<String> {
    let mut gone = Vec::new();
    for path in store::computers_files(folder).unwrap_or_default() {
        let was_put = store::text(&path, None).is_ok_and(|text| text.starts_with(PUT));
        if was_put && std::fs::remove_file(&path).is_ok() {
            gone.push(format!("{}: a policy that was put until the next start", path.display()));
        }
    }
    gone
}

/// What is wrong with files, or with those in folders, and how many policies there are that could be used here: a line for each
/// thing, with file, line and column. What this computer cannot do is said, too, and what the system says of a path.
#[must_use]
pub fn check(paths: &[PathBuf]) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut usable = 0;
    let cgroups = hierarchy();
    let profiles = BTreeMap::new();
    let mut around = Around::new(cgroups.as_deref(), &profiles);
    for path in paths {
        if path.is_dir() {
            let stores =
                Stores { computer: vec![(Store::Active, path.clone())], users: Vec::new(), highest_dscp: 63 };
            let loaded = stores.load(&[]);
            wrong.extend(loaded.complaints.into_iter().map(|complaint| complaint.message));
            for (_, placed) in loaded.policies {
                usable += usize::from(look(&placed, &mut around, &mut wrong));
            }
            continue;
        }
        // What is not there is a mistake here.
        let text = match store::text(path, None) {
            Ok(text) => text,
            Err(error) => {
                wrong.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let contents = file::parse(path, &text, None);
        wrong.extend(contents.complaints.into_iter().map(|complaint| complaint.message));
        for placed in contents.policies {
            usable += usize::from(look(&placed, &mut around, &mut wrong));
        }
    }
    (usable, wrong)
}

/// Whether a policy could be in force on this computer; a profile is the daemon's to know.
fn look(placed: &Placed, around: &mut Around<'_>, wrong: &mut Vec<String>) -> bool {
    let policy = Policy { profile: None, ..placed.policy.clone() };
    if policy.conditions.url.is_some() {
        return true;
    }
    match around.resolve(Store::Active, &policy) {
        Ok(_) => true,
        Err((_, why)) => {
            wrong.push(format!(
                "{}:{}:1: policy \"{}\": {why}",
                placed.file.display(),
                placed.line,
                policy.name
            ));
            false
        }
    }
}

/// What cgroups of commands are called, for which policies were put (`rsvp run`).
pub const RUN: &str = "rsvp-run-";

/// Takes away what an earlier run has left beside the kernel's maps: policies until the next start, and empty cgroups of commands.
pub(crate) fn clean(config: &DaemonConfig) -> Vec<String> {
    let mut found = forget_put(&config.policies.active);
    let root = hierarchy();
    let entries = root.iter().filter_map(|root| std::fs::read_dir(root).ok()).flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(RUN)) {
        // One in which something runs is not empty, and stays.
        if std::fs::remove_dir(entry.path()).is_ok() {
            found.push(format!("{}: the cgroup of a command", entry.path().display()));
        }
    }
    found
}

/// Gives stores that are written to, to the user that the daemon runs as.
pub(crate) fn give_to(config: &DaemonConfig, user: u32) {
    let said = &config.policies;
    for folder in [&said.active, &said.persistent]
        .into_iter()
        .filter(|folder| said.enabled && !folder.as_os_str().is_empty())
    {
        let given =
            std::fs::create_dir_all(folder).and_then(|()| std::os::unix::fs::chown(folder, Some(user), None));
        if let Err(error) = given {
            tracing::warn!("no policies can be put into {}: {error}", folder.display());
        }
    }
}
