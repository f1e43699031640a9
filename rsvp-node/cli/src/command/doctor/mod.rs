//! `rsvp doctor`: what keeps reservations from being made or kept on this node, and what to do about it.
//!
//! The daemon is asked for what it knows, the kernel for what it says in files (`host`); nothing is sent and nothing changed.

mod conditions;
mod firewall;
mod flows;
mod host;
mod ruleset;

use super::Failure;
use super::connection::{answered, look};
use super::options::Daemon;
use clap::Args;
use host::Host;
use rsvp_client::rows::{Counters, EventRow, InterfaceRow, Rows};
use rsvp_client::{Client, ClientError, Watched, What};
use rsvp_node::units::show_rate;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What `rsvp doctor` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp doctor\n  \
    rsvp doctor --json | jq '.[] | select(.verdict == \"problem\")'\n\n\
    The kernel is that of the network namespace in which this runs: run it in the daemon's (`ip netns exec NAME rsvp doctor`). Where it \
    is seen that the daemon runs in another one, that is said, and the kernel and its firewall are not looked at.\n\
    Firewalls are looked at by `nft` and `iptables-save`, where they are installed and may be run.\n\
    Exit status: 0 without a problem, 1 with one.")]
pub(crate) struct Arguments {
    /// As JSON: an array of findings
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Fine,
    /// Worth knowing, and right in some places.
    Note,
    Problem,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    check: &'static str,
    verdict: Verdict,
    finding: String,
    remedy: Option<String>,
}

impl Finding {
    fn fine(check: &'static str, finding: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fine, finding: finding.into(), remedy: None }
    }

    fn note(check: &'static str, finding: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, ..Self::fine(check, finding) }
    }

    fn problem(check: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Problem, remedy: Some(remedy.into()), ..Self::fine(check, finding) }
    }
}

/// `rsvp doctor`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let findings = examine(&arguments.daemon).await?;
    let mut out = std::io::stdout().lock();
    let text =
        if arguments.json { serde_json::to_string(&findings).unwrap_or_default() } else { text(&findings) };
    writeln!(out, "{text}").map_err(Failure::at("standard output"))?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count() {
        0 => Ok(()),
        1 => Err(Failure::Asked("1 problem".to_owned())),
        several => Err(Failure::Asked(format!("{several} problems"))),
    }
}

/// All that can be found out.
pub(super) async fn examine(daemon: &Daemon) -> Result<Vec<Finding>, Failure> {
    let mut host = Some(Host::look());
    let mut families = (true, true);
    let mut findings = Vec::new();
    match look(daemon).await {
        Ok(client) => {
            findings.push(Finding::fine("daemon", format!("{} answers", client.daemon())));
            if let Some(process) = host::in_another_namespace(&daemon.socket).await {
                findings.push(Finding::problem(
                    "namespace",
                    format!("rsvpd (process {process}) is in another network namespace than this command, which has not looked at the kernel"),
                    format!("nsenter --net --target {process} rsvp doctor --socket {}", daemon.socket.display()),
                ));
                host = None;
            }
            match answered(&daemon.socket, of_daemon(&client, host.as_ref(), &mut findings)).await {
                Ok(spoken) => families = spoken,
                Err(Failure::Silent(_)) => findings.push(silent(&daemon.socket).await),
                Err(other) => return Err(other),
            }
        }
        Err(Failure::Silent(_)) => findings.push(silent(&daemon.socket).await),
        Err(error) => {
            let remedy = "without a daemon nothing else about RSVP can be found out here";
            findings.push(Finding::problem("daemon", error.to_string(), remedy));
        }
    }
    findings.extend(host.iter().flat_map(|host| firewall(host, families)));
    Ok(findings)
}

/// Of a daemon that listens, and says nothing.
async fn silent(socket: &Path) -> Finding {
    let process = host::listener(socket).await;
    let who = process.map_or_else(String::new, |process| format!(" (process {process})"));
    let process = process.map_or_else(|| "PID".to_owned(), |process| process.to_string());
    Finding::problem(
        "daemon",
        format!("rsvpd{who} does not answer on {}: it is stopped, or hangs", socket.display()),
        format!(
            "`ps -o stat,wchan -p {process}` shows how it is: `kill -CONT {process}` continues one that is stopped (T); otherwise \
             `systemctl restart rsvpd` starts it anew"
        ),
    )
}

fn text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let sign = match finding.verdict {
            Verdict::Fine => "fine   ",
            Verdict::Note => "note   ",
            Verdict::Problem => "PROBLEM",
        };
        let remedy =
            finding.remedy.as_ref().map_or_else(String::new, |remedy| format!("\n         -> {remedy}"));
        format!("{sign}  {}: {}{remedy}", finding.check, finding.finding)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What the daemon knows; gives back whether RSVP is spoken by IPv4, and by IPv6.
async fn of_daemon(
    client: &Client,
    host: Option<&Host>,
    findings: &mut Vec<Finding>,
) -> Result<(bool, bool), Failure> {
    let (Rows::Interfaces(interfaces), _) = client.list(What::Interfaces, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let (Rows::Neighbours(neighbours), _) = client.list(What::Neighbours, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let (Rows::Senders(senders), _) = client.list(What::Senders, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let (Rows::Sessions(sessions), _) = client.list(What::Sessions, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let (Rows::Counters(counters), _) = client.list(What::Counters, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let (Rows::Events(events), _) = client.list(What::Events, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let speaking: Vec<_> = interfaces.iter().filter(|on| on.up && on.enabled).collect();
    findings.push(where_spoken(&speaking));
    findings.extend(enforcement(&speaking));
    findings.extend(host.into_iter().flat_map(|host| forwarding(&speaking, host)));
    findings.extend(host.and_then(|host| not_forwarded_from(&speaking, host)));
    findings.extend(switched_off(&interfaces, &counters, &events));
    findings.extend(host.and_then(|host| reverse_path(&speaking, host)));
    findings.extend(bandwidths(&speaking));
    findings.extend(flows::heard(&neighbours, &interfaces));
    findings.extend(flows::paths(&senders, &sessions, &interfaces));
    findings.push(messages(&counters));
    Ok((speaking.iter().any(|on| on.ipv4.is_some()), speaking.iter().any(|on| has_ipv6(on))))
}

/// Whether an interface has an address that is known beyond its link.
fn has_ipv6(on: &InterfaceRow) -> bool {
    on.ipv6.is_some_and(|address| !address.is_unicast_link_local())
}

/// Messages that were dropped.
fn messages(counters: &Counters) -> Finding {
    let dropped = counters
        .discards
        .iter()
        .chain(counters.driver.iter().filter(|(name, _)| name.starts_with("messages-und")));
    let dropped: Vec<_> =
        dropped.filter(|(_, times)| **times > 0).map(|(name, times)| format!("{name} {times}")).collect();
    match dropped.as_slice() {
        [] => Finding::fine("messages", "none was dropped"),
        some => Finding::note(
            "messages",
            format!(
                "dropped since the daemon started: {}; `rsvp show events` has the last of them",
                some.join(", ")
            ),
        ),
    }
}

/// Interfaces that RSVP is switched off on, although messages come in there.
fn switched_off(interfaces: &[InterfaceRow], counters: &Counters, events: &[EventRow]) -> Option<Finding> {
    const CAUSE: &str = "interface-disabled";
    let times = counters.discards.get(CAUSE).copied().filter(|times| *times > 0)?;
    let came_in = |name: &str| {
        events.iter().any(|event| match &event.watched {
            Watched::Discarded(discarded) => {
                discarded.cause == CAUSE && discarded.of.interface.as_deref() == Some(name)
            }
            _ => false,
        })
    };
    let off: Vec<_> =
        interfaces.iter().filter(|on| on.up && !on.enabled).map(|on| on.name.as_str()).collect();
    let seen: Vec<_> = off.iter().copied().filter(|name| came_in(name)).collect();
    // What is long ago is only counted.
    let names = if seen.is_empty() { off } else { seen };
    let sections: Vec<_> = names.iter().map(|name| format!("[interface.{name}]")).collect();
    (!names.is_empty()).then(|| {
        Finding::problem(
            "interfaces",
            format!(
                "RSVP is switched off on {}, and {times} messages that came in there were dropped: nothing is reserved for what comes \
                 that way",
                names.join(", ")
            ),
            format!("enabled = true in {} of rsvpd.toml, then `systemctl reload rsvpd`", sections.join(", ")),
        )
    })
}

fn where_spoken(speaking: &[&InterfaceRow]) -> Finding {
    let names: Vec<_> = speaking.iter().map(|on| on.name.as_str()).collect();
    match names.as_slice() {
        [] => Finding::problem(
            "interfaces",
            "RSVP is spoken nowhere",
            "give an interface an address and set it up; `rsvp show interfaces` shows what there is",
        ),
        some => Finding::fine("interfaces", format!("RSVP is spoken on {}", some.join(", "))),
    }
}

/// Privileges, and what the kernel can do.
fn enforcement(speaking: &[&InterfaceRow]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut said = Vec::new();
    for on in speaking {
        let (state, why) = on.data_plane.split_once(": ").unwrap_or((&on.data_plane, ""));
        match state {
            "none" if said.contains(&why) => {}
            "none" if why == "as configured" => {
                findings.push(Finding::note("enforcement", "reservations are not enforced, as configured"));
            }
            "none" => findings.push(Finding::problem(
                "enforcement",
                format!("reservations are not enforced: {why}"),
                "run rsvpd as root, or with CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON, on a kernel with BPF; or say that it is meant so: kind = \
                 \"none\" in [data_plane]",
            )),
            "refused" => findings.push(Finding::problem(
                "enforcement",
                format!("reservations are not enforced on {}: {why}", on.name),
                format!("free its queueing discipline, or switch RSVP off there: enabled = false in [interface.{}]", on.name),
            )),
            _ => {}
        }
        said.push(why);
    }
    if findings.is_empty() {
        findings.push(Finding::fine("enforcement", "the kernel can enforce reservations"));
    }
    findings
}

fn forwarding(speaking: &[&InterfaceRow], host: &Host) -> Vec<Finding> {
    let families = [
        ("net.ipv4.ip_forward", speaking.iter().filter(|on| on.ipv4.is_some()).count(), host.forwards_v4),
        (
            "net.ipv6.conf.all.forwarding",
            speaking
                .iter()
                .filter(|on| on.ipv6.is_some_and(|address| !address.is_unicast_link_local()))
                .count(),
            host.forwards_v6,
        ),
    ];
    let finding = |(name, interfaces, forwards): (&str, usize, bool)| match (interfaces, forwards) {
        (0 | 1, _) => None,
        (_, true) => Some(Finding::fine("forwarding", format!("{name} is 1"))),
        (several, false) => Some(Finding::problem(
            "forwarding",
            format!("{several} interfaces speak RSVP, but {name} is 0: no Path goes on from here"),
            format!(
                "on a router: sysctl -w {name}=1; on a host: enabled = false in [interface.NAME] where RSVP is not needed"
            ),
        )),
    };
    families.into_iter().filter_map(finding).collect()
}

/// An interface has a setting of its own, which counts for what comes in there.
fn not_forwarded_from(speaking: &[&InterfaceRow], host: &Host) -> Option<Finding> {
    let with_ipv4: Vec<_> =
        speaking.iter().filter(|on| on.ipv4.is_some()).map(|on| on.name.as_str()).collect();
    let not: Vec<_> = with_ipv4.iter().copied().filter(|name| !host.forwards_from(name)).collect();
    // Where the whole host forwards nothing, that was said.
    (with_ipv4.len() > 1 && host.forwards_v4 && !not.is_empty()).then(|| {
        // Dots of a name are none between parts.
        let of = |name: &&str| format!("net/ipv4/conf/{name}/forwarding");
        let settings: Vec<_> = not
            .iter()
            .map(|name| if name.contains('.') { of(name) } else { of(name).replace('/', ".") })
            .collect();
        let sets: Vec<_> = settings.iter().map(|setting| format!("{setting}=1")).collect();
        Finding::problem(
            "forwarding",
            format!(
                "{} is 0: what comes in on {} goes no further, and no Path does",
                settings.join(", "),
                not.join(", ")
            ),
            format!("on a router: sysctl -w {}", sets.join(" ")),
        )
    })
}

/// Strict filters drop data, and so Paths, that come another way than they would go back.
fn reverse_path(speaking: &[&InterfaceRow], host: &Host) -> Option<Finding> {
    let strict: Vec<_> =
        speaking.iter().map(|on| on.name.as_str()).filter(|name| host.is_strict(name)).collect();
    (speaking.len() > 1 && !strict.is_empty()).then(|| {
        Finding::note(
            "rp_filter",
            format!(
                "strict on {}: what comes another way than it would go back is dropped, Paths too; where routing is not the same both \
                 ways, `sysctl -w net.ipv4.conf.NAME.rp_filter=2`",
                strict.join(", ")
            ),
        )
    })
}

fn bandwidths(speaking: &[&InterfaceRow]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for on in speaking {
        // A port of a bridge and the like has no address but that of its link, and nothing is reserved there.
        let judged = |finding: String, what: &str| match on.ipv4.is_some() || has_ipv6(on) {
            true => Finding::problem(
                "bandwidth",
                finding,
                format!("set {what} in [interface.{}] of rsvpd.toml, then `systemctl reload rsvpd`", on.name),
            ),
            false => Finding::note("bandwidth", finding),
        };
        if on.guessed {
            let finding = format!(
                "{} on {} is what its driver says, whatever is behind it; what can be reserved is taken from that",
                show_rate(on.bandwidth_bps as f64),
                on.name
            );
            findings.push(judged(finding, "bandwidth"));
        } else if on.reservable_bps == 0 {
            let (finding, what) = match on.bandwidth_bps {
                0 => (
                    format!("the speed of {} is unknown, so nothing can be reserved there", on.name),
                    "bandwidth",
                ),
                _ => (format!("nothing can be reserved on {}", on.name), "reservable"),
            };
            findings.push(judged(finding, what));
        }
    }
    if findings.is_empty() && !speaking.is_empty() {
        findings.push(Finding::fine("bandwidth", "known wherever RSVP is spoken"));
    }
    findings
}

/// What the firewall does with messages of the families that RSVP is spoken in.
fn firewall(host: &Host, (by_ipv4, by_ipv6): (bool, bool)) -> Vec<Finding> {
    let Some(firewall) = &host.firewall else {
        let why = "not looked at: neither nft, with JSON, nor iptables-save can be run";
        return vec![Finding::note("firewall", why)];
    };
    match firewall.findings(by_ipv4, by_ipv6) {
        none if none.is_empty() => vec![Finding::fine("firewall", "no rule drops IP protocol 46")],
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_said_as_people_write_it() {
        let on = InterfaceRow {
            name: "tunnel".to_owned(),
            index: 1,
            lih: 1,
            ipv4: Some([10, 0, 0, 1].into()),
            ipv6: None,
            up: true,
            enabled: true,
            mtu: 1_400,
            bandwidth_bps: 2_500_000_000,
            guessed: true,
            reservable_bps: 1_875_000_000,
            reserved_bps: 0,
            refresh_ms: 30_000,
            udp: false,
            udp_refused: 0,
            data_plane: "ready".to_owned(),
        };
        let found = bandwidths(&[&on]);
        assert!(found[0].finding.starts_with("2.5Gbit/s on tunnel is what its driver says"), "{found:?}");
    }
}
