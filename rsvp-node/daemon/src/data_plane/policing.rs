//! Where packets beyond a TSpec are treated as the configuration says: the rule, and nothing else.
//!
//! RFC 2205 section 3.8 has the engine tell of three kinds of points in a flow's tree ([`Police`]): the *edge*, which is the first node
//! on the way that can police; points where flows of several senders *merge* into one reservation; and *branches* on which
//! less is reserved than on another. What is done there is the services' own.
//!
//! | | edge | merge, branch | elsewhere |
//! |---|---|---|---|
//! | Controlled-Load | as configured | as configured | *borrow* |
//! | Guaranteed | as configured | *shape* | *shape* |
//! | Null | a mark alone | a mark alone | a mark alone |
//!
//! - **Guaranteed**: "policing MUST not be done except at the edge of the network" (RFC 2212, Policing), because queues within it make
//!   a conforming flow look otherwise. Merge points and branches reshape, and others may ("Reshaping may be done at other
//!   points as well"): the flow's class holds it to R and b wherever it is, so no packet is judged twice.
//! - **Controlled-Load**: every node has to protect others from what does not conform, whatever nodes before it do, and to forward
//!   that as best effort where it can (RFC 2211 section 7). So conformance is judged everywhere, by the same bucket (with a larger
//!   one, what was demoted at the edge would pass for conforming later). But what a configuration does beyond demoting,
//!   dropping and delaying, is done where packets have not been judged before: at the edge; where senders merge, which no
//!   node before has judged together; and on a branch, where another TSpec holds. Elsewhere it would be done a second time, to
//!   packets that were spread or bunched on the way.

use super::bpf::Mode;
use super::manner::Reserved;
use rsvp_node::Police;

/// What becomes of packets beyond the TSpec of a reservation, where the engine says that it is such a point.
#[must_use]
pub fn mode_at(police: Police, service: Reserved, configured: Mode) -> Mode {
    let Police { entry, merge, branch } = police;
    match service {
        Reserved::Qualitative | Reserved::NetworkControl | Reserved::BestEffort => Mode::Shape,
        Reserved::Guaranteed if entry => configured,
        Reserved::Guaranteed => Mode::Shape,
        Reserved::ControlledLoad if entry || merge || branch => configured,
        Reserved::ControlledLoad => Mode::Borrow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edge, merge point, branch, and none of them.
    const POINTS: [Police; 4] = [
        Police { entry: true, merge: false, branch: false },
        Police { entry: false, merge: true, branch: false },
        Police { entry: false, merge: false, branch: true },
        Police { entry: false, merge: false, branch: false },
    ];

    #[test]
    fn guaranteed_service_is_policed_at_the_edge_alone() {
        for configured in [Mode::Borrow, Mode::Discard, Mode::Shape] {
            let at = POINTS.map(|point| mode_at(point, Reserved::Guaranteed, configured));
            assert_eq!(at, [configured, Mode::Shape, Mode::Shape, Mode::Shape]);
        }
    }

    #[test]
    fn controlled_load_is_demoted_everywhere_and_no_more_than_that_within() {
        for configured in [Mode::Borrow, Mode::Discard, Mode::Shape] {
            let at = POINTS.map(|point| mode_at(point, Reserved::ControlledLoad, configured));
            assert_eq!(at, [configured, configured, configured, Mode::Borrow]);
        }
    }
}
