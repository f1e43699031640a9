//! Stores: folders with files of policies, the computer's and users'.
//!
//! A store before another has its policies in the place of those of the same name: the active one, which is gone with the next start of the
//! machine, the administrator's, the distribution's. A user's store counts where the administrator says so, for that user alone.

use super::file::{self, Complaint, Placed};
use super::watch::Interesting;
use rsvp_control::policy::{Settings, Store};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest file that is read, in octets.
const LONGEST_FILE: u64 = 8 * 1024 * 1024;
/// Files of one folder that are read.
const MOST_FILES: usize = 16_384;
/// Complaints that are kept.
pub(super) const MOST_COMPLAINTS: usize = 1_000;
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
            let before = loaded.policies.len();
            loaded.read(Store::User, folder, Some(user), &mut names);
            loaded.bound(before, self.highest_dscp);
        }
        loaded
    }

    /// Folders whose changes count.
    pub(super) fn interests(&self) -> impl Iterator<Item = (PathBuf, Interesting)> {
        let folders =
            self.computer.iter().map(|(_, folder)| folder).chain(self.users.iter().map(|(_, folder)| folder));
        folders.map(|folder| (folder.clone(), Interesting::Policies))
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
        let files = match files(folder) {
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

/// The files of a folder, in the order of their names. One that is not there has none.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_hidden = |path: &Path| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !is_hidden(path));
    found.sort();
    if found.len() > MOST_FILES {
        return Err(io::Error::other(format!(
            "more than {MOST_FILES} files are not read: put more policies into one"
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
    let mut text = String::new();
    let length = file.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST_FILE {
        return Err(io::Error::other(format!("a file of policies has {LONGEST_FILE} octets at most")));
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
