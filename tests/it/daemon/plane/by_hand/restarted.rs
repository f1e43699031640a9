//! Flows by hand, and a daemon that is killed: the connections of those who made them end with it, so that its next run begins with
//! none of them, whatever the kernel has kept.

use super::super::super::eventually;
use super::super::super::net::Net;
use super::super::outlived::{PLAIN, kill};
use super::super::{SENDER, SESSION, controlled_load, kernel, pinned, traffic};
use super::{AMPLE, Bed, marked, paced_with, to_port};
use serde_json::json;

impl Bed {
    /// One flow of a class of its own, one that has only marks, one of a rule; filters with two masks.
    fn make_some(&mut self) {
        let shaped = self.a.flow("to-r", &paced_with(AMPLE, 15_000, &json!({"mode": "shape", "dscp": 46})));
        self.a.filter(shaped, &to_port(6000));
        let other = self.a.flow("to-r", &marked(&json!({"dscp": 10})));
        self.a.filter(other, &json!({"destination": "10.0.2.0/24", "protocol": "tcp"}));
        let rules = json!({"rules": [{"inbound": 12, "dscp": 14, "excess_dscp": 8}]});
        self.a.flow("to-r", &paced_with(8_000, 1_500, &rules));
        let report = self.a.report();
        assert_eq!(report["flows"].as_array().map(Vec::len), Some(3), "{report}");
        assert_eq!(self.told_by(), [2, 1, 1]);
    }
}

#[test]
fn nothing_of_flows_by_hand_outlives_a_daemon_that_is_killed() {
    for keeps in [true, false] {
        let Some(mut net) = Net::three_in_a_row("flows by hand and a killed daemon") else { return };
        let root = net.bpffs().join("rsvpd");
        let more = "overhead = 0\nrefresh = \"30s\"\n";
        let config = if keeps { pinned(&root, "auto", more) } else { kernel("auto", more) };
        ["r", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
        let mut bed = Bed::of(net, &config);
        let all = bed.a.remaining("to-r");
        // A reservation on the same interface, which outlives the daemon where that is configured.
        bed.a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
        let mut b = bed.net.client("b");
        b.hears(SESSION);
        b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
        bed.a.until("flows", 1);
        bed.make_some();
        assert_eq!((bed.live(), bed.own_classes()), (4, 1));
        bed.send(4001, 6000, 1);
        assert_eq!(bed.dscps(6000, 0, 1), [46]);
        kill(&mut bed.net, "a");
        assert_eq!(bed.own_classes(), 1, "the kernel has not heard of it");
        // Without pins the program is gone with the process.
        bed.send(4001, 6000, 1);
        assert_eq!(bed.dscps(6000, 1, 1), [if keeps { 46 } else { 0 }]);
        bed.net.daemon("a", &config);
        bed.a = bed.net.client("a");
        let report = bed.a.report();
        assert_eq!((&report["flows"], bed.told_by()), (&json!([]), [0; 3]));
        assert_eq!(bed.a.remaining("to-r"), all);
        // The reservation's own is there, and nothing else.
        let kept = bed.a.list("flows");
        let states: Vec<_> = kept.iter().map(|row| (&row["state"], &row["session"])).collect();
        let expected = [(&json!("stale"), &json!(SESSION))];
        assert_eq!(states, if keeps { &expected[..] } else { &[] });
        assert_eq!(bed.live(), usize::from(keeps));
        eventually("no class of a flow by hand", || (bed.own_classes() == 0).then_some(()));
        bed.send(4001, 6000, 1);
        assert_eq!(bed.dscps(6000, 2, 1), [0]);
        // What was taken is free: all of it can be made again.
        bed.make_some();
        bed.send(4001, 6000, 1);
        assert_eq!(bed.dscps(6000, 3, 1), [46]);
    }
}
