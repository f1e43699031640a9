//! What an operator should hear of once for each neighbour, and not with each of its messages.
//!
//! The table is bounded and forgets nothing: when it is full, nobody new is named. Counters go on counting.

use core::net::IpAddr;
use std::collections::BTreeSet;

/// What is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Notice {
    /// A Resv with a logical interface handle that was never given.
    UnknownHandle,
    /// More than a limit allows was asked for.
    Limit,
    /// Messages from another address than the sender or hop that they name.
    ForeignSource,
    /// What is no message, or none that anybody who keeps to the rules sends.
    Unsound,
    /// More was to leave because of one neighbour than does at once.
    FanOut,
    /// A minimum policed unit of zero.
    ZeroPolicedUnit,
}

/// Sources that are remembered.
const SOURCES: usize = 1024;

/// Who has been named for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices(BTreeSet<(Notice, IpAddr)>);

impl Notices {
    /// Whether a source is to be named for this, which it is once.
    pub(crate) fn is_new(&mut self, notice: Notice, source: IpAddr) -> bool {
        self.0.len() < SOURCES && self.0.insert((notice, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn a_source_is_named_once_for_each_thing_and_the_table_is_bounded() {
        let mut notices = Notices::default();
        let source = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        assert!(notices.is_new(Notice::UnknownHandle, source(1)));
        assert!(!notices.is_new(Notice::UnknownHandle, source(1)));
        assert!(notices.is_new(Notice::ZeroPolicedUnit, source(1)));
        let named = (2..5_000).filter(|n| notices.is_new(Notice::UnknownHandle, source(*n))).count();
        assert_eq!(named, SOURCES - 2);
    }
}
