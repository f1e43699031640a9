//! Where a lab's reservations are only signalled: nodes whose kernel does not keep their promises, and why.

use super::error::{LabError, Trying};
use rsvp_client::{Client, What, rows::Rows};

/// What a listing of interfaces has in front of the reason: there is no data plane at all, or it cannot be used there.
const REASONS: [&str; 2] = ["none: ", "refused: "];

/// Why a node does not have the kernel enforce what is reserved on all its interfaces, if so.
pub(super) async fn reason(observer: &Client) -> Result<Option<String>, LabError> {
    let listed = observer.list(What::Interfaces, None).await;
    let (Rows::Interfaces(rows), _) = listed.trying(|| "list the interfaces of a daemon".to_owned())? else {
        return Ok(None);
    };
    Ok(rows.iter().find_map(|row| told(&row.data_plane)).map(str::to_owned))
}

/// The reason that the state of an interface tells.
fn told(state: &str) -> Option<&str> {
    REASONS.iter().find_map(|front| state.strip_prefix(front))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_enforced_has_a_reason() {
        assert_eq!(told("none: no BPF here"), Some("no BPF here"));
        assert_eq!(told("refused: interface eth0: it has mq 8001:"), Some("interface eth0: it has mq 8001:"));
        assert_eq!((told("tcx, htb"), told("ready")), (None, None));
    }
}
