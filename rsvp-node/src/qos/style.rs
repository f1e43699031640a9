//! Styles: which senders share a reservation. By default it follows from the socket, a request may say otherwise.
//!
//! | socket | default | may also have |
//! |---|---|---|
//! | TCP, or UDP with a peer | FF, for the peer | one FF descriptor |
//! | multicast, or UDP without a peer | WF | any number of FF descriptors; SE |
//!
//! WF has no flow descriptors, SE exactly one, FF one for each sender. Source: the published pages of default and overriding
//! styles, which advise SE for about ten senders and say that from the hundredth on it silently fails: here the hundredth is
//! refused. A socket that gets a peer goes from WF to FF.

use super::endpoint::Endpoint;
use super::flowspec::Flowspec;
use super::objects::filterspec::FilterSpec;
use super::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use super::status::{Invalid, Status};
use rsvp_wire::{FilterSpec as WireFilterSpec, Style};

/// The most senders of a request in SE style.
pub const MOST_SENDERS: usize = 99;

/// The style of a request and what is asked for whom, as RSVP has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    /// WF, FF or SE.
    pub style: Style,
    /// WF: one without filters. SE: one with all filters. FF: one for each sender.
    pub flows: Vec<(Flowspec, Vec<WireFilterSpec>)>,
    /// Whether a confirmation is asked for.
    pub confirm: bool,
}

/// The style of a socket that does not say otherwise.
#[must_use]
pub fn default_style(socket: &Endpoint) -> Style {
    if socket.has_one_sender() && socket.groups.is_empty() { Style::FF } else { Style::WF }
}

/// What a receiver's flowspec, and the object beside it if there is one, ask for.
///
/// # Errors
/// 11019, 11020, 11021, 11023, 11026 or 11028, when number or kind of descriptors and filters is not that of the style.
pub fn reserve(
    socket: &Endpoint,
    receiving: &Flowspec,
    info: Option<&ReserveInfo>,
) -> Result<Reserve, Invalid> {
    let descriptors = info.map_or(&[][..], |info| &info.flow_descriptors);
    let one_sender = default_style(socket) == Style::FF;
    let style = match info.map_or(FilterStyle::Default, |info| info.style) {
        FilterStyle::Default => default_style(socket),
        FilterStyle::Wildcard => Style::WF,
        FilterStyle::FixedFilter => Style::FF,
        FilterStyle::SharedExplicit if one_sender => {
            return Err(Invalid::new(
                Status::EFILTERSTYLE,
                "a socket with a peer has one sender, none to share with",
            ));
        }
        FilterStyle::SharedExplicit => Style::SE,
    };
    let confirm = info.is_some_and(|info| info.confirm_request);
    let flows = match style {
        Style::WF => wildcard(receiving, descriptors)?,
        Style::FF => fixed(socket, receiving, descriptors, one_sender)?,
        _ => shared(socket, descriptors)?,
    };
    Ok(Reserve { style, flows, confirm })
}

type Flows = Vec<(Flowspec, Vec<WireFilterSpec>)>;

fn wildcard(receiving: &Flowspec, descriptors: &[FlowDescriptor]) -> Result<Flows, Invalid> {
    if !descriptors.is_empty() {
        return Err(Invalid::new(Status::EFLOWCOUNT, "the wildcard style has no flow descriptors"));
    }
    Ok(vec![(*receiving, Vec::new())])
}

fn fixed(
    socket: &Endpoint,
    receiving: &Flowspec,
    descriptors: &[FlowDescriptor],
    one_sender: bool,
) -> Result<Flows, Invalid> {
    if one_sender && descriptors.len() > 1 {
        return Err(Invalid::new(Status::EFLOWCOUNT, "a socket with a peer has one flow descriptor at most"));
    }
    if descriptors.is_empty() {
        return match socket.peer.filter(|_| one_sender) {
            Some(peer) => {
                Ok(vec![(*receiving, vec![WireFilterSpec::new(peer.ip().to_canonical(), peer.port())])])
            }
            // Not connected yet: the peer will be the sender.
            None if one_sender => Ok(vec![(*receiving, Vec::new())]),
            None => Err(Invalid::new(
                Status::EFLOWCOUNT,
                "the fixed-filter style needs a flow descriptor per sender",
            )),
        };
    }
    let one = |descriptor: &FlowDescriptor| match &descriptor.filters[..] {
        [filter] => Ok((descriptor.flowspec, vec![sender(socket, filter)?])),
        _ => Err(Invalid::new(
            Status::EFILTERCOUNT,
            "a flow descriptor of the fixed-filter style has one filter",
        )),
    };
    let flows: Flows = descriptors.iter().map(one).collect::<Result<_, _>>()?;
    let named: Vec<_> = flows.iter().map(|(_, filters)| filters[0]).collect();
    if has_repeated(&named) {
        return Err(Invalid::new(Status::EFLOWDESC, "two flow descriptors name the same sender"));
    }
    Ok(flows)
}

fn shared(socket: &Endpoint, descriptors: &[FlowDescriptor]) -> Result<Flows, Invalid> {
    let [descriptor] = descriptors else {
        return Err(Invalid::new(
            Status::EFLOWCOUNT,
            "the shared-explicit style has exactly one flow descriptor",
        ));
    };
    if descriptor.filters.is_empty() || descriptor.filters.len() > MOST_SENDERS {
        return Err(Invalid::new(Status::EFILTERCOUNT, "the shared-explicit style names 1 to 99 senders"));
    }
    let senders: Vec<_> =
        descriptor.filters.iter().map(|filter| sender(socket, filter)).collect::<Result<_, _>>()?;
    if has_repeated(&senders) {
        return Err(Invalid::new(Status::EFLOWDESC, "a flow descriptor names a sender twice"));
    }
    Ok(vec![(descriptor.flowspec, senders)])
}

/// A sender that the socket's session can have.
fn sender(socket: &Endpoint, filter: &FilterSpec) -> Result<WireFilterSpec, Invalid> {
    let Some(wire) = filter.to_wire() else {
        return Err(Invalid::new(Status::EFILTERTYPE, "UDP and TCP have ports, no generalised ones"));
    };
    let address = filter.address();
    if address.is_unspecified() || address.is_multicast() {
        return Err(Invalid::new(Status::EPSFILTERSPEC, "the address of a filter is none a sender can have"));
    }
    let here = socket.groups.first().or(socket.peer.as_ref()).or(socket.local.as_ref());
    let both = |here: core::net::IpAddr| here.is_unspecified() && here.is_ipv6();
    match here.map(|here| here.ip().to_canonical()) {
        Some(here) if !both(here) && here.is_ipv4() != address.to_canonical().is_ipv4() => {
            Err(Invalid::new(Status::EPSFILTERSPEC, "a filter is of another address family than the socket"))
        }
        _ => Ok(wire),
    }
}

fn has_repeated(filters: &[WireFilterSpec]) -> bool {
    let mut sorted = filters.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}
