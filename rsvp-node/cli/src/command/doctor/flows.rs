//! What the daemon knows of flows and of those they come from: where they end that should go on.

use super::super::texts;
use super::Finding;
use core::time::Duration;
use rsvp_client::rows::{InterfaceRow, NeighbourRow, SenderRow, SessionRow};
use rsvp_node::units::show_time;
use std::net::IpAddr;

/// Neighbours of which nothing was heard for three refresh periods are lost soon (RFC 2205 section 3.7, K = 3).
pub(super) fn heard(neighbours: &[NeighbourRow], interfaces: &[InterfaceRow]) -> Vec<Finding> {
    if neighbours.iter().all(|neighbour| neighbour.heard_ms.is_none()) {
        return vec![Finding::note(
            "neighbours",
            "none is known: nobody announces or reserves through this node",
        )];
    }
    let mut findings = Vec::new();
    for neighbour in neighbours {
        let refresh_ms =
            interfaces.iter().find(|on| on.name == neighbour.interface).map_or(30_000, |on| on.refresh_ms);
        let Some(since_ms) = neighbour.heard_ms else { continue };
        let (who, since) = (
            format!("{} on {}", texts::neighbour(neighbour.address), neighbour.interface),
            show_time(Duration::from_millis(since_ms)),
        );
        findings.push(if since_ms > 3 * refresh_ms {
            Finding::problem(
                "neighbours",
                format!("nothing was heard of {who} for {since}, three refresh periods"),
                "see whether it is up, whether its rsvpd runs, and what is lost on the way: `rsvp watch --peer` here and there",
            )
        } else {
            Finding::fine("neighbours", format!("{who} was heard {since} ago"))
        });
    }
    findings
}

/// Senders whose Path or data ends here, or does not get where it is to go.
pub(super) fn paths(
    senders: &[SenderRow],
    sessions: &[SessionRow],
    interfaces: &[InterfaceRow],
) -> Vec<Finding> {
    senders
        .iter()
        .flat_map(|row| of_sender(row, senders).into_iter().chain(unopened(row, sessions, interfaces)))
        .collect()
}

fn of_sender(row: &SenderRow, all: &[SenderRow]) -> Vec<Finding> {
    let SenderRow { session, sender, .. } = row;
    let mut findings = Vec::new();
    // Where routers are joined more than once, Paths of a sender come by more than one interface, and go on from one.
    let goes_on = |other: &SenderRow| {
        (other.session, other.sender) == (*session, *sender) && other.not_forwarded.is_none()
    };
    let is_another = row.local_only && all.iter().any(goes_on);
    if let Some(why) = row.not_forwarded.as_ref().filter(|_| !is_another) {
        findings.push(Finding::problem(
            "paths",
            format!("sender {sender} of {session} is forwarded nowhere: {why}"),
            "repair the route, or announce to where there is one; Paths follow at once",
        ));
    }
    if let Some(why) = &row.undelivered {
        findings.push(Finding::problem(
            "paths",
            format!("the Path of sender {sender} of {session} came back: {why}"),
            "do what it says; the next refresh tries again",
        ));
    }
    if let Some(why) = &row.data_not_forwarded {
        findings.push(Finding::problem(
            "multicast",
            format!("the Path of sender {sender} of {session} is forwarded, but its data is not"),
            why,
        ));
    }
    if row.interface.is_some() && row.adspec.is_some_and(|offer| offer.is_broken) {
        findings.push(Finding::problem(
            "paths",
            format!("sender {sender} of {session} comes through routers without RSVP: nothing is reserved on them"),
            "start rsvpd on each of them; the previous hop in `rsvp show senders` is the last router with RSVP before them",
        ));
    }
    findings
}

/// What is announced to this host, and nobody receives.
fn unopened(row: &SenderRow, sessions: &[SessionRow], interfaces: &[InterfaceRow]) -> Option<Finding> {
    let destination = row.session.destination();
    let own =
        |on: &InterfaceRow| [on.ipv4.map(IpAddr::V4), on.ipv6.map(IpAddr::V6)].contains(&Some(destination));
    let is_open = |session: &SessionRow| session.session == row.session && session.applications > 0;
    (row.interface.is_some() && interfaces.iter().any(own) && !sessions.iter().any(is_open)).then(|| {
        Finding::note(
            "paths",
            format!(
                "sender {} announces {} to this host, and no application here takes part: start the one that receives, or `rsvp recv`",
                row.sender, row.session
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Path state of one sender that has come by this interface.
    fn row(interface: &str, outgoing: &[&str], not_forwarded: Option<&str>) -> SenderRow {
        let row = json!({
            "session": "udp 239.1.2.3:5000", "sender": "10.0.1.1:4000", "traffic": {"rate_bps": 1e6},
            "previous_hop": "10.0.1.2", "interface": interface, "outgoing": outgoing,
            "local_only": not_forwarded.is_some(), "not_forwarded": not_forwarded,
        });
        serde_json::from_value(row).expect("a row")
    }

    #[test]
    fn a_path_that_also_comes_another_way_is_no_fault() {
        let why = "the kernel's multicast route has another incoming interface";
        let (goes_on, ends) = (row("left", &["down"], None), row("right", &[], Some(why)));
        assert_eq!(paths(&[goes_on, ends.clone()], &[], &[]), vec![]);
        let found = paths(&[ends], &[], &[]);
        assert!(found.len() == 1 && found[0].finding.ends_with(why), "{found:?}");
    }
}
