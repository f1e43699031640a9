//! What a policy says in words that only this computer can read: programs, users, cgroups and profiles, as the kernel knows them.

use super::watch::{Interesting, Interests};
use crate::data_plane::bpf::{FRAMES, LEVELS, PolicyRule, Program, hash_of};
use nix::unistd::{Uid, User};
use rsvp_node::qos::policy::{App, Policy};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How deep units are looked for.
const DEEPEST: usize = LEVELS as usize;
/// Cgroups that are looked at for a unit.
const MOST_LOOKED_AT: usize = 20_000;
const BAD_APP: u32 = 16610;
const BAD_FIELD: u32 = 16710;

/// What there is to resolve against.
pub(super) struct Around<'a> {
    /// The root of the hierarchy of cgroups.
    pub(super) cgroups: Option<&'a Path>,
    /// The bits of profiles.
    pub(super) profiles: &'a BTreeMap<String, u32>,
    mounts: Vec<(PathBuf, u32)>,
    files: BTreeMap<PathBuf, Result<(u32, u64), String>>,
    users: BTreeMap<String, Option<User>>,
    units: BTreeMap<String, Option<(u64, u8)>>,
    /// What might come to be or become another.
    pub(super) watched: Interests,
}

impl<'a> Around<'a> {
    pub(super) fn new(cgroups: Option<&'a Path>, profiles: &'a BTreeMap<String, u32>) -> Self {
        let mounts = mounts(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default());
        Self {
            cgroups,
            profiles,
            mounts,
            files: BTreeMap::new(),
            users: BTreeMap::new(),
            units: BTreeMap::new(),
            watched: Interests::new(),
        }
    }

    /// The policy as the kernel knows it; or which event, and why it cannot be.
    pub(super) fn resolve(&mut self, policy: &Policy) -> Result<PolicyRule, (u32, String)> {
        let of_user = policy.user.clone();
        let number = |event: u32| event + u32::from(of_user.is_some());
        let user = policy.user.as_deref().map(|name| self.user(name)).transpose();
        let user = user.map_err(|why| (number(BAD_FIELD), why))?;
        let program = match &policy.conditions.app {
            None => None,
            Some(App::Name(name)) => Some(Program::Named(hash_of(name.as_bytes()))),
            Some(App::Path(path)) => {
                let path = expanded(path, user.as_ref()).map_err(|why| (number(BAD_APP), why))?;
                let (device, inode) = self.file(&path).map_err(|why| (number(BAD_APP), why))?;
                Some(Program::File(device, inode))
            }
        };
        let unit = policy.conditions.unit.as_deref().map(|unit| self.cgroup(unit)).transpose();
        let cgroup = unit.map_err(|why| (number(BAD_FIELD), why))?;
        let profiles = match &policy.profile {
            None => 0,
            Some(profile) => *self.profiles.get(profile).ok_or_else(|| {
                let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                (
                    number(BAD_FIELD),
                    format!(
                        "there is no profile \"{profile}\" in [policies] of rsvpd.toml; there is {known}"
                    ),
                )
            })?,
        };
        let (conditions, action) = (&policy.conditions, &policy.action);
        Ok(PolicyRule {
            identity: identity(&policy.name, policy.user.as_deref()),
            user: user.map(|user| user.uid.as_raw()),
            program,
            cgroup,
            protocol: match conditions.protocol {
                _ if conditions.is_of_frames() => Some(FRAMES),
                protocol => protocol.map(|protocol| protocol.protocol()),
            },
            local: conditions.local,
            remote: conditions.remote,
            local_port: conditions.local_port,
            remote_port: conditions.remote_port,
            either_port: conditions.either_port(),
            profiles,
            dscp: action.dscp,
            priority: action.priority,
            rated: action.rate_bps.is_some() || action.weight.is_some(),
        })
    }

    fn user(&mut self, name: &str) -> Result<User, String> {
        let found = self.users.entry(name.to_owned()).or_insert_with(|| {
            let by_number = || Some(User { uid: Uid::from_raw(name.parse().ok()?), ..nobody(name) });
            User::from_name(name).ok().flatten().or_else(by_number)
        });
        found.clone().ok_or_else(|| format!("there is no user \"{name}\" on this computer"))
    }

    /// Device and inode of a program's file.
    fn file(&mut self, path: &Path) -> Result<(u32, u64), String> {
        if let Some(found) = self.files.get(path) {
            return found.clone();
        }
        self.watched.extend(named(path));
        let found = self.look_at(path);
        self.files.insert(path.to_owned(), found.clone());
        found
    }

    fn look_at(&self, path: &Path) -> Result<(u32, u64), String> {
        let shown = path.display();
        let real = std::fs::canonicalize(path).map_err(|error| format!("{shown}: {error}"))?;
        if real != *path {
            return Err(format!("{shown} is a symbolic link, or is reached by one: name {}", real.display()));
        }
        let found = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
        if !found.is_file() {
            return Err(format!("{shown} is not the file of a program"));
        }
        // The kernel's number of the file system; stat(2) may say another, of a part of it.
        let on = self
            .mounts
            .iter()
            .filter(|(at, _)| path.starts_with(at))
            .max_by_key(|(at, _)| at.components().count());
        let device = on.map_or_else(
            || kernel_device(nix::sys::stat::major(found.dev()), nix::sys::stat::minor(found.dev())),
            |(_, device)| *device,
        );
        Ok((device, found.ino()))
    }

    /// The number of a cgroup, by its path or by the name of a unit, and its level.
    fn cgroup(&mut self, said: &str) -> Result<(u64, u8), String> {
        let Some(root) = self.cgroups else {
            return Err(
                "no cgroup of the unified hierarchy (cgroup2) is mounted where rsvpd can see it".to_owned()
            );
        };
        if let Some(path) = said.strip_prefix('/') {
            let whole = root.join(path);
            self.watched.extend(named(&whole));
            let level = Path::new(path).components().count();
            let found = std::fs::metadata(&whole).map_err(|error| format!("cgroup {said}: {error}"))?;
            return match u8::try_from(level) {
                Ok(level @ 1..=LEVELS) => Ok((found.ino(), level - 1)),
                _ => Err(format!("cgroup {said}: a policy is for one of {LEVELS} levels below the root")),
            };
        }
        if let Some(found) = self.units.get(said) {
            return found.ok_or_else(|| not_there(said));
        }
        let found = find_unit(root, said);
        // One that is not there may come anywhere: in those that have most units, it is noticed at once.
        let slices = ["", "system.slice", "user.slice"]
            .map(|slice| (root.join(slice), Interesting::Named(said.into())));
        self.watched.extend(slices);
        self.watched.extend(found.iter().filter_map(|(path, _)| named(path)));
        let found = found.and_then(|(path, level)| Some((std::fs::metadata(path).ok()?.ino(), level)));
        self.units.insert(said.to_owned(), found);
        found.ok_or_else(|| not_there(said))
    }
}

/// Something of this name in its folder.
fn named(path: &Path) -> Option<(PathBuf, Interesting)> {
    Some((path.parent()?.to_owned(), Interesting::Named(path.file_name()?.to_owned())))
}

fn not_there(unit: &str) -> String {
    format!("unit {unit} has no cgroup: it does not run now")
}

fn nobody(name: &str) -> User {
    User {
        name: name.to_owned(),
        passwd: Default::default(),
        uid: Uid::from_raw(0),
        gid: nix::unistd::Gid::from_raw(0),
        gecos: Default::default(),
        dir: PathBuf::new(),
        shell: PathBuf::new(),
    }
}

/// What tells a policy from all others, also after a restart.
#[must_use]
pub(super) fn identity(name: &str, user: Option<&str>) -> u64 {
    hash_of(format!("{}\0{name}", user.unwrap_or_default()).as_bytes())
}

/// `dev_t` as the kernel has it.
const fn kernel_device(major: u64, minor: u64) -> u32 {
    ((major as u32) << 20) | (minor as u32 & 0xf_ffff)
}

/// Where file systems are mounted, with their devices. (proc_pid_mountinfo(5))
fn mounts(text: &str) -> Vec<(PathBuf, u32)> {
    let read = |line: &str| {
        let mut fields = line.split(' ').skip(2);
        let (major, minor) = fields.next()?.split_once(':')?;
        let device = kernel_device(major.parse().ok()?, minor.parse().ok()?);
        Some((PathBuf::from(fields.nth(1)?.replace("\\040", " ")), device))
    };
    text.lines().filter_map(read).collect()
}

/// A path with the values of variables, `$HOME` or `${HOME}`: those of the user, or of this daemon's environment.
fn expanded(path: &str, user: Option<&User>) -> Result<PathBuf, String> {
    let value = |name: &str| match (name, user) {
        ("HOME", Some(user)) => Some(user.dir.to_string_lossy().into_owned()),
        ("USER", Some(user)) => Some(user.name.clone()),
        _ => std::env::var(name).ok(),
    };
    let mut whole = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, left) = braced.unwrap_or_else(|| after.split_at(end));
        let known = value(name).ok_or_else(|| format!("{path}: there is no variable {name} here"))?;
        whole.push_str(&known);
        rest = left;
    }
    whole.push_str(rest);
    if whole.starts_with('/') {
        Ok(PathBuf::from(whole))
    } else {
        Err(format!("{path}: {whole} is not an absolute path"))
    }
}

/// The cgroup of a unit: the first of this name, those near the root before others.
fn find_unit(root: &Path, name: &str) -> Option<(PathBuf, u8)> {
    let (mut level, mut looked_at) = (vec![root.to_owned()], 0);
    for depth in 0..DEEPEST {
        let mut below = Vec::new();
        for folder in level {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                looked_at += 1;
                if entry.file_name().to_string_lossy() == name {
                    return Some((entry.path(), u8::try_from(depth).ok()?));
                }
                if looked_at < MOST_LOOKED_AT {
                    below.push(entry.path());
                }
            }
        }
        level = below;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{expanded, kernel_device, mounts};
    use std::path::PathBuf;

    #[test]
    fn file_systems_have_the_kernels_numbers() {
        let text = "22 1 254:1 / / rw - ext4 /dev/vda rw\n30 22 0:26 / /a\\040b rw,nosuid shared:9 - tmpfs tmpfs rw\n";
        let found = mounts(text);
        assert_eq!(found, [(PathBuf::from("/"), 0x0fe0_0001), (PathBuf::from("/a b"), 26)]);
        assert_eq!(kernel_device(254, 1), 0x0fe0_0001);
    }

    #[test]
    fn variables_have_their_values_and_others_are_refused() {
        let home = std::env::var("PATH").expect("a variable that is there");
        assert_eq!(expanded("/x/${PATH}y", None), Ok(PathBuf::from(format!("/x/{home}y"))));
        assert_eq!(expanded("/usr/bin/curl", None), Ok(PathBuf::from("/usr/bin/curl")));
        let refused = expanded("/$NOT_THERE_AT_ALL/x", None).expect_err("no such variable");
        assert!(refused.contains("no variable NOT_THERE_AT_ALL"), "{refused}");
    }
}
