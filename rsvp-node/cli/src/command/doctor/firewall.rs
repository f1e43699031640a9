//! What a firewall does with RSVP: rules are gone through in their order, as the kernel does, for each kind of packet that RSVP has.
//!
//! Conditions of which a message fulfils some and not others, as addresses and interfaces, stay undecided: what is dropped by them, or
//! after something may have been accepted by them, is dropped perhaps.

use super::Finding;
use super::conditions::{Packet, Sets, Tri};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Chains that call each other are followed so far; the kernel takes no more than 16.
const DEEPEST: usize = 16;

/// What a rule does with a packet that fulfils its conditions.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) text: String,
    pub(super) expressions: Vec<Value>,
}

#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) hook: Option<String>,
    pub(super) drops: bool,
    pub(super) rules: Vec<Rule>,
}

/// The chains and sets of a table.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) chains: BTreeMap<String, Chain>,
    pub(super) sets: Sets,
}

/// All tables, by family and name.
#[derive(Debug, Default)]
pub(super) struct Firewall {
    pub(super) tables: BTreeMap<(String, String), Table>,
    /// It was read from iptables, and is changed by it.
    pub(super) is_iptables: bool,
}

/// What comes out of a chain.
struct Out {
    /// Something may come out at its end.
    some: bool,
    /// Something may have been accepted within.
    spared: bool,
}

/// Rules that drop a packet, with whether they do for sure.
type Drops = BTreeSet<(bool, String)>;

impl Firewall {
    /// What is to be said of packets of these families.
    pub(super) fn findings(&self, by_ipv4: bool, by_ipv6: bool) -> Vec<Finding> {
        let packets: Vec<_> =
            Packet::ALL.into_iter().filter(|packet| if packet.is_ipv6 { by_ipv6 } else { by_ipv4 }).collect();
        let mut findings = Vec::new();
        for ((family, name), table) in &self.tables {
            for (chain, of) in &table.chains {
                let Some(hook) = &of.hook else { continue };
                let dropped: Vec<_> = packets
                    .iter()
                    .filter(|packet| packet.passes(family))
                    .map(|packet| (packet, table.drops(chain, packet)))
                    .collect();
                let at = format!("table {family} {name}, chain {chain}");
                let sees_all = matches!(family.as_str(), "ip" | "ip6" | "inet")
                    && matches!(hook.as_str(), "prerouting" | "input" | "forward" | "output" | "postrouting");
                let accept = if self.is_iptables {
                    let program = if family == "ip6" { "ip6tables" } else { "iptables" };
                    format!("{program} -t {name} -I {chain} -p 46 -j ACCEPT")
                } else {
                    format!("nft insert rule {family} {name} {chain} meta l4proto 46 accept")
                };
                findings.extend(finding(&dropped, packets.len(), &at, sees_all, &accept));
            }
        }
        findings
    }
}

/// What is to be said of a chain, given what it does to each kind of packet.
fn finding(
    dropped: &[(&Packet, Drops)],
    kinds: usize,
    at: &str,
    sees_all: bool,
    accept: &str,
) -> Option<Finding> {
    let with = |is_sure: bool| -> (Vec<String>, BTreeSet<&str>) {
        let is_meant = |(sure, _): &&(bool, String)| (*sure && sees_all) == is_sure;
        let hit = dropped.iter().filter(|(_, drops)| drops.iter().any(|drop| is_meant(&drop)));
        let rules = dropped.iter().flat_map(|(_, drops)| drops.iter().filter(is_meant));
        (hit.map(|(packet, _)| packet.to_string()).collect(), rules.map(|(_, rule)| rule.as_str()).collect())
    };
    let list = |hit: Vec<String>, rules: BTreeSet<&str>| {
        let rules = rules.into_iter().collect::<Vec<_>>().join("; ");
        if hit.len() == kinds { rules } else { format!("{rules} (that is: {})", hit.join(", ")) }
    };
    let (hit, rules) = with(true);
    if !rules.is_empty() {
        let said = format!("IP protocol 46 is dropped: {at}: {}", list(hit, rules));
        return Some(Finding::problem("firewall", said, format!("let RSVP through, before it: `{accept}`")));
    }
    let (hit, rules) = with(false);
    (!rules.is_empty()).then(|| {
        Finding::note(
            "firewall",
            format!(
                "IP protocol 46 may be dropped, as addresses, interfaces or others are: {at}: may drop: {}; to let it through: `{accept}`",
                list(hit, rules)
            ),
        )
    })
}

impl Table {
    /// The rules by which a base chain drops a packet.
    fn drops(&self, base: &str, packet: &Packet) -> Drops {
        let mut drops = Drops::new();
        let out = self.walk(base, packet, true, 0, &mut drops);
        if out.some && self.chains.get(base).is_some_and(|chain| chain.drops) {
            drops.insert((!out.spared, "policy drop, for what no rule accepts".to_owned()));
        }
        drops
    }

    /// Goes through a chain; `sure` is whether all such packets come here that have not been dropped before.
    fn walk(&self, name: &str, packet: &Packet, mut sure: bool, depth: usize, drops: &mut Drops) -> Out {
        let mut out = Out { some: false, spared: false };
        let Some(chain) = self.chains.get(name).filter(|_| depth < DEEPEST) else {
            return Out { some: true, spared: false };
        };
        for rule in &chain.rules {
            for (applies, verdict) in self.verdicts(rule, packet) {
                let taken = sure && applies == Tri::Yes;
                let mut goes_on = applies != Tri::Yes;
                match verdict {
                    Verdict::Drop => {
                        let place = if depth == 0 { String::new() } else { format!("chain {name}: ") };
                        drops.insert((taken, format!("{place}{}", rule.text)));
                    }
                    Verdict::Accept => (out.spared, sure) = (true, false),
                    Verdict::Return => (out.some, sure) = (true, false),
                    Verdict::Jump(target) => {
                        let within = self.walk(&target, packet, taken, depth + 1, drops);
                        goes_on |= within.some;
                        out.spared |= within.spared;
                        sure &= !within.spared;
                    }
                    Verdict::Goto(target) => {
                        let within = self.walk(&target, packet, taken, depth + 1, drops);
                        out.some |= within.some;
                        out.spared |= within.spared;
                        sure = false;
                    }
                }
                if !goes_on {
                    return out;
                }
            }
        }
        Out { some: true, ..out }
    }

    /// What a rule may do with a packet, and whether it does: nothing where it does not apply, or only counts.
    fn verdicts(&self, rule: &Rule, packet: &Packet) -> Vec<(Tri, Verdict)> {
        let mut applies = Tri::Yes;
        for expression in &rule.expressions {
            let Some((kind, of)) = expression.as_object().and_then(|object| object.iter().next()) else {
                applies = applies.min(Tri::Maybe);
                continue;
            };
            // Older versions of nft do not say in JSON which target of iptables it is.
            let rejects = kind == "xt" && rule.text.contains("REJECT");
            if let Some(verdict) = verdict(kind, of).or_else(|| rejects.then_some(Verdict::Drop)) {
                return vec![(applies, verdict)];
            }
            match kind.as_str() {
                "match" => applies = applies.min(self.sets.fulfils(packet, of)),
                "vmap" => {
                    let found = self.sets.mapped(packet, &of["key"], &of["data"]);
                    let verdicts = found.into_iter().filter_map(|(is_it, value)| {
                        let (kind, of) = value.as_object()?.iter().next()?;
                        Some((applies.min(is_it), verdict(kind, of)?))
                    });
                    return verdicts.collect();
                }
                // They are no conditions.
                "counter" | "log" | "mangle" | "notrack" | "flow" | "dup" | "ct helper" | "ct timeout"
                | "ct expectation" | "secmark" | "last" => {}
                _ => applies = applies.min(Tri::Maybe),
            }
            if applies == Tri::No {
                break;
            }
        }
        Vec::new()
    }
}

fn verdict(kind: &str, of: &Value) -> Option<Verdict> {
    let target = || of["target"].as_str().unwrap_or_default().to_owned();
    match kind {
        "accept" | "snat" | "dnat" | "masquerade" | "redirect" | "tproxy" | "queue" => Some(Verdict::Accept),
        "drop" | "reject" => Some(Verdict::Drop),
        "xt" => match of["name"].as_str().filter(|_| of["type"] == "target")? {
            "REJECT" | "DROP" => Some(Verdict::Drop),
            _ => None,
        },
        "return" => Some(Verdict::Return),
        "jump" => Some(Verdict::Jump(target())),
        "goto" => Some(Verdict::Goto(target())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use serde_json::json;

    /// A base chain and a chain `x`, of rules as nft writes them to JSON.
    fn ruleset(hook: &str, policy: &str, rules: &[Value], called: &[Value]) -> String {
        let chain = |chain: &str, rules: &[Value]| -> Vec<Value> {
            let rule = |rule: &Value| json!({ "rule": { "family": "inet", "table": "f", "chain": chain, "handle": 7, "expr": rule } });
            rules.iter().map(rule).collect()
        };
        let mut objects = vec![
            json!({ "table": { "family": "inet", "name": "f", "handle": 1 } }),
            json!({ "set": { "family": "inet", "name": "s", "table": "f", "type": "inet_proto", "elem": [6, { "range": [40, 50] }] } }),
            json!({ "chain": { "family": "inet", "table": "f", "name": "x", "handle": 1 } }),
            json!({ "chain": { "family": "inet", "table": "f", "name": "c", "type": "filter", "hook": hook, "prio": 0, "policy": policy } }),
        ];
        objects.extend(chain("x", called));
        objects.extend(chain("c", rules));
        json!({ "nftables": objects }).to_string()
    }

    fn found(json: &str, listing: &str) -> Vec<Finding> {
        read(json, listing).expect("a ruleset").findings(true, true)
    }

    fn read(json: &str, listing: &str) -> Option<Firewall> {
        let listing = if listing.is_empty() { "table inet f { # handle 1\n}\n" } else { listing };
        Firewall::of_nft(|arguments| {
            let is_listing = arguments[0] == "-a";
            assert!(is_listing || arguments.ends_with(&["table", "inet", "f"]), "{arguments:?}");
            Some(if is_listing { listing } else { json }.to_owned())
        })
    }

    fn ip(op: &str, right: Value) -> Value {
        json!({ "match": { "op": op, "left": { "payload": { "protocol": "ip", "field": "protocol" } }, "right": right } })
    }

    fn from(address: &str) -> Value {
        json!({ "match": { "op": "==", "left": { "payload": { "protocol": "ip", "field": "saddr" } }, "right": address } })
    }

    fn meta(key: &str, right: Value) -> Value {
        json!({ "match": { "op": "==", "left": { "meta": { "key": key } }, "right": right } })
    }

    fn accept() -> Value {
        json!({ "accept": null })
    }

    fn drop() -> Value {
        json!({ "drop": null })
    }

    #[test]
    fn what_is_dropped_for_sure_is_a_problem() {
        let alert =
            json!({ "match": { "op": "==", "left": { "ip option": { "name": "ra" } }, "right": true } });
        let map = json!({ "vmap": { "key": { "meta": { "key": "l4proto" } }, "data": { "set": [[46, { "drop": null }]] } } });
        let tcp = json!({ "match": { "op": "==", "left": { "payload": { "protocol": "tcp", "field": "dport" } }, "right": 22 } });
        let loopback = meta("iifname", json!("lo"));
        let known = json!({ "match": { "op": "in", "left": { "ct": { "key": "state" } }, "right": ["established", "related"] } });
        let jump = json!({ "jump": { "target": "x" } });
        for (policy, rules) in [
            ("accept", vec![json!([ip("==", json!(46)), drop()])]),
            ("accept", vec![json!([ip("==", json!({ "set": [1, 6, 17] })), accept()]), json!([drop()])]),
            (
                "accept",
                vec![json!([ip("==", json!("@s")), { "counter": { "packets": 0, "bytes": 0 } }, drop()])],
            ),
            ("accept", vec![json!([ip("==", json!({ "range": [40, 50] })), { "reject": null }])]),
            ("accept", vec![json!([jump])]),
            ("accept", vec![json!([{ "goto": { "target": "x" } }]), json!([accept()])]),
            ("accept", vec![json!([alert, drop()])]),
            ("accept", vec![json!([map])]),
            (
                "accept",
                vec![json!([from("192.0.2.1"), drop()]), json!([meta("l4proto", json!("rsvp")), drop()])],
            ),
            ("accept", vec![json!([ip("<", json!(50)), drop()])]),
            ("drop", vec![json!([tcp, accept()]), json!([loopback, accept()]), json!([known, accept()])]),
            ("drop", vec![json!([from("192.0.2.1"), { "return": null }])]),
            ("drop", vec![]),
        ] {
            let called = [json!([ip("!=", json!(46)), accept()]), json!([drop()])];
            let found = found(&ruleset("prerouting", policy, &rules, &called), "");
            let [one] = found.as_slice() else { panic!("{rules:?}: {found:?}") };
            assert!(one.verdict == Verdict::Problem, "{rules:?}: {found:?}");
            assert!(
                one.finding.starts_with("IP protocol 46 is dropped: table inet f, chain c: "),
                "{found:?}"
            );
            let remedy = one.remedy.as_deref().unwrap_or_default();
            assert!(remedy.contains("nft insert rule inet f c meta l4proto 46 accept"), "{remedy}");
        }
    }

    #[test]
    fn what_depends_on_addresses_is_a_note() {
        for (policy, rules) in [
            ("accept", vec![json!([from("10.0.2.2"), drop()])]),
            (
                "drop",
                vec![json!([from("10.0.2.2"), accept()]), json!([meta("nfproto", json!(10)), accept()])],
            ),
            ("accept", vec![json!([meta("iifname", json!("eth0")), accept()]), json!([drop()])]),
            ("accept", vec![json!([{ "xt": null }, drop()])]),
        ] {
            let found = found(&ruleset("forward", policy, &rules, &[]), "");
            let [one] = found.as_slice() else { panic!("{rules:?}: {found:?}") };
            assert!(
                one.verdict == Verdict::Note && one.finding.contains("may drop: "),
                "{rules:?}: {found:?}"
            );
        }
    }

    #[test]
    fn what_lets_rsvp_through_is_fine() {
        let invalid = json!({ "match": { "op": "in", "left": { "ct": { "key": "state" } }, "right": 1 } });
        let rsvp = |verdict: Value| json!([meta("l4proto", json!(46)), verdict]);
        for (policy, rules) in [
            ("accept", vec![rsvp(accept()), rsvp(drop())]),
            ("drop", vec![rsvp(accept())]),
            ("drop", vec![json!([accept()])]),
            ("accept", vec![json!([ip("==", json!(47)), drop()])]),
            ("accept", vec![json!([ip("!=", json!({ "set": [46, 47] })), drop()])]),
            ("accept", vec![json!([invalid, drop()])]),
            ("drop", vec![json!([{ "jump": { "target": "x" } }])]),
        ] {
            let called = [rsvp(accept())];
            let found = found(&ruleset("input", policy, &rules, &called), "");
            assert!(found.is_empty(), "{rules:?}: {found:?}");
        }
    }

    #[test]
    fn chains_without_hooks_and_dormant_tables_do_nothing_and_rules_are_named_in_words() {
        let rules = [json!([ip("==", json!(46)), drop()])];
        let json = ruleset("input", "accept", &rules, &rules);
        let listing = "table inet f { # handle 1\n\tchain c { # handle 2\n\t\tip protocol rsvp drop # handle 7\n\t}\n}\n";
        let said = found(&json, listing);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].finding.contains("chain c: ip protocol rsvp drop (that is: Path by IPv4, Resv by IPv4)"),
            "{said:?}"
        );
        let dormant = listing.replace("# handle 1\n", "# handle 1\n\tflags dormant\n\n");
        assert!(found(&json, &dormant).is_empty());
        let firewall = read(&json, listing).expect("a ruleset");
        assert!(firewall.findings(false, true).is_empty(), "no IPv6 is dropped");
        assert!(read("no JSON", "").is_none());
        let own = format!("{dormant}table inet rsvpd {{ # handle 2\n\tflags owner\n}}\n");
        assert!(found("nothing is asked of either", &own).is_empty());
    }

    #[test]
    fn rules_of_iptables_are_gone_through_as_well() {
        let said = |saved: &str| {
            let mut firewall = Firewall::default();
            firewall.add_iptables("ip", saved);
            firewall.findings(true, false)
        };
        let found = said("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p 46 -j DROP\n");
        assert!(found.len() == 1 && found[0].finding.contains("-A INPUT -p 46 -j DROP"), "{found:?}");
        assert!(
            found[0]
                .remedy
                .as_ref()
                .is_some_and(|remedy| remedy.contains("iptables -t filter -I INPUT -p 46 -j ACCEPT"))
        );
        let found = said("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\n");
        assert!(found.len() == 1 && found[0].verdict == Verdict::Problem, "{found:?}");
        assert!(found[0].finding.contains("FORWARD"), "{found:?}");
        let usual =
            "-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
        let found = said(&format!("*filter\n:INPUT DROP [0:0]\n{usual}"));
        assert!(found.len() == 1 && found[0].verdict == Verdict::Problem, "{found:?}");
        assert!(said(&format!("*filter\n:INPUT DROP [0:0]\n{usual}-A INPUT -p 46 -j ACCEPT\n")).is_empty());
        let found = said("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n");
        assert!(found.len() == 1 && found[0].verdict == Verdict::Note, "{found:?}");
        assert!(said("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p rsvp -j ACCEPT\n").is_empty());
        assert!(said("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ! -p 46 -j DROP\n").is_empty());
    }
}
