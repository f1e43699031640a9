//! What comes of a `connect`: a hook sees it before it is done, so the kernel is asked until it has been, or has not.
//!
//! Pure: when it is looked, and what the kernel lists, are arguments.

use super::Change;
use super::names::Listed;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long it is waited from one look to the next. After the last one what the kernel says is so: the `connect` has failed, or
/// another program has had it go elsewhere.
const WAITS_MS: [u64; 6] = [1, 4, 16, 64, 256, 1024];
/// Sockets that are looked for at a time.
const AT_ONCE: usize = 256;
/// The rest between two looks, so that programs that connect without end do not keep the daemon busy.
const REST: Duration = Duration::from_millis(2);

/// Sockets whose names are about to change.
#[derive(Default)]
pub(super) struct Followed {
    waiting: BTreeMap<u64, Waiting>,
    rests_until: Option<Instant>,
}

struct Waiting {
    protocol: u8,
    /// Where it is to be connected; nothing, if only its names are to be known.
    to: Option<SocketAddr>,
    at: Instant,
    looks: usize,
}

impl Followed {
    /// A socket is about to be connected.
    pub(super) fn follow(&mut self, cookie: u64, protocol: u8, to: SocketAddr, now: Instant) {
        self.waiting.insert(cookie, Waiting { protocol, to: Some(to), at: now, looks: 0 });
    }

    /// The names of a socket may have changed.
    pub(super) fn look_up(&mut self, cookie: u64, protocol: u8, now: Instant) {
        // One that is about to be connected is looked for in any case.
        self.waiting.entry(cookie).or_insert(Waiting { protocol, to: None, at: now, looks: 0 });
    }

    /// Those that are not to be kept are not looked for any more.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u64) -> bool) {
        self.waiting.retain(|cookie, _| is_kept(*cookie));
    }

    pub(super) fn forget(&mut self, cookie: u64) {
        self.waiting.remove(&cookie);
    }

    /// When it is to be looked.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let first = self.waiting.values().map(|waiting| waiting.at).min()?;
        Some(self.rests_until.map_or(first, |rests| rests.max(first)))
    }

    /// Looks for those that are due: what has become of them, where that is known now. A kernel that cannot list sockets is believed
    /// what the hook has seen.
    pub(super) fn look(
        &mut self,
        now: Instant,
        mut list: impl FnMut(u8, u16, &BTreeSet<u64>) -> io::Result<Vec<Listed>>,
    ) -> Vec<(u64, Change)> {
        if self.wake_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.rests_until = Some(now + REST);
        let mut asked: BTreeMap<(u8, u16), BTreeSet<u64>> = BTreeMap::new();
        for (cookie, waiting) in self.waiting.iter().filter(|(_, waiting)| waiting.at <= now).take(AT_ONCE) {
            asked.entry((waiting.protocol, waiting.port())).or_default().insert(*cookie);
        }
        let mut settled = Vec::new();
        for ((protocol, port), cookies) in asked {
            let listed = list(protocol, port, &cookies);
            for cookie in cookies {
                let Some(waiting) = self.waiting.get_mut(&cookie) else { continue };
                let found = listed.as_ref().map(|all| all.iter().find(|one| one.cookie == cookie));
                match waiting.judge(found.map_err(|_| ()), now) {
                    Judged::Later => {}
                    Judged::Moved(local, peer) => {
                        self.waiting.remove(&cookie);
                        settled.push((cookie, Change::Moved { local, peer }));
                    }
                    Judged::Nothing => drop(self.waiting.remove(&cookie)),
                }
            }
        }
        settled
    }
}

enum Judged {
    Later,
    Moved(Option<SocketAddr>, Option<SocketAddr>),
    Nothing,
}

impl Waiting {
    const fn is_last_look(&self) -> bool {
        self.looks >= WAITS_MS.len() || self.to.is_none()
    }

    /// The peer's port by which it is looked for: the last time, any.
    fn port(&self) -> u16 {
        self.to.filter(|_| !self.is_last_look()).map_or(0, |to| to.port())
    }

    fn judge(&mut self, found: Result<Option<&Listed>, ()>, now: Instant) -> Judged {
        let Ok(found) = found else {
            return self.to.map_or(Judged::Nothing, |to| Judged::Moved(None, Some(to)));
        };
        let is_there = |listed: &Listed| match (listed.peer, self.to) {
            (Some(peer), Some(to)) => {
                peer.port() == to.port() && peer.ip().to_canonical() == to.ip().to_canonical()
            }
            _ => false,
        };
        match found {
            // How long its peer may take is the kernel's business.
            Some(listed) if listed.is_connecting => self.later(now),
            Some(listed) if is_there(listed) || self.is_last_look() => {
                Judged::Moved(listed.local, listed.peer)
            }
            None if self.is_last_look() => Judged::Nothing,
            _ => self.later(now),
        }
    }

    fn later(&mut self, now: Instant) -> Judged {
        let wait = WAITS_MS.get(self.looks).copied().unwrap_or(WAITS_MS[WAITS_MS.len() - 1]);
        self.at = now + Duration::from_millis(wait);
        self.looks += 1;
        Judged::Later
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::super::names::Listed;
    use super::{Followed, REST};
    use std::io;
    use std::net::SocketAddr;
    use std::time::Duration;
    use tokio::time::Instant;

    fn name(at: &str) -> SocketAddr {
        at.parse().expect("a name")
    }

    fn listed(peer: Option<&str>, is_connecting: bool) -> Listed {
        Listed { cookie: 7, is_connecting, local: Some(name("10.0.1.1:4000")), peer: peer.map(name) }
    }

    fn moved(peer: Option<&str>) -> Vec<(u64, Change)> {
        vec![(7, Change::Moved { local: Some(name("10.0.1.1:4000")), peer: peer.map(name) })]
    }

    /// Looks whenever it is time to, until something is known or nothing more is to come.
    fn looked(
        followed: &mut Followed,
        mut list: impl FnMut(usize, u16) -> io::Result<Vec<Listed>>,
    ) -> (usize, Duration, Vec<(u64, Change)>) {
        let (began, mut looks, mut found) = (followed.wake_at().expect("it waits"), 0, Vec::new());
        let mut now = began;
        while let Some(at) = followed.wake_at().filter(|_| found.is_empty()) {
            now = at;
            looks += 1;
            assert!(looks < 100, "it ends");
            found = followed.look(now, |_, port, _| list(looks, port));
        }
        (looks, now - began, found)
    }

    fn following(to: Option<&str>) -> Followed {
        let mut followed = Followed::default();
        match to {
            Some(to) => followed.follow(7, 17, name(to), Instant::now()),
            None => followed.look_up(7, 17, Instant::now()),
        }
        followed
    }

    #[test]
    fn it_is_looked_until_the_peer_is_there() {
        let to = "10.0.1.2:5000";
        let at_once = looked(&mut following(Some(to)), |_, _| Ok(vec![listed(Some(to), false)]));
        assert_eq!(at_once, (1, Duration::ZERO, moved(Some(to))));
        // The same in IPv6's form.
        let (looks, _, found) = looked(&mut following(Some(to)), |look, port| {
            assert_eq!(port, 5000);
            Ok(if look < 3 {
                vec![listed(None, false)]
            } else {
                vec![listed(Some("[::ffff:10.0.1.2]:5000"), false)]
            })
        });
        assert_eq!((looks, found), (3, moved(Some("[::ffff:10.0.1.2]:5000"))));
    }

    #[test]
    fn a_connect_that_fails_leaves_what_is_so() {
        let to = "10.0.1.2:5000";
        let (looks, after, found) = looked(&mut following(Some(to)), |look, port| {
            // The last time whatever its peer is.
            assert_eq!(port, if look == 7 { 0 } else { 5000 });
            Ok(if port == 0 { vec![listed(Some("10.0.1.9:9"), false)] } else { vec![] })
        });
        assert_eq!((looks, found), (7, moved(Some("10.0.1.9:9"))));
        assert!(after < Duration::from_millis(1_500), "{after:?}");
        // One that has no names at all is not listed: nothing is known of it.
        assert_eq!(looked(&mut following(Some(to)), |_, _| Ok(vec![])).2, []);
    }

    #[test]
    fn a_peer_that_takes_its_time_is_waited_for() {
        let to = "10.0.1.2:5000";
        let (looks, _, found) =
            looked(&mut following(Some(to)), |look, _| Ok(vec![listed(Some(to), look < 50)]));
        assert_eq!((looks, found), (50, moved(Some(to))));
    }

    #[test]
    fn a_kernel_that_lists_no_sockets_is_believed_what_the_hook_has_seen() {
        let refused = || Err(io::Error::from_raw_os_error(libc::ENOENT));
        let found = looked(&mut following(Some("10.0.1.2:5000")), |_, _| refused()).2;
        assert_eq!(found, [(7, Change::Moved { local: None, peer: Some(name("10.0.1.2:5000")) })]);
        assert_eq!(looked(&mut following(None), |_, _| refused()).2, []);
    }

    #[test]
    fn whose_names_alone_are_asked_for_is_looked_for_once_and_looks_leave_a_rest() {
        let mut followed = following(None);
        let once = looked(&mut followed, |_, port| {
            assert_eq!(port, 0);
            Ok(vec![listed(None, false)])
        });
        assert_eq!((once.0, once.2), (1, moved(None)));
        let now = followed.rests_until.expect("it rests") - REST;
        followed.look_up(7, 17, now);
        assert_eq!(followed.wake_at(), Some(now + REST));
        assert_eq!(followed.look(now, |_, _, _| panic!("it rests")), []);
        followed.retain(|cookie| cookie != 7);
        assert_eq!(followed.wake_at(), None);
    }
}
