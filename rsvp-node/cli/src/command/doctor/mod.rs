//! `rsvp doctor`: what keeps reservations from being made or kept on this node, and what to do about it.
//!
//! The daemon is asked for what it knows, the kernel for what it says in files (`host`); nothing is sent and nothing changed.

mod flows;
mod host;

use super::Failure;
use super::connection::look;
use super::options::Daemon;
use clap::Args;
use host::Host;
use rsvp_client::rows::{InterfaceRow, Rows};
use rsvp_client::{Client, ClientError, What};
use serde::Serialize;
use std::io::Write;

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
            of_daemon(&client, host.as_ref(), &mut findings).await?;
        }
        Err(error) => {
            let remedy = "without a daemon nothing else about RSVP can be found out here";
            findings.push(Finding::problem("daemon", error.to_string(), remedy));
        }
    }
    findings.extend(host.iter().flat_map(firewall));
    Ok(findings)
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

async fn of_daemon(client: &Client, host: Option<&Host>, findings: &mut Vec<Finding>) -> Result<(), Failure> {
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
    let speaking: Vec<_> = interfaces.iter().filter(|on| on.up && on.enabled).collect();
    findings.push(where_spoken(&speaking));
    findings.extend(enforcement(&speaking));
    findings.extend(host.into_iter().flat_map(|host| forwarding(&speaking, host)));
    findings.extend(host.and_then(|host| reverse_path(&speaking, host)));
    findings.extend(bandwidths(&speaking));
    findings.extend(flows::heard(&neighbours, &interfaces));
    findings.extend(flows::paths(&senders, &sessions, &interfaces));
    let dropped = counters
        .discards
        .iter()
        .chain(counters.driver.iter().filter(|(name, _)| name.starts_with("messages-und")));
    let dropped: Vec<_> =
        dropped.filter(|(_, times)| **times > 0).map(|(name, times)| format!("{name} {times}")).collect();
    findings.push(match dropped.as_slice() {
        [] => Finding::fine("messages", "none was dropped"),
        some => Finding::note(
            "messages",
            format!(
                "dropped since the daemon started: {}; `rsvp show events` has the last of them",
                some.join(", ")
            ),
        ),
    });
    Ok(())
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
        let set = |what: &str| format!("set {what} in [interface.{}] of rsvpd.toml", on.name);
        if on.guessed {
            let finding = format!(
                "{} bit/s on {} is what its driver says, whatever is behind it; what can be reserved is taken from that",
                on.bandwidth_bps, on.name
            );
            findings.push(Finding::problem("bandwidth", finding, set("bandwidth")));
        } else if on.reservable_bps == 0 {
            let finding = match on.bandwidth_bps {
                0 => format!("the speed of {} is unknown, so nothing can be reserved there", on.name),
                _ => format!("nothing can be reserved on {}", on.name),
            };
            findings.push(Finding::problem("bandwidth", finding, set("bandwidth or reservable")));
        }
    }
    if findings.is_empty() && !speaking.is_empty() {
        findings.push(Finding::fine("bandwidth", "known wherever RSVP is spoken"));
    }
    findings
}

fn firewall(host: &Host) -> Vec<Finding> {
    let found: Vec<_> = host.in_the_way.iter().map(|rule| {
        Finding::problem(
            "firewall",
            format!("IP protocol 46 may be dropped: {rule}"),
            "let RSVP through, before it: `nft insert rule inet filter input ip protocol 46 accept`, and the same for forward and output",
        )
    }).collect();
    match (found.is_empty(), host.saw_firewall) {
        (false, _) => found,
        (true, true) => vec![Finding::fine("firewall", "no rule drops IP protocol 46")],
        (true, false) => {
            vec![Finding::note("firewall", "not looked at: neither nft nor iptables-save can be run")]
        }
    }
}
