//! `rsvp policy`: marks and rates for programs that do not ask for any, as rsvpd has them out of files.

use super::Failure;
use super::connection::{answered, by_either, look};
use super::options::{Daemon, Looking};
use super::show::aligned;
use clap::{Args, Subcommand, ValueEnum};
use rsvp_client::Client;
use rsvp_client::policy::{Explain, Explained, Named, PolicyRow, Put, Remove, Report, Settings, Store};
use rsvp_node::qos::Dscp;
use rsvp_node::units::show_rate;
use rsvpd::policies;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `rsvp policy` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp policy check /etc/rsvp/policies.d\n  \
    rsvp policy list\n  \
    rsvp policy explain --pid 4711\n\n\
    A file has any number of policies:\n  \
    [[policy]]\n  \
    name = \"backup\"\n  \
    match = { app = \"/usr/bin/rsync\", remote = \"10.0.0.0/8\" }\n  \
    action = { dscp = \"le\", rate = \"20mbit\" }")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Lists all policies, the strongest first, with what was counted, and what was left out
    #[command(after_help = "Example:\n  rsvp policy list --json | jq '.policies[] | {name, packets}'")]
    List(Looking),
    /// Says what is wrong with files of policies, with file, line and column; asks no daemon
    #[command(after_help = "Example:\n  rsvp policy check /etc/rsvp/policies.d /usr/lib/rsvp/policies.d")]
    Check(Checking),
    /// Says which policy open sockets were given, and by what others lost
    #[command(after_help = "Examples:\n  rsvp policy explain\n  rsvp policy explain --pid 4711\n  \
        rsvp policy explain --at 10.0.0.2:443")]
    Explain(Explaining),
    /// Has rsvpd keep a policy, in the place of one of its name; as root, or a member of its group
    #[command(
        after_help = "Examples:\n  rsvp policy put backup.toml\n  rsvp policy put --persistent backup.toml"
    )]
    Put(Putting),
    /// Has rsvpd keep a policy no longer that was put; as root, or a member of its group
    #[command(after_help = "Example:\n  rsvp policy remove backup")]
    Remove(Removing),
    /// Has rsvpd read all files again; as root, or a member of its group
    #[command(after_help = "Example:\n  rsvp policy refresh")]
    Refresh(Asking),
    /// Sets what holds beside policies, until rsvpd ends; without options nothing is set any more
    #[command(
        after_help = "Examples:\n  rsvp policy settings --inbound-level 1\n  rsvp policy settings --dscp-override on"
    )]
    Settings(Setting),
}

#[derive(Clone, Debug, Args)]
struct Checking {
    /// Files, or folders with files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Args)]
struct Explaining {
    /// Sockets that this process has made
    #[arg(long, value_name = "NUMBER")]
    pid: Option<u32>,
    /// Sockets with this address and port on either side
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: Option<SocketAddr>,
    /// Closed sockets, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    looking: Looking,
}

#[derive(Clone, Debug, Args)]
struct Putting {
    /// A file with one policy
    file: PathBuf,
    /// Keeps it when the daemon or the machine starts anew, too
    #[arg(long)]
    persistent: bool,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Clone, Debug, Args)]
struct Removing {
    /// The name of the policy
    name: String,
    /// Whose policy of that name, where it is one of a user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Clone, Debug, Args)]
struct Asking {
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Debug, Args)]
struct Setting {
    /// The largest receive window of TCP: 0 for 64 KB, 1 for 256 KB, 2 for 1 MB, 3 for 16 MB
    #[arg(long, value_name = "0..3", value_parser = clap::value_parser!(u8).range(0..=3))]
    inbound_level: Option<u8>,
    /// Whether DSCPs that programs set themselves are ignored
    #[arg(long, value_name = "SWITCH")]
    dscp_override: Option<Switch>,
    /// Whether DSCPs that programs asked for with a flow, and those of `rsvp tc`, are ignored
    #[arg(long, value_name = "SWITCH")]
    flow_override: Option<Switch>,
    #[command(flatten)]
    daemon: Daemon,
}

/// `rsvp policy`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let text = match arguments.what {
        What::List(looking) => {
            let (client, socket) = by_either(&looking, Client::connect).await?;
            let report = answered(&socket, client.policies()).await?;
            if looking.json { json!(report).to_string() } else { listing(&report) }
        }
        What::Check(checking) => return check(&checking),
        What::Explain(Explaining { pid, at, all, looking }) => {
            let asked = Explain { pid, socket: at, closed: all };
            let (client, socket) = by_either(&looking, Client::connect).await?;
            let report = answered(&socket, client.explain_policies(asked)).await?;
            let sockets = report.sockets.unwrap_or_default();
            if looking.json { json!(sockets).to_string() } else { explained(&sockets) }
        }
        What::Put(Putting { file, persistent, daemon }) => {
            let text = std::fs::read_to_string(&file).map_err(Failure::at(file.display().to_string()))?;
            let contents = policies::file::parse(&file, &text, None);
            if let Some(complaint) = contents.complaints.first() {
                return Err(Failure::Asked(complaint.message.clone()));
            }
            let store = if persistent { Store::Persistent } else { Store::Active };
            let client = look(&daemon).await?;
            answered(&daemon.socket, client.put_policy(Put { text, store })).await?;
            format!("{} is put into the store \"{}\"", file.display(), store.word())
        }
        What::Remove(Removing { name, user, daemon }) => {
            let remove = Remove { name: name.clone(), user, store: None };
            let client = look(&daemon).await?;
            answered(&daemon.socket, client.remove_policy(remove)).await?;
            format!("policy {name} is removed")
        }
        What::Refresh(Asking { daemon }) => {
            let client = look(&daemon).await?;
            let report = answered(&daemon.socket, client.refresh_policies()).await?;
            let all = report.policies.unwrap_or_default();
            let faulty = all.iter().filter(|policy| policy.fault.is_some()).count();
            format!("policies: {}, in force: {}", all.len(), all.len() - faulty)
        }
        What::Settings(Setting { inbound_level, dscp_override, flow_override, daemon }) => {
            let is_on = |switch: Option<Switch>| switch.map(|is| is == Switch::On);
            let settings = Settings {
                inbound_level,
                dscp_override: is_on(dscp_override),
                flow_override: is_on(flow_override),
            };
            let client = look(&daemon).await?;
            answered(&daemon.socket, client.set_policies(settings)).await?;
            "set".to_owned()
        }
    };
    print(&text)
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(Failure::at("standard output"))
}

fn check(checking: &Checking) -> Result<(), Failure> {
    let (usable, wrong) = policies::check(&checking.paths);
    if checking.json {
        print(&json!({ "usable": usable, "wrong": wrong }).to_string())?;
    } else {
        wrong.iter().try_for_each(|line| print(line))?;
        print(&format!("usable policies: {usable}"))?;
    }
    match wrong.len() {
        0 => Ok(()),
        count => Err(Failure::Asked(format!("not usable: {count}"))),
    }
}

fn place(file: Option<&String>, line: usize) -> String {
    file.map_or_else(|| "-".to_owned(), |file| format!("{file}:{line}"))
}

fn words(conditions: &[(String, String)]) -> String {
    let words: Vec<String> = conditions.iter().map(|(word, value)| format!("{word} {value}")).collect();
    if words.is_empty() { "everything".to_owned() } else { words.join("\n") }
}

fn actions(row: &PolicyRow) -> String {
    let dscp = row.dscp.map(|dscp| {
        let name = Dscp::new(dscp).and_then(|dscp| dscp.name());
        name.map_or_else(|| format!("dscp {dscp}"), |name| format!("dscp {}", name.to_lowercase()))
    });
    let rate = row.rate_bps.map(|bps| format!("rate {}", show_rate(bps as f64)));
    let rest = [row.pcp.map(|pcp| format!("pcp {pcp}")), row.weight.map(|weight| format!("weight {weight}"))];
    let all: Vec<String> = [dscp, rate].into_iter().chain(rest).flatten().collect();
    all.join("\n")
}

fn listing(report: &Report) -> String {
    let line = |row: &PolicyRow| {
        vec![
            row.name.clone(),
            row.user.clone().unwrap_or_else(|| "-".to_owned()),
            row.store.word().to_owned(),
            row.precedence.to_string(),
            words(&row.conditions),
            actions(row),
            row.packets.to_string(),
            row.octets.to_string(),
            if row.fault.is_some() { "not in force".to_owned() } else { "in force".to_owned() },
            place(row.file.as_ref(), row.line),
        ]
    };
    let rows = report.policies.iter().flatten();
    let head =
        ["NAME", "USER", "STORE", "PRECEDENCE", "FOR", "ACTION", "PACKETS", "OCTETS", "STATE", "PLACE"];
    let mut text = aligned(&head, rows.map(line).collect());
    let settings = report.settings.unwrap_or_default();
    text = text.trim_end().to_owned();
    text.extend(settings.inbound_level.map(|level| format!("\ninbound level {level}")));
    for (name, is) in [("dscp override", settings.dscp_override), ("flow override", settings.flow_override)] {
        text.extend(is.map(|is| format!("\n{name} {}", if is { "on" } else { "off" })));
    }
    for complaint in report.complaints.iter().flatten() {
        text.push_str(&format!("\nleft out ({}): {}", complaint.number, complaint.message));
    }
    text
}

fn explained(sockets: &[Explained]) -> String {
    let named = |policy: &Named| {
        let user = policy.user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
        format!("\"{}\"{user} ({})", policy.name, place(policy.file.as_ref(), policy.line))
    };
    let mut text = String::new();
    for socket in sockets {
        let program = socket.program.clone().unwrap_or_else(|| "?".to_owned());
        let pid = socket.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
        let closed = if socket.closed { ", closed" } else { "" };
        let on = socket.interface.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
        text.push_str(&format!(
            "{} {} to {}{on}: {program}, process {pid}, user {}{closed}\n",
            socket.protocol, socket.local, socket.remote, socket.uid
        ));
        match &socket.policy {
            None => text.push_str("  no policy\n"),
            Some(policy) => {
                let action =
                    socket.action.as_ref().map(|row| format!(": {}", actions(row).replace('\n', ", ")));
                text.push_str(&format!("  given {}{}\n", named(policy), action.unwrap_or_default()));
            }
        }
        for other in &socket.others {
            let by = other.lost_by.clone().unwrap_or_default();
            text.push_str(&format!("  not {}: {by}\n", named(other)));
        }
    }
    if sockets.is_empty() {
        "no socket has sent anything since policies are in force".to_owned()
    } else {
        text
    }
}
