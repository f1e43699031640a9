//! Plain routers of the simulator: RSVP messages pass them like any other packet, one hop less in the TTL, and the nodes
//! with RSVP on both sides are each other's hops (RFC 2205 section 2.9).

use rsvp_sim::scenario::model::Family;
use rsvp_sim::{Report, Scenario};

/// Runs a scenario in both families and wants every expectation to hold.
fn check(text: &str) -> [Report; 2] {
    [Family::Ipv4, Family::Ipv6].map(|family| {
        let mut scenario =
            Scenario::parse("inline.toml", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
        scenario.family = family;
        let report = Report::of(scenario);
        assert!(report.held(), "{family:?}\n{}", report.text(Default::default()));
        report
    })
}

/// Sender, three plain routers in a row, a router with RSVP, another plain one, receiver.
const ROW: &str = r#"
name = "row"
duration = "100s"
[nodes]
hosts = ["h1", "h2"]
routers = ["r"]
plain = ["p1", "p2", "p3", "p4"]
[[link]]
between = ["h1", "p1"]
[[link]]
between = ["p1", "p2"]
[[link]]
between = ["p2", "p3"]
[[link]]
between = ["p3", "r"]
[[link]]
between = ["r", "p4"]
[[link]]
between = ["p4", "h2"]
[[session]]
name = "s"
to = "h2"
[[sender]]
name = "tx"
node = "h1"
rate = "1mbit"
[[receiver]]
name = "rx"
node = "h2"
style = "ff"
rate = "1mbit"
confirm = true
"#;

#[test]
fn the_nodes_on_both_sides_of_a_row_of_plain_routers_are_each_others_hops() {
    let text = format!(
        "{ROW}{}",
        r#"
        [[expect]]
        what = "paths"
        list = [
            { node = "h1", previous_hop = "application" },
            { node = "r", previous_hop = "h1", link = "p3-r" },
            { node = "h2", previous_hop = "r", link = "p4-h2" },
        ]
        [[expect]]
        what = "requests"
        list = [
            { node = "h1", next_hop = "r" },
            { node = "r", next_hop = "h2" },
            { node = "h2", next_hop = "application" },
        ]
        [[expect]]
        what = "reservations"
        list = [{ node = "h1", link = "h1-p1", rate = "1mbit" }, { node = "r", link = "r-p4", rate = "1mbit" }]
        [[expect]]
        about = "a plain router is nobody whose messages count"
        what = "messages"
        from = "p2"
        list = []
        [[expect]]
        what = "events"
        application = "rx"
        event = "resv-confirm"
        count = 1
        [[expect]]
        what = "discards"
        list = []
        "#
    );
    for report in check(&text) {
        let passed = |from: &str, kind: &str| {
            let here = |m: &&rsvp_sim::report::MessageReport| m.from == from && m.text.starts_with(kind);
            report.messages.iter().find(here).map(|m| m.ttl)
        };
        let ttls = ["h1", "p1", "p2", "p3", "r", "p4"].map(|node| passed(node, "Path "));
        assert_eq!(ttls, [64, 63, 62, 61, 60, 59].map(Some), "each takes one");
        assert_eq!(passed("p2", "Resv "), passed("r", "Resv ").map(|ttl| ttl - 2), "upstream, too");
    }
}

#[test]
fn what_is_torn_down_is_gone_on_both_sides_and_a_ttl_that_is_used_up_ends_a_path() {
    check(&format!(
        "{ROW}{}",
        r#"
        [[action]]
        at = "20s"
        do = "tear"
        sender = "tx"
        [[action]]
        at = "20s"
        do = "leave"
        receiver = "rx"
        [[expect]]
        what = "empty"
        at = "21s"
        "#
    ));
    // A Path that has used up its TTL goes no further.
    check(&format!(
        "{}{}",
        ROW.replace("rate = \"1mbit\"\n[[receiver]]", "rate = \"1mbit\"\nttl = 3\n[[receiver]]"),
        r#"
        [[expect]]
        what = "paths"
        list = [{ node = "h1" }]
        "#
    ));
}

/// A tree whose branches meet plain routers only, RSVP beside plain on a LAN, and RSVP behind a plain one.
const TREE: &str = r#"
name = "tree"
duration = "100s"
[nodes]
hosts = ["h1", "a", "b", "c", "d"]
routers = ["r1", "r2"]
plain = ["p1", "p2", "p3"]
[[link]]
between = ["h1", "p1"]
[[link]]
between = ["p1", "r1"]
[[link]]
between = ["p1", "a"]
[[lan]]
name = "lan"
nodes = ["r1", "r2", "p2", "b"]
[[link]]
between = ["p2", "p3"]
[[link]]
between = ["p3", "c"]
[[link]]
between = ["r2", "d"]
[[session]]
name = "s"
group = "g"
[[sender]]
name = "tx"
node = "h1"
rate = "1mbit"
[[receiver]]
name = "ra"
node = "a"
style = "wf"
rate = "1mbit"
[[receiver]]
name = "rb"
node = "b"
style = "wf"
rate = "2mbit"
[[receiver]]
name = "rc"
node = "c"
style = "wf"
rate = "3mbit"
[[receiver]]
name = "rd"
node = "d"
style = "wf"
rate = "1mbit"
"#;

#[test]
fn multicast_trees_go_on_behind_plain_routers() {
    check(&format!(
        "{TREE}{}",
        r#"
        [[expect]]
        what = "paths"
        list = [
            { node = "h1", previous_hop = "application" },
            { node = "a", previous_hop = "h1" },
            { node = "r1", previous_hop = "h1" },
            { node = "b", previous_hop = "r1" },
            { node = "r2", previous_hop = "r1" },
            { node = "c", previous_hop = "r1" },
            { node = "d", previous_hop = "r2" },
        ]
        [[expect]]
        about = "hops that answer over one interface are merged, near or far"
        what = "reservations"
        list = [
            { node = "h1", rate = "1mbit", link = "h1-p1" },
            { node = "r1", rate = "1mbit", link = "lan" },
            { node = "r2", rate = "1mbit", link = "r2-d" },
        ]
        [[expect]]
        what = "requests"
        node = "r1"
        at = "49s"
        list = [
            { next_hop = "b", flows = [{ rate = "2mbit" }] },
            { next_hop = "c", flows = [{ rate = "3mbit" }] },
            { next_hop = "r2", flows = [{ rate = "1mbit" }] },
        ]
        [[action]]
        at = "50s"
        do = "leave"
        receiver = "rc"
        [[expect]]
        what = "requests"
        node = "r1"
        at = "51s"
        list = [{ next_hop = "b" }, { next_hop = "r2" }]
        "#
    ));
}

#[test]
fn the_way_back_through_plain_routers_need_not_be_the_way_there() {
    // Data goes over p1, what is addressed to h1 over p2.
    check(
        r#"
        name = "asymmetric"
        duration = "100s"
        [nodes]
        hosts = ["h1", "h2"]
        routers = ["r"]
        plain = ["p1", "p2", "p3"]
        [[link]]
        between = ["h1", "p3"]
        [[link]]
        between = ["p3", "p1"]
        [[link]]
        between = ["p3", "p2"]
        [[lan]]
        name = "there"
        nodes = ["p1", "r"]
        [[lan]]
        name = "back"
        nodes = ["p2", "r"]
        [[link]]
        between = ["r", "h2"]
        [[route]]
        node = "p3"
        to = "h2"
        out = ["p1"]
        [[route]]
        node = "r"
        to = "h1"
        out = ["back"]
        [[session]]
        name = "s"
        to = "h2"
        [[sender]]
        name = "tx"
        node = "h1"
        rate = "1mbit"
        [[receiver]]
        name = "rx"
        node = "h2"
        style = "ff"
        rate = "1mbit"
        [[expect]]
        what = "paths"
        node = "r"
        list = [{ previous_hop = "h1", link = "there" }]
        [[expect]]
        what = "messages"
        from = "r"
        type = "Resv"
        list = [{ link = "back" }]
        [[expect]]
        what = "reservations"
        list = [{ node = "h1", rate = "1mbit" }, { node = "r", rate = "1mbit" }]
        "#,
    );
}
