//! Where the egress program is hung in: tcx (from Linux 6.6), or a filter of the `clsact` queueing discipline.
//!
//! A `clsact` that was there before stays; one that was made for the program goes with it, unless others have put filters
//! there since. What the program does is deliberately not known here.

use super::super::tc::Tc;
use super::error::{chain, of_system};
use super::{Attach, EgressError, Hook, PROGRAM, sys};
use crate::netlink::Netlink;
use aya::programs::links::{FdLink, LinkOrder, PinnedLink};
use aya::programs::tc::{
    NlOptions, SchedClassifierLink, SchedClassifierLinkId, TcAttachOptions, TcError, TcHandle as Place,
    qdisc_add_clsact, qdisc_detach_program,
};
use aya::programs::{SchedClassifier, TcAttachType};
use netlink_packet_core::NLM_F_ACK;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkLayerType, LinkMessage};
use netlink_packet_route::tc::{TcHandle, TcMessage};
use std::io;
use std::path::PathBuf;

/// An interface as the program has to know it.
pub(super) struct Link {
    pub(super) index: u32,
    /// Octets before the IP header.
    pub(super) header: u32,
}

/// The program at an interface.
pub(super) struct Hooked {
    pub(super) hook: Hook,
    link: At,
    /// The `clsact` is ours.
    made: bool,
}

/// What holds the program there.
enum At {
    /// This process; or, of a filter, the kernel until somebody takes it away.
    Process(SchedClassifierLinkId),
    /// A pin. It is held open, so that the program stays if somebody removes the pin.
    Pin(PathBuf, PinnedLink),
}

impl Link {
    /// An interface by its name.
    pub(super) fn find(name: &str) -> Result<Self, EgressError> {
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let answers = Netlink::open()
            .and_then(|mut kernel| kernel.ask(RouteNetlinkMessage::GetLink(question), 0))
            .map_err(|error| EgressError::Interface(name.to_owned(), error))?;
        let Some(RouteNetlinkMessage::NewLink(link)) = answers.first() else {
            return Err(EgressError::Interface(name.to_owned(), io::ErrorKind::NotFound.into()));
        };
        let header = match link.header.link_layer_type {
            LinkLayerType::Ether | LinkLayerType::Loopback => 14,
            // Tunnels, and devices of programs, that carry IP packets and nothing before them.
            LinkLayerType::None | LinkLayerType::Tunnel | LinkLayerType::Tunnel6 | LinkLayerType::Sit => 0,
            other => return Err(EgressError::LinkLayer(name.to_owned(), format!("{other:?}"))),
        };
        Ok(Self { index: link.header.index, header })
    }
}

/// Attaches the program to what leaves by an interface.
pub(super) fn attach(
    program: &mut SchedClassifier,
    interface: &str,
    how: Attach,
    pin: Option<PathBuf>,
) -> Result<Hooked, EgressError> {
    let ways: &[Hook] = match how {
        Attach::Auto => &[Hook::Tcx, Hook::Clsact],
        Attach::Tcx => &[Hook::Tcx],
        Attach::Clsact => &[Hook::Clsact],
    };
    let mut tried = Vec::new();
    for hook in ways {
        let done = match hook {
            Hook::Tcx => by_tcx(program, interface, pin.as_ref()),
            Hook::Clsact => by_clsact(program, interface),
        };
        match done {
            Ok(hooked) => return Ok(hooked),
            Err(why) => tried.push((*hook, why)),
        }
    }
    Err(EgressError::Attach { interface: interface.to_owned(), tried })
}

fn by_tcx(program: &mut SchedClassifier, interface: &str, pin: Option<&PathBuf>) -> Result<Hooked, String> {
    let mut attach = || {
        let last = TcAttachOptions::TcxOrder(LinkOrder::default());
        let attached = program.attach_with_options(interface, TcAttachType::Egress, last);
        attached.map_err(|error| chain(&error))
    };
    let link = attach()?;
    let Some(path) = pin else { return Ok(Hooked { hook: Hook::Tcx, link: At::Process(link), made: false }) };
    // What an interface of this number had that is gone.
    let _ = std::fs::remove_file(path);
    match self::pin(program, link, path) {
        Ok(pinned) => Ok(Hooked { hook: Hook::Tcx, link: At::Pin(path.clone(), pinned), made: false }),
        Err(why) => {
            tracing::warn!(
                interface,
                "the egress program goes with this process, because it cannot be pinned: {why}"
            );
            by_tcx(program, interface, None)
        }
    }
}

/// Pins a link; one that cannot be is detached.
fn pin(
    program: &mut SchedClassifier,
    link: SchedClassifierLinkId,
    path: &PathBuf,
) -> Result<PinnedLink, String> {
    let link = program.take_link(link).map_err(|error| chain(&error))?;
    let link = FdLink::try_from(link).map_err(|error| chain(&error))?;
    link.pin(path).map_err(|error| chain(&error))
}

/// Puts this program where an earlier run's is, in one step. Nothing where there is none.
pub(super) fn resume(
    program: &mut SchedClassifier,
    interface: &str,
    index: u32,
    pin: PathBuf,
) -> Result<Option<Hooked>, EgressError> {
    if let Ok(pinned) = PinnedLink::from_pin(&pin) {
        let link = SchedClassifierLink::try_from(FdLink::from(pinned)).map_err(|error| chain(&error));
        let replaced = link.and_then(|link| program.attach_to_link(link).map_err(|error| chain(&error)));
        // Held by the pin from here on, and not by the program.
        let held = replaced.and_then(|link| {
            program.take_link(link).map_err(|error| chain(&error))?;
            PinnedLink::from_pin(&pin).map_err(|error| chain(&error))
        });
        match held {
            Ok(pinned) => {
                return Ok(Some(Hooked { hook: Hook::Tcx, link: At::Pin(pin, pinned), made: false }));
            }
            // The interface that it was on is gone.
            Err(why) => tracing::debug!(interface, why, "a link of an earlier run"),
        }
        return Ok(None);
    }
    let refused = |error| EgressError::Refused("to list an interface's filters", error);
    let filters = Tc::open().and_then(|mut tc| tc.programs(index)).map_err(refused)?;
    let Some(ours) = filters.into_iter().find(|filter| filter.program == PROGRAM) else { return Ok(None) };
    let (kind, place) = (TcAttachType::Egress, Place::from(ours.handle.0));
    let link = SchedClassifierLink::attached(interface, kind, ours.priority, place, None)
        .map_err(|error| EgressError::Interface(interface.to_owned(), error))?;
    let replaced = program.attach_to_link(link).map_err(|error| {
        let said = of_system(&error).unwrap_or_else(|| io::Error::other(chain(&error)));
        EgressError::Refused("to replace an earlier run's program", said)
    })?;
    // Whoever made the clsact, it is taken away with the last filter.
    Ok(Some(Hooked { hook: Hook::Clsact, link: At::Process(replaced), made: true }))
}

/// Leaves the program where it is when the process ends.
pub(super) fn leave(program: &mut SchedClassifier, hooked: Hooked) {
    if let At::Process(link) = hooked.link
        && let Ok(link) = program.take_link(link)
    {
        // It would be detached with it.
        std::mem::forget(link);
    }
}

fn by_clsact(program: &mut SchedClassifier, interface: &str) -> Result<Hooked, String> {
    let made = match qdisc_add_clsact(interface) {
        Ok(()) => true,
        Err(error) if of_system(&error).and_then(|e| e.raw_os_error()) == Some(libc::EEXIST) => false,
        Err(error) => return Err(chain(&error)),
    };
    let filter = TcAttachOptions::Netlink(NlOptions::default());
    match program.attach_with_options(interface, TcAttachType::Egress, filter) {
        Ok(link) => Ok(Hooked { hook: Hook::Clsact, link: At::Process(link), made }),
        Err(error) => {
            if made && let Ok(link) = Link::find(interface) {
                // What is left then is an empty queueing discipline; the error that is told is the first.
                let _ = remove_clsact(link.index);
            }
            Err(chain(&error))
        }
    }
}

/// Takes the program away from an interface. An interface that is gone has taken everything with it.
pub(super) fn detach(
    program: &mut SchedClassifier,
    interface: u32,
    hooked: Hooked,
) -> Result<(), EgressError> {
    let gone = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENOENT));
    let detached = match hooked.link {
        At::Process(link) => program
            .detach(link)
            .map_err(|error| of_system(&error).unwrap_or_else(|| io::Error::other(chain(&error)))),
        At::Pin(path, pinned) => {
            // Where the kernel does not detach a link on demand, it goes with the last that holds it: these two.
            let _ = sys::detach_link(&path);
            drop(pinned);
            std::fs::remove_file(path)
        }
    };
    if let Err(error) = detached.or_else(|error| if gone(&error) { Ok(()) } else { Err(error) }) {
        return Err(EgressError::Refused("to detach the egress program", error));
    }
    if hooked.made {
        match remove_clsact(interface) {
            Err(error) if !gone(&error) => return Err(EgressError::Refused("to remove a clsact", error)),
            _ => {}
        }
    }
    Ok(())
}

/// Removes filters of a `clsact` that run a program of this name, and the `clsact` if it is empty then.
pub(super) fn remove_left_behind(interface: &str, program: &str) -> Result<bool, EgressError> {
    let refused = |error| EgressError::Refused("to remove what an earlier run has left", error);
    match qdisc_detach_program(interface, TcAttachType::Egress, program) {
        Ok(()) => {}
        Err(error) => {
            let said = of_system(&error).and_then(|error| error.raw_os_error());
            let nothing = matches!(&error, TcError::IoError(error) if error.kind() == io::ErrorKind::NotFound)
                || matches!(said, Some(libc::ENODEV | libc::ENOENT | libc::EINVAL));
            let said = of_system(&error).unwrap_or_else(|| io::Error::other(chain(&error)));
            return if nothing { Ok(false) } else { Err(refused(said)) };
        }
    }
    let link = Link::find(interface)?;
    remove_clsact(link.index).map_err(refused)?;
    Ok(true)
}

/// Removes an interface's `clsact` if nobody has filters there.
fn remove_clsact(interface: u32) -> io::Result<()> {
    let mut kernel = Netlink::open()?;
    for minor in [TcHandle::MIN_INGRESS, TcHandle::MIN_EGRESS] {
        let parent = TcHandle { major: u16::MAX, minor };
        let filters = kernel.count(RouteNetlinkMessage::GetTrafficFilter(about(interface, parent)))?;
        if filters > 0 {
            return Ok(());
        }
    }
    let mut clsact = about(interface, TcHandle::CLSACT);
    clsact.header.handle = TcHandle { major: u16::MAX, minor: 0 };
    kernel.ask(RouteNetlinkMessage::DelQueueDiscipline(clsact), NLM_F_ACK).map(|_| ())
}

fn about(interface: u32, parent: TcHandle) -> TcMessage {
    let mut message = TcMessage::default();
    message.header.index = interface as i32;
    message.header.parent = parent;
    message
}
