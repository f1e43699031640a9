//! Where messages come from: a capture file, hex digits, or an interface.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use pnet_datalink::{Channel, Config, DataLinkReceiver};

use super::Run;
use crate::cli::Stop;
use crate::cli::capture::{Capture, CaptureError, Frame, HexReader, LinkType, Timestamp};
use crate::cli::packet::{self, Finder};

/// How long a live capture waits before it looks whether it was interrupted.
const PATIENCE: Duration = Duration::from_millis(200);
/// Room for the largest frame of an interface.
const LARGEST_FRAME: usize = 256 << 10;

/// An opened source, and what it is called.
pub(super) enum Source<'s> {
    Capture(Capture<Box<dyn Read + 's>>, String),
    Hex(HexReader<BufReader<Box<dyn Read + 's>>>, String),
    Live(Live),
}

/// A live capture.
pub(super) struct Live {
    receiver: Box<dyn DataLinkReceiver>,
    link: LinkType,
    interrupted: Arc<AtomicBool>,
}

impl<'s> Source<'s> {
    pub(super) fn open(
        interface: Option<&str>,
        file: &Path,
        hex: bool,
        input: Box<dyn Read + 's>,
    ) -> Result<Self, Stop> {
        if let Some(interface) = interface {
            return Live::open(interface).map(Self::Live).map_err(Stop::Failed);
        }
        let (name, input): (_, Box<dyn Read + 's>) = if file == Path::new("-") {
            ("standard input".to_owned(), input)
        } else {
            let opened = File::open(file);
            let opened = opened.map_err(|error| Stop::Failed(format!("{}: {error}", file.display())))?;
            (file.display().to_string(), Box::new(opened))
        };
        if hex {
            return Ok(Self::Hex(HexReader::new(BufReader::new(input)), name));
        }
        match Capture::open(input) {
            Ok(capture) => Ok(Self::Capture(capture, name)),
            Err(error) => Err(failed(&name, &error)),
        }
    }

    /// Hands every message to the run.
    pub(super) fn each(self, finder: &mut Finder, run: &mut Run<'_>) -> Result<(), Stop> {
        match self {
            Self::Capture(mut capture, name) => {
                while let Some(frame) = capture.next_frame().map_err(|error| failed(&name, &error))? {
                    one(finder, &frame, run)?;
                }
                Ok(())
            }
            Self::Hex(mut hex, name) => {
                let mut number = 0;
                while let Some(octets) = hex.next_packet().map_err(|error| failed(&name, &error))? {
                    number += 1;
                    match packet::from_hex(octets, number) {
                        (Some(frame), _) => one(finder, &frame, run)?,
                        (None, packet) => run.message(&packet)?,
                    }
                }
                Ok(())
            }
            Self::Live(live) => live.each(finder, run),
        }
    }
}

#[inline]
fn one(finder: &mut Finder, frame: &Frame<'_>, run: &mut Run<'_>) -> Result<(), Stop> {
    if let Some(packet) = finder.find(frame) {
        return run.message(&packet);
    }
    while let Some(packet) = finder.given_up(false) {
        run.message(&packet)?;
    }
    Ok(())
}

fn failed(name: &str, error: &CaptureError) -> Stop {
    Stop::Failed(format!("{name}: {error}"))
}

impl Live {
    fn open(name: &str) -> Result<Self, String> {
        let interfaces = pnet_datalink::interfaces();
        let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
            let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
            return Err(format!("there is no interface `{name}`; there are: {}", names.join(", ")));
        };
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|error| format!("cannot wait for signal {signal}: {error}"))?;
        }
        let config =
            Config { read_buffer_size: LARGEST_FRAME, read_timeout: Some(PATIENCE), ..Config::default() };
        let receiver = match pnet_datalink::channel(interface, config) {
            Ok(Channel::Ethernet(_, receiver)) => receiver,
            Ok(_) => return Err(format!("{name}: this kind of interface cannot be captured from")),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(format!("{name}: {error}; capturing needs the capability CAP_NET_RAW"));
            }
            Err(error) => return Err(format!("{name}: {error}")),
        };
        // Interfaces without a link layer of their own (tun, ppp, tunnels) have no hardware address.
        let link = if interface.mac.is_some() { LinkType(1) } else { LinkType(101) };
        Ok(Self { receiver, link, interrupted })
    }

    fn each(mut self, finder: &mut Finder, run: &mut Run<'_>) -> Result<(), Stop> {
        let mut number = 0;
        while !self.interrupted.load(Ordering::Relaxed) {
            match self.receiver.next() {
                Ok(octets) => {
                    number += 1;
                    let frame = Frame { number, time: now(), link: self.link, octets };
                    one(finder, &frame, run)?;
                }
                Err(error) if passing(error.kind()) => {}
                Err(error) => return Err(Stop::Failed(format!("capturing ended: {error}"))),
            }
        }
        Ok(())
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
