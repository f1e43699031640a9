//! What a policy says in words that only this computer can read: programs, users, cgroups and profiles, as the kernel knows them.

use super::watch::{Interesting, Interests};
use crate::data_plane::bpf::{FRAMES, LEVELS, PolicyRule, Program, hash_of};
use nix::unistd::{Uid, User};
use rsvp_control::policy::Store;
use rsvp_node::qos::policy::{App, Policy};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Cgroups that are looked at for units.
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
    files: BTreeMap<PathBuf, Result<(u32, u64), NoProgram>>,
    users: BTreeMap<String, Option<User>>,
    /// All cgroups by name, once they are asked for.
    units: Option<BTreeMap<OsString, (PathBuf, u8)>>,
    /// What might come to be or become another.
    pub(super) watched: Interests,
}

/// Why a path is no program's.
#[derive(Clone)]
enum NoProgram {
    /// The system's words.
    System(String),
    /// It is a link, or is reached by one, to this.
    Link(PathBuf),
    /// It is something else.
    Kind,
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
            units: None,
            watched: Interests::new(),
        }
    }

    /// The policy as the kernel knows it; or which event, and why it cannot be.
    pub(super) fn resolve(&mut self, store: Store, policy: &Policy) -> Result<PolicyRule, (u32, String)> {
        let of_user = policy.user.clone();
        let number = |event: u32| event + u32::from(of_user.is_some());
        let user = policy.user.as_deref().map(|name| self.user(name)).transpose();
        let user = user.map_err(|why| (number(BAD_FIELD), why))?;
        let program = match &policy.conditions.app {
            None => None,
            Some(App::Name(name)) => Some(Program::Named(hash_of(name.as_bytes()))),
            Some(App::Path(path)) => {
                let file = self.program(path, user.as_ref(), store == Store::User);
                let (device, inode) = file.map_err(|why| (number(BAD_APP), why))?;
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

    /// Device and inode of the program at a path with variables. A user hears nothing of what this process alone may know: the
    /// values of its environment, and where links lead.
    fn program(&mut self, said: &str, user: Option<&User>, is_users: bool) -> Result<(u32, u64), String> {
        let path = expanded(said, user, is_users)?;
        let shown = if is_users { said.to_owned() } else { path.display().to_string() };
        self.file(&path).map_err(|why| match why {
            NoProgram::System(why) => format!("{shown}: {why}"),
            NoProgram::Kind => format!("{shown} is not the file of a program"),
            NoProgram::Link(_) if is_users => {
                format!("{shown} is a symbolic link, or is reached by one: name the file itself")
            }
            NoProgram::Link(real) => {
                format!("{shown} is a symbolic link, or is reached by one: name {}", real.display())
            }
        })
    }

    /// Device and inode of a program's file.
    fn file(&mut self, path: &Path) -> Result<(u32, u64), NoProgram> {
        if let Some(found) = self.files.get(path) {
            return found.clone();
        }
        self.watched.extend(Interesting::named(path));
        let found = self.look_at(path);
        self.files.insert(path.to_owned(), found.clone());
        found
    }

    fn look_at(&self, path: &Path) -> Result<(u32, u64), NoProgram> {
        let system = |error: std::io::Error| NoProgram::System(error.to_string());
        let real = std::fs::canonicalize(path).map_err(system)?;
        if real != *path {
            return Err(NoProgram::Link(real));
        }
        let found = std::fs::metadata(path).map_err(system)?;
        if !found.is_file() {
            return Err(NoProgram::Kind);
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
            self.watched.extend(Interesting::named(&whole));
            let level = Path::new(path).components().count();
            let found = std::fs::metadata(&whole).map_err(|error| format!("cgroup {said}: {error}"))?;
            if !found.is_dir() {
                return Err(format!("cgroup {said}: that is a file of a cgroup, not one"));
            }
            return match u8::try_from(level) {
                Ok(level @ 1..=LEVELS) => Ok((found.ino(), level - 1)),
                _ => Err(format!("cgroup {said}: a policy is for one of {LEVELS} levels below the root")),
            };
        }
        let units = self.units.get_or_insert_with(|| units(root));
        let found = units.get(OsStr::new(said));
        // One that is not there may come anywhere: in those that have most units, it is noticed at once.
        let slices = ["", "system.slice", "user.slice"]
            .map(|slice| (root.join(slice), Interesting::Named(said.into())));
        self.watched.extend(slices);
        self.watched.extend(found.iter().filter_map(|(path, _)| Interesting::named(path)));
        let found = found.and_then(|(path, level)| Some((std::fs::metadata(path).ok()?.ino(), *level)));
        found.ok_or_else(|| not_there(said))
    }
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
        Some((unescaped(fields.nth(1)?), device))
    };
    text.lines().filter_map(read).collect()
}

/// A path in which space, tabulator, end of line and backslash are three octal digits behind a backslash.
fn unescaped(text: &str) -> PathBuf {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        octets.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(octets))
}

/// A path with the values of variables, `$HOME` or `${HOME}`: those of the user, or of this daemon's environment, which a user's
/// own policies do not see.
fn expanded(path: &str, user: Option<&User>, is_users: bool) -> Result<PathBuf, String> {
    let value = |name: &str| match (name, user) {
        ("HOME", Some(user)) => Some(user.dir.to_string_lossy().into_owned()),
        ("USER", Some(user)) => Some(user.name.clone()),
        _ if is_users => None,
        _ => std::env::var(name).ok(),
    };
    let mut whole = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, left) = braced.unwrap_or_else(|| after.split_at(end));
        let known = value(name).ok_or_else(|| match is_users {
            true => format!("{path}: a user's policies have the variables HOME and USER, not {name}"),
            false => format!("{path}: there is no variable {name} here"),
        })?;
        whole.push_str(&known);
        rest = left;
    }
    whole.push_str(rest);
    if whole.starts_with('/') {
        Ok(PathBuf::from(whole))
    } else {
        Err(format!("{path}: with the values of its variables that is no absolute path"))
    }
}

/// Cgroups by their names, of several with one name the first: those near the root before others.
fn units(root: &Path) -> BTreeMap<OsString, (PathBuf, u8)> {
    let (mut found, mut level) = (BTreeMap::new(), vec![root.to_owned()]);
    let mut looked_at = 0;
    for depth in 0..LEVELS {
        let mut below = Vec::new();
        for folder in level {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if looked_at >= MOST_LOOKED_AT || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                looked_at += 1;
                found.entry(entry.file_name()).or_insert_with(|| (entry.path(), depth));
                below.push(entry.path());
            }
        }
        level = below;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{expanded, kernel_device, mounts, units};
    use std::path::PathBuf;

    #[test]
    fn file_systems_have_the_kernels_numbers() {
        let text = "22 1 254:1 / / rw - ext4 /dev/vda rw\n30 22 0:26 / /a\\040b\\134c\\0x rw,nosuid shared:9 - tmpfs tmpfs rw\n";
        let found = mounts(text);
        assert_eq!(found, [(PathBuf::from("/"), 0x0fe0_0001), (PathBuf::from("/a b\\c\\0x"), 26)]);
        assert_eq!(kernel_device(254, 1), 0x0fe0_0001);
    }

    #[test]
    fn variables_have_their_values_and_others_are_refused() {
        let path = std::env::var("PATH").expect("a variable that is there");
        assert_eq!(expanded("/x/${PATH}y", None, false), Ok(PathBuf::from(format!("/x/{path}y"))));
        assert_eq!(expanded("/usr/bin/curl", None, false), Ok(PathBuf::from("/usr/bin/curl")));
        let refused = expanded("/$NOT_THERE_AT_ALL/x", None, false).expect_err("no such variable");
        assert!(refused.contains("no variable NOT_THERE_AT_ALL"), "{refused}");
        let root = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(0)).ok().flatten().expect("root");
        let whole = Ok(root.dir.join("bin/x"));
        assert_eq!(expanded("$HOME/bin/x", Some(&root), true), whole);
        assert_eq!(expanded("${HOME}/bin/x", Some(&root), false), whole);
        // A user's own are not told what this process has in its environment.
        for said in ["/x/$PATH", "$PATH/x", "$USER/x"] {
            let refused = expanded(said, Some(&root), true).expect_err("refused");
            assert!(refused.starts_with(said) && !refused.contains(&path), "{refused}");
        }
    }

    #[test]
    fn of_units_with_one_name_the_one_nearest_to_the_root_counts() {
        let root = std::env::temp_dir().join(format!("rsvp-units-{}", std::process::id()));
        for folder in ["a/x.service/deep", "x.service", "b/y.service"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        std::fs::write(root.join("file.service"), "").expect("a file");
        let found = units(&root);
        let of = |name: &str| found.get(std::ffi::OsStr::new(name)).cloned();
        assert_eq!(of("x.service"), Some((root.join("x.service"), 0)));
        assert_eq!(of("y.service"), Some((root.join("b/y.service"), 1)));
        assert_eq!(of("deep"), Some((root.join("a/x.service/deep"), 2)));
        assert_eq!(of("file.service"), None);
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
