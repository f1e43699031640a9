//! The sockets on which clients find the daemon: their files, who may talk there, and that there is room for them.

use super::config::{DaemonConfig, Mode};
use super::control::server::Access;
use super::start::{DaemonError, failed};
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// A socket's file; taken away at the end, if that is allowed.
pub(super) struct Listening {
    pub(super) path: PathBuf,
    /// Device and inode of the file.
    file: (u64, u64),
    listener: std::os::unix::net::UnixListener,
    pub(super) access: Access,
    made_folder: bool,
}

impl Listening {
    pub(super) fn made_folder(&self) -> Option<&Path> {
        self.path.parent().filter(|_| self.made_folder)
    }

    /// The control socket, and the one for sockets of programs of any user.
    pub(super) fn open(config: &DaemonConfig) -> Result<Vec<Self>, DaemonError> {
        let group = match &config.control.group {
            None => None,
            Some(name) => Some(group_id(name)?),
        };
        let access = Access { group, sockets_only: false };
        let control = Self::bind(&config.control.socket, "control", access, config.control.mode)?;
        let Some(path) = config.qos_socket() else { return Ok(vec![control]) };
        let everybody = Access { group: None, sockets_only: true };
        let sockets = Self::bind(&path, "QoS", everybody, Mode(0o666)).inspect_err(|_| control.remove())?;
        Ok(vec![control, sockets])
    }

    fn bind(path: &Path, kind: &str, access: Access, mode: Mode) -> Result<Self, DaemonError> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = path.to_owned();
        let what = format!("the {kind} socket {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let made_folder = folder.is_some();
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(failed(&what))?;
        }
        make_room(&path).map_err(failed(&what))?;
        let listener = std::os::unix::net::UnixListener::bind(&path).map_err(failed(&what))?;
        std::os::unix::fs::chown(&path, None, access.group).map_err(failed(&what))?;
        let mode = std::fs::Permissions::from_mode(mode.0);
        std::fs::set_permissions(&path, mode).map_err(failed(&what))?;
        listener.set_nonblocking(true).map_err(failed(&what))?;
        let file = identity(&path).map_err(failed(&what))?;
        Ok(Self { path, file, listener, access, made_folder })
    }

    /// For the runtime around the caller.
    pub(super) fn listener(&self) -> Result<UnixListener, DaemonError> {
        let what = || format!("the socket {}", self.path.display());
        let listener = self.listener.try_clone().map_err(failed(what()))?;
        UnixListener::from_std(listener).map_err(failed(what()))
    }

    /// Takes the file away, unless somebody has put another one there meanwhile.
    pub(super) fn remove(&self) {
        let ours = identity(&self.path).is_ok_and(|found| found == self.file);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the file of {} stays", self.path.display());
        }
    }
}

/// Which file is at a path.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Takes away the socket that an earlier daemon has left at the path, and nothing else. The lock is one of a network
/// namespace, whereas files are shared between them: who listens there may be the daemon of another one.
fn make_room(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            let why = "a file is there that is no socket: remove it, or name another path with --socket";
            return Err(io::Error::other(why));
        }
        Ok(_) => {}
    }
    let probe = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
    // A listener that is busy is one as well.
    probe.set_nonblocking(true)?;
    match probe.connect(&socket2::SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(io::Error::other(
            "a daemon of another network namespace listens there: give each its own with --socket",
        )),
    }
}

fn group_id(name: &str) -> Result<u32, DaemonError> {
    let what = format!("the group \"{name}\" of [control]");
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(DaemonError::System { what, error: io::Error::other("there is no such group") }),
        Err(error) => Err(failed(what)(error.into())),
    }
}
