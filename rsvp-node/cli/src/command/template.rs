//! `rsvp template`: traffic by name, as rsvpd keeps it.

use super::connection::{answered, greeted};
use super::options::{Daemon, Looking};
use super::show::aligned;
use super::{Failure, texts};
use clap::{Args, Subcommand};
use rsvp_client::qos::Qos;
use rsvp_client::{QosHost, TemplateRow, words};
use rsvpd::templates;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `rsvp template` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp template list\n  \
    rsvp template show g711\n  \
    rsvp template install talk.toml\n\n\
    A template is used by its name: rsvp send --to 10.0.2.2:5000 --template talk")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Lists all templates: the eight that are always there, and those that were installed
    #[command(after_help = "Example:\n  rsvp template list --json | jq '.[] | select(.base | not)'")]
    List(Looking),
    /// Shows a template, as a file that could be installed has it
    #[command(after_help = "Example:\n  rsvp template show g711 > talk.toml")]
    Show(Showing),
    /// Has rsvpd keep a template, also when it starts anew; as root, or a member of its group
    #[command(after_help = "Example:\n  rsvp template install talk.toml\n\n\
        A file is as follows; receiving may be left out, or sending. Octets, and octets per second, without headers:\n  \
        name = \"talk\"\n  \
        [sending]\n  \
        service = \"controlled-load\"    # guaranteed, qualitative, best-effort\n  \
        token_rate = 8500\n  \
        token_bucket_size = 680\n  \
        max_sdu_size = 340\n  \
        minimum_policed_size = 340\n  \
        [receiving]\n  \
        service = \"controlled-load\"")]
    Install(Installing),
    /// Has rsvpd keep it no longer; as root, or a member of its group
    #[command(after_help = "Example:\n  rsvp template remove talk")]
    Remove(Removing),
}

#[derive(Clone, Debug, Args)]
struct Showing {
    /// The name of the template, in upper or lower case
    name: String,
    #[command(flatten)]
    looking: Looking,
}

#[derive(Clone, Debug, Args)]
struct Installing {
    /// A file in TOML, as below
    file: PathBuf,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Clone, Debug, Args)]
struct Removing {
    /// The name of the template
    name: String,
    #[command(flatten)]
    daemon: Daemon,
}

/// `rsvp template`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let text = match arguments.command {
        Command::List(looking) => {
            let socket = looking.anybody();
            let host = greeted(&socket, QosHost::connect(&socket)).await?;
            let rows = answered(&socket, host.templates()).await?;
            if looking.json { json!(rows).to_string() } else { table(&rows) }
        }
        Command::Show(Showing { name, looking }) => {
            let socket = looking.anybody();
            let host = greeted(&socket, QosHost::connect(&socket)).await?;
            let qos = answered(&socket, host.template(&name)).await?;
            let rows = answered(&socket, host.templates()).await?;
            let known = rows.into_iter().find(|row| row.name.eq_ignore_ascii_case(&name));
            shown(known.map_or(name, |row| row.name), &qos, looking.json)?
        }
        Command::Install(Installing { file, daemon }) => {
            let (name, qos) = read(&file)?;
            let host = greeted(&daemon.socket, QosHost::connect(&daemon.socket)).await?;
            answered(&daemon.socket, host.install_template(&name, &qos)).await?;
            format!("template {name} is installed")
        }
        Command::Remove(Removing { name, daemon }) => {
            let host = greeted(&daemon.socket, QosHost::connect(&daemon.socket)).await?;
            answered(&daemon.socket, host.remove_template(&name)).await?;
            format!("template {name} is removed")
        }
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(Failure::at("standard output"))
}

fn read(file: &Path) -> Result<(String, Qos), Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::at(file.display().to_string()))?;
    templates::parse(file, &text).map_err(|error| Failure::Asked(error.to_string()))
}

fn shown(name: String, qos: &Qos, json: bool) -> Result<String, Failure> {
    if !json {
        return templates::render(&name, qos).map_err(Failure::Asked);
    }
    let said = words::Qos::try_from(qos).map_err(|invalid| Failure::Asked(invalid.to_string()))?;
    Ok(json!({ "name": name, "qos": said }).to_string())
}

fn table(rows: &[TemplateRow]) -> String {
    let line = |row: &TemplateRow| {
        let size = |size: Option<u32>| size.map_or_else(|| "-".to_owned(), |size| format!("{size}B"));
        let kind = if row.base { "base" } else { "installed" };
        let direction = |words: &words::Flowspec| texts::flowspec(&words.into());
        vec![
            row.name.clone(),
            kind.to_owned(),
            direction(&row.sending),
            direction(&row.receiving),
            size(row.sending.token_bucket_size),
            size(row.sending.max_sdu_size),
        ]
    };
    aligned(&["NAME", "KIND", "SENDING", "RECEIVING", "BUCKET", "PACKET"], rows.iter().map(line).collect())
}
