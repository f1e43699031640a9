//! Stores: folders with files of policies, the computer's and users'.
//!
//! A store before another has its policies in the place of those of the same name: the active one, which is gone with the next start of the
//! machine, the administrator's, the distribution's. A user's store counts where the administrator says so, for that user alone.

use super::file::{self, Complaint, MOST_COMPLAINTS, Placed};
use super::watch::Interesting;
use rsvp_control::policy::{Settings, Store};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What is read of a store, and kept of it.
#[derive(Clone, Copy)]
struct Room {
    files: usize,
    /// Octets of a file.
    longest: u64,
    policies: usize,
    complaints: usize,
}

/// For the computer's stores; policies are bound where they are put in force.
const OF_COMPUTER: Room =
    Room { files: 16_384, longest: 8 * 1024 * 1024, policies: usize::MAX, complaints: MOST_COMPLAINTS };
/// For each user's: all of it is read again whenever the user likes.
const OF_USER: Room = Room { files: 64, longest: 64 * 1024, policies: 256, complaints: 64 };
const TOO_MANY: u32 = 16606;
const CONFLICT: u32 = 16608;
const REFRESH_FAILED: u32 = 16700;

/// Where policies are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stores {
    /// The computer's, those that count first before others.
    pub computer: Vec<(Store, PathBuf)>,
    /// Users whose own count, and where those are.
    pub users: Vec<(String, PathBuf)>,
    /// The highest DSCP of users' policies.
    pub highest_dscp: u8,
}

/// A policy with the store that it is of.
pub type Stored = (Store, Placed);

/// What stores have.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Policies, of equal names the first alone.
    pub policies: Vec<Stored>,
    /// Settings, each by the first that says it.
    pub settings: Settings,
    /// What is left out.
    pub complaints: Vec<Complaint>,
}

impl Stores {
    /// Reads all of them.
    #[must_use]
    pub fn load(&self, first: &[Placed]) -> Loaded {
        let mut loaded = Loaded::default();
        let mut names: BTreeMap<(String, Option<String>), (Store, String)> = BTreeMap::new();
        loaded.take(Store::Connection, first.to_vec(), &mut names);
        for (store, folder) in &self.computer {
            loaded.read(*store, folder, None, &mut names);
        }
        for (user, folder) in &self.users {
            let before = (loaded.policies.len(), loaded.complaints.len());
            loaded.read(Store::User, folder, Some(user), &mut names);
            loaded.bound(before.0, self.highest_dscp);
            loaded.complaints.truncate(before.1 + OF_USER.complaints);
            loaded.bound_number(before.0, user, folder);
        }
        loaded
    }

    /// Folders whose changes count, and those above them, in which others may come in their place.
    pub(super) fn interests(&self) -> impl Iterator<Item = (PathBuf, Interesting)> {
        let folders =
            self.computer.iter().map(|(_, folder)| folder).chain(self.users.iter().map(|(_, folder)| folder));
        folders.flat_map(|folder| {
            let above = folder.ancestors().filter_map(Interesting::named);
            above.chain([(folder.clone(), Interesting::Policies)])
        })
    }

    /// Where a store is that is written to.
    #[must_use]
    pub fn folder(&self, store: Store) -> Option<&Path> {
        self.computer.iter().find(|(of, _)| *of == store).map(|(_, folder)| folder.as_path())
    }
}

impl Loaded {
    fn complain(&mut self, complaint: Complaint) {
        if self.complaints.len() < MOST_COMPLAINTS {
            self.complaints.push(complaint);
        }
    }

    fn read(&mut self, store: Store, folder: &Path, user: Option<&str>, names: &mut Names) {
        let event = REFRESH_FAILED + u32::from(user.is_some());
        let failed = |path: &Path, why: &str| Complaint {
            event,
            policy: None,
            message: format!("{}: {why}", path.display()),
        };
        let room = if user.is_some() { OF_USER } else { OF_COMPUTER };
        let files = match files(folder, room) {
            Ok(files) => files,
            Err(error) => return self.complain(failed(folder, &error.to_string())),
        };
        for path in files {
            match text(&path, user) {
                Ok(text) => {
                    let contents = file::parse(&path, &text, user);
                    contents.complaints.into_iter().for_each(|complaint| self.complain(complaint));
                    let (settings, more) = (&mut self.settings, contents.settings);
                    settings.inbound_level = settings.inbound_level.or(more.inbound_level);
                    settings.dscp_override = settings.dscp_override.or(more.dscp_override);
                    settings.flow_override = settings.flow_override.or(more.flow_override);
                    self.take(store, contents.policies, names);
                }
                Err(error) => self.complain(failed(&path, &error.to_string())),
            }
        }
    }

    fn take(&mut self, store: Store, policies: Vec<Placed>, names: &mut Names) {
        for placed in policies {
            let key = (placed.policy.name.clone(), placed.policy.user.clone());
            let place = format!("{}:{}", placed.file.display(), placed.line);
            match names.get(&key) {
                Some((there, at)) if *there == store => {
                    let event = CONFLICT + u32::from(key.1.is_some());
                    let message =
                        format!("{place}:1: policy \"{}\" is in {at} already: this one is left out", key.0);
                    self.complain(Complaint { event, policy: Some(key.0), message });
                }
                Some(_) => {}
                None => {
                    names.insert(key, (store, place));
                    self.policies.push((store, placed));
                }
            }
        }
    }

    /// Of a user's policies from a place on the first so many are there.
    fn bound_number(&mut self, from: usize, user: &str, folder: &Path) {
        let over = (self.policies.len() - from).saturating_sub(OF_USER.policies);
        self.policies.truncate(self.policies.len() - over);
        if over > 0 {
            let message = format!(
                "{}: {user} has room for {} policies: the last {over} are left out",
                folder.display(),
                OF_USER.policies
            );
            self.complain(Complaint { event: TOO_MANY + 1, policy: None, message });
        }
    }

    /// Users' policies from a place on have no higher DSCP than they may.
    fn bound(&mut self, from: usize, highest: u8) {
        let of_user = self.policies.split_off(from);
        for (store, placed) in of_user {
            match placed.policy.action.dscp.filter(|dscp| *dscp > highest) {
                None => self.policies.push((store, placed)),
                Some(dscp) => {
                    let message = format!(
                        "{}:{}:1: a program may ask for DSCPs up to {highest} here (`highest_dscp` in [qos] of rsvpd.toml), not {dscp}",
                        placed.file.display(),
                        placed.line
                    );
                    self.complain(Complaint { event: 16711, policy: Some(placed.policy.name), message });
                }
            }
        }
    }
}

type Names = BTreeMap<(String, Option<String>), (Store, String)>;

/// The files of a folder of the computer's.
pub(super) fn computers_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    files(folder, OF_COMPUTER)
}

/// The files of a folder, in the order of their names. One that is not there has none.
fn files(folder: &Path, room: Room) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_hidden = |path: &Path| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !is_hidden(path));
    found.sort();
    if found.len() > room.files {
        return Err(io::Error::other(format!(
            "more than {} files are not read: put more policies into one",
            room.files
        )));
    }
    Ok(found)
}

/// What is in a file. A user's has to be the user's own: this process may read more than its users may.
pub(super) fn text(path: &Path, user: Option<&str>) -> io::Result<String> {
    let mut options = OpenOptions::new();
    let flags = libc::O_NONBLOCK | if user.is_some() { libc::O_NOFOLLOW } else { 0 };
    let file = options.read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if let Some(user) = user {
        let owner = nix::unistd::User::from_name(user)?.map(|user| user.uid.as_raw());
        if owner != Some(found.uid()) {
            return Err(io::Error::other(format!("it does not belong to {user}")));
        }
    }
    let longest = if user.is_some() { OF_USER.longest } else { OF_COMPUTER.longest };
    let mut text = String::new();
    let length = file.take(longest + 1).read_to_string(&mut text)?;
    if length as u64 > longest {
        return Err(io::Error::other(format!("a file of policies has {longest} octets at most here")));
    }
    Ok(text)
}

/// Writes a file, whole or not at all.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".{name}.new"));
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let kept = written.and_then(|()| std::fs::rename(&beside, folder.join(name)));
    kept.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}
