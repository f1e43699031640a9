//! What the kernel of this host says in files, and its firewall in rules.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;
use tokio::net::UnixStream;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) forwards_v4: bool,
    pub(super) forwards_v6: bool,
    /// Rules that drop IP protocol 46, or all that no other rule names.
    pub(super) in_the_way: Vec<String>,
    /// Whether there was a way to see rules.
    pub(super) saw_firewall: bool,
}

impl Host {
    pub(super) fn look() -> Self {
        let is_set = |path: &str| read_to_string(path).is_ok_and(|text| text.trim() != "0");
        let said = |program: &str, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).output().ok()?;
            done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
        };
        let nft = said("nft", &["list", "ruleset"]);
        let iptables = ["iptables-save", "ip6tables-save"].map(|program| said(program, &[]));
        // What nft shows has the rules of an iptables that is made of it.
        let in_the_way = match &nft {
            Some(rules) => in_nft(rules),
            None => iptables.iter().flatten().flat_map(|rules| in_iptables(rules)).collect(),
        };
        Self {
            forwards_v4: is_set("/proc/sys/net/ipv4/ip_forward"),
            forwards_v6: is_set("/proc/sys/net/ipv6/conf/all/forwarding"),
            in_the_way,
            saw_firewall: nft.is_some() || iptables.iter().any(Option::is_some),
        }
    }

    /// Whether the reverse path filter of an interface is strict: the kernel takes the larger of this and that of all.
    pub(super) fn is_strict(&self, interface: &str) -> bool {
        let value = |of: &str| {
            let path = format!("/proc/sys/net/ipv4/conf/{of}/rp_filter");
            read_to_string(path).ok().and_then(|text| text.trim().parse::<u8>().ok()).unwrap_or(0)
        };
        value("all").max(value(interface)) == 1
    }
}

/// The process that listens on a control socket, where it is seen to be in another network namespace than this one. Of another user's
/// process only root may see that.
pub(super) async fn in_another_namespace(socket: &Path) -> Option<i32> {
    let process = UnixStream::connect(socket).await.ok()?.peer_cred().ok()?.pid()?;
    let theirs = std::fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
    (std::fs::read_link("/proc/self/ns/net").ok()? != theirs).then_some(process)
}

/// Whether a rule is about RSVP.
fn names_rsvp(rule: &str) -> bool {
    let rule = rule.to_lowercase();
    let words: Vec<_> = rule
        .split(|c: char| c.is_whitespace() || "{},".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let is_protocol = |word: &str| matches!(word, "protocol" | "l4proto" | "nexthdr" | "-p");
    words.contains(&"rsvp") || words.windows(2).any(|pair| is_protocol(pair[0]) && pair[1] == "46")
}

/// Rules that drop RSVP, and chains that drop what no rule of theirs names and have none for it.
fn in_nft(ruleset: &str) -> Vec<String> {
    let mut found = Vec::new();
    // The table, the chain, and whether it drops by itself and has a rule that lets RSVP, or everything, through.
    let (mut table, mut chain, mut drops, mut lets) = (String::new(), String::new(), false, false);
    for line in ruleset.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches('{').trim().to_owned();
        } else if let Some(name) = line.strip_prefix("chain ") {
            (chain, drops, lets) = (name.trim_end_matches('{').trim().to_owned(), false, false);
        } else if line.starts_with("type filter ") {
            drops = line.contains("policy drop");
        } else if line == "}" {
            if drops && !lets {
                found.push(format!(
                    "table {table}, chain {chain} drops what it does not name, and names no RSVP"
                ));
            }
            drops = false;
        // The daemon's own rule against copies is none that stands in the way.
        } else if names_rsvp(line) && !table.contains("rsvpd") {
            if line.contains("drop") || line.contains("reject") {
                found.push(format!("table {table}, chain {chain}: {line}"));
            } else if line.contains("accept") {
                lets = true;
            }
        } else if line == "accept" || line == "counter accept" {
            lets = true;
        }
    }
    found
}

/// The same of `iptables-save`.
fn in_iptables(saved: &str) -> Vec<String> {
    let lets = |chain: &str| {
        let of = format!("-A {chain} ");
        saved.lines().any(|line| {
            line.starts_with(&of)
                && line.contains("-j ACCEPT")
                && (names_rsvp(line) || line == format!("-A {chain} -j ACCEPT"))
        })
    };
    let rules = saved
        .lines()
        .filter(|line| names_rsvp(line) && (line.contains("-j DROP") || line.contains("-j REJECT")));
    let chains = ["INPUT", "FORWARD", "OUTPUT"].into_iter().filter(|chain| {
        saved.lines().any(|line| line.starts_with(&format!(":{chain} DROP"))) && !lets(chain)
    });
    rules
        .map(str::to_owned)
        .chain(chains.map(|chain| format!("chain {chain} drops what it does not name, and names no RSVP")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_nft_that_drop_rsvp_are_found() {
        let ruleset = |policy: &str, rule: &str| {
            format!(
                "table inet filter {{\n\tchain input {{\n\t\ttype filter hook input priority filter; policy {policy};\n\t\t{rule}\n\t}}\n}}\n"
            )
        };
        for (policy, rule) in [
            ("accept", "ip protocol 46 drop"),
            ("accept", "meta l4proto { 46, 47 } counter packets 0 bytes 0 reject"),
            ("accept", "ip protocol rsvp counter drop"),
            ("drop", "tcp dport 22 accept"),
        ] {
            let found = in_nft(&ruleset(policy, rule));
            assert!(found.len() == 1 && found[0].contains("chain input"), "{rule}: {found:?}");
        }
        for (policy, rule) in [
            ("accept", "tcp dport 46 drop"),
            ("drop", "ip protocol 46 accept"),
            ("drop", "meta l4proto rsvp counter accept"),
            ("accept", "ip protocol 47 drop"),
        ] {
            assert_eq!(in_nft(&ruleset(policy, rule)), Vec::<String>::new(), "{rule}");
        }
        assert_eq!(in_nft(""), Vec::<String>::new());
    }

    #[test]
    fn rules_of_iptables_are_found() {
        assert_eq!(
            in_iptables("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p 46 -j DROP\n"),
            ["-A INPUT -p 46 -j DROP"]
        );
        let found =
            in_iptables("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\n");
        assert!(found.len() == 1 && found[0].contains("FORWARD"), "{found:?}");
        assert!(in_iptables(":FORWARD DROP [0:0]\n-A FORWARD -p rsvp -j ACCEPT\n").is_empty());
    }
}
