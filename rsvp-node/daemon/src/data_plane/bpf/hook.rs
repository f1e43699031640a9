//! Where the egress program is hung in: tcx (from Linux 6.6), or a filter of the `clsact` queueing discipline.
//!
//! A `clsact` that was there before stays; one that was made for the program goes with it, unless others have put filters
//! there since. What the program does is deliberately not known here.

use super::error::{chain, of_system};
use super::{Attach, EgressError, Hook};
use crate::netlink::Netlink;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{
    NlOptions, SchedClassifierLinkId, TcAttachOptions, TcError, qdisc_add_clsact, qdisc_detach_program,
};
use aya::programs::{SchedClassifier, TcAttachType};
use netlink_packet_core::NLM_F_ACK;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkLayerType, LinkMessage};
use netlink_packet_route::tc::{TcHandle, TcMessage};
use std::io;

/// An interface as the program has to know it.
pub(super) struct Link {
    pub(super) index: u32,
    /// Octets before the IP header.
    pub(super) header: u32,
}

/// The program at an interface.
pub(super) struct Hooked {
    pub(super) hook: Hook,
    link: SchedClassifierLinkId,
    /// The `clsact` is ours.
    made: bool,
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
) -> Result<Hooked, EgressError> {
    let ways: &[Hook] = match how {
        Attach::Auto => &[Hook::Tcx, Hook::Clsact],
        Attach::Tcx => &[Hook::Tcx],
        Attach::Clsact => &[Hook::Clsact],
    };
    let mut tried = Vec::new();
    for hook in ways {
        let done = match hook {
            Hook::Tcx => by_tcx(program, interface),
            Hook::Clsact => by_clsact(program, interface),
        };
        match done {
            Ok(hooked) => return Ok(hooked),
            Err(why) => tried.push((*hook, why)),
        }
    }
    Err(EgressError::Attach { interface: interface.to_owned(), tried })
}

fn by_tcx(program: &mut SchedClassifier, interface: &str) -> Result<Hooked, String> {
    let last = TcAttachOptions::TcxOrder(LinkOrder::default());
    let attached = program.attach_with_options(interface, TcAttachType::Egress, last);
    match attached {
        Ok(link) => Ok(Hooked { hook: Hook::Tcx, link, made: false }),
        Err(error) => Err(chain(&error)),
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
        Ok(link) => Ok(Hooked { hook: Hook::Clsact, link, made }),
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
    if let Err(error) = program.detach(hooked.link) {
        let error = of_system(&error).unwrap_or_else(|| io::Error::other(chain(&error)));
        if !gone(&error) {
            return Err(EgressError::Refused("to detach the egress program", error));
        }
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
