//! Why the egress program does not do what it was asked to: one line each, with what helps.

use super::{Attach, FlowError, Hook, KeyError};
use std::error::Error;
use std::io;
use thiserror::Error;

/// Why the egress program does not do what it was asked to.
#[derive(Debug, Error)]
pub enum EgressError {
    /// The process lacks a capability.
    #[error(
        "this process may not load the egress program ({0}): it needs the capabilities CAP_BPF, CAP_PERFMON and \
         CAP_NET_ADMIN (before Linux 5.11 also a larger RLIMIT_MEMLOCK)"
    )]
    NotAllowed(io::Error),
    /// The kernel lacks something.
    #[error("this kernel cannot run the egress program, which needs Linux 5.8 with eBPF and BTF: {0}")]
    Kernel(String),
    /// There is no such interface, or the kernel does not tell.
    #[error("interface {0}: {1}")]
    Interface(String, io::Error),
    /// Where the IP header is on such a link is not known.
    #[error("interface {0}: the egress program cannot read its link layer ({1}), only Ethernet and plain IP")]
    LinkLayer(String, String),
    /// It is attached there.
    #[error("interface {0}: the egress program is attached to it already")]
    Attached(String),
    /// It is not attached there.
    #[error("the egress program is not attached to interface number {0}")]
    NotAttached(u32),
    /// None of the ways that may be tried works.
    #[error("interface {interface}: the egress program cannot be attached by {}", said(.tried))]
    Attach {
        /// The interface.
        interface: String,
        /// What was tried, and what the kernel said.
        tried: Vec<(Hook, String)>,
    },
    /// There is no room for one more.
    #[error("there is no room for more than {0} flows")]
    Full(u32),
    /// The flow was removed, or never was.
    #[error("there is no flow number {0}")]
    NoFlow(u32),
    /// What cannot be a flow.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// What cannot be a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Another filter has the same pattern and mask.
    #[error("another filter has the same pattern and mask")]
    FilterTaken,
    /// There is no room for one more mask.
    #[error("the filters of an interface have {0} different masks at most")]
    Masks(usize),
    /// There is no such key.
    #[error("no flow has this key")]
    NoKey,
    /// More than a DSCP or a class of 0 in a table of classes.
    #[error("a table of classes has pairs of a DSCP (0 to 63) and a class that is not 0, not {0} and {1}")]
    Classes(u8, u32),
    /// More than a DSCP or a priority in a table of priorities.
    #[error("a table of priorities has pairs of a DSCP (0 to 63) and a priority (0 to 7), not {0} and {1}")]
    Priorities(u8, u8),
    /// The kernel refused a change or a question.
    #[error("the kernel refuses {0}: {1}")]
    Refused(&'static str, io::Error),
}

fn said(ways: &[(Hook, String)]) -> String {
    let ways: Vec<String> = ways.iter().map(|(hook, why)| format!("{hook} ({why})")).collect();
    ways.join(" nor by ")
}

impl EgressError {
    /// Why the program or its maps were not loaded.
    pub(super) fn of_loading(error: &(dyn Error + 'static)) -> Self {
        let said = of_system(error);
        match said.as_ref().and_then(io::Error::raw_os_error) {
            Some(libc::EPERM | libc::EACCES) => {
                Self::NotAllowed(said.unwrap_or_else(|| io::Error::from_raw_os_error(libc::EPERM)))
            }
            // The first line alone: a verifier explains itself at length.
            _ => Self::Kernel(chain(error)),
        }
    }

    /// Why a map was not read or written.
    pub(super) fn of_map(what: &'static str, error: &(dyn Error + 'static)) -> Self {
        let said = of_system(error).unwrap_or_else(|| io::Error::other(error.to_string()));
        Self::Refused(what, said)
    }
}

/// What the kernel said, if an error came from a system call.
pub(crate) fn of_system(error: &(dyn Error + 'static)) -> Option<io::Error> {
    let mut inner = Some(error);
    while let Some(error) = inner {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(io::Error::from_raw_os_error(code));
        }
        inner = error.source();
    }
    None
}

/// An error and what it came from, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said = String::new();
    let mut inner = Some(error);
    while let Some(error) = inner {
        let line = error.to_string();
        let line = line.lines().next().unwrap_or_default().to_owned();
        if !line.is_empty() && !said.contains(&line) {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&line);
        }
        inner = error.source();
    }
    said
}

impl std::fmt::Display for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

impl std::str::FromStr for Attach {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "auto" => Ok(Self::Auto),
            "tcx" => Ok(Self::Tcx),
            "clsact" => Ok(Self::Clsact),
            _ => Err(format!("{word:?} is not a way to attach: auto, tcx or clsact")),
        }
    }
}
