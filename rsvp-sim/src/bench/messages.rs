//! What the neighbours of the router say: real octets, written when they are needed, so that they take no memory beside the
//! router's.

use clap::ValueEnum;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_node::InterfaceId;
use rsvp_wire::{
    AdspecSummary, FilterSpec, Flowspec, GeneralParams, GuaranteedParams, MessageWriter, MsgType, RsvpHop,
    SenderTemplate, SenderTspec, ServiceParams, Session, Style, TimeValues, Tspec,
};
use serde::{Deserialize, Serialize};

/// The interface towards the senders.
pub(super) const UPSTREAM: InterfaceId = InterfaceId(1);
/// The interface towards the receivers.
pub(super) const DOWNSTREAM: InterfaceId = InterfaceId(2);
/// Where routes move.
pub(super) const ELSEWHERE: InterfaceId = InterfaceId(3);

/// Octets that hold the largest message here.
pub(super) const LARGEST: usize = 8_192;

/// Senders of the session that is one.
const SENDERS: u32 = 100;
/// Receivers of the one in SE, and in WF.
pub(super) const SE: u32 = 1_000;
pub(super) const WF: u32 = 10_000;

/// The address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

/// What is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// Unicast sessions, each of one sender and one FF reservation.
    Ff,
    /// One multicast session: 100 senders, and 1,000 receivers that ask for all of them in one SE reservation each.
    Se,
    /// One multicast session of 100 senders and 10,000 receivers with a WF reservation each.
    Wf,
}

/// Neighbours of the router with all that they say.
#[derive(Clone, Copy)]
pub(super) struct Neighbours {
    pub(super) shape: Shape,
    pub(super) family: Family,
    /// Sender of the session, or sessions.
    pub(super) paths: u32,
    /// Reservations.
    pub(super) resvs: u32,
}

/// What a neighbour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Path,
    PathTear,
    Resv,
    ResvTear,
}

impl Said {
    /// Whether a previous hop says it.
    pub(super) fn comes_from_above(self) -> bool {
        matches!(self, Self::Path | Self::PathTear)
    }

    fn msg_type(self) -> MsgType {
        match self {
            Self::Path => MsgType::PATH,
            Self::PathTear => MsgType::PATH_TEAR,
            Self::Resv => MsgType::RESV,
            Self::ResvTear => MsgType::RESV_TEAR,
        }
    }
}

impl Neighbours {
    pub(super) fn new(shape: Shape, family: Family, reservations: u32) -> Self {
        let (paths, resvs) = match shape {
            Shape::Ff => (reservations, reservations),
            Shape::Se | Shape::Wf => (SENDERS, reservations),
        };
        Self { shape, family, paths, resvs }
    }

    /// How many there are of something.
    pub(super) fn count(&self, said: Said) -> u32 {
        if said.comes_from_above() { self.paths } else { self.resvs }
    }

    /// An address of the `n`th in a net.
    fn address(&self, net: u8, n: u32) -> IpAddr {
        match self.family {
            Family::Ipv4 => Ipv4Addr::from_bits((u32::from(net) << 24) + n).into(),
            Family::Ipv6 => {
                let prefix = 0x2001_0db8_0000_0000 | u128::from(net);
                Ipv6Addr::from_bits((prefix << 64) | u128::from(n)).into()
            }
        }
    }

    /// The neighbour of that number on an interface; the router itself is number 0.
    pub(super) fn neighbour(&self, on: InterfaceId, number: u32) -> IpAddr {
        self.address(100 + on.0 as u8, 1 + number)
    }

    /// Where data of the `n`th session goes.
    pub(super) fn destination(&self, n: u32) -> IpAddr {
        match (self.shape, self.family) {
            (Shape::Ff, _) => self.address(10, n),
            (_, Family::Ipv4) => Ipv4Addr::new(239, 1, 1, 1).into(),
            (_, Family::Ipv6) => Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 1, 1).into(),
        }
    }

    /// Which session has a destination.
    pub(super) fn number(&self, destination: IpAddr) -> u32 {
        match (self.shape, destination) {
            (Shape::Ff, IpAddr::V4(a)) => a.to_bits() & 0x00ff_ffff,
            (Shape::Ff, IpAddr::V6(a)) => a.to_bits() as u32,
            _ => 0,
        }
    }

    /// Who says the `n`th of something.
    pub(super) fn speaker(&self, said: Said, n: u32) -> (InterfaceId, IpAddr) {
        match (said.comes_from_above(), self.shape) {
            (true, _) => (UPSTREAM, self.neighbour(UPSTREAM, 1)),
            (false, Shape::Ff) => (DOWNSTREAM, self.neighbour(DOWNSTREAM, 1)),
            (false, _) => (DOWNSTREAM, self.neighbour(DOWNSTREAM, 1 + n)),
        }
    }

    /// The IP source of the `n`th of something: Paths and PathTears come from their sender.
    pub(super) fn source(&self, said: Said, n: u32) -> IpAddr {
        if said.comes_from_above() { self.sender(n).address() } else { self.speaker(said, n).1 }
    }

    fn sender(&self, n: u32) -> FilterSpec {
        FilterSpec::new(self.address(11, n), 4000)
    }

    /// Writes the `n`th of something.
    pub(super) fn write<'b>(&self, buffer: &'b mut [u8], said: Said, n: u32) -> &'b [u8] {
        let mut w = MessageWriter::new(buffer, said.msg_type(), 62);
        let (on, address) = self.speaker(said, n);
        let lih = if said.comes_from_above() { 7 } else { on.0 };
        w.put(&Session::new(self.destination(n), 17, 5000)).put(&RsvpHop { address, lih });
        if matches!(said, Said::Path | Said::Resv) {
            w.put(&TimeValues { refresh_ms: 30_000 });
        }
        match said {
            Said::Path => put_sender(&mut w, self.sender(n)),
            Said::PathTear => {
                w.put(&SenderTemplate(self.sender(n)));
            }
            Said::Resv | Said::ResvTear => self.put_flows(&mut w, n, said == Said::Resv),
        }
        w.finish().expect("room for the largest message")
    }

    fn put_flows(&self, w: &mut MessageWriter<'_>, n: u32, asks: bool) {
        let (style, filters) = match self.shape {
            Shape::Ff => (Style::FF, n..n + 1),
            Shape::Se => (Style::SE, 0..self.paths),
            Shape::Wf => (Style::WF, 0..0),
        };
        w.put(&style);
        if asks {
            // Receivers of one session ask for different rates, so that there is something to merge.
            let rate = match self.shape {
                Shape::Ff => 125_000.0,
                _ => 100_000.0 + n as f32,
            };
            w.put(&Flowspec::ControlledLoad(Tspec { rate, ..tspec() }));
        }
        for filter in filters {
            w.put(&self.sender(filter));
        }
    }
}

fn tspec() -> Tspec {
    Tspec {
        rate: 125_000.0,
        bucket: 15_000.0,
        peak: f32::INFINITY,
        min_policed_unit: 64,
        max_packet_size: 1500,
    }
}

/// The sender of a Path with a full ADSPEC.
fn put_sender(w: &mut MessageWriter<'_>, sender: FilterSpec) {
    let global = GeneralParams { break_bit: false, hops: 1, bandwidth: 1.25e8, latency_us: 500, mtu: 1500 };
    let guaranteed = GuaranteedParams { ctot: 1500, dtot: 10, csum: 1500, dsum: 10, ..Default::default() };
    w.put(&SenderTemplate(sender)).put(&SenderTspec::from(tspec())).put(&AdspecSummary {
        global,
        guaranteed: Some(guaranteed),
        controlled_load: Some(ServiceParams::default()),
        null: None,
    });
}
