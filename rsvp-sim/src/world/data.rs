//! What became of the data of applications that are QoS sockets. The simulator sends none; a lab does.

use crate::facts::{Fact, Facts};
use rsvp_node::Instant;
use rsvp_node::qos::Dscp;
use std::collections::BTreeMap;

/// The packets of one sender for one receiver.
#[derive(Clone, Debug)]
pub struct DataStream {
    /// Name of the sender.
    pub sender: String,
    /// Name of the receiver.
    pub receiver: String,
    /// When each was sent, and with which DSCP it came; without one, it did not come.
    pub packets: Vec<(Instant, Option<Dscp>)>,
}

impl DataStream {
    /// What was sent in this time, by the DSCP with which it came: so many packets, and in all so many lost.
    pub(crate) fn facts(&self, from: Instant, to: Instant) -> Vec<Facts> {
        let sent = || self.packets.iter().filter(|(at, _)| (from..=to).contains(at));
        let lost = sent().filter(|(_, dscp)| dscp.is_none()).count() as u64;
        let stream = Facts::default()
            .word("sender", self.sender.as_str())
            .word("receiver", self.receiver.as_str())
            .with("lost", Fact::Number(lost));
        let came = by_dscp(sent().copied());
        if came.is_empty() && lost > 0 {
            return vec![stream];
        }
        let each = |(dscp, packets): (Dscp, u64)| {
            stream.clone().word("dscp", dscp.to_string()).with("packets", Fact::Number(packets))
        };
        came.into_iter().map(each).collect()
    }

    /// How many came with which DSCP.
    pub(crate) fn came(&self) -> BTreeMap<Dscp, u64> {
        by_dscp(self.packets.iter().copied())
    }
}

fn by_dscp(packets: impl Iterator<Item = (Instant, Option<Dscp>)>) -> BTreeMap<Dscp, u64> {
    let mut came = BTreeMap::new();
    for dscp in packets.filter_map(|(_, dscp)| dscp) {
        *came.entry(dscp).or_default() += 1;
    }
    came
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn what_was_sent_in_a_time_is_told_apart_by_its_dscp_and_what_is_lost_counts_for_all() {
        let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);
        let (df, cs3) = (Some(Dscp::DF), Some(Dscp::CS3));
        let packets = [(1, df), (2, df), (3, None), (4, cs3), (5, cs3), (6, cs3)];
        let packets = packets.into_iter().map(|(second, dscp)| (at(second), dscp)).collect();
        let stream = DataStream { sender: "camera".to_owned(), receiver: "viewer".to_owned(), packets };
        let shown = |from, to| -> Vec<String> {
            stream.facts(at(from), at(to)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            shown(1, 5),
            [
                "sender camera, receiver viewer, dscp DF, packets 2, lost 1",
                "sender camera, receiver viewer, dscp CS3, packets 2, lost 1"
            ]
        );
        assert_eq!(shown(4, 6), ["sender camera, receiver viewer, dscp CS3, packets 3, lost 0"]);
        assert_eq!(shown(3, 3), ["sender camera, receiver viewer, lost 1"]);
        assert_eq!(shown(7, 9), [""; 0]);
    }
}
