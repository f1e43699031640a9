//! What `rsvp top` shows of the session that is chosen.

use super::super::texts;
use core::time::Duration;
use rsvp_client::rows::Rows;
use rsvp_client::{Client, ClientError, What};
use rsvp_node::units::show_time;
use rsvp_wire::Session;

/// Senders, requests and reservations, a line each.
pub(super) async fn of(client: &Client, session: Session) -> Result<Vec<String>, ClientError> {
    let mut lines = Vec::new();
    for what in [What::Senders, What::Requests, What::Reservations] {
        let (rows, _) = client.list(what, Some(session)).await?;
        lines.extend(words(rows));
    }
    Ok(lines)
}

fn words(rows: Rows) -> Vec<String> {
    let since = |ms: Option<u64>| {
        let time = |ms: u64| show_time(Duration::from_millis(ms / 1_000 * 1_000));
        ms.map_or_else(String::new, |ms| format!(", refreshed {} ago", time(ms)))
    };
    match rows {
        Rows::Senders(rows) => {
            let line = |row: &rsvp_client::rows::SenderRow| {
                let to = row
                    .not_forwarded
                    .clone()
                    .map_or_else(|| row.outgoing.join(", "), |why| format!("nowhere: {why}"));
                let traffic = texts::traffic(&row.traffic);
                format!(
                    "sender {} from {}: {traffic}; to {to}{}",
                    row.sender,
                    row.previous_hop,
                    since(row.refreshed_ms)
                )
            };
            rows.iter().map(line).collect()
        }
        Rows::Requests(rows) => {
            let line = |row: &rsvp_client::rows::RequestRow| {
                let flows = row.flows.iter().map(|flow| {
                    format!("{} for {}", texts::service(&flow.flowspec), texts::filters(&flow.filters))
                });
                let flows = flows.collect::<Vec<_>>().join(", ");
                format!("request {} from {}: {flows}{}", row.style, row.next_hop, since(row.refreshed_ms))
            };
            rows.iter().map(line).collect()
        }
        Rows::Reservations(rows) => {
            let line = |row: &rsvp_client::rows::ReservationRow| {
                let (service, filters) = (texts::service(&row.flowspec), texts::filters(&row.filters));
                format!("reserved on {}: {} {service} for {filters}", row.interface, row.style)
            };
            rows.iter().map(line).collect()
        }
        _ => Vec::new(),
    }
}
