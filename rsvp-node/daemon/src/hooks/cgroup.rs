//! Where the programs hang: a cgroup of the unified hierarchy, the root of what this process can see unless another is named.

use super::HookError;
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, fstatfs};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A cgroup, open for as long as programs may have to be attached to it: that takes no more than the descriptor.
#[derive(Debug)]
pub(super) struct Cgroup {
    pub(super) path: PathBuf,
    pub(super) folder: File,
}

/// Opens the one that is named, or else the root of what is mounted.
pub(super) fn open(named: Option<&Path>) -> Result<Cgroup, HookError> {
    if let Some(path) = named {
        return open_at(path).map_err(|error| HookError::NotACgroup(path.to_owned(), error));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    // One may be hidden by what was mounted over it later.
    let found = mounted(&mounts).into_iter().find_map(|path| open_at(&path).ok());
    found.ok_or(HookError::NoCgroup)
}

fn open_at(path: &Path) -> io::Result<Cgroup> {
    let folder = File::open(path)?;
    if fstatfs(&folder)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
        return Err(io::Error::other("it is not of the unified hierarchy (cgroup2)"));
    }
    if !folder.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    Ok(Cgroup { path: path.to_owned(), folder })
}

/// Where the unified hierarchy is mounted, alone or beside the older ones: whole ones first. (proc_pid_mountinfo(5))
fn mounted(mounts: &str) -> Vec<PathBuf> {
    let mut found: Vec<(bool, PathBuf)> = Vec::new();
    for line in mounts.lines() {
        let Some((front, back)) = line.split_once(" - ") else { continue };
        let mut fields = front.split(' ').skip(3);
        let (Some(root), Some(path)) = (fields.next(), fields.next()) else { continue };
        if back.split(' ').next() == Some("cgroup2") {
            found.push((root != "/", PathBuf::from(unescaped(path))));
        }
    }
    found.sort_by_key(|(is_part, _)| *is_part);
    found.into_iter().map(|(_, path)| path).collect()
}

/// Blanks and the like are three octal digits there.
fn unescaped(path: &str) -> String {
    let mut pieces = path.split('\\');
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match digits {
            Some(octet) => whole.extend([char::from(octet)].into_iter().chain(piece[3..].chars())),
            None => whole.extend(["\\", piece]),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::{mounted, open};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_unified_hierarchy_is_found_alone_beside_others_and_not_where_it_is_not() {
        let alone = "22 1 0:21 / / rw - ext4 /dev/vda rw\n\
                     30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(mounted(alone), [PathBuf::from("/sys/fs/cgroup")]);
        let hybrid = "31 30 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                      32 31 0:28 / /sys/fs/cgroup/memory rw shared:10 master:2 - cgroup cgroup rw,memory\n\
                      33 31 0:29 /a/part /mnt/cgroup2 rw - cgroup2 none rw\n\
                      34 31 0:29 / /sys/fs/cgroup/unified\\040one rw - cgroup2 none rw\n";
        assert_eq!(
            mounted(hybrid),
            [PathBuf::from("/sys/fs/cgroup/unified one"), PathBuf::from("/mnt/cgroup2")]
        );
        assert!(mounted("32 31 0:28 / /cgroup2 rw - cgroup cgroup rw,memory\nnonsense\n").is_empty());
    }

    #[test]
    fn a_folder_that_is_no_cgroup_is_refused_by_its_name() {
        for (path, why) in [("/proc", "not of the unified hierarchy"), ("/nowhere/at/all", "No such file")] {
            let error = open(Some(Path::new(path))).expect_err("no cgroup").to_string();
            assert!(error.contains(path) && error.contains(why), "{error}");
            assert!(error.contains("`cgroup` in [qos]"), "{error}");
        }
    }
}
