//! Who may use a control socket, and how many connections a user may have.

use nix::unistd::{Gid, Uid, User, getgrouplist};
use rsvp_control::{Line, Problem};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of root and of the daemon's own user.
const OF_TRUSTED: usize = 256;
/// Connections of any other user, and of all of them. Together there are fewer than the descriptors that a process usually has.
const OF_USER: usize = 128;
const OF_USERS: usize = 256;

/// Who may talk: root, the daemon's own user, and members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The group's number, when one is configured.
    pub group: Option<u32>,
    /// Everybody may, about QoS sockets and nothing else.
    pub sockets_only: bool,
}

fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == Uid::effective().as_raw()
}

impl Access {
    /// Whether a process of this user with these groups may talk.
    #[must_use]
    pub fn permits(&self, uid: u32, groups: &[u32]) -> bool {
        self.sockets_only || is_trusted(uid) || self.group.is_some_and(|group| groups.contains(&group))
    }

    pub(super) fn refusal(&self, uid: u32) -> Line {
        let who = match self.group {
            Some(group) => format!("root and members of group {}", group_name(group)),
            None => "root".to_owned(),
        };
        let message = format!("user {uid} may not use this control socket, only {who} may");
        Line { error: Some(Problem::new("not-permitted", message)), ..Line::default() }
    }
}

/// The groups that the user database has a user in, for kernels that do not tell those of a process.
pub(super) fn groups_of(uid: u32, gid: u32) -> Vec<u32> {
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else { return vec![gid] };
    let name = CString::new(user.name).ok();
    let groups = name.and_then(|name| getgrouplist(&name, Gid::from_raw(gid)).ok());
    groups.map_or_else(|| vec![gid], |groups| groups.into_iter().map(Gid::as_raw).collect())
}

/// The name of a group, or its number when it has none.
fn group_name(group: u32) -> String {
    match nix::unistd::Group::from_gid(Gid::from_raw(group)) {
        Ok(Some(known)) => known.name,
        _ => group.to_string(),
    }
}

/// The connections of each user.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<BTreeMap<u32, usize>>>);

/// One of them, as long as this is kept.
pub(super) struct Counted(Connections, u32);

impl Connections {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts another one of a user; nothing where it has as many as it may.
    pub(super) fn another(&self, uid: u32) -> Option<Counted> {
        let mut counts = self.counts();
        let of_others = counts.iter().filter(|(uid, _)| !is_trusted(**uid)).map(|(_, count)| count);
        let (most, all) = if is_trusted(uid) { (OF_TRUSTED, 0) } else { (OF_USER, of_others.sum()) };
        if counts.get(&uid).is_some_and(|count| *count >= most) || all >= OF_USERS {
            return None;
        }
        *counts.entry(uid).or_default() += 1;
        Some(Counted(self.clone(), uid))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// What those hear who have as many connections as they may.
pub(super) fn too_many(uid: u32) -> Line {
    let message =
        format!("user {uid} has as many connections to the daemon as it may: close one, or use one for more");
    Line { error: Some(Problem::new("too-many-connections", message)), ..Line::default() }
}

#[cfg(test)]
mod tests {
    use super::{Connections, OF_USER, OF_USERS};

    #[test]
    fn a_user_has_no_more_connections_than_it_may_and_leaves_room_for_others() {
        let connections = Connections::default();
        let mut kept = Vec::new();
        for uid in [4_001, 4_002, 4_003, 4_004] {
            kept.extend(std::iter::from_fn(|| connections.another(uid)).take(OF_USERS + 1));
        }
        assert_eq!(kept.len(), OF_USERS);
        assert_eq!(connections.counts().get(&4_001), Some(&OF_USER));
        assert!(connections.another(0).is_some(), "root has room of its own");
        kept.truncate(OF_USER - 1);
        assert!(connections.another(4_001).is_some() && connections.another(4_004).is_some());
        drop(kept);
        assert!(connections.counts().is_empty(), "nothing is kept of who has gone");
    }
}
