//! What can go wrong between an application and the daemon, and what to do about it.

use nix::unistd::{Gid, Group};
use rsvp_control::{Problem, VERSION};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why something could not be had from the daemon.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error(
        "no rsvpd listens on {}: start it with `systemctl start rsvpd`, or as root with `rsvpd`; if it listens elsewhere, name its \
         socket with --socket or {}",
        socket.display(),
        rsvp_control::SOCKET_VARIABLE
    )]
    NoDaemon {
        /// The socket that was tried.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody listens there who takes sockets.
    #[error(
        "no rsvpd takes sockets on {}: start it with `systemctl start rsvpd`, or as root with `rsvpd`; if it runs, it is an older one, \
         or its rsvpd.toml names another place (`socket` in [qos]), which is said with --qos-socket or {}",
        socket.display(),
        rsvp_control::sockets::QOS_SOCKET_VARIABLE
    )]
    NoQosDaemon {
        /// The socket that was tried.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This user may not use the socket.
    #[error("no permission to use {}: {}", socket.display(), what_to_join(group.as_deref()))]
    NotPermitted {
        /// The socket that was tried.
        socket: PathBuf,
        /// The group that may, when it could be found out.
        group: Option<String>,
    },
    /// The system could not connect for another reason.
    #[error("cannot connect to {}: {source}", socket.display())]
    Connect {
        /// The socket that was tried.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon is of another time.
    #[error(
        "the daemon speaks version {found} of the control protocol and this program version {VERSION}: install both from one release"
    )]
    OtherVersion {
        /// The version the daemon speaks.
        found: u32,
    },
    /// The daemon refused, and nothing has changed.
    #[error("{}", .0.message)]
    Refused(Problem),
    /// This client has the session open already.
    #[error("this client has session {0} open already")]
    AlreadyOpen(rsvp_wire::Session),
    /// A session for which there is another call.
    #[error("{0} is {how}", how = other_call(.0))]
    OtherCall(rsvp_wire::Session),
    /// The daemon ended the connection; what was asked for is gone with it.
    #[error(
        "the connection to the daemon has ended: it was stopped, or cut this program off for not reading its events"
    )]
    Disconnected,
    /// The other side does not keep to the protocol.
    #[error("this is no rsvpd of a kind this program knows: {0}")]
    Unexpected(String),
}

/// The name of a group, or its number when it has none.
fn group_name(group: u32) -> String {
    match Group::from_gid(Gid::from_raw(group)) {
        Ok(Some(known)) => known.name,
        _ => group.to_string(),
    }
}

fn other_call(session: &rsvp_wire::Session) -> &'static str {
    if rsvp_control::is_any_address(session) {
        "at any address of this host: it is opened by `Client::any_address`"
    } else {
        "at one address: it is opened by `Client::session`"
    }
}

fn what_to_join(group: Option<&str>) -> String {
    match group {
        Some(group) if group != "root" => {
            format!("run as root, or join group {group} (`usermod -aG {group} $USER`, then log in again)")
        }
        _ => "run as root, or name a group in rsvpd.toml (`control.group`)".to_owned(),
    }
}

impl ClientError {
    /// The same of the socket for sockets.
    pub(super) fn connecting_for_sockets(socket: &Path, source: io::Error) -> Self {
        match Self::connecting(socket, source) {
            Self::NoDaemon { socket, source } => Self::NoQosDaemon { socket, source },
            other => other,
        }
    }

    pub(super) fn connecting(socket: &Path, source: io::Error) -> Self {
        let socket = socket.to_owned();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Self::NoDaemon { socket, source },
            ErrorKind::PermissionDenied => {
                let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.gid());
                // The directory may hide the socket itself.
                let group = owner(&socket).or_else(|| owner(socket.parent()?)).map(group_name);
                Self::NotPermitted { socket, group }
            }
            _ => Self::Connect { socket, source },
        }
    }
}
