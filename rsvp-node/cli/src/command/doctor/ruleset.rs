//! A firewall's rules as nft and iptables list them.

use super::firewall::{Firewall, Rule};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Firewall {
    /// What nft says, which is called with these arguments: JSON is asked for table by table, as versions such as 1.0.6 write what is
    /// broken, or nothing, for tables with flags: those that are dormant, and the daemon's own.
    pub(super) fn of_nft(nft: impl Fn(&[&str]) -> Option<String>) -> Option<Self> {
        let words = Words::read(&nft(&["-a", "list", "ruleset"])?);
        let mut firewall = Self::default();
        for (family, name) in words.tables.difference(&words.dormant) {
            // The daemon's own rule against copies is none that stands in the way.
            if name != "rsvpd" {
                firewall
                    .add_nft(&nft(&["-n", "-j", "list", "table", family.as_str(), name.as_str()])?, &words)?;
            }
        }
        Some(firewall)
    }

    fn add_nft(&mut self, json: &str, words: &Words) -> Option<()> {
        let said: Value = serde_json::from_str(json).ok()?;
        for object in said.get("nftables")?.as_array()? {
            let Some((kind, of)) = object.as_object().and_then(|object| object.iter().next()) else {
                continue;
            };
            let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
            let key = (text("family"), text("table"));
            if !matches!(kind.as_str(), "chain" | "rule" | "set" | "map") {
                continue;
            }
            let table = self.tables.entry(key.clone()).or_default();
            match kind.as_str() {
                "chain" => {
                    let chain = table.chains.entry(text("name")).or_default();
                    chain.hook = of["hook"].as_str().map(str::to_owned);
                    chain.drops = of["policy"] == "drop";
                }
                "rule" => {
                    let expressions = of["expr"].as_array().cloned().unwrap_or_default();
                    let named = of["handle"].as_u64().and_then(|handle| words.rules.get(&(key, handle)));
                    let text_of = named.cloned().unwrap_or_else(|| of["expr"].to_string());
                    let rule = Rule { text: text_of, expressions };
                    table.chains.entry(text("chain")).or_default().rules.push(rule);
                }
                _ => {
                    table.sets.insert(text("name"), of["elem"].as_array().cloned().unwrap_or_default());
                }
            }
        }
        Some(())
    }

    /// What `iptables-save` says, or `ip6tables-save` with family `ip6`.
    pub(super) fn add_iptables(&mut self, family: &str, saved: &str) {
        self.is_iptables = true;
        let mut name = String::new();
        for line in saved.lines().map(str::trim) {
            if let Some(table) = line.strip_prefix('*') {
                name = table.to_owned();
            }
            let table = self.tables.entry((family.to_owned(), name.clone())).or_default();
            if let Some((chain, rest)) = line.strip_prefix(':').and_then(|line| line.split_once(' ')) {
                let hooks = ["prerouting", "input", "forward", "output", "postrouting"];
                let hook = hooks.into_iter().find(|hook| hook.to_uppercase() == chain);
                let of = table.chains.entry(chain.to_owned()).or_default();
                of.hook = hook.map(str::to_owned);
                of.drops = rest.starts_with("DROP");
            } else if let Some((chain, rest)) = line.strip_prefix("-A ").and_then(|line| line.split_once(' '))
            {
                let rule = Rule { text: line.to_owned(), expressions: of_iptables(rest) };
                table.chains.entry(chain.to_owned()).or_default().rules.push(rule);
            }
        }
    }
}

/// A rule of iptables in the words of nft; of its conditions those of protocol, interface and connection are understood.
fn of_iptables(rule: &str) -> Vec<Value> {
    let words: Vec<_> = rule.split_whitespace().collect();
    let (mut expressions, mut at, mut verdict) = (Vec::new(), 0, None);
    while let Some(word) = words.get(at) {
        let (is_not, option) =
            if *word == "!" { (true, words.get(at + 1).copied()) } else { (false, Some(*word)) };
        let value = words.get(at + 1 + usize::from(is_not)).copied().unwrap_or_default();
        match (option, value) {
            (Some("-p"), protocol) => {
                let op = if is_not { "!=" } else { "==" };
                let left = json!({ "meta": { "key": "l4proto" } });
                let right = protocol.parse::<u64>().map_or_else(|_| json!(protocol), |number| json!(number));
                if protocol != "all" {
                    expressions.push(json!({ "match": { "op": op, "left": left, "right": right } }));
                }
            }
            (Some("-i" | "-o"), interface) => {
                let op = if is_not { "!=" } else { "==" };
                let left = json!({ "meta": { "key": "iifname" } });
                expressions.push(json!({ "match": { "op": op, "left": left, "right": interface } }));
            }
            (Some("--ctstate" | "--state"), states) => {
                let op = if is_not { "!=" } else { "==" };
                let left = json!({ "ct": { "key": "state" } });
                let right: Vec<_> = states.split(',').map(str::to_lowercase).collect();
                expressions.push(json!({ "match": { "op": op, "left": left, "right": right } }));
            }
            // Only loads what the options after it are of.
            (Some("-m"), "conntrack" | "state") => {}
            (Some("-j"), "ACCEPT") => verdict = Some(json!({ "accept": null })),
            (Some("-j"), "DROP" | "REJECT") => verdict = Some(json!({ "drop": null })),
            (Some("-j"), "RETURN") => verdict = Some(json!({ "return": null })),
            (Some("-j"), "DNAT" | "SNAT" | "MASQUERADE" | "REDIRECT" | "NFQUEUE" | "TPROXY") => {
                verdict = Some(json!({ "accept": null }));
            }
            // Targets such as LOG are no chains, and what is none is passed.
            (Some("-j"), chain) => verdict = Some(json!({ "jump": { "target": chain } })),
            (Some("-g"), chain) => verdict = Some(json!({ "goto": { "target": chain } })),
            _ if verdict.is_none() => expressions.push(json!({ "unknown": word })),
            // Options of the target.
            _ => {}
        }
        at += if option.is_some_and(|option| {
            matches!(option, "-p" | "-i" | "-o" | "-m" | "--ctstate" | "--state" | "-j" | "-g")
        }) {
            2 + usize::from(is_not)
        } else {
            1
        };
    }
    expressions.extend(verdict);
    expressions
}

/// What only the listing for people says.
#[derive(Default)]
struct Words {
    tables: BTreeSet<(String, String)>,
    dormant: BTreeSet<(String, String)>,
    /// By table and handle.
    rules: BTreeMap<((String, String), u64), String>,
}

impl Words {
    fn read(listing: &str) -> Self {
        let mut words = Self::default();
        let mut table = (String::new(), String::new());
        for line in listing.lines().map(str::trim) {
            let (text, handle) = line.rsplit_once(" # handle ").unwrap_or((line, ""));
            if let Some((family, name)) = text.strip_prefix("table ").and_then(|of| of.split_once(' ')) {
                table = (family.to_owned(), name.trim_end_matches('{').trim().to_owned());
                words.tables.insert(table.clone());
            } else if let Some(flags) = text.strip_prefix("flags ") {
                // Sets have flags, too, but not this one.
                if flags.split([',', ' ', ';']).any(|flag| flag == "dormant") {
                    words.dormant.insert(table.clone());
                }
            } else if let (Ok(handle), false) = (handle.parse::<u64>(), text.ends_with('{')) {
                words.rules.insert((table.clone(), handle), text.to_owned());
            }
        }
        words
    }
}
