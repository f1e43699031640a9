//! Pins in a bpffs: what keeps maps, and the program at interfaces, in the kernel when the process is gone.
//!
//! Each network namespace has a folder for each layout of the maps, `net-4026531840-1`: in it are the maps by their names, and
//! the program's tcx links by their interfaces' numbers, `link-3`. What is known of a flow is all in the maps, so there is
//! nothing beside them that could disagree. The folder is held open and gone through by `/proc/self/fd`, because the user that
//! the daemon becomes need not be allowed to walk there.

use super::{Capacity, MAPS, sys};
use aya::maps::MapInfo;
use nix::sys::statfs::{FsType, fstatfs};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Counted up with any change of what is in the maps: another layout is none that could be gone on with.
const LAYOUT: u32 = 4;
/// `BPF_FS_MAGIC`.
const BPFFS: i64 = 0xcafe_4a11;
/// What the names of links begin with.
const LINK: &str = "link-";

/// Why nothing can be pinned.
#[derive(Debug, Error)]
pub enum NoPins {
    /// It is another file system, or none.
    #[error("{} is not in a bpffs (`mount -t bpf bpf /sys/fs/bpf` makes one)", .0.display())]
    NoBpffs(PathBuf),
    /// The folder is another user's, or may be written by others.
    #[error("{} belongs to another user or may be written by others", .0.display())]
    Foreign(PathBuf),
    /// What the system says.
    #[error("{}: {}", .0.display(), .1)]
    System(PathBuf, io::Error),
}

/// The folder of a network namespace.
#[derive(Debug)]
pub struct Pins {
    folder: File,
    path: PathBuf,
}

impl Pins {
    /// The folder of this thread's network namespace below `root`; both are made if they are not there.
    ///
    /// # Errors
    /// Where `root` is in no bpffs, or may not be used.
    pub fn open(root: &Path) -> Result<Self, NoPins> {
        let path = folder(root).map_err(|error| NoPins::System(root.to_owned(), error))?;
        // Made only where pins can be: a folder of this name elsewhere would help nobody.
        let above = [root, root.parent().unwrap_or(root)].into_iter().find(|above| above.exists());
        if !above.is_some_and(is_bpffs) {
            return Err(NoPins::NoBpffs(root.to_owned()));
        }
        for made in [root, &path] {
            match DirBuilder::new().mode(0o700).create(made) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(NoPins::System(made.to_owned(), error));
                }
                _ => {}
            }
        }
        let system = |error| NoPins::System(path.clone(), error);
        let folder = File::open(&path).map_err(system)?;
        let found = folder.metadata().map_err(system)?;
        let me = nix::unistd::geteuid();
        if (found.uid() != me.as_raw() && !me.is_root()) || found.mode() & 0o022 != 0 {
            return Err(NoPins::Foreign(path));
        }
        Ok(Self { folder, path })
    }

    /// The folder of this thread's network namespace, if it is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn find(root: &Path) -> io::Result<Option<Self>> {
        let path = folder(root)?;
        match File::open(&path) {
            Ok(folder) => Ok(Some(Self { folder, path })),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has the folder, and all that is in it, be another user's: whom the daemon becomes.
    ///
    /// # Errors
    /// What the system says.
    pub fn give_to(&self, user: u32) -> io::Result<()> {
        let own = |path: &Path| std::os::unix::fs::chown(path, Some(user), None);
        self.names()?.iter().try_for_each(|name| own(&self.at(name)))?;
        // Root's folder above it too, so that it can be taken away at the end; not a folder that others have made.
        match self.path.parent() {
            Some(above)
                if above.metadata().is_ok_and(|above| above.uid() == 0 && above.mode() & 0o777 == 0o700) =>
            {
                own(above)?;
            }
            _ => {}
        }
        own(&self.at(""))
    }

    /// Where something of this name is.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.folder.as_raw_fd()))
    }

    /// Where the link of an interface is.
    pub(super) fn link(&self, interface: u32) -> PathBuf {
        self.at(&format!("{LINK}{interface}"))
    }

    /// The interfaces that have a link.
    pub(super) fn links(&self) -> io::Result<Vec<u32>> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(LINK)?.parse().ok()).collect())
    }

    /// What the maps that are there have room for; nothing unless there are all of them, with keys and values of these sizes.
    pub(super) fn capacity(&self) -> Option<Capacity> {
        let mut room = [0; MAPS.len()];
        for ((name, key, value), room) in MAPS.iter().zip(&mut room) {
            let map = MapInfo::from_pin(self.at(name)).ok()?;
            if (map.key_size(), map.value_size()) != (*key as u32, *value as u32) {
                return None;
            }
            *room = map.max_entries();
        }
        let [flows, states, keys_v4, keys_v6, interfaces, ..] = room;
        (flows == states && keys_v4 == keys_v6).then_some(Capacity { flows, keys: keys_v4, interfaces })
    }

    /// Takes the program away from an interface that has a link: whether it had.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_link(&self, interface: u32) -> io::Result<bool> {
        let path = self.link(interface);
        match sys::detach_link(&path) {
            // Nobody may ask for that before Linux 5.9; then it is detached with the last that has it open.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            _ => std::fs::remove_file(path).map(|()| true),
        }
    }

    /// Takes everything out of the folder: whether there was something.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn clear(&self) -> io::Result<bool> {
        for interface in self.links()? {
            self.remove_link(interface)?;
        }
        let names = self.names()?;
        names.iter().try_for_each(|name| std::fs::remove_file(self.at(name)))?;
        Ok(!names.is_empty())
    }

    /// Takes everything away: whether there was something.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self) -> io::Result<bool> {
        let found = self.clear()?;
        // Folders that are left because this user may not write above them hold nothing.
        let _ = std::fs::remove_dir(&self.path);
        if let Some(above) = self.path.parent() {
            let _ = std::fs::remove_dir(above);
        }
        Ok(found)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.at("")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }
}

/// The folder of this thread's network namespace.
fn folder(root: &Path) -> io::Result<PathBuf> {
    let namespace = std::fs::metadata("/proc/thread-self/ns/net")?.ino();
    // bpffs keeps names with a dot to itself.
    Ok(root.join(format!("net-{namespace}-{LAYOUT}")))
}

fn is_bpffs(path: &Path) -> bool {
    let found = File::open(path).ok().and_then(|folder| fstatfs(&folder).ok());
    found.is_some_and(|found| found.filesystem_type() == FsType(BPFFS as _))
}
