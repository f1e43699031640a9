//! What may be done with the queueing discipline that is at the root of an interface: a decision, without a system call.

use super::super::tc::{Handle, Qdisc};
use super::super::tree::ROOT;

/// Queueing disciplines without classes: nothing that an administrator has put into them is lost when one is put back.
const CLASSLESS: [&str; 16] = [
    "bfifo",
    "cake",
    "choke",
    "codel",
    "fq",
    "fq_codel",
    "fq_pie",
    "gred",
    "hhf",
    "noqueue",
    "pfifo",
    "pfifo_fast",
    "pfifo_head_drop",
    "pie",
    "sfb",
    "sfq",
];

/// What is at the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// What the kernel puts there by itself: it makes room for another.
    Default,
    /// A tree that an earlier run has left.
    Ours,
    /// What somebody has put there, and what is to be put back at the end.
    TakenOver(Qdisc),
    /// Something that has to stay.
    Foreign(String),
}

/// What is at the root of an interface, by the list of its queueing disciplines and how many filters it has.
pub(super) fn judge(listed: &[Qdisc], filters: usize, take_over: bool) -> Root {
    let Some(root) = listed.iter().find(|qdisc| qdisc.parent == Handle::ROOT) else { return Root::Default };
    let what = format!("{} {}", root.kind, root.handle);
    match (root.handle, CLASSLESS.contains(&root.kind.as_str()), filters) {
        (Handle(0), ..) => Root::Default,
        (ROOT, ..) if root.kind == "htb" => Root::Ours,
        (_, false, _) => Root::Foreign(format!(
            "its queueing discipline {what} can have classes of others; remove it (`tc qdisc del … root`), or leave this \
             interface to it with `enabled = false`"
        )),
        (.., 1..) => Root::Foreign(format!(
            "its queueing discipline {what} has filters; remove it, or leave this interface to it with `enabled = false`"
        )),
        _ if take_over => Root::TakenOver(root.clone()),
        _ => Root::Foreign(format!(
            "somebody has put the queueing discipline {what} there; `take_over = true` replaces it while the daemon runs"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_plane::tc::Counters;

    fn qdisc(kind: &str, handle: Handle, parent: Handle) -> Qdisc {
        let (kind, options, counters) = (kind.to_owned(), vec![1, 2], Counters::default());
        Qdisc { interface: 1, handle, parent, kind, options, counters }
    }

    fn root(kind: &str, handle: Handle) -> Vec<Qdisc> {
        vec![qdisc("bfifo", Handle::new(0x12, 0), Handle::new(1, 2)), qdisc(kind, handle, Handle::ROOT)]
    }

    #[test]
    fn the_kernels_own_make_room_and_so_does_what_was_left() {
        assert_eq!(judge(&[], 0, false), Root::Default);
        for kind in ["noqueue", "mq", "fq_codel"] {
            assert_eq!(judge(&root(kind, Handle(0)), 0, false), Root::Default);
        }
        assert_eq!(judge(&root("htb", ROOT), 0, false), Root::Ours);
    }

    #[test]
    fn what_has_classes_or_filters_stays_whatever_is_said() {
        for take_over in [false, true] {
            for kind in ["htb", "prio", "tbf", "mq", "netem"] {
                let judged = judge(&root(kind, Handle::new(1, 0)), 0, take_over);
                let Root::Foreign(why) = judged else { panic!("{kind}: {judged:?}") };
                assert!(why.contains(&format!("{kind} 1:")), "{why}");
            }
            let judged = judge(&root("fq_codel", Handle::new(1, 0)), 2, take_over);
            assert!(matches!(&judged, Root::Foreign(why) if why.contains("filters")), "{judged:?}");
        }
    }

    #[test]
    fn what_has_no_classes_is_taken_over_where_that_is_said() {
        let there = root("pfifo", Handle::new(9, 0));
        assert!(matches!(judge(&there, 0, false), Root::Foreign(why) if why.contains("take_over")));
        assert_eq!(judge(&there, 0, true), Root::TakenOver(there[1].clone()));
    }
}
