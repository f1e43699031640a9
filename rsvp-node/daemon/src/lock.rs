//! One daemon per network namespace: two Router Alert sockets would both get every packet, and answer it twice.
//!
//! The lock is an abstract UNIX socket name: such names belong to a network namespace, and go with the process. Any user may take any
//! such name, so one that a stranger has counts for nothing; what root's daemons have beside it is a file that strangers
//! cannot open, named after the namespace.

use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

/// What the daemon of a namespace is called there.
const NAME: &str = "rsvpd: one per network namespace";

/// Goes on without it.
const SQUATTED: &str =
    "the name by which daemons of a network namespace find each other is taken, and passed over";

/// Where the files are.
const FOLDER: &str = "/run/rsvpd";

/// Held as long as the daemon runs.
#[derive(Debug)]
pub(super) struct Lock {
    _name: Option<UnixListener>,
    _file: Option<LockFile>,
}

impl Lock {
    /// Takes the lock; `AddrInUse` when another daemon has it. Daemons may be root's, this one's user's and `user`'s.
    pub(super) fn take(user: Option<u32>) -> io::Result<Self> {
        let file = LockFile::take(Path::new(FOLDER))?;
        let address = SocketAddr::from_abstract_name(NAME)?;
        let name = match UnixListener::bind_addr(&address) {
            Ok(name) => Some(name),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let (owner, own) = (owner()?, nix::unistd::geteuid().as_raw());
                let is_daemon = |owner| owner == 0 || owner == own || Some(owner) == user;
                match owner {
                    Some(owner) if is_daemon(owner) => return Err(error),
                    Some(owner) => tracing::warn!("{SQUATTED}: user {owner}, who runs no daemon, has it"),
                    None if file.is_some() => tracing::warn!("{SQUATTED}: whoever has it cannot be asked"),
                    None => return Err(error),
                }
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Self { _name: name, _file: file })
    }
}

/// Who listens by the name; nothing where so many wait there that it cannot be known, which strangers can bring about.
fn owner() -> io::Result<Option<u32>> {
    let probe = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    let address = socket2::SockAddr::unix(format!("\0{NAME}"))?;
    match probe.connect(&address) {
        Ok(()) => Ok(Some(getsockopt(&probe, PeerCredentials)?.uid())),
        Err(_) => Ok(None),
    }
}

/// A file that is locked.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    _locked: Flock<File>,
}

impl LockFile {
    /// `AddrInUse` when another daemon has it; nothing where this one may not make such files.
    fn take(folder: &Path) -> io::Result<Option<Self>> {
        let namespace = std::fs::metadata("/proc/self/ns/net")?.ino();
        let path = folder.join(format!("netns-{namespace}.lock"));
        loop {
            if !folder.exists() && DirBuilder::new().mode(0o755).create(folder).is_err() {
                return Ok(None);
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
            let Ok(file) = options.open(&path) else { return Ok(None) };
            let locked = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(locked) => locked,
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => return Err(io::ErrorKind::AddrInUse.into()),
                Err((_, error)) => return Err(error.into()),
            };
            // One that has just ended has taken its file away.
            let (ours, there) = (locked.metadata()?, std::fs::symlink_metadata(&path));
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                return Ok(Some(Self { path, _locked: locked }));
            }
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Before it is unlocked. A daemon that has given up root's privileges leaves it there, empty.
        let _ = std::fs::remove_file(&self.path);
    }
}
