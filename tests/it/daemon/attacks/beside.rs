//! What an attack is judged by: reservations that are made beside it, memory, how long one message holds the router up, and that the
//! one at fault is named.

use super::Ground;
use super::eventually;
use crate::daemon::client::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// Processor time that one message may cost, in a build that is not for release, on a machine that does other work.
pub(super) const EACH: Duration = Duration::from_millis(40);

/// What neighbours may have together, and what a daemon may take beside that for what comes and goes.
pub(super) const STATE_OCTETS: u64 = 16 << 20;
const BESIDE_IT: u64 = 8 << 20;

/// Two hosts and the router between them, and what was so before the attack.
pub(super) struct Beside {
    pub(super) r: Client,
    pub(super) hosts: [Client; 2],
    before: Value,
    memory: u64,
    /// Ports of the reservations to come.
    ports: u16,
}

impl Beside {
    /// Starts the daemons.
    pub(super) fn new(ground: &mut Ground, config: &str) -> Self {
        let config = format!("{config}[limits]\nstate_octets = {STATE_OCTETS}\n");
        ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, &config));
        let hosts = ["a", "b"].map(|node| ground.net.client(node));
        let mut r = ground.net.client("r");
        let (before, memory) = (counters(&mut r), ground.memory());
        Self { r, hosts, before, memory, ports: 20_000 }
    }

    /// Makes a hundred reservations while an attack goes on, of which there are so many rounds: ten of them beside each tenth. Each
    /// that fails has a cause that is counted, and at most one does.
    pub(super) fn holds(&mut self, ground: &Ground, rounds: u32, mut attack: impl FnMut(u32) + Send) {
        let (mut confirmed, mut failures) = (0, Vec::new());
        for tenth in 0..10 {
            let hosts = &mut self.hosts;
            let found = std::thread::scope(|scope| {
                let attack = &mut attack;
                scope.spawn(move || (tenth * rounds / 10..(tenth + 1) * rounds / 10).for_each(attack));
                ground.set_ups(hosts, 10, self.ports)
            });
            self.ports += 10;
            confirmed += found.0;
            failures.extend(found.1);
        }
        let dropped = dropped(&self.before, &counters(&mut self.r));
        println!("{confirmed} of 100 are confirmed beside {rounds} rounds; dropped: {dropped:?}");
        assert!(confirmed >= 99 && (confirmed == 100 || !dropped.is_empty()), "{failures:?}, {dropped:?}");
    }

    /// The memory of the router's daemon is within its bound, and what neighbours have within theirs. How much it has grown.
    pub(super) fn is_bounded(&mut self, ground: &Ground) -> u64 {
        let charged: u64 = self.r.list("neighbours").iter().filter_map(|row| row["octets"].as_u64()).sum();
        assert!(charged <= STATE_OCTETS, "{charged} octets are charged");
        let grown = ground.memory().saturating_sub(self.memory);
        println!("{charged} octets are charged, and the memory has grown by {grown}");
        assert!(grown <= STATE_OCTETS + BESIDE_IT, "{grown} octets");
        grown
    }

    /// What a counter has grown by.
    pub(super) fn more(&mut self, kind: &str, name: &str) -> u64 {
        let count = |of: &Value| of[kind][name].as_u64().unwrap_or(0);
        count(&counters(&mut self.r)) - count(&self.before)
    }

    /// `show neighbours` has the one at fault with this cause, and the log names it in one line that says so. How often it was refused.
    pub(super) fn names(
        &mut self,
        ground: &Ground,
        (on, address): (&str, &str),
        cause: &str,
        says: &str,
    ) -> u64 {
        let row = neighbour(&mut self.r, on, address);
        let times = row["refused"][cause].as_u64().unwrap_or(0);
        println!("{address} is named: {row}");
        assert!(times > 0, "{cause}: {row}");
        let (log, address) = (ground.net.log("r"), format!("\"{address}\""));
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains(says) && line.contains(&address)).collect();
        assert_eq!(lines.len(), 1, "{says}: {lines:?} of {log}");
        times
    }
}

/// What `show neighbours` has of one; nothing if it was not heard.
pub(super) fn neighbour(r: &mut Client, on: &str, address: &str) -> Value {
    let rows = r.list("neighbours");
    let found = rows.into_iter().find(|row| row["interface"] == on && row["address"] == address);
    found.unwrap_or_default()
}

/// Waits until so many messages of a neighbour were heard, whatever became of them.
pub(super) fn until_heard(r: &mut Client, on: &str, address: &str, count: u64) {
    eventually("messages that are heard", || {
        (neighbour(r, on, address)["messages"].as_u64().unwrap_or(0) >= count).then_some(())
    });
}

/// What was dropped since, by its reason.
pub(super) fn dropped(before: &Value, after: &Value) -> Vec<(String, u64)> {
    let more = |kind: &str| {
        let counts = |of: &Value| of[kind].as_object().cloned().unwrap_or_default();
        let before = counts(before);
        let all = counts(after).into_iter().filter_map(|(name, count)| Some((name, count.as_u64()?)));
        let more = all.map(move |(name, count)| {
            let was = before.get(&name).and_then(Value::as_u64).unwrap_or(0);
            (name, count - was)
        });
        more.filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    };
    let driver =
        more("driver").into_iter().filter(|(name, _)| name.contains("drop") || name.contains("send-"));
    more("discards").into_iter().chain(driver).collect()
}

pub(super) fn counters(client: &mut Client) -> Value {
    client.ask(json!({"request": "list", "what": "counters"})).expect("counters")["counters"].take()
}
