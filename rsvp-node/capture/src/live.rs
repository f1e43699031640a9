//! Frames off an interface, as they pass.
//!
//! Until when to go on is deliberately for the caller to say: it is asked between frames.

use crate::{Frame, LinkType, Timestamp};
use pnet_datalink::{Channel, Config, DataLinkReceiver};
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// How long a frame is waited for.
const PATIENCE: Duration = Duration::from_millis(200);
/// Room for the largest frame of an interface.
const LARGEST_FRAME: usize = 256 << 10;

/// Why an interface cannot be captured from.
#[derive(Debug, Error)]
pub enum LiveError {
    /// None is called that.
    #[error("there is no interface `{name}`; there are: {}", others.join(", "))]
    NoInterface {
        /// The name.
        name: String,
        /// Those that there are.
        others: Vec<String>,
    },
    /// It has no frames that could be captured.
    #[error("{0}: this kind of interface cannot be captured from")]
    Kind(String),
    /// This user may not.
    #[error("{name}: {source}; capturing needs the capability CAP_NET_RAW")]
    NotPermitted {
        /// The interface.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses for another reason.
    #[error("{name}: {source}")]
    System {
        /// The interface.
        name: String,
        /// What the system says.
        source: io::Error,
    },
}

/// A capture that is underway.
pub struct Live {
    receiver: Box<dyn DataLinkReceiver>,
    link: LinkType,
    frames: u64,
}

impl Live {
    /// Begins to capture.
    ///
    /// # Errors
    /// When there is no such interface, or this process may not.
    pub fn open(name: &str) -> Result<Self, LiveError> {
        Self::begin(name, None)
    }

    /// Begins to capture with a packet socket that the caller has made (`AF_PACKET`, `SOCK_RAW`, protocol 0, so that nothing
    /// is queued before it is bound here) and may have given options, such as a filter or a larger queue (packet(7)). It
    /// is closed with the capture, or when this fails.
    ///
    /// # Errors
    /// When there is no such interface, or this process may not.
    pub fn on(name: &str, socket: OwnedFd) -> Result<Self, LiveError> {
        Self::begin(name, Some(socket))
    }

    fn begin(name: &str, socket: Option<OwnedFd>) -> Result<Self, LiveError> {
        let interfaces = pnet_datalink::interfaces();
        let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
            let others = interfaces.iter().map(|interface| interface.name.clone()).collect();
            return Err(LiveError::NoInterface { name: name.to_owned(), others });
        };
        let config = Config {
            read_buffer_size: LARGEST_FRAME,
            read_timeout: Some(PATIENCE),
            socket_fd: socket.map(IntoRawFd::into_raw_fd),
            ..Config::default()
        };
        let name = name.to_owned();
        let receiver = match pnet_datalink::channel(interface, config) {
            Ok(Channel::Ethernet(_, receiver)) => receiver,
            Ok(_) => return Err(LiveError::Kind(name)),
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                return Err(LiveError::NotPermitted { name, source });
            }
            Err(source) => return Err(LiveError::System { name, source }),
        };
        // Interfaces without a link layer of their own (tun, ppp, tunnels) have no hardware address.
        let link = if interface.mac.is_some() { LinkType(1) } else { LinkType::RAW };
        Ok(Self { receiver, link, frames: 0 })
    }

    /// The next frame; `None` when none has come for a while.
    ///
    /// # Errors
    /// When capturing has ended.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        match self.receiver.next() {
            Ok(octets) => {
                self.frames += 1;
                Ok(Some(Frame { number: self.frames, time: now(), link: self.link, octets }))
            }
            Err(error) if passing(error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

const fn passing(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Live frames come without a time of their own.
#[expect(
    clippy::disallowed_methods,
    reason = "a live capture is the one place where the time is not in the data"
)]
fn now() -> Option<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp { seconds: since.as_secs(), nanos: since.subsec_nanos(), fine: false })
}
