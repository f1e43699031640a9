//! Where messages come from: a capture file, hex digits, or an interface.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Run;
use crate::Stop;
use rsvp_capture::live::Live;
use rsvp_capture::packet::{self, Finder};
use rsvp_capture::{Capture, CaptureError, Frame, HexReader, LinkType, Unpacked};

/// An opened source, and what it is called.
pub(super) enum Source<'s> {
    Capture(Capture<Box<dyn Read + 's>>, String),
    Hex(HexReader<BufReader<Unpacked<Box<dyn Read + 's>>>>, String),
    Live(Interrupted),
}

/// A live capture that a signal ends.
pub(super) struct Interrupted {
    live: Live,
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
            return Interrupted::open(interface).map(Self::Live).map_err(Stop::Failed);
        }
        let (name, input): (_, Box<dyn Read + 's>) = if file == Path::new("-") {
            ("standard input".to_owned(), input)
        } else {
            let opened = File::open(file);
            let opened = opened.map_err(|error| Stop::Failed(format!("{}: {error}", file.display())))?;
            (file.display().to_string(), Box::new(opened))
        };
        if hex {
            let unpacked = Unpacked::new(input);
            let unpacked = unpacked.map_err(|error| failed(&name, &CaptureError::from(error)))?;
            return Ok(Self::Hex(HexReader::new(BufReader::new(unpacked)), name));
        }
        match Capture::open(input) {
            Ok(capture) => Ok(Self::Capture(capture, name)),
            Err(error) => Err(failed(&name, &error)),
        }
    }

    /// Hands every message to the run; frames are of the link type that is given, or of the one that the capture says.
    pub(super) fn each(
        self,
        link: Option<LinkType>,
        finder: &mut Finder,
        run: &mut Run<'_>,
    ) -> Result<(), Stop> {
        match self {
            Self::Capture(mut capture, name) => {
                while let Some(frame) = capture.next_frame().map_err(|error| failed(&name, &error))? {
                    one(finder, &Frame { link: link.unwrap_or(frame.link), ..frame }, run)?;
                }
                Ok(())
            }
            Self::Hex(mut hex, name) => {
                let mut number = 0;
                while let Some(octets) = hex.next_packet().map_err(|error| failed(&name, &error))? {
                    number += 1;
                    match (link, packet::from_hex(octets, number)) {
                        (Some(link), _) => one(finder, &Frame { number, time: None, link, octets }, run)?,
                        (None, (Some(frame), _)) => one(finder, &frame, run)?,
                        (None, (None, packet)) => run.message(&packet)?,
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

impl Interrupted {
    fn open(interface: &str) -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|error| format!("cannot wait for signal {signal}: {error}"))?;
        }
        let live = Live::open(interface).map_err(|error| error.to_string())?;
        Ok(Self { live, interrupted })
    }

    fn each(mut self, finder: &mut Finder, run: &mut Run<'_>) -> Result<(), Stop> {
        let ended = |error| Stop::Failed(format!("capturing ended: {error}"));
        while !self.interrupted.load(Ordering::Relaxed) {
            if let Some(frame) = self.live.next_frame().map_err(ended)? {
                one(finder, &frame, run)?;
            }
        }
        Ok(())
    }
}
