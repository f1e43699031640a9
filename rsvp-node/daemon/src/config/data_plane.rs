//! What keeps the promises of reservations: the table `[data_plane]`, and what interfaces say of their traffic.
//!
//! What follows from them is deliberately the business of `daemon::data_plane`.

use super::DaemonConfig;
use super::Transport;
use crate::data_plane::bpf::{Attach, Mode};
use crate::data_plane::manner::{Handling, Manner, Marks, Reserved};
use crate::data_plane::tree::Service;
use rsvp_node::qos::dscp::Dscp;
use rsvp_node::qos::marking::{Marks as Defaults, default_marks, default_mode};
use rsvp_node::qos::objects::traffic::SdMode;
use rsvp_node::qos::service_type::ServiceType;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which data plane there is, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [data_plane]")]
pub struct DataPlaneConfig {
    /// Which.
    pub kind: Kind,
    /// How the egress program hangs on interfaces.
    pub attach: How,
    /// Flows that there is room for; 16,384 when not set.
    pub flows: Option<u32>,
    /// Where in a bpffs what stands in the kernel is pinned, so that it outlives the daemon; [`DEFAULT_PINS`] when not set,
    /// nowhere when empty.
    pub pins: Option<PathBuf>,
}

/// Where what stands in the kernel is pinned when nothing else is said.
pub const DEFAULT_PINS: &str = "/sys/fs/bpf/rsvpd";

impl DataPlaneConfig {
    /// Where what stands in the kernel is pinned, if anywhere.
    #[must_use]
    pub fn pins(&self) -> Option<&Path> {
        let path = self.pins.as_deref().unwrap_or_else(|| Path::new(DEFAULT_PINS));
        Some(path).filter(|path| !path.as_os_str().is_empty())
    }
}

/// Which data plane there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The kernel's, where the daemon may and the kernel can; else none, and the log says so.
    #[default]
    Auto,
    /// The kernel's, or no daemon.
    Kernel,
    /// None: reservations are signalled and admitted, and nothing is done in the kernel.
    None,
}

/// How the egress program hangs on interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By tcx, or by clsact where there is no tcx.
    #[default]
    Auto,
    /// By tcx alone.
    Tcx,
    /// By clsact alone.
    Clsact,
}

/// What becomes of packets beyond the TSpec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// They leave, marked, behind everything else.
    Borrow,
    /// They wait.
    Shape,
    /// They are dropped.
    Discard,
}

/// What becomes of packets beyond the TSpec, by service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: excess = { guaranteed = \"shape\" }")]
pub struct ExcessConfig {
    /// Of Guaranteed service; they wait, when not set.
    pub guaranteed: Option<Excess>,
    /// Of Controlled-Load service; they borrow, when not set.
    pub controlled_load: Option<Excess>,
}

/// A DSCP, or that packets keep theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(pub Option<u8>);

/// A DSCP as the key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DscpKey(pub u8);

/// The marks of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: marks.guaranteed = { dscp = \"cs5\" }")]
pub struct MarkConfig {
    /// The DSCP of packets that conform.
    pub dscp: Option<Mark>,
    /// Their priority code point, where priority tags are written.
    pub pcp: Option<u8>,
    /// The DSCP of packets that do not.
    pub excess_dscp: Option<Mark>,
    /// Their priority code point.
    pub excess_pcp: Option<u8>,
}

/// The marks of all services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [interfaces.marks]")]
pub struct MarksConfig {
    /// Of Guaranteed service.
    pub guaranteed: MarkConfig,
    /// Of Controlled-Load service.
    pub controlled_load: MarkConfig,
    /// Of the Null service.
    pub null: MarkConfig,
    /// Of what controls the network, where a program says so of its socket.
    pub network_control: MarkConfig,
    /// Of sockets' flows that are best effort, also until something is reserved for them.
    pub best_effort: MarkConfig,
}

/// A class that many share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedClass {
    /// Routing and signalling.
    NetworkControl,
    /// Whatever has not asked for anything.
    BestEffort,
    /// Behind best effort.
    Qualitative,
    /// Behind everything.
    NonConforming,
}

impl core::str::FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "keep" {
            return Ok(Self(None));
        }
        let dscp: Dscp =
            text.parse().map_err(|error| format!("\"{text}\" is {error}; \"keep\" leaves packets theirs"))?;
        Ok(Self(Some(dscp.value())))
    }
}

impl core::str::FromStr for DscpKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let dscp: Dscp = text.parse().map_err(|error| format!("\"{text}\" is {error}"))?;
        Ok(Self(dscp.value()))
    }
}

impl ExcessConfig {
    /// What is said here, else what is said there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            guaranteed: self.guaranteed.or(other.guaranteed),
            controlled_load: self.controlled_load.or(other.controlled_load),
        }
    }
}

impl MarkConfig {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            dscp: self.dscp.or(other.dscp),
            pcp: self.pcp.or(other.pcp),
            excess_dscp: self.excess_dscp.or(other.excess_dscp),
            excess_pcp: self.excess_pcp.or(other.excess_pcp),
        }
    }

    /// The marks as they are written; priorities only where tags are.
    fn marks(self, conforms: bool, service: ServiceType, tags: bool) -> Marks {
        let (dscp, pcp) = if conforms { (self.dscp, self.pcp) } else { (self.excess_dscp, self.excess_pcp) };
        let Defaults { dscp: default, priority } = default_marks(service, conforms);
        Marks {
            dscp: dscp.map_or(Some(default), |Mark(dscp)| dscp),
            pcp: tags.then_some(pcp.unwrap_or(priority)),
        }
    }
}

impl MarksConfig {
    /// What is said here, else what is said there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            guaranteed: self.guaranteed.or(other.guaranteed),
            controlled_load: self.controlled_load.or(other.controlled_load),
            null: self.null.or(other.null),
            network_control: self.network_control.or(other.network_control),
            best_effort: self.best_effort.or(other.best_effort),
        }
    }

    fn all(&self) -> [MarkConfig; 5] {
        [self.guaranteed, self.controlled_load, self.null, self.network_control, self.best_effort]
    }
}

impl From<How> for Attach {
    fn from(how: How) -> Self {
        match how {
            How::Auto => Self::Auto,
            How::Tcx => Self::Tcx,
            How::Clsact => Self::Clsact,
        }
    }
}

impl From<SharedClass> for Service {
    fn from(class: SharedClass) -> Self {
        match class {
            SharedClass::NetworkControl => Self::NetworkControl,
            SharedClass::BestEffort => Self::BestEffort,
            SharedClass::Qualitative => Self::Qualitative,
            SharedClass::NonConforming => Self::NonConforming,
        }
    }
}

/// The service as the semantics of applications call it.
const fn service_type(service: Reserved) -> ServiceType {
    match service {
        Reserved::Guaranteed => ServiceType::Guaranteed,
        Reserved::ControlledLoad => ServiceType::ControlledLoad,
        Reserved::Qualitative => ServiceType::Qualitative,
        Reserved::NetworkControl => ServiceType::NetworkControl,
        Reserved::BestEffort => ServiceType::BestEffort,
    }
}

impl DaemonConfig {
    /// What holds for the traffic of an interface.
    #[must_use]
    pub fn manner_of(&self, interface: &str) -> Manner {
        let said = self.of_interface(interface);
        let tags = said.priority_tags.unwrap_or(false);
        let handling = Reserved::ALL.map(|service| {
            let (marks, excess) = match service {
                Reserved::Guaranteed => (said.marks.guaranteed, said.excess.guaranteed),
                Reserved::ControlledLoad => (said.marks.controlled_load, said.excess.controlled_load),
                Reserved::Qualitative => (said.marks.null, None),
                Reserved::NetworkControl => (said.marks.network_control, None),
                Reserved::BestEffort => (said.marks.best_effort, None),
            };
            let of = service_type(service);
            let mode = match (excess, default_mode(of)) {
                (Some(Excess::Borrow), _) => Mode::Borrow,
                (Some(Excess::Shape), _) | (None, SdMode::Shape) => Mode::Shape,
                (Some(Excess::Discard), _) | (None, SdMode::Discard) => Mode::Discard,
                (None, _) => Mode::Borrow,
            };
            let (conforming, excess) = (marks.marks(true, of, tags), marks.marks(false, of, tags));
            (service, Handling { mode, conforming, excess })
        });
        // Routing and signalling: what RSVP itself sends has CS6 (RFC 2205 section 3.3, RFC 4594 section 3.1).
        let mut classes =
            BTreeMap::from([Dscp::CS6, Dscp::CS7].map(|dscp| (dscp.value(), Service::NetworkControl)));
        let configured = said.classes.into_iter().flatten();
        classes.extend(configured.map(|(DscpKey(dscp), class)| (dscp, Service::from(class))));
        let control = classes.iter().filter(|(_, class)| tags && **class == Service::NetworkControl);
        let priority = default_marks(ServiceType::NetworkControl, true).priority;
        let priorities = control.map(|(dscp, _)| (*dscp, priority)).collect();
        Manner {
            priorities,
            take_over: said.take_over.unwrap_or(false),
            received_marks: said.received_marks.unwrap_or(true),
            handling: handling.into_iter().collect(),
            classes,
        }
    }

    /// What does not fit together: a key to look for in the text, and what is wrong.
    pub(super) fn check_data_plane(&self) -> Result<(), (String, String)> {
        if self.node.transport == Transport::Udp && self.data_plane.kind == Kind::Kernel {
            let why =
                "a host with transport = \"udp\" keeps no privileges, and so has no data plane in the kernel";
            return Err(("kind".to_owned(), why.to_owned()));
        }
        if self.data_plane.flows == Some(0) {
            return Err((
                "flows".to_owned(),
                "room for no flows is no data plane: say kind = \"none\"".to_owned(),
            ));
        }
        for said in self.interface.values().chain([&self.interfaces]) {
            let all = said.marks.all();
            let wrong = |pcp: Option<u8>| pcp.is_some_and(|pcp| pcp > 7);
            let found = if all.iter().any(|marks| wrong(marks.excess_pcp)) {
                "excess_pcp"
            } else if all.iter().any(|marks| wrong(marks.pcp)) {
                "pcp"
            } else {
                continue;
            };
            return Err((found.to_owned(), "a priority code point of IEEE 802.1Q is 0 to 7".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let cases = [
            ("[data_plane]\nkind = \"nft\"\n", "rsvpd.toml:2:8: unknown variant `nft`"),
            ("[data_plane]\nflow = 3\n", "rsvpd.toml:2:1: unknown field `flow`"),
            ("[data_plane]\nflows = 0\n", "rsvpd.toml:2:1: room for no flows"),
            (
                "[data_plane]\nkind = \"kernel\"\n[node]\ntransport = \"udp\"\n",
                "rsvpd.toml:2:1: a host with transport",
            ),
            ("[interfaces.marks.guaranteed]\ndscp = \"65\"\n", "rsvpd.toml:2:8: \"65\" is not a DSCP"),
            ("[interfaces.marks.guaranteed]\ndscp = 46\n", "rsvpd.toml:2:8: "),
            ("[interfaces.marks.guaranteed]\npcp = 8\n", "rsvpd.toml:2:1: a priority code point"),
            ("[interfaces.classes]\nef = \"first\"\n", "rsvpd.toml:2:6: unknown variant `first`"),
            ("[interfaces.classes]\nev = \"best-effort\"\n", "rsvpd.toml:2:1: \"ev\" is not a DSCP"),
            ("[interfaces.excess]\nguaranteed = \"keep\"\n", "rsvpd.toml:2:14: unknown variant `keep`"),
        ];
        let told = cases.map(|(text, expected)| (parse(text).unwrap_err(), expected));
        let wrong: Vec<_> =
            told.iter().filter(|(message, expected)| !message.starts_with(expected)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn what_is_not_said_is_as_generic_qos_has_it() {
        let manner = parse("").unwrap().manner_of("eth0");
        let guaranteed = manner.of(Reserved::Guaranteed);
        assert_eq!(
            (guaranteed.mode, guaranteed.conforming.dscp, guaranteed.excess.dscp),
            (Mode::Shape, Some(40), Some(0))
        );
        let load = manner.of(Reserved::ControlledLoad);
        assert_eq!((load.mode, load.conforming.dscp, load.excess.dscp), (Mode::Borrow, Some(24), Some(0)));
        assert_eq!(load.conforming.pcp, None, "no tags unless somebody wants them");
        assert_eq!(manner.of(Reserved::Qualitative).conforming.dscp, Some(0));
        assert_eq!(manner.classes.get(&48), Some(&Service::NetworkControl));
        assert!(!manner.take_over && manner.received_marks);
    }

    #[test]
    fn an_interface_says_over_what_holds_for_all() {
        let text = "[interfaces]\npriority_tags = true\nexcess.controlled_load = \"discard\"\n\
                    [interfaces.marks]\ncontrolled_load = { dscp = \"af41\", excess_dscp = \"keep\", excess_pcp = 2 }\n\
                    [interface.eth0.marks]\ncontrolled_load = { dscp = \"ef\", pcp = 6 }\n\
                    [interface.eth0.classes]\ncs7 = \"best-effort\"\n10 = \"qualitative\"\n";
        let config = parse(text).unwrap();
        let of = |name| config.manner_of(name).of(Reserved::ControlledLoad);
        let marks = |dscp, pcp| Marks { dscp, pcp: Some(pcp) };
        let everywhere =
            Handling { mode: Mode::Discard, conforming: marks(Some(34), 4), excess: marks(None, 2) };
        assert_eq!(of("eth1"), everywhere);
        assert_eq!(of("eth0"), Handling { conforming: marks(Some(46), 6), ..everywhere });
        assert_eq!(config.manner_of("eth0").priorities, BTreeMap::from([(48, 7)]), "network control");
        let classes = config.manner_of("eth0").classes;
        let expected = [(10, Service::Qualitative), (48, Service::NetworkControl), (56, Service::BestEffort)];
        assert_eq!(classes, BTreeMap::from(expected));
    }
}
